"""The seller's balance: transaction lines of sales, refunds and pay-outs, and when they become payable.

Signs are the seller's: a sale is positive, commission negative. `balance` is the running balance of the seller after
the line, so lines are appended in the order of their creation and every batch has a creation time of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox import jsonio
from sandbox.clock import milliseconds, stamp
from sandbox.mirakl.flow_records import (
    NIL,
    Record,
    cancelled_quantity,
    money,
    new_id,
    psp_of,
    seller_of,
    shop_id_of,
    total,
)
from sandbox.mirakl_shop import MiraklShop


@dataclass
class Entry:
    """A transaction line before it is booked."""

    type: str
    amount: Decimal
    state: str
    entities: Record = field(default_factory=dict)
    extra: Record = field(default_factory=dict)


def book(shop: MiraklShop, shop_id: str, currency: str, entries: list[Entry], at: datetime) -> datetime:
    """Appends one batch of lines and returns its creation time, the first after the seller's newest line."""
    if not entries:
        return at
    balance, newest = balance_of(shop, shop_id, currency)
    created = max(at, from_milliseconds(newest + 1))
    text = stamp(created)
    seller = seller_of(shop, shop_id)
    owner = {
        "domains": seller.get("domains") or ["PRODUCT"],
        "id": int(shop_id),
        "model": seller.get("model") or "MARKETPLACE",
        "operator_internal_id": seller.get("operator_internal_id"),
    }
    records = []
    for entry in entries:
        balance += entry.amount
        pending = entry.amount if entry.state == "PENDING" else NIL
        paid = -entry.amount if entry.type == "PAYMENT" else NIL
        show_balances(shop, shop_id, paid, entry.amount - pending, pending)
        records.append(
            {
                "amount": entry.amount,
                "amount_credited": max(entry.amount, NIL),
                "amount_debited": max(-entry.amount, NIL),
                "balance": balance,
                "currency_iso_code": currency,
                "date_created": text,
                "entities": entry.entities,
                "id": new_id(shop, "line"),
                "last_updated": text,
                "pay_out_psp_code": psp_of(seller),
                "payment_state": entry.state,
                "psp_balance": balance,
                "shop": owner,
                "type": entry.type,
                **entry.extra,
            }
        )
    shop.add_lines(records)
    shop.flow.balances[shop_id, currency] = (balance, milliseconds(text))
    return created


def show_balances(shop: MiraklShop, shop_id: str, paid: Decimal, payable: Decimal, pending: Decimal) -> None:
    """Moves the balances that the seller's account shows (A01, S20) by these amounts."""
    changes = {"paid": paid, "payable": payable, "pending": pending}
    seller = seller_of(shop, shop_id)
    details = dict(seller.get("payment_details") or {})
    if not details or not any(changes.values()):
        return
    details |= {f"{name}_balance": money(details.get(f"{name}_balance")) + by for name, by in changes.items()}
    if details.get("sub_balances"):
        # One provider pays everything out here.
        first, *others = details["sub_balances"]
        moved = {name: money(first.get(name)) + by for name, by in changes.items()}
        details["sub_balances"] = [first | moved, *others]
    changed = seller | {"payment_details": details}
    if seller is shop.account:
        shop.account = changed
    else:
        shop.sellers = [changed if one is seller else one for one in shop.sellers]


def balance_of(shop: MiraklShop, shop_id: str, currency: str) -> tuple[Decimal, int]:
    """The seller's running balance and when its newest line was created (milliseconds)."""
    known = shop.flow.balances.get((shop_id, currency))
    if known is not None:
        return known
    created = shop.line_index.column("dateCreated")
    newest = NIL, 0
    for position in sorted(range(len(shop.lines)), key=lambda n: (created[n], n), reverse=True):
        if shop.lines[position].shop_id == shop_id and shop.is_current(position):
            record = jsonio.decode(shop.lines[position].body)
            if record["currency_iso_code"] == currency:
                newest = Decimal(record["balance"]), created[position]
                break
    shop.flow.balances[shop_id, currency] = newest
    return newest


def from_milliseconds(instant: int) -> datetime:
    return datetime.fromisoformat("1970-01-01T00:00:00+00:00") + timedelta(milliseconds=instant)


