"""A session: who somebody is from page to page. The cookie is signed; what it may do is looked up on every request."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from time import time
from typing import Any

from starlette.requests import Request

from app.asking import Site
from app.people import Person, Role

SEEN_EVERY_SECONDS = 60.0


def session_key(folder: Path) -> str:
    """The key that cookies are signed with; made on first use, in a file that nobody else can read."""
    path = folder / "app-session.key"
    try:
        return path.read_text()
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True)
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(number, "w") as file:
        key = secrets.token_urlsafe(48)
        file.write(key)
    return key


def begin(request: Request, person: Person, source: str) -> None:
    """Sign a person in. `source`: users, link or oidc. An earlier session's content is gone."""
    request.session.clear()
    request.session.update(
        {
            "name": person.name,
            "source": source,
            "roles": sorted(person.roles) if source == "oidc" else [],
            "since": time(),
            "seen": time(),
            "token": secrets.token_urlsafe(24),
            "id": secrets.token_urlsafe(12),
        }
    )


def end(request: Request, site: Site) -> None:
    """Sign out: the cookie goes, and a copy of it is good for nothing."""
    if identifier := request.session.get("id"):
        site.ended.add(str(identifier))
    request.session.clear()


def person_of(request: Request, site: Site) -> Person | None:
    """Who is signed in; None when nobody is, or no longer. Raises UsersInvalid."""
    session = request.session
    if "name" not in session or session.get("id") in site.ended:
        return None
    now = time()
    too_long = now - _seconds(session, "since") > site.own.session_hours * 3600
    if too_long or now - _seconds(session, "seen") > site.own.idle_minutes * 60:
        session.clear()
        return None
    if now - _seconds(session, "seen") > SEEN_EVERY_SECONDS:
        session["seen"] = now
    match session.get("source"):
        case "users":
            return site.users.person(str(session["name"]))
        case "link":
            person = site.link_person
            return person if person is not None and person.name == session["name"] else None
        case "oidc" if site.own.oidc_issuer:
            roles = frozenset(Role(one) for one in session["roles"] if one in tuple(Role))
            return Person(str(session["name"]), roles)
        case _:
            return None


def token_of(request: Request) -> str:
    """What every form of the session has to carry."""
    return str(request.session.get("token", ""))


def _seconds(session: Any, name: str) -> float:
    value = session.get(name, 0)
    return value if isinstance(value, int | float) else 0.0
