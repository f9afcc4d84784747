"""From configuration rows and secrets to connectors: several ERPs at once, and errors that name what to put where."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from connectors.errors import AuthError
from connectors.netsuite import NetSuiteConnector
from orchestration.lib.connections import Connections
from orchestration.lib.registry import load_registry
from orchestration.lib.settings import DEFAULT_CONFIG_DIR, Settings
from sandbox.netsuite import new_certificate
from tests.orchestration.conftest import rewrite

KEY, _ = new_certificate()
SAGE = {f"SAGE200_SAGE_UK_{part}": "s" for part in ("CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN")}
NETSUITE = {
    "NETSUITE_NS_HOME_CLIENT_ID": "client",
    "NETSUITE_NS_HOME_CERTIFICATE_ID": "certificate",
    "NETSUITE_NS_HOME_PRIVATE_KEY": KEY.replace("\n", "\\n"),
}
Make = Callable[..., Connections]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Connections of the default configuration, with a company of both ERPs."""
    config = Path(shutil.copytree(DEFAULT_CONFIG_DIR, tmp_path / "config"))
    rewrite(config / "erps.csv", lambda rows: [{**row, "is_enabled": "true"} for row in rows])

    def connections(
        environ: Mapping[str, str], change: Callable[[list[dict[str, str]]], list[dict[str, str]]] | None = None
    ) -> Connections:
        if change is not None:
            rewrite(config / "erps.csv", change)
        settings = Settings(data_dir=tmp_path / "data", config_dir=config, netsuite_requests=1)
        return Connections(load_registry(config), settings, environ)

    return connections


def netsuite(connections: Connections, account: str = "NS_HOME") -> NetSuiteConnector:
    connector = connections.connector("netsuite", account)
    assert isinstance(connector, NetSuiteConnector)
    return connector


def test_each_company_delivers_to_its_own_erp(make: Make) -> None:
    journals = {account for kind, account in make({**SAGE, **NETSUITE}).deliveries() if kind == "JOURNAL"}
    assert journals == {"SAGE_UK", "NS_HOME"}


def test_a_company_without_its_secrets_leaves_the_others_alone(make: Make) -> None:
    connections = make(SAGE)
    assert {account for kind, account in connections.deliveries() if kind == "JOURNAL"} == {"SAGE_UK"}
    with pytest.raises(AuthError, match="NETSUITE_NS_HOME_CLIENT_ID is not set"):
        connections.connector("netsuite", "NS_HOME")


@pytest.mark.parametrize("form", ["text", "one line", "path"])
def test_a_private_key_is_given_as_text_or_as_a_path(make: Make, tmp_path: Path, form: str) -> None:
    (tmp_path / "netsuite.key").write_text(KEY)
    value = {"text": KEY, "one line": KEY.replace("\n", "\\n"), "path": str(tmp_path / "netsuite.key")}[form]
    connector = netsuite(make({**NETSUITE, "NETSUITE_NS_HOME_PRIVATE_KEY": value}))
    assert (connector.realm, connector.subsidiary_id) == ("1234567_SB1", "2")
    assert connector.client.base_url == "https://1234567-sb1.suitetalk.api.netsuite.com"


def test_a_key_that_is_neither_names_the_variable_and_not_the_value(make: Make) -> None:
    connections = make({**NETSUITE, "NETSUITE_NS_HOME_PRIVATE_KEY": "sesame"})
    with pytest.raises(AuthError, match="NETSUITE_NS_HOME_PRIVATE_KEY is neither a PEM key nor the path") as caught:
        connections.connector("netsuite", "NS_HOME")
    assert "sesame" not in str(caught.value)


def test_tokens_need_their_four_secrets(make: Make) -> None:
    parts = ("CONSUMER_KEY", "CONSUMER_SECRET", "TOKEN_ID", "TOKEN_SECRET")
    environ = {f"NETSUITE_NS_HOME_{part}": "s" for part in parts}
    connections = make(environ, lambda rows: [rows[0], {**rows[1], "auth_method": "TBA"}, *rows[2:]])
    netsuite(connections)
    missing = make({}, lambda rows: rows)
    with pytest.raises(AuthError, match="NETSUITE_NS_HOME_CONSUMER_KEY is not set"):
        missing.connector("netsuite", "NS_HOME")


def test_companies_of_one_account_share_its_places(make: Make) -> None:
    """NetSuite counts the requests of an account, whichever subsidiary or process they are for."""
    environ = {**NETSUITE, **{name.replace("NS_HOME", "NS_DE"): value for name, value in NETSUITE.items()}}
    german = {"erp_code": "NS_DE", "subsidiary_id": "3", "account_id": "1234567-sb1"}
    connections = make(environ, lambda rows: [*rows, {**rows[1], **german}])
    one, other = netsuite(connections), netsuite(make(environ), "NS_DE")
    events: list[str] = []
    came = threading.Event()

    def ask() -> None:
        with other.client.limiter.place("test"):
            events.append("other")
            came.set()

    waiting = threading.Thread(target=ask)
    with one.client.limiter.place("test"):
        waiting.start()
        came.wait(0.3)  # would be enough, were the place free
        events.append("one")
    waiting.join()
    assert events == ["one", "other"]
