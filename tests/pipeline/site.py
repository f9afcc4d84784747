"""One customer's installation for the tests: the vendors as a server process, a data folder, and the `tieout` command.

Everything crosses a process boundary as it does for a user: the vendors over HTTP, the pipeline as a command, the
marts as a file.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import httpx

from sandbox.config import read_environment

OWN_VARIABLES = ("TIEOUT_", "MIRAKL_", "SAGE200_", "NETSUITE_", "DAGSTER_")
ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass
class Site:
    """The sandbox's address and folder, and a data folder of its own per installation."""

    sandbox_url: str
    sandbox_dir: Path
    data_dir: Path
    extra_env: dict[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        values = read_environment(self.sandbox_dir / "env")
        keep = {k: v for k, v in os.environ.items() if not k.startswith(OWN_VARIABLES)}
        return keep | values | {"TIEOUT_DATA_DIR": str(self.data_dir)} | self.extra_env

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "orchestration.cli", *arguments],
            cwd=ROOT,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def tieout(self, *arguments: str, expect: int | None = 0) -> str:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=600)
        if expect is not None and process.returncode != expect:
            raise AssertionError(
                f"tieout {' '.join(arguments)} ended with {process.returncode}\n{out[-4000:]}\n{err[-6000:]}"
            )
        return out

    def tieout_json(self, *arguments: str, expect: int | None = 0) -> Any:
        return json.loads(self.tieout(*arguments, "--json", expect=expect))

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.data_dir / "published" / "tieout.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def mart_hashes(self, without: Mapping[str, Collection[str]] | None = None) -> dict[str, str]:
        """One hash per mart over all rows and columns in a total order, computed here and not taken from the pipeline.

        `without` names columns of a mart that are left out.
        """
        with duckdb.connect(str(self.data_dir / "published" / "tieout.duckdb"), read_only=True) as connection:
            names = [
                row[0]
                for row in connection.execute(
                    "select table_name from information_schema.tables where table_schema = 'marts' order by 1"
                ).fetchall()
            ]
            hashes = {}
            for name in names:
                columns = [
                    row[0]
                    for row in connection.execute(
                        "select column_name from information_schema.columns "
                        "where table_schema = 'marts' and table_name = ? "
                        "order by ordinal_position",
                        [name],
                    ).fetchall()
                    if row[0] not in (without or {}).get(name, ())
                ]
                texts = (f"coalesce(cast(\"{column}\" as varchar), '<null>')" for column in columns)
                row_text = " || '|' || ".join(texts)
                hashes[name] = connection.execute(
                    f"select sha256(coalesce(string_agg(r, chr(10) order by r), '')) "
                    f'from (select {row_text} as r from marts."{name}")'
                ).fetchone()[0]
        return hashes

    # --- the vendors

    def vendor_state(self) -> Any:
        return self._control("GET", "state")

    def truth(self) -> Any:
        return self._control("GET", "truth")

    def strike(self, **rule: Any) -> None:
        self._control("POST", "chaos", json=rule)

    def strikes(self) -> int:
        return sum(rule["hits"] for rule in self._control("GET", "chaos"))

    def calm(self) -> None:
        self._control("DELETE", "chaos")

    def _control(self, method: str, name: str, **options: Any) -> Any:
        response = httpx.request(method, f"{self.sandbox_url}/_sandbox/{name}", timeout=30, **options)
        response.raise_for_status()
        return response.json()

    def kill_when(self, reached: Callable[[], bool], *arguments: str, seconds: float = 300) -> bool:
        """Runs a command and kills its whole process group once `reached()`; False when it ended by itself before."""
        process = self.start(*arguments)
        deadline = time.monotonic() + seconds
        try:
            while time.monotonic() < deadline:
                if reached():
                    os.killpg(process.pid, signal.SIGKILL)
                    process.communicate()
                    return True
                if process.poll() is not None:
                    out, err = process.communicate()
                    if process.returncode != 0:
                        raise AssertionError(f"the run failed before the kill point\n{out[-2000:]}\n{err[-4000:]}")
                    return False
                time.sleep(0.01)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
        raise AssertionError(f"the kill point was not reached within {seconds} s")


@contextmanager
def running_sandbox(
    directory: Path,
    *,
    orders: int,
    seed: int = 7,
    faults: bool = True,
    marketplaces: Sequence[str] = (),
    erp: str = "sage200",
    as_of: datetime | None = None,
    currency: str = "GBP",
    settlement_led: Sequence[str] = (),
) -> Iterator[str]:
    """Starts the vendors (only `marketplaces` when given) on a free loopback port and yields their address.

    `erp` is where BRICO's books are, `currency` what it trades in, `as_of` (with a time zone) the world's present; None
    is its default. The sales of the marketplaces `settlement_led` are booked by their settlements.
    """
    directory.mkdir(parents=True, exist_ok=True)
    log = (directory / "sandbox.log").open("w")
    command = [
        sys.executable,
        "-m",
        "orchestration.cli",
        "sandbox",
        "--port",
        "0",
        "--orders",
        str(orders),
        "--seed",
        str(seed),
    ]
    command += ["--dir", str(directory), "--erp", erp, "--currency", currency] + ([] if faults else ["--no-faults"])
    command += [part for code in marketplaces for part in ("--marketplace", code)]
    command += [part for code in settlement_led for part in ("--settlement-led", code)]
    command += ["--as-of", as_of.isoformat()] if as_of else []
    process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        address = directory / "sandbox.json"
        deadline = time.monotonic() + 120
        while not address.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the sandbox did not start\n{(directory / 'sandbox.log').read_text()[-4000:]}")
            time.sleep(0.05)
        yield json.loads(address.read_text())["url"]
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
        log.close()
