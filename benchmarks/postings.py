"""Documents into an ERP over HTTP, against the least time that the site's own limits allow.

    python -m benchmarks.postings --erp sage200 --documents 1000 --call-seconds 0.1 --concurrency 2

The site (the sandbox, in a process of its own) takes `--call-seconds` for each write (NetSuite: for each call) and
carries out `--concurrency` of them at a time; one more would be answered with 429. So no client can post N documents
faster than N / concurrency × call seconds, and the ratio to that says what Tieout adds. Everything that the outbox does
around a post counts: looking up in batches, asking whether the date is open, posting, reading back with the nominal
legs. At the end every document must be there once.
"""

from __future__ import annotations

import argparse
import csv
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.measuring import machine, report
from benchmarks.serving import variables_of, wait_for
from connectors.auth import MemoryCredentialStore
from connectors.delivery import Action, Delivery, Outcome
from connectors.netsuite import AccountLimiter, Certificate, NetSuiteConnector
from connectors.netsuite import writes as netsuite_writes
from connectors.sage200 import Sage200Connector
from connectors.sage200 import writes as sage200_writes

BATCH = {"sage200": 100, "netsuite": 100}
"""As many as the outbox hands over at a time."""
ERP = {"sage200": "SAGE_UK", "netsuite": "NS_UK"}
KINDS = ("SALES_RECEIPT", "SALES_INVOICE", "BANK_PAYMENT")
DAY = "2026-06-11"
LINE = {"account_code": "4100", "net_amount": "50.00", "tax_amount": "10.00", "tax_code": "1"}
FEE = {"account_code": "6100", "net_amount": "5.00", "tax_amount": "1.00", "tax_code": "1"}
PAYLOADS: dict[str, dict[str, Any]] = {
    "SALES_RECEIPT": {"customer_reference": "MKBRICO", "bank_code": "MKBRICO", "amount": "60.00"},
    "SALES_INVOICE": {"customer_reference": "MKBRICO", "lines": [LINE]},
    "BANK_PAYMENT": {"bank_code": "MKBRICO", "lines": [FEE]},
}


JOURNAL = [
    {"line_no": 1, "account_role": "FEE", "account_type": "NOMINAL", "account_code": "6100", "debit": "12.34"},
    {"line_no": 2, "account_role": "BANK", "account_type": "BANK", "account_code": "1200", "credit": "12.34"},
]


