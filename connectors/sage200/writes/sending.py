"""How every write to Sage 200 goes out, and what is known of it afterwards.

Sage takes no idempotency key and refuses no duplicate. So a write is sent once, after its key was looked up and not
found; an answer that did not come leaves it UNKNOWN, and only another look-up leads out of that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from connectors.delivery import DeliveryResult, Outcome, Request
from connectors.errors import (
    AuthError,
    BadPayload,
    ConnectorError,
    NotFound,
    PermissionDenied,
    RequestRejected,
    ServerFailed,
    TransportFailed,
    WrongAccount,
)
from connectors.http import Answer, Call
from connectors.sage200.client import Sage200Connector, quoted
from connectors.sage200.decode import VENDOR

CONCURRENCY = 2
"""Writes at a time: Sage publishes no limit, and more than two calls at once are known to slow a site down."""
KEYS_PER_LOOK_UP = 20
"""Keys in one `$filter`: enough to save calls, few enough for any gateway's limit on addresses and for the 100 parts of
a filter (four or five for each key) that a server of Microsoft's OData library accepts unless it is told otherwise.
"""
ROWS_PER_LOOK_UP = 1000
SETTLE_SECONDS = 60.0
"""Sage's gateway answers 504 while the site still works on the request: a document can appear after that."""
LOCAL_SETTLE_SECONDS = 2.0
_BODY = msgspec.json.Encoder(decimal_format="number")
_JSON = {"Content-Type": "application/json"}

T = TypeVar("T")
R = TypeVar("R")


