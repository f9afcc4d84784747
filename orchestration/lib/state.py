# ruff: noqa: S608  # the only texts put into SQL are names from our own table descriptions; values are parameters
"""What was landed, how far each feed was read, and what its overlap holds: one SQLite file beside the landing files.

The manifest is the truth about the landing files: a file without a row was cut off by a crash and is removed, a row
without a file cannot happen (the row is written after the file). Every method is one transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from orchestration.lib.seals import Seal, append, batch_content, canonical, seal_batch
from orchestration.lib.state_schema import upgrade


@dataclass(frozen=True, slots=True)
class FeedKey:
    vendor: str
    account: str
    entity: str

    def __str__(self) -> str:
        return f"{self.vendor}/{self.account}/{self.entity}"


@dataclass(frozen=True, slots=True)
class LandedFile:
    """A row of the manifest. `path` starts with `landing/`; `byte_count` and `sha256` are those of the body as it was
    received. `stored_sha256` is that of the file as it lies, where customers were cut out of the page (persons.py).
    """

    path: str
    batch: int
    number: int
    record_count: int
    byte_count: int
    sha256: str
    declared_count: int | None
    url: str
    http_status: int
    fetched_at: str
    landed_at: str
    stored_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class WrittenPage:
    """A page whose file is durable, with its records' hashes one behind the other. `is_overlapped`: later batches read
    its window again, so they will ask for what it held; `cursor` is the newest stamp in it.
    """

    file: LandedFile
    hashes: bytes
    cursor: str | None = None
    is_overlapped: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """One extraction of one feed. received = landed + unchanged, counted in records."""

    batch: int
    run_id: str
    vendor: str
    account: str
    entity: str
    mode: str
    status: str
    started_at: str
    finished_at: str | None
    window_since: str | None
    window_after: str | None
    cursor_after: str | None
    pages: int
    records_received: int
    records_landed: int
    records_unchanged: int
    declared_count: int | None
    error: str | None

    @property
    def feed(self) -> FeedKey:
        return FeedKey(self.vendor, self.account, self.entity)


def connect(path: Path) -> sqlite3.Connection:
    """The state database in WAL mode, made where it is not there; transactions are begun by hand."""
    connection = sqlite3.connect(path, timeout=60, isolation_level=None)
    connection.row_factory = sqlite3.Row
    # SQLite does not wait for its time-out where two processes switch a new file to WAL: one is refused at once.
    for attempt in Retrying(
        retry=retry_if_exception_type(sqlite3.OperationalError),
        stop=stop_after_delay(5),
        wait=wait_fixed(0.02),
        reraise=True,
    ):
        with attempt:
            connection.execute("pragma journal_mode = wal")
    return connection


class State:
    """Open with `with State(path) as state`. Safe for several processes: WAL mode, short transactions, a long busy
    time-out.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = connect(path)
        self._connection.execute("pragma synchronous = normal")
        self._connection.execute("pragma foreign_keys = on")
        upgrade(self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._connection.execute("begin immediate")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")

    # Batches

    def start_batch(
        self,
        feed: FeedKey,
        *,
        run_id: str,
        mode: str,
        started_at: str,
        since: str | None,
        after: str | None,
        first: int = 1,
    ) -> int:
        """The number of a new batch. Numbers only grow; `first` is the least number that the landing folder allows."""
        with self._transaction() as connection:
            row = connection.execute(
                "select coalesce(max(seq), 0) from sqlite_sequence where name = 'batches'"
            ).fetchone()
            number = max(int(row[0]) + 1, first)
            connection.execute(
                """
                insert into batches
                    (batch, run_id, vendor, account, entity, mode, status, started_at, window_since, window_after)
                values (?, ?, ?, ?, ?, ?, 'RUNNING', ?, ?, ?)
                """,
                (number, run_id, feed.vendor, feed.account, feed.entity, mode, started_at, since, after),
            )
        return number

    def is_new(self) -> bool:
        """Whether no batch was ever started: a new data folder, or one whose state was lost."""
        return self._connection.execute("select 1 from batches limit 1").fetchone() is None

    def finish_batch(
        self, batch: int, *, status: str, finished_at: str, declared_count: int | None = None, error: str | None = None
    ) -> None:
        """End a batch without moving the cursor."""
        with self._transaction() as connection:
            connection.execute(
                "update batches set status = ?, finished_at = ?, declared_count = ?, error = ? where batch = ?",
                (status, finished_at, declared_count, error, batch),
            )
            seal_batch(connection, batch)

    def complete_batch(
        self,
        batch: Batch,
        *,
        finished_at: str,
        declared_count: int | None,
        cursor: str | None,
        forget_before: str | None,
        snapshot: Iterable[tuple[int, bytes]] | None,
        versions: Mapping[str, str] | None = None,
    ) -> None:
        """End a batch and move the cursor in one transaction; `cursor` None leaves it where it is.

        `forget_before`: hashes of pages with an older cursor left the overlap. `snapshot`: page digests that replace
        those of the last complete snapshot. `versions`: the ids that the batch was read for, with their parents'
        versions.
        """
        key = (batch.vendor, batch.account, batch.entity)
        with self._transaction() as connection:
            connection.execute(
                """
                update batches
                set status = 'COMPLETE', finished_at = ?, declared_count = ?, cursor_after = ?
                where batch = ?
                """,
                (finished_at, declared_count, cursor, batch.batch),
            )
            if cursor is not None:
                connection.execute(
                    """
                    insert into cursors (vendor, account, entity, cursor, batch) values (?, ?, ?, ?, ?)
                    on conflict (vendor, account, entity)
                    do update set cursor = excluded.cursor, batch = excluded.batch
                    """,
                    (*key, cursor, batch.batch),
                )
            if forget_before is not None:
                connection.execute(
                    """
                    delete from seen
                    where vendor = ? and account = ? and entity = ? and (cursor is null or cursor < ?)
                    """,
                    (*key, forget_before),
                )
            if snapshot is not None:
                connection.execute("delete from seen where vendor = ? and account = ? and entity = ?", key)
                connection.executemany(
                    "insert into seen (vendor, account, entity, batch, number, hashes) values (?, ?, ?, ?, ?, ?)",
                    ((*key, batch.batch, number, digest) for number, digest in snapshot),
                )
            if versions:
                connection.executemany(
                    "insert or replace into read_ids (vendor, account, entity, id, version, batch) "
                    "values (?, ?, ?, ?, ?, ?)",
                    ((*key, one, version, batch.batch) for one, version in versions.items()),
                )
            seal_batch(connection, batch.batch)

    def batch(self, number: int) -> Batch:
        return _batch(self._connection.execute("select * from batches where batch = ?", (number,)).fetchone())

    def batches(self, *, status: str | None = None, feed: FeedKey | None = None) -> list[Batch]:
        """Batches in order, all or those with a status or of a feed."""
        sql = "select * from batches where 1 = 1"
        parameters: list[Any] = []
        if status is not None:
            sql, parameters = sql + " and status = ?", [*parameters, status]
        if feed is not None:
            sql, parameters = (
                sql + " and vendor = ? and account = ? and entity = ?",
                [*parameters, feed.vendor, feed.account, feed.entity],
            )
        return [_batch(row) for row in self._connection.execute(sql + " order by batch", parameters)]

    # Pages

    def add_page(self, batch: int, *, received: int, unchanged: int) -> None:
        """Count a page of which nothing was landed."""
        with self._transaction() as connection:
            self._count(connection, batch, received, 0, unchanged)

    def add_files(self, feed: FeedKey, pages: Sequence[WrittenPage]) -> None:
        """Count landed pages and remember their records' hashes, in one transaction: from here on they are evidence."""
        overlapped = [page for page in pages if page.is_overlapped]
        with self._transaction() as connection:
            connection.executemany(
                "insert into files values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        file.path, file.batch, file.number, file.record_count, file.byte_count, file.sha256,
                        file.declared_count, file.url, file.http_status, file.fetched_at, file.landed_at,
                        file.stored_sha256,
                    )
                    for file in (page.file for page in pages)
                ],
            )  # fmt: skip
            connection.executemany(
                "insert into record_hashes values (?, ?)", [(page.file.path, page.hashes) for page in pages]
            )
            connection.executemany(
                """
                insert into seen (vendor, account, entity, batch, number, cursor, hashes)
                values (?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    (
                        feed.vendor, feed.account, feed.entity, page.file.batch, page.file.number, page.cursor,
                        page.hashes,
                    )
                    for page in overlapped
                ],
            )  # fmt: skip
            for batch, files in groupby((page.file for page in pages), key=attrgetter("batch")):
                counts = [file.record_count for file in files]
                self._count(connection, batch, sum(counts), sum(counts), 0, pages=len(counts))

    @staticmethod
    def _count(
        connection: sqlite3.Connection, batch: int, received: int, landed: int, unchanged: int, *, pages: int = 1
    ) -> None:
        connection.execute(
            """
            update batches
            set pages = pages + ?,
                records_received = records_received + ?,
                records_landed = records_landed + ?,
                records_unchanged = records_unchanged + ?
            where batch = ?
            """,
            (pages, received, landed, unchanged, batch),
        )

    # Seals

    def seal(self, kind: str, subject: str, content: Mapping[str, str], *, at: str) -> None:
        """Append what something is at this moment to the chain (seals.py): names and their SHA-256."""
        with self._transaction() as connection:
            append(connection, kind, subject, canonical(content), at)

    def last_seal(self, kind: str) -> Seal | None:
        """The newest of its kind."""
        row = self._connection.execute(
            "select * from seals where kind = ? order by sequence desc limit 1", (kind,)
        ).fetchone()
        return None if row is None else Seal(**row)

    def seals(self) -> Iterator[Seal]:
        """The whole chain in order."""
        for row in self._connection.execute("select * from seals order by sequence"):
            yield Seal(**row)

    def batch_content(self, batch: int) -> str:
        """What a seal of the batch says if nothing was changed since."""
        return batch_content(self._connection, batch)

    # Alerts

    def warn(self, warnings: set[str], *, at: str) -> set[str]:
        """Remember that people are told of these warnings; those they were not told of before. None is forgotten: each
        names its day.
        """
        with self._transaction() as connection:
            told = {str(row[0]) for row in connection.execute("select warning from warned")}
            connection.executemany("insert into warned values (?, ?)", ((one, at) for one in warnings - told))
        return warnings - told

    # Reading

    def cursor(self, feed: FeedKey) -> str | None:
        row = self._connection.execute(
            "select cursor from cursors where vendor = ? and account = ? and entity = ?",
            (feed.vendor, feed.account, feed.entity),
        ).fetchone()
        return None if row is None else str(row[0])

    def newest_complete(self) -> dict[FeedKey, str]:
        """When each feed was last read whole, as a UTC stamp."""
        rows = self._connection.execute(
            "select vendor, account, entity, max(finished_at) from batches where status = 'COMPLETE' group by 1, 2, 3"
        )
        return {FeedKey(vendor, account, entity): str(finished) for vendor, account, entity, finished in rows}

    def last_readings(self) -> dict[FeedKey, tuple[str | None, int]]:
        """Of each feed's last reading when it ended, a UTC stamp or None when it did not end well, and how many records
        it received.
        """
        rows = self._connection.execute(
            """
            select vendor, account, entity, case when status = 'COMPLETE' then finished_at end, records_received
            from batches
            where batch in (select max(batch) from batches group by vendor, account, entity)
            """
        )
        return {FeedKey(vendor, account, entity): (at, int(count)) for vendor, account, entity, at, count in rows}

    def newest_landed(self, vendor: str, account: str, entities: Collection[str]) -> int:
        """The last batch that brought a record of one of these feeds, 0 when there was none."""
        names = sorted(entities)
        row = self._connection.execute(
            f"""
            select coalesce(max(batch), 0) from batches
            where vendor = ? and account = ? and entity in ({", ".join("?" * len(names))}) and records_landed > 0
            """,
            (vendor, account, *names),
        ).fetchone()
        return int(row[0])

    def records_landed(self) -> int:
        """Records landed so far, of all feeds and batches."""
        return int(self._connection.execute("select coalesce(sum(records_landed), 0) from batches").fetchone()[0])

    def newest_by_id(self, feed: FeedKey) -> tuple[int, int]:
        """The last complete batch of a by-id feed and for how many ids it was read; (0, 0) when there was none."""
        row = self._connection.execute(
            """
            select batch, (select count(*) from read_ids as r where r.batch = b.batch)
            from batches as b
            where vendor = ? and account = ? and entity = ? and status = 'COMPLETE'
            order by batch desc limit 1
            """,
            (feed.vendor, feed.account, feed.entity),
        ).fetchone()
        return (0, 0) if row is None else (int(row[0]), int(row[1]))

    def read_ids(self, *, after_batch: int) -> list[tuple[str, str, str, str, str, int]]:
        """Ids that later batches were read for: vendor, account, entity, id, parent's version, batch."""
        return self._connection.execute(
            "select vendor, account, entity, id, version, batch from read_ids where batch > ? order by batch, id",
            (after_batch,),
        ).fetchall()

    def seen_pages(self, feed: FeedKey) -> Iterator[bytes]:
        """The remembered bytes of each page, in page order: record hashes (8 bytes each) or, of snapshots, the page's
        digest.
        """
        for row in self._connection.execute(
            "select hashes from seen where vendor = ? and account = ? and entity = ? order by batch, number",
            (feed.vendor, feed.account, feed.entity),
        ):
            yield bytes(row[0])

    def record_hashes(self, paths: Iterable[str]) -> dict[str, bytes]:
        """The hashes of each landed page's records in order, 8 bytes each, by path. Pages that were landed before
        hashes were kept have none.
        """
        found: dict[str, bytes] = {}
        wanted = list(paths)
        for start in range(0, len(wanted), 500):
            some = wanted[start : start + 500]
            found |= self._connection.execute(
                f"select path, hashes from record_hashes where path in ({', '.join('?' * len(some))})", some
            ).fetchall()
        return found

    def files(self, batch: int | None = None) -> list[LandedFile]:
        """Manifest rows in the order of landing."""
        where, parameters = ("", ()) if batch is None else (" where batch = ?", (batch,))
        return [
            LandedFile(**row)
            for row in self._connection.execute(f"select * from files{where} order by batch, number", parameters)
        ]


def _batch(row: Any) -> Batch:
    return Batch(**row)
