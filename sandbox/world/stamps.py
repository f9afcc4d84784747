"""Instants as milliseconds since 1970 (UTC), and the calendars that hang on them.

Mirakl stamps are UTC. Accounting dates are taken in the entity's time zone: an order debited on 30 April at 23:30Z
belongs to 1 May.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

LONDON = ZoneInfo("Europe/London")
CUT_OFF_DAYS = (1, 11, 21)


def milliseconds(at: datetime) -> int:
    """`at` (with a time zone) as milliseconds."""
    return round(at.astimezone(UTC).timestamp() * 1000)


def at(day: date, hour: int = 0, minute: int = 0, second: int = 0, millisecond: int = 0) -> int:
    """An instant given by its UTC calendar."""
    moment = datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=UTC)
    return int(moment.timestamp()) * SECOND + millisecond


@lru_cache(maxsize=4096)
def _day_text(day: int) -> str:
    return datetime.fromtimestamp(day * 86_400, UTC).strftime("%Y-%m-%dT")


def iso(instant: int) -> str:
    """ISO 8601 with Z; milliseconds only where the instant has any, as Mirakl mixes both within one document."""
    day, rest = divmod(instant, DAY)
    seconds, fraction = divmod(rest, SECOND)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    if fraction:
        return f"{_day_text(day)}{hour:02d}:{minute:02d}:{second:02d}.{fraction:03d}Z"
    return f"{_day_text(day)}{hour:02d}:{minute:02d}:{second:02d}Z"


def iso_trimmed(instant: int) -> str:
    """As `iso`, with the trailing zeros of the milliseconds cut, as Sage 200 writes them."""
    text = iso(instant)
    return text[:-1].rstrip("0") + "Z" if "." in text else text


@lru_cache(maxsize=65_536)
def _london_date_of_hour(hour: int) -> date:
    return datetime.fromtimestamp(hour * 3600, LONDON).date()


def london_date(instant: int) -> date:
    """The accounting date of an instant. The offset of London is a whole number of hours, so the hour decides."""
    return _london_date_of_hour(instant // HOUR)


@lru_cache(maxsize=4096)
def calendar_date(day: date) -> str:
    """A business date the way Sage 200 writes it: midnight with a Z that means nothing."""
    return f"{day.isoformat()}T00:00:00Z"


def cut_offs(last: date, count: int) -> list[date]:
    """The `count` newest cycle dates up to `last`, oldest first."""
    found: list[date] = []
    day = last
    while len(found) < count:
        if day.day in CUT_OFF_DAYS:
            found.append(day)
        day -= timedelta(days=1)
    return found[::-1]


def month_ends(first: date, last: date) -> list[date]:
    """The last days of months from `first` to `last`, both included."""
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [day for day in days if (day + timedelta(days=1)).day == 1]
