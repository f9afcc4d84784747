"""`raw.*` as Parquet on shared storage, for engines that do not read DuckDB's file (docs/spark.md).

    <address>/<table>/_account=<account>/<group of files>.parquet     the vendors' tables, a folder per account
    <address>/<table>/all.parquet                                     our own, whole each time

Types are the warehouse's, except that times are instants in UTC: a Parquet time without a zone is another type in
Spark. Each table of a vendor has a file without rows, so that it has columns before it has a row, and so that accounts
that are numbers stay texts.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Self
from urllib.parse import quote as quoted

import duckdb
import fsspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from orchestration.lib.raw_tables import OWN_TABLES
from orchestration.lib.settings import Settings
from orchestration.lib.warehouse import quote

NO_ACCOUNT = "__none__"
"""The partition of the files without rows."""


class Lake:
    """A folder or an address that fsspec can write to."""

    def __init__(self, url: str) -> None:
        self._files, self._root = fsspec.core.url_to_fs(url)

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """The one that is configured, None when raw stays in the warehouse."""
        return cls(settings.raw_url) if settings.raw_url else None

    def put(self, table: str, rows: pa.Table, name: str) -> None:
        """Write rows of a vendor's table, a file per account. Each is complete before it has its name, and replaces one
        of the same name. Times without a zone are taken as UTC.
        """
        for account in pc.unique(rows["_account"]).to_pylist():
            part = rows.filter(pc.equal(rows["_account"], account)).drop_columns("_account")
            self._write(PurePosixPath(table, f"_account={quoted(account, safe='')}", f"{name}.parquet"), part)

    def tables(self) -> set[str]:
        """The vendors' tables that have their file without rows."""
        found = self._files.glob(f"{self._root}/*/_account={NO_ACCOUNT}/columns.parquet")
        return {PurePosixPath(path).parts[-3] for path in found}

    def put_columns(self, connection: duckdb.DuckDBPyConnection, table: str) -> None:
        """Write the file without rows of a vendor's table of the warehouse."""
        rows = connection.sql(f"from raw.{quote(table)} limit 0").to_arrow_table()
        self._write(PurePosixPath(table, f"_account={NO_ACCOUNT}", "columns.parquet"), rows.drop_columns("_account"))

    def put_own(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Write the tables that are no vendor's, whole."""
        for table in OWN_TABLES:
            rows = connection.sql(f"from raw.{quote(table)}").to_arrow_table()
            self._write(PurePosixPath(table, "all.parquet"), rows)

    def remove(self) -> None:
        """Everything below the address."""
        if self._files.exists(self._root):
            self._files.rm(self._root, recursive=True)

    def _write(self, place: PurePosixPath, rows: pa.Table) -> None:
        path = PurePosixPath(self._root, place)
        self._files.makedirs(str(path.parent), exist_ok=True)
        draft = str(path.with_name(f"_{path.name}.part"))  # readers skip names that begin with a line below
        with self._files.open(draft, "wb") as file:
            pq.write_table(rows.cast(_portable(rows.schema)), file, compression="zstd")
        self._files.mv(draft, str(path))


def _portable(schema: pa.Schema) -> pa.Schema:
    fields = []
    for field in schema:
        kind = field.type
        if pa.types.is_timestamp(kind):
            kind = pa.timestamp("us", "UTC")
        elif pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
            kind = pa.string()
        fields.append(pa.field(field.name, kind))
    return pa.schema(fields)
