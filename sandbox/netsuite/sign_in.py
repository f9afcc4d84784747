"""Who may call: OAuth 2.0 client credentials with a certificate, and token-based authentication (OAuth 1.0a).

Times of signatures and assertions are compared with the machine's clock, not the sandbox's: clients sign with theirs.
A refused signature says 401 INVALID_LOGIN and nothing more; the reason is in `audit_trail`, as in the vendor's.
"""

import base64
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from oauthlib.oauth1.rfc5849 import signature
from starlette.requests import Request
from starlette.responses import Response

from sandbox import jsonio
from sandbox.netsuite.problems import INVALID_LOGIN, Refusal
from sandbox.netsuite.world import NetSuiteSettings

TOKEN_PATH = "/services/rest/auth/oauth2/v1/token"  # noqa: S105
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_CERTIFICATE = timedelta(days=731)
SCOPE = "rest_webservices"
ROLE, ENTITY = 1042, 17
"""The integration's role and user, as the access token names them."""
_CURVES = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}
_SMALLEST_RSA_KEY = 2048


@dataclass(frozen=True)
class NetSuiteClient:
    """One integration: the certificate it has uploaded, and its four TBA secrets."""

    account_id: str
    client_id: str
    certificate_id: str
    certificate_pem: str
    consumer_key: str
    consumer_secret: str
    token_id: str
    token_secret: str


def new_certificate(key_type: str = "EC", days: int = 365) -> tuple[str, str]:
    """A fresh private key (PKCS 8) and its self-signed certificate, both PEM, valid from yesterday for `days`."""
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    key = ec.generate_private_key(ec.SECP256R1()) if key_type == "EC" else rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem.decode(), certificate_of(key, days)


