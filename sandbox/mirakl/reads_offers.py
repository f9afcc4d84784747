"""Reads of offers: OF21."""

from decimal import Decimal

from starlette.responses import Response

from sandbox import jsonio
from sandbox.mirakl.calls import Call, Endpoint
from sandbox.mirakl.paging import is_descending, offset_page


async def _offers(call: Call) -> Response:
    sort = call.one("sort", frozenset({"totalPrice", "price", "productTitle"}), "totalPrice")
    states = frozenset(call.many("offer_state_codes", is_repeated=False))
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
    column = {"totalPrice": "total_price", "price": "price", "productTitle": "product_title"}[sort or "totalPrice"]
    # No offer is guaranteed a place of its own by these criteria; equal ones come in the order of the catalogue.
    offers.sort(
        key=lambda offer: offer.get(column) or (Decimal(0) if column != "product_title" else ""),
        reverse=is_descending(call),
    )
    return offset_page(
        call, "offers", len(offers), lambda start, stop: [jsonio.encode(offer) for offer in offers[start:stop]]
    )


READS = (Endpoint("OF21", "GET", "/api/offers", _offers),)
