"""The faults: what a vendor, or something between it and us, does to an answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tests.contracts.plain import Number, written
from tests.faults.proxy import Asked, Fault, Pass, Reply

ORDERS = "/api/orders"
LINES = "/api/sellerpayment/transactions_logs"
JSON = {"Content-Type": "application/json;charset=UTF-8"}

Spoil = Callable[[Asked, Pass], Reply]


def at(path: str, spoil: Spoil, *, times: int | None = None) -> Fault:
    """Spoils the calls of one path, the first `times` of them or all; every other call passes."""
    struck = 0

    def fault(asked: Asked, pass_on: Pass) -> Reply:
        nonlocal struck
        if not asked.path.endswith(path) or (times is not None and struck >= times):
            return pass_on(asked)
        struck += 1
        return spoil(asked, pass_on)

    return fault


def answer(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Spoil:
    """Answers itself; the sandbox hears nothing."""
    return lambda _asked, _pass: Reply(status, body, headers or {})


def too_many(retry_after: int | None) -> Spoil:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return answer(429, b'{"status":429,"message":"Too many requests"}', JSON | headers)


HTML_503 = answer(503, b"<html><body>Service Unavailable</body></html>", {"Content-Type": "text/html"})
EMPTY = answer(200, b"", JSON)
FORBIDDEN = answer(403, b'{"status":403,"message":"Forbidden"}', JSON)


def truncated(asked: Asked, pass_on: Pass) -> Reply:
    """Half of the JSON, declared as the whole."""
    whole = pass_on(asked)
    return replace(whole, body=whole.body[: len(whole.body) // 2])


def reset(asked: Asked, pass_on: Pass) -> Reply:
    """The connection is reset in the middle of the page."""
    whole = pass_on(asked)
    return replace(whole, cut_after=len(whole.body) // 2)


def first_page_again(asked: Asked, pass_on: Pass) -> Reply:
    """The second page is the first one once more."""
    parameters = asked.parameters
    if parameters.get("offset") == "100":
        reply = pass_on(replace(asked, query=asked.query.replace("offset=100", "offset=0")))
        link = f'<{asked.path}?{asked.query.replace("offset=100", "offset=200")}>; rel="next"'
        return Reply(200, reply.body, JSON | {"Link": link})
    return pass_on(asked)


def endless(asked: Asked, pass_on: Pass) -> Reply:
    """Every page is the first one and promises another."""
    query = "&".join(part for part in asked.query.split("&") if not part.startswith("page_token="))
    reply = pass_on(replace(asked, query=query))
    content = re.sub(rb',"(next|previous)_page_token":"[^"]*"', b"", reply.body)
    return replace(reply, body=content[:-1] + b',"next_page_token":"and-on"}')


def link_to(url: str) -> Spoil:
    """The `Link` header leads to another host."""

    def spoil(asked: Asked, pass_on: Pass) -> Reply:
        reply = pass_on(asked)
        headers = {name: value for name, value in reply.headers.items() if name.lower() != "link"}
        return replace(reply, headers=headers | {"Link": f'<{url}{asked.path}?offset=100>; rel="next"'})

    return spoil


def amounts_as_text(asked: Asked, pass_on: Pass) -> Reply:
    """Every amount in quotes."""
    reply = pass_on(asked)
    names = rb"amount|amount_credited|amount_debited|balance|price|shipping_price|total_price|commission_fee"
    return replace(reply, body=re.sub(rb'"(' + names + rb')":(-?[0-9][0-9.eE+-]*)', rb'"\1":"\2"', reply.body))


def changed(member: str, change: Callable[[list[dict[str, Any]]], None]) -> Spoil:
    """The records of a page changed by a function. Numbers keep their text: they are read as such and written back."""

    def spoil(asked: Asked, pass_on: Pass) -> Reply:
        reply = pass_on(asked)
        content = json.loads(reply.body, parse_float=Number, parse_int=Number)
        change(content[member])
        return replace(reply, body=written(content).encode())

    return spoil


def stamps_ahead(*, hours: int) -> Spoil:
    """Every stamp of an answer later than it should be."""

    def later(found: re.Match[bytes]) -> bytes:
        moment = datetime.fromisoformat(found[1].decode()) + timedelta(hours=hours)
        return b'"' + moment.isoformat().replace("+00:00", "Z").encode() + b'"'

    def spoil(asked: Asked, pass_on: Pass) -> Reply:
        reply = pass_on(asked)
        return replace(reply, body=re.sub(rb'"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z)"', later, reply.body))

    return spoil
