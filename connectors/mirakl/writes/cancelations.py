"""Cancels a whole order (OR29), or parts of its lines (OR30), before they are sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from connectors.delivery import Action, DeliveryResult, Found, Outcome, Request, Verification
from connectors.http import Call
from connectors.mirakl.client import MiraklConnector
from connectors.mirakl.writes.adjusting import AdjustmentDelivery
from connectors.mirakl.writes.adjustments import Adjusting, Part, check_taxes, unknown_to
from connectors.mirakl.writes.calls import CANCEL_LINES, CANCEL_ORDER, ORDERS_PATH
from connectors.mirakl.writes.order_write import OrderWrite
from connectors.mirakl.writes.orders import SENT, UNDECIDED, Adjustment, Line, Order
from connectors.mirakl.writes.payloads import identifier, optional_flag
from connectors.mirakl.writes.sending import Unfit

CANCELED = "CANCELED"
BEFORE_SENDING = frozenset({"WAITING_DEBIT", "WAITING_DEBIT_PAYMENT", "SHIPPING"})


@dataclass(frozen=True, slots=True)
class WholeOrder:
    order_id: str
    order_tax_mode: str | None = None


class CancelationDelivery:
    """Cancels. A payload with `order_id` and `is_whole_order` true cancels all of it (OR29). One with `cancelations`
    cancels parts of lines (OR30): a REFUND's payload with `cancelations` in place of `refunds`, in which `quantity`
    must stand, because of a cancelation it is real.

    Precondition, whole: OR11 shows the order with `can_cancel`. Parts: OR11 (in the same tax mode) shows the order in
    this currency, the lines accepted and not yet sent, with at least that quantity and amount left after cancelations
    and refunds, and no cancelation that the decision did not know of: somebody else's may be the very same units. The
    payload states every tax that the line has; where the order is taxed as a whole and amounts are meant without taxes
    they stay away, because the platform works them out itself and refuses ours.
    Look-up, whole: the order is CANCELED; a repeat is refused and does no harm. Parts: the line's `cancelations[]` hold
    one of the same amount, shipping amount and reason that is not among `known_ids` and was not created before
    `decided_at`; a repeat would cancel twice and is never made without that look.
    """

    kind = "CANCELATION"

    def __init__(self, connector: MiraklConnector) -> None:
        self._orders = _OrderCancelation(connector)
        self._lines = _LineCancelation(connector)

    def preview(self, actions: Sequence[Action]) -> list[Request]:
        whole, parts = _split(actions)
        return [*self._orders.preview(whole), *self._lines.preview(parts)]

    def look_up(self, actions: Sequence[Action]) -> dict[str, Found | None]:
        whole, parts = _split(actions)
        return self._orders.look_up(whole) | self._lines.look_up(parts)

    def send(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]:
        whole, parts = _split(actions)
        results = self._orders.send(whole)
        for wave in _waves(parts):
            results |= self._lines.send(wave)
        return results

    def read_back(self, actions: Sequence[Action]) -> dict[str, Verification]:
        whole, parts = _split(actions)
        return self._orders.read_back(whole) | self._lines.read_back(parts)


class _OrderCancelation(OrderWrite[WholeOrder]):
    """OR29."""

    kind = "CANCELATION"

    def wanted(self, action: Action) -> WholeOrder:
        if optional_flag(action.payload, "is_whole_order") is not True:
            raise Unfit("the payload has neither cancelations nor is_whole_order: what to cancel is not guessed")
        return WholeOrder(identifier(action.payload, "order_id"))

    def requests(self, wanted: WholeOrder) -> list[Request]:
        return [self.desk.request("PUT", _path(wanted))]

    def held(self, key: str, wanted: WholeOrder, order: Order) -> Found | None:
        return Found((order.order_id,), True, "the order is canceled") if order.order_state == CANCELED else None

    def check(self, key: str, wanted: WholeOrder, order: Order) -> None:
        if not order.can_cancel:
            raise Unfit(f"order {order.order_id} is {order.order_state} and cannot be canceled as a whole")

    def write(self, key: str, wanted: WholeOrder, order: Order) -> DeliveryResult:
        self.desk.write(CANCEL_ORDER, "PUT", _path(wanted))
        return DeliveryResult(Outcome.SENT, (wanted.order_id,), "the order is canceled")

    def verify(self, key: str, wanted: WholeOrder, order: Order) -> Verification:
        return Verification(order.order_state == CANCELED, f"the order is {order.order_state}", (order.order_id,))


class _LineCancelation(AdjustmentDelivery):
    """OR30."""

    kind = "CANCELATION"
    call: ClassVar[Call] = CANCEL_LINES
    path = f"{ORDERS_PATH}/cancel"
    list_name = "cancelations"
    needs_quantity = True

    def records(self, line: Line) -> Sequence[Adjustment]:
        return line.cancelations or ()

    def check_line(self, wanted: Adjusting, part: Part, line: Line, order: Order) -> None:
        if line.order_line_state in UNDECIDED:
            raise Unfit(f"line {line.order_line_id} is {line.order_line_state}: it is refused, not canceled")
        if line.order_line_state not in BEFORE_SENDING:
            why = "it is refunded, not canceled" if line.order_line_state in SENT else "nothing is left to cancel"
            raise Unfit(f"line {line.order_line_id} is {line.order_line_state}: {why}")
        strangers = unknown_to(wanted, line.order_line_id, self.records(line))
        if strangers:
            why = f"was canceled ({', '.join(strangers)}) since this was decided"
            raise Unfit(f"line {line.order_line_id} {why}", is_for_now=True)
        left = None if line.quantity is None else line.quantity - _given_back(line)
        if left is not None and (part.quantity or 0) > left:
            raise Unfit(f"line {line.order_line_id} has {left}, not {part.quantity}")
        if not _is_taxed_as_a_whole(wanted, order):
            check_taxes(part, line)

    def earlier(self, line: Line) -> Sequence[Adjustment]:
        return [*(line.cancelations or ()), *(line.refunds or ())]

    def sendable(self, wanted: Adjusting, parts: Sequence[Part], order: Order) -> Sequence[Part]:
        if not _is_taxed_as_a_whole(wanted, order):
            return parts
        return [replace(part, taxes=None, shipping_taxes=None) for part in parts]


def _path(wanted: WholeOrder) -> str:
    return f"{ORDERS_PATH}/{wanted.order_id}/cancel"


def _given_back(line: Line) -> int:
    """Units of the line that were canceled or refunded."""
    return sum(one.quantity or 0 for one in [*(line.cancelations or ()), *(line.refunds or ())])


def _is_taxed_as_a_whole(wanted: Adjusting, order: Order) -> bool:
    """Whether the platform works out the taxes itself: the order is taxed, not its lines, and amounts are without."""
    return bool(order.order_taxes) and wanted.order_tax_mode == "TAX_EXCLUDED"


def _waves(actions: Sequence[Action]) -> list[list[Action]]:
    """At most one action of an order in each: the next one's precondition is read after the one before it."""
    waves: list[list[Action]] = []
    counts: Counter[str] = Counter()
    for action in actions:
        order_id = str(action.payload.get("order_id"))
        if counts[order_id] == len(waves):
            waves.append([])
        waves[counts[order_id]].append(action)
        counts[order_id] += 1
    return waves


def _split(actions: Sequence[Action]) -> tuple[list[Action], list[Action]]:
    """Whole orders, and parts of lines."""
    parts = [action for action in actions if "cancelations" in action.payload]
    return [action for action in actions if "cancelations" not in action.payload], parts
