"""Where the records stand in an answer, and each of them as the vendor's own bytes."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec
import pyarrow as pa
from xxhash import xxh3_64_digest

from connectors.errors import BadPayload
from connectors.structure import NULL

HASH_BYTES = 8
_RECORD_LIST: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])
_ENVELOPE: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Envelope:
    """Where the list of records stands in an answer.

    `member` names it; a bare array and `{"value": [...]}` are understood too. Without a member the whole answer is
    the one record (`is_single`), or a bare array. `inner` names the list within `member` where an XML ancestry left an
    object around it (`{"orders": {"order": [...]}}`); the plain list is understood too. With `line_key`, a member that
    every record has, one record per line (NDJSON) is understood as well.
    """

    member: str | None = None
    is_single: bool = False
    inner: str | None = None
    line_key: str | None = None


def split_records(
    body: bytes, envelope: Envelope, *, vendor: str, call: str
) -> tuple[msgspec.Raw, dict[str, msgspec.Raw]]:
    """The list of records as raw JSON, and the other members of the envelope.

    Raises BadPayload when the body is not JSON or holds no list where the vendor promises one.
    """
    body = body.removeprefix(codecs.BOM_UTF8)
    start = body[:64].lstrip()[:1]
    try:
        if start == b"[" and not envelope.is_single:
            return msgspec.Raw(body), {}
        if start == b"{":
            if envelope.is_single:
                return msgspec.Raw(b"[" + body + b"]"), {}
            try:
                members = _ENVELOPE.decode(body)
            except msgspec.DecodeError:
                if envelope.line_key is None or (lines := _lines(body)) is None:
                    raise
                return lines, {}
            for name in (envelope.member, "value"):
                if name is not None and name in members:
                    records = _unwrapped(members.pop(name), envelope.inner)
                    if bytes(memoryview(records)[:1]) != b"[":
                        raise BadPayload(f"`{name}` is not a list", vendor=vendor, call=call)
                    return records, members
            if envelope.line_key in members:
                return msgspec.Raw(b"[" + body + b"]"), {}
            wanted = envelope.member or "value"
            raise BadPayload(
                f"the answer has no list `{wanted}`, only {sorted(members)[:10]}", vendor=vendor, call=call
            )
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadPayload("the answer is not valid JSON", vendor=vendor, call=call, detail=str(error)) from error
    shown = "an empty body" if not body.strip() else f"something that starts with {start!r}"
    raise BadPayload(f"the answer is not JSON records but {shown}", vendor=vendor, call=call)


def scanned_records(
    body: bytes, envelope: Envelope, *, vendor: str, call: str
) -> tuple[list[msgspec.Raw], msgspec.Raw, dict[str, msgspec.Raw]]:
    """Each record, the list of them, and the other members of the envelope. An ordinary answer is read once for all
    that; raises BadPayload as `split_records` does.
    """
    if (found := _at_once(body, envelope)) is not None:
        return found
    whole, members = split_records(body, envelope, vendor=vendor, call=call)
    return raw_records(whole, vendor=vendor, call=call), whole, members


def _at_once(body: bytes, envelope: Envelope) -> tuple[list[msgspec.Raw], msgspec.Raw, dict[str, msgspec.Raw]] | None:
    """None when anything about the answer is not ordinary."""
    if envelope.member is None or envelope.is_single or body[:1] != b"{":
        return None
    try:
        records = _page_of(envelope.member).decode(body).records
        if not records:
            return None
        start, last = address(body), records[-1]
        first, end = address(records[0]) - start, address(last) - start + len(memoryview(last))
        members = _ENVELOPE.decode(b"%b%b" % (body[:first], body[end:]))  # what stands around the records
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    del members[envelope.member]
    if body[first - 1 : first] == b"[" and body[end : end + 1] == b"]":  # not a copy: the page is one already
        return records, msgspec.Raw(memoryview(body)[first - 1 : end + 1]), members
    return records, msgspec.Raw(b"[%b]" % body[first:end]), members


@lru_cache
def _page_of(member: str) -> msgspec.json.Decoder[Any]:
    fields: list[tuple[str, Any, Any]] = [("records", list[msgspec.Raw] | None, None)]
    return msgspec.json.Decoder(msgspec.defstruct("PageOfRecords", fields, rename={"records": member}, gc=False))


def address(view: bytes | msgspec.Raw) -> int:
    """Where in memory the bytes lie: how far a part is from the beginning of the whole it is a view of."""
    return int(pa.py_buffer(view).address)


def _lines(body: bytes) -> msgspec.Raw | None:
    """One JSON object per line as a list; None when the lines are not that."""
    records = msgspec.Raw(b"[" + b",".join(line for line in body.split(b"\n") if line.strip()) + b"]")
    try:
        _RECORD_LIST.decode(records)
    except msgspec.DecodeError:
        return None
    return records


def _unwrapped(records: msgspec.Raw, inner: str | None) -> msgspec.Raw:
    if inner is None or bytes(memoryview(records)[:1]) != b"{":
        return records
    found = _ENVELOPE.decode(records).get(inner, NULL)
    return msgspec.Raw(b"[]") if bytes(found) == b"null" else found


def raw_records(records: msgspec.Raw, *, vendor: str, call: str) -> list[msgspec.Raw]:
    try:
        return _RECORD_LIST.decode(records)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadPayload(
            "the list of records is not valid JSON", vendor=vendor, call=call, detail=str(error)
        ) from error


def record_hash(record: bytes | msgspec.Raw) -> bytes:
    """Tells whether a record changed; that files are as they were received is told by their SHA-256."""
    return xxh3_64_digest(record)
