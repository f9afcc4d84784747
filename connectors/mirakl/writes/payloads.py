"""Reading the payload of an action. What is missing or unusable raises Unfit with the member named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.decoding import parse_stamp
from connectors.mirakl.writes.sending import Unfit

MAXIMUM_AMOUNT = Decimal(10) ** 14
MAXIMUM_COUNT = 2**31 - 1


def text(payload: Mapping[str, Any], name: str) -> str:
    """A member that must be there: text or a whole number, without blanks around it."""
    found = optional_text(payload, name)
    if found is None:
        raise Unfit(f"the payload has no {name}")
    return found


def optional_text(payload: Mapping[str, Any], name: str) -> str | None:
    value = payload.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Unfit(f"{name} is neither text nor a whole number")
    return str(value).strip() or None


def identifier(payload: Mapping[str, Any], name: str) -> str:
    """An id that may stand in a path: one that would change the path is refused."""
    value = text(payload, name)
    if value in {".", ".."} or any(c in "/?#\\%,;" or c.isspace() or not c.isprintable() for c in value):
        raise Unfit(f"{name} holds characters that no id has")
    return value


def amount(payload: Mapping[str, Any], name: str, default: Decimal | None = None) -> Decimal:
    """A decimal amount of at least 0 in the currency's units, exactly as given."""
    value = payload.get(name)
    if value is None and default is not None:
        return default
    if value is None or isinstance(value, bool | float) or not isinstance(value, Decimal | int | str):
        raise Unfit(f"{name} is not a decimal amount")
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        raise Unfit(f"{name} is not a decimal amount") from None
    if not found.is_finite() or not 0 <= found < MAXIMUM_AMOUNT:
        raise Unfit(f"{name} is not an amount of at least 0")
    return Decimal(format(found, "f"))


def count(payload: Mapping[str, Any], name: str, *, minimum: int, default: int | None = None) -> int:
    """A whole number."""
    value = payload.get(name, default)
    if value is None:
        value = default
    try:
        number = None if value is None or isinstance(value, bool) else Decimal(str(value))
    except InvalidOperation:
        number = None
    is_whole = number is not None and number.is_finite() and number == number.to_integral_value()
    if number is None or not is_whole or not minimum <= number <= MAXIMUM_COUNT:
        raise Unfit(f"{name} is not a whole number of at least {minimum}")
    return int(number)


def optional_flag(payload: Mapping[str, Any], name: str) -> bool | None:
    value = payload.get(name)
    if value is not None and not isinstance(value, bool):
        raise Unfit(f"{name} is neither true nor false")
    return value


def optional_instant(payload: Mapping[str, Any], name: str) -> datetime | None:
    """An ISO 8601 stamp as an instant in UTC."""
    value = optional_text(payload, name)
    if value is None:
        return None
    found = parse_stamp(value)
    if found is None:
        raise Unfit(f"{name} is not an ISO 8601 stamp")
    return found


def objects(payload: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    """A list of objects; absent is empty."""
    value = payload.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(element, Mapping) for element in value):
        raise Unfit(f"{name} is not a list of objects")
    return value


def texts(payload: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    """A list of texts or whole numbers; None when absent."""
    value = payload.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(v, str | int) and not isinstance(v, bool) for v in value):
        raise Unfit(f"{name} is not a list of texts")
    return tuple(str(v) for v in value)
