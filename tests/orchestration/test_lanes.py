"""A lane from end to end on real Dagster, DuckDB, dbt and SQLite; only the vendor is held in memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from connectors.delivery import Outcome
from connectors.errors import PermissionDenied
from connectors.feeds import all_feeds as feed_specs
from connectors.feeds import feed_spec
from connectors.records import Decoded, FeedSpec, IdSource
from orchestration.lib.budgets import Budgets
from orchestration.lib.lanes import LaneResult, open_instance, run_lane
from orchestration.lib.registry import ConfigInvalid, load_registry
from orchestration.lib.settings import Settings
from orchestration.lib.state import State
from orchestration.lib.warehouse import connect
from orchestration.lib.workspace import Step, Workspace
from orchestration.outbox import Outbox
from tests.orchestration.conftest import rewrite
from tests.orchestration.test_budgets import row as budget_row
from tests.orchestration.vendor import Vendor, Vendors, line, offer, wrong_key


def vendors(**accounts: int) -> Vendors:
    """Accounts by name, each with so many transaction lines."""
    return Vendors(
        {
            ("mirakl", name): Vendor(
                records={"transaction_lines": [line(n) for n in range(1, count + 1)], "offers": [offer(1)]}
            )
            for name, count in accounts.items()
        }
    )


def workspace(settings: Settings, connections: Vendors) -> Workspace:
    return Workspace(settings, load_registry(settings.config_dir), connections)


def totals(settings: Settings) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.published_path), read_only=True) as connection:
        return connection.execute(
            "select marketplace_code, line_count, amount::varchar from marts.totals order by 1"
        ).fetchall()


def noted_as_loaded(settings: Settings) -> dict[str, int]:
    """The records of each feed that the last load told Dagster of, the manifest left out."""
    with open_instance(settings) as instance:
        (run,) = instance.get_runs(dg.RunsFilter(job_name="load"), limit=1)
        records = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION).records
    made = [record.asset_materialization for record in records if record.asset_materialization is not None]
    return {
        "/".join(one.asset_key.path[1:]): int(one.metadata["inserted"].value)  # type: ignore[arg-type]
        for one in made
        if "tieout" not in one.asset_key.path
    }


def test_a_lane_publishes_and_a_second_one_changes_nothing(settings: Settings) -> None:
    connections = vendors(BRICO=4, MAISON=2)
    connections.accounts["mirakl", "MAISON"].missing_columns = {"offers": ("t.colour",)}
    steps: list[Step] = []
    first = run_lane("settlement", settings, workspace=workspace(settings, connections), progress=steps.append)

    assert first.problems == []
    assert first.ok
    assert [(str(feed.feed), feed.absent) for feed in first.feeds if feed.absent] == [
        ("mirakl/MAISON/offers", ("t.colour",))
    ]
    assert totals(settings) == [("BRICO", 4, "49.36"), ("MAISON", 2, "24.68")]
    assert (first.records_loaded, first.quarantined, first.models_built, first.tests_failed) == (8, 0, 5, [])
    assert (first.proposed, first.sent) == (0, 0)  # the test project wants stock only, which is another lane's
    assert {step.stage for step in steps} >= {"extract", "load", "transform", "publish"}
    assert first.seconds["total"] > 0
    assert first.to_dict()["published"]["digest"] == first.published.digest

    with open_instance(settings) as instance:
        runs = instance.get_runs()
    assert {run.job_name for run in runs} == {
        "settlement_extract_mirakl",
        "load",
        "settlement_transform",
        "publish",
        "deliver",
    }
    assert all(run.status is dg.DagsterRunStatus.SUCCESS for run in runs)
    assert noted_as_loaded(settings) == {"mirakl/offers": 2, "mirakl/transaction_lines": 6}

    second = run_lane("settlement", settings, workspace=workspace(settings, connections))
    assert noted_as_loaded(settings) == {}  # nothing came
    assert second.ok
    assert (second.records_loaded, second.proposed, second.published.changed) == (0, 0, ())
    assert second.models_built == 0  # nothing they read has changed
    connections.accounts["mirakl", "BRICO"].records["transaction_lines"] += [line(5)]
    third = run_lane("settlement", settings, workspace=workspace(settings, connections))
    assert third.models_built == 3  # what hangs on the view of them, which shows them as it is
    assert third.published.changed == ("exceptions", "totals")
    assert noted_as_loaded(settings) == {"mirakl/transaction_lines": 1}
    assert totals(settings)[0] == ("BRICO", 5, "61.70")
    assert second.published.digest == first.published.digest


def test_one_broken_account_stops_only_itself(settings: Settings) -> None:
    connections = vendors(BRICO=4, MAISON=2)
    connections.accounts["mirakl", "BRICO"].fails_with = wrong_key()
    result = run_lane("settlement", settings, workspace=workspace(settings, connections))

    assert not result.ok
    assert result.is_partial
    assert [(p.stage, p.account) for p in result.problems] == [("extract", "mirakl/BRICO")]
    assert "the key was not accepted (HTTP 401)" in result.problems[0].detail
    assert totals(settings) == [("MAISON", 2, "24.68")]
    # A wrong key is shown once: repeating it can lock the account.
    assert len(connections.accounts["mirakl", "BRICO"].windows) == 1
    assert [feed.error is None for feed in result.feeds] == [False, False, True, True]


def test_what_is_delivered_is_read_again_and_not_proposed_again(settings: Settings) -> None:
    connections = vendors(BRICO=4)
    connections.is_delivering = True
    rewrite(settings.config_dir / "marketplaces.csv", lambda rows: rows[:1])
    writing = settings.model_copy(update={"write_back": True})

    result = run_lane("stock", writing, workspace=workspace(writing, connections))

    assert result.problems == []
    assert (result.proposed, result.approved, result.sent, result.verified) == (1, 1, 1, 1)
    assert connections.accounts["mirakl", "BRICO"].quantities == {"STOCK|BRICO|4|1": "4"}
    assert len(connections.accounts["mirakl", "BRICO"].windows) == 4  # two feeds, before and after the delivery
    again = run_lane("stock", writing, workspace=workspace(writing, connections))
    assert (again.proposed, again.sent) == (0, 0)


def test_a_lane_neither_proposes_nor_withdraws_what_belongs_to_another_lane(settings: Settings) -> None:
    connections = vendors(BRICO=1, MAISON=1)
    run_lane("stock", settings, workspace=workspace(settings, connections))
    connections.accounts["mirakl", "BRICO"].records["transaction_lines"] += [line(2)]
    run_lane("settlement", settings, workspace=workspace(settings, connections))

    outbox = Outbox(settings.outbox_address, settings.clock)
    assert [(action["action_key"], action["state"]) for action in outbox.actions()] == [
        ("STOCK|BRICO|1|1", "PROPOSED"),
        ("STOCK|MAISON|1|1", "PROPOSED"),
    ]


def test_nothing_is_sent_while_write_back_is_off(settings: Settings) -> None:
    connections = vendors(BRICO=1, MAISON=1)
    connections.is_delivering = True
    result = run_lane("stock", settings, workspace=workspace(settings, connections))
    assert (result.proposed, result.approved, result.sent) == (2, 0, 0)
    outbox = Outbox(settings.outbox_address, settings.clock)
    assert {action["state"] for action in outbox.actions()} == {"PROPOSED"}


def test_a_failing_dbt_test_is_a_problem_and_nothing_is_published(settings: Settings, tmp_path: Path) -> None:
    import shutil

    project = tmp_path / "project"
    shutil.copytree(settings.dbt_project_dir, project)
    (project / "tests").mkdir()
    (project / "tests" / "assert_no_lines.sql").write_text("select * from {{ ref('totals') }}")
    broken = settings.model_copy(update={"dbt_project_dir": project})

    result = run_lane("settlement", broken, workspace=workspace(broken, vendors(BRICO=1, MAISON=1)))

    assert not result.ok
    assert not result.is_partial
    assert result.tests_failed == ["assert_no_lines: Got 2 results, configured to fail if != 0"]
    assert [problem.stage for problem in result.problems] == ["transform"]
    assert "assert_no_lines" in result.problems[0].detail
    assert not settings.published_path.exists()


def test_people_are_told_once_of_what_is_new(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    connections = vendors(BRICO=5, MAISON=1)
    connections.accounts["mirakl", "MAISON"].warns_of = ["the consent ends on 2026-07-10, within 7 days"]

    def told(count: int) -> list[str]:
        caplog.clear()
        connections.accounts["mirakl", "BRICO"].records["transaction_lines"] = [line(n) for n in range(1, count + 1)]
        run_lane("settlement", settings, workspace=workspace(settings, connections))
        return [record.getMessage() for record in caplog.records if record.name == "tieout.alerts"]

    consent, message = told(5)
    assert consent == (
        "Tieout: an account needs a person soon: mirakl/MAISON: the consent ends on 2026-07-10, within 7 days"
    )
    assert message.startswith("Tieout: S1 BRICO ORD-001 Many lines: 1 open, 61.70 GBP: Owner: OPERATIONS.")
    assert told(6) == []


def test_an_unknown_lane_is_refused(settings: Settings) -> None:
    with pytest.raises(ValueError, match="settlement, stock"):
        run_lane("invoices", settings)


def alerts(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "tieout.alerts"]


def metered(settings: Settings, connections: Vendors, *frequencies: str, sleep: Any = time.sleep) -> Vendors:
    """Give every account a budget of its own, with frequencies such as `TL02 1/3600 1/60`."""
    rows = [budget_row(*text.split()) for text in frequencies]
    budgets = Budgets(settings.budgets_path, rows, sleep=sleep)
    for (vendor, account), fake in connections.accounts.items():
        fake.budget = connections.budgets[vendor, account] = budgets.of(vendor, account, account)
    return connections


def test_a_feed_that_was_read_a_moment_ago_is_not_read_again(settings: Settings) -> None:
    connections = metered(settings, vendors(BRICO=2, MAISON=1), "TL02 1/3600", "OF21 1/86400 1/86400")
    run_lane("settlement", settings, workspace=workspace(settings, connections))
    again = run_lane("settlement", settings, workspace=workspace(settings, connections))

    assert again.ok
    assert [str(feed.feed) for feed in again.feeds if feed.skipped] == [
        "mirakl/BRICO/transaction_lines",
        "mirakl/BRICO/offers",
        "mirakl/MAISON/transaction_lines",
        "mirakl/MAISON/offers",
    ]
    assert str(again.feeds[0].skipped).startswith("not due until 2")
    assert len(connections.accounts["mirakl", "BRICO"].windows) == 2

    everything = run_lane("settlement", settings, workspace=workspace(settings, connections), all_feeds=True)
    # Recommended is one thing, the published maximum another.
    assert [feed.feed.entity for feed in everything.feeds if not feed.skipped] == ["transaction_lines"] * 2


def test_a_delivery_is_verified_although_the_feed_was_just_read(settings: Settings) -> None:
    connections = metered(settings, vendors(BRICO=4), "TL02 1/3600", "OF21 1/3600")
    connections.is_delivering = True
    rewrite(settings.config_dir / "marketplaces.csv", lambda rows: rows[:1])
    writing = settings.model_copy(update={"write_back": True})
    result = run_lane("stock", writing, workspace=workspace(writing, connections))
    assert (result.problems, result.verified) == ([], 1)
    assert len(connections.accounts["mirakl", "BRICO"].windows) == 4


def test_a_forbidden_feed_is_one_problem_and_stops_only_itself(settings: Settings) -> None:
    connections = vendors(BRICO=4)
    connections.is_delivering = True
    rewrite(settings.config_dir / "marketplaces.csv", lambda rows: rows[:1])
    brico = connections.accounts["mirakl", "BRICO"]
    brico.fails_with = PermissionDenied(
        "the key's user may not make this call", vendor="mirakl", call="OF21", status=403
    )
    brico.fails_entity = "offers"
    writing = settings.model_copy(update={"write_back": True})

    result = run_lane("stock", writing, workspace=workspace(writing, connections))

    assert [(problem.stage, problem.account) for problem in result.problems] == [("extract", "mirakl/BRICO")]
    assert "OF21: the key's user may not make this call (HTTP 403)" in result.problems[0].detail
    assert result.is_partial
    assert totals(settings) == [("BRICO", 4, "49.36")]
    assert result.verified == 1


@pytest.mark.parametrize(
    ("fate", "words"),
    [(Outcome.FAILED, "1 failed at the vendor"), (Outcome.UNKNOWN, "1 may or may not have arrived")],
)
def test_what_could_not_be_delivered_is_a_problem_and_one_alert(
    settings: Settings, caplog: pytest.LogCaptureFixture, fate: Outcome, words: str
) -> None:
    connections = vendors(BRICO=1)
    connections.is_delivering, connections.fate = True, fate
    rewrite(settings.config_dir / "marketplaces.csv", lambda rows: rows[:1])
    writing = settings.model_copy(update={"write_back": True})
    result = run_lane("stock", writing, workspace=workspace(writing, connections))
    assert [(problem.stage, words in problem.detail) for problem in result.problems] == [("deliver", True)]
    assert result.is_partial
    (message,) = alerts(caplog)
    assert words in message


def test_a_lane_approves_only_what_is_its_own(settings: Settings) -> None:
    connections = vendors(BRICO=1, MAISON=1)
    run_lane("stock", settings, workspace=workspace(settings, connections))
    writing = settings.model_copy(update={"write_back": True})
    assert run_lane("settlement", writing, workspace=workspace(writing, connections)).approved == 0
    outbox = Outbox(settings.outbox_address, settings.clock)
    assert {action["state"] for action in outbox.actions()} == {"PROPOSED"}
    outbox.close()
    assert run_lane("stock", writing, workspace=workspace(writing, connections)).approved == 2


def copies_of_offers() -> FeedSpec:
    """A feed that is read for the ids of offers."""
    offers = feed_spec("mirakl", "offers")
    root = offers.tables[0]

    def decode(body: bytes) -> Decoded:
        decoded = offers.decode(body)
        return replace(decoded, tables={"mirakl_offer_copies": decoded.tables[root.name]})

    return replace(
        offers,
        entity="offer_copies",
        mode="by_id",
        tables=(replace(root, name="mirakl_offer_copies"),),
        decode=decode,
        ids_from=IdSource(root.name, "offer_id", None, "offer_id"),
    )


def test_what_hangs_on_a_new_id_is_read_in_the_same_run(settings: Settings) -> None:
    rewrite(
        settings.config_dir / "feeds.csv",
        lambda rows: [*rows, {**rows[0], "entity": "offer_copies"}],
    )
    connections = vendors(BRICO=1, MAISON=1)
    feeds = {"mirakl": {**feed_specs("mirakl"), "offer_copies": copies_of_offers()}}

    def run() -> LaneResult:
        registry = load_registry(settings.config_dir)
        return run_lane("settlement", settings, workspace=Workspace(settings, registry, connections, feeds=feeds))

    def read() -> list[tuple[str, int]]:
        with connect(settings) as connection:
            return connection.execute(
                "select _account, count(*) from raw.mirakl_offer_copies group by 1 order by 1"
            ).fetchall()

    first = run()
    assert first.problems == []
    assert read() == [("BRICO", 1), ("MAISON", 1)]
    assert [feed.received for feed in first.feeds if feed.feed.entity == "offer_copies"] == [1, 1]
    second = run()
    assert [feed.received for feed in second.feeds if feed.feed.entity == "offer_copies"] == [0, 0]
    with State(settings.state_path) as state:
        assert {batch.status for batch in state.batches()} == {"COMPLETE"}  # looked at, so not stale
    connections.accounts["mirakl", "BRICO"].records["offers"].append(offer(2))
    run()
    assert read() == [("BRICO", 2), ("MAISON", 1)]


def test_an_operators_lane_reads_what_an_operator_has(settings: Settings) -> None:
    rewrite(
        settings.config_dir / "marketplaces.csv",
        lambda rows: [
            rows[0],
            {
                **rows[1],
                "perspective": "OPERATOR",
                "shop_id": "",
                "erp_code": "",
                "journals_live_from": "",
                "customer_reference": "",
                "clearing_bank_code": "",
                "bank_account_code": "",
            },
        ],
    )
    rewrite(
        settings.config_dir / "feeds.csv",
        lambda rows: [{**row, "perspective": "SELLER" if row["entity"] == "offers" else "BOTH"} for row in rows],
    )
    result = run_lane("settlement", settings, workspace=workspace(settings, vendors(BRICO=1, MAISON=1)))
    assert result.problems == []
    assert {f"{feed.feed.account}/{feed.feed.entity}" for feed in result.feeds} == {
        "BRICO/transaction_lines",
        "BRICO/offers",
        "MAISON/transaction_lines",
    }


def test_a_run_is_remembered_however_it_ended(settings: Settings) -> None:
    def latest() -> tuple[str, Any]:
        outbox = Outbox(settings.outbox_address, settings.clock)
        (run,) = outbox.runs.latest()
        outbox.close()
        return run.status.value, run.summary

    connections = vendors(BRICO=4, MAISON=2)
    run_lane("settlement", settings, workspace=workspace(settings, connections))
    status, summary = latest()
    assert (status, summary["records_landed"], summary["problems"]) == ("SUCCEEDED", 8, [])

    connections.accounts["mirakl", "BRICO"].fails_with = wrong_key()
    run_lane("settlement", settings, workspace=workspace(settings, connections))
    assert latest()[0] == "PARTIAL"

    rewrite(settings.config_dir / "erps.csv", lambda rows: [{**row, "base_url": "nowhere"} for row in rows])
    with pytest.raises(ConfigInvalid):
        run_lane("settlement", settings)
    status, summary = latest()
    assert status == "FAILED"
    assert "erps.csv line 2" in summary["error"]


KILLED = textwrap.dedent(
    """
    import os, signal, sys
    from orchestration.lib import dbt, lanes
    from orchestration.lib.settings import Settings
    from tests.orchestration.test_lanes import vendors, workspace
    from pathlib import Path

    data, config, project = map(Path, sys.argv[1:])
    settings = Settings.model_validate({
        "data_dir": data, "config_dir": config, "dbt_project_dir": project, "as_of": "2026-07-03T08:00:00Z",
    })

    def on_step(step):
        if step.stage == "transform" and step.detail == "totals":
            os.kill(os.getpid(), signal.SIGKILL)

    lanes.run_lane("settlement", settings, workspace=workspace(settings, vendors(BRICO=4, MAISON=2)), progress=on_step)
    """
)


def test_a_lane_killed_within_dbt_leaves_nothing_locked(settings: Settings) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(settings.root), str(settings.config_dir), str(settings.dbt_project_dir)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": "."},
        check=False,
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL

    result = run_lane("settlement", settings, workspace=workspace(settings, vendors(BRICO=4, MAISON=2)))

    assert result.ok
    assert totals(settings) == [("BRICO", 4, "49.36"), ("MAISON", 2, "24.68")]
    with open_instance(settings) as instance:
        assert [run.status for run in instance.get_runs() if not run.is_finished] == []
