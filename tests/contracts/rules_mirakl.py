"""What Mirakl publishes beside the schemas of its calls, and what its recordings show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.contracts.exchange import Exchange
from tests.contracts.judge import Difference, Rules, lower
from tests.contracts.published import DOWNLOADS, Document, Side

ERROR_BODY = {
    "type": "object",
    "anyOf": [
        {"required": ["message", "status"]},
        {"required": ["errors"]},
    ],
    "properties": {
        "status": {"type": "integer"},
        "message": {"type": "string"},
        "errors": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["message"],
                "properties": {"code": {}, "field": {}, "message": {"type": "string"}},
            },
        },
    },
}
"""What Mirakl answers to a refused request: no document says it, recordings and Mirakl's own connectors do."""


class MiraklRules(Rules):
    """The rules of one side."""

    error_body = ERROR_BODY

    def __init__(self, document: Document, side: Side) -> None:
        self._side = side
        self._downloads = {path.rpartition("/")[2]: path for path in document["paths"] if path.startswith(DOWNLOADS)}

    def path(self, exchange: Exchange) -> str:
        return self._downloads[exchange.export] if exchange.export else exchange.path

    def of_request(self, exchange: Exchange, operation: Mapping[str, Any]) -> Iterator[Difference]:
        if self._side == "seller" and " " in lower(exchange.headers).get("authorization", ""):
            yield "request", "authorization", "", "a seller's key travels bare, without a scheme"

    def of_answer(self, exchange: Exchange, call: str, operation: Mapping[str, Any]) -> Iterator[Difference]:
        code = lower(exchange.answer_headers).get("mirakl-api-code", call)
        if code != call:
            yield "answer", "call number", code, "the server answers as another call"
