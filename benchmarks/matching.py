"""All models over raw tables of a size that is asked for, cold, and once more after a day's change.

    make bench-matching LINES=10000000

A small generated seller is read through the whole pipeline once; its raw tables are then copied in DuckDB until there
are as many transaction lines (`matching_world.py`). What is measured is the project's own build: seeds, models and the
tests on data, in one process; parsing the project, which a version of it costs once, and publishing are measured apart.
The day's change is built twice, on top and from nothing, and must give equal marts.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import matching_world
from benchmarks.layers import Meter, bytes_of_schemas, schemas_of, shown
from benchmarks.measuring import Measured, machine, measure
from benchmarks.serving import variables_of, wait_for_file

MEMORY_LIMIT = "2500MB"
LATER = "2026-07-03 07:30:00"
"""When the day's change was fetched: before the clock of the world."""
SLOWEST = 25


def parse() -> dict[str, Any]:
    from orchestration.lib import dbt
    from orchestration.lib.settings import Settings

    dbt.ensure_manifest(Settings())
    return {"processor_seconds": _processor_seconds()}


def publish() -> dict[str, Any]:
    """The marts as one file and as Parquet, each written anew."""
    from orchestration.lib import publish as publishing
    from orchestration.lib.settings import Settings

    settings = Settings()
    published = publishing.publish(settings)
    return {
        "processor_seconds": _processor_seconds(),
        "rows": sum(mart.rows for mart in published.marts),
        "marts": len(published.marts),
        "published_bytes": published.path.stat().st_size,
        "parquet_bytes": sum(path.stat().st_size for path in (settings.published_dir / "parquet").iterdir()),
    }


def _processor_seconds() -> float:
    """What a busy machine does not distort; all of it is spent in this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def build() -> dict[str, Any]:
    """One build with the environment's settings: seconds of each node."""
    from orchestration.lib import building, dbt
    from orchestration.lib.settings import Settings

    settings = Settings()
    meter = Meter(schemas_of(dbt.ensure_manifest(settings)))
    result = building.build(settings, on_node=meter)
    assert result.error is None, result.error
    failed = [f"{node.name}: {node.message}" for node in result.failures if node.resource_type != "test"]
    assert not failed, failed
    assert not result.skipped, [node.name for node in result.skipped]  # what was left out costs nothing
    slowest = sorted(result.nodes, key=lambda node: -node.seconds)[:SLOWEST]
    return {
        "processor_seconds": _processor_seconds(),
        "models": result.count("model"),
        "tests": result.count("test"),
        "failed_tests": [node.name for node in result.failures],
        "seconds_of_nodes": sum(node.seconds for node in result.nodes),
        "layers": shown(meter.rows),
        "slowest": {f"{node.resource_type} {node.name}": round(node.seconds, 2) for node in slowest},
    }


def make_template(folder: Path, orders: int, port: int) -> None:
    """One seller's world, read, matched and posted; nothing to do when it is there already."""
    if (folder / "done").exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    source = [sys.executable, "-m", "benchmarks.matching_source", "--orders", str(orders)]
    source += ["--port", str(port), "--folder", str(folder)]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(source, stdout=log, stderr=log)
        try:
            wait_for_file(folder / "env", process, folder / "server.log")
            lane = [sys.executable, "-m", "orchestration.cli", "--env-file", str(folder / "env"), "run", "settlement"]
            subprocess.run(lane, check=True, stdout=log, stderr=log)
        finally:
            process.terminate()
            process.wait()
    (folder / "done").touch()


STEPS = {"parse": parse, "build": build, "publish": publish}


