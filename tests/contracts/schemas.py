"""Hypothesis strategies for records of a feed, driven by the published schemas.

What the decoder reads is drawn freely: any text, any number that the schema allows, documented and other enumeration
values, members absent or null (the documents never say nullable, their examples show null). What it does not read is
there in one plain form, so that a record has all documented members. Identifiers and other columns that the pipeline
needs are always there, because a record without them is rejected on purpose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from connectors.records import Column, FeedSpec, Kind
from tests.contracts.plain import Number
from tests.contracts.published import Document, documented_values, kind_member, kinds, resolved

DEPTH = 12
"""Deeper than any published record; a schema that refers to itself would end here."""


@dataclass
class Wanted:
    """The members of an object that a feed's tables read."""

    column: Column | None = None
    is_needed: bool = False
    is_mapping: bool = False
    members: dict[str, Wanted] = field(default_factory=dict)

    def reach(self, names: list[str]) -> Wanted:
        node = self
        for name in names:
            node = node.members.setdefault(name, Wanted())
        return node


PARTS = {"products": ("product_id", "product_id_type")}
"""Members that together make an identifier."""


def wanted(spec: FeedSpec) -> Wanted:
    """What the feed's tables read of a record."""
    root = Wanted()
    for name in PARTS.get(spec.entity, ()):
        root.reach([name]).is_needed = True
    for table in spec.tables:
        for source in table.sources or (None,):
            own = source.path.split(".") if source else []
            if source is not None:
                root.reach(own).is_mapping = source.is_mapping
            for column in table.columns:
                if source is not None and (column.name in source.constants or source.is_mapping):
                    continue
                for path in column.at or (column.name,):
                    level, slash, rest = path.rpartition("/")
                    above = own if not slash else own[:-1] if level == "^" else level.split(".") if level else []
                    names = rest.split(".")
                    node = root.reach([*above, *names])
                    node.column = node.column or column
                    if not column.nullable and (len(column.at) <= 1 or (not slash and path == column.at[0])):
                        for depth in range(1, len(names) + 1):
                            root.reach([*above, *names[:depth]]).is_needed = True
    return root


# --- values


def numbers(kind: Kind, schema: Mapping[str, Any]) -> st.SearchStrategy[Number]:
    """JSON numbers of the schema: whole ones in the width of their format, decimals of up to twelve places."""
    if schema["type"] == "integer":
        bits = 31 if schema.get("format") == "int32" else 63
        limit = min(2**bits - 1, 10**14 - 1 if kind is Kind.AMOUNT else 2**63 - 1)
        return st.integers(max(-limit, schema.get("minimum", -limit)), limit).map(lambda n: Number(str(n)))
    plain = st.tuples(st.integers(-(10**14) + 1, 10**14 - 1), st.integers(0, 10**12 - 1), st.integers(0, 12))
    return (
        plain.map(_decimal_text)
        | st.sampled_from(["0", "-0.5", "1.10", "19.990", "0.30000000000000004", "0.00"])
        | st.tuples(st.integers(-999, 999), st.integers(-4, 4)).map(lambda pair: f"{pair[0]}E{pair[1]}")
    ).map(Number)


def _decimal_text(parts: tuple[int, int, int]) -> str:
    whole, fraction, places = parts
    return f"{whole}.{fraction:012d}"[: len(str(whole)) + 1 + places] if places else str(whole)


def stamps(schema: Mapping[str, Any]) -> st.SearchStrategy[str]:
    """RFC 3339 date-times in any offset, with and without fractions of a second; plain dates where the schema says."""
    if schema.get("format") == "date":
        return st.dates().map(lambda day: f"{day:%Y-%m-%d}" if day.year >= 1000 else "1999-12-31")
    zones = st.sampled_from([UTC, timezone(timedelta(hours=2)), timezone(-timedelta(hours=3, minutes=30))])
    moments = st.datetimes(datetime(1900, 1, 1), datetime(2199, 1, 1), timezones=zones)  # noqa: DTZ001  # gets a zone
    return st.builds(
        lambda moment, precision: moment.isoformat(timespec=precision).replace("+00:00", "Z"),
        moments,
        st.sampled_from(["seconds", "milliseconds", "microseconds"]),
    )


