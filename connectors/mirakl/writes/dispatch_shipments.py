"""Dispatch on platforms with several shipments per order: ST01 creates and ships, ST24 ships what exists already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from connectors.delivery import Action, DeliveryResult, Found, Outcome, Request, Verification
from connectors.errors import ConnectorError
from connectors.mirakl.client import MiraklConnector
from connectors.mirakl.writes.calls import CREATE_SHIPMENTS, SHIP_SHIPMENTS, SHIPMENTS_PATH
from connectors.mirakl.writes.dispatch_payload import Dispatch, read_dispatch
from connectors.mirakl.writes.orders import BEFORE_SHIPPING, Order, read_orders
from connectors.mirakl.writes.platform import Platform
from connectors.mirakl.writes.sending import Desk, Unfit, failed_read
from connectors.mirakl.writes.shipments import (
    CANCELED,
    MAXIMUM_SHIPMENTS,
    NOT_SENT_YET,
    SENT,
    Shipment,
    Written,
    read_shipments,
    write_shipments,
)
from connectors.mirakl.writes.tracking import check_carrier, shipment_differences

SHIP_PATH = f"{SHIPMENTS_PATH}/ship"


class ShipmentDispatchDelivery:
    """See `DispatchDelivery`; here is its half for shipments."""

    kind = "DISPATCH"

    def __init__(self, connector: MiraklConnector, platform: Platform) -> None:
        self._desk = Desk(connector)
        self._platform = platform

    def preview(self, actions: Sequence[Action]) -> list[Request]:
        wanted = _readable(actions)
        requests = []
        for keys in _rounds(wanted):
            body = {"shipments": [wanted[key].as_shipment() for key in keys]}
            requests.append(self._desk.request("POST", SHIPMENTS_PATH, body))
        return requests

    def look_up(self, actions: Sequence[Action]) -> dict[str, Found | None]:
        wanted = _readable(actions)
        shipments = read_shipments(self._desk, (one.order_id for one in wanted.values()))
        found: dict[str, Found | None] = dict.fromkeys((a.action_key for a in actions), None)
        for key, one in wanted.items():
            ours = _ours(one, shipments[one.order_id])
            if ours is not None:
                found[key] = Found((ours.id,), ours.status in SENT, f"shipment {ours.id} is {ours.status}")
        return found

    def send(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]:
        results: dict[str, DeliveryResult] = {}
        wanted: dict[str, Dispatch] = {}
        for action in actions:
            try:
                wanted[action.action_key] = _checked_payload(read_dispatch(action))
            except Unfit as unfit:
                results[action.action_key] = unfit.result()
        try:
            orders = read_orders(self._desk, (one.order_id for one in wanted.values()))
            shipments = read_shipments(self._desk, (one.order_id for one in wanted.values()))
        except ConnectorError as error:
            return results | dict.fromkeys(wanted, failed_read(error))
        new: dict[str, Dispatch] = {}
        to_ship: dict[str, str] = {}
        for key, one in wanted.items():
            ours = _ours(one, shipments[one.order_id])
            try:
                if ours is None:
                    others = [other for other in new.values() if other.order_id == one.order_id]
                    self._check(one, orders.get(one.order_id), shipments[one.order_id], others)
                    new[key] = one
                elif ours.status in SENT:
                    detail = f"already there: shipment {ours.id} is {ours.status}"
                    results[key] = DeliveryResult(Outcome.SENT, (ours.id,), detail)
                elif ours.status in NOT_SENT_YET:
                    to_ship[key] = ours.id
                else:
                    raise Unfit(f"shipment {ours.id} is {ours.status}: it can be neither sent nor created again")
            except Unfit as unfit:
                results[key] = unfit.result()
        for keys in _rounds(new):
            elements = {key: new[key].as_shipment() for key in keys}
            created = write_shipments(
                self._desk, CREATE_SHIPMENTS, "POST", SHIPMENTS_PATH, elements, maximum=MAXIMUM_SHIPMENTS
            )
            for key, written in created.items():
                results[key] = written.result
                if written.result.outcome is Outcome.SENT and written.status in NOT_SENT_YET:
                    to_ship[key] = written.result.vendor_ids[0]
        return results | self._ship(to_ship)

    def read_back(self, actions: Sequence[Action]) -> dict[str, Verification]:
        wanted = _readable(actions)
        shipments = read_shipments(self._desk, (one.order_id for one in wanted.values()))
        result = {a.action_key: Verification(False, "the payload cannot be read") for a in actions}
        for key, one in wanted.items():
            ours = _ours(one, shipments[one.order_id])
            if ours is None:
                result[key] = Verification(False, f"order {one.order_id} has no shipment of these lines")
                continue
            wrong = [] if ours.status in SENT else [f"shipment {ours.id} is {ours.status}"]
            wrong += [] if one.tracking is None else shipment_differences(ours, one.tracking)
            result[key] = Verification(
                not wrong, "; ".join(wrong) or f"shipment {ours.id} is {ours.status}", (ours.id,)
            )
        return result

    def _ship(self, ids: Mapping[str, str]) -> dict[str, DeliveryResult]:
        """ST24 for shipments (by action key) that exist and have not left."""
        elements = {key: {"id": shipment_id} for key, shipment_id in ids.items()}
        written = write_shipments(self._desk, SHIP_SHIPMENTS, "PUT", SHIP_PATH, elements, maximum=MAXIMUM_SHIPMENTS)
        return {key: _not_left(ids[key], one) for key, one in written.items()}

    def _check(
        self, wanted: Dispatch, order: Order | None, shipments: Sequence[Shipment], others: Iterable[Dispatch]
    ) -> None:
        """The precondition of ST01. Raises Unfit."""
        if wanted.tracking is not None:
            check_carrier(wanted.tracking, self._platform)
        if order is None:
            raise Unfit(f"the shop has no order {wanted.order_id}", is_for_now=True)
        if order.order_state != "SHIPPING":
            detail = f"order {order.order_id} is {order.order_state}, not SHIPPING"
            raise Unfit(detail, is_for_now=order.order_state in BEFORE_SHIPPING)
        sent: Counter[str] = Counter()
        for shipment in shipments:
            for line in shipment.shipment_lines or () if shipment.status != CANCELED else ():
                sent[line.order_line_id or ""] += line.quantity
        for other in others:
            sent += other.quantities()
        for order_line_id, quantity in wanted.quantities().items():
            ordered = order.line(order_line_id)
            if ordered is None:
                raise Unfit(f"order {order.order_id} has no line {order_line_id}")
            if ordered.quantity is not None and sent[order_line_id] + quantity > ordered.quantity:
                raise Unfit(
                    f"line {order_line_id}: {ordered.quantity} ordered, {sent[order_line_id]} in other shipments, "
                    f"{quantity} more are too many"
                )


def _checked_payload(wanted: Dispatch) -> Dispatch:
    """Raises Unfit when an unknown outcome of this dispatch could never be told from another's."""
    if not wanted.lines:
        raise Unfit("the payload names no lines: this platform ships lines, not orders")
    has_number = wanted.tracking is not None and wanted.tracking.tracking_number is not None
    if not has_number and not all(line.package_reference for line in wanted.lines):
        raise Unfit("neither a package reference nor a tracking number tells this shipment from another")
    return wanted


