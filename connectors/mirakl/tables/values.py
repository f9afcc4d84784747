"""Makes one text of a part of a record: what the columns of several tables share."""

from __future__ import annotations

import msgspec

SEPARATOR = "|"


class _Reference(msgspec.Struct):
    reference_type: str | None = None
    reference: str | int | None = None


def joined(values: bytes) -> str | None:
    """A list of codes as one text, in the vendor's order."""
    decoded = msgspec.json.decode(values, type=list[str | int] | None)
    return None if decoded is None else SEPARATOR.join(map(str, decoded))


def first_reference(references: bytes) -> str | None:
    """The first of an offer's product references as P31 wants it, `EAN|3059412166368`; None without one."""
    decoded = msgspec.json.decode(references, type=list[_Reference] | None)
    for found in decoded or ():
        if found.reference_type and found.reference:
            return f"{found.reference_type}{SEPARATOR}{found.reference}"
    return None
