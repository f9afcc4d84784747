"""Kinds of action that go one way on platforms that ship orders as a whole, and another on those with shipments."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.delivery import Action, Delivery, DeliveryResult, Found, Request, Verification
from connectors.errors import ConnectorError
from connectors.mirakl.writes.platform import Platform
from connectors.mirakl.writes.sending import failed_read


class ByPlatform:
    """A delivery that asks the platform's settings (PC01) which of two others it is."""

    kind: str

    def __init__(self, platform: Platform, of_orders: Delivery, of_shipments: Delivery) -> None:
        self._platform = platform
        self._of_orders = of_orders
        self._of_shipments = of_shipments

    def preview(self, actions: Sequence[Action]) -> list[Request]:
        return self._delivery().preview(actions)

    def look_up(self, actions: Sequence[Action]) -> dict[str, Found | None]:
        return self._delivery().look_up(actions)

    def send(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]:
        try:
            delivery = self._delivery()
        except ConnectorError as error:
            return dict.fromkeys((a.action_key for a in actions), failed_read(error))
        return delivery.send(actions)

    def read_back(self, actions: Sequence[Action]) -> dict[str, Verification]:
        return self._delivery().read_back(actions)

    def _delivery(self) -> Delivery:
        return self._of_shipments if self._platform.is_multi_shipment else self._of_orders
