"""Signing in: Oracle's published signatures, and assertions that a public key can check."""

from __future__ import annotations

import json
import threading
import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlencode

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from connectors.errors import AuthError, BadConfiguration, BudgetExhausted, RateLimited, TransportFailed
from connectors.netsuite import AccountLimiter, Certificate, NetSuiteConnector, Tokens
from connectors.netsuite.accounts import base_url_of, realm_of
from connectors.netsuite.auth import TOKEN_PATH, TokenSignature
from connectors.records import Window
from tests.connectors_netsuite.conftest import NOW, TOKENS, Connect
from tests.connectors_netsuite.suitetalk import Asked, Reply, Suitetalk, refusal

RSA = RSAKey.generate_key(2048, private=True)
EC = ECKey.generate_key("P-256", private=True)


def certificate(key: RSAKey | ECKey = RSA, algorithm: str | None = None) -> Certificate:
    return Certificate("client-1", "cert-1", key.as_pem(private=True).decode(), algorithm)


def token_requests(suitetalk: Suitetalk) -> list[dict[str, str]]:
    return [
        {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        for asked in suitetalk.asked
        if asked.path == TOKEN_PATH
    ]


@pytest.mark.contracts
@pytest.mark.parametrize("index", [0, 1, 2])
def test_oracles_oauth_1_vectors(payloads: Path, index: int) -> None:
    published = json.loads((payloads / "netsuite" / "oauth1_signature_vectors.json").read_text())
    secrets, vector = published["example_credentials_published_by_oracle"], published["vectors"][index]
    tokens = Tokens(secrets["consumer_key"], secrets["consumer_secret"], secrets["token"], secrets["token_secret"])
    url = vector["url"] + (f"?{urlencode(vector['query'])}" if vector["query"] else "")
    header = TokenSignature(vector["realm"], tokens).authorization(
        vector["method"], url, nonce=vector["nonce"], timestamp=vector["timestamp"]
    )
    parts = dict(part.strip().split("=", 1) for part in header.removeprefix("OAuth ").split(","))
    assert unquote(parts["oauth_signature"].strip('"')) == vector["signature"]
    assert parts["realm"] == f'"{vector["realm"]}"'
    assert parts["oauth_signature_method"] == '"HMAC-SHA256"'


@pytest.mark.parametrize(
    ("account_id", "realm", "host"),
    [
        ("1234567", "1234567", "1234567"),
        ("1234567_SB1", "1234567_SB1", "1234567-sb1"),
        ("1234567-rp", "1234567_RP", "1234567-rp"),
    ],
)
def test_one_account_id_gives_both_spellings(account_id: str, realm: str, host: str) -> None:
    assert realm_of(account_id) == realm
    assert base_url_of(account_id) == f"https://{host}.suitetalk.api.netsuite.com"


def test_an_account_id_that_would_change_the_host_is_refused() -> None:
    with pytest.raises(BadConfiguration):
        base_url_of("evil.example/1")


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "PS256"), (EC, "ES256")])
def test_the_assertion_is_signed_by_the_certificate(
    suitetalk: Suitetalk, connect: Connect, base_url: str, key: RSAKey | ECKey, algorithm: str
) -> None:
    list(connect(credentials=certificate(key), sign_in_clock=lambda: NOW).pages("locations", Window()))
    (form,) = token_requests(suitetalk)
    assert form["grant_type"] == "client_credentials"
    assert "client_secret" not in form
    signed = jws.deserialize_compact(form["client_assertion"], key, algorithms=[algorithm])
    assert signed.headers() == {"typ": "JWT", "alg": algorithm, "kid": "cert-1"}
    assert json.loads(signed.payload) == {
        "iss": "client-1",
        "scope": ["rest_webservices"],
        "aud": f"{base_url}{TOKEN_PATH}",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 300,
    }
    assert suitetalk.asked[-1].headers["authorization"] == "Bearer good"


def test_rs256_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(BadConfiguration, match="RSA-PSS") as raised:
        NetSuiteConnector("NS_UK", "1234567", certificate(RSA, "RS256"))
    assert "PRIVATE" not in str(raised.value)


@pytest.mark.parametrize("pem", ["", "not a key", RSA.as_pem(private=False).decode()])
def test_what_is_no_private_key_is_refused_without_being_shown(pem: str) -> None:
    with pytest.raises(BadConfiguration) as raised:
        NetSuiteConnector("NS_UK", "1234567", Certificate("c", "k", pem))
    assert not pem or pem not in str(raised.value)


def test_there_is_no_refresh_token_so_a_new_assertion_is_sent_in_time(suitetalk: Suitetalk, connect: Connect) -> None:
    now = [NOW]
    connector = connect(credentials=certificate(), sign_in_clock=lambda: now[0])
    list(connector.pages("locations", Window()))
    list(connector.pages("locations", Window()))
    assert len(token_requests(suitetalk)) == 1, "one token serves until it ends"
    now[0] += timedelta(seconds=3600 - 59)
    list(connector.pages("locations", Window()))
    assert len(token_requests(suitetalk)) == 2


def test_a_revoked_token_is_renewed_once(suitetalk: Suitetalk, connect: Connect) -> None:
    refused: list[Asked] = []

    def once(asked: Asked) -> Reply | None:
        if asked.path == TOKEN_PATH or refused:
            return None
        refused.append(asked)
        return refusal(401, "INVALID_LOGIN", "Invalid login attempt.", "Unauthorized")

    suitetalk.before = once
    assert len(list(connect(credentials=certificate()).pages("locations", Window()))) == 1
    assert len(token_requests(suitetalk)) == 2


