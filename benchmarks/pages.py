"""How long the web app's pages take on a large published file.

    python -m benchmarks.pages --published .tieout/demo/data/published/tieout.duckdb --lines 10000000

The published file of a demo is copied and the rows of its large marts are multiplied, with keys of their own, until
there are that many settlement lines; then every page is asked for over HTTP, as a browser would, several times.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import httpx
import uvicorn

from app.asking import Site
from app.marts import Marts
from app.people import Person, Role
from app.server import create_app
from app.settings import AppSettings
from app.signing.users import Users
from benchmarks.measuring import machine
from orchestration.lib.evidence_index import TABLES
from orchestration.lib.settings import Settings

REPEATS = 5
KEYS = {
    "fct_settlement_lines": ("transaction_line_id", "order_id", "order_line_id", "billing_cycle_id"),
    "fct_orders": ("order_id", "commercial_id", "erp_document_no"),
    "fct_order_lines": ("order_id", "order_line_id", "erp_document_no"),
    "fct_cycles": ("billing_cycle_id", "paying_cycle_id", "voucher_number", "document_number"),
    "order_status": ("order_id", "commercial_id", "tracking_numbers", "search_ids"),
    "rec_orders": ("subject_id", "order_id", "document_no"),
    "rec_settlement_lines": ("subject_id", "order_id", "order_line_id", "transaction_line_id", "billing_cycle_id"),
    "rec_documents": ("subject_id", "billing_cycle_id"),
    "rec_stock": ("subject_id", "left_id", "item_code"),
    "rec_offers": ("subject_id", "left_id", "right_id"),
    "settlement_bridge": ("billing_cycle_id",),
    "cut_off_tests": ("subject_id",),
    "balance_tie_out": ("subject_id",),
    "channel_profitability": ("item_code",),
}
"""Marts that grow with the trade, and their columns of ids: a copy's ids get its number behind them."""
OPEN_EXCEPTIONS = 50_000


