"""The app: its addresses, what every answer carries, and what becomes of errors."""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.applications import Starlette
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.datastructures import FormData
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.asking import Ask, Done, NotHere, NotNow, Page, Site
from app.files import csv_lines, workbook
from app.formats import Formats, locale_of
from app.marts import NothingPublished
from app.pages import DEEDS, SCREENS
from app.people import Person, Right
from app.rendering import HERE, render_page, render_plain, theme_of
from app.signing import views
from app.signing.sessions import person_of, session_key, token_of
from app.tables import everything, for_download
from orchestration.lib.registry import ConfigInvalid
from orchestration.outbox import OutboxError

log = logging.getLogger("tieout.app")
COOKIE = "tieout"
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
MOST_FIELDS = 5_000
MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

View = Callable[[Ask], Page | Response]
Deed = Callable[[Ask, FormData], Done | Page]


def create_app(site: Site) -> Starlette:
    """The app over a site. `site.url` decides whether cookies are for https only."""
    provider = None
    routes: list[Any] = [
        Route("/sign-in", views.form, methods=["GET"]),
        Route("/sign-in", views.submit, methods=["POST"]),
        Route("/sign-in/link/{token}", views.link, methods=["GET"]),
        Route("/sign-out", views.leave, methods=["POST"]),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]
    if site.own.oidc_issuer:
        # authlib takes a quarter of a second to load.
        from app.signing import oidc

        provider = oidc.register(site.own)
        routes += [
            Route("/sign-in/provider", oidc.to_provider, methods=["GET"]),
            Route(oidc.CALLBACK, oidc.from_provider, methods=["GET"]),
        ]
    routes += [Route(path, _screen(view), methods=["GET"]) for path, view in SCREENS.items()]
    routes += [Route(path, _deed(deed, right), methods=["POST"]) for path, (deed, right) in DEEDS.items()]
    routes.append(Route("/{rest:path}", _screen(_nowhere), methods=["GET"]))
    host = urlsplit(site.url).hostname
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(Armour),
            Middleware(TrustedHostMiddleware, allowed_hosts=[host] if host else ["127.0.0.1", "localhost", "[::1]"]),
            Middleware(GZipMiddleware, minimum_size=2_000),
            Middleware(
                SessionMiddleware,
                secret_key=session_key(site.settings.secrets_dir),
                session_cookie=COOKIE,
                max_age=site.own.session_hours * 3600,
                same_site="lax",
                https_only=site.is_secure,
            ),
        ],
        lifespan=_lifespan,
    )
    app.state.site = site
    app.state.provider = provider
    return app


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    yield
    app.state.site.close()


