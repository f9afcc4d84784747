"""A company with as many nominal lines and stock rows as a benchmark asks for: a small generated one, many times over.

    python -m benchmarks.ledger_source --erp netsuite --lines 1000000 --stock 200000 --port 8990 --folder FOLDER

Served by the sandbox itself, with its sign-in, its queries and its page limits. `/_busy` tells how many seconds it has
spent on requests and how many there were, so that what the reader adds can be told from what the sandbox takes.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import uvicorn
from starlette.responses import JSONResponse

from sandbox import config
from sandbox.app import Receive, Sandbox, Scope, Send, listen
from sandbox.config import Places
from sandbox.serve import served_by
from sandbox.store import Store
from sandbox.world import DEFAULT_AS_OF, build_world
from sandbox.world.build import World

ORDERS = 300
SEED = 7
MARKETPLACE = "BRICO"
STEP = 100_000_000
"""Between the ids of one copy and those of the next."""


def company(erp: str, lines: int, stock: int) -> World:
    """BRICO's small world with at least `lines` nominal lines and `stock` stock rows in its ERP."""
    world = build_world(
        SEED, ORDERS, faults=False, marketplaces=(MARKETPLACE,), erp="netsuite" if erp == "netsuite" else "sage200"
    )
    if world.sage is not None:
        for name, wanted in (("nominal_transaction_enquiry_views", lines), ("warehouse_holdings", stock)):
            rows = world.sage.tables[name]
            first, size = rows[-1]["id"] + 1, len(rows)
            rows += [{**rows[n % size], "id": first + n} for n in range(wanted - size)]
    for account in world.netsuite.values():
        tables = account.tables
        _repeat(
            tables,
            "transactionaccountingline",
            lines,
            (
                ("transaction", "id"),
                ("transactionline", "transaction", "uniquekey"),
                ("transactionaccountingline", "transaction"),
            ),
        )
        _repeat(tables, "inventoryitemlocations", stock, (("item", "id"), ("inventoryitemlocations", "item")))
    return world


def _repeat(tables: dict[str, Any], counted: str, wanted: int, parts: tuple[tuple[str, ...], ...]) -> None:
    """Copies of tables that point at one another, each copy with ids of its own; texts that must be unique go."""
    found = sum(row.get("posting", "T") == "T" and row.get("accountingbook", 1) == 1 for row in tables[counted])
    copies = math.ceil(wanted / found)  # lines that no reader of the ledger asks for do not count
    connection = duckdb.connect()
    for table, *keys in parts:
        rows = pa.Table.from_pylist([dict(row) for row in tables[table]], schema=_schema(tables[table]))
        connection.register("rows", rows)
        moved = ", ".join(f"rows.{key} + copy * {STEP} as {key}" for key in keys)
        if "externalid" in rows.column_names:
            moved += ", case when copy = 0 then externalid end as externalid"
        if "itemid" in rows.column_names:
            moved += ", case when copy = 0 then itemid else itemid || '-' || copy end as itemid"
        tables[table] = connection.sql(
            f"select rows.* replace ({moved}) from rows, range({copies}) as r(copy) order by copy"  # noqa: S608
        ).to_arrow_table()
        connection.unregister("rows")


def _schema(rows: Any) -> pa.Schema:
    """Columns that any of the rows has: a row leaves out what it has no value for."""
    fields: dict[str, Any] = {}
    for row in rows:
        for name, value in row.items():
            if value is not None and name not in fields:
                fields[name] = (
                    pa.decimal128(24, 8) if pa.types.is_decimal(pa.scalar(value).type) else pa.scalar(value).type
                )
    return pa.schema(list(fields.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--erp", choices=("sage200", "netsuite"), required=True)
    parser.add_argument("--lines", type=int, required=True)
    parser.add_argument("--stock", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    places = Places(options.folder.absolute())
    world = company(options.erp, options.lines, options.stock)
    config.write_bank(places, world.bank)
    sandbox = Sandbox(lambda: Store(world, seed=SEED, as_of=DEFAULT_AS_OF))
    served = served_by(sandbox.store)
    listener = listen("127.0.0.1", options.port)
    config.write_config(places, f"http://127.0.0.1:{listener.getsockname()[1]}", served)
    variables = config.environment(
        places, seed=SEED, as_of=DEFAULT_AS_OF, marketplaces=served, refresh_token=sandbox.store.sage_id.consent()
    )
    busy, requests = 0.0, 0

    async def timed(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal busy, requests
        if scope.get("path") == "/_busy":
            await JSONResponse({"seconds": busy, "requests": requests})(scope, receive, send)
            return
        began = time.perf_counter()
        await sandbox.app(scope, receive, send)
        busy, requests = busy + time.perf_counter() - began, requests + 1

    config.write_environment(places.env, variables)  # last: whoever waits for it may begin
    uvicorn.Server(uvicorn.Config(timed, log_level="warning", access_log=False, lifespan="off")).run(sockets=[listener])


if __name__ == "__main__":
    main()
