"""What the demo concludes from the published marts, and what it refuses to touch."""

import io
import json
import re
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from sandbox.config import Places
from sandbox.demo import _contents
from sandbox.demo_findings import DemoError, Marts, Summary
from sandbox.demo_findings import examine as examine_marts
from sandbox.demo_report import document, show
from sandbox.demo_site import empty
from sandbox.jsonio import encode

TRUTH = {
    "exceptions": [
        {"exception_code": "ORD-001", "marketplace_code": "BRICO", "subject_type": "ORDER", "subject_id": "A-1"}
    ],
    "near_misses": [],
    "settlements": [{"billing_cycle_id": "c-1", "opening": 10, "net": "90.00", "payout": 100, "closing": 0}],
    "seller_balances": [
        {"billing_cycle_id": "p-1", "opening": 0, "net": 25, "break": -5, "payout": 20, "closing": 0},
        {"billing_cycle_id": "p-2", "opening": 0, "net": -3, "break": 0, "payout": 0, "closing": -3},
    ],
}
MARTS = """
    create schema marts;
    create table marts.control_totals as select 'RECORDS' as control_code, 'mirakl' as vendor, 'BRICO' as account,
        'orders' as feed, 'records' as measure, 12 as landed_count, 2 as duplicate_count, 10 as records_in_count,
        8 as staged_count, 1 as superseded_count, 1 as quarantined_count, 0::decimal(28,4) as difference,
        true as is_balanced;
    create table marts.fct_cycles as select 'BRICO' as marketplace_code, 'c-1' as billing_cycle_id,
        date '2026-04-11' as cycle_date, 10.00::decimal(18,2) as opening_amount, 90.00::decimal(18,2) as net_amount,
        0.00::decimal(18,2) as break_amount, 100.00::decimal(18,2) as payout_amount,
        0.00::decimal(18,2) as closing_amount, 100.00::decimal(18,2) as received_amount, 'PAID' as pay_out_state,
        'GBP' as currency_code;
    create table marts.seller_balances as select 'PLAZA' as marketplace_code, shop_id, billing_cycle_id,
        date '2026-04-11' as cycle_date, 'GBP' as currency_code, 0.00::decimal(18,2) as opening_amount,
        net_amount::decimal(18,2) as net_amount, break_amount::decimal(18,2) as break_amount,
        payout_amount::decimal(18,2) as payout_amount, closing_amount::decimal(18,2) as closing_amount
        from (values ('1', 'p-1', 20, 0, 20, 0), ('2', 'p-2', -3, 0, 0, -3))
        as v(shop_id, billing_cycle_id, net_amount, break_amount, payout_amount, closing_amount);
    insert into marts.fct_cycles select marketplace_code, billing_cycle_id, cycle_date, opening_amount, net_amount,
        break_amount, payout_amount, closing_amount, 0, 'PAID', currency_code from marts.seller_balances;
    create table marts.exceptions as select 'ORD-001' as exception_code, 'BRICO' as marketplace_code,
        'ORDER' as subject_type, 'A-1' as subject_id, 'OPEN' as status;
    create table marts.actions as select 'JOURNAL' as kind, 'VERIFIED' as state, 12.50::decimal(18,2) as amount,
        vendor, account, wire_key from (values ('sage200', 'SAGE_UK', 'TO1'), ('netsuite', 'NS_HOME', 'TO2'))
        as v(vendor, account, wire_key);
    create table marts.fct_settlement_lines as select 'A-1' as order_id, 'r-1' as refund_id;
    create table marts.fct_receipt_allocations as select 'BARC_GBP-1' as receipt_id;
"""


def examine(*changes: str) -> Summary:
    connection = duckdb.connect()
    connection.execute(MARTS)
    for change in changes:
        connection.execute(change)
    summary = Summary(folder="demo")
    examine_marts(summary, Marts(connection), TRUTH, Places(Path("demo")), {"NS_HOME": {"JE-TO2"}})
    return summary


def test_a_tied_out_world_is_a_success_and_names_ids_to_explain() -> None:
    summary = examine()
    assert summary.problems == []
    assert summary.is_success
    explained = [command.rsplit(" ", 1)[1] for command in summary.next_commands if " explain " in command]
    assert explained == ["c-1", "A-1", "BARC_GBP-1"]
    assert [row["billing_cycle_id"] for row in summary.payouts] == ["c-1"]
    assert [(row["marketplace_code"], row["seller_count"], row["paid_count"]) for row in summary.sellers] == [
        ("PLAZA", 2, 1)
    ]
    assert summary.balances_compared == 3


def test_the_report_shows_both_marketplaces_and_is_plain_json() -> None:
    summary = examine()
    out = Console(file=io.StringIO(), width=140)
    show(summary, out)
    text = out.file.getvalue()
    assert "all 3 balances, seller by seller, are what the truth says" in text
    assert re.search(r"PLAZA +2026-04-11 +2 +1 +0.00 +17.00", text)
    content = json.loads(encode(document(summary)))
    assert content["sellers"][0]["net_amount"] == "17.00"
    assert content["exceptions"][0]["marketplace_code"] == "BRICO"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("update marts.fct_cycles set net_amount = 89.99", "residual of -0.01"),
        ("update marts.control_totals set is_balanced = false, difference = 1", "is off by 1.0000"),
        ("update marts.seller_balances set closing_amount = 0", "sellers of PLAZA have a residual of 3.00"),
        (
            "update marts.fct_cycles set closing_amount = 1 where billing_cycle_id = 'p-1'",
            "not what the truth says: p-1",
        ),
        ("delete from marts.fct_cycles where billing_cycle_id = 'p-2'", "not what the truth says: p-2"),
        (
            "insert into marts.fct_cycles select * replace ('x' as billing_cycle_id) from marts.fct_cycles limit 1",
            "says: x",
        ),
        ("delete from marts.control_totals", "no control totals"),
        ("delete from marts.fct_cycles", "no billing cycles"),
        ("delete from marts.exceptions", "ORD-001 missed: BRICO ORDER A-1"),
        ("insert into marts.exceptions values ('STK-001', 'BRICO', 'OFFER', 'S', 'OPEN')", "STK-001 invented"),
        ("update marts.actions set state = 'UNKNOWN'", "1 JOURNAL actions of SAGE_UK ended UNKNOWN"),
        ("update marts.actions set wire_key = 'TO3'", "journal TO3 is said to be in NS_HOME and is not there"),
    ],
)
def test_anything_that_does_not_tie_fails_the_demo(change: str, problem: str) -> None:
    summary = examine(change)
    assert [found for found in summary.problems if problem in found]
    assert not summary.is_success


def test_a_missing_mart_is_named() -> None:
    with pytest.raises(DemoError, match="fct_cycles"):
        examine("drop table marts.fct_cycles")


def test_contents_change_with_any_value_but_not_with_the_order_of_rows(tmp_path: Path) -> None:
    digests = []
    for number, values in enumerate(("(1, 'a'), (2, 'b')", "(2, 'b'), (1, 'a')", "(1, 'a'), (2, 'c')")):
        path = tmp_path / f"{number}.duckdb"
        with duckdb.connect(str(path)) as connection:
            connection.execute(f"create schema marts; create table marts.m as select * from (values {values}) v(a, b)")
        digests.append(_contents(path))
    assert digests[0] == digests[1] != digests[2]


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(DemoError, match="--dir"):
        empty(Places(tmp_path))
    assert (tmp_path / "thesis.txt").exists()
    (tmp_path / "truth.json").write_text("{}")
    empty(Places(tmp_path))
    assert not tmp_path.exists()
