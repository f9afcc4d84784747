"""`tieout sql`."""

from __future__ import annotations

import csv as csv_format
import sys

from orchestration.cli.output import Col, cell, console, json_ready, print_json, table
from orchestration.cli.problems import CliError, ExitCode
from orchestration.cli.session import Session


def sql_command(session: Session, query: str, *, limit: int, csv: bool) -> None:
    """Run one query on the published marts. A table and --json show at most `limit` rows (0 = all), --csv all of
    them.
    """
    if csv and session.as_json:
        raise CliError("--csv and --json exclude each other", code=ExitCode.USAGE)
    text = sys.stdin.read() if query == "-" else query
    if not text.strip():
        raise CliError("the query is empty", code=ExitCode.USAGE)
    names, rows = session.published.table(text, limit=None if csv or limit == 0 else limit + 1)
    if csv:
        writer = csv_format.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([["" if row[n] is None else json_ready(_harmless(row[n])) for n in names] for row in rows])
        return
    more = limit > 0 and len(rows) > limit
    rows = rows[:limit] if more else rows
    if session.as_json:
        print_json({"columns": names, "rows": rows, "is_truncated": more})
        return
    numeric = {name for name in names if any(_is_number(row[name]) for row in rows)}
    shown = [{name: cell(row[name]) for name in names} for row in rows]
    out = console()
    grid = table(shown, [Col(name, name, "text") for name in names])
    for column, name in zip(grid.columns, names, strict=True):
        column.justify = "right" if name in numeric else "left"
    out.print(grid)
    count = f"{len(rows):,} row{'' if len(rows) == 1 else 's'}"
    out.print(f"{count} shown, there are more (--limit 0 shows all)" if more else count, style="dim")


def _harmless(value: object) -> object:
    """A text as a spreadsheet may open it: what looks like a formula gets an apostrophe."""
    from orchestration.close.contents import UNSAFE_FIRST

    return f"'{value}" if isinstance(value, str) and value.startswith(UNSAFE_FIRST) else value


def _is_number(value: object) -> bool:
    from decimal import Decimal

    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
