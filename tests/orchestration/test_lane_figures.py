"""How `make bench-lanes` counts: waits from arrivals and ends, never better than they were."""

from __future__ import annotations

import pytest

from benchmarks.lanes import percentile, shares


@pytest.mark.parametrize(
    ("values", "percent", "wanted"),
    [([5.0], 95, 5.0), ([1.0, 2.0, 3.0, 4.0], 50, 2.0), ([4.0, 1.0, 3.0, 2.0], 95, 4.0), ([1.0, 2.0], 0, 1.0)],
)
def test_a_percentile_is_a_value_that_was_measured(values: list[float], percent: int, wanted: float) -> None:
    assert percentile(values, percent) == wanted


def test_of_nothing_there_is_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_each_order_waits_from_its_own_arrival() -> None:
    arrivals = {f"O{number}": float(number) for number in range(20)}
    ends = {order: arrived + 10 for order, arrived in arrivals.items()} | {"O3": 43.0}
    assert shares(arrivals, ends) == {"p50": 10.0, "p95": 10.0, "longest": 40.0}


def test_an_order_without_an_end_is_no_figure() -> None:
    with pytest.raises(KeyError):
        shares({"O1": 0.0}, {})
