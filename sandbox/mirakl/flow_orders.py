"""The states of an order and what each step does to its lines and its money.

Every function takes a record that is the caller's own copy, changes it, and stores it with `keep`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sandbox.clock import stamp
from sandbox.mirakl import flow_money
from sandbox.mirakl.flow_records import (
    PAY_ON_ACCEPTANCE,
    Record,
    is_debited,
    live_lines,
    order_of,
    set_permissions,
    set_totals,
    touch,
    undelivered_quantity,
    workflow,
    wrong_state,
)
from sandbox.mirakl.flow_worklists import quantities_of, refresh_worklists, shipments_of, shipped_quantities
from sandbox.mirakl_shop import MiraklShop, RuleError

UNREPORTED = "NO_CUSTOMER_PAYMENT_CONFIRMATION"


def keep(shop: MiraklShop, record: Record) -> None:
    """Stores a changed order, and what the lists of work to do show of it."""
    has_left = any(shipped_quantities(shop, record["order_id"]).values())
    set_permissions(shop, record, has_left=has_left)
    shop.put_order(record)
    refresh_worklists(shop, record)


# --- acceptance (OR21)


def check_decision(
    shop: MiraklShop, order_id: str, decisions: list[tuple[str, bool]], is_partial_allowed: bool
) -> None:
    """The rules of OR21. Raises RuleError; changes nothing."""
    record = order_of(shop, order_id)
    state = record["order_state"]
    lines = {line["order_line_id"]: line for line in record["order_lines"]}
    decided = [line_id for line_id, _ in decisions]
    if shop.orders[order_id].center not in (None, "DEFAULT"):
        raise RuleError(400, "ORDER_FULFILLED_UNAUTHORIZED", f"Order '{order_id}' is fulfilled by the operator")
    if state != "WAITING_ACCEPTANCE":
        raise wrong_state(order_id, "WAITING_ACCEPTANCE", state)
    if len(set(decided)) != len(decided):
        raise RuleError(400, "ORDER_LINE_DUPLICATE_ID", "The order lines list contains duplicate order line IDs")
    for line_id in decided:
        if line_id not in lines:
            raise RuleError(400, "ORDER_LINE_NOT_FOUND", f"Order line '{line_id}' is not a line of '{order_id}'")
    open_lines = {key for key, line in lines.items() if line["order_line_state"] == "WAITING_ACCEPTANCE"}
    missing = sorted(open_lines - set(decided))
    if missing:
        text = f"Order lines without acceptance decision: {', '.join(missing)}"
        raise RuleError(400, "ORDER_LINE_ACCEPTANCE_DECISION_MISSING", text)
    if len({accepted for _, accepted in decisions}) > 1 and not is_partial_allowed:
        raise RuleError(400, "ORDER_PARTIAL_ACCEPTANCE_DISABLED", "Partial acceptance is disabled for this shop")


def decide(shop: MiraklShop, order_id: str, decisions: Mapping[str, bool], at: datetime) -> None:
    """A checked OR21. Refused lines leave the order's totals and keep their own amounts."""
    record = order_of(shop, order_id)
    record["acceptance_decision_date"] = stamp(at)
    _decide(shop, record, decisions, at, ("REFUSED", "Order refused"))


def decide_all(shop: MiraklShop, record: Record, accepted: bool, at: datetime) -> None:
    """Acceptance or refusal by the platform itself, which leaves no decision date."""
    decisions = {line["order_line_id"]: accepted for line in record["order_lines"]}
    _decide(shop, record, decisions, at, ("ACCEPTANCE_TIMEOUT", "Automatically rejected"))


def _decide(
    shop: MiraklShop, record: Record, decisions: Mapping[str, bool], at: datetime, refusal: tuple[str, str]
) -> None:
    is_debited_first = workflow(record) == PAY_ON_ACCEPTANCE
    accepted_state = "WAITING_DEBIT_PAYMENT" if is_debited_first else "SHIPPING"
    decided = [line for line in record["order_lines"] if line["order_line_id"] in decisions]
    for line in decided:
        if decisions[line["order_line_id"]]:
            line["order_line_state"] = accepted_state
        else:
            line["order_line_state"] = "REFUSED"
            line["order_line_state_reason_code"] = refusal[0]
            line["order_line_state_reason_label"] = (
                refusal[1] if refusal[0] == "ACCEPTANCE_TIMEOUT" else "Order line refused"
            )
    kept = live_lines(record)
    record["order_state"] = accepted_state if kept else "REFUSED"
    if not kept:
        record["order_state_reason_code"], record["order_state_reason_label"] = refusal
    set_totals(record)
    touch(record, decided, at)
    if kept and not is_debited_first:
        _show_address(record)
    keep(shop, record)


# --- payment (PA01)