def multiply(source: Path, target: Path, lines: int) -> dict[str, int]:
    """Write `target`: the marts of `source` with at least that many settlement lines. Returns rows per mart."""
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET preserve_insertion_order = false")
        connection.execute("SET memory_limit = '3GB'")
        connection.execute(f"ATTACH '{source}' AS small (READ_ONLY)")
        connection.execute(f"ATTACH '{target}' AS large (STORAGE_VERSION 'v1.4.0')")
        connection.execute("CREATE SCHEMA large.marts")
        names = [
            row[0]
            for row in connection.execute(
                "SELECT table_name FROM information_schema.tables "
                "WHERE table_catalog = 'small' AND table_schema = 'marts'"
            ).fetchall()
        ]
        (count,) = connection.execute("SELECT count(*) FROM small.marts.fct_settlement_lines").fetchone() or (1,)
        copies = -(-lines // max(1, count))
        (open_,) = connection.execute("SELECT count(*) FROM small.marts.exceptions").fetchone() or (1,)
        rows = {}
        for name in names:
            times, keys = copies, KEYS.get(name, ())
            if name == "exceptions":
                times, keys = -(-OPEN_EXCEPTIONS // max(1, open_)), ("exception_id",)
            elif not keys:
                times = 1
            replaced = ", ".join(
                f'CASE WHEN n = 0 THEN "{key}" ELSE "{key}" || \'-\' || n END AS "{key}"' for key in keys
            )
            columns = f"* EXCLUDE (n) REPLACE ({replaced})" if keys else "* EXCLUDE (n)"
            connection.execute(
                f"CREATE TABLE large.marts.{name} AS SELECT {columns} "  # noqa: S608  (names of marts)
                f"FROM small.marts.{name}, (SELECT unnest(range({times})) AS n)"
            )
            (rows[name],) = connection.execute(f"SELECT count(*) FROM large.marts.{name}").fetchone() or (0,)  # noqa: S608
        return rows


def prepared(source: Path, target: Path, lines: int) -> dict[str, int]:
    """The file that is asked, and its rows per mart; with 0 lines the source itself."""
    if lines:
        return multiply(source, target, lines)
    target.symlink_to(source.absolute())
    with duckdb.connect(str(target), read_only=True) as connection:
        found = connection.execute("SELECT table_name, estimated_size FROM duckdb_tables() WHERE schema_name = 'marts'")
        return dict(found.fetchall())


def pages(published: Path) -> dict[str, str]:
    """The pages that are timed."""
    with duckdb.connect(str(published), read_only=True) as connection:

        def one(query: str) -> str:
            return str((connection.execute(query).fetchone() or ("",))[0])

        payout = one("SELECT marketplace_code || '/' || billing_cycle_id FROM marts.fct_receipt_allocations ORDER BY 1")
        order = one("SELECT marketplace_code || '/' || order_id FROM marts.fct_orders ORDER BY 1 DESC")
        tracking = one("SELECT max(tracking_numbers) FROM marts.order_status")
        line = one("SELECT max(transaction_line_id) FROM marts.fct_settlement_lines")
        marketplace = one(
            f"SELECT max(marketplace_code) FROM marts.fct_settlement_lines WHERE transaction_line_id = '{line}'"  # noqa: S608
        )
        month = one("SELECT entity_code || '/' || max(period) FROM marts.close_readiness GROUP BY entity_code")
    return {
        "Today": "/",
        "Exceptions": "/exceptions",
        "Exceptions, page 500 by amount": "/exceptions?sort=-amount_at_risk&page=500",
        "Pay-outs": "/payouts",
        "One pay-out": f"/payouts/{payout}",
        "Match": "/match",
        "Orders": "/orders",
        "Orders by tracking number": f"/orders?q={tracking}",
        "One order": f"/orders/{order}",
        "Explain a pay-out": f"/explain?id={payout.split('/')[1]}",
        "Explain a line": f"/explain?id={line}&marketplace={marketplace}",
        "Explain what is not there": "/explain?id=no-such-id-anywhere",
        "Evidence of a line": f"/evidence?id={line}",
        "Journal lines": "/journals",
        "Approvals": "/approvals",
        "Close of a month": f"/close/{month}",
        "Profitability": "/profitability",
        "Stock and offers": "/stock",
        "Mappings": "/mappings",
        "Feeds": "/feeds",
        "Audit": "/audit",
    }


def index_evidence(settings: Settings) -> None:
    """An index of the evidence with a record for each settlement line and order; there are no files behind it."""
    with duckdb.connect(str(settings.evidence_index_path)) as connection:
        connection.execute(TABLES.replace("evidence.", ""))
        connection.execute("INSERT INTO made_by VALUES (?)", [duckdb.__version__])
        connection.execute("INSERT INTO files VALUES (1, 'landing/none', 'mirakl', 'BRICO', 'orders', NULL, now())")
        connection.execute(f"ATTACH '{settings.published_path}' AS marts (READ_ONLY)")
        for mart, key in (("fct_settlement_lines", "transaction_line_id"), ("fct_orders", "order_id")):
            connection.execute(
                f"INSERT INTO records SELECT hash({key}), 1, row_number() OVER (), 'id' FROM marts.marts.{mart}"  # noqa: S608  (names of marts)
            )


def measure(settings: Settings) -> list[dict[str, Any]]:
    """Ask for every page; seconds from the request to the last byte, the first time and the middle of the next ones."""
    site = Site(settings, AppSettings(), Marts(settings.published_path), Users(settings.root / "users.csv"))
    site.link_token, site.link_person = "link", Person("measure", frozenset({Role.ADMIN}))
    server = uvicorn.Server(uvicorn.Config(create_app(site), host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    base = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    found = []
    with httpx.Client(base_url=base, follow_redirects=True, timeout=600) as client:
        client.get("/sign-in/link/link")
        for name, path in pages(settings.published_path).items():
            seconds = []
            for _ in range(REPEATS):
                begun = time.perf_counter()
                size = len(client.get(path).content)
                seconds.append(time.perf_counter() - begun)
            found.append(
                {
                    "page": name,
                    "first_seconds": round(seconds[0], 3),
                    "seconds": round(median(seconds[1:]), 3),
                    "bytes": size,
                }
            )
            sys.stderr.write(f"{name}: {seconds[0]:.2f} s, then {median(seconds[1:]):.2f} s\n")
    server.should_exit = True
    thread.join(timeout=10)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--published", type=Path, required=True)
    parser.add_argument("--lines", type=int, default=10_000_000, help="0: the file as it is")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pages-") as folder:
        settings = Settings(data_dir=Path(folder))
        settings.published_path.parent.mkdir(parents=True)
        rows = prepared(options.published, settings.published_path, options.lines)
        size = settings.published_path.stat().st_size
        index_evidence(settings)
        result = {
            "machine": machine(),
            "settlement_lines": rows["fct_settlement_lines"],
            "orders": rows["fct_orders"],
            "exceptions": rows["exceptions"],
            "file_bytes": size,
            "pages": measure(settings),
        }
    text = json.dumps(result, indent=2)
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(text + "\n")
    else:
        sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
