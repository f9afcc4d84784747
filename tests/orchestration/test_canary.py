"""Planted secrets: whatever goes wrong, no word that leaves a connector, an alert, a run's history or the command line
carries one. Each redaction is then taken away in turn, and the same scene must leak.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors import auth as connector_auth
from connectors import http as connector_http
from connectors.auth import BareKey, ClientCredentials, ClientToken, MemoryCredentialStore, RefreshingToken
from connectors.errors import ConnectorError
from connectors.http import ApiClient, Call
from orchestration.cli import group
from orchestration.cli.problems import problem_of
from orchestration.lib import alerts, history, secret_store
from orchestration.lib.alerts import Alert, Level, deliver
from orchestration.lib.history import remembered
from orchestration.lib.settings import Settings
from orchestration.outbox import Outbox

KEY = "canary-api-key-0001"
SECRET = "canary-client-secret-0002"
TOKEN = "canary-refresh-token-0003"
ADDRESS = "json://robot:canary-password-0004@chat.example"
CANARIES = ("canary-api-key", "canary-client-secret", "canary-refresh-token", "canary-password")


def echoing(request: httpx.Request) -> httpx.Response:
    """A vendor that repeats in its error whatever it was sent."""
    said = f"{request.headers.get('Authorization', '')} {request.content.decode()} {request.url}"
    return httpx.Response(400, json={"error": "invalid_grant", "message": f"not understood: {said}"})


def broken(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError(f"lost while sending {request.headers.get('Authorization', '')}")


def scene(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> str:
    """Everything that is said while all kinds of calls fail: errors, logs, alerts, history, the command line."""
    monkeypatch.setenv("MIRAKL_BRICO_API_KEY", KEY)
    monkeypatch.setenv("TIEOUT_ALERT_URLS", ADDRESS)
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    root = logging.getLogger()
    root.addHandler(handler)
    before = root.level
    root.setLevel(logging.DEBUG)
    try:
        with redirect_stdout(said), redirect_stderr(said):
            for error in failures():
                print(error, repr(error), error.detail)
                group.show_problem(problem_of(RuntimeError(f"unforeseen: {KEY}")), as_json=False)
            deliver(settings, Alert("failed", f"with {KEY} at {ADDRESS}", Level.FAILURE), [])
            with pytest.raises(RuntimeError), remembered(settings, "settlement"):
                raise RuntimeError(f"ended with {KEY}")
            outbox = Outbox(settings.outbox_address, settings.clock)
            print([run.summary for run in outbox.runs.latest()])
            outbox.close()
            print(Settings.model_validate({"alert_urls": ADDRESS}))
            print(ClientCredentials("https://id.example/token", "id", SECRET))
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
    return said.getvalue()


def failures() -> list[ConnectorError]:
    options: dict[str, Any] = {"sleep": lambda seconds: None, "clock": lambda: datetime(2026, 7, 3, tzinfo=UTC)}
    answering = [httpx.MockTransport(echoing), httpx.MockTransport(broken)]
    found: list[ConnectorError] = []
    for transport in answering:
        client = ApiClient(
            "mirakl", "https://shop.example", auth=BareKey(KEY), secrets=(KEY,), transport=transport, **options
        )
        calls: list[Callable[[], object]] = [
            lambda client=client: client.read(Call("X"), "/orders", {"api_key": KEY}, lambda answer: answer),
            lambda client=client: client.write(Call("X"), "/orders", content=KEY.encode()),
        ]
        machine = ClientToken(
            "mirakl", ClientCredentials("https://id.example/token", "id", SECRET), transport=transport, **options
        )
        person = RefreshingToken(
            "sage200",
            "https://id.example/token",
            "id",
            SECRET,
            MemoryCredentialStore(TOKEN),
            transport=transport,
            **options,
        )
        calls += [machine.access_token, person.access_token]
        for call in calls:
            with pytest.raises(ConnectorError) as raised:
                call()
            found.append(raised.value)
    return found


def leaked(words: str) -> list[str]:
    return [canary for canary in CANARIES if canary in words]


def test_no_planted_secret_is_said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    said = scene(settings, monkeypatch)
    assert said.count("***") > 10
    assert leaked(said) == []


def whole(text: str, *_: object) -> str:
    return text


REDACTIONS: dict[str, tuple[object, str, object]] = {
    "what a vendor repeats": (ApiClient, "masked", lambda self, text: text),
    "what a token service repeats": (connector_auth, "_without", whole),
    "addresses in logs": (connector_http, "redacted_url", str),
    "alerts": (alerts, "redact", whole),
    "the history of runs": (history, "redact", whole),
    "the command line": (secret_store, "redact", whole),
    "what httpx says itself": (logging.getLogger("httpx"), "level", logging.DEBUG),
}


@pytest.mark.parametrize("name", REDACTIONS)
def test_without_any_one_redaction_the_canary_is_heard(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(*REDACTIONS[name])
    assert leaked(scene(settings, monkeypatch)) != []
