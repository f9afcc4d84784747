"""Cancels sales orders of which nothing has left: their lines go, a comment says why, the number stays.

The published API has no call that cancels an order, and one that is deleted leaves no trace (`sop_orders_status` came
with 2025 R1, its body is not published). So every line is deleted, and recorded where Sage's settings keep cancelled
lines; a comment line takes their place, because an order without lines is none. What was allocated is free again, and
nothing is left to despatch or to invoice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.delivery import Action, DeliveryResult, Found, Outcome, Request, Verification
from connectors.errors import ConnectorError
from connectors.sage200.endpoints import SALES_ORDER
from connectors.sage200.writes import documents as d
from connectors.sage200.writes.codes import Codes
from connectors.sage200.writes.order_lines import TYPES, refuse_moved
from connectors.sage200.writes.orders import CANCELLED, COMPLETE, number_of, says_locked
from connectors.sage200.writes.posting import NOT_SENT
from connectors.sage200.writes.sending import Desk, Unfit, failed_read, failed_write, is_unknown

Row = Mapping[str, Any]


class OrderCancellationDelivery:
    """Cancels orders of kind ORDER_CANCELLATION; the payload is `documents.OrderCancellation`.

    Precondition: one order of the customer carries the marketplace's number, and no line of it was despatched or
    invoiced: what has left is recalled or credited by people, not cancelled. Look-up: every order with the number is
    cancelled, or holds nothing but comments. A repeat finds nothing left to delete and does no harm.
    """

    kind = "ORDER_CANCELLATION"

    def __init__(self, desk: Desk, codes: Codes) -> None:
        self.desk = desk
        self.codes = codes
        self.settle_seconds = desk.settle_seconds

    def preview(self, actions: Sequence[Action]) -> list[Request]:
        """The requests. Where an order cannot be cancelled, the reason stands in the body."""
        requests = []
        for action in actions:
            path = f"/{SALES_ORDER.name}"
            try:
                document = _document(action)
                order = self._one(document, self._held([action])[action.action_key])
                path, body = f"{path}/{order['id']}", _body(document, order)
            except Unfit as unfit:
                body = {"error": unfit.detail}
            requests.append(self.desk.request("PUT", path, body))
        return requests

    def look_up(self, actions: Sequence[Action]) -> dict[str, Found | None]:
        held = self._held(actions)
        return {action.action_key: _found(held[action.action_key]) for action in actions}

    def send(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]:
        results: dict[str, DeliveryResult] = {}
        ready: list[tuple[Action, d.OrderCancellation, Row]] = []
        try:
            held = self._held(actions)
        except ConnectorError as error:
            return dict.fromkeys((action.action_key for action in actions), failed_read(error))
        for action in actions:
            orders = held[action.action_key]
            found = _found(orders)
            try:
                if found is not None:
                    results[action.action_key] = DeliveryResult(Outcome.SENT, found.vendor_ids, found.detail)
                    continue
                document = _document(action)
                ready.append((action, document, self._one(document, orders)))
            except Unfit as unfit:
                results[action.action_key] = unfit.result()
        for (action, _, _), result in self.desk.send_each(self._write, ready, lambda _: NOT_SENT):
            results[action.action_key] = result
        return results

    def read_back(self, actions: Sequence[Action]) -> dict[str, Verification]:
        held = self._held(actions)
        result = {}
        for action in actions:
            orders = held[action.action_key]
            found = _found(orders)
            ids = tuple(str(order["id"]) for order in orders)
            detail = "the order still has lines to despatch" if orders else "no order carries its number"
            result[action.action_key] = Verification(found is not None, found.detail if found else detail, ids)
        return result

    # --- inside

    def _write(self, one: tuple[Action, d.OrderCancellation, Row]) -> tuple[DeliveryResult, bool]:
        result = self._cancel(one[1], int(one[2]["id"]))
        return result, result.outcome is Outcome.UNKNOWN

    def _cancel(self, document: d.OrderCancellation, order_id: int) -> DeliveryResult:
        """Locks the order, so that nobody despatches meanwhile, and takes its lines off in one call."""
        try:
            order = self.desk.single("sop_orders", order_id, expand="lines,is_to_lock")
        except ConnectorError as error:
            if says_locked(error):
                return Unfit(f"the order is locked: {error}", is_for_now=True).result()
            return failed_read(error)
        ids = (str(order_id),)
        try:
            body = _body(document, order)
        except Unfit as unfit:
            return DeliveryResult(Outcome.FAILED, ids, f"{unfit.detail}{self._release(order)}")
        try:
            self.desk.write(SALES_ORDER, body, method="PUT", path=f"/{SALES_ORDER.name}/{order_id}")
        except ConnectorError as error:
            if is_unknown(error):
                return failed_write(error)
            can_pass = error.retryable or says_locked(error)
            return DeliveryResult(Outcome.FAILED, ids, f"{error}{self._release(order)}", retryable=can_pass)
        return DeliveryResult(Outcome.SENT, ids, f"order {number_of(order)} is cancelled")

    def _release(self, order: Row) -> str:
        lock_id = order.get("lock_id")
        if lock_id is None:
            return ""
        body = {"is_editing": False, "lock_id": lock_id}
        try:
            self.desk.write(SALES_ORDER, body, method="PUT", path=f"/{SALES_ORDER.name}/{order['id']}")
        except ConnectorError as error:
            return f"; the lock {lock_id} on it could not be released ({error})"
        return ""

    def _held(self, actions: Sequence[Action]) -> dict[str, list[Row]]:
        """The customer's orders with each action's number, cancelled ones too; no drafts."""
        numbers = {str(action.payload.get("order_reference") or "") for action in actions} - {""}
        rows = self.desk.by_key("sop_orders", numbers, member="customer_document_no", expand="lines")
        found: dict[str, list[Row]] = {}
        for action in actions:
            here = rows.get(str(action.payload.get("order_reference") or ""), [])
            try:
                customer = self.codes.customer(str(action.payload.get("customer_reference") or ""))["id"] if here else 0
            except Unfit:
                here, customer = [], 0  # a customer that does not exist has no orders; sending it explains
            found[action.action_key] = [
                row for row in here if row.get("customer_id") == customer and not row.get("is_draft")
            ]
        return found

    @staticmethod
    def _one(document: d.OrderCancellation, orders: Sequence[Row]) -> Row:
        """The order to cancel. Raises Unfit."""
        open_orders = [order for order in orders if not _is_cancelled(order)]
        if len(open_orders) != 1:
            numbers = ", ".join(number_of(order) for order in open_orders)
            count = f"{len(open_orders)} orders carry" if open_orders else "no order of the customer carries"
            raise Unfit(f"{count} the number {document.order_reference}{f' ({numbers})' if numbers else ''}")
        return open_orders[0]


def _document(action: Action) -> d.OrderCancellation:
    return d.read(action.payload, d.OrderCancellation)


def _is_cancelled(order: Row) -> bool:
    """Whether nothing of it is left: Sage says so, or only comments stand in it."""
    if order.get("document_status") == CANCELLED:
        return True
    return all(line.get("line_type") == TYPES["COMMENT"] for line in order.get("lines") or ())


def _found(orders: Sequence[Row]) -> Found | None:
    if not orders or not all(_is_cancelled(order) for order in orders):
        return None
    numbers = ", ".join(number_of(order) for order in orders)
    return Found(tuple(str(order["id"]) for order in orders), True, f"order {numbers} is cancelled")


def _body(document: d.OrderCancellation, order: Row) -> dict[str, Any]:
    """The amendment. Raises Unfit for an order of which something has left the house."""
    if order.get("document_status") == COMPLETE:
        raise Unfit(f"order {number_of(order)} is complete and cannot be cancelled any more")
    lines = order.get("lines") or []
    changes: list[dict[str, Any]] = []
    for line in lines:
        if line.get("line_type") == TYPES["COMMENT"]:
            continue
        refuse_moved(line)
        changes.append({"id": line["id"], "is_to_delete": True, "create_cancelled_line": True})
    comment = d.shortened(document.narrative)
    if not any(line.get("description") == comment for line in lines):
        changes.insert(0, {"line_type": TYPES["COMMENT"], "description": comment})
    body = {"is_editing": False, "lock_id": order.get("lock_id"), "lines": changes}
    return {name: value for name, value in body.items() if value is not None}
