"""Plays many seeds and compares what is found with what was planted. Ends with 1 when a target is missed."""

from __future__ import annotations

import argparse
import csv
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

from tests.accuracy.exempt import EXEMPT, NOT_RAISED
from tests.accuracy.judging import SHOWN, Total, Verdict
from tests.accuracy.report import page, text
from tests.accuracy.scenarios import LARGE, installations
from tests.accuracy.seeds import play_seeds

CODES = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds" / "exception_codes.csv"


def all_codes() -> list[str]:
    with CODES.open(encoding="utf-8", newline="") as file:
        return [row["exception_code"] for row in csv.DictReader(file)]


def verdicts(seeds: Sequence[int], largest: int, workers: int, folder: Path) -> Iterator[Verdict]:
    """In the order in which they end, those of one installation together."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        jobs = [pool.submit(play_seeds, group, largest, folder) for group in installations(seeds)]
        for done in as_completed(jobs):
            yield from done.result()


def read_results(path: Path) -> list[Verdict]:
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [Verdict(**json.loads(line)) for line in lines]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.accuracy", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="how many")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--largest", type=int, default=LARGE, help="orders of the large worlds")
    parser.add_argument("--dir", type=Path, default=None, help="keep the installations here; default: thrown away")
    parser.add_argument("--results", type=Path, default=None, help="one line per seed; seeds that are there are kept")
    parser.add_argument("--page", type=Path, default=None, help="write the page of the documentation here")
    parser.add_argument("--conditions", default="", help="for the page: when and on what")
    chosen = parser.parse_args(arguments)
    wanted = range(chosen.first, chosen.first + chosen.seeds)
    found = [one for one in read_results(chosen.results) if one.seed in wanted] if chosen.results else []
    left = sorted(set(wanted) - {one.seed for one in found})
    with tempfile.TemporaryDirectory(prefix="accuracy-") as scratch:
        folder = (chosen.dir or Path(scratch)).absolute()
        began = time.monotonic()
        for verdict in verdicts(left, chosen.largest, chosen.workers, folder):
            found.append(verdict)
            if chosen.results:
                with chosen.results.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(verdict)) + "\n")
            is_right = not verdict.wrong and not verdict.problems
            sys.stderr.write(
                f"{'✓' if is_right else '✗'} {verdict.scenario} "
                f"[{len(found)} of {len(wanted)}, {time.monotonic() - began:,.0f} s]\n"
            )
            for line in (*verdict.problems, *verdict.wrong)[: 4 * SHOWN]:
                sys.stderr.write(f"    {line}\n")
            sys.stderr.flush()
    total = Total(sorted(found, key=lambda verdict: verdict.seed))
    failures = total.missed_targets(all_codes(), {*EXEMPT, *NOT_RAISED})
    sys.stdout.write(text(total, failures) + "\n")
    if chosen.page:
        command = f"make accuracy SEEDS={chosen.seeds}" + (f" FIRST={chosen.first}" if chosen.first != 1 else "")
        chosen.page.write_text(page(total, failures, EXEMPT, NOT_RAISED, command, chosen.conditions), encoding="utf-8")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
