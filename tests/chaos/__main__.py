"""`make chaos SEEDS=2000 FIRST=1`: as many seeded schedules of faults over every kind of write on both ERPs."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.chaos.playing import Tally, play
from tests.chaos.town import running, world
from tests.chaos.work import LEFT_OUT

SEEDS_PER_TOWN = 100
"""A town grows with every seed; a new one is founded before it gets slow."""


def run(first: int, seeds: int, *, is_silent: bool = False) -> Tally:
    outcome, began = Tally(), time.monotonic()
    seed, last = first, first + seeds
    with tempfile.TemporaryDirectory() as folder:
        while seed < last:
            with ExitStack() as towns:
                stormy, calm = (towns.enter_context(running(world())) for _ in range(2))
                for _ in range(SEEDS_PER_TOWN):
                    is_alike = play(seed, stormy, calm, Path(folder), outcome)
                    seed += 1
                    if seed >= last or not is_alike:
                        break  # what differs now would be told again by every seed to come
            if not is_silent:
                seconds = time.monotonic() - began
                print(f"{seed - first} seeds, {outcome.actions} actions, {seconds:.0f} s", file=sys.stderr)
    return outcome


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=1)
    chosen = parser.parse_args(arguments)
    # A storm is full of failures that are tried again; the outbox says what became of them.
    logging.disable(logging.CRITICAL)
    outcome = run(chosen.first, chosen.seeds)
    for note in outcome.notes[:50]:
        print(note)
    print(f"seeds            {chosen.seeds} from {chosen.first}")
    print(f"actions          {outcome.actions} of {len(outcome.kinds)} kinds at their vendors")
    print(f"faults injected  {outcome.faults}")
    print(f"processes killed {outcome.kills}")
    print(f"done by hand     {outcome.by_hand}")
    for name in ("lost", "duplicated", "wrong", "unresolved", "failed"):
        print(f"{name:<16} {getattr(outcome, name)}")
    print(f"kinds left out   {', '.join(LEFT_OUT)}")
    return 0 if outcome.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
