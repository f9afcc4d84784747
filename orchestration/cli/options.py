"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestration.cli.session import Session


def session_of(ctx: typer.Context) -> Session:
    """What the commands of one command line share."""
    return ctx.find_root().ensure_object(Session)


def _want_json(ctx: typer.Context, value: bool) -> bool:
    if value:
        ctx.find_root().ensure_object(Session).as_json = True
    return value


Json = Annotated[
    bool,
    typer.Option(
        "--json", callback=_want_json, expose_value=True, help="One JSON document instead of tables. Money is text."
    ),
]
FailOn = Annotated[
    str | None,
    typer.Option(
        "--fail-on", metavar="SEVERITY", help="End with 3 when exceptions of this severity (S1…S4) or worse are open."
    ),
]
By = Annotated[str | None, typer.Option("--by", help="Your name in the audit trail; default: the system user.")]
Marketplace = Annotated[str | None, typer.Option("--marketplace", "-m", help="Only this marketplace code.")]
MendsCode = Annotated[
    str | None,
    typer.Option("--code", "-c", help="Only what mends an open exception of this code, or its beginning: CRN-001."),
]
MendsCause = Annotated[
    str | None,
    typer.Option(
        "--cause", help="Only what mends open exceptions of this root cause: SYNC, TIMING, MKT_CONFIG, ERP_DATA, …"
    ),
]
