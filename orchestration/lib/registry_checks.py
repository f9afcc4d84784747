"""What no single row of the configuration can know: codes that point nowhere, roles without accounts, two rows that
contradict each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import TYPE_CHECKING, Any

from connectors.erps import registered_erps
from orchestration.lib.configuration import (
    ANY,
    Account,
    AccountRole,
    BankAccount,
    BankCsvProfile,
    CallBudget,
    ConfigError,
    Entity,
    Erp,
    Marketplace,
    Row,
    TransactionType,
    WorkingCalendar,
)
from orchestration.lib.currency_checks import FOREIGN_ROLES, is_foreign, wrong_currencies

if TYPE_CHECKING:
    from orchestration.lib.registry import Registry


def cross_check(registry: Registry, codes: dict[type[Row], set[str]]) -> list[ConfigError]:
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

    known(registry.entities, "calendar_code", codes[WorkingCalendar], "calendars.csv")
    known(registry.holidays, "calendar_code", codes[WorkingCalendar], "calendars.csv")
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
    known(registry.profit_lines, "account_role", roles, "account_roles.csv")
    known(registry.exception_codes, "write_off_account", roles, "account_roles.csv")
    known(registry.transaction_types, "account_role", roles, "account_roles.csv")
    known(registry.transaction_types, "operator_role", roles, "account_roles.csv")
    known(registry.transaction_types, "tax_of_type", types, "transaction_types.csv")
    known(registry.tax_codes, "entity_code", entities, "entities.csv")
    known(registry.commission_contracts, "marketplace_code", marketplaces, "marketplaces.csv")
    known(registry.fee_rules, "marketplace_code", marketplaces, "marketplaces.csv", wildcard=True)
    known(registry.fee_rules, "transaction_type", types, "transaction_types.csv")
    known(registry.fee_suppliers, "marketplace_code", marketplaces, "marketplaces.csv")
    known(registry.fee_suppliers, "transaction_type", types, "transaction_types.csv", wildcard=True)
    known(registry.tax_regimes, "marketplace_code", marketplaces, "marketplaces.csv", wildcard=True)
    teams = {row.owner_team for row in registry.exception_codes}
    known(registry.alert_routes, "owner_team", teams, "exception_codes.csv", wildcard=True)
    known(registry.tax_regimes, "tax_role", {row.tax_role for row in registry.tax_codes} | {"ITEM"}, "tax_codes.csv")
    known(registry.analysis_codes, "entity_code", entities, "entities.csv")
    known(registry.analysis_codes, "marketplace_code", marketplaces, "marketplaces.csv", wildcard=True)
    tax_roles = {row.tax_role for row in registry.tax_codes}
    known(registry.analysis_codes, "tax_role", tax_roles, "tax_codes.csv", wildcard=True)
    known(registry.warehouses, "erp_code", erps, "erps.csv")
    known(registry.warehouses, "marketplace_code", marketplaces, "marketplaces.csv", wildcard=True)
    known(registry.carriers, "erp_code", erps, "erps.csv")
    known(registry.carriers, "marketplace_code", marketplaces, "marketplaces.csv", wildcard=True)
    known(registry.refund_rules, "marketplace_code", marketplaces, "marketplaces.csv")
    known(registry.stock_rules, "marketplace_code", marketplaces, "marketplaces.csv", wildcard=True)
    known(registry.offer_rules, "marketplace_code", marketplaces, "marketplaces.csv")
    known(registry.order_rules, "marketplace_code", marketplaces, "marketplaces.csv")
    known(registry.price_lists, "marketplace_code", marketplaces, "marketplaces.csv")
    known(registry.item_map, "marketplace_code", marketplaces, "marketplaces.csv")
    known(registry.item_map, "erp_code", erps, "erps.csv")
    known(registry.approval_policies, "marketplace_code", marketplaces, "marketplaces.csv", wildcard=True)
    known(registry.switches, "marketplace_code", marketplaces, "marketplaces.csv", wildcard=True)
    known(registry.opening_balances, "entity_code", entities, "entities.csv")
    known(registry.opening_balances, "marketplace_code", marketplaces, "marketplaces.csv")
    known(registry.opening_balances, "account_role", roles, "account_roles.csv")
    known(registry.exchange_rate_rules, "entity_code", entities, "entities.csv", wildcard=True)
    known(registry.call_budgets, "marketplace_code", marketplaces, "marketplaces.csv", wildcard=True)
    errors += _wrong_amounts(registry)
    errors += _wrong_marketplaces(registry.marketplaces)
    errors += _wrong_erps(registry.erps)
    errors += _wrong_analysis(registry)
    errors += _wrong_bank_accounts(registry)
    errors += _wrong_budgets(registry.call_budgets)
    errors += wrong_currencies(registry)
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
    require(registry.bank_accounts, "statement_days", lambda value: value > 0, "must be more than 0")
    require(registry.feeds, "freshness_hours", lambda value: value > 0, "must be more than 0")
    require(registry.tolerances, "amount", lambda value: value >= 0, "must not be negative")
    require(registry.retention, "months", lambda value: value > 0, "must be more than 0")
    require(registry.stock_rules, "buffer", lambda value: value >= 0, "must not be negative")
    require(registry.stock_rules, "pack_size", lambda value: value > 0, "must be more than 0")
    require(registry.stock_rules, "share_percent", lambda value: 0 <= value <= 100, "must lie between 0 and 100")
    require(registry.stock_classes, "minimum_sold", lambda value: value >= 0, "must not be negative")
    require(registry.stock_classes, "buffer", lambda value: value >= 0, "must not be negative")
    require(registry.offer_rules, "package_quantity", lambda value: value > 0, "must be more than 0")
    require(registry.offer_rules, "floor_amount", lambda value: value >= 0, "must not be negative")
    require(registry.offer_rules, "maximum_change_percent", lambda value: value > 0, "must be more than 0")
    require(registry.order_rules, "orders_per_minute", lambda value: value > 0, "must be more than 0")
    require(registry.tax_codes, "rate_percent", lambda value: 0 <= value <= 100, "must lie between 0 and 100")
    require(
        registry.commission_contracts, "rate_percent", lambda value: 0 <= value <= 100, "must lie between 0 and 100"
    )
    return errors


SELLER_COLUMNS = ("shop_id", "erp_code", "customer_reference", "clearing_bank_code", "bank_account_code")
"""What only a seller must have; an operator's ERP and bank may come later."""


