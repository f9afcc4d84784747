"""The words of an alert: what, whose, how much, by when, the first rows, what to do, and where to look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlencode

from orchestration.alerting.causes import Cause, Item, sum_amounts
from orchestration.lib.alerts import Alert, Level
from orchestration.lib.settings import Settings

LISTED = 10
"""Rows in a message; the page has the others."""
LONGEST = 240
"""Characters of a summary: product names may be long."""


def in_words(amounts: Mapping[str, Decimal]) -> str:
    """`161.06 GBP and 3.00 EUR`; empty without money."""
    return " and ".join(f"{amount:,.2f} {currency}" for currency, amount in amounts.items())


def deadline_in_words(due_at: datetime | None, now: datetime) -> str:
    """`2026-07-03 12:00 UTC, in 4 hours` (both naive UTC)."""
    if due_at is None:
        return "none"
    hours = (due_at - now).total_seconds() / 3600
    size = abs(hours)
    length = f"{size * 60:.0f} minutes" if size < 2 else f"{size:.0f} hours" if size < 48 else f"{size / 24:.0f} days"
    return f"{due_at:%Y-%m-%d %H:%M} UTC, " + (f"{length} ago" if hours < 0 else f"in {length}")


def cause_alert(
    settings: Settings,
    cause: Cause,
    new: Sequence[Item],
    *,
    now: datetime,
    opening: str = "",
    is_escalated: bool = False,
) -> Alert:
    """The alert of a cause. `new` are the items nobody was told of, `opening` what goes before them in the title."""
    worth = in_words(cause.amounts)
    more = len(cause.items) - len(new)
    count = f"{len(cause.items)} open" + (f", {len(new)} of them new" if more and new else "")
    head = f"{opening}{cause.severity} {cause.marketplace} {cause.code} {cause.title}: {count}"
    lines = [
        f"Owner: {cause.team}. Cause: {cause.root_cause}.",
        f"At stake: {worth or 'no amount'}. Deadline: {deadline_in_words(cause.due_at, now)}.",
    ]
    if cause.consequences:
        lines.append(f"{cause.consequences:,} other records differ because of it; they go with it.")
    lines += [f"To do: {cause.to_do}", ""]
    shown = list(new or cause.items)[:LISTED]
    lines += [_line(item) for item in shown]
    if len(cause.items) > len(shown):
        lines.append(f"... and {len(cause.items) - len(shown):,} more: tieout exceptions --code {cause.code}")
    lines += ["", f"Runbook: {runbook_link(settings, cause)}"]
    if page := page_link(settings, cause):
        lines.append(f"Page: {page}")
    lines.append(f"It is mine: tieout alerts ack {cause.cause_id} --reason ...")
    title = f"Tieout: {head}" + (f", {worth}" if worth else "")
    level = Level.FAILURE if cause.severity == "S1" or is_escalated else Level.WARNING
    return Alert(title, "\n".join(lines), level)


def runbook_link(settings: Settings, cause: Cause) -> str:
    """The step of the runbook: a page of the playbook's site where there is one, else the place in the repository."""
    if not settings.playbook_url:
        return cause.runbook
    return f"{settings.playbook_url.rstrip('/')}/codes/{cause.code.lower()}/"


def page_link(settings: Settings, cause: Cause) -> str:
    """The exceptions of this cause in the web app; empty while its address is not configured."""
    if not settings.app_url:
        return ""
    query = urlencode({"code": cause.code, "marketplace": cause.marketplace})
    return f"{settings.app_url.rstrip('/')}/exceptions?{query}"


def budget_alert(held: Sequence[Cause], *, team: str, budget: int) -> Alert:
    """Says once a day that the rest of the day is quiet, and what waits."""
    lines = [f"{team} has had its {budget} messages for today (daily_budget in alert_routes.csv). These wait:", ""]
    lines += [
        f"{cause.severity} {cause.marketplace} {cause.code} {cause.title}: {len(cause.items)} open"
        + (f", {in_words(cause.amounts)}" if cause.amounts else "")
        for cause in held[:LISTED]
    ]
    if len(held) > LISTED:
        lines.append(f"... and {len(held) - LISTED:,} more: tieout alerts")
    return Alert(f"Tieout: {len(held)} more causes wait for {team}", "\n".join(lines))


def digest_alert(
    settings: Settings,
    team: str,
    causes: Sequence[Cause],
    *,
    now: datetime,
    acknowledged: frozenset[str],
    resolved: int,
) -> Alert:
    """The day of a team: what is open, gravest first, what is due by tomorrow, what was put right."""
    items = [item for cause in causes for item in cause.items]
    worth = in_words(sum_amounts(items))
    due = sum(item.due_at is not None and (item.due_at - now).total_seconds() < 86_400 for item in items)
    lines = [f"{due:,} due within a day or overdue; {resolved:,} put right since yesterday.", ""]
    for cause in causes:
        mark = " (acknowledged)" if cause.key in acknowledged else ""
        money = f", {in_words(cause.amounts)}" if cause.amounts else ""
        lines.append(
            f"{cause.severity} {cause.marketplace} {cause.code} {cause.title}: {len(cause.items):,}{money}, "
            f"by {deadline_in_words(cause.due_at, now)}{mark}"
        )
    if settings.app_url:
        lines += ["", f"{settings.app_url.rstrip('/')}/exceptions?{urlencode({'owner': team})}"]
    head = f"{len(items):,} open from {len(causes):,} causes" if items else "nothing is open"
    return Alert(f"Tieout today for {team}: {head}" + (f", {worth}" if worth else ""), "\n".join(lines), Level.INFO)


def _line(item: Item) -> str:
    worth = f" {item.amount:,.2f} {item.currency}" if item.amount else ""
    summary = item.summary if len(item.summary) <= LONGEST else item.summary[: LONGEST - 1] + "…"
    return f"- {item.severity} {item.subject}{worth}: {summary}"
