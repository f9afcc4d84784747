# ruff: noqa: S608  # the only texts put into SQL are names from our own table descriptions; values are parameters
"""Landed files into `raw.*` tables: typed by the connectors, counted to the record, and repeatable.

A group of files is one transaction: their rows, their quarantine entries and the marks in `raw.loaded_files` become
visible together or not at all, so a crash or a second run changes nothing. For every file: records = inserted +
duplicates + quarantined.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from connectors.feeds import REGISTRY
from connectors.records import FeedSpec, TableSpec
from orchestration.lib.decoding import Feeds, Group, PageReport, batch_text, decoded_groups, naive
from orchestration.lib.settings import Clock, Settings
from orchestration.lib.state import Batch, FeedKey, LandedFile, State
from orchestration.lib.warehouse import columns_of, connect, quote

GROUP_RECORDS = 20_000
"""Records of one transaction: enough that DuckDB works in bulk, few enough for the memory promise."""
GROUP_BYTES = 32_000_000

_ROOT = (
    ("_account", "VARCHAR"),
    ("_file", "VARCHAR"),
    ("_position", "BIGINT"),
    ("_hash", "VARCHAR"),
    ("_fetched_at", "TIMESTAMP"),
    ("_batch", "VARCHAR"),
)
_CHILD = (
    ("_account", "VARCHAR"),
    ("_file", "VARCHAR"),
    ("_position", "BIGINT"),
    ("_index", "BIGINT"),
    ("_fetched_at", "TIMESTAMP"),
    ("_batch", "VARCHAR"),
)

_OWN_TABLES = {
    "landing_files": """
        path VARCHAR, vendor VARCHAR, account VARCHAR, entity VARCHAR, batch VARCHAR, run_id VARCHAR,
        record_count BIGINT, byte_count BIGINT, sha256 VARCHAR, declared_count BIGINT, landed_at TIMESTAMP,
        is_batch_complete BOOLEAN, batch_mode VARCHAR
    """,
    "batches": """
        batch VARCHAR, run_id VARCHAR, vendor VARCHAR, account VARCHAR, entity VARCHAR, batch_mode VARCHAR,
        started_at TIMESTAMP, finished_at TIMESTAMP, records_received BIGINT, records_landed BIGINT,
        records_unchanged BIGINT, declared_count BIGINT, is_complete BOOLEAN, outcome VARCHAR
    """,
    "loaded_files": """
        path VARCHAR PRIMARY KEY, vendor VARCHAR, account VARCHAR, entity VARCHAR, batch VARCHAR,
        record_count BIGINT, inserted BIGINT, duplicates BIGINT, quarantined BIGINT, loaded_at TIMESTAMP
    """,
    "quarantine": """
        vendor VARCHAR, account VARCHAR, entity VARCHAR, file VARCHAR, position BIGINT, record_id VARCHAR,
        field VARCHAR, reason VARCHAR, code VARCHAR, first_seen_at TIMESTAMP
    """,
    "unknown_fields": """
        vendor VARCHAR, account VARCHAR, entity VARCHAR, file VARCHAR, kind VARCHAR, name VARCHAR,
        occurrences BIGINT
    """,
    "outbox_actions": """
        action_key VARCHAR, kind VARCHAR, vendor VARCHAR, account VARCHAR, marketplace_code VARCHAR,
        natural_id VARCHAR, version BIGINT, wire_key VARCHAR, state VARCHAR, proposed_at TIMESTAMP,
        decided_at TIMESTAMP, sent_at TIMESTAMP, verified_at TIMESTAMP, vendor_ids VARCHAR, detail VARCHAR,
        entity_code VARCHAR, amount VARCHAR, currency_code VARCHAR, payload VARCHAR, reason VARCHAR,
        source_hash VARCHAR
    """,
    "tieout_call_usage": """
        vendor VARCHAR, key_name VARCHAR, call VARCHAR, measured_at TIMESTAMP, window_seconds BIGINT,
        calls_in_window BIGINT, maximum_calls BIGINT, recommended_calls BIGINT, recommended_seconds BIGINT,
        last_call_at TIMESTAMP, next_allowed_at TIMESTAMP, throttled_count BIGINT
    """,
    "tieout_id_checks": """
        vendor VARCHAR, account VARCHAR, entity VARCHAR, checked_at TIMESTAMP, window_from TIMESTAMP,
        window_to TIMESTAMP, record_id VARCHAR, found_at_vendor BOOLEAN, found_here BOOLEAN
    """,
}
"""Tables beside the vendors' that the dbt project reads."""


