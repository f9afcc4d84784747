"""`tieout audit systems`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import typer

from orchestration.cli.output import Col, console, print_json, table
from orchestration.cli.problems import CliError, ExitCode
from orchestration.cli.session import Session
from orchestration.examination.examine import examine
from orchestration.examination.finding import Facts, Impact
from orchestration.examination.report import keep, rows_of, write

COLUMNS = (
    Col("rank", "", "number"),
    Col("impact", "Impact", "code"),
    Col("check", "Check", "code"),
    Col("subject", "Where", max_width=40),
    Col("finding", "What was found", max_width=80),
    Col("amount", "At stake", "money"),
    Col("currency", "", "code"),
)


def systems_command(session: Session, *, out: Path | None, offline: bool, fail_on: str | None) -> None:
    """Examine and report. Ends with 3 when a finding is at or above `fail_on`."""
    limits = [impact.value for impact in Impact]
    if fail_on and fail_on.upper() not in limits:
        raise CliError(f"there is no impact {fail_on!r}", action=f"Use {', '.join(limits)}.", code=ExitCode.USAGE)
    examined = examine(_facts(session, offline=offline))
    rows = rows_of(examined)
    at = session.settings.clock.now()
    written = [] if out is None else write(examined, out, at=at)
    keep(session.settings.examination_path, examined, at=at)
    if session.as_json:
        print_json(
            {
                "findings": rows,
                "passed": [check.check_id for check in examined.passed],
                "skipped": [{"check": check.check_id, "why": why} for check, why in examined.skipped],
                "files": [str(path) for path in written],
            }
        )
    else:
        screen = console()
        if rows:
            screen.print(table(rows, COLUMNS))
        words = f"{len(rows):,} findings, {len(examined.passed):,} checks without one"
        if examined.skipped:
            words += f", {len(examined.skipped):,} not examined"
        screen.print(f"{words}.", style="dim")
        for check, why in examined.skipped:
            screen.print(f"not examined: {check.check_id} {check.title}: {why}", style="yellow", markup=False)
        if written:
            screen.print(f"Written: {', '.join(str(path) for path in written)}", markup=False)
        elif rows:
            screen.print("`tieout audit systems --out DIR` writes it with evidence and remedies.", style="dim")
    if fail_on and any(limits.index(row["impact"]) <= limits.index(fail_on.upper()) for row in rows):
        raise typer.Exit(int(ExitCode.EXCEPTIONS))


def _facts(session: Session, *, offline: bool) -> Facts:
    from orchestration.cli.vendors import check_accounts
    from orchestration.lib.registry import load_registry
    from orchestration.lib.settings import parse_stamp

    settings = session.settings
    registry = load_registry(settings.config_dir)
    published = session.published
    accounts = None if offline else tuple(check_accounts(session, registry))
    lanes: dict[str, datetime] = {}
    if session.has_outbox:
        for run in session.outbox.runs.latest():
            if run.ended_at and run.status.value in ("SUCCEEDED", "PARTIAL"):
                lanes[run.lane] = parse_stamp(run.ended_at).replace(tzinfo=None)
    return Facts(
        registry=registry,
        now=settings.clock.now().replace(tzinfo=None),
        rows=published.rows,
        write_back=settings.write_back,
        accounts=accounts,
        lanes=lanes,
    )
