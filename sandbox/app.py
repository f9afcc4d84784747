"""The sandbox as one ASGI application: every vendor, and the control endpoints that tests steer it with."""

import gc
import socket
from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from sandbox import jsonio
from sandbox.chaos import Chaos, Receive, Scope, Send, rule_from
from sandbox.config import netsuite_path
from sandbox.mirakl import MiraklApi, MiraklSettings
from sandbox.mirakl.mutations import apply, mutation_from
from sandbox.sage200 import Sage200Api
from sandbox.store import Store, StoreFactory

# The names of some switches differ from the fields of MiraklSettings that they set; the others are the fields' own.
_NAMES = {
    "is_rate_limited": "rate_limits",
    "is_partial_acceptance_allowed": "partial_acceptance",
    "has_retry_after": "retry_after",
}
_MIRAKL_SWITCHES = {
    _NAMES.get(field.name, field.name): (field.name, type(getattr(MiraklSettings(), field.name)))
    for field in fields(MiraklSettings)
}


class Sandbox:
    """A running sandbox. `app` is what uvicorn serves; a reset swaps the state underneath it."""

    def __init__(self, build: StoreFactory) -> None:
        self._build = build
        self.store = self._load()
        self._vendors = self._vendor_app()
        self.chaos = Chaos(self._dispatch)

    def _load(self) -> Store:
        store = self._build()
        # The world lives as long as the process; there is nothing in it to collect.
        gc.collect()
        gc.freeze()
        return store

    def _vendor_app(self) -> Starlette:
        store = self.store
        routes: list[BaseRoute] = [*self._control_routes(), *MiraklApi(store.accounts).routes()]
        if store.has_sage:
            routes += Sage200Api(store.company, store.sage_writes, store.sage_id).routes()
        routes += [Mount(netsuite_path(code), routes=books.routes()) for code, books in store.netsuite.items()]
        return Starlette(routes=routes)

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._vendors(scope, receive, send)

    @property
    def app(self) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
        return self.chaos

    # --- control

    def _control_routes(self) -> list[Route]:
        return [
            Route("/_sandbox/health", self._health, methods=["GET"]),
            Route("/_sandbox/truth", self._truth, methods=["GET"]),
            Route("/_sandbox/state", self._state, methods=["GET"]),
            Route("/_sandbox/writes", self._writes, methods=["GET"]),
            Route("/_sandbox/reset", self._reset, methods=["POST"]),
            Route("/_sandbox/settings", self._settings, methods=["GET", "POST"]),
            Route("/_sandbox/clock", self._clock, methods=["GET", "POST"]),
            Route("/_sandbox/tokens/expire", self._expire, methods=["POST"]),
            Route("/_sandbox/tokens/consent", self._consent, methods=["POST"]),
            Route("/_sandbox/mutations", self._mutations, methods=["GET", "POST", "DELETE"]),
            Route("/_sandbox/sage200", self._sage200, methods=["GET", "POST"]),
            Route("/_sandbox/sage200/despatches", self._despatches, methods=["POST"]),
            Route("/_sandbox/sage200/site", self._sage200_site, methods=["GET", "POST"]),
            Route("/_sandbox/netsuite/{code}", self._netsuite, methods=["GET", "POST"]),
            Route("/_sandbox/chaos", self._chaos, methods=["GET", "POST", "DELETE"]),
        ]

    async def _health(self, _: Request) -> Response:
        return _stable({"status": "ok", "records": self.store.sizes(), "replayed_writes": self.store.replayed})

    async def _truth(self, _: Request) -> Response:
        return _stable(self.store.truth)

    async def _state(self, _: Request) -> Response:
        return _stable(self.store.state())

    async def _writes(self, _: Request) -> Response:
        return _stable(self.store.writes())

    async def _reset(self, _: Request) -> Response:
        """Back to the world as generated: the write journal is deleted, chaos and switches are off."""
        self.store.journal.forget()
        gc.unfreeze()
        self.store = self._load()
        self._vendors = self._vendor_app()
        self.chaos.rules.clear()
        return Response(status_code=204)

    async def _settings(self, request: Request) -> Response:
        settings, sage = self.store.settings, self.store.sage_settings
        if request.method == "POST":
            try:
                for name, value in (await _body(request)).items():
                    if name == "token_seconds":
                        sage.change(name, value)
                    else:
                        attribute, kind = _MIRAKL_SWITCHES[name]
                        setattr(settings, attribute, kind(value))
            except (KeyError, TypeError, ValueError) as error:
                return _wrong(f"settings are {', '.join([*_MIRAKL_SWITCHES, 'token_seconds'])}: {error}")
        current: dict[str, Any] = {name: getattr(settings, part) for name, (part, _) in _MIRAKL_SWITCHES.items()}
        return _stable(current | {"token_seconds": sage.token_seconds})

    async def _netsuite(self, request: Request) -> Response:
        """Switches of one account; `close` and `reopen` name a month. A month stays as it is over a restart."""
        code = request.path_params["code"]
        account = self.store.netsuite.get(code)
        if account is None:
            return _wrong(f"no NetSuite account {code}; there are {', '.join(self.store.netsuite) or 'none'}")
        if request.method == "POST":
            try:
                for name, value in (await _body(request)).items():
                    if name in ("close", "reopen"):
                        account.books.known_month(value)
                        data = {"erp": code, "period": value, "is_shut": name == "close"}
                        # First the account, then the journal, as records are written: never the other way round.
                        with account.database.writing():
                            self.store.journal.write("NETSUITE_PERIOD", data)
                    else:
                        account.settings.change(name, value)
            except (KeyError, TypeError, ValueError) as error:
                return _wrong(f"switches are {', '.join(account.settings.shown())}, close and reopen: {error}")
        return _stable(account.settings.shown())

    async def _clock(self, request: Request) -> Response:
        clock = self.store.clock
        if request.method == "POST":
            try:
                body = await _body(request)
                if body.get("run"):
                    clock.run()
                else:
                    clock.freeze(datetime.fromisoformat(body["at"]) if "at" in body else None)
            except (TypeError, ValueError) as error:
                return _wrong(f'the clock takes {{"run": true}} or {{"at": "<ISO 8601>"}}: {error}')
        return _stable({"now": clock.now().isoformat(), "is_frozen": clock.is_frozen})

    async def _expire(self, _: Request) -> Response:
        self.store.sage_id.expire_access_tokens()
        for account in self.store.accounts.values():
            if account.sign_in is not None:
                account.sign_in.expire()
        for books in self.store.netsuite.values():
            books.sign_in.expire_tokens()
        return Response(status_code=204)

    async def _consent(self, _: Request) -> Response:
        return _stable({"refresh_token": self.store.sage_id.consent()})

    async def _mutations(self, request: Request) -> Response:
        accounts = self.store.accounts
        if request.method == "POST":
            try:
                mutation = mutation_from(await _body(request))
                account = accounts[mutation.marketplace]
                if mutation.call is None:
                    apply(account, mutation)
                else:
                    account.mutations.append(mutation)
            except (KeyError, ValueError) as error:
                return _wrong(f"{type(error).__name__}: {error}")
        elif request.method == "DELETE":
            for account in accounts.values():
                account.mutations.clear()
        return _stable([asdict(mutation) for account in accounts.values() for mutation in account.mutations])

    async def _sage200_site(self, request: Request) -> Response:
        """How the site behaves: edition, tunnel, list of sites, limits."""
        settings = self.store.sage_settings
        if request.method == "POST":
            try:
                for name, value in (await _body(request)).items():
                    settings.change(name, value)
            except (KeyError, TypeError, ValueError) as error:
                return _wrong(f"a site has {', '.join(asdict(settings))}: {error}")
        return _stable(asdict(settings))

    async def _sage200(self, request: Request) -> Response:
        return await self.store.sage_writes.control(request)

    async def _despatches(self, request: Request) -> Response:
        return await self.store.sage_writes.despatch(request)

    async def _chaos(self, request: Request) -> Response:
        if request.method == "POST":
            try:
                self.chaos.rules.append(rule_from(await _body(request)))
            except (TypeError, ValueError) as error:
                return _wrong(str(error))
        elif request.method == "DELETE":
            self.chaos.rules.clear()
        return _stable(self.chaos.describe())


async def _body(request: Request) -> dict[str, Any]:
    body = jsonio.decode(await request.body())
    if not isinstance(body, dict):
        raise ValueError("a JSON object is expected")
    return body


def _stable(content: Any) -> Response:
    return Response(jsonio.encode_stable(content), media_type="application/json")


def _wrong(text: str) -> Response:
    return Response(jsonio.encode({"error": text}), 400, media_type="application/json")


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one. Raises OSError when the port is taken."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(128)
    return listener


def server_for(sandbox: Sandbox) -> uvicorn.Server:
    config = uvicorn.Config(
        sandbox.app, log_level="warning", access_log=False, lifespan="off", timeout_keep_alive=75, server_header=False
    )
    return uvicorn.Server(config)
