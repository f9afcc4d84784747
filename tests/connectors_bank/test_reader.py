"""Files of every format in one folder: told apart by content, checked for account and currency, counted once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.bank import BankStatementReader, CsvProfile
from connectors.bank.accounts import is_same_account
from connectors.bank.formats import format_of
from connectors.errors import BadPayload
from connectors.feeds import feed_spec
from connectors.records import Page, Window
from orchestration.lib.landing import Landing
from orchestration.lib.loading import load
from orchestration.lib.settings import Settings
from orchestration.lib.state import State
from orchestration.lib.warehouse import connect
from tests.connectors_bank.files import IBAN, OFX1, mt940, ofx2, rows, transaction

SPEC = feed_spec("bank", "statements")
CREDIT = ":61:2606120612C12,50NTRFNONREF//B1"
GOOD = mt940(CREDIT, closing="C260630GBP1012,50")
CAMT = '<?xml version="1.0"?><Document><BkToCstmrStmt><Stmt><Id>S1</Id></Stmt></BkToCstmrStmt></Document>'  # no entries


def reader(folder: Path, **more: Any) -> BankStatementReader:
    return BankStatementReader("BARC_GBP", f"{folder}/*", IBAN, **more)


def pages(folder: Path, **more: Any) -> list[Page]:
    return list(reader(folder, **more).pages("statements", Window()))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (CAMT.encode(), "camt053"),
        (b"\xef\xbb\xbf" + CAMT.encode(), "camt053"),
        (CAMT.encode("utf-16"), "camt053"),
        (ofx2(), "ofx"),
        (b'<?xml version="1.0"?><OFX/>', "ofx"),
        (b"\xef\xbb\xbf<OFX></OFX>", "ofx"),
        (OFX1.encode(), "ofx"),
        (b"\r\n\r\n" + OFX1.encode(), "ofx"),
        (GOOD.encode(), "mt940"),
        (b"{1:F01BUKBGB22}{2:I940}{4:\r\n" + GOOD.encode(), "mt940"),
        (b"BUKBGB22\r\n940\r\n" + GOOD.encode(), "mt940"),
        (b"Date,Amount,Reference\n01/07/2026,1.00,see :20:\n", "csv"),
        (b'{"format":"csv","content":":20:"}', "csv"),
    ],
)
def test_a_format_is_told_by_content_not_by_name(content: bytes, expected: str) -> None:
    assert format_of(content) == expected


@pytest.mark.parametrize(
    ("iban", "stated", "expected"),
    [
        (IBAN, IBAN, True),
        (IBAN, "GB33 BUKB 2020 1555 5555 55", True),
        (IBAN, IBAN + "GBP", True),
        (IBAN, "BUKBGB22/" + IBAN, True),
        (IBAN, "55555555", True),
        (IBAN, "202015/55555555", True),
        (IBAN, "20-20-15/55555555", True),
        (IBAN, "00055555555GBP", True),
        ("DE89370400440532013000", "37040044/532013000", True),
        (IBAN, "202016/55555555", False),
        (IBAN, "55555556", False),
        (IBAN, "GB00OTHR00000000001234", False),
        (IBAN, "GB33BUKB20201555555556", False),
        (IBAN, "5555", False),
        (IBAN, "33BUKB", False),
        (IBAN, "/", False),
        (IBAN, "GBP", False),
    ],
)
def test_an_account_is_recognised_by_iban_or_domestic_number(iban: str, stated: str, expected: bool) -> None:
    assert is_same_account(iban, stated) is expected


@pytest.mark.parametrize(
    "content",
    [
        mt940(CREDIT, closing="C260630GBP1012,50", account="202015/66666666").encode(),
        ofx2(transaction(), account="66666666"),
    ],
)
def test_another_accounts_statement_is_refused_whole(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(BadPayload, match=r"x: statement of account …6666, but BARC_GBP is …5555"):
        pages(tmp_path, land_malformed=True)


@pytest.mark.parametrize(
    "content",
    [
        mt940(opening="C260531EUR1000,00", closing="C260630EUR1000,00").encode(),
        ofx2(transaction(), currency="EUR"),
    ],
)
def test_a_statement_in_another_currency_is_refused_whole(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(BadPayload, match=r"x: statement in EUR, but BARC_GBP is in GBP"):
        pages(tmp_path, currency="GBP", land_malformed=True)


def test_every_format_becomes_a_page_of_the_files_own_bytes(tmp_path: Path) -> None:
    (tmp_path / "1.sta").write_text(GOOD)
    (tmp_path / "2.ofx").write_bytes(ofx2(transaction(), transaction(fitid="F2")))
    (tmp_path / "3.qfx").write_text(OFX1)
    found = pages(tmp_path, currency="GBP")
    assert [(p.url, p.record_count) for p in found] == [("1.sta", 1), ("2.ofx", 2), ("3.qfx", 1)]
    for page in found:
        assert page.body == (tmp_path / page.url).read_bytes()
        decoded = SPEC.decoded(page.body, page.url)
        assert [h.hex() for h in page.record_hashes] == decoded.tables["bank_statement_entries"]["_hash"].to_pylist()


# --- overlapping statements ---


def line(day: str, amount: str = "5,00", reference: str = "") -> str:
    return f":61:26{day}{day}C{amount}NTRFNONREF" + (f"//{reference}" if reference else "")


def references(*texts: str | bytes) -> list[list[str]]:
    bodies = [t.encode() if isinstance(t, str) else t for t in texts]
    return [[e["entry_reference"] for e in rows(SPEC.decode(body))] for body in bodies]


@pytest.mark.parametrize("reference", ["", "B"])
def test_an_entry_in_two_overlapping_statements_is_one(reference: str) -> None:
    def named(day: str) -> str:
        return line(day, reference=reference and reference + day)

    first = mt940(named("0610"), named("0611"), number="1", closing="C260611GBP1010,00")
    second = mt940(named("0611"), named("0612"), number="2", opening="C260610GBP1005,00", closing="C260612GBP1015,00")
    one, two = references(first, second)
    assert one[1] == two[0]
    assert len({*one, *two}) == 3


def test_two_equal_entries_stay_two_when_the_next_file_repeats_them() -> None:
    first = mt940(line("0610"), line("0610"), number="1", closing="C260610GBP1010,00")
    longer = mt940(line("0610"), line("0610"), line("0611"), number="2", closing="C260611GBP1015,00")
    one, two = references(first, longer)
    assert len(set(one)) == 2
    assert set(one) < set(two)
    assert len(two) == 3


def test_two_equal_entries_stay_two_when_the_next_file_repeats_one() -> None:
    first = mt940(line("0610"), line("0610"), number="1", closing="C260610GBP1010,00")
    rest = mt940(line("0610"), line("0611"), number="2", opening="C260610GBP1005,00", closing="C260611GBP1015,00")
    one, two = references(first, rest)
    assert len({*one, *two}) == 3


def test_an_overlap_of_ofx_files_is_counted_once() -> None:
    june = ofx2(transaction(fitid="A"), transaction(fitid="B"))
    both = ofx2(transaction(fitid="B"), transaction(fitid="C"), start="20260615", end="20260715", as_of="20260715")
    assert sorted({r for found in references(june, both) for r in found}) == ["A", "B", "C"]


# --- malformed files ---


BROKEN = mt940(CREDIT, closing="C260630GBP1012,51")


def test_a_malformed_file_hides_no_other_and_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.sta").write_text(BROKEN)
    (tmp_path / "b.sta").write_text(GOOD)
    found = reader(tmp_path).pages("statements", Window())
    assert next(found).url == "b.sta"
    with pytest.raises(BadPayload, match=r"a\.sta: line 6: the closing balance is 1012\.51"):
        next(found)


def test_a_malformed_file_can_be_landed_and_goes_to_quarantine_whole(tmp_path: Path) -> None:
    (tmp_path / "a.sta").write_text(BROKEN)
    (tmp_path / "b.sta").write_text(GOOD)
    (tmp_path / "c.ofx").write_bytes(ofx2()[:-5])
    (tmp_path / "d.csv").write_text("No,Such,Heading\n")
    profile = CsvProfile.from_rows(
        "B",
        [
            {"csv_profile": "B", "field": "booking_date", "column_name": "Date", "format": "%d/%m/%Y"},
            {"csv_profile": "B", "field": "amount", "column_name": "Amount", "format": ""},
        ],
    )
    found = pages(tmp_path, csv_profile=profile, land_malformed=True)
    assert [(p.url, p.record_count, len(p.record_hashes)) for p in found] == [
        ("a.sta", 1, 1),
        ("b.sta", 1, 1),
        ("c.ofx", 1, 1),
        ("d.csv", 1, 1),
    ]
    assert found[0].body == BROKEN.encode()
    for page, words in (
        (found[0], "a.sta: line 6: "),
        (found[2], "c.ofx: not well-formed at line 9"),
        (found[3], "d.csv: no heading"),
    ):
        with pytest.raises(BadPayload) as caught:
            SPEC.decoded(page.body, page.url)
        assert caught.value.message.startswith(words)


def test_the_warehouse_holds_good_entries_and_one_row_of_quarantine_for_a_malformed_file(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a.sta").write_text(BROKEN)
    (folder / "b.sta").write_text(mt940(line("0610"), line("0610"), number="1", closing="C260610GBP1010,00"))
    (folder / "c.sta").write_text(
        mt940(line("0610"), line("0611"), number="2", opening="C260610GBP1005,00", closing="C260611GBP1015,00")
    )
    settings = Settings.model_validate({"data_dir": tmp_path / "data", "as_of": "2026-07-03T08:00:00Z"})
    for _ in range(2):
        with State(settings.state_path) as state:
            Landing(settings, state, "run").land(
                SPEC, "BARC_GBP", reader(folder, land_malformed=True), overlap=timedelta()
            )
        load(settings)
    with connect(settings) as warehouse:
        quarantined = warehouse.execute("select reason, code from raw.quarantine").fetchall()
        counts = warehouse.execute("select sum(record_count), sum(inserted), sum(quarantined) from raw.loaded_files")
        assert counts.fetchone() == (5, 4, 1)
        entries = warehouse.execute(
            "select count(*), count(distinct entry_reference) from raw.bank_statement_entries"
        ).fetchone()
    assert entries == (4, 3)
    ((reason, code),) = quarantined
    assert (reason.split(": ")[:2], code) == (["a.sta", "line 6"], "PAGE_UNREADABLE")
