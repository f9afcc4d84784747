"""`tieout shadow …`: the commands and their options."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.options import Json, session_of

shadow_app = typer.Typer(
    help="Write-back is off and all lanes propose: what would have happened?", no_args_is_help=True
)


@shadow_app.command()
def report(
    ctx: typer.Context,
    since: Annotated[
        datetime | None, typer.Option("--since", formats=["%Y-%m-%d"], help="First day (UTC); default: all.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for shadow.md and shadow.csv.")] = None,
    json: Json = False,
) -> None:
    """What would have gone out by itself, waited for a person, been stopped, or was done by hand meanwhile."""
    from orchestration.cli.commands.shadow import shadow_command

    shadow_command(session_of(ctx), since=since, out=out)
