"""Landed files as Arrow tables, ready to insert: group by group, in a large load beside the caller's work.

Decoding is what a load spends most of its time on, and Python does one thing at a time: other processes do it, one for
each further processor, and this one helps them when it has nothing to insert. They only see files and give tables back;
the caller alone writes to the warehouse. They end with it, also when it is killed.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory, mkstemp
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc

from connectors.decoding import DecodedPages, Parsed, RecordDecoder
from connectors.errors import BadPayload
from connectors.feeds import REGISTRY
from connectors.records import Decoded, FeedSpec, Reject, TableSpec
from connectors.rows import PAGE
from orchestration.lib.landing_files import LandingFiles
from orchestration.lib.settings import parse_stamp
from orchestration.lib.state import FeedKey, LandedFile

FROM_RECORDS = 100_000
"""Fewer are decoded before other processes have started."""
MAXIMUM_PROCESSES = 4
AHEAD = 8
"""Portions under way more than there are processes: what the others do while this one commits. They wait in files."""
HELD_HERE = 2
"""Of them in the memory of this process."""
RECORDS_TOGETHER = 2000
"""Pages are decoded together until they hold so many: enough that no page costs much, few enough for the processor's
cache.
"""

Feeds = dict[str, dict[str, FeedSpec]]


@dataclass(frozen=True, slots=True)
class PageReport:
    """What was not ordinary about one page. `error` is set when the page as a whole could not be read."""

    good: int
    rejects: list[Reject] = field(default_factory=list)
    unknown_fields: Counter[str] = field(default_factory=Counter)
    unknown_values: Counter[str] = field(default_factory=Counter)
    missing_fields: Counter[str] = field(default_factory=Counter)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Portion:
    """Some files of one batch to decode. `hashes` are those of each file's records as landing took them, by path; empty
    for a file of which they are not known.
    """

    feed: FeedKey
    files: list[LandedFile]
    hashes: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Group:
    """Some files of one batch. `tables` holds their rows by table name, with the loader's columns (`_account`, `_file`,
    `_fetched_at`, `_batch`); a table without rows is left out. `pages` has one report for each file.
    """

    feed: FeedKey
    files: list[LandedFile]
    tables: dict[str, Any]
    pages: list[PageReport]


@dataclass(frozen=True, slots=True)
class Written:
    """A group of another process: its tables are in files, by table name."""

    group: Group
    paths: dict[str, str]


def keeps_hashes(spec: FeedSpec) -> bool:
    """Whether the feed's rows bear the hashes that landing took: its decoder is told them."""
    return isinstance(spec.decode, RecordDecoder) and spec.decode_at is None


