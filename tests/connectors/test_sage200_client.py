"""The Sage 200 connector against a scripted site: OData as documented, the right company, and what doctor is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors.auth import MemoryCredentialStore
from connectors.errors import AuthError, BadConfiguration
from connectors.records import Window
from connectors.sage200 import Sage200Connector
from connectors.sage200.client import quoted
from connectors.sage200.endpoints import RESOURCES
from tests.connectors.conftest import NOW

BASE = "https://api.example.com/uk/accounts/v1"
TOKEN = "https://id.example.com/oauth/token"
SITE = "11111111-2222-3333-4444-555555555555"
Answer = Callable[[httpx.Request], httpx.Response]


def connector(answer: Answer, **more: Any) -> Sage200Connector:
    def route(request: httpx.Request) -> httpx.Response:
        if str(request.url) == TOKEN:
            return httpx.Response(200, json={"access_token": "a", "refresh_token": "r2", "expires_in": 3600})
        return answer(request)

    options: dict[str, Any] = {
        "base_url": BASE,
        "token_url": TOKEN,
        "site_id": SITE,
        "company_id": 7,
        "credentials": MemoryCredentialStore("r1"),
        "client_id": "id",
        "client_secret": "s",
        "transport": httpx.MockTransport(route),
        "sleep": lambda _: None,
        "clock": lambda: NOW,
        "is_paced": False,
        **more,
    }
    return Sage200Connector("SAGE_UK", **options)


class Table:
    """A resource with rows by id, that answers `$count`, `$filter=... id gt n`, `$top`, and notes what it was asked."""

    def __init__(self, ids: list[int], *, page_limit: int = 5000, wrap: bool = False) -> None:
        self.ids = ids
        self.page_limit = page_limit
        self.wrap = wrap
        self.asked: list[dict[str, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        parameters = dict(request.url.params)
        self.asked.append(parameters)
        assert request.headers["Authorization"] == "Bearer a"
        assert request.headers["X-Site"] == SITE
        assert request.headers["X-Company"] == "7"
        after = re.search(r"\bid gt (\d+)", parameters.get("$filter", ""))
        rows = [{"id": i, "date_time_updated": f"2026-06-01T00:00:{i % 60:02d}.5Z"} for i in self.ids]
        rows = [r for r in rows if after is None or r["id"] > int(after.group(1))]
        if parameters.get("$count") == "true":
            return httpx.Response(200, content=str(len(rows)).encode())
        assert parameters["$orderby"] == "id asc"
        rows = rows[: min(int(parameters["$top"]), self.page_limit)]
        return httpx.Response(200, json={"value": rows} if self.wrap else rows)


def test_a_window_filters_by_update_time_and_pages_by_key() -> None:
    table = Table(list(range(1, 1206)))
    since = Window(since=datetime(2026, 6, 1, 12, 0, 0, 250000, tzinfo=UTC))
    pages = list(connector(table).pages("sop_orders", since))
    condition = "date_time_updated ge 2026-06-01T12:00:00.250Z"
    assert table.asked == [
        {"$count": "true", "$filter": condition},
        {"$expand": "lines", "$orderby": "id asc", "$top": "500", "$filter": condition},
        {"$expand": "lines", "$orderby": "id asc", "$top": "500", "$filter": f"{condition} and id gt 500"},
        {"$expand": "lines", "$orderby": "id asc", "$top": "500", "$filter": f"{condition} and id gt 1000"},
    ]
    assert [p.record_count for p in pages] == [500, 500, 205]
    assert {p.declared_count for p in pages} == {1205}
    assert pages[0].cursor == "2026-06-01T00:00:59.500Z"


def test_spaces_in_filters_are_sent_as_percent_20() -> None:
    urls: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        urls.append(str(request.url))
        return httpx.Response(200, json=[])

    list(connector(answer).pages("nominal_transactions", Window(after_id="5")))
    assert all("+" not in url for url in urls)
    assert "%24filter=id%20gt%205" in urls[1]


def test_a_keyset_feed_reads_after_the_last_id_and_reports_the_new_one() -> None:
    table = Table([5, 8, 13])
    pages = list(connector(table).pages("nominal_transactions", Window(after_id="5")))
    assert [p.cursor for p in pages] == ["13"]
    assert [p.record_count for p in pages] == [2]
    assert table.asked[0]["$filter"] == "id gt 5"
    assert table.asked[1]["$top"] == "5000"


def test_a_site_that_gives_less_than_asked_for_is_still_read_to_the_end() -> None:
    table = Table(list(range(1, 26)), page_limit=10)
    pages = list(connector(table).pages("products", Window()))
    assert sum(p.record_count for p in pages) == 25


@pytest.mark.parametrize("wrap", [False, True])
def test_bare_lists_and_value_envelopes_are_both_read(wrap: bool) -> None:
    pages = list(connector(Table([1, 2], wrap=wrap)).pages("banks", Window()))
    assert [p.record_count for p in pages] == [2]


@pytest.mark.parametrize("status", [400, 404])
def test_a_site_too_old_to_count_is_read_without_a_declared_count(status: int) -> None:
    table = Table([1, 2, 3])

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status) if "$count" in request.url.params else table(request)

    pages = list(connector(answer).pages("customers", Window()))
    assert [(p.record_count, p.declared_count) for p in pages] == [(3, None)]


def test_an_empty_resource_is_one_empty_page() -> None:
    pages = list(connector(Table([])).pages("currencies", Window()))
    assert [(p.record_count, p.declared_count, p.cursor) for p in pages] == [(0, 0, None)]


def test_quotes_in_literals_are_doubled() -> None:
    assert quoted("O'Neil") == "'O''Neil'"


def test_an_unencrypted_token_address_is_refused() -> None:
    with pytest.raises(BadConfiguration, match="token_url of SAGE_UK"):
        connector(Table([]), token_url="http://id.example.com/oauth/token")


# --- doctor ---


def site(**changes: Any) -> dict[str, Any]:
    return {
        "company_id": 7,
        "company_name": "Trade",
        "site_id": SITE,
        "site_name": "Demo",
        "site_short_name": "d",
        **changes,
    }


def with_sites(*sites: dict[str, Any]) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=list(sites) if request.url.path.endswith("/sites") else [])

    return answer


def test_a_healthy_company_passes_every_check() -> None:
    results = connector(with_sites(site())).check()
    assert len(results) == 1 + len(RESOURCES)
    assert all(r.ok for r in results), results
    assert "company 7 Trade" in results[0].detail


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (with_sites(), "gateway"),
        (with_sites(site(site_id="other")), "site_id and company_id"),
        (with_sites(site(company_id=8)), "site_id and company_id"),
        (lambda _: httpx.Response(401), "sign in again"),
        (lambda _: httpx.Response(404), "base_url of SAGE_UK"),
        (lambda _: httpx.Response(504), "gateway"),
        (lambda _: httpx.Response(200, text="<html>"), "not as Sage 200"),
    ],
)
def test_a_wrong_site_company_host_or_token_is_named_with_what_to_do(answer: Answer, words: str) -> None:
    results = connector(answer).check()
    assert len(results) == 1
    assert not results[0].ok
    assert words in results[0].action


def test_a_company_that_is_not_there_is_answered_with_those_that_are() -> None:
    result = connector(with_sites(site(company_id=8, company_name="Other"))).check()[0]
    assert "8 (Other)" in result.detail


def test_a_missing_feature_is_found_for_the_very_resource() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/banks"):
            return httpx.Response(403)
        return with_sites(site())(request)

    failed = [r for r in connector(answer).check() if not r.ok]
    assert [r.name for r in failed] == ["SAGE_UK: banks (/banks)"]
    assert "role" in failed[0].action


def test_a_wrong_site_header_is_an_auth_error_with_an_empty_body() -> None:
    with pytest.raises(AuthError):
        list(connector(lambda _: httpx.Response(401)).pages("banks", Window()))
