"""`tieout explain`: from any id to the money, to the penny."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestration.lib.explaining.finding import AT_ONCE
from orchestration.lib.settings import Settings

from . import marts
from .conftest import Run
from .marts import RECEIPT_KEY, SETTLEMENT_KEY

pytestmark = pytest.mark.usefixtures("published")


@pytest.mark.parametrize(
    ("text", "kind", "id"),
    [
        ("O-1", "ORDER", "O-1"),
        ("co-1", "ORDER", "O-1"),
        ("0000012345", "ORDER", "O-1"),
        ("O-1-2", "ORDER", "O-1"),
        ("trk-3", "ORDER", "O-2"),
        ("R-1", "ORDER", "O-1"),
        ("T-5", "TRANSACTION_LINE", "T-5"),
        ("C-1", "PAYOUT", "C-1"),
        ("V-2", "PAYOUT", "C-2"),
        ("PO-1", "PAYOUT", "C-1"),
        ("INV-1", "PAYOUT", "C-1"),
        ("BARC_GBP-R1", "RECEIPT", "BARC_GBP-R1"),
        (SETTLEMENT_KEY, "JOURNAL", SETTLEMENT_KEY),
        ("TO2222222222222222", "JOURNAL", RECEIPT_KEY),
        ("9001", "JOURNAL", SETTLEMENT_KEY),
        ("9003", "JOURNAL", SETTLEMENT_KEY),
        ("DRILL-1", "SKU", "DRILL-1"),
        ("SAW", "SKU", "SAW-1"),
        ("aaaaaaaaaaaaaaaa", "EXCEPTION", "aaaaaaaaaaaaaaaa"),
    ],
)
def test_any_id_leads_to_what_it_names_and_every_sum_holds(
    run: Run, run_json: Callable[..., Any], text: str, kind: str, id: str
) -> None:
    (node,) = run_json("explain", text)["explanations"]
    assert (node["kind"], node["id"]) == (kind, id)
    assert node["all_hold"] is True
    assert run("explain", text).exit_code == 0


def test_a_pay_out_is_opening_plus_lines_by_fee_type_and_says_what_was_received(run_json: Callable[..., Any]) -> None:
    (node,) = run_json("explain", "C-1")["explanations"]
    by_type = {
        row["transaction_type"]: (row["count"], row["amount"], row["tax_amount"])
        for row in node["listings"]["lines_by_type"]
    }
    assert by_type == {
        "ORDER_AMOUNT": (2, "150.00", "0.00"),
        "ORDER_SHIPPING_AMOUNT": (1, "5.00", "0.00"),
        "COMMISSION_FEE": (2, "-23.25", "0.00"),
        "COMMISSION_VAT": (2, "0.00", "-4.65"),
        "SUBSCRIPTION_FEE": (1, "-40.00", "0.00"),
        "SUBSCRIPTION_VAT": (1, "0.00", "-8.00"),
    }, "the PAYMENT line is not part of the net"
    assert {proof["claim"]: proof["parts"] for proof in node["proofs"]}["Σ lines = net of the cycle"] == "79.10"
    assert node["facts"]["residual"] == "0.00"
    assert node["facts"]["documents"] == "INV-1"
    assert [(row["cash_amount"], row["fee_amount"]) for row in node["listings"]["receipts"]] == [("78.10", "1.00")]
    assert [child["id"] for child in node["children"]] == [SETTLEMENT_KEY, RECEIPT_KEY]
    claims = {proof["claim"]: proof["parts"] for proof in node["children"][0]["proofs"]}
    assert claims == {"Σ debit = Σ credit": "155.00", "clearing in the journal = net of the cycle": "79.10"}
    assert [exception["exception_code"] for exception in node["exceptions"]] == ["BNK-002"]


def test_a_pay_out_that_never_came_shows_its_residual_and_what_to_do(run: Run, run_json: Callable[..., Any]) -> None:
    (node,) = run_json("explain", "C-2")["explanations"]
    assert node["facts"]["residual"] == "8.20"
    assert {exception["exception_code"] for exception in node["exceptions"]} == {"BNK-001", "ORD-001"}
    output = run("explain", "C-2").stdout
    assert "pay-out of 8.20 was not received" in output
    assert "Check state and bank details; chase" in output


def test_an_order_shows_each_settlement_line_with_cycle_journal_and_receipt(run_json: Callable[..., Any]) -> None:
    (node,) = run_json("explain", "O-1")["explanations"]
    rows = {row["transaction_line_id"]: row for row in node["listings"]["settlement_lines"]}
    assert sorted(rows) == ["T-1", "T-14", "T-15", "T-16", "T-2", "T-3", "T-4", "T-5", "T-6", "T-7"]
    assert (rows["T-1"]["journal"], rows["T-1"]["receipts"]) == ("TO1111111111111111", "BARC_GBP-R1")
    assert (rows["T-14"]["journal"], rows["T-14"]["receipts"]) == (None, None), "cycle C-2 has neither yet"
    assert [(row["billing_cycle_id"], row["share"]) for row in node["listings"]["cycles"]] == [
        ("C-1", "127.10"),
        ("C-2", "-16.40"),
    ]
    assert node["facts"]["settled so far"] == "110.70"
    assert node["facts"]["refunded"] == "20.00"
    assert node["facts"]["ERP order"] == "0000012345"
    assert (node["facts"]["at the marketplace"], node["facts"]["tracking"], node["facts"]["refund"]) == (
        "delivered",
        "TRK-1",
        "refunded in part",
    )
    assert node["exceptions"] == [], "a resolved exception is not open"


def test_a_refund_shows_its_own_lines_only(run_json: Callable[..., Any]) -> None:
    (node,) = run_json("explain", "R-1")["explanations"]
    assert [row["transaction_line_id"] for row in node["listings"]["settlement_lines"]] == ["T-14", "T-15", "T-16"]
    assert [(row["billing_cycle_id"], row["share"]) for row in node["listings"]["cycles"]] == [("C-2", "-16.40")]


def test_a_receipt_shows_the_pay_outs_it_paid(run_json: Callable[..., Any]) -> None:
    (node,) = run_json("explain", "BARC_GBP-R1")["explanations"]
    assert (node["facts"]["amount"], node["facts"]["residual"], node["facts"]["bank fee kept"]) == (
        "78.10",
        "0.00",
        "1.00",
    )
    assert [(child["kind"], child["id"]) for child in node["children"]] == [("PAYOUT", "C-1"), ("JOURNAL", RECEIPT_KEY)]
    claims = {proof["claim"]: proof["parts"] for proof in node["children"][1]["proofs"]}
    assert claims["bank in the journal = receipt allocated"] == "78.10"


def test_an_exception_leads_on_to_its_subject(run_json: Callable[..., Any]) -> None:
    (node,) = run_json("explain", "bbbbbbbbbbbbbbbb")["explanations"]
    assert node["facts"]["what to do"] == "Recreate from the stored order"
    assert [(child["kind"], child["id"]) for child in node["children"]] == [("ORDER", "O-2")]
    assert [row["exception_code"] for row in node["children"][0]["listings"]["checks"]] == ["ORD-001"]


def test_a_penny_that_does_not_add_up_is_shown_not_hidden(
    run: Run, run_json: Callable[..., Any], published: Path
) -> None:
    published.unlink()
    wrong = [
        row | {"net_amount": "79.11"} if row["billing_cycle_id"] == "C-1" else row for row in marts.ROWS["fct_cycles"]
    ]
    marts.build(Settings().published_path, {"fct_cycles": wrong})
    (node,) = run_json("explain", "C-1")["explanations"]
    assert node["all_hold"] is False
    broken = {proof["claim"]: proof["difference"] for proof in node["proofs"] if not proof["holds"]}
    assert broken == {"Σ lines = net of the cycle": "-0.01", "opening + net − pay-out = closing": "0.01"}
    assert "✗ Σ lines = net of the cycle: 79.10 ≠ 79.11 GBP, off by -0.01" in run("explain", "C-1").stdout


def test_a_cancelled_line_is_not_part_of_the_order_but_stays_in_a_refused_one(
    run_json: Callable[..., Any], published: Path
) -> None:
    lines = [
        row | {"line_state": "CANCELED"} if row["order_line_id"] == "O-1-2" else row
        for row in marts.ROWS["fct_order_lines"]
    ]
    orders = [
        row | {"price_amount": "100.00", "total_amount": "105.00"} if row["order_id"] == "O-1" else row
        for row in marts.ROWS["fct_orders"]
    ]
    for state, holds in (("CLOSED", True), ("REFUSED", False)):
        published.unlink()
        marts.build(
            published, {"fct_order_lines": lines, "fct_orders": [row | {"order_state": state} for row in orders]}
        )
        (node,) = run_json("explain", "O-1")["explanations"]
        assert node["all_hold"] is holds, state


def test_many_exceptions_of_one_code_are_counted_not_listed(
    run: Run, run_json: Callable[..., Any], published: Path
) -> None:
    published.unlink()
    model = next(row for row in marts.ROWS["exceptions"] if row["exception_code"] == "BNK-001")
    many = [
        model
        | {
            "exception_id": f"{number:016d}",
            "exception_code": "SET-003",
            "subject_type": "TRANSACTION_LINE",
            "subject_id": f"T-{number}",
        }
        for number in range(1, 9)
    ]
    marts.build(published, {"exceptions": many})
    output = run("explain", "C-1").stdout
    assert output.count("! SET-003") == 3
    assert "and 5 more SET-003" in output
    assert len(run_json("explain", "C-1")["explanations"][0]["exceptions"]) == 8


def test_of_an_id_that_many_marketplaces_have_somebody_says_which(run: Run, run_json: Callable[..., Any]) -> None:
    lines = [{"transaction_line_id": "T-SHARED", "marketplace_code": f"M{number}"} for number in range(AT_ONCE + 1)]
    published = Settings().published_path
    published.unlink()
    marts.build(published, {"fct_settlement_lines": lines})
    result = run("explain", "T-SHARED")
    assert result.exit_code == 1
    assert f"{AT_ONCE + 1} things have the id 'T-SHARED': transaction line T-SHARED M0; " in result.stderr
    assert "--marketplace" in result.stderr
    (node,) = run_json("explain", "T-SHARED", "--marketplace", "M3")["explanations"]
    assert (node["kind"], node["facts"]["marketplace"]) == ("TRANSACTION_LINE", "M3")
    published.unlink()
    marts.build(published, {"fct_settlement_lines": lines[1:]})
    assert len(run_json("explain", "T-SHARED")["explanations"]) == AT_ONCE


def test_an_unknown_id_says_so_and_hints(run: Run, run_json: Callable[..., Any]) -> None:
    result = run("explain", "1-2")
    assert result.exit_code == 1
    assert "nothing published has the id '1-2'" in result.stderr
    assert "order line O-1-2" in result.stderr
    assert run_json("explain", "zzz", code=1)["error"]["messages"] == ["nothing published has the id 'zzz'"]
