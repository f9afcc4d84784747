"""Who we are to NetSuite: OAuth 2 client credentials with a certificate, or token-based authentication (OAuth 1).

From release 2027.1 no new integration can be created with tokens; those that exist keep working.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256  # type: ignore[import-untyped]
from oauthlib.oauth1 import Client as Signer

from connectors.auth import TOKEN_CALL, MemoryToken
from connectors.errors import (
    AuthError,
    BadConfiguration,
    BadPayload,
    ConnectorError,
    ServerFailed,
    TransportFailed,
)
from connectors.http import ApiClient, utc_now
from connectors.netsuite.accounts import SERVICES, VENDOR

TOKEN_PATH = f"{SERVICES}/auth/oauth2/v1/token"
SCOPES = ["rest_webservices"]
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_LIFE = timedelta(minutes=5)
RSA_ALGORITHMS = frozenset({"PS256", "PS384", "PS512"})
"""RSA keys sign as RSA-PSS: NetSuite refuses RS256."""
EC_ALGORITHMS = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
MINIMUM_RSA_BITS = 2048


@dataclass(frozen=True, slots=True)
class Certificate:
    """The client's half of a machine-to-machine mapping. `private_key` is PEM; `certificate_id` is what NetSuite's
    set-up page shows for the uploaded certificate. Without an `algorithm` the key's own is taken.
    """

    client_id: str
    certificate_id: str
    private_key: str = field(repr=False)
    algorithm: str | None = None


@dataclass(frozen=True, slots=True)
class Tokens:
    """The four secrets of token-based authentication."""

    consumer_key: str
    consumer_secret: str = field(repr=False)
    token_id: str
    token_secret: str = field(repr=False)


class TokenSignature(httpx.Auth):
    """`Authorization: OAuth …`, HMAC-SHA256 over the method, the URL and its query, never over the JSON body.

    Each request is signed when it is sent, so that a repetition has a nonce of its own.
    """

    def __init__(self, realm: str, tokens: Tokens) -> None:
        self._realm = realm
        self._tokens = tokens

    def authorization(self, method: str, url: str, **fixed: str) -> str:
        """The header for one request. `fixed` sets `nonce` and `timestamp`, to check published signatures."""
        signer = Signer(
            self._tokens.consumer_key,
            client_secret=self._tokens.consumer_secret,
            resource_owner_key=self._tokens.token_id,
            resource_owner_secret=self._tokens.token_secret,
            signature_method=SIGNATURE_HMAC_SHA256,
            realm=self._realm,
            **fixed,
        )
        _, headers, _ = signer.sign(url, method)
        return str(headers["Authorization"])

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = self.authorization(request.method, str(request.url))
        yield request


class _TokenAnswer(msgspec.Struct):
    access_token: str
    expires_in: float = 3600.0


class CertificateToken(MemoryToken):
    """`Authorization: Bearer <access token>`, asked for with an assertion signed by the certificate's key.

    There is no refresh token: a new assertion asks for the next access token, a minute before this one ends. A 401 is
    answered by one renewal and one repetition, also of a write: what was not accepted was not carried out.
    """

    def __init__(
        self,
        base_url: str,
        certificate: Certificate,
        *,
        timeout_seconds: float = 60.0,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._certificate = certificate
        self._key, self._algorithm = _key(certificate)
        super().__init__(clock)
        self._client = ApiClient(
            VENDOR,
            f"{base_url}{TOKEN_PATH}",
            timeout_seconds=timeout_seconds,
            transport=transport,
            sleep=sleep,
            clock=clock,
            is_paced=False,
        )

    def close(self) -> None:
        self._client.close()

    def assertion(self) -> str:
        """The signed statement of who asks, good for five minutes. Its `scope` is a list, as in Oracle's sample."""
        now = int(self._clock().timestamp())
        header = {"typ": "JWT", "alg": self._algorithm, "kid": self._certificate.certificate_id}
        claims: dict[str, Any] = {
            "iss": self._certificate.client_id,
            "scope": SCOPES,
            "aud": self._client.base_url,
            "iat": now,
            "exp": now + int(ASSERTION_LIFE.total_seconds()),
        }
        return jwt.encode(header, claims, self._key, algorithms=[self._algorithm])

    def _renew(self) -> tuple[str, datetime]:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.assertion(),
        }
        try:
            answer = self._client.write(
                TOKEN_CALL,
                "",
                content=str(httpx.QueryParams(form)).encode(),
                headers={"Content-Type": "application/x-www-form-urlencoded"},
            )
            # Oracle does not say whether the lifetime is a number or a text: both are read.
            tokens = msgspec.json.decode(answer.body, type=_TokenAnswer, strict=False)
        except (msgspec.DecodeError, UnicodeError):
            raise _not_sent(
                BadPayload("the token service answered without a token", vendor=VENDOR, call=TOKEN_CALL.name)
            ) from None
        except (TransportFailed, ServerFailed) as error:
            raise _not_sent(error) from error
        except ConnectorError as error:
            if error.status is not None and 400 <= error.status < 500 and not error.retryable:
                raise AuthError(
                    f"certificate {self._certificate.certificate_id} was not accepted: it may have ended, a refresh "
                    "of the test account may have removed it, or this machine's clock is wrong",
                    vendor=VENDOR,
                    call=TOKEN_CALL.name,
                    status=error.status,
                    detail=error.detail,
                ) from None
            raise
        return tokens.access_token, self._clock() + timedelta(seconds=tokens.expires_in)


def _key(certificate: Certificate) -> tuple[RSAKey | ECKey, str]:
    """The private key and the algorithm to sign with. Raises BadConfiguration without repeating the key."""
    wanted = certificate.algorithm

    def bad(message: str) -> BadConfiguration:
        return BadConfiguration(message, vendor=VENDOR, call="configuration")

    pem = certificate.private_key.strip()
    rsa: RSAKey | None = None
    try:
        rsa = RSAKey.import_key(pem)
    except (JoseError, ValueError, TypeError):
        rsa = None  # not an RSA key; an elliptic one is tried next
    if rsa is not None:
        if not rsa.is_private:
            raise bad("the certificate's private key is needed, not its public half")
        if rsa.private_key is not None and rsa.private_key.key_size < MINIMUM_RSA_BITS:
            raise bad(f"the RSA key is shorter than {MINIMUM_RSA_BITS} bits")
        if wanted is not None and wanted not in RSA_ALGORITHMS:
            raise bad(f"algorithm {wanted} is not accepted for an RSA key: PS256, PS384 or PS512 (RSA-PSS)")
        return rsa, wanted or "PS256"
    try:
        curve = ECKey.import_key(pem)
    except (JoseError, ValueError, TypeError):
        raise bad("the private key is no unencrypted PEM key of type RSA or EC") from None
    if not curve.is_private:
        raise bad("the certificate's private key is needed, not its public half")
    own = EC_ALGORITHMS.get(str(curve.curve_name))
    if own is None or wanted not in {None, own}:
        raise bad(f"a key on curve {curve.curve_name} cannot sign {wanted or 'what NetSuite accepts'}")
    return curve, own


def _not_sent(error: ConnectorError) -> TransportFailed:
    """A failed token request, as what it means for the request that needed the token: that one has not been sent."""
    return TransportFailed(
        error.message,
        vendor=error.vendor,
        call=error.call,
        status=error.status,
        detail=error.detail,
        sent=False,
        retry_after=error.retry_after if isinstance(error, ServerFailed) else None,
    )
