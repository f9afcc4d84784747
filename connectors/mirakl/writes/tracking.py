"""Says how an order (OR23) or a shipment (ST23) travels. Neither ships anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from connectors.delivery import Action, DeliveryResult, Found, Outcome, Request, Verification
from connectors.http import Call
from connectors.mirakl.client import MiraklConnector
from connectors.mirakl.writes.by_platform import ByPlatform
from connectors.mirakl.writes.calls import ORDER_TRACKING, ORDERS_PATH, SHIPMENT_TRACKING, SHIPMENTS_PATH
from connectors.mirakl.writes.order_write import OrderWrite
from connectors.mirakl.writes.orders import BEFORE_SHIPPING, ENDED_UNSENT, Order
from connectors.mirakl.writes.parcels import Tracking, tracking
from connectors.mirakl.writes.payloads import identifier
from connectors.mirakl.writes.platform import Platform
from connectors.mirakl.writes.sending import Desk, Unfit
from connectors.mirakl.writes.shipment_write import ShipmentWrite
from connectors.mirakl.writes.shipments import CANCELED, MAXIMUM_SHIPMENTS, Shipment


@dataclass(frozen=True, slots=True)
class OrderTracking:
    order_id: str
    tracking: Tracking
    order_tax_mode: str | None = None


@dataclass(frozen=True, slots=True)
class ParcelTracking:
    order_id: str
    shipment_id: str
    tracking: Tracking


class TrackingDelivery(ByPlatform):
    """Sets carrier and tracking number. A payload holds `order_id`, the tracking (`carrier_code`, or `carrier_name` and
    `tracking_url`; `tracking_number`, `carrier_standard_code`), and on a platform with several shipments per order
    `shipment_id`.

    Precondition: PC01 tells whether orders (OR23) or shipments (ST23) carry tracking, and whether a carrier may be
    named freely; OR11 shows the order past its payment and neither refused nor canceled, ST11 shows the shipment, not
    canceled.
    Look-up: OR11 or ST11 shows this tracking. A tracking is a state: the last one sent counts, a repeat does no harm.
    """

    kind = "TRACKING"

    def __init__(self, connector: MiraklConnector) -> None:
        platform = Platform(Desk(connector))
        super().__init__(
            platform, _OrderTrackingDelivery(connector, platform), _ShipmentTrackingDelivery(connector, platform)
        )


class _OrderTrackingDelivery(OrderWrite[OrderTracking]):
    """OR23, for platforms that ship an order as a whole."""

    kind = "TRACKING"

    def __init__(self, connector: MiraklConnector, platform: Platform) -> None:
        super().__init__(connector)
        self._platform = platform

    def wanted(self, action: Action) -> OrderTracking:
        return OrderTracking(identifier(action.payload, "order_id"), tracking(action.payload))

    def requests(self, wanted: OrderTracking) -> list[Request]:
        return [tracking_request(self.desk, wanted.order_id, wanted.tracking)]

    def held(self, key: str, wanted: OrderTracking, order: Order) -> Found | None:
        wrong = tracking_differences(order, wanted.tracking)
        return None if wrong else Found((order.order_id,), True, "the order has this tracking")

    def check(self, key: str, wanted: OrderTracking, order: Order) -> None:
        check_carrier(wanted.tracking, self._platform)
        if order.order_state in BEFORE_SHIPPING:
            raise Unfit(f"order {order.order_id} is still {order.order_state}", is_for_now=True)
        if order.order_state in ENDED_UNSENT:
            raise Unfit(f"order {order.order_id} is {order.order_state}: nothing of it travels")

    def write(self, key: str, wanted: OrderTracking, order: Order) -> DeliveryResult:
        write_tracking(self.desk, wanted.order_id, wanted.tracking)
        return DeliveryResult(Outcome.SENT, (wanted.order_id,), "the tracking is set")

    def verify(self, key: str, wanted: OrderTracking, order: Order) -> Verification:
        wrong = tracking_differences(order, wanted.tracking)
        return Verification(not wrong, "; ".join(wrong) or "the order has this tracking", (order.order_id,))


class _ShipmentTrackingDelivery(ShipmentWrite[ParcelTracking]):
    """ST23, for platforms with several shipments per order."""

    kind = "TRACKING"
    call: ClassVar[Call] = SHIPMENT_TRACKING
    method = "POST"
    path = f"{SHIPMENTS_PATH}/tracking"
    maximum = MAXIMUM_SHIPMENTS

    def __init__(self, connector: MiraklConnector, platform: Platform) -> None:
        super().__init__(connector)
        self._platform = platform

    def wanted(self, action: Action) -> ParcelTracking:
        payload = action.payload
        return ParcelTracking(identifier(payload, "order_id"), identifier(payload, "shipment_id"), tracking(payload))

    def element(self, wanted: ParcelTracking) -> dict[str, Any]:
        return {"id": wanted.shipment_id, "tracking": wanted.tracking.for_shipment()}

    def check(self, wanted: ParcelTracking, shipment: Shipment) -> None:
        check_carrier(wanted.tracking, self._platform)
        if shipment.status == CANCELED:
            raise Unfit(f"shipment {shipment.id} is {CANCELED}: nothing of it travels")

    def verify(self, wanted: ParcelTracking, shipment: Shipment | None) -> Verification:
        if shipment is None:
            return Verification(False, f"order {wanted.order_id} has no shipment {wanted.shipment_id}")
        wrong = shipment_differences(shipment, wanted.tracking)
        return Verification(not wrong, "; ".join(wrong) or "the shipment has this tracking", (shipment.id,))


def check_carrier(wanted: Tracking, platform: Platform) -> None:
    """Raises Unfit where only registered carriers are taken."""
    if wanted.carrier_code is None and not platform.takes_free_carrier_names:
        raise Unfit("the platform takes registered carriers only: the tracking needs a carrier_code")


def tracking_request(desk: Desk, order_id: str, wanted: Tracking) -> Request:
    return desk.request("PUT", f"{ORDERS_PATH}/{order_id}/tracking", wanted.for_order())


def write_tracking(desk: Desk, order_id: str, wanted: Tracking) -> None:
    """OR23, once. Raises a ConnectorError."""
    desk.write(ORDER_TRACKING, "PUT", f"{ORDERS_PATH}/{order_id}/tracking", wanted.for_order())


def tracking_differences(order: Order, wanted: Tracking) -> list[str]:
    return wanted.differences(
        order.shipping_carrier_code, order.shipping_company, order.shipping_tracking, order.shipping_tracking_url
    )


def shipment_differences(shipment: Shipment, wanted: Tracking) -> list[str]:
    held = shipment.tracking
    if held is None:
        return ["the shipment has no tracking"]
    return wanted.differences(held.carrier_code, held.carrier_name, held.tracking_number, held.tracking_url)
