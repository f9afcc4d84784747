"""Landed files as Arrow tables, ready to insert: group by group, in a large load beside the caller's work.

Decoding is what a load spends most of its time on. On two processors a thread does it while DuckDB inserts; on more of
them other processes do, because Python does one thing at a time. They only see files and give tables back; the caller
alone writes to the warehouse. They end with it, also when it is killed.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import threading
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from connectors.decoding import Cut, DecodedPages, RecordDecoder
from connectors.errors import BadPayload
from connectors.feeds import REGISTRY
from connectors.records import Decoded, FeedSpec, Reject, TableSpec
from connectors.rows import PAGE
from orchestration.lib.landing_files import LandingFiles
from orchestration.lib.settings import parse_stamp
from orchestration.lib.state import FeedKey, LandedFile

FROM_RECORDS = 50_000
"""Fewer are decoded before another process has started."""
MAXIMUM_PROCESSES = 4
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
class Group:
    """Some files of one batch. `tables` holds their rows by table name, with the loader's columns (`_account`, `_file`,
    `_fetched_at`, `_batch`); a table without rows is left out. `pages` has one report for each file.
    """

    feed: FeedKey
    files: list[LandedFile]
    tables: dict[str, Any]
    pages: list[PageReport]


def decoded_groups(
    landing: str, feeds: Feeds, groups: Iterable[tuple[FeedKey, list[LandedFile]]], total_records: int
) -> Iterator[Group]:
    """Every group in the order given, in a large load decoded a little ahead of the caller.

    `feeds` other than the connectors' own cannot be sent to another process and are decoded in this one.
    """
    if total_records < FROM_RECORDS:
        for feed, files in groups:
            yield _decode(landing, feeds[feed.vendor][feed.entity], feed, files)
        return
    processes = min((os.cpu_count() or 1) - 1, MAXIMUM_PROCESSES) if feeds is REGISTRY else 0
    with _in_bulk(), _pool(processes) as pool:
        ahead: deque[Future[Group]] = deque()
        for feed, files in groups:
            if processes > 1:
                ahead.append(pool.submit(_decode_there, landing, feed, files))
            else:
                ahead.append(pool.submit(_decode, landing, feeds[feed.vendor][feed.entity], feed, files))
            if len(ahead) > max(processes, 1):
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _pool(processes: int) -> Executor:
    """Processes, but where there is a processor for no more than one of them, a thread: DuckDB needs the interpreter
    for next to nothing, so that it works beside the thread as well, and a process costs 100 MB and seconds.
    """
    if processes < 2:
        return ThreadPoolExecutor(1, thread_name_prefix="decoding")
    # Not a fork: this process has threads (DuckDB's, Dagster's), which a fork would leave in the middle of things.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(processes, mp_context=context, initializer=_begin_process)


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


def _decode_there(landing: str, feed: FeedKey, files: list[LandedFile]) -> Group:
    return _decode(landing, REGISTRY[feed.vendor][feed.entity], feed, files)


def _decode(landing: str, spec: FeedSpec, feed: FeedKey, files: list[LandedFile]) -> Group:
    store = LandingFiles(landing)
    reports: dict[str, PageReport] = {}
    parts: list[tuple[list[LandedFile], DecodedPages]] = []
    for some, pages in _decoded(store, spec, files, reports):
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
    store: LandingFiles, spec: FeedSpec, files: Iterable[LandedFile], reports: dict[str, PageReport]
) -> Iterator[tuple[list[LandedFile], DecodedPages]]:
    """The files' pages, several together where the feed's decoder takes several. One that cannot be read at all gets
    its report here.
    """
    decoder = spec.decode if isinstance(spec.decode, RecordDecoder) and spec.decode_at is None else None
    waiting: list[LandedFile] = []
    cuts: list[Cut] = []
    for file in files:
        body = store.read(file.path)
        try:
            if decoder is None:
                yield [file], _single(spec.decoded(body, file.url))
                continue
            cuts.append(decoder.cut(body))
        except BadPayload as error:
            reports[file.path] = PageReport(0, error=error.message)
            continue
        waiting.append(file)
        if decoder is not None and sum(len(cut.raws) for cut in cuts) >= RECORDS_TOGETHER:
            yield waiting, decoder.decode_pages(cuts)
            waiting, cuts = [], []
    if decoder is not None and cuts:
        yield waiting, decoder.decode_pages(cuts)


def _single(decoded: Decoded) -> DecodedPages:
    tables = {
        name: table.add_column(0, PAGE, pa.repeat(pa.scalar(0, pa.int32()), table.num_rows))
        for name, table in decoded.tables.items()
    }
    return DecodedPages(tables, [decoded])


def _gather(table: TableSpec, account: str, parts: Sequence[tuple[list[LandedFile], DecodedPages]]) -> Any:
    """One table of all the pages as one Arrow table; None when no page has rows.

    In one piece, because DuckDB reads a table piece by piece and a page is a small one.
    """
    pieces = []
    for files, pages in parts:
        rows = pages.tables.get(table.name)
        if rows is None or rows.num_rows == 0:
            continue
        page = rows[PAGE]
        rows = rows.drop_columns([PAGE])
        for name, values, kind in (
            ("_account", [account for _ in files], pa.string()),
            ("_file", [file.path for file in files], pa.string()),
            ("_fetched_at", [naive(file.fetched_at) for file in files], pa.timestamp("us")),
            ("_batch", [batch_text(file.batch) for file in files], pa.string()),
        ):
            rows = rows.append_column(name, pa.array(values, kind).take(page))
        pieces.append(rows)
    return pa.concat_tables(pieces).combine_chunks() if pieces else None


def _begin_process() -> None:
    gc.disable()
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
