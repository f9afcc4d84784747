"""SuiteQL as text: a page of a feed by keyset, and what the answers to bad statements mean.

Ids are numbers in SQL and texts on the wire, so a position is written as a number: as text, 9 would come after 10.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from connectors.netsuite.fields import DAY_FORM, SECOND_FORM, Field
from connectors.netsuite.query import PRIMARY_BOOK, Key, Query

_UNKNOWN_COLUMN = re.compile(
    r"Unknown identifier '([^']+)'|Field '([^']+)' for record '[^']+' was not found", re.IGNORECASE
)
_UNSUPPORTED = "invalid or unsupported search"
_UNKNOWN_TABLE = re.compile(r"(?:Record '([^']+)' was not found|Invalid search type: ([A-Za-z0-9_]+))")
Position = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """Which part of a feed: changed at or after `since` (UTC), and after a position in the order of its keys."""

    since: datetime | None = None
    after: Position | None = None


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def selected(query: Query, missing: Set[str]) -> tuple[Field, ...]:
    return tuple(field for field in query.fields if field.of not in missing and field.function not in missing)


def statement(query: Query, part: Slice, *, missing: Set[str] = frozenset(), primary_book: int = 1) -> str:
    """The statement for the next rows of a feed, without the columns that the account lacks.

    Raises ValueError when a position is not of its key's kind.
    """
    columns = ", ".join(field.sql for field in selected(query, missing))
    conditions = [
        condition.sql.replace(PRIMARY_BOOK, str(primary_book))
        for condition in query.conditions
        if not (condition.is_dropped and set(condition.needs) & missing)
    ]
    if part.since is not None and (changed := [c for c in query.changed if c not in missing]):
        conditions.append("(" + " OR ".join(_changed_since(column, part.since) for column in changed) + ")")
    if part.after is not None:
        conditions.append(f"({_beyond(query.keys, part.after)})")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    order = ", ".join(key.sql for key in query.keys)
    return f"SELECT {columns} FROM {query.source}{where} ORDER BY {order}"  # noqa: S608  # names from our own tables


def _changed_since(column: str, since: datetime) -> str:
    """The exact condition in UTC, led by a coarse one on the bare column that an index can serve: no zone of an
    account is a day from UTC.
    """
    utc = since.astimezone(UTC)
    coarse = f"TO_DATE('{utc - timedelta(days=1):%Y-%m-%d}','{DAY_FORM}')"
    exact = f"TO_TIMESTAMP('{utc:%Y-%m-%d %H:%M:%S}','{SECOND_FORM}')"
    return f"({column} >= {coarse} AND SYS_EXTRACT_UTC({column}) >= {exact})"


def _beyond(keys: tuple[Key, ...], position: Position) -> str:
    """Rows after a position: later in the first key, or equal there and later in the next, and so on."""
    literals = [_literal(key, value) for key, value in zip(keys, position, strict=True)]
    ways = []
    for last in range(len(keys)):
        equal = [f"{keys[i].sql} = {literals[i]}" for i in range(last)]
        ways.append(" AND ".join([*equal, f"{keys[last].sql} > {literals[last]}"]))
    return ways[0] if len(ways) == 1 else " OR ".join(f"({way})" for way in ways)


def _literal(key: Key, value: str) -> str:
    if key.kind == "number":
        return str(int(value))
    if key.kind == "day":
        return f"TO_DATE('{datetime.strptime(value, '%Y-%m-%d').replace(tzinfo=UTC):%Y-%m-%d}','{DAY_FORM}')"
    return quoted(value)


def is_beyond(query: Query, position: Position, before: Position | None) -> bool:
    """Whether a position is past the one before it; texts, whose order is the database's, need only differ."""
    if before is None:
        return True
    count = next((i for i, key in enumerate(query.keys) if key.kind != "number"), len(query.keys))
    here, there = (tuple(map(int, p[:count])) for p in (position, before))
    return here > there or (here == there and count < len(query.keys) and position != before)


def position_of(query: Query, row: Mapping[str, str]) -> Position:
    """A row's place in the order of the feed. Raises KeyError when it lacks a key, ValueError when it is no number."""
    position = tuple(row[key.name] for key in query.keys)
    for key, value in zip(query.keys, position, strict=True):
        _literal(key, value)
    return position


def unknown_column(detail: str) -> str | None:
    """The column that an error text says the account lacks, in lower case and as it stands there."""
    found = _UNKNOWN_COLUMN.search(detail)
    return (found[1] or found[2]).lower() if found else None


def unknown_table(detail: str) -> str | None:
    """The table that an error text says cannot be read."""
    found = _UNKNOWN_TABLE.search(detail)
    return (found[1] or found[2]).lower() if found else None


def function_to_drop(query: Query, missing: Set[str], detail: str) -> str | None:
    """Which function of `BUILTIN` to leave out after an error that may be about it: such errors name nothing."""
    if _UNSUPPORTED not in detail.lower():
        return None
    return next((field.function for field in selected(query, missing) if field.function is not None), None)


def to_drop(query: Query, missing: Set[str], named: str) -> str | None:
    """Which column to leave out for the one that an error names; None when the feed cannot be read without it."""
    table, _, identifier = named.rpartition(".")
    bound = {key.sql for key in query.keys}
    bound.update(need for condition in query.conditions if not condition.is_dropped for need in condition.needs)
    candidates = [
        of
        for of in dict.fromkeys([*(field.of for field in query.fields), *query.changed])
        if of not in missing and of.rpartition(".")[2] == identifier and of not in bound
    ]
    exact = [of for of in candidates if of == named] if table else []
    # The same name in two joined tables: the lesser one goes first, and the next answer tells whether it was that.
    version = next((f.of for f in query.fields if f.column.name == query.version_column), None)
    return min(exact or candidates, key=lambda of: of == version, default=None)
