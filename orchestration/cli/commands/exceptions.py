"""`tieout exceptions`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from orchestration.cli.output import Col, console, money, print_json, table
from orchestration.cli.problems import CliError, ExitCode
from orchestration.cli.session import Session

SEVERITIES = ("S1", "S2", "S3", "S4")
CLOSED = ("RESOLVED", "WRITTEN_OFF", "INFORMATION")
"""States that ask nobody to do anything."""

COLUMNS = (
    Col("severity", "Sev", "severity"),
    Col("exception_code", "Code", "code"),
    Col("marketplace_code", "Market", "code"),
    Col("subject", "Subject", max_width=44),
    Col("amount_at_risk", "At risk", "money"),
    Col("currency_code", "", "code"),
    Col("owner_team", "Owner", "code"),
    Col("due_at", "Due (UTC)", "moment"),
    Col("summary", "What", max_width=70),
)
BY_CODE = (
    Col("severity", "Sev", "severity"),
    Col("exception_code", "Code", "code"),
    Col("count", "Open", "number"),
    Col("amount_at_risk", "At risk", "money"),
    Col("currency_code", "", "code"),
    Col("owner_team", "Owner", "code"),
    Col("recommended_action", "What to do", max_width=90),
)


def severity_at_or_above(text: str) -> tuple[str, ...]:
    """`S2` → (S1, S2). Raises CliError for anything that is no severity."""
    wanted = text.strip().upper()
    if wanted not in SEVERITIES:
        raise CliError(
            f"{text!r} is no severity", action=f"Choose one of {', '.join(SEVERITIES)}.", code=ExitCode.USAGE
        )
    return SEVERITIES[: SEVERITIES.index(wanted) + 1]


def open_exceptions(session: Session) -> list[dict[str, Any]]:
    """Rows of the mart that still ask somebody to do something, worst first."""
    return [row for row in _all(session) if row["status"] not in CLOSED]


def exit_for(session: Session, fail_on: str | None) -> ExitCode:
    """EXCEPTIONS when something at or above `fail_on` is open."""
    if fail_on is None:
        return ExitCode.OK
    severities = severity_at_or_above(fail_on)
    return (
        ExitCode.EXCEPTIONS if any(row["severity"] in severities for row in open_exceptions(session)) else ExitCode.OK
    )


def exceptions_command(
    session: Session,
    *,
    code: str | None,
    owner: str | None,
    status: str | None,
    marketplace: str | None,
    severity: str | None,
    summary: bool,
    limit: int,
    fail_on: str | None,
    to_do: bool = False,
) -> None:
    """List exceptions; with `summary` one row per code, with `to_do` as a list of what to do by when. Ends with 3 when
    `fail_on` says so.
    """
    severities = severity_at_or_above(severity) if severity else SEVERITIES
    fail = exit_for(session, fail_on)
    wanted_status = (status or "").upper()
    rows = [
        row
        for row in _all(session)
        if row["severity"] in severities
        and (not code or str(row["exception_code"]).startswith(code.upper()))
        and (not owner or row["owner_team"] == owner.upper())
        and (not marketplace or row["marketplace_code"] == marketplace)
        and (
            wanted_status == "ALL" or (row["status"] == wanted_status if wanted_status else row["status"] not in CLOSED)
        )
    ]
    if session.as_json:
        print_json(
            {
                "count": len(rows),
                "exceptions": rows if not limit else rows[:limit],
                "is_truncated": bool(limit) and len(rows) > limit,
            }
            | ({"by_code": by_code(rows)} if summary else {})
        )
    elif to_do:
        show_to_do(rows, now=session.settings.clock.now().replace(tzinfo=None), limit=limit)
    else:
        _show(rows, summary=summary, limit=limit)
    if fail:
        import typer

        raise typer.Exit(int(fail))


def by_code(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row per code, severity and currency: number and Σ amount at risk."""
    groups: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = (row["severity"], row["exception_code"], row["currency_code"])
        group = groups.setdefault(
            key,
            {
                "severity": row["severity"],
                "exception_code": row["exception_code"],
                "count": 0,
                "amount_at_risk": None,
                "currency_code": row["currency_code"],
                "owner_team": row["owner_team"],
                "recommended_action": row["recommended_action"],
            },
        )
        group["count"] += 1
        if row["amount_at_risk"] is not None:
            group["amount_at_risk"] = (group["amount_at_risk"] or Decimal(0)) + row["amount_at_risk"]
    return [groups[key] for key in sorted(groups, key=lambda key: tuple(str(part) for part in key))]


