"""Raw tables of orders (OR11, OR15).

Amounts are in the order's currency and tax mode, never negative.
"""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec

from connectors.columns import amount, flag, key, stamp, text
from connectors.records import Source, TableSpec

ORDER_STATES = frozenset(
    [
        "STAGING",
        "WAITING_ACCEPTANCE",
        "WAITING_DEBIT",
        "WAITING_DEBIT_PAYMENT",
        "SHIPPING",
        "SHIPPED",
        "TO_COLLECT",
        "RECEIVED",
        "CLOSED",
        "REFUSED",
        "CANCELED",
        "WAITING_REFUND",
        "WAITING_REFUND_PAYMENT",
    ]
)
LINE_STATES = ORDER_STATES | {"INCIDENT_OPEN", "REFUNDED"}
TAX_MODES = frozenset({"TAX_INCLUDED", "TAX_EXCLUDED"})
PAYMENT_WORKFLOWS = frozenset(
    ["PAY_ON_ACCEPTANCE", "PAY_ON_DELIVERY", "PAY_ON_DUE_DATE", "PAY_ON_SHIPMENT", "NO_CUSTOMER_PAYMENT_CONFIRMATION"]
)
REFUND_STATES = frozenset(["WAITING_REFUND_TAX_CONFIRMATION", "WAITING_REFUND", "WAITING_REFUND_PAYMENT", "REFUNDED"])
TAX_RULES = frozenset({"NONE", "PROPORTIONAL_TO_AMOUNT"})


class _BreakdownPart(msgspec.Struct):
    amount: msgspec.Raw
    payable_to_shop: bool = False
    debitable_from_customer: bool = True


def operator_funded(parts: bytes) -> str | None:
    """The share of a price that the operator pays to the shop instead of the customer: Σ of such parts, None without a
    breakdown.
    """
    decoded = msgspec.json.decode(parts, type=list[_BreakdownPart] | None)
    if decoded is None:
        return None
    funded = [p for p in decoded if p.payable_to_shop and not p.debitable_from_customer]
    return format(sum((Decimal(bytes(p.amount).decode()) for p in funded), Decimal(0)), "f")


def payable_to_shop(parts: bytes) -> str | None:
    """`false` when no part of the amount goes to the shop (the operator remits the tax); None without a breakdown."""
    decoded = msgspec.json.decode(parts, type=list[_BreakdownPart] | None)
    if not decoded:
        return None
    return "true" if any(p.payable_to_shop for p in decoded) else "false"


def postcode_district(postcode: bytes) -> str | None:
    """The outward part of a British postcode (`YO1` of `YO1 1AA`, or alone); of any other form nothing is kept."""
    value = msgspec.json.decode(postcode, type=str | int | None)
    match = re.fullmatch(r"\s*([A-Z]{1,2}\d[A-Z\d]?)\s*(?:\d[A-Z]{2})?\s*", str(value or "").upper())
    return match.group(1) if match else None


ORDERS = TableSpec(
    "mirakl_orders",
    (
        key("order_id"),
        key("commercial_id", required=False),
        key("shop_id", required=False),
        stamp("created_date", required=True),
        stamp("last_updated_date"),
        stamp("acceptance_decision_date"),
        stamp("customer_debited_date"),
        text("currency_iso_code", required=True),
        text("order_state", required=True, known=ORDER_STATES),
        text("order_state_reason_code"),
        text("order_tax_mode", known=TAX_MODES),
        text("payment_workflow", known=PAYMENT_WORKFLOWS),
        amount("price", required=True),
        amount("shipping_price", required=True),
        amount("total_price", required=True),
        amount("total_commission"),
        flag("has_incident"),
        flag("fully_refunded"),
        stamp("shipping_deadline"),
        text("shipping_carrier_code"),
        text("shipping_company"),
        text("shipping_tracking"),
        text("shipping_type_code"),
        text("shipping_zone_code"),
        text("channel_code", "channel.code"),
        text("order_reference_for_customer", "references.order_reference_for_customer"),
        text("order_reference_for_seller", "references.order_reference_for_seller"),
        text("transaction_number"),
        stamp("transaction_date"),
        text("ship_to_country", ("customer.shipping_address.country_iso_code", "customer.shipping_address.country")),
        text("ship_to_state", "customer.shipping_address.state"),
        text("ship_to_postcode_district", "customer.shipping_address.zip_code", via=postcode_district),
    ),
)

