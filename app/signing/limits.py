"""How often a sign-in may fail: per name and per address, within a sliding quarter of an hour."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock
from time import monotonic

WINDOW_SECONDS = 900.0
PER_NAME = 5
PER_ADDRESS = 20
MOST_KEYS = 10_000
"""Keys remembered at once; the oldest go first, so that invented names cannot fill the memory."""


class Attempts:
    """Failed attempts, in memory: who restarts the app forgives them."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._failed: dict[str, deque[float]] = {}

    def begin(self, name: str, address: str) -> float:
        """Seconds until the next attempt may be made; 0 when it is made now. It counts as failed until it succeeds, so
        that guesses made at the same time are not free.
        """
        with self._lock:
            by_name, by_address = f"name {name.casefold()}", f"from {address}"
            if wait := max(self._wait(by_name, PER_NAME), self._wait(by_address, PER_ADDRESS)):
                return wait
            for key in (by_name, by_address):
                self._failed.setdefault(key, deque(maxlen=PER_ADDRESS)).append(self._clock())
            while len(self._failed) > MOST_KEYS:
                del self._failed[next(iter(self._failed))]
            return 0.0

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failures of a name, and this attempt of its address."""
        with self._lock:
            self._failed.pop(f"name {name.casefold()}", None)
            if times := self._failed.get(f"from {address}"):
                times.pop()

    def _wait(self, key: str, most: int) -> float:
        times = self._failed.get(key)
        if times is None:
            return 0.0
        since = self._clock() - WINDOW_SECONDS
        while times and times[0] <= since:
            times.popleft()
        if not times:
            del self._failed[key]
            return 0.0
        return 0.0 if len(times) < most else times[-most] - since
