"""How the suite reads its sizes and draws its costs beyond them."""

from __future__ import annotations

import pytest

from benchmarks import capacity, suite_page
from benchmarks.layers import LAYERS
from benchmarks.suite import lines_of


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="does not hold"):
        suite_page.marked("# Benchmarks\n", "text", {})


def test_every_layer_of_a_build_has_a_name_on_the_page() -> None:
    assert set(suite_page.LAYERS) == set(LAYERS)


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
