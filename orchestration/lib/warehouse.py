"""The DuckDB file: opened by one at a time, closed for certain.

DuckDB lets one process open a file for writing, and then nobody else can open it at all. A lock file makes a second
process wait instead of failing, and covers dbt as well, which opens the file by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
from filelock import FileLock

from orchestration.lib.settings import Settings

WAIT_SECONDS = 1800.0


@contextmanager
def exclusive(settings: Settings, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Hold the right to open the warehouse. The holder may take it again; other processes wait.

    Raises filelock.Timeout.
    """
    settings.locks_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.locks_dir / "warehouse.lock", timeout=wait_seconds, is_singleton=True):
        yield


@contextmanager
def connect(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse, opened for writing within the memory limit; closed when the block ends, whatever happened in
    it.
    """
    settings.temporary_dir.mkdir(parents=True, exist_ok=True)
    with exclusive(settings):
        connection = duckdb.connect(
            str(settings.warehouse_path),
            config={
                "memory_limit": settings.memory_limit,
                "threads": settings.threads,
                "temp_directory": str(settings.temporary_dir),
                "preserve_insertion_order": True,
                # The default of 16 MB rewrites the file every few transactions of a load.
                "checkpoint_threshold": "256MB",
            },
        )
        try:
            connection.execute("set TimeZone = 'UTC'")
            yield connection
        finally:
            connection.close()


def columns_of(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> list[tuple[str, str]]:
    """Names and types of a table's columns, in their order; none when there is no such table.

    By `describe`: the catalogue's own view lists every column of every table first, at some milliseconds a question.
    """
    try:
        rows = connection.execute(f"describe {quote(schema)}.{quote(table)}").fetchall()
    except duckdb.CatalogException:
        return []
    return [(str(row[0]), str(row[1])) for row in rows]


def content_digest(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> tuple[int, str]:
    """Number of rows, and a digest of the rows as a multiset: it depends on content and columns, not on the order.

    It adds up two hashes of each row, so that no sort is needed. It tells whether something changed; it is no proof
    against somebody who wants a collision, and another version of DuckDB may give another digest.
    """
    columns = columns_of(connection, schema, table)
    names = ", ".join(quote(str(name)) for name, _ in columns)
    row = connection.execute(
        f"""
        select
            count(*),
            coalesce(sum(hash({names})::hugeint), 0)::varchar,
            coalesce(sum(hash('second', {names})::hugeint), 0)::varchar
        from {quote(schema)}.{quote(table)}
        """  # noqa: S608  # names come from the catalogue and are quoted
    ).fetchone()
    assert row is not None  # an aggregate without grouping always has one row
    shape = ",".join(f"{name} {kind}" for name, kind in columns)
    text = f"{duckdb.__version__}|{shape}|{row[0]}|{row[1]}|{row[2]}"
    return int(row[0]), hashlib.sha256(text.encode()).hexdigest()


def quote(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
