"""Sage 200's REST API over HTTP: headers, query options, reads and posts, with the vendor's refusals."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox import jsonio
from sandbox.clock import SandboxClock
from sandbox.journal import WriteJournal
from sandbox.odata import Predicate, QueryError, parse_query
from sandbox.sage_company import NESTED, ONLY_NESTED, SINGLE_OBJECTS, SageCompany, Table
from sandbox.sage_id import SageId
from sandbox.sage_ledger import Ledger, PostingError

BASE = "/sage200/accounts/v1"
DOCUMENTS = (
    "sales_receipts",
    "sales_payments",
    "sales_invoices",
    "sales_credit_notes",
    "bank_payment",
    "bank_receipt",
    "bank_transfer",
)


class Sage200Api:
    """The routes of one company behind one sign-in."""

    def __init__(
        self, company: SageCompany, ledger: Ledger, sage_id: SageId, journal: WriteJournal, clock: SandboxClock
    ) -> None:
        self._company = company
        self._ledger = ledger
        self._sage_id = sage_id
        self._journal = journal
        self._clock = clock

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
        if request.method == "POST" and resource in DOCUMENTS:
            return await self._post(request, resource)
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
        if request.method != "GET" or table is None or row is None or table.key != "id":
            return Response(status_code=404)
        try:
            query = parse_query(
                request.query_params, table.shape, key=table.key, default_order=table.default_order, is_single=True
            )
        except QueryError as error:
            return _bad_request(str(error))
        if query.is_metadata:
            return self._metadata(table)
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

    async def _post(self, request: Request, resource: str) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return Response(status_code=415)
        try:
            body = jsonio.decode(await request.body())
        except ValueError:
            return _bad_request("The request body is not valid JSON.")
        try:
            self._ledger.check(resource, body, self._clock.now())
        except PostingError as error:
            return _bad_request(str(error))
        urn = self._journal.write("POST", {"resource": resource, "body": body})
        # A transfer is answered with its own body and keeps its URN to itself.
        return _json(jsonio.encode(body if resource == "bank_transfer" else {"urn": urn}))


def _array(bodies: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(bodies) + b"]"


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json; charset=utf-8")


def _bad_request(text: str) -> Response:
    return Response(text, 400, media_type="text/plain; charset=utf-8")
