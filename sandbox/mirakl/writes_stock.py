"""Stock files: STO01, their status STO02 and error report STO03."""

from typing import Any

from starlette.responses import Response

from sandbox import jsonio
from sandbox.mirakl.calls import MINUTE, SELLERS, Call, Endpoint, admin_or, json_response
from sandbox.mirakl.flow_offers import with_quantity
from sandbox.mirakl.imports import (
    LARGEST_QUANTITY,
    digest_of,
    error_report,
    head_of,
    import_of,
    next_id,
    receiver,
    table_of,
    upload_of,
    whole_quantity,
)
from sandbox.mirakl.writes_orders import write
from sandbox.mirakl_shop import MiraklShop, OfferImport

KIND = "STOCK"
ROLES = admin_or("OFFER_STOCK_WRITE")


async def _import(call: Call) -> Response:
    upload = await upload_of(call)
    import_id = f"{next_id(call.account):08d}"
    write(call, "STO01", import_id=import_id, text=upload.text, digest=digest_of(upload.text))
    location = f"{call.request.url.replace(query='')}/{import_id}/status"
    return json_response(jsonio.encode({"import_id": import_id}), 201, {"Location": location})


async def _status(call: Call) -> Response:
    found = import_of(call, KIND, call.request.path_params["import_id"])
    body = head_of(call, found)
    if found.status == "COMPLETE":
        body |= {"lines_in_success": found.succeeded, "lines_in_error": len(found.failed)}
    return json_response(jsonio.encode(body))


async def _errors(call: Call) -> Response:
    return error_report(call.shop, import_of(call, KIND, call.request.path_params["import_id"]))


def _work(shop: MiraklShop, one: OfferImport, data: dict[str, Any]) -> str | None:
    """Sets the quantities; a bad line is an error line, a bad file fails as a whole."""
    table = table_of(shop, data["text"])
    if "offer-sku" not in table.header or "quantity" not in table.header:
        return "The header must name offer-sku and quantity"
    one.header = table.header
    seen: set[tuple[str, str]] = set()
    for number, cells in table.lines:
        one.read += 1
        reason = _line(shop, one, table.cells(cells), seen)
        if reason:
            one.failed.append((number, reason, cells))
        else:
            one.succeeded += 1
    return None


def _line(shop: MiraklShop, one: OfferImport, line: dict[str, str], seen: set[tuple[str, str]]) -> str | None:
    sku, warehouse = line.get("offer-sku", ""), line.get("warehouse-code", "")
    quantity = whole_quantity(line.get("quantity", ""))
    if not sku:
        return "The offer SKU is missing"
    offer = shop.offers.get(sku)
    if offer is None:
        return f"The offer with SKU '{sku}' does not exist"
    if warehouse and warehouse not in {item["code"] for item in offer.get("warehouses") or ()}:
        return f"The warehouse '{warehouse}' does not exist"
    if line.get("update-delete", "").lower() not in ("", "update"):
        return f"The value '{line['update-delete']}' is not allowed for update-delete"
    if (sku, warehouse) in seen:
        return f"The offer with SKU '{sku}' appears more than once"
    if quantity is None:
        return f"The quantity '{line.get('quantity', '')}' is not a whole number from 0 to {LARGEST_QUANTITY}"
    seen.add((sku, warehouse))
    shop.put_offer(with_quantity(offer, quantity, warehouse), one.at)
    return None


_PATH = "/api/offers/stock/imports"
WRITES = (
    Endpoint("STO01", "POST", _PATH, _import, roles=ROLES, limits=((1, MINUTE),), sides=SELLERS),
    Endpoint("STO02", "GET", f"{_PATH}/{{import_id}}/status", _status, roles=ROLES, limits=((1, 15.0),), sides=SELLERS),
    Endpoint(
        "STO03",
        "GET",
        f"{_PATH}/{{import_id}}/error_report",
        _errors,
        roles=ROLES,
        limits=((1, MINUTE),),
        sides=SELLERS,
    ),
)
APPLIERS = {"STO01": receiver(KIND, _work)}
