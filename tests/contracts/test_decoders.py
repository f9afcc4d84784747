"""The decoders against the published schemas: what they allow arrives whole, what they forbid is rejected by name.

What a table must hold is read from the record by `plain.rows`, which shares nothing with the decoder.
"""

from __future__ import annotations

import copy
import functools
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.mirakl.decode import DECODERS, FEEDS
from connectors.mirakl.endpoints import ENDPOINTS
from connectors.mirakl.exports import EXPORTS
from connectors.records import Column, Decoded, FeedSpec, Kind, Source, TableSpec
from tests.contracts import plain
from tests.contracts.conftest import document, require_contracts, strict_document
from tests.contracts.plain import Number
from tests.contracts.published import SIDES, Document, Side, operations, record_schema
from tests.contracts.schemas import example, records

pytestmark = pytest.mark.contracts
require_contracts()

ADDED = "zz_added_by_the_vendor"
"""A member that no document names: the vendor may add one any day."""
ADDRESS = "https://brico.example.com/api/document-request/9b1c/lines"
"""The page's address: DR12's says what its lines do not."""
FAST = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.differing_executors],
)


def served(side: Side) -> Document:
    """The side's document with the calls that it leaves out, as `published.strict` puts them back."""
    paths = strict_document(side)["paths"]
    return {**document(side), "paths": paths}


def calls(entity: str) -> list[str]:
    """The calls that give the feed's records, page by page or as files."""
    pages = [ENDPOINTS[entity].call.name] if entity in ENDPOINTS else []
    return pages + ([EXPORTS[entity].download.name] if entity in EXPORTS else [])


@functools.cache
def schema_of(side: Side, entity: str, call: str) -> dict[str, Any]:
    envelope = DECODERS[entity].envelope
    path = ".".join(name for name in (envelope.member, envelope.inner) if name)
    return record_schema(served(side), call, path or None)


@functools.cache
def strategy_of(side: Side, entity: str, call: str) -> st.SearchStrategy[dict[str, Any]]:
    return records(served(side), FEEDS[entity], schema_of(side, entity, call))


@functools.cache
def full(side: Side, entity: str) -> dict[str, Any]:
    """A record with every documented member, of the form that its columns have where the schema says only `string`."""
    found = example(served(side), schema_of(side, entity, calls(entity)[0]))
    assert isinstance(found, dict)
    for table in FEEDS[entity].tables:
        for source in table.sources or (None,):
            for column in plain.taken_over(FEEDS[entity], table):
                holder = holder_of(found, column, source) if is_own(column, source) else None
                if holder is not None and column.kind in FORMS and type(holder[0][holder[1]]) is str:
                    holder[0][holder[1]] = FORMS[column.kind]
    return found


FORMS = {Kind.STAMP: "2026-05-01T10:11:12.345Z", Kind.AMOUNT: "1.50"}


def published_feeds() -> list[tuple[Side, str, str]]:
    """Side, feed and call, of each feed of JSON records whose call the side's document has."""
    return [
        (side, entity, call)
        for side in SIDES
        for entity in DECODERS
        for call in calls(entity)
        if call in {code for code, _, _, _ in operations(served(side))}
    ]


def decode(entity: str, sent: list[Any]) -> Decoded:
    envelope = DECODERS[entity].envelope
    page = {envelope.inner: sent} if envelope.inner else sent
    body = plain.written({envelope.member: page} if envelope.member else sent[0])
    return FEEDS[entity].decoded(body.encode(), ADDRESS)


def assert_whole(spec: FeedSpec, sent: list[Any], decoded: Decoded) -> None:
    """Every row of every table is what was sent, in its order, and there are no others."""
    expected = plain.rows(spec, sent)
    for table in spec.tables:
        found = decoded.tables[table.name].to_pylist()
        assert len(found) == len(expected[table.name]), table.name
        for row, wanted in zip(found, expected[table.name], strict=True):
            for column in plain.taken_over(spec, table):
                assert plain.same_text(wanted[column.name], row[column.name], column.kind), (
                    f"{table.name}.{column.name}"
                )
            assert all(row[name] == wanted[name] for name in ("_position", "_index") if name in wanted), table.name


@pytest.mark.parametrize(("side", "entity", "call"), published_feeds())
@FAST
@given(data=st.data())
def test_what_the_schema_allows_arrives_whole(side: Side, entity: str, call: str, data: st.DataObject) -> None:
    spec = FEEDS[entity]
    is_single = DECODERS[entity].envelope.is_single
    sent = data.draw(st.lists(strategy_of(side, entity, call), min_size=int(is_single), max_size=1 if is_single else 3))
    grown = [record for record in sent if data.draw(st.booleans())]
    for record in grown:
        record[ADDED] = {"anything": [None, True]}
    decoded = decode(entity, sent)
    assert decoded.rejects == []
    assert decoded.record_count == len(sent)
    assert_whole(spec, sent, decoded)
    assert decoded.unknown_fields == ({ADDED: len(grown)} if grown else {})
    assert decoded.unknown_values == plain.unknown_values(spec, plain.rows(spec, sent))


# --- what the schema forbids


def places() -> list[tuple[Side, str, TableSpec, Source | None, Column]]:
    """Every column that is taken over from a published member, with one of its sources: once, by the first side."""
    found: dict[tuple[str, str], tuple[Side, str, TableSpec, Source | None, Column]] = {}
    for side, entity, _ in published_feeds():
        for table in FEEDS[entity].tables:
            source = table.sources[0] if table.sources else None
            for column in plain.taken_over(FEEDS[entity], table):
                if is_own(column, source) and holder_of(copy.deepcopy(full(side, entity)), column, source) is not None:
                    found.setdefault((table.name, column.name), (side, entity, table, source, column))
    return list(found.values())


