"""The dbt project as assets: a group per folder, a check per test, built in this process."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
from dagster import AssetExecutionContext
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject, dbt_assets

from orchestration.defs.loading import OUTBOX_KEY, WAREHOUSE
from orchestration.lib import building, dbt
from orchestration.lib.asset_keys import gather_once
from orchestration.lib.decoding import Feeds
from orchestration.lib.lanes import LOADED_MANIFEST, loaded_key
from orchestration.lib.workspace import Step, Workspace

gather_once()

UNIQUE_ID = "dagster_dbt/unique_id"
EXCEPTIONS_WITHIN = timedelta(hours=26)
"""The mart `exceptions` must be this young: one morning's run may fail before anybody is told by the clock."""

Event = dg.MaterializeResult[None] | dg.AssetCheckResult

_kept: list[tuple[tuple[Path, int, Feeds], dg.AssetsDefinition]] = []
"""The last definitions and what they were made of."""


class Translator(DagsterDbtTranslator):
    """Groups are the folders below models/; sources are the assets that load them."""

    def __init__(self, feeds: Feeds) -> None:
        # Several raw tables come from one feed, so several sources have one key on purpose.
        super().__init__(settings=DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True))
        self._feed_of_table = {
            table.name: loaded_key(vendor, entity)
            for vendor, entities in feeds.items()
            for entity, spec in entities.items()
            for table in spec.tables
        }

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        spec = super().get_asset_spec(manifest, unique_id, project)
        properties = self.get_resource_props(manifest, unique_id)
        if properties["resource_type"] == "source":
            return spec.replace_attributes(key=self._source_key(str(properties["name"])))
        spec = spec.replace_attributes(group_name=_group(properties))
        if properties["name"] == "exceptions":
            policy = dg.FreshnessPolicy.time_window(fail_window=EXCEPTIONS_WITHIN)
            return spec.replace_attributes(freshness_policy=policy)
        return spec

    def _source_key(self, table: str) -> dg.AssetKey:
        if table in ("outbox_actions", "tieout_decisions", "tieout_close_events", "tieout_closed_figures"):
            return OUTBOX_KEY
        return self._feed_of_table.get(table, LOADED_MANIFEST)


def _group(properties: Mapping[str, Any]) -> str:
    """The first folder: staging, ledger, matching, marts, actions; `config` for the seeds."""
    if properties["resource_type"] == "seed":
        return "config"
    folders = Path(str(properties["path"])).parent.parts
    return folders[0] if folders else "models"


def dbt_definitions(workspace: Workspace, manifest: Path) -> dg.AssetsDefinition:
    """Kept while the project stays the same: a run of a lane has been loaded with the definitions already, and making
    them anew takes it more than a second.
    """
    feeds = {vendor: dict(entities) for vendor, entities in workspace.feeds.items()}
    mark = (manifest, manifest.stat().st_mtime_ns, feeds)
    if not _kept or _kept[0][0] != mark:
        _kept[:] = [(mark, _dbt_definitions(feeds, manifest))]
    return _kept[0][1]


def _dbt_definitions(feeds: Feeds, manifest: Path) -> dg.AssetsDefinition:
    translator = Translator(feeds)
    content = json.loads(manifest.read_text(encoding="utf-8"))

    @dbt_assets(
        manifest=content,
        dagster_dbt_translator=translator,
        name="dbt_models",
        pool=WAREHOUSE,
        required_resource_keys={"workspace"},
    )
    def dbt_models(context: AssetExecutionContext) -> Iterator[Event]:
        workspace: Workspace = context.resources.workspace
        definition = context.assets_def
        keys = {spec.metadata[UNIQUE_ID]: spec.key for spec in definition.specs if UNIQUE_ID in spec.metadata}
        checks = {
            spec.metadata[UNIQUE_ID]: spec.key
            for spec in definition.check_specs
            if spec.metadata and UNIQUE_ID in spec.metadata
        }
        selected = context.selected_asset_keys
        workspace.built_as_of = workspace.built_as_of or workspace.settings.clock.now()
        settings = workspace.settings.model_copy(update={"as_of": workspace.built_as_of})
        with workspace.timed("transform"):
            on_node = _counted(workspace, len(selected))
            if workspace.targets or selected == set(keys.values()):
                aims = {"targets": workspace.targets, "summaries": workspace.summaries}
                result = building.build(settings, **aims, on_node=on_node)
            else:  # what a person picked is built, whether it changed or not
                names = sorted(unique_id.split(".")[2] for unique_id, key in keys.items() if key in selected)
                result = dbt.build(settings, select=names, on_node=on_node)
        workspace.journal.builds.append(result)
        yield from _events(result, keys, checks, selected, context.selected_asset_check_keys)
        if result.error is not None:
            raise dg.Failure(description=f"dbt stopped: {result.error}", allow_retries=False)
        if result.failures:
            lines = [f"{node.resource_type} {node.name}: {node.message}" for node in result.failures]
            raise dg.Failure(description="dbt reports failures:\n" + "\n".join(lines), allow_retries=False)

    return dbt_models


def _counted(workspace: Workspace, models: int) -> Callable[[dbt.NodeResult], None]:
    done = 0

    def on_node(node: dbt.NodeResult) -> None:
        nonlocal done
        if node.resource_type in ("model", "seed"):
            done += 1
            workspace.on_step(Step("transform", node.name, done, models))

    return on_node


def _events(
    result: dbt.DbtResult,
    keys: Mapping[str, dg.AssetKey],
    checks: Mapping[str, dg.AssetCheckKey],
    selected: set[dg.AssetKey],
    selected_checks: set[dg.AssetCheckKey],
) -> Iterator[Event]:
    """What dbt did, in Dagster's words: built models first, because a check belongs to something that is there."""
    for node in result.nodes:
        key = keys.get(node.unique_id)
        if key is not None and key in selected and node.status == "success":
            yield dg.MaterializeResult(asset_key=key, metadata={"seconds": node.seconds})
    for node in result.nodes:
        check = checks.get(node.unique_id)
        if check is None or check not in selected_checks or node.status == "skipped":
            continue
        severity = dg.AssetCheckSeverity.WARN if node.status == "warn" else dg.AssetCheckSeverity.ERROR
        yield dg.AssetCheckResult(
            asset_key=check.asset_key,
            check_name=check.name,
            passed=node.status == "pass",
            severity=severity,
            description=node.message,
            metadata={"failing_rows": node.failures or 0},
        )
