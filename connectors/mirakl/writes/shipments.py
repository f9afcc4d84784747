"""Shipments as a write looks at them before and after (ST11 by order), and the calls that take many of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from connectors.delivery import DeliveryResult, Outcome
from connectors.errors import ConnectorError
from connectors.http import Call
from connectors.mirakl.writes.calls import SHIPMENTS, SHIPMENTS_PATH
from connectors.mirakl.writes.sending import Desk, failed_write, parsed

NOT_SENT_YET = frozenset({"SHIPPING", "READY_FOR_PICK_UP", "SHIPMENT_PREPARED"})
SENT = frozenset({"SHIPPED", "TO_COLLECT", "RECEIVED", "CLOSED"})
CANCELED = "CANCELED"
MAXIMUM_SHIPMENTS = 1000
"""ST01, ST06, ST23 and ST24 take at most this many."""
MAXIMUM_ORIGINS = 100
"""ST07 takes at most this many."""


class ShipmentLine(msgspec.Struct, frozen=True):
    quantity: int
    order_line_id: str | None = None
    package_reference: str | None = None


class ShipmentTracking(msgspec.Struct, frozen=True):
    carrier_code: str | None = None
    carrier_name: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None


class Warehouse(msgspec.Struct, frozen=True):
    code: str | None = None


class Origin(msgspec.Struct, frozen=True):
    warehouse: Warehouse | None = None


class Shipment(msgspec.Struct, frozen=True):
    id: str
    order_id: str
    status: str = ""
    shipment_lines: list[ShipmentLine] | None = None
    tracking: ShipmentTracking | None = None
    shipping_from: Origin | None = None

    @property
    def warehouse_code(self) -> str | None:
        warehouse = self.shipping_from.warehouse if self.shipping_from else None
        return warehouse.code if warehouse else None


class _Done(msgspec.Struct):
    id: str
    order_id: str | None = None
    status: str | None = None


class _Error(msgspec.Struct):
    id: str | None = None
    order_id: str | None = None
    message: str | None = None


class _Answer(msgspec.Struct):
    """`shipment_*` as the schema names the lists, `deletion_*` as the example of ST06 does."""

    shipment_success: list[_Done] | None = None
    shipment_errors: list[_Error] | None = None
    deletion_success: list[_Done] | None = None
    deletion_errors: list[_Error] | None = None


def read_shipments(desk: Desk, order_ids: Iterable[str]) -> dict[str, list[Shipment]]:
    """All shipments of the orders, by order; one chain of pages per order, because no limit on their number is
    published. An order without any has an empty list. Raises a ConnectorError when not all could be read.
    """
    return {
        order_id: [
            shipment
            for shipment in desk.chain(SHIPMENTS, SHIPMENTS_PATH, {"order_id": order_id}, Shipment)
            if shipment.order_id == order_id
        ]
        for order_id in sorted(set(order_ids) - {""})
    }


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one element; `status` is the shipment's own, where the answer shows it."""

    result: DeliveryResult
    status: str | None = None


def write_shipments(
    desk: Desk, call: Call, method: str, path: str, elements: Mapping[str, Mapping[str, Any]], *, maximum: int
) -> dict[str, Written]:
    """Send elements (by action key), `maximum` a call, and give each its own result.

    An element is told apart in the answer by its `id`, or, where it has none yet, by its `order_id`; the caller sees
    to it that no two elements of one call share theirs. A 200 or 201 proves nothing by itself: an element in neither
    list is UNKNOWN.
    """
    results: dict[str, Written] = {}
    keys = list(elements)
    for start in range(0, len(keys), maximum):
        batch = {key: elements[key] for key in keys[start : start + maximum]}
        try:
            answer = parsed(desk.write(call, method, path, {"shipments": list(batch.values())}), _Answer, call)
        except ConnectorError as error:
            results |= dict.fromkeys(batch, Written(failed_write(error)))
            continue
        done = [*(answer.shipment_success or ()), *(answer.deletion_success or ())]
        errors = [*(answer.shipment_errors or ()), *(answer.deletion_errors or ())]
        for key, element in batch.items():
            results[key] = _result(call, element, done, errors)
    return results


def _result(call: Call, element: Mapping[str, Any], done: list[_Done], errors: list[_Error]) -> Written:
    name = "id" if "id" in element else "order_id"

    def is_meant(one: _Done | _Error) -> bool:
        return bool(getattr(one, name) == element[name])

    success = next((one for one in done if is_meant(one)), None)
    messages = [one.message or "refused without a reason" for one in errors if is_meant(one)]
    if success is not None and not messages:
        return Written(DeliveryResult(Outcome.SENT, (success.id,), f"{call.name} took it"), success.status)
    if messages and success is None:
        return Written(DeliveryResult(Outcome.FAILED, detail="; ".join(messages)))
    what = "names it as done and as refused" if messages else "does not name it"
    return Written(DeliveryResult(Outcome.UNKNOWN, detail=f"{call.name}: the answer {what}"))
