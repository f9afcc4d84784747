"""What a kill in the middle of each long step of a run costs, and that the marts are the same afterwards.

    make bench-kills KILL_ORDERS=5000

One run of the settlement lane goes undisturbed and says when each of its steps begins and ends. Then, for each step, a
new seller is read into a new folder and the run is killed with all its processes half-way through that step (SIGKILL);
`tieout run settlement` is given once more. Time lost is what the two together took longer than the undisturbed one.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.measuring import machine
from benchmarks.serving import variables_of, wait_for_file
from orchestration.lib.warehouse import quote

STEPS = ("Fetching", "Loading", "Reconciling", "Publishing", "Delivering")
VENDOR_MADE: Mapping[str, frozenset[str]] = {
    # The ERP numbers documents in the order of their arrival, which kills change; an answer that was lost held an id.
    # The proof of a NetSuite journal names its number.
    "actions": frozenset({"vendor_ids", "detail"}),
    "journals": frozenset({"erp_document_id"}),
    "journal_lines": frozenset({"erp_document_id"}),
    "cut_off_tests": frozenset({"document_no"}),
    # An accrual and its reversal are postings, which bear the ERP's numbers; their wire keys say which they are.
    "rec_journals": frozenset({"right_id", "left_id", "subject_id"}),
    # How often something was received, and how many snapshots: what was staged and that it balances is compared.
    "control_totals": frozenset({"landed_count", "duplicate_count", "records_in_count", "superseded_count"}),
}
"""Columns that a kill may change, by mart."""


@dataclass(frozen=True)
class Part:
    """A stretch of a run: the `number`-th (from 1) of its step, seconds from the run's start."""

    step: str
    number: int
    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


@contextmanager
def served(folder: Path, orders: int, port: int) -> Iterator[dict[str, str]]:
    """A new seller; the variables of its client."""
    command = [sys.executable, "-m", "benchmarks.matching_source", "--orders", str(orders)]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen([*command, "--port", str(port), "--folder", str(folder)], stdout=log, stderr=log)
        try:
            wait_for_file(folder / "env", process, folder / "server.log")
            yield variables_of(folder / "env")
        finally:
            process.terminate()
            process.wait()


def run(variables: Mapping[str, str], until: tuple[Part, float] | None = None) -> tuple[float, list[Part]]:
    """A run of the lane: its seconds and its parts. With `until` it is killed so many seconds after that part began.

    Raises SystemExit when a run fails that is not killed, or ends before it could be.
    """
    command = [sys.executable, "-m", "orchestration.cli", "run", "settlement"]
    environment = {**os.environ, **variables, "PYTHONUNBUFFERED": "1"}
    began = time.monotonic()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    assert process.stdout is not None  # it was asked for
    starts: list[tuple[str, float]] = []
    words: list[str] = []
    for line in process.stdout:
        words.append(line)
        step = line.split(" ", 1)[0]
        if step not in STEPS or (starts and starts[-1][0] == step):
            continue
        starts.append((step, time.monotonic() - began))
        if until is not None and (step, sum(one == step for one, _ in starts)) == (until[0].step, until[0].number):
            time.sleep(until[1])
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return time.monotonic() - began, []
    process.wait()
    seconds = time.monotonic() - began
    if process.returncode != 0 or until is not None:
        raise SystemExit(f"the run ended with {process.returncode}:\n{''.join(words)[-4000:]}")
    ends = [start for _, start in starts[1:]] + [seconds]
    numbers = [sum(one == step for one, _ in starts[: at + 1]) for at, (step, _) in enumerate(starts)]
    return seconds, [
        Part(step, number, start, end) for (step, start), number, end in zip(starts, numbers, ends, strict=True)
    ]


def marts(data: Path) -> dict[str, str]:
    """A digest of each published mart's rows, without what a kill may change."""
    with duckdb.connect(str(data / "published" / "tieout.duckdb"), read_only=True) as connection:
        names = connection.execute("select table_name from duckdb_tables() where schema_name = 'marts'").fetchall()
        found = {}
        for (name,) in names:
            columns = connection.execute(f"describe marts.{quote(name)}").fetchall()
            kept = ", ".join(quote(column[0]) for column in columns if column[0] not in VENDOR_MADE.get(name, ()))
            rows = connection.execute(
                f"select count(*), coalesce(sum(hash({kept})::hugeint), 0) from marts.{quote(name)}"  # noqa: S608
            ).fetchone()
            found[str(name)] = str(rows)
    return found


def measured(orders: int, port: int) -> dict[str, Any]:
    """The undisturbed run, and for each long step what a kill in its middle cost."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with served(folder, orders, port) as variables:
            undisturbed, parts = run(variables)
        wanted = marts(folder / "data")
        shutil.rmtree(folder / "data")
        rows = []
        for step in STEPS:
            longest = max((part for part in parts if part.step == step), key=lambda part: part.seconds, default=None)
            if longest is None:
                raise SystemExit(f"the run has no step {step}")
            for one in folder.iterdir():
                shutil.rmtree(one) if one.is_dir() else one.unlink()
            with served(folder, orders, port) as variables:
                killed, _ = run(variables, until=(longest, longest.seconds / 2))
                again, _ = run(variables)
            found = marts(folder / "data")
            differing = sorted(mart for mart in wanted.keys() | found.keys() if wanted.get(mart) != found.get(mart))
            row = {"step": step, "number": longest.number, "seconds_of_step": longest.seconds, "killed_after": killed}
            rows.append(
                {**row, "seconds_again": again, "lost": killed + again - undisturbed, "marts_that_differ": differing}
            )
            print(json.dumps(rows[-1]), file=sys.stderr)
    return {"machine": machine(), "orders": orders, "undisturbed": undisturbed, "kills": rows}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--orders", type=int, default=5000)
    parser.add_argument("--port", type=int, default=8993)
    parser.add_argument("--output", type=Path, help="where the figures go as JSON")
    options = parser.parse_args()
    result = measured(options.orders, options.port)
    text = json.dumps(result, indent=2)
    print(text)
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(text + "\n", encoding="utf-8")
    return 1 if any(row["marts_that_differ"] for row in result["kills"]) else 0


if __name__ == "__main__":
    sys.exit(main())
