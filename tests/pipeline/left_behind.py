"""Everything an installation leaves behind, as text: databases, Parquet, archives, logs. What is compressed or encoded
is read by the program that wrote it, so that nothing hides from a search.
"""

from __future__ import annotations

import io
import sqlite3
import zipfile
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path

import duckdb


def texts(folder: Path, without: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """(name, text) of every file below `folder` but those in the folders named in `without`."""
    for path in sorted(folder.rglob("*")):
        below = path.relative_to(folder)
        if path.is_file() and not path.is_symlink() and below.parts[0] not in without:
            yield str(below), _text(path)


def _text(path: Path) -> str:
    if path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            names = connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
            return "\n".join(_of_table(connection, f'"{schema}"."{name}"') for schema, name in names)
    if path.suffix == ".parquet":
        with duckdb.connect() as connection:
            return _of_table(connection, f"'{path}'")
    if path.read_bytes()[:16] == b"SQLite format 3\x00":
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return "\n".join(connection.iterdump())
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
            return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
    return path.read_bytes().decode("utf-8", "replace")


def _of_table(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    columns = [row[0] for row in connection.execute(f"describe select * from {table}").fetchall()]
    parts = []
    for column in columns:
        values = connection.execute(f'select distinct cast("{column}" as varchar) from {table}').fetchall()
        parts += [value for (value,) in values if value is not None]
    return "\n".join(parts)