class Processes:
    """Processes that decode: started for the first large load within the block, kept for those that follow, because
    each start costs as much as decoding some ten thousand records.
    """

    def __init__(self) -> None:
        self.number = min((os.cpu_count() or 1) - 1, MAXIMUM_PROCESSES)
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    @property
    def are_running(self) -> bool:
        return self._pool is not None

    def pool(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # Not a fork: this process has threads (DuckDB's, Dagster's), which a fork would leave in the middle of
            # things.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.number, mp_context=context, initializer=_begin_process)
        return self._pool


@dataclass(slots=True)
class _Ahead:
    """A portion on its way: another process has it or will, or this one has decoded it."""

    portion: Portion
    there: Future[Written]
    group: Group | None = None

    @property
    def is_ready(self) -> bool:
        return self.group is not None or self.there.done()

    def taken(self) -> Group:
        """Waits for another process that has not finished it."""
        return self.group if self.group is not None else _read_back(self.there.result())


def never() -> bool:
    """Nothing is being read beside the load."""
    return False


def decoded_groups(
    landing: str,
    feeds: Feeds,
    portions: Callable[[], Portion | None],
    total_records: int,
    temporary: Path,
    others: Processes,
    is_reading: Callable[[], bool] = never,
) -> Iterator[Group]:
    """Every portion decoded, in the order given, in a large load a little ahead of the caller. `portions` gives the
    next, or None while there is none; when there is none and all were given, that is all.

    `feeds` other than the connectors' own cannot be sent to another process and are decoded in this one. Others write
    their tables into a folder under `temporary`, which is gone when the last group was given. While this process reads
    from a vendor (`is_reading`), all is left to the others: reading would wait for each thing that is decoded here.
    """
    processes = others.number if feeds is REGISTRY else 0
    if (total_records < FROM_RECORDS and not is_reading()) or not processes:
        while (portion := portions()) is not None:
            yield _decode(landing, feeds, portion)
        return
    with (
        _in_bulk(),
        TemporaryDirectory(prefix="decoded-", dir=temporary, ignore_cleanup_errors=True) as folder,
    ):
        pool, ahead = others.pool(), deque[_Ahead]()
        try:
            while True:
                while len(ahead) < processes + AHEAD and (portion := portions()) is not None:
                    ahead.append(_Ahead(portion, pool.submit(_decode_there, landing, portion, folder)))
                if not ahead:
                    return
                # Rather than wait for the others, help them: inserting leaves this process time to spare.
                if ahead[0].is_ready or is_reading() or not _help(ahead, landing, feeds):
                    yield ahead.popleft().taken()
        finally:
            # When the load failed: nothing may be written any more into the folder that goes now.
            wait([one.there for one in ahead if not one.there.cancel()])


def _help(ahead: Iterable[_Ahead], landing: str, feeds: Feeds) -> bool:
    """Decode here the first portion that nobody has begun; whether there was one, and memory for it."""
    if sum(one.group is not None for one in ahead) >= HELD_HERE:
        return False
    for one in ahead:
        if one.group is None and one.there.cancel():
            one.group = _decode(landing, feeds, one.portion)
            return True
    return False


@contextmanager
def _in_bulk() -> Iterator[None]:
    """Without the search for circles of objects, of which decoding makes none (it took a fifth of the time), and with
    an allocator that gives memory back between the groups (Arrow's own kept 40 MB more).
    """
    was_enabled, pool = gc.isenabled(), pa.default_memory_pool()
    gc.disable()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(pool)
        if was_enabled:
            gc.enable()


def batch_text(batch: int) -> str:
    return f"{batch:010d}"


def naive(text: str | None) -> datetime | None:
    """A stored stamp as UTC without a zone, the form of DuckDB's TIMESTAMP."""
    return None if text is None else parse_stamp(text).replace(tzinfo=None)


def _decode_there(landing: str, portion: Portion, folder: str) -> Written:
    """Tables go to the other process as files: in a pipe they would be copied three times, a piece at a time, while
    this process waits for a reader that has other things to do.
    """
    group = _decode(landing, REGISTRY, portion)
    paths: dict[str, str] = {}
    for name, table in group.tables.items():
        descriptor, paths[name] = mkstemp(suffix=".arrow", dir=folder)
        with os.fdopen(descriptor, "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
    return Written(replace(group, tables={}), paths)


def _read_back(written: Written) -> Group:
    tables: dict[str, Any] = {}
    for name, path in written.paths.items():
        with pa.memory_map(path) as file:
            tables[name] = pa.ipc.open_file(file).read_all()
        os.unlink(path)  # what is mapped stays until nobody looks at it any more
    return replace(written.group, tables=tables)


def _decode(landing: str, feeds: Feeds, portion: Portion) -> Group:
    feed, files = portion.feed, portion.files
    spec = feeds[feed.vendor][feed.entity]
    reports: dict[str, PageReport] = {}
    parts: list[tuple[list[LandedFile], DecodedPages]] = []
    for some, pages in _decoded(LandingFiles(landing), spec, portion, reports):
        parts.append((some, pages))
        for file, page in zip(some, pages.pages, strict=True):
            reports[file.path] = PageReport(
                page.record_count - len(page.rejects),
                page.rejects,
                page.unknown_fields,
                page.unknown_values,
                page.missing_fields,
            )
    gathered = {table.name: _gather(table, feed.account, parts) for table in spec.tables}
    tables = {name: rows for name, rows in gathered.items() if rows is not None}
    return Group(feed, files, tables, [reports[file.path] for file in files])


def _decoded(
    store: LandingFiles, spec: FeedSpec, portion: Portion, reports: dict[str, PageReport]
) -> Iterator[tuple[list[LandedFile], DecodedPages]]:
    """The files' pages, several together where the feed's decoder takes several. One that cannot be read at all gets
    its report here.
    """
    decoder = spec.decode if isinstance(spec.decode, RecordDecoder) and keeps_hashes(spec) else None
    waiting: list[LandedFile] = []
    parsed: list[Parsed] = []
    for file in portion.files:
        body = store.read(file.path)
        try:
            if decoder is None:
                yield [file], _single(spec.decoded(body, file.url))
                continue
            parsed.append(decoder.parse(body, portion.hashes.get(file.path, b"")))
        except BadPayload as error:
            reports[file.path] = PageReport(0, error=error.message)
            continue
        waiting.append(file)
        if decoder is not None and sum(page.record_count for page in parsed) >= RECORDS_TOGETHER:
            yield waiting, decoder.decode_pages(parsed)
            waiting, parsed = [], []
    if decoder is not None and parsed:
        yield waiting, decoder.decode_pages(parsed)


def _single(decoded: Decoded) -> DecodedPages:
    tables = {
        name: table.add_column(0, PAGE, pa.repeat(pa.scalar(0, pa.int32()), table.num_rows))
        for name, table in decoded.tables.items()
    }
    return DecodedPages(tables, [decoded])


def _gather(table: TableSpec, account: str, parts: Sequence[tuple[list[LandedFile], DecodedPages]]) -> Any:
    """One table of all the pages as one Arrow table; None when no page has rows.

    In one piece, because DuckDB reads a table piece by piece and a page is a small one. The loader's columns say the
    same in every row of a page, so each is a page's number and one text for each page.
    """
    pieces, pages, files = [], [], list[LandedFile]()
    for some, decoded in parts:
        rows = decoded.tables.get(table.name)
        if rows is not None and rows.num_rows:
            pages.append(pc.add(rows[PAGE], pa.scalar(len(files), pa.int32())))
            pieces.append(rows.drop_columns([PAGE]))
            files += some
    if not pieces:
        return None
    gathered = pa.concat_tables(pieces).combine_chunks()
    page = pa.chunked_array([chunk for numbers in pages for chunk in numbers.chunks]).combine_chunks()
    for name, values, kind in (
        ("_account", [account for _ in files], pa.string()),
        ("_file", [file.path for file in files], pa.string()),
        ("_fetched_at", [naive(file.fetched_at) for file in files], pa.timestamp("us")),
        ("_batch", [batch_text(file.batch) for file in files], pa.string()),
    ):
        gathered = gathered.append_column(name, pa.DictionaryArray.from_arrays(page, pa.array(values, kind)))
    return gathered


def _begin_process() -> None:
    gc.disable()
    gc.freeze()  # or all modules are searched for circles when the process ends, for half a second
    pa.set_memory_pool(pa.system_memory_pool())
    _end_with_parent()


def _end_with_parent() -> None:
    """A process of a pool waits for work for ever, also when whoever gave it the work was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None  # this runs in a process that a pool started

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()
