"""Finds the records that a body names by id or code, and refuses those that do not exist or may not be used."""

from typing import Any

from sandbox.clock import milliseconds
from sandbox.sage_bodies import PostingError
from sandbox.sage_company import SageCompany
from sandbox.sage_switches import SageSwitches

LEDGERS = frozenset(
    {
        "LedgerSales",
        "LedgerPurchase",
        "LedgerNominal",
        "LedgerCashBook",
        "LedgerSOP",
        "LedgerPOP",
        "LedgerStockControl",
        "LedgerWebAPI",
    }
)
_ACTIVE = (None, "", "AccountStatusActive")


class SageRecords:
    """Look-ups in one company. Each raises PostingError in Sage's manner: the first thing that is wrong."""

    def __init__(self, company: SageCompany, switches: SageSwitches) -> None:
        self.company = company
        self.switches = switches
        self._nominals = {
            (row["reference"], row.get("cost_centre_code") or "", row.get("department_code") or ""): row
            for row in company["nominal_codes"].rows
        }
        self.base_currency = company["currencies"].find("is_base_currency", True)

    def setting(self, resource: str, name: str, default: Any) -> Any:
        """A member of a settings resource; `default` where the site does not give it."""
        rows = self.company[resource].rows
        value = rows[0].get(name) if rows else None
        return default if value is None else value

    def customer(self, record_id: Any) -> dict[str, Any]:
        return self._account("customers", "customer", record_id)

    def supplier(self, record_id: Any) -> dict[str, Any]:
        return self._account("suppliers", "supplier", record_id)

    def _account(self, resource: str, what: str, record_id: Any) -> dict[str, Any]:
        row = self.company[resource].by_key.get(record_id)
        if row is None:
            raise PostingError(f"The {what} with id {record_id} does not exist.")
        if row.get("account_status_type") not in _ACTIVE:
            raise PostingError(f"The {what} account {row['reference']} is not active.")
        return row

    def bank(self, record_id: int, label: str) -> dict[str, Any]:
        row = self.company["banks"].by_key.get(record_id)
        if row is None:
            raise PostingError(f"The bank account with id {record_id} ('{label}') does not exist.")
        if row.get("account_status_type") not in _ACTIVE:
            raise PostingError(f"The bank account {row['code']} is not active.")
        return row

    def bank_nominal(self, bank: dict[str, Any]) -> dict[str, Any]:
        return self.nominal(
            bank.get("bank_account_nominal_reference") or "",
            bank.get("bank_account_nominal_cost_centre") or "",
            bank.get("bank_account_nominal_department") or "",
        )

    def tax_code(self, record_id: int | None) -> dict[str, Any]:
        row = self.company["tax_codes"].by_key.get(record_id)
        if row is None:
            raise PostingError(f"The tax code with id {record_id} does not exist.")
        return row

    def nominal_of(self, item: dict[str, Any]) -> dict[str, Any]:
        return self.nominal(item["code"], item.get("cost_centre") or "", item.get("department") or "")

    def nominal(self, code: str, cost_centre: str = "", department: str = "") -> dict[str, Any]:
        row = self._nominals.get((code, cost_centre, department))
        if row is None:
            parts = "/".join(part for part in (code, cost_centre, department) if part)
            raise PostingError(f"The nominal account {parts} does not exist.")
        if row.get("account_status_type") not in _ACTIVE:
            raise PostingError(f"The nominal account {code} is not active.")
        return row

    # --- dates

    def period(self, transaction_date: str) -> dict[str, Any]:
        """The accounting period of a date, closed or not."""
        at = milliseconds(transaction_date)
        for row in self.company["financial_year_period_views"].rows:
            if milliseconds(row["period_start_date"]) <= at <= milliseconds(row["period_end_date"]):
                return row
        raise PostingError(f"The transaction date {transaction_date[:10]} is outside the accounting periods.")

    def check_date(self, transaction_date: str) -> None:
        """Raises PostingError when nothing may be posted on this date."""
        classification, message = self.classify(transaction_date)
        if classification == "Unacceptable":
            raise PostingError(message)

    def classify(self, transaction_date: str) -> tuple[str, str]:
        """What `transaction_date_validation` says of a date, and why."""
        try:
            period = self.period(transaction_date)
        except PostingError as error:
            return "Unacceptable", str(error)
        if period["period_start_date"][:7] in self.switches.closed_periods:
            text = f"The transaction date {transaction_date[:10]} falls in a closed accounting period."
            return self.switches.closed_period, text
        return "Normal", ""
