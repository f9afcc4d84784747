"""Which feeds of an account a lane reads now: those that the account has, that its call budget allows, that are due."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, runtime_checkable

from connectors.records import Page, Window
from orchestration.lib.landing import Landing, PageSource
from orchestration.lib.routes import PlannedSource, RoutedSource
from orchestration.lib.state import FeedKey, State
from orchestration.lib.workspace import FeedOutcome, Workspace


@dataclass(frozen=True, slots=True)
class Plan:
    """`feeds` are read, `by_id` too once their parents are loaded, `skipped` wait for a later run."""

    feeds: tuple[FeedKey, ...] = ()
    by_id: tuple[FeedKey, ...] = ()
    skipped: tuple[FeedOutcome, ...] = ()


def plan(workspace: Workspace, lane: str, vendor: str, account: str, *, is_wanted: bool = False) -> Plan:
    """What the lane reads of one account.

    `is_wanted` reads what the vendor allows rather than what it recommends: a delivery is to be verified, or a person
    asked for everything.
    """
    due: list[FeedKey] = []
    by_id: list[FeedKey] = []
    skipped: list[FeedOutcome] = []
    budget = workspace.connections.budget(vendor, account)
    for feed in workspace.registry.account_feeds(vendor, account):
        spec = workspace.feeds.get(vendor, {}).get(feed.entity)
        if spec is None or lane not in feed.lanes:
            continue
        key = FeedKey(vendor, account, feed.entity)
        waits_until = None if budget is None else budget.not_before(feed.entity, is_wanted=is_wanted)
        if waits_until is not None:
            skipped.append(FeedOutcome(key, skipped=f"not due until {waits_until:%Y-%m-%dT%H:%M:%SZ}"))
        elif spec.mode == "by_id":
            by_id.append(key)
        else:
            due.append(key)
    return Plan(tuple(due), tuple(by_id), tuple(skipped))


def source(workspace: Workspace, key: FeedKey) -> PageSource:
    """The feed's pages, by the way that suits what is to be read. Raises a ConnectorError without a connector."""
    connector = workspace.connections.connector(key.vendor, key.account)
    if not isinstance(connector, RoutedSource):
        return connector
    budget = workspace.connections.budget(key.vendor, key.account)
    return PlannedSource(
        connector,
        now=workspace.settings.clock.now(),
        head_room=None if budget is None else budget.calls_left(key.entity),
        is_metered=budget is not None,
    )


@runtime_checkable
class _LacksColumns(Protocol):
    @property
    def missing_columns(self) -> Mapping[str, tuple[str, ...]]: ...


def absent_columns(workspace: Workspace, key: FeedKey) -> tuple[str, ...]:
    """What the account turned out to lack of the feed while it was read."""
    connector = workspace.connections.connector(key.vendor, key.account)
    return connector.missing_columns.get(key.entity, ()) if isinstance(connector, _LacksColumns) else ()


class _Nothing:
    def pages(self, entity: str, window: Window) -> Iterator[Page]:
        return iter(())


def land_nothing(workspace: Workspace, keys: Iterable[FeedKey]) -> list[FeedOutcome]:
    """Note for by-id feeds without new ids that they were looked at: a feed is as fresh as its last whole batch."""
    outcomes = []
    with State(workspace.settings.state_path) as state:
        landing = Landing(workspace.settings, state, "by-id")
        for key in keys:
            spec = workspace.feeds[key.vendor][key.entity]
            landing.land(spec, key.account, _Nothing(), overlap=timedelta(), versions={})
            outcomes.append(FeedOutcome(key))
    return outcomes
