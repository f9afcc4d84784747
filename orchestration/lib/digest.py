"""One message per run about exceptions nobody was told of yet."""

from __future__ import annotations

from collections import Counter
from typing import Any

import duckdb

from orchestration.lib.alerts import Alert, Level
from orchestration.lib.settings import Settings
from orchestration.lib.state import State

TOLD_SEVERITIES = ("S1", "S2")
"""Milder ones wait for whoever looks at the mart."""
LISTED = 20


def exception_digest(settings: Settings) -> Alert | None:
    """The message about new open exceptions, None when there is none. An exception that was resolved and comes
    back is new.

    Call it once per published run: it remembers whom it told of.
    """
    with duckdb.connect(str(settings.published_path), read_only=True) as connection:
        rows = connection.execute(
            """
            select exception_id, severity, exception_code, marketplace_code, subject_type, subject_id,
                amount_at_risk, currency_code, owner_team, summary
            from marts.exceptions
            where status = 'OPEN' and severity in (select unnest($severities))
            order by severity, amount_at_risk desc nulls last, exception_id
            """,
            {"severities": list(TOLD_SEVERITIES)},
        ).fetchall()
    with State(settings.state_path) as state:
        news = state.tell({str(row[0]) for row in rows}, at=settings.clock.text())
    new = [row for row in rows if str(row[0]) in news]
    if not new:
        return None
    codes = Counter(str(row[2]) for row in new)
    head = ", ".join(f"{count} {code}" for code, count in codes.most_common())
    lines = [_line(row) for row in new[:LISTED]]
    if len(new) > LISTED:
        lines.append(f"... and {len(new) - LISTED} more: tieout exceptions")
    level = Level.FAILURE if any(row[1] == "S1" for row in new) else Level.WARNING
    return Alert(f"Tieout: {len(new)} new exceptions ({head})", "\n".join(lines), level)


def _line(row: tuple[Any, ...]) -> str:
    _, severity, code, marketplace, kind, subject, amount, currency, team, summary = row
    worth = "" if amount is None else f" {amount} {currency}"
    return f"{severity} {code} {marketplace} {kind} {subject}{worth} [{team}]: {summary}"
