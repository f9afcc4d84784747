"""Which members of a vendor's record tell who a customer is, and how they are cut out of a page.

A page of orders is kept without them: each member is replaced by what of it becomes a column (`Keep`), and its bytes
are handed back with the order that they belong to, so that they can be put away under that order's key and put back.
Money, dates and ids of the same record stay exactly as they came.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec
from msgspec.structs import astuple

from connectors.decoding import RecordDecoder
from connectors.envelopes import Envelope, address, split_records
from connectors.errors import BadPayload
from connectors.mirakl.tables.orders import postcode_district
from connectors.records import FeedSpec

NOTHING = frozenset((b"null", b'""', b"[]", b"{}"))
"""Members without content tell of nobody."""
Keep = Mapping[str, Any]
"""Members of an object that stay: each as it is (True), as another `Keep`, or as a function makes it of its JSON."""


def outward(postcode: bytes) -> bytes:
    """A postcode without its inward part, as the column has it. Raises nothing: what is no postcode becomes null."""
    try:
        district = postcode_district(postcode)
    except msgspec.DecodeError:
        district = None
    return b"null" if district is None else msgspec.json.encode(district)


@dataclass(frozen=True, slots=True)
class Personal:
    """Of one feed. `order`: the members that name the order, the first that is there; a record without any has no
    person. `members` of a record are cut, but for what of each stays.
    """

    order: tuple[str, ...]
    members: Mapping[str, Keep]


_PLACE: Keep = {"country": True, "country_iso_code": True, "state": True}
PERSONAL: Mapping[tuple[str, str], Personal] = {
    ("mirakl", "orders"): Personal(
        ("order_id",),
        {
            "customer": {"shipping_address": {**_PLACE, "zip_code": outward}},
            "customer_notification_email": {},
            "order_additional_fields": {},
            "shipping_pudo_id": {},
        },
    ),
    ("mirakl", "items_to_ship"): Personal(("order_id",), {"shipping_address": _PLACE, "billing_address": {}}),
    ("sage200", "sop_orders"): Personal(("customer_document_no", "document_no"), {"delivery_address": {}}),
}
"""By vendor and entity. What is not here is kept as it came; docs/privacy.md says why."""


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """A member of a record: what the vendor sent (`original`), and where in the page without persons what stayed of it
    stands (`at`, `length`).
    """

    at: int
    length: int
    original: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """A page without persons, and what was in it, by order."""

    body: bytes
    pieces: Mapping[str, list[Piece]]

    def restored(self) -> bytes:
        """The page as it was received."""
        return put_back(self.body, [piece for pieces in self.pieces.values() for piece in pieces])


def put_back(body: bytes, pieces: list[Piece]) -> bytes:
    """A page with these pieces in their places again; of others what stayed."""
    parts, end = [], 0
    for piece in sorted(pieces, key=lambda one: one.at):
        parts += [body[end : piece.at], piece.original]
        end = piece.at + piece.length
    return b"".join([*parts, body[end:]])


def has_persons(spec: FeedSpec) -> bool:
    """Whether customers are cut out of the feed's pages."""
    return (spec.vendor, spec.entity) in PERSONAL and isinstance(spec.decode, RecordDecoder)


