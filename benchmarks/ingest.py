"""Orders and transaction lines over HTTP into DuckDB, beside dlt's REST source doing the same from the same server.

    make bench-ingest LINES=1000000 INGEST_ORDERS=100000

Tieout's part is what a lane does first: every page to an evidence file on disk (flushed, with its row in the manifest),
then the files into `raw` tables, each amount as the vendor's own text. dlt's part is `peers/dlt_ingest.py`, run with
each of its file formats; the fastest counts. The server (`source.py`) hands out finished pages; its own limit is
measured by reading every page and throwing it away. Needs Linux (`/proc`).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from benchmarks.measuring import Measured, machine, measure, report

PEER = Path(__file__).with_name("peers") / "dlt_ingest.py"
FORMATS = ("parquet", "jsonl")
SANDBOX_ORDERS = 10_000
SHOP = "2042"
MEMORY_LIMIT = "128MB"
"""What DuckDB may hold: the row groups of a transaction's tables that are not full yet, before it compresses them."""


def ingest(url: str, folder: Path) -> dict[str, Any]:
    """Tieout's two feeds into `folder`: counts, seconds per stage, and the sum of the amounts, to the penny."""
    from connectors.feeds import REGISTRY, feed_spec
    from connectors.mirakl.client import MiraklConnector
    from orchestration.lib import loading
    from orchestration.lib.landing import Landing
    from orchestration.lib.loading_alongside import loading_alongside
    from orchestration.lib.settings import Settings
    from orchestration.lib.state import State
    from orchestration.lib.warehouse import connect

    settings = Settings.model_validate({"data_dir": folder, "memory_limit": MEMORY_LIMIT})
    connector = MiraklConnector("BRICO", url, SHOP, "key")
    began = time.monotonic()
    early: list[loading.LoadResult] = []
    with loading_alongside(settings, REGISTRY, early.append):
        for entity in ("orders", "transaction_lines"):
            with State(settings.state_path) as state:
                Landing(settings, state, "benchmark").land(
                    feed_spec("mirakl", entity), "BRICO", connector, overlap=timedelta(hours=1)
                )
        landed = time.monotonic()
        loaded_meanwhile = sum(result.records for result in early)
    loading.load(settings)
    loaded = time.monotonic()
    assert loading.proved_counts(settings) == [], "every record that was received is in raw"
    with connect(settings) as connection:
        row = connection.execute(
            """
            select
                (select count(*) from raw.mirakl_orders),
                count(*),
                sum(amount::decimal(18, 4))::varchar
            from raw.mirakl_transaction_lines
            """
        ).fetchone()
    assert row is not None
    evidence = sum(path.stat().st_size for path in (folder / "landing").rglob("*.zst"))
    return {
        "orders": row[0],
        "lines": row[1],
        "sum_of_amounts": row[2],
        "seconds": loaded - began,
        "seconds_to_land": landed - began,
        "seconds_to_load": loaded - landed,
        "records_loaded_meanwhile": loaded_meanwhile,
        "evidence_bytes": evidence,
        "manifest_bytes": settings.state_path.stat().st_size,
        "warehouse_bytes": settings.warehouse_path.stat().st_size,
    }


def drain(url: str) -> dict[str, Any]:
    """Read every page and throw it away: what the server can do."""
    size, pages = 0, 0
    began = time.monotonic()
    with httpx.Client(timeout=60) as client:
        offset, following = 0, True
        while following:
            answer = client.get(f"{url}/api/orders", params={"max": "100", "offset": str(offset)})
            size, pages, offset = size + len(answer.content), pages + 1, offset + 100
            following = "link" in answer.headers
        at: str | None = "0"
        while at is not None:
            parameters = {"limit": "2000", "page_token": at}
            body = client.get(f"{url}/api/sellerpayment/transactions_logs", params=parameters).content
            size, pages = size + len(body), pages + 1
            tail = body[-60:].rpartition(b'"next_page_token":"')
            at = tail[2].rstrip(b'"}').decode() if tail[1] else None
    return {"bytes": size, "pages": pages, "seconds": time.monotonic() - began}


