"""One feed of one account, from the vendor into landing: what a Dagster asset does, and a look that needs no run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from connectors.records import FeedSpec
from orchestration.lib.configuration import Feed
from orchestration.lib.landing import Landing
from orchestration.lib.planning import absent_columns, source
from orchestration.lib.state import Batch, FeedKey, State
from orchestration.lib.workspace import FeedOutcome, Workspace


def _unwatched(received: int, declared: int | None) -> None:
    """The default: nobody watches."""


def read_feed(
    workspace: Workspace,
    spec: FeedSpec,
    key: FeedKey,
    feed: Feed,
    run_id: str,
    *,
    on_page: Callable[[int, int | None], None] = _unwatched,
    versions: Mapping[str, str] | None = None,
) -> tuple[Batch, FeedOutcome]:
    """Land what is new of the feed. Raises a ConnectorError, and IncompleteSnapshot for a listing that never stood
    still.
    """
    pages = source(workspace, key)
    with workspace.reading(key), State(workspace.settings.state_path) as state:
        batch = Landing(workspace.settings, state, run_id).land(
            spec,
            key.account,
            pages,
            overlap=timedelta(minutes=feed.overlap_minutes),
            on_page=on_page,
            versions=None if versions is None else dict(versions),
        )
    outcome = FeedOutcome(
        batch.feed,
        received=batch.records_received,
        landed=batch.records_landed,
        unchanged=batch.records_unchanged,
        declared=batch.declared_count,
        absent=absent_columns(workspace, key),
    )
    return batch, outcome
