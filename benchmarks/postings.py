"""Documents into Sage 200 over HTTP, against the least time that the site's own limits allow.

    python -m benchmarks.postings --documents 1000 --call-seconds 0.1 --concurrency 2

The site (the sandbox, in a process of its own) takes `--call-seconds` for each write and carries out `--concurrency` of
them at a time; one more would be answered with 429. So no client can post N documents faster than N / concurrency ×
call seconds, and the ratio to that says what Tieout adds. Everything that the outbox does around a post counts: looking
up in batches of 100, asking whether the date is open, posting, reading back with the nominal legs. At the end every
document must be there once.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.measuring import machine

BATCH = 100
"""As many as the outbox hands over at a time."""
KINDS = ("SALES_RECEIPT", "SALES_INVOICE", "BANK_PAYMENT")
DAY = "2026-06-11"
LINE = {"account_code": "4100", "net_amount": "50.00", "tax_amount": "10.00", "tax_code": "1"}
FEE = {"account_code": "6100", "net_amount": "5.00", "tax_amount": "1.00", "tax_code": "1"}
PAYLOADS: dict[str, dict[str, Any]] = {
    "SALES_RECEIPT": {"customer_reference": "MKBRICO", "bank_code": "MKBRICO", "amount": "60.00"},
    "SALES_INVOICE": {"customer_reference": "MKBRICO", "lines": [LINE]},
    "BANK_PAYMENT": {"bank_code": "MKBRICO", "lines": [FEE]},
}


@contextmanager
def served(folder: Path, port: int) -> Iterator[tuple[str, dict[str, str]]]:
    """A sandbox of its own, and the pipeline's variables for it."""
    tieout = str(Path(sys.executable).with_name("tieout"))
    command = [tieout, "sandbox", "--port", str(port), "--orders", "300", "--dir", str(folder)]
    with (folder.parent / "servers.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(f"{url}/_sandbox/health", process)
            pairs = (line.partition("=") for line in (folder / "env").read_text().splitlines() if line)
            yield url, {name: "".join(shlex.split(value)) for name, _, value in pairs}
        finally:
            process.terminate()
            process.wait()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise SystemExit("the sandbox did not start; see servers.log")


def post(url: str, folder: Path, variables: dict[str, str], documents: int, concurrency: int) -> dict[str, Any]:
    """Post them kind by kind, as the outbox does: counts and seconds by stage."""
    from connectors.auth import MemoryCredentialStore
    from connectors.delivery import Action, Outcome
    from connectors.sage200 import Sage200Connector
    from connectors.sage200.writes import deliveries

    with (folder / "config" / "erps.csv").open() as file:
        erp = next(row for row in csv.DictReader(file) if row["erp_code"] == "SAGE_UK")
    secrets = {part: variables[f"SAGE200_SAGE_UK_{part}"] for part in ("CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN")}
    connector = Sage200Connector(
        "SAGE_UK",
        erp["base_url"],
        erp["token_url"],
        erp["site_id"],
        erp["company_id"],
        MemoryCredentialStore(secrets["REFRESH_TOKEN"]),
        secrets["CLIENT_ID"],
        secrets["CLIENT_SECRET"],
    )
    deliver = deliveries(connector, concurrency)
    seconds = dict.fromkeys(("look_up", "send", "read_back"), 0.0)
    proved = 0
    for first in range(0, documents, BATCH):
        kind = KINDS[first // BATCH % len(KINDS)]
        actions = []
        for number in range(first, min(first + BATCH, documents)):
            key = f"TB{number:016d}"
            payload = {"wire_key": key, "document_date": DAY, "currency_code": "GBP", **PAYLOADS[kind]}
            actions.append(Action(key, key, kind, "BRICO", "SAGE_UK", payload))
        began = time.monotonic()
        assert not any(deliver[kind].look_up(actions).values())
        looked = time.monotonic()
        results = deliver[kind].send(actions)
        sent = time.monotonic()
        proofs = deliver[kind].read_back(actions)
        seconds["look_up"] += looked - began
        seconds["send"] += sent - looked
        seconds["read_back"] += time.monotonic() - sent
        assert all(result.outcome is Outcome.SENT for result in results.values()), results
        proved += sum(proof.ok for proof in proofs.values())
    connector.close()
    return {"documents": documents, "proved": proved, "seconds": seconds}


def measure(documents: int, call_seconds: float, concurrency: int, port: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="tieout-bench-") as name:
        folder = Path(name) / "sandbox"
        folder.mkdir()
        with served(folder, port) as (url, variables):
            limits = {"call_seconds": call_seconds, "concurrent_writes": concurrency}
            httpx.post(f"{url}/_sandbox/sage200", json=limits).raise_for_status()
            found = post(url, folder, variables, documents, concurrency)
            writes = httpx.get(f"{url}/_sandbox/writes").json()
    taken = sum(count for name, count in writes.items() if name.startswith("sage200 "))
    assert taken == documents, f"{taken} documents took effect, {documents} were to"
    assert found["proved"] == documents, f"{found['proved']} of {documents} documents are proved"
    least = math.ceil(documents / concurrency) * call_seconds
    spent = sum(found["seconds"].values())
    return {
        "machine": machine(),
        "site": limits,
        **found,
        "least_seconds": least,
        "send_ratio": found["seconds"]["send"] / least if least else None,
        "documents_per_second_sent": documents / found["seconds"]["send"],
        "documents_per_second_proved": documents / spent,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--call-seconds", type=float, default=0.1, help="how long the site takes for one write")
    parser.add_argument("--concurrency", type=int, default=2, help="how many writes the site carries out at a time")
    parser.add_argument("--port", type=int, default=8970)
    parser.add_argument("--output", type=Path, help="where the figures go as JSON")
    options = parser.parse_args()
    result = measure(options.documents, options.call_seconds, options.concurrency, options.port)
    text = json.dumps(result, indent=2) + "\n"
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
