"""Refunds (OR28) and cancelations (OR30) of order lines. Neither is idempotent: a repeated call makes another one."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from starlette.responses import Response

from sandbox import jsonio
from sandbox.mirakl import flow, flow_refunds
from sandbox.mirakl.account import MiraklAccount
from sandbox.mirakl.calls import SELLERS, Call, Endpoint, admin_or, json_response
from sandbox.mirakl.flow_records import (
    NIL,
    PENNY,
    Record,
    is_debited,
    is_multi_shipment,
    total,
    undelivered_quantity,
)
from sandbox.mirakl.flow_refunds import Kind
from sandbox.mirakl.flow_worklists import shipped_quantities
from sandbox.mirakl.values import BadParameter
from sandbox.mirakl.writes_bodies import Cancelation, CancelationBody, Refund, RefundBody, plain, read
from sandbox.mirakl.writes_orders import check_reason, subject, write
from sandbox.mirakl_shop import MiraklShop, RuleError

CANCELABLE = frozenset({"WAITING_DEBIT", "WAITING_DEBIT_PAYMENT", "SHIPPING"})
Part = Refund | Cancelation


async def _refund(call: Call) -> Response:
    body = read(await call.request.body(), RefundBody)
    mode = _check(call.shop, "refunds", body.refunds, body.order_tax_mode)
    wanted = plain(body)["refunds"]
    made = write(call, "OR28", parts=wanted, mode=mode)
    return _answer("refunds", made, mode)


async def _cancel(call: Call) -> Response:
    body = read(await call.request.body(), CancelationBody)
    mode = _check(call.shop, "cancelations", body.cancelations, body.order_tax_mode)
    made = write(call, "OR30", parts=plain(body)["cancelations"], mode=mode)
    return _answer("cancelations", made, mode)


def _answer(kind: Kind, made: list[Record], mode: str) -> Response:
    """What was created, in the order of the request, as the order expresses amounts."""
    shown = []
    for part in made:
        row = {
            "amount": part["amount"],
            "currency_iso_code": part["currency"],
            "fees": part["fees"],
            "order_line_id": part["order_line_id"],
            "quantity": part["quantity"],
            "reason_code": part["reason_code"],
            "shipping_amount": part["shipping_amount"],
            "shipping_taxes": part["shipping_taxes"],
            "taxes": part["taxes"],
        }
        if kind == "refunds":
            row |= {"refund_id": part["id"], "order_refund_id": part["order_refund_id"]}
            row["excluded_from_shipment"] = bool(part.get("excluded_from_shipment"))
        else:
            row["cancelation_id"] = part["id"]
        shown.append(row)
    return json_response(jsonio.encode({"order_tax_mode": mode, kind: shown}))


# --- rules


def _check(shop: MiraklShop, kind: Kind, parts: Sequence[Part], sent_mode: str | None) -> str:
    """The rules of the whole body; one bad part and nothing is created. Returns the mode the amounts are meant in."""
    copies: dict[str, Record] = {}
    asked: dict[str, tuple[Decimal, Decimal, int]] = {}
    taxes: dict[tuple[str, str, str], Decimal] = {}
    platform_mode = (shop.platform.get("features") or {}).get("order_tax_mode")
    mode = sent_mode or platform_mode or "TAX_INCLUDED"
    for number, part in enumerate(parts):
        place = f"{kind}[{number}]"
        record, line = flow_refunds.find_line(shop, part.order_line_id, copies)
        check_reason(shop, part.reason_code, "REFUND" if kind == "refunds" else "CANCELATION", f"{place}.reason_code")
        _check_currency(shop, record, part, place)
        _check_amounts(part, place)
        _check_taxes(record, line, part, mode, kind, place, taxes)
        if kind == "refunds":
            _check_refundable(record, line)
        goods, shipping = flow_refunds.express(plain(part), mode, record.get("order_tax_mode") or "TAX_INCLUDED")
        before = asked.get(part.order_line_id, (NIL, NIL, 0))
        now = before[0] + goods, before[1] + shipping, before[2] + part.quantity
        asked[part.order_line_id] = now
        left = flow_refunds.left(line)
        for name, wanted, rest in (("amount", now[0], left[0]), ("shipping_amount", now[1], left[1])):
            if wanted > rest:
                raise BadParameter(f"{place}.{name}", f"The amount {wanted} exceeds the remaining amount {rest}")
        if kind == "cancelations":
            _check_cancelable(shop, record, line, now[2], place)
    return mode


def _check_currency(shop: MiraklShop, record: Record, part: Part, place: str) -> None:
    currency, default = record["currency_iso_code"], shop.account.get("currency_iso_code")
    if part.currency_iso_code is None and default is not None and currency != default:
        raise BadParameter(f"{place}.currency_iso_code", "The currency is mandatory for this shop")
    if part.currency_iso_code not in (None, currency):
        raise BadParameter(f"{place}.currency_iso_code", f"The currency of the order is {currency}")


def _check_amounts(part: Part, place: str) -> None:
    named = [("amount", part.amount), ("shipping_amount", part.shipping_amount)]
    for name in ("fees", "taxes", "shipping_taxes"):
        listed = getattr(part, name) or []
        named += [(f"{name}[{number}].amount", one.amount) for number, one in enumerate(listed)]
    for name, amount in named:
        if not amount.is_finite() or amount < 0 or amount != amount.quantize(PENNY):
            text = f"'{amount}' is not an amount of the order's currency, which has 2 decimals"
            raise BadParameter(f"{place}.{name}", text)
    if part.amount == 0 and part.shipping_amount == 0 and not any(one.amount for one in part.fees or ()):
        raise BadParameter(f"{place}.amount", "Nothing is asked for: amount and shipping amount are 0")


def _check_taxes(
    record: Record,
    line: Record,
    part: Part,
    mode: str,
    kind: Kind,
    place: str,
    asked: dict[tuple[str, str, str], Decimal],
) -> None:
    """Taxes are required where the order has them, each by its code, and never more than the line has left.

    `asked` sums what the body has asked for so far, by (order line, price or shipping, code).
    """
    for name, base in (("taxes", part.amount), ("shipping_taxes", part.shipping_amount)):
        known = {tax["code"]: tax for tax in line.get(name) or () if tax.get("amount")}
        sent = getattr(part, name) or []
        if record.get("order_taxes") and kind == "cancelations" and mode == "TAX_EXCLUDED":
            if sent:
                raise BadParameter(f"{place}.{name}", "Taxes must not be sent for orders with order-level taxes")
            continue
        if known and base and not sent:
            raise BadParameter(f"{place}.{name}", f"The order has taxes: {', '.join(sorted(known))} must be given")
        earlier = [*(line.get("refunds") or ()), *(line.get("cancelations") or ())]
        for number, tax in enumerate(sent):
            if tax.code not in known:
                raise BadParameter(f"{place}.{name}[{number}].code", f"The order line has no tax '{tax.code}'")
            key = (part.order_line_id, name, tax.code)
            asked[key] = asked.get(key, NIL) + tax.amount
            taken = total(one for old in earlier for one in old.get(name) or () if one["code"] == tax.code)
            rest = Decimal(known[tax.code]["amount"]) - taken
            if asked[key] > rest:
                text = f"The tax {asked[key]} exceeds the remaining tax {rest}"
                raise BadParameter(f"{place}.{name}[{number}].amount", text)


def _check_refundable(record: Record, line: Record) -> None:
    if not line.get("can_refund"):
        text = f"Order line '{line['order_line_id']}' cannot be refunded, current state: {line['order_line_state']}"
        raise RuleError(400, "ORDER_LINE_INVALID_STATE", text)


def _check_cancelable(shop: MiraklShop, record: Record, line: Record, quantity: int, place: str) -> None:
    """Only what has not been paid or sent: afterwards the way back is a refund."""
    state = line["order_line_state"]
    if state not in CANCELABLE or is_debited(record):
        text = f"Order line '{line['order_line_id']}' can no longer be canceled, current state: {state}"
        raise RuleError(400, "ORDER_LINE_INVALID_STATE", text)
    rest = line["quantity"] - undelivered_quantity(line)
    if is_multi_shipment(shop):
        rest -= shipped_quantities(shop, record["order_id"], is_planned_counted=True).get(line["order_line_id"], 0)
    if not 0 < quantity <= rest:
        raise BadParameter(f"{place}.quantity", f"The quantity {quantity} is not between 1 and the remaining {rest}")


# --- carried out


def _make(kind: Kind) -> Any:
    def make(account: MiraklAccount, data: dict[str, Any], at: datetime, _is_replay: bool) -> list[Record]:
        shop = subject(account, data)
        made = flow_refunds.create(shop, kind, data["parts"], data["mode"], at)
        for order_id in {flow_refunds.find_line(shop, part["order_line_id"], {})[0]["order_id"] for part in made}:
            flow.watch(shop, account.settings, order_id, at)
        return made

    return make


WRITES = (
    Endpoint(
        "OR28",
        "PUT",
        "/api/orders/refund",
        _refund,
        roles=admin_or("ORDER_REFUND_REQUEST", "ORDER_REFUND"),
        sides=SELLERS,
    ),
    Endpoint("OR30", "PUT", "/api/orders/cancel", _cancel, roles=admin_or("ORDER_CANCEL"), sides=SELLERS),
)
APPLIERS = {"OR28": _make("refunds"), "OR30": _make("cancelations")}
