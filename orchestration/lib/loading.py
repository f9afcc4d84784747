# ruff: noqa: S608  # the only texts put into SQL are names from our own table descriptions; values are parameters
"""Landed files into `raw.*` tables: typed by the connectors, counted to the record, and repeatable.

Files are decoded and inserted in groups, and some groups are one transaction: their rows, their quarantine entries and
the marks in `raw.loaded_files` become visible together or not at all, so a crash or a second run changes nothing. For
every file: records = inserted + duplicates + quarantined.
"""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from connectors.arrays import hexadecimal
from connectors.envelopes import HASH_BYTES
from connectors.feeds import REGISTRY
from connectors.records import FeedSpec
from orchestration.lib.decoding import (
    FROM_RECORDS,
    Feeds,
    Group,
    PageReport,
    Portion,
    Processes,
    batch_text,
    decoded_groups,
    keeps_hashes,
    naive,
    never,
)
from orchestration.lib.lake import Lake
from orchestration.lib.persons import held_by_keys
from orchestration.lib.raw_tables import create_own_tables, ensure_table, insert_rows, present_columns
from orchestration.lib.settings import Clock, Settings
from orchestration.lib.state import Batch, FeedKey, LandedFile, State
from orchestration.lib.warehouse import columns_of, connect, quote

GROUP_RECORDS = 10_000
"""Records decoded and inserted together: enough that Arrow and DuckDB work in bulk, few enough for the memory promise.
"""
GROUP_BYTES = 16_000_000
TRANSACTION_RECORDS = 1_000_000
"""Records of one transaction: several of DuckDB's row groups, which it then writes once, compressed, instead of to its
log first (with 10,000 this took thrice the processor time). Each transaction ends with a row group that is not full;
the checkpoint merges and rewrites whole row groups around those (with 500,000 for two seconds a million lines).
"""
CHUNK_RECORDS = 500_000
"""Records of which is found out together whether raw has them."""


Files = list[tuple[FeedKey, list[LandedFile]]]
"""Groups of files, each of one feed."""


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


def load(
    settings: Settings,
    *,
    feeds: Feeds = REGISTRY,
    on_progress: Progress = _ignore_progress,
    processes: Processes | None = None,
    is_reading: Callable[[], bool] = never,
) -> LoadResult:
    """Load every landed file that raw does not hold yet, and refresh the copies of the manifest.

    `processes` belong to the caller, who has more loads for them. While `is_reading`, this process lands more, which
    is loaded as well until there is little of it.
    """
    with ExitStack() as block:
        others = processes if processes is not None else block.enter_context(Processes())
        connection = block.enter_context(connect(settings))
        state = block.enter_context(State(settings.state_path))
        return _Loader(settings, connection, state, feeds, on_progress, others, is_reading).run()


def reload(settings: Settings, *, feeds: Feeds = REGISTRY, on_progress: Progress = _ignore_progress) -> LoadResult:
    """Drop every raw table and load all evidence again: what to do after a decoder learned a new column."""
    with connect(settings) as connection:
        connection.execute("drop schema if exists raw cascade")
    if lake := Lake.of(settings):
        lake.remove()
    return load(settings, feeds=feeds, on_progress=on_progress)


