"""Asynchronous exports: ask for files, wait until they are there, download them one by one.

| feed | ask | status | files |
|---|---|---|---|
| orders | OR13 | OR14 | OR15 |
| transaction_lines | TL03 | TL04 | TL05 |
| offer_changes | OF52 | OF53 | OF54 |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from connectors.decoding import format_stamp, record_hash
from connectors.errors import BadPayload, ExportFailed, RequestRejected, TransportFailed
from connectors.extraction import Reading
from connectors.http import Answer, ApiClient, Call, Parameters
from connectors.records import Page, Window

ITEMS_PER_CHUNK = 10_000
MEGABYTES_PER_CHUNK = 10
"""The smallest files that Mirakl makes: one file is one page, and a page is held in memory."""
THE_BEGINNING = "2000-01-01T00:00:00Z"
CLOCK_MARGIN = timedelta(hours=1)
"""How far ahead a window must end, so that a clock that is behind the vendor's leaves nothing out."""
PATIENCE_SECONDS = 3600.0
LOCAL_POLL_SECONDS = 0.2
POLL_GROWTH = 2.0
T = TypeVar("T")
_ALREADY_RUNNING = re.compile(r"already|running|in progress|only one export", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Question:
    """What an export is asked for. `shop_ids` is an operator's filter, `now` the end of the window."""

    window: Window
    now: datetime
    order_tax_mode: str
    shop_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Export:
    """The three calls of an export. The pause between two looks at its status grows from the first to the longest."""

    start: Call
    status: Call
    download: Call
    path: str
    body: Callable[[Question], dict[str, Any]]
    first_pause: float
    longest_pause: float


def _orders(question: Question) -> dict[str, Any]:
    """OR13 wants a whole range: one without a start is the beginning of all orders."""
    since = question.window.since
    body: dict[str, Any] = {
        "start_update_date": format_stamp(since) if since is not None else THE_BEGINNING,
        "end_update_date": format_stamp(question.now + CLOCK_MARGIN),
        "order_tax_mode": question.order_tax_mode,
    }
    if question.shop_ids:
        body["shop_ids"] = [int(shop) for shop in question.shop_ids]
    return body


def _transaction_lines(question: Question) -> dict[str, Any]:
    since = question.window.since
    return {"format": "JSON", **({"last_updated_from": format_stamp(since)} if since is not None else {})}


def _offers(question: Question) -> dict[str, Any]:
    """Since a date: what changed, inactive and deleted offers among them. Otherwise all, inactive ones too."""
    since = question.window.since
    changed: dict[str, Any] = (
        {"include_inactive_offers": True} if since is None else {"last_request_date": format_stamp(since)}
    )
    return {"export_type": "application/json", **changed}


EXPORTS: dict[str, Export] = {
    "orders": Export(Call("OR13"), Call("OR14"), Call("OR15"), "/api/orders/async-export", _orders, 10.0, 10.0),
    "transaction_lines": Export(
        Call("TL03"),
        Call("TL04"),
        Call("TL05"),
        "/api/sellerpayment/transactions_logs/async",
        _transaction_lines,
        10.0,
        60.0,
    ),
    "offer_changes": Export(Call("OF52"), Call("OF53"), Call("OF54"), "/api/offers/export/async", _offers, 10.0, 60.0),
}


class _Tracking(msgspec.Struct):
    tracking_id: str


class _Reason(msgspec.Struct):
    code: str | int | None = None
    detail: str | None = None


class _Status(msgspec.Struct):
    status: str
    urls: list[str] | None = None
    error: _Reason | None = None


class _Patience:
    """Pauses that grow, up to a limit of time in all."""

    def __init__(self, client: ApiClient, export: Export) -> None:
        self._client = client
        self._pause = LOCAL_POLL_SECONDS if client.is_local else export.first_pause
        self._longest = LOCAL_POLL_SECONDS if client.is_local else export.longest_pause
        self._waited = 0.0

    def wait(self, call: Call, what: str) -> None:
        """Raises TransportFailed when it has taken too long."""
        if self._waited >= PATIENCE_SECONDS:
            raise TransportFailed(
                f"{what} after {self._waited:g} s", vendor=self._client.vendor, call=call.name, sent=True
            )
        self._client.sleep(self._pause)
        self._waited += self._pause
        self._pause = min(self._pause * POLL_GROWTH, self._longest)


def export_pages(reading: Reading, export: Export, question: Question, parameters: Mapping[str, str]) -> Iterator[Page]:
    """The files of one export, each as one page. `parameters` go with every call (the seller's shop).

    Raises ExportFailed when the vendor gave up, TransportFailed when it takes longer than an hour; both may be tried
    again.
    """
    client = reading.client
    patience = _Patience(client, export)
    tracking_id = _start(client, export, question, parameters, patience)
    urls = _wait(client, export, tracking_id, parameters, patience)
    for number, url in enumerate(urls, 1):
        target, asked, is_signed = _download_address(client, url, parameters)
        scanned = client.read(
            export.download, target, asked, reading.scan, is_first_page=number == 1, is_signed=is_signed
        )
        hashes = tuple(map(record_hash, scanned.raws))
        yield reading.page(number, scanned, reading.learn(scanned), hashes, None)


def _start(client: ApiClient, export: Export, question: Question, parameters: Parameters, patience: _Patience) -> str:
    """Ask for the export. One that already runs is waited for: what it holds was asked with another window."""
    content = msgspec.json.encode(
        {
            **export.body(question),
            "items_per_chunk": ITEMS_PER_CHUNK,
            "megabytes_per_chunk": MEGABYTES_PER_CHUNK,
        }
    )
    is_first = True
    while True:
        try:
            answer = client.read(
                export.start,
                export.path,
                parameters,
                lambda answer: _decoded(client, export.start, answer, _Tracking),
                content=content,
                is_first_page=is_first,
            )
        except RequestRejected as error:
            if error.status != 409 and not _ALREADY_RUNNING.search(error.detail or ""):
                raise
            patience.wait(export.start, "another export is still running")
            is_first = False
        else:
            return answer.tracking_id


def _wait(
    client: ApiClient, export: Export, tracking_id: str, parameters: Parameters, patience: _Patience
) -> Sequence[str]:
    is_first = True
    while True:
        status = client.read(
            export.status,
            f"{export.path}/status/{quote(tracking_id, safe='')}",
            parameters,
            lambda answer: _decoded(client, export.status, answer, _Status),
            is_first_page=is_first,
        )
        is_first = False
        match status.status:
            case "COMPLETED":
                return status.urls or ()
            case "FAILED" | "CANCELED":
                why = f"{status.error.code or ''} {status.error.detail or ''}".strip() if status.error else None
                raise ExportFailed(
                    f"the export ended {status.status}", vendor=client.vendor, call=export.status.name, detail=why
                )
            case other:  # PENDING, and whatever else a newer platform says before the end
                patience.wait(export.status, f"the export is still {other}")


def _decoded(client: ApiClient, call: Call, answer: Answer, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise BadPayload(
            "the answer says nothing of the export", vendor=client.vendor, call=call.name, detail=str(error)
        ) from error


def _download_address(client: ApiClient, url: str, parameters: Mapping[str, str]) -> tuple[str, dict[str, str], bool]:
    """Where a file is fetched, with which parameters, and whether with our signature.

    The key goes to our own host only, over its own scheme (published examples print `http://`). A file on another host
    is fetched without it; `read` refuses that over plain http.
    """
    ours = httpx.URL(client.base_url)
    found = ours.join(url)
    if found.host == ours.host and found.scheme == "http" and ours.scheme == "https" and found.port is None:
        found = found.copy_with(scheme="https")
    is_ours = (found.scheme, found.host, found.port) == (ours.scheme, ours.host, ours.port)
    if not is_ours:
        return str(found), {}, False
    return str(found.copy_with(query=None)), {**found.params, **parameters}, True
