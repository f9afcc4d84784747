"""The export of offers: OF52 asks for it, OF53 follows it, OF54 fetches its files.

Full: the active offers, or all of them. Differential: those that changed since a time, inactive and deleted ones
included. The records differ from those of OF21: they have prices and stamps, and no reasons of inactivity.
"""

import csv
import io
from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any

from starlette.responses import Response

from sandbox import jsonio
from sandbox.clock import milliseconds, stamp
from sandbox.mirakl.calls import DAY, MINUTE, Call, Endpoint
from sandbox.mirakl.exports import (
    ChunkLimits,
    FileForm,
    chunk_limits,
    file_handler,
    running_export,
    start_export,
    status_handler,
    tracking,
)
from sandbox.mirakl.limits import take
from sandbox.mirakl.values import BadParameter, Body
from sandbox.mirakl_shop import MiraklShop

FILES = "/api/offers/export/async/file"
CSV, JSON = "text/csv", "application/json"
JSON_FORM = FileForm("json", JSON, lambda records: b"[%s]" % b",".join(records))

# Members that OF21 and the export share by name.
SHARED = (
    "active",
    "allow_quote_requests",
    "available_end_date",
    "available_start_date",
    "channels",
    "currency_iso_code",
    "description",
    "eco_contributions",
    "favorite_rank",
    "fulfillment",
    "leadtime_to_ship",
    "max_order_quantity",
    "min_order_quantity",
    "min_shipping_price",
    "min_shipping_price_additional",
    "min_shipping_type",
    "min_shipping_zone",
    "msrp",
    "offer_additional_fields",
    "offer_id",
    "package_quantity",
    "price_additional_info",
    "product_sku",
    "product_tax_code",
    "quantity",
    "shop_sku",
    "state_code",
    "warehouses",
)


async def _start(call: Call) -> Response:
    body = await call.body()
    kind = body.one("export_type", frozenset({CSV, JSON}), CSV)
    since = body.time("last_request_date")
    with_inactive = body.flag("include_inactive_offers")
    if since is not None and with_inactive is not None:
        message = "'include_inactive_offers' cannot be used with 'last_request_date'"
        raise BadParameter("include_inactive_offers", message)
    channels = frozenset(body.many("channel_codes"))
    fields = body.many("include_fields")
    names = _renames(body, kind)
    limits = chunk_limits(call, body, largest_megabytes=1000, default_megabytes=1000)
    question = (kind, since, with_inactive, channels, fields, tuple(sorted(names.items())), limits)
    running = running_export(call)
    if running is not None and running.question == question:
        return tracking(running)
    take(call, ((1, MINUTE),) if since is not None else ((1, DAY),), "full" if since is None else "differential")
    records = [
        record
        for record in _records(call.shop)
        if (not channels or not record["channels"] or channels & set(record["channels"]))
        and (
            milliseconds(record["last_updated"]) >= since
            if since is not None
            else not record["deleted"] and (record["active"] or with_inactive)
        )
    ]
    if kind == CSV:
        return _start_csv(call, question, records, limits, fields, names)
    bodies = [jsonio.encode(_only(record, fields)) for record in records]
    return start_export(call, question, bodies, limits, JSON_FORM)


def _renames(body: Body, kind: str | None) -> dict[str, str]:
    found = body.mapping("rename_fields")
    if found and kind != CSV:
        raise BadParameter("rename_fields", "'rename_fields' is only supported for CSV exports")
    return found


def _records(shop: MiraklShop) -> list[dict[str, Any]]:
    """Every offer, and every deleted one, as the export shows it, by offer id."""
    sellers = {seller["shop_id"]: seller for seller in (*shop.world.shops, shop.account) if "shop_id" in seller}
    found = [
        _record(offer, sellers.get(offer.get("shop_id", shop.shop_id), {}), shop.offer_times.get(key), is_deleted)
        for offers, is_deleted in ((shop.offers, False), (shop.deleted_offers, True))
        for key, offer in offers.items()
    ]
    return sorted(found, key=lambda record: record["offer_id"])


