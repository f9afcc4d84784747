"""A payload of every kind of posted document, for the company that the sandbox generates."""

from __future__ import annotations

from typing import Any

DAY = "2026-06-11"
FEES = [
    {"account_code": "6100", "net_amount": "100.00", "tax_amount": "20.00", "tax_code": "1", "narrative": "Commission"},
    {"account_code": "6130", "net_amount": "7.50", "tax_code": "99"},
]
SALES = [
    {"account_code": "4100", "net_amount": "50.00", "tax_amount": "10.00", "tax_code": "1"},
    {"account_code": "4905", "net_amount": "4.00", "tax_amount": "0.80", "tax_code": "1"},
]
CASH = {"document_date": DAY, "customer_reference": "MKBRICO", "bank_code": "MKBRICO", "amount": "120.00"}
DOCUMENT = {"document_date": DAY, "customer_reference": "MKBRICO", "lines": SALES, "reference": "ORDER-1"}
KINDS: dict[str, dict[str, Any]] = {
    "SALES_RECEIPT": CASH,
    "SALES_PAYMENT": CASH,
    "SALES_INVOICE": DOCUMENT,
    "CREDIT_NOTE": DOCUMENT,
    "BANK_PAYMENT": {"document_date": DAY, "bank_code": "MKBRICO", "lines": FEES, "reference": "PAYOUT 4711"},
    "BANK_RECEIPT": {"document_date": DAY, "bank_code": "MKBRICO", "lines": FEES},
    "BANK_TRANSFER": {"document_date": DAY, "from_bank_code": "MKBRICO", "to_bank_code": "BANK", "amount": "75.25"},
    "PURCHASE_INVOICE": {
        "document_date": DAY,
        "supplier_reference": "BRICOPL",
        "lines": FEES,
        "reference": "INV-77",
        "due_date": "2026-07-11",
    },
}
RESOURCES = {
    "SALES_RECEIPT": "sales_receipts",
    "SALES_PAYMENT": "sales_payments",
    "SALES_INVOICE": "sales_invoices",
    "CREDIT_NOTE": "sales_credit_notes",
    "BANK_PAYMENT": "bank_payment",
    "BANK_RECEIPT": "bank_receipt",
    "BANK_TRANSFER": "bank_transfer",
    "PURCHASE_INVOICE": "purchase_invoices",
}
