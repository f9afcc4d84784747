"""Consecutive statements: each opens with the balance before it, and a gap is told with both and the amount."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from connectors.bank import BankStatementReader, CsvProfile
from connectors.bank.continuity import Continuity
from connectors.bank.mt940 import read_mt940
from connectors.records import CheckResult
from tests.connectors_bank.files import IBAN, mt940, ofx2, transaction


def statement(number: int, first: str, last: str, opening: str, closing: str, *days: tuple[str, int]) -> str:
    """`first` and `last` are MMDD, balances whole pounds, `days` the entries' dates and whole pounds."""

    def money(value: str) -> str:
        return f"{value.lstrip('-')},00"

    def mark(value: str) -> str:
        return "D" if value.startswith("-") else "C"

    lines = [f":61:26{day}{day}{'C' if a >= 0 else 'D'}{abs(a)},00NTRFNONREF//B{number}{day}" for day, a in days]
    return mt940(
        *lines,
        number=f"{number}/1",
        opening=f"{mark(opening)}26{first}GBP{money(opening)}",
        closing=f"{mark(closing)}26{last}GBP{money(closing)}",
    )


def proof(*texts: str) -> tuple[int, list[tuple[str, str, Decimal]]]:
    continuity = Continuity()
    for number, text in enumerate(texts):
        continuity.add(f"{number}.sta", read_mt940(text.encode()))
    proved, gaps = continuity.proof()
    return proved, [(g.earlier.file, g.later.file, g.amount) for g in gaps]


MAY = statement(5, "0501", "0531", "0", "100", ("0515", 100))
JUNE = statement(6, "0531", "0630", "100", "70", ("0610", -30))
JULY = statement(7, "0630", "0731", "70", "75", ("0710", 5))


def test_statements_that_follow_each_other_are_proved() -> None:
    assert proof(MAY, JUNE, JULY) == (2, [])


def test_the_order_of_files_does_not_matter() -> None:
    assert proof(JULY, MAY, JUNE) == (2, [])


def test_a_missing_statement_is_a_gap_with_both_sides_and_the_amount() -> None:
    assert proof(MAY, JULY) == (0, [("0.sta", "1.sta", Decimal("-30.00"))])


def test_a_balance_of_long_ago_proves_nothing() -> None:
    august = statement(8, "0731", "0831", "100", "105", ("0810", 5))
    assert proof(MAY, JUNE, august) == (1, [("1.sta", "2.sta", Decimal("30.00"))])


def test_a_statement_delivered_twice_proves_nothing_and_breaks_nothing() -> None:
    assert proof(MAY, MAY, JUNE, JUNE) == (1, [])


def test_an_overlap_is_proved_by_the_entries_before_it() -> None:
    late_may = statement(8, "0515", "0620", "100", "70", ("0610", -30))
    assert proof(MAY, late_may) == (1, [])


def test_an_overlap_that_disagrees_is_a_gap() -> None:
    both = statement(8, "0501", "0620", "0", "170", ("0510", 100), ("0612", 70))
    inner = statement(9, "0605", "0630", "90", "95", ("0605", 5))
    assert proof(both, inner) == (0, [("0.sta", "1.sta", Decimal("-10.00"))])


def test_two_statements_of_one_day_follow_each_other() -> None:
    morning = statement(1, "0701", "0701", "0", "10", ("0701", 10))
    evening = statement(2, "0701", "0701", "10", "25", ("0701", 15))
    tomorrow = statement(3, "0702", "0702", "25", "20", ("0702", -5))
    assert proof(morning, evening, tomorrow) == (2, [])
    assert proof(morning, tomorrow) == (0, [("0.sta", "1.sta", Decimal("15.00"))])


def test_a_quiet_statement_carries_the_balance_on() -> None:
    quiet = statement(6, "0531", "0630", "100", "100")
    assert proof(MAY, quiet, statement(7, "0630", "0731", "100", "105", ("0710", 5))) == (2, [])


def test_overdrawn_balances_are_negative() -> None:
    overdrawn = statement(5, "0501", "0531", "0", "-40", ("0515", -40))
    assert proof(overdrawn, statement(6, "0531", "0630", "40", "50", ("0610", 10))) == (
        0,
        [("0.sta", "1.sta", Decimal("80.00"))],
    )


