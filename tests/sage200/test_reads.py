"""Every feed against the sandbox's company: whole, by window, in small pages, and in the words that Sage takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest

from connectors.errors import (
    AuthError,
    ConnectorError,
    NotFound,
    PermissionDenied,
    RateLimited,
    SiteDown,
    WrongAccount,
)
from connectors.records import Decoded, Page, Window
from connectors.sage200 import Sage200Connector
from connectors.sage200.decode import FEEDS
from connectors.sage200.endpoints import RESOURCES
from sandbox.sage_company import NEWEST_FIRST
from sandbox.world import DEFAULT_AS_OF
from tests.sage200.conftest import Connect, Served

EMPTY = frozenset({"return_lines", "cancelled_lines", "sales_historical_transactions", "cost_centres", "departments"})
"""Feeds of which the generated company has no record."""
STAMPED = [entity for entity, resource in RESOURCES.items() if resource.since and entity not in EMPTY]


def read(sage: Sage200Connector, entity: str, window: Window | None = None) -> list[dict[str, Any]]:
    """The records of a feed; see `records`."""
    return records(list(sage.pages(entity, window or Window())), entity)


def records(pages: Sequence[Page], entity: str) -> list[dict[str, Any]]:
    """The records of pages as plain objects, after every page has been decoded without a complaint."""
    found: list[dict[str, Any]] = []
    for page in pages:
        decoded: Decoded = FEEDS[entity].decoded(page.body, page.url)
        assert (decoded.rejects, dict(decoded.unknown_fields), dict(decoded.unknown_values)) == ([], {}, {})
        assert decoded.tables[FEEDS[entity].tables[0].name].num_rows == page.record_count
        found += msgspec.json.Decoder(list[dict[str, Any]], float_hook=Decimal).decode(page.body)
    return found


def keys(entity: str, rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in FEEDS[entity].id_columns) for row in rows]


@pytest.mark.parametrize("entity", FEEDS)
def test_every_feed_is_read_whole_and_proved_by_the_sites_own_count(
    sage: Sage200Connector, served: Served, entity: str
) -> None:
    pages = list(sage.pages(entity, Window()))
    table = served.store.company.table(RESOURCES[entity].path.removeprefix("/"))
    assert table is not None
    assert {p.declared_count for p in pages} == {len(table.rows)}
    rows = records(pages, entity)
    assert len(rows) == len(set(keys(entity, rows))) == len(table.rows)
    assert (len(rows) == 0) == (entity in EMPTY)


@pytest.mark.parametrize("entity", ["products", "order_invoice_links", "invoice_credit_lines", "nominal_period_values"])
def test_a_site_with_small_pages_is_read_to_the_end_without_gap_or_repetition(
    sage: Sage200Connector, served: Served, entity: str
) -> None:
    whole = keys(entity, read(sage, entity))
    served.site(maximum_rows=37)
    pages = list(sage.pages(entity, Window()))
    assert len(pages) == -(-len(whole) // 37)
    assert keys(entity, [row for p in pages for row in msgspec.json.decode(p.body)]) == whole


@pytest.mark.parametrize("entity", STAMPED)
def test_a_window_brings_what_changed_since_and_nothing_else(
    sage: Sage200Connector, served: Served, entity: str
) -> None:
    resource = RESOURCES[entity]
    rows = read(sage, entity)
    stamps = sorted(max(datetime.fromisoformat(row[member]) for member in resource.since) for row in rows)
    since = stamps[len(stamps) // 2]
    found = read(sage, entity, Window(since=since))
    wanted = [row for row in rows if any(datetime.fromisoformat(row[member]) >= since for member in resource.since)]
    assert keys(entity, found) == keys(entity, wanted)
    assert 0 < len(found) <= len(rows)


def test_nominal_transactions_are_read_on_from_the_last_id(sage: Sage200Connector) -> None:
    rows = read(sage, "nominal_transactions")
    middle = rows[len(rows) // 2]["id"]
    assert [r["id"] for r in read(sage, "nominal_transactions", Window(after_id=str(middle)))] == [
        r["id"] for r in rows if r["id"] > middle
    ]


def test_views_are_asked_for_in_the_order_of_their_key_although_they_list_newest_first(sage: Sage200Connector) -> None:
    assert RESOURCES["product_transactions"].path.removeprefix("/") in NEWEST_FIRST
    ids = [row["id"] for row in read(sage, "product_transactions")]
    assert ids == sorted(ids)


# --- what hangs together


def test_period_values_are_the_sums_of_the_nominal_transactions(sage: Sage200Connector) -> None:
    sums: Counter[tuple[int, int]] = Counter()
    for leg in read(sage, "nominal_transactions"):
        sums[leg["nominal_code_id"], leg["accounting_period_id"]] += Decimal(leg["debit"]) - Decimal(leg["credit"])
    values = {
        (row["nominal_code_id"], row["accounting_period_id"]): Decimal(row["nominal_period_value_actual_value"])
        for row in read(sage, "nominal_period_values")
    }
    assert values == sums


def test_movements_make_what_is_in_stock(sage: Sage200Connector) -> None:
    sums: Counter[tuple[int, str]] = Counter()
    for row in read(sage, "product_transactions"):
        sign = -1 if row["transaction_type"] == "Sales Issue" else 1
        sums[row["product_id"], row["warehouse_name"]] += sign * Decimal(row["quantity"])
    names = {row["id"]: row["name"] for row in read(sage, "warehouses")}
    for row in read(sage, "warehouse_holdings"):
        assert sums[row["product_id"], names[row["warehouse_id"]]] == Decimal(row["quantity_in_stock"])


def test_despatches_and_invoices_lead_back_to_the_marketplaces_order(sage: Sage200Connector) -> None:
    orders = {row["id"]: row for row in read(sage, "sop_orders")}
    despatched = Counter(row["sop_order_id"] for row in read(sage, "despatch_lines"))
    assert despatched
    for row in read(sage, "despatch_lines"):
        assert row["sop_order_customer_document_no"] == orders[row["sop_order_id"]]["customer_document_no"]
    links = read(sage, "order_invoice_links")
    invoices = {row["id"]: row for row in read(sage, "sales_posted_transactions")}
    for link in links:
        assert (
            link["sop_order_return_customer_document_no"] == orders[link["sop_order_return_id"]]["customer_document_no"]
        )
        assert link["sop_invoice_credit_document_no"] == invoices[link["sop_invoice_credit_id"]]["reference"]
    totals = Counter[int]()
    for line in read(sage, "invoice_credit_lines"):
        totals[line["sop_invoice_credit_id"]] += Decimal(line["sop_invoice_credit_line_total_value"])
    assert totals == {link["sop_invoice_credit_id"]: link["sop_invoice_credit_total_net_value"] for link in links}


# --- editions, sites, refusals


@pytest.mark.parametrize(
    ("edition", "base"), [("Professional", "/uk/sage200extra/accounts/v1"), ("Standard", "/uk/sage200/accounts/v1")]
)
def test_both_editions_are_read_and_told_apart(connect: Connect, served: Served, edition: str, base: str) -> None:
    served.site(edition=edition)
    results = {r.name.removeprefix("SAGE_UK: "): r for r in connect(base).check()}
    assert results["edition and modules"].detail.startswith(edition)
    assert [name for name, result in results.items() if not result.ok and not result.is_warning] == []


@pytest.mark.parametrize(
    ("edition", "words"), [("Professional", "Professional by its licence"), ("Standard", "unknown")]
)
def test_at_another_address_the_licence_tells_the_edition(
    sage: Sage200Connector, served: Served, edition: str, words: str
) -> None:
    served.site(edition=edition)
    found = next(r for r in sage.check() if r.name == "SAGE_UK: edition and modules")
    assert found.detail.startswith(words)


def test_the_other_editions_address_is_refused(connect: Connect, served: Served) -> None:
    served.site(edition="Standard")
    with pytest.raises(NotFound):
        list(connect("/uk/sage200extra/accounts/v1").pages("banks", Window()))


def test_standard_gives_no_member_of_professional_and_is_read_all_the_same(
    sage: Sage200Connector, served: Served
) -> None:
    assert all("use_for_sales_trading" in row for row in read(sage, "warehouses"))
    served.site(edition="Standard")
    assert all("use_for_sales_trading" not in row for row in read(sage, "warehouses"))
    assert all("nominal_account_type" not in row for row in read(sage, "nominal_codes"))


REFUSALS: list[tuple[dict[str, Any], dict[str, Any], type[ConnectorError], str, bool]] = [
    ({"sites": "none"}, {}, SiteDown, "tunnel is down", True),
    ({"sites": "no_company"}, {}, WrongAccount, "no company 7", False),
    ({}, {"company_id": 8}, WrongAccount, "no company 8", False),
    ({}, {"site_id": "00000000-0000-0000-0000-000000000000"}, WrongAccount, "no site", False),
    ({"tunnel_up": False}, {}, SiteDown, "does not reach the site", True),
    ({"calls_a_minute": 1}, {}, RateLimited, "too many calls", True),
    ({"forbids": "banks"}, {}, PermissionDenied, "may not make this call", False),
    ({"hides": "banks"}, {}, NotFound, "no such path", False),
    ({"token_seconds": 0}, {}, AuthError, "not accepted", False),
]


@pytest.mark.parametrize(("switches", "options", "kind", "words", "is_retryable"), REFUSALS)
def test_a_refusal_has_its_type_and_says_whether_it_can_pass(
    connect: Connect,
    served: Served,
    switches: dict[str, Any],
    options: dict[str, Any],
    kind: type[ConnectorError],
    words: str,
    is_retryable: bool,
) -> None:
    served.site(**switches)
    with pytest.raises(kind, match=words) as caught:
        list(connect(**options).pages("banks", Window()))
    assert caught.value.retryable is is_retryable


def test_a_site_that_was_down_for_a_moment_is_read_all_the_same(sage: Sage200Connector, served: Served) -> None:
    served.chaos(path="/sage200/accounts/v1/banks", kind="fail", status=504, times=2)
    assert len(read(sage, "banks")) == 2


def test_doctor_names_a_role_that_may_not_see_the_stock(connect: Connect, served: Served) -> None:
    served.site(forbids="warehouse_holdings,stock_settings")
    failed = {r.name: r for r in connect().check() if not r.ok}
    assert not failed["SAGE_UK: warehouse_holdings (/warehouse_holdings)"].is_warning
    assert failed["SAGE_UK: settings (stock_settings)"].is_warning


@pytest.mark.parametrize("switch", [{"counts": False}, {"list_form": "value"}])
def test_an_older_site_and_a_wrapped_list_are_read(
    sage: Sage200Connector, served: Served, switch: dict[str, Any]
) -> None:
    wanted = len(read(sage, "products"))
    served.site(**switch)
    pages = list(sage.pages("products", Window()))
    assert sum(p.record_count for p in pages) == wanted


def test_settings_come_as_the_company_has_them(connect: Connect) -> None:
    settings = connect().settings()
    assert settings.unread == {}
    assert (settings.system.update_nominal_online, settings.sop.are_prices_tax_inclusive) == (True, False)
    assert (settings.stock.generate_cos_for_sop, settings.nominal_ledger.keep_nominal_transactions) == (True, True)


# --- the sandbox refuses what Sage refuses, so that a wrong question cannot pass unseen


@pytest.fixture
def http(sage: Sage200Connector, served: Served) -> Iterator[httpx.Client]:
    token = sage._auth.access_token()
    site = served.store.company.site
    headers = {"Authorization": f"Bearer {token}", "X-Site": site["site_id"], "X-Company": str(site["company_id"])}
    with httpx.Client(base_url=f"{served.url}/sage200/accounts/v1/", headers=headers) as client:
        yield client


@pytest.mark.parametrize(
    ("resource", "parameters"),
    [
        ("sop_order_despatch_line_views", {"$filter": "date_time_updated ge '2026-01-01T00:00:00Z'"}),
        ("sop_order_despatch_line_views", {"$filter": "date_time_updated ge 2026-01-01T00:00:00"}),
        ("sop_order_despatch_line_views", {"$filter": "id gt 5"}),
        ("customer_sop_invoice_credit_line_views", {"$filter": "date_time_updated ge 2026-01-01T00:00:00Z"}),
        ("nominal_period_value_views", {"$filter": "date_time_updated ge 2026-01-01T00:00:00Z"}),
        ("product_transaction_views", {"$filter": "product_code eq 5"}),
        ("product_transaction_views", {"$skip": "5"}),
        ("product_transaction_views", {"$top": "5001"}),
        ("product_transaction_views", {"$orderby": "no_such_member"}),
        ("analysis_code_mappings", {"$expand": "no_such_child"}),
        ("analysis_code_mappings", {"$select": "analysis_code.name"}),
    ],
)
def test_a_query_that_sage_does_not_know_is_refused(
    http: httpx.Client, resource: str, parameters: dict[str, str]
) -> None:
    assert http.get(resource, params=parameters).status_code == 400


def test_standard_refuses_a_filter_by_what_it_does_not_have(http: httpx.Client, served: Served) -> None:
    question = {"$filter": "use_for_sales_trading eq true"}
    assert http.get("warehouses", params=question).status_code == 200
    served.site(edition="Standard")
    assert http.get("warehouses", params=question).status_code == 400


def test_children_come_only_when_asked_for(http: httpx.Client) -> None:
    assert all("analysis_code" not in row for row in http.get("analysis_code_mappings").json())
    labels = http.get("analysis_code_mappings", params={"$expand": "analysis_code"}).json()
    assert [row["analysis_code"]["name"] for row in labels] == ["Marketplace", "Marketplace order line"]


def test_a_view_cannot_be_asked_for_one_by_one_nor_written(http: httpx.Client) -> None:
    row = http.get("sop_order_despatch_line_views", params={"$top": 1}).json()[0]
    assert http.get(f"sop_order_despatch_line_views/{row['sop_despatch_line_id']}").status_code == 404
    assert http.post("sop_order_despatch_line_views", json={}).status_code == 404


def test_a_consent_that_does_not_slide_ends_on_its_day(connect: Connect, served: Served) -> None:
    """The clock moves: renewing every day does not help, unless the site lets the consent slide."""
    sage, start = connect(), DEFAULT_AS_OF
    try:
        sage.sites()
        for slides in (True, False):
            served.site(consent_slides=slides)
            start += timedelta(days=60)
            served.control.post("clock", json={"at": start.isoformat()}).raise_for_status()
            served.store.sage_id.expire_access_tokens()
            assert sage.sites()
        start += timedelta(days=31)
        served.control.post("clock", json={"at": start.isoformat()}).raise_for_status()
        served.store.sage_id.expire_access_tokens()
        with pytest.raises(AuthError, match="or the consent was withdrawn"):
            sage.sites()
    finally:
        served.control.post("clock", json={"at": DEFAULT_AS_OF.isoformat()}).raise_for_status()
