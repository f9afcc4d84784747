"""`raw.*` as Parquet on shared storage, for engines that do not read DuckDB's file (docs/spark.md).

    <address>/<table>/_account=<account>/<name>.parquet     the vendors' tables, a folder per account
    <address>/<table>/<name>.parquet                        our own, which have no account

Types are the warehouse's, except that times are instants in UTC: a Parquet time without a zone is another type in
Spark. Each table has a file without rows, so that it has columns before it has a row, and so that accounts that are
numbers stay texts.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import quote as quoted

import duckdb
import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.lib.settings import Settings
from orchestration.lib.warehouse import columns_of, connect, quote

NO_ACCOUNT = "__none__"
"""The partition of the file without rows."""
_KINDS = {"VARCHAR": pa.string(), "BIGINT": pa.int64(), "BOOLEAN": pa.bool_(), "TIMESTAMP": pa.timestamp("us", "UTC")}


class Lake:
    """A folder or an address that fsspec can write to."""

    def __init__(self, url: str) -> None:
        self._files, self._root = fsspec.core.url_to_fs(url)

    def replace(self, table: str, rows: pa.Table, name: str) -> None:
        """Write the rows of one table: one file per account, complete before it has its name.

        The same name replaces what an interrupted run left. Times in `rows` without a zone are taken as UTC.
        """
        rows = rows.cast(pa.schema([pa.field(each.name, _kind(each.type)) for each in rows.schema]))
        if "_account" not in rows.schema.names:
            self._write(PurePosixPath(self._root, table, f"{name}.parquet"), rows)
            return
        accounts = rows["_account"]
        for account in accounts.unique().to_pylist():
            part = rows.filter(pa.compute.equal(accounts, account)).drop_columns("_account")
            self._write(
                PurePosixPath(self._root, table, f"_account={quoted(account, safe='')}", f"{name}.parquet"), part
            )
        self._write(
            PurePosixPath(self._root, table, f"_account={NO_ACCOUNT}", "columns.parquet"),
            rows.slice(0, 0).drop_columns("_account"),
        )

    def remove(self) -> None:
        """Everything below the address."""
        if self._files.exists(self._root):
            self._files.rm(self._root, recursive=True)

    def _write(self, path: PurePosixPath, rows: pa.Table) -> None:
        self._files.makedirs(str(path.parent), exist_ok=True)
        draft = str(path.with_name(f"_{path.name}.part"))  # readers skip names that begin with a line below
        with self._files.open(draft, "wb") as file:
            pq.write_table(rows, file, compression="zstd")
        self._files.mv(draft, str(path))


def _kind(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(kind):
        return _KINDS["TIMESTAMP"]
    return pa.string() if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) else kind


def export(settings: Settings, url: str) -> int:
    """Write all of raw anew; how many tables. What stood there before is removed first."""
    lake = Lake(url)
    lake.remove()
    with connect(settings) as connection:
        names = [
            str(row[0])
            for row in connection.execute(
                "select table_name from information_schema.tables where table_schema = 'raw' order by 1"
            ).fetchall()
        ]
        for name in names:
            lake.replace(name, connection.sql(f"from raw.{quote(name)}").to_arrow_table(), "all")
    return len(names)


def read_back(connection: duckdb.DuckDBPyConnection, table: str, folder: str) -> None:
    """Create `raw.<table>` in a warehouse from the files of a local folder, with the types that the loader gives it."""
    connection.execute(
        f"create table raw.{quote(table)} as from read_parquet("
        f"'{folder}/**/*.parquet', hive_partitioning = true, hive_types_autocast = false, union_by_name = true)"
    )
    for name, kind in columns_of(connection, "raw", table):
        if kind == "TIMESTAMP WITH TIME ZONE":
            connection.execute(
                f"alter table raw.{quote(table)} alter {quote(name)} type timestamp "
                f"using {quote(name)} at time zone 'UTC'"
            )
