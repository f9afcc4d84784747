"""Dagster's history of runs, kept for a while: a lane leaves four or five runs of some megabytes behind it, every hour.

What a run did is in Tieout's own history (outbox, manifest, published marts); Dagster's is for looking into a run that
went wrong lately.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg

AT_ONCE = 50
"""Ten times what a lane leaves behind, so that a long history is gone within days and no lane waits for it."""


def forget_old_runs(instance: dg.DagsterInstance, days: int, *, now: datetime | None = None) -> int:
    """Delete runs that began more than so many days ago of the machine's time, the oldest AT_ONCE; 0 days keeps all.

    Returns how many. Runs that are not over stay.
    """
    if not days:
        return 0
    filters = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED],
        created_before=(now or datetime.now(UTC)) - timedelta(days=days),
    )
    records = instance.get_run_records(filters, limit=AT_ONCE, ascending=True)
    for record in records:
        instance.delete_run(record.dagster_run.run_id)
    return len(records)