def debit(shop: MiraklShop, record: Record, number: str, at: datetime, paid: str | None = None) -> None:
    """The customer was debited for the order. `paid`: when, by the payment system; the time of the call otherwise."""
    _note_payment(record, number, at, paid)
    if record["order_state"] in ("WAITING_DEBIT", "WAITING_DEBIT_PAYMENT"):
        for line in live_lines(record):
            line["order_line_state"] = "SHIPPING"
        record["order_state"] = "SHIPPING"
        _show_address(record)
    touch(record, live_lines(record), at)
    _sell_rest(shop, record, at)
    keep(shop, record)


def debit_shipment(shop: MiraklShop, shipment: Record, number: str, at: datetime, paid: str | None = None) -> None:
    """The customer was debited for one shipment of an order that is paid on shipment."""
    record = order_of(shop, shipment["order_id"])
    day = paid or stamp(at)
    details = {"customer_debited_date": stamp(at), "transaction_date": day, "transaction_number": number}
    shop.shipments[shipment["id"]] = shipment | {
        "status_customer_debit": "DEBIT_OK",
        "payment_details": details,
        "last_updated_date": stamp(at),
    }
    if not is_debited(record):
        _note_payment(record, number, at, paid)
    sent = quantities_of(shipment)
    debited = dict.fromkeys(sent, 0)
    for one in shipments_of(shop, record["order_id"]):
        if one["status_customer_debit"] == "DEBIT_OK":
            for line_id, quantity in quantities_of(one).items():
                if line_id in debited:
                    debited[line_id] += quantity
    touch(record, [line for line in record["order_lines"] if line["order_line_id"] in sent], at)
    flow_money.sell(shop, record, debited, at, _line_state(record), shipment["id"])
    keep(shop, record)


def refuse_debit(shop: MiraklShop, record: Record, at: datetime) -> None:
    """The payment failed: an order that waits for it ends; one that was sent goes on waiting for its money."""
    if record["order_state"] == "WAITING_DEBIT_PAYMENT":
        _end(record, live_lines(record), "CANCELED", "PAYMENT_REFUSED", at)
        keep(shop, record)


def _note_payment(record: Record, number: str, at: datetime, paid: str | None) -> None:
    record["customer_debited_date"] = stamp(at)
    record["transaction_date"], record["transaction_number"] = paid or stamp(at), number
    record["payment_type"] = record.get("payment_type") or "CARD"
    for line in live_lines(record):
        line["debited_date"] = stamp(at)


def _line_state(record: Record) -> str:
    return (
        "PAYABLE" if record["order_state"] in ("RECEIVED", "CLOSED") and not record.get("has_incident") else "PENDING"
    )


def _sell_rest(shop: MiraklShop, record: Record, at: datetime) -> None:
    quantities = {line["order_line_id"]: int(line["quantity"]) for line in live_lines(record)}
    flow_money.sell(shop, record, quantities, at, _line_state(record))


def _show_address(record: Record) -> None:
    """From SHIPPING on the seller sees where to. The world keeps no address of an order that had none; it gets one."""
    customer = record.get("customer") or {}
    if customer.get("shipping_address") is None:
        address = {
            "city": "Sampleton",
            "civility": "",
            "company": None,
            "country": "United Kingdom",
            "country_iso_code": "GBR",
            "firstname": customer.get("firstname"),
            "lastname": customer.get("lastname") or "Placeholder",
            "state": None,
            "street_1": "1 Nowhere Lane",
            "street_2": None,
            "zip_code": "ZZ1 1ZZ",
        }
        record["customer"] = customer | {"shipping_address": address, "billing_address": address}


# --- shipping


def set_tracking(shop: MiraklShop, record: Record, tracking: Record, at: datetime) -> None:
    """A checked OR23; the last one wins."""
    record["shipping_carrier_code"] = tracking.get("carrier_code")
    record["shipping_carrier_standard_code"] = tracking.get("carrier_standard_code")
    record["shipping_company"] = tracking.get("carrier_name")
    record["shipping_tracking"] = tracking.get("tracking_number")
    record["shipping_tracking_url"] = tracking.get("tracking_url")
    touch(record, (), at)
    keep(shop, record)


def ship(shop: MiraklShop, record: Record, at: datetime) -> None:
    """A checked OR24: the whole order is sent."""
    _send_lines(record, [line for line in record["order_lines"] if line["order_line_state"] == "SHIPPING"], at)
    _reach_shipped(shop, record, at)
    touch(record, (), at)
    keep(shop, record)