def replace_outbox_actions(settings: Settings, snapshot: Any, decisions: Any, closes: tuple[Any, Any]) -> None:
    """Put the outbox's present state where dbt can read it: Arrow tables with at least the columns of
    raw.outbox_actions, raw.tieout_decisions, and (`closes`) raw.tieout_close_events and raw.tieout_closed_figures.
    """
    events, figures = closes
    with connect(settings) as connection:
        create_own_tables(connection)
        for table, content, order in (
            ("outbox_actions", snapshot, "action_key"),
            ("tieout_decisions", decisions, "sequence"),
            ("tieout_close_events", events, "sequence"),
            ("tieout_closed_figures", figures, "close_key, marketplace_code, figure_code, currency_code"),
        ):
            columns = ", ".join(name for name, _ in columns_of(connection, "raw", table))
            connection.register("incoming_content", content)
            connection.execute("begin")
            connection.execute(f"delete from raw.{table}")
            connection.execute(
                f"insert into raw.{table} ({columns}) select {columns} from incoming_content order by {order}"
            )
            connection.execute("commit")
            connection.unregister("incoming_content")
        if lake := Lake.of(settings):
            lake.put_own(connection)


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
        create_own_tables(connection)
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
        processes: Processes,
        is_reading: Callable[[], bool],
    ) -> None:
        self._processes = processes
        self._is_reading = is_reading
        self._landing = settings.landing
        self._temporary = settings.temporary_dir
        self._persons_path = settings.persons_path
        self._clock: Clock = settings.clock
        self._connection = connection
        self._state = state
        self._feeds = feeds
        self._on_progress = on_progress
        self._lake = Lake.of(settings)
        self._known: dict[str, str] = {}
        """By root table: where the present chunk finds the records that may come again."""
        self._manifest: list[LandedFile] = []
        self._landed = 0
        """Records landed when the manifest was read, or a page fewer."""
        self._batches: dict[int, Batch] = {}
        self._loaded: set[str] = set()
        """Files that raw holds or that are on their way."""
        self._total = self._done = self._files = 0
        self._counts: dict[FeedKey, FeedCount] = {}
        self._waiting: Iterator[Portion] = iter(())
        self._chunks = deque[Files]()
        """Those that have begun to be decoded and not to be inserted."""
        self._left = 0
        """Groups of the present chunk that are still to come."""
        self._repeating: Set[str] = frozenset()
        self._unknown_fields: Counter[str] = Counter()
        self._unknown_values: Counter[str] = Counter()

    def run(self) -> LoadResult:
        with self._transaction():  # one for all: each would be made durable by itself
            self._ensure_tables()
        self._loaded = {row[0] for row in self._connection.execute("select path from raw.loaded_files").fetchall()}
        waiting = self._newly_landed()
        if self._total >= FROM_RECORDS or self._is_reading():
            self._connection.execute("set threads = 1")  # decoding has the other processors
        self._waiting = self._portions(waiting)
        groups = decoded_groups(
            self._landing,
            self._feeds,
            partial(self._next_portion, follows=self._is_reading()),
            self._total,
            self._temporary,
            self._processes,
            self._is_reading,
        )
        is_over = False
        while not is_over:
            with self._transaction():
                is_over = self._load_some(groups)
        self._copy_manifest(self._manifest, self._batches)
        if self._lake:
            self._lake.put_own(self._connection)
        return LoadResult(
            self._files, tuple(self._counts.values()), dict(self._unknown_fields), dict(self._unknown_values)
        )

    def _load_some(self, groups: Iterator[Group]) -> bool:
        """A transaction's worth of groups; whether they were the last."""
        marks: list[tuple[Any, ...]] = []
        records, is_over = 0, True
        for group in groups:
            if not self._left:
                chunk = self._chunks.popleft()
                self._left, self._repeating = len(chunk), self._find_repeating(chunk)
            self._left -= 1
            count = self._load_group(group, self._repeating, marks)
            del group  # before the next one is there
            self._counts[count.feed] = _add(self._counts.get(count.feed), count)
            records += count.records
            self._done += count.records
            self._on_progress(self._done, self._total)
            if records >= TRANSACTION_RECORDS:
                is_over = False
                break
        insert_rows(self._connection, "loaded_files", marks)
        return is_over

    def _newly_landed(self) -> list[LandedFile]:
        """The manifest as it is now, and the files in it that are not on their way yet."""
        self._landed = self._state.records_landed()
        self._manifest = self._state.files()
        # After the files: a batch may start meanwhile.
        self._batches = {batch.batch: batch for batch in self._state.batches()}
        waiting = [file for file in self._manifest if file.path not in self._loaded]
        self._loaded.update(file.path for file in waiting)
        self._total += sum(file.record_count for file in waiting)
        self._files += len(waiting)
        return waiting

    def _next_portion(self, *, follows: bool) -> Portion | None:
        """The next of what waits, also of what has landed meanwhile when the load `follows` a reading."""
        portion = next(self._waiting, None)
        if portion is None and follows and self._is_worth_going_on():
            self._waiting = self._portions(self._newly_landed())
            portion = next(self._waiting, None)
        return portion

    def _portions(self, waiting: list[LandedFile]) -> Iterator[Portion]:
        """Chunk after chunk; each is remembered before its first portion is given."""
        for chunk in _chunks(_groups(waiting, self._batches)):
            self._chunks.append(chunk)
            hashes = self._hashes(chunk)
            for feed, files in chunk:
                yield Portion(feed, files, {file.path: hashes.get(file.path, b"") for file in files})

    def _is_worth_going_on(self) -> bool:
        """While a vendor is read, a little waits for the next load: the warehouse is not to be held for a slow one."""
        least = GROUP_RECORDS if self._is_reading() else 1
        return self._state.records_landed() - self._landed >= least

    def _hashes(self, chunk: Files) -> dict[str, bytes]:
        """The hashes of all records of a chunk whose rows will bear them, by file."""
        return self._state.record_hashes(
            file.path for feed, files in chunk if keeps_hashes(self._spec(feed)) for file in files
        )

    def _spec(self, feed: FeedKey) -> FeedSpec:
        return self._feeds[feed.vendor][feed.entity]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("begin")
        try:
            yield
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")

    def _ensure_tables(self) -> None:
        create_own_tables(self._connection)
        described = self._lake.tables() if self._lake else set()
        present = present_columns(self._connection)
        for entities in self._feeds.values():
            for spec in entities.values():
                for table in spec.tables:
                    columns = present.setdefault(table.name, set())
                    is_new = ensure_table(self._connection, table, columns)
                    columns.update(column.name for column in table.columns)
                    if self._lake and (is_new or table.name not in described):
                        self._lake.put_columns(self._connection, table.name)

    def _load_group(self, group: Group, repeating: Set[str], marks: list[tuple[Any, ...]]) -> FeedCount:
        """Insert a group's rows; its files' rows of raw.loaded_files are added to `marks`, the caller's to insert."""
        feed, spec = group.feed, self._spec(group.feed)
        now = self._clock.now().replace(tzinfo=None)
        quarantine, unknown = _noteworthy(group, now)
        inserted = self._insert(spec, group, repeating)
        insert_rows(self._connection, "quarantine", quarantine)
        insert_rows(self._connection, "unknown_fields", unknown)
        own = [
            _mark(feed, file, page, inserted.get(file.path, 0), now)
            for file, page in zip(group.files, group.pages, strict=True)
        ]
        marks += own
        of_kind = {"FIELD": self._unknown_fields, "VALUE": self._unknown_values}
        for *_, kind, name, number in unknown:
            if kind in of_kind:
                of_kind[kind][f"{feed.vendor}.{name}"] += number
        return FeedCount(feed, len(own), *(sum(mark[column] for mark in own) for column in (5, 6, 7, 8)))

    def _insert(self, spec: FeedSpec, group: Group, repeating: Set[str]) -> dict[str, int]:
        """Insert the rows of a group of pages; how many root rows each file brought."""
        connection = self._connection
        root, *children = spec.tables
        incoming = group.tables.get(root.name)
        if incoming is None:
            return {}
        counts = {file.path: page.good for file, page in zip(group.files, group.pages, strict=True)}
        where = ""
        if spec.mode != "snapshot" and not repeating.isdisjoint(counts):
            self._find_fresh(spec, incoming)
            where = " semi join fresh on fresh._file = new._file and fresh._position = new._position"
            found = connection.execute("select _file, count(*) from fresh group by _file").fetchall()
            counts = {str(path): int(count) for path, count in found}
        self._put(root.name, incoming, where, group)
        for child in children:
            rows = group.tables.get(child.name)
            if rows is not None:
                self._put(child.name, rows, where, group)
        return counts

    def _put(self, table: str, incoming: pa.Table, where: str, group: Group) -> None:
        """Insert the rows that are new, and write them as Parquet where that is wanted: under a name that the group has
        again when the transaction fails and is tried once more.

        DuckDB finds `incoming` by its name. One that is registered it keeps in memory until the transaction ends, also
        when it was unregistered: all the rows of a large load.
        """
        names = ", ".join(quote(name) for name in incoming.schema.names)
        selected = f"select {names} from incoming as new{where}"
        self._connection.execute(f"insert into raw.{quote(table)} ({names}) {selected}")
        if self._lake:
            digest = hashlib.sha256(group.files[0].path.encode()).hexdigest()[:16]
            # In the table's order, which its file without rows has: models lay tables over each other by position.
            order = [name for name, _ in columns_of(self._connection, "raw", table) if name in incoming.schema.names]
            rows = self._connection.sql(selected).select(*map(quote, order)).to_arrow_table()
            self._lake.put(table, rows, digest)

    def _find_repeating(self, chunk: Files) -> set[str]:
        """Files that may hold a record which is in raw already or comes twice in this chunk. What the others hold is
        new, which is known for many records at the price of reading one column of raw once.
        """
        hashes = self._hashes(chunk)
        of_root: dict[str, tuple[FeedSpec, list[str]]] = {}
        for feed, files in chunk:
            spec = self._spec(feed)
            if spec.mode != "snapshot":
                of_root.setdefault(spec.tables[0].name, (spec, []))[1].extend(file.path for file in files)
        repeating: set[str] = set()
        self._known.clear()
        for root, (spec, paths) in of_root.items():
            if hashes.keys() >= set(paths):
                repeating |= self._find_known(spec, {path: hashes[path] for path in paths})
            else:
                self._known[root] = f"raw.{quote(root)}"
                repeating.update(paths)
        return repeating

    def _find_known(self, spec: FeedSpec, hashes: dict[str, bytes]) -> set[str]:
        """The files, of those with these hashes, that hold a hash which is in raw or twice among them. The records of
        raw that have such a hash are put into a table of their own.
        """
        root, connection = spec.tables[0].name, self._connection
        known = self._known[root] = quote(f"known_{root}")
        counts = [len(digests) // HASH_BYTES for digests in hashes.values()]
        places = pa.array([number for number, count in enumerate(counts) for _ in range(count)], pa.int32())
        paths = pa.DictionaryArray.from_arrays(places, pa.array(hashes, pa.string()))
        incoming_hashes = pa.table(  # noqa: F841  # found by its name
            {"_file": paths, "_hash": hexadecimal(b"".join(hashes.values()))}
        )
        connection.execute(
            f"""
            create or replace temp table known_hashes as
            select distinct old._hash
            from raw.{quote(root)} as old
            semi join incoming_hashes as new on old._hash = new._hash
            """
        )
        repeating = connection.execute(
            """
            select distinct _file from incoming_hashes where _hash in (
                select _hash from known_hashes
                union all
                select _hash from incoming_hashes group by _hash having count(*) > 1
            )
            """
        ).fetchall()
        if repeating:
            connection.execute(
                f"""
                create or replace temp table {known} as
                select {_identity(spec)} from raw.{quote(root)} as old
                semi join known_hashes as found on old._hash = found._hash
                """
            )
        return {str(path) for (path,) in repeating}

    def _find_fresh(self, spec: FeedSpec, incoming_root: pa.Table) -> None:
        """Put file and position of the records that add something into the table `fresh`: the same record with the
        same content, landed before or twice in this group, adds nothing.
        """
        root = spec.tables[0].name
        known = self._known[root]
        same = " and ".join(f"old.{name} is not distinct from new.{name}" for name in _identity_columns(spec))
        self._connection.execute(
            f"""
            create or replace temp table fresh as
            select ranked._file, ranked._position
            from (
                select _file, _position, row_number() over (
                    partition by {_identity(spec)} order by _file, _position
                ) as _rank
                from incoming_root
            ) as ranked
            left join (
                -- Joined from this side, so that the small table is hashed and the large one only read.
                select new._file, new._position
                from {known} as old
                inner join incoming_root as new on {same}
            ) as known
                on ranked._file = known._file and ranked._position = known._position
            where ranked._rank = 1 and known._file is null
            """
        )
        if known != f"raw.{quote(root)}":
            self._connection.execute(
                f"""
                insert into {known}
                select {_identity(spec)} from incoming_root as new
                semi join fresh on fresh._file = new._file and fresh._position = new._position
                """
            )

    def _copy_manifest(self, manifest: Sequence[LandedFile], batches: dict[int, Batch]) -> None:
        """Rewrite raw.landing_files and raw.batches; batches change their state, so the copy is whole each time."""
        files = []
        held = held_by_keys(self._persons_path)
        for file in manifest:
            batch = batches[file.batch]
            files.append(
                (
                    file.path, batch.vendor, batch.account, batch.entity, batch_text(file.batch), batch.run_id,
                    file.record_count, file.byte_count, file.sha256, file.declared_count, naive(file.landed_at),
                    batch.status == "COMPLETE", batch.mode, file.stored_sha256 is None or file.path in held,
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
            insert_rows(self._connection, table, content)
        self._connection.execute("commit")


def _identity_columns(spec: FeedSpec) -> list[str]:
    """What makes two records the same with the same content."""
    return [quote(name) for name in ("_account", *spec.id_columns, "_hash")]


def _identity(spec: FeedSpec) -> str:
    return ", ".join(_identity_columns(spec))


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


def _chunks(groups: Iterable[tuple[FeedKey, list[LandedFile]]]) -> Iterator[Files]:
    """Groups in their order, so many together as make a chunk."""
    chunk: Files = []
    records = 0
    for feed, files in groups:
        chunk.append((feed, files))
        records += sum(file.record_count for file in files)
        if records >= CHUNK_RECORDS:
            yield chunk
            chunk, records = [], 0
    if chunk:
        yield chunk


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
