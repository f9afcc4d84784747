"""Finds where an exchange differs from the published document. openapi-core judges; this module asks and sorts.

A deviation names the call, the part (request or answer), the place and the kind of difference, never a value: many
records that differ in the same way are one deviation, counted once per place where it shows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

import jsonschema
from jsonschema_path import SchemaPath
from openapi_core import V31RequestValidator, V31ResponseValidator
from openapi_core.datatypes import RequestParameters
from openapi_core.templating.media_types.exceptions import MediaTypeNotFound
from openapi_core.templating.paths.exceptions import PathError
from openapi_core.templating.paths.finders import APICallPathFinder
from openapi_core.templating.responses.exceptions import ResponseNotFound
from openapi_core.validation.request.exceptions import ParameterValidationError, SecurityValidationError
from openapi_core.validation.schemas.exceptions import InvalidSchemaValue
from werkzeug.datastructures import Headers, ImmutableMultiDict

from tests.contracts.exchange import Exchange
from tests.contracts.published import Document, Side

Part = Literal["request", "answer"]
Difference = tuple[Part, str, str, str]
"""Part, kind, place and detail."""

_KINDS = {
    "additionalProperties": "undocumented member",
    "required": "missing member",
    "type": "type",
    "enum": "value",
    "const": "value",
    "format": "format",
}


@dataclass(frozen=True, slots=True, order=True)
class Deviation:
    """One way in which a call differs from its document. `at` is a path such as `orders[].price`, the name of a
    parameter, or a status; empty for the whole.
    """

    side: Side
    call: str
    part: Part
    kind: str
    at: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A deviation where it shows. `place` has the indexes that `at` leaves out."""

    deviation: Deviation
    place: str
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found in one exchange. `call` is the published number; `?` when there is no such call."""

    call: str
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class _Request:
    """An exchange's request as openapi-core wants it."""

    host_url: str
    path: str
    method: str
    parameters: RequestParameters
    content_type: str
    body: bytes | None


@dataclass(slots=True)
class _Answer:
    """An exchange's answer as openapi-core wants it."""

    status_code: int
    content_type: str
    headers: Headers
    data: bytes | None


class Rules:
    """What a vendor publishes beside the schemas of its calls; as it stands, nothing."""

    error_body: ClassVar[dict[str, Any]] = {}
    """The schema of an answer to a refused request that no document declares."""
    formats: ClassVar[Mapping[str, Callable[[Any], bool]]] = {}
    """What the document's own formats allow."""

    def path(self, exchange: Exchange) -> str:
        """Where the document describes this exchange."""
        return exchange.path

    def call(self, exchange: Exchange, operation: Mapping[str, Any]) -> str:
        """The name under which the exchange is counted."""
        return str(operation["operationId"])

    def of_request(self, exchange: Exchange, operation: Mapping[str, Any]) -> Iterator[Difference]:
        """Differences of a request that its schema does not show."""
        yield from ()

    def of_answer(self, exchange: Exchange, call: str, operation: Mapping[str, Any]) -> Iterator[Difference]:
        """Differences of an answer that its schema does not show."""
        yield from ()


