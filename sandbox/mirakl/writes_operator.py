"""Writes of the operator: orders screened (OR02) and received (OR25), incidents (OR62, OR63), payments (PA01, PA02) and
pay-outs (SBC07).

They are not in the public specification as calls. The bodies are its published schemas; PA01, PA02 and SBC07 have the
paths that operators' connectors call, the four others follow OR64's, which is our own reading. With
`is_operator_automatic` off they are the only way that payments are confirmed.
"""

from datetime import datetime
from typing import Any

from starlette.responses import Response

from sandbox.clock import milliseconds, stamp
from sandbox.mirakl import flow, flow_cycles, flow_orders, flow_refunds
from sandbox.mirakl.account import MiraklAccount
from sandbox.mirakl.calls import OPERATORS, Call, Endpoint
from sandbox.mirakl.flow_records import Record, is_debited, live_lines, money, order_of, touch, wrong_state
from sandbox.mirakl.flow_worklists import refund_amount
from sandbox.mirakl.values import BadParameter
from sandbox.mirakl.writes_bodies import (
    CyclePaymentBody,
    Debit,
    DebitBody,
    OptionalReasonBody,
    ReasonBody,
    RefundPaymentBody,
    plain,
    read,
)
from sandbox.mirakl.writes_orders import check_reason, line_of, subject, write
from sandbox.mirakl_shop import MiraklShop, RuleError

DONE = 204
INCIDENT_STATES = frozenset({"SHIPPED", "TO_COLLECT", "RECEIVED"})


def _path_order(call: Call) -> Record:
    return order_of(call.shop, call.request.path_params["order_id"])


def _check_time(text: str | None, place: str) -> None:
    if text is not None:
        try:
            milliseconds(text)
        except ValueError:
            raise BadParameter(place, f"'{text}' is not a valid date-time") from None


# --- orders


async def _validate(call: Call) -> Response:
    record = _path_order(call)
    if record["order_state"] != "STAGING":
        raise wrong_state(record["order_id"], "STAGING", record["order_state"])
    write(call, "OR02", order_id=record["order_id"])
    return Response(status_code=DONE)


def _validated(account: MiraklAccount, data: dict[str, Any], at: datetime, _is_replay: bool) -> None:
    shop = subject(account, data)
    record = order_of(shop, data["order_id"])
    for line in live_lines(record):
        line["order_line_state"] = "WAITING_ACCEPTANCE"
    record["order_state"] = "WAITING_ACCEPTANCE"
    touch(record, live_lines(record), at)
    flow_orders.keep(shop, record)
    acceptance = ((shop.platform.get("features") or {}).get("order_workflows") or {}).get("order_acceptance")
    if acceptance == "AUTOMATIC":
        flow_orders.decide_all(shop, record, True, at)
    flow.watch(shop, account.settings, data["order_id"], at)


async def _receive(call: Call) -> Response:
    record = _path_order(call)
    if record["order_state"] not in ("SHIPPED", "TO_COLLECT"):
        raise wrong_state(record["order_id"], "SHIPPED", record["order_state"])
    write(call, "OR25", order_id=record["order_id"])
    return Response(status_code=DONE)


def _received(account: MiraklAccount, data: dict[str, Any], at: datetime, _is_replay: bool) -> None:
    shop = subject(account, data)
    flow_orders.receive(shop, order_of(shop, data["order_id"]), at)
    flow.watch(shop, account.settings, data["order_id"], at)


async def _open_incident(call: Call) -> Response:
    body = read(await call.request.body(), ReasonBody)
    record = _path_order(call)
    line = line_of(record, call.request.path_params["line"])
    if line["order_line_state"] not in INCIDENT_STATES:
        text = f"No incident can be opened on order line '{line['order_line_id']}', state: {line['order_line_state']}"
        raise RuleError(400, "ORDER_LINE_INVALID_STATE", text)
    check_reason(call.shop, body.reason_code, "INCIDENT_OPEN", "reason_code", is_by_seller=False)
    write(call, "OR62", order_id=record["order_id"], line=line["order_line_id"], reason=body.reason_code)
    return Response(status_code=DONE)


