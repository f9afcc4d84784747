"""The asset graph as text, so that a change of it shows up in review: of the default configuration, with a company of
every ERP switched on.

`python -m tests.test_asset_graph` writes the snapshot anew after a change that was meant.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from orchestration.definitions import build
from orchestration.lib.settings import DEFAULT_CONFIG_DIR, Settings
from orchestration.lib.workspace import Workspace
from tests.orchestration.conftest import rewrite

SNAPSHOT = Path(__file__).parent / "snapshots" / "asset_graph.txt"


def rendered(folder: Path) -> str:
    config = Path(shutil.copytree(DEFAULT_CONFIG_DIR, folder / "config"))
    rewrite(config / "erps.csv", lambda rows: [{**row, "is_enabled": "true"} for row in rows])
    definitions = build(Workspace.open(Settings(data_dir=folder / "data", config_dir=config)))
    graph = definitions.resolve_asset_graph()
    checks: dict[str, list[str]] = {}
    for check in graph.asset_check_keys:
        checks.setdefault(check.asset_key.to_user_string(), []).append(check.name)
    lines = []
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        lines.append(f"{node.group_name}: {key.to_user_string()}{' (partitioned)' if node.partitions_def else ''}")
        lines += [f"    < {parent.to_user_string()}" for parent in sorted(node.parent_keys)]
        lines += [f"    ? {name}" for name in sorted(checks.get(key.to_user_string(), []))]
    lines += [f"job: {job.name}" for job in sorted(definitions.resolve_all_job_defs(), key=lambda job: job.name)]
    lines += [
        f"schedule: {item.name} {item.cron_schedule}"
        for item in sorted(definitions.schedules or [], key=lambda item: item.name)
    ]
    lines += [f"sensor: {item.name}" for item in sorted(definitions.sensors or [], key=lambda item: item.name)]
    return "\n".join(lines) + "\n"


def test_the_asset_graph_is_the_one_that_was_reviewed(tmp_path: Path) -> None:
    assert rendered(tmp_path) == SNAPSHOT.read_text(), "if this is meant: python -m tests.test_asset_graph"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        SNAPSHOT.write_text(rendered(Path(folder)))
