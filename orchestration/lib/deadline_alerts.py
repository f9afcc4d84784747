"""One message about the orders that will miss an operator's deadline unless somebody acts."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import duckdb

from orchestration.lib.alerts import Alert, Level
from orchestration.lib.settings import Settings
from orchestration.lib.state import State

LISTED = 20


def deadline_alert(settings: Settings) -> Alert | None:
    """The message about deadlines whose time to tell has come, None when there is nothing new to tell. An order is told
    of once for each thing that it waits for.

    Looks at the clock and not at when the mart was built: it is asked after every run of a lane, also of one that
    found nothing new and built nothing. It remembers whom it told of.
    """
    with duckdb.connect(str(settings.published_path), read_only=True) as connection:
        if not connection.execute(_IS_THERE).fetchone():
            return None
        rows = connection.execute(_DUE, [settings.clock.now().replace(tzinfo=None)]).fetchall()
    keys = [f"deadline|{row[0]}|{row[1]}|{row[2]}|{row[4]}" for row in rows]
    with State(settings.state_path) as state:
        news = state.warn(set(keys), at=settings.clock.text()) if keys else set()
    new = [row for key, row in zip(keys, rows, strict=True) if key in news]
    if not new:
        return None
    waits = ", ".join(f"{count} for {what}" for what, count in Counter(str(row[4]) for row in new).most_common())
    worth: dict[str, Decimal] = {}
    for row in new:
        worth[str(row[6])] = worth.get(str(row[6]), Decimal(0)) + row[5]
    amounts = " and ".join(f"{amount} {currency}" for currency, amount in sorted(worth.items()))
    lines = [_line(row) for row in new[:LISTED]]
    if len(new) > LISTED:
        lines.append(f"... and {len(new) - LISTED} more in marts.deadlines")
    title = f"Tieout: {len(new)} orders near an operator's deadline, worth {amounts} (waiting: {waits})"
    return Alert(title, "\n".join(lines), Level.FAILURE)


_IS_THERE = "select 1 from information_schema.tables where table_schema = 'marts' and table_name = 'deadlines'"
_DUE = """
    select marketplace_code, order_id, deadline, due_at, waits_for, amount_at_risk, currency_code, summary
    from marts.deadlines
    where alert_at <= $1 or status in ('BREACH_FORECAST', 'MISSED')
    order by due_at, order_id
"""


def _line(row: tuple[Any, ...]) -> str:
    marketplace, order_id, deadline, due_at, _, amount, currency, summary = row
    return f"{marketplace} {order_id} {deadline} by {due_at:%Y-%m-%d %H:%M} UTC, {amount} {currency}: {summary}"
