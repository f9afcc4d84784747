"""What commands print: tables for people, one JSON document for programs, never both."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from orchestration.lib.columns import Col as Col

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

NOTHING = "–"
PIPE_WIDTH = 1_000
"""Columns of a table that goes to a file or another program: nobody wraps it there."""

SEVERITY_STYLE = {"S1": "bold red", "S2": "yellow", "S3": "cyan", "S4": "dim"}
STATE_STYLE = {
    "VERIFIED": "green",
    "SENT": "green",
    "APPROVED": "cyan",
    "PROPOSED": "yellow",
    "SENDING": "magenta",
    "UNKNOWN": "bold magenta",
    "FAILED": "bold red",
    "REJECTED": "dim",
    "SUPERSEDED": "dim",
    "SUCCEEDED": "green",
    "PARTIAL": "yellow",
    "RUNNING": "cyan",
    "ok": "green",
    "warn": "yellow",
    "fail": "bold red",
    "MATCHED": "green",
    "MATCHED_WITHIN_TOLERANCE": "green",
    "TIMING": "cyan",
    "EXCEPTION": "bold red",
    "EXCLUDED": "dim",
    "fresh": "green",
    "stale": "bold red",
}


def console(*, stderr: bool = False) -> Console:
    """A console on the current streams (made anew, because tests and pipes replace them)."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, width=None if stream.isatty() else PIPE_WIDTH, highlight=False, soft_wrap=False)


def money(value: Decimal | str | None, currency: str | None = None) -> str:
    """Two decimals, thousands separated: `1,234.50 GBP`; a minus sign stays. None is `–`."""
    if value is None:
        return NOTHING
    text = f"{Decimal(value):,.2f}"
    return f"{text} {currency}" if currency else text


def quantity(value: Decimal | int | None) -> str:
    """A count or a quantity without trailing zeros: `1,250`, `2.5`. None is `–`."""
    if value is None:
        return NOTHING
    text = f"{value:,}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def moment(value: datetime | date | str | None) -> str:
    """`2026-07-03 08:00` (UTC) or `2026-07-03`. None is `–`."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    return value[:16].replace("T", " ")


def cell(value: Any) -> str:
    """Any value as a table shows it."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value:,}"
    if isinstance(value, datetime | date):
        return moment(value)
    return str(value)


def json_ready(value: Any) -> Any:
    """Money and other decimals as text (a JSON number would lose the exact amount in most readers), times as ISO 8601
    UTC.
    """
    match value:
        case Decimal():
            return str(value)
        case datetime():
            aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
            return aware.isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case Mapping():
            return {str(key): json_ready(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [json_ready(item) for item in value]
        case _:
            return value


def print_json(value: Any) -> None:
    """One indented JSON document on standard output."""
    sys.stdout.write(json.dumps(json_ready(value), indent=2, ensure_ascii=False, default=str) + "\n")


def table(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[Col], *, title: str | None = None, caption: str | None = None
) -> Table:
    """A table of `rows`; missing keys show as `–`."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    result = Table(
        title=title, caption=caption, box=box.SIMPLE_HEAD, title_justify="left", caption_justify="left", pad_edge=False
    )
    for column in columns:
        right = column.kind in ("money", "number")
        result.add_column(
            column.heading,
            justify="right" if right else "left",
            no_wrap=column.kind not in ("text",),
            max_width=column.max_width,
            overflow="fold",
        )
    for row in rows:
        cells: list[Text] = []
        for column in columns:
            value = row.get(column.key)
            match column.kind:
                case "money":
                    cells.append(Text(money(value), style="red" if value is not None and Decimal(value) < 0 else ""))
                case "moment":
                    cells.append(Text(moment(value)))
                case "severity":
                    cells.append(Text(cell(value), style=SEVERITY_STYLE.get(str(value), "")))
                case "state":
                    cells.append(Text(cell(value), style=STATE_STYLE.get(str(value), "")))
                case "number":
                    cells.append(Text(quantity(value)))
                case _:
                    cells.append(Text(cell(value)))
        result.add_row(*cells)
    return result
