"""The feeds of the Mirakl API, decoded."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.decoding import Computed, Envelope, RecordDecoder
from connectors.mirakl.computed import document_request_of_address, product_reference
from connectors.mirakl.documented import DOCUMENTED
from connectors.mirakl.files import decode_invoice_file
from connectors.mirakl.promised import PROMISED
from connectors.mirakl.tables import logistics, money, offers, orders, settings
from connectors.records import FeedSpec, IdSource, Mode, TableSpec

VENDOR = "mirakl"


def _feed(
    entity: str,
    mode: Mode,
    tables: tuple[TableSpec, ...],
    envelope: Envelope,
    *,
    id_columns: tuple[str, ...],
    version_column: str | None = None,
    ids_from: IdSource | None = None,
    wrapped: Mapping[str, str] | None = None,
    computed: Mapping[str, Computed] | None = None,
) -> tuple[FeedSpec, RecordDecoder]:
    decoder = RecordDecoder(
        VENDOR,
        entity,
        tables,
        envelope,
        documented=DOCUMENTED[entity],
        promised=PROMISED.get(entity, frozenset()),
        wrapped=wrapped,
        computed=computed,
    )
    spec = FeedSpec(
        VENDOR,
        entity,
        mode,
        tables,
        id_columns,
        version_column,
        decoder,
        ids_from=ids_from,
        decode_at=decoder if decoder.needs_address else None,
    )
    return spec, decoder


def _codes(
    entity: str, table: TableSpec, member: str, *, id_columns: tuple[str, ...] = ("code",)
) -> tuple[FeedSpec, RecordDecoder]:
    """A list of codes, read whole."""
    return _feed(entity, "snapshot", (table,), Envelope(member), id_columns=id_columns)


_DECODED = (
    _feed(
        "orders",
        "cursor",
        (
            orders.ORDERS,
            orders.ORDER_LINES,
            orders.ORDER_LINE_TAXES,
            orders.ORDER_LINE_REFUNDS,
            orders.ORDER_LINE_CANCELATIONS,
        ),
        Envelope("orders"),
        id_columns=("order_id",),
        version_column="last_updated_date",
    ),
    _feed(
        "transaction_lines",
        "cursor",
        (money.TRANSACTION_LINES,),
        # TL05's schema describes a line, its example wraps lines in `data`, NDJSON has one in each line.
        Envelope("data", line_key="id"),
        id_columns=("id",),
        version_column="last_updated",
    ),
    # Cycles and documents change state after their creation and cannot be read by update: they are few, so all are
    # read.
    _feed(
        "billing_cycles",
        "snapshot",
        (money.BILLING_CYCLES, money.BILLING_CYCLE_TOTALS),
        Envelope("data"),
        id_columns=("id",),
    ),
    _feed(
        "invoices",
        "snapshot",
        (money.INVOICES, money.INVOICE_DETAILS, money.INVOICE_TAXES),
        Envelope("invoices"),
        id_columns=("id",),
    ),
    _feed("offers", "snapshot", (offers.OFFERS,), Envelope("offers"), id_columns=("offer_id",)),
    _feed("account", "snapshot", (settings.ACCOUNT,), Envelope(is_single=True), id_columns=("shop_id",)),
    _feed("platform", "snapshot", (settings.PLATFORM,), Envelope(is_single=True), id_columns=()),
    _codes("carriers", settings.CARRIERS, "carriers"),
    _feed(
        "offer_changes",
        "cursor",
        (offers.OFFER_CHANGES, offers.OFFER_CHANGE_PRICES, offers.OFFER_CHANGE_WAREHOUSES),
        Envelope("offers"),
        id_columns=("offer_id",),
        version_column="last_updated",
    ),
    _feed(
        "offer_details",
        "by_id",
        (offers.OFFER_DETAILS,),
        Envelope(is_single=True),
        id_columns=("offer_id",),
        ids_from=IdSource(offers.OFFER_CHANGES.name, "offer_id", "last_updated", "offer_id"),
    ),
    _feed(
        "products",
        "by_id",
        (offers.PRODUCTS,),
        Envelope("products"),
        id_columns=("product_reference",),
        ids_from=IdSource(offers.OFFERS.name, "product_reference", None, "product_reference", 100),
        computed={"product_reference": product_reference},
    ),
    _feed(
        "returns",
        "cursor",
        (logistics.RETURNS, logistics.RETURN_LINES),
        Envelope("data"),
        id_columns=("id",),
        version_column="last_updated",
    ),
    _feed(
        "shipments",
        "cursor",
        (logistics.SHIPMENTS, logistics.SHIPMENT_LINES),
        Envelope("data"),
        id_columns=("id",),
        version_column="last_updated_date",
    ),
    _feed(
        "items_to_ship",
        "snapshot",
        (logistics.ITEMS_TO_SHIP, logistics.ITEMS_TO_SHIP_LINES),
        Envelope("data"),
        id_columns=("order_id",),
    ),
    _feed(
        "order_documents",
        "by_id",
        (logistics.ORDER_DOCUMENTS,),
        Envelope("order_documents"),
        id_columns=("id",),
        ids_from=IdSource(orders.ORDERS.name, "order_id", "last_updated_date", "order_id", 100),
    ),
    _feed(
        "threads",
        "cursor",
        (logistics.THREADS, logistics.THREAD_ENTITIES),
        Envelope("data"),
        id_columns=("id",),
        version_column="date_updated",
    ),
    _feed(
        "document_requests",
        "cursor",
        (money.DOCUMENT_REQUESTS, money.DOCUMENT_REQUEST_TAXES, money.DOCUMENT_REQUEST_ORIGINALS),
        Envelope("data"),
        id_columns=("id",),
        version_column="last_updated",
    ),
    _feed(
        "document_request_lines",
        "by_id",
        (money.DOCUMENT_REQUEST_LINES, money.DOCUMENT_REQUEST_LINE_TAXES),
        Envelope("data"),
        id_columns=("id",),
        ids_from=IdSource(money.DOCUMENT_REQUESTS.name, "id", "last_updated", "document_request_id"),
        computed={"document_request_id": document_request_of_address},
    ),
    _feed(
        "account_statistics",
        "snapshot",
        (settings.ACCOUNT_STATISTICS, settings.ACCOUNT_STATISTIC_VALUES),
        Envelope(is_single=True),
        id_columns=("shop_id",),
    ),
    _codes("currencies", settings.CURRENCIES, "currencies"),
    _codes("channels", settings.CHANNELS, "channels"),
    _codes("offer_conditions", settings.OFFER_CONDITIONS, "offer_states"),
    _codes("reasons", settings.REASONS, "reasons", id_columns=("type", "code")),
    _codes("shipping_zones", settings.SHIPPING_ZONES, "shipping_zones"),
    _codes("shipping_methods", settings.SHIPPING_METHODS, "shipping_types"),
    _codes("custom_fields", settings.CUSTOM_FIELDS, "additional_fields", id_columns=("entity", "code")),
    # Balances change without moving a shop's date of update: all shops are read.
    _feed("shops", "snapshot", (settings.SHOPS,), Envelope("shops"), id_columns=("shop_id",)),
    _feed(
        "payment_debits",
        "snapshot",
        (money.PAYMENT_DEBITS, money.PAYMENT_DEBIT_LINES),
        Envelope("orders", inner="order"),
        id_columns=("order_id",),
        wrapped={"order_lines": "order_line"},
    ),
    _feed(
        "payment_refunds",
        "snapshot",
        (money.PAYMENT_REFUNDS, money.PAYMENT_REFUND_ITEMS),
        Envelope("orders", inner="order"),
        id_columns=("order_id",),
        wrapped={"order_lines": "order_line", "order_lines.refunds": "refund"},
    ),
)

_INVOICE_FILES = FeedSpec(
    VENDOR,
    "invoice_files",
    "by_id",
    (money.INVOICE_FILES,),
    ("document_id",),
    None,
    decode_invoice_file,
    ids_from=IdSource(money.INVOICES.name, "invoice_id", None, "document_id"),
    decode_at=decode_invoice_file,
)

FEEDS: dict[str, FeedSpec] = {spec.entity: spec for spec, _ in _DECODED} | {_INVOICE_FILES.entity: _INVOICE_FILES}
DECODERS: dict[str, RecordDecoder] = {spec.entity: decoder for spec, decoder in _DECODED}
"""Of every feed whose pages are JSON records, which is all but `invoice_files`."""
