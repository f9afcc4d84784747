"""NetSuite accounts beside the other vendors: what a pipeline gets to sign in, and what a restart remembers."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.testclient import TestClient

from sandbox.app import Sandbox
from sandbox.config import Marketplaces, Places, environment, read_environment, write_config, write_environment
from sandbox.store import Store
from sandbox.world import DEFAULT_AS_OF, World, build_world

SEED = 11
ACCOUNT = "/netsuite/NS_HOME"
TOKEN = f"{ACCOUNT}/services/rest/auth/oauth2/v1/token"
RECORD = f"{ACCOUNT}/services/rest/record/v1"
SUITEQL = f"{ACCOUNT}/services/rest/query/v1/suiteql"
HOST = "http://testserver"


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(SEED, 250, marketplaces=("BRICO", "HOMELY"))


class Client:
    """A pipeline that knows of the sandbox what its environment file says."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        served = Marketplaces(["BRICO", "HOMELY"], netsuite={"NS_HOME": sandbox.store.netsuite["NS_HOME"].account_id})
        variables = environment(
            Places(folder), seed=SEED, as_of=DEFAULT_AS_OF, marketplaces=served, refresh_token="unused"
        )
        write_environment(folder / "env", variables)
        self.env = read_environment(folder / "env")
        self.http = TestClient(sandbox.app, base_url=HOST)
        self.http.headers["Authorization"] = f"Bearer {self._token()}"

    def _token(self) -> str:
        now = int(time.time())
        key = ECKey.import_key(self.env["NETSUITE_NS_HOME_PRIVATE_KEY"].replace("\\n", "\n"))
        claims = {
            "iss": self.env["NETSUITE_NS_HOME_CLIENT_ID"],
            "scope": ["rest_webservices"],
            "aud": HOST + TOKEN,
            "iat": now,
            "exp": now + 300,
        }
        header = {"typ": "JWT", "alg": "ES256", "kid": self.env["NETSUITE_NS_HOME_CERTIFICATE_ID"]}
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": jwt.encode(header, claims, key, algorithms=["ES256"]),
        }
        answer = self.http.post(TOKEN, data=form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def rows(self, q: str) -> list[dict[str, str]]:
        answer = self.http.post(SUITEQL, json={"q": q}, headers={"Prefer": "transient"})
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]  # type: ignore[no-any-return]

    def id_of(self, number: str) -> str:
        return self.rows(f"SELECT a.id FROM account a WHERE a.acctnumber = '{number}'")[0]["id"]

    def post_journal(self, external_id: str, amount: str) -> Any:
        lines = [{"account": {"id": self.id_of("7901")}, "debit": float(amount)}]
        lines.append({"account": {"id": self.id_of("1260")}, "credit": float(amount)})
        body = {
            "externalId": external_id,
            "subsidiary": {"id": "2"},
            "tranDate": "2026-07-01",
            "approved": True,
            "line": {"items": lines},
        }
        return self.http.post(f"{RECORD}/journalEntry", json=body)

    def written(self) -> list[dict[str, Any]]:
        return self.http.get("/_sandbox/state").json()["netsuite"]["NS_HOME"]  # type: ignore[no-any-return]


@pytest.fixture
def sandbox(world: World, tmp_path: Path) -> Sandbox:
    return started(world, tmp_path)


def started(world: World, folder: Path) -> Sandbox:
    return Sandbox(lambda: Store(world, seed=SEED, as_of=DEFAULT_AS_OF, state_folder=folder / "state"))


def test_what_was_written_is_there_after_a_restart_and_gone_after_a_reset(
    world: World, sandbox: Sandbox, tmp_path: Path
) -> None:
    client = Client(sandbox, tmp_path)
    assert client.written() == []
    created = client.post_journal("JE-TO1", "12.50")
    assert created.status_code == 204, created.text
    refused = client.post_journal("JE-TO1", "12.50")
    assert "already exist" in refused.text
    number = created.headers["location"].rsplit("/", 1)[1]
    sandbox.store.netsuite["NS_HOME"].settings.approval_required = True
    assert client.http.patch(f"{RECORD}/journalEntry/{number}", json={"memo": "seen"}).status_code == 204
    before = client.written()
    assert [(row["external_id"], row["is_posted"]) for row in before] == [("JE-TO1", True)]
    assert sorted((line["account"], line["amount"]) for line in before[0]["lines"]) == [("1260", -12.5), ("7901", 12.5)]

    again = started(world, tmp_path)
    assert again.store.replayed == 2
    client = Client(again, tmp_path)
    assert client.written() == before
    assert client.rows("SELECT t.id FROM transaction t WHERE t.externalid = 'JE-TO1'")[0]["id"] == number
    assert client.http.get("/_sandbox/writes").json() == {"netsuite journalEntry": 2}

    assert client.http.post("/_sandbox/reset").status_code == 204
    assert Client(again, tmp_path).written() == []
    assert started(world, tmp_path).store.replayed == 0


