"""The configuration folder as frozen objects, checked whole before anything runs.

One class per CSV file: its fields are the columns. `check_registry` collects every finding with file, line, column,
value and what to do, because a person who mends one line should not have to start again to learn of the next.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

ANY = "*"
"""In a key column: applies to every marketplace, item or category that has no row of its own."""

_DECIMAL = re.compile(r"^-?\d{1,14}(\.\d{1,8})?$")
_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_CYCLE_DAYS = re.compile(r"^\d{1,2}(\|\d{1,2})*$")


def _decimal(value: Any) -> Any:
    if isinstance(value, str):
        if not _DECIMAL.match(value):
            raise ValueError("is not a decimal number such as 12.50 (digits, one point, no thousands separator)")
        return Decimal(value)
    return value


def _date(value: Any) -> Any:
    if isinstance(value, str) and not _DATE.match(value):
        raise ValueError("is not a date such as 2026-04-01")
    return value


def _flag(value: Any) -> Any:
    if isinstance(value, str):
        if value not in ("true", "false"):
            raise ValueError("must be true or false")
        return value == "true"
    return value


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        if not re.fullmatch(r"\d{1,9}", value):
            raise ValueError("is not a whole number")
        return int(value)
    return value


def _url(value: str) -> str:
    parts = urlsplit(value)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.hostname is None or parts.scheme not in ("http", "https"):
        raise ValueError("is not an address such as https://host/path")
    if parts.scheme == "http" and not local:
        raise ValueError("must start with https://: a key would travel unencrypted")
    if parts.username or parts.password or parts.query:
        raise ValueError("must not hold a user, a password or a query: secrets come from the environment")
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError("is not a time zone such as Europe/London") from None
    return value


def _cycle_days(value: str) -> str:
    if not _CYCLE_DAYS.match(value) or any(not 1 <= int(day) <= 31 for day in value.split("|")):
        raise ValueError("must be days of the month such as 1|11|21")
    return value


Code = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]
"""A code of ours. It names folders and environment variables, so it is upper case letters, digits and _ only."""
CodeOrAny = Annotated[str, StringConstraints(pattern=r"^([A-Z][A-Z0-9_]{0,63}|\*)$")]
Text = Annotated[str, StringConstraints(min_length=1)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
CurrencyOrAny = Annotated[str, StringConstraints(pattern=r"^([A-Z]{3}|\*)$")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Money = Annotated[Decimal, BeforeValidator(_decimal)]
Day = Annotated[date, BeforeValidator(_date)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Whole = Annotated[int, BeforeValidator(_whole)]
Url = Annotated[str, AfterValidator(_url)]


class Row(BaseModel):
    """One line of a configuration file. An empty cell is None; columns Tieout does not know are left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    FILE: ClassVar[str]
    KEY: ClassVar[tuple[str, ...]]
    """Columns that together name the row."""
    EMPTY: ClassVar[bool] = False
    """Whether the file may hold no rows."""

    line: int
    """Line number in the file, from 1 (the heading)."""


class Marketplace(Row):
    FILE = "marketplaces.csv"
    KEY = ("marketplace_code",)
    marketplace_code: Code
    marketplace_name: Text
    perspective: Literal["SELLER", "OPERATOR"]
    base_url: Url
    shop_id: Text
    entity_code: Code
    erp_code: Code
    currency_code: Currency
    order_tax_mode: Literal["TAX_INCLUDED", "TAX_EXCLUDED"]
    posting_model: Literal["ORDER_LED"]
    """SETTLEMENT_LED is not built yet; taking it in silence would book it order-led."""
    acceptance_hours: Whole
    order_import_minutes: Whole
    auto_receive_days: Whole
    settlement_grace_days: Whole
    cycle_days: Annotated[str, AfterValidator(_cycle_days)]
    go_live_date: Day
    journals_live_from: Day | None
    customer_reference: Text
    clearing_bank_code: Text
    bank_account_code: Code
    operator_name: Text
    operator_country: Country
    timeout_seconds: Whole
    is_enabled: Flag


class Entity(Row):
    FILE = "entities.csv"
    KEY = ("entity_code",)
    entity_code: Code
    entity_name: Text
    functional_currency: Currency
    time_zone: Annotated[str, AfterValidator(_zone)]
    country: Country
    vat_number: Text | None


