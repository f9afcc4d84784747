"""What an offer's stock and prices make of it: whether it is active, and the price that applies."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sandbox.clock import milliseconds, stamp
from sandbox.mirakl.flow_records import Record, money


def with_quantity(offer: Record, quantity: int, warehouse: str = "") -> Record:
    """The offer with another stock, in all or in one warehouse."""
    offer = dict(offer)
    if warehouse:
        offer["warehouses"] = [
            item | {"quantity": quantity} if item["code"] == warehouse else item for item in offer["warehouses"]
        ]
        quantity = sum(item["quantity"] for item in offer["warehouses"])
    offer["quantity"] = quantity
    return with_activity(offer)


def with_activity(offer: Record) -> Record:
    """`active` and the reasons against it that follow from stock and prices; other reasons stay."""
    quantity = offer.get("quantity") or 0
    by_rule = {
        "ZERO_QUANTITY": quantity == 0,
        "AVAILABLE_QUANTITY_LESS_THAN_MIN_ORDER_QUANTITY": 0 < quantity < (offer.get("min_order_quantity") or 0),
        "AVAILABLE_QUANTITY_LESS_THAN_PACKAGE_QUANTITY": 0 < quantity < (offer.get("package_quantity") or 0),
        "NO_ACTIVE_PRICE": offer.get("price") is None,
    }
    others = [reason for reason in offer.get("inactivity_reasons") or () if reason not in by_rule]
    reasons = others + [reason for reason, applies in by_rule.items() if applies]
    return offer | {"inactivity_reasons": reasons, "active": not reasons}


def with_prices(offer: Record, prices: list[Record], at: datetime) -> Record:
    """The offer with a new set of prices. `price` is the default price that applies at `at`: a discount if one runs."""
    offer = offer | {"all_prices": prices}
    default = next((one for one in prices if one.get("channel_code") is None), None)
    if default is None:
        return with_activity(offer | {"price": None, "total_price": None, "applicable_pricing": None, "discount": None})
    price = applicable(default, at)
    shipping = money(offer.get("min_shipping_price"))
    discount = None
    if default.get("unit_discount_price") is not None:
        discount = {
            "discount_price": default["unit_discount_price"],
            "end_date": default.get("discount_end_date"),
            "origin_price": default["unit_origin_price"],
            "ranges": [],
            "start_date": default.get("discount_start_date"),
        }
    changed = offer | {"price": price, "total_price": price + shipping, "discount": discount}
    return with_activity({name: value for name, value in changed.items() if name != "applicable_pricing"})


def applicable(price: Record, at: datetime) -> Decimal:
    discount = price.get("unit_discount_price")
    now = milliseconds(stamp(at))
    start, end = price.get("discount_start_date"), price.get("discount_end_date")
    is_running = (not start or milliseconds(start) <= now) and (not end or now < milliseconds(end))
    return money(discount if discount is not None and is_running else price["unit_origin_price"])


def price_set(
    origin: Decimal,
    discount: Decimal | None = None,
    start: str | None = None,
    end: str | None = None,
    channel: str | None = None,
    volumes: list[Record] | None = None,
) -> Record:
    """One price of an offer as OF21 lists it in `all_prices`."""
    first: dict[str, Any] = {
        "price": origin if discount is None else discount,
        "quantity_threshold": 1,
        "unit_discount_price": discount,
        "unit_origin_price": origin,
    }
    return {
        "channel_code": channel,
        "discount_end_date": end,
        "discount_start_date": start,
        "price": origin if discount is None else discount,
        "unit_discount_price": discount,
        "unit_origin_price": origin,
        "volume_prices": volumes or [first],
    }