ORDER_LINES = TableSpec(
    "mirakl_order_lines",
    (
        key("order_id", "/order_id"),
        key("order_line_id"),
        text("order_line_index"),
        text("order_line_state", required=True, known=LINE_STATES),
        text("order_line_state_reason_code"),
        key("offer_id", required=False),
        text("offer_sku"),
        text("offer_state_code"),
        text("product_sku"),
        text("category_code"),
        text("category_label"),
        amount("quantity", required=True),
        amount("price_unit"),
        amount("origin_unit_price"),
        amount("price", required=True),
        amount("shipping_price", required=True),
        amount("total_price", required=True),
        amount("commission_fee"),
        amount("total_commission"),
        stamp("created_date"),
        stamp("debited_date"),
        stamp("shipped_date"),
        stamp("received_date"),
        stamp("last_updated_date"),
        amount("operator_funded_amount", "price_amount_breakdown.parts", via=operator_funded),
    ),
    ORDERS.name,
    (Source("order_lines"),),
)

ORDER_LINE_TAXES = TableSpec(
    "mirakl_order_line_taxes",
    (
        key("order_id", "/order_id"),
        key("order_line_id", "order_lines/order_line_id"),
        text("parent_type", required=True),
        key("parent_id", ("^/id", "^/order_line_id")),
        text("tax_kind", required=True),
        text("code"),
        amount("rate"),
        amount("amount", required=True),
        text("tax_calculation_rule", known=TAX_RULES),
        flag("is_payable_to_shop", "amount_breakdown.parts", via=payable_to_shop),
    ),
    ORDERS.name,
    tuple(
        Source(f"{path}{member}", {"parent_type": parent_type, "tax_kind": tax_kind})
        for path, parent_type in (
            ("order_lines.", "LINE"),
            ("order_lines.refunds.", "REFUND"),
            ("order_lines.cancelations.", "CANCELATION"),
        )
        for member, tax_kind in (("taxes", "PRICE"), ("shipping_taxes", "SHIPPING"), ("commission_taxes", "COMMISSION"))
    ),
)

ORDER_LINE_REFUNDS = TableSpec(
    "mirakl_order_line_refunds",
    (
        key("order_id", "/order_id"),
        key("order_line_id", "order_lines/order_line_id"),
        key("refund_id", "id"),
        key("order_refund_id", required=False),
        stamp("created_date"),
        amount("amount", required=True),
        amount("shipping_amount"),
        amount("commission_amount"),
        amount("commission_tax_amount"),
        amount("commission_total_amount"),
        amount("quantity"),
        text("reason_code"),
        text("refund_state", ("refund_state", "state"), known=REFUND_STATES),
        text("transaction_number"),
        stamp("transaction_date"),
    ),
    ORDERS.name,
    (Source("order_lines.refunds"),),
)

ORDER_LINE_CANCELATIONS = TableSpec(
    "mirakl_order_line_cancelations",
    (
        key("order_id", "/order_id"),
        key("order_line_id", "order_lines/order_line_id"),
        key("cancelation_id", "id"),
        stamp("created_date"),
        amount("amount", required=True),
        amount("shipping_amount"),
        amount("commission_amount"),
        amount("commission_tax_amount"),
        amount("commission_total_amount"),
        amount("quantity"),
        text("reason_code"),
    ),
    ORDERS.name,
    (Source("order_lines.cancelations"),),
)
