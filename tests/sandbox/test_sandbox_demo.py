"""What the demo concludes from the published marts, and what it refuses to touch."""

from pathlib import Path

import duckdb
import pytest

from sandbox.config import Places
from sandbox.demo import DemoError, Marts, Summary, _contents, _empty, _examine

TRUTH = {
    "exceptions": [
        {"exception_code": "ORD-001", "marketplace_code": "BRICO", "subject_type": "ORDER", "subject_id": "A-1"}
    ],
    "near_misses": [],
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
    create table marts.exceptions as select 'ORD-001' as exception_code, 'BRICO' as marketplace_code,
        'ORDER' as subject_type, 'A-1' as subject_id, 'OPEN' as status;
    create table marts.actions as select 'JOURNAL' as kind, 'VERIFIED' as state, 12.50::decimal(18,2) as amount;
    create table marts.fct_settlement_lines as select 'A-1' as order_id, 'r-1' as refund_id;
    create table marts.fct_receipt_allocations as select 'BARC_GBP-1' as receipt_id;
"""


def examine(*changes: str) -> Summary:
    connection = duckdb.connect()
    connection.execute(MARTS)
    for change in changes:
        connection.execute(change)
    summary = Summary(folder="demo")
    _examine(summary, Marts(connection), TRUTH, Places(Path("demo")))
    return summary


def test_a_tied_out_world_is_a_success_and_names_ids_to_explain() -> None:
    summary = examine()
    assert summary.problems == []
    assert summary.is_success
    explained = [command.rsplit(" ", 1)[1] for command in summary.next_commands if " explain " in command]
    assert explained == ["c-1", "A-1", "BARC_GBP-1"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("update marts.fct_cycles set net_amount = 89.99", "residual of -0.01"),
        ("update marts.control_totals set is_balanced = false, difference = 1", "is off by 1.0000"),
        ("delete from marts.control_totals", "no control totals"),
        ("delete from marts.fct_cycles", "no billing cycles"),
        ("delete from marts.exceptions", "ORD-001 missed: BRICO ORDER A-1"),
        ("insert into marts.exceptions values ('STK-001', 'BRICO', 'OFFER', 'S', 'OPEN')", "STK-001 invented"),
        ("update marts.actions set state = 'UNKNOWN'", "1 JOURNAL actions ended UNKNOWN"),
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
        _empty(Places(tmp_path))
    assert (tmp_path / "thesis.txt").exists()
    (tmp_path / "truth.json").write_text("{}")
    _empty(Places(tmp_path))
    assert not tmp_path.exists()
