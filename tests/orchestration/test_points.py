"""Going back: the marts of a past moment, built again from evidence, configuration and models of that time."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from orchestration.lib.lanes import run_lane
from orchestration.lib.points import ReplayRefused, points, replay
from orchestration.lib.settings import Settings
from tests.orchestration.conftest import rewrite
from tests.orchestration.test_lanes import totals, vendors, workspace
from tests.orchestration.vendor import line


def test_a_past_reconciliation_stands_again_as_it_stood(settings: Settings, tmp_path: Path) -> None:
    """Between two runs a line comes, one changes, and so do a model and the configuration; the first is replayed."""
    project = Path(shutil.copytree(settings.dbt_project_dir, tmp_path / "project"))
    settings = settings.model_copy(update={"dbt_project_dir": project})
    connections = vendors(BRICO=4, MAISON=2)
    run_lane("settlement", settings, workspace=workspace(settings, connections))
    first = totals(settings)

    later = settings.model_copy(update={"as_of": settings.clock.now() + timedelta(days=1)})
    shop = connections.accounts["mirakl", "BRICO"]
    shop.records["transaction_lines"].append(line(9, "100.00", updated="2026-07-03T10:00:00Z"))
    shop.records["transaction_lines"][0] = line(1, "0.01", updated="2026-07-03T10:00:00Z")
    rewrite(settings.config_dir / "switches.csv", lambda rows: rows[:1])
    model = project / "models" / "marts" / "totals.sql"
    model.write_text(model.read_text().replace("cast(sum(", "cast(2 * sum("))
    for _ in range(2):  # the second changes no mart and leaves no point
        run_lane("settlement", later, workspace=workspace(later, connections), all_feeds=True)
    second = totals(later)
    assert first == [("BRICO", 4, "49.36"), ("MAISON", 2, "24.68")]
    assert second == [("BRICO", 5, "274.06"), ("MAISON", 2, "49.36")]

    kept = points(settings)
    assert [point.as_of[:10] for point in kept] == ["2026-07-03", "2026-07-04"]
    assert kept[0].last_batch < kept[1].last_batch
    assert kept[0].rules != kept[1].rules
    assert kept[0].configuration["switches.csv"] != kept[1].configuration["switches.csv"]
    done = replay(later, kept[0], tmp_path / "then")
    assert done.differing == ()
    assert totals(settings.model_copy(update={"data_dir": tmp_path / "then" / "data"})) == first
    assert totals(settings) == second  # the present is untouched

    with pytest.raises(ReplayRefused, match="not empty"):
        replay(later, kept[0], tmp_path / "then")
    (stored,) = (settings.root / "points" / "store").glob(f"{kept[0].configuration['switches.csv']}.csv")
    stored.write_text("changed afterwards\n")
    with pytest.raises(ReplayRefused, match="was changed"):
        replay(later, kept[0], tmp_path / "then-again")
