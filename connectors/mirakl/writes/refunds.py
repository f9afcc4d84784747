"""Gives money back for lines of an order (OR28)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

import msgspec

from connectors.delivery import Action, DeliveryResult
from connectors.errors import ConnectorError
from connectors.http import Call
from connectors.mirakl.writes.adjusting import AdjustmentDelivery
from connectors.mirakl.writes.adjustments import Adjusting, Part, check_taxes
from connectors.mirakl.writes.calls import ORDERS_PATH, REFUND, RETURNS, RETURNS_PATH
from connectors.mirakl.writes.orders import BEFORE_SHIPPING, Adjustment, Line, Order
from connectors.mirakl.writes.payloads import identifier, objects
from connectors.mirakl.writes.sending import Unfit, failed_read

GOODS_STAY_AWAY = frozenset({"REFUSED", "CANCELED", "NO_RECEPTION"})
"""States of a return after which nothing comes back by it."""
MAXIMUM_IDS = 100
"""In one request: RT11 states no limit, other calls of this age take so many."""


class _ReturnLine(msgspec.Struct):
    order_line_id: str


class _Return(msgspec.Struct):
    id: str
    order_id: str
    state: str = ""
    return_lines: list[_ReturnLine] | None = None


class RefundDelivery(AdjustmentDelivery):
    """Refunds parts of one order's lines. A payload holds `order_id`, `currency_code`, `order_tax_mode` (default: the
    connector's), `known_ids` and/or `decided_at`, `return_id` if a return is the reason, and `refunds`, a list of
    `{"order_line_id", "amount", "shipping_amount", "reason_code", "quantity"?, "taxes"?, "shipping_taxes"?, "fees"?,
    "excluded_from_shipment"?}`. Amounts are positive, taxes and fees are lists of `{"code", "amount"}`; `quantity` only
    informs. `known_ids` are the ids of the line's refunds when this one was decided.

    Precondition: OR11 (in the same tax mode) shows the order in this currency, each line open to refunds and with at
    least that much left, and the payload states every tax that the line has; RT11 shows that the return named is of
    this order and these lines, and that its goods are not known to stay away.
    Look-up: the line's `refunds[]` hold one of the same amount, shipping amount and reason that is not among
    `known_ids` and was not created before `decided_at`. A repeat would refund twice: it is never made without that
    look, and what is found of an action is not sent again with the rest. A second refund of the same amount and reason
    must name the first in its `known_ids`, or the first is taken for it.
    """

    kind = "REFUND"
    call: ClassVar[Call] = REFUND
    path = f"{ORDERS_PATH}/refund"
    list_name = "refunds"
    needs_quantity = False

    def send(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]:
        named = [action for action in actions if action.payload.get("return_id")]
        results: dict[str, DeliveryResult] = {}
        try:
            returns = self._returns(str(action.payload["return_id"]) for action in named)
        except ConnectorError as error:
            results = dict.fromkeys((action.action_key for action in named), failed_read(error))
        for action in named:
            if action.action_key in results:
                continue
            try:
                _check_return(action, returns)
            except Unfit as unfit:
                results[action.action_key] = unfit.result()
        return results | super().send([action for action in actions if action.action_key not in results])

    def records(self, line: Line) -> Sequence[Adjustment]:
        return line.refunds or ()

    def check_line(self, wanted: Adjusting, part: Part, line: Line, order: Order) -> None:
        if line.order_line_state in BEFORE_SHIPPING:
            raise Unfit(f"line {line.order_line_id} is still {line.order_line_state}", is_for_now=True)
        if not line.can_refund:
            raise Unfit(f"line {line.order_line_id} is {line.order_line_state} and takes no refund")
        check_taxes(part, line)

    def _returns(self, return_ids: Iterable[str]) -> dict[str, _Return]:
        """The returns by id; all of a batch in one chain, because RT11 may be asked every five minutes only."""
        wanted = sorted(set(return_ids))
        found: dict[str, _Return] = {}
        for start in range(0, len(wanted), MAXIMUM_IDS):
            ids = {"return_id": wanted[start : start + MAXIMUM_IDS]}
            found |= {one.id: one for one in self.desk.chain(RETURNS, RETURNS_PATH, ids, _Return, is_poll=True)}
        return found


def _check_return(action: Action, returns: Mapping[str, _Return]) -> None:
    """Raises Unfit."""
    return_id, order_id = identifier(action.payload, "return_id"), identifier(action.payload, "order_id")
    found = returns.get(return_id)
    if found is None or found.order_id != order_id:
        raise Unfit(f"order {order_id} has no return {return_id}")
    if found.state in GOODS_STAY_AWAY:
        raise Unfit(f"return {return_id} is {found.state}: no goods come back by it")
    returned = {line.order_line_id for line in found.return_lines or ()}
    others = sorted({str(part.get("order_line_id")) for part in objects(action.payload, "refunds")} - returned)
    if others:
        raise Unfit(f"return {return_id} does not hold lines {', '.join(others)}")
