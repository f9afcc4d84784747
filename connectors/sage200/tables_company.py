"""The raw tables of what a company is set to, of its dimensions, of stock movements and of balances per period."""

from __future__ import annotations

from connectors.columns import amount, flag, key, stamp, text
from connectors.records import Column, TableSpec
from connectors.sage200.tables import SALES_POSTED_TRANSACTIONS

SALES_HISTORICAL_TRANSACTIONS = TableSpec("sage200_sales_historical_transactions", SALES_POSTED_TRANSACTIONS.columns)
"""Archived: a settled transaction leaves the posted ones for these."""

PRODUCT_GROUPS = TableSpec(
    "sage200_product_groups",
    (
        key("id"),
        key("code"),
        text("description"),
        # The kind of an item (stock, service, miscellaneous) is its group's.
        text("product_type"),
        text("costing_method"),
        flag("can_levels_go_negative"),
        stamp("date_time_updated"),
    ),
)

PRICE_BANDS = TableSpec(
    "sage200_price_bands",
    (
        key("id"),
        key("name"),
        text("description"),
        flag("is_standard_band"),
        key("currency_id", required=False),
        flag("is_active"),
        flag("is_time_based"),
        stamp("active_date_time_from"),
        stamp("active_date_time_to"),
        stamp("date_time_updated"),
    ),
)
"""Price lists. One that is time based holds from one moment to another only."""

PRODUCT_PRICES = TableSpec(
    "sage200_product_prices",
    (
        key("product_price_id"),
        key("product_id"),
        text("product_code"),
        key("price_band_id"),
        # The price follows the standard list's.
        flag("product_price_use_standard"),
        amount("product_price_price"),
        key("currency_id", required=False),
        stamp("date_time_updated"),
    ),
)

PRODUCT_TRANSACTIONS = TableSpec(
    "sage200_product_transactions",
    (
        key("id"),
        key("product_id"),
        text("product_code"),
        text("transaction_type_id"),
        text("transaction_type"),
        stamp("transaction_date"),
        text("source_area_type_id"),
        text("source_area_name"),
        text("source_area_reference"),
        text("reference"),
        text("second_reference"),
        text("warehouse_name"),
        text("bin_name"),
        amount("quantity", required=True),
        amount("unit_cost_price"),
        amount("unit_issue_price"),
        amount("cost_value"),
        amount("issue_value"),
        text("user_name"),
        stamp("date_time_updated"),
    ),
)

NOMINAL_PERIOD_VALUES = TableSpec(
    "sage200_nominal_period_values",
    (
        key("nominal_period_value_id"),
        key("nominal_code_id"),
        text("nominal_code_reference"),
        text("nominal_code_cost_centre"),
        text("nominal_code_department"),
        amount("nominal_period_value_actual_value"),
        amount("nominal_period_value_adjustment_after_year_end_close"),
        key("accounting_period_id"),
        text("accounting_period_period_number"),
        stamp("accounting_period_start_date"),
        stamp("accounting_period_end_date"),
        key("financial_year_id", required=False),
        text("year_relative_to_current_year"),
    ),
)


def _dimension(name: str) -> TableSpec:
    return TableSpec(name, (key("id"), key("code"), text("name"), stamp("date_time_updated")))


COST_CENTRES = _dimension("sage200_cost_centres")
DEPARTMENTS = _dimension("sage200_departments")

CONTROL_NOMINAL_CODES = TableSpec(
    "sage200_control_nominal_codes",
    (
        key("id"),
        text("name"),
        text("account_number"),
        text("nominal_reporting_type"),
        text("control_nominal_code_type"),
    ),
)

ANALYSIS_CODE_MAPPINGS = TableSpec(
    "sage200_analysis_code_mappings",
    (
        key("id"),
        text("class_name"),
        text("friendly_class_name"),
        text("property_name"),
        text("slot"),
        flag("is_mandatory"),
        flag("is_read_only"),
        text("analysis_code_name", "analysis_code.name"),
        flag("allow_overtype", "analysis_code.allow_overtype"),
    ),
)


def _settings(resource: str, *columns: Column) -> TableSpec:
    return TableSpec(f"sage200_{resource}", (key("id"), *columns))


SYSTEM_SETTINGS = _settings(
    "system_settings",
    text("next_urn"),
    text("number_open_periods"),
    flag("update_nominal_online"),
    flag("use_period_exchange_rates"),
    flag("use_cost_centre_breakdown"),
    text("accounting_period_validation_type"),
    stamp("financial_year_end_date"),
)
SOP_SETTINGS = _settings(
    "sop_settings",
    flag("auto_generate_order_return_numbers"),
    flag("are_prices_tax_inclusive"),
    flag("allocate_stock_on_order_entry"),
    flag("update_stock_on_despatch"),
    flag("record_cancelled_order_lines"),
    flag("add_invoice_credit_note_to_sales_ledger"),
    text("order_line_item_type"),
    stamp("orders_returns_last_archived_up_to"),
)
STOCK_SETTINGS = _settings(
    "stock_settings",
    flag("use_multiple_locations"),
    flag("integrate_stock_management_with_nominal"),
    flag("generate_cos_for_sop"),
)
SALES_LEDGER_SETTINGS = _settings(
    "sales_ledger_settings",
    flag("auto_generate_account_numbers"),
    text("keep_transactions_for"),
    flag("archive_transaction_after_keeping"),
    key("default_tax_code_id", required=False),
)
NOMINAL_LEDGER_SETTINGS = _settings(
    "nominal_ledger_settings", flag("keep_nominal_transactions"), text("months_to_keep_transactions")
)
CASH_BOOK_SETTINGS = _settings("cash_book_settings", key("default_bank_account_id", required=False))
