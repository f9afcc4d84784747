"""What needs me: by team, deadline and money, with what to do about each."""

from __future__ import annotations

from typing import Any

from app.asking import Ask, Page
from app.pages.exceptions import MOST_URGENT, TEAMS, page_of
from app.rendering import explained
from app.tables import Column, Query, Table

OPEN = "status IN ('OPEN', 'IN_PROGRESS')"


def today(ask: Ask) -> Page:
    """The start page, of the reader's own teams unless the address names one."""
    team = ask.asked.get("team", "")
    own = [team] if team in TEAMS else sorted(ask.person.teams) if team != "ALL" else []
    where = f"{OPEN} AND list_contains(?, owner_team)" if own else OPEN
    parameters: list[Any] = [own] if own else []
    urgent = Table(
        title="Most urgent",
        columns=(
            Column("severity", "Sev", "severity"),
            Column("exception_code", "Code", "code", page_of, note="title"),
            Column("marketplace_code", "Market", "code"),
            Column("summary", "What", "long", note="recommended_action", is_sortable=False),
            Column("amount_at_risk", "At risk", "money"),
            Column("due_at", "Due (UTC)", "moment"),
        ),
        source=Query(
            f"SELECT *, {MOST_URGENT} AS place FROM exceptions WHERE {where}",
            parameters,
        ),
        sort="place",
        page_rows=15,
        nothing="Nothing needs you: every exception is dealt with.",
    )
    by_team = Table(
        title="By team",
        name="team",
        columns=(
            Column("owner_team", "Team", "words", lambda row: f"/exceptions?owner_team={row['owner_team']}"),
            Column("severe_count", "Severe", "number"),
            Column("open_count", "Open", "number"),
            Column("overdue_count", "Overdue", "number"),
            Column("soon_count", "Due in a day", "number"),
            Column("at_risk", "At risk", "money"),
        ),
        source=Query(
            "WITH asked AS (SELECT owner_team, severity, due_at, amount_at_risk, coalesce(currency_code, "
            "mode(currency_code) OVER (PARTITION BY owner_team)) AS currency_code "
            f"FROM exceptions WHERE {OPEN}) SELECT owner_team, currency_code, count(*) AS open_count, "
            "count(*) FILTER (WHERE severity = 'S1') AS severe_count, "
            "count(*) FILTER (WHERE due_at < ?) AS overdue_count, "
            "count(*) FILTER (WHERE due_at >= ? AND due_at < ? + INTERVAL 1 DAY) AS soon_count, "
            "sum(amount_at_risk)::DECIMAL(18, 2) AS at_risk "
            "FROM asked GROUP BY owner_team, currency_code",
            [ask.now] * 3,
        ),
        sort="-at_risk",
        totals=("severe_count", "open_count", "overdue_count", "soon_count", "at_risk"),
    )
    deadlines = Table(
        title="Orders that run out of time",
        name="deadline",
        columns=(
            Column("due_at", "Until (UTC)", "moment"),
            Column("status", "Status", "state"),
            Column("marketplace_code", "Market", "code"),
            Column("order_id", "Order", "text", explained("order_id")),
            Column("summary", "Waits for", "long", is_sortable=False),
            Column("amount_at_risk", "Sale", "money"),
        ),
        source=Query("SELECT * FROM deadlines WHERE status <> 'IN_TIME'"),
        sort="due_at",
        page_rows=10,
        nothing="Every open order is in time.",
    )
    values = {"tiles": _tiles(ask, where, parameters), "team": team, "teams": TEAMS, "own": own}
    return Page("today.html", "Today", values, {"urgent": urgent, "by_team": by_team, "deadlines": deadlines})


def _tiles(ask: Ask, where: str, parameters: list[Any]) -> list[dict[str, Any]]:
    """Figures at the top: label, value, words under it, address behind it, whether it is a warning."""
    counts = ask.published.rows(
        "SELECT count(*) AS open, count(*) FILTER (WHERE severity = 'S1') AS severe, "
        f"count(*) FILTER (WHERE due_at < ?) AS overdue FROM exceptions WHERE {where}",
        [ask.now, *parameters],
    )[0]
    money = ask.published.rows(
        f"SELECT currency_code, sum(amount_at_risk)::DECIMAL(18, 2) AS amount FROM exceptions WHERE {where} "
        "AND amount_at_risk > 0 AND currency_code IS NOT NULL GROUP BY currency_code ORDER BY amount DESC",
        parameters,
    )
    short = ask.published.rows(
        "SELECT count(*) AS rows FROM unmatched_payouts WHERE subject_type = 'PAYOUT' AND status = 'EXCEPTION'"
    )[0]["rows"]
    waiting = len(ask.outbox.actions(states=["PROPOSED"])) + sum(
        one["state"] == "PROPOSED" for one in ask.outbox.decisions.all()
    )
    own = [name for name in ask.outbox.notes.assignees().values() if name.casefold() == ask.person.name.casefold()]
    number, fmt = ask.formats.number, ask.formats
    tiles = [
        _tile("Open", number(counts["open"]), f"{number(counts['severe'])} severe", "/exceptions", False),
        _tile(
            "Overdue", number(counts["overdue"]), "past their due time", "/exceptions?sort=due_at", counts["overdue"]
        ),
        _tile("Pay-outs not tied", number(short), "short, missing or over-paid", "/match", short),
        _tile("Waiting for approval", number(waiting), "actions and write-offs", "/approvals", False),
        _tile("Assigned to me", number(len(own)), "exceptions", "/exceptions?mine=1", False),
    ]
    for row in money[:3]:
        label = f"At risk, {row['currency_code']}"
        tiles.insert(
            1, _tile(label, fmt.money(row["amount"]), "open exceptions", "/exceptions?sort=-amount_at_risk", False)
        )
    return tiles


def _tile(label: str, value: str, words: str, to: str, warns: Any) -> dict[str, Any]:
    return {"label": label, "value": value, "words": words, "to": to, "warns": bool(warns)}