def _record(
    offer: Mapping[str, Any], seller: Mapping[str, Any], changed: datetime | None, is_deleted: bool
) -> dict[str, Any]:
    # An offer that nothing here changed is as old as its shop.
    opened = seller.get("date_created") or "2020-01-01T00:00:00Z"
    record = {name: offer[name] for name in SHARED if offer.get(name) is not None}
    record["channels"] = list(offer.get("channels") or ())
    if isinstance(logistic_class := offer.get("logistic_class"), Mapping):
        record["logistic_class"] = {"code": logistic_class["code"]}
    return record | {
        "active": bool(offer.get("active")) and not is_deleted,
        "deleted": is_deleted,
        "date_created": offer.get("date_created") or opened,
        "last_updated": stamp(changed) if changed else offer.get("last_updated") or opened,
        "is_professional": bool(seller.get("is_professional", True)),
        "premium": bool(seller.get("premium", False)),
        "prices": [_price(price) for price in offer.get("all_prices") or ()],
        "shop_id": offer.get("shop_id", seller.get("shop_id")),
        "shop_name": offer.get("shop_name", seller.get("shop_name")),
    }


def _price(price: Mapping[str, Any]) -> dict[str, Any]:
    channel = price.get("channel_code")
    volumes = [
        _present(
            {
                "quantity_threshold": volume.get("quantity_threshold"),
                "unit_origin_price": volume.get("unit_origin_price"),
                "unit_discount_price": volume.get("unit_discount_price"),
            }
        )
        for volume in price.get("volume_prices") or ()
    ]
    return _present(
        {
            "context": price.get("context") or ({"channel_codes": [channel]} if channel else None),
            "origin_price": price.get("unit_origin_price"),
            "discount_price": price.get("unit_discount_price"),
            "discount_start_date": price.get("discount_start_date"),
            "discount_end_date": price.get("discount_end_date"),
            "volume_prices": volumes,
        }
    )


def _present(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if value is not None}


def _only(record: dict[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name in fields} if fields else record


# --- CSV: dashes in names, several values of one cell joined by a pipe

COLUMNS = (
    "active",
    "allow-quote-requests",
    "available-end-date",
    "available-start-date",
    "channels",
    "currency-iso-code",
    "date-created",
    "deleted",
    "description",
    "discount-end-date",
    "discount-price",
    "discount-start-date",
    "favorite-rank",
    "fulfillment-center-code",
    "last-updated",
    "leadtime-to-ship",
    "logistic-class",
    "min-shipping-price",
    "min-shipping-price-additional",
    "min-shipping-type",
    "min-shipping-zone",
    "offer-id",
    "origin-price",
    "premium",
    "price",
    "price-additional-info",
    "product-sku",
    "professional",
    "quantity",
    "shop-id",
    "shop-name",
    "shop-sku",
    "state-code",
)


def _start_csv(
    call: Call,
    question: Hashable,
    records: list[dict[str, Any]],
    limits: ChunkLimits,
    fields: Sequence[str],
    names: Mapping[str, str],
) -> Response:
    columns = [column for column in COLUMNS if not fields or column in fields]
    delimiter = "," if call.shop.delimiter_name == "COMMA" else ";"
    header = _line([names.get(column, column) for column in columns], delimiter)
    rows = [_line([_cell(record, column) for column in columns], delimiter) for record in records]
    form = FileForm("csv", CSV, lambda chunk: header + b"".join(chunk))
    return start_export(call, question, rows, limits, form)


def _line(cells: Sequence[str], delimiter: str) -> bytes:
    target = io.StringIO()
    csv.writer(target, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(cells)
    return target.getvalue().encode()


def _cell(record: Mapping[str, Any], column: str) -> str:
    price: Mapping[str, Any] = next((price for price in record["prices"] if "context" not in price), {})
    values = {
        "origin-price": price.get("origin_price"),
        "discount-price": price.get("discount_price"),
        "discount-start-date": price.get("discount_start_date"),
        "discount-end-date": price.get("discount_end_date"),
        "price": price.get("discount_price", price.get("origin_price")),
        "professional": record["is_professional"],
        "fulfillment-center-code": ((record.get("fulfillment") or {}).get("center") or {}).get("code"),
        "logistic-class": (record.get("logistic_class") or {}).get("code"),
        "channels": "|".join(record["channels"]),
    }
    value = values[column] if column in values else record.get(column.replace("-", "_"))
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


READS = (
    Endpoint("OF52", "POST", "/api/offers/export/async", _start, roles=frozenset()),
    Endpoint(
        "OF53",
        "GET",
        "/api/offers/export/async/status/{tracking_id}",
        status_handler("OF52", FILES, tells_errors=True),
        roles=frozenset(),
        limits=((1, 10.0),),
    ),
    Endpoint("OF54", "GET", FILES + "/{tracking_id}", file_handler("OF52"), roles=frozenset()),
)
