"""Signing in by OpenID Connect: authlib does the protocol, the groups of the identity decide the roles."""

from __future__ import annotations

import logging
from typing import Any

import httpx
from authlib.integrations.base_client import OAuthError
from authlib.integrations.starlette_client import OAuth
from joserfc.errors import JoseError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.people import Person, role_map
from app.settings import AppSettings
from app.signing.sessions import begin
from app.signing.views import show_form

log = logging.getLogger("tieout.app")
UNREACHABLE = "The identity provider does not answer. Try again later."
CALLBACK = "/sign-in/callback"


class NotAdmitted(Exception):
    """The provider or its groups do not let the person in; the text is for the person."""


def register(own: AppSettings) -> Any:
    """The client for the configured provider; it asks with PKCE and checks state and nonce."""
    oauth = OAuth()
    oauth.register(
        "provider",
        server_metadata_url=f"{own.oidc_issuer.rstrip('/')}/.well-known/openid-configuration",
        client_id=own.oidc_client_id,
        client_secret=None if own.oidc_client_secret is None else own.oidc_client_secret.get_secret_value(),
        client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
    )
    return oauth.provider


async def to_provider(request: Request) -> Response:
    """To the provider, with the way back."""
    site = request.app.state.site
    base = site.url or str(request.base_url).rstrip("/")
    try:
        response: Response = await request.app.state.provider.authorize_redirect(request, f"{base}{CALLBACK}")
    except httpx.HTTPError:
        return show_form(request, UNREACHABLE, status=502)
    return response


async def from_provider(request: Request) -> Response:
    """Back from the provider."""
    try:
        person = await person_from(request)
    except NotAdmitted as error:
        return show_form(request, str(error), status=403)
    begin(request, person, "oidc")
    return RedirectResponse("/", status_code=303)


async def person_from(request: Request) -> Person:
    """The person whom the provider vouches for. Raises NotAdmitted."""
    try:
        token = await request.app.state.provider.authorize_access_token(request)
    except OAuthError as error:
        raise NotAdmitted(f"The identity provider refused: {error.error}.") from error
    except JoseError as error:
        log.warning("a token of the identity provider was refused: %s", type(error).__name__)
        words = "What the identity provider sent cannot be trusted. Try again, or tell whoever runs Tieout."
        raise NotAdmitted(words) from error
    except httpx.HTTPError as error:
        raise NotAdmitted(UNREACHABLE) from error
    return person_of_claims(token.get("userinfo") or {}, request.app.state.site.own)


def person_of_claims(claims: dict[str, Any], own: AppSettings) -> Person:
    """Name and roles of an identity. Raises NotAdmitted for one without a name or without a role here."""
    name = str(claims.get("preferred_username") or claims.get("email") or claims.get("sub") or "").strip()
    groups = claims.get(own.oidc_role_claim) or []
    held = {groups} if isinstance(groups, str) else {str(one) for one in groups}
    roles = frozenset(role for group, role in role_map(own.oidc_roles) if group in held)
    if not name or not roles:
        raise NotAdmitted("Your identity has no role here. Ask whoever runs Tieout to add one of your groups.")
    return Person(name, roles)
