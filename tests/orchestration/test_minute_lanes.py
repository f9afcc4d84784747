"""The lanes that look every minute: they run when there is something to do, and end at once when there is not."""

from __future__ import annotations

import gc
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from orchestration.lib import deadline_alerts, lanes, looking
from orchestration.lib.collecting import COLLECTED_EVERY
from orchestration.lib.deadline_alerts import deadline_alert
from orchestration.lib.lanes import run_lane
from orchestration.lib.looking import look
from orchestration.lib.settings import Settings
from orchestration.lib.workspace import Step
from orchestration.outbox import Outbox
from tests.orchestration.conftest import rewrite
from tests.orchestration.test_lanes import vendors, workspace
from tests.orchestration.vendor import line, wrong_key
from tests.outbox.world import journal, table


@pytest.fixture
def minute(settings: Settings) -> Settings:
    rewrite(settings.config_dir / "marketplaces.csv", lambda rows: rows[:1])
    rewrite(settings.config_dir / "feeds.csv", lambda rows: [{**row, "lane": "settlement|orders"} for row in rows])
    return settings


def test_a_run_builds_only_when_records_came_through_whichever_lane(minute: Settings) -> None:
    connections = vendors(BRICO=2)
    stages: list[str] = []
    thresholds, usual = set[int](), gc.get_threshold()

    def watch(step: Step) -> None:
        stages.append(step.stage)
        thresholds.add(gc.get_threshold()[0])

    first = run_lane("orders", minute, workspace=workspace(minute, connections), progress=watch)
    assert first.ok, first.problems
    assert (thresholds, gc.get_threshold()) == ({COLLECTED_EVERY}, usual)
    assert first.models_built > 0
    assert stages.index("propose") < stages.index("publish"), "what can be delivered waits for no copy of the marts"
    again = run_lane("orders", minute, workspace=workspace(minute, connections))
    assert (again.ok, again.models_built, again.published) == (True, 0, None)
    # What only time makes due is no record.
    late = minute.model_copy(update={"as_of": minute.clock.now() + lanes.LONGEST_WITHOUT_NEWS})
    assert run_lane("orders", late, workspace=workspace(late, connections)).published is not None
    assert run_lane("orders", late, workspace=workspace(late, connections)).published is None
    # What another lane has fetched is news as well.
    connections.accounts["mirakl", "BRICO"].records["transaction_lines"].append(line(3))
    run_lane("settlement", minute, workspace=workspace(minute, connections))
    assert run_lane("orders", minute, workspace=workspace(minute, connections)).published is not None


@pytest.mark.parametrize("is_slow", [False, True])
def test_what_came_with_the_last_reading_is_proposed_by_the_next_run(
    minute: Settings, monkeypatch: pytest.MonkeyPatch, is_slow: bool
) -> None:
    connections = vendors(BRICO=1)
    deliveries = 1 if is_slow else lanes.LANE_ROUNDS["orders"]
    proposed: list[int] = []

    def deliver(lane: lanes._Lane) -> frozenset[tuple[str, str]]:
        """Delivers something in the first run, while which a record comes in; afterwards nothing is left to do."""
        lines = connections.accounts["mirakl", "BRICO"].records["transaction_lines"]
        proposed.append(len(lines))
        if len(proposed) > deliveries:
            return frozenset()
        lines.append(line(len(lines) + 1))
        return frozenset({("mirakl", "BRICO")})

    monkeypatch.setattr(lanes._Lane, "_deliver", deliver)
    if is_slow:  # no second round: the other lanes have waited long enough
        monkeypatch.setattr(lanes, "NO_ROUND_AFTER", 0.0)
    for _ in range(3):
        assert run_lane("orders", minute, workspace=workspace(minute, connections)).ok
    # The first run proposes once a round, the second what came with the last round's reading, the third nothing.
    assert proposed == list(range(1, deliveries + 2))


