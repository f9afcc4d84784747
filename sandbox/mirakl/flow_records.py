"""Small things that every change of an order needs: amounts, ids, states of lines, sellers."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.clock import stamp
from sandbox.mirakl_shop import CLOSED_LINE_STATES, MiraklShop, RuleError

Record = dict[str, Any]
PENNY = Decimal("0.01")
NIL = Decimal("0.00")
PAY_ON_ACCEPTANCE = "PAY_ON_ACCEPTANCE"
SENT_STATES = frozenset({"SHIPPED", "TO_COLLECT", "RECEIVED", "CLOSED"})
_NAMESPACE = uuid.UUID("8d4f5be2-3d5c-4f0e-9a53-5b8a0f6f0c11")


def money(value: Any) -> Decimal:
    """An amount as an exact decimal with pence; absent is nil."""
    return Decimal(value if value is not None else 0).quantize(PENNY, ROUND_HALF_UP)


def total(parts: Iterable[Record], name: str = "amount") -> Decimal:
    return sum((money(part.get(name)) for part in parts), NIL)


def new_id(shop: MiraklShop, kind: str) -> str:
    """A UUID that the same writes at the same times produce again."""
    return str(uuid.uuid5(_NAMESPACE, f"{shop.shop_id}|{kind}|{shop.flow.number()}"))


def order_of(shop: MiraklShop, order_id: str) -> Record:
    """A copy of the order's record. Raises RuleError 404."""
    order = shop.orders.get(order_id)
    if order is None:
        raise RuleError(404, "ORDER_NOT_FOUND", f"Order with identifier '{order_id}' not found")
    return order.record()


def wrong_state(order_id: str, expected: str, actual: str) -> RuleError:
    text = f"Order with identifier '{order_id}' must be in state {expected}, current state: {actual}"
    return RuleError(400, "ORDER_INVALID_STATE", text)


def touch(record: Record, lines: Iterable[Record], at: datetime) -> None:
    record["last_updated_date"] = stamp(at)
    for line in lines:
        line["last_updated_date"] = stamp(at)


def live_lines(record: Record) -> list[Record]:
    """Lines that were neither refused nor cancelled."""
    return [line for line in record["order_lines"] if line["order_line_state"] not in CLOSED_LINE_STATES]


def workflow(record: Record) -> str:
    return str(record.get("payment_workflow") or PAY_ON_ACCEPTANCE)


def is_debited(record: Record) -> bool:
    return bool(record.get("customer_debited_date"))


def is_multi_shipment(shop: MiraklShop) -> bool:
    features = shop.platform.get("features") or {}
    return bool((features.get("shipment") or {}).get("multi_shipment"))


def cancelled_quantity(line: Record) -> int:
    return sum(part.get("quantity") or 0 for part in line.get("cancelations") or ())


def undelivered_quantity(line: Record) -> int:
    """Units that were cancelled, or refunded with `excluded_from_shipment`: they are not to be shipped."""
    excluded = sum(
        part.get("quantity") or 0 for part in line.get("refunds") or () if part.get("excluded_from_shipment")
    )
    return cancelled_quantity(line) + excluded


def set_totals(record: Record) -> None:
    """The head's sums. Refused and cancelled lines leave them and keep their own amounts."""
    lines = live_lines(record)
    for name in ("price", "shipping_price", "total_price", "total_commission"):
        record[name] = sum((Decimal(line[name]) for line in lines if line.get(name) is not None), NIL)


def set_permissions(shop: MiraklShop, record: Record, *, has_left: bool) -> None:
    """What the seller may do next: `can_cancel`, `can_shop_ship`, and `can_refund` of each line. `has_left`: some of
    the order was sent, so that it can no longer be cancelled as a whole, only what is still there."""
    state = record["order_state"]
    is_unpaid = not is_debited(record)
    is_unsent = state == "SHIPPING" and is_unpaid and not has_left
    record["can_cancel"] = state in ("WAITING_DEBIT", "WAITING_DEBIT_PAYMENT") or is_unsent
    record["can_shop_ship"] = state == "SHIPPING"
    for line in record["order_lines"]:
        is_sent = line["order_line_state"] in ("SHIPPED", "TO_COLLECT", "RECEIVED", "INCIDENT_OPEN")
        # Where an order may go out in parts, units can be paid back before they are sent (`excluded_from_shipment`).
        is_ahead = line["order_line_state"] == "SHIPPING" and is_multi_shipment(shop)
        line["can_refund"] = (is_sent or is_ahead) and not is_unpaid


def shop_id_of(shop: MiraklShop, record: Record) -> str:
    """The seller whose order it is, as text; a seller's own order body names none."""
    return str(record.get("shop_id") or shop.account.get("shop_id") or shop.shop_id)


def psp_of(seller: Record) -> str:
    """Who pays the seller out: the provider of its first balance."""
    balances = (seller.get("payment_details") or {}).get("sub_balances") or ()
    return next((str(one["pay_out_psp_code"]) for one in balances if one.get("pay_out_psp_code")), "NOT_SPECIFIED")


def seller_of(shop: MiraklShop, shop_id: str) -> Record:
    """The seller's account, in the shape of A01 and S20. A seller that is unknown has nothing but its id."""
    if str(shop.account.get("shop_id")) == shop_id:
        return shop.account
    found = next((one for one in shop.sellers if str(one.get("shop_id")) == shop_id), None)
    return found or {"shop_id": int(shop_id), "shop_name": f"Shop {shop_id}"}