def test_a_month_that_a_person_closes_stays_closed_over_a_restart(
    world: World, sandbox: Sandbox, tmp_path: Path
) -> None:
    client = Client(sandbox, tmp_path)
    assert client.http.post("/_sandbox/netsuite/NS_HOME", json={"close": "Jul 2026"}).status_code == 200
    client = Client(started(world, tmp_path), tmp_path)
    refused = client.post_journal("JE-TO2", "1.00")
    assert "posting period" in refused.text
    assert client.http.post("/_sandbox/netsuite/NS_HOME", json={"reopen": "Jul 2026"}).status_code == 200
    assert client.post_journal("JE-TO2", "1.00").status_code == 204


def test_switches_make_one_account_differ_from_another(sandbox: Sandbox, tmp_path: Path) -> None:
    client = Client(sandbox, tmp_path)
    switches = {"denied_tables": ["item"], "concurrency_limit": 2, "closed_period": "first_open"}
    shown = client.http.post("/_sandbox/netsuite/NS_HOME", json=switches).json()
    assert shown | switches == shown
    answer = client.http.post(SUITEQL, json={"q": "SELECT i.id FROM item i"}, headers={"Prefer": "transient"})
    assert "was not found" in answer.text
    for wrong in ({"closed_period": "maybe"}, {"close": "Brumaire"}, {"nothing": 1}, {"denied_tables": "item"}):
        assert client.http.post("/_sandbox/netsuite/NS_HOME", json=wrong).status_code == 400, wrong
    assert client.http.get("/_sandbox/netsuite/ELSEWHERE").status_code == 400


def test_tokens_end_with_the_others(sandbox: Sandbox, tmp_path: Path) -> None:
    client = Client(sandbox, tmp_path)
    assert client.http.post("/_sandbox/tokens/expire").status_code == 204
    answer = client.http.post(SUITEQL, json={"q": "SELECT 1 FROM DUAL"}, headers={"Prefer": "transient"})
    assert answer.status_code == 401


def test_secrets_stand_in_the_private_environment_file_only(sandbox: Sandbox, tmp_path: Path) -> None:
    env = Client(sandbox, tmp_path).env
    places = Places(tmp_path)
    write_config(places, HOST, Marketplaces(["BRICO", "HOMELY"], netsuite={"NS_HOME": "1234567_SB1"}))
    assert (tmp_path / "env").stat().st_mode & 0o077 == 0
    secrets = [value for name, value in env.items() if name.startswith("NETSUITE_")]
    assert len(secrets) == 3
    content = "".join(path.read_text() for path in places.config.iterdir())
    assert not [secret for secret in secrets if secret in content]


def rows_of(places: Places, name: str) -> dict[str, dict[str, str]]:
    with (places.config / f"{name}.csv").open(newline="") as file:
        return {next(iter(row.values())): row for row in csv.DictReader(file)}


def test_the_books_of_each_marketplace_are_configured_where_they_are_kept(tmp_path: Path) -> None:
    places = Places(tmp_path)
    write_config(places, HOST, Marketplaces(["BRICO", "HOMELY"], netsuite={"NS_HOME": "1234567_SB1"}))
    erps = rows_of(places, "erps")
    assert (erps["NS_HOME"]["base_url"], erps["NS_HOME"]["is_enabled"]) == (f"{HOST}{ACCOUNT}", "true")
    assert (erps["SAGE_UK"]["vendor"], erps["SAGE_UK"]["is_enabled"]) == ("sage200", "true")
    banks = rows_of(places, "bank_accounts")
    assert (banks["BARC_GBP"]["is_enabled"], banks["HSBC_GBP"]["is_enabled"]) == ("true", "true")


def test_both_sellers_may_have_netsuite(tmp_path: Path) -> None:
    places = Places(tmp_path)
    write_config(places, HOST, Marketplaces(["BRICO"], netsuite={"NS_UK": "7654321"}, has_sage=False))
    erps = rows_of(places, "erps")
    assert {code: (row["vendor"], row["is_enabled"]) for code, row in erps.items()} == {
        "NS_UK": ("netsuite", "true"),
        "NS_HOME": ("netsuite", "false"),
        "NS_PLAZA": ("netsuite", "false"),
    }
    assert (erps["NS_UK"]["account_id"], erps["NS_UK"]["company_id"]) == ("7654321", "")
    brico = rows_of(places, "marketplaces")["BRICO"]
    assert (brico["erp_code"], brico["clearing_bank_code"]) == ("NS_UK", "1260")
    banks = rows_of(places, "bank_accounts")
    assert (banks["BARC_GBP"]["erp_bank_code"], banks["HSBC_GBP"]["is_enabled"]) == ("1200", "false")
    assert "SAGE_UK" not in (places.config / "warehouses.csv").read_text()
