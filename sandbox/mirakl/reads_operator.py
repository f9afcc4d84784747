"""Reads that only an operator has: shops (S20), debits to collect (PA11), refunds to pay (PA12).

They are not in the public specification. What is known comes from operators' connectors; where they differ the stricter
reading is served.
"""

from starlette.responses import Response

from sandbox import jsonio
from sandbox.clock import milliseconds
from sandbox.mirakl.calls import OPERATORS, Call, Endpoint
from sandbox.mirakl.paging import offset_page, offset_records

SHOP_STATES = frozenset({"OPEN", "CLOSE", "SUSPENDED", "TERMINATED"})
DOMAINS = frozenset({"PRODUCT", "SERVICE"})


async def _shops(call: Call) -> Response:
    ids = call.query.whole_numbers("shop_ids", "COMMA")
    domains = call.many("domains", DOMAINS, "COMMA")
    state = call.one("state", SHOP_STATES)
    since = call.time("updated_since")
    is_premium = call.flag("premium")
    found = [
        shop
        for shop in call.shop.sellers
        if (not ids or str(shop["shop_id"]) in ids)
        and (not domains or set(domains) & set(shop.get("domains") or ()))
        and (state is None or shop.get("shop_state") == state)
        and (since is None or milliseconds(shop["last_updated_date"]) >= since)
        and (is_premium is None or bool(shop.get("premium")) == is_premium)
    ]
    return offset_records(call, "shops", found)


async def _debits(call: Call) -> Response:
    rows = call.shop.payment_debits
    return offset_page(call, "orders.order", len(rows), lambda a, b: [jsonio.encode(row) for row in rows[a:b]])


async def _refunds(call: Call) -> Response:
    rows = call.shop.payment_refunds
    return offset_page(call, "orders.order", len(rows), lambda a, b: [jsonio.encode(row) for row in rows[a:b]])


READS = (
    Endpoint("S20", "GET", "/api/shops", _shops, sides=OPERATORS),
    Endpoint("PA11", "GET", "/api/payment/debit", _debits, sides=OPERATORS),
    Endpoint("PA12", "GET", "/api/payment/refund", _refunds, sides=OPERATORS),
)
