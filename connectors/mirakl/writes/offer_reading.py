"""Offers as a write looks at them before and after (OF21, by SKU). Numbers are exact decimals."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from connectors.decoding import Envelope, raw_records, split_records
from connectors.mirakl.decode import VENDOR
from connectors.mirakl.writes.calls import OFFERS, OFFERS_PATH
from connectors.mirakl.writes.sending import Desk
from connectors.pagination import member_int
from connectors.records import Window

READ_ALL_OFFERS_FROM = 30
"""From this many SKUs on, reading the whole catalogue costs fewer calls than asking for each."""
PAGE = 100
Offer = Mapping[str, Any]
_OFFER: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


@dataclass(frozen=True, slots=True)
class Offers:
    """`unreadable` records were seen on the way: with any, an absent SKU does not prove that the offer is gone."""

    by_sku: Mapping[str, Offer]
    unreadable: int


def read_offers(desk: Desk, skus: Collection[str], *, channel: str | None = None) -> Offers:
    """The offers of these SKUs. One that the shop does not have is absent.

    `channel` asks for that channel's prices, which a platform with single channel pricing shows only then.
    """
    wanted = set(skus) - {""}
    found: dict[str, Offer] = {}
    unreadable = 0
    for body in _bodies(desk, wanted, channel):
        whole, _ = split_records(body, Envelope("offers"), vendor=VENDOR, call=OFFERS.name)
        for raw in raw_records(whole, vendor=VENDOR, call=OFFERS.name):
            try:
                offer = _OFFER.decode(raw)
            except (msgspec.DecodeError, ValueError, RecursionError):
                unreadable += 1
                continue
            sku = offer.get("shop_sku")
            if not isinstance(sku, str | int) or isinstance(sku, bool):
                unreadable += 1
            elif str(sku) in wanted:
                found[str(sku)] = offer
    return Offers(found, unreadable)


def quantity_of(offer: Offer | None) -> Decimal | None:
    """The quantity on sale; None when there is no offer, or its quantity cannot be read."""
    return None if offer is None else decimal(offer.get("quantity", 0))


def decimal(value: Any) -> Decimal | None:
    """A number of an offer; None when it is none."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        return None
    try:
        found = Decimal(value)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _bodies(desk: Desk, skus: Collection[str], channel: str | None) -> Iterator[bytes]:
    more = {} if channel is None else {"pricing_channel_code": channel}
    if len(skus) < READ_ALL_OFFERS_FROM:
        for sku in sorted(skus):
            yield _page(desk, {"sku": sku, **more})[0]
    elif channel is None:
        for page in desk.connector.pages("offers", Window()):
            yield page.body
    else:
        offset, total = 0, 1
        while offset < total:
            body, total = _page(desk, {"offset": str(offset), **more})
            yield body
            offset += PAGE


def _page(desk: Desk, parameters: Mapping[str, str]) -> tuple[bytes, int]:
    """One page, and the number of offers that the filters leave. A broken answer is read again."""

    def parse(body: bytes) -> tuple[bytes, int]:
        whole, members = split_records(body, Envelope("offers"), vendor=VENDOR, call=OFFERS.name)
        raw_records(whole, vendor=VENDOR, call=OFFERS.name)
        return body, member_int(members.get("total_count")) or 0

    return desk.read(OFFERS, OFFERS_PATH, {"max": str(PAGE), **parameters}, lambda answer: parse(answer.body))