def _wrong_marketplaces(marketplaces: Iterable[Marketplace]) -> list[ConfigError]:
    """Rows whose columns contradict each other, or another row of the same key."""
    errors: list[ConfigError] = []
    first_of_key: dict[str, Marketplace] = {}

    def wrong(row: Marketplace, column: str, problem: str, action: str) -> None:
        value = getattr(row, column)
        errors.append(ConfigError(row.FILE, row.line, column, None if value is None else str(value), problem, action))

    for row in marketplaces:
        is_seller = row.perspective == "SELLER"
        for column in SELLER_COLUMNS if is_seller else ():
            if getattr(row, column) is None:
                wrong(row, column, "is empty", "Fill it in: a SELLER row needs it")
        if not is_seller and row.shop_id is not None:
            wrong(row, "shop_id", "would be ignored: an operator's records name their shop", "Leave it empty")
        if is_seller and row.auth_method == "OAUTH2":
            wrong(row, "auth_method", "is for operators: a seller signs with a key", "Use API_KEY")
        if row.auth_method == "OAUTH2" and row.token_url is None:
            wrong(row, "token_url", "is empty", "Name the address that hands out tokens")
        if row.auth_method == "API_KEY" and row.token_url is not None:
            wrong(row, "token_url", "would be ignored: a key needs no token", "Leave it empty, or use OAUTH2")
        if row.journals_live_from is not None and row.erp_code is None:
            wrong(row, "journals_live_from", "needs an ERP to post to", "Fill in erp_code, or leave it empty")
        first = first_of_key.setdefault(row.secret_name, row)
        if (first.base_url, first.auth_method, first.token_url) != (row.base_url, row.auth_method, row.token_url):
            problem = f"is the key of line {first.line} too, which signs in elsewhere or otherwise"
            wrong(row, "key_name", problem, "Give it a key_name of its own: one host's key must not reach another")
    return errors


ERP_COLUMNS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "sage200": (
        ("base_url", "token_url", "site_id", "company_id"),
        ("account_id", "subsidiary_id"),
        ("REFRESH_TOKEN",),
    ),
    "netsuite": (
        ("account_id",),
        ("token_url", "site_id", "company_id", "vat_analysis_slot"),
        ("CERTIFICATE", "TBA"),
    ),
}
"""By vendor: the columns that its companies need, those that mean nothing to it, and its ways of signing in."""


def _wrong_erps(erps: Iterable[Erp]) -> list[ConfigError]:
    """Companies that lack what their vendor needs, or hold what it would ignore; two that are the same books."""
    errors: list[ConfigError] = []
    first_of_books: dict[tuple[str, ...], Erp] = {}

    def wrong(row: Erp, column: str, problem: str, action: str) -> None:
        errors.append(ConfigError(row.FILE, row.line, column, getattr(row, column), problem, action))

    for row in erps:
        if (registered := registered_erps().get(row.vendor)) is not None:
            cells = row.cells()
            errors.extend(
                ConfigError(
                    row.FILE, row.line, column, None, "is empty", f"Fill it in: a {row.vendor} company needs it"
                )
                for column in registered.columns
                if cells.get(column) is None
            )
            continue
        needed, ignored, methods = ERP_COLUMNS[row.vendor]
        for column in needed:
            if getattr(row, column) is None:
                wrong(row, column, "is empty", f"Fill it in: a {row.vendor} company needs it")
        for column in ignored:
            if getattr(row, column) is not None:
                wrong(row, column, f"would be ignored: {row.vendor} has no such thing", "Leave it empty")
        if row.auth_method not in methods:
            wrong(row, "auth_method", f"is no way to sign in to {row.vendor}", f"Use {' or '.join(methods)}")
        column = "account_id" if row.vendor == "netsuite" else "company_id"
        parts = [row.site_id, row.company_id, (row.account_id or "").upper().replace("-", "_"), row.subsidiary_id]
        first = first_of_books.setdefault((row.vendor, *(part or "" for part in parts)), row)
        if first is not row and getattr(row, column) is not None:
            problem = f"names the same books as line {first.line}: every posting would be read twice"
            wrong(row, column, problem, "Keep one of the two rows, or tell them apart by subsidiary_id or company_id")
    return errors


