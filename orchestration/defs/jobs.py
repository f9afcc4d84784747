"""The jobs a lane is made of, and the job of each lane.

A lane's own job is one step that calls `run_lane`, as the command line does: a Dagster run costs seconds before it
does anything, and the order of the steps, with one broken account stopping only itself, is then written down once.
The steps are runs of the jobs below it, with their own assets, checks and logs.
"""

from typing import Any

import dagster as dg
from dagster import OpExecutionContext

from orchestration.defs.delivery import DELIVERIES_KEY, PROPOSALS_KEY
from orchestration.defs.extraction import lane_selection
from orchestration.defs.loading import OUTBOX_KEY
from orchestration.defs.publication import PUBLISHED_KEY
from orchestration.lib.completeness import check_ids
from orchestration.lib.lanes import (
    LANE_MODELS,
    LANES,
    LOAD_JOB,
    SUMMARIES,
    TOLD,
    extract_job,
    run_lane,
    transform_job,
)
from orchestration.lib.workspace import Workspace

Job = Any  # a JobDefinition, or what define_asset_job returns, which Dagster does not export


def jobs(workspace: Workspace, loading: list[dg.AssetsDefinition], models: dg.AssetsDefinition) -> list[Job]:
    found: list[Job] = []
    for lane in LANES:
        for vendor in workspace.registry.vendors:
            keys = lane_selection(workspace.registry, lane, vendor, list(workspace.feeds.get(vendor, {})))
            if keys:
                found.append(
                    dg.define_asset_job(
                        extract_job(lane, vendor),
                        selection=dg.AssetSelection.assets(*keys).without_checks(),
                        description=f"Reads the {lane} lane's feeds of one {vendor} account.",
                    )
                )
        found.append(
            dg.define_asset_job(
                transform_job(lane),
                selection=dg.AssetSelection.assets(OUTBOX_KEY) | _models_of(lane, models),
                description="Copies the outbox's state into the warehouse and builds the models; loading comes first.",
            )
        )
        found.append(_lane_job(lane))
    found.append(
        dg.define_asset_job(
            LOAD_JOB,
            selection=dg.AssetSelection.assets(loading[0]),
            description="Loads what was landed. A lane notes the feeds that it read; all are loaded.",
        )
    )
    found.append(
        # Not part of the transformation: Dagster skips a step when an asset before it was not built again.
        dg.define_asset_job(
            "publish",
            selection=dg.AssetSelection.assets(PUBLISHED_KEY),
            description="Copies the marts out, if one of them changed.",
        )
    )
    found.append(
        dg.define_asset_job(
            "deliver",
            selection=dg.AssetSelection.assets(PROPOSALS_KEY, DELIVERIES_KEY),
            description="Proposes what the models want, approves by policy, sends and reads back.",
        )
    )
    found.append(
        dg.define_asset_job(
            "freshness",
            selection=dg.AssetSelection.checks(*_freshness_keys(workspace)),
            description="Asks for every account whether its feeds were read in time.",
        )
    )
    found.append(_id_check_job())
    return found


def _models_of(lane: str, models: dg.AssetsDefinition) -> dg.AssetSelection:
    """The models that the lane may build: Dagster plans, notes and asks for every asset of a job, built or not. The
    same goes for tests, of which a lane that names its models runs only theirs.
    """
    everything = dg.AssetSelection.assets(models)
    aims = [key for key in models.keys if key.path[-1] in LANE_MODELS.get(lane, ())]
    if not aims:
        return everything
    summaries = [key for key in models.keys if key.path[-1] in SUMMARIES]
    built = (dg.AssetSelection.assets(*aims).upstream() & everything) | dg.AssetSelection.assets(*summaries)
    return built.without_checks() | dg.AssetSelection.checks_for_assets(*aims, *summaries)


def _id_check_job() -> dg.JobDefinition:
    @dg.op(name="compare_ids_with_vendors", required_resource_keys={"workspace"})
    def compare(context: OpExecutionContext) -> None:
        found, problems = check_ids(Workspace.open(context.resources.workspace.settings))
        for check in found:
            context.log.info(str(check))
        if problems:
            raise dg.Failure(description="\n".join(problems), allow_retries=False)

    @dg.job(
        name="id_checks",
        description="Reads the last weeks' ids anew and compares them with what is here; what was missing is loaded.",
    )
    def id_check_job() -> None:
        compare()

    return id_check_job


def _freshness_keys(workspace: Workspace) -> list[dg.AssetCheckKey]:
    from orchestration.defs.checks import freshness_checks

    return [key for check in freshness_checks(workspace) for key in check.check_keys]


def _lane_job(lane: str) -> dg.JobDefinition:
    @dg.op(name=f"run_{lane}_lane", required_resource_keys={"workspace"})
    def run(context: OpExecutionContext) -> None:
        workspace: Workspace = context.resources.workspace
        result = run_lane(lane, workspace.settings, instance=context.instance)
        context.log.info(result.summary())
        if not result.ok:
            context.instance.add_run_tags(context.run_id, TOLD)
            raise dg.Failure(description=result.summary(), allow_retries=False)

    @dg.job(name=lane, description=f"The whole {lane} lane, as `tieout run {lane}` runs it.")
    def lane_job() -> None:
        run()

    return lane_job