def cut(spec: FeedSpec, body: bytes) -> Cut | None:
    """The page without persons; None for a feed that has none, and for a page that is none of the vendor's."""
    personal = PERSONAL.get((spec.vendor, spec.entity))
    if personal is None or not isinstance(spec.decode, RecordDecoder):
        return None
    try:
        return _cut(body, personal, _records(spec.vendor, spec.entity, spec.decode.envelope, body))
    except (BadPayload, msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _records(vendor: str, entity: str, envelope: Envelope, body: bytes) -> list[Any]:
    """Of each record of a page the members that are asked for, as views of the page."""
    of_page, of_list = _readers(vendor, entity, envelope.member)
    if of_page is not None and not envelope.is_single:  # an ordinary page is read once
        with suppress(msgspec.DecodeError):
            if (found := of_page.decode(body).records) is not None:
                return list(found)
    whole, _ = split_records(body, envelope, vendor=vendor, call=entity)
    return of_list.decode(whole)


@lru_cache
def _readers(
    vendor: str, entity: str, member: str | None
) -> tuple[msgspec.json.Decoder[Any] | None, msgspec.json.Decoder[list[Any]]]:
    """For a page whose records stand in `member`, and for a list of records."""
    personal = PERSONAL[vendor, entity]
    fields: list[tuple[str, Any, Any]] = [(name, Any, None) for name in personal.order]
    fields += [(name, msgspec.Raw, None) for name in personal.members]
    record = msgspec.defstruct("PersonalRecord", fields, gc=False)
    of_list = msgspec.json.Decoder(list[record])  # type: ignore[valid-type]
    if member is None:
        return None, of_list
    around: list[tuple[str, Any, Any]] = [("records", list[record] | None, None)]  # type: ignore[valid-type]
    page = msgspec.defstruct("PersonalPage", around, rename={"records": member}, gc=False)
    return msgspec.json.Decoder(page), of_list


def _cut(body: bytes, personal: Personal, records: list[Any]) -> Cut | None:
    start = address(body)
    orders = [_order(record, personal) for record in records]
    found: list[tuple[int, str, bytes, bytes]] = []
    for name, keep in personal.members.items():
        spots = [
            (address(view) - start, order, raw)
            for order, view in zip(orders, map(attrgetter(name), records), strict=True)
            if order is not None and view is not None and (raw := bytes(view)) not in NOTHING
        ]
        stubs = _stubs([raw for _, _, raw in spots], keep)
        found += [(*spot, stub) for spot, stub in zip(spots, stubs, strict=True)]
    parts: list[bytes] = []
    pieces: dict[str, list[Piece]] = {}
    end = length = 0
    for at, order, raw, stays in sorted(found):
        if at < end or not body.startswith(raw, at):
            return None  # a view of something else than the page
        if stays == raw:
            continue
        parts += [body[end:at], stays]
        length += at - end
        pieces.setdefault(order, []).append(Piece(length, len(stays), raw))
        length += len(stays)
        end = at + len(raw)
    return Cut(b"".join([*parts, body[end:]]), pieces)


def _order(record: Any, personal: Personal) -> str | None:
    for name in personal.order:
        value = getattr(record, name)
        if isinstance(value, str | int) and value != "":
            return str(value)
    return None


def _stubs(raws: list[bytes], keep: Keep) -> list[bytes]:
    """What stays of each member: `null`, or an object with the members that stay. All at once, because a call for each
    costs more than what it does.
    """
    result = [b"null"] * len(raws)
    objects = [number for number, raw in enumerate(raws) if raw[:1] == b"{"]
    if not keep or not objects:
        return result
    found = _keeper(tuple(keep)).decode(b"[%b]" % b",".join([raws[number] for number in objects]))
    kept: list[list[bytes]] = [[] for _ in objects]
    for (name, stays), column in zip(keep.items(), zip(*map(astuple, found), strict=True), strict=True):
        there = [(members, bytes(value)) for members, value in zip(kept, column, strict=True) if value is not None]
        values = [value for _, value in there]
        if callable(stays):
            made = {value: stays(value) for value in set(values)}
            values = [made[value] for value in values]
        elif stays is not True:
            values = _stubs(values, stays)
        label = msgspec.json.encode(name)
        for (members, _), value in zip(there, values, strict=True):
            members.append(b"%b:%b" % (label, value))
    for number, members in zip(objects, kept, strict=True):
        result[number] = b"{%b}" % b",".join(members)
    return result


@lru_cache
def _keeper(names: tuple[str, ...]) -> msgspec.json.Decoder[list[Any]]:
    """Reads of each object these members only, in this order, as they stand there."""
    fields: list[tuple[str, Any, Any]] = [(f"member_{at}", msgspec.Raw, None) for at in range(len(names))]
    renamed = {f"member_{at}": name for at, name in enumerate(names)}
    kept = msgspec.defstruct("Kept", fields, rename=renamed, gc=False)
    return msgspec.json.Decoder(list[kept])  # type: ignore[valid-type]
