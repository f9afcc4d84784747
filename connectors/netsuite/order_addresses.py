"""The delivery address of a sales order: its sub-record `shippingAddress`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from connectors.addresses import (
    Destination,
    DestinationsOf,
    Fields,
    OpenOrder,
    OrderAddressDelivery,
    without_words,
)
from connectors.delivery import Action, DeliveryResult, Outcome, Request
from connectors.errors import BadPayload, ConnectorError
from connectors.http import Answer, Call
from connectors.netsuite import documents as d
from connectors.netsuite.accounts import VENDOR
from connectors.netsuite.client import NetSuiteConnector
from connectors.netsuite.document_delivery import address_of
from connectors.netsuite.order_cancellations import OPEN
from connectors.netsuite.records import RECORD_PATH, WRITE_HEADERS, Records, encoded, result_of

READ = Call("GET salesOrder")


class _Address(msgspec.Struct, frozen=True):
    shippingAddress: dict[str, object] | None = None  # the vendor's name


class NetSuiteOrderAddressDelivery(OrderAddressDelivery):
    """NetSuite fills in the customer's own address by itself: nothing tells it from one that somebody entered."""

    def __init__(self, connector: NetSuiteConnector, destinations_of: DestinationsOf) -> None:
        super().__init__(destinations_of)
        self._connector = connector
        self._records = Records(connector)

    def _orders(self, actions: Sequence[Action]) -> Mapping[str, Sequence[OpenOrder]]:
        named = self._records.orders_named(str(action.payload.get("order_reference") or "") for action in actions)
        found: dict[str, list[OpenOrder]] = {}
        for action in actions:
            rows = named.get(str(action.payload.get("order_reference") or ""), [])
            found[action.action_key] = [
                OpenOrder(row["id"], row.get("tranid") or row["id"], self._held(row["id"]))
                for row in rows
                if row.get("customer") == action.payload.get("customer_reference")
                and row["status"] in OPEN
                and row.get("voided") != "T"
            ]
        return found

    def _held(self, identifier: str) -> Fields:
        def parse(answer: Answer) -> Fields:
            try:
                held = msgspec.json.decode(answer.body, type=_Address).shippingAddress or {}
            except (msgspec.DecodeError, ValueError) as error:
                raise BadPayload(
                    "the answer is no order", vendor=VENDOR, call=READ.name, status=answer.status
                ) from error
            country = held.get("country")
            return {**held, "country": {"id": country["id"]}} if isinstance(country, dict) else held

        path = f"{RECORD_PATH}/salesOrder/{identifier}"
        return self._connector.client.read(READ, path, {"expandSubResources": "true"}, parse)

    def _fields(self, destination: Destination) -> Fields:
        return address_of(
            d.Address(
                addressee=destination.company or destination.addressee,
                attention=destination.addressee if destination.company else None,
                street_1=destination.street_1,
                street_2=destination.street_2,
                city=destination.city,
                state=destination.state,
                postcode=destination.postcode,
                country=destination.country,
                phone=destination.phone,
            )
        )

    def _write(self, order: OpenOrder, fields: Fields) -> DeliveryResult:
        try:
            self._records.write("PATCH", f"salesOrder/{order.id}", {"shippingAddress": fields})
        except ConnectorError as error:
            return without_words(result_of(error))
        return DeliveryResult(Outcome.SENT, (order.id,), f"order {order.number} has its delivery address")

    def _request(self, order: OpenOrder, fields: Fields) -> Request:
        headers = {"Authorization": "***", **WRITE_HEADERS}
        body = encoded({"shippingAddress": fields}).decode()
        return Request("PATCH", self._records.url(f"salesOrder/{order.id}"), headers, body)
