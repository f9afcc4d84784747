"""Time: what the platform and the operator do by themselves as the sandbox's clock moves on.

Steps are taken in the order they fall due and are stamped with that time, however far the clock jumped, so that a world
depends on the writes, their times and the time it is now, and on nothing else. Nothing happens while the clock stands
where the world was generated: an order that is overdue then waits its whole term again.
"""

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta

from sandbox.clock import milliseconds, stamp
from sandbox.mirakl import flow_cycles, flow_orders, flow_refunds
from sandbox.mirakl.account import MiraklAccount, MiraklSettings
from sandbox.mirakl.flow_money import from_milliseconds
from sandbox.mirakl.flow_records import Record, is_multi_shipment, order_of, workflow
from sandbox.mirakl.flow_worklists import awaits_debit, refresh_worklists, shipments_of
from sandbox.mirakl_shop import MiraklShop

HOUR = 3_600_000
DAY = 24 * HOUR
MINUTE = 60_000


def catch_up(account: MiraklAccount, now: datetime) -> None:
    """Takes every step that is due by `now`; costs nothing when no time has passed."""
    for shop in account.shops.values():
        if not shop.flow.is_listed:
            shop.flow.is_listed = True
            _list_work(shop)
        _run(shop, account.settings, milliseconds(stamp(now)))


def _list_work(shop: MiraklShop) -> None:
    """Fills the lists of work to do of a shop whose world has none, from the orders that are in such states."""
    if shop.payment_debits or shop.payment_refunds or shop.items_to_ship:
        return
    waiting = {order.order_id for order in shop.orders.values() if order.state == "WAITING_DEBIT_PAYMENT"}
    if is_multi_shipment(shop):
        waiting |= {order.order_id for order in shop.orders.values() if order.state == "SHIPPING"}
    for order_id in sorted(waiting | set(shop.flow.open_refunds.values())):
        refresh_worklists(shop, order_of(shop, order_id))


def _run(shop: MiraklShop, settings: MiraklSettings, now: int) -> None:
    state = shop.flow
    if state.until is None or now <= state.until:
        return
    if state.timers is None:
        state.timers = []
        for order in list(shop.orders.values()):
            if order.state in _OPEN or order.state == "RECEIVED":
                _watch_order(shop, settings, order.record(), state.until)
        _add(shop, milliseconds(stamp(flow_cycles.next_cut_off(shop, from_milliseconds(state.until)))), "CUT_OFF", "")
        for cycle in shop.cycles:
            if cycle["pay_out"]["state"] == "TO_PAY" and cycle["amount_transferred_to_seller"]:
                _add(shop, state.until + DAY, "PAY_OUT", cycle["id"])
    while state.timers and state.timers[0][0] <= now:
        due, _, step, subject = heapq.heappop(state.timers)
        state.until = max(state.until, due)
        _STEPS[step](shop, settings, subject, from_milliseconds(due))
    state.until = now


_OPEN = frozenset({"WAITING_ACCEPTANCE", "WAITING_DEBIT", "WAITING_DEBIT_PAYMENT", "SHIPPING", "SHIPPED", "TO_COLLECT"})


def watch(shop: MiraklShop, settings: MiraklSettings, order_id: str, at: datetime) -> None:
    """To be called after every write on an order: what it now waits for is put on the clock."""
    if shop.flow.timers is not None:
        _watch_order(shop, settings, order_of(shop, order_id), milliseconds(stamp(at)))


def _add(shop: MiraklShop, due: int, step: str, subject: str) -> None:
    if shop.flow.timers is not None:
        heapq.heappush(shop.flow.timers, (due, shop.flow.number(), step, subject))


