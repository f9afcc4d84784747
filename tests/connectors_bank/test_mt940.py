"""MT940: every entry to the penny, and every file that could lose one refused whole with its line."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.bank.mt940 import read_mt940
from connectors.errors import BadPayload
from connectors.feeds import feed_spec
from tests.connectors_bank.files import IBAN, headers, mt940, rows

SPEC = feed_spec("bank", "statements")
CREDIT = ":61:2606130612C12,50NTRFNONREF//BANK-1"


def only(*lines: str, closing: str = "C260630GBP1012,50") -> dict[str, object]:
    (row,) = rows(SPEC.decode(mt940(*lines, closing=closing).encode()))
    return row


def refusal(text: str) -> str:
    with pytest.raises(BadPayload) as caught:
        SPEC.decode(text.encode())
    return caught.value.message


def test_an_entry_arrives_whole() -> None:
    row = only(CREDIT, ":86:166?00CREDIT?20EREF+E2E-7?21SVWZ+BRICO PAYOUT?22 2026-06-11?31FR7630006?32BRICO?33 SAS")
    assert len(str(row.pop("_hash"))) == len(str(row.pop("counterparty_account_hash"))) == 16
    assert row == {
        "_position": 0,
        "statement_id": "6/1 2026-05-31 2026-06-30",
        "entry_reference": "BANK-1",
        "booking_date": "2026-06-12",
        "value_date": "2026-06-13",
        "amount": "12.50",
        "currency": "GBP",
        "counterparty_name": "BRICO SAS",
        "remittance_information": "BRICO PAYOUT 2026-06-11",
        "end_to_end_id": "E2E-7",
        "transaction_code": "NTRF/166",
        "is_reversal": False,
        "original_amount": None,
        "original_currency": None,
    }


def test_the_header_keeps_balances_account_and_dates() -> None:
    (header,) = headers(SPEC.decode(mt940(CREDIT, opening="D260531GBP5,00", closing="C260630GBP7,50").encode()))
    assert {name: header[name] for name in ("iban", "currency", "opening_balance", "closing_balance")} == {
        "iban": IBAN,
        "currency": "GBP",
        "opening_balance": "-5.00",
        "closing_balance": "7.50",
    }
    assert (header["from_date"], header["to_date"]) == ("2026-06-12", "2026-06-30")


@pytest.mark.parametrize(
    ("mark", "closing", "amount", "is_reversal"),
    [
        ("C", "C260630GBP1012,50", "12.50", False),
        ("D", "C260630GBP987,50", "-12.50", False),
        ("RC", "C260630GBP987,50", "-12.50", True),
        ("RD", "C260630GBP1012,50", "12.50", True),
        ("CP", "C260630GBP1012,50", "12.50", False),
    ],
)
def test_the_mark_says_the_direction_and_a_reversal_turns_it(
    mark: str, closing: str, amount: str, is_reversal: bool
) -> None:
    row = only(f":61:2606130612{mark}12,50NTRFNONREF", closing=closing)
    assert (row["amount"], row["is_reversal"]) == (amount, is_reversal)


def test_an_entry_date_across_the_turn_of_the_year_takes_its_own_year() -> None:
    row = only(":61:2512310102C12,50NTRFNONREF", closing="C260131GBP1012,50")
    assert (row["booking_date"], row["value_date"]) == ("2026-01-02", "2025-12-31")


def test_without_an_entry_date_the_value_date_is_the_booking_date() -> None:
    assert only(":61:260613C12,50NTRFNONREF")["booking_date"] == "2026-06-13"


def test_named_subfields_of_dutch_banks() -> None:
    details = ":86:/TRTP/SEPA OVERBOEKING/IBAN/FR7630006000/BIC/XX/NAME/BRICO SAS/REMI/PAY\r\nOUT 7/EREF/E2E-9"
    row = only(CREDIT, details)
    assert (row["counterparty_name"], row["remittance_information"], row["end_to_end_id"]) == (
        "BRICO SAS",
        "PAYOUT 7",
        "E2E-9",
    )
    assert "FR7630006000" not in str(row)


def test_free_text_and_the_customers_reference_are_kept() -> None:
    row = only(":61:2606130612C12,50NTRFPAY-7//BANK-1\r\nEXTRA WORDS", ":86:BRICO\r\nPAYOUT")
    assert (row["remittance_information"], row["end_to_end_id"]) == ("BRICO PAYOUT EXTRA WORDS", "PAY-7")


def test_a_bank_reference_behind_a_long_customer_reference_is_found() -> None:
    row = only(":61:2606130612C12,50NTRFBIPI-dvT1FzfMqvzF5HaU4oetlH7//BANK-9")
    assert (row["entry_reference"], row["end_to_end_id"]) == ("BANK-9", "BIPI-dvT1FzfMqvzF5HaU4oetlH7")


def test_amounts_without_decimals_are_whole() -> None:
    lines = (":61:2606130612C500NTRFNONREF", ":61:2606130612C20,NTRFNONREF")
    body = mt940(*lines, opening="C260531GBP0,", closing="C260630GBP520")
    assert [row["amount"] for row in rows(SPEC.decode(body.encode()))] == ["500", "20"]


def test_supplementary_details_of_several_lines_are_kept() -> None:
    assert only(CREDIT + "\r\nONE\r\nTWO")["remittance_information"] == "ONE TWO"


def test_information_behind_the_closing_balance_does_not_reach_the_last_entry() -> None:
    text = mt940(CREDIT, ":86:MINE", closing="C260630GBP1012,50").replace("\r\n-\r\n", "\r\n:86:STATEMENT\r\n-\r\n")
    (row,) = rows(SPEC.decode(text.encode()))
    assert row["remittance_information"] == "MINE"


def test_a_line_of_text_that_looks_like_a_field_stays_text() -> None:
    row = only(CREDIT, ":86:ORDER\r\n:99:TICKETS")
    assert row["remittance_information"] == "ORDER :99:TICKETS"


def test_a_swift_envelope_and_a_banks_own_heading_are_passed_over() -> None:
    body = mt940(CREDIT, closing="C260630GBP1012,50")
    for text in (
        "{1:F01BUKBGB22XXXX0000000000}{2:I940X}{4:\r\n" + body.replace("\r\n-\r\n", "\r\n-}{5:{CHK:1}}\r\n"),
        "{1:F01BUKBGB22}{2:I940}{4:" + body,
        "BUKBGB22\r\n940\r\nBUKBGB22\r\n" + body,
        "\ufeff" + body,
        body.replace("\r\n", "\n"),
    ):
        assert [row["amount"] for row in rows(SPEC.decode(text.encode()))] == ["12.50"]


def test_umlauts_of_an_old_file_survive() -> None:
    text = mt940(CREDIT, ":86:Müller £5", closing="C260630GBP1012,50")
    (row,) = rows(SPEC.decode(text.encode("cp1252")))
    assert row["remittance_information"] == "Müller £5"


# --- what the library would pass over in silence ---


def test_an_amount_with_a_point_is_not_cut_at_the_point() -> None:
    assert "line 5: :61: is not a date" in refusal(mt940(CREDIT.replace("12,50", "12.50")))
    assert "line 4: :60F: is not a mark" in refusal(mt940(CREDIT, opening="C260531GBP1000.00"))


def test_separators_of_thousands_in_a_balance_are_refused() -> None:
    assert "line 6: :62F: is not a mark" in refusal(mt940(CREDIT, closing="C260630GBP1.012,50"))


def test_entries_without_a_transaction_type_do_not_overwrite_each_other() -> None:
    assert "line 5: :61: is not a date" in refusal(mt940(":61:260613C1,00", ":61:260613C2,00"))


def test_entries_that_do_not_lead_to_the_closing_balance_refuse_the_file_with_the_amount() -> None:
    message = refusal(mt940(CREDIT, closing="C260630GBP1013,00"))
    assert message.startswith("line 6: the closing balance is 1013.00")
    assert "0.50 is missing" in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (mt940(CREDIT).split(":62F:")[0], "line 5: the statement that starts at line 1 ends here without :62F:"),
        (mt940(CREDIT).replace(":25:", ":21:"), "line 6: the statement that starts at line 1 ends here without :25:"),
        (mt940(CREDIT).replace(":60F:", ":64:"), "line 5: an entry outside of :60F: and :62F:"),
        (mt940() + CREDIT, "line 7: :61: stands outside of a statement"),
        (mt940(":61:2613130612C12,50NTRFNONREF"), "line 5: :61: cannot be read"),
        (mt940(CREDIT, closing="C260630EUR1012,50"), "the closing balance is in EUR, the opening one in GBP"),
        (mt940(":60F:C260531GBP1,00"), "line 5: a second opening balance"),
        (mt940(":62F:C260531GBP1000,00"), "line 6: a second closing balance"),
        (mt940(":62F:C260630GBP1000,00\r\n" + CREDIT), "line 6: an entry outside of :60F: and :62F:"),
        (mt940(f":61:2606130612C{'9' * 13},00NTRFNONREF"), "line 5: :61: is not a date"),
        ("{1:F01BUKBGB22}", "holds no :20:"),
    ],
)
def test_a_malformed_file_is_refused_whole_with_its_line(text: str, words: str) -> None:
    assert words in refusal(text)


def test_no_name_reaches_a_message_or_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        message = refusal(mt940(":61:2613130612C12,50NTRFJANE DOE//B", ":86:JANE DOE"))
    assert "JANE" not in message + caplog.text


# --- which line is which ---


def test_two_equal_lines_of_one_statement_stay_two() -> None:
    line = ":61:2606130612C1,00NTRFNONREF"
    found = [e["entry_reference"] for e in rows(SPEC.decode(mt940(line, line, closing="C260630GBP1002,00").encode()))]
    assert found[1] == f"{found[0]}-2"


def test_equal_lines_on_two_pages_of_one_statement_stay_two() -> None:
    line = ":61:2606130612C1,00NTRFNONREF"
    first = mt940(line, closing="C260612GBP1001,00", number="6/1").replace(":62F:", ":62M:")
    second = mt940(line, opening="C260612GBP1001,00", closing="C260612GBP1002,00", number="6/2").replace(
        ":60F:", ":60M:"
    )
    both = [e["entry_reference"] for e in rows(SPEC.decode((first + second).encode()))]
    assert both == [both[0], f"{both[0]}-2"]
    assert len(headers(SPEC.decode((first + second).encode()))) == 2


def test_a_statement_twice_in_a_file_gives_its_entries_the_same_references() -> None:
    line = ":61:2606120612C1,00NTRFNONREF"
    text = mt940(line, line, ":61:2606120612C1,00NTRFNONREF//B1", closing="C260630GBP1003,00")
    once, twice = (rows(SPEC.decode(t.encode())) for t in (text, text + text))
    assert len(twice) == 2 * len(once) == 6
    assert {e["entry_reference"] for e in twice} == {e["entry_reference"] for e in once}


def test_a_day_that_ends_as_it_began_twice_in_a_file_is_not_two_days() -> None:
    lines = (":61:2606300630C1,00NTRFNONREF", ":61:2606300630D1,00NTRFNONREF")
    text = mt940(*lines, opening="C260630GBP7,00", closing="C260630GBP7,00")
    once, twice = (rows(SPEC.decode(t.encode())) for t in (text, text + text))
    assert len(twice) == 4
    assert {e["entry_reference"] for e in twice} == {e["entry_reference"] for e in once}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-(10**13), 10**13), max_size=6))
def test_every_amount_arrives_exactly(pence: list[int]) -> None:
    def text(value: int) -> str:
        whole, part = divmod(abs(value), 100)
        return f"{whole},{part:02d}"

    lines = [f":61:2606130612{'C' if p >= 0 else 'D'}{text(p)}NTRFNONREF" for p in pence]
    end = sum(pence)
    body = mt940(*lines, opening="C260531GBP0,00", closing=f"{'C' if end >= 0 else 'D'}260630GBP{text(end)}")
    found = rows(SPEC.decode(body.encode()))
    assert [int(str(e["amount"]).replace(".", "")) for e in found] == pence


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=":0123456789CDGBP,\n-{}ANTRF ", max_size=120))
def test_whatever_stands_in_a_file_it_is_read_or_refused(noise: str) -> None:
    body = mt940(CREDIT, closing="C260630GBP1012,50").replace(":62F:", noise + "\r\n:62F:")
    try:
        content = read_mt940(body.encode())
    except BadPayload:
        return
    assert len(content.entries) == len(content.hashes)
