"""The main job: what the pipeline found and posted, against the truth about the world it ran on."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal

import pytest

from tests.pipeline.site import Site

pytestmark = pytest.mark.pipeline


def test_every_planted_fault_is_found_and_nothing_else_is_reported(finished: Site) -> None:
    expected = {
        (row["exception_code"], row["marketplace_code"], row["subject_type"], row["subject_id"])
        for row in finished.truth()["exceptions"]
    }
    found = set(
        finished.query("select exception_code, marketplace_code, subject_type, subject_id from marts.exceptions")
    )
    assert len({code for code, *_ in expected}) >= 20
    assert found - expected == set(), "reported, but no fault"
    assert expected - found == set(), "planted, but not reported"


def test_no_near_miss_is_reported(finished: Site) -> None:
    near_misses = {(row["not_code"], row["subject_type"], row["subject_id"]) for row in finished.truth()["near_misses"]}
    found = set(finished.query("select exception_code, subject_type, subject_id from marts.exceptions"))
    assert len({code for code, *_ in near_misses}) >= 20
    assert not near_misses & found


def test_every_cycle_is_explained_to_the_penny(finished: Site) -> None:
    truth = {row["billing_cycle_id"]: row for row in finished.truth()["settlements"]}
    cycles = finished.query(
        "select billing_cycle_id, opening_amount, net_amount, payout_amount, closing_amount from marts.fct_cycles"
    )
    assert {row[0] for row in cycles} == set(truth)
    for cycle_id, opening, net, payout, closing in cycles:
        assert opening + net - payout == closing, cycle_id
        assert payout == Decimal(str(truth[cycle_id]["payout"])), cycle_id


def test_the_posted_journals_move_the_roles_that_the_truth_expects(finished: Site) -> None:
    """Role movements, not documents: the same by whatever route the ERP takes."""
    truth = {row["billing_cycle_id"]: row["roles"] for row in finished.truth()["settlements"]}
    booked: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for cycle_id, role, net in finished.query(
        """
        select journals.source_id, lines.account_role, sum(lines.debit - lines.credit)
        from marts.journals as journals
        inner join marts.journal_lines as lines on journals.journal_key = lines.journal_key
        where journals.kind = 'SETTLEMENT' and journals.status <> 'BLOCKED'
        group by 1, 2
        """
    ):
        booked[cycle_id][role] += net
    assert booked
    for cycle_id, roles in booked.items():
        expected = {role: Decimal(str(amount)) for role, amount in truth[cycle_id].items() if Decimal(str(amount)) != 0}
        assert {role: net for role, net in roles.items() if net != 0} == expected, cycle_id


def test_every_journal_balances_and_no_order_led_journal_touches_revenue(finished: Site) -> None:
    rows = finished.query("select journal_key, sum(debit), sum(credit), count(*) from marts.journal_lines group by 1")
    assert rows
    for key, debit, credit, lines in rows:
        assert debit == credit, key
        assert lines >= 2, key
    roles = {row[0] for row in finished.query("select distinct account_role from marts.journal_lines")}
    assert not roles & {"REVENUE_GOODS", "REVENUE_SHIPPING", "SALES_RETURNS", "SHIPPING_REFUNDS", "OUTPUT_VAT", "COGS", "STOCK"}


def test_what_was_posted_is_in_the_erp_exactly_once(finished: Site) -> None:
    verified = [action for action in finished.tieout_json("actions", "--all") if action["kind"] == "JOURNAL"]
    assert verified
    assert {action["state"] for action in verified} == {"VERIFIED"}
    parts = Counter(
        (row["reference"], row.get("second_reference", ""))
        for row in finished.vendor_state()["sage200"]["bank_posted_transactions"]
        if row["reference"] in {action["wire_key"] for action in verified}
    )
    assert {reference for reference, _ in parts} == {action["wire_key"] for action in verified}


def test_the_marketplace_shows_the_stock_that_the_truth_expects(finished: Site) -> None:
    expected = {row["shop_sku"]: row["expected_quantity"] for row in finished.truth()["stock"]}
    shown = {sku: offer["quantity"] for sku, offer in finished.vendor_state()["mirakl"]["BRICO"]["offers"].items()}
    assert {sku: shown[sku] for sku in expected} == expected


def test_control_totals_tie_for_every_feed(finished: Site) -> None:
    rows = finished.query("select * from marts.control_totals where difference_count <> 0")
    assert not rows
    (count,) = finished.query("select count(distinct entity) from marts.control_totals where records_in > 0")[0]
    assert count >= 15


def test_clearing_rolls_forward_and_ties_to_the_erp(finished: Site) -> None:
    rows = finished.query(
        """
        select account_role, period, opening_amount, movement_amount, closing_amount, erp_closing_amount, difference_amount
        from marts.clearing_rollforward where account_role = 'MARKETPLACE_CLEARING' order by period
        """
    )
    assert rows
    previous = Decimal(0)
    for role, period, opening, movement, closing, _, _ in rows:
        assert opening == previous, (role, period)
        assert opening + movement == closing, (role, period)
        previous = closing
