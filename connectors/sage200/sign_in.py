"""A person's consent at Sage ID: the only way to the first refresh token (OAuth 2, authorisation code).

The person opens an address, signs in, and is sent back to the redirect address with a code, which buys the tokens once.
Sage ID sends only to redirect addresses that were registered for the application. No token leaves this module but into
the credential store.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from time import monotonic
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlencode, urlsplit

from connectors.auth import TOKEN_CALL, Credentials, CredentialStore, request_tokens
from connectors.errors import AuthError, BadConfiguration, ConnectorError
from connectors.http import ApiClient, Call, is_loopback, safe_base_url, utc_now
from connectors.sage200.decode import VENDOR

AUDIENCE = "s200ukipd/sage200"
SCOPES = "openid profile email offline_access"
CONSENT = Call("consent")
CONSENT_DAYS = 90
"""The longest life of a consent that Sage grants, and the usual one. It is taken to run from the person's sign-in and
not to begin anew with a renewal.
"""
WARN_AT_DAYS = (14, 7, 3, 1)
_TOKENS_AT = "/oauth/token"
_DONE = b"<!doctype html><title>Tieout</title><p>Sage ID has answered. You may close this window.</p>"


def authorize_url(token_url: str) -> str:
    """The consent page that belongs to a token address. Raises BadConfiguration when it cannot be told."""
    base = safe_base_url(token_url, vendor=VENDOR, what="token_url")
    if not base.endswith(_TOKENS_AT):
        raise BadConfiguration(
            f"token_url does not end in {_TOKENS_AT}: name the consent page with --authorize-url",
            vendor=VENDOR,
            call=CONSENT.name,
        )
    return base.removesuffix(_TOKENS_AT) + "/authorize"


@dataclass(frozen=True, slots=True)
class ConsentRequest:
    """One sign-in under way. `state` comes back with the answer and proves that the answer belongs to it."""

    authorize_url: str
    client_id: str
    redirect_uri: str
    state: str

    @classmethod
    def begin(cls, authorize_url: str, client_id: str, redirect_uri: str) -> Self:
        """Raises BadConfiguration when the consent page is neither https nor on this machine."""
        safe_base_url(authorize_url, vendor=VENDOR, what="the address of the consent page")
        return cls(authorize_url, client_id, redirect_uri, secrets.token_urlsafe(32))

    @property
    def address(self) -> str:
        """What the person opens. `audience` is Sage ID's own and mandatory; `offline_access` yields a refresh token."""
        query = {
            "audience": AUDIENCE,
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": self.redirect_uri,
            "scope": SCOPES,
            "state": self.state,
        }
        return f"{self.authorize_url}?{urlencode(query)}"

    def code(self, redirected: str) -> str:
        """The code in the address that the person was sent to.

        Raises AuthError when the person refused, or when the answer is of another sign-in: then nothing is bought.
        """
        parts = urlsplit(redirected.strip())
        wanted = urlsplit(self.redirect_uri)
        members = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if (parts.scheme, parts.netloc, parts.path or "/") != (wanted.scheme, wanted.netloc, wanted.path or "/"):
            raise _refused(f"that address is not below {self.redirect_uri}: give the one the browser was sent to")
        if not hmac.compare_digest(members.get("state", "").encode(), self.state.encode()):
            raise _refused("the answer belongs to another sign-in (its state differs): begin again")
        if "error" in members:
            raise _refused("Sage ID did not grant the consent", members.get("error_description") or members["error"])
        if not members.get("code"):
            raise _refused("the address holds no code: give the whole address, from https:// to its end")
        return members["code"]


