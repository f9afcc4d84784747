"""Refunds (OR28) and cancelations (OR30) of order lines: what they may take, and what they give back of commission."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal

from sandbox.clock import stamp
from sandbox.mirakl import flow_money
from sandbox.mirakl.flow_orders import end_cancelled, keep, send_shipped_lines
from sandbox.mirakl.flow_records import (
    NIL,
    Record,
    cancelled_quantity,
    money,
    new_id,
    order_of,
    set_totals,
    total,
    touch,
)
from sandbox.mirakl.flow_worklists import shipped_quantities
from sandbox.mirakl_shop import MiraklShop, RuleError

Kind = Literal["refunds", "cancelations"]
WAITING_REFUND_PAYMENT = "WAITING_REFUND_PAYMENT"


def find_line(shop: MiraklShop, line_id: str, copies: dict[str, Record]) -> tuple[Record, Record]:
    """(order, line) of an order line's id, out of the caller's own copies. Raises RuleError 404.

    An order's id need not be a part of its lines' ids: the usual pattern is tried first, then every order is asked.
    """
    likely = line_id.rpartition("-")[0]
    candidates = [likely] if likely in shop.orders else []
    for order_id in candidates or shop.orders:
        if not candidates and line_id.encode() not in shop.orders[order_id].body:
            continue
        record = copies.get(order_id) or order_of(shop, order_id)
        for line in record["order_lines"]:
            if line["order_line_id"] == line_id:
                copies[order_id] = record
                return record, line
    raise RuleError(404, "ORDER_LINE_NOT_FOUND", f"Order line with identifier '{line_id}' not found")


def left(line: Record) -> tuple[Decimal, Decimal]:
    """(goods, shipping) of a line that were neither cancelled nor paid back."""
    taken = [*(line.get("cancelations") or ()), *(line.get("refunds") or ())]
    return money(line["price"]) - total(taken), money(line["shipping_price"]) - total(taken, "shipping_amount")


def express(part: Mapping[str, object], sent_mode: str, order_mode: str) -> tuple[Decimal, Decimal]:
    """(goods, shipping) as the order expresses amounts, from a body whose amounts are meant in `sent_mode`."""
    goods, shipping = money(part["amount"]), money(part["shipping_amount"])
    taxes, shipping_taxes = _listed(part, "taxes"), _listed(part, "shipping_taxes")
    if sent_mode == order_mode:
        return goods, shipping
    sign = 1 if order_mode == "TAX_INCLUDED" else -1
    return goods + sign * total(taxes), shipping + sign * total(shipping_taxes)


def _listed(part: Mapping[str, object], name: str) -> list[Record]:
    found = part.get(name)
    return list(found) if isinstance(found, list) else []


def create(shop: MiraklShop, kind: Kind, wanted: Iterable[Record], sent_mode: str | None, at: datetime) -> list[Record]:
    """Creates checked refunds or cancelations; those of one order made together share `order_refund_id`."""
    copies: dict[str, Record] = {}
    groups: dict[str, str] = {}
    made: dict[str, list[tuple[Record, Record]]] = {}
    answers = []
    for part in wanted:
        record, line = find_line(shop, part["order_line_id"], copies)
        order_id, mode = record["order_id"], record.get("order_tax_mode") or "TAX_INCLUDED"
        if order_id not in groups:
            groups[order_id] = new_id(shop, "group")
        goods, shipping = express(part, sent_mode or mode, mode)
        created = _part(shop, kind, line, part, goods, shipping, at)
        if kind == "refunds":
            created |= {
                "commission_tax_amount": total(created["commission_taxes"]),
                "order_refund_id": groups[order_id],
                "refund_state": WAITING_REFUND_PAYMENT,
                "state": WAITING_REFUND_PAYMENT,
                "transaction_date": None,
                "transaction_number": None,
            }
            if part.get("excluded_from_shipment"):
                created["excluded_from_shipment"] = True
        line[kind] = [*(line.get(kind) or ()), created]
        made.setdefault(order_id, []).append((line, created))
        answers.append(created | {"order_line_id": line["order_line_id"], "currency": record["currency_iso_code"]})
    for order_id, parts in made.items():
        record = copies[order_id]
        if kind == "refunds":
            _finish_refunds(shop, record, parts, at)
        else:
            _finish_cancelations(shop, record, parts, at)
    return answers


def _part(
    shop: MiraklShop, kind: Kind, line: Record, part: Record, goods: Decimal, shipping: Decimal, at: datetime
) -> Record:
    shop.flow.newest_refund_id += 1
    commission, taxes = _commission_back(line, kind, goods + shipping)
    commission_tax = total(taxes)
    return {
        "amount": goods,
        "commission_amount": commission,
        "commission_taxes": taxes,
        "commission_total_amount": commission + commission_tax,
        "created_date": stamp(at),
        "fees": _listed(part, "fees"),
        "id": str(shop.flow.newest_refund_id),
        "quantity": part.get("quantity") or 0,
        "reason_code": part["reason_code"],
        "shipping_amount": shipping,
        "shipping_taxes": _broken_down(line, "shipping_taxes", _listed(part, "shipping_taxes")),
        "taxes": _broken_down(line, "taxes", _listed(part, "taxes")),
    }


def _broken_down(line: Record, name: str, taxes: list[Record]) -> list[Record]:
    """Taxes of a refund with the parts that the line's own have: what the operator remits, it takes back itself."""
    whole = {tax.get("code"): tax for tax in line.get(name) or ()}
    found = []
    for tax in taxes:
        own = whole.get(tax.get("code")) or {}
        parts = (own.get("amount_breakdown") or {}).get("parts") or []
        if not parts or not money(own["amount"]):
            found.append(tax)
            continue
        rest = money(tax["amount"])
        shares = []
        for part in parts[1:]:
            share = money(money(tax["amount"]) * money(part["amount"]) / money(own["amount"]))
            shares.append(part | {"amount": share})
            rest -= share
        found.append(tax | {"amount_breakdown": {"parts": [parts[0] | {"amount": rest}, *shares]}})
    return found


