"""Mirakl's published OpenAPI documents, read as strictly as they can be meant.

OpenAPI allows any member that a schema does not name, and Mirakl's documents keep enumerations in prose. So the
documents are prepared in memory (the files are never touched), and the validator library judges by the result:

- an object has no members but the documented ones;
- `Enum: "A", "B"` in a description is an enumeration;
- an object with a discriminator is one of its kinds, each with the members of its base;
- a body of raw bytes has no schema (the documents spell it `string`, `binary`, as OpenAPI 3.0 did);
- the addresses of export files are the vendor's own, so nothing is asked of their parameters; the schema of such a file
  describes one record, and the published example shows how a file holds many (a list, or a list in a member);
- the calls that the operator's document leaves out, although it publishes their schemas, have their paths back:
  those of the seller's document by their own number, the others as `contract.json` found them in connectors.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

Side = Literal["seller", "operator", "sage200", "netsuite"]
"""Who speaks by which document: Mirakl has one for sellers and one for operators, the ERPs have one each."""
Document = dict[str, Any]

SIDES: tuple[Side, ...] = ("seller", "operator")
METHODS = frozenset({"get", "post", "put", "delete", "patch"})
DOWNLOADS = "/dynamic-url/"
"""Start of the paths under which the documents describe export files, whose real address an earlier answer gives."""

_PROSE = frozenset({"description", "example", "examples", "discriminator", "deprecated", "title"})
_ENUMERATION = re.compile(r'Enum: ((?:`"[^"`]*"`(?:, )?)+)')
_VALUE = re.compile(r'`"([^"`]*)"`')
_REFERENCE = "#/components/schemas/"


class ContractsMissing(Exception):
    """The vendors' documents are not on this machine."""


def contracts_folder(vendor: str = "mirakl") -> Path:
    """Where a vendor's documents are: `TIEOUT_CONTRACTS_DIR`, or beside the repository. Raises ContractsMissing."""
    default = Path(__file__).resolve().parents[3] / "shared" / "contracts"
    folder = Path(os.environ.get("TIEOUT_CONTRACTS_DIR", default)) / vendor
    if not folder.is_dir():
        raise ContractsMissing(f"the specification of {vendor} is not at {folder} (set TIEOUT_CONTRACTS_DIR)")
    return folder


def load(folder: Path, side: Side) -> Document:
    """The document as published."""
    document = json.loads((folder / f"mirakl-mmp-{side}-openapi.json").read_bytes())
    assert isinstance(document, dict)
    return document


def operations(document: Document) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Every operation as (call number, method, path, operation)."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in METHODS and "operationId" in operation:
                yield operation["operationId"], method, path, operation


def record_schema(document: Document, call: str, member: str | None) -> dict[str, Any]:
    """The schema of one record in a call's successful JSON answer, without references at its top.

    `member` is the dotted path of the list that holds the records; None: the whole answer is the record. An answer that
    is a list itself holds them.
    """
    operation = next(operation for code, _, _, operation in operations(document) if code == call)
    status = next(status for status in operation["responses"] if status.startswith("2"))
    schema = resolved(document, operation["responses"][status]["content"]["application/json"]["schema"])
    for name in member.split(".") if member and schema.get("type") != "array" else ():
        schema = resolved(document, schema["properties"][name])
    return resolved(document, schema["items"]) if schema.get("type") == "array" else schema


