"""`tieout replay`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from orchestration.cli.output import Col, console, print_json, table
from orchestration.cli.problems import CliError, ExitCode
from orchestration.cli.session import Session

if TYPE_CHECKING:
    from orchestration.lib.points import Point

POINTS = (
    Col("number", "No", "number"),
    Col("as_of", "As of (UTC)", "moment"),
    Col("last_batch", "Extractions", "number"),
    Col("project_version", "Version", "code"),
    Col("rules", "Models", "code"),
)


def replay_command(session: Session, as_of: str | None, number: int | None, to: Path | None) -> None:
    """List the points, or build one: the newest up to `as_of`, or `number`. Ends with 1 when a mart differs."""
    from orchestration.lib.points import ReplayRefused, points, replay

    known = points(session.settings)
    if as_of is None and number is None:
        rows = [
            {name: getattr(one, name) for name in ("number", "as_of", "last_batch", "project_version")}
            | {"rules": one.rules[:12]}
            for one in known
        ]
        if session.as_json:
            print_json({"points": rows})
            return
        console().print(table(rows, POINTS))
        console().print("`tieout replay --as-of MOMENT --to FOLDER` builds the marts of that time again.", style="dim")
        return
    if to is None:
        raise CliError("name a new folder with --to", code=ExitCode.USAGE)
    wanted = _chosen(known, as_of, number)
    try:
        done = replay(session.settings, wanted, to)
    except ReplayRefused as error:
        raise CliError(str(error)) from error
    if session.as_json:
        print_json(
            {
                "number": done.point.number,
                "as_of": done.point.as_of,
                "marts": len(done.published.marts),
                "differing": list(done.differing),
                "path": str(done.published.path),
            }
        )
    else:
        out = console()
        equal = len(done.published.marts) - len(done.differing)
        out.print(f"Point {done.point.number}, as of {done.point.as_of[:16]} UTC: {done.published.path}", markup=False)
        if done.differing:
            out.print(f"{equal} marts are as they were; these are not: {', '.join(done.differing)}", style="bold red")
        else:
            out.print(f"All {equal} marts are as they were, row by row.", style="green")
    if done.differing:
        raise typer.Exit(int(ExitCode.ERROR))


def _chosen(known: Sequence[Point], as_of: str | None, number: int | None) -> Point:
    from orchestration.lib.settings import parse_stamp, stamp

    if number is not None:
        for one in known:
            if one.number == number:
                return one
        raise CliError(f"there is no point {number}", action="`tieout replay` lists them.", code=ExitCode.USAGE)
    try:
        moment = stamp(parse_stamp(str(as_of)))
    except ValueError as error:
        raise CliError(f"{as_of!r} is no moment: {error}", code=ExitCode.USAGE) from None
    until = [one for one in known if one.as_of <= moment]
    if not until:
        first = known[0].as_of if known else "none"
        raise CliError(f"nothing was published by {as_of}", action=f"The first point is {first}.")
    return until[-1]