class Unfit(Exception):
    """The action cannot be sent: its payload is wrong, or Sage is not in the state that the write requires.

    `is_for_now`: the state can still become right by itself (an order that somebody has open). Nothing was written.
    """

    def __init__(self, detail: str, *, is_for_now: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.is_for_now = is_for_now

    def result(self) -> DeliveryResult:
        return DeliveryResult(Outcome.FAILED, detail=self.detail, retryable=self.is_for_now)


def is_unknown(error: ConnectorError) -> bool:
    """Whether a write that ended so may have taken effect."""
    return isinstance(error, ServerFailed | BadPayload) or (isinstance(error, TransportFailed) and error.sent)


def failed_write(error: ConnectorError, detail: str | None = None) -> DeliveryResult:
    """What is known of a write whose request did not end well: UNKNOWN unless it certainly had no effect."""
    detail = detail or str(error)
    if is_unknown(error):
        return DeliveryResult(Outcome.UNKNOWN, detail=detail)
    return DeliveryResult(Outcome.FAILED, detail=detail, retryable=can_pass(error))


def failed_read(error: ConnectorError) -> DeliveryResult:
    """The look before a write did not end well: nothing was written."""
    detail = f"nothing was sent, because Sage could not be read first: {error}"
    return DeliveryResult(Outcome.FAILED, detail=detail, retryable=can_pass(error))


def can_pass(error: ConnectorError) -> bool:
    """Whether the same action can succeed later: the vendor's side recovers, or a person mends the access."""
    return error.retryable or isinstance(error, AuthError | PermissionDenied | WrongAccount)


def decimal_of(value: Any) -> Decimal:
    """A number of Sage's JSON as money with 2 decimals; a member that was left out is nil."""
    return Decimal(str(value if value is not None else 0)).quantize(Decimal("0.01"))


def conditions(keys: Sequence[str], member: str = "reference") -> Iterator[str]:
    """`$filter` texts that find records by any of these keys."""
    for start in range(0, len(keys), KEYS_PER_LOOK_UP):
        yield " or ".join(f"{member} eq {quoted(key)}" for key in keys[start : start + KEYS_PER_LOOK_UP])


class Desk:
    """Requests of one company. `concurrency` is how many writes are under way at a time."""

    def __init__(self, connector: Sage200Connector, concurrency: int = CONCURRENCY) -> None:
        self.connector = connector
        self.client = connector.client
        self._concurrency = max(concurrency, 1)
        # No gateway stands between this machine and itself.
        self.settle_seconds = LOCAL_SETTLE_SECONDS if self.client.is_local else SETTLE_SECONDS

    # --- writing ---

    def request(self, method: str, path: str, body: Any) -> Request:
        """The request as it would be sent, for people."""
        headers = {
            "Authorization": "***",
            "X-Site": self.connector.site_id,
            "X-Company": self.connector.company_id,
            **_JSON,
        }
        return Request(method, str(self.client.url(path)), headers, _BODY.encode(body).decode())

    def write(self, call: Call, body: Mapping[str, Any], *, method: str = "POST", path: str | None = None) -> Any:
        """Sends once; the object that it is answered with. Raises a ConnectorError."""
        answer = self.client.write(
            call, path or f"/{call.name}", method=method, content=_BODY.encode(body), headers=_JSON
        )
        return _object(answer, call)

    def ask(self, call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
        """A POST that changes nothing, tried again while that can help."""
        return self.client.read(
            call, f"/{call.name}", {}, lambda a: _object(a, call), content=_BODY.encode(body), headers=_JSON
        )

    def send_each(
        self, send: Callable[[T], tuple[R, bool]], items: Sequence[T], unsent: Callable[[T], R]
    ) -> list[tuple[T, R]]:
        """Each item once, so many at a time. When `send` says (second value) that an outcome is unknown, what has not
        gone out yet stays: one broken connection must not leave a hundred documents in doubt.
        """
        has_failed = threading.Event()

        def one(item: T) -> tuple[T, R]:
            if has_failed.is_set():
                return item, unsent(item)
            result, is_lost = send(item)
            if is_lost:
                has_failed.set()
            return item, result

        return self._side_by_side(one, items)

    def _side_by_side(self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """The result for each item, in their order, with as many at a time as the site is given."""
        if len(items) < 2 or self._concurrency == 1:
            return [work(item) for item in items]
        with ThreadPoolExecutor(min(self._concurrency, len(items))) as pool:
            return list(pool.map(work, items))

    # --- reading ---

    def rows(self, resource: str, condition: str, *, expand: str | None = None) -> Iterator[dict[str, Any]]:
        """Every row that meets the condition, page by page of ascending ids."""
        after = ""
        while True:
            rows = self.connector.select(resource, f"({condition}){after}", top=ROWS_PER_LOOK_UP, expand=expand)
            yield from rows
            if len(rows) < ROWS_PER_LOOK_UP:
                return
            after = f" and id gt {max(int(row['id']) for row in rows)}"

    def by_key(
        self, resource: str, keys: Iterable[str], *, member: str = "reference", expand: str | None = None
    ) -> dict[str, list[dict[str, Any]]]:
        """The rows of each key. Sage compares without regard to case; a key that is written otherwise is another."""
        found: dict[str, list[dict[str, Any]]] = {key: [] for key in keys}

        def read(condition: str) -> list[dict[str, Any]]:
            return list(self.rows(resource, condition, expand=expand))

        for rows in self._side_by_side(read, list(conditions(sorted(found), member))):
            for row in rows:
                if (key := row.get(member)) in found:
                    found[str(key)].append(row)
        return found

    def view(self, resource: str, keys: Iterable[str], *, member: str, order: str) -> list[dict[str, Any]]:
        """The rows of a view, which has no `id`, that have one of these keys; nothing where the site has no such view
        or the role may not see it. `order` is the view's own key.
        """
        call = Call(resource)

        def read(condition: str) -> list[dict[str, Any]]:
            parameters = {"$orderby": f"{order} asc", "$top": str(ROWS_PER_LOOK_UP), "$filter": condition}
            return self.client.read(call, f"/{resource}", parameters, lambda a: _list(a, call))

        try:
            pages = self._side_by_side(read, list(conditions(sorted(set(keys)), member)))
        except (NotFound, PermissionDenied, RequestRejected):
            return []
        return [row for page in pages for row in page]

    def single(self, resource: str, record_id: int, *, expand: str | None = None) -> dict[str, Any]:
        """One record by its id. Raises a ConnectorError."""
        call = Call(resource)
        parameters = {"$expand": expand} if expand else {}
        return self.client.read(call, f"/{resource}/{record_id}", parameters, lambda a: _object(a, call))

    def first(self, resource: str) -> dict[str, Any]:
        """The first record of a resource that has one; empty where the site or the role does not show it."""
        call = Call(resource)
        try:
            rows = self.client.read(call, f"/{resource}", {"$top": "1"}, lambda a: _list(a, call))
        except (NotFound, PermissionDenied, RequestRejected):
            return {}
        return rows[0] if rows else {}


def _object(answer: Answer, call: Call) -> dict[str, Any]:
    try:
        return msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode(answer.body)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BadPayload("the answer is no object", vendor=VENDOR, call=call.name, status=answer.status) from error


def _list(answer: Answer, call: Call) -> list[dict[str, Any]]:
    try:
        decoded = msgspec.json.Decoder(float_hook=Decimal).decode(answer.body)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BadPayload("the answer is no JSON", vendor=VENDOR, call=call.name, status=answer.status) from error
    rows = decoded.get("value") if isinstance(decoded, dict) and "value" in decoded else decoded
    return [row for row in (rows if isinstance(rows, list) else [rows]) if isinstance(row, dict)]
