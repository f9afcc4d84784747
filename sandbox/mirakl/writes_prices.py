"""Price files: PRI01, the list of imports PRI02, the error report PRI03.

All prices of an offer are replaced by those of the file: one that is not in it is gone. One bad line and the offer
keeps the prices it had; the report then holds all of the offer's lines.
"""

from itertools import groupby
from typing import Any

from starlette.responses import Response

from sandbox import jsonio
from sandbox.mirakl.calls import MINUTE, SELLERS, Call, Endpoint, admin_or, json_response
from sandbox.mirakl.flow_offers import price_set, with_prices
from sandbox.mirakl.flow_records import Record
from sandbox.mirakl.imports import (
    digest_of,
    error_report,
    head_of,
    import_of,
    import_page,
    next_id,
    receiver,
    table_of,
    upload_of,
)
from sandbox.mirakl.imports_offers import LineError, check_price, date_time, decimal, ranges, volume_prices
from sandbox.mirakl.records import Bound, Choice, member, only
from sandbox.mirakl.writes_orders import write
from sandbox.mirakl_shop import MiraklShop, OfferImport

KIND = "PRICES"
STATES = frozenset({"WAITING", "RUNNING", "COMPLETE", "FAILED"})
ORIGINS = frozenset({"API", "FTP", "SFTP", "HTTP", "HTTPS", "FRONT", "PENDING_OFFERS"})
MAXIMUM_PRICES = 50

_FileLine = tuple[int, list[str], dict[str, str]]


async def _import(call: Call) -> Response:
    upload = await upload_of(call)
    import_id = f"{next_id(call.account):08d}"
    write(call, "PRI01", import_id=import_id, text=upload.text, digest=digest_of(upload.text))
    location = {"Location": f"{call.request.url.replace(query='')}?import_id={import_id}"}
    return json_response(jsonio.encode({"importId": import_id, "import_id": import_id}), 201, location)


async def _list(call: Call) -> Response:
    return import_page(call, KIND, LIST_FILTERS, lambda one: _shown(call, one))


def _shown(call: Call, found: OfferImport) -> Record:
    return head_of(call, found) | {
        "lines_in_error": len(found.failed),
        "lines_in_success": found.succeeded,
        "offers_in_error": found.offers_failed,
        "offers_updated": found.updated,
        "origin": "API",
        **({} if found.reason is None else {"reason_status": found.reason}),
    }


async def _errors(call: Call) -> Response:
    return error_report(call.shop, import_of(call, KIND, call.request.path_params["import_id"]))


LIST_FILTERS = (
    Choice("import_id", only("import_id")),
    Bound("start_date", member("date_created"), "FROM"),
    Bound("end_date", member("date_created"), "TO"),
    Choice("status", only("status"), STATES),
    Choice("origins", only("origin"), ORIGINS),
)


def _work(shop: MiraklShop, one: OfferImport, data: dict[str, Any]) -> str | None:
    table = table_of(shop, data["text"])
    if "offer-sku" not in table.header or "price" not in table.header:
        return "The header must name offer-sku and price"
    one.header = table.header
    lines: list[_FileLine] = [(number, cells, table.cells(cells)) for number, cells in table.lines]
    seen: set[str] = set()
    for sku, group in groupby(lines, key=lambda line: line[2].get("offer-sku", "")):
        part = list(group)
        one.read += len(part)
        reasons = _reasons(shop, one, sku, part, sku in seen)
        seen.add(sku)
        if reasons:
            one.failed += [(number, reasons.get(number, ""), cells) for number, cells, _ in part]
            one.offers_failed += 1
        else:
            one.succeeded += len(part)
            one.updated += 1
    return None


def _reasons(shop: MiraklShop, one: OfferImport, sku: str, part: list[_FileLine], is_seen: bool) -> dict[int, str]:
    """Replaces the offer's prices; or says by line number why not."""
    offer = shop.offers.get(sku)
    everywhere = None
    if offer is None:
        everywhere = f"The offer with SKU '{sku}' does not exist" if sku else "The offer SKU is missing"
    elif is_seen:
        everywhere = f"The lines of the offer with SKU '{sku}' do not stand together"
    elif len(part) > MAXIMUM_PRICES:
        everywhere = f"More than {MAXIMUM_PRICES} prices for the offer with SKU '{sku}'"
    if everywhere is not None or offer is None:
        return {number: str(everywhere) for number, _, _ in part}
    reasons, prices = {}, []
    for number, _, given in part:
        try:
            prices += _prices(shop, given)
        except LineError as error:
            reasons[number] = str(error)
    scopes = [_scope(price) for price in prices]
    if not reasons and len(set(scopes)) != len(scopes):
        reasons[part[-1][0]] = "Two prices of the offer have the same scope"
    if not reasons:
        shop.put_offer(with_prices(offer, prices, one.at), one.at)
    return reasons


def _scope(price: Record) -> tuple[Any, ...]:
    context = price.get("context") or {}
    return price["channel_code"], context.get("start_date"), context.get("end_date")


def _prices(shop: MiraklShop, given: dict[str, str]) -> list[Record]:
    """The prices of one line: one, or one for each of its channels. Raises LineError."""
    origin, discount = (
        decimal("price", given.get("price", "")),
        decimal("discount-price", given.get("discount-price", "")),
    )
    if origin is None:
        raise LineError("The price is missing")
    check_price(shop, origin, "price")
    check_price(shop, discount, "discount_price")
    if discount is not None and discount >= origin:
        raise LineError("The discount price must be lower than the price")
    if given.get("price-type", "").upper() not in ("", "PRICE"):
        raise LineError(f"The price type '{given['price-type']}' is only for dropship offers")
    if given.get("customer-organization-ids") or given.get("customer-group-ids"):
        raise LineError("Prices by customer are not activated on this platform")
    start = date_time("discount-start-date", given.get("discount-start-date"))
    end = date_time("discount-end-date", given.get("discount-end-date"))
    volumes = ranges(given.get("price-ranges", ""), given.get("discount-ranges", ""))
    dates = {name: date_time(name, given.get(name)) for name in ("start-date", "end-date")}
    found = []
    channels: list[str | None] = [code for code in given.get("channels", "").split("|") if code]
    for channel in channels or [None]:
        listed = volume_prices({"price": origin, "volumes": volumes}, discount)
        price = price_set(origin, discount, start, end, channel, listed)
        if any(dates.values()):
            price["context"] = {
                "channel_codes": [channel] if channel else [],
                "end_date": dates["end-date"],
                "start_date": dates["start-date"],
            }
        found.append(price)
    return found


_PATH = "/api/offers/pricing/imports"
_READ, ONCE_A_MINUTE = admin_or("OFFER_PRICING_READ"), ((1, MINUTE),)
WRITES = (
    Endpoint("PRI01", "POST", _PATH, _import, admin_or("OFFER_PRICING_WRITE"), ONCE_A_MINUTE, sides=SELLERS),
    Endpoint("PRI02", "GET", _PATH, _list, _READ, ONCE_A_MINUTE, is_first_page_counted=True, sides=SELLERS),
    Endpoint("PRI03", "GET", f"{_PATH}/{{import_id}}/error_report", _errors, _READ, ONCE_A_MINUTE, sides=SELLERS),
)
APPLIERS = {"PRI01": receiver(KIND, _work)}
