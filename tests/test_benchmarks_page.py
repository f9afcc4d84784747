"""The page of benchmarks is written from a result, between its marks."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.page import BEGIN, END, MARKS, PAGE, section, written

RUN = {"seconds": 12.34, "peak_bytes": 1_500_000_000, "processor_seconds": 20.0}
FOUND: dict[str, Any] = {
    "machine": {"cores": 2, "processor": "Any", "python": "3.11.7"},
    "commit": "abc1234",
    "date": "2026-11-22",
    "transaction_lines": 500_000,
    "orders": 50_000,
    "sellers": 20,
    "raw_bytes": 75_000_000,
    "warehouse_bytes": 400_000_000,
    "cold": {**RUN, "models": 273, "tests": 384, "slowest": {"model rec_orders": 2.5}},
    "publish": {**RUN, "published_bytes": 50_000_000, "parquet_bytes": 5_000_000},
    "change": {**RUN, "seconds": 10.0},
    "changed_lines": 1_500,
    "change_to_cold": 0.81,
    "marts_that_differ": ["drift"],
}


def test_a_result_is_written_between_the_marks_and_nothing_else_changes() -> None:
    page = PAGE.read_text(encoding="utf-8")
    changed = written(page, section(FOUND))
    before, _, rest = changed.partition(BEGIN)
    shown, _, after = rest.partition(END)
    assert page.startswith(before)
    assert page.endswith(after)
    assert "| all models and tests, cold | 12.3 | 20.0 | 1.50 GB |" in shown
    assert "raw 150 MB, the warehouse with it 800 MB" in shown
    assert "81% of the cold time by the clock, 100% of its processor seconds; marts that differ" in shown
    assert "from a build from nothing: drift." in shown
    assert "| `rec_orders` | 2.5 |" in shown


def test_the_close_of_a_month_has_marks_of_its_own() -> None:
    found = {
        **{name: FOUND[name] for name in ("machine", "commit", "date")},
        "month_lines": 500_337,
        "seconds": 10.86,
        "peak_bytes": 739_207_168,
        "close_rows": 574_009,
        "close_pack_bytes": 8_894_641,
        "close_seconds": {"read": 0.12, "pack": 6.51, "verify": 2.08},
    }
    page = PAGE.read_text(encoding="utf-8")
    changed = written(page, section(found, "close"), "close")
    _, _, rest = changed.partition(MARKS["close"][0])
    shown, _, after = rest.partition(MARKS["close"][1])
    assert page.endswith(after)
    assert "One month of 500,337 settlement lines" in shown
    assert "574,009 rows as Parquet and CSV, workbook, hashes; 8.9 MB | 6.5 s |" in shown
    assert "| its memory at the most | 0.74 GB |" in shown


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="does not hold"):
        written("# Benchmarks\n", "text")
