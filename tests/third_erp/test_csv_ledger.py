"""A third ERP, registered from outside: its books are read, tied out, posted to and read back; no file of Tieout knows
it. Its cash book is the source of the bank's receipts here, beside statements of the same account that must not count.

The same installation has a second account with statements, four of which nobody can read: a whole run costs half a
minute, and the two do not touch.
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

from tests.connectors.server import Reply, serving
from tests.pipeline.site import Site, running_sandbox

pytestmark = pytest.mark.pipeline
HERE = Path(__file__).resolve().parent
ERP = "CSV_UK"


@dataclass(frozen=True)
class Books:
    site: Site
    folder: Path
    received: dict[str, Any]
    """The settlement whose pay-out stands in the cash book, posted as it should be."""
    misposted: dict[str, Any]
    """The one whose pay-out was posted to another account than clearing."""
    alerts: list[str]

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
    for name in ("marketplaces.csv", "warehouses.csv", "carriers.csv"):
        rewrite(config / name, lambda rows: [ours(row, {"erp_code": ERP}) for row in rows])
    rewrite(
        config / "bank_accounts.csv",
        lambda rows: [
            row | ({"source": "ERP"} if row["bank_account_code"] == "BARC_GBP" else {"csv_profile": "BARCLAYS_CSV"})
            for row in rows
        ],
    )
    feed = {"vendor": "csvledger", "freshness_hours": "26", "overlap_minutes": "0", "lane": "settlement"}
    rewrite(
        config / "feeds.csv",
        lambda rows: rows + [feed | {"entity": e, "perspective": "BOTH"} for e in ("postings", "cash_book")],
    )


def keep_books(folder: Path, received: dict[str, Any], misposted: dict[str, Any]) -> None:
    """Finance has booked two pay-outs by hand, in the cash book and in the ledger; one of them to suspense."""
    folder.mkdir()
    cash_book = ["id,urn,date,bank,amount,text", "9,R9,2026-05-13,BANK,-55.00,Rent"]
    postings = ["id,urn,date,account,debit,credit,reference,narrative"]
    postings += ["91,R9,2026-05-13,1200,,55.00,RENT,rent", "92,R9,2026-05-13,7100,55.00,,RENT,rent"]
    for number, settlement, account in ((1, received, "1260"), (2, misposted, "9998")):
        amount, day, cycle = (settlement[name] for name in ("payout", "cycle_date", "billing_cycle_id"))
        cash_book.append(f"{number},R{number},{day},BANK,{amount},BRICO MARKETPLACE {cycle}")
        postings.append(f"{number}1,R{number},{day},1200,{amount},,PAYOUT,received")
        postings.append(f"{number}2,R{number},{day},{account},,{amount},PAYOUT,received")
    (folder / "cash_book.csv").write_text("\n".join(cash_book) + "\n")
    (folder / "postings.csv").write_text("\n".join(postings) + "\n")


HEADING = (
    "Entry reference,Booking date,Value date,Amount,Currency,Counterparty,Counterparty account,Reference,End to end id,"
    "Type,Balance"
)
MT940 = (
    ":20:X\n:25:GB38BUKB20201577777777\n:28C:90/1\n:60F:C260701GBP1,00\n:61:2607020702C5,00NTRFNONREF//Z1\n"
    ":62F:C260702GBP7,00\n-\n"
)
MALFORMED = {
    "1-camt.xml": ("<Document>\n<BkToCstmrStmt>\n<Stmt>", "not well-formed XML at line 3"),
    "2-mt940.sta": (MT940, "line 6: the closing balance is 7.00"),
    "3-ofx.ofx": ("OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\n\n<OFX>\n<BANKMSGSRSV1>\n<STMTTRNRS", "line 7"),
    "4-csv.csv": (f'{HEADING}\nZ2,03/07/2026,,1.00,GBP,,,,,,\nZ3,03/07/2026,,"1.00,GBP,,,,,,\n', "line 3"),
}
"""Files that no bank meant to send, and what has to be said about each beside its name."""


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    folder = tmp_path_factory.mktemp("third-erp")
    installed = folder / "csvledger-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: csvledger\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[tieout.erps]\ncsvledger = csvledger:CSVLEDGER\n")
    with (
        running_sandbox(folder / "sandbox", orders=250, faults=False, marketplaces=["BRICO"]) as url,
        serving(lambda asked: Reply(200, b"{}")) as messenger,
    ):
        path = os.pathsep.join([str(HERE), str(folder)])
        environment = {"PYTHONPATH": path, "TIEOUT_ALERT_URLS": messenger.url.replace("http://", "json://")}
        site = Site(url, folder / "sandbox", folder / "data", environment)
        config = folder / "sandbox" / "config"
        configure(config)
        settled = {row["cycle_date"]: row for row in site.truth()["settlements"]}
        received, misposted = settled["2026-05-11"], settled["2026-06-01"]
        keep_books(config / "ledger", received, misposted)
        for name, (content, _) in MALFORMED.items():
            (folder / "sandbox" / "bank" / "BARC_RES" / name).write_text(content)
        site.tieout("run", "settlement")
        alerts = [asked.body.decode() for asked in messenger.asked]
        yield Books(site, config / "ledger", received, misposted, alerts)


def test_every_settlement_is_posted_into_the_third_erp_once_and_read_back(books: Books) -> None:
    actions = books.site.tieout_json("actions", "--kind", "JOURNAL", "--limit", "0")["actions"]
    settled = [row for row in books.site.truth()["settlements"] if row["roles"]]
    assert len(settled) == 9
    month_end = sorted(a["action_key"].split("|")[4] for a in actions if "|SETTLEMENT|" not in a["action_key"])
    assert month_end == ["FEE_ACCRUAL", "FEE_ACCRUAL_REVERSAL", "REVERSE_CHARGE", "REVERSE_CHARGE"]
    assert len(actions) == len(settled) + len(month_end)
    assert {(a["vendor"], a["account"], a["state"]) for a in actions} == {("csvledger", ERP, "VERIFIED")}
    posted = books.postings()
    assert posted.keys() == {a["wire_key"] for a in actions} | {"PAYOUT", "RENT"}
    wanted: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for reference, account, net in books.site.query(
        """
        select journals.wire_key, lines.account_code, sum(lines.debit - lines.credit)
        from marts.journals as journals
        inner join marts.journal_lines as lines on journals.journal_key = lines.journal_key
        where journals.kind <> 'PAYOUT_RECEIPT'
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
    assert sorted(receipts) == [
        ("BARC_GBP-ERP1", "ERP", amount, "MATCHED"),
        ("BARC_GBP-ERP2", "ERP", Decimal(str(books.misposted["payout"])), "MATCHED"),
    ]
    cycle_id = books.received["billing_cycle_id"]
    paid = books.site.query(
        f"select status, right_id from marts.rec_receipts where subject_id = '{cycle_id}' and subject_type = 'PAYOUT'"
    )
    assert paid == [("MATCHED", "BARC_GBP-ERP1")]
    journals = books.site.query(
        "select wire_key, erp_document_id, exception_code from marts.journals where kind = 'PAYOUT_RECEIPT'"
    )
    assert sorted(journals) == [("ERPR1", "R1", None), ("ERPR2", "R2", "JNL-009")]
    found = books.site.query("select exception_code from marts.exceptions where exception_code like 'JNL-%'")
    assert found == [("JNL-009",)], "what finance has posted is compared, not posted over"


