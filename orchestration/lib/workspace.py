"""What every step of a run works with, and where it writes down what it did."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime

from connectors.feeds import REGISTRY
from orchestration.lib.connections import Connections, ConnectionSource
from orchestration.lib.dbt import DbtResult
from orchestration.lib.decoding import Feeds
from orchestration.lib.loading import LoadResult, Mismatch
from orchestration.lib.publish import Published
from orchestration.lib.registry import Registry, load_registry
from orchestration.lib.settings import Settings
from orchestration.lib.state import FeedKey
from orchestration.outbox import DeliverResult, PolicyResult, ProposeResult


@dataclass(frozen=True, slots=True)
class FeedOutcome:
    """One feed of one account in one run, in records. `error` is None when it was read whole, or not due."""

    feed: FeedKey
    received: int = 0
    landed: int = 0
    unchanged: int = 0
    declared: int | None = None
    error: str | None = None
    retryable: bool = False
    skipped: str | None = None
    """Why it was not read in this run; nothing is wrong then."""
    absent: tuple[str, ...] = ()
    """The vendor's columns that the account does not have (a feature is off): they are null."""


@dataclass(frozen=True, slots=True)
class Step:
    """Progress of a run: `stage` is extract, load, transform, publish, propose or deliver; `total` is None when
    unknown.
    """

    stage: str
    detail: str
    done: int
    total: int | None


@dataclass
class Journal:
    """What happened, in order. Steps append; `run_lane` reads."""

    feeds: list[FeedOutcome] = field(default_factory=list)
    loads: list[LoadResult] = field(default_factory=list)
    noted_loads: int = 0
    """How many of them Dagster has been told of."""
    mismatches: list[Mismatch] = field(default_factory=list)
    builds: list[DbtResult] = field(default_factory=list)
    published: Published | None = None
    proposals: list[ProposeResult] = field(default_factory=list)
    decisions: list[PolicyResult] = field(default_factory=list)
    deliveries: list[DeliverResult] = field(default_factory=list)
    """One of each per round of proposing and delivering."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Time spent per stage, over all passes."""


def _silent(step: Step) -> None:
    """The default: nobody watches."""


@dataclass
class Workspace:
    """The Dagster resource `workspace`. Built once per run; `journal` is the only part that changes."""

    settings: Settings
    registry: Registry
    connections: ConnectionSource
    feeds: Feeds = field(default_factory=lambda: REGISTRY)
    on_step: Callable[[Step], None] = _silent
    kinds: frozenset[str] | None = None
    """Kinds of action this run may propose and deliver; None: all. A lane has fresh data for its own kinds."""
    targets: tuple[str, ...] = ()
    """The models that this run is for: they and what they hang on are built. None named: all."""
    summaries: tuple[str, ...] = ()
    """Models that are built with `targets`, but not what they hang on."""
    built_as_of: datetime | None = None
    """The clock of the first build; a second one keeps it, so that all models of a run speak of one moment."""
    journal: Journal = field(default_factory=Journal)
    wanted_ids: dict[FeedKey, dict[str, str]] = field(default_factory=dict)
    """What by-id feeds are read for in this run, with the versions of the ids' parents."""
    down: dict[tuple[str, str], str] = field(default_factory=dict)
    """Accounts (vendor, account) that cannot be reached or do not let us in, and why: their other feeds are not
    tried.
    """

    def reading(self, feed: FeedKey) -> AbstractContextManager[None]:
        """Calls made in the block count as a reading of the feed, where calls are counted."""
        budget = self.connections.budget(feed.vendor, feed.account)
        return nullcontext() if budget is None else budget.reading(feed.entity)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the block's duration to the stage's."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.journal.seconds[stage] = self.journal.seconds.get(stage, 0.0) + time.monotonic() - began

    @classmethod
    def open(cls, settings: Settings) -> Workspace:
        """From the configuration folder and the environment. Raises ConfigInvalid."""
        registry = load_registry(settings.config_dir)
        return cls(settings, registry, Connections(registry, settings))
