"""Customer accounts as they are created, and allocations of what stands on them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sandbox.clock import midnight, stamp
from sandbox.sage_bodies import ZERO, PostingError, check_body, money, not_negative, positive
from sandbox.sage_company import SageCompany
from sandbox.sage_posting import USER_NAME
from sandbox.sage_records import SageRecords

Row = dict[str, Any]
# Rows of these types lower what the customer owes; the others raise it.
CREDITS = frozenset(
    {
        "TradingAccountEntryTypeCreditNote",
        "TradingAccountEntryTypePurchasePaymentSalesReceipt",
        "TradingAccountEntryTypeOpeningBalanceCreditNote",
    }
)


class Customers:
    """The sales ledger's accounts. A reference exists once, however it is written."""

    def __init__(self, company: SageCompany, records: SageRecords) -> None:
        self._company = company
        self._records = records

    def check(self, body: Any) -> None:
        """Raises PostingError; changes nothing."""
        self._values(check_body("customers", body))

    def create(self, body: Row, now: datetime) -> Row:
        row = self._values(body) | {"date_time_created": stamp(now), "date_time_updated": stamp(now)}
        return self._company["customers"].append(row)

    def _values(self, body: Row) -> Row:
        reference = body.get("reference") or ""
        if not reference and self._records.setting("sales_ledger_settings", "auto_generate_account_numbers", False):
            reference = f"C{self._company['customers'].next_key:07d}"
        for name, value in (("reference", reference), ("name", body.get("name"))):
            if not value:
                raise PostingError(f"SageNullFieldException: The property '{name}' is required.")
        taken = {str(row["reference"]).upper() for row in self._company["customers"].rows}
        if reference.upper() in taken:
            raise PostingError(f"The customer account {reference} already exists.")
        currency_id = body.get("currency_id") or (self._records.base_currency or {}).get("id", 0)
        if self._company["currencies"].by_key.get(currency_id) is None:
            raise PostingError(f"The currency with id {currency_id} does not exist.")
        if body.get("default_tax_code_id"):
            self._records.tax_code(body["default_tax_code_id"])
        if code := body.get("default_nominal_code_reference"):
            parts = (body.get(f"default_nominal_code_{part}") or "" for part in ("cost_centre", "department"))
            self._records.nominal(code, *parts)
        defaults: Row = {
            "short_name": reference,
            "balance": ZERO,
            "on_hold": False,
            "account_status_type": "AccountStatusActive",
            "exchange_rate_type": "ExchangeRateSingle",
            "account_type": "TradingAccountTypeOpenItem",
            "credit_limit": ZERO,
            "vat_number": "",
        }
        given = {name: value for name, value in body.items() if value is not None}
        return defaults | given | {"reference": reference, "currency_id": currency_id}


class Allocations:
    """Sets invoices against receipts. Values are positive on both sides and come to the same; no ledger moves."""

    def __init__(self, company: SageCompany, records: SageRecords) -> None:
        self._company = company
        self._records = records

    def check(self, body: Any) -> None:
        """Raises PostingError; changes nothing."""
        body = check_body("sales_allocations", body)
        customer = self._records.customer(body["customer_id"])
        debits = credits = ZERO
        seen: set[int] = set()
        if not body["allocation_lines"]:
            raise PostingError("SageNullFieldException: The property 'allocation_lines' is required.")
        for position, line in enumerate(body["allocation_lines"]):
            label, tran_id = f"allocation_lines[{position}]", line["posted_tran_id"]
            row = self._company["sales_posted_transactions"].by_key.get(tran_id)
            if row is None or row["customer_id"] != customer["id"]:
                raise PostingError(f"The transaction with id {tran_id} ('{label}') is not on this customer account.")
            if tran_id in seen:
                raise PostingError(f"The transaction with id {tran_id} ('{label}') is allocated twice.")
            seen.add(tran_id)
            value = positive(line, "value_to_allocate")
            if value > abs(Decimal(row["document_outstanding_value"])):
                raise PostingError(f"The value to allocate of '{label}' is more than what is outstanding.")
            if row["trader_transaction_type"] in CREDITS:
                credits += value
            else:
                debits += value
        if not_negative(abs(debits - credits), "allocation_lines"):
            raise PostingError(f"The allocation is out of balance by {abs(debits - credits)}.")

    def create(self, body: Row, now: datetime) -> Row:
        """Allocates what was checked. The answer is the allocation as it was sent."""
        table = self._company["sales_posted_transactions"]
        day = body.get("allocation_date") or midnight(now.date())
        for line in body["allocation_lines"]:
            row = table.own(line["posted_tran_id"])
            sign = -1 if row["trader_transaction_type"] in CREDITS else 1
            value = sign * money(line, "value_to_allocate")
            for prefix in ("document", "base"):
                row[f"{prefix}_allocated_value"] = Decimal(row.get(f"{prefix}_allocated_value") or 0) + value
            for name in ("document_outstanding_value", "base_outstanding_value"):
                if name in row:
                    row[name] = Decimal(row[name]) - value
            session = {
                "user_name": USER_NAME,
                "ledger_type": "LedgerSales",
                "urn": row["urn"],
                "allocation_date": day,
                "trader_transaction_type": row["trader_transaction_type"],
                "reference": row.get("reference") or "",
                "value": row["document_gross_value"],
                "allocation_value": value,
            }
            row["allocation_session_items"] = [*row.get("allocation_session_items", ()), session]
            if not row["document_outstanding_value"]:
                row["full_settlement_date"] = day
            row["date_time_updated"] = stamp(now)
            table.touch(row)
        return body
