"""The feeds of the Mirakl seller API, decoded."""

from __future__ import annotations

from connectors.decoding import Envelope, RecordDecoder
from connectors.mirakl import tables as t
from connectors.mirakl.documented import DOCUMENTED
from connectors.records import FeedSpec, Mode, TableSpec

VENDOR = "mirakl"


def _feed(
    entity: str,
    mode: Mode,
    tables: tuple[TableSpec, ...],
    envelope: Envelope,
    *,
    id_columns: tuple[str, ...],
    version_column: str | None = None,
) -> tuple[FeedSpec, RecordDecoder]:
    decoder = RecordDecoder(VENDOR, entity, tables, envelope, documented=DOCUMENTED[entity])
    return FeedSpec(VENDOR, entity, mode, tables, id_columns, version_column, decoder), decoder


_ALL = (
    _feed(
        "orders",
        "cursor",
        (t.ORDERS, t.ORDER_LINES, t.ORDER_LINE_TAXES, t.ORDER_LINE_REFUNDS, t.ORDER_LINE_CANCELATIONS),
        Envelope("orders"),
        id_columns=("order_id",),
        version_column="last_updated_date",
    ),
    _feed(
        "transaction_lines",
        "cursor",
        (t.TRANSACTION_LINES,),
        Envelope("data"),
        id_columns=("id",),
        version_column="last_updated",
    ),
    # Cycles and documents change state after their creation and cannot be read by update: they are few, so all are
    # read.
    _feed(
        "billing_cycles", "snapshot", (t.BILLING_CYCLES, t.BILLING_CYCLE_TOTALS), Envelope("data"), id_columns=("id",)
    ),
    _feed(
        "invoices",
        "snapshot",
        (t.INVOICES, t.INVOICE_DETAILS, t.INVOICE_TAXES),
        Envelope("invoices"),
        id_columns=("id",),
    ),
    _feed("offers", "snapshot", (t.OFFERS,), Envelope("offers"), id_columns=("offer_id",)),
    _feed("account", "snapshot", (t.ACCOUNT,), Envelope(is_single=True), id_columns=("shop_id",)),
    _feed("platform", "snapshot", (t.PLATFORM,), Envelope(is_single=True), id_columns=()),
    _feed("carriers", "snapshot", (t.CARRIERS,), Envelope("carriers"), id_columns=("code",)),
)
FEEDS: dict[str, FeedSpec] = {spec.entity: spec for spec, _ in _ALL}
DECODERS: dict[str, RecordDecoder] = {spec.entity: decoder for spec, decoder in _ALL}
