"""The workbook of an evidence pack: what a controller and an auditor open first.

Sums that a reviewer would check are formulas, with the value that the files give as their stored result. A cell that
holds text is written as text, whatever it begins with, so nothing from outside becomes a formula.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from orchestration.close.contents import CONTENTS, UNSAFE_FIRST, RowSet

SHEET_ROWS = 20_000
"""Rows shown of one sheet; the files hold all of them."""
MONEY = "#,##0.00;[Red]-#,##0.00"
WIDE = frozenset(
    {"evidence", "summary", "reason", "narrative", "journal_key", "action_key", "title", "subject_id", "path"}
)
"""Columns that hold sentences or long keys."""
COUNTS = ("_count", "_no", "days_open", "records", "bytes")
"""How the names of columns end that hold whole numbers."""
COVER_TITLE = "Month-end close"


def write_workbook(
    path: Path,
    rows: Path,
    cover: Mapping[str, Any],
    signatures: Sequence[Mapping[str, Any]],
    sources: Sequence[Mapping[str, Any]],
    created: datetime,
) -> None:
    """Write the workbook from the pack's own CSV files in `rows`, row by row, so that memory stays flat."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"title": f"{COVER_TITLE} {cover['entity_code']} {cover['period']}", "created": created})
        _Writer(book, rows).write(cover, signatures, sources)


class _Writer:
    def __init__(self, book: Any, rows: Path) -> None:
        self._book = book
        self._rows = rows
        self._title = book.add_format({"bold": True, "font_size": 16})
        self._head = book.add_format({"bold": True, "bg_color": "#1F3864", "font_color": "#FFFFFF", "text_wrap": True})
        self._text = book.add_format({"valign": "top"})
        self._unsafe = book.add_format({"valign": "top", "quote_prefix": True})
        self._money = book.add_format({"num_format": MONEY})
        self._total = book.add_format({"num_format": MONEY, "bold": True, "top": 1})
        self._label = book.add_format({"bold": True})
        self._good = book.add_format({"font_color": "#006100", "bg_color": "#C6EFCE"})
        self._bad = book.add_format({"font_color": "#9C0006", "bg_color": "#FFC7CE"})

    def write(
        self, cover: Mapping[str, Any], signatures: Sequence[Mapping[str, Any]], sources: Sequence[Mapping[str, Any]]
    ) -> None:
        shown = [one for one in CONTENTS if one.title]
        self._cover(cover, signatures, [str(one.title) for one in shown])
        for one in shown:
            self._sheet(one)
        self._listing("Source files", sources)

    def _cover(self, cover: Mapping[str, Any], signatures: Sequence[Mapping[str, Any]], titles: Sequence[str]) -> None:
        sheet = self._book.add_worksheet("Cover")
        sheet.hide_gridlines(2)
        sheet.set_column(0, 0, 28)
        sheet.set_column(1, 1, 70)
        sheet.write_string(0, 0, f"{COVER_TITLE}: {cover['entity_code']}, {cover['period']}", self._title)
        line = 2
        for name, value in cover.items():
            sheet.write_string(line, 0, name.replace("_", " ").capitalize(), self._label)
            self._write(sheet, line, 1, str(value))
            line += 1
        line += 1
        sheet.write_string(line, 0, "Signatures and locks", self._label)
        for event in signatures or ():
            line += 1
            self._write(sheet, line, 0, f"{event['kind']} {event['role'] or ''} ({event['state']})")
            self._write(sheet, line, 1, f"{event['taken_by']}, {event['taken_at'][:16]} UTC: {event['reason']}")
        if not signatures:
            line += 1
            sheet.write_string(line, 0, "none yet")
        line += 2
        sheet.write_string(line, 0, "Sheets", self._label)
        for title in (*titles, "Source files"):
            line += 1
            sheet.write_url(line, 0, f"internal:'{title}'!A1", string=title)

    def _sheet(self, one: RowSet) -> None:
        sheet = self._book.add_worksheet(str(one.title))
        sheet.freeze_panes(1, 0)
        with (self._rows / f"{one.name}.csv").open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file)
            header = next(reader)
            money = {number for number, name in enumerate(header) if name in one.amounts}
            checks = _CHECKS.get(one.name, ())
            for number, name in enumerate((*header, *(check[0] for check in checks))):
                sheet.write_string(0, number, name.replace("_", " "), self._head)
                sheet.set_column(number, number, 16 if number in money or number >= len(header) else _width(name))
            sums = dict.fromkeys(money, Decimal(0))
            line, left_out = 0, 0
            for row in reader:
                if line >= SHEET_ROWS:
                    left_out += 1
                    continue
                line += 1
                self._row(sheet, line, header, row, money, sums, checks)
        sheet.autofilter(0, 0, max(line, 1), len(header) - 1)
        self._foot(sheet, one, header, line, sums, left_out)

    def _row(
        self,
        sheet: Any,
        line: int,
        header: list[str],
        row: list[str],
        money: set[int],
        sums: dict[int, Decimal],
        checks: Sequence[tuple[str, Mapping[str, int]]],
    ) -> None:
        for number, value in enumerate(row):
            if number in money and value:
                sums[number] += Decimal(value)
                sheet.write_number(line, number, Decimal(value), self._money)
            elif header[number].endswith(COUNTS) and value.isdecimal():
                sheet.write_number(line, number, int(value), self._text)
            else:
                self._write(sheet, line, number, value)
        for number, (_, signs) in enumerate(checks, start=len(header)):
            parts = [(sign, header.index(name)) for name, sign in signs.items()]
            terms = "".join(f"{'+' if sign > 0 else '-'}{xl_col_to_name(at)}{line + 1}" for sign, at in parts)
            formula = f"={terms.removeprefix('+')}"
            result = sum((sign * Decimal(row[at] or 0) for sign, at in parts), Decimal(0))
            sheet.write_formula(line, number, formula, self._money, result)

    def _foot(
        self, sheet: Any, one: RowSet, header: list[str], line: int, sums: Mapping[int, Decimal], left_out: int
    ) -> None:
        if line and sums and not left_out:
            sheet.write_string(line + 1, 0, "Sum", self._label)
            for number in sorted(sums):
                if number == 0:
                    continue
                column = xl_col_to_name(number)
                # SUBTOTAL follows the filter, so a reviewer sees the sum of what is shown.
                formula = f"=SUBTOTAL(9,{column}2:{column}{line + 1})"
                sheet.write_formula(line + 1, number, formula, self._total, sums[number])
        if left_out:
            words = f"{left_out:,} more rows are in rows/{one.name}.csv and rows/{one.name}.parquet"
            sheet.write_string(line + 1, 0, words, self._label)
        if line and one.name == "checklist":
            done = header.index("is_done")
            for word, colour in (("true", self._good), ("false", self._bad)):
                rule = {"type": "cell", "criteria": "==", "value": f'"{word}"', "format": colour}
                sheet.conditional_format(1, done, line, done, rule)
        for number in range(1, len(_CHECKS.get(one.name, ())) + 1):
            column = len(header) - 1 + number
            rule = {"type": "cell", "criteria": "!=", "value": 0, "format": self._bad}
            sheet.conditional_format(1, column, max(line, 1), column, rule)

    def _listing(self, title: str, rows: Sequence[Mapping[str, Any]]) -> None:
        sheet = self._book.add_worksheet(title)
        sheet.freeze_panes(1, 0)
        for line, cells in enumerate(_cells(rows)):
            for number, value in enumerate(cells):
                if line == 0:
                    sheet.set_column(number, number, _width(value))
                    sheet.write_string(0, number, value.replace("_", " "), self._head)
                else:
                    self._write(sheet, line, number, value)

    def _write(self, sheet: Any, line: int, number: int, value: str) -> None:
        sheet.write_string(line, number, value, self._unsafe if value.startswith((*UNSAFE_FIRST, "'")) else self._text)


