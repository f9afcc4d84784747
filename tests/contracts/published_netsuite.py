"""NetSuite's published facts (`contract.json`) as an OpenAPI document, read as strictly as they can be meant.

Oracle publishes the document of an account only to that account, so `contract.json` holds what its pages, and answers
seen live, say of it. From these the document is made that the validator judges by:

- a record has no members but the published ones and those of the account's own (`custbody_...`);
- a request refers to another record by an object, an answer always with a text as id;
- a read-only member is in no request, an empty one in no answer;
- a sublist is `{"items": [...]}`, in an answer with links, and with its number when it is expanded;
- of a record without a page of its own the names are SuiteScript's, in the spelling that other pages use for them;
- an external id in the address has a path of its own, because OpenAPI cannot tell it from an id.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.contracts.published import Document

SERVER = "https://account.suitetalk.api.netsuite.com"
EXTERNAL = "/external/"
"""Stands for `/eid:` in the prepared paths."""
RESOURCE = "application/vnd.oracle.resource+json"
"""What every answer is; `type=` behind it says whether one record, a collection or an error."""
REFUSALS = ("400", "401", "403", "404", "429", "500")
"""The statuses of the error table of the help (section_156570709583) and of answers seen live."""
_CUSTOM: dict[str, Any] = {"^cust(body|col|entity|item|record)[a-z0-9_]*$": {}}
_ALIKE = {("customerPayment", "apply"): "customerRefund", ("invoice", "item"): "salesOrder"}
"""Sublists that no page lists whole, with the record whose page does: a refund applies money to documents as a payment
does, and an invoice has the lines of its order.
"""
_REQUIRED = {
    "journalEntry": ["subsidiary", "line"],
    "salesOrder": ["entity", "item"],
    "deposit": ["account"],
}
"""`required_on_create` of the contract, as far as it names members and not conditions."""


def load(folder: Path) -> dict[str, Any]:
    """`contract.json`, whose pages are transcribed in part, completed by the SuiteScript records beside it."""
    contract: dict[str, Any] = json.loads((folder / "contract.json").read_bytes())
    listed = json.loads((folder / "suitescript-records.json").read_bytes())["records"]
    by_id = {record["internalId"]: record for record in listed.values()}
    records = contract["records"]
    spelling = {name.lower(): name for record in records.values() for name in _names(record)}

    def complete(fields: dict[str, Any], more: list[dict[str, Any]]) -> None:
        # Of a SuiteScript field only the id is sure; its type is that of a form.
        known = {name.lower() for name in fields}
        missing = [field["internalId"] for field in more if field["internalId"] not in known]
        fields |= {spelling.get(name, name): {} for name in missing}

    for name, record in records.items():
        known = by_id.get(record["scriptId"], {"fields": [], "sublists": []})
        complete(record.setdefault("fields", {}), known["fields"])
        lists = record.setdefault("sublists", {})
        for (owner, sublist), other in _ALIKE.items():
            if owner == name:
                lines = lists.setdefault(sublist, {"kind": records[other]["sublists"][sublist]["kind"], "fields": {}})
                lines["fields"] = {**records[other]["sublists"][sublist]["fields"], **lines["fields"]}
        for sublist in known["sublists"]:
            if sublist["internalId"] in lists:
                complete(lists[sublist["internalId"]]["fields"], sublist["fields"])
    return contract


def _names(record: Mapping[str, Any]) -> Iterator[str]:
    yield from record.get("fields", {})
    for sublist in record.get("sublists", {}).values():
        yield from sublist.get("fields", {})


def strict(contract: Mapping[str, Any]) -> Document:
    """The document, prepared for the validator."""
    paths = {**_services(), **_records(contract)}
    schemas = {name: _shared(schema) for name, schema in contract["schemas"].items()}
    for name, record in contract["records"].items():
        schemas[name] = _record(name, record, is_body=False)
        schemas[f"{name}.body"] = _record(name, record, is_body=True)
    schemas["collection"]["properties"]["items"]["items"] = {
        "type": "object",
        "required": ["id", "links"],
        "additionalProperties": False,
        "properties": {"id": {"type": "string"}, "links": {"type": "array", "items": {"$ref": _ref("nsLink")}}},
    }
    schemas["suiteqlResponse"] = {
        **_shared(contract["schemas"]["collection"]),
        "properties": {**_shared(contract["schemas"]["collection"])["properties"], "items": {"type": "array"}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "SuiteTalk REST", "version": "2026.1"},
        "servers": [{"url": SERVER}],
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _ref(name: str) -> str:
    return f"#/components/schemas/{name}"


def _shared(schema: Any) -> Any:
    """A schema of the contract with references of the document."""
    if isinstance(schema, list):
        return [_shared(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"$ref": _ref(str(schema["$ref"]).rpartition("/")[2])}
    result = {name: _shared(part) for name, part in schema.items() if name != "note"}
    if isinstance(result.get("properties"), dict):
        result.setdefault("additionalProperties", False)
    return result


# --- calls


def _services() -> dict[str, Any]:
    limit = {"type": "integer", "minimum": 1, "maximum": 1000}
    suiteql = _call(
        "POST /query/v1/suiteql",
        [
            {"name": "limit", "in": "query", "schema": limit},
            {"name": "offset", "in": "query", "schema": {"type": "integer", "minimum": 0}},
            {"name": "Prefer", "in": "header", "required": True, "schema": {"enum": ["transient"]}},
        ],
        {"200": {RESOURCE: {"$ref": _ref("suiteqlResponse")}}},
        {"$ref": _ref("suiteqlRequest")},
    )
    token = _call("POST /auth/oauth2/v1/token", [], {"200": {"application/json": {"$ref": _ref("oauth2Token")}}})
    form = {
        "type": "object",
        "required": ["grant_type", "client_assertion_type", "client_assertion"],
        "additionalProperties": False,
        "properties": {
            "grant_type": {"enum": ["client_credentials"]},
            "client_assertion_type": {"enum": ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]},
            "client_assertion": {"type": "string", "pattern": r"^[\w-]+\.[\w-]+\.[\w-]+$"},
        },
    }
    token["requestBody"] = {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": form}}}
    # A refused assertion is answered as OAuth 2 says, not as the record service refuses.
    token["responses"]["400"] = {
        "description": "",
        "content": {"application/json": {"schema": {"type": "object", "required": ["error"]}}},
    }
    limits = _call(
        "GET /system/v1/governanceLimits", [], {"200": {"application/json": {"$ref": _ref("governanceLimits")}}}
    )
    return {
        "/query/v1/suiteql": {"post": suiteql},
        "/auth/oauth2/v1/token": {"post": token},
        "/system/v1/governanceLimits": {"get": limits},
    }


def _records(contract: Mapping[str, Any]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for name, record in contract["records"].items():
        for path, methods in record["paths"].items():
            here = path.replace("/eid:", EXTERNAL)
            for method, words in methods.items():
                paths.setdefault(here, {})[method.lower()] = _record_call(name, method, here, words)
        for sublist, fields in sublists(record).items():
            here = f"{record['path']}/{{id}}/{sublist}"
            answer = {"200": {RESOURCE: _sublist(fields, name, sublist, is_body=False)}}
            paths[here] = {"get": _call(f"GET {here}", [_id("id")], answer)}
    return paths


def _record_call(name: str, method: str, path: str, words: str) -> dict[str, Any]:
    parameters = [_id(variable) for variable in ("id", "externalId") if f"{{{variable}}}" in path]
    target = path.rpartition("/!transform/")[2] if "/!transform/" in path else name
    if method == "GET":
        options = ["q", "limit", "offset"] if path.endswith(name) else ["expandSubResources", "expand", "fields"]
        options += [] if path.endswith(name) else ["simpleEnumFormat"]
        parameters += [{"name": option, "in": "query", "schema": {}} for option in options]
        schema = "collection" if path.endswith(name) else name
        return _call(f"GET {path}", parameters, {"200": {RESOURCE: {"$ref": _ref(schema)}}})
    parameters += [{"name": option, "in": "query", "schema": {}} for option in ("replace", "replaceSelectedFields")]
    validation = {"enum": ["ignore", "warning", "error"]}
    parameters += [{"name": "X-NetSuite-PropertyNameValidation", "in": "header", "schema": validation}]
    status = "204" if words.startswith("204") else "202"
    body: dict[str, Any] | None = None
    if method in ("POST", "PUT", "PATCH"):
        # Records that nobody wrote of cannot be transformed into here; their body is anything.
        body = {"$ref": _ref(f"{target}.body")} if target in _KNOWN_TARGETS or target == name else {}
        is_creation = method in ("POST", "PUT") and target == name
        if is_creation and name in _REQUIRED:
            body = {"allOf": [body, {"required": _REQUIRED[name]}]}
    return _call(f"{method} {path}", parameters, {status: {}}, body, is_required=target == name)


_KNOWN_TARGETS = frozenset(
    {"itemFulfillment", "creditMemo", "invoice", "cashSale", "returnAuthorization", "cashRefund"}
)


def _id(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _call(
    name: str,
    parameters: list[dict[str, Any]],
    answers: Mapping[str, Mapping[str, Any]],
    body: Mapping[str, Any] | None = None,
    *,
    is_required: bool = True,
) -> dict[str, Any]:
    responses: dict[str, Any] = {
        status: {"description": "", **_contents(contents)} for status, contents in answers.items()
    }
    for status in REFUSALS:
        responses.setdefault(status, {"description": "", "content": {RESOURCE: {"schema": {"$ref": _ref("nsError")}}}})
    call: dict[str, Any] = {"operationId": name, "parameters": parameters, "responses": responses}
    if body is not None:
        call["requestBody"] = {"required": is_required, "content": {"application/json": {"schema": body}}}
    return call


def _contents(contents: Mapping[str, Any]) -> dict[str, Any]:
    return {"content": {media: {"schema": schema} for media, schema in contents.items()}} if contents else {}


# --- records


def members(record: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The record's fields by their REST names. Of SuiteScript's ids, the REST spelling where some page shows it."""
    found = {
        str(field.get("rest_name_seen_elsewhere", name)): field
        for name, field in record.get("suitescript_fields", {}).items()
    }
    return {**record.get("fields", {}), **found, **{n: f for n, f in record.get("fields", {}).items() if f}}


