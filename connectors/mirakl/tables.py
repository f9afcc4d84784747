"""The raw tables of the Mirakl seller API: which members of a record are kept, and under which column name.

Personal data stops here: of a customer only country, state and the outward part of the postcode reach a table.
Amounts are in the order's or line's currency, in the tax mode of the order; signs are Mirakl's (credit to the shop
positive).
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
PAYMENT_STATES = frozenset(["PENDING", "PAYABLE", "PAID", "NOT_APPLICABLE", "RESERVE", "PAYMENT_IN_PROGRESS"])
PAY_OUT_STATES = frozenset(["TO_PAY", "PAID", "FAILED"])
TRANSACTION_TYPES = frozenset(
    [
        "MANUAL_CREDIT",
        "MANUAL_CREDIT_VAT",
        "MANUAL_INVOICE",
        "MANUAL_INVOICE_VAT",
        "INVOICEABLE_ONE_OFF_DEBIT",
        "INVOICEABLE_ONE_OFF_DEBIT_TAX",
        "INVOICEABLE_ONE_OFF_CREDIT",
        "INVOICEABLE_ONE_OFF_CREDIT_TAX",
        "ORDER_AMOUNT",
        "ORDER_AMOUNT_TAX",
        "ORDER_SHIPPING_AMOUNT",
        "ORDER_SHIPPING_AMOUNT_TAX",
        "COMMISSION_FEE",
        "COMMISSION_VAT",
        "REFUND_ORDER_AMOUNT",
        "REFUND_ORDER_AMOUNT_TAX",
        "REFUND_ORDER_SHIPPING_AMOUNT",
        "REFUND_ORDER_SHIPPING_AMOUNT_TAX",
        "REFUND_COMMISSION_FEE",
        "REFUND_COMMISSION_VAT",
        "SUBSCRIPTION_FEE",
        "SUBSCRIPTION_VAT",
        "OPERATOR_REMITTED_ORDER_AMOUNT_TAX",
        "OPERATOR_REMITTED_ORDER_SHIPPING_AMOUNT_TAX",
        "OPERATOR_REMITTED_REFUND_ORDER_AMOUNT_TAX",
        "OPERATOR_REMITTED_REFUND_ORDER_SHIPPING_AMOUNT_TAX",
        "OPERATOR_PAID_ORDER_SHIPPING_AMOUNT",
        "OPERATOR_PAID_ORDER_SHIPPING_AMOUNT_TAX",
        "OPERATOR_PAID_REFUND_ORDER_SHIPPING_AMOUNT",
        "OPERATOR_PAID_REFUND_ORDER_SHIPPING_AMOUNT_TAX",
        "PAYMENT",
        "PURCHASE_COMMISSION_FEE",
        "PURCHASE_SHIPPING_COMMISSION_FEE",
        "PURCHASE_ORDER_AMOUNT_TAX",
        "PURCHASE_ORDER_SHIPPING_AMOUNT_TAX",
        "REFUND_PURCHASE_COMMISSION_FEE",
        "REFUND_PURCHASE_SHIPPING_COMMISSION_FEE",
        "REFUND_PURCHASE_ORDER_AMOUNT_TAX",
        "REFUND_PURCHASE_ORDER_SHIPPING_AMOUNT_TAX",
        "ORDER_FEE_AMOUNT",
        "OPERATOR_REMITTED_ORDER_FEE_AMOUNT",
        "REFUND_ORDER_FEE_AMOUNT",
        "OPERATOR_REMITTED_REFUND_ORDER_FEE_AMOUNT",
        "PURCHASE_FEE_COMMISSION_FEE",
        "REFUND_PURCHASE_FEE_COMMISSION_FEE",
        "RESERVE_FUNDING",
        "RESERVE_SETTLEMENT",
        "SELLER_FEE_ON_ORDER",
        "SELLER_FEE_ON_ORDER_TAX",
        "SELLER_PENALTY_FEE",
        "SELLER_PENALTY_FEE_TAX",
    ]
)
INACTIVITY_SEPARATOR = "|"


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
    """The outward part of a British postcode (`YO1` of `YO1 1AA`); of any other form nothing is kept."""
    value = msgspec.json.decode(postcode, type=str | int | None)
    match = re.fullmatch(r"\s*([A-Z]{1,2}\d[A-Z\d]?)\s*\d[A-Z]{2}\s*", str(value or "").upper())
    return match.group(1) if match else None


def joined(values: bytes) -> str | None:
    """A list of codes as one text, in the vendor's order."""
    decoded = msgspec.json.decode(values, type=list[str] | None)
    return None if decoded is None else INACTIVITY_SEPARATOR.join(decoded)


