"""What a stock push sends when few of many quantities have changed.

    python -m benchmarks.stock --demo .tieout/demo --skus 200000 --changed-percent 2

Takes the warehouse of a demo and puts so many items, stock rows and offers of one marketplace into it, each offer
showing what it should. Then so many percent of the stock rows are halved, and the models of the stock lane (as dbt
compiled them for the demo) say what to send. The outbox takes it, and the files that would go out are counted.

Nothing may be proposed before the change, and exactly the changed ones after it, or there are no figures.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.measuring import machine, report
from connectors.mirakl import MiraklConnector
from connectors.mirakl.writes import deliveries
from orchestration.outbox import Outbox

MARKETPLACE = "BRICO"
MODELS = (
    ("matching", "int_matching__stock_expected"),
    ("matching", "int_matching__stock_checks"),
    ("marts", "rec_stock"),
    ("actions", "act_stock"),
)
"""In the order in which they are built: schema and name."""


class Now:
    """The clock of the outbox."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def build(connection: duckdb.DuckDBPyConnection, compiled: Path) -> float:
    """Builds the models; the seconds they take."""
    began = time.monotonic()
    for schema, name in MODELS:
        (path,) = compiled.rglob(f"models/**/{name}.sql")
        connection.execute(f'create or replace table "{schema}"."{name}" as {path.read_text("utf-8")}')
    return time.monotonic() - began


def fill(connection: duckdb.DuckDBPyConnection, skus: int) -> None:
    """Copies of one offer that matches, of its item and of its stock in one warehouse; other offers are taken out."""
    found = connection.execute(_LIKE, [MARKETPLACE]).fetchone()
    if found is None:
        raise SystemExit(f"the demo has no plain offer of {MARKETPLACE}")
    erp_code, item_code, offer_id, warehouse_name = found
    connection.execute("create temp table number as select range as n from range(?)", [skus])
    item, offer = [erp_code, item_code], [MARKETPLACE, offer_id]
    connection.execute(_ITEMS, item)
    connection.execute(_STOCK, [*item, warehouse_name])
    connection.execute(_OFFERS, offer)
    connection.execute("delete from ledger.int_ledger__offers where shop_sku not like 'BENCH%'")


_ITEMS = """
    insert into ledger.int_ledger__items
    select items.* replace ('BENCH' || n as item_code)
    from ledger.int_ledger__items as items, number
    where erp_code = ? and item_code = ?
"""
_STOCK = """
    insert into ledger.int_ledger__stock
    select stock.* replace ('BENCH' || n as item_code, 20 + n % 400 as free_quantity)
    from ledger.int_ledger__stock as stock, number
    where erp_code = ? and item_code = ? and warehouse_name = ?
"""
_OFFERS = """
    insert into ledger.int_ledger__offers
    select offers.* replace ('BENCH' || n as item_code, 'BENCH' || n as shop_sku, 'B' || n as offer_id)
    from ledger.int_ledger__offers as offers, number
    where marketplace_code = ? and offer_id = ?
"""
_LIKE = """
    select offers.erp_code, offers.item_code, offers.offer_id, stock.warehouse_name
    from matching.int_matching__stock_expected as expected
    inner join ledger.int_ledger__offers as offers
        on expected.marketplace_code = offers.marketplace_code and expected.offer_id = offers.offer_id
    inner join ledger.int_ledger__stock as stock
        on offers.erp_code = stock.erp_code and offers.item_code = stock.item_code
    inner join ledger.int_ledger__warehouses as warehouses
        on offers.marketplace_code = warehouses.marketplace_code and stock.warehouse_name = warehouses.warehouse_name
        and warehouses.is_for_sale
    where expected.marketplace_code = $1 and expected.is_sellable and expected.offer_count = 1
        and expected.item_count = 1 and offers.is_active
    order by offers.offer_id, stock.warehouse_name
    limit 1
"""
_SETTLE = """
    update ledger.int_ledger__offers as offers set quantity = expected.expected_quantity
    from matching.int_matching__stock_expected as expected
    where offers.marketplace_code = expected.marketplace_code and offers.offer_id = expected.offer_id
"""
_CHANGE = """
    update ledger.int_ledger__stock set free_quantity = floor(free_quantity / 2)
    where item_code like 'BENCH%' and cast(substr(item_code, 6) as bigint) % 100 < ?
"""


def run(demo: Path, skus: int, percent: int) -> dict[str, Any]:
    """The figures."""
    with tempfile.TemporaryDirectory(prefix="tieout-bench-") as name:
        # The compiled models name the database after its file.
        copy = Path(name) / "warehouse.duckdb"
        shutil.copy(demo / "data" / "warehouse.duckdb", copy)
        compiled = demo / "data" / "dbt" / "target" / "compiled"
        with duckdb.connect(str(copy)) as connection:
            fill(connection, skus)
            build(connection, compiled)
            connection.execute(_SETTLE)
            before = build(connection, compiled)
            (proposed,) = connection.execute("select count(*) from actions.act_stock").fetchone() or (None,)
            assert proposed == 0, f"{proposed} quantities are to be sent although nothing has changed"
            connection.execute(_CHANGE, [percent])
            after = build(connection, compiled)
            wanted = connection.sql("select * from actions.act_stock").to_arrow_table()
        changed = sum(1 for n in range(skus) if n % 100 < percent)
        assert wanted.num_rows == changed, f"{wanted.num_rows} quantities are to be sent, {changed} have changed"
        connector = MiraklConnector(MARKETPLACE, "http://127.0.0.1:9", "2042", "none", 1)
        outbox = Outbox(f"sqlite:///{Path(name) / 'outbox.db'}", Now())
        try:
            began = time.monotonic()
            outbox.propose(wanted)
            proposing = time.monotonic() - began
            began = time.monotonic()
            made = {("STOCK", MARKETPLACE): deliveries(connector)["STOCK"]}
            files = [request for call in outbox.preview(made) for request in call.requests]
            rendering = time.monotonic() - began
        finally:
            outbox.close()
            connector.close()
    lines = sum(request.body.count("BENCH") for request in files)
    assert lines == changed, f"{lines} lines would be sent, {changed} have changed"
    return {
        "skus": skus,
        "changed": changed,
        "proposed_without_change": 0,
        "models_seconds": {"nothing changed": before, "changed": after},
        "propose_seconds": proposing,
        "render_seconds": rendering,
        "files": len(files),
        "lines": lines,
        "bytes": sum(len(request.body) for request in files),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--demo", type=Path, default=Path(".tieout/demo"), help="folder of a finished demo")
    parser.add_argument("--skus", type=int, default=200_000)
    parser.add_argument("--changed-percent", type=int, default=2)
    parser.add_argument("--output", type=Path, help="where the figures go as JSON")
    options = parser.parse_args()
    result = {"machine": machine(), "stock_push": run(options.demo, options.skus, options.changed_percent)}
    report(result, options.output)


if __name__ == "__main__":
    main()
