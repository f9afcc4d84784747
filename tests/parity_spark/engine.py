"""Builds the dbt project on Sail or on a Spark session of this process, and writes the compared tables as Parquet.

Runs with the interpreter of the Spark environment (requirements/spark.txt), which knows nothing of the pipeline.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from dbt.cli.main import dbtRunner
from pyspark.sql import SparkSession


def session_of(engine: str, folder: Path) -> Any:
    """The session that dbt-spark will find and use. The catalogue is kept in memory, the tables below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    if engine == "sail":
        from pysail.spark import SparkConnectServer

        server = SparkConnectServer(ip="127.0.0.1", port=0)
        server.start(background=True)
        host, port = server.listening_address
        os.environ["SPARK_REMOTE"] = f"sc://{host}:{port}"
        return SparkSession.builder.getOrCreate(), server
    return (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.memory", "3g")
        .config("spark.sql.catalogImplementation", "in-memory")
        .config("spark.sql.warehouse.dir", str(folder / "tables"))
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    ), None


def run_dbt(command: Sequence[str], options: Sequence[str]) -> None:
    """Raises SystemExit with what failed."""
    outcome = dbtRunner().invoke(["--no-version-check", "--log-level=error", *command, *options])
    if outcome.exception is not None:
        raise SystemExit(f"dbt {command[0]}: {outcome.exception}")
    if not outcome.success:
        failed = [
            f"{result.node.name}: {result.message}"
            for result in getattr(outcome.result, "results", ())
            if result.status not in ("success", "pass")
        ]
        raise SystemExit(f"dbt {command[0]}: {len(failed)} failed\n" + "\n".join(failed[:20]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=("sail", "spark"), required=True)
    parser.add_argument("--project", required=True)
    parser.add_argument("--vars", required=True)
    parser.add_argument("--raw", required=True, help="folder or address of the raw Parquet files")
    parser.add_argument("--schemas", nargs="+", required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    spark, server = session_of(chosen.engine, chosen.work)
    options = [
        f"--project-dir={chosen.project}",
        f"--profiles-dir={chosen.project}",
        f"--target-path={chosen.work / 'target'}",
        f"--vars={chosen.vars}",
        "--target=spark",
    ]
    seconds = {}
    for name, command in (
        ("register", ["run-operation", "register_raw", "--args", json.dumps({"url": chosen.raw})]),
        ("seed", ["seed"]),
        ("models", ["run"]),
    ):
        started = time.perf_counter()
        run_dbt(command, options)
        seconds[name] = round(time.perf_counter() - started, 1)
    for schema in chosen.schemas:
        for row in spark.sql(f"show tables in {schema}").collect():
            name = f"{schema}.{row['tableName']}"
            pq.write_table(spark.table(name).toArrow(), chosen.out / f"{name}.parquet")
    sys.stdout.write(json.dumps(seconds) + "\n")
    spark.stop()
    if server is not None:
        server.stop()


if __name__ == "__main__":
    main()
