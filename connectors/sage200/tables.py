"""The raw tables of the Sage 200 API: which members of a resource are kept, and under which column name.

Business dates are calendar dates that Sage writes as midnight `...T00:00:00Z`; `date_time_*` are true UTC instants. A
missing foreign key is `0`, a null member is left out, an empty text is `""`: staging tells them apart, not this page.
"""

from __future__ import annotations

from connectors.columns import amount, flag, key, stamp, text
from connectors.records import Column, Source, TableSpec

DOCUMENT_STATUSES = frozenset(
    f"EnumDocumentStatus{s}" for s in ("Live", "OnHold", "Complete", "Dispute", "Cancelled", "Draft", "Printed")
)
LINE_TYPES = frozenset(f"EnumLineType{s}" for s in ("Standard", "FreeText", "Charge", "Comment"))
TRADER_TRANSACTION_TYPES = frozenset(
    f"TradingAccountEntryType{s}"
    for s in (
        "Invoice",
        "CreditNote",
        "PurchasePaymentSalesReceipt",
        "PurchaseReceiptSalesPayment",
        "OpeningBalanceInvoice",
        "OpeningBalanceCreditNote",
        "DeletedRecord",
        "NOTUSED",
    )
)
ACCOUNT_STATUSES = frozenset({"AccountStatusActive", "AccountStatusHidden"})


def _analysis_codes() -> tuple[Column, ...]:
    """Slots 1 to 5 exist in every edition."""
    return tuple(text(f"analysis_code_{n}") for n in range(1, 6))


SOP_ORDERS = TableSpec(
    "sage200_sop_orders",
    (
        key("id"),
        text("document_no"),
        text("customer_document_no"),
        key("customer_id", required=False),
        stamp("document_date"),
        text("document_status", known=DOCUMENT_STATUSES),
        flag("is_draft"),
        text("despatch_receipt_status"),
        text("invoice_credit_status"),
        text("cancelled_status"),
        key("currency_id", required=False),
        amount("subtotal_goods_value"),
        amount("subtotal_charge_net_value"),
        amount("subtotal_charge_tax_value"),
        amount("total_net_value", required=True),
        amount("total_tax_value", required=True),
        amount("total_gross_value", required=True),
        *_analysis_codes(),
        stamp("requested_delivery_date"),
        stamp("promised_delivery_date"),
        stamp("date_time_created"),
        stamp("date_time_updated"),
    ),
)

SOP_ORDER_LINES = TableSpec(
    "sage200_sop_order_lines",
    (
        key("sop_order_id", "/id"),
        key("id"),
        text("line_number"),
        text("line_type", known=LINE_TYPES),
        key("product_id", required=False),
        text("code"),
        text("description"),
        amount("line_quantity"),
        amount("allocated_quantity"),
        amount("despatch_receipt_quantity"),
        amount("invoice_credit_quantity"),
        amount("posted_invoice_credit_quantity"),
        amount("selling_unit_price"),
        amount("unit_discount_value"),
        amount("line_total_value", required=True),
        amount("line_tax_value"),
        key("tax_code_id", required=False),
        key("warehouse_id", required=False),
        *_analysis_codes(),
        text("allocation_status"),
        text("despatch_receipt_status"),
        text("invoice_credit_status"),
        flag("is_complete"),
        stamp("requested_delivery_date"),
        stamp("promised_delivery_date"),
    ),
    SOP_ORDERS.name,
    (Source("lines"),),
)

PRODUCTS = TableSpec(
    "sage200_products",
    (
        key("id"),
        key("code"),
        text("name"),
        key("product_group_id", required=False),
        key("tax_code_id", required=False),
        text("product_status_type"),
        stamp("inactivation_date"),
        flag("allow_sales_order"),
        amount("free_stock_quantity"),
        amount("standard_cost"),
        amount("average_buying_price"),
        text("barcode"),
        stamp("date_time_updated"),
    ),
)

WAREHOUSES = TableSpec(
    "sage200_warehouses",
    (key("id"), key("name"), text("warehouse_type"), flag("use_for_sales_trading")),
)

