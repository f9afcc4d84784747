"""What an examination of the connected systems found; who did what, when and why; and whether the trail still holds."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.asking import Ask, Page
from app.masks import masked
from app.tables import Column, Filter, Table
from orchestration.lib.settings import parse_stamp

NEWEST = 2_000
"""Entries that are shown; the command line has all."""
FINDINGS_AT_ONCE = 15


def show(ask: Ask) -> Page:
    """The findings of the newest `tieout audit`, and the newest entries of the trail; the whole trail is checked when
    the address asks for it.
    """
    entries = [row | {"why": masked(row["why"])} for row in reversed(ask.outbox.audit_log(limit=NEWEST))]
    report = ask.outbox.verify_audit() if ask.asked.get("verify") == "1" else None
    table = Table(
        f"The newest {NEWEST:,} entries of the trail",
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
    examined = _examined(ask)
    findings = _findings(examined)
    values = {"report": report, "examined": examined, "examined_at": _at(examined)}
    return Page("audit.html", "Audit", values, {"findings": findings, "table": table})


def _examined(ask: Ask) -> dict[str, Any] | None:
    """The newest examination as `tieout audit` kept it; None before the first one, or when it cannot be read."""
    try:
        kept = json.loads(ask.settings.examination_path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return kept if isinstance(kept, dict) and {"findings", "passed", "skipped"} <= kept.keys() else None


def _at(examined: dict[str, Any] | None) -> datetime | None:
    return None if examined is None else parse_stamp(examined["examined_at"]).replace(tzinfo=None)


def _findings(examined: dict[str, Any] | None) -> Table:
    rows = [
        one
        | {
            "amount": None if one["amount"] is None else Decimal(one["amount"]),
            "currency_code": one["currency"],
            "question": f"{one['check']} {one['title']}. {one['why']}",
            "place": f"See: {one['evidence']}",
            "remedy": one["remedy"].replace("`", ""),
        }
        for one in (examined or {}).get("findings", ())
    ]
    return Table(
        "What the examination found",
        (
            Column("rank", "Rank", "number"),
            Column("impact", "Impact", "state"),
            Column("subject", "At", "text"),
            Column("finding", "Found", "long", note="question", is_sortable=False),
            Column("amount", "At stake", "money"),
            Column("remedy", "Remedy", "long", note="place", is_sortable=False),
        ),
        rows,
        name="findings",
        sort="rank",
        filters=(Filter("impact", "Impact", ("HIGH", "MEDIUM", "LOW")), Filter("area", "Area")),
        search=("finding", "subject", "title"),
        page_rows=FINDINGS_AT_ONCE,
        nothing="No check has a finding.",
    )
