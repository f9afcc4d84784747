"""A foreign journal in Sage 200: pounds on every nominal account, euro on the customer's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from connectors.delivery import Action, Outcome
from connectors.sage200.journals import BadJournal, read_journal, render
from tests.connectors_netsuite.test_foreign import SETTLED, payload
from tests.connectors_sage200.conftest import Site, key

CLEARING = {"account_type": "BANK", "bank_code": "MKBRICO"}


def settled(**more: Any) -> dict[str, Any]:
    lines = ({**SETTLED[0], **CLEARING}, *SETTLED[1:])
    return payload(lines, clearing_bank_code="MKBRICO", **more)


def test_the_customer_leaves_in_euro_at_what_it_stood_at_in_pounds() -> None:
    parts = {part.code: part for part in render(read_journal(settled()))}
    assert {code: (part.value, part.customer_value) for code, part in parts.items()} == {
        "SR": (Decimal("96.51"), Decimal("113.30")),
        "SP": (Decimal("8.50"), Decimal("10.00")),
        "BP": (Decimal("17.20"), None),
        "BR": (Decimal("0.83"), None),
    }
    # What the documents move on the clearing account is what the settlement puts there.
    moved = parts["SR"].value - parts["SP"].value - parts["BP"].value + parts["BR"].value
    assert moved == Decimal("71.64")


def test_a_journal_that_is_not_translated_is_not_sent() -> None:
    document = settled()
    document["lines"][0] = {**document["lines"][0], "functional_debit": None, "functional_credit": None}
    with pytest.raises(BadJournal, match="rate is missing"):
        render(read_journal(document))


def test_a_foreign_settlement_is_posted_and_proved(foreign_site: Site) -> None:
    wire = key()
    one = Action(f"JOURNAL|{wire}", wire, "JOURNAL", "BRICO", "SAGE_UK", settled(wire_key=wire))
    (result,) = foreign_site.send(one)
    assert result.outcome is Outcome.SENT, result.detail
    proof = foreign_site.proof(one)
    assert proof.ok, proof.detail
    moved = {"1260": "71.64", "6100": "17.20", "1100": "-88.01", "7906": "-0.83"}
    assert foreign_site.legs(wire) == {account: Decimal(net) for account, net in moved.items()}
    on_account = foreign_site.rows("sales_posted_transactions", reference=wire)
    assert {row["document_gross_value"]: row["base_gross_value"] for row in on_account} == {
        Decimal("-113.30"): Decimal("-96.51"),
        Decimal("10.00"): Decimal("8.50"),
    }
