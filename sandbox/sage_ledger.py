"""What Sage 200 makes of a posted document: checks it and turns it into the movements of one URN.

Nothing recognises a repeated document: posted twice is posted twice, as at the vendor.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from sandbox.clock import midnight
from sandbox.sage_bodies import ZERO, PostingError, check_body, money, not_negative, positive
from sandbox.sage_company import SageCompany
from sandbox.sage_posting import Leg, Posting, PostingWriter, Trade
from sandbox.sage_records import SageRecords
from sandbox.sage_switches import SageSwitches

DEBTORS_CONTROL = "1100"
CREDITORS_CONTROL = "2100"
OUTPUT_VAT = "2200"
INPUT_VAT = "2201"
# The cash book of this company carries VAT on fees only, so its VAT goes to the input account in both directions: a
# receipt that gives a fee back takes the input VAT back.
CASH_BOOK_VAT = INPUT_VAT


class Ledger:
    """Posts documents into a company. `post` is a function of the company's state, the body and the time alone."""

    def __init__(self, company: SageCompany, records: SageRecords | None = None) -> None:
        self._records = records or SageRecords(company, SageSwitches())
        self._writer = PostingWriter(company, self._records)
        self._rules = {
            "sales_receipts": self._sales_receipt,
            "sales_payments": self._sales_payment,
            "sales_invoices": self._sales_invoice,
            "sales_credit_notes": self._sales_credit_note,
            "purchase_invoices": self._purchase_invoice,
            "bank_payment": self._bank_payment,
            "bank_receipt": self._bank_receipt,
            "bank_transfer": self._bank_transfer,
        }

    @property
    def resources(self) -> Iterable[str]:
        return self._rules

    def check(self, resource: str, body: Any, now: datetime) -> Posting:
        """What the document would write. Raises PostingError; changes nothing."""
        posting = self._posting(resource, body, now)
        self._records.check_date(posting.transaction_date)
        return posting

    def post(self, resource: str, body: Any, now: datetime) -> int:
        """Posts a document that was checked, and returns its URN. What is closed today was open when it was posted."""
        return self._writer.write(self._posting(resource, body, now), now)

    def _posting(self, resource: str, body: Any, now: datetime) -> Posting:
        return self._rules[resource](check_body(resource, body), now)

    # --- documents

    def _head(self, body: dict[str, Any], now: datetime, source: str) -> Posting:
        # Only the calendar day of a business date counts.
        day = (body.get("transaction_date") or midnight(now.date()))[:10]
        return Posting(
            reference=body.get("reference") or "",
            second_reference=body.get("second_reference") or "",
            transaction_date=f"{day}T00:00:00Z",
            source=source,
            description=body.get("narrative") or "",
            due_date=body.get("due_date"),
        )

    def _sales_receipt(self, body: dict[str, Any], now: datetime) -> Posting:
        return self._customer_cash(body, now, "SR", is_receipt=True)

    def _sales_payment(self, body: dict[str, Any], now: datetime) -> Posting:
        return self._customer_cash(body, now, "SP", is_receipt=False)

    def _customer_cash(self, body: dict[str, Any], now: datetime, kind: str, *, is_receipt: bool) -> Posting:
        customer = self._records.customer(body["customer_id"])
        bank = self._records.bank(body["bank_id"], "bank_id")
        value = positive(body, "cheque_value")
        if body.get("nominal_analysis_items"):
            raise PostingError("Nominal analysis items apply to the bank charges of foreign currency receipts only.")
        base = (self._records.base_currency or {}).get("id", 0)
        own_currency = customer.get("currency_id") or base
        # A cheque is in the customer's currency unless it says otherwise.
        is_exchanged = (body.get("cheque_currency_id") or own_currency) != own_currency
        on_account = money(body, "customer_cheque_value", value)
        if not is_exchanged and on_account != value:
            raise PostingError("The value posted to the customer differs from the cheque value in the same currency.")
        if (body.get("cheque_currency_id") or own_currency) != (bank.get("account_currency_id") or base):
            raise PostingError("The currency of the cheque differs from the currency of the bank account.")
        posting = self._head(body, now, "LedgerSales")
        narrative = f"{kind} /  {customer['reference']}"
        signed = value if is_receipt else -value
        posting.legs = [
            Leg(self._records.bank_nominal(bank), signed, narrative),
            Leg(self._records.nominal(DEBTORS_CONTROL), -signed, narrative),
        ]
        posting.cash = [(bank, "Receipt" if is_receipt else "Payment", signed)]
        entry_type = "PurchasePaymentSalesReceipt" if is_receipt else "PurchaseReceiptSalesPayment"
        gross = -on_account if is_receipt else on_account
        posting.trade = Trade(
            "sales", customer, f"TradingAccountEntryType{entry_type}", gross, ZERO, -signed if is_exchanged else None
        )
        posting.description = posting.description or customer["name"]
        return posting

    def _sales_invoice(self, body: dict[str, Any], now: datetime) -> Posting:
        return self._sales_document(body, now, "SI", "TradingAccountEntryTypeInvoice", 1)

    def _sales_credit_note(self, body: dict[str, Any], now: datetime) -> Posting:
        return self._sales_document(body, now, "SC", "TradingAccountEntryTypeCreditNote", -1)

    def _sales_document(self, body: dict[str, Any], now: datetime, kind: str, entry_type: str, sign: int) -> Posting:
        customer = self._records.customer(body["customer_id"])
        goods = not_negative(money(body, "document_goods_value", ZERO), "document_goods_value")
        tax = not_negative(money(body, "document_tax_value", ZERO), "document_tax_value")
        if goods + tax == 0:
            raise PostingError("The document has no value.")
        posting = self._head(body, now, "LedgerSales")
        narrative = f"{kind} /  {customer['reference']}"
        posting.taxes = self._tax_items(body, customer, goods, tax)
        posting.legs = [Leg(self._records.nominal(DEBTORS_CONTROL), sign * (goods + tax), narrative)]
        posting.legs += [
            Leg(nominal, -sign * value, text or narrative, analysis)
            for nominal, value, text, analysis in self._analysis_items(body, customer, goods)
        ]
        if tax:
            posting.legs.append(Leg(self._records.nominal(OUTPUT_VAT), -sign * tax, narrative))
        posting.trade = Trade("sales", customer, entry_type, sign * (goods + tax), sign * tax)
        return posting

    def _tax_items(
        self, body: dict[str, Any], account: dict[str, Any], goods: Decimal, tax: Decimal
    ) -> list[tuple[dict[str, Any], Decimal, Decimal]]:
        items = body.get("tax_analysis_items") or [{"id": account.get("default_tax_code_id")}]
        result = [
            (self._records.tax_code(item["id"]), money(item, "goods_amount", goods), money(item, "tax_amount", tax))
            for item in items
        ]
        if sum(item[1] for item in result) != goods:
            raise PostingError("The tax analysis goods amounts do not add up to the document goods value.")
        if sum(item[2] for item in result) != tax:
            raise PostingError("The tax analysis tax amounts do not add up to the document tax value.")
        return result

    def _analysis_items(
        self, body: dict[str, Any], account: dict[str, Any], goods: Decimal
    ) -> list[tuple[dict[str, Any], Decimal, str, str]]:
        items = body.get("nominal_analysis_items") or [
            {
                "code": account.get("default_nominal_code_reference") or "",
                "cost_centre": account.get("default_nominal_code_cost_centre"),
                "department": account.get("default_nominal_code_department"),
            }
        ]
        result = [
            (
                self._records.nominal_of(item),
                money(item, "value", goods),
                item.get("narrative") or "",
                self._transaction_analysis(item),
            )
            for item in items
        ]
        if sum(item[1] for item in result) != goods:
            raise PostingError("The nominal analysis values do not add up to the document goods value.")
        return result

    def _transaction_analysis(self, item: dict[str, Any]) -> str:
        code = item.get("transaction_analysis_code") or ""
        if not code:
            return ""
        if not self._records.setting("sales_ledger_settings", "allow_additional_trans_analysis", False):
            raise PostingError("The ledger settings do not allow additional transaction analysis.")
        rows = self._records.company["nominal_transaction_analysis_codes"].rows
        if not any(row["code"] == code and row.get("active", True) for row in rows):
            raise PostingError(f"The transaction analysis code '{code}' is not valid.")
        return str(code)

    def _purchase_invoice(self, body: dict[str, Any], now: datetime) -> Posting:
        supplier = self._records.supplier(body["supplier_id"])
        goods = not_negative(money(body, "document_goods_value", ZERO), "document_goods_value")
        tax = not_negative(money(body, "document_tax_value", ZERO), "document_tax_value")
        if goods + tax == 0:
            raise PostingError("The document has no value.")
        posting = self._head(body, now, "LedgerPurchase")
        narrative = f"PI /  {supplier['reference']}"
        posting.taxes = self._tax_items(body, supplier, goods, tax)
        posting.legs = [Leg(self._records.nominal(CREDITORS_CONTROL), -(goods + tax), narrative)]
        posting.legs += [
            Leg(nominal, value, text or narrative)
            for nominal, value, text, _ in self._analysis_items(body, supplier, goods)
        ]
        if tax:
            posting.legs.append(Leg(self._records.nominal(INPUT_VAT), tax, narrative))
        posting.trade = Trade("purchase", supplier, "TradingAccountEntryTypeInvoice", goods + tax, tax)
        return posting

    def _bank_payment(self, body: dict[str, Any], now: datetime) -> Posting:
        return self._cash_book_entry(body, now, is_receipt=False)

    def _bank_receipt(self, body: dict[str, Any], now: datetime) -> Posting:
        return self._cash_book_entry(body, now, is_receipt=True)

    def _cash_book_entry(self, body: dict[str, Any], now: datetime, *, is_receipt: bool) -> Posting:
        bank = self._records.bank(body["bank_id"], "bank_id")
        items = body.get("nominal_analysis_items") or body.get("nominal_journal_items") or []
        if not items:
            raise PostingError("SageNullFieldException: The property 'nominal_analysis_items' is required.")
        for name in ("cheque_value", "cheque_goods_value", "cheque_tax_value", "exchange_rate", "bank_charges"):
            if body.get(name):
                raise PostingError(f"The property '{name}' applies to foreign currency bank accounts only.")
        posting = self._head(body, now, "LedgerCashBook")
        sign = -1 if is_receipt else 1
        total = ZERO
        for position, item in enumerate(items):
            nominal = self._records.nominal_of(item)
            goods, tax, tax_code = self._analysed(item, f"nominal_analysis_items[{position}]")
            narrative = item.get("narrative") or body.get("narrative") or ""
            if goods:
                posting.legs.append(Leg(nominal, sign * goods, narrative))
            if tax:
                posting.legs.append(Leg(self._records.nominal(CASH_BOOK_VAT), sign * tax, narrative))
            if tax_code is not None:
                posting.taxes.append((tax_code, goods, tax))
            total += goods + tax
        cash = total if is_receipt else -total
        posting.legs.append(Leg(self._records.bank_nominal(bank), cash, body.get("narrative") or ""))
        posting.cash = [(bank, "Receipt" if is_receipt else "Payment", cash)]
        return posting

    def _analysed(self, item: dict[str, Any], label: str) -> tuple[Decimal, Decimal, dict[str, Any] | None]:
        tax = not_negative(money(item, "tax_value", ZERO), f"{label}.tax_value")
        if item.get("goods_value") is None and item.get("gross_value") is None:
            raise PostingError(f"SageNullFieldException: The property '{label}.goods_value' is required.")
        goods = money(item, "goods_value", money(item, "gross_value", ZERO) - tax)
        not_negative(goods, f"{label}.goods_value")
        if money(item, "gross_value", goods + tax) != goods + tax:
            raise PostingError(f"The gross value of '{label}' is not the sum of its goods and tax values.")
        if goods + tax == 0:
            raise PostingError(f"The item '{label}' has no value.")
        tax_code = self._records.tax_code(item["tax_code_id"]) if item.get("tax_code_id") else None
        if tax and tax_code is None:
            raise PostingError(
                f"SageNullFieldException: The property '{label}.tax_code_id' is required with a tax value."
            )
        if tax and tax_code and not tax_code.get("tax_rate"):
            raise PostingError(f"The tax code of '{label}' has a rate of zero; its tax value must be zero.")
        return goods, tax, tax_code

    def _bank_transfer(self, body: dict[str, Any], now: datetime) -> Posting:
        source = self._records.bank(body["bank_from_id"], "bank_from_id")
        target = self._records.bank(body["bank_to_id"], "bank_to_id")
        if source["id"] == target["id"]:
            raise PostingError("A transfer needs two different bank accounts.")
        value = positive(body, "payment_value")
        if money(body, "receipt_value", value) != value:
            raise PostingError("The property 'receipt_value' applies to foreign currency bank accounts only.")
        posting = self._head(body, now, "LedgerCashBook")
        narrative = body.get("narrative") or f"Bank transfer {source['code']} to {target['code']}"
        posting.description = narrative
        posting.legs = [
            Leg(self._records.bank_nominal(target), value, narrative),
            Leg(self._records.bank_nominal(source), -value, narrative),
        ]
        posting.cash = [(source, "Payment", -value), (target, "Receipt", value)]
        return posting
