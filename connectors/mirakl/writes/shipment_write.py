"""What all writes to shipments that exist have in common: look, check, write many in one call, look again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from connectors.delivery import Action, DeliveryResult, Found, Outcome, Request, Verification
from connectors.errors import ConnectorError
from connectors.http import Call
from connectors.mirakl.client import MiraklConnector
from connectors.mirakl.writes.sending import Desk, Unfit, failed_read
from connectors.mirakl.writes.shipments import Shipment, read_shipments, write_shipments


class Wanted(Protocol):
    @property
    def order_id(self) -> str: ...

    @property
    def shipment_id(self) -> str: ...


W = TypeVar("W", bound=Wanted)


class ShipmentWrite(ABC, Generic[W]):
    """A delivery whose actions each change one shipment. Payloads name the order too, because shipments can only be
    read by their order.
    """

    kind: str
    call: ClassVar[Call]
    method: ClassVar[str]
    path: ClassVar[str]
    maximum: ClassVar[int]

    def __init__(self, connector: MiraklConnector) -> None:
        self.desk = Desk(connector)

    # --- what a kind of write decides ---

    @abstractmethod
    def wanted(self, action: Action) -> W:
        """The payload. Raises Unfit."""

    @abstractmethod
    def element(self, wanted: W) -> dict[str, Any]:
        """The shipment's part of the body; it holds the shipment's `id`."""

    @abstractmethod
    def verify(self, wanted: W, shipment: Shipment | None) -> Verification:
        """Whether the shipment is as wanted. None: its order has no such shipment."""

    @abstractmethod
    def check(self, wanted: W, shipment: Shipment) -> None:
        """The precondition. Raises Unfit."""

    # --- the protocol ---

    def preview(self, actions: Sequence[Action]) -> list[Request]:
        elements = [self.element(wanted) for wanted in self._readable(actions).values()]
        return [
            self.desk.request(self.method, self.path, {"shipments": elements[start : start + self.maximum]})
            for start in range(0, len(elements), self.maximum)
        ]

    def look_up(self, actions: Sequence[Action]) -> dict[str, Found | None]:
        found: dict[str, Found | None] = {}
        for key, verification in self.read_back(actions).items():
            found[key] = Found(verification.vendor_ids, True, verification.detail) if verification.ok else None
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
            shipments = self._shipments(wanted.values())
        except ConnectorError as error:
            return results | dict.fromkeys(wanted, failed_read(error))
        elements: dict[str, dict[str, Any]] = {}
        taken: set[str] = set()
        for key, one in wanted.items():
            try:
                done = self._checked(one, shipments.get(one.shipment_id), taken)
            except Unfit as unfit:
                results[key] = unfit.result()
                continue
            if done is not None:
                results[key] = done
            else:
                elements[key] = self.element(one)
                taken.add(one.shipment_id)
        written = write_shipments(self.desk, self.call, self.method, self.path, elements, maximum=self.maximum)
        return results | {key: one.result for key, one in written.items()}

    def read_back(self, actions: Sequence[Action]) -> dict[str, Verification]:
        wanted = self._readable(actions)
        shipments = self._shipments(wanted.values())
        result = {a.action_key: Verification(False, "the payload cannot be read") for a in actions}
        for key, one in wanted.items():
            result[key] = self.verify(one, shipments.get(one.shipment_id))
        return result

    def _checked(self, wanted: W, shipment: Shipment | None, taken: set[str]) -> DeliveryResult | None:
        """A result when nothing has to be sent. Raises Unfit when nothing may be."""
        verification = self.verify(wanted, shipment)
        if verification.ok:
            return DeliveryResult(Outcome.SENT, verification.vendor_ids, f"already there: {verification.detail}")
        if shipment is None:
            raise Unfit(f"order {wanted.order_id} has no shipment {wanted.shipment_id}")
        if wanted.shipment_id in taken:
            raise Unfit(f"another action of this batch changes shipment {wanted.shipment_id}", is_for_now=True)
        self.check(wanted, shipment)
        return None

    def _readable(self, actions: Sequence[Action]) -> dict[str, W]:
        wanted: dict[str, W] = {}
        for action in actions:
            try:
                wanted[action.action_key] = self.wanted(action)
            except Unfit:
                continue  # it cannot have been sent, and `send` says why it cannot be
        return wanted

    def _shipments(self, wanted: Any) -> dict[str, Shipment]:
        read = read_shipments(self.desk, (one.order_id for one in wanted))
        return {shipment.id: shipment for shipments in read.values() for shipment in shipments}
