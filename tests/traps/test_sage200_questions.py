"""The open questions of the Sage 200 reference: every plausible answer is played, and the connector takes each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from connectors.auth import FileCredentialStore, RefreshingToken
from connectors.delivery import Outcome
from connectors.http import ApiClient, Call
from connectors.records import Window
from connectors.sage200 import endpoints
from connectors.sage200.decode import FEEDS
from sandbox.world import DEFAULT_AS_OF
from tests.connectors_sage200.conftest import DAY, Site, action, key
from tests.connectors_sage200.payloads import FEES
from tests.connectors_sage200.test_orders import goods, items, order
from tests.connectors_sage200.test_postings import document
from tests.contracts.writing_sage200 import journal, line
from tests.traps.conftest import Behave


def rows(site: Site, entity: str, window: Window | None = None) -> Iterator[dict[str, Any]]:
    """What the connector reads of a feed, as the raw tables get it."""
    for page in site.connector.pages(entity, window or Window()):
        decoded = FEEDS[entity].decoded(page.body, page.url)
        assert not decoded.rejects
        yield from decoded.tables[FEEDS[entity].tables[0].name].to_pylist()


@pytest.mark.parametrize("form", ["text", "json", "errors", "empty"])
def test_sage200_q01_a_400_may_have_any_body(site: Site, behave: Behave, form: str) -> None:
    one = document("SALES_RECEIPT")
    behave(refusal_form=form)
    site.switch(closed_periods=["2026-06"])
    site.disturb("transaction_date_validation", kind="empty", status=404)  # so that the posting itself is refused
    (result,) = site.send(one)
    assert (result.outcome, result.retryable) == (Outcome.FAILED, False)
    assert form == "empty" or "closed accounting period" in result.detail, "the vendor's own words"
    assert site.look_up(one) is None


@pytest.mark.parametrize("status", ["EnumStockItemStatusTypeInactive", "EnumStockItemStatusTypeObsolete", "1"])
def test_sage200_q02_an_inactive_item_may_have_any_status_but_active(site: Site, status: str) -> None:
    """Whatever the inactive value is called, it arrives; dbt takes all but `...Active` for inactive."""
    table = site.store.company["products"]
    row, before = table.rows[0], table.rows[0]["product_status_type"]
    row["product_status_type"] = status
    table.touch(row)
    found = {one["id"]: one["product_status_type"] for one in rows(site, "products")}
    row["product_status_type"] = before
    table.touch(row)
    assert found[str(row["id"])] == status


def test_sage200_q03_no_default_warehouse_is_relied_on(site: Site) -> None:
    (first,) = items(site)[:1]
    one = order([goods(first["code"])])
    assert '"warehouse_id":' in site.deliver["SALES_ORDER"].preview([one])[0].body
    before = site.writes()
    (result,) = site.send(order([goods(first["code"])], location_name=None))
    assert result.outcome is Outcome.FAILED
    assert "location_name" in result.detail
    assert site.writes() == before


@pytest.mark.parametrize("kind", ["CREDIT_NOTE", "BANK_PAYMENT", "BANK_TRANSFER"])
@pytest.mark.parametrize("sign", ["negative", "positive"])
def test_sage200_q04_credit_notes_and_payments_may_show_either_sign(
    site: Site, behave: Behave, kind: str, sign: str
) -> None:
    behave(credit_sign=sign, payment_sign=sign)
    one = document(kind)
    assert site.send(one)[0].outcome is Outcome.SENT
    assert site.proof(one).ok
    before = site.writes()
    assert site.send(one)[0].outcome is Outcome.SENT
    assert site.writes() == before


@pytest.mark.parametrize("first", ["invoice", "order"])
def test_sage200_q05_either_reference_of_an_orders_invoice_may_be_the_invoices(
    site: Site, behave: Behave, first: str
) -> None:
    """Both are kept; which invoice belongs to which order is read from a view that says so."""
    behave(invoice_reference=first)
    posted = {frozenset((row["reference"], row["second_reference"])) for row in rows(site, "sales_posted_transactions")}
    links = list(rows(site, "order_invoice_links"))
    assert links
    numbers = {number for pair in posted for number in pair}
    assert {row["sop_invoice_credit_document_no"] for row in links} <= numbers


@pytest.mark.parametrize("is_stamped", [True, False])
def test_sage200_q06_a_movement_may_leave_the_time_stamp_of_stock_alone(site: Site, is_stamped: bool) -> None:
    """Stock is read whole, so a window never hides it."""
    table = site.store.company["warehouse_holdings"]
    row, before = table.rows[0], dict(table.rows[0])
    row["quantity_in_stock"] = before["quantity_in_stock"] + 7
    if is_stamped:
        row["date_time_updated"] = f"{DEFAULT_AS_OF:%Y-%m-%dT%H:%M:%S}Z"
    table.touch(row)
    since = Window(since=DEFAULT_AS_OF + timedelta(days=1))
    found = {one["id"]: one["quantity_in_stock"] for one in rows(site, "warehouse_holdings", since)}
    row |= before
    table.touch(row)
    assert FEEDS["warehouse_holdings"].mode == "snapshot"
    assert float(found[str(row["id"])]) == float(before["quantity_in_stock"]) + 7


def test_sage200_q07_a_site_may_throttle(site: Site) -> None:
    site.disturb("customers", kind="fail", status=429, retry_after=1, times=2)
    assert list(rows(site, "customers"))
    site.disturb("sales_receipts", kind="fail", method="POST", status=429)
    one = document("SALES_RECEIPT")
    (result,) = site.send(one)
    assert (result.outcome, result.retryable) == (Outcome.FAILED, True), "a 429 was certainly not carried out"
    assert site.send(one)[0].outcome is Outcome.SENT


@pytest.mark.parametrize("slides", [True, False])
def test_sage200_q08_a_consent_may_end_by_the_calendar_or_with_disuse(
    site: Site, behave: Behave, slides: bool, tmp_path: Any
) -> None:
    """It is taken to run from the sign-in: a warning comes ahead of the earlier of the two ends, and neither breaks."""
    behave(consent_days=30, consent_slides=slides)
    now = [site.store.clock.now()]
    store = FileCredentialStore(tmp_path / "chain", site.store.sage_id.consent())
    client = site.store.sage_client
    token = RefreshingToken(
        "sage200", f"{site.url}/oauth/token", client.client_id, client.client_secret, store, clock=lambda: now[0]
    )
    asking = ApiClient("sage200", f"{site.url}/sage200/accounts/v1", auth=token, clock=lambda: now[0])
    assert asking.read(Call("sites"), "/sites", {}, lambda answer: answer.status) == 200
    first = store.load()
    assert first.refresh_token
    now[0] += timedelta(days=1)
    assert asking.read(Call("sites"), "/sites", {}, lambda answer: answer.status) == 200
    second = store.load()
    assert second.refresh_token != first.refresh_token, "the chain goes on, and what was spent is not kept"
    assert second.consented_at == first.consented_at, "a renewal does not prolong what is counted on"


def test_sage200_q09_what_has_no_published_body_is_not_sent() -> None:
    names = {call.name for call in vars(endpoints).values() if isinstance(call, Call)}
    assert not {name for name in names if name.startswith(("sop_orders_status", "sop_returns"))}


def test_sage200_q10_no_line_of_a_payment_is_negative(site: Site) -> None:
    """What goes the other way is a receipt of its own, so nobody has to know what Sage makes of a negative line."""
    wrong = action(
        "BANK_PAYMENT", document_date=DAY, bank_code="MKBRICO", lines=[FEES[1], {**FEES[1], "net_amount": "-2.00"}]
    )
    before = site.writes()
    (result,) = site.send(wrong)
    assert result.outcome is Outcome.FAILED
    assert "net_amount" in result.detail
    assert site.writes() == before


def test_sage200_q12_journals_need_no_endpoint_of_their_own(site: Site) -> None:
    """Were there one, nothing would change: a journal is posted as documents, which every version takes."""
    lines = [line(1, "BANK", None, "1.00", bank_code="MKBRICO"), line(2, "CUSTOMER", None, "-1.00")]
    one = journal(key(), lines)
    shown = site.deliver["JOURNAL"].preview([one])
    assert {request.url.rpartition("/")[2] for request in shown} == {"sales_receipts"}
    assert site.send(one)[0].outcome is Outcome.SENT
    assert site.proof(one).ok


@pytest.mark.parametrize("form", ["array", "value"])
def test_sage200_q13_a_list_may_come_wrapped(site: Site, behave: Behave, form: str) -> None:
    behave(list_form=form)
    assert {row["code"] for row in rows(site, "tax_codes")} >= {"1"}
    one = document("SALES_RECEIPT")
    assert site.send(one)[0].outcome is Outcome.SENT
    assert site.proof(one).ok


@pytest.mark.parametrize("archived", ["shown", "hidden"])
def test_sage200_q14_an_archived_order_may_be_gone_from_the_list(site: Site, behave: Behave, archived: str) -> None:
    """It is neither taken for deleted nor created again."""
    behave(archived_orders=archived)
    assert FEEDS["sop_orders"].mode == "cursor", "what a reading does not hold is not taken away"
    invoiced = next(row for row in rows(site, "order_invoice_links") if row["sop_order_return_customer_document_no"])
    (first,) = items(site)[:1]
    one = order([goods(first["code"])], invoiced["sop_order_return_customer_document_no"])
    before = site.writes()
    (result,) = site.send(one)
    assert result.outcome is Outcome.FAILED
    assert site.writes() == before
    assert archived == "shown" or "archived" in result.detail
