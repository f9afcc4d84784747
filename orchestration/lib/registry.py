"""The configuration folder as frozen objects, checked whole before anything runs.

`check_registry` collects every finding with file, line, column, value and what to do, because a person who mends one
line should not have to start again to learn of the next.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from orchestration.lib.configuration import (
    ROW_TYPES,
    Account,
    AccountRole,
    AlertRoute,
    AnalysisCode,
    ApprovalPolicy,
    BankAccount,
    BankCsvProfile,
    BankPayer,
    CallBudget,
    Carrier,
    CommissionContract,
    ConfigError,
    ConfigInvalid,
    Entity,
    Erp,
    ExceptionCode,
    ExchangeRate,
    ExchangeRateRule,
    Feed,
    FeeRule,
    FeeSupplier,
    Holiday,
    ItemMapping,
    Marketplace,
    OfferRule,
    OpeningBalance,
    OrderRule,
    PriceList,
    ProfitLine,
    RefundRule,
    Retention,
    Row,
    StockClass,
    StockRule,
    Switch,
    TaxCode,
    TaxRegime,
    Tolerance,
    TransactionType,
    Warehouse,
    WorkingCalendar,
)
from orchestration.lib.registry_checks import cross_check

__all__ = ["ROW_TYPES", "ConfigError", "ConfigInvalid", "Registry", "check_registry", "load_registry"]


@dataclass(frozen=True)
class Registry:
    """The whole configuration. Look-ups of a code that is not configured raise StopIteration or KeyError."""

    config_dir: Path
    entities: tuple[Entity, ...] = ()
    calendars: tuple[WorkingCalendar, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    erps: tuple[Erp, ...] = ()
    marketplaces: tuple[Marketplace, ...] = ()
    bank_accounts: tuple[BankAccount, ...] = ()
    bank_csv_profiles: tuple[BankCsvProfile, ...] = ()
    bank_payers: tuple[BankPayer, ...] = ()
    account_roles: tuple[AccountRole, ...] = ()
    profit_lines: tuple[ProfitLine, ...] = ()
    accounts: tuple[Account, ...] = ()
    transaction_types: tuple[TransactionType, ...] = ()
    tax_codes: tuple[TaxCode, ...] = ()
    tolerances: tuple[Tolerance, ...] = ()
    commission_contracts: tuple[CommissionContract, ...] = ()
    fee_rules: tuple[FeeRule, ...] = ()
    fee_suppliers: tuple[FeeSupplier, ...] = ()
    tax_regimes: tuple[TaxRegime, ...] = ()
    analysis_codes: tuple[AnalysisCode, ...] = ()
    warehouses: tuple[Warehouse, ...] = ()
    retention: tuple[Retention, ...] = ()
    carriers: tuple[Carrier, ...] = ()
    refund_rules: tuple[RefundRule, ...] = ()
    stock_rules: tuple[StockRule, ...] = ()
    stock_classes: tuple[StockClass, ...] = ()
    offer_rules: tuple[OfferRule, ...] = ()
    order_rules: tuple[OrderRule, ...] = ()
    price_lists: tuple[PriceList, ...] = ()
    item_map: tuple[ItemMapping, ...] = ()
    exception_codes: tuple[ExceptionCode, ...] = ()
    approval_policies: tuple[ApprovalPolicy, ...] = ()
    alert_routes: tuple[AlertRoute, ...] = ()
    switches: tuple[Switch, ...] = ()
    feeds: tuple[Feed, ...] = ()
    call_budgets: tuple[CallBudget, ...] = ()
    opening_balances: tuple[OpeningBalance, ...] = ()
    exchange_rates: tuple[ExchangeRate, ...] = ()
    exchange_rate_rules: tuple[ExchangeRateRule, ...] = ()
    warnings: tuple[ConfigError, ...] = field(default=())
    """Findings that stop only what they name."""

    def accounts_of(self, vendor: str) -> tuple[str, ...]:
        """Codes of the enabled accounts that a vendor's feeds are read for, in the order of the file."""
        match vendor:
            case "mirakl":
                return tuple(row.marketplace_code for row in self.marketplaces if row.is_enabled)
            case "bank":
                return tuple(
                    row.bank_account_code for row in self.bank_accounts if row.is_enabled and row.source == "STATEMENT"
                )
            case _:
                return tuple(row.erp_code for row in self.erps if row.is_enabled and row.vendor == vendor)

    @property
    def vendors(self) -> tuple[str, ...]:
        """Vendors in use with at least one feed, in the order of feeds.csv."""
        return tuple(dict.fromkeys(feed.vendor for feed in self.feeds_in_use))

    @cached_property
    def feeds_in_use(self) -> tuple[Feed, ...]:
        """The feeds of feeds.csv, without those of an ERP that nobody here has."""
        used = vendors_in_use(self.erps)
        return tuple(feed for feed in self.feeds if feed.vendor in used)

    def feed(self, vendor: str, entity: str) -> Feed:
        return self._feeds[vendor, entity]

    def lane_feeds(self, lane: str, vendor: str | None = None) -> tuple[Feed, ...]:
        return tuple(feed for feed in self.feeds if lane in feed.lanes and vendor in (None, feed.vendor))

    def account_feeds(self, vendor: str, account: str) -> tuple[Feed, ...]:
        """The feeds that an account has, seen from its side of the marketplace."""
        seen_from = self.marketplace(account).perspective if vendor == "mirakl" else "BOTH"
        return tuple(feed for feed in self.feeds if feed.vendor == vendor and feed.perspective in ("BOTH", seen_from))

    def marketplace(self, code: str) -> Marketplace:
        return next(row for row in self.marketplaces if row.marketplace_code == code)

    def erp(self, code: str) -> Erp:
        return next(row for row in self.erps if row.erp_code == code)

    def bank_account(self, code: str) -> BankAccount:
        return next(row for row in self.bank_accounts if row.bank_account_code == code)

    def csv_profile_rows(self) -> list[dict[str, str]]:
        """The rows of bank_csv_profiles.csv as text, in the form that the bank connector reads."""
        return [
            {
                "csv_profile": row.csv_profile,
                "field": row.field,
                "column_name": row.column_name,
                "format": row.format or "",
            }
            for row in self.bank_csv_profiles
        ]

    @cached_property
    def _feeds(self) -> dict[tuple[str, str], Feed]:
        return {(feed.vendor, feed.entity): feed for feed in self.feeds}


