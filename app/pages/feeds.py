"""How old every feed is, whether everything that came is accounted for, and how many calls are left."""

from __future__ import annotations

from app.asking import Ask, Page
from app.tables import Column, Filter, Query, Table

LEVELS = {
    "a": "Orders", "b": "Settlement lines", "c": "Cycles", "d": "Documents", "e": "Receipts", "f": "Journals",
    "g": "Clearing", "h": "Stock", "i": "Despatches", "j": "Refunds", "k": "Offers",
}  # fmt: skip
LEVEL_WORDS = " ".join(f"WHEN '{code}' THEN '{words}'" for code, words in LEVELS.items())
WHERE_FROM = (Column("vendor", "Vendor", "code"), Column("account", "Account", "code"), Column("feed", "Feed", "code"))


def show(ask: Ask) -> Page:
    """Freshness, proof, control totals and budgets; what is wrong first."""
    tables = {
        "freshness": Table(
            "Freshness",
            (
                *WHERE_FROM,
                Column("state", "State", "state", note="exception_code"),
                Column("last_complete_at", "Read whole (UTC)", "moment"),
                Column("age_minutes", "Minutes old at the run", "number"),
                Column("freshness_hours", "Hours allowed", "number"),
                Column("stale_from", "Too old from (UTC)", "moment"),
            ),
            Query(
                "SELECT *, CASE WHEN is_stale OR stale_from < ? THEN 'STALE' ELSE 'FRESH' END AS state FROM freshness",
                [ask.now],
            ),
            name="freshness",
            sort="-state",
            filters=(Filter("vendor", "Vendor"), Filter("account", "Account"), Filter("state", "State")),
            page_rows=25,
        ),
        "proof": Table(
            "Levels whose figures are not proved",
            (
                Column("marketplace_code", "Market", "code"),
                Column("level", "Level", "code", note="level_code"),
                Column("summary", "Why", "long", is_sortable=False),
            ),
            Query(f"SELECT *, CASE level_code {LEVEL_WORDS} END AS level FROM completeness WHERE NOT is_complete"),
            name="proof",
            sort="marketplace_code",
            nothing="All levels are proved: feeds fresh, controls balanced, no gap.",
        ),
        "controls": Table(
            "Control totals",
            (
                Column("state", "State", "state"),
                Column("control_code", "Control", "words"),
                *WHERE_FROM,
                Column("measure", "Measure", "text"),
                Column("landed_count", "Landed", "number"),
                Column("staged_count", "Staged", "number"),
                Column("superseded_count", "Superseded", "number"),
                Column("quarantined_count", "Quarantined", "number"),
                Column("difference", "Difference", "number"),
            ),
            Query("SELECT *, CASE WHEN is_balanced THEN 'BALANCED' ELSE 'BROKEN' END AS state FROM control_totals"),
            name="controls",
            sort="-state",
            filters=(Filter("vendor", "Vendor"), Filter("account", "Account"), Filter("state", "State")),
            page_rows=25,
        ),
        "budget": Table(
            "Calls left",
            (
                Column("key_name", "Key", "code"),
                Column("call_name", "Call", "code"),
                Column("used_count", "Used", "number"),
                Column("maximum_count", "Allowed", "number"),
                Column("head_room_count", "Left", "number"),
                Column("window_seconds", "In seconds", "number"),
                Column("throttled_count", "Told to slow down", "number"),
                Column("last_call_at", "Last call (UTC)", "moment"),
            ),
            Query("SELECT * FROM call_budget"),
            name="budget",
            sort="head_room_count",
            filters=(Filter("key_name", "Key"),),
            page_rows=25,
        ),
        "quarantine": Table(
            "Records that could not be read",
            tuple(
                Column(name, name.replace("_", " ").capitalize())
                for name in sorted(ask.published.marts.get("quarantine", frozenset()))
            ),
            Query("SELECT * FROM quarantine") if "quarantine" in ask.published.marts else [],
            name="quarantine",
            page_rows=15,
            nothing="None.",
        ),
    }
    return Page("table.html", "Feeds", {"lead": ""}, tables)
