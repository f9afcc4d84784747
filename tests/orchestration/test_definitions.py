"""The code location: it loads offline, and the graph leads from feeds to published marts and deliveries."""

from __future__ import annotations

import socket
from itertools import pairwise
from typing import Any

import dagster as dg
import duckdb
import pytest

from orchestration import definitions
from orchestration.defs.checks import freshness_checks
from orchestration.defs.transformation import dbt_definitions
from orchestration.lib.dbt import ensure_manifest
from orchestration.lib.settings import Settings
from orchestration.lib.state import FeedKey, State
from orchestration.lib.workspace import Workspace
from tests.orchestration.conftest import rewrite


@pytest.fixture
def built(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> dg.Definitions:
    """Definitions of the test project, built while the network and the warehouse are out of reach."""

    def refuse(*arguments: Any, **keywords: Any) -> Any:
        raise AssertionError("loading definitions must not do this")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(duckdb, "connect", refuse)
    workspace = Workspace.open(settings)
    return definitions.build(workspace)


def test_definitions_load_without_network_and_warehouse(built: dg.Definitions, settings: Settings) -> None:
    dg.Definitions.validate_loadable(built)
    assert not settings.warehouse_path.exists()


def test_the_graph_leads_from_the_feed_to_the_published_marts_and_the_delivery(built: dg.Definitions) -> None:
    graph = built.resolve_asset_graph()

    def parents(*path: str) -> set[str]:
        return {key.to_user_string() for key in graph.get(dg.AssetKey(list(path))).parent_keys}

    assert parents("loaded", "mirakl", "transaction_lines") == {"raw/mirakl/transaction_lines"}
    assert parents("staging", "stg_lines") == {"loaded/mirakl/transaction_lines"}
    assert parents("marts", "totals") == {"staging/stg_lines"}
    assert parents("marts", "quarantined") == {"loaded/tieout/manifest"}
    assert parents("published", "marts") == {"marts/totals", "marts/exceptions", "marts/quarantined"}
    assert parents("actions", "act_totals") == {"marts/totals", "loaded/tieout/outbox_actions"}
    assert parents("outbox", "proposals") == {"actions/act_totals"}
    assert parents("outbox", "deliveries") == {"outbox/proposals"}


def test_the_models_are_made_anew_only_for_another_project_or_other_feeds(settings: Settings) -> None:
    workspace, manifest = Workspace.open(settings), ensure_manifest(settings)
    made = dbt_definitions(workspace, manifest)
    again = Workspace.open(settings)
    assert dbt_definitions(again, manifest) is made
    again.feeds = {vendor: dict(list(feeds.items())[1:]) for vendor, feeds in again.feeds.items()}
    assert dbt_definitions(again, manifest) is not made
    made = dbt_definitions(workspace, manifest)
    manifest.write_bytes(manifest.read_bytes() + b" ")
    assert dbt_definitions(workspace, manifest) is not made


def test_feeds_are_partitioned_by_account_and_grouped_by_vendor(built: dg.Definitions) -> None:
    node = built.resolve_asset_graph().get(dg.AssetKey(["raw", "mirakl", "offers"]))
    assert node.partitions_def == dg.StaticPartitionsDefinition(["BRICO", "MAISON"])
    assert node.group_name == "mirakl"


def test_feeds_and_exceptions_carry_freshness_policies(built: dg.Definitions) -> None:
    graph = built.resolve_asset_graph()
    for path in (["raw", "mirakl", "offers"], ["marts", "exceptions"]):
        assert graph.get(dg.AssetKey(path)).freshness_policy is not None


def test_dbt_tests_and_our_claims_are_asset_checks(built: dg.Definitions) -> None:
    checks = {f"{key.asset_key.to_user_string()}:{key.name}" for key in built.resolve_asset_graph().asset_check_keys}
    assert checks >= {
        "loaded/mirakl/offers:counts_are_proved",
        "marts/totals:unique_totals_marketplace_code",
        "marts/quarantined:quarantine_is_mirakl",
        "raw/mirakl/transaction_lines:brico_is_fresh",
        "raw/mirakl/transaction_lines:maison_is_fresh",
    }


def test_lanes_have_jobs_and_schedules_that_start_switched_off(built: dg.Definitions) -> None:
    assert {job.name for job in built.resolve_all_job_defs()} >= {
        "settlement",
        "stock",
        "deliver",
        "freshness",
        "id_checks",
    }
    schedules = {schedule.name: schedule for schedule in built.schedules or ()}
    assert {"hourly_settlement", "morning_settlement", "five_minute_stock", "weekly_id_checks"} <= set(schedules)
    assert all(one.default_status is dg.DefaultScheduleStatus.STOPPED for one in schedules.values())


def test_schedules_start_switched_on_when_the_environment_says_so(settings: Settings) -> None:
    built = definitions.build(Workspace.open(settings.model_copy(update={"schedules": True})))
    assert all(one.default_status is dg.DefaultScheduleStatus.RUNNING for one in built.schedules or ())


def test_the_settlement_lane_runs_no_more_often_than_transaction_lines_may_be_read(built: dg.Definitions) -> None:
    crons = [str(one.cron_schedule).split() for one in built.schedules or () if one.job_name == "settlement"]
    hours = [hour for _, hours, *_ in crons for part in hours.split(",") for hour in _hours(part)]
    assert len(hours) <= 20
    assert max(later - earlier for earlier, later in pairwise(sorted({*hours, 24}))) <= 2


def _hours(part: str) -> range:
    first, _, last = part.partition("-")
    return range(int(first), int(last or first) + 1)


def test_a_feed_that_an_account_has_not_is_refused_by_name(settings: Settings) -> None:
    rewrite(
        settings.config_dir / "feeds.csv",
        lambda rows: [{**row, "perspective": "OPERATOR" if row["entity"] == "offers" else "BOTH"} for row in rows],
    )
    built = definitions.build(Workspace.open(settings))
    finished = dg.materialize(
        [one for one in built.assets or () if isinstance(one, dg.AssetsDefinition)],
        selection=dg.AssetSelection.assets(["raw", "mirakl", "offers"]),
        resources=built.resources,
        partition_key="BRICO",
        raise_on_error=False,
    )
    (failed,) = [event for event in finished.all_events if event.is_step_failure]
    assert "BRICO has no feed offers" in str(failed.step_failure_data.user_failure_data)


def test_whatever_opens_the_warehouse_takes_its_pool(built: dg.Definitions) -> None:
    pools = {
        definition.op.name: definition.op.pool
        for definition in built.assets or ()
        if isinstance(definition, dg.AssetsDefinition)
    }
    users = {name for name, pool in pools.items() if pool == "warehouse"}
    assert users == {
        "load_raw_tables",
        "loaded__tieout__outbox_actions",
        "dbt_models",
        "published__marts",
        "outbox__proposals",
    }


def test_one_silent_account_is_not_hidden_by_a_live_one(settings: Settings) -> None:
    workspace = Workspace.open(settings)
    with State(settings.state_path) as state:
        for entity in ("transaction_lines", "offers"):
            for account, finished in (
                ("BRICO", "2026-07-03T07:00:00.000000Z"),
                ("MAISON", "2026-07-01T07:00:00.000000Z"),
            ):
                number = state.start_batch(
                    FeedKey("mirakl", account, entity),
                    run_id="r",
                    mode="cursor",
                    started_at=finished,
                    since=None,
                    after=None,
                )
                state.complete_batch(
                    state.batch(number),
                    finished_at=finished,
                    declared_count=None,
                    cursor=None,
                    forget_before=None,
                    snapshot=None,
                )
    results = {}
    for check in freshness_checks(workspace):
        context = dg.build_asset_check_context(resources={"workspace": workspace})
        result = check(context)
        assert isinstance(result, dg.AssetCheckResult)
        (key,) = check.check_keys
        results[key.name] = (result.passed, result.description)
    assert results["brico_is_fresh"] == (True, None)
    passed, description = results["maison_is_fresh"]
    assert not passed
    assert "mirakl/MAISON/offers was last read whole 49.0 h ago" in str(description)
