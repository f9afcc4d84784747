"""A person's consent, from the command line to the first renewal, against a Sage ID that plays the person."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from typer.testing import CliRunner, Result

from connectors.auth import Credentials, FileCredentialStore, MemoryCredentialStore
from connectors.errors import AuthError, BadConfiguration
from connectors.sage200.sign_in import ConsentRequest, LoopbackListener, authorize_url, redeem
from orchestration.cli.app import app
from sandbox.config import Marketplaces, Places, write_config
from tests.sage200.conftest import CLIENT, Connect, Served

PASTED = "https://tieout.example/callback"


@pytest.fixture
def data_dir(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration that points to the sandbox, and the secrets that Sage sends when it registers an application."""
    for name in list(os.environ):
        if name.startswith(("TIEOUT_", "MIRAKL_", "SAGE200_", "NETSUITE_")):
            monkeypatch.delenv(name)
    places = Places(tmp_path)
    write_config(places, served.url, Marketplaces(["BRICO"]))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TIEOUT_CONFIG_DIR", str(places.config))
    monkeypatch.setenv("TIEOUT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("SAGE200_SAGE_UK_CLIENT_ID", CLIENT.client_id)
    monkeypatch.setenv("SAGE200_SAGE_UK_CLIENT_SECRET", CLIENT.client_secret)
    return tmp_path / "data"


def sign_in(*arguments: str, **options: Any) -> Result:
    runner = CliRunner()
    return runner.invoke(app, ["auth", "sage200", "--erp", "SAGE_UK", "--no-browser", *arguments], **options)


def stored(data_dir: Path) -> dict[str, Any]:
    return dict(json.loads((data_dir / "secrets" / "sage200-SAGE_UK.json").read_bytes())["credentials"])


class Person(threading.Thread):
    """Opens the page that the command prints, as a browser would, and follows it to where Sage ID sends it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(daemon=True)
        self._address: list[str] = []
        self._opened = threading.Event()
        self.ended_at: httpx.Response | None = None
        monkeypatch.setattr("webbrowser.open", self._open)

    def _open(self, address: str) -> bool:
        self._address.append(address)
        self._opened.set()
        return True

    def run(self) -> None:
        assert self._opened.wait(10)
        self.ended_at = httpx.get(self._address[0], follow_redirects=True)


def test_a_consent_by_the_browser_leaves_tokens_and_shows_the_companies(
    data_dir: Path, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = Person(monkeypatch)
    person.start()
    result = sign_in("--browser", "--redirect-uri", "http://127.0.0.1:0/callback", "--timeout", "10", "--days", "60")
    person.join(10)
    assert result.exit_code == 0, result.output
    assert person.ended_at is not None
    assert "You may close this window" in person.ended_at.text
    tokens = stored(data_dir)
    consented = datetime.fromisoformat(tokens["consented_at"])
    assert datetime.now(UTC) - consented < timedelta(minutes=1)
    assert f"ends on {(consented + timedelta(days=60)).date()}" in result.output
    assert "configured" in result.output
    assert "UK Trade Supplies" in result.output
    assert tokens["refresh_token"] not in result.output
    assert tokens["access_token"] not in result.output
    assert CLIENT.client_secret not in result.output
    assert stat.S_IMODE((data_dir / "secrets" / "sage200-SAGE_UK.json").stat().st_mode) == 0o600


def pasted_address(served: Served, result_of_page: str) -> str:
    """Where the browser ends up: an address that need not answer."""
    return httpx.get(result_of_page).headers["location"]


def test_a_consent_on_another_machine_is_pasted_and_then_the_account_works_without_a_secret_in_the_environment(
    data_dir: Path, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prompt(_text: str, **_: Any) -> str:
        return pasted_address(served, pages[0])

    pages: list[str] = []
    monkeypatch.setattr("orchestration.cli.commands.auth.typer.prompt", prompt)
    monkeypatch.setattr(ConsentRequest, "address", property(lambda self: pages.append(address_of(self)) or pages[-1]))
    result = sign_in("--paste", "--redirect-uri", PASTED, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert [company["company_id"] for company in found["companies"]] == ["7"]
    assert stored(data_dir)["refresh_token"] not in result.output

    from orchestration.lib.connections import Connections
    from orchestration.lib.registry import load_registry
    from orchestration.lib.settings import Settings

    settings = Settings()
    connector = Connections(load_registry(settings.config_dir), settings).connector("sage200", "SAGE_UK")
    first = {r.name: r for r in connector.check()}
    assert first["SAGE_UK: token, site and company"].ok
    assert "ends on" in first["SAGE_UK: consent"].detail


address_of = ConsentRequest.address.fget  # type: ignore[attr-defined]


def test_nobody_has_signed_in_is_said_with_the_command_that_does(data_dir: Path) -> None:
    result = CliRunner().invoke(app, ["doctor", "--json"])
    findings = {f["check"]: f for f in json.loads(result.stdout)["findings"]}
    assert "tieout auth sage200 --erp SAGE_UK" in findings["sage200/SAGE_UK connect"]["detail"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--redirect-uri", "http://127.0.0.1:0/callback", "--timeout", "1"), "nobody came back"),
        (("--redirect-uri", PASTED), "use --paste"),
        (("--redirect-uri", "{taken}/callback"), "cannot listen"),
        (("--authorize-url", "http://id.example.com/authorize"), "https"),
    ],
)
def test_a_sign_in_that_cannot_work_says_what_to_do(
    data_dir: Path, served: Served, arguments: tuple[str, ...], words: str
) -> None:
    result = sign_in(*(argument.format(taken=served.url) for argument in arguments))
    assert result.exit_code == 1
    assert words in " ".join(result.output.split())
    assert not (data_dir / "secrets" / "sage200-SAGE_UK.json").exists()


def test_a_company_that_is_not_configured_is_refused(data_dir: Path) -> None:
    result = CliRunner().invoke(app, ["auth", "sage200", "--erp", "NOBODY"])
    assert result.exit_code == 2
    assert "There are: SAGE_UK" in " ".join(result.output.split())


# --- the answer belongs to the question


@pytest.fixture
def request_(served: Served) -> ConsentRequest:
    return ConsentRequest.begin(authorize_url(f"{served.url}/oauth/token"), CLIENT.client_id, PASTED)


def test_the_consent_page_is_asked_as_documented(request_: ConsentRequest) -> None:
    query = {name: values[0] for name, values in parse_qs(urlsplit(request_.address).query).items()}
    assert query == {
        "audience": "s200ukipd/sage200",
        "client_id": CLIENT.client_id,
        "response_type": "code",
        "redirect_uri": PASTED,
        "scope": "openid profile email offline_access",
        "state": request_.state,
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a: a.replace("state=", "state=x"), "another sign-in"),
        (lambda a: a.split("&state")[0], "another sign-in"),
        (lambda a: a.replace("tieout.example", "evil.example"), "not below"),
        (lambda a: a.replace("code=", "cod="), "no code"),
        (lambda a: a.replace("code=", "error=access_denied&cod="), "did not grant"),
    ],
)
def test_an_answer_that_is_not_this_sign_ins_buys_nothing(
    served: Served, request_: ConsentRequest, change: Any, words: str
) -> None:
    address = change(pasted_address(served, request_.address))
    with pytest.raises(AuthError, match=words):
        request_.code(address)


def test_a_code_works_once_and_is_not_shown(served: Served, request_: ConsentRequest) -> None:
    code = request_.code(pasted_address(served, request_.address))
    token_url, store = f"{served.url}/oauth/token", MemoryCredentialStore("none")
    redeem(request_, code, token_url, CLIENT.client_secret, store)
    with pytest.raises(AuthError, match="begin again") as caught:
        redeem(request_, code, token_url, CLIENT.client_secret, store)
    assert code not in str(caught.value)


@pytest.mark.parametrize(
    ("member", "value"), [("audience", "other"), ("client_id", "other"), ("redirect_uri", "https://evil.example/")]
)
def test_sage_id_sends_nobody_back_when_the_address_itself_is_wrong(
    request_: ConsentRequest, member: str, value: str
) -> None:
    answer = httpx.get(request_.address, params={**parse_qs(urlsplit(request_.address).query), member: value})
    assert answer.status_code == 400
    assert "location" not in answer.headers


def test_without_offline_access_there_is_no_refresh_token_and_nothing_is_kept(
    served: Served, request_: ConsentRequest
) -> None:
    page = request_.address.replace("+offline_access", "")
    code = request_.code(pasted_address(served, page))
    store = MemoryCredentialStore("before")
    with pytest.raises(AuthError, match="offline_access"):
        redeem(request_, code, f"{served.url}/oauth/token", CLIENT.client_secret, store)
    assert store.load().refresh_token == "before"


def test_only_the_redirect_address_ends_the_wait() -> None:
    with LoopbackListener("http://127.0.0.1:0/callback") as listener:
        answers: list[int] = []

        def browser() -> None:
            root = listener.redirect_uri.removesuffix("/callback")
            answers.extend(httpx.get(f"{root}{path}").status_code for path in ("/favicon.ico", "/callback?code=1"))

        thread = threading.Thread(target=browser)
        thread.start()
        assert listener.wait(10) == f"{listener.redirect_uri}?code=1"
        thread.join(10)
    assert answers == [404, 200]


def test_a_consent_page_that_cannot_be_told_from_the_token_address_is_asked_for() -> None:
    assert authorize_url("https://id.sage.com/oauth/token") == "https://id.sage.com/authorize"
    with pytest.raises(BadConfiguration, match="--authorize-url"):
        authorize_url("https://id.example.com/token")


# --- renewing, and the end of it


def test_a_token_spent_by_somebody_else_is_told_with_what_to_do(connect: Connect, served: Served) -> None:
    token = served.store.sage_id.consent()
    thief = connect(credentials=MemoryCredentialStore(token))
    assert thief.sites()
    with pytest.raises(AuthError, match="spent by somebody else") as caught:
        connect(credentials=MemoryCredentialStore(token)).sites()
    assert not caught.value.retryable
    assert "tieout auth sage200 --erp SAGE_UK" in str(caught.value)
    assert token not in str(caught.value)


def test_a_consent_that_has_lapsed_is_told_apart(connect: Connect, served: Served, tmp_path: Path) -> None:
    given = datetime.now(UTC) - timedelta(days=91)
    store = FileCredentialStore(tmp_path / "t.json", served.store.sage_id.consent())
    store.save(Credentials(store.load().refresh_token, consented_at=given, consent_days=90))
    served.site(consent_days=0)
    with pytest.raises(AuthError, match=f"the consent of {given.date()} has lapsed after 90 days"):
        connect(credentials=store).sites()


PROCESS = """
import sys
from pathlib import Path
from connectors.auth import FileCredentialStore
from connectors.sage200 import Sage200Connector
url, site, path, client_id, secret = sys.argv[1:]
store = FileCredentialStore(Path(path))
print("ready", flush=True)
sys.stdin.readline()
sage = Sage200Connector("S", f"{url}/sage200/accounts/v1", f"{url}/oauth/token", site, 7, store, client_id, secret)
print(len(sage.sites()))
"""


def test_processes_that_find_an_old_token_at_once_spend_one_refresh_token(served: Served, tmp_path: Path) -> None:
    """Without the lock, or without saving before use, all but the first would be refused: the token is spent."""
    path = tmp_path / "t.json"
    first = served.store.sage_id.consent()
    FileCredentialStore(path).save(Credentials(first))
    site = served.store.company.site["site_id"]
    arguments = [served.url, site, str(path), CLIENT.client_id, CLIENT.client_secret]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    served.chaos(path="/oauth/token", kind="latency", seconds=0.5)  # all of them ask while the first one waits
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=30)[0].strip() for process in processes]
    assert outputs == ["1", "1", "1"]
    assert FileCredentialStore(path).load().refresh_token != first


def test_renewing_keeps_the_day_of_the_consent(connect: Connect, served: Served) -> None:
    store = MemoryCredentialStore(served.store.sage_id.consent())
    sage = connect(credentials=store)
    sage.sites()
    first = store.load()
    served.store.sage_id.expire_access_tokens()
    sage.sites()
    assert store.load().refresh_token != first.refresh_token
    assert store.load().consented_at == first.consented_at