class Erp(Row):
    FILE = "erps.csv"
    KEY = ("erp_code",)
    erp_code: Code
    vendor: Literal["sage200"]
    entity_code: Code
    base_url: Url
    token_url: Url
    site_id: Text
    company_id: Text
    timeout_seconds: Whole
    is_enabled: Flag


class BankAccount(Row):
    FILE = "bank_accounts.csv"
    KEY = ("bank_account_code",)
    bank_account_code: Code
    entity_code: Code
    currency_code: Currency
    iban: Text
    statement_path: Text
    erp_bank_code: Text
    csv_profile: Text | None
    is_enabled: Flag


class BankCsvProfile(Row):
    FILE = "bank_csv_profiles.csv"
    KEY = ("csv_profile", "field")
    EMPTY = True
    csv_profile: Text
    field: Text
    column_name: Text
    format: Text | None


class BankPayer(Row):
    FILE = "bank_payers.csv"
    KEY = ("marketplace_code", "payer_name_contains", "effective_from")
    EMPTY = True
    marketplace_code: Code
    payer_name_contains: Text
    approved_by: Text
    effective_from: Day


class AccountRole(Row):
    FILE = "account_roles.csv"
    KEY = ("account_role",)
    account_role: Code
    account_type: Literal["BANK", "CUSTOMER", "NOMINAL", "VAT"]
    is_controlled: Flag
    description: Text


class Account(Row):
    FILE = "accounts.csv"
    KEY = ("entity_code", "marketplace_code", "currency_code", "account_role", "effective_from")
    entity_code: Code
    marketplace_code: CodeOrAny
    currency_code: Currency
    account_role: Code
    effective_from: Day
    account_code: Text
    cost_centre: Text | None
    department: Text | None


class TransactionType(Row):
    FILE = "transaction_types.csv"
    KEY = ("transaction_type", "effective_from")
    transaction_type: Code
    effective_from: Day
    fee_type: Text
    expected_sign: Literal["1", "-1", "0"] | None
    account_role: Code | None
    is_tax: Flag
    tax_of_type: Code | None
    counts_in_net: Flag
    bucket: Literal[
        "SALE", "REFUND", "FEE", "FEE_REFUND", "TAX", "ADJUSTMENT", "RESERVE", "PASSTHROUGH", "PAYMENT", "B2B"
    ]


class TaxCode(Row):
    FILE = "tax_codes.csv"
    KEY = ("entity_code", "tax_role", "effective_from")
    entity_code: Code
    tax_role: Code
    erp_tax_code: Text
    rate_percent: Money
    effective_from: Day


class Tolerance(Row):
    FILE = "tolerances.csv"
    KEY = ("test_code", "currency_code", "effective_from")
    test_code: Code
    currency_code: CurrencyOrAny
    amount: Money | None
    amount_cap: Money | None
    percent: Money | None
    effective_from: Day


class CommissionContract(Row):
    FILE = "commission_contracts.csv"
    KEY = ("marketplace_code", "category_code", "effective_from")
    EMPTY = True
    marketplace_code: Code
    category_code: Text
    effective_from: Day
    base: Literal["PRICE", "PRICE_PLUS_SHIPPING"]
    rate_percent: Money
    fixed_amount: Money | None
    minimum_amount: Money | None
    maximum_amount: Money | None
    refund_rule: Literal["FULL_PRO_RATA", "RETAIN_SHARE", "RETAIN_FIXED", "NONE"]
    retain_share_percent: Money | None
    retain_fixed_amount: Money | None
    vat_percent: Money


class FeeRule(Row):
    FILE = "fee_rules.csv"
    KEY = ("marketplace_code", "transaction_type", "fee_code", "effective_from")
    EMPTY = True
    marketplace_code: CodeOrAny
    transaction_type: Code
    fee_code: Text | None
    trigger: Literal["LATE_SHIPMENT", "CANCELLATION", "MONTHLY", "NONE"]
    amount: Money | None
    percent: Money | None
    effective_from: Day


class Warehouse(Row):
    FILE = "warehouses.csv"
    KEY = ("erp_code", "warehouse_name", "marketplace_code")
    erp_code: Code
    warehouse_name: Text
    marketplace_code: CodeOrAny
    is_for_sale: Flag
    reason: Text | None


