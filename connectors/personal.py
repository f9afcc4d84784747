"""Which members of a vendor's record tell who a customer is, and how they are cut out of a page.

A page of orders is kept without them: each member is replaced by what of it becomes a column (`Keep`), and its bytes
are handed back with the order that they belong to, so that they can be put away under that order's key and put back.
Money, dates and ids of the same record stay exactly as they came.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any

import msgspec
import pyarrow as pa

from connectors.decoding import RecordDecoder
from connectors.envelopes import split_records
from connectors.errors import BadPayload
from connectors.mirakl.tables.orders import postcode_district
from connectors.records import FeedSpec

NOTHING = frozenset((b"null", b'""', b"[]", b"{}"))
"""Members without content tell of nobody."""
_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
_OBJECT: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
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


@dataclass(frozen=True, slots=True)
class Piece:
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
        whole, _ = split_records(body, spec.decode.envelope, vendor=spec.vendor, call=spec.entity)
        records = _reader(spec.vendor, spec.entity).decode(whole)
        return _cut(body, personal, records)
    except (BadPayload, msgspec.DecodeError, UnicodeError, RecursionError):
        return None


@lru_cache
def _reader(vendor: str, entity: str) -> msgspec.json.Decoder[list[Any]]:
    """Reads of each record only the members that are asked for, as views of the page."""
    personal = PERSONAL[vendor, entity]
    names = [*personal.order, *personal.members]
    fields: list[tuple[str, Any, Any]] = [(name, msgspec.Raw, None) for name in names]
    record = msgspec.defstruct("PersonalRecord", fields, gc=False)
    return msgspec.json.Decoder(list[record])  # type: ignore[valid-type]


def _cut(body: bytes, personal: Personal, records: list[Any]) -> Cut | None:
    start = _address(body)
    parts: list[bytes] = []
    pieces: dict[str, list[Piece]] = {}
    end = length = 0
    for record in records:
        order = next(filter(None, (_text(getattr(record, name)) for name in personal.order)), None)
        if order is None:
            continue
        found = []
        for name, keep in personal.members.items():
            view = getattr(record, name)
            if view is not None and (raw := bytes(view)) not in NOTHING:
                found.append((_address(view) - start, raw, keep))
        for at, raw, keep in sorted(found, key=itemgetter(0)):
            if at < end or body[at : at + len(raw)] != raw:
                return None  # a view of something else than the page
            stays = _stub(raw, keep)
            if stays == raw:
                continue
            parts += [body[end:at], stays]
            length += at - end
            pieces.setdefault(order, []).append(Piece(length, len(stays), raw))
            length += len(stays)
            end = at + len(raw)
    return Cut(b"".join([*parts, body[end:]]), pieces)


def _address(view: bytes | msgspec.Raw) -> int:
    return int(pa.py_buffer(memoryview(view)).address)


def _text(raw: msgspec.Raw | None) -> str | None:
    value = None if raw is None else _ANY.decode(raw)
    return str(value) if isinstance(value, str | int) and value != "" else None


def _stub(raw: bytes, keep: Keep) -> bytes:
    """What stays of a member: `null`, or an object with the members that stay."""
    if not keep or raw[:1] != b"{":
        return b"null"
    members = []
    for name, value in _OBJECT.decode(raw).items():
        if (stays := keep.get(name)) is None:
            continue
        kept = bytes(value)
        if stays is not True:
            kept = stays(kept) if callable(stays) else _stub(kept, stays)
        members.append(b'"%b":%b' % (name.encode(), kept))
    return b"{%b}" % b",".join(members)
