"""Orders as a write looks at them before and after (OR11 by `order_ids`).

Amounts are exact decimals in the order's currency, in the tax mode that was asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from connectors.decoding import Envelope, raw_records, split_records
from connectors.http import Answer
from connectors.mirakl.decode import VENDOR
from connectors.mirakl.writes.calls import ORDERS, ORDERS_PATH
from connectors.mirakl.writes.sending import Desk

UNDECIDED = frozenset({"STAGING", "WAITING_ACCEPTANCE"})
BEFORE_SHIPPING = UNDECIDED | {"WAITING_DEBIT", "WAITING_DEBIT_PAYMENT"}
SENT = frozenset({"SHIPPED", "TO_COLLECT", "RECEIVED", "CLOSED"})
ENDED_UNSENT = frozenset({"REFUSED", "CANCELED"})
MAXIMUM_IDS = 100
"""OR11 takes at most this many order ids."""


class Tax(msgspec.Struct, frozen=True):
    code: str
    amount: Decimal = Decimal(0)


class Adjustment(msgspec.Struct, frozen=True):
    """A refund or a cancelation of a line, as the marketplace holds it."""

    id: str | int
    amount: Decimal = Decimal(0)
    shipping_amount: Decimal = Decimal(0)
    quantity: int | None = None
    reason_code: str | int | None = None
    created_date: str | None = None


class Line(msgspec.Struct, frozen=True):
    order_line_id: str
    order_line_state: str = ""
    quantity: int | None = None
    price: Decimal | None = None
    shipping_price: Decimal | None = None
    can_refund: bool | None = None
    taxes: list[Tax] | None = None
    shipping_taxes: list[Tax] | None = None
    refunds: list[Adjustment] | None = None
    cancelations: list[Adjustment] | None = None


class Order(msgspec.Struct, frozen=True):
    order_id: str
    order_state: str = ""
    currency_iso_code: str | None = None
    can_cancel: bool | None = None
    shipping_carrier_code: str | None = None
    shipping_company: str | None = None
    shipping_tracking: str | None = None
    shipping_tracking_url: str | None = None
    order_taxes: list[msgspec.Raw] | None = None
    order_lines: list[Line] = []

    def line(self, order_line_id: str) -> Line | None:
        return next((line for line in self.order_lines if line.order_line_id == order_line_id), None)


def read_orders(desk: Desk, order_ids: Iterable[str], *, order_tax_mode: str | None = None) -> dict[str, Order]:
    """The orders by id, 100 a call. One that the shop does not show, or that cannot be read, is absent: nothing is
    proved by it, and nothing is written to it.
    """
    wanted = sorted(set(order_ids) - {""})
    orders: dict[str, Order] = {}
    for start in range(0, len(wanted), MAXIMUM_IDS):
        parameters = {
            "max": str(MAXIMUM_IDS),
            "order_ids": ",".join(wanted[start : start + MAXIMUM_IDS]),
            "order_tax_mode": order_tax_mode or desk.connector.order_tax_mode,
        }
        for order in desk.read(ORDERS, ORDERS_PATH, parameters, _parse):
            orders[order.order_id] = order
    return orders


def _parse(answer: Answer) -> list[Order]:
    whole, _ = split_records(answer.body, Envelope("orders"), vendor=VENDOR, call=ORDERS.name)
    orders = []
    for raw in raw_records(whole, vendor=VENDOR, call=ORDERS.name):
        try:
            orders.append(msgspec.json.decode(raw, type=Order))
        except (msgspec.DecodeError, ValueError):
            continue
    return orders