@dataclass
class Armour:
    """Puts the security headers on every answer, and keeps answers out of shared caches."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def armoured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*HEADERS.items()]
                kept = "max-age=3600" if scope["path"].startswith("/static/") else "no-store"
                headers.append(("cache-control", kept))
                message["headers"] = [
                    *message.get("headers", []),
                    *((name.encode(), value.encode()) for name, value in headers),
                ]
            await send(message)

        await self.app(scope, receive, armoured if scope["type"] == "http" else send)


def _screen(view: View) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        person = await run_in_threadpool(person_of, request, request.app.state.site)
        if person is None:
            here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"/sign-in?next={quote(here)}", status_code=303)
        return await _answer(request, person, view)

    return endpoint


async def _answer(request: Request, person: Person, view: View) -> Response:
    site: Site = request.app.state.site
    if not person.may(Right.READ):
        return _trouble(request, person, 403, "Nothing to see yet", "You have no role here. Ask an administrator.")

    def work() -> Response:
        with site.marts.lend() as published:
            ask = Ask(request, site, person, formats_of(request, site), published)
            found = view(ask)
            if isinstance(found, Response):
                return found
            if "download" in request.query_params:
                return _download(ask, found)
            return _html(ask, found)

    try:
        return await run_in_threadpool(work)
    except NothingPublished as error:
        return _trouble(request, person, 200, "No data yet", str(error), template="no_data.html")
    except NotHere as error:
        return _trouble(request, person, 404, "Nothing here", str(error))
    except ConfigInvalid as error:
        return _trouble(request, person, 500, "The configuration is not whole", _findings(error))
    except Exception:
        return _unexpected(request, person)


def _html(ask: Ask, page: Page) -> Response:
    flash = ask.request.session.pop("flash", None)
    body = render_page(ask, page, token=token_of(ask.request), flash=tuple(flash) if flash else None)
    return HTMLResponse(body, status_code=page.status)


def _download(ask: Ask, page: Page) -> Response:
    """All rows of one of the page's tables. The connection is another one: this is sent after the page's has gone."""
    wanted = ask.asked.get("table", "")
    table = next((one for one in page.tables.values() if one.name == wanted), None)
    if table is None:
        raise NotHere("This page has no such table.")
    name = "".join(c if c.isalnum() else "-" for c in table.title.lower()).strip("-")
    marts, asked = ask.site.marts, ask.asked
    kind = "csv" if ask.asked["download"] == "csv" else "xlsx"

    def parts() -> Any:
        with marts.lend() as published:
            rows = everything(table, published, asked)
            if kind == "csv":
                yield from csv_lines(for_download(table), rows)
            else:
                yield from workbook(table.title, for_download(table), rows, ask.now)

    # The first part is made before the answer begins, so that an error is still an error.
    made = parts()
    return StreamingResponse(
        iterate_in_threadpool(chain([next(made)], made)),
        media_type=MEDIA[kind],
        headers={"content-disposition": f'attachment; filename="tieout-{name}.{kind}"'},
    )


def _deed(deed: Deed, right: Right) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        site: Site = request.app.state.site
        person = await run_in_threadpool(person_of, request, site)
        if person is None:
            return RedirectResponse("/sign-in?ended=1", status_code=303)
        async with request.form(max_files=0, max_fields=MOST_FIELDS) as sent:
            if not secrets.compare_digest(str(sent.get("token", "")), token_of(request)):
                words = "The form does not belong to your session. Go back, load the page again and repeat it."
                return _trouble(request, person, 403, "Not done", words)
            if not person.may(right):
                words = f"This takes a person who may {right}; you are {person.role_words}."
                return _trouble(request, person, 403, "Not allowed", words)

            def work() -> Done | Response:
                with site.marts.lend() as published:
                    ask = Ask(request, site, person, formats_of(request, site), published)
                    done = deed(ask, sent)
                    return _html(ask, done) if isinstance(done, Page) else done

            try:
                done = await run_in_threadpool(work)
            except (OutboxError, NotNow) as error:
                done = Done(f"Not done: {error}.".replace("..", "."), _came_from(sent), is_good=False)
            except NothingPublished as error:
                return _trouble(request, person, 200, "No data yet", str(error), template="no_data.html")
            except NotHere as error:
                return _trouble(request, person, 404, "Nothing here", str(error))
            except ConfigInvalid as error:
                return _trouble(request, person, 500, "The configuration is not whole", _findings(error))
            except Exception:
                return _unexpected(request, person)
        if isinstance(done, Response):
            return done
        request.session["flash"] = [done.message[:1_000], done.is_good]
        return RedirectResponse(views.local_path(done.to), status_code=303)

    return endpoint


def _unexpected(request: Request, person: Person) -> Response:
    """A page with a number, and the error under that number in the log: inside an except clause only."""
    number = secrets.token_hex(4)
    log.exception("error %s on %s %s", number, request.method, request.url.path)
    words = f"Something went wrong that should not. It is in the app's log as error {number}; tell whoever runs Tieout."
    return _trouble(request, person, 500, "This did not work", words)


def _findings(error: ConfigInvalid) -> str:
    return (
        "; ".join(str(one) for one in error.errors[:5]) + ". `tieout doctor` checks it; the other pages go on working."
    )


def _came_from(sent: FormData) -> str:
    return str(sent.get("back", "/"))


def formats_of(request: Request, site: Site) -> Formats:
    """How this reader writes dates and numbers."""
    return Formats(locale_of(site.own.locale, request.headers))


def _nowhere(ask: Ask) -> Page:
    raise NotHere(f"There is no page {ask.request.url.path}.")


def _trouble(
    request: Request, person: Person, status: int, title: str, words: str, template: str = "trouble.html"
) -> Response:
    body = render_plain(
        template,
        title=title,
        words_=words,
        person=person,
        token=token_of(request),
        theme=theme_of(request.cookies),
    )
    return HTMLResponse(body, status_code=status)
