"""Pages into immutable files, a few at a time, so that a crash at any point costs nothing but the pages in flight.

A page goes: temporary name, flush to disk, rename, manifest row. The feed's cursor moves only when the whole batch is
there. The next run removes what a crash left without a manifest row, reads the same window again and skips every page
it already holds.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol, Self

import zstandard
from filelock import FileLock

from connectors.records import FeedSpec, Page, Window
from orchestration.lib.landing_files import PREFIX, LandingFiles
from orchestration.lib.persons import PageKeeper
from orchestration.lib.prefetch import one_ahead
from orchestration.lib.settings import Clock, Settings, parse_stamp, stamp
from orchestration.lib.state import Batch, FeedKey, LandedFile, State, WrittenPage

HASH_BYTES = 8
COMPRESSION_LEVEL = 1
"""On pages of JSON records the higher levels take twice the time and make the files no smaller."""
SLACK = timedelta(hours=1)
"""Hashes are kept this much longer than the overlap: vendors' clocks run behind ours."""
WRITERS = 8
"""Pages that are hashed, compressed and made durable at the same time."""
PAGES_UNDER_WAY = 2 * WRITERS
"""Those and the ones that are durable and wait for their rows."""
BYTES_UNDER_WAY = 16_000_000
"""What those pages may hold together: a single page larger than this is alone."""
SETTLE_SECONDS = 0.2
"""How long a durable page waits for others, to get its row in one transaction with theirs."""
READINGS = 3
"""How often a listing that moves while it is read is read in one run."""


class PageSource(Protocol):
    """The part of a connector that landing needs."""

    def pages(self, entity: str, window: Window) -> Iterator[Page]: ...


class IncompleteSnapshot(Exception):
    """A snapshot held fewer records than the vendor declared, or never held still: taking it for whole would delete
    what is missing.
    """


class _Moved(IncompleteSnapshot):
    """A snapshot that may be whole when it is read once more."""


class _Stillness:
    """Whether the pages of one reading show one moment. Numbered pages are no snapshot: a record that comes or goes
    shifts all others, so that one comes twice or never.

    Only pages with a total can be told: a chain of tokens has neither a total nor a place to shift to.
    """

    def __init__(self) -> None:
        self._total: int | None = None
        self.hashes: set[bytes] = set()
        self.what: str | None = None
        """How the listing moved, None when it did not."""
        self._has_fallen = False

    def see(self, page: Page) -> None:
        total = page.declared_count
        if total is None:
            return
        if self._total is not None and total != self._total:
            self.what = f"its total went from {self._total} to {total} while it was read"
            self._has_fallen |= total < self._total
        self._total = total
        if not self.hashes.isdisjoint(page.record_hashes):
            self.what = self.what or "a record came on two pages"
        self.hashes.update(page.record_hashes)

    @property
    def may_have_lost(self) -> bool:
        """Whether a record may have slipped between two pages. One that only came in pushes others onto the next
        page, where they come twice.
        """
        return self.what is not None and (self._has_fallen or len(self.hashes) < (self._total or 0))


Progress = Callable[[int, int | None], None]
"""Called after every page with the records received so far and the vendor's own total, where it gives one."""


def _ignore_progress(received: int, declared: int | None) -> None:
    """The default: nobody watches."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A page compressed, with its manifest row, not yet landed. `hashes` are its records', `digest` theirs."""

    file: LandedFile
    data: bytes
    hashes: bytes
    digest: bytes


