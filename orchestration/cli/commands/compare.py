"""`tieout compare`."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

from orchestration.cli.output import Col, console, print_json, table
from orchestration.cli.problems import ExitCode
from orchestration.cli.session import Session

CHECKS = (
    Col("vendor", "Vendor", "code"),
    Col("account", "Account", "code"),
    Col("entity", "Feed", "code"),
    Col("at_vendor", "At the vendor", "number"),
    Col("here", "Here", "number"),
    Col("missing_here", "Were missing here", "number"),
    Col("missing_at_vendor", "Gone there", "number"),
)


def compare_command(session: Session, since: datetime | None) -> None:
    """Compare ids; ends with 5 when an account could not be read, 0 otherwise: what is found becomes an exception."""
    from orchestration.lib.completeness import check_ids
    from orchestration.lib.workspace import Workspace

    found, problems = check_ids(Workspace.open(session.settings), since and since.replace(tzinfo=UTC))
    rows = [
        {
            "vendor": check.feed.vendor,
            "account": check.feed.account,
            "entity": check.feed.entity,
            "since": f"{check.since:%Y-%m-%d}",
            "at_vendor": check.at_vendor,
            "here": check.here,
            "missing_here": len(check.missing_here),
            "missing_at_vendor": len(check.missing_at_vendor),
        }
        for check in found
    ]
    if session.as_json:
        print_json({"checks": rows, "problems": problems})
    else:
        out = console()
        out.print(table(rows, CHECKS, title="Records by id"))
        for problem in problems:
            out.print(f"problem: {problem}", style="red", markup=False)
        if any(row["missing_here"] or row["missing_at_vendor"] for row in rows):
            out.print("`tieout run settlement` reconciles with it; records that are gone become DAT-002.", style="dim")
    if problems:
        raise typer.Exit(int(ExitCode.PARTIAL))
