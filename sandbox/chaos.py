"""Failures on demand: slow answers, error statuses, broken connections, bent answers, writes of unknown outcome."""

import asyncio
import itertools
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from sandbox import chaos_bodies, jsonio
from sandbox.chaos_bodies import Answer
from sandbox.clock import in_seconds, until

Kind = Literal[
    "latency",
    "hang",
    "fail",
    "empty",
    "outcome_unknown",
    "fail_after",
    "drop",
    "reset",
    "truncate",
    "duplicate",
    "endless",
    "foreign_link",
    "without_id",
    "text_amounts",
    "heavy",
]
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

SETTLE_SECONDS = 0.05


@dataclass
class Rule:
    """One failure for the calls under a path.

    The call has no effect:
    - hang: nothing is answered for `seconds`, then the connection breaks.
    - fail: it is answered with `status`, `body`, and `Retry-After: retry_after` when given. HTML is labelled so.
    - empty: it is answered with `status` and no body.

    The call takes effect:
    - latency: the answer comes no sooner than `seconds` after the call, whatever the vendor itself takes of them.
    - outcome_unknown: the connection breaks before a byte is answered.
    - fail_after: it is answered with `status` and `body`, as by a gateway that gave up waiting for the vendor.
    - drop: the connection is closed in the middle of the answer's body; reset: it is reset there.
    - truncate: half of the body is sent as if it were all.
    - duplicate: the previous answer of this path is sent again in place of the new one.
    - endless: the page, and every later one, says that another one follows, which is the same.
    - foreign_link: links to further pages, and to files, lead to `host`.
    - without_id: the first record lacks its id; text_amounts: numbers with decimals are texts.
    - heavy: the page has `megabytes`, by text in a member that nobody knows.

    The rule lets `after` matching calls pass, then strikes `times` times (None = until it is removed).
    """

    path: str
    kind: Kind
    method: str | None = None
    times: int | None = None
    after: int = 0
    seconds: float = 0.0
    status: int = 503
    retry_after: int | None = None
    body: str = ""
    host: str = "https://elsewhere.example"
    megabytes: float = 30.0
    hits: int = 0
    rule_id: int = field(default_factory=itertools.count(1).__next__)
    memory: Answer | None = field(default=None, repr=False)

    def matches(self, method: str, path: str) -> bool:
        return path.startswith(self.path) and self.method in (None, method)

    def strikes(self, method: str, path: str) -> bool:
        if not self.matches(method, path):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is not None and self.hits >= self.times:
            return False
        self.hits += 1
        return True


_INNER = {"hits", "rule_id", "memory"}


def rule_from(body: Any) -> Rule:
    """A rule from a control request. Raises ValueError with what is wrong."""
    if not isinstance(body, dict):
        raise ValueError("a rule is a JSON object")
    known = set(Rule.__dataclass_fields__) - _INNER
    unknown = sorted(set(body) - known)
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}; a rule has {', '.join(sorted(known))}")
    if not isinstance(body.get("path"), str) or body.get("kind") not in get_args(Kind):
        raise ValueError(f"a rule needs a path and a kind of {', '.join(get_args(Kind))}")
    numbers = {name: float(body[name]) for name in ("seconds", "megabytes") if name in body}
    return Rule(**(body | numbers))


class Chaos:
    """ASGI middleware around the vendors; the control endpoints are never touched."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self._app = app
        self.rules: list[Rule] = []

    def describe(self) -> list[dict[str, Any]]:
        names = [part.name for part in fields(Rule) if part.name != "memory"]
        return [{name: getattr(rule, name) for name in names} for rule in self.rules]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or not self.rules or path.startswith("/_sandbox/"):
            await self._app(scope, receive, send)
            return
        method = scope["method"]
        watching = [rule for rule in self.rules if rule.kind == "duplicate" and rule.matches(method, path)]
        striking = {rule.kind: rule for rule in self.rules if rule.strikes(method, path)}
        if latency := striking.pop("latency", None):
            send = _not_before(in_seconds(latency.seconds), send)
        if hang := striking.get("hang"):
            await until(in_seconds(hang.seconds))
            await _hang_up(receive)
        elif failure := striking.get("fail") or striking.get("empty"):
            await _refuse(failure, receive, send)
        elif "outcome_unknown" in striking:
            await self._app(scope, receive, _swallow)
            await _hang_up(receive)
        elif gateway := striking.get("fail_after"):
            await self._app(scope, receive, _swallow)
            await _answer_failure(gateway, send)
        elif striking or watching:
            answer = _bent(await self._answer(scope, receive, striking.get("endless")), path, striking)
            for rule in watching:
                rule.memory = answer
            await _deliver(answer, striking, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, endless: Rule | None) -> Answer:
        """What the vendor answers; an endless chain's later pages are its first, whatever is asked for."""
        if endless is not None and endless.memory is not None:
            await _read(receive)
            return endless.memory
        status, headers, parts = 500, [], []

        async def collect(message: Message) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status, headers = message["status"], list(message["headers"])
            else:
                parts.append(message.get("body", b""))

        await self._app(scope, receive, collect)
        answer = Answer(status, headers, b"".join(parts))
        if endless is not None:
            endless.memory = answer
        return answer


