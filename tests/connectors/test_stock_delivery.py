"""Stock pushed by STO01: one file, one import, one verdict per SKU, and no verdict where nobody knows."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from connectors.delivery import Action, Outcome
from connectors.mirakl import MiraklConnector
from connectors.mirakl.writes.imports import parse_error_report
from connectors.mirakl.writes.offer_reading import READ_ALL_OFFERS_FROM
from connectors.mirakl.writes.stock import StockDelivery
from tests.connectors.conftest import NOW

IMPORTS = "/api/offers/stock/imports"


def stock(sku: str, quantity: Any) -> Action:
    payload = {"shop_sku": sku, "quantity": quantity, "previous_quantity": 0, "reason": "test"}
    return Action(f"STOCK|BRICO|{sku}|1", f"TO{sku}", "STOCK", "BRICO", "BRICO", payload)


class Shop:
    """A marketplace that applies a stock file when its import completes."""

    def __init__(self, **quantities: int) -> None:
        self.quantities = quantities
        self.files: list[list[list[str]]] = []
        self.requests: list[httpx.Request] = []
        self.states = ["WAITING", "RUNNING", "COMPLETE"]
        self.report: bytes | None = None
        self.lines_in_error: int | None = None
        self.on_import: Callable[[], httpx.Response] | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        assert request.url.params["shop_id"] == "2042"
        path = request.url.path
        if request.method == "POST" and path == IMPORTS:
            self._take(request)
            return self.on_import() if self.on_import else httpx.Response(201, json={"import_id": "I-1"})
        if path == f"{IMPORTS}/I-1/status":
            state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            errors = self.lines_in_error if self.lines_in_error is not None else 0
            return httpx.Response(
                200,
                json={
                    "import_id": "I-1",
                    "status": state,
                    "lines_in_error": errors,
                    "has_error_report": self.report is not None,
                },
            )
        if path == f"{IMPORTS}/I-1/error_report":
            return httpx.Response(200, content=self.report or b"")
        assert path == "/api/offers"
        wanted = request.url.params.get("sku")
        offers = [{"shop_sku": s, "quantity": q} for s, q in self.quantities.items() if wanted in {None, s}]
        return httpx.Response(200, json={"offers": offers, "total_count": len(offers)})

    def _take(self, request: httpx.Request) -> None:
        body = request.content.decode()
        assert 'name="file"; filename="stock.csv"' in body
        content = body.split("\r\n\r\n", 1)[1].rsplit("\r\n--", 1)[0]
        rows = list(csv.reader(io.StringIO(content), delimiter=";"))
        self.files.append(rows)
        for sku, quantity, *_ in rows[1:]:
            if sku in self.quantities:
                self.quantities[sku] = int(quantity)


def delivery(shop: Shop, naps: list[float] | None = None, **more: Any) -> StockDelivery:
    connector = MiraklConnector(
        "BRICO",
        "https://brico.example.com",
        2042,
        "key",
        transport=httpx.MockTransport(shop),
        sleep=(naps if naps is not None else []).append,
        clock=lambda: NOW,
    )
    return StockDelivery(connector, **more)


def test_one_file_is_sent_in_the_vendors_form_and_read_back() -> None:
    shop, naps = Shop(A1=5, B2=6), []
    push = delivery(shop, naps)
    actions = [stock("A1", 7), stock("B2", 0)]
    results = push.send(actions)
    assert shop.files == [
        [
            ["offer-sku", "quantity", "warehouse-code", "update-delete"],
            ["A1", "7", "", "update"],
            ["B2", "0", "", "update"],
        ]
    ]
    assert {r.outcome for r in results.values()} == {Outcome.SENT}
    assert {r.vendor_ids for r in results.values()} == {("I-1",)}
    assert naps == [15.0, 15.0], "production looks at an import every 15 seconds at most"
    assert all(v.ok for v in push.read_back(actions).values())


def test_a_sku_with_separators_and_quotes_stays_one_cell() -> None:
    shop = Shop()
    delivery(shop).send([stock('A;"1', 7)])
    assert shop.files[0][1][0] == 'A;"1'


def test_preview_shows_the_file_and_sends_nothing() -> None:
    shop = Shop()
    (request,) = delivery(shop).preview([stock("A1", 7)])
    assert request.method == "POST"
    assert request.url == f"https://brico.example.com{IMPORTS}?shop_id=2042"
    assert request.body == "offer-sku;quantity;warehouse-code;update-delete\nA1;7;;update\n"
    assert request.headers["Authorization"] == "***"
    assert shop.requests == []


@pytest.mark.parametrize(
    "report",
    [
        b'"offer-sku";"quantity";"warehouse-code";"error-line";"error-message"\n"B2";"3";"";"3";"unknown offer"\n',
        b"error-line;error-message;offer-sku;quantity\n3;unknown offer;B2;3\n",
        b"line;reason\n3;unknown offer\n",
        b"3;unknown offer\n",
        b"\xef\xbb\xbferror-line,error-message,offer-sku\r\n3,unknown offer,B2\r\n",
    ],
)
def test_a_complete_import_with_error_lines_fails_those_skus_only(report: bytes) -> None:
    shop = Shop(A1=5, C3=5)
    shop.report, shop.lines_in_error = report, 1
    results = delivery(shop).send([stock("A1", 7), stock("B2", 3), stock("C3", 9)])
    assert {key.split("|")[2]: r.outcome for key, r in results.items()} == {
        "A1": Outcome.SENT,
        "B2": Outcome.FAILED,
        "C3": Outcome.SENT,
    }
    assert results["STOCK|BRICO|B2|1"].detail == "unknown offer"


def test_the_report_is_read_to_its_last_line() -> None:
    lines = "".join(f"{n + 2};refused {n};SKU{n}\n" for n in range(500))
    shop = Shop()
    shop.report, shop.lines_in_error = f"error-line;error-message;offer-sku\n{lines}".encode(), 500
    results = delivery(shop).send([stock(f"SKU{n}", n) for n in range(500)])
    assert {r.outcome for r in results.values()} == {Outcome.FAILED}
    assert results["STOCK|BRICO|SKU499|1"].detail == "refused 499"


def test_errors_that_the_report_does_not_name_leave_the_rest_unknown() -> None:
    shop = Shop(A1=5)
    shop.report, shop.lines_in_error = b"error-line;error-message;offer-sku\n3;no;B2\n", 2
    results = delivery(shop).send([stock("A1", 7), stock("B2", 3)])
    assert results["STOCK|BRICO|A1|1"].outcome is Outcome.UNKNOWN
    assert results["STOCK|BRICO|B2|1"].outcome is Outcome.FAILED


def test_a_refused_file_fails_every_sku() -> None:
    shop = Shop(A1=1)
    shop.states = ["FAILED"]
    assert delivery(shop).send([stock("A1", 7)])["STOCK|BRICO|A1|1"].outcome is Outcome.FAILED


def test_an_import_that_never_ends_is_unknown_after_bounded_waits() -> None:
    shop, naps = Shop(A1=1), []
    shop.states = ["RUNNING"]
    result = delivery(shop, naps, poll_seconds=15, maximum_wait_seconds=60).send([stock("A1", 7)])["STOCK|BRICO|A1|1"]
    assert result.outcome is Outcome.UNKNOWN
    assert "I-1" in result.vendor_ids
    assert naps == [15, 15, 15, 15]


def raising(error: Exception) -> Callable[[], httpx.Response]:
    def answer() -> httpx.Response:
        raise error

    return answer


@pytest.mark.parametrize(
    ("answer", "outcome", "retryable"),
    [
        (raising(httpx.ReadTimeout("t")), Outcome.UNKNOWN, False),
        (raising(httpx.RemoteProtocolError("cut")), Outcome.UNKNOWN, False),
        (raising(httpx.ConnectError("refused")), Outcome.FAILED, True),
        (lambda: httpx.Response(500), Outcome.UNKNOWN, False),
        (lambda: httpx.Response(504), Outcome.UNKNOWN, False),
        (lambda: httpx.Response(201, text="<html>"), Outcome.UNKNOWN, False),
        (lambda: httpx.Response(400, json={"message": "bad file"}), Outcome.FAILED, False),
        (lambda: httpx.Response(401), Outcome.FAILED, True),
        (lambda: httpx.Response(429), Outcome.FAILED, True),
    ],
)
def test_a_start_that_goes_wrong_is_failed_only_when_it_certainly_had_no_effect(
    answer: Callable[[], httpx.Response], outcome: Outcome, retryable: bool
) -> None:
    shop = Shop(A1=1)
    shop.on_import = answer
    result = delivery(shop).send([stock("A1", 7)])["STOCK|BRICO|A1|1"]
    assert (result.outcome, result.retryable) == (outcome, retryable)
    assert len(shop.files) == 1, "a write is never repeated"


def test_an_unknown_outcome_is_settled_by_reading_the_offers() -> None:
    shop = Shop(A1=1, B2=2)
    shop.on_import = raising(httpx.ReadTimeout("t"))
    push = delivery(shop)
    actions = [stock("A1", 7), stock("NEW", 3)]
    assert {r.outcome for r in push.send(actions).values()} == {Outcome.UNKNOWN}
    found = push.look_up(actions)
    assert found["STOCK|BRICO|A1|1"] is not None
    assert found["STOCK|BRICO|A1|1"].complete
    assert found["STOCK|BRICO|NEW|1"] is None


def test_read_back_tells_what_the_shop_holds_instead() -> None:
    found = delivery(Shop(A1=4)).read_back([stock("A1", 7), stock("GONE", 1)])
    assert (found["STOCK|BRICO|A1|1"].ok, found["STOCK|BRICO|A1|1"].detail) == (False, "quantity is 4, wanted 7")
    assert "no offer with SKU GONE" in found["STOCK|BRICO|GONE|1"].detail


def test_many_skus_are_looked_up_by_reading_the_catalogue_once() -> None:
    shop = Shop(**{f"S{n}": n for n in range(READ_ALL_OFFERS_FROM)})
    found = delivery(shop).look_up([stock(f"S{n}", n) for n in range(READ_ALL_OFFERS_FROM)])
    assert len(shop.requests) == 1
    assert all(found.values())


@pytest.mark.parametrize("quantity", [-1, 1.5, "many", None, 2**40, "NaN"])
def test_a_quantity_that_is_none_fails_alone_and_is_not_sent(quantity: Any) -> None:
    shop = Shop(A1=1)
    results = delivery(shop).send([stock("A1", 7), stock("BAD", quantity)])
    assert results["STOCK|BRICO|BAD|1"].outcome is Outcome.FAILED
    assert [row[0] for row in shop.files[0][1:]] == ["A1"]


def test_two_actions_for_one_sku_are_both_refused() -> None:
    shop = Shop(A1=1)
    other = Action("STOCK|BRICO|A1|2", "x", "STOCK", "BRICO", "BRICO", {"shop_sku": "A1", "quantity": 9})
    results = delivery(shop).send([stock("A1", 7), other])
    assert {r.outcome for r in results.values()} == {Outcome.FAILED}
    assert shop.requests == []


def test_an_empty_report_has_no_errors() -> None:
    assert parse_error_report(b"") == []
