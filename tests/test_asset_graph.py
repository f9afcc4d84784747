"""The asset graph as text, so that a change of it shows up in review.

`python -m tests.test_asset_graph` writes the snapshot anew after a change that was meant.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from orchestration.definitions import build
from orchestration.lib.settings import Settings
from orchestration.lib.workspace import Workspace

SNAPSHOT = Path(__file__).parent / "snapshots" / "asset_graph.txt"


def rendered(data_dir: Path) -> str:
    definitions = build(Workspace.open(Settings(data_dir=data_dir)))
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
