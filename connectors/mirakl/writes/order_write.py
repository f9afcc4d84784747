"""What all writes to one order have in common: look, check, write once, look again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from connectors.delivery import Action, DeliveryResult, Found, Outcome, Request, Verification
from connectors.errors import ConnectorError
from connectors.mirakl.client import MiraklConnector
from connectors.mirakl.writes.orders import Order, read_orders
from connectors.mirakl.writes.sending import Desk, Unfit, failed_read, failed_write


class Wanted(Protocol):
    """A payload that has been read. `order_tax_mode` None means the connector's own."""

    @property
    def order_id(self) -> str: ...

    @property
    def order_tax_mode(self) -> str | None: ...


W = TypeVar("W", bound=Wanted)


class OrderWrite(ABC, Generic[W]):
    """A delivery whose actions each change one order. All orders of a batch are read in one call per hundred, directly
    before the first of them is written to.
    """

    kind: str

    def __init__(self, connector: MiraklConnector) -> None:
        self.desk = Desk(connector)

    # --- what a kind of write decides ---

    @abstractmethod
    def wanted(self, action: Action) -> W:
        """The payload. Raises Unfit."""

    @abstractmethod
    def requests(self, wanted: W) -> list[Request]:
        """The requests as they go out when nothing of the action is there yet."""

    @abstractmethod
    def held(self, key: str, wanted: W, order: Order) -> Found | None:
        """Whether the order already shows the action's effect."""

    @abstractmethod
    def check(self, key: str, wanted: W, order: Order) -> None:
        """The precondition. Raises Unfit."""

    @abstractmethod
    def write(self, key: str, wanted: W, order: Order) -> DeliveryResult:
        """The call, once. Raises a ConnectorError of that call, and no other."""

    @abstractmethod
    def verify(self, key: str, wanted: W, order: Order) -> Verification: ...

    # --- the protocol ---

    def preview(self, actions: Sequence[Action]) -> list[Request]:
        return [request for wanted in self._readable(actions).values() for request in self.requests(wanted)]

    def look_up(self, actions: Sequence[Action]) -> dict[str, Found | None]:
        wanted = self._readable(actions)
        orders = self._orders(wanted.values())
        found: dict[str, Found | None] = dict.fromkeys((a.action_key for a in actions), None)
        for key, one in wanted.items():
            order = orders.get(_place(one))
            if order is not None:
                found[key] = self.held(key, one, order)
        return found

    def send(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]:
        results: dict[str, DeliveryResult] = {}
        wanted: dict[str, W] = {}
        for action in actions:
            try:
                wanted[action.action_key] = self.wanted(action)
            except Unfit as unfit:
                results[action.action_key] = unfit.result()
        try:
            orders = self._orders(wanted.values())
        except ConnectorError as error:
            return results | dict.fromkeys(wanted, failed_read(error))
        touched: set[str] = set()
        for key, one in wanted.items():
            if one.order_id in touched:
                # What was read of this order is no longer how it is.
                results[key] = Unfit(f"order {one.order_id} was written to a moment ago", is_for_now=True).result()
                continue
            results[key] = result = self._send(key, one, orders.get(_place(one)))
            if result.outcome is not Outcome.FAILED:
                touched.add(one.order_id)
        return results

    def read_back(self, actions: Sequence[Action]) -> dict[str, Verification]:
        wanted = self._readable(actions)
        orders = self._orders(wanted.values())
        result = {a.action_key: Verification(False, "the payload cannot be read") for a in actions}
        for key, one in wanted.items():
            order = orders.get(_place(one))
            result[key] = (
                Verification(False, f"the shop has no order {one.order_id}")
                if order is None
                else self.verify(key, one, order)
            )
        return result

    def _send(self, key: str, wanted: W, order: Order | None) -> DeliveryResult:
        if order is None:
            return Unfit(f"the shop has no order {wanted.order_id}", is_for_now=True).result()
        found = self.held(key, wanted, order)
        if found is not None and found.complete:
            verification = self.verify(key, wanted, order)
            if not verification.ok:
                return Unfit(f"it is there already, but differently: {verification.detail}").result()
            return DeliveryResult(Outcome.SENT, found.vendor_ids, f"already there: {found.detail}")
        try:
            self.check(key, wanted, order)
        except Unfit as unfit:
            return unfit.result()
        try:
            return self.write(key, wanted, order)
        except ConnectorError as error:
            return failed_write(error)

    def _readable(self, actions: Sequence[Action]) -> dict[str, W]:
        wanted: dict[str, W] = {}
        for action in actions:
            try:
                wanted[action.action_key] = self.wanted(action)
            except Unfit:
                continue  # it cannot have been sent, and `send` says why it cannot be
        return wanted

    def _orders(self, wanted: Iterable[W]) -> dict[tuple[str, str | None], Order]:
        """The orders by id and tax mode: amounts are only comparable in the mode in which they are meant."""
        ids: dict[str | None, set[str]] = {}
        for one in wanted:
            ids.setdefault(one.order_tax_mode, set()).add(one.order_id)
        return {
            (order_id, mode): order
            for mode, order_ids in ids.items()
            for order_id, order in read_orders(self.desk, order_ids, order_tax_mode=mode).items()
        }


def _place(wanted: Wanted) -> tuple[str, str | None]:
    return wanted.order_id, wanted.order_tax_mode
