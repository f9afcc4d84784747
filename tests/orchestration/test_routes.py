"""Pages for the running day, files for a backlog or an empty budget."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.errors import BudgetExhausted
from connectors.records import Page, Route, Window
from orchestration.lib.routes import PlannedSource, Thresholds, plan_route

NOW = datetime(2026, 7, 3, 8, tzinfo=UTC)
FEW = Thresholds(records=100, calls_left=5)


@pytest.mark.parametrize(
    ("total", "head_room", "is_backlog", "route"),
    [
        (None, None, False, "INTERACTIVE"),
        (None, 4, False, "EXPORT"),
        (None, 5, False, "INTERACTIVE"),
        (None, None, True, "EXPORT"),
        (100, None, True, "INTERACTIVE"),
        (101, None, True, "EXPORT"),
        (1, 0, True, "EXPORT"),
    ],
)
def test_backlog_and_head_room_decide(total: int | None, head_room: int | None, is_backlog: bool, route: Route) -> None:
    assert plan_route(total, head_room, FEW, is_backlog=is_backlog) == route


@dataclass
class TwoWays:
    """A connector that notes which way it was asked; `breaks` ends the allowance after the first page."""

    total: int | None = None
    breaks: bool = False
    ways: tuple[Route, ...] = ("INTERACTIVE", "EXPORT")
    asked: list[Any] = field(default_factory=list)

    def routes(self, entity: str) -> tuple[Route, ...]:
        return self.ways

    def measure(self, entity: str, window: Window) -> int | None:
        self.asked.append("MEASURE")
        return self.total

    def pages(self, entity: str, window: Window, route: Route = "INTERACTIVE") -> Iterator[Page]:
        self.asked.append(route)
        yield Page(entity, 1, route.encode(), "https://vendor.example/", 200, NOW, 0, (), None, None)
        if self.breaks and route == "INTERACTIVE":
            raise BudgetExhausted("used up", vendor="mirakl", call="TL02", retry_after=1800.0)


def bodies(connector: TwoWays, window: Window, *, is_metered: bool = True, head_room: int | None = None) -> list[bytes]:
    source = PlannedSource(connector, now=NOW, head_room=head_room, is_metered=is_metered, thresholds=FEW)
    return [page.body for page in source.pages("orders", window)]


def test_the_running_day_is_read_without_measuring() -> None:
    connector = TwoWays(total=1_000_000)
    assert bodies(connector, Window(since=NOW - timedelta(hours=5))) == [b"INTERACTIVE"]
    assert connector.asked == ["INTERACTIVE"]


@pytest.mark.parametrize("window", [Window(), Window(since=NOW - timedelta(days=3))])
def test_a_backlog_is_measured_first(window: Window) -> None:
    assert bodies(TwoWays(total=50), window) == [b"INTERACTIVE"]
    assert bodies(TwoWays(total=5_000), window) == [b"EXPORT"]
    assert bodies(TwoWays(total=None), window) == [b"EXPORT"]


def test_a_server_that_counts_nothing_is_asked_for_files_only_when_there_is_much() -> None:
    assert bodies(TwoWays(total=None), Window(), is_metered=False) == [b"INTERACTIVE"]
    assert bodies(TwoWays(total=5_000), Window(), is_metered=False) == [b"EXPORT"]


def test_an_allowance_that_ends_in_the_middle_hands_over_to_the_export() -> None:
    connector = TwoWays(breaks=True)
    assert bodies(connector, Window(since=NOW)) == [b"INTERACTIVE", b"EXPORT"]


def test_the_only_way_is_taken() -> None:
    only_files = TwoWays(ways=("EXPORT",))
    assert bodies(only_files, Window(since=NOW)) == [b"EXPORT"]
    with pytest.raises(BudgetExhausted):
        bodies(TwoWays(ways=("INTERACTIVE",), breaks=True), Window(since=NOW))