def sublists(record: Mapping[str, Any]) -> dict[str, dict[str, dict[str, Any]]]:
    """The members of each sublist's lines."""
    return {
        name: sublist["fields"] for name, sublist in record.get("sublists", {}).items() if "items" in sublist["kind"]
    }


def _record(name: str, record: Mapping[str, Any], *, is_body: bool) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    lists = sublists(record)
    for field, spec in members(record).items():
        if is_body and spec.get("readOnly"):
            continue
        properties[field] = (
            _sublist(lists[field], name, field, is_body=is_body) if field in lists else _member(spec, is_body=is_body)
        )
    for sublist, fields in lists.items():
        properties.setdefault(sublist, _sublist(fields, name, sublist, is_body=is_body))
    if not is_body:
        properties["links"] = {"type": "array", "items": {"$ref": _ref("nsLink")}}
        properties["id"] = {"type": "string"}
    properties.setdefault("externalId", {"type": "string"})
    schema: dict[str, Any] = {
        "type": "object",
        "properties": properties,
        "patternProperties": _CUSTOM,
        "additionalProperties": False,
    }
    return schema if is_body else {**schema, "required": ["id", "links"]}


def _sublist(fields: Mapping[str, Any], record: str, name: str, *, is_body: bool) -> dict[str, Any]:
    members_of = {field: _member(spec, is_body=is_body) for field, spec in fields.items() if isinstance(spec, dict)}
    if not is_body:
        members_of |= {"links": {"type": "array", "items": {"$ref": _ref("nsLink")}}}
    item: dict[str, Any] = {"type": "object", "properties": members_of, "patternProperties": _CUSTOM}
    item["additionalProperties"] = not members_of
    if (record, name) == ("journalEntry", "line"):
        # section_0223040947: either a debit or a credit, both positive.
        item["oneOf"] = [{"required": ["debit"]}, {"required": ["credit"]}]
        for side in ("debit", "credit"):
            members_of[side] = {"type": "number", "exclusiveMinimum": 0}
    outer: dict[str, Any] = {"items": {"type": "array", "items": item}}
    if is_body:
        return {"type": "object", "properties": outer, "required": ["items"], "additionalProperties": False}
    outer |= {"links": {"type": "array", "items": {"$ref": _ref("nsLink")}}, "totalResults": {"type": "integer"}}
    return {"type": "object", "properties": outer, "required": ["links"], "additionalProperties": False}


