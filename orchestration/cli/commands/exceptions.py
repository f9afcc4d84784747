"""`tieout exceptions`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from orchestration.cli.output import Col, console, print_json, table
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
) -> None:
    """List exceptions; with `summary` one row per code. Ends with 3 when `fail_on` says so."""
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
