"""`tieout audit`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from orchestration.cli.output import Col, console, print_json, table
from orchestration.cli.problems import ExitCode
from orchestration.cli.session import Session

LOG = (
    Col("sequence", "No", "number"),
    Col("at", "When (UTC)", "moment"),
    Col("actor", "Who", "code"),
    Col("channel", "Through", "code"),
    Col("action_key", "Action", max_width=60),
    Col("from_state", "From", "state"),
    Col("to_state", "To", "state"),
    Col("why", "Why", max_width=60),
)


def verify_command(session: Session, *, expect: str | None) -> None:
    """Verify the trail; ends with 1 when it does not hold."""
    report = session.require_outbox().verify_audit(expected_head=expect)
    if session.as_json:
        problems = [{"sequence": p.sequence, "action_key": p.action_key, "problem": p.problem} for p in report.problems]
        print_json(
            {
                "ok": report.ok,
                "entries": report.entries,
                "actions": report.actions,
                "head": report.head,
                "problems": problems,
            }
        )
    else:
        out = console()
        for problem in report.problems:
            place = f"entry {problem.sequence}" if problem.sequence else "actions"
            out.print(f"[bold red]fail[/] {place} {problem.action_key}: {problem.problem}")
        if report.ok:
            out.print(f"[green]The audit trail holds[/]: {report.entries:,} entries, {report.actions:,} actions.")
        out.print(f"Head: {report.head}", style="dim")
        if report.ok:
            out.print(
                "Note the head elsewhere; `tieout audit verify --expect HEAD` later proves that nothing was cut off.",
                style="dim",
            )
    if not report.ok:
        raise typer.Exit(int(ExitCode.ERROR))


def verify_pack_command(session: Session, pack: Path, *, expect: str | None) -> None:
    """Verify an evidence pack; ends with 1 when it does not hold. Opens neither the marts nor the outbox."""
    from orchestration.close.verify import verify_pack

    report = verify_pack(pack, expected=expect)
    if session.as_json:
        print_json(
            {
                "ok": report.ok,
                "files": report.files,
                "sums": report.sums,
                "rows": report.rows,
                "manifest_sha256": report.manifest_sha256,
                "problems": list(report.problems),
            }
        )
    else:
        out = console()
        for problem in report.problems:
            out.print(f"fail {problem}", style="bold red", markup=False)
        if report.ok:
            words = f"{report.files} files as written, {report.rows:,} rows, {report.sums:,} sums added up again"
            out.print(f"The pack holds: {words}.", style="green", markup=False)
        out.print(f"Manifest: {report.manifest_sha256}", style="dim")
    if not report.ok:
        raise typer.Exit(int(ExitCode.ERROR))


def log_command(session: Session, *, limit: int) -> None:
    """Show the newest audit entries, oldest of them first."""
    entries: list[dict[str, Any]] = session.require_outbox().audit_log(limit=limit or None)
    if session.as_json:
        print_json({"entries": entries})
        return
    console().print(table(entries, LOG))
