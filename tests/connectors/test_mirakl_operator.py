"""A marketplace read as its operator: signed in by client credentials, never naming a shop, many sellers at once."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from connectors.auth import ClientCredentials
from connectors.errors import AuthError, BadConfiguration, RateLimited, TransportFailed
from connectors.feeds import feed_spec
from connectors.mirakl import MiraklConnector
from connectors.mirakl.endpoints import ENDPOINTS
from connectors.records import Window
from tests.connectors.conftest import NOW

BASE = "https://plaza.example.com"
TOKEN_URL = "https://auth.example.com/oauth/token"
CREDENTIALS = ClientCredentials(TOKEN_URL, "client", "s3cret")
BODIES = {"/api/orders": "orders", "/api/invoices": "invoices", "/api/shops": "shops"}


class Marketplace:
    """An authorisation server and an API. `refused` are tokens that the API does not take any more."""

    def __init__(self) -> None:
        self.now = NOW
        self.issued = 0
        self.refused: set[str] = set()
        self.asked: list[httpx.Request] = []
        self.signed: list[str] = []  # the same request object is sent again with another token
        self.token_answer: httpx.Response | Exception | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if str(request.url) == TOKEN_URL:
            return self._token(request)
        self.asked.append(request)
        self.signed.append(request.headers["Authorization"])
        if request.headers["Authorization"].removeprefix("Bearer ") in self.refused:
            return httpx.Response(401, json={"status": 401, "message": "Unauthorized"})
        if request.url.path == "/api/platform/configuration":
            return httpx.Response(200, json={})
        member = BODIES.get(request.url.path) or {
            "/api/payment/debit": "orders",
            "/api/payment/refund": "orders",
        }.get(request.url.path, request.url.path.rpartition("/")[2])
        known = {"currencies", "channels", "reasons", "carriers", "orders", "invoices", "shops", "additional_fields"}
        names = {"states": "offer_states", "zones": "shipping_zones", "types": "shipping_types"}
        member = names.get(member, member if member in known else "data")
        return httpx.Response(200, json={member: []})

    def _token(self, request: httpx.Request) -> httpx.Response:
        if isinstance(self.token_answer, Exception):
            raise self.token_answer
        if self.token_answer is not None:
            return self.token_answer
        assert "Authorization" not in request.headers
        assert parse_qs(request.content.decode()) == {
            "grant_type": ["client_credentials"],
            "client_id": ["client"],
            "client_secret": ["s3cret"],
        }
        self.issued += 1
        return httpx.Response(200, json={"access_token": f"t{self.issued}", "token_type": "Bearer", "expires_in": 3599})

    def connector(self, auth: str | ClientCredentials = CREDENTIALS, **more: Any) -> MiraklConnector:
        options = {"perspective": "OPERATOR", "transport": httpx.MockTransport(self), **more}
        return MiraklConnector("PLAZA", BASE, None, auth, sleep=lambda _: None, clock=self._clock, **options)

    def _clock(self) -> datetime:
        return self.now


def read(connector: MiraklConnector, entity: str = "orders") -> None:
    list(connector.pages(entity, Window(since=NOW)))


def test_a_token_is_fetched_once_and_used_until_a_minute_before_its_end() -> None:
    plaza = Marketplace()
    connector = plaza.connector()
    for minutes in (0, 30, 58):
        plaza.now = NOW + timedelta(minutes=minutes)
        read(connector)
    assert plaza.issued == 1
    assert set(plaza.signed) == {"Bearer t1"}
    plaza.now = NOW + timedelta(minutes=59, seconds=30)
    read(connector)
    assert plaza.signed[-1] == "Bearer t2"


def test_a_refused_token_is_renewed_once_and_the_call_repeated() -> None:
    plaza = Marketplace()
    plaza.refused.add("t1")
    read(plaza.connector())
    assert plaza.signed == ["Bearer t1", "Bearer t2"]


def test_a_marketplace_that_refuses_every_token_is_an_auth_error_after_one_renewal() -> None:
    plaza = Marketplace()
    plaza.refused = {f"t{n}" for n in range(10)}
    with pytest.raises(AuthError):
        read(plaza.connector())
    assert plaza.issued == 2


def test_a_refused_secret_is_named_and_never_shown() -> None:
    plaza = Marketplace()
    plaza.token_answer = httpx.Response(401, json={"error": "invalid_client", "error_description": "no s3cret here"})
    with pytest.raises(AuthError) as caught:
        read(plaza.connector())
    assert "client id and secret were not accepted" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in repr(CREDENTIALS)
    assert plaza.asked == []
    (result,) = plaza.connector().check()
    assert "MIRAKL_PLAZA_CLIENT_ID" in result.action


@pytest.mark.parametrize(
    "answer", [httpx.ConnectError("down"), httpx.Response(503, text="<html>"), httpx.Response(200, text="<html>")]
)
def test_a_silent_authorisation_server_means_that_nothing_was_sent(answer: httpx.Response | Exception) -> None:
    plaza = Marketplace()
    plaza.token_answer = answer
    with pytest.raises(TransportFailed) as caught:
        read(plaza.connector())
    assert not caught.value.sent
    assert plaza.asked == []


def test_a_throttled_authorisation_server_is_waited_for() -> None:
    plaza = Marketplace()
    plaza.token_answer = httpx.Response(429, headers={"Retry-After": "2"})
    with pytest.raises(RateLimited):
        read(plaza.connector())


def test_a_legacy_key_travels_bare() -> None:
    plaza = Marketplace()
    read(plaza.connector("legacy-key"))
    assert plaza.signed == ["legacy-key"]
    assert plaza.issued == 0


def test_no_call_of_an_operator_names_a_shop() -> None:
    plaza = Marketplace()
    connector = plaza.connector()
    for entity in connector.feeds:
        if entity in ENDPOINTS and not ENDPOINTS[entity].is_by_id:
            read(connector, entity)
    assert len(plaza.asked) > 15
    assert not [r.url for r in plaza.asked if "shop_id" in r.url.params or "shop_ids" in r.url.params]


@pytest.mark.parametrize(
    ("entity", "query"),
    [("orders", "shop_ids=3%2C4"), ("shops", "shop_ids=3%2C4"), ("document_requests", "shop_ids=3&shop_ids=4")],
)
def test_an_operator_may_narrow_a_call_to_some_shops(entity: str, query: str) -> None:
    plaza = Marketplace()
    read(plaza.connector(shop_ids=(3, 4)), entity)
    assert query in plaza.asked[0].url.query.decode()


def test_each_perspective_has_its_own_feeds() -> None:
    operator = set(Marketplace().connector().feeds)
    seller = set(MiraklConnector("BRICO", BASE, 2042, "key").feeds)
    assert operator - seller == {"shops", "payment_debits", "payment_refunds"}
    assert seller - operator == {"account", "account_statistics", "offers", "products"}


def test_every_shop_of_an_operators_answer_is_kept_with_its_records() -> None:
    plaza = Marketplace()
    lines = [{"id": f"L{shop}", "last_updated": "2026-07-01T00:00:00Z", "shop": {"id": shop}} for shop in (3, 4, 5)]
    answering = httpx.MockTransport(lambda _: httpx.Response(200, json={"data": lines}))
    (page,) = plaza.connector("key", transport=answering).pages("transaction_lines", Window())
    assert page.record_count == 3


def test_what_an_operator_has_to_debit_and_refund_is_read_in_both_shapes() -> None:
    def order(lines: Any) -> dict[str, Any]:
        return {"order_id": "A", "shop_id": 3, "amount": 10.50, "currency_iso_code": "GBP", "order_lines": lines}

    line = {"order_line_id": "A-1", "order_line_amount": 10.50, "order_line_quantity": 2}
    refund = {"id": 7, "amount": 0.10}
    nested = {"order_line": [{**line, "refunds": {"refund": [refund]}}]}
    flat = [{**line, "refunds": [refund]}]
    for body in (
        {"orders": {"order": [order(nested)]}, "total_count": 1},
        {"orders": [order(flat)], "total_count": 1},
        {"orders": {"order": [order(flat)]}},
    ):
        raw = json.dumps(body).encode()
        debits = feed_spec("mirakl", "payment_debits").decode(raw)
        (debit,) = debits.tables["mirakl_payment_debit_lines"].to_pylist()
        assert (debit["order_id"], debit["order_line_id"], debit["amount"], debit["quantity"]) == (
            "A",
            "A-1",
            "10.5",
            "2",
        )
        refunds = feed_spec("mirakl", "payment_refunds").decode(raw)
        (item,) = refunds.tables["mirakl_payment_refund_items"].to_pylist()
        assert (item["order_line_id"], item["refund_id"], item["amount"]) == ("A-1", "7", "0.1")
        assert refunds.unknown_fields == {}
    nothing = feed_spec("mirakl", "payment_debits").decode(b'{"orders":{},"total_count":0}')
    assert nothing.record_count == 0


@pytest.mark.parametrize(
    "options",
    [
        {"perspective": "SELLER", "shop_id": None, "auth": "key"},
        {"perspective": "SELLER", "shop_id": "", "auth": "key"},
        {"perspective": "SELLER", "shop_id": 1, "auth": CREDENTIALS},
        {"perspective": "OPERATOR", "shop_id": None, "auth": ""},
        {"perspective": "OPERATOR", "shop_id": None, "auth": "key", "shop_ids": range(101)},
        {
            "perspective": "OPERATOR",
            "shop_id": None,
            "auth": ClientCredentials("http://auth.example.com/oauth/token", "client", "s3cret"),
        },
    ],
)
def test_a_configuration_that_cannot_work_is_refused_before_anything_is_sent(options: dict[str, Any]) -> None:
    shop_id, auth = options.pop("shop_id"), options.pop("auth")
    with pytest.raises(BadConfiguration):
        MiraklConnector("PLAZA", BASE, shop_id, auth, **options)


def test_doctor_tries_the_operators_own_calls() -> None:
    results = Marketplace().connector().check()
    assert all(r.ok for r in results), results
    names = {r.name for r in results}
    assert "PLAZA: payment_debits (PA11)" in names
    assert "PLAZA: key and shops" in names
    assert not any("A01" in name or "OF21" in name for name in names)
