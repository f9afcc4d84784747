"""Seeds one after the other, in towns that are founded anew now and then."""

from __future__ import annotations

import logging
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.chaos.playing import Tally, play
from tests.chaos.town import running, world

SEEDS_PER_TOWN = 50
"""A town grows with every seed; a new one is founded before it gets slow."""


def run(first: int, seeds: int) -> Tally:
    """Seeds one after the other; the rest of them in new towns once the two differ, which would be told again."""
    # A storm is full of failures that are tried again; the outbox says what became of them.
    logging.disable(logging.CRITICAL)
    outcome = Tally()
    seed, last = first, first + seeds
    with tempfile.TemporaryDirectory() as folder:
        while seed < last:
            with ExitStack() as towns:
                stormy, calm = (towns.enter_context(running(world())) for _ in range(2))
                is_alike = True
                while seed < last and is_alike:
                    is_alike = play(seed, stormy, calm, Path(folder), outcome)
                    seed += 1
    return outcome
