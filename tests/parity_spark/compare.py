"""Compares a DuckDB warehouse with tables that another engine wrote as Parquet: columns, types and every row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

SCHEMAS = ("marts", "actions")
SHOWN = 3
"""Rows that a difference shows of each side."""


@dataclass(frozen=True)
class Compared:
    """One table: its rows on each side, and how many of them the other side does not have."""

    name: str
    left_rows: int
    right_rows: int
    differences: int
    problem: str = ""
    left_only: tuple[str, ...] = ()
    right_only: tuple[str, ...] = ()


def compare(warehouse: Path, folder: Path) -> list[Compared]:
    """Every table of the compared schemas; `folder` holds `<schema>.<table>.parquet`."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach '{warehouse}' as ours (read_only)")
        names = {
            f"{schema}.{table}"
            for schema, table in connection.execute(
                "select table_schema, table_name from information_schema.tables "
                "where table_catalog = 'ours' and list_contains(?, table_schema)",
                [list(SCHEMAS)],
            ).fetchall()
        }
        theirs = {path.name.removesuffix(".parquet") for path in folder.glob("*.parquet")}
        found = [Compared(name, 0, 0, 1, "is missing on DuckDB") for name in theirs - names]
        found += [Compared(name, 0, 0, 1, "is missing on the other engine") for name in names - theirs]
        found += [_table(connection, name, folder) for name in names & theirs]
        return sorted(found, key=lambda each: each.name)


def _table(connection: duckdb.DuckDBPyConnection, name: str, folder: Path) -> Compared:
    connection.execute(f"create or replace temp view left_rows as from ours.{name}")
    # Spark's timestamp is an instant; the warehouse keeps the same instant as UTC without a zone.
    connection.execute(
        "create or replace temp view right_rows as "
        f"select {_in_utc(connection, folder / f'{name}.parquet')} from '{folder / f'{name}.parquet'}'"
    )
    columns = [_columns(connection, side) for side in ("left_rows", "right_rows")]
    counts = [_count(connection, side) for side in ("left_rows", "right_rows")]
    if columns[0] != columns[1]:
        odd = [
            f"{left} here, {right} there" for left, right in zip(columns[0], columns[1], strict=False) if left != right
        ]
        return Compared(name, counts[0], counts[1], 1, f"other columns: {'; '.join(odd) or 'their number'}")
    only: list[int] = []
    samples: list[tuple[str, ...]] = []
    for one, other in (("left_rows", "right_rows"), ("right_rows", "left_rows")):
        connection.execute(f"create or replace temp table rest as (from {one} except all from {other})")
        only.append(_count(connection, "rest"))
        rows = connection.execute(f"from rest order by all limit {SHOWN}").fetchall()
        samples.append(tuple(str(dict(zip((c for c, _ in columns[0]), row, strict=True))) for row in rows))
    return Compared(name, counts[0], counts[1], max(only), "", samples[0], samples[1])


def _in_utc(connection: duckdb.DuckDBPyConnection, path: Path) -> str:
    names = connection.execute(f"describe from '{path}'").fetchall()
    return ", ".join(
        f'"{name}" at time zone \'UTC\' as "{name}"' if kind == "TIMESTAMP WITH TIME ZONE" else f'"{name}"'
        for name, kind, *_ in names
    )


def _columns(connection: duckdb.DuckDBPyConnection, relation: str) -> list[tuple[str, str]]:
    return [(str(row[0]), str(row[1])) for row in connection.execute(f"describe {relation}").fetchall()]


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    return int(connection.execute(f"select count(*) from {relation}").fetchall()[0][0])


def report(compared: Sequence[Compared], engine: str) -> str:
    """The tables with their rows and differences, and rows of the first differences."""
    width = max((len(each.name) for each in compared), default=5)
    lines = [f"{'table':{width}}  {'DuckDB':>9}  {engine:>9}  differences"]
    for each in compared:
        lines.append(f"{each.name:{width}}  {each.left_rows:>9,}  {each.right_rows:>9,}  {each.differences:>11,}")
    for each in compared:
        if each.differences:
            lines += ["", f"{each.name} {each.problem}"]
            lines += [f"  DuckDB only: {row}" for row in each.left_only]
            lines += [f"  {engine} only: {row}" for row in each.right_only]
    rows = sum(each.left_rows for each in compared)
    differences = sum(each.differences for each in compared)
    lines += ["", f"{len(compared)} tables compared, {rows:,} rows: {differences:,} differences"]
    return "\n".join(lines)
