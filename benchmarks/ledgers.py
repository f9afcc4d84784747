"""Every nominal line and every stock row of an ERP over HTTP into evidence files and `raw` tables.

    make bench-ledgers LINES=1000000 STOCK=200000

The sandbox serves them (`ledger_source.py`) and says how long it was at it itself; the rest is Tieout's. Calls are
compared with the fewest that the vendor's page limit allows, and the memory at a tenth of the lines with that at the
end: reading must not grow with what there is to read. Needs Linux (`/proc`).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from benchmarks.measuring import machine, measure, report
from benchmarks.serving import variables_of, wait_for

FEEDS = {"sage200": ("nominal_transactions", "warehouse_holdings"), "netsuite": ("gl_lines", "stock")}
PAGE = {"sage200": 5000, "netsuite": 1000}
"""The most records that the vendor gives at a time."""
MEMORY_LIMIT = "200MB"


def read(vendor: str, folder: Path) -> dict[str, Any]:
    """Both feeds of the one ERP account that the environment configures: records, seconds and memory."""
    from connectors.feeds import feed_spec
    from orchestration.lib import loading
    from orchestration.lib.connections import Connections
    from orchestration.lib.landing import Landing
    from orchestration.lib.registry import load_registry
    from orchestration.lib.settings import Settings
    from orchestration.lib.state import State

    settings = Settings.model_validate({"data_dir": folder, "memory_limit": MEMORY_LIMIT})
    registry = load_registry(settings.config_dir)
    (account,) = registry.accounts_of(vendor)
    connector = Connections(registry, settings).connector(vendor, account)
    feeds: dict[str, Any] = {}
    for entity in FEEDS[vendor]:
        memory: list[tuple[int, int]] = []

        def watch(received: int, _: int | None, memory: list[tuple[int, int]] = memory) -> None:
            memory.append((received, _resident()))

        began = time.monotonic()
        with State(settings.state_path) as state:
            batch = Landing(settings, state, "benchmark").land(
                feed_spec(vendor, entity), account, connector, overlap=timedelta(), on_page=watch
            )
        tenth = max(size for received, size in memory if received <= max(memory[0][0], batch.records_received // 10))
        feeds[entity] = {
            "records": batch.records_received,
            "seconds": time.monotonic() - began,
            "peak_bytes_at_a_tenth": tenth,
            "peak_bytes": max(size for _, size in memory),
        }
    began = time.monotonic()
    loaded = loading.load(settings)
    assert loading.proved_counts(settings) == [], "every record that was received is in raw"
    assert loaded.records == sum(feed["records"] for feed in feeds.values())
    return {"feeds": feeds, "seconds_to_load": time.monotonic() - began}


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def measured(vendor: str, lines: int, stock: int, port: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="tieout-bench-") as name:
        root = Path(name)
        source = [sys.executable, "-m", "benchmarks.ledger_source", "--erp", vendor, "--lines", str(lines)]
        source += ["--stock", str(stock), "--port", str(port), "--folder", str(root / "sandbox")]
        url = f"http://127.0.0.1:{port}"
        with (root / "server.log").open("wb") as log:
            process = subprocess.Popen(source, stdout=log, stderr=log)
            try:
                wait_for(f"{url}/_busy", process, root / "server.log")
                environment = {**os.environ, **variables_of(root / "sandbox" / "env")}
                run = measure(
                    [sys.executable, "-m", "benchmarks.ledgers", "--read", vendor, str(root / "data")], environment
                )
                busy = httpx.get(f"{url}/_busy").json()
            finally:
                process.terminate()
                process.wait()
    feeds = run.answer["feeds"]
    records = sum(feed["records"] for feed in feeds.values())
    fewest = sum(math.ceil(feed["records"] / PAGE[vendor]) for feed in feeds.values())
    seconds = sum(feed["seconds"] for feed in feeds.values())
    return {
        **run.answer,
        "records_per_second_read": records / seconds,
        "seconds_of_the_sandbox": busy["seconds"],
        "calls": busy["requests"],
        "fewest_calls": fewest,
        "calls_ratio": busy["requests"] / fewest,
        "peak_bytes_of_the_run": run.peak_bytes,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--stock", type=int, default=200_000)
    parser.add_argument("--erp", choices=tuple(FEEDS), action="append", help="only this one")
    parser.add_argument("--port", type=int, default=8990)
    parser.add_argument("--output", type=Path, help="where the figures go as JSON")
    parser.add_argument("--read", nargs=2, metavar=("VENDOR", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        sys.stdout.write(json.dumps(read(options.read[0], Path(options.read[1]))) + "\n")
        return
    result: dict[str, Any] = {"machine": machine(), "asked": {"lines": options.lines, "stock": options.stock}}
    for vendor in options.erp or FEEDS:
        result[vendor] = measured(vendor, options.lines, options.stock, options.port)
    report(result, options.output)


if __name__ == "__main__":
    main()
