"""The DuckDB file: opened by one at a time, closed for certain.

DuckDB lets one process open a file for writing, and then nobody else can open it at all. A lock file makes a second
process wait instead of failing, and covers dbt as well, which opens the file by itself.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from filelock import FileLock

from orchestration.lib.files import replace_file
from orchestration.lib.settings import Settings

WAIT_SECONDS = 1800.0
HEADER_BYTES = 3 * 4096
"""DuckDB's main header and its two alternating database headers."""
OPEN = "open"
"""What stands for a header while the file is in use."""


class WarehouseChanged(Exception):
    """Somebody wrote to the warehouse outside Tieout. What was built on it would be theirs, not the evidence's."""


@contextmanager
def exclusive(settings: Settings, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Hold the right to open the warehouse. The holder may take it again; other processes wait.

    Raises filelock.Timeout, and WarehouseChanged.
    """
    settings.locks_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.locks_dir / "warehouse.lock", timeout=wait_seconds, is_singleton=True) as lock:
        if lock.lock_counter > 1:
            yield
            return
        if (problem := warehouse_problem(settings)) is not None:
            raise WarehouseChanged(problem)
        _note(settings, OPEN)
        yield
        # After an error a connection may still be open, and a log beside the file is not yet in it: then nobody knows.
        if not settings.warehouse_path.with_name(settings.warehouse_path.name + ".wal").exists():
            _note(settings, _header(settings) or OPEN)


def warehouse_problem(settings: Settings) -> str | None:
    """How somebody else wrote to the file since it was last closed here; None when nobody did, or when a run was cut
    off in it, which makes its own repair.

    DuckDB writes its header with every change and a checksum with every block: an edit through DuckDB is found here,
    one around it when the block is read.
    """
    try:
        noted = _note_path(settings).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    found = _header(settings)
    if found is None or noted in (OPEN, found):
        return None
    return f"{settings.warehouse_path} was changed outside Tieout since it was last closed"


def forget_changes(settings: Settings) -> None:
    """Take the file as it is, whoever wrote it: before it is thrown away and made anew."""
    _note_path(settings).unlink(missing_ok=True)


def _header(settings: Settings) -> str | None:
    """Digest of the file's header and size; None when there is no file."""
    try:
        with settings.warehouse_path.open("rb") as file:
            content = file.read(HEADER_BYTES)
            return hashlib.sha256(content + str(os.fstat(file.fileno()).st_size).encode()).hexdigest()
    except FileNotFoundError:
        return None


def _note(settings: Settings, text: str) -> None:
    """Durable, so that a power cut never leaves the header of an earlier closing beside a file that went on."""
    replace_file(_note_path(settings), text.encode("ascii"))


def _note_path(settings: Settings) -> Path:
    return settings.warehouse_path.with_suffix(".seal")


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
