"""`tieout alerts …`: the commands and their options."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestration.cli.options import By, Json, session_of

alerts_app = typer.Typer(help="Who was told of what, who has it, and how much noise it made.")

Team = Annotated[str | None, typer.Option("--team", "-t", help="FINANCE, OPERATIONS or CUSTOMER_SERVICE.")]


@alerts_app.callback(invoke_without_command=True)
def alerts(ctx: typer.Context, team: Team = None, json: Json = False) -> None:
    """The open causes: one line each, gravest first, with who has it."""
    if ctx.invoked_subcommand is None:
        from orchestration.cli.commands.alerts import list_command

        list_command(session_of(ctx), team=team)


@alerts_app.command()
def ack(
    ctx: typer.Context,
    cause: Annotated[str, typer.Argument(help="The cause's id, as it stands in the message, or an exception's id.")],
    reason: Annotated[str, typer.Option("--reason", help="What you do about it; name no customer.")],
    by: By = None,
    json: Json = False,
) -> None:
    """Take a cause: no more messages of it, no escalation, until it becomes worse."""
    from orchestration.cli.commands.alerts import ack_command

    ack_command(session_of(ctx), cause, reason=reason, by=by)


@alerts_app.command()
def send(ctx: typer.Context, json: Json = False) -> None:
    """Look now, as every lane does when it ends: tell what is new, escalate, send the digests that are due."""
    from orchestration.cli.commands.alerts import send_command

    send_command(session_of(ctx))


@alerts_app.command()
def digest(
    ctx: typer.Context, team: Annotated[str, typer.Option("--team", "-t", help="Whose.")], json: Json = False
) -> None:
    """The daily digest of a team as it would read now. Sends nothing."""
    from orchestration.cli.commands.alerts import digest_command

    digest_command(session_of(ctx), team=team)


@alerts_app.command()
def report(
    ctx: typer.Context,
    days: Annotated[int, typer.Option("--days", min=1, help="How far back.")] = 30,
    json: Json = False,
) -> None:
    """Noise: messages per day, team and channel, what they stood for, and what was held back and why."""
    from orchestration.cli.commands.alerts import report_command

    report_command(session_of(ctx), days=days)


@alerts_app.command("test")
def try_out(ctx: typer.Context, json: Json = False) -> None:
    """Send one test message through every channel of alert_routes.csv. Ends with 1 when one did not take it."""
    from orchestration.cli.commands.alerts import test_command

    test_command(session_of(ctx))