def _readable(actions: Sequence[Action]) -> dict[str, Dispatch]:
    wanted: dict[str, Dispatch] = {}
    for action in actions:
        try:
            wanted[action.action_key] = _checked_payload(read_dispatch(action))
        except Unfit:
            continue  # it cannot have been sent, and `send` says why it cannot be
    return wanted


def _rounds(wanted: Mapping[str, Dispatch]) -> list[list[str]]:
    """Keys per call: no two of one order, because ST01 names its errors by the order only."""
    rounds: list[list[str]] = []
    seen: Counter[str] = Counter()
    for key, one in wanted.items():
        number = seen[one.order_id]
        seen[one.order_id] += 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(key)
    return rounds


def _ours(wanted: Dispatch, shipments: Iterable[Shipment]) -> Shipment | None:
    """The shipment that this dispatch became: same lines and quantities, and our reference or our tracking number."""

    def content(lines: Iterable[Any], *, with_reference: bool) -> list[tuple[Any, ...]]:
        rows = Counter[tuple[Any, ...]]()
        for line in lines:
            rows[(line.order_line_id, line.package_reference if with_reference else None)] += line.quantity
        return sorted((*place, quantity) for place, quantity in rows.items())

    number = wanted.tracking.tracking_number if wanted.tracking else None
    has_references = all(line.package_reference for line in wanted.lines)
    for shipment in shipments:
        lines = shipment.shipment_lines or ()
        if shipment.status == CANCELED or any(line.order_line_id is None for line in lines):
            continue
        held = shipment.tracking.tracking_number if shipment.tracking else None
        has_our_number = number is not None and held == number
        if content(lines, with_reference=False) != content(wanted.lines, with_reference=False):
            continue
        references = {line.package_reference for line in lines}
        if has_references and None not in references:
            if content(lines, with_reference=True) == content(wanted.lines, with_reference=True):
                return shipment
        elif has_our_number:
            return shipment
    return None


def _not_left(shipment_id: str, written: Written) -> DeliveryResult:
    """A refusal of ST24 is worth another try: the shipment is there, and the next send only ships it."""
    result = written.result
    if result.outcome is not Outcome.FAILED:
        return result
    detail = f"shipment {shipment_id} exists, but was not shipped: {result.detail}"
    return DeliveryResult(Outcome.FAILED, (shipment_id,), detail, retryable=True)
