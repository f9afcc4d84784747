"""A table's rows as a file: CSV for programs, a workbook for people. Text from outside never becomes a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from tempfile import SpooledTemporaryFile
from typing import Any

import xlsxwriter

from app.tables import Column, Row
from orchestration.close.contents import UNSAFE_FIRST

CSV_ROWS_AT_ONCE = 1_000
MEMORY_BYTES = 8_000_000
"""A workbook larger than that goes to disk until it is sent."""
MONEY = "#,##0.00;[Red]-#,##0.00"


def csv_lines(columns: Sequence[Column], rows: Iterable[Row]) -> Iterator[bytes]:
    """UTF-8 with a byte order mark, because Excel takes anything else for the system's old code page. Numbers have a
    decimal point, days are YYYY-MM-DD, times are UTC.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    buffer.write("\ufeff")
    writer.writerow(column.key for column in columns)
    for number, row in enumerate(rows, start=1):
        writer.writerow(_csv_cell(row.get(column.key)) for column in columns)
        if number % CSV_ROWS_AT_ONCE == 0:
            yield _emptied(buffer)
    yield _emptied(buffer)


def workbook(title: str, columns: Sequence[Column], rows: Iterable[Row], created: datetime) -> Iterator[bytes]:
    """One sheet with frozen headings and a filter; written to disk when it is large."""
    with SpooledTemporaryFile(max_size=MEMORY_BYTES) as file:
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        with xlsxwriter.Workbook(file, options) as book:
            book.set_properties({"title": title, "created": created})
            _fill(book, columns, rows)
        file.seek(0)
        while part := file.read(1 << 16):
            yield part


def safe_text(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(UNSAFE_FIRST) else text


def _fill(book: Any, columns: Sequence[Column], rows: Iterable[Row]) -> None:
    sheet = book.add_worksheet("Rows")
    head = book.add_format({"bold": True, "bottom": 1})
    money, count = book.add_format({"num_format": MONEY}), book.add_format({"num_format": "#,##0.####"})
    day, moment = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    unsafe = book.add_format({"quote_prefix": True})
    sheet.freeze_panes(1, 0)
    for number, column in enumerate(columns):
        sheet.write_string(0, number, column.heading or column.key, head)
        sheet.set_column(number, number, 16 if column.is_numeric else 24)
    line = 0
    for line, row in enumerate(rows, start=1):
        for number, column in enumerate(columns):
            match _typed(row.get(column.key), column.kind):
                case None:
                    pass
                case bool() as value:
                    sheet.write_boolean(line, number, value)
                case Decimal() as value:
                    sheet.write_number(line, number, value, money if column.kind == "money" else count)
                case int() as value:
                    sheet.write_number(line, number, value)
                case datetime() as value:
                    sheet.write_datetime(line, number, value.replace(tzinfo=None), moment)
                case date() as value:
                    sheet.write_datetime(line, number, value, day)
                case value:
                    text = str(value)
                    sheet.write_string(line, number, text, unsafe if text.startswith((*UNSAFE_FIRST, "'")) else None)
    sheet.autofilter(0, 0, max(line, 1), max(len(columns) - 1, 0))


def _typed(value: Any, kind: str) -> Any:
    """Times that the outbox keeps as text become times."""
    if kind in ("moment", "date") and isinstance(value, str) and value:
        return datetime.fromisoformat(value)
    return value


def _csv_cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Decimal() | int():
            return str(value)
        case datetime() | date():
            return value.isoformat()
        case _:
            return safe_text(str(value))


def _emptied(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()
