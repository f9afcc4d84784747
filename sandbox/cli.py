"""The commands `tieout sandbox`, `tieout demo` and `tieout dev`."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

DEFAULT_FOLDER = Path(".tieout/sandbox")


def sandbox(
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one and writes it to sandbox.json.")] = 8800,
    orders: Annotated[int, typer.Option(help="Orders in the generated world; the rest grows with them.")] = 5000,
    seed: Annotated[int, typer.Option(help="The same seed and size give the same world, to the byte.")] = 7,
    directory: Annotated[
        Path,
        typer.Option("--dir", help="Folder for configuration, environment, bank files, truth and what was written."),
    ] = DEFAULT_FOLDER,
    host: Annotated[str, typer.Option(help="Address to listen on; the loopback unless you know why.")] = "127.0.0.1",
    as_of: Annotated[
        str | None, typer.Option(help="The world's present (ISO 8601 with offset); default 2026-07-03T08:00:00Z.")
    ] = None,
    faults: Annotated[bool, typer.Option(help="Plant the faults of the truth file.")] = True,
    marketplace: Annotated[
        list[str] | None, typer.Option("--marketplace", "-m", help="Only this marketplace code; may be repeated.")
    ] = None,
    erp: Annotated[
        Literal["sage200", "netsuite"], typer.Option(help="Where BRICO's books are; HOMELY's are in NetSuite.")
    ] = "sage200",
    currency: Annotated[
        Literal["GBP", "EUR"],
        typer.Option(help="What BRICO trades in; in euro it has faults of foreign money only."),
    ] = "GBP",
    scenario: Annotated[
        list[Path] | None,
        typer.Option("--scenario", help="A worked example, or a folder of them, instead of a generated world."),
    ] = None,
    settlement_led: Annotated[
        list[str] | None,
        typer.Option("--settlement-led", help="Settlements book the sales of this one (with NetSuite); repeatable."),
    ] = None,
    operator_books: Annotated[
        bool, typer.Option("--operator-books", help="PLAZA's operator keeps books, in a NetSuite account of its own.")
    ] = False,
) -> None:
    """Serve generated Mirakl marketplaces, a Sage 200 company and a NetSuite account until stopped (Ctrl+C)."""
    from sandbox.serve import serve
    from sandbox.world import ALL_MARKETPLACES, DEFAULT_AS_OF

    for option, named in (("--marketplace", marketplace), ("--settlement-led", settlement_led)):
        if unknown := set(named or ()).difference(ALL_MARKETPLACES):
            raise typer.BadParameter(
                f"no {', '.join(sorted(unknown))}; there are {', '.join(ALL_MARKETPLACES)}", param_hint=option
            )

    out = Console(stderr=True, highlight=False)
    moment = datetime.fromisoformat(as_of) if as_of else DEFAULT_AS_OF
    if moment.tzinfo is None:
        raise typer.BadParameter("needs an offset, such as 2026-07-03T08:00:00Z", param_hint="--as-of")
    environment = directory.absolute() / "env"

    def report(text: str) -> None:
        out.print(text, soft_wrap=True)
        if "answer at" in text:
            out.print(f"In another shell: [bold]tieout --env-file {environment} run settlement[/bold]", soft_wrap=True)

    try:
        serve(
            directory,
            host=host,
            port=port,
            orders=orders,
            seed=seed,
            as_of=moment,
            faults=faults,
            report=report,
            marketplaces=marketplace or ALL_MARKETPLACES,
            erp=erp,
            currency=currency,
            scenarios=scenario or (),
            settlement_led=settlement_led or (),
            operator_books=operator_books,
        )
    except (OSError, ValueError) as error:
        out.print(f"[bold red]error:[/bold red] {error}")
        raise typer.Exit(1) from error


def demo(
    orders: Annotated[int, typer.Option(help="Orders in the generated world.")] = 5000,
    seed: Annotated[int, typer.Option(help="Seed of the generated world.")] = 7,
    directory: Annotated[
        Path | None, typer.Option("--dir", help="Folder to work in; default .tieout/demo. It is emptied first.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the sandbox running afterwards.")] = False,
    json: Annotated[bool, typer.Option("--json", help="The summary as one JSON document.")] = False,
    outage: Annotated[
        bool, typer.Option("--outage", help="Instead: six simulated hours without the ERPs, orders coming in.")
    ] = False,
    with_outage: Annotated[
        bool,
        typer.Option(
            "--with-outage/--without-outage",
            help="The ERPs are away for six simulated hours while the orders lane runs.",
        ),
    ] = True,
) -> None:
    """Run the whole pipeline on a generated world and check what it found against the truth."""
    if outage:
        from sandbox.outage import run_outage

        raise typer.Exit(run_outage(seed=seed, folder=directory or Path(".tieout/outage")))
    from sandbox.demo import run_demo

    raise typer.Exit(
        run_demo(orders=orders, seed=seed, folder=directory, keep=keep, as_json=json, with_outage=with_outage)
    )


def dev(
    orders: Annotated[int, typer.Option(help="Orders in the generated world.")] = 5000,
    seed: Annotated[int, typer.Option(help="Seed of the generated world.")] = 7,
    directory: Annotated[Path, typer.Option("--dir", help="Folder of the sandbox and the pipeline's data.")] = Path(
        ".tieout/dev"
    ),
    port: Annotated[int, typer.Option(help="Port of Dagster's web UI.")] = 3000,
) -> None:
    """Serve a sandbox and Dagster's web UI on it until stopped (Ctrl+C)."""
    from sandbox.demo import run_dev

    raise typer.Exit(run_dev(orders=orders, seed=seed, folder=directory, port=port))
