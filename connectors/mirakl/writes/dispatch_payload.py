"""The payload of a DISPATCH."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from connectors.delivery import Action
from connectors.mirakl.writes.parcels import Tracking, tracking
from connectors.mirakl.writes.payloads import count, identifier, objects, optional_text, text
from connectors.mirakl.writes.sending import Unfit

_INVOICE_REFERENCE = re.compile(r"[0-9a-zA-Z_-]{1,255}")
"""What ST01 allows."""


@dataclass(frozen=True, slots=True)
class SentLine:
    order_line_id: str
    quantity: int
    package_reference: str | None


@dataclass(frozen=True, slots=True)
class Dispatch:
    order_id: str
    lines: tuple[SentLine, ...]
    tracking: Tracking | None
    invoice_reference: str | None
    warehouse_code: str | None
    order_tax_mode: str | None = None

    def quantities(self) -> Counter[str]:
        """Pieces sent, by order line."""
        sent: Counter[str] = Counter()
        for line in self.lines:
            sent[line.order_line_id] += line.quantity
        return sent

    def as_shipment(self) -> dict[str, Any]:
        """As ST01 takes it."""
        shipment: dict[str, Any] = {
            "order_id": self.order_id,
            "shipment_lines": [
                {"order_line_id": line.order_line_id, "quantity": line.quantity}
                | ({"package_reference": line.package_reference} if line.package_reference else {})
                for line in self.lines
            ],
            "shipped": True,
        }
        if self.tracking is not None:
            shipment["tracking"] = self.tracking.for_shipment()
        if self.invoice_reference is not None:
            shipment["invoice_reference"] = self.invoice_reference
        if self.warehouse_code is not None:
            shipment["shipping_from"] = {"warehouse": {"code": self.warehouse_code}}
        return shipment


def read_dispatch(action: Action) -> Dispatch:
    """The payload of an action; lines without a package reference get its wire key. Raises Unfit."""
    payload = action.payload
    has_tracking = any(payload.get(name) for name in ("carrier_code", "carrier_name", "tracking_number"))
    invoice_reference = optional_text(payload, "invoice_reference")
    if invoice_reference is not None and not _INVOICE_REFERENCE.fullmatch(invoice_reference):
        raise Unfit("invoice_reference may only hold letters, digits, - and _, at most 255")
    lines = tuple(
        SentLine(
            text(line, "order_line_id"),
            count(line, "quantity", minimum=1),
            optional_text(line, "package_reference") or action.wire_key or None,
        )
        for line in objects(payload, "lines")
    )
    if len({(line.order_line_id, line.package_reference) for line in lines}) != len(lines):
        raise Unfit("an order line stands twice in one package: add its quantities up")
    return Dispatch(
        identifier(payload, "order_id"),
        lines,
        tracking(payload) if has_tracking else None,
        invoice_reference,
        optional_text(payload, "warehouse_code"),
    )
