"""The one thing the outbox asks of a clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """`now()` is an aware time stamp; it may be pinned."""

    def now(self) -> datetime: ...


def stamp(moment: datetime) -> str:
    """UTC text with microseconds, `2026-07-03T08:00:00.000000Z`; sorts as it reads. Refuses a naive time."""
    if moment.tzinfo is None:
        raise ValueError(f"the clock gave {moment.isoformat()} without a time zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_stamp(value: str) -> datetime:
    """Inverse of `stamp`."""
    return datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
