"""The pages of signing in and out."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.asking import Site
from app.rendering import render_plain, theme_of
from app.signing.sessions import begin, end, token_of

FORM = "sign_in.html"
LONGEST_PASSWORD = 1_000


async def form(request: Request) -> Response:
    """The form; a link to the identity provider where there is one."""
    ended = "Your session has ended, and what you sent was not done. Sign in and repeat it."
    return show_form(request, ended if "ended" in request.query_params else "")


async def submit(request: Request) -> Response:
    """Name and password. A wrong one says nothing about which of the two was wrong."""
    site: Site = request.app.state.site
    sent = await request.form()
    name, password = str(sent.get("name", "")).strip(), str(sent.get("password", ""))[:LONGEST_PASSWORD]
    if not secrets.compare_digest(str(sent.get("token", "")), str(request.session.get("form", ""))):
        return show_form(request, "The form had been open for too long. Please try again.", status=403)
    address = request.client.host if request.client else "?"
    if wait := site.attempts.begin(name, address):
        words = f"Too many attempts. Try again in {int(wait // 60) + 1} minutes."
        return show_form(request, words, name=name, status=429)
    person = await run_in_threadpool(site.users.verify, name, password)
    if person is None:
        return show_form(request, "Name or password is wrong.", name=name, status=401)
    site.attempts.succeeded(name, address)
    target = local_path(str(sent.get("next", "/")))
    begin(request, person, "users")
    return RedirectResponse(target, status_code=303)


async def link(request: Request) -> Response:
    """The printed link: good for one sign-in."""
    site: Site = request.app.state.site
    given = str(request.path_params["token"])
    if not site.link_token or site.link_person is None or not secrets.compare_digest(given, site.link_token):
        return show_form(request, "This link was used already, or is not of this start of the app.", status=403)
    site.link_token = ""
    begin(request, site.link_person, "link")
    return RedirectResponse("/", status_code=303)


async def leave(request: Request) -> Response:
    """Sign out; a form of our own only."""
    sent = await request.form()
    if secrets.compare_digest(str(sent.get("token", "")), token_of(request)):
        end(request, request.app.state.site)
    return RedirectResponse("/sign-in", status_code=303)


def local_path(text: str) -> str:
    """The path when it leads to a page of this app, else the start page: no sign-in sends people elsewhere."""
    parts = urlsplit(text.replace("\\", "/"))
    is_local = not parts.scheme and not parts.netloc and text.startswith("/") and not text.startswith("//")
    return text if is_local and not text.startswith("/sign-") else "/"


def show_form(request: Request, message: str = "", *, name: str = "", status: int = 200) -> Response:
    """The form with a message above it."""
    site: Site = request.app.state.site
    token = request.session.get("form") or secrets.token_urlsafe(24)
    request.session["form"] = token
    values: dict[str, Any] = {
        "title": "Sign in",
        "message": message,
        "name": name,
        "form_token": token,
        "next": local_path(request.query_params.get("next", "/")),
        "has_users": not site.users.is_empty(),
        "has_provider": bool(site.own.oidc_issuer),
        "has_link": bool(site.link_person),
        "theme": theme_of(request.cookies),
    }
    return HTMLResponse(render_plain(FORM, **values), status_code=status)
