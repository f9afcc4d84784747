"""Answers of the sandbox against the vendors' published specifications."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from conftest import Served
from contract_index import derive

from sandbox.sage_company import SINGLE_OBJECTS, contract
from sandbox.sage_ledger import Ledger

pytestmark = pytest.mark.contracts


def closed(schema: Any) -> Any:
    """The schema with objects that allow no property it does not name, and without `required`.

    Neither vendor's `required` can be trusted (mirakl.md 1.7, contracts/sage200/SOURCES.md), and Sage's lengths of
    enumerations are wrong; names and types are what the publication is good for. Null stands for an absent property.
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
    """All named schemas, closed; one with a discriminator becomes a choice among its kinds, each with the base."""
    named = document["components"]["schemas"]
    result = {name: closed(schema) for name, schema in named.items()}
    for name, schema in named.items():
        for value, target in schema.get("discriminator", {}).get("mapping", {}).items():
            kind = closed(named[target.rsplit("/", 1)[1]])
            merged = kind | {"properties": closed(schema)["properties"] | kind.get("properties", {})}
            # IV01's payment_info says that `type` tells the kinds apart and has `@type`.
            named_by = schema["discriminator"]["propertyName"]
            named_by = named_by if named_by in schema["properties"] else f"@{named_by}"
            chosen = {"properties": {named_by: {"const": value}}}
            result[name].setdefault("allOf", []).append({"if": chosen, "then": merged})
        if "allOf" in result[name]:
            del result[name]["additionalProperties"]
    return {"schemas": result}


def validator(document: dict[str, Any], schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(closed(schema) | {"components": components(document)})


def complaints(check: jsonschema.Draft202012Validator, body: Any) -> list[str]:
    return sorted(
        {f"{'.'.join(map(str, error.absolute_path))}: {error.message[:160]}" for error in check.iter_errors(body)}
    )


# --- Mirakl


@pytest.fixture(scope="module")
def seller(contracts: Path) -> dict[str, Any]:
    return json.loads((contracts / "mirakl" / "mirakl-mmp-seller-openapi.json").read_text())


# Undocumented in the schema and present in the published examples (mirakl.md 1.7 and 5.1).
EXTRAS = {
    "TL02": {"payment_voucher_number", "shop"},
    "SBC11": {"payment_voucher_number"},
    "IV01": {"payment_voucher_number"},
}
MIRAKL_READS = [
    ("A01", "account", {}),
    ("PC01", "platform/configuration", {}),
    ("SH21", "shipping/carriers", {}),
    ("OR11", "orders", {"max": 100}),
    ("OF21", "offers", {"max": 100}),
    ("TL02", "sellerpayment/transactions_logs", {"limit": 2000}),
    ("SBC11", "seller-billing-cycles", {"limit": 1000}),
    ("IV01", "invoices", {"max": 100, "type": "ALL"}),
]


def operation(document: dict[str, Any], code: str) -> dict[str, Any]:
    return next(
        one
        for methods in document["paths"].values()
        for one in methods.values()
        if isinstance(one, dict) and one.get("operationId") == code
    )


def without(names: set[str], body: Any) -> Any:
    for record in body.get("data") or body.get("invoices") or ():
        for name in names:
            record.pop(name, None)
    return body


@pytest.mark.parametrize(("code", "path", "params"), MIRAKL_READS, ids=[read[0] for read in MIRAKL_READS])
def test_mirakl_answers_keep_the_published_schema(
    served: Served, seller: dict[str, Any], code: str, path: str, params: dict[str, object]
) -> None:
    schema = operation(seller, code)["responses"]["200"]["content"]["application/json"]["schema"]
    with served.mirakl() as client:
        body = client.get(path, params=params).raise_for_status().json()
    records = next((part for part in body.values() if isinstance(part, list) and part), body)
    assert records
    paging = {"next_page_token", "previous_page_token", "total_count"}
    shown = {name: part for name, part in body.items() if name not in paging}
    assert complaints(validator(seller, schema), without(EXTRAS.get(code, set()), shown)) == []


def test_the_stock_import_keeps_the_published_schemas(fresh: Served, seller: dict[str, Any]) -> None:
    def check(code: str, status: str) -> Callable[[httpx.Response], None]:
        schema = operation(seller, code)["responses"][status]["content"]["application/json"]["schema"]

        def run(response: httpx.Response) -> None:
            assert str(response.status_code) == status
            assert complaints(validator(seller, schema), response.json()) == []
            assert set(jsonschema_required(seller, schema)) <= set(response.json())

        return run

    with fresh.mirakl() as client:
        posted = client.post("offers/stock/imports", files={"file": ("s.csv", b"offer-sku;quantity\nX;1\n")})
        check("STO01", "201")(posted)
        check("STO02", "200")(client.get(f"offers/stock/imports/{posted.json()['import_id']}/status"))


def jsonschema_required(document: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema.get("required", [])


def test_every_path_served_is_published(seller: dict[str, Any], served: Served) -> None:
    from sandbox.mirakl import MiraklApi

    # An operator's calls that only their connectors document (mirakl.md 6), and the files whose URLs the API names.
    operator = {"/api/shops", "/api/payment/debit", "/api/payment/refund"}
    # OR02, OR25, OR62 and OR63 are known by name and body alone; their paths follow OR64's.
    operator |= {f"/api/orders/{{order_id}}/{rest}" for rest in ("validate", "receive")}
    operator |= {f"/api/orders/{{order_id}}/lines/{{line}}/{rest}" for rest in ("open_incident", "close_incident")}
    prefix = "/mirakl/{marketplace}/api"
    paths = {
        route.path.removeprefix("/mirakl/{marketplace}") for route in MiraklApi({}).routes() if prefix in route.path
    }
    assert {path for path in paths if not path.endswith("/file/{tracking_id}")} <= set(seller["paths"]) | operator


# --- Sage 200


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
    ledger = Ledger(served.store.company)
    for resource in ledger.resources:
        published(modules, f"/{resource}", "post")


def test_mirakl_enumerations_of_the_world_are_published(served: Served, seller: dict[str, Any]) -> None:
    types = next(
        parameter["schema"]["items"]["enum"]
        for parameter in operation(seller, "TL02")["parameters"]
        if parameter["name"] == "transaction_type"
    )
    lines = served.store.accounts["BRICO"].shops[2042].lines
    unknown = {line.type for line in lines} - set(types)
    planted = {
        entry["subject_id"]
        for entry in served.store.truth["exceptions"]
        if (entry["exception_code"], entry["marketplace_code"]) == ("SET-009", "BRICO")
    }
    assert len(types) == 51
    assert unknown == planted
