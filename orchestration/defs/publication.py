"""The marts, copied out for everybody who reads."""

from collections.abc import Sequence

import dagster as dg
from dagster import AssetExecutionContext

from orchestration.defs.loading import WAREHOUSE
from orchestration.lib import evidence_index
from orchestration.lib.customers import read_new
from orchestration.lib.integrity import seal_outputs
from orchestration.lib.points import keep_point
from orchestration.lib.publish import publish
from orchestration.lib.settings import stamp
from orchestration.lib.warehouse import connect
from orchestration.lib.workspace import Step, Workspace

PUBLISHED_KEY = dg.AssetKey(["published", "marts"])


def published_marts(marts: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    @dg.asset(
        key=PUBLISHED_KEY,
        deps=list(marts),
        group_name="published",
        kinds={"duckdb", "parquet"},
        description="All marts as one read-only DuckDB file and as Parquet; the only files that readers open.",
        pool=WAREHOUSE,
        required_resource_keys={"workspace"},
    )
    def publish_marts(context: AssetExecutionContext) -> dg.MaterializeResult[None]:
        workspace: Workspace = context.resources.workspace
        workspace.on_step(Step("publish", "marts", 0, None))
        with workspace.timed("publish"), connect(workspace.settings):
            result = publish(workspace.settings)
            evidence_index.update(workspace.settings)
            as_of = workspace.built_as_of or workspace.settings.clock.now()
            keep_point(workspace.settings, result, as_of=stamp(as_of))
        with workspace.timed("publish"):
            seal_outputs(workspace.settings, result)
            read_new(workspace.settings)
        workspace.journal.published = result
        return dg.MaterializeResult(
            metadata={
                "marts": len(result.marts),
                "rows": sum(mart.rows for mart in result.marts),
                "changed": len(result.changed),
                "digest": result.digest,
            }
        )

    return publish_marts