def _watch_order(shop: MiraklShop, settings: MiraklSettings, record: Record, now: int) -> None:
    order_id, state = record["order_id"], record["order_state"]

    def after(since: str | None, term: float) -> int:
        due = (milliseconds(since) if since else now) + round(term)
        return due if due > now else now + round(term)

    if state == "WAITING_ACCEPTANCE":
        _add(shop, after(record["created_date"], settings.acceptance_hours * HOUR), "TIME_OUT", order_id)
    elif state in ("SHIPPED", "TO_COLLECT"):
        shipped = [line["shipped_date"] for line in record["order_lines"] if line.get("shipped_date")]
        since = max(shipped, key=milliseconds, default=None)
        _add(shop, after(since, settings.receive_days * DAY), "RECEIVE", order_id)
    elif state == "RECEIVED":
        received = [line["received_date"] for line in record["order_lines"] if line.get("received_date")]
        since = max(received, key=milliseconds, default=None)
        _add(shop, after(since, settings.close_days * DAY), "CLOSE", order_id)
    if not settings.is_operator_automatic:
        return
    if awaits_debit(shop, record):
        term = settings.debit_minutes * MINUTE
        if workflow(record) == "PAY_ON_DUE_DATE":
            term += (record.get("payment_duration") or 0) * DAY
        _add(shop, after(record["last_updated_date"], term), "DEBIT", order_id)
    for shipment in shipments_of(shop, order_id):
        if shipment["status_customer_debit"] == "WAITING_DEBIT_CONFIRMATION":
            due = after(shipment["shipped_date"], settings.debit_minutes * MINUTE)
            _add(shop, due, "DEBIT_SHIPMENT", shipment["id"])
    for line in record["order_lines"]:
        for part in line.get("refunds") or ():
            if part["refund_state"] == flow_refunds.WAITING_REFUND_PAYMENT:
                _add(shop, after(part["created_date"], settings.refund_minutes * MINUTE), "REFUND", part["id"])


# --- the steps; each looks whether its subject still waits for it


def _time_out(shop: MiraklShop, settings: MiraklSettings, order_id: str, at: datetime) -> None:
    record = order_of(shop, order_id)
    if record["order_state"] == "WAITING_ACCEPTANCE":
        flow_orders.decide_all(shop, record, False, at)


def _receive(shop: MiraklShop, settings: MiraklSettings, order_id: str, at: datetime) -> None:
    record = order_of(shop, order_id)
    if record["order_state"] in ("SHIPPED", "TO_COLLECT"):
        flow_orders.receive(shop, record, at, "AUTO_RECEIVED")
        watch(shop, settings, order_id, at)


def _close(shop: MiraklShop, settings: MiraklSettings, order_id: str, at: datetime) -> None:
    record = order_of(shop, order_id)
    if record["order_state"] != "RECEIVED":
        return
    if record.get("has_incident"):
        # An open incident keeps the order open: it is looked at again a day later.
        _add(shop, milliseconds(stamp(at + timedelta(days=1))), "CLOSE", order_id)
    else:
        flow_orders.close(shop, record, at)


def _debit(shop: MiraklShop, settings: MiraklSettings, order_id: str, at: datetime) -> None:
    record = order_of(shop, order_id)
    if awaits_debit(shop, record):
        flow_orders.debit(shop, record, f"TRX{shop.flow.number():08d}", at)
        watch(shop, settings, order_id, at)


def _debit_shipment(shop: MiraklShop, settings: MiraklSettings, shipment_id: str, at: datetime) -> None:
    shipment = shop.shipments.get(shipment_id)
    if shipment is not None and shipment["status_customer_debit"] == "WAITING_DEBIT_CONFIRMATION":
        flow_orders.debit_shipment(shop, shipment, f"TRX{shop.flow.number():08d}", at)


def _refund(shop: MiraklShop, settings: MiraklSettings, refund_id: str, at: datetime) -> None:
    if refund_id in shop.flow.open_refunds:
        flow_refunds.pay_refund(shop, refund_id, f"RTX{refund_id}", at)


def _cut_off(shop: MiraklShop, settings: MiraklSettings, _: str, at: datetime) -> None:
    is_confirmed_later = bool((shop.platform.get("features") or {}).get("payment_confirmation"))
    for cycle in flow_cycles.cut_off(shop, at):
        if not is_confirmed_later:
            flow_cycles.pay_out(shop, cycle, at)
        elif settings.is_operator_automatic and cycle["amount_transferred_to_seller"]:
            _add(shop, milliseconds(stamp(flow_cycles.pay_out_time(shop, at))), "PAY_OUT", cycle["id"])
    _add(shop, milliseconds(stamp(flow_cycles.next_cut_off(shop, at))), "CUT_OFF", "")


def _pay_out(shop: MiraklShop, settings: MiraklSettings, cycle_id: str, at: datetime) -> None:
    cycle = flow_cycles.cycle_of(shop, cycle_id)
    if cycle is not None:
        flow_cycles.pay_out(shop, cycle, at)


Step = Callable[[MiraklShop, MiraklSettings, str, datetime], None]
_STEPS: dict[str, Step] = {
    "TIME_OUT": _time_out,
    "RECEIVE": _receive,
    "CLOSE": _close,
    "DEBIT": _debit,
    "DEBIT_SHIPMENT": _debit_shipment,
    "REFUND": _refund,
    "CUT_OFF": _cut_off,
    "PAY_OUT": _pay_out,
}