class _Writing:
    """Prepares and writes some pages at once in threads while the next are read: hashing and compressing take every
    processor there is, and a disk makes several pages durable for the price of one. A page's manifest row follows when
    its file is durable, in the order of the pages and together with those of other pages; leaving the block finishes
    all under way, also after an error.
    """

    def __init__(self, files: LandingFiles, state: State, feed: FeedKey) -> None:
        self._files = files
        self._state = state
        self._feed = feed
        self._writers = ThreadPoolExecutor(max_workers=WRITERS, thread_name_prefix="landing")
        self._under_way: deque[tuple[Future[WrittenPage], int]] = deque()
        self._settled_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._writers, ExitStack() as settling:
            # Each is settled, whatever became of the others.
            for _ in self._under_way:
                settling.callback(self._settle)

    def add(
        self, prepare: Callable[[], Prepared], size: int, seen_at: str | None = None, is_overlapped: bool = False
    ) -> None:
        """A page of `size` bytes; `prepare` is called in a thread. Raises what an earlier page raises."""
        while self._is_full(size) or self._is_late():
            self._settle()
        self._under_way.append((self._writers.submit(self._write, prepare, seen_at, is_overlapped), size))

    def _is_full(self, size: int) -> bool:
        return bool(self._under_way) and (
            len(self._under_way) >= PAGES_UNDER_WAY
            or sum(bytes_ for _, bytes_ in self._under_way) + size > BYTES_UNDER_WAY
        )

    def _is_late(self) -> bool:
        """Whether what a crash would cost has waited long enough for company."""
        return (
            bool(self._under_way)
            and self._under_way[0][0].done()
            and time.monotonic() - self._settled_at > SETTLE_SECONDS
        )

    def _write(self, prepare: Callable[[], Prepared], seen_at: str | None, is_overlapped: bool) -> WrittenPage:
        page = prepare()
        self._files.write(page.file.path, page.data)
        return WrittenPage(page.file, page.hashes, seen_at, is_overlapped)

    def _settle(self) -> None:
        """Wait for the first page under way, if any; it and those behind it that are finished get their rows. Raises
        what one of them raised, when those before it have theirs.
        """
        written: list[WrittenPage] = []
        try:
            while self._under_way and (not written or self._under_way[0][0].done()):
                written.append(self._under_way.popleft()[0].result())
        finally:
            if written:
                self._state.add_files(self._feed, written)
            self._settled_at = time.monotonic()


