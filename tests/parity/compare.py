"""Compares two warehouses table by table: the canonical ledger and the marts, row by row, as texts of equal values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa

SCHEMAS = ("ledger", "marts")
SHOWN = 3
"""Rows that a difference shows of each side."""
Row = tuple[object, ...]


@dataclass(frozen=True)
class Rule:
    """What of a table cannot be equal, each with its reason.

    `without`: columns left out. `reads`: columns compared as an expression. `only`: a condition that rows must meet to
    be compared. `sums`: columns added up over rows that are equal in all others; rows whose sums are all nil are left
    out then. An expression may name another table of the same side: `{side}.schema.table` in double quotes.
    """

    without: Mapping[str, str] = field(default_factory=dict)
    reads: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    only: tuple[str, str] | None = None
    sums: tuple[Sequence[str], str] | None = None

    def reasons(self) -> Iterable[tuple[str, str]]:
        """What is left out or added up, and why."""
        yield from self.without.items()
        yield from ((f"{column} as {read}", why) for column, (read, why) in self.reads.items())
        if self.only:
            yield f"only rows where {self.only[0]}", self.only[1]
        if self.sums:
            yield f"sums of {', '.join(self.sums[0])}", self.sums[1]


@dataclass(frozen=True)
class Compared:
    """One table: rows compared on each side, and those that only one side has (a few of them)."""

    name: str
    left_rows: int
    right_rows: int
    columns: tuple[str, ...]
    differences: int
    left_only: tuple[Row, ...] = ()
    right_only: tuple[Row, ...] = ()
    problem: str = ""

    @property
    def is_equal(self) -> bool:
        return not self.differences and not self.problem


Tables = Mapping[str, pa.Table]


def read(warehouse: Path) -> dict[str, pa.Table]:
    """Every table and view of the compared schemas, as `schema.name`."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        names = connection.execute(
            "select table_schema, table_name from information_schema.tables "
            "where list_contains(?, table_schema) order by all",
            [list(SCHEMAS)],
        ).fetchall()
        return {
            f"{schema}.{name}": connection.sql(f'select * from "{schema}"."{name}"').to_arrow_table()
            for schema, name in names
        }


def compare(
    left: Tables,
    right: Tables,
    everywhere: Mapping[str, str],
    rules: Mapping[str, Rule],
    tables: Mapping[str, str] | None = None,
) -> list[Compared]:
    """`everywhere` are columns left out of every table, `tables` are left out whole, each with its reason.

    Raises ValueError when a rule is about nothing.
    """
    left_out = set(tables or ())
    if gone := sorted(left_out - {*left, *right}):
        raise ValueError(f"left out, but not there: {', '.join(gone)}")
    _check(left, right, everywhere, rules)
    found = []
    for name in sorted({*left, *right} - left_out):
        if name not in left or name not in right:
            side = "left" if name in left else "right"
            found.append(Compared(name, 0, 0, (), 1, problem=f"exists on the {side} only"))
            continue
        found.append(_compare_table(name, left, right, everywhere, rules.get(name, Rule())))
    return found


def _check(left: Tables, right: Tables, everywhere: Mapping[str, str], rules: Mapping[str, Rule]) -> None:
    """A rule that nothing needs any more hides what it was not made for."""
    unknown = sorted(set(rules) - {*left, *right})
    if unknown:
        raise ValueError(f"rules about tables that do not exist: {', '.join(unknown)}")
    for name, rule in rules.items():
        columns = set(left[name].column_names) if name in left else set(right[name].column_names)
        named = {*rule.without, *rule.reads, *(rule.sums[0] if rule.sums else ())}
        if absent := sorted(named - columns):
            raise ValueError(f"the rule of {name} is about columns that it does not have: {', '.join(absent)}")
        if twice := sorted(named & set(everywhere)):
            raise ValueError(f"the rule of {name} repeats what holds everywhere: {', '.join(twice)}")


def _compare_table(name: str, lefts: Tables, rights: Tables, everywhere: Mapping[str, str], rule: Rule) -> Compared:
    left, right = lefts[name], rights[name]
    if left.column_names != right.column_names:
        odd = sorted(set(left.column_names) ^ set(right.column_names))
        return Compared(name, left.num_rows, right.num_rows, (), 1, problem=f"other columns: {', '.join(odd)}")
    columns = tuple(column for column in left.column_names if column not in {*everywhere, *rule.without})
    with duckdb.connect() as connection:
        for side, tables in (("left", lefts), ("right", rights)):
            for table, rows in tables.items():
                connection.register(f"{side}.{table}", rows)
            connection.execute(f"create temp table {side}_side as {_selected(side, name, columns, rule)}")
        counts = [_count(connection, f"{side}_side") for side in ("left", "right")]
        only = []
        for one, other in (("left", "right"), ("right", "left")):
            connection.execute(f"create temp table {one}_only as (from {one}_side except all from {other}_side)")
            only.append(_count(connection, f"{one}_only"))
        samples = [
            tuple(connection.execute(f"from {side}_only order by all limit {SHOWN}").fetchall())
            for side in ("left", "right")
        ]
    return Compared(name, counts[0], counts[1], columns, max(only), samples[0], samples[1])


def _selected(side: str, name: str, columns: Sequence[str], rule: Rule) -> str:
    summed = set(rule.sums[0]) if rule.sums else set()
    reads = {column: f'"{column}"' for column in columns}
    reads |= {column: read.replace("{side}", side) for column, (read, _) in rule.reads.items()}
    reads |= {column: f"sum({reads[column]})" for column in columns if column in summed}
    parts = [f'{reads[column]} as "{column}"' for column in columns]
    where = f" where {rule.only[0].replace('{side}', side)}" if rule.only else ""
    nonzero = " or ".join(f"{reads[column]} <> 0" for column in columns if column in summed)
    group = f" group by all having {nonzero}" if summed else ""
    return f'select {", ".join(parts)} from "{side}.{name}"{where}{group}'


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(connection.execute(f"select count(*) from {table}").fetchall()[0][0])
