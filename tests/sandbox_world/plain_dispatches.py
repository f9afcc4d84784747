"""A second opinion on level i: what was sent, read in the plainest way from the marketplace and the books."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.world import World
from tests.sandbox_world.plain_books import Order, books_of

CONFIRMATION = timedelta(minutes=10)
RISK = timedelta(hours=12)
Finding = tuple[str, str, str]


def dispatches(world: World, marketplace: str) -> Iterator[Finding]:
    """Roots only: where the order itself is wrong in the books, its dispatch says nothing new."""
    standing = {order.reference: order for order in reversed(books_of(world, marketplace).orders)}
    for order_id, order in world.mirakl[marketplace].orders.items():
        if (erp_order := standing.get(order_id)) is not None:
            yield from of_order(world.as_of, order, erp_order)


def of_order(now: datetime, order: dict[str, Any], erp_order: Order) -> Iterator[Finding]:
    subject = ("DISPATCH", order["order_id"])
    sent = {line["order_line_id"]: shipped(line) for line in order["order_lines"]}
    left = {line.order_line_id: line.despatched for line in erp_order.lines if not line.is_charge}
    if order["order_state"] in ("REFUSED", "CANCELED"):
        if any(left.values()):
            yield "DSP-006", *subject
    elif any(sent.values()) and not any(left.values()):
        yield "DSP-002", *subject
    elif any(left.values()) and not any(sent.values()):
        if now - erp_order.changed.replace(tzinfo=UTC) > CONFIRMATION:
            yield "DSP-001", *subject
    elif order["order_state"] == "SHIPPING":
        if now >= datetime.fromisoformat(order["shipping_deadline"]) - RISK:
            yield "DSP-003", *subject
    else:
        ordered = {line.order_line_id: line.quantity for line in erp_order.lines}
        for line in order["order_lines"]:
            line_id = line["order_line_id"]
            if sent[line_id] == ordered.get(line_id) != left.get(line_id):
                yield "DSP-005", "DISPATCH_LINE", line_id


def shipped(line: dict[str, Any]) -> int:
    if not line["shipped_date"]:
        return 0
    return int(line["quantity"]) - sum(int(cancelation["quantity"]) for cancelation in line["cancelations"])
