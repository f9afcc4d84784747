"""What no map knows, read from the published marts."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb

from orchestration.lib.map_gaps import gaps
from orchestration.lib.published import Published

SEEDS = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds"
SUMMARY = (
    "ERP order 7 of order {} carries analysis code BRICO; analysis_codes.csv has no row for 1 of its lines, sold to {}"
)


def test_sales_that_no_analysis_code_fits_are_a_gap_with_what_is_known_of_the_row(tmp_path: Path) -> None:
    path = tmp_path / "tieout.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE SCHEMA marts")
        connection.execute(
            "CREATE TABLE marts.order_status AS SELECT 'BRICO' AS marketplace_code, order_id, "
            "order_date::DATE AS order_date, 10.50::DECIMAL(18, 2) AS total_amount, 'GBP' AS currency_code "
            "FROM (VALUES ('A', '2026-06-02'), "
            "('B', '2026-06-01'), ('C', '2026-06-03')) AS orders (order_id, order_date)"
        )
        connection.execute(
            "CREATE TABLE marts.rec_orders AS SELECT 'UKTRADE' AS entity_code, 'BRICO' AS marketplace_code, "
            "'ORD-015' AS exception_code, order_id AS subject_id, order_id, summary "
            "FROM (VALUES ('A', ?), ('B', ?), ('C', ?)) AS orders (order_id, summary)",
            [
                SUMMARY.format("A", "USA Texas as MKT_COLLECTED"),
                SUMMARY.format("B", "USA Ohio as MKT_COLLECTED"),
                SUMMARY.format(
                    "C", "no country as tax code 1; 1 of its lines carry VAT analysis code none, the map says X"
                ),
            ],
        )
        connection.execute(
            "CREATE TABLE marts.exceptions AS SELECT 'E1' AS exception_id, 'ORD-015' AS exception_code, "
            "'OPEN' AS status, 'A' AS subject_id, 'BRICO' AS marketplace_code"
        )
    collected, unknown = gaps(Published(path), SEEDS)
    assert (collected.file, collected.waiting, collected.amount) == ("analysis_codes.csv", 2, Decimal("21.00"))
    assert collected.exception_id == "E1"
    assert collected.cells == {
        "entity_code": "UKTRADE",
        "marketplace_code": "*",
        "offer_state_code": "*",
        "ship_to_country": "USA",
        "ship_to_state": "*",
        "tax_role": "MKT_COLLECTED",
        "effective_from": "2026-06-01",
    }
    assert not collected.is_whole, "the code itself is for a person"
    assert unknown.cells["ship_to_country"] == "NONE"
    assert "tax_role" not in unknown.cells
    assert "tax code 1" in unknown.why
