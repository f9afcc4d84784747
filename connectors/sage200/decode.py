"""The feeds of the Sage 200 API, decoded."""

from __future__ import annotations

from connectors.decoding import Envelope, RecordDecoder
from connectors.records import FeedSpec, Mode, TableSpec
from connectors.sage200 import tables as t
from connectors.sage200.documented import DOCUMENTED, NUMBERED

VENDOR = "sage200"


def _feed(
    entity: str,
    mode: Mode,
    *tables: TableSpec,
    id_columns: tuple[str, ...] = ("id",),
    version_column: str | None = None,
) -> tuple[FeedSpec, RecordDecoder]:
    documented = {path: names | NUMBERED for path, names in DOCUMENTED[entity].items()}
    decoder = RecordDecoder(VENDOR, entity, tables, Envelope(), documented=documented)
    return FeedSpec(VENDOR, entity, mode, tables, id_columns, version_column, decoder), decoder


_ALL = (
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
)
FEEDS: dict[str, FeedSpec] = {spec.entity: spec for spec, _ in _ALL}
DECODERS: dict[str, RecordDecoder] = {spec.entity: decoder for spec, decoder in _ALL}
