"""Planted secrets: whatever goes wrong, no word that leaves a connector, an alert, a run's history or the command line
carries one. Then each place in the code that takes a secret out of words is taken away in turn, found by its name in
the source, and the same scene must leak: a new place that no scene reaches fails here.
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

from connectors.auth import BareKey, ClientCredentials, ClientToken, MemoryCredentialStore, RefreshingToken
from connectors.errors import ConnectorError
from connectors.http import ApiClient, Call
from connectors.mirakl import MiraklConnector
from connectors.netsuite import AccountLimiter
from connectors.netsuite.http import AccountClient
from orchestration.cli import group
from orchestration.cli.problems import problem_of
from orchestration.lib.alerts import Alert, Level, deliver
from orchestration.lib.history import remembered
from orchestration.lib.settings import Settings
from orchestration.outbox import Outbox
from tests.redactions import places, taken_away

KEY = "canary-api-key-0001"
SECRET = "canary-client-secret-0002"
TOKEN = "canary-refresh-token-0003"
ADDRESS = "json://robot:canary-password-0004@chat.example"
NEW_KEY, NEW_SECRET = "canary-new-key-0005", "canary-new-secret-0006"
CANARIES = (
    *("canary-api-key", "canary-client-secret", "canary-refresh-token", "canary-password"),
    *("canary-new-key", "canary-new-secret"),
)
REDACTING = frozenset({"mask", "masked", "redact", "redacted_url", "_without"})
"""What the functions are called that take secrets out of words."""


def echoing(request: httpx.Request) -> httpx.Response:
    """A vendor that repeats in its error whatever it was sent."""
    said = f"{request.headers.get('Authorization', '')} {request.content.decode()} {request.url}"
    return httpx.Response(400, json={"error": "invalid_grant", "message": f"not understood: {said}"})


def broken(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError(f"lost while sending {request.headers.get('Authorization', '')}")


def moving(request: httpx.Request) -> httpx.Response:
    """A vendor that sends us on, to a host that is named after the key."""
    return httpx.Response(302, headers={"Location": f"https://{KEY}.elsewhere.example/"})


def renewing(request: httpx.Request) -> httpx.Response:
    """A vendor that knows the new key alone, and repeats that one too."""
    said = f"{request.headers.get('Authorization', '')} {request.content.decode()}"
    is_new = NEW_KEY in said or NEW_SECRET in said
    return httpx.Response(400 if is_new else 401, json={"message": f"not understood: {said}"})


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
            deliver(settings, Alert(f"failed with {KEY}", f"with {KEY} at {ADDRESS}", Level.FAILURE), [])
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
        if transport is answering[-1]:
            calls += further(options)
        for call in calls:
            with pytest.raises(ConnectorError) as raised:
                call()
            found.append(raised.value)
    return found


def further(options: dict[str, Any]) -> list[Callable[[], object]]:
    """Calls that fail in ways of their own."""
    moved = ApiClient(
        "mirakl",
        "https://shop.example",
        auth=BareKey(KEY),
        secrets=(KEY,),
        transport=httpx.MockTransport(moving),
        **options,
    )
    company = AccountClient(
        "netsuite",
        "https://1.suitetalk.api.netsuite.com",
        AccountLimiter(),
        auth=BareKey(KEY),
        secrets=(KEY,),
        transport=httpx.MockTransport(netsuite),
        **options,
    )
    shop = MiraklConnector(
        "BRICO",
        "https://shop.example",
        2042,
        KEY,
        reread_key=lambda: NEW_KEY,
        transport=httpx.MockTransport(renewing),
        **options,
    )
    machine = ClientToken(
        "mirakl",
        ClientCredentials("https://id.example/token", "id", SECRET),
        reread=lambda: NEW_SECRET,
        transport=httpx.MockTransport(renewing),
        **options,
    )
    return [
        lambda: moved.read(Call("X"), "/orders", {}, lambda answer: answer),
        lambda: company.read(Call("X"), "/record", {}, lambda answer: answer),
        lambda: shop.client.read(Call("X"), "/orders", {}, lambda answer: answer),
        machine.access_token,
    ]


def netsuite(request: httpx.Request) -> httpx.Response:
    """A refusal in NetSuite's own form."""
    detail = f"Your current role does not have permission. {request.headers['Authorization']}"
    refusal = {"detail": detail, "o:errorCode": "INSUFFICIENT_PERMISSION"}
    return httpx.Response(403, json={"status": 403, "o:errorDetails": [refusal]})


def leaked(words: str) -> list[str]:
    return [canary for canary in CANARIES if canary in words]


def test_no_planted_secret_is_said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    said = scene(settings, monkeypatch)
    assert said.count("***") > 10
    assert leaked(said) == []


@pytest.mark.parametrize("place", places(("connectors", "orchestration"), REDACTING))
def test_without_any_one_redaction_the_canary_is_heard(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    taken_away(monkeypatch, place, REDACTING)
    assert leaked(scene(settings, monkeypatch)) != []


def test_httpx_left_to_itself_says_the_address(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger("httpx"), "level", logging.DEBUG)
    assert leaked(scene(settings, monkeypatch)) != []


@pytest.mark.parametrize("kind", [ClientCredentials, BareKey])
def test_what_holds_a_secret_does_not_show_it(kind: Any) -> None:
    held = ClientCredentials("https://id.example/token", "id", SECRET) if kind is ClientCredentials else BareKey(KEY)
    assert leaked(f"{held} {held!r}") == []
