"""Reads of shipments and returns on platforms that split orders: ST11, ST12, RT11, RT12."""

from collections.abc import Iterator
from typing import Any

from starlette.responses import Response

from sandbox.mirakl.calls import MINUTE, Call, Endpoint, admin_or
from sandbox.mirakl.records import Bound, Choice, each, member, only, record_page

SHIPMENT_STATES = frozenset(
    {
        "SHIPPING",
        "READY_FOR_PICK_UP",
        "SHIPMENT_PREPARED",
        "SHIPPED",
        "TO_COLLECT",
        "RECEIVED",
        "CANCELED",
        "CLOSED",
    }
)
DEBIT_STATES = frozenset(
    {
        "NO_DEBIT",
        "NOT_STARTED",
        "WAITING_TAX_CONFIRMATION",
        "WAITING_OPERATOR_SYSTEM_CONTACT",
        "WAITING_DEBIT_CONFIRMATION",
        "DEBIT_OK",
        "CANCELED",
    }
)
RETURN_STATES = frozenset(
    {"WAITING_ACCEPTANCE", "IN_PROGRESS", "REFUSED", "RECEIVED", "NO_RECEPTION", "CLOSED", "CANCELED"}
)
# Orders of these states still can be returned; RT12 says so of each of their lines.
RETURNABLE = frozenset({"SHIPPED", "TO_COLLECT", "RECEIVED"})

SHIPMENT_FILTERS = (
    Choice("order_id", only("order_id")),
    Choice("shipment_state_code", only("status"), SHIPMENT_STATES),
    Choice("shipment_customer_debit_state_code", only("status_customer_debit"), DEBIT_STATES),
    Bound("last_updated_from", member("last_updated_date"), "FROM"),
    Bound("last_updated_to", member("last_updated_date"), "TO"),
)
ITEM_FILTERS = (
    Choice("order_id", only("order_id")),
    Choice("fulfillment_center_code", only("fulfillment", "center", "code")),
    Bound("shipping_date_from", member("shipping_date"), "FROM"),
    Bound("shipping_date_to", member("shipping_date"), "TO"),
)
RETURN_FILTERS = (
    Choice("return_id", only("id")),
    Choice("return_state", only("state"), RETURN_STATES),
    Choice("order_commercial_id", only("order_commercial_id")),
    Choice("order_line_id", each("return_lines", "order_line_id")),
    Choice("return_rma", only("rma")),
    Choice("customer_id", only("customer_id")),
    Bound("return_creation_date_from", member("date_created"), "FROM"),
    Bound("return_creation_date_to", member("date_created"), "TO"),
    Bound("return_last_updated_from", member("last_updated"), "FROM"),
    Bound("return_last_updated_to", member("last_updated"), "TO"),
)
RETURNABLE_FILTERS = (
    Choice("order_commercial_id", only("order_commercial_id")),
    Choice("order_line_id", only("order_line_id")),
)


async def _shipments(call: Call) -> Response:
    sorts = {"dateCreated": member("created_date")}
    return record_page(call, call.shop.shipments.values(), SHIPMENT_FILTERS, sorts)


async def _items_to_ship(call: Call) -> Response:
    sorts = {"shippingDate": member("shipping_date")}
    return record_page(call, call.shop.items_to_ship, ITEM_FILTERS, sorts)


async def _returns(call: Call) -> Response:
    sorts = {"date_created": member("date_created")}
    return record_page(call, call.shop.returns.values(), RETURN_FILTERS, sorts)


async def _items_to_return(call: Call) -> Response:
    return record_page(call, _returnable_lines(call), RETURNABLE_FILTERS, {"order_line_id": lambda _: None})


def _returnable_lines(call: Call) -> Iterator[dict[str, Any]]:
    for order in call.shop.orders.values():
        if order.state not in RETURNABLE:
            continue
        record = order.record()
        for line in record["order_lines"]:
            taken = sum(
                part["quantity"]
                for returned in call.shop.returns.values()
                for part in returned.get("return_lines") or ()
                if part["order_line_id"] == line["order_line_id"]
            )
            yield {
                "order_commercial_id": record["commercial_id"],
                "order_line_id": line["order_line_id"],
                "returnable_quantity": max(0, line["quantity"] - taken),
                "return_window": None,
                "available_return_methods": None,
                "available_return_reasons": None,
            }


FIVE_MINUTES = ((1, 5 * MINUTE),)
READS = (
    Endpoint("ST11", "GET", "/api/shipments", _shipments, admin_or("ORDER_READ")),
    Endpoint(
        "ST12",
        "GET",
        "/api/shipments/items_to_ship",
        _items_to_ship,
        admin_or("ORDER_READ", "ORDER_SHIPMENT_READ"),
        FIVE_MINUTES,
        is_first_page_counted=True,
    ),
    Endpoint(
        "RT11",
        "GET",
        "/api/returns",
        _returns,
        admin_or("ORDER_RETURN_READ"),
        FIVE_MINUTES,
        is_first_page_counted=True,
    ),
    Endpoint("RT12", "GET", "/api/returns/items_to_return", _items_to_return, admin_or("ORDER_RETURN_READ")),
)
