"""Raw tables from a warehouse into the loader's Parquet files, and from those into a new warehouse."""

from __future__ import annotations

from pathlib import Path

import duckdb

from orchestration.lib.lake import Lake
from orchestration.lib.raw_tables import OWN_TABLES
from orchestration.lib.settings import Settings
from orchestration.lib.warehouse import columns_of, connect, quote


def write(settings: Settings, url: str) -> None:
    """All of raw, as the loader writes it: for a warehouse that was filled without an address for Parquet."""
    lake = Lake(url)
    with connect(settings) as connection:
        for name in names(connection):
            if name not in OWN_TABLES:
                lake.put_columns(connection, name)
                lake.put(name, connection.sql(f"from raw.{quote(name)}").to_arrow_table(), "all")
        lake.put_own(connection)


def read(settings: Settings, folder: Path) -> None:
    """Create `raw` in a new warehouse from the files, with the types that the loader gives its tables."""
    with connect(settings) as connection:
        connection.execute("create schema raw")
        for path in sorted(each for each in folder.iterdir() if each.is_dir()):
            table = quote(path.name)
            connection.execute(
                f"create table raw.{table} as from read_parquet('{path}/**/*.parquet', "
                "hive_partitioning = true, hive_types_autocast = false, union_by_name = true)"
            )
            for name, kind in columns_of(connection, "raw", path.name):
                if kind == "TIMESTAMP WITH TIME ZONE":
                    connection.execute(
                        f"alter table raw.{table} alter {quote(name)} type timestamp "
                        f"using {quote(name)} at time zone 'UTC'"
                    )


def odd_tables(ours: Settings, theirs: Settings) -> list[str]:
    """Tables of raw whose columns, types or rows are not the same in two warehouses."""
    odd = []
    with connect(theirs) as connection:
        connection.execute(f"attach '{ours.warehouse_path}' as ours (read_only)")
        for name in names(connection):
            columns = [
                sorted(row[:2] for row in connection.execute(f"describe {schema}.{quote(name)}").fetchall())
                for schema in ("raw", "ours.raw")
            ]
            listed = ", ".join(quote(column) for column, _ in columns[0])
            sides = [f"select {listed} from {schema}.{quote(name)}" for schema in ("raw", "ours.raw")]
            if columns[0] != columns[1] or any(
                connection.execute(f"{one} except all {other}").fetchone() for one, other in (sides, sides[::-1])
            ):
                odd.append(name)
    return odd


def names(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The tables of raw of the open warehouse that models read: the vendors' and our own, no working tables."""
    found = connection.execute(
        """
        select table_name, bool_or(column_name = '_account')
        from duckdb_columns()
        where schema_name = 'raw' and database_name = current_database()
        group by table_name
        order by table_name
        """
    ).fetchall()
    return [str(name) for name, has_account in found if has_account or name in OWN_TABLES]
