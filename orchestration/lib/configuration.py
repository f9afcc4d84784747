"""The rows of the configuration folder: one class per CSV file, its fields are the columns.

A row knows what a single cell and a single row can know; `registry_checks` knows the rest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints, model_validator

from connectors.erps import registered_erps

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


LANES = ("settlement", "stock", "orders", "dispatch", "returns")
"""The names that feeds.csv may use."""
REFUSALS = ("UNKNOWN_ITEM", "NOT_SELLABLE", "BELOW_FLOOR", "CANCELLED_IN_ERP")
"""What of an order may be refused to the marketplace without asking anybody."""


def _lanes(value: str) -> str:
    return _some_of(value, LANES)


def _refusals(value: str | None) -> str | None:
    return None if value is None else _some_of(value, REFUSALS)


def _some_of(value: str, known: Sequence[str]) -> str:
    if unknown := [name for name in value.split("|") if name not in known]:
        raise ValueError(f"{', '.join(unknown)} is not one of {', '.join(known)}; separate several with |")
    return value


def _working_days(value: str) -> str:
    days = value.split("|")
    if not all(re.fullmatch("[1-7]", day) for day in days) or days != sorted(set(days)):
        raise ValueError("must be days of the week in order, Monday = 1, such as 1|2|3|4|5")
    return value


def _time(value: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError("is not a time of the day such as 09:00")
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
TimeOfDay = Annotated[str, AfterValidator(_time)]
Severity = Literal["S1", "S2", "S3", "S4"]


def erp_vendors() -> tuple[str, ...]:
    """The ERPs that come with Tieout, then those that other distributions have registered."""
    return ("sage200", "netsuite", *registered_erps())


def _erp_vendor(value: str) -> str:
    if value not in erp_vendors():
        raise ValueError(f"is not an ERP that is known here: {', '.join(erp_vendors())}")
    return value


def _feed_vendor(value: str) -> str:
    return value if value in ("mirakl", "bank") else _erp_vendor(value)


ErpVendor = Annotated[str, AfterValidator(_erp_vendor)]


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
    auth_method: Literal["API_KEY", "OAUTH2"]
    token_url: Url | None
    key_name: Code | None
    shop_id: Text | None
    entity_code: Code
    erp_code: Code | None
    currency_code: Currency
    order_tax_mode: Literal["TAX_INCLUDED", "TAX_EXCLUDED"]
    posting_model: Literal["ORDER_LED", "SETTLEMENT_LED"]
    funds_model: Literal["ON_BALANCE", "PSP_WALLET"] | None
    acceptance_hours: Whole
    order_import_minutes: Whole
    dispatch_confirm_minutes: Whole
    dispatch_risk_hours: Whole
    auto_receive_days: Whole
    settlement_grace_days: Whole
    approval_days: Whole
    cycle_days: Annotated[str, AfterValidator(_cycle_days)]
    reserve_days: Whole | None
    go_live_date: Day
    journals_live_from: Day | None
    customer_reference: Text | None
    clearing_bank_code: Text | None
    bank_account_code: Code | None
    operator_name: Text
    operator_country: Country
    timeout_seconds: Whole
    is_enabled: Flag

    @property
    def secret_name(self) -> str:
        """What the key's environment variables and its call budget are named after."""
        return self.key_name or self.marketplace_code


class Entity(Row):
    FILE = "entities.csv"
    KEY = ("entity_code",)
    entity_code: Code
    entity_name: Text
    functional_currency: Currency
    time_zone: Annotated[str, AfterValidator(_zone)]
    country: Country
    vat_number: Text | None
    calendar_code: Code
    vat_period_months: Literal["1", "3", "12"]
    vat_period_end_month: Literal["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"]
    input_vat_held_from: Day | None = None


class WorkingCalendar(Row):
    FILE = "calendars.csv"
    KEY = ("calendar_code",)
    calendar_code: Code
    working_days: Annotated[str, AfterValidator(_working_days)]
    opens_at: Annotated[str, AfterValidator(_time)]
    closes_at: Annotated[str, AfterValidator(_time)]

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Self:
        if self.opens_at >= self.closes_at:
            raise ValueError("opens_at must be before closes_at")
        return self


