"""The authorisation server that operators sign in at: OAuth 2 client credentials, opaque tokens of about an hour."""

import hashlib
import time
from collections.abc import Iterable
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response

from sandbox import jsonio
from sandbox.credentials import MiraklClient

SIGN_IN_PATH = "/mirakl-auth/oauth/token"


class OperatorSignIn:
    """The tokens of one marketplace's client. They live in memory only: after a restart clients ask anew."""

    def __init__(self, client: MiraklClient) -> None:
        self.client = client
        self._expires: dict[str, float] = {}
        self._count = 0

    def accepts(self, token: str) -> bool:
        return self._expires.get(token, 0.0) > time.monotonic()

    def issue(self, seconds: int) -> str:
        self._count += 1
        source = f"{self.client.client_secret}|{self._count}|{time.monotonic_ns()}"
        token = hashlib.sha256(source.encode()).hexdigest()
        self._expires[token] = time.monotonic() + seconds
        return token

    def expire(self) -> None:
        """No token is good any more."""
        self._expires.clear()


async def answer_token_request(request: Request, clients: Iterable[tuple[OperatorSignIn, int]]) -> Response:
    """RFC 6749 section 4.4, the client's secret in the body. `clients`: each with its tokens' life in seconds."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        return _refusal(400, "invalid_request", "The body must be form encoded.")
    form = {name: values[-1] for name, values in parse_qs((await request.body()).decode("latin-1")).items()}
    if form.get("grant_type") != "client_credentials":
        return _refusal(400, "unsupported_grant_type", "Only client_credentials is supported here.")
    asked = form.get("client_id"), form.get("client_secret")
    for sign_in, seconds in clients:
        if asked == (sign_in.client.client_id, sign_in.client.client_secret):
            body = {"access_token": sign_in.issue(seconds), "token_type": "Bearer", "expires_in": seconds}
            return Response(jsonio.encode(body), media_type="application/json", headers={"Cache-Control": "no-store"})
    return _refusal(401, "invalid_client", "Client authentication failed.")


def _refusal(status: int, error: str, description: str) -> Response:
    body = {"error": error, "error_description": description}
    return Response(jsonio.encode(body), status, media_type="application/json")
