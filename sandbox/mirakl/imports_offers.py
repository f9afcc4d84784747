"""What a list of offers does to a shop's catalogue, line by line.

A line says which fields it gives. In the mode NORMAL the others stay as they are; in OF24 and in the mode REPLACE they
go back to their defaults: whoever sends a quantity alone loses the description, the discount, the limits, all of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.clock import milliseconds, stamp
from sandbox.mirakl.flow_offers import price_set, with_activity, with_prices
from sandbox.mirakl.flow_records import Record, money
from sandbox.mirakl.imports import LARGEST_QUANTITY, whole_quantity
from sandbox.mirakl_shop import MiraklShop, OfferImport


class LineError(Exception):
    """A line that cannot be carried out; its text goes into the error report."""


@dataclass
class Line:
    """One line of a list of offers: what it is about, and the fields that it gives, by the names of OF21.

    `price` and `discount_price` are the default price; `channel_prices` are those of channels.
    """

    number: int
    sku: str
    cells: list[str]
    product_id: str | None = None
    product_id_type: str | None = None
    is_delete: bool = False
    fields: Record = field(default_factory=dict)
    prices: Record = field(default_factory=dict)
    channel_prices: list[Record] | None = None
    error: str | None = None


# What a field is without an entry of its own.
DEFAULTS: Record = {
    "allow_quote_requests": False,
    "available_end_date": None,
    "available_start_date": None,
    "description": None,
    "eco_contributions": [],
    "internal_description": None,
    "logistic_class": None,
    "max_order_quantity": None,
    "min_order_quantity": None,
    "min_quantity_alert": None,
    "msrp": None,
    "offer_additional_fields": [],
    "package_quantity": None,
    "price_additional_info": None,
    "product_tax_code": None,
    "quantity": 0,
}


def carry_out(shop: MiraklShop, one: OfferImport, lines: Iterable[Line], *, is_reset: bool, is_replace: bool) -> None:
    """Works through the lines; a bad one is reported and the others go on."""
    seen: set[str] = set()
    for line in lines:
        one.read += 1
        try:
            if line.error is not None:
                raise LineError(line.error)
            if not line.sku:
                raise LineError("The offer SKU is missing")
            if line.sku in seen:
                raise LineError(f"The offer with SKU '{line.sku}' appears more than once")
            seen.add(line.sku)
            _apply(shop, one, line, is_reset)
        except LineError as error:
            one.failed.append((line.number, str(error), line.cells))
        else:
            one.succeeded += 1
    if is_replace:
        for sku in [sku for sku in shop.offers if sku not in seen]:
            shop.remove_offer(sku, one.at)
            one.deleted += 1


def _apply(shop: MiraklShop, one: OfferImport, line: Line, is_reset: bool) -> None:
    known = shop.offers.get(line.sku)
    if line.is_delete:
        if known is None:
            raise LineError(f"The offer with SKU '{line.sku}' does not exist")
        shop.remove_offer(line.sku, one.at)
        one.deleted += 1
        return
    if known is None:
        offer = _new_offer(shop, line, one.at)
        one.inserted += 1
    else:
        offer = dict(known)
        one.updated += 1
    try:
        changed = _changed(shop, offer, line, one.at, is_reset or known is None)
    except LineError:
        one.inserted -= known is None
        one.updated -= known is not None
        raise
    shop.put_offer(changed, one.at)


def _changed(shop: MiraklShop, offer: Record, line: Line, at: datetime, is_reset: bool) -> Record:
    _check_fields(shop, line)
    if is_reset:
        lead_time = (shop.account.get("shipping") or {}).get("lead_time_to_ship")
        offer |= DEFAULTS | {"leadtime_to_ship": lead_time}
        offer.pop("warehouses", None)
    offer |= line.fields
    if line.fields.get("leadtime_to_ship") == 0:
        # Zero days come back as one.
        offer["leadtime_to_ship"] = 1
    old = next((one for one in offer.get("all_prices") or () if one.get("channel_code") is None), None)
    base = {} if is_reset or old is None else _kept_price(old)
    default = _default_price(base | line.prices)
    others = [one for one in offer.get("all_prices") or () if one.get("channel_code") is not None]
    if line.channel_prices is not None or is_reset:
        others = line.channel_prices or []
    prices = [*([default] if default else []), *others]
    return with_activity(with_prices(offer, prices, at))


def _kept_price(old: Record) -> Record:
    volumes = [one for one in old.get("volume_prices") or () if one.get("quantity_threshold", 1) > 1]
    return {
        "price": money(old["unit_origin_price"]),
        "discount_price": old.get("unit_discount_price"),
        "discount_start": old.get("discount_start_date"),
        "discount_end": old.get("discount_end_date"),
        "volumes": volumes or None,
    }


def _default_price(given: Record) -> Record | None:
    if given.get("price") is None:
        return None
    discount = given.get("discount_price")
    if discount is not None and discount >= given["price"]:
        raise LineError("The discount price must be lower than the price")
    start, end = given.get("discount_start"), given.get("discount_end")
    if start and end and milliseconds(start) >= milliseconds(end):
        raise LineError("The discount ends before it starts")
    return price_set(given["price"], discount, start, end, None, volume_prices(given, discount))


def volume_prices(given: Record, discount: Decimal | None) -> list[Record] | None:
    volumes = given.get("volumes")
    if not volumes:
        return None
    first = price_set(given["price"], discount)["volume_prices"][0]
    return [first, *(one for one in volumes if one["quantity_threshold"] > 1)]


def _check_fields(shop: MiraklShop, line: Line) -> None:
    for name in ("quantity", "min_quantity_alert", "min_order_quantity", "max_order_quantity", "package_quantity"):
        value = line.fields.get(name)
        if value is not None and not 0 <= value <= LARGEST_QUANTITY:
            raise LineError(
                f"The {name.replace('_', ' ')} '{value}' is not a whole number from 0 to {LARGEST_QUANTITY}"
            )
    low, high = line.fields.get("min_order_quantity"), line.fields.get("max_order_quantity")
    if low and high and low > high:
        raise LineError("The minimum order quantity exceeds the maximum order quantity")
    states = {one.get("code") for one in shop.world.offer_conditions}
    state = line.fields.get("state_code")
    if state is not None and states and state not in states:
        raise LineError(f"The offer state '{state}' does not exist")
    for name in ("price", "discount_price"):
        check_price(shop, line.prices.get(name), name)


def check_price(shop: MiraklShop, price: Decimal | None, name: str) -> None:
    places = int((shop.platform.get("features") or {}).get("offer_prices_decimals") or 2)
    if price is None:
        return
    if not price.is_finite() or price <= 0:
        raise LineError(f"The {name.replace('_', ' ')} '{price}' is not greater than 0")
    if price != price.quantize(Decimal(1).scaleb(-places)):
        raise LineError(f"The {name.replace('_', ' ')} '{price}' has more than {places} decimals")


# --- creation


def _new_offer(shop: MiraklShop, line: Line, at: datetime) -> Record:
    for name, value in (("product-id", line.product_id), ("product-id-type", line.product_id_type)):
        if not value:
            raise LineError(f"The {name} is mandatory to create an offer")
    if line.prices.get("price") is None:
        raise LineError("The price is mandatory to create an offer")
    if not line.fields.get("state_code"):
        raise LineError("The offer state is mandatory to create an offer")
    product = _product(shop, str(line.product_id_type), str(line.product_id))
    ids = [*shop.offers.values(), *shop.deleted_offers.values()]
    return {
        "active": False,
        "all_prices": [],
        "category_code": product.get("category_code"),
        "category_label": product.get("category_label"),
        "channels": [],
        "currency_iso_code": shop.account.get("currency_iso_code"),
        "fulfillment": {"center": {"code": "DEFAULT"}},
        "inactivity_reasons": [],
        "min_shipping_price": money(0),
        "min_shipping_price_additional": money(0),
        "min_shipping_type": "STD",
        "min_shipping_zone": "GB1",
        "offer_id": max((int(one["offer_id"]) for one in ids), default=0) + 1,
        "product_brand": product.get("product_brand") or str(product.get("product_title")).split()[0],
        "product_references": product.get("product_references") or [],
        "product_sku": product["product_sku"],
        "product_title": product.get("product_title"),
        "shipping_deadline": stamp(at + timedelta(days=3)),
        "shop_sku": line.sku,
    }


def _product(shop: MiraklShop, kind: str, reference: str) -> Record:
    """The product that the operator knows by this reference. Raises LineError."""
    for product in shop.world.products:
        if (product.get("product_id_type"), product.get("product_id")) == (kind, reference):
            return product | {"product_references": [{"reference": reference, "reference_type": kind}]}
        if kind == "SKU" and product.get("product_sku") == reference:
            return product
    for offer in (*shop.offers.values(), *shop.deleted_offers.values()):
        pairs = {(one["reference_type"], one["reference"]) for one in offer.get("product_references") or ()}
        if (kind, reference) in pairs or (kind == "SKU" and offer.get("product_sku") == reference):
            return offer
    raise LineError(f"The product with {kind} '{reference}' does not exist")


# --- lines of a CSV file (OF01)

_TEXTS = {
    "description": "description",
    "internal-description": "internal_description",
    "price-additional-info": "price_additional_info",
    "product-tax-code": "product_tax_code",
    "state": "state_code",
}
_WHOLES = {
    "quantity": "quantity",
    "min-quantity-alert": "min_quantity_alert",
    "leadtime-to-ship": "leadtime_to_ship",
    "min-order-quantity": "min_order_quantity",
    "max-order-quantity": "max_order_quantity",
    "package-quantity": "package_quantity",
}
_DATES = {"available-start-date": "available_start_date", "available-end-date": "available_end_date"}


def csv_line(number: int, cells: list[str], given: dict[str, str]) -> Line:
    """A line of an OF01 file. A column that the file has gives its field; an empty cell gives the default."""
    line = Line(number, given.get("sku", ""), cells, given.get("product-id"), given.get("product-id-type"))
    try:
        flag = given.get("update-delete", "").lower()
        if flag not in ("", "update", "delete"):
            raise LineError(f"The value '{given['update-delete']}' is not allowed for update-delete")
        line.is_delete = flag == "delete"
        for column, name in _TEXTS.items():
            if column in given and (given[column] or name != "state_code"):
                line.fields[name] = given[column] or None
        for column, name in _WHOLES.items():
            if column in given:
                line.fields[name] = _whole(column, given[column], DEFAULTS.get(name))
        for column, name in _DATES.items():
            if column in given:
                line.fields[name] = date_time(column, given[column])
        if "allow-quote-requests" in given:
            line.fields["allow_quote_requests"] = given["allow-quote-requests"].lower() == "true"
        _csv_prices(line, given)
    except LineError as error:
        line.error = str(error)
    return line


def _csv_prices(line: Line, given: dict[str, str]) -> None:
    if given.get("price"):
        line.prices["price"] = decimal("price", given["price"])
    if "discount-price" in given:
        line.prices["discount_price"] = decimal("discount-price", given["discount-price"])
    for column, name in (("discount-start-date", "discount_start"), ("discount-end-date", "discount_end")):
        if column in given:
            line.prices[name] = date_time(column, given[column])
    if "price-ranges" in given:
        line.prices["volumes"] = ranges(given["price-ranges"], given.get("discount-ranges", "")) or None
    channels = sorted({name[len("price[channel=") : -1] for name in given if name.startswith("price[channel=")})
    if channels:
        line.channel_prices = []
        for channel in channels:
            price = decimal("price", given[f"price[channel={channel}]"])
            if price is not None:
                discount = decimal("discount-price", given.get(f"discount-price[channel={channel}]", ""))
                line.channel_prices.append(price_set(price, discount, channel=channel))


def _whole(column: str, text: str, default: Any) -> Any:
    if not text:
        return default
    value = whole_quantity(text)
    if value is None:
        raise LineError(f"The {column} '{text}' is not a whole number from 0 to {LARGEST_QUANTITY}")
    return value


def decimal(column: str, text: str) -> Decimal | None:
    """A price; empty is none. Raises LineError."""
    if not text:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        raise LineError(f"The {column} '{text}' is not a number") from None


def date_time(column: str, text: str | None) -> str | None:
    """A date or date-time as the platform shows it, in UTC; empty is none. Raises LineError."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise LineError(f"The {column} '{text}' is not a valid date") from None
    return stamp(at if at.tzinfo else at.replace(tzinfo=UTC))


def ranges(origins: str, discounts: str) -> list[Record]:
    """Volume prices as the files write them: `5|9.90,10|9.50`. Raises LineError."""

    def read(column: str, text: str) -> dict[int, Decimal]:
        found: dict[int, Decimal] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            threshold, bar, price = part.partition("|")
            amount = decimal(column, price)
            if not bar or not threshold.isdigit() or amount is None:
                raise LineError(f"The {column} '{part}' is not a threshold and a price")
            found[int(threshold)] = amount
        return found

    lower = read("discount-ranges", discounts)
    return [
        {
            "price": lower.get(threshold, price),
            "quantity_threshold": threshold,
            "unit_discount_price": lower.get(threshold),
            "unit_origin_price": price,
        }
        for threshold, price in sorted(read("price-ranges", origins).items())
    ]
