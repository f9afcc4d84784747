"""Writes what one URN moves: rows of the trading ledgers and of the cash book, and nominal legs.

Signs: sales-ledger rows are positive when the customer owes more (receipts and credit notes negative), purchase-ledger
rows when more is owed to the supplier; cash-book rows are positive when money comes in; a nominal leg has a debit or a
credit, never negative, and the legs of a URN add up to zero.
Amounts are GBP (the company's base currency), two decimals; a customer's account may be in another currency.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from sandbox.clock import midnight, stamp
from sandbox.sage_bodies import ZERO
from sandbox.sage_company import SageCompany
from sandbox.sage_records import SageRecords

USER_NAME = "WebAPI"


@dataclass(frozen=True)
class Leg:
    """One nominal movement; `value` is debit positive."""

    nominal: dict[str, Any]
    value: Decimal
    narrative: str
    analysis: str = ""


@dataclass(frozen=True)
class Trade:
    """The row of a trading account. `gross` and `tax` carry the ledger's sign."""

    ledger: Literal["sales", "purchase"]
    account: dict[str, Any]
    entry_type: str
    gross: Decimal
    tax: Decimal
    base_gross: Decimal | None = None
    """What it is in the company's currency; None: the account is in that currency itself. It has no tax then."""


@dataclass
class Posting:
    """Everything one URN writes."""

    reference: str
    second_reference: str
    transaction_date: str
    source: str
    legs: list[Leg] = field(default_factory=list)
    cash: list[tuple[dict[str, Any], str, Decimal]] = field(default_factory=list)
    trade: Trade | None = None
    taxes: list[tuple[dict[str, Any], Decimal, Decimal]] = field(default_factory=list)
    description: str = ""
    due_date: str | None = None


class PostingWriter:
    """Gives postings their URNs and writes their rows into a company."""

    def __init__(self, company: SageCompany, records: SageRecords) -> None:
        self._company = company
        self._records = records
        self._settings = next(iter(company["system_settings"].rows), None)
        self._next_urn = 1 + max(
            (
                int(row.get("urn") or 0)
                for name in (
                    "nominal_transaction_enquiry_views",
                    "sales_posted_transactions",
                    "purchase_posted_transactions",
                    "bank_posted_transactions",
                )
                for row in company[name].rows
            ),
            default=0,
        )
        if self._settings is not None:
            self._next_urn = max(self._next_urn, int(self._settings.get("next_urn") or 0))

    def write(self, posting: Posting, now: datetime) -> int:
        """Writes all rows of one posting and returns its URN."""
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
            self._write_trade(posting.trade, posting, common, children)
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
                    "transaction_analysis_code": leg.analysis,
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

    def _write_trade(self, trade: Trade, posting: Posting, common: dict[str, Any], children: dict[str, Any]) -> None:
        account, gross, tax = trade.account, trade.gross, trade.tax
        base_gross = gross if trade.base_gross is None else trade.base_gross
        accounts, id_name = ("customers", "customer_id") if trade.ledger == "sales" else ("suppliers", "supplier_id")
        row = {
            id_name: account["id"],
            "trader_transaction_type": trade.entry_type,
            "queried": "",
            "due_date": posting.due_date or posting.transaction_date,
            "discount_percent": ZERO,
            "document_outstanding_value": gross,
            "base_outstanding_value": base_gross,
            "control_value_in_base_currency": base_gross,
            "exchange_rate": (gross / base_gross).quantize(Decimal("0.000001")) if base_gross else Decimal(1),
            "settled_immediately": False,
            "discount_days": 0,
        } | common
        for prefix, total in (("document", gross), ("base", base_gross)):
            row[f"{prefix}_goods_value"] = total - tax
            row[f"{prefix}_gross_value"] = total
            row[f"{prefix}_tax_value"] = tax
            row[f"{prefix}_discount_value"] = ZERO
            row[f"{prefix}_tax_discount_value"] = ZERO
            row[f"{prefix}_allocated_value"] = ZERO
        row |= children | {"allocation_session_items": [], "allocation_history_items": []}
        self._company[f"{trade.ledger}_posted_transactions"].append(row)
        account["balance"] = Decimal(account.get("balance") or 0) + gross
        account["date_time_updated"] = common["date_time_updated"]
        self._company[accounts].touch(account)

    def _write_cash(
        self,
        posting: Posting,
        bank: dict[str, Any],
        kind: str,
        value: Decimal,
        common: dict[str, Any],
        children: dict[str, Any],
    ) -> None:
        currency_id = bank.get("account_currency_id") or (self._records.base_currency or {}).get("id", 0)
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
        period = self._records.period(posting.transaction_date)
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
                    "transaction_analysis_code": leg.analysis,
                    "debit": max(leg.value, ZERO),
                    "credit": max(-leg.value, ZERO),
                    "user_name": USER_NAME,
                    "source": posting.source,
                    "urn": urn,
                }
            )
            self._company.note_leg(row)
