"""Dagster's history of runs goes after its days, with its files; what is younger, or not over, stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from orchestration.lib import run_history
from orchestration.lib.lanes import open_instance
from orchestration.lib.run_history import forget_old_runs
from orchestration.lib.settings import Settings


@dg.job
def nothing() -> None:
    pass


def test_runs_go_after_their_days_with_their_files(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_history, "AT_ONCE", 2)
    with open_instance(settings) as instance:
        runs = [nothing.execute_in_process(instance=instance).run_id for _ in range(3)]
        waiting = instance.create_run_for_job(nothing, status=dg.DagsterRunStatus.STARTED).run_id
        later = datetime.now(UTC) + timedelta(days=31)
        assert forget_old_runs(instance, 30) == 0, "they are of today"
        assert forget_old_runs(instance, 0, now=later) == 0, "0 keeps all"
        assert forget_old_runs(instance, 30, now=later) == 2
        assert [instance.has_run(run) for run in runs] == [False, False, True], "the oldest first"
        assert forget_old_runs(instance, 30, now=later) == 1
        assert instance.has_run(waiting)
        files = {path.name.partition(".")[0] for path in settings.dagster_home.rglob("*.db*")}
        assert files.isdisjoint(runs)
        assert nothing.execute_in_process(instance=instance).success
