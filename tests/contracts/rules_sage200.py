"""Sage's guide to query options, held against the schema of the record that is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.contracts.exchange import Exchange
from tests.contracts.judge import Difference, Rules
from tests.contracts.published import Document
from tests.contracts.published_sage200 import COUNT, FORMATS, item_schema, resolved

_TEXT = re.compile(r"'(?:[^']|'')*'")
_COMPARISON = re.compile(r"([a-z_][a-z_0-9.]*)\s+(?:eq|ne|gt|ge|lt|le)\s+(\S+?)(?=[\s)]|$)")
_FUNCTION = re.compile(r"(?:contains|startswith|endswith)\(\s*([a-z_0-9]+)\s*,\s*(\S+?)\s*\)")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?Z)?")


class SageRules(Rules):
    formats = FORMATS

    def __init__(self, document: Document) -> None:
        self._document = document

    def path(self, exchange: Exchange) -> str:
        return exchange.path + (COUNT if ("$count", "true") in exchange.query else "")

    def of_request(self, exchange: Exchange, operation: Mapping[str, Any]) -> Iterator[Difference]:
        query = dict(exchange.query)
        if "$skip" in query and "$orderby" not in query:
            yield "request", "query option", "$skip", "the guide wants $orderby beside it"
        if exchange.method != "get":
            return
        described = self._document["paths"].get(str(operation["operationId"]).split(" ")[1], {}).get("get")
        if described is None or not described["responses"]["200"].get("content"):
            return
        record = item_schema(self._document, described)
        for option, name, detail in self._asked(query, record):
            yield "request", "query option", f"{option} {name}", detail

    def _asked(self, query: Mapping[str, str], record: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
        members = {name: resolved(self._document, part) for name, part in record["properties"].items()}
        for name in _names(query.get("$expand", "")):
            if members.get(name, {}).get("type") not in ("object", "array"):
                yield "$expand", name, "the record has no such object or list"
        for part in _names(query.get("$orderby", "")):
            name, _, direction = part.partition(" ")
            if name not in members or direction not in ("", "asc", "desc"):
                yield "$orderby", name, "the record has no such member"
        for name in _names(query.get("$select", "")):
            if name.partition(".")[0] not in members:
                yield "$select", name, "the record has no such member"
        yield from _filtered(query.get("$filter", ""), members)


def _names(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _filtered(expression: str, members: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """Fields that the record lacks, and literals that are not spelt as their field's type wants them."""
    texts: list[str] = []

    def put_away(match: re.Match[str]) -> str:
        texts.append(match.group())
        return f"'{len(texts) - 1}'"

    plain = _TEXT.sub(put_away, expression)
    found = [*_COMPARISON.findall(plain), *_FUNCTION.findall(plain)]
    if expression and not found:
        yield "$filter", "", "no comparison in it"
    for name, literal in found:
        member = members.get(name)
        if member is None:
            yield "$filter", name, "the record has no such member"
        elif not _fits(literal, member):
            yield "$filter", name, f"a literal that is no {member.get('format') or member.get('type')}"


def _fits(literal: str, member: Mapping[str, Any]) -> bool:
    if literal == "null":
        return True
    match member.get("type"), member.get("format"):
        case "string", "date-time":
            return _DATE.fullmatch(literal) is not None
        case "string", _:
            return literal.startswith("'")
        case "boolean", _:
            return literal in ("true", "false")
        case _:
            return _NUMBER.fullmatch(literal) is not None
