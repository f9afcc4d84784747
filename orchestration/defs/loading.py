"""Landed files into the warehouse's raw tables, and the outbox's state beside them. Every count is proved here."""

from collections.abc import Iterator

import dagster as dg
from dagster import AssetExecutionContext

from orchestration.lib.call_usage import replace_call_usage
from orchestration.lib.lanes import LOADED_MANIFEST, feed_key, loaded_key
from orchestration.lib.loading import Mismatch, load, proved_counts, replace_outbox_actions
from orchestration.lib.warehouse import connect
from orchestration.lib.workspace import Step, Workspace
from orchestration.outbox import Outbox

WAREHOUSE = "warehouse"
"""The pool with one slot: DuckDB lets one process open the file."""

OUTBOX_KEY = dg.AssetKey(["loaded", "tieout", "outbox_actions"])
COUNTS_CHECK = "counts_are_proved"


def loading_assets(workspace: Workspace) -> list[dg.AssetsDefinition]:
    feeds = [
        (feed.vendor, feed.entity)
        for feed in workspace.registry.feeds_in_use
        if feed.entity in workspace.feeds.get(feed.vendor, {})
    ]
    keys = {f"{vendor}/{entity}": loaded_key(vendor, entity) for vendor, entity in feeds}

    @dg.multi_asset(
        name="load_raw_tables",
        specs=[
            *(
                dg.AssetSpec(
                    key,
                    deps=[feed_key(*name.split("/"))],
                    group_name="loaded",
                    kinds={"duckdb"},
                    description=f"raw tables of {name}: every version received, beside its place in the landing files.",
                )
                for name, key in keys.items()
            ),
            dg.AssetSpec(
                LOADED_MANIFEST,
                deps=[feed_key(*name.split("/")) for name in keys],
                group_name="loaded",
                kinds={"duckdb"},
                description="What was landed, loaded and quarantined, file by file.",
            ),
        ],
        check_specs=[
            dg.AssetCheckSpec(
                COUNTS_CHECK,
                asset=key,
                description="declared = received = landed + unchanged; landed = raw rows + duplicates + quarantined",
            )
            for key in keys.values()
        ],
        pool=WAREHOUSE,
        can_subset=True,
        required_resource_keys={"workspace"},
    )
    def load_raw_tables(context: AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        workspace: Workspace = context.resources.workspace

        def on_progress(done: int, total: int) -> None:
            workspace.on_step(Step("load", "raw tables", done, total))

        # Opening the file costs a tenth of a second each time, because its catalogue is read.
        with workspace.timed("load"), connect(workspace.settings):
            result = load(workspace.settings, feeds=workspace.feeds, on_progress=on_progress)
            mismatches = proved_counts(workspace.settings)
            replace_call_usage(workspace.settings, workspace.connections.usage())
        journal = workspace.journal
        journal.loads.append(result)
        journal.mismatches[:] = mismatches
        new, journal.noted_loads = journal.loads[journal.noted_loads :], len(journal.loads)
        selected, checked = context.selected_asset_keys, context.selected_asset_check_keys
        for name, key in keys.items():
            if key not in selected:  # loaded and counted all the same: a lane notes what it read
                continue
            counts = [
                count for load in new for count in load.feeds if f"{count.feed.vendor}/{count.feed.entity}" == name
            ]
            is_checked = dg.AssetCheckKey(key, COUNTS_CHECK) in checked
            yield dg.MaterializeResult(
                asset_key=key,
                metadata={
                    "inserted": sum(count.inserted for count in counts),
                    "duplicates": sum(count.duplicates for count in counts),
                    "quarantined": sum(count.quarantined for count in counts),
                },
                check_results=[_counts_check(key, name, mismatches)] if is_checked else [],
            )
        if LOADED_MANIFEST not in selected:
            return
        yield dg.MaterializeResult(
            asset_key=LOADED_MANIFEST,
            metadata={
                "files": result.files,
                "unknown_fields": len(result.unknown_fields),
                "unknown_values": len(result.unknown_values),
            },
        )

    @dg.asset(
        key=OUTBOX_KEY,
        group_name="loaded",
        kinds={"duckdb"},
        description="The outbox's actions, people's decisions and closed periods as they stand before the models run.",
        pool=WAREHOUSE,
        required_resource_keys={"workspace"},
        # One process holds the warehouse at a time; the order keeps two steps of a run from waiting for each other.
        deps=[LOADED_MANIFEST],
    )
    def copy_outbox(context: AssetExecutionContext) -> dg.MaterializeResult[None]:
        workspace: Workspace = context.resources.workspace
        settings = workspace.settings
        outbox = Outbox(settings.outbox_address, settings.clock)
        try:
            snapshot, decisions, closes = outbox.snapshot(), outbox.decisions.snapshot(), outbox.closing.snapshot()
        finally:
            outbox.close()
        replace_outbox_actions(settings, snapshot, decisions, closes)
        return dg.MaterializeResult(metadata={"dagster/row_count": snapshot.num_rows})

    return [load_raw_tables, copy_outbox]


def _counts_check(key: dg.AssetKey, feed: str, mismatches: list[Mismatch]) -> dg.AssetCheckResult:
    vendor, entity = feed.split("/")
    mine = [one for one in mismatches if one.feed.startswith(f"{vendor}/") and one.feed.endswith(f"/{entity}")]
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=COUNTS_CHECK,
        passed=not mine,
        severity=dg.AssetCheckSeverity.ERROR if any(one.is_error for one in mine) else dg.AssetCheckSeverity.WARN,
        description="; ".join(f"{one.feed}: {one}" for one in mine) or None,
    )
