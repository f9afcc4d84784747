"""Sage 200's REST API over HTTP: headers, query options, reads and posts, with the vendor's refusals."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox import jsonio
from sandbox.odata import Predicate, QueryError, parse_query
from sandbox.sage_bodies import PostingError
from sandbox.sage_company import NESTED, ONLY_NESTED, SINGLE_OBJECTS, SageCompany, Table
from sandbox.sage_id import SageId
from sandbox.sage_writes import SageWrites

BASE = "/sage200/accounts/v1"
LOCK = "is_to_lock"


class Sage200Api:
    """The routes of one company behind one sign-in."""

    def __init__(self, company: SageCompany, writes: SageWrites, sage_id: SageId) -> None:
        self._company = company
        self._writes = writes
        self._sage_id = sage_id

    def routes(self) -> list[Route]:
        every = ["GET", "POST", "PUT", "DELETE", "PATCH"]
        return [
            Route("/oauth/token", self._sage_id.token, methods=["POST"]),
            Route(f"{BASE}/{{resource}}", self._resource, methods=every),
            Route(f"{BASE}/{{resource}}/{{record_id}}", self._single, methods=every),
            Route(f"{BASE}/{{parent}}/{{record_id}}/{{resource}}", self._nested, methods=every),
        ]

    def _refusal(self, request: Request, resource: str) -> Response | None:
        """401 with an empty body: no or an old token, or a site or company that is missing or not the user's."""
        if not self._sage_id.accepts(request.headers.get("authorization", "")):
            return Response(status_code=401)
        site = self._company.site
        asked = (request.headers.get("x-site", "").lower(), request.headers.get("x-company", ""))
        if resource != "sites" and asked != (str(site["site_id"]).lower(), str(site["company_id"])):
            return Response(status_code=401)
        return None

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
        if request.method != "GET" or table is None or row is None or table.key != "id":
            return Response(status_code=404)
        options, is_to_lock = _without_lock(request.query_params)
        try:
            query = parse_query(options, table.shape, key=table.key, default_order=table.default_order, is_single=True)
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
        return self._company.sites if resource == "sites" else self._company.tables.get(resource)

    @staticmethod
    def _row(table: Table | None, text: str) -> dict[str, Any] | None:
        return table.by_key.get(int(text)) if table and text.isascii() and text.isdigit() else None

    def _list(self, request: Request, table: Table, extra: Predicate | None) -> Response:
        try:
            query = parse_query(request.query_params, table.shape, key=table.key, default_order=table.default_order)
        except QueryError as error:
            return _bad_request(str(error))
        if query.is_metadata:
            return self._metadata(table)
        if table.resource in SINGLE_OBJECTS:
            return _json(jsonio.encode(table.rows[0]) if table.rows else b"{}")
        rows, count = self._company.select(table.resource, query, extra)
        if count is not None:
            return _json(str(count).encode())
        return _json(_array([self._company.render(table.resource, row, query) for row in rows]))

    @staticmethod
    def _metadata(table: Table) -> Response:
        return _json(jsonio.encode([{"name": name, "type": kind} for name, kind in table.shape.fields.items()]))


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
