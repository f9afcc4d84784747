"""Landed files as Arrow tables, ready to insert: group by group, for a large load in other processes.

Decoding is what a load spends most of its time on, and Python does one thing at a time. The other processes only see
files and give tables back; the caller alone writes to the warehouse. They end with it, also when it is killed.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from connectors.errors import BadPayload
from connectors.feeds import REGISTRY
from connectors.records import Decoded, FeedSpec, Reject, TableSpec
from orchestration.lib.landing import LandingFiles
from orchestration.lib.settings import parse_stamp
from orchestration.lib.state import FeedKey, LandedFile

FROM_RECORDS = 50_000
"""Fewer are decoded before another process has started."""
MAXIMUM_PROCESSES = 4

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
    """Every group in the order given, decoded a little ahead of the caller.

    `feeds` other than the connectors' own cannot be sent to another process and are decoded in this one.
    """
    processes = min(os.cpu_count() or 1, MAXIMUM_PROCESSES)
    if feeds is not REGISTRY or total_records < FROM_RECORDS or processes < 2:
        for feed, files in groups:
            yield _decode(landing, feeds[feed.vendor][feed.entity], feed, files)
        return
    # Not a fork: this process has threads (DuckDB's, Dagster's), which a fork would leave in the middle of things.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_end_with_parent) as pool:
        ahead: deque[Future[Group]] = deque()
        for feed, files in groups:
            ahead.append(pool.submit(_decode_there, landing, feed, files))
            if len(ahead) > processes:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def batch_text(batch: int) -> str:
    return f"{batch:010d}"


def naive(text: str | None) -> datetime | None:
    """A stored stamp as UTC without a zone, the form of DuckDB's TIMESTAMP."""
    return None if text is None else parse_stamp(text).replace(tzinfo=None)


def _decode_there(landing: str, feed: FeedKey, files: list[LandedFile]) -> Group:
    return _decode(landing, REGISTRY[feed.vendor][feed.entity], feed, files)


def _decode(landing: str, spec: FeedSpec, feed: FeedKey, files: list[LandedFile]) -> Group:
    store = LandingFiles(landing)
    pages: list[tuple[LandedFile, Decoded]] = []
    reports: list[PageReport] = []
    for file in files:
        try:
            decoded = spec.decoded(store.read(file.path), file.url)
        except BadPayload as error:
            reports.append(PageReport(0, error=error.message))
            continue
        pages.append((file, decoded))
        good = decoded.tables[spec.tables[0].name].num_rows
        reports.append(
            PageReport(good, decoded.rejects, decoded.unknown_fields, decoded.unknown_values, decoded.missing_fields)
        )
    gathered = {table.name: _gather(table, feed.account, pages) for table in spec.tables}
    return Group(feed, files, {name: rows for name, rows in gathered.items() if rows is not None}, reports)


def _gather(table: TableSpec, account: str, pages: Sequence[tuple[LandedFile, Decoded]]) -> Any:
    """One table of several pages as one Arrow table; None when no page has rows.

    In one piece, because DuckDB reads a table piece by piece and a page is a small one.
    """
    parts = []
    for file, decoded in pages:
        part = decoded.tables.get(table.name)
        if part is None or part.num_rows == 0:
            continue
        rows = part.num_rows
        for name, value, kind in (
            ("_account", account, pa.string()),
            ("_file", file.path, pa.string()),
            ("_fetched_at", naive(file.fetched_at), pa.timestamp("us")),
            ("_batch", batch_text(file.batch), pa.string()),
        ):
            part = part.append_column(name, pa.repeat(pa.scalar(value, kind), rows))
        parts.append(part)
    return pa.concat_tables(parts).combine_chunks() if parts else None


def _end_with_parent() -> None:
    """A process of a pool waits for work for ever, also when whoever gave it the work was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None  # this runs in a process that a pool started

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()
