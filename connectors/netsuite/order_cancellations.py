"""Closes sales orders of which nothing has left: NetSuite calls an order whose lines are all closed `Closed`.

The record service has no call that cancels. Closing frees what was committed, keeps the order with its number and its
lines, and is done again without harm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.delivery import Action, DeliveryResult, Found, Outcome, Request, Verification
from connectors.errors import ConnectorError
from connectors.netsuite import documents as d
from connectors.netsuite.client import NetSuiteConnector
from connectors.netsuite.records import WRITE_HEADERS, BadRecord, Records, can_pass, decimal_of, encoded, result_of

MAXIMUM_MEMO = 200
CANCELLED = frozenset({"C", "H"})
"""Cancelled, closed."""
OPEN = frozenset({"A", "B"})
"""Pending approval, pending fulfilment: nothing has left."""
Row = Mapping[str, str]


class OrderCancellationDelivery:
    """Closes orders of kind ORDER_CANCELLATION; the payload is `connectors.netsuite.documents.OrderCancellation`.

    Precondition: one order of the customer bears the marketplace's number, and nothing of it was fulfilled or billed.
    Look-up: every order with the number is closed, cancelled or voided, and nothing of a closed one has left.
    """

    kind = "ORDER_CANCELLATION"
    batch_size = 100

    def __init__(self, connector: NetSuiteConnector) -> None:
        self._records = Records(connector)

    def preview(self, actions: Sequence[Action]) -> list[Request]:
        """The requests. Where an order cannot be closed, the reason stands in the body."""
        held = self._held(actions)
        requests = []
        for action in actions:
            path, body = "salesOrder", dict[str, Any]()
            try:
                document = d.read(action.payload, d.OrderCancellation)
                order = _one(document, held[action.action_key])
                path, body = f"{path}/{order['id']}", self._body(document, order)
            except BadRecord as error:
                body = {"error": str(error)}
            headers = {"Authorization": "***", **WRITE_HEADERS}
            requests.append(Request("PATCH", self._records.url(path), headers, encoded(body).decode()))
        return requests

    def look_up(self, actions: Sequence[Action]) -> dict[str, Found | None]:
        held = self._held(actions)
        moved = self._moved(held)
        return {action.action_key: _found(held[action.action_key], moved) for action in actions}

    def send(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]:
        try:
            held = self._held(actions)
            moved = self._moved(held)
        except ConnectorError as error:
            # Only read so far: nothing was written.
            failed = DeliveryResult(Outcome.FAILED, detail=str(error), retryable=can_pass(error))
            return {action.action_key: failed for action in actions}
        return {action.action_key: self._send(action, held[action.action_key], moved) for action in actions}

    def read_back(self, actions: Sequence[Action]) -> dict[str, Verification]:
        held = self._held(actions)
        moved = self._moved(held)
        result = {}
        for action in actions:
            orders = held[action.action_key]
            found = _found(orders, moved)
            words = ", ".join(f"order {_number(order)} is {order['status']}" for order in orders)
            detail = found.detail if found else words or "no order bears its number"
            result[action.action_key] = Verification(found is not None, detail, tuple(order["id"] for order in orders))
        return result

    # --- inside

    def _send(self, action: Action, orders: Sequence[Row], moved: frozenset[str]) -> DeliveryResult:
        if (found := _found(orders, moved)) is not None:
            return DeliveryResult(Outcome.SENT, found.vendor_ids, found.detail)
        try:
            document = d.read(action.payload, d.OrderCancellation)
            order = _one(document, orders)
            body = self._body(document, order)
        except BadRecord as error:
            return DeliveryResult(Outcome.FAILED, detail=str(error))
        except ConnectorError as error:
            return DeliveryResult(Outcome.FAILED, detail=str(error), retryable=can_pass(error))
        try:
            self._records.write("PATCH", f"salesOrder/{order['id']}", body)
        except ConnectorError as error:
            return result_of(error)
        return DeliveryResult(Outcome.SENT, (order["id"],), f"order {_number(order)} is closed")

    def _held(self, actions: Sequence[Action]) -> dict[str, list[dict[str, str]]]:
        """The customer's orders with each action's number, by action key."""
        references = [str(action.payload.get("order_reference") or "") for action in actions]
        named = self._records.orders_named(references)
        return {
            action.action_key: [
                row
                for row in named.get(reference, ())
                if row.get("customer") == action.payload.get("customer_reference")
            ]
            for action, reference in zip(actions, references, strict=True)
        }

    def _moved(self, held: Mapping[str, Sequence[Row]]) -> frozenset[str]:
        """The closed orders of which something had left before: those were not cancelled."""
        closed = {row["id"] for rows in held.values() for row in rows if row["status"] == "H"}
        lines = self._records.item_lines(closed)
        return frozenset(
            identifier
            for identifier, rows in lines.items()
            if any(decimal_of(row.get("quantityshiprecv")) != 0 for row in rows)
        )

    def _body(self, document: d.OrderCancellation, order: Row) -> dict[str, Any]:
        """Every line closed. Raises BadRecord for an order of which something has left."""
        if order["status"] not in OPEN:
            raise BadRecord(f"order {_number(order)} has status {order['status']} and cannot be cancelled any more")
        lines = self._records.item_lines([order["id"]])[order["id"]]
        if any(decimal_of(row.get("quantityshiprecv")) != 0 for row in lines):
            raise BadRecord(f"of order {_number(order)} something has left: it cannot be cancelled any more")
        items = [{"line": int(row["id"]), "isClosed": True} for row in lines]
        return {"memo": document.narrative[:MAXIMUM_MEMO], "item": {"items": items}}


def _one(document: d.OrderCancellation, orders: Sequence[Row]) -> Row:
    """The order to close. Raises BadRecord."""
    live = [order for order in orders if not _is_gone(order)]
    if len(live) != 1:
        numbers = ", ".join(_number(order) for order in live)
        count = f"{len(live)} orders bear" if live else "no order of the customer bears"
        raise BadRecord(f"{count} the number {document.order_reference}{f' ({numbers})' if numbers else ''}")
    return live[0]


def _is_gone(order: Row) -> bool:
    return order.get("voided") == "T" or order["status"] in CANCELLED


def _found(orders: Sequence[Row], moved: frozenset[str]) -> Found | None:
    if not orders or not all(_is_gone(order) and order["id"] not in moved for order in orders):
        return None
    numbers = ", ".join(_number(order) for order in orders)
    return Found(tuple(order["id"] for order in orders), True, f"order {numbers} is closed")


def _number(order: Row) -> str:
    return order.get("tranid") or order["id"]