def _commission_back(line: Record, kind: Kind, amount: Decimal) -> tuple[Decimal, list[Record]]:
    """Commission and its taxes in proportion; by the cumulative method, so that the last part gives all the rest."""
    earlier = [*(line.get("cancelations") or ()), *(line.get("refunds") or ())]
    whole = money(line["price"]) + money(line["shipping_price"])
    taken = sum((money(one["amount"]) + money(one["shipping_amount"]) for one in earlier), NIL) + amount

    def back(full: Decimal, given: Decimal) -> Decimal:
        return (money(full * taken / whole) if whole else NIL) - given

    commission = back(money(line.get("commission_fee")), total(earlier, "commission_amount"))
    taxes = []
    for tax in line.get("commission_taxes") or ():
        given = [one for part in earlier for one in part.get("commission_taxes") or () if one["code"] == tax["code"]]
        taxes.append({"amount": back(money(tax["amount"]), total(given)), "code": tax["code"]})
    return commission, taxes


def _finish_refunds(shop: MiraklShop, record: Record, parts: list[tuple[Record, Record]], at: datetime) -> None:
    is_received = record["order_state"] in ("RECEIVED", "CLOSED") and not record.get("has_incident")
    shop.flow.open_refunds |= {part["id"]: record["order_id"] for _, part in parts}
    flow_money.refund(shop, record, parts, at, "PAYABLE" if is_received else "PENDING")
    lines = [line for line, _ in parts]
    for line in lines:
        if left(line) == (NIL, NIL) and line["order_line_state"] != "INCIDENT_OPEN":
            line["order_line_state"] = "REFUNDED"
    counted = [line for line in record["order_lines"] if line["order_line_state"] not in ("REFUSED", "CANCELED")]
    record["fully_refunded"] = bool(counted) and all(left(line) == (NIL, NIL) for line in counted)
    touch(record, lines, at)
    keep(shop, record)


def _finish_cancelations(shop: MiraklShop, record: Record, parts: list[tuple[Record, Record]], at: datetime) -> None:
    gone = [line for line, _ in parts if cancelled_quantity(line) >= line["quantity"]]
    reason = parts[-1][1]["reason_code"]
    touch(record, [line for line, _ in parts], at)
    end_cancelled(record, gone, reason, at)
    set_totals(record)
    keep(shop, record)
    if record["order_state"] == "SHIPPING" and any(shipped_quantities(shop, record["order_id"]).values()):
        # What was still to come has been cancelled: the order may have gone out by that.
        send_shipped_lines(shop, record, at)


def cancel_order(shop: MiraklShop, record: Record, reason: str, at: datetime) -> None:
    """A checked OR29: every line of the order is cancelled with all that is left of it."""
    lines = [line for line in record["order_lines"] if line["order_line_state"] not in ("REFUSED", "CANCELED")]
    for line in lines:
        goods, shipping = left(line)
        part = {
            "quantity": line["quantity"] - cancelled_quantity(line),
            "reason_code": reason,
            "taxes": _rest_of_taxes(line, "taxes"),
            "shipping_taxes": _rest_of_taxes(line, "shipping_taxes"),
        }
        line["cancelations"] = [
            *(line.get("cancelations") or ()),
            _part(shop, "cancelations", line, part, goods, shipping, at),
        ]
    end_cancelled(record, lines, reason, at)
    keep(shop, record)


def _rest_of_taxes(line: Record, name: str) -> list[Record]:
    rest = []
    for tax in line.get(name) or ():
        taken = [one for part in line.get("cancelations") or () for one in part.get(name) or ()]
        given = total(one for one in taken if one.get("code") == tax.get("code"))
        rest.append({"amount": money(tax.get("amount")) - given, "code": tax.get("code")})
    return rest


def find_refund(shop: MiraklShop, refund_id: str) -> tuple[Record, Record, Record]:
    """(order, line, refund) that waits for its payment. Raises RuleError."""
    order_id = shop.flow.open_refunds.get(refund_id)
    if order_id is not None:
        record = order_of(shop, order_id)
        for line in record["order_lines"]:
            for part in line.get("refunds") or ():
                if part["id"] == refund_id and part["refund_state"] == WAITING_REFUND_PAYMENT:
                    return record, line, part
    text = f"The refund with identifier '{refund_id}' must be in state {WAITING_REFUND_PAYMENT}"
    raise RuleError(400, "REFUND_INVALID_STATE", text)


def pay_refund(shop: MiraklShop, refund_id: str, number: str, at: datetime, paid: str | None = None) -> None:
    """A checked PA02 with payment_status OK."""
    record, line, part = find_refund(shop, refund_id)
    del shop.flow.open_refunds[refund_id]
    part["refund_state"] = part["state"] = "REFUNDED"
    part["transaction_date"], part["transaction_number"] = paid or stamp(at), number
    touch(record, [line], at)
    keep(shop, record)
