"""The Sage 200 connector against a scripted site: OData as documented, the right company, and what doctor is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.auth import Credentials, MemoryCredentialStore
from connectors.errors import (
    AuthError,
    BadConfiguration,
    ConnectorError,
    NotFound,
    PermissionDenied,
    RateLimited,
    ServerFailed,
    SiteDown,
    WrongAccount,
)
from connectors.records import CheckResult, Window
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


@pytest.mark.parametrize("entity", ["return_lines", "invoice_credit_lines"])
def test_a_row_with_two_stamps_is_read_when_either_is_in_the_window(entity: str) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params.get("$filter", ""))
        return httpx.Response(200, json=[])

    list(connector(answer).pages(entity, Window(since=datetime(2026, 6, 1, tzinfo=UTC))))
    members = RESOURCES[entity].since
    assert asked[0] == f"({members[0]} ge 2026-06-01T00:00:00Z or {members[1]} ge 2026-06-01T00:00:00Z)"


class Links:
    """Orders and their invoices: several rows share an order, and the page ends among them."""

    def __init__(self) -> None:
        self.rows = [(order, invoice) for order in (1, 2) for invoice in range(10 * order, 10 * order + 700)]
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        parameters = dict(request.url.params)
        if "$count" in parameters:
            return httpx.Response(200, content=str(len(self.rows)).encode())
        assert parameters["$orderby"] == "sop_order_return_id asc,sop_invoice_credit_id asc"
        self.asked.append(parameters.get("$filter", ""))
        found = re.fullmatch(
            r"\(sop_order_return_id gt (\d+) or \(sop_order_return_id eq (\d+) and sop_invoice_credit_id gt (\d+)\)\)",
            self.asked[-1],
        )
        after = (0, 0) if found is None else (int(found[1]), int(found[3]))
        page = [row for row in self.rows if row > after][: int(parameters["$top"])]
        return httpx.Response(200, json=[{"sop_order_return_id": o, "sop_invoice_credit_id": i} for o, i in page])


def test_rows_that_share_their_first_key_are_not_lost_at_the_end_of_a_page() -> None:
    links = Links()
    pages = list(connector(links).pages("order_invoice_links", Window()))
    assert [p.record_count for p in pages] == [1000, 400]
    assert len({digest for p in pages for digest in p.record_hashes}) == 1400
    assert len(links.asked) == 2


# --- errors: which of them can pass


@pytest.mark.parametrize(
    ("site_answer", "kind", "words", "is_retryable"),
    [
        (httpx.Response(401), AuthError, "not accepted", False),
        (httpx.Response(200, json=[]), SiteDown, "tunnel is down", True),
        (httpx.Response(200, json=[{"site_id": "another", "company_id": 7}]), WrongAccount, "no site", False),
        (httpx.Response(200, json=[{"site_id": SITE, "company_id": 8}]), WrongAccount, "no company 7", False),
    ],
)
def test_the_causes_of_an_empty_401_are_told_apart_by_the_list_of_sites(
    site_answer: httpx.Response, kind: type[ConnectorError], words: str, is_retryable: bool
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/sites"):
            return httpx.Response(401)
        assert "X-Site" not in request.headers
        assert "X-Company" not in request.headers
        return httpx.Response(site_answer.status_code, content=site_answer.content)

    with pytest.raises(kind, match=words) as caught:
        list(connector(answer).pages("banks", Window()))
    assert caught.value.retryable is is_retryable


@pytest.mark.parametrize(
    ("status", "kind", "is_retryable"),
    [
        (504, SiteDown, True),
        (502, ServerFailed, True),
        (429, RateLimited, True),
        (403, PermissionDenied, False),
        (404, NotFound, False),
    ],
)
def test_each_refusal_has_a_type_that_says_whether_it_can_pass(
    status: int, kind: type[ConnectorError], is_retryable: bool
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status) if "$count" not in request.url.params else httpx.Response(200, content=b"1")

    with pytest.raises(kind) as caught:
        list(connector(answer).pages("banks", Window()))
    assert type(caught.value) is kind
    assert caught.value.retryable is is_retryable


@pytest.mark.parametrize(
    ("path", "edition"), [("uk/sage200extra", "Professional"), ("uk/sage200", "Standard"), ("sage200", "")]
)
def test_the_edition_is_told_by_the_address(path: str, edition: str) -> None:
    address = f"https://api.columbus.example.com/{path}/accounts/v1"
    assert connector(Table([]), base_url=address).edition == edition


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


ALL_MODULES = {f"is_{m}_enabled": True for m in ("sales", "nominal", "cash_book", "stock", "sales_orders", "scripting")}


def with_sites(*sites: dict[str, Any], **others: Any) -> Answer:
    """A company that allows everything. `others` are the answers of other resources."""
    answers = {
        "sites": list(sites),
        "licence": ALL_MODULES,
        "transaction_date_validation": {"classification": "Normal", "message": ""},
        **others,
    }

    def answer(request: httpx.Request) -> httpx.Response:
        given = answers.get(request.url.path.rpartition("/")[2], [])
        return given if isinstance(given, httpx.Response) else httpx.Response(200, json=given)

    return answer


def failing(answer: Answer) -> list[CheckResult]:
    return [r for r in connector(answer).check() if not r.ok]


def test_a_healthy_company_passes_every_check() -> None:
    results = connector(with_sites(site())).check()
    assert all(r.ok for r in results), results
    found = {r.name.removeprefix("SAGE_UK: "): r.detail for r in results}
    assert "company 7 Trade" in found["token, site and company"]
    assert found["edition and modules"].startswith("Professional by its licence")
    assert found["settings"] == "none that changes what the data mean"
    assert found["open periods"].startswith("2026-07-03 is Normal")
    essential = {f"{r.entity} ({r.path})" for r in RESOURCES.values() if r.is_essential}
    assert essential <= found.keys()
    assert found["further resources"] == f"{len(RESOURCES) - len(essential)} may be read"


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
    failed = failing(with_sites(site(), banks=httpx.Response(403)))
    assert [(r.name, r.is_warning) for r in failed] == [("SAGE_UK: banks (/banks)", False)]
    assert "role" in failed[0].action


def test_a_resource_that_no_lane_reads_is_no_failure_when_the_site_lacks_it() -> None:
    failed = failing(with_sites(site(), cost_centres=httpx.Response(404)))
    assert [(r.name, r.is_warning) for r in failed] == [("SAGE_UK: cost_centres (/cost_centres)", True)]


@pytest.mark.parametrize(
    ("resource", "members", "words"),
    [
        ("system_settings", {"update_nominal_online": False}, "in batches"),
        ("system_settings", {"use_period_exchange_rates": True}, "current rate only"),
        ("system_settings", {"accounting_period_validation_type": "UseAccrual"}, "another period"),
        ("sop_settings", {"are_prices_tax_inclusive": True}, "includes VAT"),
        ("sop_settings", {"update_stock_on_despatch": False}, "still count as in stock"),
        ("sop_settings", {"allocate_stock_on_order_entry": False}, "does not reserve stock"),
        ("sop_settings", {"add_invoice_credit_note_to_sales_ledger": False}, "pending file"),
        ("sop_settings", {"record_cancelled_order_lines": False}, "leaves no trace"),
        ("stock_settings", {"generate_cos_for_sop": False}, "no cost of sales"),
        ("stock_settings", {"integrate_stock_management_with_nominal": False}, "no cost of sales"),
        (
            "sales_ledger_settings",
            {"archive_transaction_after_keeping": True, "keep_transactions_for": 12},
            "leave /sales_posted_transactions",
        ),
        ("nominal_ledger_settings", {"keep_nominal_transactions": False}, "are deleted in Sage"),
        ("nominal_ledger_settings", {"months_to_keep_transactions": 24}, "are deleted in Sage"),
    ],
)
def test_a_setting_that_changes_what_the_data_mean_is_told(resource: str, members: dict[str, Any], words: str) -> None:
    failed = failing(with_sites(site(), **{resource: [{"id": 1, **members}]}))
    assert [(r.name, r.is_warning) for r in failed] == [("SAGE_UK: settings", True)]
    assert words in failed[0].detail
    assert failed[0].action


def test_settings_that_the_role_may_not_see_are_told_and_the_others_read() -> None:
    sage = connector(with_sites(site(), sop_settings=httpx.Response(403), system_settings=[{"number_open_periods": 3}]))
    settings = sage.settings()
    assert settings.unread.keys() == {"sop_settings"}
    assert (settings.system.number_open_periods, settings.sop.are_prices_tax_inclusive) == (3, None)


def test_a_closed_period_and_a_module_that_is_off_are_told() -> None:
    closed = {"classification": "Unacceptable", "message": "The period is closed."}
    failed = failing(
        with_sites(site(), transaction_date_validation=closed, licence=ALL_MODULES | {"is_stock_enabled": False})
    )
    assert [(r.name, r.is_warning) for r in failed] == [
        ("SAGE_UK: edition and modules", True),
        ("SAGE_UK: open periods", True),
    ]
    assert "switched off: stock" in failed[0].detail
    assert "2026-07-03 is Unacceptable: The period is closed." in failed[1].detail


@pytest.mark.parametrize(
    ("days_left", "words"),
    [(30, None), (13, "within 14 days"), (6, "within 7 days"), (1, "within 1 day"), (-1, "ended")],
)
def test_the_end_of_the_consent_is_told_ahead(days_left: int, words: str | None) -> None:
    given = NOW - timedelta(days=90 - days_left)
    store = MemoryCredentialStore("r1")
    store.save(Credentials("r1", "a", NOW + timedelta(hours=1), given, 90))
    sage = connector(with_sites(site()), credentials=store, sign_in_clock=lambda: NOW)
    found = next(r for r in sage.check() if r.name == "SAGE_UK: consent")
    assert found.ok is (words is None)
    warnings = sage.warnings()
    assert len(warnings) == (words is not None)
    if words is not None:
        assert found.is_warning
        assert words in found.detail
        assert words in warnings[0]
        assert "tieout auth sage200 --erp SAGE_UK" in warnings[0]


def test_a_wrong_site_header_is_an_auth_error_with_an_empty_body() -> None:
    with pytest.raises(AuthError):
        list(connector(lambda _: httpx.Response(401)).pages("banks", Window()))
