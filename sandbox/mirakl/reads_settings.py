"""Reads of what a platform and a shop are set to. Whole lists, asked for once a day."""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import Response

from sandbox import jsonio
from sandbox.mirakl.calls import DAY, SELLERS, Call, Endpoint, Handler, admin_or, json_response
from sandbox.mirakl_shop import MiraklShop

PERIODS = frozenset({"ALL_SINCE_BEGINNING", "LAST_MONTH", "LAST_THREE_MONTHS", "LAST_SIX_MONTHS", "LAST_YEAR"})
CUSTOM_FIELD_ENTITIES = frozenset({"OFFER", "SHOP", "ORDER", "ORDER_LINE"})


async def _version(_call: Call) -> Response:
    return json_response(b'{"version":"3.1187"}')


async def _account(call: Call) -> Response:
    return json_response(jsonio.encode(call.shop.account))


async def _platform(call: Call) -> Response:
    return json_response(jsonio.encode(call.shop.platform))


async def _statistics(call: Call) -> Response:
    periods = call.many("periods", PERIODS, "COMMA")
    statistics = dict(call.shop.world.account_statistics)
    if periods:
        statistics = {
            name: [entry for entry in value if entry.get("period") in periods] if isinstance(value, list) else value
            for name, value in statistics.items()
        }
    return json_response(jsonio.encode(statistics))


async def _custom_fields(call: Call) -> Response:
    entities = call.many("entities", CUSTOM_FIELD_ENTITIES, "COMMA")
    fields = [field for field in call.shop.world.custom_fields if not entities or field.get("entity") in entities]
    if call.is_operator:
        fields = [_as_operator_sees(field) for field in fields]
    return json_response(jsonio.encode({"additional_fields": fields}))


def _as_operator_sees(field: Mapping[str, Any]) -> dict[str, Any]:
    """A custom field says what sellers may do with it, in place of whether the asking seller may edit it."""
    shown = {name: value for name, value in field.items() if name != "editable"}
    return {"shop_permission": "READ_WRITE" if field.get("editable") else "READ_ONLY"} | shown


async def _offer_conditions(call: Call) -> Response:
    is_active = call.flag("active")
    # A seller's answer does not say which conditions are active; all of them are here.
    conditions = [
        condition
        for condition in call.shop.world.offer_conditions
        if is_active is None or condition.get("active", True) == is_active
    ]
    if call.is_operator:
        conditions = [{"active": True} | condition for condition in conditions]
    return json_response(jsonio.encode({"offer_states": conditions, "total_count": len(conditions)}))


async def _reasons(call: Call) -> Response:
    reasons = call.shop.world.reasons
    if call.is_operator:
        # What is no right of the shop's is the customer's to say; an operator may say anything.
        reasons = [
            {"is_customer_right": not reason.get("is_shop_right"), "is_operator_right": True} | reason
            for reason in reasons
        ]
    return json_response(jsonio.encode({"reasons": reasons}))


def _whole_list(name: str, read: Callable[[MiraklShop], list[dict[str, Any]]]) -> Handler:
    async def answer(call: Call) -> Response:
        return json_response(jsonio.encode({name: read(call.shop)}))

    return answer


async def _shop_documents(_call: Call) -> Response:
    return json_response(jsonio.encode({"shop_documents": [], "total_count": 0}))


async def _product_imports(call: Call) -> Response:
    call.time("last_request_date")
    return json_response(jsonio.encode({"product_import_trackings": [], "total_count": 0}))


async def _user_roles(_call: Call) -> Response:
    return json_response(jsonio.encode({"roles": SHOP_ROLES}))


SHOP_ROLES = [
    {"code": "GROUP_SHOP_ADMIN", "description": "Everything of the shop, its users and its API."},
    {"code": "GROUP_SHOP_ACCOUNTANCY", "description": "Statements and transactions."},
]
DAILY = ((1, DAY),)
READS = (
    Endpoint("V01", "GET", "/api/version", _version, roles=frozenset()),
    Endpoint("A01", "GET", "/api/account", _account, admin_or("SHOP_READ"), DAILY, sides=SELLERS),
    Endpoint("A21", "GET", "/api/account/statistics", _statistics, admin_or("SHOP_READ"), DAILY, sides=SELLERS),
    Endpoint("RO02", "GET", "/api/users/shops/roles", _user_roles, admin_or("SHOP_USER_CREATE"), sides=SELLERS),
    Endpoint("S30", "GET", "/api/shops/documents", _shop_documents, admin_or("SHOP_DOCUMENT_READ"), sides=SELLERS),
    Endpoint("P51", "GET", "/api/products/imports", _product_imports, admin_or("PRODUCT_WRITE"), sides=SELLERS),
    Endpoint("PC01", "GET", "/api/platform/configuration", _platform),
    Endpoint(
        "CUR01",
        "GET",
        "/api/currencies",
        _whole_list("currencies", lambda shop: shop.world.currencies),
        admin_or("CURRENCY_SETTINGS_READ"),
        DAILY,
    ),
    Endpoint(
        "CH11",
        "GET",
        "/api/channels",
        _whole_list("channels", lambda shop: shop.world.channels),
        admin_or("CHANNEL_READ"),
        DAILY,
    ),
    Endpoint("OF61", "GET", "/api/offers/states", _offer_conditions, admin_or("OFFER_SETTINGS_READ"), DAILY),
    Endpoint("RE01", "GET", "/api/reasons", _reasons, admin_or("ORDER_SETTINGS_READ")),
    Endpoint(
        "SH11",
        "GET",
        "/api/shipping/zones",
        _whole_list("shipping_zones", lambda shop: shop.world.shipping_zones),
        admin_or("SHIPPING_SETTINGS_READ"),
        DAILY,
    ),
    Endpoint(
        "SH12",
        "GET",
        "/api/shipping/types",
        _whole_list("shipping_types", lambda shop: shop.world.shipping_methods),
        admin_or("SHIPPING_SETTINGS_READ"),
        DAILY,
    ),
    Endpoint(
        "SH21",
        "GET",
        "/api/shipping/carriers",
        _whole_list("carriers", lambda shop: shop.carriers),
        admin_or("SHIPPING_SETTINGS_READ"),
        DAILY,
    ),
    Endpoint(
        "AF01",
        "GET",
        "/api/additional_fields",
        _custom_fields,
        admin_or("OFFER_SETTINGS_READ", "ORDER_SETTINGS_READ", "SHOP_SETTINGS_READ"),
        DAILY,
    ),
)
