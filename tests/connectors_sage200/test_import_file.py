"""The desktop's import file: only what the company's own layout says, only what cannot land in suspense."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

from connectors.sage200.import_file import BadLayout, Layout, accounts, journal_file, render
from connectors.sage200.journals import Account, BadJournal, Journal, read_journal
from tests.connectors_sage200.conftest import Site

LAYOUT = """column_name,source,format
Code,account_code,
CC,cost_centre,
Dept,department,
When,posting_date,%d/%m/%Y
Value,amount,
Ref,reference,
Text,narrative,12
Kind,constant,NOM
User,empty,
"""
KNOWN = {Account("6100", "LON"), Account("2112")}


def journal(*lines: dict[str, Any], wire_key: str = "TO0123456789ABCDEF") -> Journal:
    header = {"journal_key": f"UKTRADE|BRICO|ACCRUAL|{wire_key}", "kind": "ACCRUAL", "posting_date": "2026-06-30"}
    return read_journal(
        {**header, "wire_key": wire_key, "currency_code": "GBP", "clearing_bank_code": "MKBRICO", "lines": list(lines)}
    )


def line(number: int, code: str, net: str, kind: str = "NOMINAL", **more: Any) -> dict[str, Any]:
    side = {"credit": net[1:]} if net.startswith("-") else {"debit": net}
    return {"line_no": number, "account_role": "FEES", "account_type": kind, "account_code": code, **side, **more}


ACCRUAL = journal(
    line(1, "6100", "12.50", cost_centre="LON", narrative="Commission, June"),
    line(2, "2112", "-12.50"),
    line(3, "2112", "0.00"),
)


def test_the_file_has_the_configured_columns_and_a_row_per_line() -> None:
    content = render([ACCRUAL], Layout.from_csv(LAYOUT), KNOWN)
    assert content.decode() == (
        "Code,CC,Dept,When,Value,Ref,Text,Kind,User\r\n"
        '6100,LON,,30/06/2026,12.50,TO0123456789ABCDEF,"Commission, ",NOM,\r\n'
        "2112,,,30/06/2026,-12.50,TO0123456789ABCDEF,FEES,NOM,\r\n"
    )


def test_debits_and_credits_can_have_columns_of_their_own() -> None:
    layout = Layout.from_csv(LAYOUT.replace("Value,amount,", "Dr,debit,\nCr,credit,"))
    rows = list(csv.DictReader(io.StringIO(render([ACCRUAL], layout, KNOWN).decode())))
    assert [(row["Dr"], row["Cr"]) for row in rows] == [("12.50", ""), ("", "12.50")]


def test_the_file_moves_every_account_as_the_journals_do() -> None:
    other = journal(line(1, "2112", "7.01"), line(2, "6100", "-7.01", cost_centre="LON"), wire_key="TOFEDCBA9876543210")
    rows = csv.DictReader(io.StringIO(render([ACCRUAL, other], Layout.from_csv(LAYOUT), KNOWN).decode()))
    moved: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in rows:
        moved[row["Ref"], row["Code"]] += Decimal(row["Value"])
    wanted = {(j.wire_key, entry.account.code): entry.net for j in (ACCRUAL, other) for entry in j.lines if entry.net}
    assert dict(moved) == wanted
    assert accounts([ACCRUAL, other]) == KNOWN


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([line(1, "6100", "5.00", cost_centre="LON")], "debits and credits differ by 5.00"),
        ([line(1, "6100", "0.00")], "nothing to post"),
        ([line(1, "1100", "5.00", "CUSTOMER"), line(2, "2112", "-5.00")], "line 1: a CUSTOMER line cannot go through"),
        ([line(1, "2201", "5.00", "VAT"), line(2, "2112", "-5.00")], "line 1: a VAT line cannot go through"),
        ([line(1, "1200", "5.00", "BANK", bank_code="BANK"), line(2, "2112", "-5.00")], "line 1: a BANK line cannot"),
        ([line(1, "", "5.00"), line(2, "2112", "-5.00")], "no account_code for FEES: add it to accounts.csv"),
        ([line(1, "6100", "5.00"), line(2, "2112", "-5.00")], "no active account 6100 and would post it to suspense"),
    ],
)
def test_a_journal_that_would_go_wrong_in_the_desktop_is_refused(lines: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(BadJournal) as caught:
        render([journal(*lines)], Layout.from_csv(LAYOUT), KNOWN)
    assert words in str(caught.value)


def test_every_account_is_looked_up_in_the_company_before_a_file_is_written(site: Site) -> None:
    good = journal(line(1, "6100", "5.00"), line(2, "2112", "-5.00"))
    assert journal_file(site.connector, [good], Layout.from_csv(LAYOUT)).count(b"\r\n") == 3
    wrong = journal(line(1, "6100", "5.00", department="ZZZ"), line(2, "2112", "-5.00"))
    with pytest.raises(BadJournal, match="line 1: Sage has no active account 6100/ZZZ and would post it to suspense"):
        journal_file(site.connector, [wrong], Layout.from_csv(LAYOUT))


def test_a_journal_stands_in_a_file_once() -> None:
    with pytest.raises(BadJournal, match="stands twice in the file"):
        render([ACCRUAL, ACCRUAL], Layout.from_csv(LAYOUT), KNOWN)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("column_name,source,format", "name,source,format", "the first line must be column_name,source,format"),
        ("Code,account_code", ",account_code", "row 1: column_name is missing"),
        ("CC,cost_centre", "Code,cost_centre", "column_name 'Code' stands twice"),
        ("Kind,constant", "Kind,wish", "row 8: source 'wish' is not one of"),
        ("Ref,reference,", "Ref,empty,", "no column is filled from reference"),
        ("Value,amount,", "Value,debit,", "no column is filled from amount, nor two from debit and credit"),
        ("%d/%m/%Y", "%d/%m", "does not write day, month and year"),
        ("narrative,12", "narrative,long", "is no number of characters"),
    ],
)
def test_a_layout_that_cannot_work_is_refused_with_its_row(old: str, new: str, words: str) -> None:
    assert old in LAYOUT
    with pytest.raises(BadLayout) as caught:
        Layout.from_csv(LAYOUT.replace(old, new))
    assert words in str(caught.value)
