"""The whole suite at one size: `make bench SIZE=1m` (100k, 1m, 10m, 30m transaction lines).

    python -m benchmarks.suite --size 1m --peer-python .venv-peers/bin/python

Reading and loading over HTTP beside dlt (`ingest.py`); every model over that many lines, layer by layer, publishing and
a day's change (`matching.py`); a hand-written script of the same reconciliation as the floor, and pandas, Polars and
datacompy on the comparison of settlement lines with postings (`reconciling.py`); the web app's pages on the published
file (`pages.py`); what a lane costs that finds nothing to do (`idle.py`) and how long an order and a despatch wait
(`lanes.py`). One JSON file holds the figures; `suite_page.py` writes docs/benchmarks.md and docs/capacity.md from it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import ingest, matching, suite_page
from benchmarks.measuring import machine
from benchmarks.reconciling import reconciled

RESULTS = Path(__file__).parent / "results"
TEMPLATE_ORDERS = 5_000
LINES_PER_ORDER = 10
"""The generated sellers' orders have ten transaction lines."""
DLT_FORMATS = ("parquet",)
"""dlt is asked in its faster configuration; `make bench-ingest` asks both."""
UNITS = {"k": 1_000, "m": 1_000_000}
MONTHS = 12
"""A closed month has its share of a year's lines."""


@dataclass(frozen=True, slots=True)
class Run:
    """How many lines, where to work, the Python that has the peers (None: none are asked), a port and the next one."""

    lines: int
    folder: Path
    peer_python: str | None
    port: int


def lines_of(size: str) -> int:
    """100k, 1m, 30m. Raises ValueError for anything else."""
    match = re.fullmatch(r"(\d+)([km])", size.lower())
    if match is None:
        raise ValueError(f"{size!r} is no size: a number with k or m, such as 100k or 10m")
    return int(match[1]) * UNITS[match[2]]


def idle(run: Run) -> dict[str, Any]:
    _say("a lane with nothing to do")
    return {"idle": _part("idle", ["--port", str(run.port)], run.folder)}


def reading(run: Run) -> dict[str, Any]:
    _say("reading and loading")
    orders = run.lines // LINES_PER_ORDER
    return {"ingest": ingest.compare(orders, run.lines, run.peer_python, run.port, 1, DLT_FORMATS)}


def models(run: Run) -> dict[str, Any]:
    """The models, and on what they made the floor, the peers and the web app's pages."""
    _say("models")
    found: dict[str, Any] = {}

    def while_published(data: Path) -> None:
        _say("floor and peers")
        found["reconciling"] = reconciled(data, run.folder / "work", sys.executable, run.peer_python)
        _say("pages")
        command = ["--published", str(data / "published" / "tieout.duckdb"), "--lines", "0"]
        found["pages"] = _part("pages", command, run.folder)

    found["matching"] = matching.measured(
        run.folder, run.lines, TEMPLATE_ORDERS, run.port, with_change=True, on_published=while_published
    )
    return found


def close(run: Run) -> dict[str, Any]:
    _say("closing a month")
    template = run.folder / "template"
    matching.make_template(template, TEMPLATE_ORDERS, run.port)
    published = template / "data" / "published" / "tieout.duckdb"
    command = ["--published", str(published), "--lines", str(run.lines // MONTHS)]
    return {"close": _part("close", command, run.folder)}


def reaction(run: Run) -> dict[str, Any]:
    _say("a lane's reaction")
    command = ["--erp", "sage200", "--waiting", "0", "--minutes", "1", "--pause", "5", "--port", str(run.port)]
    return {"reaction": _part("lanes", command, run.folder)}


PARTS: Mapping[str, Callable[[Run], dict[str, Any]]] = {
    "idle": idle,
    "ingest": reading,
    "matching": models,
    "close": close,
    "reaction": reaction,
}


def measured(name: str, run: Run) -> dict[str, Any]:
    """The figures of one part, with its date, commit and what else the machine did."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    date, before = datetime.now(UTC).date().isoformat(), _load()
    found = PARTS[name](run)
    return {**found, "measured": {name: {"date": date, "commit": commit.strip(), "load": [before, _load()]}}}


def _load() -> float:
    return round(os.getloadavg()[0], 1)


def _part(name: str, arguments: list[str], folder: Path) -> dict[str, Any]:
    """The result of another benchmark, run in a process of its own."""
    output = folder / f"{name}.json"
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments, "--output", str(output)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    found: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
    return found


def _say(stage: str) -> None:
    sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} {stage}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--size", default="1m")
    parser.add_argument("--folder", type=Path, help="where to work and keep the template; default a temporary folder")
    parser.add_argument("--peer-python", help="Python of an environment that has the peers; default none are asked")
    parser.add_argument("--port", type=int, default=8960)
    parser.add_argument(
        "--only", nargs="+", choices=tuple(PARTS), help="measure these again, keep the others of the last run"
    )
    parser.add_argument("--without-pages", action="store_true", help="leave the pages of docs/ as they are")
    options = parser.parse_args()
    output = RESULTS / f"bench-{options.size}.json"
    found: dict[str, Any] = json.loads(output.read_text()) if options.only and output.exists() else {}
    found |= {"size": options.size, "lines": lines_of(options.size), "machine": machine()}
    RESULTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tieout-bench-") as name:
        folder = (options.folder or Path(name)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        run = Run(lines_of(options.size), folder, options.peer_python, options.port)
        for part in options.only or PARTS:
            new = measured(part, run)
            found |= {**new, "measured": found.get("measured", {}) | new["measured"]}
            # A long run that ends early has its first parts.
            output.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(suite_page.text([found]) + "\n")
    if not options.without_pages:
        suite_page.publish(RESULTS)


if __name__ == "__main__":
    main()
