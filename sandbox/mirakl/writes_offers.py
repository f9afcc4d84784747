"""Offers: OF24 (a list as JSON), OF01 (a file), their status OF02, error report OF03 and list OF04."""

from decimal import Decimal
from typing import Annotated, Any

import msgspec
from starlette.responses import Response

from sandbox import jsonio
from sandbox.mirakl.calls import MINUTE, SELLERS, Call, Endpoint, admin_or, json_response
from sandbox.mirakl.flow_offers import price_set
from sandbox.mirakl.flow_records import Record
from sandbox.mirakl.imports import (
    digest_of,
    error_report,
    head_of,
    import_of,
    import_page,
    next_id,
    pending_twin,
    receiver,
    table_of,
    upload_of,
)
from sandbox.mirakl.imports_offers import Line, LineError, carry_out, csv_line, date_time
from sandbox.mirakl.limits import take
from sandbox.mirakl.records import Bound, Choice, member, only
from sandbox.mirakl.values import BadParameter
from sandbox.mirakl.writes_bodies import Text, plain, read
from sandbox.mirakl.writes_orders import write
from sandbox.mirakl_shop import MiraklShop, OfferImport

KIND = "OFFERS"
STATES = frozenset({"WAITING_SYNCHRONIZATION_PRODUCT", "WAITING", "RUNNING", "COMPLETE", "FAILED"})
MODES = frozenset({"NORMAL", "REPLACE"})
ORIGINS = frozenset({"API", "FTP", "SFTP", "HTTP", "HTTPS", "FRONT", "PENDING_OFFERS"})


class VolumePrice(msgspec.Struct):
    quantity_threshold: int
    unit_origin_price: Decimal
    unit_discount_price: Decimal | None = None


class Price(msgspec.Struct):
    channel_code: str | None = None
    discount_end_date: str | None = None
    discount_start_date: str | None = None
    unit_discount_price: Decimal | None = None
    unit_origin_price: Decimal | None = None
    volume_prices: list[VolumePrice] | None = None


class Range(msgspec.Struct):
    price: Decimal
    quantity_threshold: int


class Discount(msgspec.Struct):
    end_date: str | None = None
    price: Decimal | None = None
    ranges: list[Range] | None = None
    start_date: str | None = None


class EcoContribution(msgspec.Struct):
    epr_category_code: Text
    eco_contribution_amount: Decimal | None = None
    producer_id: str | None = None


class CustomField(msgspec.Struct):
    code: Text
    type: str | None = None
    value: Any = None


class Offer(msgspec.Struct):
    """One offer of OF24. A field that is not sent is not "no change": it goes back to its default."""

    shop_sku: Text
    price: Decimal
    state_code: Text
    update_delete: str
    all_prices: list[Price] | None = None
    allow_quote_requests: bool | None = None
    available_ended: str | None = None
    available_started: str | None = None
    description: str | None = None
    discount: Discount | None = None
    eco_contributions: list[EcoContribution] | None = None
    internal_description: str | None = None
    leadtime_to_ship: int | None = None
    logistic_class: str | None = None
    max_order_quantity: int | None = None
    min_order_quantity: int | None = None
    min_quantity_alert: int | None = None
    msrp: Decimal | None = None
    offer_additional_fields: list[CustomField] | None = None
    package_quantity: int | None = None
    price_additional_info: str | None = None
    pricing_unit: str | None = None
    product_id: str | None = None
    product_id_type: str | None = None
    product_tax_code: str | None = None
    quantity: int | None = None


class OffersBody(msgspec.Struct):
    offers: Annotated[list[Offer], msgspec.Meta(min_length=1)]


async def _post(call: Call) -> Response:
    offers = plain(read(await call.request.body(), OffersBody))["offers"]
    return _accepted(call, "OF24", digest_of("OF24", jsonio.encode_stable(offers).decode()), offers=offers)


