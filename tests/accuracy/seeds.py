"""One installation's seeds in a process of a pool: what it prints goes to a file, what it breaks is a problem."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.accuracy.judging import Verdict, judge
from tests.accuracy.playing import play
from tests.accuracy.scenarios import Scenario


def play_seeds(seeds: Sequence[int], largest: int, folder: Path) -> list[Verdict]:
    """Plays in a folder of this process's own. A crash is a problem of the verdicts, not the end of the proof."""
    scenarios = [Scenario.of(seed, largest) for seed in seeds]
    logging.disable(logging.WARNING)
    mine = folder / str(os.getpid())
    mine.mkdir(parents=True, exist_ok=True)
    with (mine / "output.log").open("a") as log, _output_into(log.fileno()):
        try:
            return [judge(played) for played in play(scenarios, mine)]
        except Exception:
            problem = traceback.format_exc(limit=-3)
            return [Verdict(str(scenario), scenario.seed, 0, problems=[problem]) for scenario in scenarios]


@contextmanager
def _output_into(target: int) -> Iterator[None]:
    """Standard output and error of this process and of its children."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    os.dup2(target, 1)
    os.dup2(target, 2)
    try:
        yield
    finally:
        for descriptor, before in zip((1, 2), kept, strict=True):
            os.dup2(before, descriptor)
            os.close(before)
