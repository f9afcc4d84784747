"""Reads of orders: the list (OR11) and the documents attached to orders (OR72)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from sandbox import jsonio
from sandbox.mirakl.calls import MINUTE, Call, Endpoint, admin_or, json_response
from sandbox.mirakl.paging import is_descending, offset_page
from sandbox.mirakl.values import BadParameter, Query
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
REFUND_STATES = frozenset({"WAITING_REFUND_TAX_CONFIRMATION", "WAITING_REFUND", "WAITING_REFUND_PAYMENT", "REFUNDED"})
LONGEST_REFUND_RANGE_MILLISECONDS = 31 * 86_400_000

Range = tuple[int | None, int | None]
Test = Callable[[Order], bool]


@dataclass(frozen=True)
class OrderFilter:
    """What OR11 and OR13 choose orders by. Times in milliseconds, inclusive; an empty list lets everything pass."""

    order_ids: frozenset[str] = frozenset()
    for_customer: frozenset[str] = frozenset()
    for_seller: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    only_null_channel: bool = False
    centers: frozenset[str] = frozenset()
    workflow: str | None = None
    is_debited: bool | None = None
    has_incident: bool | None = None
    created: Range = (None, None)
    updated: Range = (None, None)
    # An operator's filters.
    shop_ids: frozenset[str] = frozenset()
    commercial_ids: frozenset[str] = frozenset()
    customer_ids: frozenset[str] = frozenset()
    organization_ids: frozenset[str] = frozenset()
    offer_ids: frozenset[str] = frozenset()
    product_skus: frozenset[str] = frozenset()
    refund_states: frozenset[str] = frozenset()
    flags: tuple[tuple[str, bool], ...] = ()

    def tests(self) -> list[Test]:
        """One test per filter that is set, the cheap ones first."""
        choices: list[tuple[frozenset[str], Callable[[Order], str | None]]] = [
            (self.order_ids, lambda order: order.order_id),
            (self.shop_ids, lambda order: str(order.shop_id)),
            (self.for_customer, lambda order: order.customer_reference),
            (self.for_seller, lambda order: order.seller_reference),
            (self.states, lambda order: order.state),
            (self.centers, lambda order: order.center),
        ]
        tests = [_is_in(read, values) for values, read in choices if values]
        if self.only_null_channel:
            tests.append(lambda order: order.channel is None)
        elif self.channels:
            tests.append(lambda order: order.channel in self.channels)
        if self.workflow:
            tests.append(lambda order: order.workflow == self.workflow)
        if self.is_debited is not None:
            tests.append(lambda order: order.is_debited == self.is_debited)
        if self.has_incident is not None:
            tests.append(lambda order: order.has_incident == self.has_incident)
        tests += _in_range(lambda order: order.created, self.created)
        tests += _in_range(lambda order: order.updated, self.updated)
        if any((self.commercial_ids, self.customer_ids, self.organization_ids, self.flags)) or any(
            (self.offer_ids, self.product_skus, self.refund_states)
        ):
            tests.append(lambda order: self._passes_inside(order.record()))
        return tests

    def _passes_inside(self, record: dict[str, Any]) -> bool:
        customer = record.get("customer") or {}
        lines = record.get("order_lines") or ()
        refunds = [refund for line in lines for refund in line.get("refunds") or ()]
        choices: tuple[tuple[frozenset[str], set[Any]], ...] = (
            (self.commercial_ids, {record.get("commercial_id")}),
            (self.customer_ids, {customer.get("customer_id")}),
            (self.organization_ids, {(customer.get("organization") or {}).get("organization_id")}),
            (self.offer_ids, {str(line.get("offer_id")) for line in lines}),
            (self.product_skus, {line.get("product_sku") for line in lines}),
            (self.refund_states, {refund.get("refund_state") or refund.get("state") for refund in refunds}),
        )
        return all(not asked or asked & found for asked, found in choices) and all(
            bool(record.get(name)) == value for name, value in self.flags
        )


def _is_in(read: Callable[[Order], str | None], values: frozenset[str]) -> Test:
    return lambda order: read(order) in values


def _in_range(read: Callable[[Order], int], bounds: Range) -> list[Test]:
    low, high = bounds
    tests: list[Test] = []
    if low is not None:
        tests.append(lambda order: read(order) >= low)
    if high is not None:
        tests.append(lambda order: read(order) <= high)
    return tests


def moved_back(updated: Range) -> Range:
    """The platform starts an update range somewhat earlier than asked."""
    low, high = updated
    return (None if low is None else low - UPDATE_MARGIN_MILLISECONDS), high


def order_bodies(orders: list[Order], mode: str | None) -> list[bytes]:
    """The orders as they are sent, amounts expressed in the tax mode asked for."""
    if mode is None or all(order.tax_mode == mode for order in orders):
        return [order.body for order in orders]
    return [jsonio.encode(express_taxes(order.record(), mode)) for order in orders]


async def _orders(call: Call) -> Response:
    call.one("sort", frozenset({"dateCreated"}))
    mode = call.one("order_tax_mode", TAX_MODES)
    asked = _filter_of(call)
    orders = call.shop.find_orders(asked, asked.tests(), is_descending(call), asked.order_ids)
    return offset_page(call, "orders", len(orders), lambda start, stop: order_bodies(orders[start:stop], mode))


def _filter_of(call: Call) -> OrderFilter:
    query = call.query

    def listed(name: str, allowed: frozenset[str] | None = None) -> frozenset[str]:
        return frozenset(query.many(name, allowed, "COMMA"))

    updated = query.time("start_update_date"), query.time("end_update_date")
    return OrderFilter(
        order_ids=listed("order_ids"),
        for_customer=listed("order_references_for_customer"),
        for_seller=listed("order_references_for_seller"),
        states=listed("order_state_codes", ORDER_STATES),
        channels=listed("channel_codes"),
        only_null_channel=query.flag("only_null_channel") or False,
        centers=frozenset(query.many("fulfillment_center_code")),
        workflow=query.one("payment_workflow", WORKFLOWS),
        is_debited=query.flag("customer_debited"),
        has_incident=query.flag("has_incident"),
        created=(query.time("start_date"), query.time("end_date")),
        updated=moved_back(updated),
        **(_operator_filters(query, updated) if call.is_operator else {}),
    )


def _operator_filters(query: Query, updated: Range) -> dict[str, Any]:
    def listed(name: str, allowed: frozenset[str] | None = None) -> frozenset[str]:
        return frozenset(query.many(name, allowed, "COMMA"))

    refund_states = listed("refund_state_codes", REFUND_STATES)
    if refund_states:
        check_refund_range("refund_state_codes", updated)
    flags = {
        name: query.flag(name)
        for name in ("commissionable", "waiting_tax_confirmation", "waiting_funding_confirmation")
    }
    if query.flag("tax_recalculation_required_only"):
        flags["tax_recalculation_required"] = True
    return {
        "shop_ids": frozenset(query.whole_numbers("shop_ids", "COMMA")),
        "commercial_ids": listed("commercial_ids"),
        "customer_ids": listed("customer_ids"),
        "organization_ids": listed("customer_organization_ids"),
        "offer_ids": listed("offer_ids"),
        "product_skus": listed("product_skus"),
        "refund_states": refund_states,
        "flags": tuple((name, value) for name, value in flags.items() if value is not None),
    }


def check_refund_range(name: str, updated: Range) -> None:
    """A filter on refunds' states needs a range of updates of a month at most."""
    low, high = updated
    if low is None or high is None or high - low > LONGEST_REFUND_RANGE_MILLISECONDS:
        raise BadParameter(name, f"'{name}' needs an update date range of at most one month")


async def _documents(call: Call) -> Response:
    order_ids = frozenset(call.many("order_ids", form="COMMA"))
    if not order_ids:
        raise BadParameter("order_ids", "Required parameter 'order_ids' is not present")
    found = [record for record in call.shop.order_documents if record["order_id"] in order_ids]
    return json_response(jsonio.encode({"order_documents": found, "total_count": len(found)}))


READS = (
    Endpoint(
        "OR11",
        "GET",
        "/api/orders",
        _orders,
        admin_or("ORDER_READ"),
        limits=((1, MINUTE),),
        is_first_page_counted=True,
    ),
    Endpoint("OR72", "GET", "/api/orders/documents", _documents, admin_or("ORDER_DOCUMENT_READ")),
)