def certificate_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, days: int = 365) -> str:
    """A self-signed certificate for the key, PEM, valid from yesterday for `days`."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tieout sandbox")])
    start = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


class NetSuiteSignIn:
    """Tokens and signatures of one integration. Access tokens live in memory: a restart makes clients ask again."""

    def __init__(
        self, client: NetSuiteClient, settings: NetSuiteSettings, wall_clock: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._settings = settings
        self._wall_clock = wall_clock
        self._certificate = x509.load_pem_x509_certificate(client.certificate_pem.encode())
        self._tokens: dict[str, float] = {}
        self._nonces: set[str] = set()
        self.audit_trail: list[str] = []

    def expire_tokens(self) -> None:
        self._tokens.clear()

    # --- OAuth 2.0

    async def token(self, request: Request) -> Response:
        """An access token for a signed assertion. There is no refresh token: the client asks again."""
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
            return _token_refusal("invalid_request")
        form = {name: values[-1] for name, values in parse_qs((await request.body()).decode("latin-1")).items()}
        if form.get("grant_type") != "client_credentials":
            return _token_refusal("unsupported_grant_type")
        if form.get("client_assertion_type") != ASSERTION_TYPE or "client_assertion" not in form:
            return _token_refusal("invalid_request")
        reason = self._wrong_with(form["client_assertion"], str(request.url.replace(query="")))
        if reason:
            self.audit_trail.append(reason)
            return _token_refusal("invalid_grant")
        token = ".".join((_part({"typ": "JWT", "alg": "RS256"}), _part(self._claims()), secrets.token_urlsafe(24)))
        self._tokens[token] = self._wall_clock() + self._settings.token_seconds
        seconds = self._settings.token_seconds
        life = str(seconds) if self._settings.expires_in_form == "text" else seconds
        body = {"access_token": token, "expires_in": life, "token_type": "Bearer"}
        return Response(jsonio.encode(body), media_type="application/json", headers={"Cache-Control": "no-store"})

    def _claims(self) -> dict[str, Any]:
        """What the vendor documents of an access token: the role and the entity in `sub`."""
        now = int(self._wall_clock())
        return {
            "sub": f"{ROLE};{ENTITY}",
            "aud": [f"{secrets.token_hex(8)};{self._client.account_id}", self._client.client_id],
            "scope": [SCOPE],
            "iss": "https://system.netsuite.com",
            "iat": now,
            "exp": now + self._settings.token_seconds,
            "jti": secrets.token_urlsafe(12),
        }

    def _wrong_with(self, assertion: str, url: str) -> str | None:
        try:
            header = jws.extract_compact(assertion.encode()).headers()
        except (JoseError, ValueError) as error:
            return f"the assertion is no JWT: {error}"
        algorithm, key = str(header.get("alg")), self._key_for(str(header.get("alg")))
        if key is None:
            return f"the algorithm {algorithm} is not accepted for this certificate"
        if header.get("kid") != self._client.certificate_id:
            return "the certificate id is unknown"
        now = datetime.fromtimestamp(self._wall_clock(), UTC)
        start, end = self._certificate.not_valid_before_utc, self._certificate.not_valid_after_utc
        if not start <= now < end or end - start > LONGEST_CERTIFICATE:
            return "the certificate is not valid"
        try:
            claims = jwt.decode(assertion, key, algorithms=[algorithm]).claims
        except (JoseError, ValueError) as error:
            return f"the signature does not fit the certificate: {error}"
        return self._wrong_claim(claims, url)

    def _key_for(self, algorithm: str) -> RSAKey | ECKey | None:
        """The certificate's key where it can be used with the algorithm. RS256 is refused, PS256 is wanted."""
        public = self._certificate.public_key()
        if isinstance(public, rsa.RSAPublicKey) and algorithm in ("PS256", "PS384", "PS512"):
            return RSAKey.import_key(_pem(public)) if public.key_size >= _SMALLEST_RSA_KEY else None
        if isinstance(public, ec.EllipticCurvePublicKey) and public.curve.name == _CURVES.get(algorithm):
            return ECKey.import_key(_pem(public))
        return None

    def _wrong_claim(self, claims: dict[str, Any], url: str) -> str | None:
        now, issued, expires = self._wall_clock(), claims.get("iat"), claims.get("exp")
        skew = self._settings.clock_skew_seconds
        label = self._client.account_id.lower().replace("_", "-")
        official = f"https://{label}.suitetalk.api.netsuite.com{TOKEN_PATH}"
        if claims.get("iss") != self._client.client_id:
            return "iss is not the client id"
        audience = claims.get("aud")
        if not {url, official} & set(audience if isinstance(audience, list) else [audience]):
            return "aud is not the token URL"
        scope = claims.get("scope", [])
        if SCOPE not in (scope.replace(",", " ").split() if isinstance(scope, str) else scope):
            return f"scope lacks {SCOPE}"
        if not isinstance(issued, int | float) or not isinstance(expires, int | float):
            return "iat or exp is missing"
        if issued > now + skew or expires <= now or expires - issued > 3600:
            return "the assertion is not valid now, or for longer than an hour"
        return None

    # --- every other call

    def check(self, request: Request) -> None:
        """Raises Refusal 401 for anything but a live access token or a fresh, right signature."""
        authorization = request.headers.get("authorization", "")
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() == "bearer":
            reason = None if self._tokens.get(token, 0.0) > self._wall_clock() else "the access token is not valid"
        elif scheme.lower() == "oauth":
            reason = self._wrong_with_signature(request.method, str(request.url), authorization)
        else:
            reason = "no credentials"
        if reason:
            self.audit_trail.append(reason)
            raise Refusal(INVALID_LOGIN, "INVALID_LOGIN", 401)

    def _wrong_with_signature(self, method: str, url: str, authorization: str) -> str | None:
        client, headers = self._client, {"Authorization": authorization}
        query = urlsplit(url).query
        try:
            every = signature.collect_parameters(uri_query=query, headers=headers, exclude_oauth_signature=False)
            signed = signature.collect_parameters(uri_query=query, headers=headers)
            with_realm = signature.collect_parameters(headers=headers, with_realm=True)
        except ValueError as error:
            return f"the header cannot be read: {error}"
        sent, realm = dict(every), dict(with_realm).get("realm")
        if realm != client.account_id:
            return "the realm is not the account id"
        if (sent.get("oauth_consumer_key"), sent.get("oauth_token")) != (client.consumer_key, client.token_id):
            return "the consumer key or the token is unknown"
        if sent.get("oauth_signature_method") != "HMAC-SHA256" or sent.get("oauth_version", "1.0") != "1.0":
            return "only HMAC-SHA256 is accepted"
        stamp, nonce = sent.get("oauth_timestamp", ""), sent.get("oauth_nonce", "")
        if not stamp.isdigit() or abs(int(stamp) - self._wall_clock()) > self._settings.clock_skew_seconds:
            return "the timestamp is too far away"
        asked = SimpleNamespace(uri=url, http_method=method, params=signed, signature=sent.get("oauth_signature", ""))
        if not signature.verify_hmac_sha256(asked, client.consumer_secret, client.token_secret):
            return "the signature is wrong"
        if not nonce or nonce in self._nonces:
            return "the nonce was used before"
        self._nonces.add(nonce)
        return None


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(jsonio.encode(content)).decode().rstrip("=")


def _pem(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> str:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def _token_refusal(error: str) -> Response:
    return Response(jsonio.encode({"error": error}), 400, media_type="application/json")
