"""A plain hand-written DuckDB script of the same reconciliation (`floor.sql`): the least that the figures can cost.

    python -m benchmarks.floor DATA OUTPUT     # DATA: a data folder with its configuration, as of benchmarks.matching

It reads the raw tables that the models read and writes its statuses into a file of its own. Where marts and script
claim the same, they must say the same: `answers_of_marts` asks the marts the script's questions.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import duckdb

SCRIPT = Path(__file__).with_name("floor.sql")
MEMORY_LIMIT = "2500MB"
"""What DuckDB may hold; the models of `benchmarks.matching` have the same."""

SELLERS = """
    create table sellers as
    select
        marketplaces.marketplace_code, entities.entity_code, entities.time_zone, marketplaces.erp_code,
        roles.account_code
    from read_csv($marketplaces, all_varchar = true) as marketplaces
    inner join read_csv($entities, all_varchar = true) as entities using (entity_code)
    inner join read_csv($accounts, all_varchar = true) as roles
        on marketplaces.marketplace_code = roles.marketplace_code and roles.account_role = 'MARKETPLACE_CLEARING'
"""
MARTS = """
    select 'lines' as question, 'ALL' as status, count(*) as found, sum(amount) as expected, sum(amount) as actual
    from marts.fct_settlement_lines
    union all
    select rule_code, status, count(*), sum(expected_amount), sum(actual_amount)
    from marts.rec_settlement_lines
    where rule_code in ('B030_GOODS', 'B040_SHIPPING', 'B050_COMMISSION', 'B080_REFUND') and status <> 'TIMING'
    group by all
    union all
    select rule_code, status, count(*), sum(expected_amount), sum(actual_amount)
    from marts.rec_cycles where rule_code = 'C020_PAY_OUT' group by all
    union all
    select rule_code, status, count(*), sum(expected_amount), sum(expected_amount)
    from marts.rec_orders where rule_code = 'ORDER_IN_ERP' and status = 'MATCHED' group by all
    union all
    select
        'clearing', 'MATCHED', (select count(*) from marts.journals where kind = 'SETTLEMENT' and status = 'POSTED'),
        sum(settlement_amount), sum(settlement_amount)
    from marts.clearing_rollforward where account_role = 'MARKETPLACE_CLEARING'
"""
"""The same questions to the marts. What is not due yet (TIMING) the script does not judge."""


def run(warehouse: Path, config: Path, output: Path) -> list[list[Any]]:
    """Reconcile by the script alone; its answers. The file is written anew."""
    output.unlink(missing_ok=True)
    with duckdb.connect(str(output)) as connection:
        connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
        connection.execute("set preserve_insertion_order = false")
        connection.execute(f"attach '{warehouse}' as source (read_only)")
        tables = ("marketplaces", "entities", "accounts")
        connection.execute(SELLERS, {name: str(config / f"{name}.csv") for name in tables})
        connection.execute(SCRIPT.read_text(encoding="utf-8"))
        return _rows(connection, "from answers")


def answers_of_marts(database: Path) -> list[list[Any]]:
    """What the marts of a warehouse, or of a published file, say to the same questions."""
    with duckdb.connect(str(database), read_only=True) as connection:
        return _rows(connection, MARTS)


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[list[Any]]:
    found = connection.sql(query).order("question, status").fetchall()
    return [[*row[:3], *map(str, row[3:])] for row in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("output", type=Path)
    options = parser.parse_args()
    answers = run(options.data / "warehouse.duckdb", options.data / "config", options.output)
    sys.stdout.write(json.dumps({"answers": answers}) + "\n")


if __name__ == "__main__":
    main()