def _member(spec: Mapping[str, Any], *, is_body: bool) -> dict[str, Any]:
    match spec.get("type"):
        case "ref":
            return _reference(is_body=is_body)
        case "enum":
            return _choice(spec, is_body=is_body)
        case "number":
            return {"type": "number"}
        case "integer":
            return {"type": ["integer", "string"]} if is_body else {"type": "integer"}
        case "boolean":
            return {"type": "boolean"}
        case "string":
            return {"type": "string", **({"format": spec["format"]} if "format" in spec else {})}
        case "date" | "date-time" as form:
            return {"type": "string", "format": form}
        case "array":
            return {"type": "array"}
        case "sublist" | "subrecord" | "object":
            return {"type": "object"}
        case _:
            return {}


def _reference(*, is_body: bool) -> dict[str, Any]:
    if not is_body:
        return {"$ref": _ref("nsRef")}
    number = {"type": ["string", "integer"]}
    names = {"id": number, "externalId": {"type": "string"}, "refName": {"type": "string"}}
    return {"type": "object", "properties": names, "minProperties": 1, "additionalProperties": False}


def _choice(spec: Mapping[str, Any], *, is_body: bool) -> dict[str, Any]:
    values = {"enum": spec["values"]} if spec.get("values") else {}
    identifier = {"type": "string", **values}
    if is_body:
        return {"type": "object", "properties": {"id": identifier}, "required": ["id"], "additionalProperties": False}
    shown = {"id": identifier, "refName": {"type": "string"}}
    return {"type": "object", "properties": shown, "required": ["id"], "additionalProperties": False}
