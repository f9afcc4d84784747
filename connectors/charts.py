"""The chart of accounts and the tax codes of an ERP company, read afresh: what somebody maps to on the first day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from connectors.records import FeedSpec, Page, Window


@dataclass(frozen=True, slots=True)
class ChartAccount:
    """An active account. `is_balance_sheet` is None where the ERP does not tell."""

    code: str
    name: str
    is_balance_sheet: bool | None
    cost_centre: str
    department: str


@dataclass(frozen=True, slots=True)
class ChartTax:
    """A tax code with its rate in percent, as the ERP writes it."""

    code: str
    name: str
    rate_percent: str


class ReadsFeeds(Protocol):
    @property
    def feeds(self) -> Mapping[str, FeedSpec]: ...

    def pages(self, entity: str, window: Window) -> Iterator[Page]: ...


_SAGE_BALANCE_SHEET = "NominalAccountTypeBalanceSheet"
_NETSUITE_PROFIT_AND_LOSS = frozenset({"Income", "COGS", "Expense", "OthIncome", "OthExpense"})


def chart_of(vendor: str, connector: ReadsFeeds) -> tuple[list[ChartAccount], list[ChartTax]]:
    """Accounts and tax codes in the ERP's order.

    Raises KeyError for an ERP whose chart is not known here, ConnectorError when it does not answer.
    """
    if vendor == "sage200":
        accounts = [
            ChartAccount(
                _text(row, "reference"),
                _text(row, "name"),
                _text(row, "nominal_account_type") == _SAGE_BALANCE_SHEET,
                _text(row, "cost_centre_code"),
                _text(row, "department_code"),
            )
            for row in _rows(connector, "nominal_codes")
            if _text(row, "account_status_type") in ("", "AccountStatusActive")
        ]
        taxes = [
            ChartTax(_text(row, "code"), _text(row, "name"), _text(row, "tax_rate"))
            for row in _rows(connector, "tax_codes")
        ]
        return accounts, taxes
    if vendor == "netsuite":
        accounts = [
            ChartAccount(
                _text(row, "acctnumber") or _text(row, "fullname"),
                _text(row, "fullname"),
                _text(row, "accttype") not in _NETSUITE_PROFIT_AND_LOSS,
                "",
                "",
            )
            for row in _rows(connector, "accounts")
            if not row.get("isinactive")
        ]
        taxes = [
            ChartTax(
                _text(row, "name"), _text(row, "description") or _text(row, "name"), _text(row, "rate").rstrip("%")
            )
            for row in _rows(connector, "tax_codes")
            if not row.get("isinactive")
        ]
        return accounts, taxes
    raise KeyError(vendor)


def _rows(connector: ReadsFeeds, entity: str) -> Iterator[dict[str, Any]]:
    spec = connector.feeds[entity]
    for page in connector.pages(entity, Window()):
        yield from spec.decoded(page.body, page.url).tables[spec.tables[0].name].to_pylist()


def _text(row: Mapping[str, Any], name: str) -> str:
    return str(row.get(name) or "").strip()
