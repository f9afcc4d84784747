"""`tieout audit …`: the commands and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.options import Json, session_of

audit_app = typer.Typer(help="The connected systems as a consultant sees them, and the hash-chained audit trail.")


@audit_app.callback(invoke_without_command=True)
def audit(ctx: typer.Context, json: Json = False) -> None:
    """Without a command: `tieout audit systems`."""
    if ctx.invoked_subcommand is None:
        from orchestration.cli.commands.systems import systems_command

        systems_command(session_of(ctx), out=None, offline=False, fail_on=None)


@audit_app.command()
def systems(
    ctx: typer.Context,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the report: audit.md, audit.csv, audit.xlsx.")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Call no vendor: leaves the permissions out.")] = False,
    fail_on: Annotated[
        str | None,
        typer.Option("--fail-on", metavar="IMPACT", help="End with 3 when a finding is HIGH, MEDIUM or LOW."),
    ] = None,
    json: Json = False,
) -> None:
    """Examine maps, stock, schedules, settings, permissions, VAT and history; ranked, with evidence and remedy."""
    from orchestration.cli.commands.systems import systems_command

    systems_command(session_of(ctx), out=out, offline=offline, fail_on=fail_on)


@audit_app.command()
def verify(
    ctx: typer.Context,
    pack: Annotated[
        Path | None, typer.Argument(help="An evidence pack (folder or zip) instead of the installation.")
    ] = None,
    expect: Annotated[
        list[str] | None,
        typer.Option("--expect", metavar="HASH", help="Noted earlier: a head of either chain, or a pack's manifest."),
    ] = None,
    json: Json = False,
) -> None:
    """Check audit trail, evidence, published files and warehouse, or an evidence pack, off-line: nothing changed,
    removed or slipped in.
    """
    if pack is not None:
        from orchestration.cli.commands.audit import verify_pack_command

        verify_pack_command(session_of(ctx), pack, expect=expect[0] if expect else None)
        return
    from orchestration.cli.commands.audit import verify_command

    verify_command(session_of(ctx), expect=expect or [])


@audit_app.command("log")
def log(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, help="Newest entries to show; 0 = all.")] = 30,
    json: Json = False,
) -> None:
    """The newest entries: who did what, when and why."""
    from orchestration.cli.commands.audit import log_command

    log_command(session_of(ctx), limit=limit)
