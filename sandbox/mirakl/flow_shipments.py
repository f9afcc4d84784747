"""Shipments of orders that go out in parts (multi-shipment platforms)."""

from datetime import datetime

from sandbox.clock import stamp
from sandbox.mirakl.flow_orders import keep, send_shipped_lines
from sandbox.mirakl.flow_records import Record, new_id, order_of, touch, undelivered_quantity, workflow
from sandbox.mirakl.flow_worklists import shipped_quantities
from sandbox.mirakl_shop import MiraklShop, RuleError

OPEN = "SHIPPING"


def check_shipment(shop: MiraklShop, wanted: Record) -> None:
    """The rules of one shipment of ST01. Raises RuleError."""
    record = order_of(shop, wanted["order_id"])
    if record["order_state"] != "SHIPPING":
        raise RuleError(400, "ORDER_INVALID_STATE", f"Order '{wanted['order_id']}' is not in state SHIPPING")
    planned = shipped_quantities(shop, wanted["order_id"], is_planned_counted=True)
    for line_id, quantity in _wanted_quantities(record, wanted).items():
        line = next(line for line in record["order_lines"] if line["order_line_id"] == line_id)
        if line["order_line_state"] != "SHIPPING":
            raise RuleError(400, "ORDER_LINE_INVALID_STATE", f"Order line '{line_id}' is not in state SHIPPING")
        left = line["quantity"] - undelivered_quantity(line) - planned.get(line_id, 0)
        if quantity > left:
            text = f"The quantity {quantity} of order line '{line_id}' exceeds the remaining quantity to ship: {left}"
            raise RuleError(400, "QUANTITY_EXCEEDED", text)


def _wanted_quantities(record: Record, wanted: Record) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in wanted["shipment_lines"]:
        line_id = _line_of(record, part)["order_line_id"]
        found[line_id] = found.get(line_id, 0) + part["quantity"]
    return found


def _line_of(record: Record, part: Record) -> Record:
    """The order line that a line of a shipment is about: by its id or, as before ids were asked for, by its SKU."""
    name = "order_line_id" if part.get("order_line_id") else "offer_sku"
    for line in record["order_lines"]:
        if part.get(name) and line[name] == part[name]:
            found: Record = line
            return found
    text = f"Order line '{part.get(name)}' is not a line of '{record['order_id']}'"
    raise RuleError(400, "ORDER_LINE_NOT_FOUND", text)


def create_shipment(shop: MiraklShop, wanted: Record, tracking: Record | None, at: datetime) -> Record:
    """A checked shipment of ST01; returns its record. `tracking` as it is to be shown."""
    record = order_of(shop, wanted["order_id"])
    is_paid_by_shipment = workflow(record) == "PAY_ON_SHIPMENT"
    lines = []
    for part in wanted["shipment_lines"]:
        line = _line_of(record, part)
        lines.append(
            {
                "offer_sku": line["offer_sku"],
                "order_line_id": line["order_line_id"],
                "package_reference": part.get("package_reference"),
                "quantity": part["quantity"],
            }
        )
    shipment: Record = {
        "created_date": stamp(at),
        "id": new_id(shop, "shipment"),
        "invoice_reference": wanted.get("invoice_reference"),
        "last_updated_date": stamp(at),
        "order_id": wanted["order_id"],
        "payment_details": None,
        "shipment_additional_information": wanted.get("shipment_additional_information") or [],
        "shipment_lines": lines,
        "shipped_date": None,
        "shipping_from": wanted.get("shipping_from"),
        "status": OPEN,
        "status_customer_debit": "NOT_STARTED" if is_paid_by_shipment else "NO_DEBIT",
        "tracking": tracking,
    }
    if "shop_id" in record:
        shipment["shop_id"] = record["shop_id"]
    shop.shipments[shipment["id"]] = shipment
    if wanted.get("shipped"):
        return ship_shipment(shop, shipment, at)
    touch(record, (), at)
    keep(shop, record)
    return shipment


def shipment_in(shop: MiraklShop, shipment_id: str, *states: str) -> Record:
    """The shipment, which must be in one of `states`. Raises RuleError."""
    shipment = shop.shipments.get(shipment_id)
    if shipment is None:
        raise RuleError(404, "SHIPMENT_NOT_FOUND", f"Shipment with identifier '{shipment_id}' not found")
    if shipment["status"] not in states:
        text = f"Shipment '{shipment_id}' must be in state {' or '.join(states)}, current state: {shipment['status']}"
        raise RuleError(400, "SHIPMENT_INVALID_STATE", text)
    return shipment


def ship_shipment(shop: MiraklShop, shipment: Record, at: datetime) -> Record:
    """A checked ST24; with PAY_ON_SHIPMENT the operator's payment system is asked for its debit now."""
    record = order_of(shop, shipment["order_id"])
    sent = shipment | {"status": "SHIPPED", "shipped_date": stamp(at), "last_updated_date": stamp(at)}
    if sent["status_customer_debit"] == "NOT_STARTED":
        sent["status_customer_debit"] = "WAITING_DEBIT_CONFIRMATION"
    shop.shipments[sent["id"]] = sent
    send_shipped_lines(shop, record, at)
    return sent


def delete_shipment(shop: MiraklShop, shipment: Record, at: datetime) -> None:
    """A checked ST06: its units are to be shipped again."""
    del shop.shipments[shipment["id"]]
    record = order_of(shop, shipment["order_id"])
    touch(record, (), at)
    keep(shop, record)


def change_shipment(shop: MiraklShop, shipment: Record, changes: Record, at: datetime) -> Record:
    changed = shipment | changes | {"last_updated_date": stamp(at)}
    shop.shipments[changed["id"]] = changed
    return changed