def _wrong_analysis(registry: Registry) -> list[ConfigError]:
    """Analysis codes that nothing could carry or find."""
    mapped = {row.entity_code for row in registry.analysis_codes}
    errors = [
        ConfigError(
            row.FILE,
            row.line,
            "vat_analysis_slot",
            row.vat_analysis_slot,
            f"is to hold codes of analysis_codes.csv, which has no row of {row.entity_code}",
            "Add the entity's rows, or leave the slot empty",
        )
        for row in registry.erps
        if row.vat_analysis_slot is not None and row.is_enabled and row.entity_code not in mapped
    ]
    errors += [
        ConfigError(
            row.FILE,
            row.line,
            "ship_to_state",
            row.ship_to_state,
            "is a state of no country",
            "Name its country in ship_to_country: two countries may have a state of one name",
        )
        for row in registry.analysis_codes
        if row.ship_to_state != ANY and row.ship_to_country == ANY
    ]
    return errors


def _wrong_bank_accounts(registry: Registry) -> list[ConfigError]:
    """Accounts whose entries come from nowhere."""
    errors: list[ConfigError] = []
    kept = {row.entity_code for row in registry.erps if row.is_enabled}
    for row in registry.bank_accounts:
        if row.source == "STATEMENT" and row.statement_path is None:
            errors.append(
                ConfigError(
                    row.FILE,
                    row.line,
                    "statement_path",
                    None,
                    "is empty",
                    "Say where the bank's files lie, or set source to ERP",
                )
            )
        elif row.source == "ERP" and row.is_enabled and registry.erps and row.entity_code not in kept:
            errors.append(
                ConfigError(
                    row.FILE,
                    row.line,
                    "source",
                    row.source,
                    f"needs the cash book of an ERP, and {row.entity_code} has none that is enabled",
                    "Enable its ERP in erps.csv, or set source to STATEMENT",
                )
            )
    return errors


def _wrong_budgets(budgets: Iterable[CallBudget]) -> list[ConfigError]:
    """Frequencies that are half given, or given twice."""
    errors: list[ConfigError] = []

    def wrong(row: CallBudget, column: str, problem: str) -> None:
        value = getattr(row, column)
        shown = None if value is None else str(value)
        errors.append(ConfigError(row.FILE, row.line, column, shown, problem, "Correct it"))

    def call(row: CallBudget) -> tuple[str, str, str]:
        return row.vendor, row.call, row.marketplace_code

    for row in budgets:
        for calls, seconds in (("recommended_calls", "recommended_seconds"), ("maximum_calls", "maximum_seconds")):
            given = getattr(row, calls), getattr(row, seconds)
            if given.count(None) == 1:
                wrong(row, seconds if given[1] is None else calls, "is empty, its other half is not")
            elif 0 in given:
                wrong(row, calls if given[0] == 0 else seconds, "must be more than 0")
    for _, group in groupby(sorted(budgets, key=call), key=call):
        first, *others = group
        for other in others:
            if other.counts != first.counts:
                wrong(other, "counts", f"differs from line {first.line} of the same call")
            if (other.recommended_calls, other.recommended_seconds) != (
                first.recommended_calls,
                first.recommended_seconds,
            ):
                wrong(other, "recommended_calls", f"differs from line {first.line} of the same call")
    return errors


POSTED_ROLES = ("BANK", "MARKETPLACE_CLEARING", "AR_MARKETPLACE", "BANK_CHARGES")
"""Roles that every settlement or receipt journal may need, whatever the transaction types say."""
OPERATOR_ROLES = ("SELLER_PAYABLE", "SELLER_RECEIVABLE", "BANK", "DEFERRED_COMMISSION", "PROMOTION_COST")
"""The same where we operate the marketplace."""


def _journal_gaps(registry: Registry) -> list[ConfigError]:
    """Roles that a live marketplace's journals need and that have no account. They block that journal only, so never
    the run.
    """
    errors: list[ConfigError] = []
    needed = dict.fromkeys(POSTED_ROLES, "a journal")
    of_operators = dict.fromkeys(OPERATOR_ROLES, "a journal")
    for kind in registry.transaction_types:
        if kind.operator_role is not None and kind.counts_in_net:
            of_operators.setdefault(kind.operator_role, f"transaction type {kind.transaction_type}")
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
        own = of_operators if marketplace.perspective == "OPERATOR" else needed
        roles = own | dict.fromkeys(FOREIGN_ROLES if is_foreign(registry, marketplace) else (), "a foreign currency")
        for role, reason in roles.items():
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
