"""A NetSuite account on the loopback, and a caller that signs in to it as a pipeline would."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey

from sandbox.chaos import Chaos
from sandbox.clock import SandboxClock
from sandbox.netsuite import NetSuiteApi, NetSuiteClient, NetSuiteSettings, NetSuiteWorld, new_certificate
from tests.sandbox_netsuite.company import build_company

AS_OF = datetime(2026, 9, 20, 12, 0, tzinfo=UTC)
KEY, CERTIFICATE = new_certificate()
CLIENT = NetSuiteClient(
    account_id="1234567_SB1",
    client_id="client-of-the-test",
    certificate_id="certificate-of-the-test",
    certificate_pem=CERTIFICATE,
    consumer_key="consumer-key",
    consumer_secret="consumer-secret",
    token_id="token-id",
    token_secret="token-secret",
)
TOKEN_PATH = "/services/rest/auth/oauth2/v1/token"
SUITEQL = "/services/rest/query/v1/suiteql"
RECORD = "/services/rest/record/v1"


@dataclass
class Account:
    """The running account: `api` to look inside, `http` to call it, signed in."""

    api: NetSuiteApi
    chaos: Chaos
    url: str
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.url, timeout=10)

    def assertion(self, key: str = KEY, header: dict[str, Any] | None = None, **claims: Any) -> str:
        now = int(time.time())
        every = {
            "iss": CLIENT.client_id,
            "scope": ["rest_webservices"],
            "aud": self.url + TOKEN_PATH,
            "iat": now,
            "exp": now + 300,
        } | claims
        headers = {"typ": "JWT", "alg": "ES256", "kid": CLIENT.certificate_id} | (header or {})
        return jwt.encode(headers, every, ECKey.import_key(key), algorithms=[headers["alg"]])

    def ask_token(self, assertion: str, **form: str) -> httpx.Response:
        body = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion,
        }
        return httpx.post(self.url + TOKEN_PATH, data=body | form)

    def sign_in(self) -> None:
        token = self.ask_token(self.assertion()).json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {token}"

    def query(self, q: str, *params: Any, limit: int = 1000, offset: int = 0, **headers: str) -> httpx.Response:
        return self.http.post(
            SUITEQL,
            params={"limit": limit, "offset": offset},
            json={"q": q, "params": list(params)},
            headers={"Prefer": "transient"} | headers,
        )

    def rows(self, q: str, *params: Any, **options: Any) -> list[dict[str, str]]:
        answer = self.query(q, *params, **options)
        assert answer.status_code == 200, answer.text
        return [{name: value for name, value in row.items() if name != "links"} for row in answer.json()["items"]]

    def post(self, record: str, body: Any, **options: Any) -> httpx.Response:
        headers = {"X-NetSuite-PropertyNameValidation": "error"} | options.pop("headers", {})
        return self.http.post(f"{RECORD}/{record}", json=body, headers=headers, **options)


def created(answer: httpx.Response) -> int:
    """The new id: the last part of the Location of a 204."""
    assert answer.status_code == 204, answer.text
    assert answer.content == b""
    return int(answer.headers["location"].rsplit("/", 1)[1])


def problem(answer: httpx.Response, status: int, code: str) -> str:
    """The detail of a refusal of this status and code."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["status"] == status
    assert body["o:errorDetails"][0]["o:errorCode"] == code
    return str(body["o:errorDetails"][0]["detail"])


@pytest.fixture(scope="session")
def company() -> NetSuiteWorld:
    return build_company(AS_OF)


@pytest.fixture(scope="module")
def served(company: NetSuiteWorld) -> Iterator[Account]:
    api = NetSuiteApi(company, CLIENT, SandboxClock(AS_OF), NetSuiteSettings())
    chaos = api.app()
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(chaos, log_level="warning", access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    running = Account(api, chaos, f"http://127.0.0.1:{listener.getsockname()[1]}")
    yield running
    running.http.close()
    server.should_exit = True
    thread.join()


@pytest.fixture
def account(served: Account) -> Account:
    """The module's account, signed in afresh, its switches and failures as they are by default.

    What earlier tests of the module wrote is still there: each test writes under external ids of its own.
    """
    vars(served.api.settings).update(vars(NetSuiteSettings()))
    served.chaos.rules.clear()
    served.sign_in()
    return served
