"""Ledger and marts are the same whichever ERP keeps the books, but for what `tests.parity.rules` lists."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from tests.parity.__main__ import report
from tests.parity.compare import Rule, compare, read
from tests.parity.playing import played, tables_of
from tests.parity.rules import EVERYWHERE, RULES, TABLES
from tests.pipeline.conftest import ORDERS
from tests.pipeline.site import Site


@pytest.mark.pipeline
def test_the_same_scenario_gives_the_same_marts_from_either_erp(finished: Site, tmp_path: Path) -> None:
    with played(tmp_path, "netsuite", orders=ORDERS) as site:
        compared = compare(tables_of(finished), tables_of(site), EVERYWHERE, RULES, TABLES)
    assert len(compared) > 50
    assert sum(each.left_rows for each in compared) > 10_000
    assert all(each.is_equal for each in compared), report(compared)


def _tables(**columns: list[object]) -> dict[str, pa.Table]:
    return {"marts.m": pa.table(columns)}


def test_a_difference_is_found_wherever_it_is() -> None:
    base = _tables(key=["a", "b", "b"], amount=[1, 2, 2])
    assert compare(base, _tables(key=["b", "a", "b"], amount=[2, 1, 2]), {}, {})[0].is_equal
    (changed,) = compare(base, _tables(key=["a", "b", "b"], amount=[1, 2, 3]), {}, {})
    assert (changed.differences, changed.left_only, changed.right_only) == (1, (("b", 2),), (("b", 3),))
    (missing,) = compare(base, _tables(key=["a", "b"], amount=[1, 2]), {}, {})
    assert (missing.differences, missing.left_only, missing.right_only) == (1, (("b", 2),), ())
    assert not compare(base, {}, {}, {})[0].is_equal
    assert compare(base, {}, {}, {}, {"marts.m": "only one can have it"}) == []
    assert not compare(base, _tables(key=["a"], other=[1]), {}, {})[0].is_equal
    assert "NetSuite only: ('b', 3)" in report([changed])


def test_what_a_rule_leaves_out_is_left_out_and_nothing_else() -> None:
    left = _tables(key=["a", "a", "b", "c"], vendor_id=[1, 2, 3, 4], amount=[1, 2, 5, 0])
    right = _tables(key=["a", "b"], vendor_id=[9, 8], amount=[3, 6])
    rule = Rule(without={"vendor_id": "its own"}, sums=(("amount",), "split there"))
    (found,) = compare(left, right, {}, {"marts.m": rule})
    assert (found.left_rows, found.right_rows) == (2, 2)
    assert (found.left_only, found.right_only) == ((("b", 5),), (("b", 6),))
    only = Rule(without={"vendor_id": "its own"}, only=("key = 'c'", "the rest is another's"))
    assert compare(left, right, {}, {"marts.m": only})[0].left_only == (("c", 0),)


def test_a_rule_about_nothing_is_refused() -> None:
    tables = _tables(key=["a"])
    with pytest.raises(ValueError, match="do not exist"):
        compare(tables, tables, {}, {"marts.gone": Rule()})
    with pytest.raises(ValueError, match="does not have: gone"):
        compare(tables, tables, {}, {"marts.m": Rule(without={"gone": "?"})})
    with pytest.raises(ValueError, match="not there: marts"):
        compare(tables, tables, {}, {}, {"marts.gone": "?"})


def test_views_and_tables_are_read(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema ledger; create schema staging; create table staging.t as select 1 as a")
        connection.execute("create view ledger.v as select a from staging.t")
    assert {name: table.to_pylist() for name, table in read(path).items()} == {"ledger.v": [{"a": 1}]}