@dataclass(frozen=True, slots=True)
class FeedCount:
    """What one load did with one feed of one account, in records."""

    feed: FeedKey
    files: int
    records: int
    inserted: int
    duplicates: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class LoadResult:
    files: int
    feeds: tuple[FeedCount, ...]
    unknown_fields: dict[str, int] = field(default_factory=dict)
    unknown_values: dict[str, int] = field(default_factory=dict)

    @property
    def records(self) -> int:
        return sum(count.records for count in self.feeds)

    @property
    def inserted(self) -> int:
        return sum(count.inserted for count in self.feeds)

    @property
    def duplicates(self) -> int:
        return sum(count.duplicates for count in self.feeds)

    @property
    def quarantined(self) -> int:
        return sum(count.quarantined for count in self.feeds)


class Mismatch(NamedTuple):
    """A count that does not agree with another one, for one feed of one account."""

    feed: str
    claim: str
    left: int
    right: int
    is_error: bool

    def __str__(self) -> str:
        return f"{self.claim} ({self.left} against {self.right})"


Progress = Callable[[int, int], None]
"""Called with the records loaded so far and those to load in all."""


def _ignore_progress(done: int, total: int) -> None:
    """The default: nobody watches."""


def load(settings: Settings, *, feeds: Feeds = REGISTRY, on_progress: Progress = _ignore_progress) -> LoadResult:
    """Load every landed file that raw does not hold yet, and refresh the copies of the manifest."""
    with connect(settings) as connection, State(settings.state_path) as state:
        return _Loader(settings, connection, state, feeds, on_progress).run()


def reload(settings: Settings, *, feeds: Feeds = REGISTRY, on_progress: Progress = _ignore_progress) -> LoadResult:
    """Drop every raw table and load all evidence again: what to do after a decoder learned a new column."""
    with connect(settings) as connection:
        connection.execute("drop schema if exists raw cascade")
    return load(settings, feeds=feeds, on_progress=on_progress)


def replace_outbox_actions(settings: Settings, snapshot: Any) -> None:
    """Put the outbox's present state (an Arrow table with at least the columns of raw.outbox_actions) where dbt can
    read it.
    """
    with connect(settings) as connection:
        _create_own_tables(connection)
        connection.register("snapshot", snapshot)
        columns = ", ".join(name for name, _ in columns_of(connection, "raw", "outbox_actions"))
        connection.execute("begin")
        connection.execute("delete from raw.outbox_actions")
        connection.execute(
            f"insert into raw.outbox_actions ({columns}) select {columns} from snapshot order by action_key"
        )
        connection.execute("commit")
        connection.unregister("snapshot")


_FEED = "vendor || '/' || account || '/' || entity"

_PROOFS: tuple[tuple[str, str], ...] = (
    (
        "records received differ from landed plus unchanged",
        f"""
        select {_FEED}, records_received, records_landed + records_unchanged, true
        from raw.batches
        where is_complete and records_received <> records_landed + records_unchanged
        """,
    ),
    (
        "the vendor declared another number of records than it gave",
        f"""
        select {_FEED}, declared_count, records_received, batch_mode = 'snapshot'
        from (
            select *, row_number() over (partition by vendor, account, entity order by batch desc) as newest
            from raw.batches
            where is_complete
        )
        where newest = 1 and declared_count <> records_received
        """,
    ),
    (
        "records landed differ from raw rows plus duplicates plus quarantined",
        f"""
        select {_FEED}, landed, loaded, true
        from (
            select f.vendor, f.account, f.entity, sum(f.record_count) as landed,
                coalesce(sum(l.inserted + l.duplicates + l.quarantined), 0) as loaded
            from raw.landing_files as f
            left join raw.loaded_files as l on f.path = l.path
            group by f.vendor, f.account, f.entity
        )
        where landed <> loaded
        """,
    ),
)
"""Claims that must hold, each with the query for what breaks it: feed, left count, right count, whether that is an
error.
"""


def proved_counts(settings: Settings) -> list[Mismatch]:
    """Every disagreement between declared, received, landed and raw counts; empty when nothing vanished.

    Declared against received is an error only for snapshots: a change feed moves while it is read.
    """
    with connect(settings) as connection:
        _create_own_tables(connection)
        return [
            Mismatch(feed, claim, int(left), int(right), bool(is_error))
            for claim, query in _PROOFS
            for feed, left, right, is_error in connection.execute(f"select * from ({query}) order by 1").fetchall()
        ]


