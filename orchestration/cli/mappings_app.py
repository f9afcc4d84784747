"""`tieout mappings …`: the commands and their options."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestration.cli.options import By, Json, session_of

mappings_app = typer.Typer(help="What no map knows and what that costs; rows of maps, changed by two people.")

Cells = Annotated[
    list[str] | None, typer.Option("--set", "-s", metavar="COLUMN=VALUE", help="A cell of the row; may be repeated.")
]


@mappings_app.callback(invoke_without_command=True)
def mappings(ctx: typer.Context, json: Json = False) -> None:
    """The gaps, dearest first, each with a row to begin from."""
    if ctx.invoked_subcommand is None:
        from orchestration.cli.commands.mappings import gaps_command

        gaps_command(session_of(ctx))


@mappings_app.command()
def rows(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(help="item_map.csv, accounts.csv, …")],
    json: Json = False,
) -> None:
    """The rows of a map as the configuration folder has them."""
    from orchestration.cli.commands.mappings import rows_command

    rows_command(session_of(ctx), file)


@mappings_app.command()
def propose(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(help="item_map.csv, accounts.csv, …")],
    reason: Annotated[str, typer.Option("--reason", help="Why, for whoever approves and for the auditor.")],
    cells: Cells = None,
    row: Annotated[
        list[str] | None,
        typer.Option("--row", "-r", metavar="COLUMN=VALUE", help="Cells that name the row to change; none: a new row."),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="The row goes.")] = False,
    by: By = None,
    json: Json = False,
) -> None:
    """Ask for a new row, or a change of one. It is written when another person says `tieout approve KEY`."""
    from orchestration.cli.commands.mappings import propose_command

    propose_command(session_of(ctx), file, cells=cells or [], row=row or [], remove=remove, reason=reason, by=by)


@mappings_app.command()
def changes(
    ctx: typer.Context,
    state: Annotated[
        str | None, typer.Option("--state", help="PROPOSED, EFFECTIVE, REJECTED, WITHDRAWN; default: all.")
    ] = None,
    json: Json = False,
) -> None:
    """What was proposed, by whom, and what became of it."""
    from orchestration.cli.commands.mappings import changes_command

    changes_command(session_of(ctx), state=state)