def send_shipped_lines(shop: MiraklShop, record: Record, at: datetime) -> None:
    """A shipment went out: lines all of whose units are sent become SHIPPED, and with the last of them the order."""
    sent = shipped_quantities(shop, record["order_id"])
    done = [
        line
        for line in record["order_lines"]
        if line["order_line_state"] == "SHIPPING"
        and sent.get(line["order_line_id"], 0) >= line["quantity"] - undelivered_quantity(line)
    ]
    _send_lines(record, done, at)
    if not any(line["order_line_state"] == "SHIPPING" for line in record["order_lines"]):
        _reach_shipped(shop, record, at)
    touch(record, (), at)
    keep(shop, record)


def _reach_shipped(shop: MiraklShop, record: Record, at: datetime) -> None:
    record["order_state"] = "SHIPPED"
    if workflow(record) == UNREPORTED:
        # Nobody will report a payment: the sale is booked when the goods leave.
        _sell_rest(shop, record, at)


def _send_lines(record: Record, lines: Iterable[Record], at: datetime) -> None:
    for line in lines:
        line["order_line_state"], line["shipped_date"] = "SHIPPED", stamp(at)
        touch(record, [line], at)


# --- reception, end, incidents, cancelation


def receive(shop: MiraklShop, record: Record, at: datetime, reason: str | None = None) -> None:
    """The customer has it: the money becomes payable, of lines without an open incident."""
    received = [line for line in record["order_lines"] if line["order_line_state"] in ("SHIPPED", "TO_COLLECT")]
    for line in received:
        line["order_line_state"], line["received_date"] = "RECEIVED", stamp(at)
        if reason is not None:
            line["order_line_state_reason_code"] = reason
    record["order_state"] = "RECEIVED"
    if reason is not None:
        record["order_state_reason_code"], record["order_state_reason_label"] = reason, "Automatically received"
    touch(record, received, at)
    for shipment in shipments_of(shop, record["order_id"]):
        if shipment["status"] in ("SHIPPED", "TO_COLLECT"):
            shop.shipments[shipment["id"]] = shipment | {"status": "RECEIVED", "last_updated_date": stamp(at)}
    held = {line["order_line_id"] for line in record["order_lines"] if line["order_line_state"] == "INCIDENT_OPEN"}
    free = {line["order_line_id"] for line in record["order_lines"]} - held
    flow_money.set_payable(shop, record, True, at, free)
    keep(shop, record)


def close(shop: MiraklShop, record: Record, at: datetime) -> None:
    lines = [line for line in record["order_lines"] if line["order_line_state"] == "RECEIVED"]
    for line in lines:
        line["order_line_state"] = "CLOSED"
    record["order_state"] = "CLOSED"
    record["order_state_reason_code"], record["order_state_reason_label"] = "AUTO_CLOSED", "Automatically closed"
    touch(record, lines, at)
    keep(shop, record)


def open_incident(shop: MiraklShop, record: Record, line: Record, reason: str, at: datetime) -> None:
    shop.flow.before_incident[line["order_line_id"]] = line["order_line_state"]
    line["order_line_state"], line["order_line_state_reason_code"] = "INCIDENT_OPEN", reason
    record["has_incident"] = True
    touch(record, [line], at)
    flow_money.set_payable(shop, record, False, at, {line["order_line_id"]})
    keep(shop, record)


def resolve_incident(shop: MiraklShop, record: Record, line: Record, reason: str, at: datetime) -> None:
    """The seller marks the incident as resolved (OR64). It stays open until the operator closes it."""
    shop.flow.resolved_incidents[line["order_line_id"]] = reason
    touch(record, [line], at)
    keep(shop, record)


def close_incident(shop: MiraklShop, record: Record, line: Record, reason: str | None, at: datetime) -> None:
    before = shop.flow.before_incident.pop(line["order_line_id"], record["order_state"])
    reason = reason or shop.flow.resolved_incidents.pop(line["order_line_id"], None)
    is_received = record["order_state"] in ("RECEIVED", "CLOSED")
    line["order_line_state"] = "RECEIVED" if before == "SHIPPED" and is_received else before
    line["order_line_state_reason_code"] = reason
    record["has_incident"] = any(one["order_line_state"] == "INCIDENT_OPEN" for one in record["order_lines"])
    touch(record, [line], at)
    if is_received:
        line["received_date"] = line.get("received_date") or stamp(at)
        flow_money.set_payable(shop, record, True, at, {line["order_line_id"]})
    keep(shop, record)


def end_cancelled(record: Record, lines: Iterable[Record], reason: str, at: datetime) -> None:
    """Lines of which nothing is left become CANCELED; without any other line so does the order, or it goes on."""
    _end(record, lines, "CANCELED", reason, at)


def _end(record: Record, lines: Iterable[Record], state: str, reason: str, at: datetime) -> None:
    ended = list(lines)
    for line in ended:
        line["order_line_state"], line["order_line_state_reason_code"] = state, reason
    if not live_lines(record):
        record["order_state"], record["order_state_reason_code"] = state, reason
    set_totals(record)
    touch(record, ended, at)