def show_to_do(rows: Sequence[Mapping[str, Any]], *, now: datetime, limit: int) -> None:
    """What to do, most urgent first: what happened, what it is worth, what to do about it, who and by when.

    Times are UTC; `now` is the clock of the command.
    """
    from rich.markup import escape

    out = console()
    if not rows:
        out.print("Nothing to do: everything ties out.", style="green")
        return
    ordered = sorted(
        rows,
        key=lambda row: (
            row["due_at"] is None,
            row["due_at"] or now,
            row["severity"],
            row["exception_code"],
            row["subject_id"],
        ),
    )
    heading = ""
    for row in ordered[:limit] if limit else ordered:
        words = due_in_words(row["due_at"], now)
        if words != heading:
            heading = words
            count = sum(due_in_words(other["due_at"], now) == words for other in rows)
            out.print(f"\n[bold]{words}[/bold] [dim]({count:,})[/dim]")
        worth = f", {money(row['amount_at_risk'], row['currency_code'])}" if row["amount_at_risk"] else ""
        more = f", and {row['consequence_count']:,} that follow from it" if row["consequence_count"] else ""
        again = f", for the {row['times_opened']}. time" if (row.get("times_opened") or 1) > 1 else ""
        at = f" by {row['due_at']:%H:%M}" if row["due_at"] else ""
        out.print(
            f"[bold]{row['severity']} {row['exception_code']}[/bold] {escape(row['marketplace_code'])} "
            f"{escape(row['subject'])}{worth}{more}{again}",
            soft_wrap=True,
        )
        out.print(f"   {escape(row['summary'] or row['title'])}", soft_wrap=True)
        out.print(
            f"   [dim]{row['owner_team']}{at}:[/dim] {escape(row['recommended_action'])} "
            f"[dim]{row['exception_id']}[/dim]",
            soft_wrap=True,
        )
    shown = min(limit, len(rows)) if limit else len(rows)
    out.print(
        f"\n{shown:,} of {len(rows):,} open; `tieout explain ID` shows the money behind one, `tieout accept` and "
        "`tieout write-off` close one with a reason.",
        style="dim",
    )


def due_in_words(due_at: datetime | None, now: datetime) -> str:
    """The heading under which something due at `due_at` stands at `now` (both naive, UTC)."""
    if due_at is None:
        return "Without a date"
    if due_at < now:
        return "Overdue"
    days = (due_at.date() - now.date()).days
    if days == 0:
        return "Today"
    return "Tomorrow" if days == 1 else f"{due_at:%A} {due_at.day} {due_at:%B}"


def _all(session: Session) -> list[dict[str, Any]]:
    rows = session.published.select(
        "exceptions", order_by=("severity", "exception_code", "marketplace_code", "subject_id")
    )
    for row in rows:
        row["subject"] = f"{row['subject_type']} {row['subject_id']}"
    return rows


def _show(rows: Sequence[Mapping[str, Any]], *, summary: bool, limit: int) -> None:
    out = console()
    if not rows:
        out.print("No exceptions: everything ties out.", style="green")
        return
    if summary:
        out.print(table(by_code(rows), BY_CODE))
    else:
        out.print(table(rows[:limit] if limit else rows, COLUMNS))
    shown = len(rows) if summary or not limit else min(limit, len(rows))
    words = f"{len(rows):,} exception{'' if len(rows) == 1 else 's'}"
    if shown < len(rows):
        words += f", {shown:,} shown (--limit 0 shows all, --summary one line per code)"
    out.print(words + "; `tieout explain ID` shows the money behind one.", style="dim")
