"""OFX 1 and 2: exact amounts, hardened reading, bad entries refused alone, bad files whole."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.bank.ofx import read_ofx
from connectors.errors import BadPayload
from connectors.feeds import feed_spec
from tests.connectors_bank.files import OFX1, headers, ofx2, rows, transaction

SPEC = feed_spec("bank", "statements")


def refusal(body: bytes) -> str:
    with pytest.raises(BadPayload) as caught:
        SPEC.decode(body)
    return caught.value.message


def test_an_entry_of_version_2_arrives_whole() -> None:
    extra = "<NAME>Landlord</NAME><BANKACCTTO><ACCTID>77777777</ACCTID></BANKACCTTO><MEMO>Rent</MEMO>"
    (row,) = rows(SPEC.decode(ofx2(transaction(extra=extra))))
    assert len(row.pop("_hash")) == len(row.pop("counterparty_account_hash")) == 16
    assert row == {
        "_position": 0,
        "statement_id": "OFX 2026-06-01 2026-06-30",
        "entry_reference": "F1",
        "booking_date": "2026-06-12",
        "value_date": None,
        "amount": "-12.50",
        "currency": "GBP",
        "counterparty_name": "Landlord",
        "remittance_information": "Rent",
        "end_to_end_id": None,
        "transaction_code": "DEBIT",
        "is_reversal": False,
        "original_amount": None,
        "original_currency": None,
    }


def test_version_1_without_end_tags_says_the_same() -> None:
    decoded = SPEC.decode(OFX1.encode("cp1252"))
    (row,) = rows(decoded)
    assert (row["entry_reference"], row["amount"], row["booking_date"]) == ("F1", "1234.50", "2026-06-12")
    assert (row["counterparty_name"], row["remittance_information"]) == ("M&S & Café", "PAYOUT 7")
    (header,) = headers(decoded)
    assert (header["opening_balance"], header["closing_balance"], header["iban"]) == (
        "1000.00",
        "2234.50",
        "202015/55555555",
    )


def test_version_1_on_one_line_and_with_end_tags_is_read_too() -> None:
    one_line = OFX1.replace("<CHECKNUM>\n", "").replace("\n", " ")
    closed = OFX1.replace("<FITID>F1", "<FITID>F1</FITID>").replace("<CHECKNUM>", "<CHECKNUM></CHECKNUM>")
    for text in (one_line, closed, OFX1.replace("\n", "\r\n")):
        assert [r["entry_reference"] for r in rows(SPEC.decode(text.encode()))] == ["F1"]


def test_a_heading_of_version_2_above_a_body_of_version_1_is_read() -> None:
    heading = ofx2().decode().split("<OFX>")[0]
    assert [r["amount"] for r in rows(SPEC.decode((heading + OFX1[OFX1.index("<OFX>") :]).encode()))] == ["1234.50"]


@pytest.mark.parametrize(
    ("written", "read"),
    [("-12.50", "-12.50"), ("+7", "7"), ("12,5", "12.5"), (".05", "0.05"), ("-0.00", "0.00"), ("1650.00", "1650.00")],
)
def test_amounts_are_exact(written: str, read: str) -> None:
    (row,) = rows(SPEC.decode(ofx2(transaction(written))))
    assert row["amount"] == read


@pytest.mark.parametrize("written", ["1,650.00", "1,650", "1.650,00", "12.50 GBP", "1e3", "", "nan"])
def test_separators_of_thousands_are_refused_not_read_as_a_decimal_comma(written: str) -> None:
    decoded = SPEC.decode(ofx2(transaction(fitid="A"), transaction(written, "B"), transaction(fitid="C")))
    assert [r["entry_reference"] for r in rows(decoded)] == ["A", "C"]
    (reject,) = decoded.rejects
    assert (reject.position, reject.record_id, reject.field) == (1, "B", "line 8, STMTTRN[2]/TRNAMT")


def test_three_decimals_after_a_comma_are_kept_where_the_currency_has_them() -> None:
    (row,) = rows(SPEC.decode(ofx2(transaction("1,650"), currency="KWD")))
    assert row["amount"] == "1.650"


def test_the_date_is_the_banks_own_day_whatever_the_zone() -> None:
    (row,) = rows(SPEC.decode(ofx2(transaction(posted="20260630233000[-8:PST]"))))
    assert row["booking_date"] == "2026-06-30"


@pytest.mark.parametrize(
    ("bad", "field", "code"),
    [
        (transaction(posted=""), "DTPOSTED", "REQUIRED_MISSING"),
        (transaction(posted="20260631"), "DTPOSTED", "BAD_TIMESTAMP"),
        (transaction(extra="<CORRECTFITID>F0</CORRECTFITID><CORRECTACTION>DELETE</CORRECTACTION>"), "CORRECTACTION",
         "NOT_BOOKED"),
    ],
)  # fmt: skip
def test_a_bad_entry_is_refused_alone_with_its_line(bad: str, field: str, code: str) -> None:
    decoded = SPEC.decode(ofx2(transaction(fitid="A"), bad))
    assert [(r.field, r.code) for r in decoded.rejects] == [(f"line 8, STMTTRN[2]/{field}", code)]
    assert len(rows(decoded)) == 1
    assert headers(decoded)[0]["opening_balance"] is None


def test_a_replacing_entry_takes_the_reference_of_what_it_replaces() -> None:
    fix = transaction("-13.00", "F2", extra="<CORRECTFITID>F1</CORRECTFITID><CORRECTACTION>REPLACE</CORRECTACTION>")
    (row,) = rows(SPEC.decode(ofx2(fix)))
    assert (row["entry_reference"], row["amount"]) == ("F1", "-13.00")


def test_an_entry_in_another_currency_keeps_it_and_leaves_no_opening_balance() -> None:
    extra = "<CURRENCY><CURRATE>1.17</CURRATE><CURSYM>EUR</CURSYM></CURRENCY>"
    decoded = SPEC.decode(ofx2(transaction(extra=extra)))
    assert rows(decoded)[0]["currency"] == "EUR"
    assert headers(decoded)[0]["opening_balance"] is None


def test_an_original_currency_is_only_told() -> None:
    extra = "<ORIGCURRENCY><CURRATE>1.17</CURRATE><CURSYM>EUR</CURSYM></ORIGCURRENCY>"
    assert rows(SPEC.decode(ofx2(transaction(extra=extra))))[0]["currency"] == "GBP"


def test_a_balance_of_another_day_is_not_the_closing_balance() -> None:
    (header,) = headers(SPEC.decode(ofx2(transaction(), as_of="20260705")))
    assert (header["opening_balance"], header["closing_balance"]) == (None, None)


def test_a_statement_twice_in_a_file_gives_its_entries_the_same_references() -> None:
    text = ofx2(transaction(), transaction(fitid=None), transaction(fitid=None)).decode()
    start, end = text.index("<STMTTRNRS>"), text.index("</BANKMSGSRSV1>")
    twice = rows(SPEC.decode((text[:end] + text[start:end] + text[end:]).encode()))
    assert (len(twice), len({r["entry_reference"] for r in twice})) == (6, 3)


def test_equal_entries_without_a_reference_stay_two_and_keep_their_references() -> None:
    body = ofx2(transaction(fitid=None), transaction(fitid=None))
    first = [r["entry_reference"] for r in rows(SPEC.decode(body))]
    assert first == [r["entry_reference"] for r in rows(SPEC.decode(body))]
    assert first[1] == f"{first[0]}-2"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (ofx2(transaction())[:-40], "not well-formed at line 10, column"),
        (OFX1.replace("</STMTTRN>\n", "").encode(), "not well-formed at line 35, column"),
        (OFX1.replace("BANKTRANLIST", "LIST").encode(), "holds 1 <STMTTRN>, of which 0 stand"),
        (OFX1[:-60].encode(), "not well-formed at line"),
        (ofx2(transaction()).replace(b"<OFX>", b'<!DOCTYPE OFX [<!ENTITY x "y">]><OFX>'), "document type"),
        (b'<?OFX OFXHEADER="200"?><!DOCTYPE a SYSTEM "file:///etc/passwd"><OFX/>', "document type"),
        (OFX1.replace("<OFX>", '<!DOCTYPE OFX [<!ENTITY x "y">]><OFX>').encode(), "document type"),
        (b"<OFX><SIGNONMSGSRSV1/></OFX>", "neither <STMTTRNRS> nor <CCSTMTTRNRS>"),
        (ofx2().replace(b"<CODE>0", b"<CODE>15500"), "answered <STATUS><CODE>15500"),
        (ofx2(start="June"), "STMTRS/BANKTRANLIST/DTSTART is not a date"),
        (ofx2(balance="1,000.00"), "STMTRS/LEDGERBAL/BALAMT is not a decimal"),
        (ofx2().replace(b'encoding="UTF-8"', b'encoding="klingon"'), "encoding"),
    ],
)
def test_a_malformed_file_is_refused_whole(body: bytes, words: str) -> None:
    assert words in refusal(body)


def test_a_card_statement_is_read_too() -> None:
    text = ofx2(transaction()).decode()
    for bank, card in (("STMTTRNRS", "CCSTMTTRNRS"), ("STMTRS>", "CCSTMTRS>"), ("BANKACCTFROM", "CCACCTFROM")):
        text = text.replace(bank, card)
    assert [r["amount"] for r in rows(SPEC.decode(text.encode()))] == ["-12.50"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("0123456789.,-+ <>&x", max_size=8), max_size=5))
def test_every_entry_is_a_row_or_a_reject(amounts: list[str]) -> None:
    body = OFX1.replace(
        "<STMTTRN>\n",
        "".join(f"<STMTTRN>\n<DTPOSTED>20260601\n<TRNAMT>{a}\n</STMTTRN>\n" for a in amounts) + "<STMTTRN>\n",
    )
    try:
        content = read_ofx(body.encode())
    except BadPayload:
        return
    decoded = content.decoded()
    assert decoded.record_count == len(amounts) + 1 == len(rows(decoded)) + len(decoded.rejects)
