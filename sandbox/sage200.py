"""Sage 200's REST API over HTTP: headers, query options, reads and posts, with the vendor's refusals."""

from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox import jsonio
from sandbox.odata import Predicate, QueryError, parse_query
from sandbox.sage_bodies import PostingError
from sandbox.sage_company import LISTS_ONLY, NESTED, ONLY_NESTED, SINGLE_OBJECTS, SageCompany, Table
from sandbox.sage_id import SageId
from sandbox.sage_plausible import hidden_orders, plausibly
from sandbox.sage_writes import SageWrites

BASE = "/sage200/accounts/v1"
EDITION_BASES = {"Professional": "/uk/sage200extra/accounts/v1", "Standard": "/uk/sage200/accounts/v1"}
"""The addresses of Sage's own gateway. `BASE` serves whichever edition the company is set to."""
LOCK = "is_to_lock"


class Sage200Api:
    """The routes of one company behind one sign-in."""

    def __init__(self, company: SageCompany, writes: SageWrites, sage_id: SageId) -> None:
        self._company = company
        self._writes = writes
        self._sage_id = sage_id
        self._calls: list[float] = []

    def routes(self) -> list[Route]:
        every = ["GET", "POST", "PUT", "DELETE", "PATCH"]
        settings = self._company.settings
        resource, single, nested = (
            plausibly(settings, handler) for handler in (self._resource, self._single, self._nested)
        )
        return [
            Route("/authorize", self._sage_id.authorize, methods=["GET"]),
            Route("/oauth/token", self._sage_id.token, methods=["POST"]),
            *(
                route
                for base in (BASE, *EDITION_BASES.values())
                for route in (
                    Route(f"{base}/{{resource}}", resource, methods=every),
                    Route(f"{base}/{{resource}}/{{record_id}}", single, methods=every),
                    Route(f"{base}/{{parent}}/{{record_id}}/{{resource}}", nested, methods=every),
                )
            ),
        ]

    def _refusal(self, request: Request, resource: str) -> Response | None:
        """What is refused whatever the resource holds.

        401 with an empty body: no or an old token, or a site or company that is missing or not the user's. 504: the
        gateway does not reach the site. 404: the other edition's address, or a resource that the site is too old for.
        """
        settings = self._company.settings
        if not self._sage_id.accepts(request.headers.get("authorization", "")):
            return Response(status_code=401)
        if settings.calls_a_minute and not self._has_call_left(settings.calls_a_minute):
            return Response(status_code=429, headers={"Retry-After": "1"})
        if resource == "sites":
            return None
        site = self._company.site
        asked = (request.headers.get("x-site", "").lower(), request.headers.get("x-company", ""))
        is_there = settings.sites == "usual"
        if not is_there or asked != (str(site["site_id"]).lower(), str(site["company_id"])):
            return Response(status_code=401)
        if not settings.tunnel_up:
            return Response("504 Gateway Timeout", 504, media_type="text/html; charset=utf-8")
        edition = next((name for name, base in EDITION_BASES.items() if request.url.path.startswith(base + "/")), None)
        if edition not in (None, settings.edition) or resource in settings.hidden:
            return Response(status_code=404)
        return Response(status_code=403) if resource in settings.forbidden else None

    def _has_call_left(self, calls_a_minute: int) -> bool:
        now = monotonic()
        self._calls = [at for at in self._calls if at > now - 60.0]
        if len(self._calls) >= calls_a_minute:
            return False
        self._calls.append(now)
        return True

    async def _resource(self, request: Request) -> Response:
        resource = request.path_params["resource"]
        refusal = self._refusal(request, resource)
        if refusal is not None:
            return refusal
        if request.method == "POST" and self._writes.takes("POST", resource):
            return await self._writes.answer(request, resource)
        table = self._table(resource)
        if request.method != "GET" or table is None or resource in ONLY_NESTED:
            return Response(status_code=404)
        return self._list(request, table, None)

    async def _single(self, request: Request) -> Response:
        resource = request.path_params["resource"]
        refusal = self._refusal(request, resource)
        if refusal is not None:
            return refusal
        table = self._table(resource)
        row = self._row(table, request.path_params["record_id"])
        if row is not None and self._writes.takes(request.method, resource) and request.method == "PUT":
            return await self._writes.answer(request, resource, row["id"])
        is_known = table is not None and table.key == "id" and resource not in LISTS_ONLY
        if request.method != "GET" or table is None or row is None or not is_known:
            return Response(status_code=404)
        options, is_to_lock = _without_lock(request.query_params)
        try:
            shape = self._company.shape(resource)
            query = parse_query(options, shape, key=table.key, default_order=table.default_order, is_single=True)
        except QueryError as error:
            return _bad_request(str(error))
        if query.is_metadata:
            return self._metadata(table)
        if is_to_lock and resource == "sop_orders":
            try:
                lock = {"lock_id": self._writes.orders.lock(row["id"])}
            except PostingError as error:
                return _bad_request(str(error))
            return _json(jsonio.encode(self._company.expanded(resource, row, query.expand) | lock))
        return _json(self._company.render(resource, row, query))

    async def _nested(self, request: Request) -> Response:
        parent, resource = request.path_params["parent"], request.path_params["resource"]
        refusal = self._refusal(request, resource)
        if refusal is not None:
            return refusal
        table = self._table(resource)
        row = self._row(self._table(parent), request.path_params["record_id"])
        if request.method != "GET" or table is None or row is None or (parent, resource) not in NESTED:
            return Response(status_code=404)
        return self._list(request, table, self._company.nested_rows(parent, row["id"], resource))

    def _table(self, resource: str) -> Table | None:
        return self._company.table(resource)

    @staticmethod
    def _row(table: Table | None, text: str) -> dict[str, Any] | None:
        return table.by_key.get(int(text)) if table and text.isascii() and text.isdigit() else None

    def _list(self, request: Request, table: Table, extra: Predicate | None) -> Response:
        settings, company = self._company.settings, self._company
        options = dict(request.query_params)
        if not settings.counts:
            options.pop("$count", None)
        try:
            query = parse_query(
                options, company.shape(table.resource), key=table.key, default_order=table.default_order
            )
        except QueryError as error:
            return _bad_request(str(error))
        if query.is_metadata:
            return self._metadata(table)
        if table.resource in SINGLE_OBJECTS:
            return _json(jsonio.encode(company.expanded(table.resource, table.rows[0])) if table.rows else b"{}")
        rows, count = company.select(table.resource, query, hidden_orders(settings, table.resource, extra))
        if count is not None:
            return _json(str(count).encode())
        body = _array([company.render(table.resource, row, query) for row in rows[: settings.maximum_rows]])
        if table.resource == "sites":
            body = self._sites(body)
        return _json(b'{"value":' + body + b"}" if settings.list_form == "value" else body)

    def _sites(self, body: bytes) -> bytes:
        match self._company.settings.sites:
            case "none":
                return b"[]"
            case "no_company":
                return jsonio.encode([self._company.site | {"company_id": 0, "company_name": ""}])
            case _:
                return body

    def _metadata(self, table: Table) -> Response:
        fields = self._company.shape(table.resource).fields
        return _json(jsonio.encode([{"name": name, "type": kind} for name, kind in fields.items()]))


def _without_lock(parameters: Mapping[str, str]) -> tuple[dict[str, str], bool]:
    """The options of a single GET without the expand that locks an order, and whether it was there."""
    expands = [name for name in parameters.get("$expand", "").split(",") if name]
    rest = {name: value for name, value in parameters.items() if name != "$expand"}
    kept = [name for name in expands if name.strip() != LOCK]
    return rest | ({"$expand": ",".join(kept)} if kept else {}), len(kept) < len(expands)


def _array(bodies: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(bodies) + b"]"


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json; charset=utf-8")


def _bad_request(text: str) -> Response:
    return Response(text, 400, media_type="text/plain; charset=utf-8")