def _incident_opened(account: MiraklAccount, data: dict[str, Any], at: datetime, _is_replay: bool) -> None:
    shop = subject(account, data)
    record = order_of(shop, data["order_id"])
    flow_orders.open_incident(shop, record, line_of(record, data["line"]), data["reason"], at)


async def _close_incident(call: Call) -> Response:
    body = read(await call.request.body(), OptionalReasonBody)
    record = _path_order(call)
    line = line_of(record, call.request.path_params["line"])
    line_id = line["order_line_id"]
    if line["order_line_state"] != "INCIDENT_OPEN":
        raise RuleError(400, "ORDER_LINE_INVALID_STATE", f"Order line '{line_id}' has no open incident")
    if body.reason_code is None and line_id not in call.shop.flow.resolved_incidents:
        raise BadParameter("reason_code", "A reason is mandatory: the shop has not marked the incident as resolved")
    if body.reason_code is not None:
        check_reason(call.shop, body.reason_code, "INCIDENT_CLOSE", "reason_code", is_by_seller=False)
    write(call, "OR63", order_id=record["order_id"], line=line_id, reason=body.reason_code)
    return Response(status_code=DONE)


def _incident_closed(account: MiraklAccount, data: dict[str, Any], at: datetime, _is_replay: bool) -> None:
    shop = subject(account, data)
    record = order_of(shop, data["order_id"])
    flow_orders.close_incident(shop, record, line_of(record, data["line"]), data["reason"], at)


# --- debits


async def _confirm_debits(call: Call) -> Response:
    body = read(await call.request.body(), DebitBody)
    for number, debit in enumerate(body.orders):
        _check_debit(call.shop, debit, f"orders[{number}]")
    write(call, "PA01", orders=plain(body)["orders"])
    return Response(status_code=DONE)


def _check_debit(shop: MiraklShop, debit: Debit, place: str) -> None:
    record = order_of(shop, debit.order_id)
    entity_id = debit.debit_entity.id if debit.debit_entity else debit.order_id
    rows = [row for row in shop.payment_debits if row["order_id"] == debit.order_id]
    waiting = [row for row in rows if row["debit_entity"]["id"] == entity_id]
    if not waiting:
        if debit.debit_entity and debit.debit_entity.type == "SHIPMENT":
            text = f"Shipment with identifier '{entity_id}' must be in state WAITING_DEBIT_CONFIRMATION"
            raise RuleError(400, "SHIPMENT_INVALID_STATE", text)
        state = f"{record['order_state']}, already debited" if is_debited(record) else record["order_state"]
        raise wrong_state(debit.order_id, "WAITING_DEBIT_PAYMENT", state)
    if str(waiting[0]["customer_id"]) != debit.customer_id:
        raise BadParameter(f"{place}.customer_id", f"The order is not of customer '{debit.customer_id}'")
    _check_time(debit.transaction_date, f"{place}.transaction_date")
    if debit.payment_status == "OK":
        if debit.amount is None:
            raise BadParameter(f"{place}.amount", "The amount is mandatory when the payment status is OK")
        if debit.amount != money(waiting[0]["amount"]):
            raise BadParameter(f"{place}.amount", f"The amount to debit is {waiting[0]['amount']}, not {debit.amount}")


def _debits_confirmed(account: MiraklAccount, data: dict[str, Any], at: datetime, _is_replay: bool) -> None:
    shop = subject(account, data)
    for debit in data["orders"]:
        entity = debit.get("debit_entity") or {}
        number = debit.get("transaction_number") or f"TRX{shop.flow.number():08d}"
        if debit["payment_status"] != "OK":
            flow_orders.refuse_debit(shop, order_of(shop, debit["order_id"]), at)
        elif entity.get("type") == "SHIPMENT":
            shipment = shop.shipments[entity["id"]]
            flow_orders.debit_shipment(shop, shipment, number, at, debit.get("transaction_date"))
        else:
            record = order_of(shop, debit["order_id"])
            flow_orders.debit(shop, record, number, at, debit.get("transaction_date"))
        flow.watch(shop, account.settings, debit["order_id"], at)


# --- refunds


