"""`tieout rebuild`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from orchestration.cli.output import console, print_json
from orchestration.cli.problems import CliError, ExitCode
from orchestration.cli.session import Session

if TYPE_CHECKING:
    from orchestration.lib.rebuilding import Rebuilt


def rebuild_command(session: Session) -> None:
    """Make warehouse and marts anew from the evidence. Ends with 1 when they are not proved."""
    from orchestration.lib.points import ReplayRefused
    from orchestration.lib.rebuilding import RebuildRefused, rebuild

    try:
        done = rebuild(session.settings)
    except (RebuildRefused, ReplayRefused) as error:
        raise CliError(str(error)) from error
    if session.as_json:
        print_json(_as_json(done))
    else:
        _print(done)
    if not done.is_proved:
        raise typer.Exit(int(ExitCode.ERROR))


def _print(done: Rebuilt) -> None:
    out, loaded, seconds = console(), done.loaded, done.seconds
    rows = sum(mart.rows for mart in done.published.marts)
    records = f"{loaded.records:,} records: {loaded.inserted:,} new, {loaded.duplicates:,} repeated, "
    for name, words, step in (
        ("evidence", f"{done.files:,} files, {done.byte_count:,} bytes, every hash right", "check"),
        ("loaded", records + f"{loaded.quarantined:,} bad", "load"),
        ("built", f"as of {done.as_of[:16].replace('T', ' ')} UTC", "build"),
        ("published", f"{len(done.published.marts):,} marts, {rows:,} rows", "publish"),
    ):
        out.print(f"  {name:<10} {words:<76} {seconds[step]:8.1f} s", markup=False, highlight=False)
    out.print(f"  {'in all':<87} {sum(seconds.values()):8.1f} s", markup=False, highlight=False)
    for mismatch in done.mismatches:
        out.print(f"{mismatch.feed}: {mismatch}", style="bold red" if mismatch.is_error else "yellow", markup=False)
    for one in done.differences:
        now = "is gone" if one.rows_now is None else f"{one.rows_now:,} rows now"
        before = "" if one.rows_before is None else f", {one.rows_before:,} before"
        out.print(f"{one.mart}: {now}{before}", markup=False)
    equal = len(done.published.marts) - sum(one.rows_now is not None for one in done.differences)
    if done.is_same_input and not done.differences:
        out.print(f"All {equal} marts are as they were, row by row; every count is proved.", style="green")
    elif done.is_same_input:
        out.print(
            f"{equal} marts are as they were. A lane that builds only its own marts (orders, dispatch, returns) "
            "leaves the others behind what it read; they now hold all evidence.",
            style="dim",
        )
    else:
        out.print(
            f"{equal} marts are as they were. Evidence, models or configuration have changed since they were last "
            "published, or that is not known, so the others may differ.",
            style="dim",
        )


def _as_json(done: Rebuilt) -> dict[str, object]:
    return {
        "files": done.files,
        "bytes": done.byte_count,
        "records": done.loaded.records,
        "inserted": done.loaded.inserted,
        "duplicates": done.loaded.duplicates,
        "quarantined": done.loaded.quarantined,
        "marts": len(done.published.marts),
        "rows": sum(mart.rows for mart in done.published.marts),
        "as_of": done.as_of,
        "is_same_input": done.is_same_input,
        "is_proved": done.is_proved,
        "differences": [
            {"mart": one.mart, "rows_before": one.rows_before, "rows_now": one.rows_now} for one in done.differences
        ],
        "mismatches": [f"{one.feed}: {one}" for one in done.mismatches],
        "seconds": done.seconds,
    }
