"""A third ERP, registered from outside: its books are read, tied out, posted to and read back; no file of Tieout knows
it. Its cash book is the source of the bank's receipts here, beside statements of the same account that must not count.
"""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.site import Site, running_sandbox

pytestmark = pytest.mark.pipeline
HERE = Path(__file__).resolve().parent
ERP = "CSV_UK"


@dataclass(frozen=True)
class Books:
    site: Site
    folder: Path
    received: dict[str, Any]
    """The settlement whose pay-out stands in the cash book."""

    def postings(self) -> dict[str, dict[str, Decimal]]:
        """Net debit by reference and account, as the file says it."""
        found: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        with (self.folder / "postings.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                found[row["reference"]][row["account"]] += Decimal(row["debit"] or 0) - Decimal(row["credit"] or 0)
        return found


def rewrite(path: Path, change: Callable[[list[dict[str, str]]], list[dict[str, str]]]) -> None:
    with path.open(newline="", encoding="utf-8") as file:
        rows = change(list(csv.DictReader(file)))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def configure(config: Path) -> None:
    """What a user changes: rows of the configuration, no code."""
    books = {"erp_code": ERP, "vendor": "csvledger", "folder": "ledger"}
    empty = dict.fromkeys(("base_url", "token_url", "site_id", "company_id", "auth_method"), "")

    def ours(row: dict[str, str], changed: dict[str, str]) -> dict[str, str]:
        return row | changed if row["erp_code"] == "SAGE_UK" else row

    rewrite(config / "erps.csv", lambda rows: [ours({"folder": ""} | row, empty | books) for row in rows])
    for name in ("marketplaces.csv", "warehouses.csv"):
        rewrite(config / name, lambda rows: [ours(row, {"erp_code": ERP}) for row in rows])
    rewrite(
        config / "bank_accounts.csv",
        lambda rows: [row | ({"source": "ERP"} if row["bank_account_code"] == "BARC_GBP" else {}) for row in rows],
    )
    feed = {"vendor": "csvledger", "freshness_hours": "26", "overlap_minutes": "0", "lane": "settlement"}
    rewrite(
        config / "feeds.csv",
        lambda rows: rows + [feed | {"entity": e, "perspective": "BOTH"} for e in ("postings", "cash_book")],
    )


def keep_books(folder: Path, settlement: dict[str, Any]) -> None:
    """Finance has booked one pay-out by hand: cash book, and bank against clearing."""
    folder.mkdir()
    amount, day = settlement["payout"], settlement["cycle_date"][:8] + "13"
    (folder / "cash_book.csv").write_text(
        "id,urn,date,bank,amount,text\n"
        f"1,R1,{day},BANK,{amount},BRICO MARKETPLACE {settlement['billing_cycle_id']}\n"
        f"2,R2,{day},BANK,-55.00,Rent\n"
    )
    (folder / "postings.csv").write_text(
        "id,urn,date,account,debit,credit,reference,narrative\n"
        f"1,R1,{day},1200,{amount},,PAYOUT,received\n2,R1,{day},1260,,{amount},PAYOUT,received\n"
        f"3,R2,{day},1200,,55.00,RENT,rent\n4,R2,{day},7100,55.00,,RENT,rent\n"
    )


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    folder = tmp_path_factory.mktemp("third-erp")
    installed = folder / "csvledger-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: csvledger\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[tieout.erps]\ncsvledger = csvledger:CSVLEDGER\n")
    with running_sandbox(folder / "sandbox", orders=250, faults=False, marketplaces=["BRICO"]) as url:
        path = os.pathsep.join([str(HERE), str(folder)])
        site = Site(url, folder / "sandbox", folder / "data", {"PYTHONPATH": path})
        config = folder / "sandbox" / "config"
        configure(config)
        received = next(row for row in site.truth()["settlements"] if row["cycle_date"] == "2026-05-11")
        keep_books(config / "ledger", received)
        site.tieout("run", "settlement")
        yield Books(site, config / "ledger", received)


def test_every_settlement_is_posted_into_the_third_erp_once_and_read_back(books: Books) -> None:
    actions = books.site.tieout_json("actions", "--kind", "JOURNAL", "--limit", "0")["actions"]
    settled = [row for row in books.site.truth()["settlements"] if row["roles"]]
    assert len(actions) == len(settled) == 9
    assert {(a["vendor"], a["account"], a["state"]) for a in actions} == {("csvledger", ERP, "VERIFIED")}
    posted = books.postings()
    assert posted.keys() == {a["wire_key"] for a in actions} | {"PAYOUT", "RENT"}
    wanted: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for reference, account, net in books.site.query(
        """
        select journals.wire_key, lines.account_code, sum(lines.debit - lines.credit)
        from marts.journals as journals
        inner join marts.journal_lines as lines on journals.journal_key = lines.journal_key
        where journals.kind = 'SETTLEMENT'
        group by 1, 2
        """
    ):
        wanted[reference][account] = net
    assert {a["wire_key"]: posted[a["wire_key"]] for a in actions} == wanted
    statuses = books.site.query("select distinct kind, status from marts.journals")
    assert {status for kind, status in statuses if kind == "SETTLEMENT"} == {"POSTED"}


def test_a_receipt_of_the_cash_book_pays_its_payout_and_is_not_posted_again(books: Books) -> None:
    amount = Decimal(str(books.received["payout"]))
    receipts = books.site.query(
        "select receipt_id, receipt_source, amount, match_status from marts.fct_receipts "
        "where bank_account_code = 'BARC_GBP'"
    )
    assert receipts == [("BARC_GBP-ERP1", "ERP", amount, "MATCHED")]
    cycle_id = books.received["billing_cycle_id"]
    paid = books.site.query(
        f"select status, right_id from marts.rec_receipts where subject_id = '{cycle_id}' and subject_type = 'PAYOUT'"
    )
    assert paid == [("MATCHED", "BARC_GBP-ERP1")]
    journals = books.site.query(
        "select wire_key, status, erp_document_id from marts.journals where kind = 'PAYOUT_RECEIPT'"
    )
    assert journals == [("ERPR1", "POSTED", "R1")]
    assert not books.site.query("select * from marts.exceptions where exception_code like 'JNL-%'")


def test_clearing_ties_to_the_third_erps_account(books: Books) -> None:
    ((closing, erp_closing, unexplained),) = books.site.query(
        """
        select closing_amount, erp_closing_amount, unexplained_amount from marts.clearing_rollforward
        where account_role = 'MARKETPLACE_CLEARING' order by period desc limit 1
        """
    )
    on_file = sum(by_account.get("1260", Decimal(0)) for by_account in books.postings().values())
    assert closing == erp_closing == on_file
    assert unexplained == 0


def test_its_feeds_are_counted_like_any_others(books: Books) -> None:
    totals = books.site.query(
        "select distinct feed, is_balanced from marts.control_totals "
        "where vendor = 'csvledger' and records_in_count > 0"
    )
    assert sorted(totals) == [("cash_book", True), ("postings", True)]
    assert not books.site.query("select * from marts.control_totals where not is_balanced")


def test_doctor_asks_its_connector(books: Books) -> None:
    assert f"csvledger/{ERP}" in books.site.tieout("doctor", expect=None)
