"""Loading while reading: what a large first run has landed goes into raw while the vendor still answers.

Reading waits for a vendor and a disk more than it computes, so there is time to spare. The load that follows the
reading does the rest, and everything in a small run; a large rest is loaded here still, by the processes that have
been started.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from orchestration.lib.decoding import Feeds, Processes
from orchestration.lib.loading import LoadResult, load
from orchestration.lib.settings import Settings
from orchestration.lib.state import State

logger = logging.getLogger(__name__)

FIRST_RECORDS = 30_000
"""Fewer wait for the load that follows: starting a process for them would cost more than it saves."""
FROM_RECORDS = 200_000
"""So many more before the next load: each opens the warehouse, and ends row groups that are not full."""
LOOK_SECONDS = 0.2


@contextmanager
def loading_alongside(settings: Settings, feeds: Feeds, on_loaded: Callable[[LoadResult], None]) -> Iterator[None]:
    """While the block lands pages, load them whenever many have come; leaving it waits for the load under way, and for
    the rest's when it is large and earlier loads have started processes.

    `on_loaded` is called in another thread. A load that fails is left to the one that follows the block, which meets
    the same reason and reports it. The block must not hold the warehouse.
    """
    with State(settings.state_path) as state:
        before = state.records_landed()  # counted here: the thread may begin when much has landed
    ended = threading.Event()
    thread = threading.Thread(
        target=_watch, args=(settings, feeds, on_loaded, ended, before), name="loading-alongside", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _watch(
    settings: Settings, feeds: Feeds, on_loaded: Callable[[LoadResult], None], ended: threading.Event, before: int
) -> None:
    try:
        with State(settings.state_path) as state, Processes() as processes:
            is_last, wanted = False, FIRST_RECORDS
            while not is_last:
                is_last = ended.wait(LOOK_SECONDS)
                landed = state.records_landed()
                if landed - before >= wanted and (processes.are_running or not is_last):
                    on_loaded(load(settings, feeds=feeds, processes=processes, is_reading=lambda: not ended.is_set()))
                    before, wanted = state.records_landed(), FROM_RECORDS
    except Exception:
        logger.warning("loading while reading failed; the load that follows tries again", exc_info=True)
