"""`tieout status`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from orchestration.cli.commands.exceptions import exit_for, open_exceptions
from orchestration.cli.output import Col, console, print_json, table
from orchestration.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

RUNS = (
    Col("lane", "Lane", "code"),
    Col("status", "Last run", "state"),
    Col("started_at", "Started (UTC)", "moment"),
    Col("seconds", "Seconds", "number"),
    Col("words", "Result", max_width=90),
)
OUTBOX = (
    Col("kind", "Kind", "code"),
    Col("marketplace_code", "Market", "code"),
    Col("state", "State", "state"),
    Col("count", "Actions", "number"),
)
FRESHNESS = (
    Col("vendor", "Vendor", "code"),
    Col("account", "Account", "code"),
    Col("feed", "Feed", "code"),
    Col("last_complete_at", "Read whole (UTC)", "moment"),
    Col("age_minutes", "Minutes ago", "number"),
    Col("state", "State", "state"),
)
NOT_PROVED = (
    Col("marketplace_code", "Market", "code"),
    Col("level_code", "Level", "code"),
    Col("summary", "Why", max_width=90),
)
CONTROLS = (
    Col("control_code", "Control", "code"),
    Col("vendor", "Vendor", "code"),
    Col("account", "Account", "code"),
    Col("feed", "Feed", "code"),
    Col("measure", "Measure", "code"),
    Col("difference", "Difference", "money"),
)
SEVERITIES = (
    Col("severity", "Sev", "severity"),
    Col("owner_team", "Owner", "code"),
    Col("count", "Open", "number"),
    Col("overdue", "Overdue", "number"),
)


def status_command(session: Session, *, fail_on: str | None) -> None:
    """One page on how things stand. What does not exist yet is said, not failed on."""
    report = collect(session)
    fail = exit_for(session, fail_on) if report["is_published"] else None
    if session.as_json:
        print_json(report)
    else:
        _show(report)
    if fail:
        raise typer.Exit(int(fail))


def collect(session: Session) -> dict[str, Any]:
    """Everything `status` says, JSON-ready."""
    settings = session.settings
    report: dict[str, Any] = {
        "as_of": settings.clock.now(),
        "write_back": settings.write_back,
        "is_published": settings.published_path.is_file(),
        "runs": [],
        "outbox": [],
        "freshness": [],
        "control_totals": [],
        "not_proved": [],
        "exceptions": [],
    }
    if session.has_outbox:
        outbox = session.outbox
        report["runs"] = [
            {
                "lane": run.lane,
                "status": run.status.value,
                "started_at": run.started_at,
                "ended_at": run.ended_at,
                "seconds": run.seconds,
                "summary": run.summary,
            }
            for run in outbox.runs.latest()
        ]
        report["outbox"] = [
            {"kind": kind, "marketplace_code": marketplace, "state": state, "count": count}
            for (kind, marketplace, state), count in outbox.counts().items()
        ]
    if report["is_published"]:
        published = session.published
        report["freshness"] = published.select("freshness", order_by=("vendor", "account", "feed"))
        report["control_totals"] = published.select(
            "control_totals", order_by=("control_code", "vendor", "account", "feed", "measure")
        )
        report["not_proved"] = published.select(
            "completeness", {"is_complete": False}, order_by=("marketplace_code", "level_code")
        )
        report["exceptions"] = _by_severity(open_exceptions(session), settings.clock.now().replace(tzinfo=None))
    return report


def _by_severity(rows: Sequence[Mapping[str, Any]], now: Any) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        key = (str(row["severity"]), str(row["owner_team"]))
        group = groups.setdefault(key, {"severity": key[0], "owner_team": key[1], "count": 0, "overdue": 0})
        group["count"] += 1
        group["overdue"] += int(row["due_at"] is not None and row["due_at"] < now)
    return [groups[key] for key in sorted(groups)]


def _show(report: Mapping[str, Any]) -> None:
    out = console()
    runs = [run | {"words": _words(run["summary"])} for run in report["runs"]]
    if runs:
        out.print(table(runs, RUNS, title="Lanes"))
    else:
        out.print("No lane has run yet: `tieout run settlement`.", style="yellow")
    if report["is_published"]:
        feeds = [row | {"state": "stale" if row["is_stale"] else "fresh"} for row in report["freshness"]]
        out.print(table(feeds, FRESHNESS, title="Feeds"))
        _show_control_totals(out, report["control_totals"])
        if report["not_proved"]:
            out.print(table(report["not_proved"], NOT_PROVED, title="Levels whose figures are not proved"))
        if report["exceptions"]:
            out.print(table(report["exceptions"], SEVERITIES, title="Open exceptions"))
        else:
            out.print("No open exceptions.", style="green")
    if report["outbox"]:
        out.print(table(report["outbox"], OUTBOX, title="Outbox"))
    if not report["write_back"]:
        out.print("Write-back is off: nothing is sent (TIEOUT_WRITE_BACK).", style="yellow")


def _show_control_totals(out: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """Only what does not balance is worth a line; the rest is counted."""
    wrong = [row for row in rows if not row["is_balanced"]]
    if wrong:
        out.print(table(wrong, CONTROLS, title="Control totals that do not balance"))
    balanced = len(rows) - len(wrong)
    out.print(f"{balanced:,} of {len(rows):,} control totals balance.", style="red" if wrong else "green")


def _words(summary: Mapping[str, Any]) -> str:
    parts = []
    for name, value in summary.items():
        if value in (None, 0, "", [], {}):
            continue
        text = ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)
        parts.append(f"{name.replace('_', ' ')} {text}")
    return " · ".join(parts)
