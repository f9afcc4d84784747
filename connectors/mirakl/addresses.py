"""Where orders go, as OR11 shows it from SHIPPING on. Read for a write, never kept."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import msgspec
from babel.core import get_global

from connectors.addresses import Destination
from connectors.decoding import Envelope, raw_records, split_records
from connectors.http import Answer
from connectors.mirakl.client import MiraklConnector
from connectors.mirakl.decode import VENDOR
from connectors.mirakl.writes.calls import ORDERS, ORDERS_PATH
from connectors.mirakl.writes.orders import MAXIMUM_IDS
from connectors.mirakl.writes.sending import Desk


class _Address(msgspec.Struct, frozen=True):
    firstname: str | None = None
    lastname: str | None = None
    company: str | None = None
    street_1: str | None = None
    street_2: str | None = None
    city: str | None = None
    state: str | None = None
    zip_code: str | None = None
    country_iso_code: str | None = None
    phone: str | None = None


class _Customer(msgspec.Struct, frozen=True):
    shipping_address: _Address | None = None


class _Order(msgspec.Struct, frozen=True):
    order_id: str
    customer: _Customer | None = None


def destinations(connector: MiraklConnector, order_ids: Sequence[str]) -> dict[str, Destination]:
    """The delivery addresses that the marketplace shows, by order id, 100 orders a call. Raises a ConnectorError."""
    desk, wanted = Desk(connector), sorted(set(order_ids) - {""})
    found: dict[str, Destination] = {}
    for start in range(0, len(wanted), MAXIMUM_IDS):
        parameters = {"max": str(MAXIMUM_IDS), "order_ids": ",".join(wanted[start : start + MAXIMUM_IDS])}
        for order in desk.read(ORDERS, ORDERS_PATH, parameters, _parse):
            address = order.customer.shipping_address if order.customer else None
            if address is not None and (address.street_1 or address.zip_code):
                found[order.order_id] = _destination(address)
    return found


def _destination(address: _Address) -> Destination:
    name = " ".join(part for part in (address.firstname, address.lastname) if part)
    return Destination(
        addressee=name or address.company,
        company=address.company if name else None,
        street_1=address.street_1,
        street_2=address.street_2,
        city=address.city,
        state=address.state,
        postcode=address.zip_code,
        country=_two_letters(address.country_iso_code),
        phone=address.phone,
    )


@cache
def _two_letters(code: str | None) -> str | None:
    """Mirakl writes three letters, ERPs take two; None for what is no country."""
    if not code or len(code) == 2:
        return code or None
    known = get_global("territory_aliases").get(code.upper(), [])
    return known[0] if len(known) == 1 else None


def _parse(answer: Answer) -> list[_Order]:
    whole, _ = split_records(answer.body, Envelope("orders"), vendor=VENDOR, call=ORDERS.name)
    orders = []
    for raw in raw_records(whole, vendor=VENDOR, call=ORDERS.name):
        try:
            orders.append(msgspec.json.decode(raw, type=_Order))
        except (msgspec.DecodeError, ValueError):
            continue
    return orders
