"""Settles documents of a customer against each other. Values are positive on both sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.delivery import Action, DeliveryResult, Found, Outcome, Request, Verification
from connectors.errors import ConnectorError
from connectors.sage200.endpoints import SALES_ALLOCATION
from connectors.sage200.writes import documents as d
from connectors.sage200.writes.codes import Codes
from connectors.sage200.writes.sending import Desk, Unfit, decimal_of, failed_read, failed_write

POSTED = "sales_posted_transactions"
DEBITS = frozenset(
    {
        "TradingAccountEntryTypeInvoice",
        "TradingAccountEntryTypeOpeningBalanceInvoice",
        "TradingAccountEntryTypePurchaseReceiptSalesPayment",
    }
)
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Line:
    row: Row
    amount: Decimal
    before: Decimal

    @property
    def open(self) -> Decimal:
        return abs(decimal_of(self.row.get("document_outstanding_value")))

    @property
    def is_debit(self) -> bool:
        """Whether the document raises what the customer owes. Its type says so; not every site shows signs alike."""
        return str(self.row.get("trader_transaction_type")) in DEBITS


class AllocationDelivery:
    """Posts allocations of kind SALES_ALLOCATION; the payload is `documents.SalesAllocation`.

    Sage stores no key with an allocation. Precondition: every document has exactly the outstanding amount that the
    action was proposed on. Look-up: every one of them has that amount less what was to be allocated. Anything between
    means that somebody else allocated too, and a person must look. The documents are named by their reference; Sage is
    sent `posted_tran_id`, the id of the posted transaction, which is not its URN.
    """

    kind = "SALES_ALLOCATION"

    def __init__(self, desk: Desk, codes: Codes) -> None:
        self.desk = desk
        self.codes = codes
        self.settle_seconds = desk.settle_seconds

    def preview(self, actions: Sequence[Action]) -> list[Request]:
        """The requests. Where a document cannot be found, the reason stands in the body."""
        requests = []
        for action in actions:
            try:
                allocation = self._document(action)
                body = self._body(allocation, self._lines(allocation))
            except Unfit as unfit:
                body = {"error": unfit.detail}
            requests.append(self.desk.request("POST", f"/{SALES_ALLOCATION.name}", body))
        return requests

    def look_up(self, actions: Sequence[Action]) -> dict[str, Found | None]:
        found: dict[str, Found | None] = {}
        for action in actions:
            try:
                lines = self._lines(self._document(action))
            except Unfit:
                found[action.action_key] = None
                continue
            done = [line for line in lines if line.open == line.before - line.amount]
            ids = tuple(str(line.row["id"]) for line in lines)
            if len(done) == len(lines):
                found[action.action_key] = Found(ids, True, "every document is allocated as wanted")
            elif done:
                detail = f"{len(done)} of {len(lines)} documents are allocated: {_state(lines)}"
                found[action.action_key] = Found(ids, False, detail)
            else:
                found[action.action_key] = None
        return found

    def send(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]:
        """One after the other: what one allocates, another one may name."""
        results: dict[str, DeliveryResult] = {}
        lost = False
        for action in actions:
            if lost:
                detail = "not sent: the outcome of an allocation before it is unknown"
                results[action.action_key] = DeliveryResult(Outcome.FAILED, detail=detail, retryable=True)
                continue
            results[action.action_key] = result = self._send(action)
            lost = result.outcome is Outcome.UNKNOWN
        return results

    def read_back(self, actions: Sequence[Action]) -> dict[str, Verification]:
        result = {}
        for action, found in zip(actions, self.look_up(actions).values(), strict=True):
            if found is not None and found.complete:
                result[action.action_key] = Verification(True, found.detail, found.vendor_ids)
                continue
            try:
                detail = f"not allocated: {_state(self._lines(self._document(action)))}"
            except Unfit as unfit:
                detail = unfit.detail
            result[action.action_key] = Verification(False, detail)
        return result

    def _send(self, action: Action) -> DeliveryResult:
        try:
            allocation = self._document(action)
            lines = self._lines(allocation)
            if all(line.open == line.before - line.amount for line in lines):
                ids = tuple(str(line.row["id"]) for line in lines)
                return DeliveryResult(Outcome.SENT, ids, "allocated already")
            if any(line.open != line.before for line in lines):
                raise Unfit(f"the documents are no longer as proposed: {_state(lines)}")
            body = self._body(allocation, lines)
        except Unfit as unfit:
            return Unfit(f"{self.kind} {action.wire_key}: {unfit.detail}").result()
        except ConnectorError as error:
            return failed_read(error)
        try:
            self.desk.write(SALES_ALLOCATION, body)
        except ConnectorError as error:
            return failed_write(error)
        return DeliveryResult(Outcome.SENT, tuple(str(line.row["id"]) for line in lines), "allocated")

    def _document(self, action: Action) -> d.SalesAllocation:
        allocation = d.read(action.payload, d.SalesAllocation)
        if allocation.wire_key != action.wire_key:
            raise Unfit("wire_key is not the action's")
        self.codes.currency(allocation.currency_code)
        return allocation

    def _lines(self, allocation: d.SalesAllocation) -> list[_Line]:
        """The documents as they stand now. Raises Unfit."""
        if len({line.reference for line in allocation.lines}) != len(allocation.lines) or len(allocation.lines) < 2:
            raise Unfit("lines: an allocation needs at least two documents, each named once")
        customer = self.codes.customer(allocation.customer_reference)
        held = self.desk.by_key(POSTED, {line.reference for line in allocation.lines})
        found = []
        for position, line in enumerate(allocation.lines):
            rows = [row for row in held[line.reference] if row.get("customer_id") == customer["id"]]
            if len(rows) != 1:
                count = "no" if not rows else "more than one"
                raise Unfit(
                    f"lines[{position}].reference: customer {allocation.customer_reference} has {count} posted "
                    f"transaction {line.reference!r} (settled ones may be archived)"
                )
            taken = d.positive(line.amount, f"lines[{position}].amount")
            before = d.amount(line.outstanding_amount, f"lines[{position}].outstanding_amount")
            if taken > before:
                raise Unfit(f"lines[{position}].amount: {taken} is more than the {before} outstanding")
            found.append(_Line(rows[0], taken, before))
        debits = sum((line.amount for line in found if line.is_debit), d.NIL)
        credits = sum((line.amount for line in found if not line.is_debit), d.NIL)
        if debits != credits:
            raise Unfit(f"lines: invoices of {debits} are set against receipts and credit notes of {credits}")
        return found

    @staticmethod
    def _body(allocation: d.SalesAllocation, lines: Sequence[_Line]) -> dict[str, Any]:
        return {
            "customer_id": lines[0].row["customer_id"],
            "allocation_date": d.day(allocation.allocation_date, "allocation_date"),
            "allocation_lines": [
                {"posted_tran_id": line.row["id"], "value_to_allocate": line.amount} for line in lines
            ],
        }


def _state(lines: Sequence[_Line]) -> str:
    return ", ".join(f"{line.row.get('reference')} has {line.open} open, proposed on {line.before}" for line in lines)
