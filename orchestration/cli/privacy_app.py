"""`tieout privacy …`: the commands and their options."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestration.cli.options import By, Json, session_of

privacy_app = typer.Typer(help="Customers in the evidence: what is held, looking one up, erasing.")
Reason = Annotated[str, typer.Option("--reason", help="Why, for the audit chain; name no customer.")]


@privacy_app.callback(invoke_without_command=True)
def privacy(ctx: typer.Context, json: Json = False) -> None:
    """What the evidence holds of customers, and how much of it is under keys."""
    if ctx.invoked_subcommand is None:
        from orchestration.cli.commands.privacy import status_command

        status_command(session_of(ctx))


@privacy_app.command()
def show(
    ctx: typer.Context,
    order: Annotated[str, typer.Argument(help="The marketplace's order id.")],
    reason: Reason,
    by: By = None,
    json: Json = False,
) -> None:
    """The customer of one order, as the vendor sent it; that you looked is remembered."""
    from orchestration.cli.commands.privacy import show_command

    show_command(session_of(ctx), order, reason=reason, by=by)


@privacy_app.command()
def find(
    ctx: typer.Context,
    clue: Annotated[str, typer.Argument(help="A whole postcode, or the mail address of a customer.")],
    by: By = None,
    json: Json = False,
) -> None:
    """Orders by what their customer has in hand; that you searched is remembered, what for is not."""
    from orchestration.cli.commands.privacy import find_command

    find_command(session_of(ctx), clue, by=by)


@privacy_app.command()
def erase(
    ctx: typer.Context,
    orders: Annotated[list[str], typer.Argument(help="Order ids of the marketplace.", metavar="ORDER...")],
    reason: Reason,
    by: By = None,
    json: Json = False,
) -> None:
    """Erase the customers of these orders from all evidence and every backup of it, for good: their keys are deleted.

    Amounts, marts and hashes stay. There is no way back.
    """
    from orchestration.cli.commands.privacy import erase_command

    erase_command(session_of(ctx), orders, reason=reason, by=by)


@privacy_app.command()
def retention(
    ctx: typer.Context,
    carry_out: Annotated[bool, typer.Option("--erase", help="Erase them; without it they are only counted.")] = False,
    by: By = None,
    json: Json = False,
) -> None:
    """Customers that retention.csv no longer allows to keep."""
    from orchestration.cli.commands.privacy import retention_command

    retention_command(session_of(ctx), carry_out=carry_out, by=by)


@privacy_app.command()
def reapply(ctx: typer.Context, json: Json = False) -> None:
    """After a backup was put back: erase again what was erased since, and note in the chain what it does not know."""
    from orchestration.cli.commands.privacy import reapply_command

    reapply_command(session_of(ctx))