class StockRule(Row):
    FILE = "stock_rules.csv"
    KEY = ("marketplace_code", "item_code")
    EMPTY = True
    marketplace_code: Code
    item_code: Text
    buffer: Money
    pack_size: Money
    maximum_quantity: Money | None
    is_run_off_allowed: Flag


class ItemMapping(Row):
    FILE = "item_map.csv"
    KEY = ("marketplace_code", "shop_sku", "erp_code")
    EMPTY = True
    marketplace_code: Code
    shop_sku: Text
    erp_code: Code
    item_code: Text


class ExceptionCode(Row):
    FILE = "exception_codes.csv"
    KEY = ("exception_code",)
    exception_code: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,4}-\d{3}$")]
    title: Text
    severity: Text
    root_cause: Text
    recommended_action: Text
    owner_team: Text
    sla_amount: Money | None
    sla_unit: Text | None
    is_money: Flag
    runbook: Text


class ApprovalPolicy(Row):
    FILE = "approval_policies.csv"
    KEY = ("kind", "marketplace_code", "currency_code")
    EMPTY = True
    kind: Code
    marketplace_code: CodeOrAny
    mode: Literal["AUTO", "PERSON"]
    maximum_amount: Money | None
    currency_code: Currency | None


class Switch(Row):
    FILE = "switches.csv"
    KEY = ("vendor", "marketplace_code", "kind")
    EMPTY = True
    vendor: Text
    marketplace_code: CodeOrAny
    kind: CodeOrAny
    is_on: Flag


class Feed(Row):
    FILE = "feeds.csv"
    KEY = ("vendor", "entity")
    vendor: Literal["mirakl", "sage200", "bank"]
    entity: Text
    freshness_hours: Whole
    overlap_minutes: Whole
    lane: Annotated[str, StringConstraints(pattern=r"^(settlement|stock)(\|(settlement|stock))*$")]

    @property
    def lanes(self) -> frozenset[str]:
        return frozenset(self.lane.split("|"))


class OpeningBalance(Row):
    FILE = "opening_balances.csv"
    KEY = ("entity_code", "marketplace_code", "currency_code", "account_role", "reference")
    EMPTY = True
    entity_code: Code
    marketplace_code: Code
    currency_code: Currency
    account_role: Code
    reference: Text
    amount: Money
    as_of_date: Day


ROW_TYPES: tuple[type[Row], ...] = (
    Entity, Erp, Marketplace, BankAccount, BankCsvProfile, BankPayer, AccountRole, Account, TransactionType, TaxCode,
    Tolerance, CommissionContract, FeeRule, Warehouse, StockRule, ItemMapping, ExceptionCode, ApprovalPolicy, Switch,
    Feed, OpeningBalance,
)  # fmt: skip
"""Every configuration file, in the order in which problems are reported."""


@dataclass(frozen=True, slots=True)
class ConfigError:
    """One finding. `line` is None when it concerns the whole file. A blocking one stops every run before it starts;
    the others stop only what they name (a journal, a marketplace), which the marts then show."""

    file: str
    line: int | None
    column: str | None
    value: str | None
    problem: str
    action: str
    is_blocking: bool = True

    def __str__(self) -> str:
        place = (
            self.file + (f" line {self.line}" if self.line else "") + (f", column {self.column}" if self.column else "")
        )
        value = f" {self.value!r}" if self.value is not None else ""
        return f"{place}:{value} {self.problem}. {self.action}"


