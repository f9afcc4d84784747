"""The published marts, opened read-only and lent to requests; a newly published file takes the old one's place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from orchestration.lib.published import Published

MOST_KEPT = 4
"""Connections kept open between requests."""

Identity = tuple[int, int, int]


class NothingPublished(Exception):
    """No run has published marts yet."""


class Marts:
    """Lends connections to the published file. A run swaps the file by a rename: the next request sees the new one,
    requests that are under way keep the old one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        self._kept: list[tuple[Identity, Published]] = []

    @contextmanager
    def lend(self) -> Iterator[Published]:
        """A connection for one request. Raises NothingPublished."""
        identity = self.identity()
        published = self._take(identity) or Published(self.path)
        try:
            yield published
        finally:
            self._give_back(identity, published)

    def identity(self) -> Identity:
        """What tells one published file from the next. Raises NothingPublished."""
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            raise NothingPublished(str(self.path)) from None
        return stat.st_ino, stat.st_mtime_ns, stat.st_size

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            kept, self._kept = self._kept, []
        for _, published in kept:
            published.close()

    def _take(self, identity: Identity) -> Published | None:
        with self._lock:
            stale = [one for of, one in self._kept if of != identity]
            self._kept = [(of, one) for of, one in self._kept if of == identity]
            found = self._kept.pop()[1] if self._kept else None
        for one in stale:
            one.close()
        return found

    def _give_back(self, identity: Identity, published: Published) -> None:
        with self._lock:
            if len(self._kept) < MOST_KEPT:
                self._kept.append((identity, published))
                return
        published.close()
