"""Sage ID: the token endpoint. Refresh tokens rotate, and a spent one is refused for good."""

import hashlib
import time
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response

from sandbox import jsonio
from sandbox.credentials import SageClient
from sandbox.journal import WriteJournal

DEFAULT_LIFE_SECONDS = 28_800


class SageId:
    """Issues tokens for one registered client. Access tokens live in memory only: a restart makes clients refresh."""

    def __init__(self, client: SageClient, journal: WriteJournal) -> None:
        self._client = client
        self._journal = journal
        self._count = 0
        self._valid = {client.first_refresh_token}
        self._access: dict[str, float] = {}
        self.life_seconds = DEFAULT_LIFE_SECONDS
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

    async def token(self, request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
            return _refusal(400, "invalid_request", "The body must be form encoded.")
        form = {name: values[-1] for name, values in parse_qs((await request.body()).decode("latin-1")).items()}
        if form.get("grant_type") != "refresh_token":
            return _refusal(400, "unsupported_grant_type", "Only refresh_token is supported here.")
        if (form.get("client_id"), form.get("client_secret")) != (self._client.client_id, self._client.client_secret):
            return _refusal(401, "invalid_client", "Client authentication failed.")
        token = form.get("refresh_token", "")
        if token not in self._valid:
            return _refusal(400, "invalid_grant", "Unknown or invalid refresh token.")
        successor = self._journal.write("TOKEN", {"spent": hashlib.sha256(token.encode()).hexdigest()})
        access = _derive("access", successor)
        self._access[access] = time.monotonic() + self.life_seconds
        body = {
            "access_token": access,
            "refresh_token": successor,
            "scope": "openid profile email offline_access",
            "expires_in": self.life_seconds,
            "token_type": "Bearer",
        }
        return Response(jsonio.encode(body), media_type="application/json", headers={"Cache-Control": "no-store"})

    # The journal holds digests of spent tokens only; successors are derived, so a replay finds the same ones.

    def _rotate(self, data: dict[str, Any], _at: datetime, _is_replay: bool) -> str:
        spent = next(token for token in self._valid if hashlib.sha256(token.encode()).hexdigest() == data["spent"])
        self._valid.discard(spent)
        return self._issue(_derive("refresh", self._client.client_secret, spent))

    def _consent(self, _data: dict[str, Any], _at: datetime, _is_replay: bool) -> str:
        self._count += 1
        return self._issue(_derive("consent", self._client.client_secret, str(self._count)))

    def _issue(self, token: str) -> str:
        self._valid.add(token)
        return token


def _derive(*parts: str) -> str:
    return "v1." + hashlib.sha256("|".join(parts).encode()).hexdigest()


def _refusal(status: int, error: str, description: str) -> Response:
    body = {"error": error, "error_description": description}
    return Response(jsonio.encode(body), status, media_type="application/json")
