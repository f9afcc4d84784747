"""`tieout upgrade`."""

from __future__ import annotations

from orchestration.cli.output import Col, console, print_json, table
from orchestration.cli.problems import CliError
from orchestration.cli.session import Session

COLUMNS = (Col("file", "File", "code"), Col("words", "What this version adds", max_width=110))


def upgrade_command(session: Session, *, write: bool) -> None:
    """Say, or write, what the configuration folder lacks of this version. Ends with 1 when a file cannot be read or
    written, or a lane is running.
    """
    from orchestration.first_day.upgrading import additions
    from orchestration.lib.config_changes import ChangeRefused, no_lane
    from orchestration.lib.config_files import FileChanged
    from orchestration.lib.files import replace_file
    from orchestration.lib.integrity import seal_configuration
    from orchestration.lib.settings import DEFAULT_CONFIG_DIR

    settings = session.settings
    try:
        found = additions(settings.config_dir, DEFAULT_CONFIG_DIR)
        if write and found:
            with no_lane(settings):
                for addition in found:
                    replace_file(settings.config_dir / addition.file, addition.content)
                seal_configuration(settings)
    except (FileChanged, ChangeRefused, OSError) as problem:
        raise CliError(
            str(problem), action="Put it right and say `tieout upgrade` again: what is done is not done twice."
        ) from None
    if session.as_json:
        rows = [{"file": one.file, "columns": one.columns, "rows": one.rows, "is_new": one.is_new} for one in found]
        print_json({"is_written": write and bool(found), "additions": rows})
        return
    out = console()
    if not found:
        out.print(f"{settings.config_dir} has everything that this version needs.", style="green", markup=False)
        return
    out.print(table([{"file": one.file, "words": one.words} for one in found], COLUMNS))
    if write:
        out.print(
            "Written; nothing that was there has changed. `tieout doctor` checks it.", style="green", markup=False
        )
    else:
        out.print("Nothing is written yet: `tieout upgrade --write` does it.", style="dim", markup=False)
