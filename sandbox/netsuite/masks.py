"""Oracle's date masks (`YYYY-MM-DD"T"HH24:MI:SS`) in the terms of strftime."""

import re

_PARTS = {
    "YYYY": "%Y",
    "YY": "%y",
    "MONTH": "%B",
    "MON": "%b",
    "MM": "%m",
    "DDD": "%j",
    "DD": "%d",
    "DAY": "%A",
    "DY": "%a",
    "HH24": "%H",
    "HH12": "%I",
    "HH": "%I",
    "MI": "%M",
    "SS": "%S",
    "FF3": "%g",
    "AM": "%p",
    "PM": "%p",
}
_TOKEN = re.compile(r'"([^"]*)"|(' + "|".join(sorted(_PARTS, key=len, reverse=True)) + r")", re.IGNORECASE)


def as_strftime(mask: str) -> str:
    """`DD.MM.YYYY` → `%d.%m.%Y`; quoted text stays as it is, without the quotes."""
    return _TOKEN.sub(lambda part: part[1] if part[2] is None else _PARTS[part[2].upper()], mask.replace("%", "%%"))
