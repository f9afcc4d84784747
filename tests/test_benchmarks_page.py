"""The section of the close is written from a result, between its marks."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.page import BEGIN, END, PAGE, section, written

FOUND: dict[str, Any] = {
    "machine": {"cores": 2, "processor": "Any", "python": "3.11.7"},
    "commit": "abc1234",
    "date": "2026-11-22",
    "month_lines": 500_337,
    "seconds": 10.86,
    "peak_bytes": 739_207_168,
    "close_rows": 574_009,
    "close_pack_bytes": 8_894_641,
    "close_seconds": {"read": 0.12, "pack": 6.51, "verify": 2.08},
}


def test_a_result_is_written_between_the_marks_and_nothing_else_changes() -> None:
    page = PAGE.read_text(encoding="utf-8")
    changed = written(page, section(FOUND))
    before, _, rest = changed.partition(BEGIN)
    shown, _, after = rest.partition(END)
    assert page.startswith(before)
    assert page.endswith(after)
    assert "One month of 500,337 settlement lines" in shown
    assert "574,009 rows as Parquet and CSV, workbook, hashes; 8.9 MB | 6.5 s |" in shown
    assert "| its memory at the most | 0.74 GB |" in shown


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="does not hold"):
        written("# Benchmarks\n", "text")
