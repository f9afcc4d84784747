"""The raw tables of what becomes of sales orders: despatches, invoices and credits, returns, cancelled lines.

Views have no `id` of their own; the id of the thing in each row stands in its place.
"""

from __future__ import annotations

from connectors.columns import amount, flag, key, stamp, text
from connectors.records import TableSpec

DESPATCH_LINES = TableSpec(
    "sage200_despatch_lines",
    (
        key("sop_despatch_line_id"),
        amount("sop_despatch_line_quantity", required=True),
        flag("sop_despatch_line_is_invoiced"),
        key("sop_despatch_id", required=False),
        text("sop_despatch_document_no"),
        stamp("sop_despatch_date"),
        key("sop_order_id"),
        text("sop_order_document_no"),
        text("sop_order_customer_document_no"),
        # Seen as a number in quotes where other resources give a name.
        text("sop_order_document_status_type"),
        key("sop_order_line_id"),
        text("sop_order_line_item_code"),
        amount("sop_order_line_quantity"),
        amount("sop_order_line_despatch_quantity"),
        key("customer_id", required=False),
        text("customer_reference"),
        key("product_id", required=False),
        text("product_code"),
        key("warehouse_id", required=False),
        text("warehouse_name"),
        text("sop_despatch_courier_name"),
        text("sop_despatch_consignment_no"),
        text("sys_courier_tracking_url"),
        amount("sop_despatch_pieces"),
        amount("sop_despatch_weight"),
        stamp("date_time_updated"),
    ),
)

DESPATCH_RECEIPTS = TableSpec(
    "sage200_despatch_receipts",
    (
        key("id"),
        text("despatch_no"),
        stamp("despatch_date"),
        key("courier_id", required=False),
        text("courier_name"),
        text("consignment_no"),
        amount("weight"),
        amount("pieces"),
        stamp("date_time_created"),
        stamp("date_time_updated"),
    ),
)

ORDER_INVOICE_LINKS = TableSpec(
    "sage200_order_invoice_links",
    (
        key("sop_order_return_id"),
        key("sop_invoice_credit_id"),
        text("sop_order_return_document_type_id"),
        text("sop_order_return_document_no"),
        stamp("sop_order_return_document_date"),
        text("sop_order_return_customer_document_no"),
        amount("sop_order_return_total_net_value"),
        amount("sop_order_return_total_tax_value"),
        amount("sop_order_return_total_gross_value"),
        key("customer_id", required=False),
        text("customer_reference"),
        text("sop_invoice_credit_document_no"),
        text("sop_invoice_credit_type_id"),
        stamp("sop_invoice_credit_document_date"),
        text("sop_invoice_credit_document_status_id"),
        amount("sop_invoice_credit_total_net_value"),
        amount("sop_invoice_credit_total_tax_value"),
        amount("sop_invoice_credit_total_gross_value"),
    ),
)

INVOICE_CREDIT_LINES = TableSpec(
    "sage200_invoice_credit_lines",
    (
        key("sop_invoice_credit_line_id"),
        key("invoice_line_profit_analysis_id", required=False),
        key("sop_invoice_credit_id"),
        text("sop_invoice_credit_type"),
        text("sop_invoice_credit_document_no"),
        stamp("sop_invoice_credit_document_date"),
        text("sop_invoice_credit_document_status"),
        amount("sop_invoice_credit_exchange_rate"),
        stamp("sop_invoice_credit_date_time_updated"),
        stamp("sop_invoice_credit_line_invoice_credit_date"),
        amount("sop_invoice_credit_line_total_value", required=True),
        amount("sop_invoice_credit_line_tax_value"),
        stamp("sop_invoice_credit_line_date_time_updated"),
        amount("invoice_line_profit_analysis_line_quantity"),
        amount("invoice_line_profit_analysis_realised_cost_value"),
        amount("invoice_line_profit_analysis_realised_profit_value"),
        key("customer_id", required=False),
        text("customer_reference"),
        key("product_id", required=False),
        text("product_code"),
    ),
)

RETURN_LINES = TableSpec(
    "sage200_return_lines",
    (
        key("sop_return_line_id"),
        key("sop_return_id"),
        text("sop_return_document_no"),
        stamp("sop_return_document_date"),
        text("sop_return_document_status"),
        text("sop_return_customer_document_no"),
        key("sop_return_currency_id", required=False),
        amount("sop_return_exchange_rate"),
        stamp("sop_return_date_time_updated"),
        text("sop_return_line_number"),
        text("sop_return_line_type"),
        text("sop_return_line_product_code"),
        amount("sop_return_line_quantity"),
        amount("sop_return_line_despatch_receipt_quantity"),
        amount("sop_return_line_invoice_credit_quantity"),
        amount("sop_return_line_selling_unit_price"),
        amount("sop_return_line_total_value", required=True),
        amount("sop_return_line_line_tax_value"),
        text("sop_return_line_analysis_code_1"),
        stamp("sop_return_line_date_time_updated"),
        key("customer_id", required=False),
        text("customer_reference"),
        key("product_id", required=False),
        text("product_code"),
        key("warehouse_id", required=False),
        key("tax_code_id", required=False),
        text("tax_code_code"),
    ),
)

CANCELLED_LINES = TableSpec(
    "sage200_cancelled_lines",
    (
        key("id"),
        key("sop_order_return_id"),
        text("item_code"),
        amount("cancelled_quantity", required=True),
        amount("stock_unit_cancelled_quantity"),
        stamp("cancelled_date"),
        text("user_name"),
        stamp("date_time_created"),
        stamp("date_time_updated"),
    ),
)
