"""Failures and alerts: whether trying again helps, who is told, and that no secret goes out."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import dagster as dg
import pytest

from connectors.errors import (
    AuthError,
    BadPayload,
    BudgetExhausted,
    ConnectorError,
    NotFound,
    PermissionDenied,
    RateLimited,
    RequestRejected,
    ServerFailed,
    TransportFailed,
    UnsafeRedirect,
)
from orchestration.definitions import build
from orchestration.lib.alerts import Alert, Level, deliver
from orchestration.lib.connections import Connections, secret_names
from orchestration.lib.failures import failure
from orchestration.lib.lanes import open_instance
from orchestration.lib.registry import load_registry
from orchestration.lib.secret_store import redact
from orchestration.lib.settings import Settings
from orchestration.lib.workspace import Workspace
from orchestration.outbox import Outbox
from tests.orchestration.conftest import rewrite


@pytest.mark.parametrize(
    ("kind", "retries"),
    [
        (AuthError, False),
        (PermissionDenied, False),
        (NotFound, False),
        (RequestRejected, False),
        (BadPayload, False),
        (UnsafeRedirect, False),
        (RateLimited, True),
        (ServerFailed, True),
        (TransportFailed, True),
    ],
)
def test_only_passing_failures_are_tried_again(kind: type[ConnectorError], retries: bool) -> None:
    mapped = failure(kind("it broke", vendor="mirakl", call="OR11"), doing="read the orders", wait_seconds=2.0)
    if retries:
        assert isinstance(mapped, dg.RetryRequested)
        assert (mapped.max_retries, mapped.seconds_to_wait) == (1, 2.0)
    else:
        assert isinstance(mapped, dg.Failure)
        assert not mapped.allow_retries
        assert mapped.description == "failed to read the orders: mirakl OR11: it broke"


def test_the_vendors_wish_is_heeded_within_reason() -> None:
    def wait(seconds: float) -> float | None:
        error = RateLimited("slow down", vendor="mirakl", call="OR11", status=429, retry_after=seconds)
        mapped = failure(error, doing="read", wait_seconds=2.0)
        assert isinstance(mapped, dg.RetryRequested)
        return mapped.seconds_to_wait

    assert [wait(7.0), wait(3600.0)] == [7.0, 60.0]


def test_a_budget_that_stays_empty_is_left_to_the_next_run() -> None:
    def mapped(seconds: float) -> dg.Failure | dg.RetryRequested:
        error = BudgetExhausted("used up", vendor="mirakl", call="TL02", retry_after=seconds)
        return failure(error, doing="read", wait_seconds=2.0)

    assert isinstance(mapped(7.0), dg.RetryRequested)
    assert isinstance(mapped(3600.0), dg.Failure)


def test_secrets_are_masked() -> None:
    environ = {"MIRAKL_BRICO_API_KEY": "s3cr3t-key", "HOME": "/home/somebody", "SHORT_TOKEN": "abc"}
    assert redact("key s3cr3t-key of /home/somebody abc", environ) == "key *** of /home/somebody abc"


def test_an_alert_reaches_the_log_and_every_address(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    received: list[bytes] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Quiet."""

    monkeypatch.setenv("MIRAKL_BRICO_API_KEY", "s3cr3t-key")
    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert deliver(
            settings, Alert("It broke", "with s3cr3t-key", Level.FAILURE), [f"json://127.0.0.1:{server.server_port}/"]
        )
        server.shutdown()
    assert len(received) == 1
    assert b"It broke" in received[0]
    assert b"s3cr3t-key" not in received[0]
    assert "with ***" in caplog.text


def test_a_messenger_that_is_down_does_not_break_the_run(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    assert not deliver(settings, Alert("It broke", "badly"), ["json://127.0.0.1:9/"])
    assert "did not reach every address" in caplog.text


@pytest.fixture
def no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for code in ("BRICO", "MAISON"):
        monkeypatch.delenv(f"MIRAKL_{code}_API_KEY", raising=False)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "tieout.alerts"]


def run_by_dagster(settings: Settings, built: dg.Definitions) -> None:
    """The lane as a schedule runs it, and afterwards the sensor that looks at runs that failed."""
    with open_instance(settings) as instance:
        finished = built.resolve_job_def("settlement").execute_in_process(instance=instance, raise_on_error=False)
        assert not finished.success
        run = instance.get_run_by_id(finished.run_id)
        assert run is not None
        failure_event = next(e for e in finished.all_events if e.event_type is dg.DagsterEventType.RUN_FAILURE)
        sensor = next(sensor for sensor in built.sensors or () if sensor.name == "alert_on_run_failure")
        assert isinstance(sensor, dg.SensorDefinition)
        sensor(
            dg.build_run_status_sensor_context(
                sensor_name="alert_on_run_failure",
                dagster_event=failure_event,
                dagster_instance=instance,
                dagster_run=run,
            ).for_run_failure()
        )


