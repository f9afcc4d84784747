"""Accepts or refuses orders on a Mirakl marketplace (OR21). Every line of an order is decided in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from connectors.decoding import Envelope, raw_records, split_records
from connectors.delivery import Action, DeliveryResult, Found, Outcome, Request, Verification
from connectors.errors import ConnectorError
from connectors.http import Answer
from connectors.mirakl.client import MiraklConnector
from connectors.mirakl.decode import VENDOR
from connectors.mirakl.endpoints import ENDPOINTS, ORDER_ACCEPTANCE, ORDERS_PATH
from connectors.mirakl.writes.stock import failed_write

WAITING = "WAITING_ACCEPTANCE"
REFUSED = frozenset({"REFUSED", "CANCELED"})
MAXIMUM_IDS = 100
"""OR11 takes at most this many order ids."""


class _Line(msgspec.Struct):
    order_line_id: str
    order_line_state: str = ""


class _Order(msgspec.Struct):
    order_id: str
    order_state: str = ""
    order_lines: list[_Line] = []


class AcceptanceDelivery:
    """Decides orders that wait for acceptance. A payload holds `order_id` and `order_lines`, a list of
    `{"id", "accepted"}` with every line of the order.

    Mirakl has no key for it: an order that left WAITING_ACCEPTANCE was decided, by us or by a time-out, and its lines
    tell how.
    """

    kind = "ACCEPTANCE"

    def __init__(self, connector: MiraklConnector) -> None:
        self._connector = connector
        self._client = connector.client

    def preview(self, actions: Sequence[Action]) -> list[Request]:
        parameters = {"shop_id": self._connector.shop_id}
        return [
            Request(
                "PUT",
                str(self._client.url(_path(action)).copy_with(params=parameters)),
                {"Authorization": "***", "Content-Type": "application/json"},
                _body(action).decode(),
            )
            for action in actions
            if _problem(action) is None
        ]

    def look_up(self, actions: Sequence[Action]) -> dict[str, Found | None]:
        orders = self._orders({_order_id(action) for action in actions})
        found: dict[str, Found | None] = {}
        for action in actions:
            order = orders.get(_order_id(action))
            is_decided = order is not None and order.order_state != WAITING
            state = order.order_state if order is not None else ""
            found[action.action_key] = Found((), True, f"the order is {state}") if is_decided else None
        return found

    def send(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]:
        results = {}
        for action in actions:
            problem = _problem(action)
            if problem is not None:
                results[action.action_key] = DeliveryResult(Outcome.FAILED, detail=problem)
                continue
            try:
                self._client.write(
                    ORDER_ACCEPTANCE,
                    _path(action),
                    method="PUT",
                    parameters={"shop_id": self._connector.shop_id},
                    content=_body(action),
                    headers={"Content-Type": "application/json"},
                )
            except ConnectorError as error:
                results[action.action_key] = failed_write(error)
            else:
                results[action.action_key] = DeliveryResult(Outcome.SENT, (_order_id(action),), "decided")
        return results

    def read_back(self, actions: Sequence[Action]) -> dict[str, Verification]:
        orders = self._orders({_order_id(action) for action in actions})
        result = {}
        for action in actions:
            order = orders.get(_order_id(action))
            if order is None:
                result[action.action_key] = Verification(False, f"the shop has no order {_order_id(action)}")
                continue
            states = {line.order_line_id: line.order_line_state for line in order.order_lines}
            wrong = [
                f"line {line} is {states.get(line) or 'missing'}"
                for line, is_accepted in _decisions(action).items()
                if not states.get(line) or states[line] == WAITING or (states[line] in REFUSED) == is_accepted
            ]
            detail = "; ".join(wrong) or f"the order is {order.order_state}"
            result[action.action_key] = Verification(not wrong, detail)
        return result

    def _orders(self, order_ids: set[str]) -> dict[str, _Order]:
        endpoint = ENDPOINTS["orders"]
        wanted = sorted(order_ids - {""})
        orders = {}
        for start in range(0, len(wanted), MAXIMUM_IDS):
            parameters = {
                "shop_id": self._connector.shop_id,
                "max": str(MAXIMUM_IDS),
                "order_ids": ",".join(wanted[start : start + MAXIMUM_IDS]),
            }
            for order in self._client.read(endpoint.call, endpoint.path, parameters, _parse):
                orders[order.order_id] = order
        return orders


def _parse(answer: Answer) -> list[_Order]:
    """The orders of a page. One that cannot be read counts as absent: nothing is proved by it."""
    whole, _ = split_records(answer.body, Envelope("orders"), vendor=VENDOR, call="OR11")
    orders = []
    for raw in raw_records(whole, vendor=VENDOR, call="OR11"):
        try:
            orders.append(msgspec.json.decode(raw, type=_Order))
        except msgspec.DecodeError:
            continue
    return orders


def _order_id(action: Action) -> str:
    return str(action.payload.get("order_id") or "")


def _decisions(action: Action) -> dict[str, bool]:
    lines = action.payload.get("order_lines")
    if not isinstance(lines, list):
        return {}
    return {
        str(line["id"]): bool(line.get("accepted")) for line in lines if isinstance(line, Mapping) and line.get("id")
    }


def _problem(action: Action) -> str | None:
    """Why the action cannot be sent as it is; None when it can."""
    lines = action.payload.get("order_lines")
    if not _order_id(action) or "/" in _order_id(action):
        return "the payload has no usable order_id"
    if not isinstance(lines, list) or not lines:
        return f"the payload decides no line of order {_order_id(action)}"
    if len(_decisions(action)) != len(lines):
        return f"a line of order {_order_id(action)} has no id or stands twice: each is decided once"
    return None


def _path(action: Action) -> str:
    return f"{ORDERS_PATH}/{_order_id(action)}/accept"


def _body(action: Action) -> bytes:
    lines = [{"id": line, "accepted": is_accepted} for line, is_accepted in _decisions(action).items()]
    return msgspec.json.encode({"order_lines": lines})
