"""The feeds of the Sage 200 API, decoded."""

from __future__ import annotations

from connectors.decoding import Envelope, RecordDecoder
from connectors.records import FeedSpec, Mode, TableSpec
from connectors.sage200 import tables as t
from connectors.sage200 import tables_company as c
from connectors.sage200 import tables_orders as o
from connectors.sage200.documented import DOCUMENTED, NUMBERED
from connectors.sage200.documented_further import FURTHER

VENDOR = "sage200"


def _feed(
    entity: str,
    mode: Mode,
    *tables: TableSpec,
    id_columns: tuple[str, ...] = ("id",),
    version_column: str | None = None,
) -> tuple[FeedSpec, RecordDecoder]:
    documented = {path: names | NUMBERED for path, names in (DOCUMENTED | FURTHER)[entity].items()}
    decoder = RecordDecoder(VENDOR, entity, tables, Envelope(), documented=documented)
    return FeedSpec(VENDOR, entity, mode, tables, id_columns, version_column, decoder), decoder


_ALL = (
    # Settings come first: they say what the rest means.
    _feed("system_settings", "snapshot", c.SYSTEM_SETTINGS),
    _feed("sop_settings", "snapshot", c.SOP_SETTINGS),
    _feed("stock_settings", "snapshot", c.STOCK_SETTINGS),
    _feed("sales_ledger_settings", "snapshot", c.SALES_LEDGER_SETTINGS),
    _feed("nominal_ledger_settings", "snapshot", c.NOMINAL_LEDGER_SETTINGS),
    _feed("cash_book_settings", "snapshot", c.CASH_BOOK_SETTINGS),
    _feed("analysis_code_mappings", "snapshot", c.ANALYSIS_CODE_MAPPINGS),
    _feed("sop_orders", "cursor", t.SOP_ORDERS, t.SOP_ORDER_LINES, version_column="date_time_updated"),
    _feed("products", "snapshot", t.PRODUCTS, version_column="date_time_updated"),
    _feed("warehouses", "snapshot", t.WAREHOUSES),
    _feed("warehouse_holdings", "snapshot", t.WAREHOUSE_HOLDINGS, version_column="date_time_updated"),
    _feed("customers", "snapshot", t.CUSTOMERS),
    _feed("tax_codes", "snapshot", t.TAX_CODES),
    _feed("currencies", "snapshot", t.CURRENCIES),
    _feed("banks", "snapshot", t.BANKS),
    _feed("nominal_codes", "snapshot", t.NOMINAL_CODES),
    _feed("accounting_periods", "snapshot", t.ACCOUNTING_PERIODS, id_columns=("accounting_period_id",)),
    _feed("sales_posted_transactions", "cursor", t.SALES_POSTED_TRANSACTIONS, version_column="date_time_updated"),
    _feed("bank_posted_transactions", "cursor", t.BANK_POSTED_TRANSACTIONS, version_column="date_time_updated"),
    _feed("nominal_transactions", "keyset", t.NOMINAL_TRANSACTIONS),
    _feed("product_groups", "snapshot", c.PRODUCT_GROUPS),
    _feed("price_bands", "snapshot", c.PRICE_BANDS),
    _feed("product_prices", "snapshot", c.PRODUCT_PRICES, id_columns=("product_price_id",)),
    _feed("product_transactions", "cursor", c.PRODUCT_TRANSACTIONS, version_column="date_time_updated"),
    _feed(
        "despatch_lines",
        "cursor",
        o.DESPATCH_LINES,
        id_columns=("sop_despatch_line_id",),
        version_column="date_time_updated",
    ),
    _feed("despatch_receipts", "cursor", o.DESPATCH_RECEIPTS, version_column="date_time_updated"),
    _feed(
        "order_invoice_links",
        "snapshot",
        o.ORDER_INVOICE_LINKS,
        id_columns=("sop_order_return_id", "sop_invoice_credit_id"),
    ),
    _feed(
        "invoice_credit_lines",
        "cursor",
        o.INVOICE_CREDIT_LINES,
        id_columns=("sop_invoice_credit_line_id", "invoice_line_profit_analysis_id"),
        version_column="sop_invoice_credit_line_date_time_updated",
    ),
    _feed(
        "return_lines",
        "cursor",
        o.RETURN_LINES,
        id_columns=("sop_return_line_id",),
        version_column="sop_return_line_date_time_updated",
    ),
    _feed("cancelled_lines", "cursor", o.CANCELLED_LINES, version_column="date_time_updated"),
    _feed(
        "sales_historical_transactions",
        "cursor",
        c.SALES_HISTORICAL_TRANSACTIONS,
        version_column="date_time_updated",
    ),
    _feed("nominal_period_values", "snapshot", c.NOMINAL_PERIOD_VALUES, id_columns=("nominal_period_value_id",)),
    _feed("cost_centres", "snapshot", c.COST_CENTRES),
    _feed("departments", "snapshot", c.DEPARTMENTS),
    _feed("control_nominal_codes", "snapshot", c.CONTROL_NOMINAL_CODES),
)
FEEDS: dict[str, FeedSpec] = {spec.entity: spec for spec, _ in _ALL}
DECODERS: dict[str, RecordDecoder] = {spec.entity: decoder for spec, decoder in _ALL}