async def _upload(call: Call) -> Response:
    upload = await upload_of(call)
    mode = upload.part("import_mode")
    if mode not in MODES | {"PARTIAL_UPDATE"}:
        raise BadParameter("import_mode", f"'{mode or ''}' is not a valid value for 'import_mode'")
    for name in ("with_products", "operator_format"):
        if upload.part(name) not in (None, "", "true", "false"):
            raise BadParameter(name, f"'{upload.part(name)}' is not a valid boolean for '{name}'")
    if upload.part("with_products") == "true":
        take(call, ((1, 15 * MINUTE),), "with products")
        raise BadParameter("with_products", "The products of this marketplace come from its operator")
    take(call, ((1, MINUTE),), "offers")
    mode = "NORMAL" if mode == "PARTIAL_UPDATE" else mode
    return _accepted(call, "OF01", digest_of("OF01", mode or "", upload.text), text=upload.text, mode=mode)


def _accepted(call: Call, operation: str, digest: str, **data: Any) -> Response:
    """201 before anything is looked at. An equal request that is still waiting is answered with the import it made."""
    twin = pending_twin(call.shop, KIND, digest)
    if twin is None:
        import_id = next_id(call.account)
        write(call, operation, import_id=str(import_id), digest=digest, **data)
    else:
        import_id = int(twin.import_id)
    base = str(call.request.url.replace(query="")).removesuffix("/imports")
    location = {"Location": f"{base}/imports/{import_id}"}
    return json_response(jsonio.encode({"import_id": import_id}), 201, location)


# --- status, report, list


def _shown(call: Call, found: OfferImport) -> Record:
    return head_of(call, found) | {
        "import_id": int(found.import_id),
        "lines_in_error": len(found.failed),
        "lines_in_pending": 0 if found.has_ended else found.line_count,
        "lines_in_success": found.succeeded,
        "lines_read": found.read,
        "mode": found.mode,
        "offer_deleted": found.deleted,
        "offer_inserted": found.inserted,
        "offer_updated": found.updated,
        **({} if found.reason is None else {"reason_status": found.reason}),
    }


async def _status(call: Call) -> Response:
    body = _shown(call, import_of(call, KIND, call.request.path_params["import"]))
    body.pop("shop_id")
    return json_response(jsonio.encode(body | {"type": "MIRAKL"}))


async def _errors(call: Call) -> Response:
    found = import_of(call, KIND, call.request.path_params["import"])
    return error_report(call.shop, found, "application/octet-stream")


async def _list(call: Call) -> Response:
    return import_page(call, KIND, LIST_FILTERS, lambda one: _shown(call, one) | {"origin": "API"})


LIST_FILTERS = (
    Bound("start_date", member("date_created"), "FROM"),
    Bound("end_date", member("date_created"), "TO"),
    Choice("status", only("status"), STATES),
    Choice("mode", only("mode"), MODES),
    Choice("origins", only("origin"), ORIGINS),
)


# --- carried out


def _work_list(shop: MiraklShop, one: OfferImport, data: dict[str, Any]) -> str | None:
    one.header = [*_COLUMNS]
    lines = [_line(number, offer) for number, offer in enumerate(data["offers"], start=1)]
    carry_out(shop, one, lines, is_reset=True, is_replace=False)
    return None


_COLUMNS = {
    "sku": "shop_sku",
    "product-id": "product_id",
    "product-id-type": "product_id_type",
    "price": "price",
    "quantity": "quantity",
    "state": "state_code",
    "update-delete": "update_delete",
}
_SAME = (
    "allow_quote_requests",
    "description",
    "eco_contributions",
    "internal_description",
    "leadtime_to_ship",
    "max_order_quantity",
    "min_order_quantity",
    "min_quantity_alert",
    "msrp",
    "offer_additional_fields",
    "package_quantity",
    "price_additional_info",
    "product_tax_code",
    "quantity",
    "state_code",
)