def texts(schema: Mapping[str, Any], *, is_needed: bool) -> st.SearchStrategy[str]:
    most = min(schema.get("maxLength", 40), 40)
    free = st.text(min_size=min(1 if is_needed else 0, most), max_size=most)
    values = [*schema.get("enum", ()), *documented_values(schema)]
    return st.sampled_from(values) | free if values else free


def leaf(schema: Mapping[str, Any], node: Wanted) -> st.SearchStrategy[Any]:
    kind = node.column.kind if node.column is not None else Kind.TEXT
    match schema.get("type"):
        case "boolean":
            return st.booleans()
        case "integer" | "number":
            return numbers(kind, schema)
        case _ if kind is Kind.STAMP or str(schema.get("format", "")).startswith("date"):
            return stamps(schema)
        case _ if kind is Kind.AMOUNT:
            return st.decimals(-(10**9), 10**9, places=4).map(lambda number: f"{number:f}")
        case _ if kind is Kind.BOOLEAN:
            return st.sampled_from(["true", "false"])
        case _:
            return texts(schema, is_needed=node.is_needed)


# --- objects


def records(document: Document, spec: FeedSpec, schema: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Records of the feed that the schema allows."""
    return _object(document, schema, wanted(spec), DEPTH)


def _value(document: Document, schema: dict[str, Any], node: Wanted, depth: int) -> st.SearchStrategy[Any]:
    schema = resolved(document, schema)
    match schema.get("type"):
        case "array":
            return st.lists(_value(document, schema["items"], node, depth - 1), max_size=2)
        case "object" if node.is_mapping:
            member = Wanted(Column("amount", kind=Kind.AMOUNT))
            parts = {name: leaf(resolved(document, part), member) for name, part in schema["properties"].items()}
            return st.fixed_dictionaries({}, optional=parts)
        case "object" if node.column is not None and node.column.via is not None:
            return st.just(example(document, schema, depth))
        case "object" if (inner := _wrapped_list(document, schema, node)) is not None:
            return st.fixed_dictionaries(
                {}, optional={inner: _value(document, schema["properties"][inner], node, depth)}
            )
        case "object":
            return _object(document, schema, node, depth)
        case _:
            return leaf(schema, node)


def _wrapped_list(document: Document, schema: dict[str, Any], node: Wanted) -> str | None:
    """The name of the list that an object is only the wrapping of."""
    parts = schema.get("properties", {})
    (name, *others) = parts or ("",)
    is_list = bool(name) and resolved(document, parts[name]).get("type") == "array"
    return name if is_list and not others and name not in node.members else None


def _object(document: Document, schema: dict[str, Any], node: Wanted, depth: int) -> st.SearchStrategy[dict[str, Any]]:
    needed: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    unread: dict[str, Any] = {}
    for name, part in schema.get("properties", {}).items():
        if name not in node.members:
            unread[name] = example(document, part, depth - 1)
            continue
        below = node.members[name]
        value = _value(document, part, below, depth - 1)
        if below.is_needed:
            needed[name] = value
        else:
            optional[name] = value | st.none()
    read = st.fixed_dictionaries(needed, optional=optional)
    return st.builds(lambda members, is_whole: {**(unread if is_whole else {}), **members}, read, st.booleans())


def example(document: Document, schema: dict[str, Any], depth: int = DEPTH) -> Any:
    """One plain value that the schema allows, with every documented member."""
    schema = resolved(document, schema)
    if found := kinds(document, schema):
        value, kind = next(iter(found.items()))
        return {**example(document, kind, depth), kind_member(schema): value}
    match schema.get("type"):
        case "object":
            parts = schema.get("properties", {}) if depth > 0 else {}
            return {name: example(document, part, depth - 1) for name, part in parts.items()}
        case "array":
            return [example(document, schema["items"], depth - 1)] if depth > 0 else []
        case "boolean":
            return True
        case "integer":
            return Number(max(1, schema.get("minimum", 1)))
        case "number":
            return Number(Decimal("1.50"))
        case _ if schema.get("format") == "date":
            return "2026-05-01"
        case _ if schema.get("format") == "date-time":
            return "2026-05-01T10:11:12.345Z"
        case _:
            values = [*schema.get("enum", ()), *documented_values(schema)]
            return values[0] if values else "text".ljust(schema.get("minLength", 4), "x")[: schema.get("maxLength", 99)]
