"""Values on their way into a query's text, and out of it as the vendor sends them."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any


def literal(value: Any) -> str | None:
    """A parameter as SQL; None when it is of a kind that the vendor does not take."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "'T'" if value else "'F'"
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return None


def records(names: Sequence[str], rows: Sequence[Sequence[Any]], as_date: str) -> list[dict[str, Any]]:
    """Rows as the vendor sends them: keys in lower case, every value a text, NULL left out.

    `as_date` is the account's date format in strftime's terms.
    """
    every: list[dict[str, Any]] = [{"links": []} for _ in rows]
    for name, values in zip((name.lower() for name in names), zip(*rows, strict=True), strict=False):
        # A column's values are of one kind, or NULL.
        kind = next((type(value) for value in values if value is not None), None)
        text = _WRITERS.get(kind, str) if kind not in (date, datetime) else partial(_day, as_date)
        for record, value in zip(every, values, strict=True):
            if value is not None:
                record[name] = text(value)
    return every


def _day(as_date: str, value: date) -> str:
    return value.strftime(as_date)


@lru_cache(maxsize=10_000)
def _decimal(value: Decimal) -> str:
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    # Oracle writes no zero before the point.
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


_WRITERS: dict[type | None, Callable[[Any], str]] = {
    bool: lambda value: "T" if value else "F",
    str: lambda value: value,
    float: lambda value: _decimal(Decimal(repr(value))),
    Decimal: _decimal,
}
