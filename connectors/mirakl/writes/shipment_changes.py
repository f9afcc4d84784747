"""Deletes shipments that were created by mistake (ST06) and says from which warehouse they leave (ST07)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from connectors.delivery import Action, Verification
from connectors.http import Call
from connectors.mirakl.writes.calls import DELETE_SHIPMENTS, SHIPMENT_ORIGINS, SHIPMENTS_PATH
from connectors.mirakl.writes.payloads import identifier, text
from connectors.mirakl.writes.sending import Unfit
from connectors.mirakl.writes.shipment_write import ShipmentWrite
from connectors.mirakl.writes.shipments import CANCELED, MAXIMUM_ORIGINS, MAXIMUM_SHIPMENTS, SENT, Shipment


@dataclass(frozen=True, slots=True)
class Deletion:
    order_id: str
    shipment_id: str


@dataclass(frozen=True, slots=True)
class NewOrigin:
    order_id: str
    shipment_id: str
    warehouse_code: str


class ShipmentDeletionDelivery(ShipmentWrite[Deletion]):
    """Deletes shipments. A payload holds `order_id` and `shipment_id`.

    Precondition: ST11 shows the shipment in SHIPPING; one that left cannot be deleted.
    Look-up: ST11 shows no such shipment of the order. A repeat is refused by Mirakl and does no harm.
    """

    kind = "SHIPMENT_DELETION"
    call: ClassVar[Call] = DELETE_SHIPMENTS
    method = "PUT"
    path = f"{SHIPMENTS_PATH}/delete"
    maximum = MAXIMUM_SHIPMENTS

    def wanted(self, action: Action) -> Deletion:
        return Deletion(identifier(action.payload, "order_id"), identifier(action.payload, "shipment_id"))

    def element(self, wanted: Deletion) -> dict[str, Any]:
        return {"id": wanted.shipment_id}

    def check(self, wanted: Deletion, shipment: Shipment) -> None:
        if shipment.status != "SHIPPING":
            raise Unfit(f"shipment {shipment.id} is {shipment.status}: only one in SHIPPING can be deleted")

    def verify(self, wanted: Deletion, shipment: Shipment | None) -> Verification:
        if shipment is None:
            return Verification(True, f"order {wanted.order_id} has no shipment {wanted.shipment_id}")
        return Verification(False, f"the shipment is still there, {shipment.status}", (shipment.id,))


class ShipmentOriginDelivery(ShipmentWrite[NewOrigin]):
    """Sets the warehouse that a shipment leaves from. A payload holds `order_id`, `shipment_id` and `warehouse_code`.

    Precondition: ST11 shows the shipment, neither gone nor canceled.
    Look-up: ST11 shows the warehouse. It is a state: the last one sent counts, a repeat does no harm.
    """

    kind = "SHIPMENT_ORIGIN"
    call: ClassVar[Call] = SHIPMENT_ORIGINS
    method = "PUT"
    path = SHIPMENTS_PATH
    maximum = MAXIMUM_ORIGINS

    def wanted(self, action: Action) -> NewOrigin:
        payload = action.payload
        return NewOrigin(
            identifier(payload, "order_id"), identifier(payload, "shipment_id"), text(payload, "warehouse_code")
        )

    def element(self, wanted: NewOrigin) -> dict[str, Any]:
        return {"id": wanted.shipment_id, "shipping_from": {"warehouse": {"code": wanted.warehouse_code}}}

    def check(self, wanted: NewOrigin, shipment: Shipment) -> None:
        if shipment.status in SENT or shipment.status == CANCELED:
            raise Unfit(f"shipment {shipment.id} is {shipment.status}: its origin is history")

    def verify(self, wanted: NewOrigin, shipment: Shipment | None) -> Verification:
        if shipment is None:
            return Verification(False, f"order {wanted.order_id} has no shipment {wanted.shipment_id}")
        held = shipment.warehouse_code
        detail = f"the shipment leaves from {held or 'no named warehouse'}, wanted {wanted.warehouse_code}"
        return Verification(held == wanted.warehouse_code, detail, (shipment.id,))
