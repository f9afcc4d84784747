"""Failures on demand: slow answers, error statuses, broken connections, writes whose outcome stays unknown."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from sandbox import jsonio

Kind = Literal["latency", "fail", "drop", "outcome_unknown"]
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass
class Rule:
    """One failure for the calls under a path.

    - latency: the answer comes `seconds` late.
    - fail: the call has no effect and is answered with `status`, `body`, and `Retry-After: retry_after` when given.
    - drop: the call takes effect, the connection breaks in the middle of the answer's body.
    - outcome_unknown: the call takes effect, the connection breaks before a byte is answered.

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
    hits: int = 0
    rule_id: int = field(default_factory=itertools.count(1).__next__)

    def strikes(self, method: str, path: str) -> bool:
        if not path.startswith(self.path) or self.method not in (None, method):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is not None and self.hits >= self.times:
            return False
        self.hits += 1
        return True


def rule_from(body: Any) -> Rule:
    """A rule from a control request. Raises ValueError with what is wrong."""
    if not isinstance(body, dict):
        raise ValueError("a rule is a JSON object")
    known = set(Rule.__dataclass_fields__) - {"hits", "rule_id"}
    unknown = sorted(set(body) - known)
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}; a rule has {', '.join(sorted(known))}")
    if not isinstance(body.get("path"), str) or body.get("kind") not in get_args(Kind):
        raise ValueError(f"a rule needs a path and a kind of {', '.join(get_args(Kind))}")
    if "seconds" in body:
        body = body | {"seconds": float(body["seconds"])}
    return Rule(**body)


class Chaos:
    """ASGI middleware around the vendors; the control endpoints are never touched."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self._app = app
        self.rules: list[Rule] = []

    def describe(self) -> list[dict[str, Any]]:
        return [asdict(rule) for rule in self.rules]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or not self.rules or path.startswith("/_sandbox/"):
            await self._app(scope, receive, send)
            return
        striking = {rule.kind: rule for rule in self.rules if rule.strikes(scope["method"], path)}
        if latency := striking.get("latency"):
            await asyncio.sleep(latency.seconds)
        if failure := striking.get("fail"):
            await _answer(failure, receive, send)
        elif "outcome_unknown" in striking:
            await self._app(scope, receive, _swallow)
            await _hang_up(receive)
        elif "drop" in striking:
            await self._app(scope, receive, _half(send))
        else:
            await self._app(scope, receive, send)


async def _answer(rule: Rule, receive: Receive, send: Send) -> None:
    # The request is read to its end first; a client in the middle of sending would see a broken pipe, not the status.
    while (await receive()).get("more_body"):
        pass
    is_json = rule.body.startswith(("{", "["))
    body = rule.body.encode() if rule.body else jsonio.encode({"status": rule.status, "message": "chaos"})
    kind = b"application/json" if is_json or not rule.body else b"text/plain"
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    if rule.retry_after is not None:
        headers.append((b"retry-after", str(rule.retry_after).encode()))
    await send({"type": "http.response.start", "status": rule.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _swallow(_message: Message) -> None:
    """Stands in for the client, who is to hear nothing."""


def _half(send: Send) -> Send:
    """Sends half of the body and then stops; uvicorn closes a connection whose answer is not finished."""

    async def half(message: Message) -> None:
        if message["type"] == "http.response.body":
            body = message.get("body", b"")
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        else:
            await send(message)

    return half


async def _hang_up(receive: Receive) -> None:
    """Closes the connection without an answer. ASGI has no word for that, so uvicorn's own transport is asked."""
    cycle = getattr(receive, "__self__", None)
    transport = getattr(cycle, "transport", None)
    if transport is None:
        raise RuntimeError("dropping a connection needs uvicorn's transport, which this server does not show")
    transport.close()
    for _ in range(5):
        await asyncio.sleep(0)