def test_a_certificate_that_is_not_accepted_is_named(suitetalk: Suitetalk, connect: Connect) -> None:
    suitetalk.before = lambda asked: Reply(400, {"error": "invalid_grant"}) if asked.path == TOKEN_PATH else None
    with pytest.raises(AuthError, match=r"cert-1 was not accepted.*invalid_grant"):
        list(connect(credentials=certificate()).pages("locations", Window()))


def test_a_failed_token_request_proves_that_nothing_was_sent(suitetalk: Suitetalk, connect: Connect) -> None:
    suitetalk.before = lambda asked: Reply(is_cut=True) if asked.path == TOKEN_PATH else None
    with pytest.raises(TransportFailed) as raised:
        list(connect(credentials=certificate()).pages("locations", Window()))
    assert not raised.value.sent


def test_every_try_is_signed_again_with_a_nonce_of_its_own(suitetalk: Suitetalk, connect: Connect) -> None:
    suitetalk.before = lambda _: Reply(503) if len(suitetalk.asked) < 3 else None
    list(connect().pages("locations", Window()))
    headers = [asked.headers["authorization"] for asked in suitetalk.asked]
    assert len({header.split("oauth_nonce=")[1].split(",")[0] for header in headers}) == 3
    assert all(header.startswith('OAuth realm="1234567_SB1"') for header in headers)
    assert all("secret" not in header for header in headers)


def test_a_wrong_signature_is_not_tried_again(suitetalk: Suitetalk, connect: Connect, naps: list[float]) -> None:
    suitetalk.before = lambda _: refusal(401, "INVALID_LOGIN", "Invalid login attempt.", "Unauthorized")
    results = connect().check()
    assert [result.ok for result in results] == [False]
    assert "Login Audit Trail" in results[0].action
    assert not naps


# --- the account's limit ---


@pytest.mark.parametrize("code", ["CONCURRENCY_LIMIT_EXCEEDED", "SSS_REQUEST_LIMIT_EXCEEDED"])
@pytest.mark.parametrize("status", [400, 429])
def test_too_many_requests_are_waited_out_whatever_their_title(
    suitetalk: Suitetalk, connect: Connect, naps: list[float], code: str, status: int
) -> None:
    suitetalk.before = lambda _: refusal(status, code, "Request blocked.") if len(suitetalk.asked) < 3 else None
    assert len(list(connect().pages("locations", Window()))) == 1
    assert len(naps) == 2
    assert naps[1] > naps[0] * 0.5


def test_an_account_that_stays_full_is_reported_as_such(suitetalk: Suitetalk, connect: Connect) -> None:
    suitetalk.before = lambda _: refusal(429, "CONCURRENCY_LIMIT_EXCEEDED", "Concurrent request limit exceeded.")
    with pytest.raises(RateLimited, match="too many requests at once"):
        list(connect().pages("locations", Window()))


def test_lanes_of_one_account_share_its_limit(suitetalk: Suitetalk, connect: Connect, tmp_path: Path) -> None:
    at_once, most, lock = [0], [0], threading.Lock()

    def slow(asked: Asked) -> Reply | None:
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        time.sleep(0.05)
        with lock:
            at_once[0] -= 1
        return None

    suitetalk.before = slow
    # Limiters of their own, as lanes in processes of their own have them: only the folder is shared.
    connectors = [connect(limiter=AccountLimiter(2, tmp_path / "1234567")) for _ in range(4)]
    threads = [
        threading.Thread(target=lambda c=c: [list(c.pages("locations", Window())) for _ in range(2)])
        for c in connectors
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(suitetalk.asked) == 8
    assert most[0] == 2


def test_a_place_that_never_comes_free_is_an_error_that_proves_nothing_was_sent(tmp_path: Path) -> None:
    first, second = (AccountLimiter(1, tmp_path, longest_wait_seconds=0.05) for _ in range(2))
    with first.place("a"), pytest.raises(BudgetExhausted), second.place("b"):
        pytest.fail("the place was taken twice")
    with second.place("b"):
        pass


def test_doctor_compares_the_limit_with_the_accounts(suitetalk: Suitetalk, connect: Connect) -> None:
    def limits(asked: Asked) -> Reply | None:
        if not asked.path.endswith("/governanceLimits"):
            return None
        return Reply(body={"accountConcurrencyLimit": 5, "integrationConcurrencyLimit": 3})

    suitetalk.before = limits
    result = connect(limiter=AccountLimiter(4)).check()[1]
    assert not result.ok
    assert "to 3 or less" in result.action


def test_a_role_without_permission_is_told_from_a_bad_request(suitetalk: Suitetalk, connect: Connect) -> None:
    """NetSuite answers 400 USER_ERROR where a 403 is documented."""
    text = "Your current role does not have permission to perform this action."
    suitetalk.before = lambda a: refusal(400, "USER_ERROR", text) if a.path.endswith("governanceLimits") else None
    result = connect(credentials=TOKENS).check()[1]
    assert result.ok
    assert "administrators only" in result.detail


def test_the_secrets_appear_in_no_error(suitetalk: Suitetalk, connect: Connect) -> None:
    suitetalk.before = lambda _: refusal(400, "USER_ERROR", "echo ts-secret and cs-secret")
    with pytest.raises(Exception, match=r"\*\*\*") as raised:
        list(connect().pages("locations", Window()))
    assert "ts-secret" not in str(raised.value)
    assert "cs-secret" not in str(raised.value)
