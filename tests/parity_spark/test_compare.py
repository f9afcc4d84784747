"""The comparison of two engines' marts sees what it must see."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.parity_spark.compare import compare, report

ROWS = """
    select * from (values
        ('BRICO', cast(10.50 as decimal(18, 2)), timestamp '2026-07-01 08:00:00'),
        ('BRICO', cast(10.50 as decimal(18, 2)), timestamp '2026-07-01 08:00:00'),
        ('PLAZA', null, null)
    ) as rows_of_a_mart (marketplace_code, amount, seen_at)
"""


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts")
        connection.execute(f"create table marts.drift as {ROWS}")
    return path


def differences(warehouse: Path, selected: str, name: str = "marts.drift") -> tuple[int, str]:
    """What is found when the other engine wrote `selected`; its times are instants."""
    folder = warehouse.parent / "tables"
    folder.mkdir()
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"create table drift as {selected}")
        connection.execute("alter table drift alter seen_at type timestamptz using seen_at::timestamptz")
        connection.execute(f"copy drift to '{folder / name}.parquet'")
    compared = compare(warehouse, folder)
    return sum(each.differences for each in compared), report(compared, "sail")


def test_equal_tables_differ_in_nothing_whatever_the_order_of_their_rows(warehouse: Path) -> None:
    count, text = differences(warehouse, f"from ({ROWS}) order by marketplace_code desc")
    assert count == 0, text
    assert text.endswith("1 tables compared, 3 rows: 0 differences")


@pytest.mark.parametrize(
    ("selected", "shown"),
    [
        (f"select * replace (cast(coalesce(amount, 0.01) as decimal(18, 2)) as amount) from ({ROWS})", "0.01"),
        (f"select * replace (seen_at + interval 1 second as seen_at) from ({ROWS})", "8, 0, 1"),
        (f"select distinct * from ({ROWS})", "DuckDB only"),
        (f"from ({ROWS}) union all (from ({ROWS}) limit 1)", "sail only"),
        (f"select * replace (cast(amount as decimal(20, 2)) as amount) from ({ROWS})", "DECIMAL(20,2)"),
        (f"select *, 1 as more from ({ROWS})", "other columns"),
    ],
    ids=["a penny", "a second", "a row less", "a row twice", "another type", "another column"],
)
def test_what_differs_is_counted_and_shown(warehouse: Path, selected: str, shown: str) -> None:
    count, text = differences(warehouse, selected)
    assert count > 0
    assert shown in text


def test_a_table_that_one_side_lacks_is_a_difference(warehouse: Path) -> None:
    count, text = differences(warehouse, ROWS, name="marts.other")
    assert count == 2
    assert "is missing on DuckDB" in text
    assert "is missing on the other engine" in text
