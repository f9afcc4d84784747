"""Where secrets come from, how one is replaced while Tieout runs, and that words never carry one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from connectors.errors import AuthError
from connectors.mirakl.client import MiraklConnector
from connectors.records import Window
from orchestration.cli.problems import ExitCode, problem_of
from orchestration.lib.connections import Connections
from orchestration.lib.registry import load_registry
from orchestration.lib.secret_store import SecretUnavailable, redact, secret
from orchestration.lib.settings import Settings


class Vault(KeyringBackend):
    """A secret manager behind keyring's interface."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], str] = {}
        self.is_locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.is_locked:
            raise KeyringLocked(f"locked, and says {self.held}")
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.held[service, username]


@pytest.fixture
def vault() -> Vault:
    before, made = keyring.get_keyring(), Vault()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


def test_a_reference_is_followed_and_what_it_leads_to_is_masked(vault: Vault, tmp_path: Path) -> None:
    vault.set_password("tieout", "brico key", "from-the-keyring")
    mounted = tmp_path / "client secret"
    mounted.write_text("from-a-file\n")
    environ = {
        "MIRAKL_BRICO_API_KEY": "keyring://tieout/brico%20key",
        "SAGE200_SAGE_UK_CLIENT_SECRET": f"file://{tmp_path}/client%20secret",
        "PLAIN_API_KEY": "in-the-environment",
    }
    found = {name: secret(name, environ) for name in environ}
    assert [value.get_secret_value() for value in found.values() if value] == [
        "from-the-keyring",
        "from-a-file",
        "in-the-environment",
    ]
    assert "from-" not in repr(found)
    words = "refused from-the-keyring and from-a-file and in-the-environment"
    assert redact(words, environ) == "refused *** and *** and ***"
    assert secret("MISSING_API_KEY", environ) is None


def test_a_reference_that_leads_nowhere_names_the_place_and_no_value(vault: Vault, tmp_path: Path) -> None:
    vault.set_password("tieout", "key", "never-shown")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for reference, words in (
        ("keyring://tieout/another", "there is nothing"),
        (f"file://{tmp_path}/none", "No such file"),
        (f"file://{tmp_path}/binary", "no text file"),
    ):
        with pytest.raises(SecretUnavailable, match=words) as missing:
            secret("A_TOKEN", {"A_TOKEN": reference})
    problem = problem_of(missing.value)
    assert (problem.code, "Put the secret there" in problem.action) == (ExitCode.CONFIGURATION, True)
    vault.is_locked = True
    with pytest.raises(SecretUnavailable, match="KeyringLocked") as raised:
        secret("A_TOKEN", {"A_TOKEN": "keyring://tieout/key"})
    assert "never-shown" not in str(raised.value)


def test_what_an_address_or_a_database_carries_is_masked() -> None:
    environ = {
        "TIEOUT_ALERT_URLS": "slack://tokenA/tokenB mailto://me:pass@host",
        "TIEOUT_ALERT_URLS_NIGHT": "json://user:night@host",
        "TIEOUT_OUTBOX_URL": "postgresql://tieout:p%40ssword@db/outbox",
        "NETSUITE_X_PRIVATE_KEY": "-----BEGIN\\nabc",
    }
    for words in (*environ["TIEOUT_ALERT_URLS"].split(), "json://user:night@host", "p@ssword", "-----BEGIN\nabc"):
        assert redact(f"failed: {words}!", environ) == "failed: ***!"
    settings = Settings.model_validate(
        {"alert_urls": environ["TIEOUT_ALERT_URLS"], "outbox_url": environ["TIEOUT_OUTBOX_URL"]}
    )
    assert "pass" not in repr(settings)
    assert "tokenA" not in str(settings)


class Shop:
    """A marketplace that takes one key at a time."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.seen: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        offered = request.headers["Authorization"]
        self.seen.append(offered)
        if offered != self.key:
            return httpx.Response(401, json={"message": f"{offered} is no longer good"})
        return httpx.Response(200, json={"data": [], "shops": []})


def connector(shop: Shop, key: str, reread: Callable[[], str] | None) -> MiraklConnector:
    return MiraklConnector(
        "BRICO",
        "https://shop.example",
        2042,
        key,
        reread_key=reread,
        transport=httpx.MockTransport(shop),
        sleep=lambda seconds: None,
    )


def test_a_key_that_was_replaced_is_taken_up_without_a_restart() -> None:
    shop, held = Shop("old-key"), {"key": "old-key"}
    mirakl = connector(shop, held["key"], lambda: held["key"])
    list(mirakl.pages("transaction_lines", Window()))
    shop.key = held["key"] = "new-key"
    list(mirakl.pages("transaction_lines", Window()))
    list(mirakl.pages("transaction_lines", Window()))
    assert shop.seen == ["old-key", "old-key", "new-key", "new-key"]
    # The next key is refused and not there yet: it is shown once, and masked although it came later.
    shop.key = "third-key"
    with pytest.raises(AuthError) as raised:
        list(mirakl.pages("transaction_lines", Window()))
    assert shop.seen[4:] == ["new-key"]
    assert "new-key" not in str(raised.value)


def test_connections_reread_what_a_reference_points_to(
    vault: Vault, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.set_password("tieout", "BRICO", "first-key")
    environ = {"MIRAKL_BRICO_API_KEY": "keyring://tieout/BRICO"}
    made = Connections(load_registry(settings.config_dir), settings, environ).connector("mirakl", "BRICO")
    assert isinstance(made, MiraklConnector)
    auth = made.client._client.auth
    flow = auth.auth_flow(httpx.Request("GET", "https://shop.example"))  # type: ignore[union-attr]
    assert next(flow).headers["Authorization"] == "first-key"
    vault.set_password("tieout", "BRICO", "second-key")
    assert flow.send(httpx.Response(401)).headers["Authorization"] == "second-key"
    environ["MIRAKL_BRICO_API_KEY"] = "keyring://tieout/NOWHERE"
    with pytest.raises(AuthError, match="MIRAKL_BRICO_API_KEY points to keyring://tieout/NOWHERE"):
        Connections(load_registry(settings.config_dir), settings, environ).connector("mirakl", "BRICO")
