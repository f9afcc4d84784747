"""Declares goods as sent: the whole order (OR23, OR24), or a shipment of some of its lines (ST01, ST24)."""

from __future__ import annotations

from connectors.delivery import Action, DeliveryResult, Found, Outcome, Request, Verification
from connectors.mirakl.client import MiraklConnector
from connectors.mirakl.writes.by_platform import ByPlatform
from connectors.mirakl.writes.calls import ORDERS_PATH, SHIP_ORDER
from connectors.mirakl.writes.dispatch_payload import Dispatch, read_dispatch
from connectors.mirakl.writes.dispatch_shipments import ShipmentDispatchDelivery
from connectors.mirakl.writes.order_write import OrderWrite
from connectors.mirakl.writes.orders import BEFORE_SHIPPING, ENDED_UNSENT, SENT, Order
from connectors.mirakl.writes.platform import Platform
from connectors.mirakl.writes.sending import Desk, Unfit
from connectors.mirakl.writes.tracking import check_carrier, tracking_differences, tracking_request, write_tracking


class DispatchDelivery(ByPlatform):
    """Declares goods as sent. A payload holds `order_id`, the tracking (as TRACKING takes it; may be left out), and
    `lines`, a list of `{"order_line_id", "quantity", "package_reference"?}`; with several shipments per order also
    `invoice_reference` and `warehouse_code`, if wanted.

    PC01 tells which calls: OR23 (when there is a tracking) and OR24 for the whole order, or ST01 with `shipped`, and
    ST24 when the new shipment did not leave by that.

    Precondition: OR11 shows the order in SHIPPING. As a whole: `lines`, when given, are all that is left of the order,
    because OR24 ships everything. As a shipment: with the shipments that ST11 shows, no line is sent more often than it
    was ordered.
    Look-up: OR11 shows the order as sent, with this tracking; or ST11 shows a shipment of these lines that carries our
    package reference (the action's wire key where the payload has none), else this tracking number. A shipment that
    exists but has not left is only shipped, never created again. Repeating OR24 or ST24 is refused and does no harm,
    repeating ST01 would send twice.
    """

    kind = "DISPATCH"

    def __init__(self, connector: MiraklConnector) -> None:
        platform = Platform(Desk(connector))
        super().__init__(
            platform, _OrderDispatchDelivery(connector, platform), ShipmentDispatchDelivery(connector, platform)
        )


class _OrderDispatchDelivery(OrderWrite[Dispatch]):
    """OR23 and OR24, for platforms that ship an order as a whole."""

    kind = "DISPATCH"

    def __init__(self, connector: MiraklConnector, platform: Platform) -> None:
        super().__init__(connector)
        self._platform = platform

    def wanted(self, action: Action) -> Dispatch:
        return read_dispatch(action)

    def requests(self, wanted: Dispatch) -> list[Request]:
        ship = self.desk.request("PUT", _path(wanted))
        if wanted.tracking is None:
            return [ship]
        return [tracking_request(self.desk, wanted.order_id, wanted.tracking), ship]

    def held(self, key: str, wanted: Dispatch, order: Order) -> Found | None:
        if order.order_state not in SENT:
            return None
        wrong = _tracking_is_missing(wanted, order)
        detail = "; ".join([f"the order is {order.order_state}", *wrong])
        return Found((order.order_id,), not wrong, detail)

    def check(self, key: str, wanted: Dispatch, order: Order) -> None:
        if wanted.tracking is not None:
            check_carrier(wanted.tracking, self._platform)
        if order.order_state in BEFORE_SHIPPING:
            raise Unfit(f"order {order.order_id} is still {order.order_state}", is_for_now=True)
        if order.order_state != "SHIPPING" and order.order_state not in SENT:
            raise Unfit(f"order {order.order_id} is {order.order_state}, not SHIPPING")
        sent = wanted.quantities()
        if not sent:
            return
        for line in order.order_lines:
            if line.order_line_state in ENDED_UNSENT or line.quantity is None:
                continue
            canceled = sum(c.quantity or 0 for c in line.cancelations or ())
            if sent.get(line.order_line_id, 0) not in {line.quantity, line.quantity - canceled}:
                raise Unfit(
                    f"line {line.order_line_id} has {line.quantity} and {sent.get(line.order_line_id, 0)} are sent: "
                    "this platform ships an order only as a whole"
                )

    def write(self, key: str, wanted: Dispatch, order: Order) -> DeliveryResult:
        if wanted.tracking is not None and _tracking_is_missing(wanted, order):
            write_tracking(self.desk, wanted.order_id, wanted.tracking)
        if order.order_state not in SENT:
            self.desk.write(SHIP_ORDER, "PUT", _path(wanted))
        return DeliveryResult(Outcome.SENT, (wanted.order_id,), "the order is declared as sent")

    def verify(self, key: str, wanted: Dispatch, order: Order) -> Verification:
        wrong = _tracking_is_missing(wanted, order)
        if order.order_state not in SENT:
            wrong.insert(0, f"the order is {order.order_state}")
        return Verification(not wrong, "; ".join(wrong) or f"the order is {order.order_state}", (order.order_id,))


def _path(wanted: Dispatch) -> str:
    return f"{ORDERS_PATH}/{wanted.order_id}/ship"


def _tracking_is_missing(wanted: Dispatch, order: Order) -> list[str]:
    return [] if wanted.tracking is None else tracking_differences(order, wanted.tracking)
