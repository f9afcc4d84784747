"""The forms in which vendors write amounts and times, as text in and text out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import islice

PLAIN_DECIMAL = r"^-?(?:0|[1-9][0-9]{0,13})(?:\.[0-9]{1,20})?$"
_PLAIN_DECIMAL = re.compile(PLAIN_DECIMAL)
_DECIMAL = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
MAXIMUM_AMOUNT_TEXT = 64
_ISO_STAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?))?"
)
PLAIN_INSTANT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(?:\.[0-9]{1,6})?Z$"
FUTURE_TOLERANCE = timedelta(days=1)
"""A stamp further ahead of the clock than this does not move a cursor: one bad record must not hide all later ones."""


def parse_stamp(value: str) -> datetime | None:
    """An ISO 8601 stamp as an instant in UTC (a bare date is its midnight), or None when it is not one."""
    if not _ISO_STAMP.fullmatch(value):
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    try:
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except OverflowError:
        return None


def format_stamp(value: datetime) -> str:
    """UTC, ISO 8601 with `Z`, milliseconds only when there are any, microseconds cut off."""
    value = value.astimezone(UTC)
    return (
        value.strftime("%Y-%m-%dT%H:%M:%S")
        + (f".{value.microsecond // 1000:03d}" if value.microsecond >= 1000 else "")
        + "Z"
    )


def plain_decimal(value: str) -> str | None:
    """A decimal as plain digits: without quotes or exponent, its value unchanged. None when it is not one or is out of
    range.
    """
    if len(value) > MAXIMUM_AMOUNT_TEXT:
        return None
    if value[:1] == '"' == value[-1:]:
        value = value[1:-1]
    if _PLAIN_DECIMAL.match(value) and not value.endswith("\n"):
        return value
    if not _DECIMAL.fullmatch(value):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    if number.adjusted() > 14 or number.as_tuple().exponent < -20:  # type: ignore[operator]  # finite: the grammar has no NaN
        return None
    plain = format(number, "f")
    return plain if _PLAIN_DECIMAL.match(plain) else None


def newest_stamp(values: Iterable[str], *, not_after: datetime) -> str | None:
    """The latest of the stamps that are not in the future, as `format_stamp` writes it.

    One that is ahead of our clock by less than the tolerance counts as our present: a vendor whose clock was wrong for
    a while must not hide what happens until ours gets there.
    """
    limit = not_after + FUTURE_TOLERANCE
    forms: dict[int, list[str]] = {}
    for value in set(values):
        forms.setdefault(len(value) if value.endswith("Z") else 0, []).append(value)
    newest: list[datetime] = []
    for length, alike in forms.items():
        # UTC in texts of one length sorts as they stand: the latest is parsed, not all of them.
        ordered = sorted(alike, reverse=True) if length else alike
        parsed = (p for p in map(parse_stamp, ordered) if p is not None and p <= limit)
        newest += islice(parsed, 1) if length else parsed
    return format_stamp(min(max(newest), not_after)) if newest else None


def largest_id(values: Iterable[str]) -> str | None:
    """The largest whole number among the ids."""
    numbers = [int(v) for v in values if v.lstrip("-").isdigit() and v.isascii()]
    return str(max(numbers)) if numbers else None
