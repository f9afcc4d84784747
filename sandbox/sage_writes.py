"""Writes to a Sage 200 company: checked, recorded in the write journal, applied, answered as the vendor answers."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox import jsonio
from sandbox.clock import SandboxClock, in_seconds, until
from sandbox.journal import WriteJournal
from sandbox.sage_bodies import PostingError, check_body
from sandbox.sage_company import SageCompany
from sandbox.sage_ledger import Ledger
from sandbox.sage_masters import Allocations, Customers
from sandbox.sage_orders import OrderBook
from sandbox.sage_records import LEDGERS, SageRecords
from sandbox.sage_switches import SageSwitches

VALIDATION = "transaction_date_validation"


class SageWrites:
    """What can be written to one company. `applied` counts what took effect, `documents` holds it."""

    def __init__(self, company: SageCompany, journal: WriteJournal, clock: SandboxClock) -> None:
        self.switches = SageSwitches()
        self.applied: dict[str, int] = {}
        self.documents: list[dict[str, Any]] = []
        self._records = SageRecords(company, self.switches)
        self._company = company
        self._ledger = Ledger(company, self._records)
        self._customers = Customers(company, self._records)
        self._allocations = Allocations(company, self._records)
        self.orders = OrderBook(company, self._records)
        self._journal = journal
        self._clock = clock
        self._busy = 0
        journal.register("POST", self._apply_post)
        journal.register("PUT", self._apply_put)
        journal.register("DESPATCH", self._apply_despatch)

    # --- changes: functions of the state, the data and the time, so that a replay repeats them

    def _apply_post(self, data: dict[str, Any], at: datetime, _is_replay: bool) -> Any:
        resource, body = data["resource"], data["body"]
        self._note(resource, body)
        if resource == "customers":
            return self._company.expanded("customers", self._customers.create(body, at))
        if resource == "sales_allocations":
            return self._allocations.create(body, at)
        if resource == "sop_orders":
            return self.orders.shown(self.orders.create(body, at))
        return self._ledger.post(resource, body, at)

    def _apply_put(self, data: dict[str, Any], at: datetime, _is_replay: bool) -> str | None:
        # Named as they are told apart by people: ids follow the order of the calls.
        order = self._company["sop_orders"].by_key[data["id"]]
        numbers = {line["id"]: line["line_number"] for line in order.get("lines", ())}
        lines = [
            {"line": numbers.get(line.get("id")), **{k: v for k, v in line.items() if k != "id"}}
            for line in data["body"].get("lines") or ()
        ]
        number = order["customer_document_no"]
        self._note(data["resource"], {"customer_document_no": number, **data["body"], "lines": lines})
        if not lines:  # one that only gives a lock back is a write, but leaves nothing behind
            self.documents.pop()
        return self.orders.change(data["id"], data["body"], at)

    def _apply_despatch(self, data: dict[str, Any], at: datetime, _is_replay: bool) -> None:
        self.orders.despatch(data["id"], at)

    def _note(self, resource: str, body: dict[str, Any]) -> None:
        self.applied[resource] = self.applied.get(resource, 0) + 1
        self.documents.append({"resource": resource, "body": {k: v for k, v in body.items() if k != "lock_id"}})

    # --- HTTP

    def takes(self, method: str, resource: str) -> bool:
        """Whether the resource has such a write; the vendor answers 404 to any other."""
        if method == "PUT":
            return resource == "sop_orders"
        posts = {"customers", "sales_allocations", "sop_orders", VALIDATION, *self._ledger.resources}
        return method == "POST" and resource in posts

    async def answer(self, request: Request, resource: str, record_id: int | None = None) -> Response:
        """The answer to a write that `takes` says yes to."""
        # How long the vendor takes is told as a whole: the sandbox's own work lies within.
        answered_at = in_seconds(self.switches.call_seconds)
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return Response(status_code=415)
        try:
            body = jsonio.decode(await request.body())
        except ValueError:
            return _bad_request("The request body is not valid JSON.")
        limit = self.switches.concurrent_writes
        if limit is not None and self._busy >= limit:
            return Response(status_code=429, headers={"Retry-After": "1"})
        self._busy += 1
        try:
            return self._carried_out(resource, record_id, body)
        except PostingError as error:
            return _bad_request(str(error))
        finally:
            await until(answered_at)
            self._busy -= 1

    def _carried_out(self, resource: str, record_id: int | None, body: Any) -> Response:
        if resource == VALIDATION:
            return _json(jsonio.encode(self._validated(body)))
        return self._put(record_id, body) if record_id is not None else self._post(resource, body)

    def _post(self, resource: str, body: Any) -> Response:
        checks: dict[str, Callable[[Any], Any]] = {
            "customers": self._customers.check,
            "sales_allocations": self._allocations.check,
            "sop_orders": self.orders.check_new,
        }
        if resource in checks:
            checks[resource](body)
            return _json(jsonio.encode(self._journal.write("POST", {"resource": resource, "body": body})))
        self._ledger.check(resource, body, self._clock.now())
        urn = self._journal.write("POST", {"resource": resource, "body": body})
        # A transfer is answered with its own body and keeps its URN to itself.
        return _json(jsonio.encode(body if resource == "bank_transfer" else {"urn": urn}))

    def _put(self, order_id: int, body: Any) -> Response:
        self.orders.check_change(order_id, body)
        refusal = self._journal.write("PUT", {"resource": "sop_orders", "id": order_id, "body": body})
        if refusal is not None:
            return _bad_request(refusal)
        order = self._company["sop_orders"].by_key[order_id]
        return _json(jsonio.encode(self.orders.shown(order)))

    def _validated(self, body: Any) -> dict[str, str]:
        body = check_body(VALIDATION, body)
        if body.get("date") is None:
            raise PostingError("SageNullFieldException: The property 'date' is required.")
        if body.get("ledger_type") not in LEDGERS:
            raise PostingError("The property 'ledger_type' is not a ledger.")
        classification, message = self._records.classify(body["date"])
        return {"classification": classification, "message": message}

    # --- control

    async def control(self, request: Request) -> Response:
        """Reads the switches, or changes those that are named."""
        if request.method == "POST":
            try:
                values = jsonio.decode(await request.body())
                if not isinstance(values, dict):
                    raise ValueError("a JSON object is expected")
                self.switches.change(values)
            except ValueError as error:
                return Response(jsonio.encode({"error": str(error)}), 400, media_type="application/json")
        return Response(jsonio.encode_stable(self.switches.describe()), media_type="application/json")

    async def despatch(self, request: Request) -> Response:
        """The warehouse despatches the orders of these `customer_document_nos`; no API call does."""
        try:
            wanted = set(jsonio.decode(await request.body())["customer_document_nos"])
        except (ValueError, KeyError, TypeError) as error:
            return Response(jsonio.encode({"error": str(error)}), 400, media_type="application/json")
        found = [order["id"] for order in self._company["sop_orders"].rows if order["customer_document_no"] in wanted]
        for order_id in found:
            self._journal.write("DESPATCH", {"id": order_id})
        return Response(jsonio.encode_stable({"despatched": len(found)}), media_type="application/json")


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json; charset=utf-8")


def _bad_request(text: str) -> Response:
    return Response(text, 400, media_type="text/plain; charset=utf-8")
