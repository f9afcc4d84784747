"""`tieout alerts`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import typer

from orchestration.alerting.causes import Cause, open_causes, resolved_since
from orchestration.alerting.desk import look, team_digest
from orchestration.alerting.messages import in_words, page_link
from orchestration.alerting.routes import DEFAULT_CHANNEL, addresses, load_routes
from orchestration.alerting.store import AlertStore
from orchestration.alerting.taking import take
from orchestration.cli.output import Col, console, print_json, table
from orchestration.cli.problems import CliError, ExitCode
from orchestration.cli.session import Session, system_user

CAUSES = (
    Col("cause_id", "Id", "code"),
    Col("severity", "Sev", "severity"),
    Col("team", "Team", "code"),
    Col("marketplace_code", "Marketplace", "code"),
    Col("exception_code", "Code", "code"),
    Col("title", "What", max_width=50),
    Col("items", "Open", "number"),
    Col("consequences", "Follow", "number"),
    Col("at_stake", "At stake", "code"),
    Col("due_at", "By (UTC)", "moment"),
    Col("acknowledged_by", "Who has it", "code"),
)
NOISE = (
    Col("day", "Day", "code"),
    Col("team", "Team", "code"),
    Col("channel", "Channel", "code"),
    Col("messages", "Messages", "number"),
    Col("digests", "Digests", "number"),
    Col("escalations", "Escalated", "number"),
    Col("causes", "Causes", "number"),
    Col("items", "Exceptions", "number"),
    Col("consequences", "Records", "number"),
    Col("held_quiet", "Quiet", "number"),
    Col("held_budget", "Over budget", "number"),
    Col("held_acknowledged", "Taken", "number"),
)


def list_command(session: Session, *, team: str | None) -> None:
    """One row per open cause."""
    causes = _causes(session)
    with AlertStore(session.settings.state_path) as store:
        taken = store.acknowledged()
    rows = [
        {
            "cause_id": cause.cause_id,
            "severity": cause.severity,
            "team": cause.team,
            "marketplace_code": cause.marketplace,
            "exception_code": cause.code,
            "title": cause.title,
            "items": len(cause.items),
            "consequences": cause.consequences,
            "at_stake": in_words(cause.amounts),
            "due_at": cause.due_at,
            "page": page_link(session.settings, cause) or None,
            "acknowledged_by": taken[cause.key].by if cause.key in taken else None,
        }
        for cause in causes
        if not team or cause.team == team.upper()
    ]
    if session.as_json:
        print_json({"count": len(rows), "causes": rows})
        return
    out = console()
    if not rows:
        out.print("Nothing is open.", style="green")
        return
    out.print(table(rows, CAUSES))
    out.print(f"{len(rows):,} causes; `tieout alerts ack ID --reason ...` takes one.", style="dim")


def ack_command(session: Session, cause_id: str, *, reason: str, by: str | None) -> None:
    """Take the cause with this id, or the one that holds this exception."""
    if not reason.strip():
        raise CliError("the reason is empty", action="Say what you do about it.", code=ExitCode.USAGE)
    cause = next((one for one in _causes(session) if cause_id in _ids(one)), None)
    if cause is None:
        raise CliError(f"no open cause has the id {cause_id}", action="`tieout alerts` lists them.")
    who = by or system_user()
    take(session.settings, cause, by=who, reason=reason)
    if session.as_json:
        print_json({"cause_id": cause.cause_id, "acknowledged_by": who, "items": len(cause.items)})
        return
    console().print(
        f"{cause.cause_id} is {who}'s: {cause.marketplace} {cause.code} {cause.title}, {len(cause.items)} open.",
        markup=False,
    )


def send_command(session: Session) -> None:
    """Look at what is open and send what is due."""
    done = look(session.settings)
    if session.as_json:
        print_json({"sent": done.sent, "held": [{"key": key, "reason": reason} for key, reason in done.held]})
        return
    out = console()
    for title in done.sent:
        out.print(f"sent {title}", markup=False)
    out.print(f"{len(done.sent)} sent, {len(done.held)} held back.", style="dim")


def digest_command(session: Session, *, team: str) -> None:
    """Print the digest."""
    wanted = team.upper()
    settings = session.settings
    causes = [cause for cause in _causes(session) if cause.team == wanted]
    with AlertStore(settings.state_path) as store:
        taken = frozenset(store.acknowledged())
    resolved = resolved_since(settings.published_path, settings.clock.now() - timedelta(days=1)).get(wanted, 0)
    alert = team_digest(settings, wanted, causes, acknowledged=taken, resolved=resolved)
    if session.as_json:
        print_json({"team": wanted, "title": alert.title, "body": alert.body})
        return
    console().print(f"{alert.title}\n\n{alert.body}", markup=False, soft_wrap=True)


def report_command(session: Session, *, days: int) -> None:
    """Noise per day, team and channel."""
    since = (session.settings.clock.now() - timedelta(days=days)).date().isoformat()
    with AlertStore(session.settings.state_path) as store:
        rows: list[dict[str, Any]] = store.report(since=since)
    if session.as_json:
        print_json({"since": since, "rows": rows})
        return
    out = console()
    if not rows:
        out.print(f"No message left since {since}.", style="dim")
        return
    out.print(table(rows, NOISE))
    messages, items = (sum(int(row[name]) for row in rows) for name in ("messages", "items"))
    records = items + sum(int(row["consequences"]) for row in rows)
    out.print(f"{messages:,} messages stood for {items:,} exceptions and {records:,} records that differ.", style="dim")


def test_command(session: Session) -> None:
    """Send a test message per channel."""
    from orchestration.lib.alerts import Alert, Level, deliver

    settings = session.settings
    routes = load_routes(settings)
    channels = sorted(
        {route.channel for route in routes} | {route.escalate_to for route in routes if route.escalate_to}
    )
    rows = []
    for channel in channels or [DEFAULT_CHANNEL]:
        found = addresses(settings, channel)
        alert = Alert(f"Tieout: test of {channel}", "You hear of Tieout's findings here.", Level.INFO)
        is_sent = deliver(settings, alert, found)
        rows.append(
            {
                "channel": channel,
                "addresses": len(found),
                "result": "ok" if found and is_sent else "fail" if found else "warn",
            }
        )
    if session.as_json:
        print_json({"channels": rows})
    else:
        out = console()
        columns = (
            Col("result", "", "state"),
            Col("channel", "Channel", "code"),
            Col("addresses", "Addresses", "number"),
        )
        out.print(table(rows, columns))
        out.print(
            "warn: no address, so only the log is told (TIEOUT_ALERT_URLS_<channel> or TIEOUT_ALERT_URLS).", style="dim"
        )
    if any(row["result"] == "fail" for row in rows):
        raise typer.Exit(int(ExitCode.ERROR))


def _ids(cause: Cause) -> set[str]:
    return {cause.cause_id} | {item.item_id for item in cause.items}


def _causes(session: Session) -> list[Cause]:
    session.published  # noqa: B018  (says it when nothing was published)
    return open_causes(session.settings.published_path)
