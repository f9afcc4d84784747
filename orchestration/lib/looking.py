"""Whether a lane that runs on demand has something to do, found out without asking a vendor."""

from __future__ import annotations

from datetime import timedelta

from orchestration.lib.actions import waiting_actions
from orchestration.lib.lanes import LANE_KINDS, LANE_PAUSES
from orchestration.lib.planning import plan
from orchestration.lib.settings import parse_stamp
from orchestration.lib.state import State
from orchestration.lib.workspace import Workspace


def something_to_do(workspace: Workspace, lane: str) -> str | None:
    """Why the lane should run now, in words; None when it need not.

    Something is to do when an action of the lane is on its way (its ERP was down, its answer was lost), or when one of
    its feeds may be read again: the call budget allows it and the lane's pause has passed.
    """
    if waiting := waiting_actions(workspace.settings, LANE_KINDS[lane]):
        return f"{waiting} actions wait to be delivered"
    settings, registry = workspace.settings, workspace.registry
    if not settings.state_path.exists():
        return "nothing was read yet"
    now, pause = settings.clock.now(), timedelta(seconds=LANE_PAUSES[lane])
    with State(settings.state_path) as state:
        newest = state.newest_complete()
    for vendor in registry.vendors:
        for account in registry.accounts_of(vendor):
            for key in plan(workspace, lane, vendor, account).feeds:
                finished = newest.get(key)
                if finished is None or now - parse_stamp(finished) >= pause:
                    return f"{key} may be read again"
    return None
