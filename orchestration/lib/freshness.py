"""How old the newest whole reading of each feed is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from orchestration.lib.registry import Registry
from orchestration.lib.settings import Settings, parse_stamp
from orchestration.lib.state import FeedKey, State


@dataclass(frozen=True, slots=True)
class StaleFeed:
    """`age` is None when the feed was never read whole."""

    feed: FeedKey
    age: timedelta | None
    allowed: timedelta

    def __str__(self) -> str:
        age = "was never read whole" if self.age is None else f"was last read whole {_hours(self.age)} ago"
        return f"{self.feed} {age}, allowed are {_hours(self.allowed)}"


def stale_feeds(settings: Settings, registry: Registry, vendor: str, account: str) -> list[StaleFeed]:
    """The account's feeds that are older than feeds.csv allows, at the time of the settings' clock."""
    now = settings.clock.now()
    with State(settings.state_path) as state:
        newest = state.newest_complete()
    found = []
    for feed in registry.account_feeds(vendor, account):
        key, allowed = FeedKey(vendor, account, feed.entity), timedelta(hours=feed.freshness_hours)
        finished = newest.get(key)
        age = None if finished is None else now - parse_stamp(finished)
        if age is None or age > allowed:
            found.append(StaleFeed(key, age, allowed))
    return found


def _hours(age: timedelta) -> str:
    return f"{age.total_seconds() / 3600:.1f} h"