def lines_of_order(shop: MiraklShop, order_id: str) -> list[tuple[int, Record]]:
    """The order's transaction lines, as they are now, with their positions."""
    positions = shop.lines_by_order.get(order_id, ())
    return [(n, jsonio.decode(shop.lines[n].body)) for n in positions if shop.is_current(n)]


def sell(
    shop: MiraklShop,
    record: Record,
    debited: dict[str, int],
    at: datetime,
    state: str,
    shipment_id: str | None = None,
) -> None:
    """Books what the sale of order lines lacks: `debited` are the units of each that are debited by now.

    Parts of a line add up to the line exactly, because each is the difference to what was booked before.
    """
    booked = _booked(shop, record["order_id"])
    entries: list[Entry] = []
    for line in record["order_lines"]:
        line_id = line["order_line_id"]
        if not debited.get(line_id):
            continue
        units = max(1, int(line["quantity"]) - cancelled_quantity(line))
        until = min(units, debited[line_id])
        for (type_, code), amount in _due(line, record.get("order_tax_mode")).items():
            part = money(amount * until / units) - booked.get((line_id, type_, code), NIL)
            # Zero-amount lines are written like any other, as the platform does (free shipping).
            entities = _entities(record, type_, code, line)
            if shipment_id is not None:
                entities["shipment"] = {"id": shipment_id}
            entries.append(Entry(type_, part, state, entities))
    book(shop, shop_id_of(shop, record), record["currency_iso_code"], entries, at)


def _booked(shop: MiraklShop, order_id: str) -> dict[tuple[str, str, str], Decimal]:
    found: dict[tuple[str, str, str], Decimal] = {}
    for _, line in lines_of_order(shop, order_id):
        entities = line["entities"]
        code = (entities.get("order_tax") or entities.get("order_fee") or entities.get("shop_tax") or {}).get("code")
        line_id = (entities.get("order_line") or {}).get("id")
        if line_id and line["type"] not in _CODED:
            code = ""
        if line_id and not line["type"].startswith("REFUND_") and "_REFUND_" not in line["type"]:
            key = (line_id, line["type"], code or "")
            found[key] = found.get(key, NIL) + Decimal(line["amount"])
    return found


_CODED = frozenset(
    {
        "ORDER_AMOUNT_TAX",
        "ORDER_SHIPPING_AMOUNT_TAX",
        "ORDER_FEE_AMOUNT",
        "COMMISSION_VAT",
        "OPERATOR_REMITTED_ORDER_AMOUNT_TAX",
        "OPERATOR_REMITTED_ORDER_SHIPPING_AMOUNT_TAX",
    }
)


def _due(line: Record, mode: str | None) -> dict[tuple[str, str], Decimal]:
    """What a whole line books, by (type, code of the tax or fee), after what was cancelled."""
    minus = line.get("cancelations") or []
    due = _components(line, "price", "shipping_price", "commission_fee", mode)
    for part in minus:
        for key, amount in _components(part, "amount", "shipping_amount", "commission_amount", mode).items():
            due[key] = due.get(key, NIL) - amount
    return due


def _components(part: Record, goods: str, shipping: str, commission: str, mode: str | None) -> dict[Any, Decimal]:
    """A line, cancelation or refund in the types of its transaction lines, positive = to the seller's credit.

    In the mode TAX_INCLUDED the amounts hold their taxes, which are lines of their own here.
    """
    taxes, shipping_taxes = part.get("taxes") or [], part.get("shipping_taxes") or []
    is_inside = mode != "TAX_EXCLUDED"
    found: dict[Any, Decimal] = {
        ("ORDER_AMOUNT", ""): money(part.get(goods)) - (total(taxes) if is_inside else NIL),
        ("ORDER_SHIPPING_AMOUNT", ""): money(part.get(shipping)) - (total(shipping_taxes) if is_inside else NIL),
    }
    for name, kind in (("ORDER_AMOUNT_TAX", taxes), ("ORDER_SHIPPING_AMOUNT_TAX", shipping_taxes)):
        for tax in kind:
            code = str(tax.get("code") or "")
            found[name, code] = found.get((name, code), NIL) + money(tax.get("amount"))
            remitted = _not_payable(tax)
            if remitted:
                found[f"OPERATOR_REMITTED_{name}", code] = -remitted
    for fee in part.get("fees") or ():
        code = str(fee.get("code") or "")
        found["ORDER_FEE_AMOUNT", code] = found.get(("ORDER_FEE_AMOUNT", code), NIL) + money(fee.get("amount"))
    found["COMMISSION_FEE", ""] = -money(part.get(commission))
    for tax in part.get("commission_taxes") or ():
        code = str(tax.get("code") or "")
        found["COMMISSION_VAT", code] = found.get(("COMMISSION_VAT", code), NIL) - money(tax.get("amount"))
    return found


