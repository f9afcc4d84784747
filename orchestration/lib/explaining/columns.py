"""The tables of an explanation: which columns people see. Programs get whole rows."""

from __future__ import annotations

from orchestration.lib.columns import Col

IN_WORDS = {
    "at the marketplace": "marketplace_status",
    "in the books": "erp_status",
    "carrier": "carrier_name",
    "tracking": "tracking_numbers",
    "refund": "refund_status",
    "credit note": "credit_note_nos",
    "invoice": "invoice_no",
    "money": "settlement_status",
}
"""Labels and columns of `order_status`, in the order in which a customer asks."""
BY_FEE_TYPE = (
    Col("fee_type", "Fee type", "code"),
    Col("transaction_type", "Transaction type", "code"),
    Col("account_role", "Booked to", "code"),
    Col("count", "Lines", "number"),
    Col("amount", "Net of tax", "money"),
    Col("tax_amount", "Tax", "money"),
    Col("total_amount", "Total", "money"),
)
LINES = (
    Col("order_line_id", "Line", "code"),
    Col("shop_sku", "SKU", "code"),
    Col("line_state", "State", "code"),
    Col("quantity", "Qty", "number"),
    Col("price_amount", "Price", "money"),
    Col("shipping_amount", "Shipping", "money"),
    Col("total_amount", "Total", "money"),
    Col("commission_amount", "Commission", "money"),
    Col("cancelled_amount", "Cancelled", "money"),
    Col("refunded_amount", "Refunded", "money"),
)
SETTLED = (
    Col("line_date", "Date", "moment"),
    Col("transaction_type", "What", "code"),
    Col("order_line_id", "Line", "code"),
    Col("refund_id", "Refund", "code"),
    Col("amount", "Amount", "money"),
    Col("payment_state", "State", "code"),
    Col("billing_cycle_id", "Cycle", "code"),
    Col("journal", "Journal", "code"),
    Col("receipts", "Receipt", "code"),
)
JOURNAL_LINES = (
    Col("line_no", "No", "number"),
    Col("account_role", "Role", "code"),
    Col("account_code", "Account", "code"),
    Col("debit", "Debit", "money"),
    Col("credit", "Credit", "money"),
    Col("tax_code", "Tax code", "code"),
)
ALLOCATIONS = (
    Col("receipt_id", "Receipt", "code"),
    Col("value_date", "Value date", "moment"),
    Col("billing_cycle_id", "Pay-out of cycle", "code"),
    Col("cash_amount", "Cash", "money"),
    Col("fee_amount", "Bank fee", "money"),
    Col("excess_amount", "Over-paid", "money"),
    Col("cleared_amount", "Cleared", "money"),
    Col("rule_code", "Rule", "code"),
)
CYCLES = (
    Col("billing_cycle_id", "Cycle", "code"),
    Col("cycle_date", "Date", "moment"),
    Col("share", "Of this", "money"),
    Col("net_amount", "Net of cycle", "money"),
    Col("payout_amount", "Pay-out", "money"),
    Col("pay_out_state", "State", "code"),
    Col("paying_cycle_id", "Paid with cycle", "code"),
    Col("journal", "Journal", "code"),
    Col("receipts", "Receipt", "code"),
)
CHECKS = (
    Col("rule_code", "Check", "code"),
    Col("subject", "Of", max_width=44),
    Col("status", "Status", "state"),
    Col("exception_code", "Code", "code"),
    Col("expected_amount", "Expected", "money"),
    Col("actual_amount", "Actual", "money"),
    Col("delta_amount", "Difference", "money"),
    Col("summary", "What", max_width=70),
)
STOCK = (
    Col("rule_code", "Check", "code"),
    Col("status", "Status", "state"),
    Col("exception_code", "Code", "code"),
    Col("free_quantity", "Free", "number"),
    Col("awaited_quantity", "Orders not in ERP", "number"),
    Col("buffer_quantity", "Buffer", "number"),
    Col("expected_quantity", "Expected", "number"),
    Col("actual_quantity", "Offered", "number"),
    Col("summary", "What", max_width=80),
)
OFFER = (
    Col("rule_code", "Check", "code"),
    Col("status", "Status", "state"),
    Col("exception_code", "Code", "code"),
    Col("expected_amount", "Price list", "money"),
    Col("actual_amount", "Asked", "money"),
    Col("expected_value", "Should be"),
    Col("actual_value", "Is"),
    Col("summary", "What", max_width=80),
)
SALES = (
    Col("order_id", "Order", "code"),
    Col("order_line_id", "Line", "code"),
    Col("line_state", "State", "code"),
    Col("quantity", "Qty", "number"),
    Col("total_amount", "Total", "money"),
    Col("refunded_amount", "Refunded", "money"),
)
