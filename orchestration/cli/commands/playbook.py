"""`tieout playbook`."""

from __future__ import annotations

from pathlib import Path

from orchestration.cli.output import console, print_json
from orchestration.cli.problems import CliError
from orchestration.cli.session import Session


def playbook_command(session: Session, directory: Path) -> None:
    """Write the playbook of the configuration to `directory`."""
    from orchestration.lib.registry import load_registry
    from orchestration.lib.settings import PROJECT_ROOT
    from orchestration.playbook.write import Playbook, write

    runbooks = PROJECT_ROOT / "docs" / "runbooks.md"
    if not runbooks.is_file():
        raise CliError(f"{runbooks} is missing", action="Install Tieout again.")
    registry = load_registry(session.settings.config_dir)
    today = session.settings.clock.now().date()
    written = write(Playbook(registry, runbooks.read_text(encoding="utf-8"), today), directory)
    if session.as_json:
        print_json({"directory": str(directory), "files": [str(path) for path in written]})
        return
    out = console()
    out.print(f"{len(written)} files written to {directory}; start with {directory}/pages/index.md.", markup=False)
    out.print(f"A site of it: mkdocs build --config-file {directory}/mkdocs.yml (or make playbook).", markup=False)
