"""Bank statements: good ones to the penny, bad lines refused alone, bad files named with line and remedy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.bank import BankStatementReader, CsvProfile
from connectors.bank.camt053 import read_camt053
from connectors.bank.csv import LandedCsv, read_csv
from connectors.bank.entries import negated
from connectors.errors import BadConfiguration, BadPayload
from connectors.feeds import feed_spec
from connectors.records import Decoded, Window

IBAN = "GB33BUKB20201555555555"
SPEC = feed_spec("bank", "statements")


def entry(
    amount: str = "150.10", direction: str = "CRDT", reference: str | None = "R1", extra: str = "", **parts: str
) -> str:
    booked = parts.get("booked", "<BookgDt><Dt>2026-06-12</Dt></BookgDt><ValDt><Dt>2026-06-13</Dt></ValDt>")
    return (
        f'<Ntry><Amt Ccy="GBP">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd>'
        f"{parts.get('status', '<Sts>BOOK</Sts>')}{booked}"
        + (f"<AcctSvcrRef>{reference}</AcctSvcrRef>" if reference else "")
        + f"{extra}</Ntry>"
    )


DETAILS = """
<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>
<NtryDtls><TxDtls><Refs><EndToEndId>E2E-1</EndToEndId></Refs>
<RltdPties><Dbtr>{debtor}</Dbtr><DbtrAcct><Id><IBAN>FR76 3000 6000 0112</IBAN></Id></DbtrAcct>
<Cdtr><Nm>Us</Nm></Cdtr></RltdPties>
<RmtInf><Ustrd>BRICO PAYOUT</Ustrd><Ustrd>2026-06-11</Ustrd></RmtInf></TxDtls></NtryDtls>"""


def balance(code: str, amount: str, direction: str) -> str:
    kind = f"<Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
    return f'<Bal>{kind}<Amt Ccy="GBP">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd></Bal>'


def camt(*entries: str, version: str = "02", iban: str = IBAN, statement_id: str = "S-2026-06") -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}">'
        f"<BkToCstmrStmt><GrpHdr><MsgId>M</MsgId></GrpHdr><Stmt><Id>{statement_id}</Id>"
        "<FrToDt><FrDtTm>2026-06-01T00:00:00</FrDtTm><ToDtTm>2026-06-30T23:59:59</ToDtTm></FrToDt>"
        f"<Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>GBP</Ccy></Acct>"
        + balance("OPBD", "1000.00", "DBIT")
        + balance("CLBD", "2000.50", "CRDT")
        + "".join(entries)
        + "</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def entries_of(decoded: Decoded) -> list[dict[str, Any]]:
    return decoded.tables["bank_statement_entries"].to_pylist()


# --- CAMT.053 ---


@pytest.mark.parametrize(
    ("version", "debtor"),
    [("02", "<Nm>BRICO SAS</Nm>"), ("08", "<Pty><Nm>BRICO SAS</Nm></Pty>"), ("13", "<Pty><Nm>BRICO SAS</Nm></Pty>")],
)
def test_an_entry_arrives_whole_from_every_version(version: str, debtor: str) -> None:
    decoded = SPEC.decode(camt(entry(extra=DETAILS.format(debtor=debtor)), version=version))
    found = entries_of(decoded)[0]
    digest = found.pop("counterparty_account_hash")
    assert len(digest) == 16
    found.pop("_hash")
    assert found == {
        "_position": 0,
        "statement_id": "S-2026-06",
        "entry_reference": "R1",
        "booking_date": "2026-06-12",
        "value_date": "2026-06-13",
        "amount": "150.10",
        "currency": "GBP",
        "counterparty_name": "BRICO SAS",
        "remittance_information": "BRICO PAYOUT 2026-06-11",
        "end_to_end_id": "E2E-1",
        "transaction_code": "PMNT/RCDT/ESCT",
        "is_reversal": False,
        "original_amount": None,
        "original_currency": None,
    }
    header = decoded.tables["bank_statements"].to_pylist()[0]
    assert (header["opening_balance"], header["closing_balance"]) == ("-1000.00", "2000.50")
    assert (header["from_date"], header["to_date"], header["iban"]) == ("2026-06-01", "2026-06-30", IBAN)


def test_the_account_number_of_the_other_side_is_not_kept() -> None:
    decoded = SPEC.decode(camt(entry(extra=DETAILS.format(debtor="<Nm>X</Nm>"))))
    assert "3000 6000" not in str(decoded.tables["bank_statement_entries"].to_pylist())


def test_money_out_is_negative_and_names_the_creditor() -> None:
    parties = "<RltdPties><Dbtr><Nm>Us</Nm></Dbtr><Cdtr><Nm>Landlord</Nm></Cdtr></RltdPties>"
    details = f"<NtryDtls><TxDtls>{parties}</TxDtls></NtryDtls>"
    found = entries_of(SPEC.decode(camt(entry("0.50", "DBIT", extra=details))))[0]
    assert (found["amount"], found["counterparty_name"]) == ("-0.50", "Landlord")


def test_a_reversal_keeps_the_direction_that_the_bank_states() -> None:
    found = entries_of(SPEC.decode(camt(entry("10", "DBIT", extra="<RvslInd>true</RvslInd>"))))[0]
    assert (found["amount"], found["is_reversal"]) == ("-10", True)


def test_a_date_time_keeps_the_banks_own_day() -> None:
    booked = "<BookgDt><DtTm>2026-06-30T23:59:00+01:00</DtTm></BookgDt>"
    assert entries_of(SPEC.decode(camt(entry(booked=booked))))[0]["booking_date"] == "2026-06-30"


def test_a_batch_stays_one_line_of_the_account() -> None:
    batch = "<NtryDtls>" + "<TxDtls><RmtInf><Ustrd>a</Ustrd></RmtInf></TxDtls>" * 3 + "</NtryDtls>"
    found = entries_of(SPEC.decode(camt(entry("30.00", extra=batch))))
    assert [(f["amount"], f["remittance_information"]) for f in found] == [("30.00", "a a a")]


def test_references_are_never_empty_never_double_and_the_same_on_every_reading() -> None:
    body = camt(entry(reference=None), entry(reference=None), entry(reference="R"), entry("7.00", reference="R"))
    first = [e["entry_reference"] for e in entries_of(SPEC.decode(body))]
    assert first == [e["entry_reference"] for e in entries_of(SPEC.decode(body))]
    assert len(set(first)) == 4
    assert first[1] == f"{first[0]}-2"
    assert first[2:] == ["R", "R-2"]


@pytest.mark.parametrize(
    ("bad", "field", "code"),
    [
        (entry("12,50"), "Amt", "NOT_A_NUMBER"),
        (entry("-5.00"), "Amt", "NOT_A_NUMBER"),
        (entry(""), "Amt", "NOT_A_NUMBER"),
        (entry(direction="BOTH"), "CdtDbtInd", "WRONG_TYPE"),
        (entry(booked="<BookgDt><Dt>12/06/2026</Dt></BookgDt>"), "BookgDt/Dt", "BAD_TIMESTAMP"),
        (entry(booked="<BookgDt><Dt>2026-06-31</Dt></BookgDt>"), "BookgDt/Dt", "BAD_TIMESTAMP"),
        (entry(booked=""), "BookgDt", "REQUIRED_MISSING"),
        (entry(status="<Sts><Cd>PDNG</Cd></Sts>"), "Sts", "NOT_BOOKED"),
        ("<Ntry/>", "Amt", "NOT_A_NUMBER"),
    ],
)
def test_a_bad_entry_is_rejected_alone_with_its_place(bad: str, field: str, code: str) -> None:
    decoded = SPEC.decode(camt(entry(reference="A"), bad, entry(reference="B")))
    assert decoded.record_count == 3
    assert [e["entry_reference"] for e in entries_of(decoded)] == ["A", "B"]
    assert [(r.position, r.field, r.code) for r in decoded.rejects] == [(1, f"Stmt[1]/Ntry[2]/{field}", code)]


def test_the_header_survives_when_the_first_entry_is_bad() -> None:
    decoded = SPEC.decode(camt(entry("x"), entry()))
    assert decoded.tables["bank_statements"]["_position"].to_pylist() == [1]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (camt(entry())[:-30], "line 1, column"),
        (b"<a><b></a>", "line 1"),
        (b"<Document><BkToCstmrDbtCdtNtfctn/></Document>", "<BkToCstmrDbtCdtNtfctn> where <BkToCstmrStmt> is expected"),
        (b"<Document><BkToCstmrStmt/></Document>", "no <Stmt>"),
        (b"<BkToCstmrStmt><Stmt/></BkToCstmrStmt>", "Stmt[1] has no <Id>"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "document type"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "document type"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "encoding"),
    ],
)
def test_a_malformed_file_is_named_by_line_or_element(body: bytes, words: str) -> None:
    with pytest.raises(BadPayload) as caught:
        read_camt053(body)
    assert words in caught.value.message


def test_a_wrong_balance_names_its_element() -> None:
    with pytest.raises(BadPayload, match=r"Stmt\[1\]/Amt is not an unsigned decimal"):
        read_camt053(camt(entry()).replace(b"1000.00", b"a lot"))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.text("0123456789.-,x", max_size=8), st.sampled_from(["CRDT", "DBIT", ""])), max_size=5))
def test_every_entry_is_a_row_or_a_reject(lines: list[tuple[str, str]]) -> None:
    decoded = SPEC.decode(camt(*(entry(amount, direction) for amount, direction in lines)))
    assert decoded.record_count == len(lines) == len(entries_of(decoded)) + len(decoded.rejects)


@pytest.mark.parametrize(("amount", "result"), [("5.00", "-5.00"), ("0", "0"), ("0.00", "0.00")])
def test_nil_has_no_sign(amount: str, result: str) -> None:
    assert negated(amount) == result


# --- CSV ---

ROWS = [
    {"csv_profile": "B", "field": f, "column_name": c, "format": m}
    for f, c, m in (
        ("entry_reference", "Entry reference", ""),
        ("booking_date", "Booking date", "%d/%m/%Y"),
        ("amount", "Amount", "decimal_point"),
        ("currency", "Currency", ""),
        ("counterparty_name", "Counterparty", ""),
        ("remittance_information", "Reference", ""),
    )
]
HEADING = "Booking date,Entry reference,Amount,Currency,Counterparty,Reference,Extra\n"


def landed(text: str, profile: CsvProfile | None = None) -> bytes:
    profile = profile or CsvProfile.from_rows("B", ROWS)
    return LandedCsv(file_name="b.csv", account="BARC", iban=IBAN, currency="GBP", profile=profile, content=text).body()


def test_a_csv_line_arrives_exactly() -> None:
    text = (
        "Account: 5555\n\n"
        + HEADING
        + '01/07/2026,R1,"1,234.50",GBP,"BRICO, SAS",PAY 1,x\n\n02/07/2026,R2,-0.05,,Bank,Fee,\n'
    )
    found = entries_of(SPEC.decode(landed(text)))
    assert [
        (f["entry_reference"], f["booking_date"], f["amount"], f["currency"], f["counterparty_name"]) for f in found
    ] == [
        ("R1", "2026-07-01", "1234.50", "GBP", "BRICO, SAS"),
        ("R2", "2026-07-02", "-0.05", "GBP", "Bank"),
    ]
    assert {f["statement_id"] for f in found} == {"b"}


def test_a_semicolon_file_with_decimal_commas_and_two_amount_columns() -> None:
    profile = CsvProfile.from_rows(
        "D",
        [
            {"csv_profile": "D", "field": "booking_date", "column_name": "Datum", "format": "%d.%m.%Y"},
            {"csv_profile": "D", "field": "paid_in", "column_name": "Haben", "format": "decimal_comma"},
            {"csv_profile": "D", "field": "paid_out", "column_name": "Soll", "format": "decimal_comma"},
        ],
    )
    text = "Datum;Soll;Haben\n01.07.2026;;1.234,50\n02.07.2026;7,25;\n03.07.2026;-8,00;\n"
    found = entries_of(SPEC.decode(landed(text, profile)))
    assert [f["amount"] for f in found] == ["1234.50", "-7.25", "-8.00"]


@pytest.mark.parametrize(
    ("line", "where", "code"),
    [
        ("31/02/2026,R,5.00,GBP,,,", "line 3, column Booking date", "BAD_TIMESTAMP"),
        ("2026-07-01,R,5.00,GBP,,,", "line 3, column Booking date", "BAD_TIMESTAMP"),
        (",R,5.00,GBP,,,", "line 3, column Booking date", "REQUIRED_MISSING"),
        ("01/07/2026,R,five,GBP,,,", "line 3, column Amount", "NOT_A_NUMBER"),
        ("01/07/2026,R,,GBP,,,", "line 3, column Amount", "REQUIRED_MISSING"),
        ("01/07/2026,R,5.00", "line 3", "WRONG_TYPE"),
    ],
)
def test_a_bad_csv_line_is_rejected_alone_with_line_and_column(line: str, where: str, code: str) -> None:
    good = "01/07/2026,G{},1.00,GBP,,,\n"
    decoded = SPEC.decode(landed(HEADING + good.format(1) + line + "\n" + good.format(2)))
    assert [(r.field, r.code) for r in decoded.rejects] == [(where, code)]
    assert [e["entry_reference"] for e in entries_of(decoded)] == ["G1", "G2"]


def test_a_file_without_the_profiles_columns_names_the_missing_ones() -> None:
    with pytest.raises(BadPayload, match=r"missing: Entry reference, Reference\): correct bank_csv_profiles.csv"):
        SPEC.decode(landed("Booking date,Amount,Currency,Counterparty\n01/07/2026,1,GBP,x\n"))


def test_a_damaged_profile_of_a_landed_statement_is_refused_in_words() -> None:
    spoilt = landed(HEADING).replace(b"decimal_point", b"decimalnull_point")
    with pytest.raises(BadPayload, match="neither decimal_point nor decimal_comma"):
        SPEC.decode(spoilt)


def test_an_unfinished_quote_names_the_line() -> None:
    with pytest.raises(BadPayload, match="not valid CSV at line"):
        SPEC.decode(landed(HEADING + '01/07/2026,R,1.00,GBP,"never closed,,\n'))


def test_the_landed_body_keeps_the_files_text_and_the_profile_in_force() -> None:
    text = HEADING + "01/07/2026,R,1.00,GBP,Zoë,£,\n"
    kept = json.loads(landed(text))
    assert kept["content"] == text
    assert kept["profile"]["rules"]["amount"] == {"column": "Amount", "format": "decimal_point"}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "no such profile"),
        (ROWS[2:3], "no field booking_date"),
        (ROWS[1:2], "neither amount nor both"),
        ([*ROWS, {**ROWS[0], "field": "colour"}], "unknown field 'colour'"),
        ([ROWS[2], {**ROWS[1], "format": "DD/MM/YYYY"}], "not a date format"),
        ([ROWS[1], {**ROWS[2], "format": "comma"}], "neither decimal_point nor decimal_comma"),
    ],
)
def test_a_profile_that_cannot_work_says_why(rows: list[dict[str, str]], words: str) -> None:
    with pytest.raises(BadConfiguration) as caught:
        CsvProfile.from_rows("B", rows)
    assert words in str(caught.value)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.text(max_size=10), min_size=1, max_size=8), max_size=5))
def test_every_csv_line_is_a_row_or_a_reject(lines: list[list[str]]) -> None:
    import csv
    import io

    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(lines)
    body = landed((HEADING + buffer.getvalue()).encode("utf-8", "replace").decode())
    try:
        decoded = SPEC.decode(body)
    except BadPayload:
        return
    assert decoded.record_count == len(entries_of(decoded)) + len(decoded.rejects)


# --- the reader ---


def reader(folder: Path, **more: Any) -> BankStatementReader:
    return BankStatementReader("BARC_GBP", f"{folder}/*", IBAN, CsvProfile.from_rows("B", ROWS), **more)


def test_files_become_pages_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "2026-06.xml").write_bytes(camt(entry(), entry(reference="R2")))
    (tmp_path / "2026-07.csv").write_text(HEADING + "01/07/2026,R3,1.00,GBP,x,y,\n")
    (tmp_path / "2026-08.xml.part").write_text("<half")
    (tmp_path / ".hidden").write_text("x")
    pages = list(reader(tmp_path).pages("statements", Window()))
    assert [(p.number, p.record_count, p.url) for p in pages] == [(1, 2, "2026-06.xml"), (2, 1, "2026-07.csv")]
    assert pages[0].body == (tmp_path / "2026-06.xml").read_bytes()
    for page in pages:
        decoded = SPEC.decode(page.body)
        assert [h.hex() for h in page.record_hashes] == decoded.tables["bank_statement_entries"]["_hash"].to_pylist()


def test_a_bad_file_hides_no_other_and_is_named_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<broken")
    (tmp_path / "b.xml").write_bytes(camt(entry()))
    (tmp_path / "c.xml").write_bytes(b"")
    (tmp_path / "d.xml").write_bytes(camt(entry(), iban="GB00OTHR00000000001234"))
    pages = reader(tmp_path).pages("statements", Window())
    assert next(pages).url == "b.xml"
    with pytest.raises(BadPayload) as caught:
        next(pages)
    message = caught.value.message
    assert "a.xml: not well-formed XML at line 1" in message
    assert "c.xml: empty file" in message
    assert "d.xml: statement of account …1234, but BARC_GBP is …5555" in message
    assert "GB00OTHR" not in message


def test_a_csv_for_an_account_without_a_profile_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADING)
    plain = BankStatementReader("BARC_GBP", f"{tmp_path}/*", IBAN)
    with pytest.raises(BadPayload, match=r"set csv_profile in bank_accounts\.csv"):
        list(plain.pages("statements", Window()))


def test_doctor_reports_each_file_and_an_empty_folder(tmp_path: Path) -> None:
    assert "the path finds no file" in reader(tmp_path).check()[0].detail
    (tmp_path / "a.xml").write_bytes(camt(entry(), entry("x")))
    (tmp_path / "b.xml").write_bytes(camt(entry()))
    first, second = reader(tmp_path).check()
    assert not first.ok
    assert "1 refused, the first at Stmt[1]/Ntry[2]/Amt" in first.detail
    assert second.ok


def test_an_old_windows_1252_file_keeps_its_pound_sign(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes((HEADING + "01/07/2026,R,1.00,GBP,x,£5 off,\n").encode("cp1252"))
    page = next(reader(tmp_path).pages("statements", Window()))
    assert entries_of(SPEC.decode(page.body))[0]["remittance_information"] == "£5 off"


def test_statements_can_lie_in_any_storage_that_fsspec_addresses() -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe("/bank/a.xml", camt(entry()))
    pages = list(BankStatementReader("B", "memory://bank/*.xml", IBAN).pages("statements", Window()))
    assert [p.record_count for p in pages] == [1]


def test_a_csv_without_entries_is_an_empty_statement() -> None:
    assert (
        read_csv(
            LandedCsv(
                file_name="x.csv",
                account="B",
                iban="",
                currency="GBP",
                profile=CsvProfile.from_rows("B", ROWS),
                content=HEADING,
            )
        ).entries
        == []
    )
