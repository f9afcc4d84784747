"""The Dagster code location: `dagster dev -m orchestration.definitions`.

Loading it needs neither a network nor the warehouse: the configuration folder and the dbt project are read, nothing
is opened.
"""

from __future__ import annotations

import dagster as dg

from orchestration.defs.automation import schedules, sensors
from orchestration.defs.checks import freshness_checks
from orchestration.defs.delivery import outbox_assets
from orchestration.defs.extraction import feed_assets
from orchestration.defs.jobs import jobs
from orchestration.defs.loading import loading_assets
from orchestration.defs.publication import published_marts
from orchestration.defs.transformation import dbt_definitions
from orchestration.lib.dbt import ensure_manifest
from orchestration.lib.settings import Settings
from orchestration.lib.workspace import Workspace


def build(workspace: Workspace) -> dg.Definitions:
    """Everything Dagster knows of Tieout, for one configuration folder."""
    loading = loading_assets(workspace)
    models = dbt_definitions(workspace, ensure_manifest(workspace.settings))
    marts = sorted(key for key in models.keys if key.path[0] == "marts")
    actions = sorted(key for key in models.keys if key.path[0] == "actions")
    return dg.Definitions(
        assets=[*feed_assets(workspace), *loading, models, published_marts(marts), *outbox_assets(actions)],
        asset_checks=freshness_checks(workspace),
        jobs=jobs(workspace, loading, models),
        schedules=schedules(workspace),
        sensors=sensors(workspace),
        resources={"workspace": workspace},
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Built when Dagster asks, so that importing this module for `build` costs nothing."""
    return build(Workspace.open(Settings()))
