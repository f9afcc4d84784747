"""Documents of the sales and purchase ledgers: receipts, payments, invoices, credit notes.

All values are posted positive; Sage gives receipts and credit notes their sign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar, TypeVar

from connectors.sage200.endpoints import (
    PURCHASE_INVOICE,
    SALES_CREDIT_NOTE,
    SALES_INVOICE,
    SALES_PAYMENT,
    SALES_RECEIPT,
)
from connectors.sage200.journals import Account
from connectors.sage200.writes import documents as d
from connectors.sage200.writes.dates import PURCHASE, SALES
from connectors.sage200.writes.posting import PostingDelivery, Row, Wanted

D = TypeVar("D", d.SalesDocument, d.PurchaseInvoice)


class _CustomerCashDelivery(PostingDelivery[d.CustomerCash]):
    resource = "sales_posted_transactions"
    archive = "sales_historical_transactions"
    ledger = SALES
    entry_type: ClassVar[str]
    bank_sign: ClassVar[int]

    def read(self, payload: Mapping[str, Any]) -> d.CustomerCash:
        return d.read(payload, d.CustomerCash)

    def body(self, document: d.CustomerCash) -> dict[str, Any]:
        customer = self.codes.customer(document.customer_reference)
        bank = self.codes.bank(document.bank_code)
        self.codes.check_currency(
            document.currency_code, customer, "currency_id", f"customer {document.customer_reference}"
        )
        self.codes.check_currency(document.currency_code, bank, "account_currency_id", f"bank {document.bank_code}")
        return {
            "customer_id": customer["id"],
            "bank_id": bank["id"],
            "cheque_value": d.positive(document.amount, "amount"),
            "transaction_date": d.day(document.document_date, "document_date"),
            **d.references(document.wire_key, document.reference),
        }

    def wanted(self, document: d.CustomerCash) -> Wanted:
        value = d.positive(document.amount, "amount")
        bank = self.codes.bank_account(document.bank_code)
        return Wanted(document.document_date[:10], value, {bank: self.bank_sign * value})

    def row_problems(self, document: d.CustomerCash, rows: Sequence[Row]) -> list[str]:
        customer = self.codes.customer(document.customer_reference)
        return [*_another_type(rows, self.entry_type), *_another_account(rows, "customer_id", customer["id"])]


class SalesReceiptDelivery(_CustomerCashDelivery):
    """Posts receipts of kind SALES_RECEIPT: Dr bank, Cr debtors; the payload is `documents.CustomerCash`."""

    kind = "SALES_RECEIPT"
    call = SALES_RECEIPT
    entry_type = "TradingAccountEntryTypePurchasePaymentSalesReceipt"
    bank_sign = 1


class SalesPaymentDelivery(_CustomerCashDelivery):
    """Posts refunds of kind SALES_PAYMENT: Dr debtors, Cr bank; the payload is `documents.CustomerCash`."""

    kind = "SALES_PAYMENT"
    call = SALES_PAYMENT
    entry_type = "TradingAccountEntryTypePurchaseReceiptSalesPayment"
    bank_sign = -1


class _AnalysedDelivery(PostingDelivery[D]):
    """An invoice or a credit note: headline values, with a tax and a nominal analysis that add up to them."""

    entry_type: ClassVar[str]
    nominal_sign: ClassVar[int]
    """Of the movement on the named accounts, debit positive."""

    def _analysed(self, document: D) -> dict[str, Any]:
        net, tax = d.totals(document.lines)
        shares = d.by_tax_code(document.lines)
        fields = {line.tax_code: f"lines[{n}].tax_code" for n, line in reversed(list(enumerate(document.lines)))}
        body: dict[str, Any] = {
            "transaction_date": d.day(document.document_date, "document_date"),
            **d.references(document.wire_key, document.reference),
            "document_goods_value": net,
            "document_tax_value": tax,
            # An item without the id of its tax code makes Sage fail over a null.
            "tax_analysis_items": [
                {"id": self.codes.tax_code(code, fields[code])["id"], "goods_amount": goods, "tax_amount": taxed}
                for code, (goods, taxed) in shares.items()
            ],
            "nominal_analysis_items": [
                self._nominal_item(line, f"lines[{n}].account_code")
                for n, line in enumerate(document.lines)
                if Decimal(line.net_amount) != 0
            ],
        }
        if document.due_date is not None:
            body["due_date"] = d.day(document.due_date, "due_date")
        return body

    def _nominal_item(self, line: d.Analysis, field: str) -> dict[str, Any]:
        self.codes.nominal(line.account, field)
        code = line.analysis_code if self.ledger == SALES else None
        return {
            "code": line.account.code,
            "cost_centre": line.account.cost_centre,
            "department": line.account.department,
            "narrative": d.shortened(line.narrative or ""),
            "value": Decimal(line.net_amount).quantize(d.NIL),
            # A customer's credit note does not wait for a code that only reports by.
            **({"transaction_analysis_code": code} if code and self.codes.transaction_analysis(code) else {}),
        }

    def wanted(self, document: D) -> Wanted:
        net, tax = d.totals(document.lines)
        movements: dict[Account, Decimal] = {}
        analysed: dict[Account, frozenset[str]] = {}
        for line in document.lines:
            share = self.nominal_sign * Decimal(line.net_amount)
            movements[line.account] = movements.get(line.account, d.NIL) + share
            code = line.analysis_code if self.ledger == SALES else None
            if code and share and self.codes.transaction_analysis(code):
                analysed[line.account] = analysed.get(line.account, frozenset()) | {code}
        return Wanted(document.document_date[:10], net + tax, movements, analysed)

    def _tax_problems(self, document: D, rows: Sequence[Row]) -> list[str]:
        _, tax = d.totals(document.lines)
        held = {abs(Decimal(str(row.get("document_tax_value") or 0))).quantize(d.NIL) for row in rows}
        return [] if held == {tax} else [f"its tax is {', '.join(map(str, sorted(held)))}, wanted {tax}"]


class _SalesDocumentDelivery(_AnalysedDelivery[d.SalesDocument]):
    resource = "sales_posted_transactions"
    archive = "sales_historical_transactions"
    ledger = SALES

    def read(self, payload: Mapping[str, Any]) -> d.SalesDocument:
        return d.read(payload, d.SalesDocument)

    def body(self, document: d.SalesDocument) -> dict[str, Any]:
        customer = self.codes.customer(document.customer_reference)
        self.codes.check_currency(
            document.currency_code, customer, "currency_id", f"customer {document.customer_reference}"
        )
        body = {"customer_id": customer["id"], **self._analysed(document)}
        if self.kind == "CREDIT_NOTE":
            body.pop("due_date", None)  # a credit note has none
        return body

    def row_problems(self, document: d.SalesDocument, rows: Sequence[Row]) -> list[str]:
        customer = self.codes.customer(document.customer_reference)
        return [
            *_another_type(rows, self.entry_type),
            *_another_account(rows, "customer_id", customer["id"]),
            *self._tax_problems(document, rows),
        ]


class SalesInvoiceDelivery(_SalesDocumentDelivery):
    """Posts invoices of kind SALES_INVOICE: Dr debtors, Cr nominals and VAT; the payload is `documents.SalesDocument`.

    Such an invoice has no order behind it: the API has no call that invoices a sales order.
    """

    kind = "SALES_INVOICE"
    call = SALES_INVOICE
    entry_type = "TradingAccountEntryTypeInvoice"
    nominal_sign = -1


class SalesCreditNoteDelivery(_SalesDocumentDelivery):
    """Posts credit notes of kind CREDIT_NOTE: Dr nominals and VAT, Cr debtors; values are positive."""

    kind = "CREDIT_NOTE"
    call = SALES_CREDIT_NOTE
    entry_type = "TradingAccountEntryTypeCreditNote"
    nominal_sign = 1


class PurchaseInvoiceDelivery(_AnalysedDelivery[d.PurchaseInvoice]):
    """Posts suppliers' invoices of kind PURCHASE_INVOICE: Dr nominals and VAT, Cr creditors; the payload is
    `documents.PurchaseInvoice`.
    """

    kind = "PURCHASE_INVOICE"
    call = PURCHASE_INVOICE
    resource = "purchase_posted_transactions"
    ledger = PURCHASE
    entry_type = "TradingAccountEntryTypeInvoice"
    nominal_sign = 1

    def read(self, payload: Mapping[str, Any]) -> d.PurchaseInvoice:
        return d.read(payload, d.PurchaseInvoice)

    def body(self, document: d.PurchaseInvoice) -> dict[str, Any]:
        supplier = self.codes.supplier(document.supplier_reference)
        self.codes.check_currency(
            document.currency_code, supplier, "currency_id", f"supplier {document.supplier_reference}"
        )
        body = {"supplier_id": supplier["id"], **self._analysed(document)}
        if document.is_authorised is not None:
            body["is_authorised"] = document.is_authorised
        return body

    def row_problems(self, document: d.PurchaseInvoice, rows: Sequence[Row]) -> list[str]:
        supplier = self.codes.supplier(document.supplier_reference)
        return [
            *_another_type(rows, self.entry_type),
            *_another_account(rows, "supplier_id", supplier["id"]),
            *self._tax_problems(document, rows),
        ]


def _another_type(rows: Sequence[Row], entry_type: str) -> list[str]:
    held = {str(row.get("trader_transaction_type")) for row in rows} - {entry_type}
    return [f"it is of type {', '.join(sorted(held))}, wanted {entry_type}"] if held else []


def _another_account(rows: Sequence[Row], member: str, wanted: int) -> list[str]:
    held = {row.get(member) for row in rows} - {wanted}
    return [f"its {member} is {', '.join(sorted(map(str, held)))}, wanted {wanted}"] if held else []
