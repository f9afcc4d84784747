"""Renders canonical journals as a file for Sage 200's desktop client.

Nominal Ledger › Import and Export › Import Ledger File; in Standard: Import Records › Nominal.

The REST API has no journal endpoint, so what cannot be a clearing-bank document goes this way, by a person's hand. The
columns that the client expects differ between editions and changed with release 2024 R2; Sage gives them with its help
page's example file. None are known here: the layout is configuration, copied from the example file of the company's own
version.

Sage posts a row whose account, cost centre and department do not fit together to the suspense account, without an
error. So every account is looked up first, and a file with a wrong one is not written. Lines of the customer, VAT and
bank accounts are refused: a nominal row there leaves the sales ledger, the VAT return or the cash book behind.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from connectors.sage200.client import Sage200Connector
from connectors.sage200.journals import NIL, Account, BadJournal, Journal, JournalLine
from connectors.sage200.writes.codes import Codes
from connectors.sage200.writes.sending import Desk, Unfit

SOURCES: dict[str, str] = {
    "account_code": "nominal account number",
    "cost_centre": "cost centre",
    "department": "department",
    "amount": "debit positive, credit negative",
    "debit": "the debit, empty on a credit line",
    "credit": "the credit, empty on a debit line",
    "posting_date": "the journal's date; `format` is a date format such as %d/%m/%Y",
    "reference": "the journal's wire key, by which the posting is found again (18 characters)",
    "journal_key": "the journal's own key",
    "narrative": "the line's text; `format` is the largest number of characters",
    "constant": "the text in `format`",
    "empty": "nothing: a column that the client expects and that may stay blank",
}
"""What a column can be filled from."""
REQUIRED = ("account_code", "cost_centre", "department", "posting_date", "reference")
DATE_FORMAT = "%d/%m/%Y"


class BadLayout(ValueError):
    """The layout cannot be used; the message says which row and why."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its header exactly as the desktop client expects it, and what fills it."""

    header: str
    source: str
    format: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a company's file, in order."""

    columns: tuple[Column, ...]

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, str]]) -> Layout:
        """From rows with `column_name`, `source` and `format`, in the order of the file. Raises BadLayout."""
        columns = tuple(
            Column(row.get("column_name") or "", row.get("source") or "", row.get("format") or "") for row in rows
        )
        for number, column in enumerate(columns, start=1):
            if not column.header:
                raise BadLayout(f"row {number}: column_name is missing")
            if column.source not in SOURCES:
                raise BadLayout(f"row {number}: source {column.source!r} is not one of {', '.join(SOURCES)}")
            _check_format(number, column)
        headers = [column.header for column in columns]
        twice = sorted({header for header in headers if headers.count(header) > 1})
        if twice:
            raise BadLayout(f"column_name {twice[0]!r} stands twice")
        sources = {column.source for column in columns}
        absent = [source for source in REQUIRED if source not in sources]
        if absent:
            raise BadLayout(f"no column is filled from {', '.join(absent)}")
        if "amount" not in sources and not {"debit", "credit"} <= sources:
            raise BadLayout("no column is filled from amount, nor two from debit and credit")
        return cls(columns)

    @classmethod
    def from_csv(cls, text: str) -> Layout:
        """From the layout file: `column_name,source,format`. Raises BadLayout."""
        reader = csv.DictReader(io.StringIO(text))
        expected = ["column_name", "source", "format"]
        if reader.fieldnames != expected:
            raise BadLayout(f"the first line must be {','.join(expected)}")
        return cls.from_rows(reader)


def journal_file(connector: Sage200Connector, journals: Sequence[Journal], layout: Layout) -> bytes:
    """The file, after every account was looked up in the company. Raises BadJournal or a ConnectorError."""
    codes = Codes(Desk(connector))
    known = set()
    for account in sorted(accounts(journals)):
        try:
            codes.nominal(account, "account_code")
        except Unfit:
            continue  # the line that names it is refused below, with the journal's key
        known.add(account)
    return render(journals, layout, known)


def accounts(journals: Sequence[Journal]) -> set[Account]:
    """Every account that a file of these journals names."""
    return {line.account for journal in journals for line in journal.lines if line.net != 0}


def render(journals: Sequence[Journal], layout: Layout, known: set[Account]) -> bytes:
    """The file: a header, then a row per line that is not nil, CRLF, UTF-8. `known` are the accounts that Sage has.

    Raises BadJournal, naming the journal and the line, before anything is written.
    """
    seen: set[str] = set()
    for journal in journals:
        if journal.wire_key in seen:
            raise BadJournal(f"{journal.journal_key} stands twice in the file")
        seen.add(journal.wire_key)
        _check(journal, known)
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow([column.header for column in layout.columns])
    for journal in journals:
        for line in journal.lines:
            if line.net != 0:
                writer.writerow([_FILLERS[column.source](journal, line, column.format) for column in layout.columns])
    return target.getvalue().encode()


def _check(journal: Journal, known: set[Account]) -> None:
    name = journal.journal_key
    total = sum((line.net for line in journal.lines), NIL)
    if total != 0:
        raise BadJournal(f"{name}: debits and credits differ by {total}")
    if all(line.net == 0 for line in journal.lines):
        raise BadJournal(f"{name}: nothing to post: every line is nil")
    for line in journal.lines:
        if line.net == 0:
            continue
        where = f"{name} line {line.line_no}"
        if line.account_type in {"CUSTOMER", "VAT"} or (line.account_type == "BANK" and line.bank_code):
            raise BadJournal(
                f"{where}: a {line.account_type} line cannot go through the nominal import, its ledger would not know: "
                "post it through the API"
            )
        if not line.account_code:
            raise BadJournal(f"{where}: no account_code for {line.account_role}: add it to accounts.csv")
        if line.account not in known:
            raise BadJournal(f"{where}: Sage has no active account {line.account} and would post it to suspense")


def _check_format(number: int, column: Column) -> None:
    if column.source == "posting_date" and column.format:
        written = date(2026, 3, 14).strftime(column.format)
        if not {"14", "03", "26"} <= {written[i : i + 2] for i in range(len(written))}:
            raise BadLayout(f"row {number}: format {column.format!r} does not write day, month and year")
    if column.source == "narrative" and column.format and not (column.format.isascii() and column.format.isdigit()):
        raise BadLayout(f"row {number}: format {column.format!r} is no number of characters")


def _money(value: Decimal) -> str:
    return f"{value:.2f}"


_FILLERS: dict[str, Callable[[Journal, JournalLine, str], str]] = {
    "account_code": lambda journal, line, _: line.account.code,
    "cost_centre": lambda journal, line, _: line.account.cost_centre,
    "department": lambda journal, line, _: line.account.department,
    "amount": lambda journal, line, _: _money(line.net),
    "debit": lambda journal, line, _: _money(line.net) if line.net > 0 else "",
    "credit": lambda journal, line, _: _money(-line.net) if line.net < 0 else "",
    "posting_date": lambda journal, line, how: date.fromisoformat(journal.posting_date[:10]).strftime(
        how or DATE_FORMAT
    ),
    "reference": lambda journal, line, _: journal.wire_key,
    "journal_key": lambda journal, line, _: journal.journal_key,
    "narrative": lambda journal, line, most: (line.narrative or line.account_role)[: int(most) if most else None],
    "constant": lambda journal, line, text: text,
    "empty": lambda journal, line, _: "",
}
