"""A foreign journal in Sage 200: pounds on every nominal account, euro on the customer's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from connectors.sage200.journals import BadJournal, read_journal, render
from tests.connectors_netsuite.test_foreign import SETTLED, payload

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
