"""What each layer of a build costs: seconds, processor seconds, memory at its largest, bytes on disk.

A build is one process, so its layers are told apart by what happens between the ends of two nodes: that counts as the
second one's, dbt's work on it included. dbt builds two nodes at a time, mostly of one layer, so a layer's figures are
near and their sum is exact.
"""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from orchestration.lib.dbt import NodeResult

LAYERS = ("starting", "seeds", "staging", "ledger", "matching", "accounting", "marts", "actions", "tests")
_RESET_PEAK = "5"
"""What proc(5) takes to forget the largest resident size."""


class Meter:
    """Called after every node. `schemas`: the schema of each model by its unique id."""

    def __init__(self, schemas: Mapping[str, str]) -> None:
        self._schemas = schemas
        self.rows: dict[str, dict[str, float]] = {}
        self._is_first = True
        self._seconds, self._processor = time.monotonic(), _processor()
        _forget_peak()

    def __call__(self, node: NodeResult) -> None:
        seconds, processor = time.monotonic(), _processor()
        # Before the first node dbt loads the project.
        layer = "starting" if self._is_first else self.layer_of(node)
        self._is_first = False
        row = self.rows.setdefault(layer, {"seconds": 0.0, "processor_seconds": 0.0, "peak_bytes": 0, "nodes": 0})
        row["seconds"] += seconds - self._seconds
        row["processor_seconds"] += processor - self._processor
        row["peak_bytes"] = max(row["peak_bytes"], _peak())
        row["nodes"] += 1
        _forget_peak()
        self._seconds, self._processor = seconds, processor

    def layer_of(self, node: NodeResult) -> str:
        if node.resource_type == "model":
            return self._schemas.get(node.unique_id, "marts")
        return "seeds" if node.resource_type == "seed" else "tests"


def schemas_of(manifest: Path) -> dict[str, str]:
    """The schema of every model in dbt's manifest."""
    nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"]
    return {unique_id: str(node["schema"]) for unique_id, node in nodes.items() if node["resource_type"] == "model"}


def bytes_of_schemas(warehouse: Path) -> dict[str, int]:
    """What the tables of each schema take in the file: the blocks that hold their columns. A block that two tables
    share counts for the one, so small tables are not exact.
    """
    sizes: dict[str, int] = {}
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        ((block,),) = connection.execute("select block_size from pragma_database_size() limit 1").fetchall()
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() where not temporary"
        ).fetchall()
        seen: set[int] = set()
        for schema, table in sorted(tables):
            rows = connection.execute(
                "select distinct unnest([block_id] || coalesce(additional_block_ids, [])) from pragma_storage_info(?)",
                [f'"{schema}"."{table}"'],
            ).fetchall()
            blocks = {int(number) for (number,) in rows if number is not None and number >= 0} - seen
            seen |= blocks
            sizes[schema] = sizes.get(schema, 0) + len(blocks) * int(block)
    return sizes


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _peak() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def _forget_peak() -> None:
    try:
        Path("/proc/self/clear_refs").write_text(_RESET_PEAK)
    except OSError:  # not allowed here: the figures are then the largest so far
        return


def shown(rows: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, Any]]:
    """In the order of the build."""
    order = {layer: number for number, layer in enumerate(LAYERS)}
    return {layer: dict(rows[layer]) for layer in sorted(rows, key=lambda one: order.get(one, len(order)))}