class ConfigInvalid(Exception):
    """The configuration folder has blocking findings; `errors` holds all of them."""

    def __init__(self, errors: Sequence[ConfigError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(str(error) for error in self.errors))


@dataclass(frozen=True)
class Registry:
    """The whole configuration. Look-ups of a code that is not configured raise StopIteration or KeyError."""

    config_dir: Path
    entities: tuple[Entity, ...] = ()
    erps: tuple[Erp, ...] = ()
    marketplaces: tuple[Marketplace, ...] = ()
    bank_accounts: tuple[BankAccount, ...] = ()
    bank_csv_profiles: tuple[BankCsvProfile, ...] = ()
    bank_payers: tuple[BankPayer, ...] = ()
    account_roles: tuple[AccountRole, ...] = ()
    accounts: tuple[Account, ...] = ()
    transaction_types: tuple[TransactionType, ...] = ()
    tax_codes: tuple[TaxCode, ...] = ()
    tolerances: tuple[Tolerance, ...] = ()
    commission_contracts: tuple[CommissionContract, ...] = ()
    fee_rules: tuple[FeeRule, ...] = ()
    warehouses: tuple[Warehouse, ...] = ()
    stock_rules: tuple[StockRule, ...] = ()
    item_map: tuple[ItemMapping, ...] = ()
    exception_codes: tuple[ExceptionCode, ...] = ()
    approval_policies: tuple[ApprovalPolicy, ...] = ()
    switches: tuple[Switch, ...] = ()
    feeds: tuple[Feed, ...] = ()
    opening_balances: tuple[OpeningBalance, ...] = ()
    warnings: tuple[ConfigError, ...] = field(default=())
    """Findings that stop only what they name."""

    def accounts_of(self, vendor: str) -> tuple[str, ...]:
        """Codes of the enabled accounts that a vendor's feeds are read for, in the order of the file."""
        match vendor:
            case "mirakl":
                return tuple(row.marketplace_code for row in self.marketplaces if row.is_enabled)
            case "bank":
                return tuple(row.bank_account_code for row in self.bank_accounts if row.is_enabled)
            case _:
                return tuple(row.erp_code for row in self.erps if row.is_enabled and row.vendor == vendor)

    @property
    def vendors(self) -> tuple[str, ...]:
        """Vendors with at least one feed, in the order of feeds.csv."""
        return tuple(dict.fromkeys(feed.vendor for feed in self.feeds))

    def feed(self, vendor: str, entity: str) -> Feed:
        return self._feeds[vendor, entity]

    def lane_feeds(self, lane: str, vendor: str | None = None) -> tuple[Feed, ...]:
        return tuple(feed for feed in self.feeds if lane in feed.lanes and vendor in (None, feed.vendor))

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
    errors += _cross_check(registry, codes)
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
                f"Copy it from the defaults (`tieout init`) into {config_dir}",
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
            action = "Add it to the heading; it may be empty in rows that do not need it"
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


def _cross_check(registry: Registry, codes: dict[type[Row], set[str]]) -> list[ConfigError]:
    """What no single row can know: codes that point nowhere, roles without accounts, rates without types."""
    errors: list[ConfigError] = []
    entities, erps, marketplaces = codes[Entity], codes[Erp], codes[Marketplace]
    banks, profiles = codes[BankAccount], codes[BankCsvProfile]
    roles, types = codes[AccountRole], codes[TransactionType]

    def known(rows: Iterable[Row], column: str, codes: set[str], file: str, *, wildcard: bool = False) -> None:
        if not codes:  # the file itself is the finding
            return
        for row in rows:
            value = getattr(row, column)
            if value is None or (wildcard and value == ANY) or value in codes:
                continue
            errors.append(
                ConfigError(
                    row.FILE, row.line, column, value, f"is not in {file}", f"Add it to {file} or correct it here"
                )
            )

    known(registry.marketplaces, "entity_code", entities, "entities.csv")
    known(registry.marketplaces, "erp_code", erps, "erps.csv")
    known(registry.marketplaces, "bank_account_code", banks, "bank_accounts.csv")
    known(registry.erps, "entity_code", entities, "entities.csv")
    known(registry.bank_accounts, "entity_code", entities, "entities.csv")
    known(registry.bank_accounts, "csv_profile", profiles, "bank_csv_profiles.csv")
    known(registry.bank_payers, "marketplace_code", marketplaces, "marketplaces.csv")
    known(registry.accounts, "entity_code", entities, "entities.csv")
    known(registry.accounts, "marketplace_code", marketplaces, "marketplaces.csv", wildcard=True)
    known(registry.accounts, "account_role", roles, "account_roles.csv")
    known(registry.transaction_types, "account_role", roles, "account_roles.csv")
    known(registry.transaction_types, "tax_of_type", types, "transaction_types.csv")
    known(registry.tax_codes, "entity_code", entities, "entities.csv")
    known(registry.commission_contracts, "marketplace_code", marketplaces, "marketplaces.csv")
    known(registry.fee_rules, "marketplace_code", marketplaces, "marketplaces.csv", wildcard=True)
    known(registry.fee_rules, "transaction_type", types, "transaction_types.csv")
    known(registry.warehouses, "erp_code", erps, "erps.csv")
    known(registry.warehouses, "marketplace_code", marketplaces, "marketplaces.csv", wildcard=True)
    known(registry.stock_rules, "marketplace_code", marketplaces, "marketplaces.csv")
    known(registry.item_map, "marketplace_code", marketplaces, "marketplaces.csv")
    known(registry.item_map, "erp_code", erps, "erps.csv")
    known(registry.approval_policies, "marketplace_code", marketplaces, "marketplaces.csv", wildcard=True)
    known(registry.switches, "marketplace_code", marketplaces, "marketplaces.csv", wildcard=True)
    known(registry.opening_balances, "entity_code", entities, "entities.csv")
    known(registry.opening_balances, "marketplace_code", marketplaces, "marketplaces.csv")
    known(registry.opening_balances, "account_role", roles, "account_roles.csv")
    errors += _wrong_amounts(registry)
    errors += _journal_gaps(registry)
    return errors


def _wrong_amounts(registry: Registry) -> list[ConfigError]:
    """Values that are numbers but make no sense."""
    errors: list[ConfigError] = []

    def require(rows: Iterable[Any], column: str, test: Callable[[Any], bool], problem: str) -> None:
        errors.extend(
            ConfigError(row.FILE, row.line, column, str(value), problem, "Correct it")
            for row in rows
            if (value := getattr(row, column)) is not None and not test(value)
        )

    require(registry.marketplaces, "timeout_seconds", lambda value: value > 0, "must be more than 0")
    require(registry.erps, "timeout_seconds", lambda value: value > 0, "must be more than 0")
    require(registry.feeds, "freshness_hours", lambda value: value > 0, "must be more than 0")
    require(registry.tolerances, "amount", lambda value: value >= 0, "must not be negative")
    require(registry.stock_rules, "buffer", lambda value: value >= 0, "must not be negative")
    require(registry.stock_rules, "pack_size", lambda value: value > 0, "must be more than 0")
    require(registry.tax_codes, "rate_percent", lambda value: 0 <= value <= 100, "must lie between 0 and 100")
    require(
        registry.commission_contracts, "rate_percent", lambda value: 0 <= value <= 100, "must lie between 0 and 100"
    )
    return errors


POSTED_ROLES = ("BANK", "MARKETPLACE_CLEARING", "AR_MARKETPLACE", "BANK_CHARGES")
"""Roles that every settlement or receipt journal may need, whatever the transaction types say."""


def _journal_gaps(registry: Registry) -> list[ConfigError]:
    """Roles that a live marketplace's journals need and that have no account. They block that journal only, so never
    the run.
    """
    errors: list[ConfigError] = []
    needed = dict.fromkeys(POSTED_ROLES, "a journal")
    for kind in registry.transaction_types:
        if kind.account_role is not None and kind.counts_in_net:
            needed.setdefault(kind.account_role, f"transaction type {kind.transaction_type}")
        elif kind.account_role is None and kind.bucket not in ("PAYMENT", "B2B"):
            errors.append(
                ConfigError(
                    kind.FILE,
                    kind.line,
                    "account_role",
                    kind.transaction_type,
                    "has no account role, so every journal with it is blocked",
                    "Name a role of account_roles.csv",
                    is_blocking=False,
                )
            )
    for marketplace in registry.marketplaces:
        if not marketplace.is_enabled or marketplace.journals_live_from is None:
            continue
        held = {
            row.account_role
            for row in registry.accounts
            if row.entity_code == marketplace.entity_code
            and row.currency_code == marketplace.currency_code
            and row.marketplace_code in (ANY, marketplace.marketplace_code)
        }
        for role, reason in needed.items():
            if registry.accounts and role not in held:
                errors.append(
                    ConfigError(
                        Account.FILE,
                        None,
                        "account_role",
                        role,
                        f"has no account for {marketplace.entity_code}, {marketplace.marketplace_code}, "
                        f"{marketplace.currency_code}; {reason} needs it",
                        "Add the row; until then the journals with that role wait",
                        is_blocking=False,
                    )
                )
    return errors
