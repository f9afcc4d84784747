"""`tieout reload`."""

from __future__ import annotations

from filelock import FileLock

from orchestration.cli.output import console, print_json
from orchestration.cli.session import Session


def reload_command(session: Session) -> None:
    """Drop the raw tables and load every evidence file again."""
    from orchestration.lib.loading import reload

    settings = session.settings
    settings.locks_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.locks_dir / "lane.lock", timeout=3600):
        result = reload(settings)
    if session.as_json:
        print_json(
            {
                "files": result.files,
                "records": result.records,
                "inserted": result.inserted,
                "duplicates": result.duplicates,
                "quarantined": result.quarantined,
            }
        )
        return
    words = f"{result.files:,} files, {result.records:,} records: {result.inserted:,} loaded, "
    out = console()
    out.print(words + f"{result.duplicates:,} repeated, {result.quarantined:,} quarantined.")
    out.print("The next `tieout run` builds everything on them.", style="dim")
