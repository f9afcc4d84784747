"""Journals in batches against a company that posts: whole, once, whatever answer is lost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from connectors.delivery import Action, Outcome
from tests.connectors_sage200.conftest import DAY, Site, key

PARTS = ("sales_receipts", "sales_payments", "bank_payment", "bank_receipt")


def line(number: int, kind: str, net: str, **more: Any) -> dict[str, Any]:
    """A journal line; `net` is debit less credit, in pounds."""
    sides = {"credit": net.removeprefix("-")} if net.startswith("-") else {"debit": net}
    return {"line_no": number, "account_role": kind, "account_type": kind, **sides, **more}


def journal() -> Action:
    """A settlement: receipt, refund, fees with VAT, and a fee given back."""
    wire = key()
    lines = [
        line(1, "BANK", "881.00", bank_code="MKBRICO"),
        line(2, "NOMINAL", "100.00", account_code="6100", tax_code="1"),
        line(3, "VAT", "20.00", account_code="2201", tax_line_of=2, tax_code="1"),
        line(4, "NOMINAL", "-1.00", account_code="6130"),
        line(5, "CUSTOMER", "-1100.00"),
        line(6, "CUSTOMER", "100.00"),
    ]
    payload = {
        "journal_key": f"UKTRADE|BRICO|SETTLEMENT|{wire}",
        "wire_key": wire,
        "kind": "SETTLEMENT",
        "posting_date": DAY,
        "currency_code": "GBP",
        "customer_reference": "MKBRICO",
        "clearing_bank_code": "MKBRICO",
        "lines": lines,
    }
    return Action(f"JOURNAL|{wire}", wire, "JOURNAL", "BRICO", "SAGE_UK", payload)


def nominal(kind: str, lines: list[dict[str, Any]]) -> Action:
    """A journal of another kind, without the customer account."""
    one = journal()
    payload = one.payload | {"kind": kind, "journal_key": f"UKTRADE|BRICO|{kind}|{one.wire_key}", "lines": lines}
    return Action(one.action_key, one.wire_key, "JOURNAL", "BRICO", "SAGE_UK", payload)


def moved(site: Site, one: Action) -> dict[str, Decimal]:
    return {code: value for code, value in site.legs(one.wire_key).items() if value}


def test_a_correction_takes_back_every_account_that_its_journal_moved(site: Site) -> None:
    one = journal()
    turned = [row | {"debit": row.get("credit"), "credit": row.get("debit")} for row in one.payload["lines"]]
    other = journal()
    correction = Action(
        other.action_key,
        other.wire_key,
        "JOURNAL",
        "BRICO",
        "SAGE_UK",
        other.payload | {"kind": "CORRECTION", "lines": turned},
    )
    assert [result.outcome for result in site.send(one, correction)] == [Outcome.SENT] * 2
    assert moved(site, correction) == {account: -amount for account, amount in moved(site, one).items()}
    assert [result.outcome for result in site.send(one, correction)] == [Outcome.SENT] * 2
    assert documents(site, correction) == ["BP", "BR", "SP", "SR"]


def test_an_accrual_moves_no_money(site: Site) -> None:
    accrued = [
        line(1, "NOMINAL", "-21.50", account_code="2112"),
        line(2, "NOMINAL", "16.50", account_code="6100"),
        line(3, "NOMINAL", "5.00", account_code="6130"),
    ]
    one = nominal("FEE_ACCRUAL", accrued)
    (result,) = site.send(one)
    assert result.outcome is Outcome.SENT
    assert moved(site, one) == {"2112": Decimal("-21.50"), "6100": Decimal("16.50"), "6130": Decimal("5")}
    assert documents(site, one) == ["BP", "BR"]
    assert site.proof(one).ok


def test_input_vat_that_waited_is_released_through_the_vat_code_and_moves_no_money(site: Site) -> None:
    released = [
        line(1, "NOMINAL", "-2.88", account_code="2203"),
        line(2, "VAT", "2.88", account_code="2201", tax_line_of=1, tax_code="1"),
    ]
    one = nominal("VAT_RELEASE", released)
    (result,) = site.send(one)
    assert result.outcome is Outcome.SENT, result.detail
    assert moved(site, one) == {"2203": Decimal("-2.88"), "2201": Decimal("2.88")}
    assert documents(site, one) == ["BP", "BR"]
    assert site.proof(one).ok


def documents(site: Site, one: Action) -> list[str]:
    """What stands in the books under a journal's key, part by part."""
    rows = [
        *site.rows("sales_posted_transactions", reference=one.wire_key),
        *(
            row
            for row in site.rows("bank_posted_transactions", reference=one.wire_key)
            if row["source"] == "LedgerCashBook"
        ),
    ]
    return sorted(row["second_reference"] for row in rows)


def test_a_batch_of_journals_is_posted_whole_and_proved(site: Site) -> None:
    batch = [journal() for _ in range(5)]
    assert [result.outcome for result in site.send(*batch)] == [Outcome.SENT] * 5
    for one in batch:
        assert documents(site, one) == ["BP", "BR", "SP", "SR"]
        moved = {code: value for code, value in site.legs(one.wire_key).items() if value}
        assert moved == {
            k: Decimal(v) for k, v in {"1260": 881, "6100": 100, "2201": 20, "6130": -1, "1100": -1000}.items()
        }
        assert site.proof(one).ok


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("disturbance", ["outcome_unknown", "fail"])
def test_an_answer_lost_in_a_batch_loses_and_doubles_nothing(site: Site, part: str, disturbance: str) -> None:
    batch = [journal() for _ in range(4)]
    site.disturb(part, kind=disturbance, method="POST", status=504, after=1)
    outcomes = [result.outcome for result in site.send(*batch)]
    assert outcomes.count(Outcome.UNKNOWN) == 1
    for _ in range(2):
        # What the outbox does next: look up, and send what is not there whole.
        found = {one.action_key: site.look_up(one) for one in batch}
        missing = [one for one in batch if not (hit := found[one.action_key]) or not hit.complete]
        if missing:
            assert {result.outcome for result in site.send(*missing)} == {Outcome.SENT}
    assert not missing
    assert [documents(site, one) for one in batch] == [["BP", "BR", "SP", "SR"]] * 4
    assert all(site.proof(one).ok for one in batch)


def test_a_period_closed_since_the_proposal_posts_no_part(site: Site) -> None:
    one = journal()
    site.switch(closed_periods=["2026-06"])
    (result,) = site.send(one)
    assert (result.outcome, result.retryable) == (Outcome.FAILED, False)
    assert documents(site, one) == []