@contextmanager
def served(folder: Path, orders: int, lines: int, port: int) -> Iterator[str]:
    """A small sandbox and, fed from it, the source with `orders` and `lines`."""
    sandbox_port = port + 1
    with (folder / "servers.log").open("wb") as log:
        command = ["tieout", "sandbox", "--port", str(sandbox_port), "--orders", str(SANDBOX_ORDERS)]
        tieout = str(Path(sys.executable).with_name("tieout"))
        sandbox = subprocess.Popen([tieout, *command[1:], "--dir", str(folder / "sandbox")], stdout=log, stderr=log)
        source: subprocess.Popen[bytes] | None = None
        try:
            key = _key(folder / "sandbox" / "env", sandbox)
            source = subprocess.Popen(
                [
                    sys.executable, "-m", "benchmarks.source", "--key", key, "--shop", SHOP, "--port", str(port),
                    "--sandbox", f"http://127.0.0.1:{sandbox_port}/mirakl/BRICO",
                    "--orders", str(orders), "--lines", str(lines),
                ],
                stdout=log, stderr=log,
            )  # fmt: skip
            url = f"http://127.0.0.1:{port}"
            _wait(f"{url}/api/orders?max=1", source)
            sandbox.terminate()
            yield url
        finally:
            for process in (sandbox, source):
                if process is not None:
                    process.terminate()
                    process.wait()


def _key(environment: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if environment.exists() and (environment.parent / "sandbox.json").exists():
            address = json.loads((environment.parent / "sandbox.json").read_text())["url"]
            _wait(f"{address}/_sandbox/health", process)
            found = [line for line in environment.read_text().splitlines() if line.startswith("MIRAKL_BRICO_API_KEY=")]
            return found[0].partition("=")[2].strip("'\"")
        time.sleep(0.1)
    raise SystemExit("the sandbox did not start; see servers.log")


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise SystemExit(f"{url} did not answer; see servers.log")


def compare(
    orders: int, lines: int, peer_python: str | None, port: int, rounds: int, formats: Sequence[str] = FORMATS
) -> dict[str, Any]:
    """All in one run, because machines are noisy: server's limit, then Tieout and dlt in turns. Without a Python that
    has dlt only Tieout.
    """
    formats = formats if peer_python is not None else ()
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    own: list[Measured] = []
    peers: dict[str, list[Measured]] = {name: [] for name in formats}
    with tempfile.TemporaryDirectory(prefix="tieout-bench-") as name:
        root = Path(name)
        with served(root, orders, lines, port) as url:
            limit = measure([sys.executable, "-m", "benchmarks.ingest", "--drain", url], environment)
            for _ in range(rounds):
                work = _empty(root / "tieout")
                own.append(measure([sys.executable, "-m", "benchmarks.ingest", "--own", url, str(work)], environment))
                for file_format in formats:
                    work = _empty(root / "dlt")
                    command = [str(peer_python), str(PEER), url, str(work), file_format, str(os.cpu_count() or 1)]
                    peers[file_format].append(measure(command, environment))
    records = orders + lines
    best = min(own, key=lambda run: run.answer["seconds"])
    others = [run for runs in peers.values() for run in runs]
    ratios = (
        {
            "ratio_of_rates": min(run.answer["seconds"] for run in others) / best.answer["seconds"],
            "ratio_of_processor_seconds": min(run.processor_seconds for run in others) / best.processor_seconds,
            "ratio_of_memory": best.peak_bytes / min(run.peak_bytes for run in others),
        }
        if others
        else {}
    )
    return {
        "machine": machine(),
        "records": {"orders": orders, "lines": lines},
        "server": {"records_per_second": records / limit.answer["seconds"], **limit.answer},
        "tieout": [_row(run, records) for run in own],
        "dlt": {name: [_row(run, records) for run in runs] for name, runs in peers.items()},
        **ratios,
    }


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def _row(run: Measured, records: int) -> dict[str, Any]:
    seconds = run.answer["seconds"]
    return {
        **run.answer,
        "records_per_second": records / seconds,
        "processor_seconds": run.processor_seconds,
        "peak_bytes": run.peak_bytes,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--port", type=int, default=8960)
    parser.add_argument("--peer-python", default=sys.executable, help="Python of an environment that has dlt")
    parser.add_argument("--output", type=Path, help="where the figures go as JSON")
    parser.add_argument("--own", nargs=2, metavar=("URL", "FOLDER"), help=argparse.SUPPRESS)
    parser.add_argument("--drain", metavar="URL", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.own:
        sys.stdout.write(json.dumps(ingest(options.own[0], Path(options.own[1]))) + "\n")
        return
    if options.drain:
        sys.stdout.write(json.dumps(drain(options.drain)) + "\n")
        return
    result = compare(options.orders, options.lines, options.peer_python, options.port, options.rounds)
    report(result, options.output)


if __name__ == "__main__":
    main()
