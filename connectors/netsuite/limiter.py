"""The account's limit of concurrent requests, shared by every lane and process that works with the account.

NetSuite counts SOAP, REST and RESTlet requests of all integrations together, so the limit given here should be the
part of the account's that is this pipeline's.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from connectors.errors import BadConfiguration, BudgetExhausted
from connectors.netsuite.accounts import VENDOR

DEFAULT_LIMIT = 4
"""One below the smallest tier's 5, which leaves a request to the people who work in the account."""
LONGEST_WAIT_SECONDS = 600.0
SHORTEST_PAUSE_SECONDS = 0.01
LONGEST_PAUSE_SECONDS = 0.5


class AccountLimiter:
    """At most `limit` requests at once. With a `folder`, across all processes that name the same one; a process that
    dies gives its place back. Without, among the threads that share this object.
    """

    def __init__(
        self,
        limit: int = DEFAULT_LIMIT,
        folder: Path | None = None,
        *,
        longest_wait_seconds: float = LONGEST_WAIT_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if limit < 1:
            raise BadConfiguration("at least one request at a time is needed", vendor=VENDOR, call="configuration")
        self.limit = limit
        self._folder = folder
        self._longest_wait = longest_wait_seconds
        self._sleep = sleep
        self._places = threading.BoundedSemaphore(limit)

    @contextmanager
    def place(self, call: str) -> Iterator[None]:
        """Hold one of the places. Raises BudgetExhausted, with nothing sent, when none comes free for too long."""
        if not self._places.acquire(timeout=self._longest_wait):
            raise self._exhausted(call)
        try:
            if self._folder is None:
                yield
                return
            lock = self._file(call, self._folder)
            try:
                yield
            finally:
                lock.release()
        finally:
            self._places.release()

    def _file(self, call: str, folder: Path) -> FileLock:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        ends = time.monotonic() + self._longest_wait
        pause = SHORTEST_PAUSE_SECONDS
        while True:
            for number in random.sample(range(self.limit), self.limit):
                lock = FileLock(folder / f"place-{number}.lock", mode=0o600, thread_local=False)
                try:
                    lock.acquire(blocking=False)
                except Timeout:
                    continue
                return lock
            if time.monotonic() > ends:
                raise self._exhausted(call)
            self._sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  # spreads waiting processes, nothing secret
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _exhausted(self, call: str) -> BudgetExhausted:
        return BudgetExhausted(
            f"all {self.limit} places of the account stayed taken for {self._longest_wait:g} s",
            vendor=VENDOR,
            call=call,
            retry_after=self._longest_wait,
        )