R = TypeVar("R", bound=Row)

ALWAYS_IN_USE = ("mirakl", "bank")


def vendors_in_use(erps: Iterable[Erp]) -> tuple[str, ...]:
    """Marketplaces and the bank, and every ERP of which a company is enabled, in the order of the rows."""
    return (*ALWAYS_IN_USE, *dict.fromkeys(row.vendor for row in erps if row.is_enabled))


def configured_vendors(config_dir: Path) -> tuple[str, ...]:
    """`vendors_in_use` of a configuration folder, sorted; rows that cannot be read count as absent."""
    rows, _ = _read(config_dir, Erp, [])
    return tuple(sorted(vendors_in_use(rows)))


def read_rows(config_dir: Path, row_type: type[R]) -> tuple[R, ...]:
    """The good rows of one file, whatever is wrong with it or with the others."""
    return _read(config_dir, row_type, [])[0]


def load_registry(config_dir: Path) -> Registry:
    """The checked configuration.

    Raises ConfigInvalid with every blocking finding.
    """
    registry, errors = check_registry(config_dir)
    blocking = [error for error in errors if error.is_blocking]
    if registry is None or blocking:
        raise ConfigInvalid(blocking or errors)
    return registry


def check_registry(config_dir: Path) -> tuple[Registry | None, list[ConfigError]]:
    """Read and check everything. The registry is None when some row could not be read; findings come in file order."""
    errors: list[ConfigError] = []
    if not config_dir.is_dir():
        return None, [
            ConfigError(
                str(config_dir),
                None,
                None,
                None,
                "the folder does not exist",
                "Run `tieout init DIR` and set TIEOUT_CONFIG_DIR",
            )
        ]
    rows: dict[type[Row], tuple[Any, ...]] = {}
    codes: dict[type[Row], set[str]] = {}
    for row_type in ROW_TYPES:
        rows[row_type], codes[row_type] = _read(config_dir, row_type, errors)
    registry = Registry(
        config_dir,
        **{_attribute(row_type): rows[row_type] for row_type in ROW_TYPES},
    )
    unreadable = bool(errors)
    errors += cross_check(registry, codes)
    if unreadable:
        return None, errors
    warnings = tuple(error for error in errors if not error.is_blocking)
    return Registry(**{**_fields(registry), "warnings": warnings}), errors


