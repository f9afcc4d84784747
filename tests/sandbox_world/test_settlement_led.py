"""A seller whose settlements book the sales: what the books hold, told again from the marketplace's own records."""

from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest

from sandbox.world import World, build_world

SALES = ("ORDER_AMOUNT", "ORDER_SHIPPING_AMOUNT", "REFUND_ORDER_AMOUNT", "REFUND_ORDER_SHIPPING_AMOUNT")
TRADE = ("REVENUE_GOODS", "REVENUE_SHIPPING", "SALES_RETURNS", "SHIPPING_REFUNDS", "OUTPUT_VAT", "UNBILLED_SETTLEMENT")


@pytest.fixture(scope="module")
def led() -> World:
    return build_world(7, 300, faults=False, marketplaces=("BRICO", "HOMELY"), settlement_led=("BRICO", "HOMELY"))


def test_the_books_have_no_invoice_and_no_credit_note_of_the_marketplace(led: World) -> None:
    assert led.sage is not None
    customers = {row["id"]: row["reference"] for row in led.sage.tables["customers"]}
    ours = [r for r in led.sage.tables["sales_posted_transactions"] if customers[r["customer_id"]] == "MKBRICO"]
    assert ours == []
    kinds = {row["type"] for row in led.netsuite["NS_HOME"].tables["transaction"]}
    assert "Journal" in kinds
    assert "CustCred" not in kinds


def test_what_customers_paid_is_revenue_and_vat_to_the_penny(led: World) -> None:
    """Revenue, returns and VAT of a cycle add up to what its lines say that customers paid and got back."""
    paid: dict[str, Decimal] = defaultdict(Decimal)
    for side in led.mirakl.values():
        for line in side.transaction_lines:
            if line["type"] in SALES or line["type"].endswith("_AMOUNT_TAX"):
                paid[line.get("seller_billing_cycle_id")] += line["amount"]
    for settlement in led.truth["settlements"]:
        trade = sum(Decimal(amount) for role, amount in settlement["roles"].items() if role in TRADE)
        passed_through = Decimal(settlement["roles"].get("MARKETPLACE_TAX_PASSTHROUGH", 0))
        assert passed_through == 0
        assert trade == -paid[settlement["billing_cycle_id"]]


def test_a_cycle_of_the_first_of_a_month_is_booked_into_the_month_before(led: World) -> None:
    keys = defaultdict(set)
    for key in led.truth["preposted"]:
        _, market, kind, document, period, _ = key.split("|")
        if kind == "SETTLEMENT":
            keys[market, document].add(period)
    for settlement in led.truth["settlements"][:4]:
        day = date.fromisoformat(settlement["cycle_date"])
        periods = keys[settlement["marketplace_code"], settlement["billing_cycle_id"]]
        assert (f"{day:%Y-%m}" in periods) == (day.day > 2) or len(periods) == 2
    assert any(len(periods) > 1 or min(periods) == "2026-04" for periods in keys.values())
