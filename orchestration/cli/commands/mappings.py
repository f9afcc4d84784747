"""`tieout mappings`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict

from orchestration.cli.output import Col, console, print_json, table
from orchestration.cli.problems import CliError, ExitCode
from orchestration.cli.session import Session, system_user
from orchestration.lib.config_changes import in_words, propose, rows_of
from orchestration.lib.config_files import MAPS, read_file
from orchestration.lib.landed_charts import landed_charts
from orchestration.lib.map_gaps import Gap, gaps

GAPS = (
    Col("file", "Map", "code"),
    Col("marketplace_code", "Market", "code"),
    Col("subject", "Without a row", max_width=40),
    Col("waiting_for", "Waits", max_width=40),
    Col("amount", "Worth", "money"),
    Col("currency_code", "", "code"),
    Col("why", "Proposal", max_width=60),
)
CHANGES = (
    Col("state", "State", "state"),
    Col("file", "Map", "code"),
    Col("words", "What", max_width=70),
    Col("reason", "Why", max_width=50),
    Col("proposed_by", "By", "code"),
    Col("proposed_at", "When (UTC)", "moment"),
    Col("decided_by", "Decided by", "code"),
    Col("change_key", "Key", "code"),
)


def gaps_command(session: Session) -> None:
    """One row per gap, and the command that proposes what is known of it."""
    found = gaps(session.published, session.settings.config_dir, landed_charts(session.settings))
    rows = [asdict(gap) | {"command": command_for(gap)} for gap in found]
    if session.as_json:
        print_json({"count": len(rows), "gaps": rows})
        return
    out = console()
    if not rows:
        out.print("Everything that was read has its mapping.", style="green")
        return
    out.print(table(rows, GAPS))
    for row in rows:
        out.print(row["command"], markup=False, style="dim", soft_wrap=True)


def command_for(gap: Gap) -> str:
    """The command that proposes the gap's row; what a person has to fill in stands as `?`."""
    needed = [name for name in MAPS[gap.file].model_fields if name != "line"]
    cells = {name: gap.cells.get(name) or ("" if gap.is_whole else "?") for name in needed}
    words = " ".join(f"-s {shlex.quote(f'{name}={value}')}" for name, value in cells.items() if value)
    return f"tieout mappings propose {gap.file} {words} --reason ..."


def rows_command(session: Session, file: str) -> None:
    """The rows of one map."""
    if file not in MAPS:
        raise CliError(f"{file} is no map", action=f"Maps: {', '.join(MAPS)}.", code=ExitCode.USAGE)
    held = read_file(session.settings.config_dir, file)
    if session.as_json:
        print_json({"file": file, "sha256": held.digest, "rows": held.rows})
        return
    console().print(table(held.rows, tuple(Col(name, name) for name in held.heading)))


def propose_command(
    session: Session,
    file: str,
    *,
    cells: Sequence[str],
    row: Sequence[str],
    remove: bool,
    reason: str,
    by: str | None,
) -> None:
    """Propose a row, a change of one, or that one goes. Raises ChangeRefused."""
    wanted, named = _pairs(cells), _pairs(row)
    if remove == bool(wanted) or (remove and not named):
        raise CliError(
            "say what the row shall be (--set), or name the row that goes (--row ... --remove)", code=ExitCode.USAGE
        )
    before = None
    if named:
        if file not in MAPS:
            raise CliError(f"{file} is no map", action=f"Maps: {', '.join(MAPS)}.", code=ExitCode.USAGE)
        held = read_file(session.settings.config_dir, file).rows
        fitting = [one for one in held if named.items() <= one.items()]
        if len(fitting) != 1:
            raise CliError(
                f"{file} has {len(fitting) or 'no'} rows with {', '.join(row)}",
                action=f"`tieout mappings rows {file}` shows them; name one.",
            )
        before = fitting[0]
    after = None if remove else {**(before or {}), **wanted}
    key = propose(session.settings, session.outbox, file, before, after, by=by or system_user(), reason=reason)
    if session.as_json:
        print_json({"change": key, "state": "PROPOSED"})
        return
    console().print(
        f"{key} waits for another person: tieout approve {shlex.quote(key)} --by NAME", markup=False, soft_wrap=True
    )


def changes_command(session: Session, *, state: str | None) -> None:
    """What was proposed, newest first."""
    found = session.outbox.changes.all() if session.has_outbox else []
    rows = [row | {"words": in_words(row)} for row in reversed(found) if state is None or row["state"] == state.upper()]
    if session.as_json:
        shown = []
        for row in rows:
            before, after = rows_of(row)
            shown.append({**row, "row_before": before, "row_after": after})
        print_json({"count": len(rows), "changes": shown})
        return
    out = console()
    if not rows:
        out.print("No changes.", style="dim")
        return
    out.print(table(rows, CHANGES))


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise CliError(f"{text!r} is not COLUMN=VALUE", action="Write -s item_code=A1.", code=ExitCode.USAGE)
        pairs[name.strip()] = value
    return pairs