class _Loader:
    def __init__(
        self,
        settings: Settings,
        connection: duckdb.DuckDBPyConnection,
        state: State,
        feeds: Feeds,
        on_progress: Progress,
    ) -> None:
        self._landing = settings.landing
        self._clock: Clock = settings.clock
        self._connection = connection
        self._state = state
        self._feeds = feeds
        self._on_progress = on_progress
        self._unknown_fields: Counter[str] = Counter()
        self._unknown_values: Counter[str] = Counter()

    def run(self) -> LoadResult:
        _create_own_tables(self._connection)
        for entities in self._feeds.values():
            for spec in entities.values():
                for table in spec.tables:
                    _ensure_table(self._connection, table)
        batches = {batch.batch: batch for batch in self._state.batches()}
        manifest = self._state.files()
        loaded = {row[0] for row in self._connection.execute("select path from raw.loaded_files").fetchall()}
        waiting = [file for file in manifest if file.path not in loaded]
        total, done = sum(file.record_count for file in waiting), 0
        counts: dict[FeedKey, FeedCount] = {}
        for group in decoded_groups(self._landing, self._feeds, _groups(waiting, batches), total):
            count = self._load_group(group)
            counts[group.feed] = _add(counts.get(group.feed), count)
            done += count.records
            self._on_progress(done, total)
        self._copy_manifest(manifest, batches)
        return LoadResult(len(waiting), tuple(counts.values()), dict(self._unknown_fields), dict(self._unknown_values))

    def _load_group(self, group: Group) -> FeedCount:
        connection, feed = self._connection, group.feed
        spec = self._feeds[feed.vendor][feed.entity]
        now = self._clock.now().replace(tzinfo=None)
        quarantine, unknown = _noteworthy(group, now)
        connection.execute("begin")
        try:
            inserted = self._insert(spec, group.tables)
            _insert_rows(connection, "quarantine", quarantine)
            _insert_rows(connection, "unknown_fields", unknown)
            marks = [
                _mark(feed, file, page, inserted.get(file.path, 0), now)
                for file, page in zip(group.files, group.pages, strict=True)
            ]
            _insert_rows(connection, "loaded_files", marks)
            connection.execute("commit")
        except BaseException:
            connection.execute("rollback")
            raise
        of_kind = {"FIELD": self._unknown_fields, "VALUE": self._unknown_values}
        for *_, kind, name, number in unknown:
            if kind in of_kind:
                of_kind[kind][f"{feed.vendor}.{name}"] += number
        return FeedCount(feed, len(marks), *(sum(mark[column] for mark in marks) for column in (5, 6, 7, 8)))

    def _insert(self, spec: FeedSpec, tables: Mapping[str, Any]) -> dict[str, int]:
        """Insert the rows of a group of pages; how many root rows each file brought."""
        connection = self._connection
        root, *children = spec.tables
        incoming = tables.get(root.name)
        if incoming is None:
            return {}
        connection.register("incoming_root", incoming)
        is_changing = spec.mode != "snapshot"
        try:
            if is_changing:
                # The same record with the same content, landed before or twice in this group, adds nothing.
                identity = ", ".join(quote(name) for name in ("_account", *spec.id_columns, "_hash"))
                same = " and ".join(
                    f"old.{quote(name)} is not distinct from new.{quote(name)}"
                    for name in ("_account", *spec.id_columns, "_hash")
                )
                connection.execute(
                    f"""
                    create or replace temp table fresh as
                    select _file, _position
                    from (
                        select *, row_number() over (partition by {identity} order by _file, _position) as _rank
                        from incoming_root
                    ) as new
                    where _rank = 1 and not exists (select 1 from raw.{quote(root.name)} as old where {same})
                    """
                )
                where = " semi join fresh on fresh._file = new._file and fresh._position = new._position"
                counts = connection.execute("select _file, count(*) from fresh group by _file").fetchall()
            else:
                where = ""
                counts = connection.execute("select _file, count(*) from incoming_root group by _file").fetchall()
            if is_changing and sum(count for _, count in counts) == incoming.num_rows:
                where = ""
            names = ", ".join(quote(name) for name in incoming.schema.names)
            connection.execute(
                f"insert into raw.{quote(root.name)} ({names}) select {names} from incoming_root as new{where}"
            )
            for child in children:
                rows = tables.get(child.name)
                if rows is None:
                    continue
                connection.register("incoming_child", rows)
                names = ", ".join(quote(name) for name in rows.schema.names)
                connection.execute(
                    f"insert into raw.{quote(child.name)} ({names}) select {names} from incoming_child as new{where}"
                )
                connection.unregister("incoming_child")
        finally:
            connection.unregister("incoming_root")
        return {str(path): int(count) for path, count in counts}

    def _copy_manifest(self, manifest: Sequence[LandedFile], batches: dict[int, Batch]) -> None:
        """Rewrite raw.landing_files and raw.batches; batches change their state, so the copy is whole each time."""
        files = []
        for file in manifest:
            batch = batches[file.batch]
            files.append(
                (
                    file.path, batch.vendor, batch.account, batch.entity, batch_text(file.batch), batch.run_id,
                    file.record_count, file.byte_count, file.sha256, file.declared_count, naive(file.landed_at),
                    batch.status == "COMPLETE", batch.mode,
                )
            )  # fmt: skip
        rows = [
            (
                batch_text(batch.batch), batch.run_id, batch.vendor, batch.account, batch.entity, batch.mode,
                naive(batch.started_at), naive(batch.finished_at), batch.records_received, batch.records_landed,
                batch.records_unchanged, batch.declared_count, batch.status == "COMPLETE", batch.status,
            )
            for batch in batches.values()
        ]  # fmt: skip
        self._connection.execute("begin")
        for table, content in (("landing_files", files), ("batches", rows)):
            self._connection.execute(f"delete from raw.{table}")
            _insert_rows(self._connection, table, content)
        self._connection.execute("commit")


