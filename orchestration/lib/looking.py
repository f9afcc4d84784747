"""Whether a lane that runs on demand has something to do, found out without a run: a run of Dagster costs seconds of
processor time before it does anything, and most minutes bring nothing.

Something is to do when an action of the lane is on its way (its ERP was down, its answer was lost), or when one of its
feeds brought something, or may take long to read. Feeds are read when the call budget allows it and the lane's pause
has passed; until then no vendor is asked.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import timedelta

from filelock import Timeout

from orchestration.lib.actions import waiting_actions
from orchestration.lib.lanes import LANE_KINDS, LANE_PAUSES, has_news, lane_lock, tell_of_time
from orchestration.lib.planning import plan
from orchestration.lib.reading import read_feed
from orchestration.lib.settings import parse_stamp
from orchestration.lib.state import Batch, FeedKey, State
from orchestration.lib.workspace import Workspace

MOST_RECORDS = 20_000
"""A feed whose last reading brought more is read by a run: a look must not keep the process that makes all looks."""
MOST_RECENT = timedelta(hours=1)
"""A feed that was read longer ago may have much to tell: the same."""
PATIENCE_SECONDS = 30.0
"""Then the rest is left to a run. Dagster gives up on a look after 60 seconds."""
RUN_ID = "look"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """`why` a run should follow, in words, None when none need; what was `read` to find out."""

    why: str | None
    read: tuple[Batch, ...] = ()


def look(workspace: Workspace, lane: str) -> Look:
    """Read what is due of the lane and say whether a run should follow. A workspace serves one look.

    What goes wrong is a reason for a run, too: it tries again and tells people.
    """
    if why := _blind_reason(workspace, lane):
        return Look(why)
    due = _due(workspace, lane)
    if not due:
        return Look(None)
    try:
        with lane_lock(workspace.settings, timeout=0):
            left = _left_to_a_run(workspace, due)
            return _read(workspace, lane, due) if left is None else Look(f"{left} may be read again")
    except Timeout:
        return Look(None)  # a lane is at work; the next look is a minute away


def _read(workspace: Workspace, lane: str, due: list[FeedKey]) -> Look:
    registry, read = workspace.registry, list[Batch]()
    feeds = {
        (feed.vendor, feed.entity): feed for vendor in registry.vendors for feed in registry.lane_feeds(lane, vendor)
    }
    began = time.monotonic()
    for key in due:
        if time.monotonic() - began > PATIENCE_SECONDS:
            return Look("reading takes long", tuple(read))
        try:
            batch, _ = read_feed(
                workspace, workspace.feeds[key.vendor][key.entity], key, feeds[key.vendor, key.entity], RUN_ID
            )
        except Exception as error:
            _log.info("%s could not be read: %s", key, type(error).__name__)
            return Look(f"{key} could not be read", tuple(read))
        read.append(batch)
    if has_news(workspace.settings, registry, lane):
        return Look("records came", tuple(read))
    tell_of_time(workspace.settings)
    return Look(None, tuple(read))


def _blind_reason(workspace: Workspace, lane: str) -> str | None:
    if waiting := waiting_actions(workspace.settings, LANE_KINDS[lane]):
        return f"{waiting} actions wait to be delivered"
    return None if workspace.settings.state_path.exists() else "nothing was read yet"


def _due(workspace: Workspace, lane: str) -> list[FeedKey]:
    settings, registry = workspace.settings, workspace.registry
    now, pause = settings.clock.now(), timedelta(seconds=LANE_PAUSES[lane])
    with State(settings.state_path) as state:
        newest = state.newest_complete()
    return [
        key
        for vendor in registry.vendors
        for account in registry.accounts_of(vendor)
        for key in plan(workspace, lane, vendor, account).feeds
        if key not in newest or now - parse_stamp(newest[key]) >= pause
    ]


def _left_to_a_run(workspace: Workspace, due: list[FeedKey]) -> FeedKey | None:
    """A feed of those that may take long, or was not read to its end last time: a look that Dagster gave up on tells
    nobody why.
    """
    now = workspace.settings.clock.now()
    with State(workspace.settings.state_path) as state:
        last = state.last_readings()
    for key in due:
        finished, received = last.get(key, (None, 0))
        if finished is None or now - parse_stamp(finished) > MOST_RECENT or received > MOST_RECORDS:
            return key
    return None
