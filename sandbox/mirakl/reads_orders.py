"""Reads of orders: OR11."""

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from sandbox import jsonio
from sandbox.mirakl.calls import MINUTE, Call, Endpoint
from sandbox.mirakl.paging import is_descending, offset_page
from sandbox.mirakl_shop import UPDATE_MARGIN_MILLISECONDS, Order, express_taxes

ORDER_STATES = frozenset(
    {
        "STAGING",
        "WAITING_ACCEPTANCE",
        "WAITING_DEBIT",
        "WAITING_DEBIT_PAYMENT",
        "SHIPPING",
        "SHIPPED",
        "TO_COLLECT",
        "RECEIVED",
        "CLOSED",
        "REFUSED",
        "CANCELED",
        "WAITING_REFUND",
        "WAITING_REFUND_PAYMENT",
    }
)
WORKFLOWS = frozenset(
    {
        "PAY_ON_ACCEPTANCE",
        "PAY_ON_DELIVERY",
        "PAY_ON_DUE_DATE",
        "PAY_ON_SHIPMENT",
        "NO_CUSTOMER_PAYMENT_CONFIRMATION",
    }
)
TAX_MODES = frozenset({"TAX_INCLUDED", "TAX_EXCLUDED"})


async def _orders(call: Call) -> Response:
    call.one("sort", frozenset({"dateCreated"}))
    mode = call.one("order_tax_mode", TAX_MODES)
    tests, key = _order_tests(call)
    orders = call.shop.find_orders(key, tests, is_descending(call))

    def bodies(start: int, stop: int) -> list[bytes]:
        page = orders[start:stop]
        if mode is None or all(order.tax_mode == mode for order in page):
            return [order.body for order in page]
        return [jsonio.encode(express_taxes(order.record(), mode)) for order in page]

    return offset_page(call, "orders", len(orders), bodies)


def _order_tests(call: Call) -> tuple[list[Callable[[Order], bool]], tuple[Any, ...]]:
    ids = frozenset(call.many("order_ids", is_repeated=False))
    for_customer = frozenset(call.many("order_references_for_customer", is_repeated=False))
    for_seller = frozenset(call.many("order_references_for_seller", is_repeated=False))
    states = frozenset(call.many("order_state_codes", ORDER_STATES, is_repeated=False))
    channels = frozenset(call.many("channel_codes", is_repeated=False))
    centers = frozenset(call.many("fulfillment_center_code"))
    workflow = call.one("payment_workflow", WORKFLOWS)
    only_null_channel = call.flag("only_null_channel") or False
    is_debited, has_incident = call.flag("customer_debited"), call.flag("has_incident")
    created = call.time("start_date"), call.time("end_date")
    updated_from, updated_to = call.time("start_update_date"), call.time("end_update_date")
    if updated_from is not None:
        updated_from -= UPDATE_MARGIN_MILLISECONDS
    tests: list[Callable[[Order], bool]] = []
    if ids:
        tests.append(lambda order: order.order_id in ids)
    if for_customer:
        tests.append(lambda order: order.customer_reference in for_customer)
    if for_seller:
        tests.append(lambda order: order.seller_reference in for_seller)
    if states:
        tests.append(lambda order: order.state in states)
    if only_null_channel:
        tests.append(lambda order: order.channel is None)
    elif channels:
        tests.append(lambda order: order.channel in channels)
    if centers:
        tests.append(lambda order: order.center in centers)
    if workflow:
        tests.append(lambda order: order.workflow == workflow)
    if is_debited is not None:
        tests.append(lambda order: order.is_debited == is_debited)
    if has_incident is not None:
        tests.append(lambda order: order.has_incident == has_incident)
    low, high = created
    if low is not None:
        tests.append(lambda order: order.created >= low)
    if high is not None:
        tests.append(lambda order: order.created <= high)
    if updated_from is not None:
        tests.append(lambda order: order.updated >= updated_from)
    if updated_to is not None:
        tests.append(lambda order: order.updated <= updated_to)
    key = (ids, for_customer, for_seller, states, only_null_channel, channels, centers, workflow, is_debited)
    return tests, (*key, has_incident, created, updated_from, updated_to)


READS = (Endpoint("OR11", "GET", "/api/orders", _orders, limits=((1, MINUTE),), is_first_page_counted=True),)
