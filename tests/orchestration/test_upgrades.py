"""The data folder of every released version comes up with this one, and nothing that it knew is lost.

`tests/upgrades/<version>` holds what such a folder kept: evidence, `state.db` and `outbox.db` as SQL. The first stock
lane of BRICO had run on it. A release adds its own folder; none is ever edited.
"""

from __future__ import annotations

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from orchestration.lib import integrity
from orchestration.lib.lanes import run_lane
from orchestration.lib.settings import Settings
from orchestration.lib.state import State
from orchestration.lib.state_schema import VERSION
from orchestration.outbox import Outbox
from tests.orchestration.conftest import rewrite
from tests.orchestration.test_lanes import totals, vendors, workspace

RELEASED = sorted((Path(__file__).parents[1] / "upgrades").iterdir())


@pytest.mark.parametrize("released", RELEASED, ids=lambda path: path.name)
def test_the_data_folder_of_an_earlier_version_is_upgraded(settings: Settings, released: Path) -> None:
    rewrite(settings.config_dir / "marketplaces.csv", lambda rows: rows[:1])
    shutil.copytree(released / "landing", settings.root / "landing")
    for name in ("state", "outbox"):
        with sqlite3.connect(settings.root / f"{name}.db") as connection:
            connection.executescript((released / f"{name}.sql").read_text("utf-8"))
    with sqlite3.connect(settings.root / "outbox.db") as connection:
        ((head,),) = connection.execute("select hash from outbox_audit order by sequence desc limit 1").fetchall()
        ((actions,),) = connection.execute("select count(*) from outbox_actions").fetchall()
    with sqlite3.connect(settings.state_path) as connection:
        cursors = connection.execute("select * from cursors order by 1, 2, 3").fetchall()
        batches = connection.execute("select count(*) from batches").fetchone()[0]

    with State(settings.state_path) as state:
        assert [seal.kind for seal in state.seals()] == ["BATCH"] * batches
    outbox = Outbox(settings.outbox_address, settings.clock)
    report = outbox.verify_audit(expected_head=head)
    assert report.ok, report.problems
    assert len(outbox.actions()) == actions > 0
    outbox.close()
    assert integrity.verify(settings).problems == []

    result = run_lane("settlement", settings, workspace=workspace(settings, vendors(BRICO=4)), all_feeds=True)

    assert result.problems == []
    assert [feed.landed for feed in result.feeds] == [0] * len(result.feeds), "what it knew is not read as new"
    assert totals(settings) == [("BRICO", 4, "49.36")]
    assert integrity.verify(settings).ok
    with sqlite3.connect(settings.state_path) as connection:
        assert connection.execute("select * from cursors order by 1, 2, 3").fetchall()[: len(cursors)] >= cursors
        assert connection.execute("pragma user_version").fetchone() == (VERSION,)


def test_a_new_database_may_be_opened_by_several_at_once(tmp_path: Path) -> None:
    """One of two that switch a new file to WAL at the same moment is refused by SQLite without any waiting."""

    def opened(path: Path) -> bool:
        with State(path):
            return True

    with ThreadPoolExecutor(6) as pool:
        for number in range(60):
            assert all(pool.map(opened, [tmp_path / f"{number}.db"] * 6))