class Holiday(Row):
    FILE = "holidays.csv"
    KEY = ("calendar_code", "holiday_date")
    EMPTY = True
    calendar_code: Code
    holiday_date: Day
    holiday_name: Text


class Erp(Row):
    model_config = ConfigDict(frozen=True, extra="allow")

    FILE = "erps.csv"
    KEY = ("erp_code",)
    erp_code: Code
    vendor: ErpVendor
    entity_code: Code
    base_url: Url | None
    """Empty for NetSuite: its host follows from the account."""
    token_url: Url | None
    site_id: Text | None
    company_id: Text | None
    account_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]+([_-][A-Za-z0-9]+)*$")] | None
    auth_method: Literal["REFRESH_TOKEN", "CERTIFICATE", "TBA"] | None
    """Empty for an ERP of another distribution."""
    subsidiary_id: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*$")] | None
    vat_analysis_slot: Annotated[str, StringConstraints(pattern=r"^[2-5]$")] | None = None
    """Sage 200: the analysis code of order lines that holds the code of analysis_codes.csv."""
    timeout_seconds: Whole
    is_enabled: Flag

    def cells(self) -> dict[str, str | None]:
        """Every cell of the row as text, those of columns that only a registered ERP reads included."""
        values = {**self.model_dump(exclude={"line"}), **(self.model_extra or {})}
        return {name: None if value is None else str(value) for name, value in values.items()}


class BankAccount(Row):
    FILE = "bank_accounts.csv"
    KEY = ("bank_account_code",)
    bank_account_code: Code
    entity_code: Code
    currency_code: Currency
    iban: Text
    statement_path: Text | None
    erp_bank_code: Text
    csv_profile: Text | None
    source: Literal["STATEMENT", "ERP"]
    """Whether receipts are read from the bank's statements or from the cash book of the entity's ERP."""
    is_enabled: Flag
    statement_days: int | None = None


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
    account_type: Literal["BANK", "CUSTOMER", "NOMINAL", "VAT", "SELLER"]
    is_controlled: Flag
    description: Text


class ProfitLine(Row):
    FILE = "profit_lines.csv"
    KEY = ("account_role",)
    account_role: Code
    profit_line: Literal[
        "GROSS_SALES", "SHIPPING", "REFUNDS", "COGS", "COMMISSION", "ORDER_FEES", "CARRIAGE", "ADVERTISING",
        "SUBSCRIPTION", "ADJUSTMENTS", "BANK_AND_EXCHANGE",
    ]  # fmt: skip
    allocation: Literal["NET_SALES", "MARKETPLACE"]
    is_shared: Flag


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
    settlement_led_role: Code | None
    is_tax: Flag
    tax_of_type: Code | None
    counts_in_net: Flag
    bucket: Literal[
        "SALE", "REFUND", "FEE", "FEE_REFUND", "TAX", "ADJUSTMENT", "RESERVE", "PASSTHROUGH", "PAYMENT", "B2B"
    ]
    operator_kind: (
        Literal["CUSTOMER_DEBIT", "COMMISSION", "REFUND", "SUBSCRIPTION", "SELLER_FEE", "SELLER_RESERVE"] | None
    )
    operator_role: Code | None


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


class FeeSupplier(Row):
    FILE = "fee_suppliers.csv"
    KEY = ("marketplace_code", "transaction_type", "effective_from")
    EMPTY = True
    marketplace_code: Code
    transaction_type: CodeOrAny
    supplier_name: Text
    supplier_country: Country
    effective_from: Day


class TaxRegime(Row):
    FILE = "tax_regimes.csv"
    KEY = ("marketplace_code", "ship_to_country", "consignment_limit", "effective_from")
    EMPTY = True
    marketplace_code: CodeOrAny
    ship_to_country: Code
    consignment_limit: Money | None
    accountable: Literal["SELLER", "OPERATOR"]
    tax_role: Code
    effective_from: Day


class AnalysisCode(Row):
    FILE = "analysis_codes.csv"
    KEY = (
        "entity_code",
        "marketplace_code",
        "offer_state_code",
        "ship_to_country",
        "ship_to_state",
        "tax_role",
        "effective_from",
    )
    EMPTY = True
    entity_code: Code
    marketplace_code: CodeOrAny
    offer_state_code: Text
    ship_to_country: CodeOrAny
    ship_to_state: Text
    tax_role: CodeOrAny
    analysis_code: Annotated[str, StringConstraints(min_length=1, max_length=20)]
    effective_from: Day