def _not_payable(tax: Record) -> Decimal:
    """The share of a tax that the operator remits: parts of its breakdown that are not payable to the shop."""
    parts = (tax.get("amount_breakdown") or {}).get("parts") or ()
    return total(part for part in parts if part.get("payable_to_shop") is False)


def _entities(record: Record, type_: str, code: str, line: Record, refund_id: str | None = None) -> Record:
    references = record.get("references") or {}
    entities: Record = {
        "domain": "PRODUCT",
        "order": {
            "commercial_id": record["commercial_id"],
            "creation_date": record["created_date"],
            "id": record["order_id"],
            "payment_info": {"payment_type": record.get("payment_type")},
            "references": {
                name: references.get(name) for name in ("order_reference_for_customer", "order_reference_for_seller")
            },
        },
        "order_line": {"id": line["order_line_id"]},
    }
    if refund_id is not None:
        entities["refund"] = {"id": refund_id}
    if type_.endswith("_VAT"):
        rate = next((tax.get("rate") for tax in line.get("commission_taxes") or () if tax.get("code") == code), None)
        entities["shop_tax"] = {"code": code, **({} if rate is None else {"rate": rate})}
    elif type_.endswith("_TAX"):
        taxes = [*(line.get("taxes") or ()), *(line.get("shipping_taxes") or ())]
        rate = next((tax.get("rate") for tax in taxes if tax.get("code") == code), None)
        entities["order_tax"] = {"code": code, **({} if rate is None else {"rate": rate})}
    elif type_.endswith("FEE_AMOUNT"):
        entities["order_fee"] = {"code": code}
    return entities


def refund(shop: MiraklShop, record: Record, parts: Iterable[tuple[Record, Record]], at: datetime, state: str) -> None:
    """Books refunds made together, (order line, refund) each: what the sale gave is taken back, commission returned."""
    mode = record.get("order_tax_mode")
    entries = [
        Entry(_refund_type(type_), -amount, state, _entities(record, type_, code, line, part["id"]))
        for line, part in parts
        for (type_, code), amount in _components(part, "amount", "shipping_amount", "commission_amount", mode).items()
    ]
    book(shop, shop_id_of(shop, record), record["currency_iso_code"], entries, at)


def _refund_type(type_: str) -> str:
    head, remitted, rest = type_.rpartition("OPERATOR_REMITTED_")
    return f"{head}{remitted}REFUND_{rest}"


def set_payable(shop: MiraklShop, record: Record, is_payable: bool, at: datetime, line_ids: set[str]) -> None:
    """Moves the order lines' transaction lines from PENDING to PAYABLE, or back where an incident was opened.

    A line that is about the whole order (`order_line` missing) becomes payable with the first of its order lines.
    """
    before, after = ("PENDING", "PAYABLE") if is_payable else ("PAYABLE", "PENDING")
    for position, line in lines_of_order(shop, record["order_id"]):
        line_id = (line["entities"].get("order_line") or {}).get("id")
        is_meant = line_id in line_ids or (line_id is None and is_payable)
        if line["payment_state"] == before and is_meant and "seller_billing_cycle_id" not in line:
            line["payment_state"], line["last_updated"] = after, stamp(at)
            shop.change_line(position, line)
            amount = Decimal(line["amount"]) if is_payable else -Decimal(line["amount"])
            show_balances(shop, shop_id_of(shop, record), NIL, amount, -amount)
