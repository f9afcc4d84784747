"""A lane on a disk that runs full and one that is read-only, in a mount namespace of its own (see test_machine_faults).

`python -m tests.orchestration.small_disk FOLDER FREE...`: FOLDER is a small tmpfs; every FREE leaves so many kB for one
run. Prints one JSON document.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from orchestration.cli.problems import problem_of
from orchestration.lib import integrity
from orchestration.lib.lanes import run_lane
from orchestration.lib.settings import Settings
from tests.orchestration.conftest import rewrite, settings_of, small_configuration
from tests.orchestration.test_lanes import totals, vendors, workspace


def attempt(settings: Settings) -> list[str]:
    """What a person reads of one run of the settlement lane: its problems, or the error that ended it."""
    try:
        result = run_lane("settlement", settings, workspace=workspace(settings, vendors(BRICO=40)), all_feeds=True)
    except Exception as error:
        problem = problem_of(error)
        return [*problem.messages, problem.action]
    return [problem.detail for problem in result.problems]


def main(folder: Path, levels: list[int]) -> None:
    small_configuration(folder / "config")
    settings = settings_of(folder)
    rewrite(settings.config_dir / "marketplaces.csv", lambda rows: rows[:1])
    ballast = folder / "ballast"
    seen: dict[str, Any] = {"full": {}}
    for free in levels:
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(folder).free - free * 1000)
        seen["full"][free] = attempt(settings)
        ballast.unlink()
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    seen["read_only"] = attempt(settings)
    subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)
    seen["afterwards"] = attempt(settings)
    seen["totals"] = totals(settings)
    seen["integrity"] = integrity.verify(settings).problems
    print(json.dumps(seen))


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(level) for level in sys.argv[2:]])