def _line(number: int, offer: Record) -> Line:
    cells = ["" if offer.get(name) is None else str(offer[name]) for name in _COLUMNS.values()]
    line = Line(number, offer["shop_sku"], cells, offer.get("product_id"), offer.get("product_id_type"))
    flag = offer["update_delete"].lower()
    if flag not in ("", "update", "delete"):
        line.error = f"The value '{offer['update_delete']}' is not allowed for update_delete"
    line.is_delete = flag == "delete"
    line.fields = {name: offer[name] for name in _SAME if offer.get(name) is not None}
    if offer.get("logistic_class"):
        line.fields["logistic_class"] = {"code": offer["logistic_class"], "label": offer["logistic_class"]}
    try:
        for sent, name in (("available_started", "available_start_date"), ("available_ended", "available_end_date")):
            if offer.get(sent):
                line.fields[name] = date_time(sent, offer[sent])
        _read_prices(line, offer)
    except LineError as error:
        line.error = line.error or str(error)
    return line


def _read_prices(line: Line, offer: Record) -> None:
    discount = offer.get("discount") or {}
    listed = [one | {} for one in offer.get("all_prices") or ()]
    default: Record = next((one for one in listed if one.get("channel_code") is None), {})
    line.prices = {
        "price": Decimal(offer["price"]),
        "discount_price": _either(default.get("unit_discount_price"), discount.get("price")),
        "discount_start": date_time("discount", default.get("discount_start_date") or discount.get("start_date")),
        "discount_end": date_time("discount", default.get("discount_end_date") or discount.get("end_date")),
        "volumes": _volumes(default.get("volume_prices")),
    }
    line.channel_prices = [
        price_set(
            Decimal(_either(one.get("unit_origin_price"), offer["price"])),
            one.get("unit_discount_price"),
            date_time("discount_start_date", one.get("discount_start_date")),
            date_time("discount_end_date", one.get("discount_end_date")),
            one["channel_code"],
            _volumes(one.get("volume_prices")),
        )
        for one in listed
        if one.get("channel_code") is not None
    ]


def _either(first: Any, second: Any) -> Any:
    return second if first is None else first


def _volumes(listed: list[Record] | None) -> list[Record] | None:
    found = [
        {
            "price": _either(one.get("unit_discount_price"), one["unit_origin_price"]),
            "quantity_threshold": one["quantity_threshold"],
            "unit_discount_price": one.get("unit_discount_price"),
            "unit_origin_price": one["unit_origin_price"],
        }
        for one in listed or ()
    ]
    return found or None


def _work_file(shop: MiraklShop, one: OfferImport, data: dict[str, Any]) -> str | None:
    table = table_of(shop, data["text"])
    if "sku" not in table.header:
        return "The header must name sku"
    one.header = table.header
    lines = [csv_line(number, cells, table.cells(cells)) for number, cells in table.lines]
    is_replace = one.mode == "REPLACE"
    carry_out(shop, one, lines, is_reset=is_replace, is_replace=is_replace)
    return None


_WRITE, _READ = admin_or("OFFER_WRITE"), admin_or("OFFER_WRITE", "OFFER_TRACKING_READ")
_PATH = "/api/offers/imports"
ONCE_A_MINUTE = ((1, MINUTE),)
WRITES = (
    Endpoint("OF24", "POST", "/api/offers", _post, roles=_WRITE, limits=ONCE_A_MINUTE, sides=SELLERS),
    Endpoint("OF01", "POST", _PATH, _upload, roles=_WRITE, sides=SELLERS),
    Endpoint("OF04", "GET", _PATH, _list, _READ, ONCE_A_MINUTE, is_first_page_counted=True, sides=SELLERS),
    Endpoint("OF02", "GET", f"{_PATH}/{{import}}", _status, _READ, ONCE_A_MINUTE, sides=SELLERS),
    Endpoint("OF03", "GET", f"{_PATH}/{{import}}/error_report", _errors, _READ, ONCE_A_MINUTE, sides=SELLERS),
)
APPLIERS = {"OF24": receiver(KIND, _work_list), "OF01": receiver(KIND, _work_file)}
