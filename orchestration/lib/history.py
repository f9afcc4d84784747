"""What `tieout status` remembers of a lane's run, whoever started it: a person, or a schedule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from orchestration.lib.secret_store import redact
from orchestration.lib.settings import Settings
from orchestration.outbox import Outbox, RunStatus

if TYPE_CHECKING:
    from orchestration.lib.lanes import LaneResult

Ended = Callable[["LaneResult"], None]


@contextmanager
def remembered(settings: Settings, lane: str) -> Iterator[Ended]:
    """Note that the lane runs; call what comes out with its result. A block that raises is a failed run.

    Only inside the lane's lock: a run that begins declares earlier ones that never ended as failed.
    """
    outbox = Outbox(settings.outbox_address, settings.clock)
    try:
        run_id = outbox.runs.start(lane)

        def ended(result: LaneResult) -> None:
            outbox.runs.finish(run_id, status_of(result), _summary(result))

        try:
            yield ended
        except BaseException as error:
            words = redact(str(error).strip() or type(error).__name__)
            outbox.runs.finish(run_id, RunStatus.FAILED, {"error": words.splitlines()[0]})
            raise
    finally:
        outbox.close()


def status_of(result: LaneResult) -> RunStatus:
    if result.ok:
        return RunStatus.SUCCEEDED
    return RunStatus.PARTIAL if result.is_partial else RunStatus.FAILED


def _summary(result: LaneResult) -> dict[str, Any]:
    return {
        "records_landed": sum(feed.landed for feed in result.feeds),
        "feeds_skipped": sum(feed.skipped is not None for feed in result.feeds),
        "quarantined": result.quarantined,
        "proposed": result.proposed,
        "sent": result.sent,
        "verified": result.verified,
        "failed": result.failed,
        "unknown": result.unknown,
        "problems": [f"{problem.stage} {problem.account or ''}: {problem.detail}" for problem in result.problems],
    }
