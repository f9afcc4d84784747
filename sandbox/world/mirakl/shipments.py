"""Parcels (ST11) and what is still to be sent (ST12), on platforms where an order may travel in several shipments."""

from collections.abc import Iterable
from typing import Any

from sandbox.world.mirakl.orders import FULFILMENT, shared_customer, tracking_of
from sandbox.world.model import Order, Shipment
from sandbox.world.stamps import DAY, iso


def shipment_records(orders: Iterable[Order], as_of: int) -> list[dict[str, Any]]:
    """Every parcel of the orders, oldest first."""
    found = [
        (shipment.created, _shipment(order, shipment, number, as_of))
        for order in orders
        for number, shipment in enumerate(order.shipments)
    ]
    found.sort(key=lambda each: each[0])
    return [record for _, record in found]


def _shipment(order: Order, shipment: Shipment, number: int, as_of: int) -> dict[str, Any]:
    code, label, tracking, url = tracking_of(order, number)
    if shipment.received is None:
        status = "SHIPPED"
    else:
        status = "CLOSED" if shipment.received + 14 * DAY <= as_of and not order.has_incident else "RECEIVED"
    is_by_parcel = order.workflow == "PAY_ON_SHIPMENT"
    sku_of = {line.id: line.item.code for line in order.lines}
    return {
        "created_date": iso(shipment.created),
        "id": shipment.id,
        "invoice_reference": None,
        "last_updated_date": iso(max(shipment.shipped, shipment.received or 0)),
        "order_id": order.id,
        "payment_details": {
            "customer_debited_date": iso(shipment.debited),
            "transaction_date": iso(shipment.debited),
            "transaction_number": f"TRX{shipment.id[:8]}",
        }
        if is_by_parcel and shipment.debited is not None
        else None,
        "shipment_lines": [
            {
                "offer_sku": sku_of[line_id],
                "order_line_id": line_id,
                "package_reference": f"{order.id}/{number + 1}",
                "quantity": quantity,
            }
            for line_id, quantity in shipment.quantities.items()
        ],
        "shipped_date": iso(shipment.shipped),
        "shipping_from": {
            "address": {
                "city": "Sampleton",
                "country_iso_code": "GBR",
                "street_1": "1 Imaginary Row",
                "zip_code": "ZZ1 1ZZ",
            },
            "warehouse": None,
        },
        "status": status,
        "status_customer_debit": ("DEBIT_OK" if shipment.debited is not None else "NOT_STARTED")
        if is_by_parcel
        else "NO_DEBIT",
        "tracking": {
            "carrier_code": code,
            "carrier_name": label,
            "carrier_standard_code": code,
            "milestones": [],
            "tracking_number": tracking if shipment.is_tracked else None,
            "tracking_url": url if shipment.is_tracked else None,
            "validity_status": "UNVERIFIED" if shipment.is_tracked else "MISSING_TRACKING",
        },
    }


def items_to_ship(orders: Iterable[Order]) -> list[dict[str, Any]]:
    """Orders that are to be sent and have not been, by the date they became so."""
    waiting = sorted(
        (order for order in orders if order.state == "SHIPPING"),
        key=lambda order: order.debited or order.accepted or order.created,
    )
    return [
        {
            "fulfillment": FULFILMENT,
            "order_id": order.id,
            "references": {"order_reference_for_customer": None, "order_reference_for_seller": None},
            "shipment_lines": [
                {
                    "offer_sku": line.item.code,
                    "order_line_id": line.id,
                    "package_reference": None,
                    "product_title": line.item.name,
                    "quantity": line.quantity - line.cancelled_quantity,
                }
                for line in order.live_lines
            ],
            "shipping_address": shared_customer(order.customer, True, order.ship_to)["shipping_address"],
            "shipping_date": iso(order.debited or order.accepted or order.created),
            "shipping_deadline": iso(order.deadline),
            "shipping_type_code": "STD",
        }
        for order in waiting
    ]
