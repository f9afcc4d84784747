"""The Mirakl connector against a scripted marketplace: what it asks for, page by page, and what doctor is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import httpx
import pytest

from connectors.errors import BadPayload, BudgetExhausted, PermissionDenied, UnsafeRedirect, WrongAccount
from connectors.mirakl import MiraklConnector
from connectors.mirakl.endpoints import ENDPOINTS
from connectors.records import Page, Window
from tests.connectors.conftest import NOW
from tests.connectors.server import Asked, Reply, serving

BASE = "https://brico.example.com"
Answer = Callable[[httpx.Request], httpx.Response]


def connector(answer: Answer, **more: Any) -> MiraklConnector:
    options: dict[str, Any] = {"sleep": lambda _: None, "clock": lambda: NOW, **more}
    return MiraklConnector("BRICO", BASE, "2042", "key", transport=httpx.MockTransport(answer), **options)


def order(number: int, stamp: str = "2026-07-01T10:00:00Z") -> dict[str, Any]:
    return {"order_id": f"O{number}-A", "last_updated_date": stamp}


def asked_for(entity: str, window: Window, body: dict[str, Any]) -> dict[str, str]:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json=body)

    list(connector(answer).pages(entity, window))
    assert len(requests) == 1
    assert requests[0].headers["Authorization"] == "key"
    assert requests[0].url.path == ENDPOINTS[entity].path
    return dict(requests[0].url.params)


SINCE = Window(since=datetime(2026, 6, 30, 23, 30, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("entity", "body", "parameters"),
    [
        (
            "orders",
            {"orders": []},
            {
                "order_tax_mode": "TAX_INCLUDED",
                "max": "100",
                "offset": "0",
                "sort": "dateCreated",
                "order": "asc",
                "start_update_date": "2026-06-30T23:30:00Z",
            },
        ),
        (
            "transaction_lines",
            {"data": []},
            {"limit": "2000", "sort": "lastUpdated,ASC", "last_updated_from": "2026-06-30T23:30:00Z"},
        ),
        ("billing_cycles", {"data": []}, {"limit": "1000", "sort": "dateCreated,ASC"}),
        (
            "invoices",
            {"invoices": []},
            {"type": "ALL", "max": "100", "offset": "0", "sort": "dateCreated", "order": "asc"},
        ),
        ("offers", {"offers": []}, {"max": "100", "offset": "0"}),
        ("account", {"shop_id": 2042}, {}),
        ("platform", {"features": {}}, {}),
        ("carriers", {"carriers": []}, {}),
        (
            "returns",
            {"data": []},
            {"limit": "100", "sort": "date_created,ASC", "return_last_updated_from": "2026-06-30T23:30:00Z"},
        ),
        (
            "shipments",
            {"data": []},
            {"limit": "100", "sort": "dateCreated,ASC", "last_updated_from": "2026-06-30T23:30:00Z"},
        ),
        ("items_to_ship", {"data": []}, {"limit": "100", "sort": "shippingDate,ASC"}),
        ("threads", {"data": []}, {"limit": "100", "updated_since": "2026-06-30T23:30:00Z"}),
        (
            "document_requests",
            {"data": []},
            {"limit": "100", "sort": "dateCreated,ASC", "last_updated_from": "2026-06-30T23:30:00Z"},
        ),
        ("account_statistics", {"shop_id": 2042}, {}),
        ("currencies", {"currencies": []}, {}),
        ("channels", {"channels": []}, {}),
        ("offer_conditions", {"offer_states": []}, {}),
        ("reasons", {"reasons": []}, {}),
        ("shipping_zones", {"shipping_zones": []}, {}),
        ("shipping_methods", {"shipping_types": []}, {}),
        ("custom_fields", {"additional_fields": []}, {}),
    ],
)
def test_each_feed_asks_as_the_vendor_documents_and_always_names_the_shop(
    entity: str, body: dict[str, Any], parameters: dict[str, str]
) -> None:
    assert asked_for(entity, SINCE, body) == {"shop_id": "2042", **parameters}


def test_a_first_read_has_no_window_and_the_configured_tax_mode() -> None:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={"orders": [], "total_count": 0})

    list(connector(answer, order_tax_mode="TAX_EXCLUDED").pages("orders", Window()))
    assert "start_update_date" not in requests[0].url.params
    assert requests[0].url.params["order_tax_mode"] == "TAX_EXCLUDED"


def test_offset_pages_are_streamed_with_counts_hashes_and_cursor() -> None:
    pages_served = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal pages_served
        pages_served += 1
        offset = int(request.url.params["offset"])
        batch = [order(n, f"2026-07-01T10:00:{n % 60:02d}Z") for n in range(offset, min(offset + 100, 250))]
        following = offset + 100
        links = (
            {"Link": f'<{BASE}/api/orders?max=100&offset={following}&shop_id=2042>; rel="next"'}
            if following < 250
            else {}
        )
        return httpx.Response(200, json={"orders": batch, "total_count": 250}, headers=links)

    pages: list[Page] = []
    for page in connector(answer).pages("orders", Window()):
        assert pages_served == len(pages) + 1, "a page is read only when it is asked for"
        pages.append(page)
    assert [p.number for p in pages] == [1, 2, 3]
    assert [p.record_count for p in pages] == [100, 100, 50]
    assert all(len(p.record_hashes) == p.record_count for p in pages)
    assert {p.declared_count for p in pages} == {250}
    assert pages[0].cursor == "2026-07-01T10:00:59Z"
    assert len({h for p in pages for h in p.record_hashes}) == 250
    assert pages[0].fetched_at == NOW
    assert json.loads(pages[2].body)["orders"][0]["order_id"] == "O200-A"


def test_a_next_link_that_forgets_the_shop_or_a_filter_is_given_it_again() -> None:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        links = {"Link": '</api/orders?max=100&offset=1&offset=7>; rel="next"'} if len(requests) == 1 else {}
        return httpx.Response(200, json={"orders": [order(len(requests))], "total_count": 2}, headers=links)

    assert len(list(connector(answer).pages("orders", SINCE))) == 2
    second = dict(requests[1].url.params)
    assert second == {**dict(requests[0].url.params), "offset": "1"}


@pytest.mark.parametrize("link", ["http://[::1/api/orders?offset=100", "https://example.com:port/api/orders"])
def test_a_next_link_that_is_no_address_ends_the_reading_with_what_is_wrong(link: str) -> None:
    pages = connector(
        lambda _: httpx.Response(
            200, json={"orders": [order(1)], "total_count": 2}, headers={"Link": f'<{link}>; rel="next"'}
        )
    ).pages("orders", Window())
    assert next(pages).record_count == 1
    with pytest.raises(BadPayload, match="the link to the next page is no address"):
        next(pages)


def test_seek_pages_end_with_an_absent_or_null_token_and_keep_the_shop() -> None:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        token = request.url.params.get("page_token")
        line = {"id": f"L{token}", "last_updated": "2026-07-01T10:00:00Z"}
        members: dict[str, Any] = {
            None: {"next_page_token": "a"},
            "a": {"next_page_token": "b"},
            "b": {"next_page_token": None},
        }
        return httpx.Response(200, json={"data": [line], **members[token]})

    pages = list(connector(answer).pages("transaction_lines", SINCE))
    assert len(pages) == 3
    assert all(r.url.params["shop_id"] == "2042" for r in requests)
    assert "page_token=***" in pages[1].url
    assert pages[0].declared_count is None


def test_a_next_link_to_another_host_is_not_followed() -> None:
    with serving(lambda _: Reply(200, b"{}")) as thief:

        def answer(_: Asked) -> Reply:
            headers = {"Link": f'<{thief.url}/api/orders?offset=100>; rel="next"'}
            return Reply(200, json.dumps({"orders": [order(1)], "total_count": 200}).encode(), headers)

        with serving(answer) as server:
            pages = MiraklConnector("BRICO", server.url, 2042, "key").pages("orders", Window())
            assert next(pages).record_count == 1, "the page that was read is not lost"
            with pytest.raises(UnsafeRedirect):
                next(pages)
        assert thief.asked == []


def test_an_endless_feed_is_refused() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"data": [{"id": "same"}], "next_page_token": "again"})

    with pytest.raises(BadPayload, match="twice"):
        list(islice(connector(answer).pages("transaction_lines", Window()), 10))


@pytest.mark.parametrize(
    "body", [b"", b"<html>maintenance</html>", b'{"orders":[{"order_id":"A"}', b'{"orders":null}', b'{"status":200}']
)
def test_a_page_that_stays_broken_ends_as_a_bad_payload_after_bounded_tries(body: bytes) -> None:
    tries: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        tries.append(request)
        return httpx.Response(200, content=body)

    with pytest.raises(BadPayload):
        list(connector(answer).pages("orders", Window()))
    assert 1 < len(tries) <= 5


def test_records_of_another_shop_are_refused_before_they_are_kept() -> None:
    lines = [{"id": "L1", "shop": {"id": 2042}}, {"id": "L2", "shop": {"id": 7}}, {"id": "L3", "shop": None}]
    with pytest.raises(WrongAccount, match=r"asked for shop 2042, the answer holds records of 7\b"):
        list(connector(lambda _: httpx.Response(200, json={"data": lines})).pages("transaction_lines", Window()))
    with pytest.raises(WrongAccount, match="A01"):
        list(connector(lambda _: httpx.Response(200, json={"shop_id": 7})).pages("account", Window()))


def test_a_measure_is_one_small_call_and_the_vendors_own_number() -> None:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={"orders": [order(1)], "total_count": 123456})

    assert connector(answer).measure("orders", SINCE) == 123456
    assert dict(requests[0].url.params) == {
        "shop_id": "2042",
        "sort": "dateCreated",
        "order": "asc",
        "order_tax_mode": "TAX_INCLUDED",
        "start_update_date": "2026-06-30T23:30:00Z",
        "max": "1",
        "offset": "0",
    }
    assert connector(answer).measure("transaction_lines", SINCE) is None
    assert connector(answer).measure("offer_changes", SINCE) is None
    assert len(requests) == 1, "nothing is asked of a call that gives no total"
    assert connector(lambda _: httpx.Response(200, json={"orders": []})).measure("orders", SINCE) is None


class CountingBudget:
    def __init__(self, left: int = 1_000_000) -> None:
        self.left = left
        self.taken: list[tuple[str, bool]] = []
        self.throttles: list[tuple[str, float | None]] = []

    def take(self, call: str, *, is_first_page: bool) -> None:
        if self.left == 0:
            raise BudgetExhausted("none left", vendor="mirakl", call=call, retry_after=30.0)
        self.left -= 1
        self.taken.append((call, is_first_page))

    def throttled(self, call: str, retry_after: float | None) -> None:
        self.throttles.append((call, retry_after))


def test_each_request_is_taken_from_the_budget_and_only_the_first_of_an_extraction_is_a_poll() -> None:
    answers = [
        httpx.Response(503),
        httpx.Response(200, json={"data": [{"id": "a"}], "next_page_token": "t"}),
        httpx.Response(429, headers={"Retry-After": "4"}),
        httpx.Response(429),
        httpx.Response(200, json={"data": [{"id": "b"}]}),
    ]
    budget = CountingBudget()
    assert len(list(connector(lambda _: answers.pop(0), budget=budget).pages("transaction_lines", Window()))) == 2
    assert budget.taken == [("TL02", True), *[("TL02", False)] * 4]
    assert budget.throttles == [("TL02", 4.0), ("TL02", None)]


def test_an_exhausted_budget_sends_nothing_and_says_when_to_come_back() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise AssertionError("nothing is sent")

    naps: list[float] = []
    with pytest.raises(BudgetExhausted) as caught:
        list(connector(answer, budget=CountingBudget(0), sleep=naps.append).pages("orders", Window()))
    assert (caught.value.retryable, caught.value.retry_after, naps) == (True, 30.0, [])


def test_doctor_and_measure_are_no_polls() -> None:
    budget = CountingBudget()
    connector(healthy, budget=budget).check()
    connector(healthy, budget=budget).measure("orders", SINCE)
    assert len(budget.taken) > 15
    assert not any(is_first for _, is_first in budget.taken)


def test_a_page_of_thirty_megabytes_is_read_whole() -> None:
    lines = [{"id": f"L{n}", "type": "ORDER_AMOUNT", "note": "x" * 16_000} for n in range(2000)]
    body = json.dumps({"data": lines}).encode()
    assert len(body) > 30_000_000
    with serving(lambda _: Reply(200, body)) as server:
        (page,) = MiraklConnector("BRICO", server.url, 2042, "key").pages("transaction_lines", Window())
    assert (page.record_count, len(page.body)) == (2000, len(body))


def test_a_stamp_from_the_future_does_not_move_the_cursor_past_todays_records() -> None:
    lines = [{"id": "a", "last_updated": "2026-07-03T07:00:00Z"}, {"id": "b", "last_updated": "2031-01-01T00:00:00Z"}]
    (page,) = connector(lambda _: httpx.Response(200, json={"data": lines})).pages("transaction_lines", Window())
    assert page.cursor == "2026-07-03T07:00:00Z"


def test_a_cut_page_of_lines_is_not_taken_for_one_record_per_line() -> None:
    whole = json.dumps({"data": [{"id": "a"}, {"id": "b"}], "next_page_token": None}, indent=1)
    for end in range(1, len(whole)):
        answer = httpx.Response(200, text=whole[:end])
        with pytest.raises(BadPayload, match="not valid JSON"):
            list(connector(lambda _, answer=answer: answer).pages("transaction_lines", Window()))  # type: ignore[misc]


def test_one_bad_record_does_not_stop_the_page_nor_move_the_cursor() -> None:
    body = {
        "orders": [order(1), "nonsense", order(2, "2026-07-02T00:00:00Z"), {"last_updated_date": 5}],
        "total_count": 4,
    }
    page = next(connector(lambda _: httpx.Response(200, json=body)).pages("orders", Window()))
    assert page.record_count == 4
    assert page.cursor == "2026-07-02T00:00:00Z"


# --- doctor ---


def healthy(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/api/account":
        return httpx.Response(200, json={"shop_id": 2042, "shop_name": "Trade", "shop_state": "OPEN"})
    bodies = {
        "/api/orders": "orders",
        "/api/invoices": "invoices",
        "/api/offers": "offers",
        "/api/shipping/carriers": "carriers",
        "/api/shipping/zones": "shipping_zones",
        "/api/shipping/types": "shipping_types",
        "/api/currencies": "currencies",
        "/api/channels": "channels",
        "/api/offers/states": "offer_states",
        "/api/reasons": "reasons",
        "/api/additional_fields": "additional_fields",
    }
    if request.url.path in {"/api/platform/configuration", "/api/account/statistics"}:
        return httpx.Response(200, json={})
    return httpx.Response(200, json={bodies.get(request.url.path, "data"): []})


def test_a_healthy_shop_passes_every_check() -> None:
    mirakl = connector(healthy)
    results = mirakl.check()
    by_page = [e for e in mirakl.feeds if e in ENDPOINTS and not ENDPOINTS[e].is_by_id]
    assert len(results) == len(by_page) == 21
    assert all(r.ok for r in results), results


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda _: httpx.Response(401, json={"status": 401, "message": "Unauthorized"}), "MIRAKL_BRICO_API_KEY"),
        (lambda _: httpx.Response(404, text="<html>"), "base_url of BRICO"),
        (lambda _: httpx.Response(200, text="<html>welcome</html>"), "answers, but not as Mirakl"),
        (lambda _: httpx.Response(200, json={"shop_id": 7}), "shop_id of BRICO"),
        (lambda _: httpx.Response(400, json={"message": "no such shop"}), "shop_id of BRICO"),
        (lambda _: httpx.Response(500), "try again later"),
    ],
)
def test_a_wrong_key_host_or_shop_is_named_with_what_to_do(answer: Answer, words: str) -> None:
    results = connector(answer).check()
    assert len(results) == 1, "further checks would only repeat the first finding"
    assert not results[0].ok
    assert words in results[0].action


def test_a_host_that_does_not_answer_is_named() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    result = connector(answer).check()[0]
    assert not result.ok
    assert "brico.example.com" in result.action


def test_a_missing_role_is_found_for_the_very_feed() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "transactions_logs" in request.url.path:
            return httpx.Response(403, json={"message": "Forbidden"})
        return healthy(request)

    failed = [r for r in connector(answer).check() if not r.ok]
    assert [r.name for r in failed] == ["BRICO: transaction_lines (TL02)"]
    assert "accountancy" in failed[0].action
    with pytest.raises(PermissionDenied):
        list(connector(answer).pages("transaction_lines", Window()))