def redeem(
    request: ConsentRequest,
    code: str,
    token_url: str,
    client_secret: str,
    store: CredentialStore,
    *,
    consent_days: int = CONSENT_DAYS,
    timeout_seconds: float = 60.0,
    clock: Callable[[], datetime] = utc_now,
) -> Credentials:
    """Buy tokens with a code and save them. A code works once, whatever comes of it. Raises a ConnectorError."""
    client = ApiClient(
        VENDOR,
        safe_base_url(token_url, vendor=VENDOR, what="token_url"),
        secrets=(client_secret, code),
        timeout_seconds=timeout_seconds,
        is_paced=False,
    )
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": request.redirect_uri,
        "client_id": request.client_id,
        "client_secret": client_secret,
    }
    try:
        tokens = request_tokens(client, form)
    except ConnectorError as error:
        if error.status is not None and 400 <= error.status < 500 and not error.retryable:
            what = "the client id and secret were" if isinstance(error, AuthError) else "the code was"
            raise _refused(f"{what} not accepted: begin again", error.detail, error.status) from None
        raise
    finally:
        client.close()
    if not tokens.refresh_token:
        raise _refused("no refresh token was granted: the application must be allowed the scope offline_access")
    now = clock()
    credentials = Credentials(
        tokens.refresh_token, tokens.access_token, now + timedelta(seconds=tokens.expires_in), now, consent_days
    )
    with store.lock():
        store.save(credentials)
    return credentials


def consent_ends(credentials: Credentials) -> datetime | None:
    """When a person must have signed in again, in UTC; None when nobody knows since when the chain runs."""
    if credentials.consented_at is None:
        return None
    return credentials.consented_at + timedelta(days=credentials.consent_days or CONSENT_DAYS)


def consent_warning(credentials: Credentials, now: datetime) -> str | None:
    """What to tell a person ahead of the end. Its words change at 14, 7, 3 and 1 days, so that each is told once."""
    end = consent_ends(credentials)
    if end is None:
        return None
    if end <= now:
        return f"the consent at Sage ID ended on {end.date()}"
    near = min((days for days in WARN_AT_DAYS if end - now <= timedelta(days=days)), default=None)
    if near is None:
        return None
    return f"the consent at Sage ID ends on {end.date()}, within {near} day{'' if near == 1 else 's'}"


class LoopbackListener:
    """Waits on this machine for the browser that Sage ID sends back. Port 0 takes a free one.

    Only the redirect address is answered with the closing words; what else a browser asks for (an icon) is a 404.
    """

    def __init__(self, redirect_uri: str) -> None:
        parts = urlsplit(redirect_uri)
        if parts.scheme != "http" or not is_loopback(redirect_uri) or parts.hostname is None:
            raise BadConfiguration(
                "can only wait on http://127.0.0.1:<port>/...: for another redirect address use --paste",
                vendor=VENDOR,
                call=CONSENT.name,
            )
        self._path = parts.path or "/"
        self._received: str | None = None
        try:
            self._server = HTTPServer((parts.hostname, 80 if parts.port is None else parts.port), self._handler())
        except OSError as error:
            raise BadConfiguration(
                f"cannot listen on {parts.netloc} ({error.strerror}): choose another port that is registered",
                vendor=VENDOR,
                call=CONSENT.name,
            ) from error
        self.redirect_uri = f"http://{parts.hostname}:{self._server.server_port}{parts.path}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        listener = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 5

            def do_GET(self) -> None:
                is_answer = urlsplit(self.path).path == listener._path
                if is_answer:
                    listener._received = listener.redirect_uri + "?" + urlsplit(self.path).query
                self.send_response(200 if is_answer else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(_DONE if is_answer else b"")

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing: the address holds the code."""

        return Handler

    def wait(self, seconds: float) -> str:
        """The address that the browser was sent to. Raises AuthError when nobody comes in time."""
        deadline = monotonic() + seconds
        while self._received is None:
            left = deadline - monotonic()
            if left <= 0:
                raise _refused(f"nobody came back from Sage ID within {seconds:g} s: begin again, or use --paste")
            self._server.timeout = left
            self._server.handle_request()
        return self._received

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.server_close()


def _refused(message: str, detail: str | None = None, status: int | None = None) -> AuthError:
    return AuthError(
        message, vendor=VENDOR, call=CONSENT.name if status is None else TOKEN_CALL.name, status=status, detail=detail
    )
