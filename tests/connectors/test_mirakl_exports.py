"""Asynchronous exports over real HTTP: asked for, waited for, downloaded file by file, and whatever goes wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors.errors import (
    BadPayload,
    ConnectorError,
    ExportFailed,
    RequestRejected,
    TransportFailed,
    UnsafeRedirect,
    WrongAccount,
)
from connectors.mirakl import MiraklConnector
from connectors.mirakl.exports import EXPORTS, PATIENCE_SECONDS
from connectors.records import Page, Window
from tests.connectors.conftest import NOW
from tests.connectors.server import Asked, Reply, Server, serving

SINCE = Window(since=datetime(2026, 6, 30, 23, 30, tzinfo=UTC))


def line(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"L{number}", "last_updated": f"2026-07-01T10:00:0{number}Z", **more}


@dataclass
class Platform:
    """One kind of export. `answers` are the statuses in turn (the last one for ever), `files` the bodies by number."""

    entity: str
    files: list[bytes]
    answers: list[dict[str, Any]] = field(default_factory=lambda: [{"status": "PENDING"}, {"status": "COMPLETED"}])
    starts: list[Reply] = field(default_factory=lambda: [Reply(200, b'{"tracking_id":"T 1"}')])
    url: Callable[[Server, int], str] = lambda server, number: f"{server.url}/files/T1?file={number}.json"
    server: Server | None = None

    def __call__(self, asked: Asked) -> Reply:
        path = EXPORTS[self.entity].path
        if asked.method == "POST":
            assert asked.path == path
            return self.starts.pop(0) if len(self.starts) > 1 else self.starts[0]
        if asked.path == f"{path}/status/T%201":
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if answer["status"] == "COMPLETED" and "urls" not in answer:
                assert self.server is not None
                answer = {**answer, "urls": [self.url(self.server, n) for n in range(len(self.files))]}
            return Reply(200, json.dumps(answer).encode())
        assert asked.path == "/files/T1"
        return Reply(200, self.files[int(asked.parameters["file"].partition(".")[0])])


def run(platform: Platform, window: Window = SINCE, **more: Any) -> tuple[list[Page], list[Asked], list[float]]:
    naps: list[float] = []
    with serving(platform) as server:
        platform.server = server
        mirakl = MiraklConnector("BRICO", server.url, 2042, "key", sleep=naps.append, clock=lambda: NOW, **more)
        pages = list(mirakl.pages(platform.entity, window, "EXPORT"))
    return pages, server.asked, naps


def asked_of(asked: list[Asked]) -> dict[str, Any]:
    (body,) = (json.loads(a.body) for a in asked if a.method == "POST")
    assert body.pop("items_per_chunk") == 10_000
    assert body.pop("megabytes_per_chunk") == 10
    return body  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("entity", "window", "body"),
    [
        (
            "orders",
            SINCE,
            {
                "start_update_date": "2026-06-30T23:30:00Z",
                "end_update_date": "2026-07-03T09:00:00Z",
                "order_tax_mode": "TAX_INCLUDED",
            },
        ),
        (
            "orders",
            Window(),
            {
                "start_update_date": "2000-01-01T00:00:00Z",
                "end_update_date": "2026-07-03T09:00:00Z",
                "order_tax_mode": "TAX_INCLUDED",
            },
        ),
        ("transaction_lines", SINCE, {"format": "JSON", "last_updated_from": "2026-06-30T23:30:00Z"}),
        ("transaction_lines", Window(), {"format": "JSON"}),
        ("offer_changes", SINCE, {"export_type": "application/json", "last_request_date": "2026-06-30T23:30:00Z"}),
        ("offer_changes", Window(), {"export_type": "application/json", "include_inactive_offers": True}),
    ],
)
def test_an_export_is_asked_for_as_the_vendor_documents(entity: str, window: Window, body: dict[str, Any]) -> None:
    empty = {"orders": b'{"orders":[]}', "transaction_lines": b'{"data":[]}', "offer_changes": b"[]"}
    pages, asked, _ = run(Platform(entity, [empty[entity]]), window)
    assert asked_of(asked) == body
    assert [p.record_count for p in pages] == [0]
    assert all(a.parameters["shop_id"] == "2042" for a in asked), "the shop is named in every call, the files' too"
    assert all(a.headers["authorization"] == "key" for a in asked)


@pytest.mark.parametrize(
    ("form", "bodies"),
    [
        ("wrapped", [b'{"data":[%s,%s]}', b'{"data":[%s]}']),
        ("bare list", [b"[%s,%s]", b"[%s]"]),
        ("a line each", [b"%s\n%s\n", b"%s\n"]),
        ("a line each without the last line's end", [b"%s\n%s", b"%s"]),
    ],
)
def test_every_form_of_a_file_of_lines_is_read(form: str, bodies: list[bytes]) -> None:
    first, second, third = (json.dumps(line(n)).encode() for n in (1, 2, 3))
    pages, _, naps = run(Platform("transaction_lines", [bodies[0] % (first, second), bodies[1] % third]))
    assert [(p.number, p.record_count) for p in pages] == [(1, 2), (2, 1)], form
    assert [p.cursor for p in pages] == ["2026-07-01T10:00:02Z", "2026-07-01T10:00:03Z"]
    assert len({h for p in pages for h in p.record_hashes}) == 3
    assert pages[0].body == bodies[0] % (first, second), "the evidence is the file as it came"
    assert len(naps) == 1, "one look at the status found it pending"


def test_an_export_that_already_runs_is_waited_for() -> None:
    busy = Reply(400, b'{"message":"An order export is already running for this shop","status":400}')
    started = Reply(200, b'{"tracking_id":"T 1"}')
    platform = Platform("orders", [b'{"orders":[]}'], starts=[busy, Reply(409), started])
    pages, asked, naps = run(platform)
    assert [a.method for a in asked].count("POST") == 3
    assert len(pages) == 1
    assert len(naps) == 3


def test_a_refused_export_is_an_error_at_once() -> None:
    platform = Platform("orders", [], starts=[Reply(400, b'{"message":"end_update_date is missing"}')])
    with pytest.raises(RequestRejected, match="end_update_date"):
        run(platform)


@pytest.mark.parametrize("state", ["FAILED", "CANCELED"])
def test_an_export_that_fails_can_be_tried_again_by_the_next_run(state: str) -> None:
    platform = Platform(
        "offer_changes", [], answers=[{"status": state, "error": {"code": "1", "detail": "Internal error"}}]
    )
    with pytest.raises(ExportFailed, match=f"{state}.*Internal error") as caught:
        run(platform)
    assert caught.value.retryable


def test_an_export_that_never_ends_is_given_up_after_its_patience() -> None:
    naps: list[float] = []
    platform = Platform("offer_changes", [], answers=[{"status": "PENDING"}])

    def answer(request: httpx.Request) -> httpx.Response:
        reply = platform(Asked(request.method, request.url.raw_path.decode().partition("?")[0], {}, {}, b""))
        return httpx.Response(reply.status, content=reply.body)

    mirakl = MiraklConnector(
        "BRICO", "https://brico.example.com", 2042, "key", transport=httpx.MockTransport(answer), sleep=naps.append
    )
    with pytest.raises(TransportFailed, match="still PENDING"):
        list(mirakl.pages("offer_changes", SINCE))
    assert naps[:4] == [10.0, 20.0, 40.0, 60.0], "the pauses grow to what Mirakl recommends"
    assert PATIENCE_SECONDS <= sum(naps) < PATIENCE_SECONDS + 60


def test_a_status_that_nobody_knows_is_waited_out() -> None:
    platform = Platform(
        "orders", [b'{"orders":[]}'], answers=[{"status": "WARMING_UP"}, {"status": "COMPLETED", "extra": 1}]
    )
    pages, _, naps = run(platform)
    assert (len(pages), len(naps)) == (1, 1)


def test_an_export_without_files_has_no_page() -> None:
    assert run(Platform("orders", []))[0] == []


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"tracking":1}', b"[]"])
def test_an_answer_that_names_no_export_is_a_bad_payload(body: bytes) -> None:
    with pytest.raises(BadPayload):
        run(Platform("orders", [], starts=[Reply(200, body)]))


def test_the_start_survives_a_passing_failure() -> None:
    started = Reply(200, b'{"tracking_id":"T 1"}')
    busy = [Reply(429, headers={"Retry-After": "3"}), Reply(503, b"<html>down</html>"), started]
    pages, _, naps = run(Platform("orders", [b'{"orders":[]}'], starts=busy))
    assert len(pages) == 1
    assert naps[0] == 3.0


def test_a_cut_file_is_downloaded_again() -> None:
    whole = json.dumps({"data": [line(1)]}).encode()
    left = [5, None]
    platform = Platform("transaction_lines", [whole])

    def answer(asked: Asked) -> Reply:
        reply = platform(asked)
        if asked.path == "/files/T1":
            reply.cut_after = left.pop(0)
        return reply

    with serving(answer) as server:
        platform.server = server
        mirakl = MiraklConnector("BRICO", server.url, 2042, "key", sleep=lambda _: None, clock=lambda: NOW)
        (page,) = mirakl.pages("transaction_lines", SINCE, "EXPORT")
    assert (page.body, left) == (whole, [])


def test_a_file_over_plain_http_elsewhere_is_refused_and_the_key_stays() -> None:
    with serving(lambda _: Reply(200, b"[]")) as thief:
        platform = Platform("offer_changes", [b"[]"], url=lambda _, number: f"{thief.url}/files/T1?file={number}")
        with pytest.raises(UnsafeRedirect):
            run(platform)
        assert thief.asked == []


def over_https(url: str) -> tuple[list[httpx.Request], ConnectorError | list[Page]]:
    """What is asked for, and what comes of it, when the file's address is `url`."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if request.method == "POST":
            return httpx.Response(200, json={"tracking_id": "T1"})
        if "/status/" in request.url.path:
            return httpx.Response(200, json={"status": "COMPLETED", "urls": [url]})
        if request.url.path == "/moved":
            return httpx.Response(302, headers={"Location": "http://store.example.com/x"})
        return httpx.Response(200, json=[])

    mirakl = MiraklConnector(
        "BRICO", "https://brico.example.com", 2042, "key", transport=httpx.MockTransport(answer), clock=lambda: NOW
    )
    try:
        return asked, list(mirakl.pages("offer_changes", SINCE))
    except ConnectorError as error:
        return asked, error


