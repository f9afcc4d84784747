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
        self._name = ""
        self._title = book.add_format({"bold": True, "font_size": 16})
        self._head = book.add_format({"bold": True, "bg_color": "#1F3864", "font_color": "#FFFFFF", "text_wrap": True})
        self._text = book.add_format({"valign": "top"})
        self._unsafe = book.add_format({"valign": "top", "quote_prefix": True})
        self._money = book.add_format({"num_format": MONEY})
        self._total = book.add_format({"num_format": MONEY, "bold": True, "top": 1})
        self._label = book.add_format({"bold": True})
        self._proof = book.add_format({"num_format": MONEY, "align": "left"})
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
        line = self._proofs(sheet, line + 2) + 2
        sheet.write_string(line, 0, "Sheets", self._label)
        for title in (*titles, "Source files"):
            line += 1
            sheet.write_url(line, 0, f"internal:'{title}'!A1", string=title)

    def _proofs(self, sheet: Any, line: int) -> int:
        """What must be nil, as formulas over the sheets. Returns the last line that was written."""
        sheet.write_string(line, 0, "Must be 0.00", self._label)
        first = line + 1
        titles = {one.name: str(one.title) for one in CONTENTS}
        for label, terms in _PROOFS:
            line += 1
            formula, result, is_whole = "", Decimal(0), True
            for sign, name, amount, by, value in terms:
                with (self._rows / f"{name}.csv").open(encoding="utf-8", newline="") as file:
                    reader = csv.reader(file)
                    header = next(reader)
                    at, where = header.index(amount), header.index(by) if by else -1
                    count = 0
                    for row in reader:
                        count += 1
                        if not by or row[where] == value:
                            result += sign * Decimal(row[at] or 0)
                is_whole = is_whole and count <= SHEET_ROWS
                last = max(count, 1) + 1
                area = f"'{titles[name]}'!{xl_col_to_name(at)}2:{xl_col_to_name(at)}{last}"
                column = xl_col_to_name(where) if by else ""
                only = f"'{titles[name]}'!{column}2:{column}{last}"
                term = f'SUMIFS({area},{only},"{value}")' if by else f"SUM({area})"
                formula += f"{'+' if sign > 0 else '-'}{term}"
            sheet.write_string(line, 0, label)
            if is_whole:
                # Spreadsheets add in binary: what is less than a penny there is nothing.
                sheet.write_formula(line, 1, f"=ROUND({formula.removeprefix('+')},2)", self._proof, result)
            else:
                sheet.write_number(line, 1, result, self._proof)
        rule = {"type": "cell", "criteria": "!=", "value": 0, "format": self._bad}
        sheet.conditional_format(first, 1, line, 1, rule)
        return line

    def _sheet(self, one: RowSet) -> None:
        sheet = self._book.add_worksheet(str(one.title))
        self._name = one.name
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
                if not (left_out := _NOT_SUMMED.get(self._name)) or row[header.index(left_out[0])] != left_out[1]:
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
            if (known := _ONCE_KNOWN.get(self._name)) is not None:
                at = header.index(known)
                formula = f'=IF({xl_col_to_name(at)}{line + 1}="",0,{formula.removeprefix("=")})'
                result = result if row[at] else Decimal("0.00")
            sheet.write_formula(line, number, formula, self._money, result)

    def _foot(
        self, sheet: Any, one: RowSet, header: list[str], line: int, sums: Mapping[int, Decimal], left_out: int
    ) -> None:
        memo = _NOT_SUMMED.get(one.name)
        if line and sums and not left_out:
            sheet.write_string(line + 1, 0, "Sum" if memo is None else "Sum, memo left out", self._label)
            for number in sorted(sums):
                if number == 0:
                    continue
                column = xl_col_to_name(number)
                # SUBTOTAL follows the filter, so a reviewer sees the sum of what is shown.
                formula = f"=SUBTOTAL(9,{column}2:{column}{line + 1})"
                if memo is not None:
                    by = xl_col_to_name(header.index(memo[0]))
                    formula = f'=SUMIFS({column}2:{column}{line + 1},{by}2:{by}{line + 1},"<>{memo[1]}")'
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


_ONCE_KNOWN = {"figures": "first_closed_amount"}
"""Sheets whose check says something only once this column is filled: nothing was closed first while a month is open."""

_NOT_SUMMED = {"vat_support": ("is_memo", "true")}
"""Rows that are in no sum."""

_PROOFS: Sequence[tuple[str, Sequence[tuple[int, str, str, str | None, str]]]] = (
    ("Roll-forward: unexplained", ((1, "roll_forward", "difference_amount", None, ""),)),
    ("Other accounts: unexplained", ((1, "account_roll_forward", "unexplained_amount", None, ""),)),
    (
        "Ledger less marketplace less items",
        (
            (1, "tie_out", "amount", "side", "LEDGER"),
            (-1, "tie_out", "amount", "side", "MARKETPLACE"),
            (-1, "tie_out", "amount", "side", "ITEM"),
        ),
    ),
    ("VAT less its ledger accounts", ((1, "vat_support", "tax_amount", "is_memo", "false"),)),
    (
        "Journals: debits less credits",
        ((1, "journal_lines", "debit", None, ""), (-1, "journal_lines", "credit", None, "")),
    ),
)
"""Proofs on the cover: label, and the columns that are added with their sign, of all rows or where a column says so."""


def _width(name: str) -> int:
    """Width of a column in characters."""
    return 60 if name in WIDE else 12 if name.endswith(COUNTS) else 22


def _cells(rows: Sequence[Mapping[str, Any]]) -> Iterator[list[str]]:
    """A header and the rows, at most SHEET_ROWS of them."""
    yield list(rows[0]) if rows else ["nothing"]
    for row in rows[:SHEET_ROWS]:
        yield ["" if value is None else str(value) for value in row.values()]
