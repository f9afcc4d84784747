"""The NetSuite account over HTTP: sign-in, SuiteQL, records, the account's concurrency limit."""

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox import jsonio
from sandbox.chaos import Chaos
from sandbox.clock import SandboxClock, in_seconds, until
from sandbox.netsuite.books import WRITTEN, Books
from sandbox.netsuite.columns import SuiteQLError
from sandbox.netsuite.database import Database
from sandbox.netsuite.problems import Refusal
from sandbox.netsuite.records import Asked, RecordService
from sandbox.netsuite.sign_in import TOKEN_PATH, NetSuiteClient, NetSuiteSignIn
from sandbox.netsuite.suiteql import SuiteQL
from sandbox.netsuite.world import NetSuiteSettings, NetSuiteWorld
from sandbox.netsuite.written import written

BASE = "/services/rest"
COLLECTION = "application/vnd.oracle.resource+json; type=collection"
MOST_ROWS = 1000
MOST_PAGES = 1000
_SHAPES_WRITES = ("approval_required", "closed_period", "external_id_scope")
"""Switches that decide what a write becomes: a replay needs those of the day."""

Remember = Callable[[dict[str, Any]], datetime]


class NetSuiteApi:
    """The routes of one account, its content and its switches.

    `world` is loaded into an embedded database and not changed. Everything written is stamped by `clock`. `remember`
    is given every write in plain data before it takes effect; `repeat` carries such data out again.
    """

    def __init__(
        self,
        world: NetSuiteWorld,
        client: NetSuiteClient,
        clock: SandboxClock,
        settings: NetSuiteSettings | None = None,
        remember: Remember | None = None,
    ) -> None:
        self.account_id = world.account_id
        self.settings = settings or NetSuiteSettings()
        self.database = Database(world, WRITTEN)
        self.sign_in = NetSuiteSignIn(client, self.settings)
        self.books = Books(self.database, self.settings, clock, world.time_zone)
        self.records = RecordService(self.books, self._noted)
        self.writes: Counter[str] = Counter()
        self._remember = remember
        self._newest_of_world = self.database.next_id("transaction") - 1
        self.suiteql = SuiteQL(self.database, self.settings, world.time_zone, clock.now)
        self.most_at_once = 0
        self._running = 0
        self._operations = itertools.count(1)

    def routes(self) -> list[Route]:
        every = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        record = f"{BASE}/record/v1/{{type}}"
        return [
            Route(TOKEN_PATH, self.sign_in.token, methods=["POST"]),
            Route(f"{BASE}/query/v1/suiteql", self._query, methods=every),
            Route(f"{BASE}/system/v1/governanceLimits", self._limits, methods=["GET"]),
            Route(record, self._record, methods=every),
            Route(record + "/{id}", self._record, methods=every),
            Route(record + "/{id}/!transform/{target}", self._record, methods=every),
            Route(record + "/{id}/{sublist}", self._record, methods=every),
        ]

    def _noted(self, record: str, asked: Asked) -> None:
        self.writes[record] += 1
        if self._remember is not None:
            switches = {name: getattr(self.settings, name) for name in _SHAPES_WRITES}
            self._remember({"record": record, "asked": asdict(asked), "settings": switches})

    def repeat(self, data: dict[str, Any]) -> None:
        """Carries out a remembered write, under the switches of its day."""
        before = {name: getattr(self.settings, name) for name in _SHAPES_WRITES}
        vars(self.settings).update(data["settings"])
        try:
            self.records.answer(Asked(**data["asked"]), is_replay=True)
        finally:
            vars(self.settings).update(before)
        self.writes[data["record"]] += 1

    def written(self) -> list[dict[str, Any]]:
        """The transactions that clients made and that are still there, without ids and times."""
        return written(self.database, self._newest_of_world)

    def app(self) -> Chaos:
        """The account alone as an ASGI application, with failures on demand around it."""
        return Chaos(Starlette(routes=self.routes()))

    async def _governed(self, request: Request, answer: Callable[[bytes], Response]) -> Response:
        """Signs in, takes one of the account's places, answers in a thread of its own, maps refusals."""
        headers = {"x-n-operationid": f"{next(self._operations):032x}", "x-netsuite-jobid": "sandbox"}
        try:
            self.sign_in.check(request)
            if self._running >= self.settings.concurrency_limit:
                raise Refusal("Concurrent request limit exceeded. Request blocked.", self.settings.limit_code, 429)
            self._running += 1
            self.most_at_once = max(self.most_at_once, self._running)
            try:
                body = await request.body()
                answered_at = in_seconds(self.settings.call_seconds)
                try:
                    response = await run_in_threadpool(answer, body)
                finally:
                    await until(answered_at)
            finally:
                self._running -= 1
        except Refusal as refusal:
            return refusal.response(headers)
        response.headers.update(headers)
        return response

    async def _query(self, request: Request) -> Response:
        return await self._governed(request, lambda body: self._page(request, body))

    def _page(self, request: Request, content: bytes) -> Response:
        if request.method != "POST":
            raise Refusal("Method not allowed.", "INVALID_REQUEST", 405)
        wanted = [part.strip().lower() for part in request.headers.get("prefer", "").split(",")]
        if "transient" not in wanted:
            detail = "The required request header 'Prefer' is missing or does not have the value 'transient'."
            raise Refusal(detail, "INVALID_HEADER", header="Prefer")
        body = _object(content)
        query, params = body.get("q"), body.get("params", [])
        if not isinstance(query, str) or not isinstance(params, list):
            raise Refusal("Invalid search query. The property q is missing.", "INVALID_PARAMETER", queryParam="q")
        limit, offset = _number(request, "limit", MOST_ROWS), _number(request, "offset", 0)
        if not 1 <= limit <= MOST_ROWS:
            raise Refusal("Provide a limit between 1 and 1000.", "INVALID_PARAMETER", queryParam="limit")
        if offset < 0 or offset % limit:
            raise Refusal("Provide an offset divisible by the limit.", "INVALID_PARAMETER", queryParam="offset")
        ceiling = min(self.settings.row_ceiling, limit * MOST_PAGES)
        if offset >= ceiling and self.settings.past_ceiling == "error":
            detail = f"The offset {offset} is past the {ceiling} rows that a query may return."
            raise Refusal(detail, "INVALID_PARAMETER", queryParam="offset")
        try:
            rows, total = self.suiteql.page(query, params, limit, offset)
        except SuiteQLError as error:
            raise Refusal(str(error), "INVALID_PARAMETER", queryParam="q") from error
        rows = rows if offset < ceiling else []
        total = min(total, ceiling)
        answer = {
            "links": [{"rel": "self", "href": str(request.url), "method": "POST"}],
            "count": len(rows),
            "hasMore": offset + len(rows) < total and bool(rows),
            "items": rows,
            "offset": offset,
            "totalResults": total,
        }
        return Response(jsonio.encode(answer), headers={"Content-Type": COLLECTION, "Preference-Applied": "transient"})

    async def _limits(self, request: Request) -> Response:
        limit = self.settings.concurrency_limit
        answer = {
            "accountConcurrencyLimit": limit,
            "accountUnallocatedConcurrencyLimit": limit,
            "integrationLimitType": "accountLimit",
        }
        return await self._governed(request, lambda _: _json(answer))

    async def _record(self, request: Request) -> Response:
        return await self._governed(request, lambda body: self._asked(request, body))

    def _asked(self, request: Request, content: bytes) -> Response:
        path = request.path_params
        asked = Asked(
            method=request.method,
            record=path["type"],
            record_id=path.get("id"),
            sublist=path.get("sublist"),
            target=path.get("target"),
            body=_object(content) if content else {},
            query=dict(request.query_params),
            validation=request.headers.get("x-netsuite-propertynamevalidation", "warning").lower(),
            base_url=str(request.base_url).rstrip("/") + f"{BASE}/record/v1",
        )
        done = self.records.answer(asked)
        if done.body is None:
            return Response(status_code=204, headers=done.headers)
        kind = COLLECTION if "items" in done.body else "application/vnd.oracle.resource+json; type=singular"
        return Response(jsonio.encode(done.body), headers={"Content-Type": kind, **done.headers})


def _json(body: Any) -> Response:
    return Response(jsonio.encode(body), media_type="application/json")


def _object(content: bytes) -> dict[str, Any]:
    try:
        body = jsonio.decode(content)
    except ValueError as error:
        raise Refusal("Invalid JSON in the request body.", "INVALID_REQUEST") from error
    if not isinstance(body, dict):
        raise Refusal("The request body is not a JSON object.", "INVALID_REQUEST")
    return body


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.lstrip("-").isdigit():
        raise Refusal(f"Invalid value for the query parameter {name}.", "INVALID_PARAMETER", queryParam=name)
    return int(text)
