"""Dates, numbers and codes as a reader writes them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal
from starlette.datastructures import Headers

NOTHING = "–"
DEFAULT = "en_GB"
MONEY = "#,##0.00"
MOST_LANGUAGES = 8
_SHORT = {
    "ERP": "ERP", "VAT": "VAT", "SKU": "SKU", "MKT": "marketplace", "FX": "FX", "AR": "AR", "COGS": "COGS",
    "GBP": "GBP", "EUR": "EUR",
}  # fmt: skip
"""Parts of codes that are not written in lower case, or not written out."""


class Formats:
    """One reader's way of writing. Times are UTC; money has two decimals and its sign."""

    def __init__(self, locale: Locale) -> None:
        self.locale = locale

    def money(self, value: Any) -> str:
        """`1,234.50`; None is a dash."""
        return NOTHING if value is None else format_decimal(Decimal(value), MONEY, self.locale).replace("-", "−")

    def number(self, value: Any) -> str:
        """A count or a quantity, without trailing zeros."""
        if value is None:
            return NOTHING
        exact = Decimal(value)
        return format_decimal(exact, "#,##0.####", self.locale).replace("-", "−")

    def percent(self, value: Any) -> str:
        """A fraction as per cent with one decimal."""
        return NOTHING if value is None else format_decimal(Decimal(value), "#,##0.0 %", self.locale).replace("-", "−")

    def day(self, value: Any) -> str:
        moment = _moment(value)
        return NOTHING if moment is None else format_date(moment, "medium", self.locale)

    def moment(self, value: Any) -> str:
        """Day and minute, UTC."""
        moment = _moment(value)
        if moment is None:
            return NOTHING
        return format_date(moment, "medium", self.locale) + " " + format_datetime(moment, "HH:mm", locale=self.locale)

    def ago(self, value: Any, now: datetime) -> str:
        """`3 hours ago`, `in 2 days`; both naive UTC."""
        moment = _moment(value)
        if moment is None:
            return "never"
        if abs(moment - now) < timedelta(minutes=1):
            return "just now"
        # The pages are in English, whatever way the reader writes numbers.
        return format_timedelta(moment - now, add_direction=True, locale="en_GB")


def words(code: Any) -> str:
    """`CUSTOMER_SERVICE` → `Customer service`; what is no code stays as it is."""
    text = NOTHING if code is None else str(code)
    # An id is no code, and a code has no figures in it.
    if not text.isupper() or "-" in text or any(one.isdigit() for one in text):
        return text
    parts = text.split("_")
    if len(parts) == 1 and text in _SHORT:
        return _SHORT[text]
    joined = " ".join(_SHORT.get(part, part.lower()) for part in parts)
    return joined[:1].upper() + joined[1:]


def locale_of(wanted: str, headers: Headers) -> Locale:
    """The configured locale, else the first of the browser's languages that is known, else British English."""
    languages = headers.get("accept-language", "").split(",")[:MOST_LANGUAGES]
    for name in [wanted, *(part.split(";")[0].strip() for part in languages)]:
        try:
            return Locale.parse(name.replace("-", "_"))
        except (UnknownLocaleError, ValueError, TypeError):
            continue
    return Locale.parse(DEFAULT)


def _moment(value: Any) -> datetime | None:
    match value:
        case None | "":
            return None
        case datetime():
            return value.replace(tzinfo=None)
        case date():
            return datetime(value.year, value.month, value.day)  # noqa: DTZ001  (a day has no zone)
        case _:
            return datetime.fromisoformat(str(value)).replace(tzinfo=None)