def test_a_file_on_another_host_is_fetched_without_the_key() -> None:
    asked, pages = over_https("https://store.example.com/f?X-Amz-Signature=abc&file=0")
    assert isinstance(pages, list)
    assert "authorization" not in asked[-1].headers
    assert dict(asked[-1].url.params) == {"X-Amz-Signature": "abc", "file": "0"}
    assert pages[0].url == "https://store.example.com/f", "its signature reaches neither a log nor the manifest"


def test_our_own_host_printed_without_tls_is_asked_with_it() -> None:
    asked, pages = over_https("http://brico.example.com/api/f?file=0")
    assert isinstance(pages, list)
    assert str(asked[-1].url) == "https://brico.example.com/api/f?file=0&shop_id=2042"
    assert asked[-1].headers["authorization"] == "key"


def test_a_relative_address_is_ours() -> None:
    asked, _ = over_https("/api/f?file=0")
    assert str(asked[-1].url) == "https://brico.example.com/api/f?file=0&shop_id=2042"


def test_another_host_cannot_send_us_on() -> None:
    asked, error = over_https("https://store.example.com/moved")
    assert isinstance(error, UnsafeRedirect)
    assert asked[-1].url.host == "store.example.com"


def test_a_file_of_another_shop_is_refused() -> None:
    body = json.dumps({"data": [line(1, shop={"id": 7})]}).encode()
    with pytest.raises(WrongAccount, match="asked for shop 2042, the answer holds records of 7"):
        run(Platform("transaction_lines", [body]))


def test_the_route_is_said_by_the_connector() -> None:
    mirakl = MiraklConnector("BRICO", "https://brico.example.com", 2042, "key")
    assert mirakl.routes("orders") == mirakl.routes("transaction_lines") == ("INTERACTIVE", "EXPORT")
    assert mirakl.routes("offer_changes") == ("EXPORT",)
    assert mirakl.routes("invoices") == ("INTERACTIVE",)
    with pytest.raises(KeyError):
        mirakl.routes("cats")