def resolved(document: Document, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema that a chain of references ends in."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].removeprefix(_REFERENCE)]
    return schema


def documented_values(schema: Mapping[str, Any]) -> list[str]:
    """The values that a description lists; empty when it lists none."""
    found = _ENUMERATION.search(str(schema.get("description", "")))
    return _VALUE.findall(found.group(1)) if found else []


def kinds(document: Document, schema: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The kinds of an object with a discriminator, each merged with its base; empty without one."""
    named = document["components"]["schemas"]
    mapping = schema.get("discriminator", {}).get("mapping", {})
    return {value: _merged(named[_name(target)], named) for value, target in mapping.items()}


def kind_member(schema: Mapping[str, Any]) -> str:
    """The member that tells the kinds apart. A01, S20 and IV01 say `type` and have `@type`."""
    name = str(schema["discriminator"]["propertyName"])
    return name if name in schema["properties"] else f"@{name}"


# --- the strict reading


def strict(folder: Path, side: Side) -> Document:
    """The document of one side, prepared for the validator."""
    seller = load(folder, "seller")
    document = seller if side == "seller" else _with_unlisted_calls(load(folder, side), seller, folder)
    named = document["components"]["schemas"]
    return {
        "openapi": document["openapi"],
        "info": {"title": document["info"]["title"], "version": side},
        "servers": document["servers"],
        "paths": {path: _path_item(path, item) for path, item in document["paths"].items()},
        "components": {
            "schemas": {name: _named(name, named) for name in named},
            "securitySchemes": document["components"]["securitySchemes"],
        },
    }


def _with_unlisted_calls(document: Document, seller: Document, folder: Path) -> Document:
    """The operator's document with the calls whose schemas it has and whose paths it lacks."""
    schemas = document["components"]["schemas"]
    security = next(operation["security"] for _, _, _, operation in operations(document) if "security" in operation)
    listed = {call for call, _, _, _ in operations(document)}
    for call, method, path, operation in operations(seller):
        if call not in listed and set(_references(operation)) <= schemas.keys():
            document["paths"].setdefault(path, {})[method] = {**operation, "security": security}
    for entry in json.loads((folder / "contract.json").read_bytes())["operator_private_endpoints"]:
        call = _RENAMED.get(entry["id"], entry["id"])
        methods = document["paths"].get(entry.get("path"), {})
        if f"{call}_Response_200" in schemas or f"{call}_Request" in schemas:
            method = entry["method"].lower()
            if method not in methods:
                document["paths"][entry["path"]] = {**methods, method: _rebuilt(call, entry, schemas, security)}
    return document


_RENAMED = {"SBC (payment confirmation)": "SBC07"}
"""Calls of contract.json by the number that their schemas have."""


def _rebuilt(call: str, entry: Mapping[str, Any], schemas: Document, security: Any) -> dict[str, Any]:
    """An operation that the document leaves out: its schemas at the path where connectors call it."""

    def content(name: str) -> dict[str, Any]:
        return {"content": {"application/json": {"schema": {"$ref": _REFERENCE + name}}}}

    answer = f"{call}_Response_200"
    return {
        "operationId": call,
        "security": security,
        "parameters": [{"name": p["name"], "in": "query", "schema": {}} for p in entry.get("params", ())],
        "responses": {"200": content(answer)} if answer in schemas else {"204": {}},
        **({"requestBody": content(f"{call}_Request")} if f"{call}_Request" in schemas else {}),
    }


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield _name(part["$ref"])
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


def _name(reference: str) -> str:
    return reference.removeprefix(_REFERENCE)


def _path_item(path: str, item: Mapping[str, Any]) -> dict[str, Any]:
    is_download = path.startswith(DOWNLOADS)
    return {
        method: _operation(operation, is_download=is_download)
        for method, operation in item.items()
        if method in METHODS
    }


def _operation(operation: Mapping[str, Any], *, is_download: bool) -> dict[str, Any]:
    result: dict[str, Any] = {
        "operationId": operation["operationId"],
        "parameters": []
        if is_download
        else [
            {
                name: _closed(part) if name == "schema" else part
                for name, part in parameter.items()
                if name not in _PROSE
            }
            for parameter in operation.get("parameters", ())
        ],
        "responses": {
            status: _body(answer, holds_many=is_download) for status, answer in operation["responses"].items()
        },
    }
    if "requestBody" in operation:
        result["requestBody"] = _body(operation["requestBody"])
    if "security" in operation:
        # A token of OAuth 2 travels as a bearer token too; the library takes any request for the former.
        schemes = [scheme for scheme in operation["security"] if "OAuth-2" not in scheme]
        result["security"] = [{name: [] for name in scheme} for scheme in schemes]
    return result


def _parameter(parameter: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _closed(part) if name == "schema" else part for name, part in parameter.items() if name not in _PROSE}


def _body(part: Mapping[str, Any], *, holds_many: bool = False) -> dict[str, Any]:
    content = {
        media_type: {"schema": _of_media_type(media_type, body, holds_many=holds_many)}
        for media_type, body in part.get("content", {}).items()
    }
    return {"description": "", **({"content": content} if content else {}), **_required(part)}


def _required(part: Mapping[str, Any]) -> dict[str, Any]:
    return {"required": part["required"]} if "required" in part else {}


def _of_media_type(media_type: str, body: Mapping[str, Any], *, holds_many: bool) -> dict[str, Any]:
    """The schema of a whole body: that of newline-delimited JSON describes one line, that of CSV one row."""
    schema = _closed(body.get("schema", {}))
    if media_type == "text/csv":
        return {}
    if media_type == "application/x-ndjson":
        return {"type": "array", "items": schema}
    return _as_shown(schema, body.get("examples", {})) if holds_many else schema


def _as_shown(schema: dict[str, Any], examples: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a file whose example shows more than the one record that the schema describes."""
    for example in examples.values():
        match example["value"]:
            case [*_]:
                return {"type": "array", "items": schema}
            case {"data": [*_]} as shown if len(shown) == 1:
                records = {"type": "array", "items": schema}
                return {"type": "object", "properties": {"data": records}, "required": ["data"]}
    return schema


def _named(name: str, named: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    schema = named[name]
    if "discriminator" not in schema:
        return _closed(_merged(schema, named))
    member = kind_member(schema)
    mapping = schema["discriminator"]["mapping"]
    return {
        "type": "object",
        "properties": {member: {"enum": sorted(mapping)}},
        "required": [member],
        "allOf": [
            {"if": {"properties": {member: {"const": value}}, "required": [member]}, "then": {"$ref": target}}
            for value, target in sorted(mapping.items())
        ],
    }


def _merged(schema: Mapping[str, Any], named: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """A kind with the members of its base. Elsewhere the documents use no `allOf`."""
    result = {name: part for name, part in schema.items() if name != "allOf"}
    for base in schema.get("allOf", ()):
        parent = named[_name(base["$ref"])]
        result["type"] = "object"
        result["properties"] = {**parent["properties"], **result.get("properties", {})}
        result["required"] = sorted({*parent.get("required", ()), *result.get("required", ())})
    return result


def _closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    if schema.get("format") == "binary":
        return {}
    result: dict[str, Any] = {}
    for name, part in schema.items():
        match name:
            case "properties":
                result[name] = {member: _closed(below) for member, below in part.items()}
            case "items" | "additionalProperties" if isinstance(part, dict):
                result[name] = _closed(part)
            case _ if name not in _PROSE:
                result[name] = part
    if "properties" in result:
        result.setdefault("additionalProperties", False)
    if schema.get("type") == "string" and "enum" not in schema and (values := documented_values(schema)):
        result["enum"] = values
    return result
