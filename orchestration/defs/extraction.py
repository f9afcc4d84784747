"""One asset per feed: vendor's pages into landing files, partitioned by account."""

from collections.abc import Sequence
from datetime import timedelta

import dagster as dg
from dagster import AssetExecutionContext

from connectors.errors import AuthError, BadPayload, ConnectorError, TransportFailed, UnsafeRedirect
from connectors.records import FeedSpec
from orchestration.lib.configuration import Feed
from orchestration.lib.failures import failure
from orchestration.lib.landing import IncompleteSnapshot
from orchestration.lib.lanes import feed_key
from orchestration.lib.parent_ids import wanted_ids
from orchestration.lib.reading import read_feed
from orchestration.lib.registry import Registry
from orchestration.lib.state import Batch, FeedKey
from orchestration.lib.workspace import FeedOutcome, Step, Workspace

UNAVAILABLE = frozenset({502, 503, 504})
"""What a gateway answers for a vendor that is not there: asking for its other feeds would only take time."""


def partitions(registry: Registry, vendor: str) -> dg.StaticPartitionsDefinition:
    return dg.StaticPartitionsDefinition(list(registry.accounts_of(vendor)))


def feed_assets(workspace: Workspace) -> list[dg.AssetsDefinition]:
    """An asset for every row of feeds.csv that a connector knows, of vendors with an enabled account."""
    accounts = {vendor: partitions(workspace.registry, vendor) for vendor in workspace.registry.vendors}
    return [
        _feed_asset(feed, workspace.feeds[feed.vendor][feed.entity], accounts[feed.vendor])
        for feed in workspace.registry.feeds_in_use
        if feed.entity in workspace.feeds.get(feed.vendor, {})
    ]


def _feed_asset(feed: Feed, spec: FeedSpec, accounts: dg.StaticPartitionsDefinition) -> dg.AssetsDefinition:
    @dg.asset(
        key=feed_key(feed.vendor, feed.entity),
        group_name=feed.vendor,
        partitions_def=accounts,
        kinds={"file"} if feed.vendor == "bank" else {"api"},
        description=f"Pages of {feed.vendor} {feed.entity} as they came, in immutable files; a {spec.mode} feed.",
        required_resource_keys={"workspace"},
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=feed.freshness_hours)),
        metadata={"tables": [table.name for table in spec.tables]},
        tags={f"lane/{lane}": "" for lane in sorted(feed.lanes)},
    )
    def land(context: AssetExecutionContext) -> dg.MaterializeResult[None]:
        workspace: Workspace = context.resources.workspace
        return _land(workspace, spec, FeedKey(feed.vendor, context.partition_key, feed.entity), feed, context)

    return land


def _land(
    workspace: Workspace, spec: FeedSpec, key: FeedKey, feed: Feed, context: AssetExecutionContext
) -> dg.MaterializeResult[None]:
    def on_page(received: int, declared: int | None) -> None:
        workspace.on_step(Step("extract", str(key), received, declared))

    settings, account = workspace.settings, (key.vendor, key.account)
    if feed not in workspace.registry.account_feeds(*account):
        # All feeds of a vendor have the same partitions, because Dagster reads them in one run.
        raise dg.Failure(
            description=f"{key.account} has no feed {key.entity}: feeds.csv gives it to {feed.perspective} accounts",
            allow_retries=False,
        )
    if account in workspace.down:
        workspace.journal.feeds.append(FeedOutcome(key, error=workspace.down[account]))
        raise dg.Failure(description=f"{key} was not tried: {workspace.down[account]}", allow_retries=False)
    try:
        versions = None
        if spec.ids_from is not None:
            versions = workspace.wanted_ids.get(key)
            if versions is None:  # a person picked this asset
                versions = wanted_ids(settings, [(key, spec)])[key]
        batch, outcome = read_feed(workspace, spec, key, feed, context.run.run_id, on_page=on_page, versions=versions)
    except ConnectorError as error:
        workspace.journal.feeds.append(FeedOutcome(key, error=str(error), retryable=error.retryable))
        mapped = failure(error, doing=f"read {key}", wait_seconds=settings.retry_wait_seconds)
        is_last_try = isinstance(mapped, dg.Failure) or context.retry_number > 0
        if is_last_try and (
            isinstance(error, AuthError | TransportFailed | UnsafeRedirect) or error.status in UNAVAILABLE
        ):
            workspace.down[account] = str(error)
        raise mapped from error
    except IncompleteSnapshot as error:
        workspace.journal.feeds.append(FeedOutcome(key, error=str(error), retryable=True))
        broken = BadPayload(str(error), vendor=key.vendor, call=key.entity)
        raise failure(broken, doing=f"read {key}", wait_seconds=settings.retry_wait_seconds) from error
    workspace.journal.feeds.append(outcome)
    return dg.MaterializeResult(metadata=batch_metadata(batch))


def batch_metadata(batch: Batch) -> dict[str, dg.MetadataValue]:
    """What a person sees of a reading in Dagster."""
    return {
        "batch": dg.MetadataValue.int(batch.batch),
        "pages": dg.MetadataValue.int(batch.pages),
        "dagster/row_count": dg.MetadataValue.int(batch.records_landed),
        "records_received": dg.MetadataValue.int(batch.records_received),
        "records_unchanged": dg.MetadataValue.int(batch.records_unchanged),
        "since": dg.MetadataValue.text(batch.window_since or batch.window_after or "the beginning"),
    }


def lane_selection(registry: Registry, lane: str, vendor: str, known: Sequence[str]) -> list[dg.AssetKey]:
    """Keys of the feeds that a lane reads from one vendor."""
    return [feed_key(feed.vendor, feed.entity) for feed in registry.lane_feeds(lane, vendor) if feed.entity in known]