class Landing:
    """Lands feeds of any connector. One object per run."""

    def __init__(self, settings: Settings, state: State, run_id: str) -> None:
        self._files = LandingFiles(settings.landing)
        self._state = state
        self._clock: Clock = settings.clock
        self._run_id = run_id
        self._locks = settings.locks_dir
        self._spool = settings.temporary_dir
        self._persons_path = settings.persons_path
        self._compressors = threading.local()
        """A compressor serves one thread."""

    def land(
        self,
        spec: FeedSpec,
        account: str,
        source: PageSource,
        *,
        overlap: timedelta,
        on_page: Progress = _ignore_progress,
        since: datetime | None = None,
        versions: Mapping[str, str] | None = None,
    ) -> Batch:
        """Read one feed of one account into files; the finished batch.

        `since` reads from there instead of from the cursor, which never moves back. `versions` are the ids that a
        by-id feed is read for, each with its parent's version; they count as read when the batch is complete.

        Raises what the source raises (the batch is FAILED then and what came before stays), or IncompleteSnapshot.
        """
        feed = FeedKey(spec.vendor, account, spec.entity)
        self._locks.mkdir(parents=True, exist_ok=True)
        with FileLock(self._locks / f"{spec.vendor}-{account}-{spec.entity}.lock", timeout=600):
            self._abandon(feed)
            cursor = self._state.cursor(feed)
            window = Window(since=since) if since is not None else _window(spec, cursor, overlap)
            if versions is not None:
                window = Window(ids=tuple(versions))
            for reading in range(1, READINGS + 1):
                try:
                    with PageKeeper(spec, self._persons_path) as keeper:
                        return self._read(spec, feed, source, window, cursor, overlap, on_page, versions or {}, keeper)
                except _Moved:
                    if reading == READINGS:
                        raise
            raise AssertionError("unreachable: the last reading returns or raises")

    def _read(
        self,
        spec: FeedSpec,
        feed: FeedKey,
        source: PageSource,
        window: Window,
        cursor: str | None,
        overlap: timedelta,
        on_page: Progress,
        versions: Mapping[str, str],
        keeper: PageKeeper,
    ) -> Batch:
        """One batch. A snapshot that moved ends it, because its pages do not belong together."""
        number = self._state.start_batch(
            feed,
            run_id=self._run_id,
            mode=spec.mode,
            started_at=self._clock.text(),
            since=stamp(window.since) if window.since else None,
            after=window.after_id,
            first=self._files.highest_batch() + 1 if self._state.is_new() else 1,
        )
        batch = self._state.batch(number)
        try:
            if spec.mode == "snapshot":
                self._land_snapshot(batch, source, window, on_page, keeper)
            else:
                self._land_changes(batch, spec, source, window, cursor, overlap, on_page, versions, keeper)
        except Exception as error:
            self._state.finish_batch(number, status="FAILED", finished_at=self._clock.text(), error=str(error)[:2000])
            raise
        return self._state.batch(number)

    def _abandon(self, feed: FeedKey) -> None:
        """Clean up after batches that a crash left running. The feed's lock says that nobody runs them any more."""
        for batch in self._state.batches(status="RUNNING", feed=feed):
            self._files.remove_orphans(feed, batch.batch, {file.path for file in self._state.files(batch.batch)})
            shutil.rmtree(self._spool_of(batch), ignore_errors=True)
            self._state.finish_batch(
                batch.batch, status="ABANDONED", finished_at=self._clock.text(), error="the run ended before the batch"
            )

    def _land_changes(
        self,
        batch: Batch,
        spec: FeedSpec,
        source: PageSource,
        window: Window,
        cursor: str | None,
        overlap: timedelta,
        on_page: Progress,
        versions: Mapping[str, str],
        keeper: PageKeeper,
    ) -> None:
        """A feed of changes: a page goes to disk unless every record in it was landed before with the same content.

        A listing that moved is read again: what slipped between two pages would be older than the next window.
        """
        feed = batch.feed
        known = {
            page[at : at + HASH_BYTES]
            for page in self._state.seen_pages(feed)
            for at in range(0, len(page), HASH_BYTES)
        }
        newest, received, earlier, number = cursor, 0, 0, 0
        declared: int | None = None
        for reading in range(1, READINGS + 1):
            stillness, earlier = _Stillness(), received
            with _Writing(self._files, self._state, feed) as writing:
                for page in one_ahead(source.pages(spec.entity, window)):
                    number += 1
                    received += page.record_count
                    declared = page.declared_count if page.declared_count is not None else declared
                    newest = _newest(spec, newest, page.cursor)
                    if spec.mode == "cursor":  # a keyset has no places that could shift
                        stillness.see(page)
                    if known.issuperset(page.record_hashes):
                        self._state.add_page(batch.batch, received=page.record_count, unchanged=page.record_count)
                    else:
                        is_overlapped = spec.mode == "cursor"
                        seen_at = stamp(parse_stamp(page.cursor)) if is_overlapped and page.cursor else None
                        prepare = partial(self._prepare, batch, page, number, keeper)
                        writing.add(prepare, len(page.body), seen_at, is_overlapped)
                    on_page(received - earlier, declared)
            if stillness.what is None or (reading > 1 and not stillness.may_have_lost):
                break
            known |= stillness.hashes
        forget = None
        if spec.version_column is not None and spec.mode == "cursor" and newest is not None:
            forget = stamp(parse_stamp(newest) - overlap - SLACK)
        self._state.complete_batch(
            batch,
            finished_at=self._clock.text(),
            # The vendor's total speaks of one reading; records are counted over all of them.
            declared_count=None if declared is None else earlier + declared,
            cursor=newest,
            forget_before=forget,
            snapshot=None,
            versions=versions,
        )

    def _land_snapshot(
        self, batch: Batch, source: PageSource, window: Window, on_page: Progress, keeper: PageKeeper
    ) -> None:
        """A whole listing: nothing goes to disk while every page equals the same page of the last complete snapshot.

        Pages wait in the spool folder until the first difference, because a snapshot is landed whole or not at all.
        """
        previous = list(self._state.seen_pages(batch.feed))
        folder = self._spool_of(batch)
        waiting: list[tuple[LandedFile, bytes, Path]] = []
        digests: list[tuple[int, bytes]] = []
        stillness = _Stillness()
        is_changed, received, declared = False, 0, None
        try:
            with _Writing(self._files, self._state, batch.feed) as writing:
                for number, page in enumerate(one_ahead(source.pages(batch.entity, window)), start=1):
                    received += page.record_count
                    declared = page.declared_count if page.declared_count is not None else declared
                    stillness.see(page)
                    prepared = self._prepare(batch, page, number, keeper)
                    if not is_changed and (len(digests) >= len(previous) or previous[len(digests)] != prepared.digest):
                        is_changed = True
                        self._land_waiting(batch.feed, waiting)
                    digests.append((number, prepared.digest))
                    if is_changed:
                        writing.add(partial(_as_is, prepared), len(prepared.data))
                    else:
                        folder.mkdir(parents=True, exist_ok=True)
                        spooled = folder / Path(prepared.file.path).name
                        spooled.write_bytes(prepared.data)
                        waiting.append((prepared.file, prepared.hashes, spooled))
                    on_page(received, declared)
            if stillness.what is not None:
                raise _Moved(f"{batch.feed}: {stillness.what}; the last complete snapshot stays in force")
            if declared is not None and received < declared:
                raise IncompleteSnapshot(
                    f"{batch.feed}: the vendor declared {declared} records and gave {received}; "
                    "the last complete snapshot stays in force"
                )
            if not is_changed and len(digests) < len(previous):
                self._land_waiting(batch.feed, waiting)
            for file, _, _ in waiting:
                self._state.add_page(batch.batch, received=file.record_count, unchanged=file.record_count)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        self._state.complete_batch(
            batch,
            finished_at=self._clock.text(),
            declared_count=declared,
            cursor=None,
            forget_before=None,
            snapshot=digests,
        )

    def _spool_of(self, batch: Batch) -> Path:
        return self._spool / f"{batch.batch:010d}"

    def _land_waiting(self, feed: FeedKey, waiting: list[tuple[LandedFile, bytes, Path]]) -> None:
        for file, hashes, spooled in waiting:
            self._files.move_in(spooled, file.path)
            self._state.add_files(feed, [WrittenPage(file, hashes)])
        waiting.clear()

    def _prepare(self, batch: Batch, page: Page, number: int, keeper: PageKeeper) -> Prepared:
        landed_at = self._clock.text()
        name = f"{batch.batch:010d}-{number:06d}.{_kind(page.body)}.zst"
        path = f"{PREFIX}{batch.feed}/{batch.started_at[:10]}/{name}"
        kept = keeper.divided(page.body, path, landed_at)
        data = self._compressed(page.body) if kept is None else self._compressed(kept.body) + kept.frame
        file = LandedFile(
            path=path,
            batch=batch.batch,
            number=number,
            record_count=page.record_count,
            byte_count=len(page.body),
            sha256=hashlib.sha256(page.body).hexdigest(),
            declared_count=page.declared_count,
            url=page.url,
            http_status=page.status,
            fetched_at=stamp(page.fetched_at),
            landed_at=landed_at,
            stored_sha256=None if kept is None else hashlib.sha256(data).hexdigest(),
        )
        hashes = b"".join(page.record_hashes)
        digest = hashlib.blake2b(hashes, digest_size=16).digest()
        return Prepared(file, data, hashes, digest)

    def _compressed(self, body: bytes) -> bytes:
        if not hasattr(self._compressors, "own"):
            self._compressors.own = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL)
        compressed: bytes = self._compressors.own.compress(body)
        return compressed


def _as_is(page: Prepared) -> Prepared:
    return page


def _kind(body: bytes) -> str:
    """The extension that tells a person what is inside."""
    match body.lstrip()[:1]:
        case b"{" | b"[":
            return "json"
        case b"<":
            return "xml"
        case _:
            return "txt"


def _window(spec: FeedSpec, cursor: str | None, overlap: timedelta) -> Window:
    if cursor is None or spec.mode == "snapshot":
        return Window()
    if spec.mode == "keyset":
        return Window(after_id=cursor)
    return Window(since=parse_stamp(cursor) - overlap)


def _newest(spec: FeedSpec, left: str | None, right: str | None) -> str | None:
    """The later of two cursors; ids that are numbers compare as numbers, time stamps as times."""
    if left is None or right is None:
        return right if left is None else left
    if spec.mode == "cursor":
        return max(left, right, key=parse_stamp)
    if left.isdigit() and right.isdigit():
        return max(left, right, key=int)
    return max(left, right)
