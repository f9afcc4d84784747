"""What docs/benchmarks.md and docs/capacity.md say of the suite comes from the figures in docs/measurements, and from
nowhere else.
"""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from benchmarks import capacity, suite_page
from benchmarks.layers import LAYERS
from benchmarks.suite import lines_of
from benchmarks.suite_charts import growth, peers

FOUND, DIGESTS = suite_page.read(suite_page.MEASUREMENTS)


@pytest.mark.parametrize(
    ("page", "part"), [("benchmarks.md", suite_page.text), ("capacity.md", capacity.text)], ids=["figures", "capacity"]
)
def test_the_generated_parts_are_what_the_figures_make(page: str, part: Any) -> None:
    shown = (suite_page.DOCS / page).read_text(encoding="utf-8")
    assert FOUND, "there are measurements"
    assert shown == suite_page.marked(shown, part(FOUND), DIGESTS), "python -m benchmarks.suite_page"
    for name, digest in DIGESTS.items():
        assert f"sha256 of {name}: {digest}" in shown


def test_another_figure_is_another_page_and_another_digest(tmp_path: Path) -> None:
    (tmp_path / "bench-1k.json").write_text(json.dumps(FOUND[0]))
    _, digests = suite_page.read(tmp_path)
    assert set(digests.values()).isdisjoint(DIGESTS.values())
    changed = deepcopy(FOUND)
    changed[-1]["matching"]["cold"]["processor_seconds"] += 1000
    assert suite_page.text(changed) != suite_page.text(FOUND)
    assert capacity.text(changed) != capacity.text(FOUND)


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="does not hold"):
        suite_page.marked("# Benchmarks\n", "text", {})


def test_every_layer_of_a_build_has_a_name_on_the_page() -> None:
    assert set(suite_page.LAYERS) == set(LAYERS)
    assert {row["stage"] for row in suite_page.stages(FOUND[-1])} >= set(suite_page.LAYERS.values())


def test_charts_are_drawn_of_every_size() -> None:
    assert all(one["size"].encode() in growth(FOUND) for one in FOUND)
    assert b"polars" in peers([one for one in FOUND if "peers" in one.get("reconciling", {})])


@pytest.mark.parametrize(("size", "lines"), [("100k", 100_000), ("1m", 1_000_000), ("30M", 30_000_000)])
def test_a_size_is_a_number_of_lines(size: str, lines: int) -> None:
    assert lines_of(size) == lines


def test_no_size_is_guessed() -> None:
    with pytest.raises(ValueError, match="no size"):
        lines_of("large")


def test_a_cost_between_and_beyond_sizes_is_a_fixed_part_and_a_part_per_line() -> None:
    assert capacity.line_through([(100.0, 20.0)], 1000.0) == 200.0
    assert capacity.line_through([(100.0, 20.0), (200.0, 30.0)], 1000.0) == 110.0
    assert capacity.line_through([(100.0, 20.0), (200.0, 19.0)], 1000.0) == 19.0, "noise is no gain"


def test_a_plan_says_what_was_not_measured() -> None:
    most = max(found["matching"]["transaction_lines"] for found in FOUND if "matching" in found)
    orders = most // (capacity.LINES_AN_ORDER * capacity.DAYS)
    small, near = capacity.plan(orders, FOUND), capacity.plan(orders * 5, FOUND)
    assert (small.is_measured, near.is_measured) == (True, False)
    assert near.disk_bytes is not None
    assert small.disk_bytes is not None
    assert near.disk_bytes > small.disk_bytes
    far = capacity.plan(orders * 1_000_000, FOUND)
    assert (far.disk_bytes, far.build_seconds, far.cores) == (None, None, None)
    assert far.erp_hours_a_day > 24, "the ERP is the limit"
    with pytest.raises(ValueError, match="no result"):
        capacity.plan(1, [{"size": "1k", "lines": 1000}])
