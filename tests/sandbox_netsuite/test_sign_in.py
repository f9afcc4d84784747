"""Who may call: assertions with a certificate, and signatures."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256, Client
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from sandbox.netsuite import NetSuiteSettings, NetSuiteSignIn, new_certificate
from tests.sandbox_netsuite.conftest import CLIENT, RECORD, TOKEN_PATH, Account, problem

JOURNALS = f"{RECORD}/journalEntry"


def signed(account: Account, url: str, **options: Any) -> httpx.Response:
    every = {
        "client_secret": CLIENT.consumer_secret,
        "resource_owner_key": CLIENT.token_id,
        "resource_owner_secret": CLIENT.token_secret,
        "signature_method": SIGNATURE_HMAC_SHA256,
        "realm": CLIENT.account_id,
    } | options
    signer = Client(CLIENT.consumer_key, **every)
    _, headers, _ = signer.sign(account.url + url)
    return httpx.get(account.url + url, headers=headers)


def test_a_token_is_bearer_without_a_refresh_token_and_its_life_may_be_a_text(account: Account) -> None:
    body = account.ask_token(account.assertion()).json()
    assert set(body) == {"access_token", "expires_in", "token_type"}
    assert (body["token_type"], int(body["expires_in"])) == ("Bearer", 3600)
    answer = httpx.get(account.url + JOURNALS, headers={"Authorization": f"Bearer {body['access_token']}"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "somebody else"},
        {"aud": "https://elsewhere.example/token"},
        {"scope": ["restlets"]},
        {"iat": int(time.time()) - 7200, "exp": int(time.time()) - 3600},
        {"iat": int(time.time()), "exp": int(time.time()) + 3700},
    ],
    ids=["iss", "aud", "scope", "late", "longer than an hour"],
)
def test_an_assertion_with_a_wrong_claim_is_an_invalid_grant(account: Account, claims: dict[str, Any]) -> None:
    answer = account.ask_token(account.assertion(**claims))
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"})


def test_the_certificate_is_checked(account: Account) -> None:
    other, _ = new_certificate()
    assert account.ask_token(account.assertion(key=other)).json() == {"error": "invalid_grant"}
    assert account.ask_token(account.assertion(header={"kid": "unknown"})).json() == {"error": "invalid_grant"}


def with_certificate(certificate: str) -> tuple[NetSuiteSignIn, TestClient]:
    sign_in = NetSuiteSignIn(replace(CLIENT, certificate_pem=certificate), NetSuiteSettings())
    return sign_in, TestClient(Starlette(routes=[Route(TOKEN_PATH, sign_in.token, methods=["POST"])]))


def ask(client: TestClient, key: RSAKey | ECKey, algorithm: str) -> httpx.Response:
    now = int(time.time())
    claims = {
        "iss": CLIENT.client_id,
        "scope": "rest_webservices",
        "aud": f"http://testserver{TOKEN_PATH}",
        "iat": now,
        "exp": now + 3600,
    }
    header = {"typ": "JWT", "alg": algorithm, "kid": CLIENT.certificate_id}
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jwt.encode(header, claims, key, algorithms=[algorithm]),
    }
    return client.post(TOKEN_PATH, data=form)


def test_rs256_is_refused_and_ps256_taken() -> None:
    key, certificate = new_certificate("RSA")
    sign_in, client = with_certificate(certificate)
    assert ask(client, RSAKey.import_key(key), "PS256").status_code == 200
    assert ask(client, RSAKey.import_key(key), "RS256").json() == {"error": "invalid_grant"}
    assert sign_in.audit_trail == ["the algorithm RS256 is not accepted for this certificate"]


@pytest.mark.parametrize("days", [1, 800], ids=["ended", "longer than two years"])
def test_a_certificate_that_has_ended_or_lasts_too_long_signs_nothing(days: int) -> None:
    key, certificate = new_certificate(days=days)
    sign_in, client = with_certificate(certificate)
    assert ask(client, ECKey.import_key(key), "ES256").json() == {"error": "invalid_grant"}
    assert sign_in.audit_trail == ["the certificate is not valid"]


def test_a_spent_token_is_an_invalid_login(account: Account) -> None:
    account.api.sign_in.expire_tokens()
    problem(account.http.get(JOURNALS), 401, "INVALID_LOGIN")


def test_a_signature_covers_the_query_but_not_the_body(account: Account) -> None:
    assert signed(account, f"{JOURNALS}?limit=5&offset=10").status_code == 200
    assert signed(account, f"{RECORD}/customer?limit=1").status_code == 200


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"realm": "1234567-sb1"}, "the realm is not the account id"),
        ({"resource_owner_secret": "wrong"}, "the signature is wrong"),
        ({"resource_owner_key": "revoked"}, "the consumer key or the token is unknown"),
        ({"signature_method": SIGNATURE_HMAC_SHA1}, "only HMAC-SHA256 is accepted"),
        ({"timestamp": str(int(time.time()) - 400)}, "the timestamp is too far away"),
    ],
)
def test_every_failure_looks_the_same_but_in_the_audit_trail(
    account: Account, options: dict[str, Any], reason: str
) -> None:
    detail = problem(signed(account, JOURNALS, **options), 401, "INVALID_LOGIN")
    assert "Login Audit Trail" in detail
    assert account.api.sign_in.audit_trail[-1] == reason


def test_each_nonce_once_so_that_a_retry_is_signed_again(account: Account) -> None:
    assert signed(account, JOURNALS, nonce="abc", timestamp=str(int(time.time()))).status_code == 200
    problem(signed(account, JOURNALS, nonce="abc", timestamp=str(int(time.time()))), 401, "INVALID_LOGIN")
    assert account.api.sign_in.audit_trail[-1] == "the nonce was used before"


def test_a_signature_of_another_query_is_refused(account: Account) -> None:
    signer = Client(
        CLIENT.consumer_key,
        client_secret=CLIENT.consumer_secret,
        resource_owner_key=CLIENT.token_id,
        resource_owner_secret=CLIENT.token_secret,
        signature_method=SIGNATURE_HMAC_SHA256,
        realm=CLIENT.account_id,
    )
    _, headers, _ = signer.sign(account.url + JOURNALS)
    problem(httpx.get(f"{account.url}{JOURNALS}?limit=5", headers=headers), 401, "INVALID_LOGIN")
