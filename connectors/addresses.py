"""Where an order goes: from the marketplace's answer straight into the ERP's order, and nowhere else.

A name and an address are personal data. They are read when the ERP order is written to and when it is read back, and
are in no action, audit trail, mart, log, preview or message: an action holds the order's number only.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.delivery import Action, DeliveryResult, Found, Outcome, Request, Verification
from connectors.errors import ConnectorError

HIDDEN = "***"
LEFT_ALONE = "the order has another delivery address, which somebody has entered: it is left alone"
NOT_SHOWN = "the marketplace shows no delivery address of the order"
NO_ORDER = "not one open order of the customer has the number"
THERE = "the delivery address is there"


@dataclass(frozen=True, slots=True)
class Destination:
    """A delivery address. `country` is the ISO code of two letters. Its repr tells nothing."""

    addressee: str | None = field(default=None, repr=False)
    company: str | None = field(default=None, repr=False)
    street_1: str | None = field(default=None, repr=False)
    street_2: str | None = field(default=None, repr=False)
    city: str | None = field(default=None, repr=False)
    state: str | None = field(default=None, repr=False)
    postcode: str | None = field(default=None, repr=False)
    country: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)


DestinationsOf = Callable[[str, Sequence[str]], Mapping[str, Destination]]
"""(marketplace, order ids) → the destinations that it shows, by order id. Raises a ConnectorError."""


Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An ERP order with what it holds of an address, in the ERP's own members."""

    id: str
    number: str
    fields: Fields = field(repr=False)
    is_entered: bool = False
    """Somebody has entered an address for this order."""


class OrderAddressDelivery(ABC):
    """Delivers ORDER_ADDRESS: the delivery address of an order that Tieout made, once the marketplace shows it.

    Precondition: one open order of the customer has the number, and nobody has entered another address. Look-up and
    reading back: the order holds what the marketplace shows. A repeat writes the same and does no harm.
    """

    kind = "ORDER_ADDRESS"
    batch_size = 100

    def __init__(self, destinations_of: DestinationsOf) -> None:
        self._destinations_of = destinations_of

    # --- what an ERP defines ---

    @abstractmethod
    def _orders(self, actions: Sequence[Action]) -> Mapping[str, Sequence[OpenOrder]]:
        """The customer's open orders with each action's number, by action key. Raises a ConnectorError."""

    @abstractmethod
    def _fields(self, destination: Destination) -> Fields:
        """The address in the ERP's members, as it will show it again."""

    @abstractmethod
    def _write(self, order: OpenOrder, fields: Fields) -> DeliveryResult:
        """The call, once."""

    @abstractmethod
    def _request(self, order: OpenOrder, fields: Fields) -> Request:
        """The request, for people."""

    # --- the protocol ---

    def preview(self, actions: Sequence[Action]) -> list[Request]:
        """The requests with every part of the address hidden."""
        orders, destinations = self._orders(actions), self._destinations(actions)
        requests = []
        for action in actions:
            found, where = orders.get(action.action_key) or (), destinations.get(action.action_key)
            fields: Fields = {"error": NOT_SHOWN} if where is None else dict.fromkeys(self._fields(where), HIDDEN)
            requests.append(self._request(found[0] if found else OpenOrder("", "", {}), fields))
        return requests

    def look_up(self, actions: Sequence[Action]) -> dict[str, Found | None]:
        return {
            key: Found(verification.vendor_ids, True, verification.detail) if verification.ok else None
            for key, verification in self.read_back(actions).items()
        }

    def send(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]:
        try:
            orders, destinations = self._orders(actions), self._destinations(actions)
        except ConnectorError as error:
            # Only read so far: nothing was written.
            failed = DeliveryResult(Outcome.FAILED, detail=str(error), retryable=error.retryable)
            return {action.action_key: failed for action in actions}
        return {
            action.action_key: self._send(orders[action.action_key], destinations.get(action.action_key))
            for action in actions
        }

    def read_back(self, actions: Sequence[Action]) -> dict[str, Verification]:
        orders, destinations = self._orders(actions), self._destinations(actions)
        result = {}
        for action in actions:
            found, where = orders[action.action_key], destinations.get(action.action_key)
            ids = tuple(order.id for order in found)
            if len(found) != 1 or where is None:
                result[action.action_key] = Verification(False, NO_ORDER if len(found) != 1 else NOT_SHOWN, ids)
                continue
            is_there = _holds(found[0], self._fields(where))
            result[action.action_key] = Verification(is_there, THERE if is_there else "it is not there", ids)
        return result

    def _send(self, orders: Sequence[OpenOrder], where: Destination | None) -> DeliveryResult:
        if len(orders) != 1:
            return DeliveryResult(Outcome.FAILED, detail=NO_ORDER)
        if where is None:
            return DeliveryResult(Outcome.FAILED, (orders[0].id,), NOT_SHOWN, retryable=True)
        fields = self._fields(where)
        if _holds(orders[0], fields):
            return DeliveryResult(Outcome.SENT, (orders[0].id,), THERE)
        if orders[0].is_entered:
            return DeliveryResult(Outcome.FAILED, (orders[0].id,), LEFT_ALONE)
        return self._write(orders[0], fields)

    def _destinations(self, actions: Sequence[Action]) -> dict[str, Destination]:
        """By action key; absent where the marketplace shows none."""
        found: dict[str, Destination] = {}
        by_marketplace: dict[str, list[Action]] = {}
        for action in actions:
            by_marketplace.setdefault(action.marketplace_code, []).append(action)
        for marketplace, some in by_marketplace.items():
            shown = self._destinations_of(marketplace, [str(one.payload.get("order_reference") or "") for one in some])
            for one in some:
                if (where := shown.get(str(one.payload.get("order_reference") or ""))) is not None:
                    found[one.action_key] = where
        return found


def without_words(result: DeliveryResult) -> DeliveryResult:
    """Without what the ERP said: a refusal may quote the address."""
    return replace(result, detail="the ERP did not take the address; what it says may name a person and is not kept")


def _holds(order: OpenOrder, fields: Fields) -> bool:
    return all(order.fields.get(name) == value for name, value in fields.items())
