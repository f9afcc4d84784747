"""Customer accounts and allocations: what has no key at Sage is told from what was done by the state it leaves."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import pytest

from connectors.delivery import Action, Outcome
from tests.connectors_sage200.conftest import DAY, Site, action, key

_NUMBERS = itertools.count(1)
LINES = [{"account_code": "4100", "net_amount": "50.00", "tax_amount": "10.00", "tax_code": "1"}]


def customer(**changes: Any) -> Action:
    values = {"reference": f"NEW{next(_NUMBERS):04d}", "name": "A new marketplace", "tax_code": "1"} | changes
    return action("CUSTOMER", **values)


def held(site: Site, one: Action) -> list[dict[str, Any]]:
    return site.rows("customers", reference=one.payload["reference"])


# --- customers


def test_a_customer_is_created_once_and_can_be_posted_to(site: Site) -> None:
    one = customer(
        account_code="4100",
        payment_terms_days=30,
        credit_limit="500.00",
        main_address={"street_1": "1 High St", "city": "York", "postcode": "YO1 1AA"},
        analysis_codes={"1": "BRICO"},
    )
    assert site.look_up(one) is None
    (result,) = site.send(one)
    assert result.outcome is Outcome.SENT, result.detail
    (row,) = held(site, one)
    assert result.vendor_ids == (str(row["id"]),)
    assert (row["default_nominal_code_reference"], row["credit_limit"]) == ("4100", Decimal("500.00"))
    assert row["main_address"] == {"address_1": "1 High St", "city": "York", "postcode": "YO1 1AA"}
    assert site.proof(one).ok, site.proof(one).detail
    before = site.writes()
    assert site.send(one)[0].outcome is Outcome.SENT
    assert site.writes() == before
    cash = {"document_date": DAY, "customer_reference": row["reference"], "bank_code": "MKBRICO", "amount": "5.00"}
    assert site.send(action("SALES_RECEIPT", **cash))[0].outcome is Outcome.SENT


def test_a_customer_whose_answer_was_lost_is_found_by_its_reference(site: Site) -> None:
    one = customer()
    site.disturb("customers", kind="fail_after", method="POST", status=504)
    assert site.send(one)[0].outcome is Outcome.UNKNOWN
    found = site.look_up(one)
    assert found is not None
    assert found.complete
    assert len(held(site, one)) == 1


def test_an_account_that_is_there_with_other_values_is_an_error(site: Site) -> None:
    one = customer()
    site.send(one)
    changed = customer(**{**one.payload, "name": "Somebody else"})
    found = site.look_up(changed)
    assert found is not None
    assert not found.complete
    (result,) = site.send(changed)
    assert result.outcome is Outcome.FAILED
    assert "it exists already, but its name is another" in result.detail
    assert held(site, one)[0]["name"] == "A new marketplace"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reference": "TOO LONG 9"}, "reference has 10 characters, Sage holds 1 to 8"),
        ({"reference": ""}, "reference has 0 characters"),
        ({"name": ""}, "name has 0 characters"),
        ({"currency_code": "USD"}, "currency_code: Sage has no currency USD"),
        ({"currency_code": None}, "$.currency_code"),
        ({"tax_code": "77"}, "tax_code: Sage has no tax code 77"),
        ({"account_code": "6999"}, "account_code: Sage has no nominal account 6999"),
    ],
)
def test_a_customer_that_cannot_be_created_is_refused_by_name_and_field(
    site: Site, changes: dict[str, Any], words: str
) -> None:
    one = customer(**changes)
    before = site.writes()
    (result,) = site.send(one)
    assert result.outcome is Outcome.FAILED
    assert result.detail.startswith(f"CUSTOMER {one.payload['reference']}: ")
    assert words in result.detail
    assert site.writes() == before


# --- allocations


def open_pair(site: Site) -> tuple[Action, Action]:
    """An invoice of 60.00 and a receipt of 100.00."""
    header = {"document_date": DAY, "customer_reference": "MKBRICO"}
    invoice = action("SALES_INVOICE", lines=LINES, **header)
    receipt = action("SALES_RECEIPT", bank_code="MKBRICO", amount="100.00", **header)
    for one in (invoice, receipt):
        assert site.send(one)[0].outcome is Outcome.SENT
    return invoice, receipt


def allocation(invoice: Action, receipt: Action, amount: str = "60.00", **more: Any) -> Action:
    lines = [
        {"reference": invoice.wire_key, "amount": amount, "outstanding_amount": "60.00"},
        {"reference": receipt.wire_key, "amount": amount, "outstanding_amount": "100.00"},
    ]
    header = {"customer_reference": "MKBRICO", "allocation_date": DAY, "lines": lines}
    return action("SALES_ALLOCATION", **header | more)


def outstanding(site: Site, *documents: Action) -> list[Decimal]:
    rows = [site.one("sales_posted_transactions", reference=one.wire_key) for one in documents]
    return [row["document_outstanding_value"] for row in rows]


def test_an_allocation_settles_both_sides_by_transaction_id_and_happens_once(site: Site) -> None:
    """`posted_tran_id` is the id of the posted transaction, which is not its URN."""
    invoice, receipt = open_pair(site)
    one = allocation(invoice, receipt)
    assert site.look_up(one) is None
    (shown,) = site.deliver["SALES_ALLOCATION"].preview([one])
    rows = [site.one("sales_posted_transactions", reference=d.wire_key) for d in (invoice, receipt)]
    assert all(f'"posted_tran_id":{row["id"]}' in shown.body and row["id"] != row["urn"] for row in rows)
    (result,) = site.send(one)
    assert result.outcome is Outcome.SENT, result.detail
    assert outstanding(site, invoice, receipt) == [Decimal("0.00"), Decimal("-40.00")]
    assert rows[0]["full_settlement_date"].startswith(DAY)
    assert "full_settlement_date" not in rows[1]
    assert site.proof(one).ok
    before = site.writes()
    assert site.send(one)[0].outcome is Outcome.SENT
    assert site.writes() == before


@pytest.mark.parametrize("disturbance", ["outcome_unknown", "fail_after"])
def test_an_allocation_whose_answer_was_lost_is_told_by_what_is_outstanding(site: Site, disturbance: str) -> None:
    one = allocation(*open_pair(site))
    site.disturb("sales_allocations", kind=disturbance, method="POST", status=504)
    assert site.send(one)[0].outcome is Outcome.UNKNOWN
    found = site.look_up(one)
    assert found is not None
    assert found.complete
    before = site.writes()
    assert site.send(one)[0].outcome is Outcome.SENT
    assert site.writes() == before, "a second allocation of the receipt's rest would have been taken"


def test_an_allocation_that_never_arrived_is_not_found(site: Site) -> None:
    one = allocation(*open_pair(site))
    site.disturb("sales_allocations", kind="fail", method="POST", status=504)
    assert site.send(one)[0].outcome is Outcome.UNKNOWN
    assert site.look_up(one) is None
    assert site.send(one)[0].outcome is Outcome.SENT


def test_documents_that_somebody_else_allocated_meanwhile_are_left_alone(site: Site) -> None:
    invoice, receipt = open_pair(site)
    assert site.send(allocation(invoice, receipt, "10.00"))[0].outcome is Outcome.SENT
    one = allocation(invoice, receipt)
    before = site.writes()
    (result,) = site.send(one)
    assert (result.outcome, result.retryable) == (Outcome.FAILED, False)
    assert f"{invoice.wire_key} has 50.00 open, proposed on 60.00" in result.detail
    assert site.writes() == before
    assert not site.proof(one).ok


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda lines: lines[:1], "at least two documents"),
        (lambda lines: [lines[0], lines[0]], "each named once"),
        (
            lambda lines: [lines[0], {**lines[1], "reference": key()}],
            "lines[1].reference: customer MKBRICO has no posted",
        ),
        (lambda lines: [lines[0], {**lines[1], "amount": "50.00"}], "invoices of 60.00 are set against receipts"),
        (lambda lines: [{**lines[0], "amount": "60.01"}, lines[1]], "lines[0].amount: 60.01 is more than the 60.00"),
        (lambda lines: [{**lines[0], "amount": "0"}, lines[1]], "lines[0].amount is nil"),
    ],
)
def test_an_allocation_that_cannot_be_made_is_refused(site: Site, change: Any, words: str) -> None:
    pair = allocation(*open_pair(site))
    one = allocation(*open_pair(site), lines=change(pair.payload["lines"]))
    before = site.writes()
    (result,) = site.send(one)
    assert result.outcome is Outcome.FAILED
    assert result.detail.startswith(f"SALES_ALLOCATION {one.wire_key}: ")
    assert words in result.detail
    assert site.writes() == before
