"""`tieout evidence`."""

from __future__ import annotations

from orchestration.cli.output import Col, console, print_json, table
from orchestration.cli.problems import CliError
from orchestration.cli.session import Session
from orchestration.lib.evidence import evidence_of, problem_of

COLUMNS = (
    Col("table", "Record of", "code"),
    Col("account", "Account", "code"),
    Col("column", "Named as", "code"),
    Col("fetched_at", "Fetched (UTC)", "moment"),
    Col("position", "Record", "number"),
    Col("file", "In the file"),
)


def evidence_command(session: Session, wanted: str, *, limit: int) -> None:
    """The records that name the id, and whether their files are still what was landed."""
    settings = session.settings
    if not settings.warehouse_path.is_file():
        raise CliError("there is no warehouse yet", action="`tieout run settlement` fetches and keeps the evidence.")
    found = evidence_of(settings, wanted.strip(), limit=limit)
    if not found:
        raise CliError(
            f"no record names {wanted!r}", action="Ids are searched whole; `tieout explain` finds near ones."
        )
    problems = {one.file: words for one in found if (words := problem_of(settings, one)) is not None}
    if session.as_json:
        print_json({"id": wanted, "evidence": [one.to_dict() for one in found], "problems": problems})
        return
    out = console()
    out.print(table([one.to_dict() for one in found], COLUMNS))
    for file, words in problems.items():
        out.print(f"{file} {words}", style="bold red", markup=False)
    if not problems:
        out.print("Every file is what was landed (SHA-256).", style="green")
    out.print(
        f"Below {settings.root}; `zstd -dc FILE` shows one. Records count from 0; a file may hold names of customers.",
        style="dim",
        markup=False,
    )
