"""How every write goes out, and what is known of it afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from connectors.decoding import Envelope, raw_records, split_records
from connectors.delivery import DeliveryResult, Outcome, Request
from connectors.errors import AuthError, BadPayload, ConnectorError, PermissionDenied, ServerFailed, TransportFailed
from connectors.http import Answer, Call, Parameters, with_query
from connectors.mirakl.client import MiraklConnector
from connectors.mirakl.decode import VENDOR
from connectors.pagination import member_text

JSON = {"Content-Type": "application/json"}
MAXIMUM_PAGES = 1000
"""Of a chain of seek pages. A chain of one order's shipments that is longer does not end."""

T = TypeVar("T")
_BODY = msgspec.json.Encoder(decimal_format="number")


class Unfit(Exception):
    """The action cannot be sent: its payload is wrong, or the marketplace is not in the state that the call requires.

    `is_for_now`: the state can still become right by itself (an order that waits for its payment), so the same action
    can succeed later. Nothing was written.
    """

    def __init__(self, detail: str, *, is_for_now: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.is_for_now = is_for_now

    def result(self) -> DeliveryResult:
        return DeliveryResult(Outcome.FAILED, detail=self.detail, retryable=self.is_for_now)


def failed_write(error: ConnectorError) -> DeliveryResult:
    """What is known of a write whose request did not end well: UNKNOWN unless it certainly had no effect."""
    if isinstance(error, ServerFailed | BadPayload) or (isinstance(error, TransportFailed) and error.sent):
        return DeliveryResult(Outcome.UNKNOWN, detail=str(error))
    return DeliveryResult(Outcome.FAILED, detail=str(error), retryable=_can_pass(error))


def failed_read(error: ConnectorError) -> DeliveryResult:
    """The look before a write did not end well: nothing was written."""
    return DeliveryResult(
        Outcome.FAILED,
        detail=f"nothing was sent, because its precondition could not be read: {error}",
        retryable=_can_pass(error) or isinstance(error, BadPayload),
    )


def _can_pass(error: ConnectorError) -> bool:
    return error.retryable or isinstance(error, AuthError | PermissionDenied)


class Desk:
    """Requests of one shop: every one names the shop, every body is JSON with exact decimals."""

    def __init__(self, connector: MiraklConnector) -> None:
        if connector.shop_id is None:
            raise ValueError("writes are made for a shop, and this connector has none")
        self.connector = connector
        self.client = connector.client
        self.parameters: Mapping[str, str] = {"shop_id": str(connector.shop_id)}

    def request(self, method: str, path: str, body: Any = None) -> Request:
        """The request as it would be sent, for people."""
        url = str(with_query(self.client.url(path), self.parameters))
        headers = {"Authorization": "***", **(JSON if body is not None else {})}
        return Request(method, url, headers, "" if body is None else _BODY.encode(body).decode())

    def write(self, call: Call, method: str, path: str, body: Any = None) -> Answer:
        """Sends once. Raises a ConnectorError."""
        return self.client.write(
            call,
            path,
            method=method,
            parameters=self.parameters,
            content=None if body is None else _BODY.encode(body),
            headers=None if body is None else JSON,
        )

    def read(
        self,
        call: Call,
        path: str,
        parameters: Parameters,
        parse: Callable[[Answer], T],
        *,
        is_poll: bool = False,
    ) -> T:
        """A delivery reads named records, which Mirakl allows whenever one is looked at ("synchronous" use of OR11):
        that is no poll of the feed. `is_poll`: the call's frequency holds for named records too.
        """
        asked = {**self.parameters, **parameters}
        return self.client.read(call, path, asked, parse, is_first_page=is_poll)

    def chain(
        self, call: Call, path: str, parameters: Parameters, record: type[T], *, is_poll: bool = False
    ) -> Iterator[T]:
        """The records of all seek pages. Raises BadPayload when one cannot be read: an absent record would prove
        something that is not so.
        """

        def parse(answer: Answer) -> tuple[list[T], str | None]:
            whole, members = split_records(answer.body, Envelope("data"), vendor=VENDOR, call=call.name)
            raws = raw_records(whole, vendor=VENDOR, call=call.name)
            try:
                records = [msgspec.json.decode(raw, type=record) for raw in raws]
            except (msgspec.DecodeError, ValueError, RecursionError) as error:
                raise BadPayload("a record cannot be read", vendor=VENDOR, call=call.name, detail=str(error)) from error
            return records, member_text(members.get("next_page_token"))

        asked: Parameters = {"limit": "100", **parameters}
        seen: set[str] = set()
        for _ in range(MAXIMUM_PAGES):
            records, token = self.read(call, path, asked, parse, is_poll=is_poll and not seen)
            yield from records
            if token is None:
                return
            if token in seen:
                break
            seen.add(token)
            asked = {"limit": "100", "page_token": token}
        raise BadPayload("the pages do not end", vendor=VENDOR, call=call.name)


def parsed(answer: Answer, shape: type[T], call: Call) -> T:
    """The body of a write's answer. Raises BadPayload: the write was taken, and what became of it cannot be read."""
    try:
        return msgspec.json.decode(answer.body, type=shape)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BadPayload(
            "the answer to a write cannot be read",
            vendor=VENDOR,
            call=call.name,
            status=answer.status,
            detail=str(error),
        ) from error
