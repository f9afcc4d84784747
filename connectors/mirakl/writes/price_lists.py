"""The prices of an offer: as a payload gives them, as a PRI01 file takes them, as OF21 shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.decoding import format_stamp, parse_stamp
from connectors.mirakl.writes.offer_reading import Offer, decimal
from connectors.mirakl.writes.payloads import amount, count, objects, optional_instant, texts
from connectors.mirakl.writes.sending import Unfit

MAXIMUM_PRICES = 50
"""Of one offer."""
BASE_HEADINGS = ("offer-sku", "price", "discount-price", "discount-start-date", "discount-end-date")
MORE_HEADINGS = ("price-ranges", "discount-ranges", "channels", "start-date", "end-date")
"""Only users of the feature may send these, so each stands in the file only when a line needs it."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a price applies to: channels (none: the default price), a period, customers (never set by us)."""

    channels: frozenset[str] = frozenset()
    start: datetime | None = None
    end: datetime | None = None
    customers: frozenset[str] = frozenset()

    def __str__(self) -> str:
        parts = [f"channel {c}" for c in sorted(self.channels)] + [f"customer {c}" for c in sorted(self.customers)]
        parts += [f"from {format_stamp(self.start)}"] if self.start else []
        parts += [f"until {format_stamp(self.end)}"] if self.end else []
        return " ".join(parts) or "the default"


Steps = tuple[tuple[int, Decimal], ...]
"""Prices from a number of pieces on, the first being for one piece."""


@dataclass(frozen=True, slots=True)
class Price:
    """One price of an offer, in the shop's currency."""

    place: Place
    price: Decimal
    discount: Decimal | None = None
    discount_start: datetime | None = None
    discount_end: datetime | None = None
    steps: Steps = ()
    discount_steps: Steps = ()

    def cells(self, sku: str) -> dict[str, str]:
        """The line of the file, by heading."""
        return {
            "offer-sku": sku,
            "price": str(self.price),
            "discount-price": "" if self.discount is None else str(self.discount),
            "discount-start-date": _stamp(self.discount_start),
            "discount-end-date": _stamp(self.discount_end),
            "price-ranges": _ranges(self.steps),
            "discount-ranges": _ranges(self.discount_steps),
            "channels": "|".join(sorted(self.place.channels)),
            "start-date": _stamp(self.place.start),
            "end-date": _stamp(self.place.end),
        }

    def differences(self, held: Price) -> list[str]:
        pairs: list[tuple[str, Any, Any]] = [
            ("price", held.price, self.price),
            ("discount price", held.discount, self.discount),
            ("start of the discount", held.discount_start, self.discount_start),
            ("end of the discount", held.discount_end, self.discount_end),
        ]
        if self.steps:
            pairs.append(("price ranges", _from_two(held.steps), _from_two(self.steps)))
        if self.discount_steps:
            pairs.append(("discount ranges", _from_two(held.discount_steps), _from_two(self.discount_steps)))
        return [f"{what} is {is_}, wanted {wanted}" for what, is_, wanted in pairs if is_ != wanted]


def read_prices(payload: Mapping[str, Any]) -> tuple[Price, ...]:
    """`prices` of a payload. Raises Unfit."""
    prices = tuple(_price(element) for element in objects(payload, "prices"))
    if not prices:
        raise Unfit("the payload has no prices")
    if len(prices) > MAXIMUM_PRICES:
        raise Unfit(f"{len(prices)} prices are more than an offer may have ({MAXIMUM_PRICES})")
    if len(by_place(prices)) != sum(len(price.place.channels) or 1 for price in prices):
        raise Unfit("two prices apply to the same channels and period")
    return prices


def _price(element: Mapping[str, Any]) -> Price:
    place = Place(
        frozenset(texts(element, "channels") or ()),
        optional_instant(element, "start_date"),
        optional_instant(element, "end_date"),
    )
    if any("|" in channel or ";" in channel for channel in place.channels):
        raise Unfit("a channel's code holds a separator")
    return Price(
        place,
        amount(element, "price"),
        None if element.get("discount_price") is None else amount(element, "discount_price"),
        optional_instant(element, "discount_start_date"),
        optional_instant(element, "discount_end_date"),
        _steps(element, "price_ranges"),
        _steps(element, "discount_ranges"),
    )


def _steps(element: Mapping[str, Any], name: str) -> Steps:
    steps = [(count(step, "quantity_threshold", minimum=1), amount(step, "price")) for step in objects(element, name)]
    if len({threshold for threshold, _ in steps}) != len(steps):
        raise Unfit(f"a threshold stands twice in {name}")
    return tuple(sorted(steps))


def held_prices(offer: Offer) -> list[Price]:
    """`all_prices` of an offer as OF21 shows it. Raises Unfit when one cannot be read."""
    return [_held(entry) for entry in offer.get("all_prices") or ()]


def by_place(prices: Iterable[Price]) -> dict[Place, Price]:
    """Each price under every single place that it applies to: some platforms show a price of two channels as one, some
    as two.
    """
    found: dict[Place, Price] = {}
    for price in prices:
        single = [frozenset([channel]) for channel in sorted(price.place.channels)]
        for channels in single or [price.place.channels]:
            found[replace(price.place, channels=channels)] = price
    return found


def _held(entry: Mapping[str, Any]) -> Price:
    context = entry.get("context") or {}
    channels = context.get("channel_codes") or ([entry["channel_code"]] if entry.get("channel_code") else [])
    customers = [*(context.get("customer_group_ids") or ()), *(context.get("customer_organization_ids") or ())]
    price = decimal(entry.get("unit_origin_price"))
    if price is None:
        raise Unfit("a price of the offer cannot be read")
    volumes = [
        (
            decimal(v.get("quantity_threshold")),
            decimal(v.get("unit_origin_price")),
            decimal(v.get("unit_discount_price")),
        )
        for v in entry.get("volume_prices") or ()
    ]
    return Price(
        Place(
            frozenset(channels), _instant(context, "start_date"), _instant(context, "end_date"), frozenset(customers)
        ),
        price,
        decimal(entry.get("unit_discount_price")),
        _instant(entry, "discount_start_date"),
        _instant(entry, "discount_end_date"),
        _held_steps((threshold, origin) for threshold, origin, _ in volumes),
        _held_steps((threshold, discount) for threshold, _, discount in volumes),
    )


def _held_steps(steps: Iterable[tuple[Decimal | None, Decimal | None]]) -> Steps:
    return tuple(sorted((int(t), price) for t, price in steps if t is not None and price is not None))


def _instant(entry: Mapping[str, Any], name: str) -> datetime | None:
    value = entry.get(name)
    return parse_stamp(value) if isinstance(value, str) else None


def _from_two(steps: Steps) -> Steps:
    return tuple(step for step in steps if step[0] > 1)


def _stamp(value: datetime | None) -> str:
    return "" if value is None else format_stamp(value)


def _ranges(steps: Steps) -> str:
    return ",".join(f"{threshold}|{price}" for threshold, price in steps)