def test_clearing_ties_to_the_third_erps_account(books: Books) -> None:
    ((closing, erp_closing, unexplained),) = books.site.query(
        """
        select closing_amount, erp_closing_amount, unexplained_amount from marts.clearing_rollforward
        where account_role = 'MARKETPLACE_CLEARING' order by period desc limit 1
        """
    )
    on_file = sum(by_account.get("1260", Decimal(0)) for by_account in books.postings().values())
    assert erp_closing == on_file
    assert erp_closing - closing == Decimal(str(books.misposted["payout"])), "the one that went to suspense"
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


def test_statements_that_cannot_be_read_are_quarantined_whole_and_the_run_goes_on(books: Books) -> None:
    """CAMT.053, MT940, OFX and CSV, each cut off or contradicting itself."""
    refused = {reason.split(":")[0]: reason for (reason,) in books.site.query("select reason from marts.quarantine")}
    assert refused.keys() == MALFORMED.keys()
    for name, (_, words) in MALFORMED.items():
        assert words in refused[name], refused[name]
    codes = books.site.query(
        "select exception_code, count(*) from marts.exceptions where exception_code like 'DAT-%' group by 1"
    )
    assert codes == [("DAT-003", 4)]
    assert any("4 records could not be read" in alert for alert in books.alerts)
    ((good,),) = books.site.query("select count(*) from marts.fct_receipts where bank_account_code = 'BARC_RES'")
    assert good > 10, "the other statements of the account are read all the same"
    assert not books.site.query("select * from marts.fct_receipts where receipt_id like '%-Z_'")
