"""Refresh tokens that are used up by being used: none is lost, none is used twice, none is shown."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest

from connectors.auth import (
    ClientCredentials,
    ClientToken,
    Credentials,
    FileCredentialStore,
    MemoryCredentialStore,
    RefreshingToken,
    request_tokens,
)
from connectors.errors import AuthError, BadPayload, RateLimited, TransportFailed
from connectors.http import ApiClient, Call
from tests.connectors.conftest import NOW

TOKEN_URL = "https://id.example.com/oauth/token"
API = "https://api.example.com/accounts/v1"
FIRST = "first-refresh-token"


class SageId:
    """A token service that rotates: each refresh token works once."""

    def __init__(self) -> None:
        self.valid = FIRST
        self.client_secret = "s3cret"
        self.refreshes = 0
        self.refused_access: set[str] = set()
        self.api_calls: list[str] = []
        self.events: list[str] = []
        self.fail_token: httpx.Response | Exception | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if str(request.url) == TOKEN_URL:
            return self._token(request)
        token = request.headers["Authorization"].removeprefix("Bearer ")
        self.api_calls.append(token)
        self.events.append(f"call {token}")
        if token in self.refused_access:
            return httpx.Response(401)
        return httpx.Response(200, content=b"[]")

    def _token(self, request: httpx.Request) -> httpx.Response:
        if isinstance(self.fail_token, Exception):
            raise self.fail_token
        if self.fail_token is not None:
            return self.fail_token
        form = {k: v[0] for k, v in parse_qs(request.content.decode()).items()}
        assert form["client_id"] == "id"
        if form["client_secret"] != self.client_secret:
            detail = f"{form['client_secret']} is not the secret"
            return httpx.Response(401, json={"error": "invalid_client", "error_description": detail})
        if form["grant_type"] == "client_credentials":
            return httpx.Response(200, json={"access_token": f"access-by-{self.client_secret}", "expires_in": 3600})
        if form["refresh_token"] != self.valid:
            return httpx.Response(
                403, json={"error": "invalid_grant", "error_description": f"bad {form['refresh_token']}"}
            )
        self.refreshes += 1
        self.valid = f"refresh-{self.refreshes}"
        self.events.append(f"issued access-{self.refreshes}")
        answer = {"access_token": f"access-{self.refreshes}", "refresh_token": self.valid, "expires_in": 3600}
        return httpx.Response(200, json=answer)


class Witness(MemoryCredentialStore):
    """Writes down when tokens are saved."""

    def __init__(self, token: str, events: list[str]) -> None:
        super().__init__(token)
        self._events = events

    def save(self, credentials: Credentials) -> None:
        self._events.append(f"saved {credentials.refresh_token}")
        super().save(credentials)


class Setting:
    def __init__(self, service: SageId, store: MemoryCredentialStore | FileCredentialStore) -> None:
        self.now = NOW
        transport = httpx.MockTransport(service)

        def sleep(_: float) -> None:
            return None

        def clock() -> datetime:
            return self.now

        self.held = "s3cret"
        self.auth = RefreshingToken(
            "sage200",
            TOKEN_URL,
            "id",
            "s3cret",
            store,
            reread=lambda: self.held,
            transport=transport,
            sleep=sleep,
            clock=clock,
        )
        self.api = ApiClient(
            "sage200", API, auth=self.auth, transport=transport, sleep=sleep, clock=clock, is_paced=False
        )

    def call(self) -> bytes:
        return self.api.read(Call("banks"), "/banks", {}, lambda a: a.body)


def test_a_new_refresh_token_is_saved_before_the_access_token_is_used() -> None:
    service = SageId()
    Setting(service, Witness(FIRST, service.events)).call()
    assert service.events == ["issued access-1", "saved refresh-1", "call access-1"]


def test_an_access_token_serves_until_shortly_before_its_end() -> None:
    service = SageId()
    setting = Setting(service, MemoryCredentialStore(FIRST))
    setting.call()
    setting.now += timedelta(minutes=58)
    setting.call()
    assert service.refreshes == 1
    setting.now += timedelta(minutes=1, seconds=30)
    setting.call()
    assert service.refreshes == 2
    assert service.api_calls == ["access-1", "access-1", "access-2"]


def test_a_refused_access_token_is_renewed_once() -> None:
    service = SageId()
    service.refused_access.add("access-1")
    setting = Setting(service, MemoryCredentialStore(FIRST))
    assert setting.call() == b"[]"
    assert service.api_calls == ["access-1", "access-2"]


def test_a_client_secret_that_was_replaced_is_taken_up_without_a_restart() -> None:
    service = SageId()
    setting = Setting(service, MemoryCredentialStore(FIRST))
    setting.call()
    service.client_secret = setting.held = "s3cret-of-today"
    setting.now += timedelta(hours=2)
    assert setting.call() == b"[]"
    assert service.refreshes == 2, "the refused secret spent no refresh token"
    service.client_secret = "not-here-yet"
    setting.now += timedelta(hours=2)
    with pytest.raises(AuthError, match="client id and secret were not accepted") as caught:
        setting.call()
    assert "s3cret-of-today" not in str(caught.value), "it is masked although it came later"


def test_so_is_the_secret_of_a_client_that_acts_for_itself() -> None:
    service, held = SageId(), {"secret": "s3cret"}
    machine = ClientToken(
        "mirakl",
        ClientCredentials(TOKEN_URL, "id", "s3cret"),
        reread=lambda: held["secret"],
        transport=httpx.MockTransport(service),
    )
    assert machine.access_token() == "access-by-s3cret"
    service.client_secret = "s3cret-of-today"
    with pytest.raises(AuthError, match="client id and secret were not accepted"):
        machine.access_token(refused="access-by-s3cret")
    held["secret"] = "s3cret-of-today"
    assert machine.access_token(refused="access-by-s3cret") == "access-by-s3cret-of-today"


def test_a_token_service_that_says_when_to_ask_again_is_asked_then() -> None:
    waited: list[float] = []

    def away(request: httpx.Request) -> httpx.Response:
        return httpx.Response(503, headers={"Retry-After": "7"})

    machine = ClientToken(
        "mirakl", ClientCredentials(TOKEN_URL, "id", "s3cret"), transport=httpx.MockTransport(away), sleep=waited.append
    )
    api = ApiClient(
        "mirakl", API, auth=machine, transport=httpx.MockTransport(away), sleep=waited.append, is_paced=False
    )
    with pytest.raises(TransportFailed, match="503"):
        api.read(Call("orders"), "/orders", {}, lambda answer: answer.body)
    assert waited == [7.0] * 4


def test_a_site_that_refuses_every_token_does_not_burn_refresh_tokens_for_ever() -> None:
    service = SageId()
    service.refused_access.update(f"access-{n}" for n in range(1, 50))
    with pytest.raises(AuthError):
        Setting(service, MemoryCredentialStore(FIRST)).call()
    assert service.refreshes == 2


def test_a_spent_refresh_token_says_what_to_do_and_shows_no_secret() -> None:
    service = SageId()
    service.valid = "another"
    with pytest.raises(AuthError, match="sign in again") as caught:
        Setting(service, MemoryCredentialStore(FIRST)).call()
    assert FIRST not in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert service.api_calls == []


def test_a_lost_answer_of_the_token_service_proves_that_the_api_was_not_called() -> None:
    service = SageId()
    service.fail_token = httpx.ReadTimeout("slow")
    setting = Setting(service, MemoryCredentialStore(FIRST))
    with pytest.raises(TransportFailed) as caught:
        setting.api.write(Call("bank_payment"), "/bank_payment", content=b"{}")
    assert caught.value.sent is False
    assert service.api_calls == []


def test_a_busy_token_service_is_told_apart_from_a_bad_token() -> None:
    service = SageId()
    service.fail_token = httpx.Response(429, headers={"Retry-After": "400"})
    with pytest.raises(RateLimited):
        Setting(service, MemoryCredentialStore(FIRST)).call()


def test_a_token_service_that_answers_with_something_else_is_a_bad_payload() -> None:
    service = SageId()
    service.fail_token = httpx.Response(200, text="<html>welcome</html>")
    with pytest.raises(BadPayload):
        Setting(service, MemoryCredentialStore(FIRST)).call()


def test_the_chain_survives_a_new_process(tmp_path: Path) -> None:
    service = SageId()
    path = tmp_path / "secrets" / "sage200-X.json"
    Setting(service, FileCredentialStore(path, FIRST)).call()
    later = Setting(service, FileCredentialStore(path, FIRST))
    later.now += timedelta(days=1)
    later.call()
    assert service.refreshes == 2
    assert json.loads(path.read_text())["credentials"]["refresh_token"] == "refresh-2"


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "t.json"
    store = FileCredentialStore(path, FIRST)
    with store.lock():
        store.save(Credentials("r", "a", NOW))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert sorted(p.name for p in path.parent.iterdir()) == ["t.json", "t.json.lock"], "no temporary file stays"


def test_a_newly_configured_first_token_wins_over_the_old_chain(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    FileCredentialStore(path, FIRST).save(Credentials("old-chain"))
    assert FileCredentialStore(path, FIRST).load().refresh_token == "old-chain"
    assert FileCredentialStore(path, "signed in again").load().refresh_token == "signed in again"


def test_a_damaged_file_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text("{half")
    with pytest.raises(ValueError, match="sign in again"):
        FileCredentialStore(path, FIRST).load()


def test_two_processes_that_find_an_expired_token_refresh_once(tmp_path: Path) -> None:
    """Both see the old token; the second must take the first one's, not spend the refresh token again."""
    service = SageId()
    path = tmp_path / "t.json"
    arrived = threading.Barrier(2)

    class Late(FileCredentialStore):
        @contextmanager
        def lock(self) -> Iterator[None]:
            arrived.wait(timeout=5)
            with super().lock():
                yield

    settings = [Setting(service, Late(path, FIRST)) for _ in range(2)]
    threads = [threading.Thread(target=s.call) for s in settings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert service.refreshes == 1
    assert service.api_calls == ["access-1", "access-1"]


def test_a_token_service_that_answers_no_text_is_refused_in_our_words() -> None:
    """Bytes that are not UTF-8 are another error of the decoder than bytes that are not JSON."""
    garbled = httpx.MockTransport(lambda request: httpx.Response(200, content=b'{"access_token": "\xff\xfe"}'))
    client = ApiClient("sage200", TOKEN_URL, transport=garbled, is_paced=False, clock=lambda: NOW)
    with pytest.raises(BadPayload):
        request_tokens(client, {"grant_type": "refresh_token"})
