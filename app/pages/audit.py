"""Who did what, when and why; and whether the trail still holds."""

from __future__ import annotations

from app.asking import Ask, Page
from app.masks import masked
from app.tables import Column, Filter, Table

NEWEST = 2_000
"""Entries that are shown; the command line has all."""


def show(ask: Ask) -> Page:
    """The newest entries; the whole trail is checked when the address asks for it."""
    entries = [row | {"why": masked(row["why"])} for row in reversed(ask.outbox.audit_log(limit=NEWEST))]
    report = ask.outbox.verify_audit() if ask.asked.get("verify") == "1" else None
    table = Table(
        f"The newest {NEWEST:,} entries",
        (
            Column("sequence", "No", "number"),
            Column("at", "When (UTC)", "moment"),
            Column("actor", "Who", "text"),
            Column("channel", "Through", "code"),
            Column("action_key", "About", "long"),
            Column("from_state", "From", "state"),
            Column("to_state", "To", "state"),
            Column("why", "Why", "long", is_sortable=False),
        ),
        entries,
        sort="-sequence",
        filters=(Filter("actor", "Who"), Filter("to_state", "To")),
        search=("action_key", "why"),
        nothing="Nothing was done yet.",
    )
    return Page("audit.html", "Audit", {"report": report}, {"table": table})
