"""A column's values, checked as a whole and made one Arrow array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from connectors.envelopes import HASH_BYTES
from connectors.forms import PLAIN_DECIMAL, parse_stamp, plain_decimal
from connectors.records import Column, Kind
from connectors.structure import NULL

_AMOUNT = f"(?:null|{PLAIN_DECIMAL.strip('^$')})"
PLAIN_AMOUNT = f"^{_AMOUNT}$"
_OF_NUMBERS, _OF_NULLS = b"0123456789.-\n", b"nul\n"
"""The bytes of plain decimals one a line, and those of JSON's null."""
LONGEST_SHORT = 14
"""Characters of an amount that has at most 14 digits before the point and 20 after it, however they lie."""
SHORTEST_INSTANT = len("2026-01-31T00:00:00Z")
DECODE_ERRORS = (msgspec.DecodeError, UnicodeError, RecursionError, ValueError, ArithmeticError)


def hexadecimal(digests: bytes) -> Any:
    """Digests of `HASH_BYTES` each, one behind the other, as an Arrow array of texts."""
    width = 2 * HASH_BYTES
    count = len(digests) // HASH_BYTES
    ends = pc.multiply(counting(count + 1).cast(pa.int32()), pa.scalar(width, pa.int32()))
    return pa.StringArray.from_buffers(count, ends.buffers()[1], pa.py_buffer(digests.hex().encode()))


def counting(size: int) -> Any:
    """0, 1, 2, … as an Arrow array of int64."""
    return pa.arange(0, size)


@dataclass(frozen=True, slots=True)
class BadValue:
    row: int
    column: Column
    reason: str
    code: str


def _json_text(value: Any) -> str | None:
    """Raw JSON as text; JSON's null and an absent object are None."""
    if value is None:
        return None
    text = bytes(value).decode("utf-8", "replace")
    return None if text == "null" else text


def column_array(column: Column, values: Sequence[Any]) -> tuple[Any, list[BadValue]]:
    """The column's values as an Arrow array (bad ones null), and the bad ones."""
    bad: list[BadValue] = []
    if column.via is not None:
        values = _derived(column, values, bad)
        array = pa.array(
            [None if v is None else v == "true" for v in values] if column.kind is Kind.BOOLEAN else values, column.type
        )
    elif column.kind is Kind.AMOUNT:
        array = _amounts(column, values, bad)
    elif column.kind is Kind.STAMP:
        array = _stamps(column, values, bad)
    elif column.kind is Kind.BOOLEAN:
        array = pa.array(values, column.type)
    else:
        array = _texts(values)
    if not column.nullable:
        missing = pc.is_null(array)
        if column.kind is not Kind.BOOLEAN:
            missing = pc.or_kleene(missing, pc.equal(array, ""))
        if pc.any(missing).as_py():
            already = {b.row for b in bad}
            bad.extend(
                BadValue(row, column, "is missing", "REQUIRED_MISSING")
                for row, is_missing in enumerate(missing.to_pylist())
                if is_missing and row not in already
            )
    return array, bad


def _texts(values: Sequence[Any]) -> Any:
    if not any(values) and values.count(None) == len(values):
        return pa.nulls(len(values), pa.string())
    try:
        return (
            pa.array(values, pa.int64()).cast(pa.string())
            if _begins_with_number(values)
            else pa.array(values, pa.string())
        )
    except (pa.ArrowTypeError, pa.ArrowInvalid, OverflowError):
        return pa.array([v if v is None or isinstance(v, str) else str(v) for v in values], pa.string())


def _begins_with_number(values: Sequence[Any]) -> bool:
    return isinstance(next(filter(None, values), None), int)


def _derived(column: Column, values: Sequence[Any], bad: list[BadValue]) -> list[str | None]:
    via = column.via
    assert via is not None
    known: dict[bytes, str | None] = {b"null": None}  # the same text says the same, and most come again
    refused: set[bytes] = set()
    raws = [b"null" if value is None else bytes(value) for value in values]
    for raw in set(raws) - known.keys():
        try:
            known[raw] = via(raw)
        except DECODE_ERRORS:
            refused.add(raw)
    if refused:
        bad.extend(
            BadValue(row, column, "is not of the documented form", "WRONG_TYPE")
            for row, raw in enumerate(raws)
            if raw in refused
        )
    return [known.get(raw) for raw in raws]


def _amounts(column: Column, values: Sequence[Any], bad: list[BadValue]) -> Any:
    array = _plain_amounts(values)
    if array is not None:
        return array
    texts = [_json_text(value) or "null" for value in values]
    fixed: list[str | None] = list(texts)
    for row, good in enumerate(pc.match_substring_regex(pa.array(texts, pa.string()), PLAIN_AMOUNT).to_pylist()):
        if good:
            continue
        fixed[row] = plain_decimal(texts[row])
        if fixed[row] is None:
            bad.append(BadValue(row, column, "is not a decimal number of at most 14 digits", "NOT_A_NUMBER"))
    return _without_nulls(pa.array(fixed, pa.string()))


def _without_nulls(texts: Any) -> Any:
    """Arrow's null for JSON's."""
    return pc.if_else(pc.equal(texts, "null"), pa.scalar(None, pa.string()), texts)


def _plain_amounts(values: Sequence[Any]) -> Any:
    """The texts of plain decimals (nulls are null) as an Arrow array; None when there is anything else among them.

    Joined for one look at all of them and cut again: a call for each costs more than the look. Each is valid JSON, or
    the page would not have been read: one of these bytes alone is a plain decimal or null, whatever their order.
    """
    try:
        joined = b"\n".join(values)
    except TypeError:  # some object on the way is absent
        joined = b"\n".join([NULL if value is None else value for value in values])
    if not joined.translate(None, _OF_NULLS):
        return pa.nulls(len(values), pa.string())
    rest = joined.translate(None, _OF_NUMBERS)
    if rest.translate(None, _OF_NULLS):
        return None
    amounts = pc.split_pattern(pa.array([joined.decode("ascii")], pa.string()), "\n").flatten()
    if pc.max(pc.binary_length(amounts)).as_py() > LONGEST_SHORT:
        return None
    return _without_nulls(amounts) if rest else amounts


def _are_plain_instants(array: Any, values: Sequence[Any]) -> bool:
    """Whether all are dates with a `T`, a time to the second and a `Z`, which Arrow itself reads. False is no verdict:
    rarer forms are looked at one by one.
    """
    count = len(array) - array.null_count
    joined = "".join([v for v in values if v is not None] if array.null_count else values)
    if joined.count("T") != count or joined.count("Z") != count:
        return False
    if pc.min(pc.binary_length(array)).as_py() < SHORTEST_INSTANT:
        return False
    try:
        array.cast(pa.timestamp("us", tz="UTC"))  # it takes neither letter twice, nor anywhere else
    except pa.ArrowInvalid:
        return False
    return True


def _stamps(column: Column, values: Sequence[Any], bad: list[BadValue]) -> Any:
    array = pa.array(values, pa.string())
    if array.null_count == len(array) or _are_plain_instants(array, values):
        return array
    for row, value in enumerate(values):
        if value and parse_stamp(value) is None:
            bad.append(BadValue(row, column, "is not an ISO 8601 date, or date and time with a zone", "BAD_TIMESTAMP"))
    return array if not any(v == "" for v in values) else pa.array([v or None for v in values], pa.string())
