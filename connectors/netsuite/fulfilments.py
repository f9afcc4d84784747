"""Ships orders: NetSuite makes a fulfilment only from its order, and ships in full whatever is not named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connectors.netsuite import documents as d
from connectors.netsuite.records import NIL, BadRecord, Held, decimal_of
from connectors.netsuite.writing import Evidence, RecordDelivery, date_difference, differences

SHIPPABLE = frozenset({"InvtPart", "NonInvtPart", "Assembly", "Kit"})
ORDER_TYPE = "SalesOrd"


class FulfilmentDelivery(RecordDelivery[d.ItemFulfillment]):
    """Writes fulfilments of kind FULFILMENT; the payload is `connectors.netsuite.documents.ItemFulfillment`."""

    kind = "FULFILMENT"
    record = "itemFulfillment"
    prefix = "IF"
    type_code = "ItemShip"

    def _document(self, payload: Mapping[str, Any]) -> d.ItemFulfillment:
        return d.read(payload, d.ItemFulfillment)

    def _path(self, document: d.ItemFulfillment) -> str:
        return f"salesOrder/{self._order(document).id}/!transform/{self.record}"

    def _order(self, document: d.ItemFulfillment) -> Held:
        order = self._records.one(document.order_external_id)
        if order.type != ORDER_TYPE:
            raise BadRecord(f"{document.order_external_id} is a {order.type}, not an order")
        return order

    def _body(self, document: d.ItemFulfillment) -> dict[str, Any]:
        if document.ship_status not in d.SHIP_STATUSES:
            raise BadRecord(f"ship status {document.ship_status!r} is none of A (picked), B (packed), C (shipped)")
        day = document.ship_date[:10]
        body: dict[str, Any] = {
            "tranDate": day,
            "postingPeriod": {"id": self._records.period_of(day, with_receivables=False)},
            "shipStatus": {"id": document.ship_status},
            "item": {"items": self._items(document)},
        }
        if document.narrative:
            body["memo"] = document.narrative[:200]
        if document.packages:
            body["package"] = {"items": [_package(package) for package in document.packages]}
        return body

    def _items(self, document: d.ItemFulfillment) -> list[dict[str, Any]]:
        """Every open line of the order: the named ones with their quantities, the others switched off."""
        order = self._order(document)
        named = {line.order_line: line for line in document.lines}
        if not named or len(named) != len(document.lines):
            raise BadRecord("no lines, or a line that is named twice")
        open_lines = {int(row["id"]): row for row in self._records.item_lines([order.id])[order.id] if _is_open(row)}
        if strange := sorted(named.keys() - open_lines.keys()):
            raise BadRecord(f"order {order.tran_id or order.id} has no open line {', '.join(map(str, strange))}")
        items: list[dict[str, Any]] = []
        for number, row in open_lines.items():
            line = named.get(number)
            if line is None:
                items.append({"orderLine": number, "itemReceive": False})
                continue
            quantity = d.positive(line.quantity, d.QUANTITY_DECIMALS, f"line {number}: the quantity")
            if quantity > (left := _left(row)):
                raise BadRecord(f"line {number}: {quantity} to ship, {left} left in the order")
            item: dict[str, Any] = {"orderLine": number, "itemReceive": True, "quantity": quantity}
            if line.location_name is not None:
                where = "the warehouse's mapping"
                item["location"] = {"id": self._records.id_of("location", "name", line.location_name, where)}
            items.append(item)
        return items

    def _evidence(self, held: Sequence[Held]) -> Mapping[str, Evidence]:
        found: dict[str, dict[str, Decimal]] = {}
        for identifier, lines in self._records.item_lines(h.id for h in held).items():
            here = found.setdefault(identifier, {})
            for line in lines:
                item = f"item id {line['item']}"
                here[item] = here.get(item, NIL) - decimal_of(line.get("quantity"))
        return found

    def _differences(self, document: d.ItemFulfillment, held: Held, evidence: Evidence) -> list[str]:
        order = self._order(document)
        if held.created_from != order.id:
            return [f"it ships order id {held.created_from}, wanted {order.id}"]
        items = {int(row["id"]): row["item"] for row in self._records.item_lines([order.id])[order.id]}
        wanted: dict[str, Decimal] = {}
        for line in document.lines:
            item = f"item id {items.get(line.order_line, f'of line {line.order_line}')}"
            wanted[item] = wanted.get(item, NIL) + d.positive(line.quantity, d.QUANTITY_DECIMALS, "the quantity")
        different = [*date_difference(held, document.ship_date[:10]), *differences(evidence, wanted, "is shipped")]
        if held.status != document.ship_status:
            different.append(f"its status is {held.status}, wanted {document.ship_status}")
        return different


def _left(row: Mapping[str, str]) -> Decimal:
    """What an order line has still to ship; ordered quantities are negative, shipped ones are not."""
    return -decimal_of(row.get("quantity")) - decimal_of(row.get("quantityshiprecv"))


def _is_open(row: Mapping[str, str]) -> bool:
    return row.get("itemtype") in SHIPPABLE and row.get("isclosed") != "T" and _left(row) > 0


def _package(package: d.Package) -> dict[str, Any]:
    found: dict[str, Any] = {"packageTrackingNumber": package.tracking_number}
    if package.description:
        found["packageDescr"] = package.description
    if package.weight:
        found["packageWeight"] = d.positive(package.weight, 4, "the weight")
    return found
