"""The lanes that look every minute: they run when there is something to do, and end at once when there is not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from orchestration.lib import deadline_alerts, lanes
from orchestration.lib.deadline_alerts import deadline_alert
from orchestration.lib.lanes import LANE_PAUSES, run_lane
from orchestration.lib.looking import something_to_do
from orchestration.lib.settings import Settings
from orchestration.outbox import Outbox
from tests.orchestration.conftest import rewrite
from tests.orchestration.test_lanes import vendors, workspace
from tests.orchestration.vendor import line
from tests.outbox.world import journal, table


@pytest.fixture
def minute(settings: Settings) -> Settings:
    rewrite(settings.config_dir / "marketplaces.csv", lambda rows: rows[:1])
    rewrite(settings.config_dir / "feeds.csv", lambda rows: [{**row, "lane": "settlement|orders"} for row in rows])
    return settings


def test_a_run_builds_only_when_records_came_through_whichever_lane(minute: Settings) -> None:
    connections = vendors(BRICO=2)
    first = run_lane("orders", minute, workspace=workspace(minute, connections))
    assert first.ok, first.problems
    assert first.models_built > 0
    again = run_lane("orders", minute, workspace=workspace(minute, connections))
    assert (again.ok, again.models_built, again.published) == (True, 0, None)
    # What another lane has fetched is news as well.
    connections.accounts["mirakl", "BRICO"].records["transaction_lines"].append(line(3))
    run_lane("settlement", minute, workspace=workspace(minute, connections))
    assert run_lane("orders", minute, workspace=workspace(minute, connections)).published is not None


def test_what_came_with_the_last_reading_is_proposed_by_the_next_run(
    minute: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections = vendors(BRICO=1)
    proposed: list[int] = []

    def deliver(lane: lanes._Lane) -> frozenset[tuple[str, str]]:
        """Delivers something in the first run, while which a record comes in; afterwards nothing is left to do."""
        lines = connections.accounts["mirakl", "BRICO"].records["transaction_lines"]
        proposed.append(len(lines))
        if len(proposed) > lanes.LANE_ROUNDS["orders"]:
            return frozenset()
        lines.append(line(len(lines) + 1))
        return frozenset({("mirakl", "BRICO")})

    monkeypatch.setattr(lanes._Lane, "_deliver", deliver)
    for _ in range(3):
        assert run_lane("orders", minute, workspace=workspace(minute, connections)).ok
    # The first run proposes once a round, the second what came with the last round's reading, the third nothing.
    assert proposed == [1, 2, 3, 4]


def test_the_sensor_asks_no_vendor_and_is_woken_by_an_action_on_its_way(minute: Settings) -> None:
    opened = workspace(minute, vendors(BRICO=1))
    assert something_to_do(opened, "orders") == "nothing was read yet"
    run_lane("orders", minute, workspace=workspace(minute, vendors(BRICO=1)))
    assert something_to_do(opened, "orders") is None, "a moment ago"
    later = minute.model_copy(update={"as_of": minute.clock.now() + timedelta(seconds=LANE_PAUSES["orders"])})
    assert "may be read again" in (something_to_do(workspace(later, vendors(BRICO=1)), "orders") or "")

    outbox = Outbox(minute.outbox_address, minute.clock)
    (key,) = outbox.propose(table(journal("O1", kind="SALES_ORDER", action_key="SALES_ORDER|BRICO|O1|1"))).proposed
    assert something_to_do(opened, "orders") is None, "it waits for a person"
    outbox.approve([key], by="A Person")
    outbox.close()
    assert something_to_do(opened, "orders") == "1 actions wait to be delivered"


DEADLINES = """
    create schema marts;
    create table marts.deadlines (
        marketplace_code varchar, order_id varchar, deadline varchar, due_at timestamp, alert_at timestamp,
        waits_for varchar, status varchar, amount_at_risk decimal(18, 2), currency_code varchar, summary varchar
    );
    insert into marts.deadlines values
        ('M', 'near', 'ACCEPTANCE', '2026-07-03 11:00', '2026-07-03 07:00', 'ERP', 'AT_RISK', 12.50, 'GBP', 'down'),
        ('M', 'soon', 'ACCEPTANCE', '2026-07-03 13:00', '2026-07-03 09:00', 'IMPORT', 'IN_TIME', 7.50, 'GBP', 'queue')
"""


def test_people_are_told_once_when_a_deadline_comes_near(minute: Settings) -> None:
    minute.published_dir.mkdir(parents=True)
    with duckdb.connect(str(minute.published_path)) as connection:
        connection.execute(DEADLINES)
    first = deadline_alert(minute)
    assert first is not None
    assert "1 orders near" in first.title
    assert "12.50 GBP" in first.title
    assert "M near ACCEPTANCE by 2026-07-03 11:00 UTC, 12.50 GBP: down" in first.body
    assert deadline_alert(minute) is None, "told already"
    later = minute.model_copy(update={"as_of": minute.clock.now() + timedelta(hours=1)})
    second = deadline_alert(later)
    assert second is not None, "nothing was built, and its time has come"
    assert "soon" in second.body
    assert "near ACCEPTANCE" not in second.body


def test_an_older_file_without_the_mart_is_no_error(minute: Settings, tmp_path: Path) -> None:
    minute.published_dir.mkdir(parents=True)
    duckdb.connect(str(minute.published_path)).close()
    assert deadline_alert(minute) is None
    assert deadline_alerts.LISTED > 0