def _fields(registry: Registry) -> dict[str, Any]:
    return {name: getattr(registry, name) for name in Registry.__dataclass_fields__}


def _attribute(row_type: type[Row]) -> str:
    return row_type.FILE.removesuffix(".csv")


def _read(config_dir: Path, row_type: type[R], errors: list[ConfigError]) -> tuple[tuple[R, ...], set[str]]:
    """Every good row of one file, and the codes (first key column) of all rows; bad rows become findings.

    The codes of bad rows count too: one wrong cell must not make every other file point to nothing.
    """
    codes: set[str] = set()
    name = row_type.FILE
    try:
        text = (config_dir / name).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        errors.append(
            ConfigError(
                name,
                None,
                None,
                None,
                "the file is missing",
                f"`tieout upgrade --write` puts it into {config_dir}",
            )
        )
        return (), codes
    except UnicodeDecodeError as error:
        errors.append(
            ConfigError(name, None, None, None, f"is not UTF-8 text (byte {error.start})", "Save it as CSV UTF-8")
        )
        return (), codes
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    columns = [column for column in row_type.model_fields if column != "line"]
    found: list[R] = []
    keys: dict[tuple[Any, ...], int] = {}
    try:
        heading = next(reader, [])
        if missing := [column for column in columns if column not in heading]:
            action = "`tieout upgrade --write` adds it, with its values where they are Tieout's own"
            errors += [ConfigError(name, 1, column, None, "the column is missing", action) for column in missing]
            return (), codes
        if doubled := [column for column, count in Counter(heading).items() if count > 1]:
            errors.append(ConfigError(name, 1, doubled[0], None, "the column is there twice", "Keep one of them"))
            return (), codes
        for cells in reader:
            line = reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(heading):
                errors.append(
                    ConfigError(
                        name,
                        line,
                        None,
                        None,
                        f"the row has {len(cells)} cells, the heading {len(heading)}",
                        'Put a text that holds a comma into "quotes"',
                    )
                )
                continue
            values = {column: cell.strip() or None for column, cell in zip(heading, cells, strict=True)}
            if (code := values.get(row_type.KEY[0])) is not None:
                codes.add(code)
            try:
                row = row_type.model_validate({**values, "line": line})
            except ValidationError as error:
                errors += [_finding(name, line, item, values) for item in error.errors()]
                continue
            key = tuple(getattr(row, column) for column in row_type.KEY)
            if (first := keys.setdefault(key, line)) != line:
                errors.append(
                    ConfigError(
                        name,
                        line,
                        "+".join(row_type.KEY),
                        "|".join(str(part) for part in key if part is not None),
                        f"repeats the key of line {first}",
                        "Keep one of the two rows",
                    )
                )
                continue
            found.append(row)
    except csv.Error as error:
        errors.append(
            ConfigError(
                name, reader.line_num, None, None, f"is not CSV: {error}", "Check the quotes on and before this line"
            )
        )
        return (), codes
    if not found and not row_type.EMPTY and not any(error.file == name for error in errors):
        errors.append(ConfigError(name, None, None, None, "holds no rows", "Add at least one row"))
    return tuple(found), codes


def _finding(file: str, line: int, item: Any, values: dict[str, str | None]) -> ConfigError:
    """A pydantic error in the words of the person who edits the file."""
    column = str(item["loc"][0])
    value = values.get(column)
    context = item.get("ctx") or {}
    if value is None:
        return ConfigError(file, line, column, None, "is empty", "Fill it in")
    match item["type"]:
        case "literal_error":
            problem, action = "is not an allowed value", f"Use one of {context.get('expected')}"
        case "value_error":
            problem, action = str(context.get("error")), "Correct it"
        case "string_pattern_mismatch":
            problem, action = "has a form that is not allowed", f"It must match {context.get('pattern')}"
        case _:
            problem, action = str(item["msg"]), "Correct it"
    return ConfigError(file, line, column, value, problem, action)
