"""The sandbox's clock and the vendors' time stamps."""

import asyncio
import time
from datetime import UTC, date, datetime
from functools import lru_cache


class SandboxClock:
    """UTC time inside the sandbox.

    Frozen at the world's `as_of` by default: what the vendors stamp then depends on the world and the calls alone,
    never on the day the tests run. `run()` lets it go on from where it stands.
    """

    def __init__(self, as_of: datetime) -> None:
        self._base = as_of.astimezone(UTC)
        self._started: float | None = None

    def now(self) -> datetime:
        if self._started is None:
            return self._base
        return datetime.fromtimestamp(self._base.timestamp() + time.monotonic() - self._started, UTC)

    def freeze(self, at: datetime | None = None) -> None:
        """Stops the clock at `at`, or at the time it shows."""
        self._base = (at or self.now()).astimezone(UTC)
        self._started = None

    def run(self) -> None:
        self._base = self.now()
        self._started = time.monotonic()

    @property
    def is_frozen(self) -> bool:
        return self._started is None


def in_seconds(seconds: float) -> float:
    """The moment of the running event loop that is so far ahead: said before any work, it has the work in it."""
    return asyncio.get_running_loop().time() + seconds


async def until(moment: float) -> None:
    """Waits for a moment of the running event loop."""
    await asyncio.sleep(max(0.0, moment - asyncio.get_running_loop().time()))


def stamp(at: datetime) -> str:
    """ISO 8601 in UTC with `Z`; milliseconds only when there are any, trailing zeros cut, as both vendors write it."""
    at = at.astimezone(UTC)
    text = at.strftime("%Y-%m-%dT%H:%M:%S")
    milliseconds = at.microsecond // 1000
    return f"{text}.{milliseconds:03d}".rstrip("0") + "Z" if milliseconds else text + "Z"


def midnight(day: date) -> str:
    """A calendar date the way Sage writes it: midnight with a `Z` that means nothing."""
    return f"{day.isoformat()}T00:00:00Z"


@lru_cache(maxsize=1 << 16)
def milliseconds(text: str) -> int:
    """Milliseconds since 1970 of an ISO stamp; a stamp without offset is UTC. Raises ValueError.

    Stamps of one feed come with and without milliseconds, so their texts do not sort by time.
    """
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return round(at.timestamp() * 1000)
