"""The lines of the journals: what a balance, a movement or a month's result is made of."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from app.asking import Ask, Page
from app.rendering import explained
from app.tables import Column, Filter, Query, Row, Table

LINES = """
    SELECT lines.*, journals.wire_key FROM journal_lines AS lines
    LEFT JOIN journals
        ON journals.journal_key = lines.journal_key AND journals.marketplace_code = lines.marketplace_code
"""


def address(row: Row, **wanted: Any) -> str:
    """The lines of a row's marketplace that have these values too."""
    chosen = {"marketplace_code": row.get("marketplace_code"), **wanted}
    return f"/journals?{urlencode({name: value for name, value in chosen.items() if value})}"


def show(ask: Ask) -> Page:
    """All lines, the newest first."""
    table = Table(
        "Journal lines",
        (
            Column("posting_date", "Date", "date"),
            Column("journal_key", "Journal", "text", explained("journal_key"), note="wire_key"),
            Column("kind", "Kind", "words"),
            Column("marketplace_code", "Market", "code"),
            Column("account_role", "Account", "words", note="account_code"),
            Column("debit", "Debit", "money"),
            Column("credit", "Credit", "money"),
            Column("tax_code", "Tax code", "code"),
            Column("narrative", "Text"),
            Column("status", "Status", "state"),
        ),
        Query(LINES),
        sort="-posting_date",
        ties=("line_no",),
        totals=("debit", "credit"),
        filters=(
            Filter("marketplace_code", "Marketplace"),
            Filter("period", "Month"),
            Filter("kind", "Kind"),
            Filter("account_role", "Account"),
            Filter("status", "Status"),
        ),
        search=("journal_key", "wire_key", "source_id", "erp_document_id", "account_code"),
        nothing="No journal was made yet: the first settled cycle makes one.",
    )
    return Page("table.html", "Journal lines", {"lead": ""}, {"table": table})