_CHECKS: Mapping[str, Sequence[tuple[str, Mapping[str, int]]]] = {
    "roll_forward": (
        (
            "check: closing",
            {
                "opening_amount": 1,
                "settlement_amount": 1,
                "receipt_amount": 1,
                "correction_amount": 1,
                "closing_amount": -1,
            },
        ),
        (
            "check: per ERP",
            {
                "closing_amount": 1,
                "timing_amount": 1,
                "finding_amount": 1,
                "brought_forward_amount": 1,
                "difference_amount": 1,
                "erp_closing_amount": -1,
            },
        ),
    ),
    "account_roll_forward": (
        (
            "check: closing",
            {
                "opening_amount": 1,
                "invoice_amount": 1,
                "credit_note_amount": 1,
                "settlement_amount": 1,
                "accrual_amount": 1,
                "reversal_amount": 1,
                "other_amount": 1,
                "closing_amount": -1,
            },
        ),
        (
            "check: per ERP",
            {
                "closing_amount": 1,
                "timing_amount": 1,
                "finding_amount": 1,
                "unexplained_amount": 1,
                "erp_closing_amount": -1,
            },
        ),
    ),
    "journals": (("check: balance", {"total_debit": 1, "total_credit": -1}),),
    "cycles": (
        (
            "check: closing",
            {"opening_amount": 1, "net_amount": 1, "break_amount": 1, "payout_amount": -1, "closing_amount": -1},
        ),
    ),
    "figures": (("check: difference", {"restated_amount": 1, "first_closed_amount": -1, "difference_amount": -1}),),
}
"""Columns of checks behind a sheet's own: a formula per row over columns with their signs, which must give nil."""


def _width(name: str) -> int:
    """Width of a column in characters."""
    return 60 if name in WIDE else 12 if name.endswith(COUNTS) else 22


def _cells(rows: Sequence[Mapping[str, Any]]) -> Iterator[list[str]]:
    """A header and the rows, at most SHEET_ROWS of them."""
    yield list(rows[0]) if rows else ["nothing"]
    for row in rows[:SHEET_ROWS]:
        yield ["" if value is None else str(value) for value in row.values()]
