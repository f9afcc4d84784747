"""Reads of offers and products: OF21, OF22, P31. Exports of offers are in `exports_offers`."""

from decimal import Decimal
from typing import Any

from starlette.responses import Response

from sandbox import jsonio
from sandbox.mirakl.calls import SELLERS, Call, Endpoint, admin_or, json_response
from sandbox.mirakl.paging import is_descending, offset_page
from sandbox.mirakl.values import MAXIMUM_VALUES, BadParameter, whole_number
from sandbox.mirakl_shop import RuleError

SORTS = {"totalPrice": "total_price", "price": "price", "productTitle": "product_title"}
# Identifiers of the shop's own are no product references.
INVALID_REFERENCE_TYPES = frozenset({"SHOP_SKU", "SKU"})


async def _offers(call: Call) -> Response:
    sort = call.one("sort", frozenset(SORTS), "totalPrice") or "totalPrice"
    states = frozenset(call.many("offer_state_codes", form="COMMA"))
    sku, product = call.text("sku"), call.text("product_id")
    is_favorite = call.flag("favorite") or False
    offers = [
        offer
        for offer in call.shop.offers.values()
        if (not states or offer.get("state_code") in states)
        and (not sku or offer["shop_sku"] == sku)
        and (not product or offer.get("product_sku") == product)
        and (not is_favorite or offer.get("favorite"))
    ]
    # No offer is guaranteed a place of its own by these criteria; equal ones come in the order of the catalogue.
    column = SORTS[sort]
    offers.sort(
        key=lambda offer: offer.get(column) or (Decimal(0) if column != "product_title" else ""),
        reverse=is_descending(call),
    )
    return offset_page(
        call, "offers", len(offers), lambda start, stop: [jsonio.encode(offer) for offer in offers[start:stop]]
    )


async def _offer(call: Call) -> Response:
    offer_id = whole_number("offer", call.request.path_params["offer"])
    found = next((offer for offer in call.shop.offers.values() if offer["offer_id"] == offer_id), None)
    if found is None:
        raise RuleError(404, "OFFER_NOT_FOUND", f"Offer with identifier '{offer_id}' not found")
    return json_response(jsonio.encode(found))


async def _products(call: Call) -> Response:
    pairs = _references(call)
    found = [
        product
        for product in call.shop.world.products
        if (product.get("product_id_type"), product.get("product_id")) in pairs
    ]
    found.sort(key=lambda product: (product["product_sku"], product["product_id_type"], product["product_id"]))
    if call.is_operator:
        # Every shop may sell every product.
        found = [{"authorized_shop_ids": []} | product for product in found]
    body: dict[str, Any] = {"products": found, "total_count": len(found)}
    return json_response(jsonio.encode(body))


def _references(call: Call) -> set[tuple[str, str]]:
    """The (type, id) pairs asked for: `TYPE|ID`, or `ID|TYPE` in the deprecated parameter."""
    current, old = call.text("product_references"), call.text("products")
    name, value = ("product_references", current) if current else ("products", old)
    parts = [part.strip() for part in (value or "").split(",") if part.strip()]
    if not parts:
        raise BadParameter("product_references", "Required parameter 'product_references' is not present")
    if len(parts) > MAXIMUM_VALUES:
        raise BadParameter(name, f"limit of {MAXIMUM_VALUES} exceeded for the parameter '{name}'")
    pairs = set()
    for part in parts:
        first, bar, second = part.partition("|")
        kind, reference = (first, second) if name == "product_references" else (second, first)
        if not bar or not kind or not reference or kind in INVALID_REFERENCE_TYPES:
            raise BadParameter(name, f"'{part}' is not a valid product reference")
        pairs.add((kind, reference))
    return pairs


READS = (
    Endpoint("OF21", "GET", "/api/offers", _offers, admin_or("OFFER_READ"), sides=SELLERS),
    Endpoint("OF22", "GET", "/api/offers/{offer}", _offer, admin_or("OFFER_READ")),
    Endpoint("P31", "GET", "/api/products", _products, admin_or("PRODUCT_READ")),
)
