"""A foreign journal as NetSuite's entries: every penny of the functional amounts stands somewhere, and in one place."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from connectors.delivery import Action, DeliveryResult, Found, Outcome
from connectors.netsuite.foreign import entries_of, merged_found, merged_result, parts_of
from connectors.netsuite.journals import Journal, read_journal, render
from connectors.netsuite.records import BadRecord

WIRE = "TO0123456789ABCDEF"


def line(number: int, kind: str, code: str, net: str, functional: str) -> dict[str, Any]:
    def sides(text: str) -> tuple[str, str]:
        value = Decimal(text)
        return str(max(value, Decimal(0))), str(max(-value, Decimal(0)))

    debit, credit = sides(net)
    functional_debit, functional_credit = sides(functional)
    return {
        "line_no": number,
        "account_role": kind,
        "account_type": kind,
        "account_code": code,
        "debit": debit,
        "credit": credit,
        "functional_debit": functional_debit,
        "functional_credit": functional_credit,
    }


SETTLED = (
    line(1, "NOMINAL", "1260", "83.30", "71.64"),
    line(2, "NOMINAL", "6100", "20.00", "17.20"),
    line(3, "CUSTOMER", "1100", "-113.30", "-96.51"),
    line(4, "CUSTOMER", "1100", "10.00", "8.50"),
    line(5, "NOMINAL", "7906", "0.00", "-0.83"),
)


def payload(lines: tuple[dict[str, Any], ...] = SETTLED, **more: Any) -> dict[str, Any]:
    return {
        "journal_key": "UKTRADE|BRICO|SETTLEMENT|c1",
        "wire_key": WIRE,
        "kind": "SETTLEMENT",
        "posting_date": "2026-06-21",
        "currency_code": "EUR",
        "functional_currency_code": "GBP",
        "exchange_rate": "0.86000000",
        "rate_source": "ECB",
        "customer_reference": "MKBRICO",
        "lines": list(lines),
        **more,
    }


def booked(entries: tuple[Journal, ...]) -> dict[str, Decimal]:
    """What the company's ledger moves by account, as NetSuite translates each line."""
    found: dict[str, Decimal] = {}
    for entry in entries:
        rate = Decimal(entry.exchange_rate or 1)
        for leg in render(entry):
            found[leg.account] = found.get(leg.account, Decimal(0)) + (leg.net * rate).quantize(Decimal("0.01"))
    return found


def test_the_two_entries_book_what_the_journal_says_and_each_balances() -> None:
    main, difference = entries_of(read_journal(payload()))
    assert (main.currency_code, main.exchange_rate, main.wire_key) == ("EUR", "0.86000000", WIRE)
    assert (difference.currency_code, difference.exchange_rate, difference.wire_key) == ("GBP", None, f"{WIRE}FX")
    assert {leg.account: leg.net for leg in render(difference)} == {"1100": Decimal("0.83"), "7906": Decimal("-0.83")}
    wanted = {"1260": "71.64", "6100": "17.20", "1100": "-88.01", "7906": "-0.83"}
    assert booked((main, difference)) == {account: Decimal(net) for account, net in wanted.items()}


def test_what_the_bank_exchanged_is_one_entry_in_the_companys_currency() -> None:
    lines = (
        line(1, "BANK", "1200", "140.00", "119.30"),
        line(2, "NOMINAL", "1260", "-140.00", "-120.40"),
        line(3, "NOMINAL", "7906", "0.00", "1.10"),
    )
    (entry,) = entries_of(read_journal(payload(lines, rate_source="BANK", exchange_rate="0.85214286")))
    assert (entry.currency_code, entry.exchange_rate) == ("GBP", None)
    assert booked((entry,)) == {"1200": Decimal("119.30"), "1260": Decimal("-120.40"), "7906": Decimal("1.10")}


def test_a_revaluation_has_amounts_in_the_companys_currency_only() -> None:
    lines = (line(1, "NOMINAL", "1260", "0", "5.00"), line(2, "NOMINAL", "7907", "0", "-5.00"))
    (entry,) = entries_of(read_journal(payload(lines)))
    assert (entry.currency_code, booked((entry,))) == ("GBP", {"1260": Decimal(5), "7907": Decimal(-5)})


def test_a_journal_without_its_rate_is_not_sent() -> None:
    with pytest.raises(BadRecord, match="exchange rate"):
        entries_of(read_journal(payload(exchange_rate=None)))
    untranslated = ({**SETTLED[0], "functional_debit": None, "functional_credit": None}, *SETTLED[1:])
    with pytest.raises(BadRecord, match="rate is missing"):
        entries_of(read_journal(payload(untranslated)))


def test_an_action_is_as_far_as_the_lesser_of_its_entries() -> None:
    action = Action("JOURNAL|1", WIRE, "JOURNAL", "BRICO", "NS_UK", payload())
    first, second = parts_of(action)
    assert (first.action_key, first.wire_key, second.wire_key) == (action.action_key, WIRE, f"{WIRE}FX")
    assert [parts_of(part) for part in (first, second)] == [[first], [second]]
    there = Found(("1",), True, "JE is there")
    assert merged_found((None, None)) is None
    half, whole = merged_found((there, None)), merged_found((there, there))
    assert (half and half.complete, whole and whole.complete) == (False, True)
    sent = DeliveryResult(Outcome.SENT, ("1",))
    for other in (Outcome.UNKNOWN, Outcome.FAILED):
        assert merged_result((sent, DeliveryResult(other))).outcome is other
    assert merged_result((sent, sent)).vendor_ids == ("1", "1")
    domestic = Action("JOURNAL|2", WIRE, "JOURNAL", "BRICO", "NS_UK", payload(currency_code="GBP"))
    assert parts_of(domestic) == [domestic]
