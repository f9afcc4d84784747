"""Sage's OpenAPI documents (one per module) as one, read as strictly as they can be meant.

The documents leave out what the guides on developer.sage.com say of every call, and their `required` and `null` are
those of a request. So they are prepared in memory:

- all modules are one document, whose operations are named by method and path, because that is how Sage's are known;
- every call needs a bearer token and, but for `/sites`, the headers of a site and of a company;
- a list takes the query options of the guide, `$top` up to 5000, a single record only those it allows there;
- `$count=true` has an answer of its own, a bare number;
- an object has no members but the documented ones; a request has none that is read-only, an answer need not have
  those that a request must: a null member is left out;
- an expanded object whose members are not published is the record of its name;
- a date-time ends in `Z`, and `decimal 2dp` has at most two decimals.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.contracts.published import METHODS, Document

COUNT = "/$count"
"""Behind a list's path: where the prepared document describes the answer to `$count=true`."""
BODY = ".body"
"""Behind a schema's name: the schema of a request."""
_KEPT = frozenset({"type", "maxLength", "format", "additionalProperties"})
_REFERENCE = "#/components/schemas/"
_STAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,7})?Z")
_SINGLE_OPTIONS = ("$select", "$expand", "$metadata")


def _has_places(places: int) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return True
        exponent = Decimal(repr(value)).normalize().as_tuple().exponent
        return isinstance(exponent, int) and -exponent <= places

    return check


FORMATS: dict[str, Callable[[Any], bool]] = {
    "date-time": lambda value: not isinstance(value, str) or _STAMP.fullmatch(value) is not None,
    **{f"decimal {places}dp": _has_places(places) for places in range(2, 10)},
}


def load(folder: Path) -> Document:
    """All modules as published, in one document."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    servers = None
    for file in sorted((folder / "openapi").glob("*.json")):
        module = json.loads(file.read_bytes())
        servers = servers or module["servers"]
        paths |= module["paths"]
        schemas |= module["components"]["schemas"]
    return {"openapi": "3.1.0", "servers": servers, "paths": paths, "components": {"schemas": schemas}}


def strict(folder: Path) -> Document:
    """The document, prepared for the validator."""
    published = load(folder)
    named = published["components"]["schemas"]
    paths: dict[str, Any] = {}
    for path, item in published["paths"].items():
        for method, operation in item.items():
            if method not in METHODS:
                continue
            paths.setdefault(path, {})[method] = _operation(method, path, operation)
            if method == "get" and _is_list(operation):
                paths[path + COUNT] = {"get": _counting(path, operation)}
    schemas = {name: _named(_closed(schema, is_body=False), named) for name, schema in named.items()}
    schemas |= {name + BODY: _closed(schema, is_body=True) for name, schema in named.items()}
    schemes = {"token": {"type": "http", "scheme": "bearer"}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sage 200", "version": "1.0"},
        # Which edition's base path a company has is configuration; what is below it is judged.
        "servers": [{"url": "{0.scheme}://{0.netloc}".format(urlsplit(published["servers"][0]["url"]))}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": schemes},
    }


def item_schema(document: Document, operation: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of one record of an operation's answer, without references at its top."""
    schema = next(iter(operation["responses"]["200"]["content"].values()))["schema"]
    return resolved(document, schema["items"] if schema.get("type") == "array" else schema)


def resolved(document: Document, schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].removeprefix(_REFERENCE)]
    return schema


def _named(schema: dict[str, Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """Objects without published members are the record of their name, or anything where no record has it."""
    for name, part in schema.get("properties", {}).items():
        if part.get("type") == "object" and not part.get("properties"):
            schema["properties"][name] = {"$ref": _REFERENCE + name} if name in named else {"type": "object"}
    return schema


def _is_list(operation: Mapping[str, Any]) -> bool:
    content = operation["responses"]["200"].get("content", {})
    return any(body.get("schema", {}).get("type") == "array" for body in content.values())


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    options = _options(is_list=_is_list(operation)) if method == "get" else []
    return {
        "operationId": f"{method.upper()} {path}",
        "parameters": [*operation.get("parameters", ()), *options, *_headers(path)],
        "security": [{"token": []}],
        "responses": {"200": _content(operation["responses"]["200"], ""), "400": {"description": ""}},
        **({"requestBody": _body(operation["requestBody"])} if "requestBody" in operation else {}),
    }


def _counting(path: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    options = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in ("$count", "$filter")]
    number = {"application/json": {"schema": {"type": "integer", "minimum": 0}}}
    return {
        "operationId": f"GET {path} $count",
        "parameters": [*operation.get("parameters", ()), *options, *_headers(path)],
        "security": [{"token": []}],
        "responses": {"200": {"description": "", "content": number}, "400": {"description": ""}},
    }


def _headers(path: str) -> list[dict[str, Any]]:
    if path == "/sites":
        return []
    guid = {"type": "string", "pattern": "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"}
    return [
        {"name": "X-Site", "in": "header", "required": True, "schema": guid},
        {"name": "X-Company", "in": "header", "required": True, "schema": {"type": "integer"}},
    ]


def _options(*, is_list: bool) -> list[dict[str, Any]]:
    text: dict[str, Any] = {"type": "string", "minLength": 1}
    options = {
        "$select": text,
        "$expand": text,
        "$metadata": {"enum": ["true", "false"]},
        "$filter": text,
        "$orderby": text,
        "$top": {"type": "integer", "minimum": 0, "maximum": 5000},
        "$skip": {"type": "integer", "minimum": 0},
    }
    names = tuple(options) if is_list else _SINGLE_OPTIONS
    return [{"name": name, "in": "query", "schema": options[name]} for name in names]


def _body(part: Mapping[str, Any]) -> dict[str, Any]:
    return {**_content(part, BODY), "required": bool(part.get("required"))}


def _content(part: Mapping[str, Any], suffix: str) -> dict[str, Any]:
    found = {
        media.replace("*/*", "application/json"): {"schema": _closed(body["schema"], is_body=suffix == BODY)}
        for media, body in part.get("content", {}).items()
        if body.get("schema")
    }
    return {"description": "", **({"content": found} if found else {})}


def _closed(schema: Mapping[str, Any], *, is_body: bool) -> dict[str, Any]:
    if "$ref" in schema:
        return {"$ref": schema["$ref"] + (BODY if is_body else "")}
    result: dict[str, Any] = {name: part for name, part in schema.items() if name in _KEPT}
    if schema.get("format") not in {*FORMATS, "int64", "int32", "int16"}:
        result.pop("format", None)
    if "items" in schema:
        result["items"] = _closed(schema["items"], is_body=is_body)
    if "properties" in schema:
        members = {name: part for name, part in schema["properties"].items() if not (is_body and part.get("readOnly"))}
        result["type"] = "object"
        result["properties"] = {name: _closed(part, is_body=is_body) for name, part in members.items()}
        result["additionalProperties"] = False
        if is_body and "required" in schema:
            result["required"] = [name for name in schema["required"] if name in members]
    return result
