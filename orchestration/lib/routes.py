"""Which way a feed's records come: page by page, or as files that the vendor prepares.

Pages are for the running day, files for a backlog: a first load, a feed that stood still for days, or an allowance
that is nearly used up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from connectors.errors import BudgetExhausted
from connectors.records import Page, Route, Window

RUNNING_DAY = timedelta(days=1)
"""A window that begins later is read page by page without asking how much there is."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """`records` is a hundred pages of the smallest size; `calls_left` the least that is worth beginning with."""

    records: int = 10_000
    calls_left: int = 5


@runtime_checkable
class RoutedSource(Protocol):
    """A connector that knows several ways to the same records."""

    def routes(self, entity: str) -> tuple[Route, ...]: ...

    def pages(self, entity: str, window: Window, route: Route = "INTERACTIVE") -> Iterator[Page]: ...

    def measure(self, entity: str, window: Window) -> int | None: ...


def plan_route(total: int | None, head_room: int | None, thresholds: Thresholds, *, is_backlog: bool) -> Route:
    """The route for a window of `total` records (None: the vendor does not say) with `head_room` calls left (None: no
    limit is known).
    """
    if head_room is not None and head_room < thresholds.calls_left:
        return "EXPORT"
    if not is_backlog:
        return "INTERACTIVE"
    return "EXPORT" if total is None or total > thresholds.records else "INTERACTIVE"


class PlannedSource:
    """A connector's pages by the route that suits the window, for landing.

    `is_metered` is False for a server whose calls nobody counts: a backlog of unknown size is then read page by page,
    because waiting for files would save nothing.
    """

    def __init__(
        self,
        connector: RoutedSource,
        *,
        now: datetime,
        head_room: int | None,
        is_metered: bool,
        thresholds: Thresholds | None = None,
    ) -> None:
        self._connector = connector
        self._now = now
        self._head_room = head_room
        self._is_metered = is_metered
        self._thresholds = thresholds or Thresholds()

    def pages(self, entity: str, window: Window) -> Iterator[Page]:
        """The pages, lazily. When the allowance ends in the middle, the rest comes as files, from the beginning."""
        routes = self._connector.routes(entity)
        if len(routes) == 1:
            yield from self._connector.pages(entity, window, routes[0])
            return
        route = self._route(entity, window)
        try:
            yield from self._connector.pages(entity, window, route)
        except BudgetExhausted:
            if route == "EXPORT":
                raise
            yield from self._connector.pages(entity, window, "EXPORT")

    def _route(self, entity: str, window: Window) -> Route:
        is_backlog = window.since is None or self._now - window.since > RUNNING_DAY
        total = self._connector.measure(entity, window) if is_backlog else None
        if total is None and not self._is_metered:
            return "INTERACTIVE"
        return plan_route(total, self._head_room, self._thresholds, is_backlog=is_backlog)