def test_a_look_asks_no_vendor_too_early_and_is_woken_by_an_action_on_its_way(minute: Settings) -> None:
    connections = vendors(BRICO=1)
    opened = workspace(minute, connections)
    assert look(opened, "orders").why == "nothing was read yet"
    run_lane("orders", minute, workspace=workspace(minute, connections))
    asked = len(connections.accounts["mirakl", "BRICO"].windows)
    assert look(opened, "orders") == looking.Look(None), "read a moment ago"

    outbox = Outbox(minute.outbox_address, minute.clock)
    after = {"kind": "ACCEPTANCE", "action_key": "ACCEPTANCE|BRICO|O1|1", "payload": {"only_after": "SALES_ORDER"}}
    created = journal("O1", kind="SALES_ORDER", action_key="SALES_ORDER|BRICO|O1|1")
    accepted, key = outbox.propose(table(created, journal("O1", **after))).proposed
    outbox.approve([accepted], by="A Person")
    assert look(opened, "orders").why is None, "one waits for a person, the other for that one"
    outbox.approve([key], by="A Person")
    outbox.close()
    assert look(opened, "orders").why == "1 actions wait to be delivered"
    assert len(connections.accounts["mirakl", "BRICO"].windows) == asked


def later(settings: Settings, minutes: int = 1) -> Settings:
    return settings.model_copy(update={"as_of": settings.clock.now() + timedelta(minutes=minutes)})


def test_a_look_reads_what_is_due_and_asks_for_a_run_only_when_that_brought_something(minute: Settings) -> None:
    connections = vendors(BRICO=1)
    assert run_lane("orders", minute, workspace=workspace(minute, connections)).ok
    quiet = look(workspace(later(minute, 1), connections), "orders")
    assert quiet.why is None
    assert {batch.feed.entity for batch in quiet.read} == {"transaction_lines", "offers"}
    connections.accounts["mirakl", "BRICO"].records["transaction_lines"].append(line(2))
    news = look(workspace(later(minute, 2), connections), "orders")
    assert news.why == "records came"
    # The run finds what the look has landed, although it reads nothing new itself.
    built = run_lane("orders", later(minute, 2), workspace=workspace(later(minute, 2), connections))
    assert built.models_built > 0
    assert look(workspace(later(minute, 3), connections), "orders").why is None


def test_a_look_leaves_to_a_run_what_may_take_long_or_fails(minute: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    connections = vendors(BRICO=3)
    assert run_lane("orders", minute, workspace=workspace(minute, connections)).ok
    long_ago = look(workspace(later(minute, 61), connections), "orders")
    assert long_ago.read == ()
    assert "may be read again" in (long_ago.why or "")
    vendor = connections.accounts["mirakl", "BRICO"]
    vendor.fails_with, vendor.fails_entity = wrong_key(), "transaction_lines"
    failed = look(workspace(later(minute, 1), connections), "orders")
    assert failed.why == "mirakl/BRICO/transaction_lines could not be read"
    vendor.fails_with = None
    again = look(workspace(later(minute, 2), connections), "orders")
    assert "may be read again" in (again.why or ""), "it was not read to its end: a run tries again and tells people"
    assert again.read == ()
    assert run_lane("orders", later(minute, 2), workspace=workspace(later(minute, 2), connections)).ok
    assert look(workspace(later(minute, 3), connections), "orders").read
    monkeypatch.setattr(looking, "PATIENCE_SECONDS", -1.0)
    assert look(workspace(later(minute, 4), connections), "orders").why == "reading takes long"
    monkeypatch.setattr(looking, "MOST_RECORDS", -1)
    assert "may be read again" in (look(workspace(later(minute, 5), connections), "orders").why or "")


def test_a_look_waits_for_no_lane(minute: Settings) -> None:
    connections = vendors(BRICO=1)
    assert run_lane("orders", minute, workspace=workspace(minute, connections)).ok
    with lanes.lane_lock(minute, timeout=0):
        assert look(workspace(later(minute), connections), "orders") == looking.Look(None)


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
