"""Requests and answers as they went over the wire, recorded between the connector and the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

import httpx
import msgspec

from tests.contracts.published import Side


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer. `path` is the one below the instance (`/api/orders`). `export` is the number of the
    call that fetches the file, when the address is that of an export file. With `is_provoking` the request is wrong on
    purpose, and only its answer is looked at.
    """

    side: Side
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes
    status: int
    answer_headers: Mapping[str, str]
    answer: bytes
    export: str | None = None
    is_provoking: bool = False


def exchange_of(
    side: Side,
    prefix: str,
    request: httpx.Request,
    response: httpx.Response,
    *,
    export: str | None = None,
    is_provoking: bool = False,
) -> Exchange:
    """A request and its answer, both read to their ends. `prefix` is the path under which the instance is served."""
    parts = urlsplit(str(request.url))
    return Exchange(
        side=side,
        method=request.method.lower(),
        path=parts.path.removeprefix(prefix),
        query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
        headers=dict(request.headers),
        body=request.read(),
        status=response.status_code,
        answer_headers=dict(response.headers),
        answer=response.read(),
        export=export,
        is_provoking=is_provoking,
    )


class _Status(msgspec.Struct):
    urls: list[str] = []


@dataclass
class Recorder(httpx.BaseTransport):
    """A transport that keeps what passes through it. What is asked beside the instance (a token), whose calls all begin
    with `prefix` and `below`, is passed on and not kept.
    """

    side: Side
    prefix: str
    below: str = "/api/"
    exchanges: list[Exchange] = field(default_factory=list)
    is_provoking: bool = False
    _exports: dict[str, str] = field(default_factory=dict)
    _inner: httpx.BaseTransport = field(default_factory=httpx.HTTPTransport)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        response = self._inner.handle_request(request)
        answer = response.read()
        response.close()
        path = request.url.path
        if path.startswith(f"{self.prefix}{self.below}"):
            export, is_provoking = self._exports.get(path), self.is_provoking
            self.exchanges.append(
                exchange_of(self.side, self.prefix, request, response, export=export, is_provoking=is_provoking)
            )
            self._learn(response.headers.get("Mirakl-Api-Code", ""), answer)
        return httpx.Response(response.status_code, headers=_whole(response.headers), content=answer)

    def _learn(self, code: str, answer: bytes) -> None:
        """Remember the addresses of export files that a status call gives."""
        if code not in _EXPORTS:
            return
        for url in msgspec.json.decode(answer, type=_Status).urls:
            self._exports[urlsplit(url).path] = _EXPORTS[code]

    def close(self) -> None:
        self._inner.close()


_EXPORTS = {"OR14": "OR15", "OF53": "OF54", "TL04": "TL05"}
"""The call that gives the addresses, and the one that fetches them."""


def _whole(headers: httpx.Headers) -> list[tuple[str, str]]:
    """Headers for a body that is whole and decoded."""
    transfer = {"content-encoding", "transfer-encoding", "content-length"}
    return [(name, value) for name, value in headers.items() if name.lower() not in transfer]
