"""Answers of the sandbox's Sage 200 against the vendor's published specification. Mirakl's are in `tests/contracts`."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from conftest import Served
from contract_index import derive

from sandbox.sage_company import SINGLE_OBJECTS, contract

pytestmark = pytest.mark.contracts


def closed(schema: Any) -> Any:
    """The schema with objects that allow no property it does not name, and without `required`.

    Sage's `required` cannot be trusted (contracts/sage200/SOURCES.md), and its lengths of enumerations are wrong; names
    and types are what the publication is good for. Null stands for an absent property.
    """
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    ignored = ("required", "maxLength", "example", "discriminator", "enum", "allOf")
    result = {
        name: ({key: closed(part) for key, part in value.items()} if name == "properties" else closed(value))
        for name, value in schema.items()
        if name not in ignored
    }
    if isinstance(result.get("properties"), dict):
        result["additionalProperties"] = False
    if isinstance(result.get("type"), str):
        result["type"] = [result["type"], "null"]
    return result


def components(document: dict[str, Any]) -> dict[str, Any]:
    """All named schemas, closed."""
    return {"schemas": {name: closed(schema) for name, schema in document["components"]["schemas"].items()}}


def validator(document: dict[str, Any], schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(closed(schema) | {"components": components(document)})


def complaints(check: jsonschema.Draft202012Validator, body: Any) -> list[str]:
    return sorted(
        {f"{'.'.join(map(str, error.absolute_path))}: {error.message[:160]}" for error in check.iter_errors(body)}
    )


def test_the_index_of_names_types_and_lengths_is_the_published_one(contracts: Path) -> None:
    assert contract() == derive(contracts)


@pytest.fixture(scope="module")
def modules(contracts: Path) -> dict[str, dict[str, Any]]:
    folder = contracts / "sage200" / "openapi"
    return {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}


def published(modules: dict[str, dict[str, Any]], path: str, method: str) -> tuple[dict[str, Any], dict[str, Any]]:
    for document in modules.values():
        if method in document["paths"].get(path, {}):
            return document, document["paths"][path][method]
    raise AssertionError(f"{method} {path} is not published")


@pytest.mark.parametrize("resource", sorted(set(contract()["resources"]) - {"sop_order_lines"}))
def test_sage_answers_keep_the_published_schema(
    served: Served, modules: dict[str, dict[str, Any]], resource: str
) -> None:
    document, get = published(modules, f"/{resource}", "get")
    schema = get["responses"]["200"]["content"]["application/json"]["schema"]
    body = served.sage().get(resource, params={"$top": 200}).raise_for_status().json()
    if resource in SINGLE_OBJECTS:
        assert body
    observed = {"tenant_id"} if resource == "sites" else {"base_outstanding_value"}
    rows = (
        [{name: value for name, value in row.items() if name not in observed} for row in body]
        if isinstance(body, list)
        else body
    )
    assert complaints(validator(document, schema), rows) == []


def test_order_lines_keep_the_published_schema(served: Served, modules: dict[str, dict[str, Any]]) -> None:
    document, get = published(modules, "/sop_orders", "get")
    schema = get["responses"]["200"]["content"]["application/json"]["schema"]
    rows = served.sage().get("sop_orders", params={"$expand": "lines", "$top": 50}).json()
    assert rows[0]["lines"]
    assert complaints(validator(document, schema), rows) == []


def test_every_document_posted_is_published(modules: dict[str, dict[str, Any]], served: Served) -> None:
    resources = contract()["bodies"]
    assert all(served.store.sage_writes.takes("POST", resource) for resource in resources)
    for resource in resources:
        published(modules, f"/{resource}", "post")
    assert served.store.sage_writes.takes("PUT", "sop_orders")
    published(modules, "/sop_orders/{Id}", "put")