def _not_before(moment: float, send: Send) -> Send:
    """Sends once this moment has come; the vendor's own work lies within the time."""

    async def sent(message: Message) -> None:
        await until(moment)
        await send(message)

    return sent


def _bent(answer: Answer, path: str, striking: dict[Kind, Rule]) -> Answer:
    if (duplicate := striking.get("duplicate")) and duplicate.memory is not None:
        answer = duplicate.memory
    if endless := striking.get("endless"):
        answer = chaos_bodies.with_token(answer, f"endless-{endless.hits}")
    if foreign := striking.get("foreign_link"):
        answer = chaos_bodies.pointing_elsewhere(answer, path, foreign.host)
    if "without_id" in striking:
        answer = chaos_bodies.without_id(answer)
    if "text_amounts" in striking:
        answer = chaos_bodies.with_text_amounts(answer)
    if weight := striking.get("heavy"):
        answer = chaos_bodies.heavy(answer, weight.megabytes)
    return answer


async def _deliver(answer: Answer, striking: dict[Kind, Rule], receive: Receive, send: Send) -> None:
    half = answer.body[: len(answer.body) // 2]
    if "truncate" in striking:
        answer = answer.with_body(half)
    length = (b"content-length", str(len(answer.body)).encode())
    headers = [part for part in answer.headers if part[0].lower() != b"content-length"]
    # A 204 has no body and no length.
    headers += [length] if answer.status != 204 else []
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if "reset" in striking:
        await send({"type": "http.response.body", "body": half, "more_body": True})
        await _reset(receive)
    elif "drop" in striking:
        # uvicorn closes a connection whose answer is not finished.
        await send({"type": "http.response.body", "body": half, "more_body": True})
    else:
        await send({"type": "http.response.body", "body": answer.body})


async def _read(receive: Receive) -> None:
    """The request to its end; a client in the middle of sending would see a broken pipe, not the answer."""
    while (await receive()).get("more_body"):
        pass


async def _refuse(rule: Rule, receive: Receive, send: Send) -> None:
    await _read(receive)
    await _answer_failure(rule, send)


async def _answer_failure(rule: Rule, send: Send) -> None:
    if rule.kind == "empty":
        body, kind = b"", b""
    elif rule.body:
        body = rule.body.encode()
        kind = b"application/json" if body[:1] in b"{[" else b"text/html" if body[:1] == b"<" else b"text/plain"
    else:
        body, kind = jsonio.encode({"status": rule.status, "message": "chaos"}), b"application/json"
    headers = [(b"content-length", str(len(body)).encode())]
    if kind:
        headers.append((b"content-type", kind))
    if rule.retry_after is not None:
        headers.append((b"retry-after", str(rule.retry_after).encode()))
    await send({"type": "http.response.start", "status": rule.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _swallow(_message: Message) -> None:
    """Stands in for the client, who is to hear nothing."""


def _transport(receive: Receive) -> asyncio.Transport:
    """The client's connection. ASGI has no word for breaking it, so uvicorn's own transport is asked."""
    cycle = getattr(receive, "__self__", None)
    transport: asyncio.Transport | None = getattr(cycle, "transport", None)
    if transport is None:
        raise RuntimeError("breaking a connection needs uvicorn's transport, which this server does not show")
    return transport


async def _hang_up(receive: Receive) -> None:
    """Closes the connection without an answer."""
    _transport(receive).close()
    for _ in range(5):
        await asyncio.sleep(0)


async def _reset(receive: Receive) -> None:
    """Breaks the connection with a reset, after what was sent so far had time to arrive."""
    transport = _transport(receive)
    await asyncio.sleep(SETTLE_SECONDS)
    # Lingering for no time makes the kernel answer with RST in place of an orderly end.
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await asyncio.sleep(0)
