"""Records as rows by plain reading: nested dictionaries walked step by step, nothing of the decoder used.

It is slow and obvious, and says what a decoder's tables must hold.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from connectors.records import Column, FeedSpec, Kind, Source, TableSpec

Row = dict[str, Any]


class Number(str):
    """A JSON number as it is written."""

    __slots__ = ()


def written(value: Any) -> str:
    """JSON with its numbers exactly as they stand in `Number`."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{written(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    assert value is None or isinstance(value, str | bool), "numbers are written by Number"
    return json.dumps(value, ensure_ascii=False)


def rows(spec: FeedSpec, records: list[Any]) -> dict[str, list[Row]]:
    """Each table's rows: `_position`, `_index` in a child table, and the columns that are taken over as they are.

    A child's rows come source by source, within a source record by record.
    """
    return {table.name: list(_rows(spec, table, records)) for table in spec.tables}


def _rows(spec: FeedSpec, table: TableSpec, records: list[Any]) -> Iterator[Row]:
    seen: Counter[int] = Counter()
    for source in table.sources or (None,):
        for position, record in enumerate(records):
            for levels in _elements(record, source):
                own = {"_index": seen[position]} if table.parent is not None else {}
                seen[position] += 1
                yield (
                    {"_position": position} | own | {c.name: _cell(c, source, levels) for c in taken_over(spec, table)}
                )


def taken_over(spec: FeedSpec, table: TableSpec) -> list[Column]:
    """The columns whose text is that of one member, not derived from it or from several."""
    derived = COMPUTED.get(spec.entity, ()) if table.parent is None else ()
    return [column for column in table.columns if column.via is None and column.name not in derived]


COMPUTED = {"products": ("product_reference",), "document_request_lines": ("document_request_id",)}
"""Columns of root tables that no single member holds."""


def unknown_values(spec: FeedSpec, found: dict[str, list[Row]]) -> Counter[str]:
    """Values outside the published ones, as a decoder counts them."""
    counter: Counter[str] = Counter()
    for table in spec.tables:
        for column in taken_over(spec, table):
            for row in found[table.name] if column.known else ():
                value = row[column.name]
                if value is not None and value not in column.known:
                    counter[f"{column.name}={value[:60]}"] += 1
    return counter


def same_text(expected: Any, found: Any, kind: Kind) -> bool:
    """Whether a cell holds what was sent. An amount in another spelling (an exponent) must have the same value."""
    if kind is Kind.AMOUNT and expected is not None and found is not None and set("eE") & set(expected):
        return Decimal(expected) == Decimal(found)
    return bool(expected == found)


def _elements(record: Any, source: Source | None) -> Iterator[dict[str, Any]]:
    """The objects that a row can see: by level, "" being the record and the source's own path the row itself."""
    levels = {"": record}
    if source is None:
        yield levels
        return
    yield from _descend(levels, "", source.path.split("."), source)


def _descend(levels: dict[str, Any], level: str, names: list[str], source: Source) -> Iterator[dict[str, Any]]:
    name, *rest = names
    below = f"{level}.{name}" if level else name
    members = levels[level].get(name) or ()
    if not rest and source.is_mapping:
        members = [{"name": key, "amount": value} for key, value in dict(members).items()]
    elif isinstance(members, dict):
        # An XML ancestry left an object around the list: {"order_lines": {"order_line": [...]}}.
        (members,) = members.values() or ((),)
    for element in members:
        if rest:
            yield from _descend({**levels, below: element}, below, rest, source)
        else:
            yield {**levels, below: element}


def _cell(column: Column, source: Source | None, levels: dict[str, Any]) -> Any:
    if source is not None and column.name in source.constants:
        return source.constants[column.name]
    found = [_at(path, source, levels) for path in column.at or (column.name,)]
    value = next((one for one in found if one not in (None, "")), found[-1] if len(found) > 1 else found[0])
    if isinstance(value, Number) or (isinstance(value, str) and value):
        return str(value)
    return None if column.kind is Kind.STAMP and value == "" else value


def _at(path: str, source: Source | None, levels: dict[str, Any]) -> Any:
    level, slash, rest = path.rpartition("/")
    own = source.path if source else ""
    if not slash:
        level = own
    elif level == "^":
        level = own.rpartition(".")[0]
    value = levels[level]
    for name in rest.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
