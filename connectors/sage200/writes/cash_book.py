"""Documents of the cash book: payments, receipts and transfers. Their paths are singular."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from connectors.sage200.endpoints import BANK_PAYMENT, BANK_RECEIPT, BANK_TRANSFER
from connectors.sage200.journals import Account
from connectors.sage200.writes import documents as d
from connectors.sage200.writes.dates import CASH_BOOK
from connectors.sage200.writes.posting import PostingDelivery, Row, Wanted
from connectors.sage200.writes.sending import Unfit, decimal_of


class _BankEntryDelivery(PostingDelivery[d.BankEntry]):
    resource = "bank_posted_transactions"
    ledger = CASH_BOOK
    bank_sign: ClassVar[int]

    def read(self, payload: Mapping[str, Any]) -> d.BankEntry:
        return d.read(payload, d.BankEntry)

    def value(self, row: Row) -> Decimal:
        return abs(decimal_of(row.get("cheque_value")))

    def body(self, document: d.BankEntry) -> dict[str, Any]:
        bank = self.codes.bank(document.bank_code)
        currency = self.codes.currency(document.currency_code)
        if not currency.get("is_base_currency"):
            # The header's cheque values, which a foreign bank needs, are documented by name only.
            raise Unfit(f"currency_code: {document.currency_code} is not the company's base currency")
        self.codes.check_currency(document.currency_code, bank, "account_currency_id", f"bank {document.bank_code}")
        d.totals(document.lines)
        body: dict[str, Any] = {
            "bank_id": bank["id"],
            "transaction_date": d.day(document.document_date, "document_date"),
            **d.references(document.wire_key, document.reference),
            "nominal_analysis_items": [self._item(line, f"lines[{n}]") for n, line in enumerate(document.lines)],
        }
        if document.narrative:
            body["narrative"] = d.shortened(document.narrative)
        return body

    def _item(self, line: d.Analysis, field: str) -> dict[str, Any]:
        self.codes.nominal(line.account, f"{field}.account_code")
        net, tax = d.amount(line.net_amount, f"{field}.net_amount"), d.amount(line.tax_amount, f"{field}.tax_amount")
        if tax and not line.tax_code:
            raise Unfit(f"{field}.tax_code is missing: without it the tax would not reach the VAT return")
        item: dict[str, Any] = {
            "code": line.account.code,
            "cost_centre": line.account.cost_centre,
            "department": line.account.department,
            "narrative": d.shortened(line.narrative or ""),
            "goods_value": net,
            "tax_value": tax,
            "gross_value": net + tax,
        }
        if line.tax_code:
            item["tax_code_id"] = self.codes.tax_code(line.tax_code, f"{field}.tax_code")["id"]
        return item

    def wanted(self, document: d.BankEntry) -> Wanted:
        net, tax = d.totals(document.lines)
        movements = {self.codes.bank_account(document.bank_code): self.bank_sign * (net + tax)}
        for line in document.lines:
            share = -self.bank_sign * Decimal(line.net_amount)
            movements[line.account] = movements.get(line.account, d.NIL) + share
        return Wanted(document.document_date[:10], net + tax, movements)

    def row_problems(self, document: d.BankEntry, rows: Sequence[Row]) -> list[str]:
        bank = self.codes.bank(document.bank_code)
        others = {row.get("bank_id") for row in rows} - {bank["id"]}
        return [f"it stands on bank {', '.join(sorted(map(str, others)))}, wanted {bank['id']}"] if others else []


class BankPaymentDelivery(_BankEntryDelivery):
    """Posts payments of kind BANK_PAYMENT: Dr nominals and VAT, Cr bank; the payload is `documents.BankEntry`."""

    kind = "BANK_PAYMENT"
    call = BANK_PAYMENT
    bank_sign = -1


class BankReceiptDelivery(_BankEntryDelivery):
    """Posts receipts of kind BANK_RECEIPT: Dr bank, Cr nominals and VAT; the payload is `documents.BankEntry`."""

    kind = "BANK_RECEIPT"
    call = BANK_RECEIPT
    bank_sign = 1


class BankTransferDelivery(PostingDelivery[d.BankTransfer]):
    """Posts transfers of kind BANK_TRANSFER between two banks of one currency; the payload is `documents.BankTransfer`.

    Sage answers with the body and no URN: the URN comes from reading back.
    """

    kind = "BANK_TRANSFER"
    call = BANK_TRANSFER
    resource = "bank_posted_transactions"
    ledger = CASH_BOOK

    def read(self, payload: Mapping[str, Any]) -> d.BankTransfer:
        return d.read(payload, d.BankTransfer)

    def value(self, row: Row) -> Decimal:
        return abs(decimal_of(row.get("cheque_value")))

    def _banks(self, document: d.BankTransfer) -> tuple[dict[str, Any], dict[str, Any]]:
        if document.from_bank_code == document.to_bank_code:
            raise Unfit("to_bank_code: a transfer needs two different bank accounts")
        return (
            self.codes.bank(document.from_bank_code, "from_bank_code"),
            self.codes.bank(document.to_bank_code, "to_bank_code"),
        )

    def body(self, document: d.BankTransfer) -> dict[str, Any]:
        source, target = self._banks(document)
        for bank, code in ((source, document.from_bank_code), (target, document.to_bank_code)):
            self.codes.check_currency(document.currency_code, bank, "account_currency_id", f"bank {code}")
        body: dict[str, Any] = {
            "bank_from_id": source["id"],
            "bank_to_id": target["id"],
            "payment_value": d.positive(document.amount, "amount"),
            "transaction_date": d.day(document.document_date, "document_date"),
            **d.references(document.wire_key, document.reference),
        }
        if document.narrative:
            body["narrative"] = d.shortened(document.narrative)
        return body

    def wanted(self, document: d.BankTransfer) -> Wanted:
        self._banks(document)
        value = d.positive(document.amount, "amount")
        movements: dict[Account, Decimal] = {}
        for code, sign in ((document.from_bank_code, -1), (document.to_bank_code, 1)):
            account = self.codes.bank_account(code)
            movements[account] = movements.get(account, d.NIL) + sign * value
        return Wanted(document.document_date[:10], value, movements)

    def row_problems(self, document: d.BankTransfer, rows: Sequence[Row]) -> list[str]:
        source, target = self._banks(document)
        value = d.positive(document.amount, "amount")
        held = sorted((int(row.get("bank_id") or 0), _signed(row)) for row in rows)
        wanted = sorted([(int(source["id"]), -value), (int(target["id"]), value)])
        return [] if held == wanted else [f"its cash-book rows are {_shown(held)}, wanted {_shown(wanted)}"]


def _signed(row: Row) -> Decimal:
    """Money into the account; a payment is negative, whichever sign the site shows it with."""
    value = decimal_of(row.get("cheque_value"))
    return -abs(value) if row.get("bank_transaction_type") == "Payment" else value


def _shown(rows: Sequence[tuple[int, Decimal]]) -> str:
    return ", ".join(f"{value} on bank {bank}" for bank, value in rows)
