"""The report of an examination, for people: Markdown to read, CSV and a workbook to work it off."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from orchestration.examination.examine import Examination
from orchestration.examination.finding import Check
from orchestration.lib.files import replace_file
from orchestration.lib.settings import stamp

COLUMNS = (
    "rank", "impact", "area", "check", "title", "subject", "finding", "amount", "currency", "why", "remedy", "evidence",
)  # fmt: skip
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
NAMES = ("audit.md", "audit.csv", "audit.xlsx")


def rows_of(examined: Examination) -> list[dict[str, Any]]:
    """One row per finding, in order."""
    return [
        {
            "rank": rank,
            "impact": one.check.impact.value,
            "area": one.check.area,
            "check": one.check.check_id,
            "title": one.check.title,
            "subject": one.found.subject,
            "finding": one.found.what,
            "amount": one.found.amount,
            "currency": one.found.currency if one.found.amount is not None else None,
            "why": one.check.why,
            "remedy": one.check.remedy,
            "evidence": one.found.evidence,
        }
        for rank, one in enumerate(examined.findings, start=1)
    ]


def write(examined: Examination, folder: Path, *, at: datetime) -> list[Path]:
    """Write the three files; `at` is the time of the examination (UTC)."""
    folder.mkdir(parents=True, exist_ok=True)
    markdown, table, book = (folder / name for name in NAMES)
    markdown.write_text("\n".join(_markdown(examined, at)) + "\n", encoding="utf-8")
    rows = rows_of(examined)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_plain(row[name]) for name in COLUMNS] for row in rows)
    table.write_text(text.getvalue(), encoding="utf-8")
    _workbook(book, rows)
    return [markdown, table, book]


def keep(path: Path, examined: Examination, *, at: datetime) -> None:
    """Keep the newest examination of the installation for whoever shows it; amounts are text, `examined_at` is UTC."""
    content = {
        "examined_at": stamp(at),
        "findings": [
            row | {"amount": None if row["amount"] is None else str(row["amount"])} for row in rows_of(examined)
        ],
        "passed": [{"check": check.check_id, "title": check.title} for check in examined.passed],
        "skipped": [{"check": check.check_id, "title": check.title, "why": why} for check, why in examined.skipped],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, json.dumps(content, indent=1, ensure_ascii=False).encode())


def _plain(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return "" if value is None else value


def _workbook(path: Path, rows: list[dict[str, Any]]) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet("Findings")
        bold, money, wrap = (
            book.add_format({"bold": True}),
            book.add_format({"num_format": "#,##0.00"}),
            book.add_format({"text_wrap": True, "valign": "top"}),
        )
        sheet.write_row(0, 0, [name.capitalize() for name in COLUMNS], bold)
        for number, row in enumerate(rows, start=1):
            for column, name in enumerate(COLUMNS):
                value = row[name]
                if isinstance(value, Decimal):
                    sheet.write_number(number, column, value, money)  # the workbook's numbers are for reading
                elif isinstance(value, int):
                    sheet.write_number(number, column, value)
                else:
                    sheet.write_string(number, column, value or "", wrap)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(len(rows), 1), len(COLUMNS) - 1)
        sheet.set_column(4, 6, 40)
        sheet.set_column(9, 11, 50)


def _markdown(examined: Examination, at: datetime) -> Iterator[str]:
    rows = rows_of(examined)
    yield "# Audit of the connected systems"
    yield ""
    yield f"Examined at {at:%Y-%m-%d %H:%M} UTC: {len(rows)} findings, {len(examined.passed)} checks without one."
    yield ""
    if rows:
        yield "| rank | impact | area | finding | at stake |"
        yield "|---:|---|---|---|---:|"
        for row in rows:
            what = f"{_cell(row['subject'])}: {_cell(row['finding'])}"
            yield f"| {row['rank']} | {row['impact']} | {row['area']} | {what} | {_money(row)} |"
    asked: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        asked.setdefault(row["check"], []).append(row)
    for check_id, some in asked.items():
        first = some[0]
        yield from (
            "",
            f"## {check_id} {first['title']}",
            "",
            f"{first['impact']}, {first['area']}. {first['why']}",
            "",
        )
        yield f"**Remedy.** {first['remedy']}"
        yield ""
        for row in some:
            worth = f" {_money(row)}." if row["amount"] is not None else ""
            place = row["evidence"].replace("`", "")
            yield f"- **{_cell(row['subject'])}**: {_cell(row['finding'])}{worth} See `{place}`"
    yield from _listed("Without a finding", [(check, "") for check in examined.passed])
    yield from _listed("Not examined", list(examined.skipped))


def _listed(title: str, checks: list[tuple[Check, str]]) -> Iterator[str]:
    if checks:
        yield from ("", f"## {title}", "")
        yield from (f"- {check.check_id} {check.title}" + (f": {why}" if why else "") for check, why in checks)


def _money(row: dict[str, Any]) -> str:
    return "" if row["amount"] is None else f"{row['amount']:,.2f} {row['currency'] or ''}".rstrip()


def _cell(text: str) -> str:
    """Text of a vendor that must not become markup."""
    cleaned = " ".join(str(text).split())
    for mark, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "\\|"), ("[", "\\[")):
        cleaned = cleaned.replace(mark, escaped)
    return cleaned
