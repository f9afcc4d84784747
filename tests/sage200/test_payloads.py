"""What Sage publishes and what was captured from live sites, through the decoders of every feed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors.records import Decoded, Kind
from connectors.sage200.decode import FEEDS
from connectors.sage200.endpoints import RESOURCES

pytestmark = pytest.mark.contracts

# The ISO record of a currency is published without members where it is expanded.
NOT_PUBLISHED = {"currencies": {"currency_iso_code"}}


def decoded(entity: str, records: list[dict[str, Any]]) -> Decoded:
    return FEEDS[entity].decoded(json.dumps(records).encode(), f"https://api.example.com{RESOURCES[entity].path}")


def root(entity: str, result: Decoded) -> pa.Table:
    return result.tables[FEEDS[entity].tables[0].name]


@pytest.fixture(scope="module")
def schemas(contracts: Path) -> dict[str, Any]:
    """The published record of each listed resource, by path, with its document for references."""
    found: dict[str, Any] = {}
    for file in sorted((contracts / "sage200" / "openapi").glob("*.json")):
        document = json.loads(file.read_bytes())
        for path, item in document["paths"].items():
            schema = item.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
            listed = schema.get("application/json", {}).get("schema", {})
            if listed.get("type") == "array":
                found[path] = (document, listed["items"])
    return found


def example(document: dict[str, Any], schema: dict[str, Any], depth: int = 0) -> Any:
    """A value for every published member, three objects deep."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    match schema.get("type"):
        case "object":
            if depth == 3:
                return {}
            return {name: example(document, part, depth + 1) for name, part in schema.get("properties", {}).items()}
        case "array":
            return [example(document, schema["items"], depth + 1)] if depth < 3 else []
        case "integer":
            return 7
        case "number":
            return 1.25
        case "boolean":
            return True
        case _:
            return "2024-05-23T09:46:30.65Z" if schema.get("format") == "date-time" else "text"


@pytest.mark.parametrize("entity", FEEDS)
def test_a_record_with_every_published_member_fills_every_column(schemas: dict[str, Any], entity: str) -> None:
    document, schema = schemas[RESOURCES[entity].path]
    record = example(document, schema)
    result = decoded(entity, [record])
    assert (result.rejects, dict(result.unknown_fields)) == ([], {})
    table = root(entity, result)
    empty = {name for name in table.column_names if table[name].null_count}
    assert empty <= NOT_PUBLISHED.get(entity, set())


@pytest.mark.parametrize("entity", FEEDS)
def test_a_window_and_an_order_use_published_members(schemas: dict[str, Any], entity: str) -> None:
    document, schema = schemas[RESOURCES[entity].path]
    record, resource = example(document, schema), RESOURCES[entity]
    asked = {resource.key, *resource.since, *filter(None, [resource.second_key])}
    assert asked <= record.keys()
    children = set(filter(None, (resource.expand or "").split(",")))
    assert all(isinstance(record[child], dict | list) for child in children)


@pytest.mark.parametrize("entity", FEEDS)
def test_a_record_of_nothing_but_its_keys_is_kept_or_refused_with_the_member_that_lacks(entity: str) -> None:
    """Sage leaves null members out: only what a row is worthless without may be required."""
    columns = FEEDS[entity].tables[0].columns
    needed = {c.name: "1" if c.kind is not Kind.STAMP else "2026-01-01" for c in columns if not c.nullable}
    kept = decoded(entity, [{(c.at or (c.name,))[0]: needed[c.name] for c in columns if c.name in needed}])
    assert (kept.rejects, root(entity, kept).num_rows) == ([], 1)
    refused = decoded(entity, [{}])
    assert [(r.position, r.field in {(c.at or (c.name,))[0] for c in columns}) for r in refused.rejects] == [(0, True)]


CAPTURED = [
    (
        "sop_order_despatch_line_views",
        "despatch_lines",
        {
            "sop_despatch_line_id": "16268",
            "sop_despatch_line_quantity": "2.0",
            "sop_order_customer_document_no": "12345",
            "sop_order_document_status_type": "2",
            "sop_despatch_line_is_invoiced": None,
            "date_time_updated": "2016-05-09T11:24:12.983Z",
        },
    ),
    (
        "product_groups_list",
        "product_groups",
        {"id": "34634", "code": "0001", "product_type": "EnumStockItemTypeStock", "can_levels_go_negative": True},
    ),
]


@pytest.mark.parametrize(("file", "entity", "wanted"), CAPTURED)
def test_a_captured_answer_arrives_as_it_was_sent(
    payloads: Path, file: str, entity: str, wanted: dict[str, Any]
) -> None:
    body = (payloads / f"sage200/{file}.json").read_bytes()
    result = FEEDS[entity].decoded(body, "")
    assert (result.rejects, dict(result.unknown_fields), dict(result.unknown_values)) == ([], {}, {})
    (row,) = root(entity, result).select(list(wanted)).to_pylist()
    assert row == wanted
