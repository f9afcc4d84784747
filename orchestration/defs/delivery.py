"""What the models want done, into the outbox and out to the vendors."""

from collections.abc import Sequence

import dagster as dg
from dagster import AssetExecutionContext

from orchestration.defs.loading import WAREHOUSE
from orchestration.lib.actions import wanted_actions
from orchestration.lib.workspace import Step, Workspace
from orchestration.outbox import Outbox

PROPOSALS_KEY = dg.AssetKey(["outbox", "proposals"])
DELIVERIES_KEY = dg.AssetKey(["outbox", "deliveries"])


def outbox_assets(action_models: Sequence[dg.AssetKey]) -> list[dg.AssetsDefinition]:
    @dg.asset(
        key=PROPOSALS_KEY,
        deps=list(action_models),
        group_name="outbox",
        kinds={"sqlite"},
        description="Actions that the models want and nobody has asked for yet; approved where the policy says so.",
        pool=WAREHOUSE,
        required_resource_keys={"workspace"},
    )
    def propose_actions(context: AssetExecutionContext) -> dg.MaterializeResult[None]:
        workspace: Workspace = context.resources.workspace
        settings, registry = workspace.settings, workspace.registry
        wanted = wanted_actions(settings)
        outbox = Outbox(settings.outbox_address, settings.clock)
        try:
            proposed = outbox.propose(wanted, kinds=workspace.kinds, policies=registry.approval_policies)
            decided = outbox.apply_policy(
                registry.approval_policies, registry.switches, settings.write_back, kinds=workspace.kinds
            )
        finally:
            outbox.close()
        workspace.journal.proposals.append(proposed)
        workspace.journal.decisions.append(decided)
        return dg.MaterializeResult(
            metadata={
                "wanted": wanted.num_rows,
                "proposed": len(proposed.proposed),
                "superseded": len(proposed.superseded),
                "malformed": len(proposed.malformed),
                "approved": len(decided.approved),
                "waiting": len(decided.waiting),
            }
        )

    @dg.asset(
        key=DELIVERIES_KEY,
        deps=[PROPOSALS_KEY],
        group_name="outbox",
        kinds={"api"},
        description="Approved actions, sent once each and read back at the vendor.",
        required_resource_keys={"workspace"},
    )
    def deliver_actions(context: AssetExecutionContext) -> dg.MaterializeResult[None]:
        workspace: Workspace = context.resources.workspace
        settings, registry = workspace.settings, workspace.registry

        def on_progress(what: str, done: int, total: int) -> None:
            workspace.on_step(Step("deliver", what, done, total))

        # An account that did not answer in this run is not kept waiting for again: its actions keep their turn.
        down = {account for _, account in workspace.down}
        reachable = {
            (kind, account): delivery
            for (kind, account), delivery in workspace.connections.deliveries().items()
            if account not in down and (workspace.kinds is None or kind in workspace.kinds)
        }
        outbox = Outbox(settings.outbox_address, settings.clock)
        try:
            with workspace.timed("deliver"):
                result = outbox.deliver(
                    reachable if settings.write_back else {},
                    switches=registry.switches,
                    write_back=settings.write_back,
                    progress=on_progress,
                )
                outbox.previews.prepare(reachable, registry.approval_policies)
        finally:
            outbox.close()
        workspace.journal.deliveries.append(result)
        return dg.MaterializeResult(
            metadata={
                "sent": result.sent,
                "verified": result.verified,
                "failed": result.failed,
                "unknown": result.unknown,
                "problems": [f"{problem.vendor}/{problem.account}: {problem.detail}" for problem in result.problems],
            }
        )

    return [propose_actions, deliver_actions]