async def _confirm_refunds(call: Call) -> Response:
    body = read(await call.request.body(), RefundPaymentBody)
    for number, payment in enumerate(body.refunds):
        record, _, part = flow_refunds.find_refund(call.shop, payment.refund_id)
        _check_time(payment.transaction_date, f"refunds[{number}].transaction_date")
        due = refund_amount(part, record.get("order_tax_mode"))
        if payment.payment_status == "OK" and payment.amount != due:
            raise BadParameter(f"refunds[{number}].amount", f"The amount to refund is {due}, not {payment.amount}")
    write(call, "PA02", refunds=plain(body)["refunds"])
    return Response(status_code=DONE)


def _refunds_confirmed(account: MiraklAccount, data: dict[str, Any], at: datetime, _is_replay: bool) -> None:
    shop = subject(account, data)
    for payment in data["refunds"]:
        # A refused payment leaves the refund waiting: the operator's system tries again.
        if payment["payment_status"] == "OK":
            number = payment.get("transaction_number") or f"RTX{payment['refund_id']}"
            flow_refunds.pay_refund(shop, payment["refund_id"], number, at, payment.get("transaction_date"))


# --- pay-outs


async def _confirm_pay_outs(call: Call) -> Response:
    body = read(await call.request.body(), CyclePaymentBody)
    for number, payment in enumerate(body.seller_billing_cycles):
        place = f"seller_billing_cycles[{number}]"
        cycle = flow_cycles.cycle_of(call.shop, payment.id)
        if cycle is None:
            text = f"Seller billing cycle with identifier '{payment.id}' not found"
            raise RuleError(404, "SELLER_BILLING_CYCLE_NOT_FOUND", text)
        if cycle["pay_out"]["state"] != "TO_PAY":
            text = f"Seller billing cycle '{payment.id}' must be in state TO_PAY, current state: "
            raise RuleError(400, "SELLER_BILLING_CYCLE_INVALID_STATE", text + cycle["pay_out"]["state"])
        if payment.amount_transferred_to_seller != money(cycle["amount_transferred_to_seller"]):
            text = f"The amount of the cycle is {cycle['amount_transferred_to_seller']}"
            raise BadParameter(f"{place}.amount_transferred_to_seller", text)
        if payment.state == "PAID" and payment.transaction_date is None:
            raise BadParameter(f"{place}.transaction_date", "The transaction date is mandatory when the state is PAID")
        if payment.state == "FAILED" and payment.failure_reason is None:
            raise BadParameter(f"{place}.failure_reason", "The failure reason is mandatory when the state is FAILED")
        _check_time(payment.transaction_date, f"{place}.transaction_date")
    write(call, "SBC07", cycles=plain(body)["seller_billing_cycles"])
    return Response(status_code=DONE)


def _pay_outs_confirmed(account: MiraklAccount, data: dict[str, Any], at: datetime, _is_replay: bool) -> None:
    shop = subject(account, data)
    for payment in data["cycles"]:
        cycle = flow_cycles.cycle_of(shop, payment["id"])
        if cycle is None:
            raise LookupError(f"the shop has no cycle {payment['id']}")
        if payment["state"] == "PAID":
            paid = payment.get("transaction_date") or stamp(at)
            flow_cycles.confirm_pay_out(shop, cycle, payment.get("reference"), at, paid)
        else:
            flow_cycles.fail_pay_out(shop, cycle, payment["failure_reason"])


def _operator_write(code: str, path: str, answer: Any) -> Endpoint:
    return Endpoint(code, "PUT", f"/api/{path}", answer, sides=OPERATORS)


WRITES = (
    _operator_write("OR02", "orders/{order_id}/validate", _validate),
    _operator_write("OR25", "orders/{order_id}/receive", _receive),
    _operator_write("OR62", "orders/{order_id}/lines/{line}/open_incident", _open_incident),
    _operator_write("OR63", "orders/{order_id}/lines/{line}/close_incident", _close_incident),
    _operator_write("PA01", "payment/debit", _confirm_debits),
    _operator_write("PA02", "payment/refund", _confirm_refunds),
    _operator_write("SBC07", "seller-billing-cycles", _confirm_pay_outs),
)
APPLIERS = {
    "OR02": _validated,
    "OR25": _received,
    "OR62": _incident_opened,
    "OR63": _incident_closed,
    "PA01": _debits_confirmed,
    "PA02": _refunds_confirmed,
    "SBC07": _pay_outs_confirmed,
}
