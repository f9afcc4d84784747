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
    ConnectorError,
    NotFound,
    PermissionDenied,
    RateLimited,
    RequestRejected,
    ServerFailed,
    TransportFailed,
    UnsafeRedirect,
)
from orchestration.lib.alerts import Alert, Level, redact, send
from orchestration.lib.connections import Connections, secret_names
from orchestration.lib.failures import failure
from orchestration.lib.registry import load_registry
from orchestration.lib.settings import Settings
from orchestration.lib.state import State


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
        told = settings.model_copy(update={"alert_urls": f"json://127.0.0.1:{server.server_port}/"})
        assert send(told, Alert("It broke", "with s3cr3t-key", Level.FAILURE))
        server.shutdown()
    assert len(received) == 1
    assert b"It broke" in received[0]
    assert b"s3cr3t-key" not in received[0]
    assert "with ***" in caplog.text


def test_a_messenger_that_is_down_does_not_break_the_run(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    told = settings.model_copy(update={"alert_urls": "json://127.0.0.1:9/"})
    assert not send(told, Alert("It broke", "badly"))
    assert "did not reach every address" in caplog.text


def test_an_exception_that_comes_back_is_news_again(settings: Settings) -> None:
    with State(settings.state_path) as state:
        assert state.tell({"a", "b"}, at="1") == {"a", "b"}
        assert state.tell({"a", "b", "c"}, at="2") == {"c"}
        assert state.tell({"b"}, at="3") == set()
        assert state.tell({"a", "b"}, at="4") == {"a"}


def test_a_missing_secret_is_named_and_stops_one_account(settings: Settings) -> None:
    registry = load_registry(settings.config_dir)
    connections = Connections(registry, settings, {"MIRAKL_MAISON_API_KEY": "k" * 20})
    with pytest.raises(AuthError, match="MIRAKL_BRICO_API_KEY is not set"):
        connections.connector("mirakl", "BRICO")
    assert set(connections.connector("mirakl", "MAISON").feeds) >= {"orders", "transaction_lines"}
    assert list(connections.deliveries()) == [("STOCK", "MAISON")]


def test_every_account_is_connected_with_the_secrets_named_for_it(settings: Settings) -> None:
    registry = load_registry(settings.config_dir)
    environ = {
        name: f"value-of-{name}"
        for vendor in ("mirakl", "sage200", "bank")
        for account in registry.accounts_of(vendor)
        for name in secret_names(vendor, account)
    }
    connections = Connections(registry, settings, environ)
    for vendor in ("mirakl", "sage200", "bank"):
        for account in registry.accounts_of(vendor):
            assert connections.connector(vendor, account).feeds
    assert set(connections.deliveries()) == {("STOCK", "BRICO"), ("STOCK", "MAISON"), ("JOURNAL", "SAGE_UK")}


def test_a_relative_statement_path_is_found_beside_the_configuration(settings: Settings) -> None:
    folder = settings.config_dir / "bank" / "BARC_GBP"
    folder.mkdir(parents=True)
    connections = Connections(load_registry(settings.config_dir), settings, {})
    reader = connections.connector("bank", "BARC_GBP")
    assert Path(getattr(reader, "statement_path", "")).parent == folder
