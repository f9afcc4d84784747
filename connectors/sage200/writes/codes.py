"""Turns the codes of a payload into a company's ids. An id means nothing in another company, so none is configured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from connectors.errors import NotFound, PermissionDenied, RequestRejected
from connectors.sage200.client import quoted
from connectors.sage200.journals import Account
from connectors.sage200.writes.sending import Desk, Unfit, conditions

ACTIVE = (None, "", "AccountStatusActive")


class Codes:
    """Looked up once each and kept. Every refusal names the field of the payload and what to correct, as Unfit."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._rows: dict[tuple[str, str], dict[str, Any]] = {}
        self._accounts: dict[int, Account] = {}
        self._currencies: dict[str, dict[str, Any]] | None = None

    # --- accounts ---

    def customer(self, reference: str, field: str = "customer_reference") -> dict[str, Any]:
        where = "correct customer_reference in marketplaces.csv"
        return self._active("customers", f"reference eq {quoted(reference)}", f"customer {reference!r}", field, where)

    def supplier(self, reference: str, field: str = "supplier_reference") -> dict[str, Any]:
        where = "correct the record, or create the supplier in Sage"
        return self._active("suppliers", f"reference eq {quoted(reference)}", f"supplier {reference!r}", field, where)

    def bank(self, code: str, field: str = "bank_code") -> dict[str, Any]:
        where = "correct clearing_bank_code in marketplaces.csv or erp_bank_code in bank_accounts.csv"
        return self._active("banks", f"code eq {quoted(code)}", f"bank account {code!r}", field, where)

    def bank_account(self, code: str) -> Account:
        """The nominal account behind a bank account."""
        bank = self.bank(code)
        return Account(
            *(str(bank.get(f"bank_account_nominal_{p}") or "") for p in ("reference", "cost_centre", "department"))
        )

    def nominal(self, account: Account, field: str) -> dict[str, Any]:
        """A nominal account. Cost centre and department belong to its identity, so all three must fit."""
        if not account.code:
            raise Unfit(f"{field}: no nominal account: add it to accounts.csv")
        key = ("nominal_codes", str(account))
        if key not in self._rows:
            rows = self._desk.connector.select("nominal_codes", f"reference eq {quoted(account.code)}", top=500)
            fitting = [
                row
                for row in rows
                if Account(
                    str(row.get("reference") or ""),
                    str(row.get("cost_centre_code") or ""),
                    str(row.get("department_code") or ""),
                )
                == account
            ]
            where = "correct accounts.csv, or create the account in Sage"
            self._rows[key] = _checked(_one(fitting, f"nominal account {account}", field, where), field, str(account))
        return self._rows[key]

    def account_of(self, nominal_code_id: int) -> Account:
        """The account behind an id, for comparisons; one that is gone shows its id."""
        if nominal_code_id not in self._accounts:
            rows = self._desk.connector.select("nominal_codes", f"id eq {nominal_code_id}", top=1)
            row = rows[0] if rows else {}
            self._accounts[nominal_code_id] = Account(
                str(row.get("reference") or f"id {nominal_code_id}"),
                str(row.get("cost_centre_code") or ""),
                str(row.get("department_code") or ""),
            )
        return self._accounts[nominal_code_id]

    def transaction_analysis(self, code: str) -> bool:
        """Whether nominal items may carry this transaction analysis code.

        Sage refuses one that it does not hold, and any while its ledger settings do not allow them.
        """
        key = ("nominal_transaction_analysis_codes", code)
        if key not in self._rows:
            allowed = self._desk.first("sales_ledger_settings").get("allow_additional_trans_analysis") is True
            rows: list[dict[str, Any]] = []
            if allowed:
                with suppress(NotFound, PermissionDenied, RequestRejected):  # a role that may not see them
                    rows = list(self._desk.rows(key[0], f"code eq {quoted(code)}"))
            self._rows[key] = next((row for row in rows if row.get("active") is not False), {})
        return bool(self._rows[key])

    # --- tax and currency ---

    def tax_code(self, code: str, field: str = "tax_code") -> dict[str, Any]:
        """`code` is a small number that users know; the id differs per company."""
        where = "correct erp_tax_code in tax_codes.csv"
        if not (code.isascii() and code.isdigit()):
            raise Unfit(f"{field}: tax code {code!r} is not a number: {where}")
        return self._row("tax_codes", f"code eq {int(code)}", f"tax code {code}", field, where)

    def currency(self, iso_code: str, field: str = "currency_code") -> dict[str, Any]:
        """A currency of the company by its ISO code."""
        if not iso_code:
            raise Unfit(f"{field}: the currency is missing")
        if self._currencies is None:
            rows = self._desk.rows("currencies", "id gt 0", expand="currency_iso_code")
            self._currencies = {_iso_code(row): row for row in rows}
        if iso_code not in self._currencies:
            raise Unfit(f"{field}: Sage has no currency {iso_code}: add it in Sage, or correct the record")
        return self._currencies[iso_code]

    def check_currency(self, iso_code: str, holder: Mapping[str, Any], member: str, what: str) -> None:
        """Raises Unfit when an account is kept in another currency than the document."""
        currency = self.currency(iso_code)
        held = holder.get(member)
        # An absent or nil id stands for the base currency.
        is_base = bool(currency.get("is_base_currency"))
        if (not held and not is_base) or (held and held != currency["id"]):
            raise Unfit(f"currency_code: the document is in {iso_code}, {what} is kept in another currency")

    # --- stock ---

    def product(self, code: str, field: str) -> dict[str, Any]:
        """A stock item that may be sold."""
        where = "map it in item_map.csv, or create it in Sage"
        row = self._row("products", _by_code(code), f"stock item {code!r}", field, where)
        status = str(row.get("product_status_type") or "")
        if row.get("allow_sales_order") is False or (status and not status.endswith("Active")):
            raise Unfit(f"{field}: stock item {code!r} is discontinued in Sage (not allowed on sales orders)")
        return row

    def fetch_products(self, codes: Iterable[str]) -> None:
        """Looks many stock items up in few calls. What is absent or there twice is left to `product`, which says so."""
        wanted = {code: _by_code(code) for code in codes}
        absent = sorted(code for code, condition in wanted.items() if ("products", condition) not in self._rows)
        found: dict[str, list[dict[str, Any]]] = {}
        for condition in conditions(absent, "code"):
            for row in self._desk.rows("products", condition):
                found.setdefault(str(row.get("code")).casefold(), []).append(row)
        for code in absent:
            rows = found.get(code.casefold(), [])
            if len(rows) == 1:
                self._rows["products", wanted[code]] = rows[0]

    def warehouse(self, name: str, field: str) -> dict[str, Any]:
        where = "correct warehouses.csv"
        return self._row("warehouses", f"name eq {quoted(name)}", f"warehouse {name!r}", field, where)

    # --- one record ---

    def _active(self, resource: str, condition: str, what: str, field: str, where: str) -> dict[str, Any]:
        return _checked(self._row(resource, condition, what, field, where), field, what)

    def _row(self, resource: str, condition: str, what: str, field: str, where: str) -> dict[str, Any]:
        key = (resource, condition)
        if key not in self._rows:
            self._rows[key] = _one(self._desk.connector.select(resource, condition, top=2), what, field, where)
        return self._rows[key]


def _one(rows: list[dict[str, Any]], what: str, field: str, where: str) -> dict[str, Any]:
    if len(rows) != 1 or not isinstance(rows[0].get("id"), int):
        raise Unfit(f"{field}: Sage has {'no' if not rows else 'more than one'} {what}: {where}")
    return rows[0]


def _checked(row: dict[str, Any], field: str, what: str) -> dict[str, Any]:
    if row.get("account_status_type") not in ACTIVE:
        raise Unfit(f"{field}: {what} is hidden in Sage: make it active there, or correct the record")
    return row


def _by_code(code: str) -> str:
    return f"code eq {quoted(code)}"


def _iso_code(row: Mapping[str, Any]) -> str:
    child = row.get("currency_iso_code")
    return str(child.get("code") or "") if isinstance(child, Mapping) else ""