class Warehouse(Row):
    FILE = "warehouses.csv"
    KEY = ("erp_code", "warehouse_name", "marketplace_code")
    erp_code: Code
    warehouse_name: Text
    marketplace_code: CodeOrAny
    is_for_sale: Flag
    reason: Text | None


class Retention(Row):
    FILE = "retention.csv"
    KEY = ("vendor", "entity")
    EMPTY = True
    vendor: Text
    entity: Text
    months: Whole
    reason: Text


class Carrier(Row):
    FILE = "carriers.csv"
    KEY = ("erp_code", "erp_carrier", "marketplace_code")
    EMPTY = True
    erp_code: Code
    erp_carrier: Text
    marketplace_code: CodeOrAny
    carrier_code: Text | None
    """Empty for a carrier that the marketplace does not list: its name is shown."""
    is_tracked: Flag
    tracking_url: Text | None
    """Page of a parcel, with `{number}` in place of its number, for a carrier that the marketplace does not list."""


class RefundRule(Row):
    FILE = "refund_rules.csv"
    KEY = ("marketplace_code",)
    EMPTY = True
    marketplace_code: Code
    reason_code: Text
    is_refund_sent: Flag
    credit_notes: Literal["NEVER", "DUE", "AT_ONCE"] = "NEVER"
    goods_credit_item: Text | None = None
    shipping_credit_item: Text | None = None


class StockRule(Row):
    FILE = "stock_rules.csv"
    KEY = ("marketplace_code", "item_code")
    EMPTY = True
    marketplace_code: CodeOrAny
    item_code: Text
    buffer: Money
    pack_size: Money
    maximum_quantity: Money | None
    is_run_off_allowed: Flag
    share_percent: Money | None


class StockClass(Row):
    FILE = "stock_classes.csv"
    KEY = ("velocity_code",)
    EMPTY = True
    velocity_code: Code
    minimum_sold: Money
    buffer: Money
    is_held_when_stale: Flag


class OfferRule(Row):
    FILE = "offer_rules.csv"
    KEY = ("marketplace_code", "item_code")
    EMPTY = True
    marketplace_code: Code
    item_code: Text
    is_listable: Flag
    package_quantity: Money
    floor_amount: Money | None
    price_push_minutes: Whole | None
    when_discontinued: Literal["ZERO", "CLOSE", "DELETE"] | None = None
    price_push: Literal["NEVER", "DRIFT"] | None = None
    maximum_change_percent: Money | None = None
    when_unlisted: Literal["NEVER", "CREATE"] | None = None
    condition_code: Text | None = None


class OrderRule(Row):
    FILE = "order_rules.csv"
    KEY = ("marketplace_code",)
    EMPTY = True
    marketplace_code: Code
    fulfilled_by: Literal["SELLER", "MARKETPLACE", "THIRD_PARTY_SELLERS"]
    """Whose goods they are. Only a seller's own orders are created in its ERP and accepted."""
    accept_when: Literal["IN_ERP", "CREATABLE", "NEVER"]
    refuse_when: Annotated[str | None, AfterValidator(_refusals)]
    location_name: Text | None
    shipping_code: Text | None
    alert_lead_hours: Whole
    orders_per_minute: Whole
    cancelation_reason_code: Text | None = None


class PriceList(Row):
    FILE = "price_lists.csv"
    KEY = ("marketplace_code", "price_list", "effective_from")
    EMPTY = True
    marketplace_code: Code
    price_list: Text
    priority: Whole
    tax_basis: Literal["GROSS", "NET"]
    effective_from: Day
    effective_until: Day | None


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
    write_off_account: Code | None = None


class ApprovalPolicy(Row):
    FILE = "approval_policies.csv"
    KEY = ("kind", "marketplace_code", "currency_code")
    EMPTY = True
    kind: Code
    marketplace_code: CodeOrAny
    mode: Literal["AUTO", "PERSON"]
    maximum_amount: Money | None
    currency_code: Currency | None
    expires_after_hours: Whole | None = None
    """A proposal that nobody decided, and an approval that was not used, lapses after so long and is asked for afresh;
    None: never.
    """


