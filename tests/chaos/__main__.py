"""`make chaos SEEDS=2000 FIRST=1`: as many seeded schedules of faults over every kind of write on both ERPs."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from tests.chaos.playing import Tally
from tests.chaos.report import publish
from tests.chaos.seeds import SEEDS_PER_TOWN, run
from tests.chaos.work import LEFT_OUT


def run_all(first: int, seeds: int, workers: int) -> Tally:
    """The same in several processes, each with towns of its own."""
    parts = [
        (start, min(SEEDS_PER_TOWN, first + seeds - start)) for start in range(first, first + seeds, SEEDS_PER_TOWN)
    ]
    outcome, began, done = Tally(), time.monotonic(), 0
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for future in as_completed([pool.submit(run, *part) for part in parts]):
            outcome.add(future.result())
            done += 1
            seconds = time.monotonic() - began
            print(f"{done} of {len(parts)} towns, {outcome.actions} actions, {seconds:.0f} s", file=sys.stderr)
    return outcome


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--publish", type=Path, help="a page whose part between the marks is replaced")
    chosen = parser.parse_args(arguments)
    began = time.monotonic()
    outcome = run_all(chosen.first, chosen.seeds, chosen.workers)
    seconds = time.monotonic() - began
    for note in outcome.notes[:50]:
        print(note)
    print(f"seeds            {chosen.seeds} from {chosen.first}, {seconds:.0f} s")
    print(f"actions          {outcome.actions} of {len(outcome.kinds)} kinds at their vendors")
    print(f"faults injected  {outcome.faults}")
    print(f"processes killed {outcome.kills}")
    print(f"done by hand     {outcome.by_hand}")
    for name in ("lost", "duplicated", "wrong", "unresolved", "failed"):
        print(f"{name:<16} {getattr(outcome, name)}")
    print(f"kinds left out   {', '.join(LEFT_OUT) or 'none'}")
    if chosen.publish:
        command = f"make chaos SEEDS={chosen.seeds} FIRST={chosen.first} WORKERS={chosen.workers}"
        publish(chosen.publish, outcome, command, chosen.seeds, seconds)
    return 0 if outcome.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
