"""A second opinion on level i: what was sent, read in the plainest way from the marketplace and the books."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.world import World
from tests.sandbox_world.plain_books import Order, books_of

CONFIRMATION = timedelta(minutes=10)
RISK = timedelta(hours=12)
CARRIERS = {"Pretend Parcels 24": "PPL", "Royal Example Tracked 48": "RMX", "Demo Express Next Day": "DPX"}
Finding = tuple[str, str, str]


def dispatches(world: World, marketplace: str) -> Iterator[Finding]:
    """Roots only: where the order itself is wrong in the books, its dispatch says nothing new."""
    books, orders = books_of(world, marketplace), world.mirakl[marketplace].orders
    standing = {order.reference: order for order in reversed(books.orders)}
    parcels_of = Counter(parcel.reference for parcel in books.parcels)
    for order_id, order in orders.items():
        if (erp_order := standing.get(order_id)) is not None:
            yield from of_order(world.as_of, order, erp_order)
    for parcel in books.parcels:
        followed = orders.get(parcel.reference)
        if followed is not None and followed["order_state"] in ("SHIPPED", "TO_COLLECT"):
            told = followed["shipping_carrier_code"], followed["shipping_tracking"]
            known = CARRIERS.get(parcel.carrier), parcel.tracking
            if told != known and (parcels_of[parcel.reference] == 1 or None in (*told, known[0])):
                yield "DSP-004", "ERP_DISPATCH", parcel.number


def parcels(world: World, marketplace: str) -> Iterator[Finding]:
    """The sellers' parcels against their orders, where the operator knows of nobody's books."""
    side = world.mirakl[marketplace]
    held: Counter[str] = Counter()
    for parcel in side.shipments:
        for line in parcel["shipment_lines"]:
            held[line["order_line_id"]] += line["quantity"]
        if parcel["status"] == "SHIPPED" and not parcel["tracking"]["tracking_number"]:
            yield "DSP-004", "SHIPMENT", parcel["id"]
    for order_id, order in side.orders.items():
        deadline = datetime.fromisoformat(order["shipping_deadline"])
        if order["order_state"] == "SHIPPING" and world.as_of >= deadline - RISK:
            yield "DSP-003", "DISPATCH", order_id
        for line in order["order_lines"]:
            line_id = line["order_line_id"]
            if order["order_state"] in ("CANCELED", "REFUSED"):
                if held[line_id]:
                    yield "DSP-006", "DISPATCH_LINE", line_id
            elif line["shipped_date"] and held[line_id] != shipped(line):
                yield "DSP-005", "DISPATCH_LINE", line_id


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
