"""Accepts or refuses orders on a Mirakl marketplace (OR21). Every line of an order is decided in one call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connectors.delivery import Action, DeliveryResult, Found, Outcome, Request, Verification
from connectors.mirakl.writes.calls import ACCEPT, ORDERS_PATH
from connectors.mirakl.writes.order_write import OrderWrite
from connectors.mirakl.writes.orders import ENDED_UNSENT, UNDECIDED, Order
from connectors.mirakl.writes.payloads import identifier, objects, optional_flag, text
from connectors.mirakl.writes.sending import Unfit

WAITING = "WAITING_ACCEPTANCE"


@dataclass(frozen=True, slots=True)
class Decision:
    order_id: str
    lines: dict[str, bool]
    order_tax_mode: str | None = None


class AcceptanceDelivery(OrderWrite[Decision]):
    """Decides orders that wait for acceptance. A payload holds `order_id` and `order_lines`, a list of
    `{"id", "accepted"}` with every line of the order.

    Precondition: the order is in WAITING_ACCEPTANCE and the payload decides each of its lines, once.
    Look-up: an order that left WAITING_ACCEPTANCE was decided, by us or by a time-out; reading back its lines tells
    which, because Mirakl keeps no key of ours. A repeat is refused by Mirakl and does no harm.
    """

    kind = "ACCEPTANCE"

    def wanted(self, action: Action) -> Decision:
        order_id = identifier(action.payload, "order_id")
        lines = objects(action.payload, "order_lines")
        if not lines:
            raise Unfit(f"the payload decides no line of order {order_id}")
        decisions: dict[str, bool] = {}
        for line in lines:
            is_accepted = optional_flag(line, "accepted")
            if is_accepted is None:
                raise Unfit(f"a line of order {order_id} is neither accepted nor refused")
            decisions[text(line, "id")] = is_accepted
        if len(decisions) != len(lines):
            raise Unfit(f"a line of order {order_id} stands twice: each is decided once")
        return Decision(order_id, decisions)

    def requests(self, wanted: Decision) -> list[Request]:
        return [self.desk.request("PUT", _path(wanted), _body(wanted))]

    def held(self, key: str, wanted: Decision, order: Order) -> Found | None:
        return None if order.order_state in UNDECIDED else Found((), True, f"the order is {order.order_state}")

    def check(self, key: str, wanted: Decision, order: Order) -> None:
        if order.order_state != WAITING:
            raise Unfit(f"order {order.order_id} is {order.order_state}, not {WAITING}", is_for_now=True)
        lines = {line.order_line_id for line in order.order_lines}
        undecided, unknown = sorted(lines - wanted.lines.keys()), sorted(wanted.lines.keys() - lines)
        if undecided:
            raise Unfit(f"lines without a decision: {', '.join(undecided)}; all are decided in one call")
        if unknown:
            raise Unfit(f"order {order.order_id} has no lines {', '.join(unknown)}")

    def write(self, key: str, wanted: Decision, order: Order) -> DeliveryResult:
        self.desk.write(ACCEPT, "PUT", _path(wanted), _body(wanted))
        return DeliveryResult(Outcome.SENT, (wanted.order_id,), "decided")

    def verify(self, key: str, wanted: Decision, order: Order) -> Verification:
        states = {line.order_line_id: line.order_line_state for line in order.order_lines}
        wrong = [
            f"line {line} is {states.get(line) or 'missing'}"
            for line, is_accepted in wanted.lines.items()
            if not states.get(line) or states[line] in UNDECIDED or (states[line] in ENDED_UNSENT) == is_accepted
        ]
        return Verification(not wrong, "; ".join(wrong) or f"the order is {order.order_state}", (wanted.order_id,))


def _path(wanted: Decision) -> str:
    return f"{ORDERS_PATH}/{wanted.order_id}/accept"


def _body(wanted: Decision) -> dict[str, Any]:
    return {"order_lines": [{"id": line, "accepted": accepted} for line, accepted in wanted.lines.items()]}