class AlertRoute(Row):
    """One channel that a team hears through."""

    FILE = "alert_routes.csv"
    KEY = ("owner_team", "channel")
    EMPTY = True
    owner_team: CodeOrAny
    channel: Code
    """Its addresses are TIEOUT_ALERT_URLS_<channel>, or TIEOUT_ALERT_URLS."""
    severity: Severity
    """This one and worse."""
    quiet_from: TimeOfDay | None
    quiet_until: TimeOfDay | None
    quiet_severity: Severity | None
    """This one and worse break through the quiet hours and the budget; None: nothing does."""
    time_zone: Annotated[str, AfterValidator(_zone)]
    daily_budget: Whole | None
    """Messages a day, digests aside; None: no limit."""
    repeat_hours: Whole
    escalate_hours: Whole | None
    escalate_to: Code | None
    digest_at: TimeOfDay | None

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if (self.quiet_from is None) != (self.quiet_until is None):
            raise ValueError("quiet_from and quiet_until belong together")
        if (self.escalate_hours is None) != (self.escalate_to is None):
            raise ValueError("escalate_hours and escalate_to belong together")
        return self


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
    vendor: Annotated[str, AfterValidator(_feed_vendor)]
    entity: Text
    freshness_hours: Whole
    overlap_minutes: Whole
    lane: Annotated[str, AfterValidator(_lanes)]
    perspective: Literal["SELLER", "OPERATOR", "BOTH"]
    """Which accounts have the feed."""

    @property
    def lanes(self) -> frozenset[str]:
        return frozenset(self.lane.split("|"))


class CallBudget(Row):
    """How often a call may be made. The rows of one call hold together: a vendor may limit the minute and the hour."""

    FILE = "call_budgets.csv"
    KEY = ("vendor", "call", "marketplace_code", "maximum_seconds")
    EMPTY = True
    vendor: Text
    call: Code
    marketplace_code: CodeOrAny
    recommended_calls: Whole | None
    recommended_seconds: Whole | None
    """How often a lane reads; empty: whenever it runs."""
    maximum_calls: Whole | None
    maximum_seconds: Whole | None
    """What is never exceeded; empty: not known."""
    counts: Literal["POLLS", "CALLS"]
    """Whether the further pages of one reading count."""
    source: Text


class OpeningBalance(Row):
    FILE = "opening_balances.csv"
    KEY = ("entity_code", "marketplace_code", "currency_code", "account_role", "reference")
    EMPTY = True
    entity_code: Code
    marketplace_code: Code
    currency_code: Currency
    account_role: Code
    reference: Text
    item_kind: Literal["BALANCE", "OPEN_ITEM"]
    amount: Money
    as_of_date: Day


class ExchangeRate(Row):
    """What one unit of `currency_code` is worth in `quote_currency_code` from `rate_date` on."""

    FILE = "exchange_rates.csv"
    KEY = ("rate_source", "currency_code", "quote_currency_code", "rate_date")
    EMPTY = True
    rate_source: Code
    currency_code: Currency
    quote_currency_code: Currency
    rate_date: Day
    rate: Money


class ExchangeRateRule(Row):
    FILE = "exchange_rate_rules.csv"
    KEY = ("entity_code", "purpose", "priority", "effective_from")
    EMPTY = True
    entity_code: CodeOrAny
    purpose: Literal["LEDGER", "REFERENCE"]
    priority: Whole
    rate_source: Code
    """A source of exchange_rates.csv, or `ERP` for what the entity's own ERP holds."""
    maximum_age_days: Whole
    effective_from: Day


ROW_TYPES: tuple[type[Row], ...] = (
    WorkingCalendar, Holiday,
    Entity, Erp, Marketplace, BankAccount, BankCsvProfile, BankPayer, AccountRole, ProfitLine, Account, TransactionType,
    TaxCode,
    Tolerance, CommissionContract, FeeRule, FeeSupplier, TaxRegime, AnalysisCode, Warehouse, Carrier, Retention,
    StockRule,
    StockClass,
    RefundRule, OfferRule, OrderRule, PriceList, ItemMapping, ExceptionCode, ApprovalPolicy, AlertRoute, Switch, Feed,
    CallBudget,
    OpeningBalance, ExchangeRate, ExchangeRateRule,
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