# --- what a person sees ---


def checks(folder: Path, profile: CsvProfile | None = None) -> list[CheckResult]:
    return BankStatementReader("BARC_GBP", f"{folder}/*", IBAN, profile, currency="GBP").check()


def test_doctor_tells_a_gap_with_files_dates_balances_and_amount(tmp_path: Path) -> None:
    (tmp_path / "may.sta").write_text(MAY)
    (tmp_path / "july.sta").write_text(JULY)
    *files, gap = checks(tmp_path)
    assert [f.ok for f in files] == [True, True]
    assert not gap.ok
    assert gap.name == "BARC_GBP: balances of consecutive statements"
    assert gap.detail == (
        "5/1 2026-05-01 2026-05-31 (may.sta, 2026-05-15 to 2026-05-31) leaves 100.00 GBP, "
        "7/1 2026-06-30 2026-07-31 (july.sta, 2026-07-10 to 2026-07-31) opens with 70.00 GBP: "
        "-30.00 GBP lies between them"
    )
    assert "between the two" in gap.action


def test_doctor_says_what_it_proved(tmp_path: Path) -> None:
    (tmp_path / "may.sta").write_text(MAY)
    (tmp_path / "june.sta").write_text(JUNE)
    assert checks(tmp_path)[-1].detail == "1 statements open with the balance before them"


@pytest.mark.parametrize(("balance", "ok"), [("137.50", True), ("138.00", False)])
def test_formats_prove_each_other(tmp_path: Path, balance: str, ok: bool) -> None:
    may = statement(5, "0501", "0531", "0", "150", ("0515", 150))
    (tmp_path / "may.sta").write_text(may)
    (tmp_path / "june.ofx").write_bytes(ofx2(transaction("-12.50"), balance=balance))
    assert checks(tmp_path)[-1].ok is ok


PROFILE = CsvProfile.from_rows(
    "B",
    [
        {"csv_profile": "B", "field": field, "column_name": column, "format": form}
        for field, column, form in (
            ("booking_date", "Date", "%Y-%m-%d"),
            ("amount", "Amount", "decimal_point"),
            ("balance", "Balance", "decimal_point"),
        )
    ],
)


@pytest.mark.parametrize("is_newest_first", [False, True])
@pytest.mark.parametrize(("left", "ok"), [("100.00", True), ("90.00", False)])
def test_a_csv_is_proved_by_its_running_balance(tmp_path: Path, is_newest_first: bool, left: str, ok: bool) -> None:
    (tmp_path / "a.sta").write_text(MAY)
    start = Decimal(left)
    lines = [f"2026-06-01,-30.00,{start - 30}", f"2026-06-02,5.00,{start - 25}", f"2026-06-03,-1.00,{start - 26}"]
    body = "\n".join(["Date,Amount,Balance", *(lines[::-1] if is_newest_first else lines)])
    (tmp_path / "b.csv").write_text(body)
    *_, found = checks(tmp_path, PROFILE)
    assert (found.name, found.ok) == ("BARC_GBP: balances of consecutive statements", ok)


@pytest.mark.parametrize("last", ["2026-06-02,5.00,", "2026-06-02,5.00,99.00", "2026-06-02,five,75.00"])
def test_a_running_balance_that_does_not_run_through_is_no_proof(tmp_path: Path, last: str) -> None:
    (tmp_path / "a.sta").write_text(MAY)
    (tmp_path / "b.csv").write_text(f"Date,Amount,Balance\n2026-06-01,-30.00,60.00\n{last}\n")
    assert not [c for c in checks(tmp_path, PROFILE) if "consecutive" in c.name]


def test_a_reference_that_stands_for_two_entries_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.ofx").write_bytes(ofx2(transaction("-12.50", "F1")))
    (tmp_path / "b.ofx").write_bytes(ofx2(transaction("-7.00", "F1"), start="20260701", end="20260731"))
    (tmp_path / "c.ofx").write_bytes(ofx2(transaction("-12.5", "F2"), transaction("-12.50", "F3")))
    told = checks(tmp_path)[-1]
    assert not told.ok
    assert told.detail == (
        "reference F1 stands for different entries in OFX 2026-06-01 2026-06-30 (a.ofx) and "
        "OFX 2026-07-01 2026-07-31 (b.ofx)"
    )