def _step(name: str, folder: Path, variables: Mapping[str, str]) -> Measured:
    """One of the steps in a process of its own."""
    from orchestration.lib.settings import Settings
    from orchestration.lib.warehouse import forget_changes

    forget_changes(Settings(data_dir=folder))  # copies and changes of this benchmark are written outside Tieout
    environment = {
        **os.environ,
        **variables,
        "TIEOUT_DATA_DIR": str(folder),
        "TIEOUT_CONFIG_DIR": str(folder / "config"),
        "TIEOUT_MEMORY_LIMIT": MEMORY_LIMIT,
    }
    return measure([sys.executable, "-m", "benchmarks.matching", "--step", name], environment)


def _shown(run: Measured) -> dict[str, Any]:
    return {"seconds": run.seconds, "peak_bytes": run.peak_bytes, **run.answer}


def measured(
    folder: Path,
    lines: int,
    template_orders: int,
    port: int,
    *,
    with_change: bool,
    on_published: Callable[[Path], None] | None = None,
) -> dict[str, Any]:
    """Figures of the builds. `on_published` is called with the data folder while the published file is there."""
    template = folder / "template"
    make_template(template, template_orders, port)
    origin = template / "data" / "warehouse.duckdb"
    with duckdb.connect(str(origin), read_only=True) as connection:
        ((here,),) = connection.execute("select count(*) from raw.mirakl_transaction_lines").fetchall()
        ((orders,),) = connection.execute("select count(*) from raw.mirakl_orders").fetchall()
    copies = math.ceil(lines / here)
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    matching_world.multiply_configuration(template / "config", data / "config", copies)
    warehouse = data / "warehouse.duckdb"
    matching_world.multiply_raw(origin, warehouse, copies)
    variables = variables_of(template / "env")
    result: dict[str, Any] = {"orders": orders * copies, "transaction_lines": here * copies, "sellers": copies}
    result["raw_bytes"] = warehouse.stat().st_size
    result["parse"] = _shown(_step("parse", data, variables))
    result["cold"] = _shown(_step("build", data, variables))
    result["warehouse_bytes"] = warehouse.stat().st_size
    result["schema_bytes"] = bytes_of_schemas(warehouse)
    result["publish"] = _shown(_step("publish", data, variables))
    if on_published is not None:
        on_published(data)
    shutil.rmtree(data / "published")  # nobody reads it, and a disk is only so large
    if not with_change:
        return result
    result["changed_lines"] = matching_world.change(warehouse, LATER)
    warehouse.with_suffix(".seal").unlink(missing_ok=True)  # changed outside Tieout, and meant to be
    result["change"] = _shown(_step("build", data, variables))
    on_top = matching_world.digests(warehouse)
    (data / "dbt" / "last_build.json").unlink(missing_ok=True)
    with duckdb.connect(str(warehouse)) as connection:
        for schema in ("marts", "matching", "accounting", "ledger", "staging", "actions"):
            connection.execute(f"drop schema if exists {schema} cascade")
    warehouse.with_suffix(".seal").unlink(missing_ok=True)
    _step("build", data, variables)
    anew = matching_world.digests(warehouse)
    result["marts_that_differ"] = sorted(name for name in anew if anew[name] != on_top.get(name))
    result["change_to_cold"] = result["change"]["seconds"] / result["cold"]["seconds"]
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--template-orders", type=int, default=5000)
    parser.add_argument("--folder", type=Path, help="where to work and keep the template; default a temporary folder")
    parser.add_argument("--cold-only", action="store_true")
    parser.add_argument("--port", type=int, default=8991)
    parser.add_argument("--output", type=Path, help="where the figures go as JSON")
    parser.add_argument("--step", choices=tuple(STEPS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        sys.stdout.write(json.dumps(STEPS[options.step]()) + "\n")
        return
    with tempfile.TemporaryDirectory(prefix="tieout-bench-") as name:
        folder = options.folder or Path(name)
        found = measured(
            folder.absolute(),
            options.lines,
            options.template_orders,
            options.port,
            with_change=not options.cold_only,
        )
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    about = {"machine": machine(), "commit": commit.strip(), "date": datetime.now(UTC).date().isoformat()}
    text = json.dumps({**about, **found}, indent=2) + "\n"
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