WAREHOUSE_HOLDINGS = TableSpec(
    "sage200_warehouse_holdings",
    (
        key("id"),
        key("product_id"),
        key("warehouse_id"),
        amount("quantity_in_stock", required=True),
        amount("quantity_allocated"),
        amount("quantity_reserved"),
        amount("free_stock_available"),
        amount("quantity_on_order"),
        stamp("date_time_updated"),
    ),
)

CUSTOMERS = TableSpec(
    "sage200_customers",
    (
        key("id"),
        key("reference"),
        text("name"),
        key("currency_id", required=False),
        text("account_status_type", known=ACCOUNT_STATUSES),
        amount("balance"),
    ),
)

TAX_CODES = TableSpec("sage200_tax_codes", (key("id"), key("code"), text("name"), amount("tax_rate", required=True)))

CURRENCIES = TableSpec(
    "sage200_currencies",
    (
        key("id"),
        text("name"),
        text("symbol"),
        key("currency_iso_code_id", required=False),
        text("currency_iso_code", "currency_iso_code.code"),
        amount("core_currency_rate"),
        flag("is_base_currency"),
    ),
)

BANKS = TableSpec(
    "sage200_banks",
    (
        key("id"),
        key("code"),
        # Sage has no `name` here: the first of these that is filled serves as one.
        text("name", ("name", "bank_name", "account_name", "description")),
        text("description"),
        key("account_currency_id", required=False),
        text("account_status_type", known=ACCOUNT_STATUSES),
        amount("balance"),
        text("bank_account_nominal_reference"),
        text("bank_account_nominal_cost_centre"),
        text("bank_account_nominal_department"),
    ),
)

NOMINAL_CODES = TableSpec(
    "sage200_nominal_codes",
    (
        key("id"),
        key("reference"),
        text("cost_centre_code"),
        text("department_code"),
        text("name"),
        text("nominal_account_type"),
        text("account_status_type", known=ACCOUNT_STATUSES),
    ),
)

ACCOUNTING_PERIODS = TableSpec(
    "sage200_accounting_periods",
    (
        key("accounting_period_id"),
        key("financial_year_id"),
        stamp("financial_year_start_date"),
        stamp("financial_year_end_date"),
        text("year_relative_to_current_year"),
        text("number_of_periods_in_year"),
        text("period_number", required=True),
        stamp("period_start_date", required=True),
        stamp("period_end_date", required=True),
    ),
)

SALES_POSTED_TRANSACTIONS = TableSpec(
    "sage200_sales_posted_transactions",
    (
        key("id"),
        key("customer_id"),
        text("trader_transaction_type", known=TRADER_TRANSACTION_TYPES),
        text("reference"),
        text("second_reference"),
        stamp("transaction_date"),
        stamp("posted_date"),
        amount("document_goods_value"),
        amount("document_gross_value", required=True),
        amount("document_tax_value"),
        amount("document_outstanding_value"),
        amount("document_allocated_value"),
        amount("base_gross_value"),
        key("urn"),
        text("user_name"),
        stamp("date_time_created"),
        stamp("date_time_updated"),
    ),
)

BANK_POSTED_TRANSACTIONS = TableSpec(
    "sage200_bank_posted_transactions",
    (
        key("id"),
        key("bank_id"),
        text("bank_transaction_type"),
        text("entry_description"),
        text("reference"),
        text("second_reference"),
        stamp("transaction_date"),
        stamp("posted_date"),
        amount("cheque_value", required=True),
        key("urn"),
        text("user_name"),
        text("source"),
        stamp("date_time_updated"),
    ),
)

NOMINAL_TRANSACTIONS = TableSpec(
    "sage200_nominal_transactions",
    (
        key("id"),
        key("nominal_code_id"),
        stamp("transaction_date", required=True),
        text("period_number"),
        key("accounting_period_id", required=False),
        key("financial_year_id", required=False),
        text("reference"),
        text("narrative"),
        text("transaction_analysis_code"),
        # A null side is left out of the answer: neither is required, staging reads a missing one as nothing.
        amount("debit"),
        amount("credit"),
        text("user_name"),
        text("source"),
        key("urn"),
    ),
)
