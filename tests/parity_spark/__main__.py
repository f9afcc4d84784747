"""Builds the marts of one world on DuckDB and on Spark, from the same Parquet, and compares every row.

Ends with 1 when anything differs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from orchestration.lib import dbt
from orchestration.lib.settings import Settings
from sandbox.config import read_environment
from tests.parity_spark import raw as raw_tables
from tests.parity_spark.compare import SCHEMAS, compare, report
from tests.pipeline.site import Site, running_sandbox

ENGINE = Path(__file__).with_name("engine.py")


@contextmanager
def world(orders: int, seed: int, kept: Path | None, folder: Path) -> Iterator[tuple[Settings, Path]]:
    """A data folder on which the settlement and the stock lane have run, with its clock, and its configuration.

    The loader has written raw to `folder`/raw, except where `kept` names an earlier `tieout demo --dir`.
    """
    if kept is not None:
        environment = read_environment(kept / "env")
        yield _settings(kept / "data", environment), Path(environment["TIEOUT_CONFIG_DIR"])
        return
    with running_sandbox(folder / "sandbox", orders=orders, seed=seed) as url:
        site = Site(url, folder / "sandbox", folder / "data", {"TIEOUT_RAW_URL": str(folder / "raw")})
        site.tieout("run", "settlement")
        site.tieout("run", "stock")
        yield _settings(site.data_dir, site.env), Path(site.env["TIEOUT_CONFIG_DIR"])


def _settings(data: Path, environment: Mapping[str, str]) -> Settings:
    return Settings(data_dir=data, as_of=datetime.fromisoformat(environment["TIEOUT_AS_OF"]))


def build_on_duckdb(settings: Settings) -> float:
    """Builds all models from nothing; the seconds that takes.

    Raises RuntimeError when a model fails.
    """
    started = time.perf_counter()
    result = dbt.build(settings, exclude=("resource_type:test",), has_own_tests=False)
    if not result.ok:
        raise RuntimeError(f"DuckDB: {result.error or [(node.name, node.message) for node in result.failures[:5]]}")
    return time.perf_counter() - started


def build_on(engine: str, python: Path, settings: Settings, raw: Path, folder: Path) -> str:
    """The same in the Spark environment; the seconds of its parts. Raises CalledProcessError."""
    variables = next(part for part in dbt.arguments("run", settings) if part.startswith("--vars="))
    command = [
        str(python.absolute()), str(ENGINE), "--engine", engine, "--project", str(dbt.project_path(settings)),
        "--raw", str(raw), "--work", str(folder / "work"), "--out", str(folder / "tables"),
        "--schemas", *SCHEMAS, variables,
    ]  # fmt: skip
    environment = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DBT_LOG_PATH": str(folder / "logs")}
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[
        -1
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.parity_spark", description=__doc__)
    parser.add_argument("--orders", type=int, default=300)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--engine", choices=("sail", "spark"), action="append", help="default: sail")
    parser.add_argument("--python", type=Path, default=Path(".venv-spark/bin/python"), help="of the Spark environment")
    parser.add_argument(
        "--world", type=Path, default=None, help="folder of an earlier `tieout demo`; nothing is played"
    )
    parser.add_argument("--dir", type=Path, default=None, help="keep everything here; default: thrown away")
    chosen = parser.parse_args(arguments)
    differences = 0
    with tempfile.TemporaryDirectory(prefix="parity-spark-") as scratch:
        folder = (chosen.dir or Path(scratch)).absolute()
        raw = folder / "raw"
        with world(chosen.orders, chosen.seed, chosen.world, folder) as (source, config):
            settings = Settings(data_dir=folder / "duckdb", config_dir=config, as_of=source.as_of)
            if chosen.world is not None:
                raw_tables.write(source, str(raw))
            raw_tables.read(settings, raw)
            if odd := raw_tables.odd_tables(source, settings):
                raise SystemExit(f"the Parquet files do not hold what the warehouse holds: {', '.join(odd)}")
        sys.stdout.write(f"DuckDB: built in {build_on_duckdb(settings):.1f} s\n")
        for engine in chosen.engine or ["sail"]:
            told = build_on(engine, chosen.python, settings, raw, folder / engine)
            compared = compare(settings.warehouse_path, folder / engine / "tables")
            sys.stdout.write(f"{engine}: seconds {told}\n{report(compared, engine)}\n")
            differences += sum(each.differences for each in compared)
    return 1 if differences else 0


if __name__ == "__main__":
    raise SystemExit(main())
