"""What Sage 200 does with a posted document: checks it, gives it a URN, writes sub-ledger rows and nominal legs.

Signs: sales-ledger rows are positive when the customer owes more (receipts and credit notes negative); cash-book
rows are positive when money comes in; a nominal leg has a debit or a credit, never negative, and the legs of a URN
add up to zero.
Amounts are GBP (the company's base currency), two decimals. Nothing recognises a repeated document: posted twice is
posted twice, as at the vendor.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sandbox.clock import midnight, milliseconds, stamp
from sandbox.sage_company import SageCompany, contract

DEBTORS_CONTROL = "1100"
OUTPUT_VAT = "2200"
INPUT_VAT = "2201"
# The cash book of this company carries VAT on fees only, so its VAT goes to the input account in both directions: a
# receipt that gives a fee back takes the input VAT back.
CASH_BOOK_VAT = INPUT_VAT
USER_NAME = "WebAPI"
ZERO = Decimal("0.00")

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z")
_ACTIVE = (None, "", "AccountStatusActive")


class PostingError(ValueError):
    """A document that Sage refuses with 400; the text is the body and names the first error only."""


@dataclass(frozen=True)
class Leg:
    """One nominal movement; `value` is debit positive."""

    nominal: dict[str, Any]
    value: Decimal
    narrative: str


@dataclass
class Posting:
    """Everything one URN writes."""

    reference: str
    second_reference: str
    transaction_date: str
    source: str
    legs: list[Leg] = field(default_factory=list)
    cash: list[tuple[dict[str, Any], str, Decimal]] = field(default_factory=list)
    trade: tuple[dict[str, Any], str, Decimal, Decimal] | None = None
    taxes: list[tuple[dict[str, Any], Decimal, Decimal]] = field(default_factory=list)
    description: str = ""
    due_date: str | None = None


# --- shape of a body -------------------------------------------------------------------------------------------------


def check_body(resource: str, body: Any) -> dict[str, Any]:
    """Types, lengths, decimals and required properties as published. Unknown properties are ignored, as the vendor
    does.

    Raises PostingError with the first error.
    """
    if not isinstance(body, dict):
        raise PostingError("The request body is not a JSON object.")
    _check_fields(contract()["bodies"][resource], body, "")
    return body


def _check_fields(schema: dict[str, Any], body: dict[str, Any], path: str) -> None:
    for name, rule in schema.items():
        value = body.get(name)
        label = path + name
        if value is None:
            # nominal_journal_items is the old name of nominal_analysis_items and stands in for it.
            is_aliased = name == "nominal_analysis_items" and body.get("nominal_journal_items")
            if rule.get("required") and not is_aliased:
                raise PostingError(f"SageNullFieldException: The property '{label}' is required.")
            continue
        _check_value(rule, value, label)


def _check_value(rule: dict[str, Any], value: Any, label: str) -> None:
    kind = rule["type"]
    if kind == "string":
        if not isinstance(value, str):
            raise PostingError(f"The property '{label}' must be a text.")
        if len(value) > rule.get("max", len(value)):
            raise PostingError(f"The property '{label}' exceeds its maximum length of {rule['max']}.")
    elif kind == "date":
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            raise PostingError(f"The property '{label}' is not a valid date and time (YYYY-MM-DDT00:00:00Z).")
        try:
            milliseconds(value)
        except ValueError:
            raise PostingError(f"The property '{label}' is not a valid date and time.") from None
    elif kind == "integer":
        if isinstance(value, bool) or not isinstance(value, int):
            raise PostingError(f"The property '{label}' must be a whole number.")
    elif kind == "number":
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise PostingError(f"The property '{label}' must be a number.")
        places = rule.get("places", 6)
        if Decimal(value) != round(Decimal(value), places):
            raise PostingError(f"The property '{label}' has more than {places} decimal places.")
    elif kind == "boolean":
        if not isinstance(value, bool):
            raise PostingError(f"The property '{label}' must be true or false.")
    elif kind == "array":
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise PostingError(f"The property '{label}' must be a list of objects.")
        for position, item in enumerate(value):
            _check_fields(rule["items"], item, f"{label}[{position}].")


def _money(body: dict[str, Any], name: str, default: Decimal | None = None) -> Decimal:
    value = body.get(name)
    if value is None:
        if default is None:
            raise PostingError(f"SageNullFieldException: The property '{name}' is required.")
        return default
    return Decimal(value).quantize(ZERO)


def _positive(body: dict[str, Any], name: str) -> Decimal:
    value = _money(body, name)
    if value <= 0:
        raise PostingError(f"The value of '{name}' must be greater than zero.")
    return value


def _not_negative(value: Decimal, label: str) -> Decimal:
    if value < 0:
        raise PostingError(f"The value of '{label}' must not be negative.")
    return value


# --- the ledger ------------------------------------------------------------------------------------------------------


class Ledger:
    """Posts documents into a company. `post` is a function of the company's state, the body and the time alone."""

    def __init__(self, company: SageCompany) -> None:
        self._company = company
        self._nominals = {
            (row["reference"], row.get("cost_centre_code") or "", row.get("department_code") or ""): row
            for row in company["nominal_codes"].rows
        }
        self._base_currency = company["currencies"].find("is_base_currency", True)
        self._settings = next(iter(company["system_settings"].rows), None)
        self._next_urn = 1 + max(
            (
                int(row.get("urn") or 0)
                for name in (
                    "nominal_transaction_enquiry_views",
                    "sales_posted_transactions",
                    "bank_posted_transactions",
                )
                for row in company[name].rows
            ),
            default=0,
        )
        if self._settings is not None:
            self._next_urn = max(self._next_urn, int(self._settings.get("next_urn") or 0))
        self._rules = {
            "sales_receipts": self._sales_receipt,
            "sales_payments": self._sales_payment,
            "sales_invoices": self._sales_invoice,
            "sales_credit_notes": self._sales_credit_note,
            "bank_payment": self._bank_payment,
            "bank_receipt": self._bank_receipt,
            "bank_transfer": self._bank_transfer,
        }

    @property
    def resources(self) -> Iterable[str]:
        return self._rules

    def check(self, resource: str, body: Any, now: datetime) -> Posting:
        """What the document would write. Raises PostingError; changes nothing."""
        body = check_body(resource, body)
        posting = self._rules[resource](body, now)
        self._period(posting.transaction_date)
        return posting

    def post(self, resource: str, body: Any, now: datetime) -> int:
        """Posts the document and returns its URN."""
        return self._write(self.check(resource, body, now), now)

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
        customer = self._customer(body["customer_id"])
        bank = self._bank(body["bank_id"], "bank_id")
        value = _positive(body, "cheque_value")
        if body.get("nominal_analysis_items"):
            raise PostingError("Nominal analysis items apply to the bank charges of foreign currency receipts only.")
        if _money(body, "customer_cheque_value", value) != value:
            raise PostingError("The value posted to the customer differs from the cheque value in the same currency.")
        posting = self._head(body, now, "LedgerSales")
        narrative = f"{kind} /  {customer['reference']}"
        signed = value if is_receipt else -value
        posting.legs = [
            Leg(self._bank_nominal(bank), signed, narrative),
            Leg(self._nominal(DEBTORS_CONTROL), -signed, narrative),
        ]
        posting.cash = [(bank, "Receipt" if is_receipt else "Payment", signed)]
        entry_type = "PurchasePaymentSalesReceipt" if is_receipt else "PurchaseReceiptSalesPayment"
        posting.trade = (customer, f"TradingAccountEntryType{entry_type}", -signed, ZERO)
        posting.description = posting.description or customer["name"]
        return posting

    def _sales_invoice(self, body: dict[str, Any], now: datetime) -> Posting:
        return self._sales_document(body, now, "SI", "TradingAccountEntryTypeInvoice", 1)

    def _sales_credit_note(self, body: dict[str, Any], now: datetime) -> Posting:
        return self._sales_document(body, now, "SC", "TradingAccountEntryTypeCreditNote", -1)

    def _sales_document(self, body: dict[str, Any], now: datetime, kind: str, entry_type: str, sign: int) -> Posting:
        customer = self._customer(body["customer_id"])
        goods = _not_negative(_money(body, "document_goods_value", ZERO), "document_goods_value")
        tax = _not_negative(_money(body, "document_tax_value", ZERO), "document_tax_value")
        if goods + tax == 0:
            raise PostingError("The document has no value.")
        posting = self._head(body, now, "LedgerSales")
        narrative = f"{kind} /  {customer['reference']}"
        posting.taxes = self._tax_items(body, customer, goods, tax)
        posting.legs = [Leg(self._nominal(DEBTORS_CONTROL), sign * (goods + tax), narrative)]
        posting.legs += [
            Leg(nominal, -sign * value, text or narrative)
            for nominal, value, text in self._revenue_items(body, customer, goods)
        ]
        if tax:
            posting.legs.append(Leg(self._nominal(OUTPUT_VAT), -sign * tax, narrative))
        posting.trade = (customer, entry_type, sign * (goods + tax), sign * tax)
        return posting

    def _tax_items(
        self, body: dict[str, Any], customer: dict[str, Any], goods: Decimal, tax: Decimal
    ) -> list[tuple[dict[str, Any], Decimal, Decimal]]:
        items = body.get("tax_analysis_items") or [{"id": customer.get("default_tax_code_id")}]
        result = [
            (self._tax_code(item["id"]), _money(item, "goods_amount", goods), _money(item, "tax_amount", tax))
            for item in items
        ]
        if sum(item[1] for item in result) != goods:
            raise PostingError("The tax analysis goods amounts do not add up to the document goods value.")
        if sum(item[2] for item in result) != tax:
            raise PostingError("The tax analysis tax amounts do not add up to the document tax value.")
        return result

    def _revenue_items(
        self, body: dict[str, Any], customer: dict[str, Any], goods: Decimal
    ) -> list[tuple[dict[str, Any], Decimal, str]]:
        items = body.get("nominal_analysis_items") or [
            {
                "code": customer.get("default_nominal_code_reference") or "",
                "cost_centre": customer.get("default_nominal_code_cost_centre"),
                "department": customer.get("default_nominal_code_department"),
            }
        ]
        result = [(self._nominal_of(item), _money(item, "value", goods), item.get("narrative") or "") for item in items]
        if sum(item[1] for item in result) != goods:
            raise PostingError("The nominal analysis values do not add up to the document goods value.")
        return result

    def _bank_payment(self, body: dict[str, Any], now: datetime) -> Posting:
        return self._cash_book_entry(body, now, is_receipt=False)

    def _bank_receipt(self, body: dict[str, Any], now: datetime) -> Posting:
        return self._cash_book_entry(body, now, is_receipt=True)

    def _cash_book_entry(self, body: dict[str, Any], now: datetime, *, is_receipt: bool) -> Posting:
        bank = self._bank(body["bank_id"], "bank_id")
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
            nominal = self._nominal_of(item)
            goods, tax, tax_code = self._analysed(item, f"nominal_analysis_items[{position}]")
            narrative = item.get("narrative") or body.get("narrative") or ""
            if goods:
                posting.legs.append(Leg(nominal, sign * goods, narrative))
            if tax:
                posting.legs.append(Leg(self._nominal(CASH_BOOK_VAT), sign * tax, narrative))
            if tax_code is not None:
                posting.taxes.append((tax_code, goods, tax))
            total += goods + tax
        cash = total if is_receipt else -total
        posting.legs.append(Leg(self._bank_nominal(bank), cash, body.get("narrative") or ""))
        posting.cash = [(bank, "Receipt" if is_receipt else "Payment", cash)]
        return posting

    def _analysed(self, item: dict[str, Any], label: str) -> tuple[Decimal, Decimal, dict[str, Any] | None]:
        tax = _not_negative(_money(item, "tax_value", ZERO), f"{label}.tax_value")
        if item.get("goods_value") is None and item.get("gross_value") is None:
            raise PostingError(f"SageNullFieldException: The property '{label}.goods_value' is required.")
        goods = _money(item, "goods_value", _money(item, "gross_value", ZERO) - tax)
        _not_negative(goods, f"{label}.goods_value")
        if _money(item, "gross_value", goods + tax) != goods + tax:
            raise PostingError(f"The gross value of '{label}' is not the sum of its goods and tax values.")
        if goods + tax == 0:
            raise PostingError(f"The item '{label}' has no value.")
        tax_code = self._tax_code(item["tax_code_id"]) if item.get("tax_code_id") else None
        if tax and tax_code is None:
            raise PostingError(
                f"SageNullFieldException: The property '{label}.tax_code_id' is required with a tax value."
            )
        if tax and tax_code and not tax_code.get("tax_rate"):
            raise PostingError(f"The tax code of '{label}' has a rate of zero; its tax value must be zero.")
        return goods, tax, tax_code

    def _bank_transfer(self, body: dict[str, Any], now: datetime) -> Posting:
        source = self._bank(body["bank_from_id"], "bank_from_id")
        target = self._bank(body["bank_to_id"], "bank_to_id")
        if source["id"] == target["id"]:
            raise PostingError("A transfer needs two different bank accounts.")
        value = _positive(body, "payment_value")
        if _money(body, "receipt_value", value) != value:
            raise PostingError("The property 'receipt_value' applies to foreign currency bank accounts only.")
        posting = self._head(body, now, "LedgerCashBook")
        narrative = body.get("narrative") or f"Bank transfer {source['code']} to {target['code']}"
        posting.description = narrative
        posting.legs = [
            Leg(self._bank_nominal(target), value, narrative),
            Leg(self._bank_nominal(source), -value, narrative),
        ]
        posting.cash = [(source, "Payment", -value), (target, "Receipt", value)]
        return posting

    # --- look-ups

    def _customer(self, record_id: int) -> dict[str, Any]:
        row = self._company["customers"].by_key.get(record_id)
        if row is None:
            raise PostingError(f"The customer with id {record_id} does not exist.")
        if row.get("account_status_type") not in _ACTIVE:
            raise PostingError(f"The customer account {row['reference']} is not active.")
        return row

    def _bank(self, record_id: int, label: str) -> dict[str, Any]:
        row = self._company["banks"].by_key.get(record_id)
        if row is None:
            raise PostingError(f"The bank account with id {record_id} ('{label}') does not exist.")
        if row.get("account_status_type") not in _ACTIVE:
            raise PostingError(f"The bank account {row['code']} is not active.")
        return row

    def _tax_code(self, record_id: int | None) -> dict[str, Any]:
        row = self._company["tax_codes"].by_key.get(record_id)
        if row is None:
            raise PostingError(f"The tax code with id {record_id} does not exist.")
        return row

    def _nominal_of(self, item: dict[str, Any]) -> dict[str, Any]:
        return self._nominal(item["code"], item.get("cost_centre") or "", item.get("department") or "")

    def _nominal(self, code: str, cost_centre: str = "", department: str = "") -> dict[str, Any]:
        row = self._nominals.get((code, cost_centre, department))
        if row is None:
            parts = "/".join(part for part in (code, cost_centre, department) if part)
            raise PostingError(f"The nominal account {parts} does not exist.")
        if row.get("account_status_type") not in _ACTIVE:
            raise PostingError(f"The nominal account {code} is not active.")
        return row

    def _bank_nominal(self, bank: dict[str, Any]) -> dict[str, Any]:
        return self._nominal(
            bank.get("bank_account_nominal_reference") or "",
            bank.get("bank_account_nominal_cost_centre") or "",
            bank.get("bank_account_nominal_department") or "",
        )

    def _period(self, transaction_date: str) -> dict[str, Any]:
        at = milliseconds(transaction_date)
        for row in self._company["financial_year_period_views"].rows:
            if milliseconds(row["period_start_date"]) <= at <= milliseconds(row["period_end_date"]):
                return row
        raise PostingError(f"The transaction date {transaction_date[:10]} is outside the accounting periods.")

    # --- writing

    def _write(self, posting: Posting, now: datetime) -> int:
        urn = self._next_urn
        self._next_urn += 1
        if self._settings is not None:
            self._settings["next_urn"] = str(self._next_urn)
            self._company["system_settings"].touch(self._settings)
        common = {
            "reference": posting.reference,
            "second_reference": posting.second_reference,
            "transaction_date": posting.transaction_date,
            "posted_date": midnight(now.date()),
            "urn": urn,
            "user_name": USER_NAME,
            "date_time_created": stamp(now),
            "date_time_updated": stamp(now),
        }
        children = self._children(posting, urn)
        if posting.trade is not None:
            self._write_trade(posting, common, children)
        for bank, kind, value in posting.cash:
            self._write_cash(posting, bank, kind, value, common, children)
        self._write_legs(posting, urn)
        return urn

    def _children(self, posting: Posting, urn: int) -> dict[str, list[dict[str, Any]]]:
        return {
            "nominal_analysis_items": [
                {
                    "code": leg.nominal["reference"],
                    "cost_centre": leg.nominal.get("cost_centre_code") or "",
                    "department": leg.nominal.get("department_code") or "",
                    "narrative": leg.narrative,
                    "value": leg.value,
                }
                for leg in posting.legs
            ],
            "tax_analysis_items": [
                {
                    "id": code["id"],
                    "code": code["code"],
                    "name": code["name"],
                    "goods_amount": goods,
                    "tax_amount": tax,
                    "tax_discount_amount": ZERO,
                }
                for code, goods, tax in posting.taxes
            ],
            "bank_items": [
                {
                    "bank_code": bank["code"],
                    "name": bank.get("description") or bank["code"],
                    "bank_entry_type": kind,
                    "reference": posting.reference,
                    "cheque_value": value,
                    "urn": urn,
                }
                for bank, kind, value in posting.cash
            ],
        }

    def _write_trade(self, posting: Posting, common: dict[str, Any], children: dict[str, Any]) -> None:
        if posting.trade is None:
            return
        customer, entry_type, gross, tax = posting.trade
        row = {
            "customer_id": customer["id"],
            "trader_transaction_type": entry_type,
            "queried": "",
            "due_date": posting.due_date or posting.transaction_date,
            "discount_percent": ZERO,
            "document_outstanding_value": gross,
            "base_outstanding_value": gross,
            "control_value_in_base_currency": gross,
            "exchange_rate": Decimal(1),
            "settled_immediately": False,
            "discount_days": 0,
        } | common
        for prefix in ("document", "base"):
            row[f"{prefix}_goods_value"] = gross - tax
            row[f"{prefix}_gross_value"] = gross
            row[f"{prefix}_tax_value"] = tax
            row[f"{prefix}_discount_value"] = ZERO
            row[f"{prefix}_tax_discount_value"] = ZERO
            row[f"{prefix}_allocated_value"] = ZERO
        row |= children | {"allocation_session_items": [], "allocation_history_items": []}
        self._company["sales_posted_transactions"].append(row)
        customer["balance"] = Decimal(customer.get("balance") or 0) + gross
        customer["date_time_updated"] = common["date_time_updated"]
        self._company["customers"].touch(customer)

    def _write_cash(
        self,
        posting: Posting,
        bank: dict[str, Any],
        kind: str,
        value: Decimal,
        common: dict[str, Any],
        children: dict[str, Any],
    ) -> None:
        currency_id = bank.get("account_currency_id") or (self._base_currency or {}).get("id", 0)
        row = {
            "bank_id": bank["id"],
            "bank_transaction_type": kind,
            "entry_description": posting.description,
            "cheque_value": value,
            "cheque_discount_value": ZERO,
            "cheque_to_account_currency_rate": Decimal(1),
            "bank_cheque_to_base_currency_rate": Decimal(1),
            "cheque_currency_id": currency_id,
            "statement_page_number": 0,
            "source": posting.source,
        } | common
        row |= {name: children[name] for name in ("nominal_analysis_items", "tax_analysis_items")} | {"trade_items": []}
        self._company["bank_posted_transactions"].append(row)
        bank["balance"] = Decimal(bank.get("balance") or 0) + value
        bank["balance_in_base"] = bank["balance"]
        bank["date_time_updated"] = common["date_time_updated"]
        self._company["banks"].touch(bank)

    def _write_legs(self, posting: Posting, urn: int) -> None:
        period = self._period(posting.transaction_date)
        table = self._company["nominal_transaction_enquiry_views"]
        for leg in posting.legs:
            row = table.append(
                {
                    "nominal_code_id": leg.nominal["id"],
                    "transaction_date": posting.transaction_date,
                    "period_number": period["period_number"],
                    "accounting_period_id": period["accounting_period_id"],
                    "financial_year_id": period["financial_year_id"],
                    "financial_year_start_date": period.get("financial_year_start_date"),
                    "year_relative_to_current_year": period.get("year_relative_to_current_year"),
                    "reference": posting.reference,
                    "narrative": leg.narrative,
                    "transaction_analysis_code": "",
                    "debit": max(leg.value, ZERO),
                    "credit": max(-leg.value, ZERO),
                    "user_name": USER_NAME,
                    "source": posting.source,
                    "urn": urn,
                }
            )
            self._company.note_leg(row)
