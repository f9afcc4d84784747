"""`tieout audit`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.text import Text

from orchestration.cli.output import Col, console, print_json, table
from orchestration.cli.problems import ExitCode
from orchestration.cli.session import Session

if TYPE_CHECKING:
    from orchestration.lib.integrity import Integrity
    from orchestration.outbox import AuditProblem, AuditReport

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


def verify_command(session: Session, *, expect: Sequence[str]) -> None:
    """Verify the trail, and everything the data folder keeps; ends with 1 when something does not hold. `expect`: heads
    that were noted earlier, of either chain.
    """
    from orchestration.lib.integrity import verify

    kept = verify(session.settings)
    unknown: Sequence[str | None] = [head for head in expect if head not in kept.hashes]
    reports = [session.require_outbox().verify_audit(expected_head=head) for head in unknown or (None,)]
    report = reports[0]
    problems = list(dict.fromkeys(problem for one in reports for problem in one.problems))
    ok = kept.ok and not problems
    if session.as_json:
        print_json(
            {
                "ok": ok,
                "entries": report.entries,
                "actions": report.actions,
                "head": report.head,
                "problems": [
                    {"sequence": p.sequence, "action_key": p.action_key, "problem": p.problem} for p in problems
                ],
                "evidence": {
                    "seals": kept.seals,
                    "head": kept.head,
                    "files": kept.files,
                    "tables": kept.tables,
                    "problems": kept.problems,
                    "notes": kept.notes,
                },
            }
        )
    else:
        _print_verified(report, problems, kept)
    if not ok:
        raise typer.Exit(int(ExitCode.ERROR))


def _print_verified(report: AuditReport, problems: Sequence[AuditProblem], kept: Integrity) -> None:
    from orchestration.lib.advice import advice

    out = console()
    for problem in problems:
        place = f"entry {problem.sequence}" if problem.sequence else "actions"
        out.print(f"[bold red]fail[/] {place} {problem.action_key}: {problem.problem}")
    for words in kept.problems:
        out.print("[bold red]fail[/]", Text(words))
    for advised in dict.fromkeys(advice(words) for words in kept.problems):
        if advised is not None:
            out.print(advised, markup=False)
    for words in kept.notes:
        out.print("[yellow]note[/]", Text(words))
    if not problems:
        out.print(f"[green]The audit trail holds[/]: {report.entries:,} entries, {report.actions:,} actions.")
    if kept.ok:
        words = f"{kept.seals:,} seals, {kept.files:,} evidence files, {kept.tables:,} tables"
        out.print(f"[green]What is kept is as it was written[/]: {words}.")
    out.print(f"Head: {report.head}", style="dim")
    out.print(f"Head of the evidence: {kept.head}", style="dim")
    if kept.ok and not problems:
        out.print(
            "Note both heads elsewhere; `tieout audit verify --expect HEAD` later proves that nothing was cut off.",
            style="dim",
        )


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
