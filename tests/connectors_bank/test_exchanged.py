"""What was sent in another currency stands beside what arrived, whichever format tells it."""

from __future__ import annotations

import pytest

from connectors.bank.csv import ColumnRule, CsvProfile, LandedCsv
from connectors.feeds import feed_spec
from tests.connectors.test_bank import camt, entry
from tests.connectors_bank.files import headers, mt940, rows

SPEC = feed_spec("bank", "statements")


def camt_sent(amount: str, currency: str, *, direction: str = "CRDT") -> tuple[str | None, str | None]:
    sent = f'<AmtDtls><InstdAmt><Amt Ccy="{currency}">{amount}</Amt></InstdAmt></AmtDtls>'
    (row,) = rows(
        SPEC.decode(
            camt(entry("150.10", direction, extra=f"<NtryDtls><TxDtls>{sent}</TxDtls></NtryDtls>"), version="02")
        )
    )
    return row["original_amount"], row["original_currency"]


def test_camt_tells_the_instructed_amount_signed_like_the_entry() -> None:
    assert camt_sent("175.00", "EUR") == ("175.00", "EUR")
    assert camt_sent("175.00", "EUR", direction="DBIT") == ("-175.00", "EUR")


def test_an_instructed_amount_in_the_accounts_own_currency_is_no_exchange() -> None:
    assert camt_sent("160.10", "GBP") == (None, None)


def test_a_batch_has_no_one_instructed_amount() -> None:
    part = '<TxDtls><AmtDtls><InstdAmt><Amt Ccy="EUR">80</Amt></InstdAmt></AmtDtls></TxDtls>'
    (row,) = rows(SPEC.decode(camt(entry(extra=f"<NtryDtls>{part}{part}</NtryDtls>"))))
    assert (row["original_amount"], row["original_currency"]) == (None, None)


@pytest.mark.parametrize(("mark", "sent"), [("C", "14.50"), ("D", "-14.50")])
def test_mt940_tells_it_in_the_named_details(mark: str, sent: str) -> None:
    line = f":61:2606130612{mark}12,50NTRFNONREF//B-1"
    closing = "C260630GBP1012,50" if mark == "C" else "C260630GBP987,50"
    text = mt940(line, ":86:/NAME/BRICO SAS/REMI/PAYOUT 7/OCMT/EUR14,50/EXCH/1,16/EREF/E-7", closing=closing)
    (row,) = rows(SPEC.decode(text.encode()))
    assert (row["original_amount"], row["original_currency"]) == (sent, "EUR")
    assert (row["remittance_information"], row["end_to_end_id"]) == ("PAYOUT 7", "E-7")


def test_csv_tells_it_in_columns_of_the_profile() -> None:
    names = ("booking_date", "amount", "original_amount", "original_currency")
    rules = {name: ColumnRule(name, "%Y-%m-%d" if name == "booking_date" else "") for name in names}
    landed = LandedCsv(
        file_name="f.csv",
        account="A",
        iban="",
        currency="GBP",
        profile=CsvProfile("P", rules),
        content="booking_date,amount,original_amount,original_currency\n2026-06-12,12.50,14.50,EUR\n2026-06-12,3,,\n",
    )
    found = rows(SPEC.decode(landed.body()))
    assert [(row["original_amount"], row["original_currency"]) for row in found] == [("14.50", "EUR"), (None, None)]


def test_a_statement_without_a_period_has_the_days_of_its_entries() -> None:
    booked = ["<BookgDt><Dt>2026-06-12</Dt></BookgDt>", "<BookgDt><Dt>2026-06-09</Dt></BookgDt>"]
    text = camt(*(entry(reference=f"R{n}", booked=day) for n, day in enumerate(booked))).decode()
    start, end = text.index("<FrToDt>"), text.index("</FrToDt>") + len("</FrToDt>")
    (header,) = headers(SPEC.decode((text[:start] + text[end:]).encode()))
    assert (header["from_date"], header["to_date"]) == ("2026-06-09", "2026-06-12")