class Judge:
    """Judges the exchanges of one side by its document, which has been prepared for the validator library."""

    def __init__(self, document: Document, side: Side, rules: Rules) -> None:
        self._document = document
        self._side: Side = side
        self._rules = rules
        self._host = document["servers"][0]["url"]

    @cached_property
    def _spec(self) -> SchemaPath:
        return SchemaPath.from_dict(self._document)

    @cached_property
    def _finder(self) -> APICallPathFinder:
        return APICallPathFinder(self._spec)

    @cached_property
    def _requests(self) -> V31RequestValidator:
        return V31RequestValidator(self._spec, extra_format_validators=dict(self._rules.formats))

    @cached_property
    def _answers(self) -> V31ResponseValidator:
        return V31ResponseValidator(
            self._spec,
            extra_media_type_deserializers={
                "application/x-ndjson": _lines_of_json,
                "application/vnd.oracle.resource+json": _json,
            },
            extra_format_validators=dict(self._rules.formats),
        )

    def judge(self, exchange: Exchange) -> Verdict:
        assert exchange.side == self._side
        path = self._rules.path(exchange)
        try:
            found = self._finder.find(exchange.method, self._host + path)
        except PathError:
            deviation = Deviation(self._side, "?", "request", "unpublished call", f"{exchange.method} {exchange.path}")
            return Verdict("?", (Finding(deviation, "", "the document has no such path and method"),))
        operation = self._document["paths"][found.path_result.pattern][exchange.method]
        call = self._rules.call(exchange, operation)
        findings = [
            Finding(Deviation(self._side, call, part, kind, _without_indexes(place)), place, detail)
            for part, kind, place, detail in self._differences(exchange, path, call, operation)
        ]
        return Verdict(call, tuple(dict.fromkeys(findings)))

    def _differences(self, exchange: Exchange, path: str, call: str, operation: dict[str, Any]) -> Iterator[Difference]:
        request = _Request(
            self._host,
            path,
            exchange.method,
            RequestParameters(query=ImmutableMultiDict(exchange.query), header=Headers(dict(exchange.headers))),
            lower(exchange.headers).get("content-type", ""),
            exchange.body or None,
        )
        if not exchange.is_provoking:
            for kind, place, detail in self._of_request(request, exchange, operation):
                yield "request", kind, place, detail
            yield from self._rules.of_request(exchange, operation)
        yield from self._rules.of_answer(exchange, call, operation)
        for kind, place, detail in self._of_answer(request, exchange, operation):
            yield "answer", kind, place, detail

    def _of_request(
        self, request: _Request, exchange: Exchange, operation: dict[str, Any]
    ) -> Iterator[tuple[str, str, str]]:
        named = {p["name"] for p in operation["parameters"] if p["in"] == "query"}
        if exchange.export is None:
            for name in {name for name, _ in exchange.query} - named:
                yield "undocumented parameter", name, "the document does not name it"
        if request.body is not None and "requestBody" not in operation:
            yield "undocumented body", "", "the call takes none"
        for error in self._requests.iter_errors(request):
            if isinstance(error, ParameterValidationError):
                yield "parameter", error.name, _innermost(error)
            elif isinstance(error, SecurityValidationError):
                yield "authorization", "", _innermost(error)
            else:
                yield from _of_body(error)

    def _of_answer(
        self, request: _Request, exchange: Exchange, operation: dict[str, Any]
    ) -> Iterator[tuple[str, str, str]]:
        headers = lower(exchange.answer_headers)
        if str(exchange.status) not in operation["responses"]:
            yield "status", str(exchange.status), "the document does not declare it"
            if exchange.status >= 400:
                yield from _of_error_body(exchange.answer, self._rules.error_body)
            return
        declared = operation["responses"][str(exchange.status)].get("content", {})
        if exchange.answer and not declared:
            yield "undocumented body", "", f"the document declares none for {exchange.status}"
        media_type = headers.get("content-type", "")
        answer = _Answer(exchange.status, media_type, Headers(dict(exchange.answer_headers)), exchange.answer or None)
        for error in self._answers.iter_errors(request, answer):
            yield from _of_body(error)


def _of_body(error: Exception) -> Iterator[tuple[str, str, str]]:
    """The differences that a failed validation of a body stands for."""
    cause = error.__cause__
    if isinstance(cause, InvalidSchemaValue):
        for found in cause.schema_errors:
            assert isinstance(found, jsonschema.ValidationError)
            yield from _of_schema_error(found)
    elif isinstance(error, ResponseNotFound):
        raise AssertionError("an undeclared status is looked at before the library is asked") from error
    elif isinstance(cause or error, MediaTypeNotFound):
        yield "media type", "", _innermost(error)
    else:
        yield "body", "", _innermost(error)


def _of_schema_error(error: jsonschema.ValidationError) -> Iterator[tuple[str, str, str]]:
    place = _place(error.absolute_path)
    validator = str(error.validator)
    if validator == "additionalProperties":
        for name in sorted(set(error.instance) - set(error.schema["properties"])):
            yield _KINDS[validator], _below(place, name), "the document does not name it"
    elif validator == "required":
        # One error stands for one name; asking for all of them again is harmless, because findings are unique.
        for name in sorted(set(error.validator_value) - set(error.instance)):
            yield _KINDS[validator], _below(place, name), "the document requires it"
    elif error.instance is None:
        yield "null", place, "the document has no null"
    elif validator in _KINDS:
        yield _KINDS[validator], place, f"{validator} {str(error.validator_value)[:80]}"
    else:
        yield f"limit {validator}", place, f"{validator} {str(error.validator_value)[:80]}"


def _of_error_body(body: bytes, schema: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    if not schema:
        return
    try:
        content = json.loads(body)
    except ValueError:
        yield "error body", "", "not JSON"
        return
    for error in jsonschema.Draft202012Validator(schema).iter_errors(content):
        yield "error body", _without_indexes(_place(error.absolute_path)), error.message[:120]


def _place(path: Any) -> str:
    """`orders[3].price` of the steps to a value."""
    place = ""
    for step in path:
        place = f"{place}[{step}]" if isinstance(step, int) else _below(place, str(step))
    return place


def _below(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _without_indexes(place: str) -> str:
    return "".join(part if at == 0 else "[]" + part.partition("]")[2] for at, part in enumerate(place.split("[")))


def lower(headers: Any) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in headers.items()}


def _json(value: bytes, **_: str) -> Any:
    return json.loads(value)


def _lines_of_json(value: bytes, **_: str) -> list[Any]:
    return [json.loads(line) for line in value.splitlines() if line.strip()]


def _innermost(error: BaseException) -> str:
    """The words of the error that all others wrap."""
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, InvalidSchemaValue):
        return "; ".join(str(found.args[0] if found.args else found)[:120] for found in error.schema_errors)
    return str(error)[:200]
