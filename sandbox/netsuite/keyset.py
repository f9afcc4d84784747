"""Reading on behind a position, as each page of a long feed: `WHERE k1 > 5 OR (k1 = 5 AND k2 > 7) ORDER BY k1, k2`.

The account's database would serve that from an index. Here the keys of all rows that the query speaks of are sorted
once and kept until somebody writes; a page then runs between the position and the last key that it can hold, and knows
how many rows are left without counting them.
"""

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from sqlglot import exp

from sandbox.netsuite.database import Database

MOST_KEPT = 4
"""Queries whose keys are kept: 16 bytes a row with two numbers."""
_KEY_TYPES = {"integer": int, "varchar": str}


@dataclass(frozen=True)
class Keyset:
    """How a query goes on behind a position. `keys` asks for the keys of all its rows, `page` for rows between two
    first keys. `position` are, per key, the literals behind which it reads: equal values, or it is no position. `types`
    are the keys' in Python.
    """

    keys: exp.Select
    page: exp.Select
    position: tuple[tuple[exp.Literal, ...], ...]
    types: tuple[type, ...]


def keyset_of(tree: exp.Expression, kinds: Mapping[str, str], lower: exp.Literal, upper: exp.Literal) -> Keyset | None:
    """Takes a query apart; None when it is of another form. `kinds` are those of the order's columns by their SQL;
    `lower` and `upper` stand for the bounds of the first key.
    """
    plain = ("distinct", "group", "having", "qualify", "limit", "offset")
    if not isinstance(tree, exp.Select) or any(tree.args.get(part) for part in plain):
        return None
    order, where = tree.args.get("order"), tree.args.get("where")
    if order is None or where is None:
        return None
    columns = [part.this for part in order.expressions]
    if any(part.args.get("desc") for part in order.expressions) or any(
        kinds.get(c.sql()) not in _KEY_TYPES for c in columns
    ):
        return None
    conditions = list(where.this.flatten()) if isinstance(where.this, exp.And) else [where.this]
    for condition in conditions:
        position = _position(condition, columns)
        if position is None:
            continue
        rest = [other.copy() for other in conditions if other is not condition]
        named = [exp.alias_(column.copy(), f"k{n}") for n, column in enumerate(columns)]
        keys = tree.copy()
        keys.set("expressions", named)
        keys.set("where", exp.Where(this=exp.and_(*rest)) if rest else None)
        page = tree.copy()
        bounds = exp.GTE(this=columns[0].copy(), expression=lower), exp.LTE(this=columns[0].copy(), expression=upper)
        page.set("where", exp.Where(this=exp.and_(*bounds, condition.copy(), *rest)))
        return Keyset(keys, page, position, tuple(_KEY_TYPES[kinds[column.sql()]] for column in columns))
    return None


def _position(
    condition: exp.Expression, columns: Sequence[exp.Expression]
) -> tuple[tuple[exp.Literal, ...], ...] | None:
    """The literals of a condition that reads on behind them in the order of `columns`."""
    ways = list(condition.unnest().flatten()) if isinstance(condition.unnest(), exp.Or) else [condition.unnest()]
    if len(ways) != len(columns):
        return None
    position: list[list[exp.Literal]] = [[] for _ in columns]
    for last, way in enumerate(ways):
        parts = list(way.unnest().flatten()) if isinstance(way.unnest(), exp.And) else [way.unnest()]
        wanted: list[type[exp.Expression]] = [exp.EQ] * last + [exp.GT]
        if [type(part) for part in parts] != wanted or [part.this for part in parts] != list(columns[: last + 1]):
            return None
        for values, part in zip(position, parts, strict=False):
            if not isinstance(part.expression, exp.Literal):
                return None
            values.append(part.expression)
    return tuple(map(tuple, position))


class SortedKeys:
    """The keys of the queries read last, sorted, as the database stands."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[int, pa.Table]] = OrderedDict()

    def behind(self, sql: str, position: Sequence[Any], most: int) -> tuple[Any, int] | None:
        """The first key of the last of `most` rows behind a position, and how many are there in all. None when the
        keys cannot say: some are NULL, or none is left. Raises duckdb.Error.
        """
        keys = self._of(sql)
        if any(column.null_count for column in keys.columns):
            return None
        wanted = tuple(position)
        rank = bisect_right(range(keys.num_rows), wanted, key=lambda row: tuple(c[row].as_py() for c in keys.columns))
        left = keys.num_rows - rank
        if not left:
            return None
        return keys.column(0)[min(rank + most, keys.num_rows) - 1].as_py(), left

    def _of(self, sql: str) -> pa.Table:
        with self._lock:
            version = self._database.version  # before reading: what is written meanwhile makes the keys old
            found = self._kept.pop(sql, None)
            if found is None or found[0] != version:
                found = version, self._database.table(sql).combine_chunks()
            self._kept[sql] = found
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            return found[1]