def _noteworthy(group: Group, now: Any) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Rows of raw.quarantine and of raw.unknown_fields."""
    quarantine: list[tuple[Any, ...]] = []
    unknown: list[tuple[Any, ...]] = []
    feed = group.feed
    for file, page in zip(group.files, group.pages, strict=True):
        place = (feed.vendor, feed.account, feed.entity, file.path)
        if page.error is not None:
            # The whole page is unreadable: each of its records counts as quarantined, one entry explains them all.
            quarantine.append((*place, None, None, "", page.error, "PAGE_UNREADABLE", now))
            continue
        quarantine += [
            (*place, reject.position, reject.record_id, reject.field, reject.reason, reject.code, now)
            for reject in page.rejects
        ]
        for kind, names in (
            ("FIELD", page.unknown_fields),
            ("VALUE", page.unknown_values),
            ("MISSING", page.missing_fields),
        ):
            unknown += [(*place, kind, name, number) for name, number in sorted(names.items())]
    return quarantine, unknown


def _mark(feed: FeedKey, file: LandedFile, page: PageReport, inserted: int, now: Any) -> tuple[Any, ...]:
    """A row of raw.loaded_files. Duplicates are good records that added nothing; an unreadable page is quarantined
    whole.
    """
    rejected = len(page.rejects) if page.error is None else file.record_count
    return (
        file.path,
        feed.vendor,
        feed.account,
        feed.entity,
        batch_text(file.batch),
        file.record_count,
        inserted,
        page.good - inserted,
        rejected,
        now,
    )


def _groups(files: Iterable[LandedFile], batches: dict[int, Batch]) -> Iterator[tuple[FeedKey, list[LandedFile]]]:
    """Files of one batch, cut into groups of bounded size, in the order of landing."""
    group: list[LandedFile] = []
    records, size = 0, 0
    for file in files:
        records, size = records + file.record_count, size + file.byte_count
        if group and (file.batch != group[0].batch or records > GROUP_RECORDS or size > GROUP_BYTES):
            yield batches[group[0].batch].feed, group
            group, records, size = [], file.record_count, file.byte_count
        group.append(file)
    if group:
        yield batches[group[0].batch].feed, group


def _create_own_tables(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create schema if not exists raw")
    for name, columns in _OWN_TABLES.items():
        connection.execute(f"create table if not exists raw.{name} ({columns})")


def _ensure_table(connection: duckdb.DuckDBPyConnection, table: TableSpec) -> None:
    """Create a vendor table, or add the columns that a newer connector knows; a column is never dropped."""
    own = _CHILD if table.parent else _ROOT
    wanted = [
        *own,
        *((column.name, "BOOLEAN" if pa.types.is_boolean(column.type) else "VARCHAR") for column in table.columns),
    ]
    present = {name for name, _ in columns_of(connection, "raw", table.name)}
    if not present:
        columns = ", ".join(f"{quote(name)} {kind}" for name, kind in wanted)
        connection.execute(f"create table raw.{quote(table.name)} ({columns})")
        return
    for name, kind in wanted:
        if name not in present:
            connection.execute(f"alter table raw.{quote(table.name)} add column {quote(name)} {kind}")


def _insert_rows(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert Python rows through Arrow: executemany costs a statement per row."""
    if not rows:
        return
    columns = columns_of(connection, "raw", table)
    kinds = {"VARCHAR": pa.string(), "BIGINT": pa.int64(), "BOOLEAN": pa.bool_(), "TIMESTAMP": pa.timestamp("us")}
    content = pa.table(
        [pa.array(values, kinds[kind]) for (_, kind), values in zip(columns, zip(*rows, strict=True), strict=True)],
        names=[name for name, _ in columns],
    )
    connection.register("incoming_rows", content)
    connection.execute(f"insert into raw.{table} select * from incoming_rows")
    connection.unregister("incoming_rows")


def _add(left: FeedCount | None, right: FeedCount) -> FeedCount:
    if left is None:
        return right
    return FeedCount(
        left.feed,
        left.files + right.files,
        left.records + right.records,
        left.inserted + right.inserted,
        left.duplicates + right.duplicates,
        left.quarantined + right.quarantined,
    )
