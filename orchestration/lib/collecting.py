"""How often Python looks for cycles of garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

COLLECTED_EVERY = 50_000
"""New objects between two looks for garbage; Python's own 700 suits small programs."""


@contextmanager
def rarely_collected() -> Iterator[None]:
    """Looking for cycles of garbage is a tenth of a lane's processor time: manifest and asset graph are a million
    objects that stay, and hardly anything else goes in cycles.
    """
    before = gc.get_threshold()
    gc.set_threshold(COLLECTED_EVERY, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def collect_rarely() -> None:
    """The same for a whole process: what a command imports stays, and was looked through again and again as it came.

    The last look, when the process ends, is not to be left out (`gc.freeze`): DuckDB's binding then lists everything
    that it still holds.
    """
    gc.set_threshold(COLLECTED_EVERY, *gc.get_threshold()[1:])