ORDERS = TableSpec(
    "mirakl_orders",
    (
        key("order_id"),
        key("commercial_id", required=False),
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

TRANSACTION_LINES = TableSpec(
    "mirakl_transaction_lines",
    (
        key("id"),
        text("type", required=True, known=TRANSACTION_TYPES),
        amount("amount", required=True),
        amount("amount_credited"),
        amount("amount_debited"),
        amount("balance"),
        amount("psp_balance"),
        text("currency_iso_code", required=True),
        stamp("date_created", required=True),
        stamp("last_updated"),
        text("payment_state", known=PAYMENT_STATES),
        text("accounting_document_number"),
        text("accounting_document_id"),
        stamp("accounting_document_creation_date"),
        key("seller_billing_cycle_id", required=False),
        text("payment_voucher_number"),
        text("pay_out_psp_code"),
        text("domain", "entities.domain"),
        key("order_id", "entities.order.id", required=False),
        key("commercial_id", "entities.order.commercial_id", required=False),
        key("order_line_id", "entities.order_line.id", required=False),
        key("refund_id", "entities.refund.id", required=False),
        key("debit_id", "entities.debit.id", required=False),
        key("shipment_id", "entities.shipment.id", required=False),
        text("order_tax_code", "entities.order_tax.code"),
        amount("order_tax_rate", "entities.order_tax.rate"),
        text("shop_tax_code", "entities.shop_tax.code"),
        amount("shop_tax_rate", "entities.shop_tax.rate"),
        text("fee_code", "entities.fee.code"),
        text("order_fee_code", "entities.order_fee.code"),
        text("manual_document_number", "entities.manual_accounting_document.number"),
        text("one_off_description", "entities.one_off_item.description"),
        text("transaction_number", "entities.transaction_info.number"),
        stamp("transaction_date", "entities.transaction_info.date"),
        key("shop_id", "shop.id", required=False),
    ),
)

BILLING_CYCLES = TableSpec(
    "mirakl_billing_cycles",
    (
        key("id"),
        stamp("date_created", required=True),
        text("currency_iso_code", required=True),
        amount("amount_transferred_to_seller", required=True),
        amount("amount_transferred_to_operator"),
        text("pay_out_state", "pay_out.state", known=PAY_OUT_STATES),
        text("pay_out_reference", "pay_out.reference"),
        stamp("pay_out_transaction_date", "pay_out.transaction_date"),
        text("pay_out_failure_reason", "pay_out.failure_reason"),
        text("pay_out_psp_code"),
        text("payment_voucher_number"),
        key("shop_id", "shop.shop_id", required=False),
    ),
)

BILLING_CYCLE_TOTALS = TableSpec(
    "mirakl_billing_cycle_totals",
    (key("billing_cycle_id", "/id"), text("name", required=True), amount("amount")),
    BILLING_CYCLES.name,
    (Source("summary", is_mapping=True),),
)

INVOICES = TableSpec(
    "mirakl_invoices",
    (
        key("id"),
        key("invoice_id", required=False),
        text("type", required=True, known={"AUTO_INVOICE", "MANUAL_INVOICE", "MANUAL_CREDIT"}),
        text("state", known={"DRAFT", "GENERATED", "COMPLETE"}),
        stamp("date_created"),
        stamp("issue_date"),
        stamp("due_date"),
        stamp("start_time"),
        stamp("end_time"),
        text("currency_iso_code", required=True),
        amount("total_amount_excl_taxes", required=True),
        amount("total_amount_incl_taxes", required=True),
        key("seller_billing_cycle_id", required=False),
        amount("amount_transferred", "summary.amount_transferred"),
        text("payment_state", "payment.state", known={"PENDING", "PAID", "FAILED"}),
        text("payment_reference", "payment.reference"),
        stamp("payment_transaction_date", "payment.transaction_date"),
        text("payment_failure_reason", "payment.failure_reason"),
        key("shop_id", required=False),
    ),
)

INVOICE_DETAILS = TableSpec(
    "mirakl_invoice_details",
    (
        key("invoice_key", "/id"),
        text("description"),
        amount("quantity"),
        amount("amount_excl_taxes", required=True),
        key("order_id", required=False),
        stamp("operation_date"),
    ),
    INVOICES.name,
    (Source("details"),),
)

INVOICE_TAXES = TableSpec(
    "mirakl_invoice_taxes",
    (key("invoice_key", "/id"), text("code"), amount("amount", required=True)),
    INVOICES.name,
    (Source("total_taxes"),),
)

OFFERS = TableSpec(
    "mirakl_offers",
    (
        key("offer_id"),
        key("shop_sku"),
        text("product_sku"),
        text("product_title"),
        text("state_code"),
        amount("quantity", required=True),
        amount("price"),
        amount("total_price"),
        text("currency_iso_code"),
        flag("active"),
        text("inactivity_reasons", via=joined),
        text("category_code"),
        amount("leadtime_to_ship"),
        amount("min_order_quantity"),
        amount("package_quantity"),
    ),
)

ACCOUNT = TableSpec(
    "mirakl_account",
    (
        key("shop_id"),
        text("shop_name"),
        text("currency_iso_code"),
        text("shop_state", known={"OPEN", "CLOSE", "SUSPENDED", "TERMINATED"}),
        text("suspension_type", known={"MANUAL", "PENDING_APPROVAL", "INCOMPLETE_PROFILE", "AUTOMATIC_SUSPENSION"}),
        text("model", known={"MARKETPLACE", "DROPSHIP", "ONE_CREDITOR"}),
        amount("paid_balance", "payment_details.paid_balance"),
        amount("payable_balance", "payment_details.payable_balance"),
        amount("pending_balance", "payment_details.pending_balance"),
        amount("reserve_balance", "payment_details.reserve_balance"),
    ),
)

PLATFORM = TableSpec(
    "mirakl_platform",
    (
        text("order_tax_mode", "features.order_tax_mode", known=TAX_MODES),
        flag("payment_confirmation", "features.payment_confirmation"),
        flag("multi_shipment", "features.shipment.multi_shipment"),
        flag("tax_collection_by_operator", "features.tax_collection.tax_collection_by_operator"),
        text("offer_prices_decimals", "features.offer_prices_decimals"),
        text("operator_csv_delimiter", "features.operator_csv_delimiter", known={"COMMA", "SEMICOLON"}),
        text(
            "order_acceptance",
            "features.order_workflows.order_acceptance",
            known={"AUTOMATIC", "NOT_AUTOMATIC", "BOTH"},
        ),
        text("time_zone", "timezone"),
    ),
)

CARRIERS = TableSpec(
    "mirakl_carriers",
    (key("code"), text("label"), text("standard_code"), text("tracking_url")),
)