@pytest.mark.usefixtures("no_secrets")
def test_a_lane_with_problems_is_told_of_once_under_dagster(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    run_by_dagster(settings, build(Workspace.open(settings)))
    (message,) = told(caplog)
    assert "MIRAKL_BRICO_API_KEY is not set" in message
    outbox = Outbox(settings.outbox_address, settings.clock)
    assert [(run.lane, run.status.value) for run in outbox.runs.latest()] == [("settlement", "PARTIAL")]
    outbox.close()


def test_a_lane_that_could_not_even_begin_is_told_of_by_dagster(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    built = build(Workspace.open(settings))
    (settings.config_dir / "erps.csv").unlink()
    run_by_dagster(settings, built)
    (message,) = told(caplog)
    assert message.startswith("Tieout: settlement failed")


def test_a_missing_secret_is_named_and_stops_one_account(settings: Settings) -> None:
    registry = load_registry(settings.config_dir)
    connections = Connections(registry, settings, {"MIRAKL_MAISON_API_KEY": "k" * 20})
    with pytest.raises(AuthError, match="MIRAKL_BRICO_API_KEY is not set"):
        connections.connector("mirakl", "BRICO")
    assert set(connections.connector("mirakl", "MAISON").feeds) >= {"orders", "transaction_lines"}
    assert ("STOCK", "MAISON") in connections.deliveries()
    assert {account for _, account in connections.deliveries()} == {"MAISON"}


def test_every_account_is_connected_with_the_secrets_named_for_it(settings: Settings) -> None:
    registry = load_registry(settings.config_dir)
    environ = {
        name: f"value-of-{name}"
        for vendor in ("mirakl", "sage200", "bank")
        for account in registry.accounts_of(vendor)
        for name in secret_names(registry, vendor, account)
    }
    connections = Connections(registry, settings, environ)
    for vendor in ("mirakl", "sage200", "bank"):
        for account in registry.accounts_of(vendor):
            assert connections.connector(vendor, account).feeds
    assert set(connections.deliveries()) >= {("STOCK", "BRICO"), ("STOCK", "MAISON"), ("JOURNAL", "SAGE_UK")}


def operator_row(row: dict[str, str], **changes: str) -> dict[str, str]:
    empty = ("shop_id", "erp_code", "journals_live_from", "customer_reference", "clearing_bank_code")
    return {**row, **dict.fromkeys((*empty, "bank_account_code"), ""), "perspective": "OPERATOR", **changes}


def test_an_operator_signs_in_with_client_credentials_and_delivers_nothing(settings: Settings) -> None:
    rewrite(
        settings.config_dir / "marketplaces.csv",
        lambda rows: [
            rows[0],
            operator_row(rows[1], auth_method="OAUTH2", token_url="https://auth.example/oauth/token", key_name="GROUP"),
        ],
    )
    registry = load_registry(settings.config_dir)
    names = secret_names(registry, "mirakl", "MAISON")
    assert names == ("MIRAKL_GROUP_CLIENT_ID", "MIRAKL_GROUP_CLIENT_SECRET")
    environ = dict.fromkeys((*names, "MIRAKL_BRICO_API_KEY"), "value")
    connections = Connections(registry, settings, environ)
    assert "shops" in connections.connector("mirakl", "MAISON").feeds
    assert {account for _, account in connections.deliveries()} == {"BRICO"}
    with pytest.raises(AuthError, match="MIRAKL_GROUP_CLIENT_SECRET is not set"):
        Connections(registry, settings, {names[0]: "value"}).connector("mirakl", "MAISON")


def test_shops_under_one_key_share_secret_and_budget(settings: Settings) -> None:
    rewrite(settings.config_dir / "marketplaces.csv", lambda rows: [{**row, "key_name": "GROUP"} for row in rows])
    registry = load_registry(settings.config_dir)
    connections = Connections(registry, settings, {"MIRAKL_GROUP_API_KEY": "k" * 20})
    for account in ("BRICO", "MAISON"):
        assert connections.connector("mirakl", account).feeds
    brico, maison = connections.budget("mirakl", "BRICO"), connections.budget("mirakl", "MAISON")
    assert brico is not None
    assert maison is not None
    with brico.reading("transaction_lines"):
        brico.take("TL02", is_first_page=True)
    (usage, *_) = connections.usage()
    assert (usage.key_name, usage.call, usage.calls_in_window) == ("GROUP", "TL02", 1)


def test_a_server_on_this_machine_is_not_metered_unless_asked_for(settings: Settings) -> None:
    rewrite(
        settings.config_dir / "marketplaces.csv",
        lambda rows: [{**row, "base_url": "http://127.0.0.1:9/mirakl"} for row in rows],
    )
    registry = load_registry(settings.config_dir)
    assert Connections(registry, settings, {}).budget("mirakl", "BRICO") is None
    paced = settings.model_copy(update={"pace_local": True})
    assert Connections(registry, paced, {}).budget("mirakl", "BRICO") is not None


def test_a_relative_statement_path_is_found_beside_the_configuration(settings: Settings) -> None:
    folder = settings.config_dir / "bank" / "BARC_GBP"
    folder.mkdir(parents=True)
    connections = Connections(load_registry(settings.config_dir), settings, {})
    reader = connections.connector("bank", "BARC_GBP")
    assert Path(getattr(reader, "statement_path", "")).parent == folder
