"""Sage ID: consent and tokens. Refresh tokens rotate, and a spent one is refused for good.

The sandbox plays the person too: whoever opens the consent page has consented, and is sent back at once.
"""

import hashlib
import time
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sandbox import jsonio
from sandbox.clock import SandboxClock
from sandbox.credentials import SageClient
from sandbox.journal import WriteJournal
from sandbox.sage_settings import SageSettings

AUDIENCE = "s200ukipd/sage200"
CODE_SECONDS = 60.0
PASTED_REDIRECT = "https://tieout.example/callback"
"""The one registered redirect address beside those on the same machine."""


class SageId:
    """Issues tokens for one registered client. Access tokens and codes live in memory only: a restart makes clients
    refresh.
    """

    def __init__(self, client: SageClient, journal: WriteJournal, settings: SageSettings, clock: SandboxClock) -> None:
        self._client = client
        self._journal = journal
        self._settings = settings
        self._clock = clock
        self._count = 0
        self._valid: dict[str, datetime] = {client.first_refresh_token: clock.now()}
        self._access: dict[str, float] = {}
        self._codes: dict[str, tuple[str, bool, float]] = {}
        journal.register("TOKEN", self._rotate)
        journal.register("CONSENT", self._consent)

    def accepts(self, authorization: str) -> bool:
        scheme, _, token = authorization.partition(" ")
        return scheme == "Bearer" and self._access.get(token, 0.0) > time.monotonic()

    def expire_access_tokens(self) -> None:
        self._access.clear()

    def consent(self) -> str:
        """A person signs in again: a new chain of refresh tokens starts; older chains stay as they are."""
        return str(self._journal.write("CONSENT", {}))

    @property
    def usable_refresh_token(self) -> str | None:
        """The first consent's refresh token while it is unspent."""
        first = self._client.first_refresh_token
        return first if first in self._valid else None

    # --- the consent page

    async def authorize(self, request: Request) -> Response:
        """Sends the browser back with a code. What is wrong with the address itself is told on the page, as nobody may
        be sent to an unregistered one.
        """
        asked = request.query_params
        redirect = asked.get("redirect_uri", "")
        if asked.get("client_id") != self._client.client_id:
            return _page("Unknown client.")
        if not _is_registered(redirect):
            return _page("Callback URL mismatch: the redirect_uri is not registered for this application.")
        if asked.get("audience") != AUDIENCE:
            return _page("Service not found: the parameter audience is missing or wrong.")
        if asked.get("response_type") != "code":
            return _back(redirect, asked, error="unsupported_response_type")
        code = _derive("code", self._client.client_secret, str(time.monotonic_ns()))
        is_offline = "offline_access" in asked.get("scope", "").split()
        self._codes[code] = (redirect, is_offline, time.monotonic() + CODE_SECONDS)
        return _back(redirect, asked, code=code)

    # --- the token endpoint

    async def token(self, request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
            return _refusal(400, "invalid_request", "The body must be form encoded.")
        form = {name: values[-1] for name, values in parse_qs((await request.body()).decode("latin-1")).items()}
        grant = form.get("grant_type")
        if grant not in ("refresh_token", "authorization_code"):
            return _refusal(400, "unsupported_grant_type", "No such grant: a person must consent.")
        if (form.get("client_id"), form.get("client_secret")) != (self._client.client_id, self._client.client_secret):
            return _refusal(401, "invalid_client", "Client authentication failed.")
        return self._redeemed(form) if grant == "authorization_code" else self._refreshed(form)

    def _redeemed(self, form: dict[str, str]) -> Response:
        """A code works once, for the address that it was sent to."""
        redirect, is_offline, until = self._codes.pop(form.get("code", ""), ("", False, 0.0))
        if until < time.monotonic():
            return _refusal(403, "invalid_grant", "Invalid authorization code")
        if form.get("redirect_uri") != redirect:
            return _refusal(403, "invalid_grant", "The redirect_uri does not match the one of the consent.")
        return self._granted(self.consent() if is_offline else None)

    def _refreshed(self, form: dict[str, str]) -> Response:
        token = form.get("refresh_token", "")
        consented = self._valid.get(token)
        life = timedelta(days=self._settings.consent_days)
        if consented is None or consented + life <= self._clock.now():
            return _refusal(400, "invalid_grant", "Unknown or invalid refresh token.")
        spent = hashlib.sha256(token.encode()).hexdigest()
        return self._granted(self._journal.write("TOKEN", {"spent": spent}))

    def _granted(self, refresh_token: str | None) -> Response:
        access = _derive("access", refresh_token or str(time.monotonic_ns()))
        self._access[access] = time.monotonic() + self._settings.token_seconds
        body = {
            "access_token": access,
            "scope": "openid profile email" + (" offline_access" if refresh_token else ""),
            "expires_in": self._settings.token_seconds,
            "token_type": "Bearer",
        }
        if refresh_token is not None:
            body["refresh_token"] = refresh_token
        return Response(jsonio.encode(body), media_type="application/json", headers={"Cache-Control": "no-store"})

    # The journal holds digests of spent tokens only; successors are derived, so a replay finds the same ones.

    def _rotate(self, data: dict[str, Any], at: datetime, _is_replay: bool) -> str:
        spent = next(token for token in self._valid if hashlib.sha256(token.encode()).hexdigest() == data["spent"])
        consented = self._valid.pop(spent)
        successor = _derive("refresh", self._client.client_secret, spent)
        return self._issue(successor, at if self._settings.consent_slides else consented)

    def _consent(self, _data: dict[str, Any], at: datetime, _is_replay: bool) -> str:
        self._count += 1
        return self._issue(_derive("consent", self._client.client_secret, str(self._count)), at)

    def _issue(self, token: str, consented: datetime) -> str:
        self._valid[token] = consented
        return token


def _is_registered(redirect: str) -> bool:
    if redirect == PASTED_REDIRECT:
        return True
    parts = urlsplit(redirect)
    try:
        return parts.scheme == "http" and ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def _back(redirect: str, asked: Any, **members: str) -> Response:
    if "state" in asked:
        members["state"] = asked["state"]
    return RedirectResponse(f"{redirect}?{urlencode(members)}", 302)


def _page(text: str) -> Response:
    return Response(text, 400, media_type="text/html; charset=utf-8")


def _derive(*parts: str) -> str:
    return "v1." + hashlib.sha256("|".join(parts).encode()).hexdigest()


def _refusal(status: int, error: str, description: str) -> Response:
    body = {"error": error, "error_description": description}
    return Response(jsonio.encode(body), status, media_type="application/json")
