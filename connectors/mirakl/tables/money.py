"""Raw tables of money: transaction lines (TL02, TL05), billing cycles (SBC11), documents (IV01, IV02), document
requests (DR11, DR12), and what an operator has to debit and refund (PA11, PA12).

Signs are Mirakl's: a credit to the shop is positive in lines and cycles; documents state what the shop is charged.
"""

from __future__ import annotations

from connectors.columns import amount, key, stamp, text
from connectors.mirakl.tables.orders import PAYMENT_WORKFLOWS
from connectors.records import Source, TableSpec

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
        text("shop_corporate_name"),
        text("shop_tax_number"),
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

INVOICE_FILES = TableSpec(
    "mirakl_invoice_files",
    (
        key("document_id"),
        text("sha256", required=True),
        amount("byte_count", required=True),
        text("content_type", required=True),
    ),
)

DOCUMENT_TYPES = frozenset({"INVOICE", "CREDIT_NOTE"})
DOCUMENT_LINE_TYPES = frozenset(
    [
        "PRODUCT_DEBIT",
        "PRODUCT_CREDIT_CANCEL",
        "PRODUCT_CREDIT_CANCEL_COMMERCIAL_GESTURE",
        "PRODUCT_CREDIT_CANCEL_ADJUSTMENT",
        "PRODUCT_CREDIT_REFUND",
        "PRODUCT_CREDIT_REFUND_COMMERCIAL_GESTURE",
        "PRODUCT_CREDIT_REFUND_ADJUSTMENT",
        "PURCHASE_ORDER_DEBIT",
        "PURCHASE_ORDER_CREDIT",
        "FEES_DEBIT_COMMISSION",
        "FEES_CREDIT_COMMISSION_REFUND",
        "FEES_DEBIT_SUBSCRIPTION",
        "FEES_DEBIT_SELLER_FEE_ON_ORDER",
        "FEES_DEBIT_SELLER_PENALTY_FEE",
        "FEES_CREDIT_ONE_OFF",
        "FEES_DEBIT_ONE_OFF",
    ]
)

DOCUMENT_REQUESTS = TableSpec(
    "mirakl_document_requests",
    (
        key("id"),
        text("type", known=DOCUMENT_TYPES),
        text("state", known={"STAGING", "TO_PROCESS", "ISSUED", "CANCELED"}),
        text(
            "entity_type",
            known={
                "PRODUCT_LOGISTIC_ORDER",
                "SHOP_BILLING_CYCLE_PURCHASE_ORDER",
                "LOGISTIC_PURCHASE_ORDER",
                "FEES",
                "ONE_OFF_FEES",
            },
        ),
        key("entity_id", required=False),
        text("document_number"),
        text("currency_iso_code"),
        stamp("date_created"),
        stamp("last_updated"),
        stamp("issue_date"),
        stamp("due_date"),
        amount("total_amount_excluding_taxes", required=True),
        amount("total_tax_amount"),
        amount("total_amount_including_taxes", required=True),
        text("issuer_type", "issuer.type", known={"OPERATOR", "SHOP"}),
        key("issuer_id", "issuer.id", required=False),
        text("recipient_type", "recipient.type", known={"CUSTOMER", "SHOP", "OPERATOR"}),
        key("shop_billing_cycle_id", "entities.shop_billing_cycle.id", required=False),
        stamp("shop_billing_cycle_from", "entities.shop_billing_cycle.date_from"),
        stamp("shop_billing_cycle_to", "entities.shop_billing_cycle.date_to"),
        text("initial_payment_state", known={"PAID", "NOT_PAID"}),
        text("payment_state", "payment.state", known={"PAID", "PENDING"}),
        text("payment_reference", "payment.reference"),
        stamp("payment_transaction_date", "payment.transaction_date"),
    ),
)

DOCUMENT_REQUEST_TAXES = TableSpec(
    "mirakl_document_request_taxes",
    (
        key("document_request_id", "/id"),
        text("code"),
        amount("rate"),
        amount("amount", ("total_amount", "amount"), required=True),
    ),
    DOCUMENT_REQUESTS.name,
    (Source("taxes"),),
)

DOCUMENT_REQUEST_ORIGINALS = TableSpec(
    "mirakl_document_request_originals",
    (
        key("document_request_id", "/id"),
        key("original_id", "id"),
        text("type", known=DOCUMENT_TYPES),
        text("number"),
        stamp("issue_date"),
    ),
    DOCUMENT_REQUESTS.name,
    (Source("initial_documents"),),
)

DOCUMENT_REQUEST_LINES = TableSpec(
    "mirakl_document_request_lines",
    (
        key("id"),
        key("document_request_id"),
        text("entity_type", known=DOCUMENT_LINE_TYPES),
        key("entity_id", required=False),
        key("order_id", "order.id", required=False),
        key("commercial_id", "order.commercial_id", required=False),
        key("order_line_id", "order_line.id", required=False),
        key("shop_id", "shop.id", required=False),
        text("product_sku", "product.sku"),
        amount("quantity"),
        amount("unit_price_excluding_taxes"),
        amount("price_excluding_taxes"),
        amount("shipping_price_excluding_taxes"),
        amount("total_price_including_taxes"),
        stamp("operation_date"),
        stamp("period_from", "period.date_from"),
        stamp("period_to", "period.date_to"),
    ),
)

DOCUMENT_REQUEST_LINE_TAXES = TableSpec(
    "mirakl_document_request_line_taxes",
    (
        key("document_request_line_id", "/id"),
        text("tax_kind", required=True),
        text("code"),
        amount("rate"),
        amount("amount", required=True),
    ),
    DOCUMENT_REQUEST_LINES.name,
    (Source("taxes", {"tax_kind": "PRICE"}), Source("shipping_taxes", {"tax_kind": "SHIPPING"})),
)

PAYMENT_DEBITS = TableSpec(
    "mirakl_payment_debits",
    (
        key("order_id"),
        key("commercial_id", "order_commercial_id", required=False),
        key("shop_id", required=False),
        amount("amount", required=True),
        text("currency_iso_code"),
        text("payment_workflow", known=PAYMENT_WORKFLOWS),
        text("debit_entity_type", "debit_entity.type"),
        key("debit_entity_id", "debit_entity.id", required=False),
    ),
)

PAYMENT_DEBIT_LINES = TableSpec(
    "mirakl_payment_debit_lines",
    (
        key("order_id", "/order_id"),
        key("order_line_id"),
        key("offer_id", required=False),
        amount("amount", "order_line_amount", required=True),
        amount("quantity", "order_line_quantity"),
    ),
    PAYMENT_DEBITS.name,
    (Source("order_lines"),),
)

PAYMENT_REFUNDS = TableSpec(
    "mirakl_payment_refunds",
    (
        key("order_id"),
        key("commercial_id", "order_commercial_id", required=False),
        key("shop_id", required=False),
        amount("amount"),
        text("currency_iso_code"),
        text("payment_workflow", known=PAYMENT_WORKFLOWS),
    ),
)

PAYMENT_REFUND_ITEMS = TableSpec(
    "mirakl_payment_refund_items",
    (
        key("order_id", "/order_id"),
        key("order_line_id", "order_lines/order_line_id"),
        key("refund_id", "id"),
        amount("amount", required=True),
    ),
    PAYMENT_REFUNDS.name,
    (Source("order_lines.refunds"),),
)
