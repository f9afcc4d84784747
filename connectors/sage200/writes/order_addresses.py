"""The delivery address of a sales order: header members of `PUT /sop_orders/{Id}`, under Sage's lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.addresses import (
    Destination,
    DestinationsOf,
    Fields,
    OpenOrder,
    OrderAddressDelivery,
    without_words,
)
from connectors.delivery import Action, DeliveryResult, Outcome, Request
from connectors.errors import ConnectorError
from connectors.sage200.endpoints import SALES_ORDER
from connectors.sage200.writes import documents as d
from connectors.sage200.writes.codes import Codes
from connectors.sage200.writes.orders import CANCELLED, COMPLETE, address_of, number_of, says_locked
from connectors.sage200.writes.sending import Desk, Unfit, failed_read, failed_write


class SageOrderAddressDelivery(OrderAddressDelivery):
    """An order with `use_invoice_address` off has an address that somebody entered."""

    def __init__(self, desk: Desk, codes: Codes, destinations_of: DestinationsOf) -> None:
        super().__init__(destinations_of)
        self.desk = desk
        self.codes = codes
        self.settle_seconds = desk.settle_seconds

    def _orders(self, actions: Sequence[Action]) -> Mapping[str, Sequence[OpenOrder]]:
        numbers = {str(action.payload.get("order_reference") or "") for action in actions} - {""}
        rows = self.desk.by_key("sop_orders", numbers, member="customer_document_no", expand="delivery_address")
        found: dict[str, list[OpenOrder]] = {}
        for action in actions:
            here = rows.get(str(action.payload.get("order_reference") or ""), [])
            try:
                customer = self.codes.customer(str(action.payload.get("customer_reference") or ""))["id"] if here else 0
            except Unfit:
                here, customer = [], 0
            found[action.action_key] = [
                OpenOrder(
                    str(row["id"]),
                    number_of(row),
                    row.get("delivery_address") or {},
                    is_entered=row.get("use_invoice_address") is False and bool(row.get("delivery_address")),
                )
                for row in here
                if row.get("customer_id") == customer
                and not row.get("is_draft")
                and row.get("document_status") not in (CANCELLED, COMPLETE)
            ]
        return found

    def _fields(self, destination: Destination) -> Fields:
        return address_of(
            d.Address(
                addressee=destination.addressee,
                attention=destination.addressee,
                street_1=", ".join(part for part in (destination.company, destination.street_1) if part) or None,
                street_2=destination.street_2,
                city=destination.city,
                state=destination.state,
                postcode=destination.postcode,
                phone=destination.phone,
            )
        )

    def _write(self, order: OpenOrder, fields: Fields) -> DeliveryResult:
        try:
            lock_id = self.desk.single("sop_orders", int(order.id), expand="is_to_lock").get("lock_id")
        except ConnectorError as error:
            if says_locked(error):
                return Unfit(f"the order is locked: {error}", is_for_now=True).result()
            return failed_read(error)
        body = {"is_editing": False, "lock_id": lock_id, "use_invoice_address": False, "delivery_address": fields}
        try:
            self.desk.write(SALES_ORDER, body, method="PUT", path=f"/{SALES_ORDER.name}/{order.id}")
        except ConnectorError as error:
            return without_words(failed_write(error))
        return DeliveryResult(Outcome.SENT, (order.id,), f"order {order.number} has its delivery address")

    def _request(self, order: OpenOrder, fields: Fields) -> Request:
        body = {"is_editing": False, "use_invoice_address": False, "delivery_address": fields}
        return self.desk.request("PUT", f"/{SALES_ORDER.name}/{order.id}", body)