def is_own(column: Column, source: Source | None) -> bool:
    """Whether the value stands in the row's own object; one of another object is that table's affair."""
    path = (column.at or (column.name,))[0]
    return "/" not in path and not (source is not None and (column.name in source.constants or source.is_mapping))


def holder_of(record: dict[str, Any], column: Column, source: Source | None) -> tuple[dict[str, Any], str] | None:
    """The object that holds the column's member, in the first element of every list on the way; None: not published."""
    node: Any = record
    for name in source.path.split(".") if source else ():
        below = node.get(name) if isinstance(node, dict) else None
        if isinstance(below, dict):  # the object that an XML ancestry left around a list
            (below,) = below.values()
        node = below[0] if isinstance(below, list) and below else None
    *objects, member = (column.at or (column.name,))[0].split(".")
    for name in objects:
        node = node.get(name) if isinstance(node, dict) else None
    return (node, member) if isinstance(node, dict) and member in node else None


NO_SCALAR = st.sampled_from([[], {}, ["x"], {"x": "y"}])
FORBIDDEN: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.ID: NO_SCALAR | st.booleans() | st.just(Number("1.5")),
    Kind.TEXT: NO_SCALAR | st.booleans() | st.just(Number("1.5")),
    Kind.AMOUNT: NO_SCALAR
    | st.booleans()
    | st.sampled_from(["12,50", "1.2.3", "", "n/a", "NaN", "-", "1 000", "0x10", "£5", Number("1" * 30)]),
    Kind.STAMP: NO_SCALAR
    | st.booleans()
    | st.sampled_from(["yesterday", "2026-02-30T00:00:00Z", "2026-01-01T00:00:00", "01/02/2026", Number("1751529600")]),
    Kind.BOOLEAN: NO_SCALAR | st.sampled_from(["true", "yes", Number("1"), Number("0")]),
}
"""What no tolerance covers: neither the schema nor any public material of Mirakl allows it for such a member."""


@pytest.mark.parametrize(
    ("side", "entity", "table", "source", "column"),
    [pytest.param(*place, id=f"{place[2].name}.{place[4].name}") for place in places()],
)
@settings(FAST, max_examples=4)
@given(data=st.data())
def test_what_the_schema_forbids_is_rejected_with_record_field_and_reason(
    side: Side, entity: str, table: TableSpec, source: Source | None, column: Column, data: st.DataObject
) -> None:
    spec = FEEDS[entity]
    good, bad = copy.deepcopy(full(side, entity)), copy.deepcopy(full(side, entity))
    holder = holder_of(bad, column, source)
    assert holder is not None
    value = data.draw(FORBIDDEN[column.kind])
    holder[0][holder[1]] = value
    sent = [bad] if DECODERS[entity].envelope.is_single else [good, bad, good]
    at = len(sent) // 2
    decoded = decode(entity, sent)
    (reject,) = decoded.rejects
    root = spec.tables[0]
    identity = plain.rows(spec, [good])[root.name][0].get(root.columns[0].name)
    assert reject.position == at
    assert reject.field.rpartition(".")[2] in {column.name, holder[1]}
    assert reject.reason
    assert reject.code in {"WRONG_TYPE", "NOT_A_NUMBER", "BAD_TIMESTAMP", "REQUIRED_MISSING"}
    if column is not root.columns[0]:
        assert reject.record_id == identity
    if isinstance(value, str) and value:
        assert value not in reject.reason
    assert_whole(spec, [good for _ in sent[1:]], without_position(decoded))


def without_position(decoded: Decoded) -> Decoded:
    """The tables of a page with its only bad record cut out: the positions of the records behind it move up."""
    (reject,) = decoded.rejects
    tables = {}
    for name, table in decoded.tables.items():
        positions = [p - 1 if p > reject.position else p for p in table["_position"].to_pylist()]
        assert reject.position not in table["_position"].to_pylist()
        tables[name] = table.set_column(0, "_position", [positions])
    return Decoded(tables, [], decoded.record_count - 1, decoded.unknown_fields, decoded.unknown_values)


def needed() -> list[tuple[Side, str, TableSpec, Source | None, Column]]:
    return [place for place in places() if not place[4].nullable and len(place[4].at) <= 1]


@pytest.mark.parametrize("how", ["absent", "null"])
@pytest.mark.parametrize(
    ("side", "entity", "table", "source", "column"),
    [pytest.param(*place, id=f"{place[2].name}.{place[4].name}") for place in needed()],
)
def test_a_record_without_what_identifies_or_values_it_is_rejected(
    side: Side, entity: str, table: TableSpec, source: Source | None, column: Column, how: str
) -> None:
    bad = copy.deepcopy(full(side, entity))
    holder = holder_of(bad, column, source)
    assert holder is not None
    if how == "absent":
        del holder[0][holder[1]]
    else:
        holder[0][holder[1]] = None
    (reject,) = decode(entity, [bad]).rejects
    assert reject.code == "REQUIRED_MISSING"
    assert reject.field.rpartition(".")[2] in readers(FEEDS[entity], holder[1])


def readers(spec: FeedSpec, member: str) -> set[str]:
    """The columns that read a member of that name: the id of a refund is its taxes' parent too."""
    return {
        column.name
        for table in spec.tables
        for column in table.columns
        if member in {re.split(r"[/.]", path)[-1] for path in column.at or (column.name,)}
    }


def test_every_feed_is_looked_at() -> None:
    assert {entity for _, entity, _ in published_feeds()} == set(DECODERS) == set(FEEDS) - {"invoice_files"}