def action(erp: str, number: int) -> Action:
    """The document of this number: Sage 200 takes three kinds by turns, NetSuite journals."""
    key = f"TB{number:016d}"
    if erp == "netsuite":
        journal = {"journal_key": f"UKTRADE|BRICO|{key}", "kind": "SETTLEMENT", "posting_date": DAY, "lines": JOURNAL}
        kind, payload = "JOURNAL", {"wire_key": key, "currency_code": "GBP", **journal}
    else:
        kind = KINDS[number // BATCH[erp] % len(KINDS)]
        payload = {"wire_key": key, "document_date": DAY, "currency_code": "GBP", **PAYLOADS[kind]}
    return Action(key, key, kind, "BRICO", ERP[erp], payload)


@contextmanager
def served(erp: str, folder: Path, port: int) -> Iterator[tuple[str, dict[str, str]]]:
    """A sandbox of its own, and the pipeline's variables for it."""
    tieout = str(Path(sys.executable).with_name("tieout"))
    command = [tieout, "sandbox", "--port", str(port), "--orders", "300", "--dir", str(folder)]
    command += ["--marketplace", "BRICO", "--erp", erp]
    with (folder.parent / "servers.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(f"{url}/_sandbox/health", process, folder.parent / "servers.log")
            yield url, variables_of(folder / "env")
        finally:
            process.terminate()
            process.wait()


@contextmanager
def deliveries(erp: str, folder: Path, variables: dict[str, str], concurrency: int) -> Iterator[dict[str, Delivery]]:
    """What posts each kind, as many at a time as the site carries out. Sage's refresh token is spent by its use: the
    one that is left goes into `variables`.
    """
    with (folder / "config" / "erps.csv").open() as file:
        row = next(row for row in csv.DictReader(file) if row["erp_code"] == ERP[erp])

    def secret(part: str) -> str:
        return variables[f"{erp.upper()}_{ERP[erp]}_{part}"]

    connector: Sage200Connector | NetSuiteConnector
    store: MemoryCredentialStore | None = None
    if erp == "netsuite":
        certificate = Certificate(
            secret("CLIENT_ID"), secret("CERTIFICATE_ID"), secret("PRIVATE_KEY").replace("\\n", "\n")
        )
        connector = NetSuiteConnector(
            ERP[erp], row["account_id"], certificate, base_url=row["base_url"], limiter=AccountLimiter(concurrency)
        )
        made = netsuite_writes.deliveries(connector, row["subsidiary_id"])
    else:
        store = MemoryCredentialStore(secret("REFRESH_TOKEN"))
        connector = Sage200Connector(
            ERP[erp],
            row["base_url"],
            row["token_url"],
            row["site_id"],
            row["company_id"],
            store,
            secret("CLIENT_ID"),
            secret("CLIENT_SECRET"),
        )
        made = sage200_writes.deliveries(connector, concurrency)
    try:
        yield made
    finally:
        connector.close()
        if store is not None:
            variables[f"{erp.upper()}_{ERP[erp]}_REFRESH_TOKEN"] = store.load().refresh_token


def post(erp: str, deliver: dict[str, Delivery], documents: int) -> dict[str, Any]:
    """Post them batch by batch, as the outbox does: counts and seconds by stage."""
    seconds = dict.fromkeys(("look_up", "send", "read_back"), 0.0)
    proved = 0
    for first in range(0, documents, BATCH[erp]):
        actions = [action(erp, number) for number in range(first, min(first + BATCH[erp], documents))]
        delivery = deliver[actions[0].kind]
        began = time.monotonic()
        assert not any(delivery.look_up(actions).values())
        looked = time.monotonic()
        results = delivery.send(actions)
        sent = time.monotonic()
        proofs = delivery.read_back(actions)
        seconds["look_up"] += looked - began
        seconds["send"] += sent - looked
        seconds["read_back"] += time.monotonic() - sent
        assert all(result.outcome is Outcome.SENT for result in results.values()), results
        proved += sum(proof.ok for proof in proofs.values())
    return {"documents": documents, "proved": proved, "seconds": seconds}


def measure(erp: str, documents: int, call_seconds: float, concurrency: int, port: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="tieout-bench-") as name:
        folder = Path(name) / "sandbox"
        folder.mkdir()
        with served(erp, folder, port) as (url, variables):
            places = "concurrency_limit" if erp == "netsuite" else "concurrent_writes"
            limits = {"call_seconds": call_seconds, places: concurrency}
            switches = f"{url}/_sandbox/netsuite/{ERP[erp]}" if erp == "netsuite" else f"{url}/_sandbox/sage200"
            httpx.post(switches, json=limits).raise_for_status()
            with deliveries(erp, folder, variables, concurrency) as deliver:
                found = post(erp, deliver, documents)
            writes = httpx.get(f"{url}/_sandbox/writes").json()
    taken = sum(count for name, count in writes.items() if name.startswith(f"{erp} "))
    assert taken == documents, f"{taken} documents took effect, {documents} were to"
    assert found["proved"] == documents, f"{found['proved']} of {documents} documents are proved"
    least = math.ceil(documents / concurrency) * call_seconds
    spent = sum(found["seconds"].values())
    return {
        "site": limits,
        **found,
        "least_seconds": least,
        "send_ratio": found["seconds"]["send"] / least if least else None,
        "documents_per_second_sent": documents / found["seconds"]["send"],
        "documents_per_second_proved": documents / spent,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--erp", choices=tuple(ERP), action="append", help="only this one")
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--call-seconds", type=float, default=0.1, help="how long the site takes for one write")
    parser.add_argument("--concurrency", type=int, default=2, help="how many writes the site carries out at a time")
    parser.add_argument("--port", type=int, default=8970)
    parser.add_argument("--output", type=Path, help="where the figures go as JSON")
    options = parser.parse_args()
    result: dict[str, Any] = {"machine": machine()}
    for erp in options.erp or ERP:
        result[erp] = measure(erp, options.documents, options.call_seconds, options.concurrency, options.port)
    report(result, options.output)


if __name__ == "__main__":
    main()
