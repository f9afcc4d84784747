"""Sales orders with their lines."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from sandbox.world.catalogue import COLLECTED, ZERO
from sandbox.world.erp import sale_tax_code
from sandbox.world.model import ErpLine, ErpOrder
from sandbox.world.money import five_places, pounds, unit_price
from sandbox.world.sage.ids import (
    CURRENCY_IDS,
    NIL,
    TAX_CODE_IDS,
    WAREHOUSE_IDS,
)
from sandbox.world.stamps import calendar_date, iso_trimmed, london_date

_STATUSES = {
    "LIVE": "EnumDocumentStatusLive",
    "ON_HOLD": "EnumDocumentStatusOnHold",
    "COMPLETE": "EnumDocumentStatusComplete",
    "CANCELLED": "EnumDocumentStatusCancelled",
}


_UK_ANALYSIS = {1: "MKP-UK-STD", 21: "MKP-UK-RED", 2: "MKP-UK-ZERO"}
ANALYSIS_CODES = (*_UK_ANALYSIS.values(), "MKP-EXPORT", "MKP-COLLECTED")
"""What the company marks marketplace sales with for its VAT reconciliation."""


def sop_order(order: ErpOrder, customers: dict[str, int]) -> dict[str, Any]:
    goods = sum(line.net for line in order.lines if line.kind == "ITEM")
    charge = sum(line.net for line in order.lines if line.kind == "CHARGE")
    charge_tax = sum(line.tax for line in order.lines if line.kind == "CHARGE")
    tax = sum(line.tax for line in order.lines)
    full = "EnumDocumentProcessStatusFull"
    none = "EnumDocumentProcessStatusNone"
    day = calendar_date(london_date(order.created))
    wanted = calendar_date(london_date(order.created) + timedelta(days=3))
    analysis = {f"analysis_code_{slot}": "" for slot in range(2, 6)}
    return {
        "id": order.id,
        "document_no": order.document_no,
        "document_date": day,
        "document_status": "EnumDocumentStatusDraft" if order.is_draft else _STATUSES[order.status],
        "despatch_receipt_status": full if order.is_despatched_in_full else none,
        "invoice_credit_status": full if order.is_invoiced else none,
        "cancelled_status": full if order.is_cancelled else none,
        "customer_type": "EnumCustomerTypeCredit",
        "customer_id": customers[order.customer],
        "customer_document_no": order.customer_document_no,
        "currency_id": CURRENCY_IDS[order.currency],
        "exchange_rate": Decimal("1.000000"),
        "is_draft": order.is_draft,
        "is_credit_limit_exceeded": False,
        "use_invoice_address": False,
        "subtotal_goods_value": pounds(goods),
        "subtotal_charge_net_value": pounds(charge),
        "subtotal_charge_tax_value": pounds(charge_tax),
        "subtotal_discount_value": NIL,
        "total_net_value": pounds(goods + charge),
        "total_tax_value": pounds(tax),
        "total_gross_value": pounds(goods + charge + tax),
        "settlement_discount_days": 0,
        "settlement_discount_percent": NIL,
        "document_discount_percent": NIL,
        "document_created_by": "Order import" if order.order is not None else "Order Desk",
        "order_priority": "",
        "external_reference": "",
        "requested_delivery_date": wanted,
        "promised_delivery_date": wanted,
        "payment_with_order": False,
        "payment_value": NIL,
        "payment_method_id": 0,
        "order_value_discount_id": 0,
        "analysis_code_1": order.analysis,
        **analysis,
        "lines": [_sop_line(order, line, number) for number, line in enumerate(order.lines, start=1)],
        # Not a member of the resource: the despatches that Sage shows in views of their own.
        "_despatches": [
            {
                "despatch_no": despatch.number,
                "despatch_date": calendar_date(london_date(despatch.at)),
                "date_time_created": iso_trimmed(despatch.at),
                "courier_name": despatch.carrier,
                "consignment_no": despatch.tracking,
                "quantities": {
                    order.id * 10 + place + 1: five_places(quantity) for place, quantity in despatch.quantities.items()
                },
            }
            for despatch in order.despatches
        ],
        "date_time_created": iso_trimmed(order.created),
        "date_time_updated": iso_trimmed(order.updated),
    }


def vat_analysis_code(order: ErpOrder, line: ErpLine) -> str:
    """How the import marks a line for the VAT reconciliation: by where its sale went and who owes the tax on it.

    The sale decides, not what somebody has made of the line's tax code since.
    """
    if order.order is None:
        return ""
    sold = next((sold for sold in order.order.lines if sold.id == line.order_line_id), None)
    code = line.tax_code if sold is None else sale_tax_code(sold)
    if code == COLLECTED:
        return "MKP-COLLECTED"
    if code == ZERO and order.order.ship_to != "GBR":
        return "MKP-EXPORT"
    return _UK_ANALYSIS.get(code, "")


def _sop_line(order: ErpOrder, line: ErpLine, number: int) -> dict[str, Any]:
    is_item = line.kind == "ITEM"
    quantity = five_places(line.quantity)
    none, full = "EnumLineStatusNone", "EnumLineStatusFully"
    nothing = five_places(0)
    left = order.despatched_of(number - 1)
    despatched = order.despatched is not None and left >= line.quantity
    is_allocated = order.is_open and is_item
    return {
        "id": order.id * 10 + number,
        "sop_order_id": order.id,
        "line_number": number,
        "line_type": "EnumLineTypeStandard" if is_item else "EnumLineTypeCharge",
        "product_id": line.item.product_id if line.item is not None else 0,
        "warehouse_id": WAREHOUSE_IDS["MAIN"] if is_item else 0,
        "code": line.item.code if line.item is not None else "CARRIAGE",
        "description": line.description,
        "line_quantity": quantity,
        "allocated_quantity": quantity if is_allocated else nothing,
        "despatch_receipt_quantity": five_places(left) if left else nothing,
        "invoice_credit_quantity": quantity if order.is_invoiced else nothing,
        "posted_invoice_credit_quantity": quantity if order.is_invoiced else nothing,
        "allocation_status": full if is_allocated or despatched else none,
        "despatch_receipt_status": full if despatched else none,
        "invoice_credit_status": full if order.is_invoiced else none,
        "selling_unit_price": unit_price(line.net, max(1, line.quantity)),
        "unit_discount_percent": NIL,
        "unit_discount_value": nothing,
        "line_total_value": pounds(line.net),
        "line_tax_value": pounds(line.tax),
        "tax_code_id": TAX_CODE_IDS[line.tax_code],
        "nominal_reference": "4100" if is_item else "4905",
        "nominal_cost_centre": "",
        "nominal_department": "",
        "analysis_code_1": line.order_line_id,
        "analysis_code_2": vat_analysis_code(order, line),
        "analysis_code_3": "",
        "analysis_code_4": "",
        "analysis_code_5": "",
    }
