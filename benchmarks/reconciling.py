"""The hand-written floor and the peers on one warehouse: the same reconciliation by a plain script, and the comparison
of settlement lines with ledger postings by pandas, Polars, datacompy and DuckDB alone.

The floor (`floor.sql`) must say what the marts say, the peers must say the same as each other, or there are no figures.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.floor import answers_of_marts
from benchmarks.measuring import Measured, measure

PEER = Path(__file__).with_name("peers") / "compare.py"
TOOLS = ("duckdb", "polars", "pandas", "datacompy")
LINES = """
    copy (
        select
            _account as marketplace_code, order_id,
            cast(cast(amount as decimal(18, 2)) * 100 as bigint) as pence
        from raw.mirakl_transaction_lines
        where type in ('ORDER_AMOUNT', 'ORDER_AMOUNT_TAX', 'ORDER_SHIPPING_AMOUNT', 'ORDER_SHIPPING_AMOUNT_TAX')
    ) to '{file}' (format parquet)
"""
POSTINGS = """
    copy (
        select
            orders.analysis_code_1 as marketplace_code, orders.customer_document_no as order_id,
            cast((cast(legs.debit as decimal(18, 2)) - cast(legs.credit as decimal(18, 2))) * 100 as bigint) as pence
        from raw.sage200_nominal_transactions as legs
        inner join (
            select distinct _account, id, reference from raw.sage200_nominal_codes where cost_centre_code = ''
        ) as codes
            on legs._account = codes._account and legs.nominal_code_id = codes.id and codes.reference = '1100'
        inner join raw.sage200_sales_posted_transactions as invoices
            on
                legs._account = invoices._account and legs.urn = invoices.urn
                and invoices.trader_transaction_type = 'TradingAccountEntryTypeInvoice'
        inner join raw.sage200_sop_orders as orders
            on invoices._account = orders._account and invoices.second_reference = orders.document_no
        where orders.analysis_code_1 <> ''
    ) to '{file}' (format parquet)
"""
"""What the invoices of the marketplaces' orders put on the debtors' control account (1100 in the generated books)."""


def reconciled(folder: Path, work: Path, python: str, peer_python: str | None) -> dict[str, Any]:
    """Figures of the floor on the data folder's warehouse, and of the peers where there is a Python that has them."""
    work.mkdir(parents=True, exist_ok=True)
    warehouse = folder / "warehouse.duckdb"
    output = work / "floor.duckdb"
    run = measure([python, "-m", "benchmarks.floor", str(folder), str(output)], os.environ)
    answers, wanted = run.answer["answers"], answers_of_marts(warehouse)
    assert answers == wanted, f"floor and marts differ: {[one for one in answers if one not in wanted]} {wanted}"
    found: dict[str, Any] = {"floor": _row(run) | {"disk_bytes": output.stat().st_size, "answers": answers}}
    output.unlink()
    if peer_python is None:
        return found
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        for name, query in (("lines", LINES), ("postings", POSTINGS)):
            file = work / f"{name}.parquet"
            connection.execute(query.format(file=file))
            ((count,),) = connection.execute("select count(*) from read_parquet(?)", [str(file)]).fetchall()
            found[f"compared_{name}"] = count
    peers = {tool: measure([peer_python, str(PEER), tool, str(work)], os.environ) for tool in TOOLS}
    said = {
        tool: {name: value for name, value in run.answer.items() if name != "version"} for tool, run in peers.items()
    }
    assert all(one == said["duckdb"] for one in said.values()), f"the peers differ: {said}"
    found["peers"] = {tool: _row(run) | {"version": run.answer["version"]} for tool, run in peers.items()}
    found["compared"] = said["duckdb"]
    return found


def _row(run: Measured) -> dict[str, Any]:
    return {"seconds": run.seconds, "processor_seconds": run.processor_seconds, "peak_bytes": run.peak_bytes}
