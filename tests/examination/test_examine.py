"""The audit of the connected systems: silent where all is well, and each check finds what it is for."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from orchestration.examination.examine import Examination, examine
from orchestration.examination.finding import CHECKS, Facts
from orchestration.examination.report import keep, rows_of, write
from orchestration.lib.registry import Registry, load_registry
from orchestration.lib.settings import DEFAULT_CONFIG_DIR
from tests.mart_contracts import columns

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime.fromisoformat("2026-07-03T08:00:00")
MARTS = (
    "actions", "clearing_open_items", "close_readiness", "deadlines", "exceptions", "fct_cycles", "fct_order_lines",
    "fct_orders", "fct_settlement_lines", "freshness", "journals", "rec_documents", "rec_offers", "rec_orders",
    "rec_receipts", "rec_refunds", "rec_sale_taxes", "rec_settlement_lines", "rec_stock", "unmatched_payouts",
)  # fmt: skip

Insert = Callable[..., None]


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    """A small world in which everything ties out."""
    with duckdb.connect() as connection:
        for mart in MARTS:
            connection.execute(f"create table {mart} ({columns(mart)})")
        yield connection


@pytest.fixture
def insert(marts: duckdb.DuckDBPyConnection) -> Insert:
    def add(mart: str, **values: Any) -> None:
        row = {"marketplace_code": "BRICO", "currency_code": "GBP", **values}
        names = {str(one[0]) for one in marts.execute(f"describe {mart}").fetchall()}
        row = {name: value for name, value in row.items() if name in names}
        places = ", ".join(f"${name}" for name in row)
        marts.execute(f"insert into {mart} ({', '.join(row)}) values ({places})", row)

    add("fct_settlement_lines", transaction_type="COMMISSION_FEE", account_role="COMMISSION", amount="-12.00")
    add("fct_settlement_lines", transaction_type="PAYMENT", amount="-80.00")
    add("journals", total_debit="12.00", is_blocked=False)
    add("fct_orders", tax_mode="TAX_INCLUDED", total_amount="30.00")
    add(
        "fct_order_lines", shop_sku="A", category_code="TOOLS", quantity=4, unit_price="10.00", price_amount="40.00",
        created_at=NOW - timedelta(days=3),
    )  # fmt: skip
    add("rec_offers", subject_id="A", status="MATCHED")
    add(
        "rec_stock",
        subject_id="A",
        rule_code="OFFER_QUANTITY",
        status="MATCHED",
        buffer_quantity=2,
        is_offer_active=True,
    )
    for warehouse in ("MAIN", "NORTH", "RETURNS"):
        add("rec_stock", subject_type="WAREHOUSE", subject_id=warehouse, rule_code="WAREHOUSE_MAPPED", status="MATCHED")
    add("fct_cycles", billing_cycle_id="C1", cycle_date=date(2026, 6, 11), is_declared=True)
    add("rec_sale_taxes", ship_to_country="GBR", accountable="SELLER", status="MATCHED", consignment_amount="30.00")
    add("freshness", vendor="mirakl", account="BRICO", feed="orders", is_stale=False)
    add("deadlines", status="IN_TIME", amount_at_risk="30.00")
    add("exceptions", status="OPEN", due_at=NOW + timedelta(hours=4), amount_at_risk="1.00", times_opened=1)
    add("rec_orders", status="MATCHED_WITHIN_TOLERANCE", delta_amount="0.01", rule_code="PRICE")
    add("unmatched_payouts", days_open=3, residual_amount="5.00")
    add("clearing_open_items", days_open=3, open_amount="5.00")
    add("close_readiness", entity_code="UKTRADE", period="2026-05", is_blocking=True, is_done=True, is_locked=True)
    add("actions", state="VERIFIED", kind="JOURNAL", decided_at=NOW - timedelta(days=9))
    return add


@pytest.fixture
def registry() -> Registry:
    return load_registry(DEFAULT_CONFIG_DIR)


def facts(marts: duckdb.DuckDBPyConnection, registry: Registry, **changes: Any) -> Facts:
    def rows(query: str, parameters: list[Any] | None = None) -> list[dict[str, Any]]:
        result = marts.execute(query, parameters or [])
        names = [str(one[0]) for one in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    lanes = dict.fromkeys(("settlement", "stock", "orders", "dispatch", "returns"), NOW - timedelta(minutes=5))
    return replace(Facts(registry, NOW, rows, True, accounts=(), lanes=lanes), **changes)


def found(examined: Examination) -> set[tuple[str, str]]:
    return {(one.check.check_id, one.found.subject) for one in examined.findings}


def edited(registry: Registry, name: str, number: int = 0, **changes: Any) -> Registry:
    rows = list(getattr(registry, name))
    rows[number] = rows[number].model_copy(update=changes)
    return replace(registry, **{name: tuple(rows)})


@pytest.mark.usefixtures("insert")
def test_where_all_is_well_there_is_no_finding(marts: duckdb.DuckDBPyConnection, registry: Registry) -> None:
    examined = examine(facts(marts, registry))
    assert rows_of(examined) == []
    assert examined.skipped == ()
    assert len(examined.passed) == len(CHECKS)


FAULTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "MAP-1": ("BRICO NEW_FEE", "fct_settlement_lines", {"transaction_type": "NEW_FEE", "amount": "-4.20"}),
    "MAP-2": (
        "BRICO",
        "journals",
        {"is_blocked": True, "blocked_code": "JNL-012", "blocked_reason": "No account", "total_debit": "9.00"},
    ),
    "STO-1": (
        "BRICO OVERFLOW",
        "rec_stock",
        {"subject_type": "WAREHOUSE", "subject_id": "OVERFLOW", "rule_code": "WAREHOUSE_MAPPED", "status": "EXCEPTION"},
    ),
    "STO-3": (
        "BRICO A",
        "fct_order_lines",
        {
            "shop_sku": "A",
            "quantity": 9000,
            "unit_price": "10.00",
            "price_amount": "90000.00",
            "created_at": NOW - timedelta(days=1),
        },
    ),
    "OFF-1": (
        "BRICO X",
        "rec_offers",
        {"subject_id": "X", "status": "EXCEPTION", "exception_code": "OFR-001", "summary": "no item"},
    ),
    "SCH-1": (
        "bank/BARC_GBP statements",
        "freshness",
        {"vendor": "bank", "account": "BARC_GBP", "feed": "statements", "is_stale": True, "freshness_hours": 72},
    ),
    "SCH-2": (
        "BRICO ACCEPTANCE",
        "deadlines",
        {"status": "MISSED", "deadline": "ACCEPTANCE", "waits_for": "ERP", "amount_at_risk": "9"},
    ),
    "CFG-1": ("BRICO", "fct_orders", {"tax_mode": "TAX_EXCLUDED", "total_amount": "30.00"}),
    "CFG-2": (
        "BRICO PRICE",
        "rec_orders",
        {"status": "MATCHED_WITHIN_TOLERANCE", "delta_amount": "-10.00", "rule_code": "PRICE"},
    ),
    "CFG-3": ("BRICO", "fct_cycles", {"billing_cycle_id": "C2", "cycle_date": date(2026, 6, 15), "is_declared": True}),
    "CFG-5": (
        "BRICO JOURNAL",
        "actions",
        {"state": "APPROVED", "kind": "JOURNAL", "decided_at": NOW - timedelta(days=2)},
    ),
    "VAT-1": (
        "BRICO NOR",
        "rec_sale_taxes",
        {"ship_to_country": "NOR", "status": "EXCEPTION", "consignment_amount": "9.00"},
    ),
    "VAT-2": ("BRICO", "exceptions", {"exception_code": "TAX-007", "status": "OPEN", "amount_at_risk": "2.88"}),
    "VAT-4": ("BRICO", "exceptions", {"exception_code": "ORD-008", "status": "OPEN", "amount_at_risk": "2.88"}),
    "HIS-1": (
        "BRICO PAYOUT",
        "unmatched_payouts",
        {"subject_type": "PAYOUT", "days_open": 31, "residual_amount": "-8.20"},
    ),
    "HIS-2": (
        "BRICO IN_TRANSIT",
        "clearing_open_items",
        {"item_kind": "IN_TRANSIT", "days_open": 31, "open_amount": "-8.20"},
    ),
    "HIS-3": (
        "FINANCE",
        "exceptions",
        {"owner_team": "FINANCE", "status": "OPEN", "due_at": NOW - timedelta(hours=1), "amount_at_risk": "1"},
    ),
    "HIS-4": (
        "BRICO BNK-001",
        "exceptions",
        {"exception_code": "BNK-001", "status": "RESOLVED", "times_opened": 3, "title": "Late"},
    ),
    "HIS-5": (
        "UKTRADE 2026-04",
        "close_readiness",
        {"entity_code": "UKTRADE", "period": "2026-04", "is_blocking": True, "is_done": False, "is_locked": False},
    ),
}


@pytest.mark.parametrize("check_id", sorted(FAULTS))
def test_each_check_finds_its_fault_and_nothing_else_does(
    check_id: str, marts: duckdb.DuckDBPyConnection, registry: Registry, insert: Insert
) -> None:
    subject, mart, values = FAULTS[check_id]
    insert(mart, **values)
    examined = examine(facts(marts, registry))
    assert found(examined) == {(check_id, subject)}
    (row,) = rows_of(examined)
    assert row["remedy"]
    assert row["evidence"]
    assert row["amount"] is None or row["amount"] >= 0


@pytest.mark.usefixtures("insert")
def test_what_the_configuration_gets_wrong_is_found(marts: duckdb.DuckDBPyConnection, registry: Registry) -> None:
    def findings(changed: Registry, **changes: Any) -> set[tuple[str, str]]:
        return found(examine(facts(marts, changed, **changes)))

    from orchestration.lib.configuration import ItemMapping

    dead = ItemMapping(line=2, marketplace_code="BRICO", shop_sku="OLD", erp_code="SAGE_UK", item_code="X")
    assert findings(replace(registry, item_map=(dead,))) == {("MAP-3", "BRICO OLD")}
    north = edited(registry, "warehouses", 1, is_for_sale=False, reason="")
    assert findings(north) == {("STO-2", "BRICO")}
    assert findings(edited(north, "warehouses", 1, reason="Closed in May")) == set()
    assert findings(replace(registry, opening_balances=())) == {("CFG-4", "BRICO")}
    late = edited(registry, "marketplaces", 0, go_live_date=date(2026, 5, 1))
    assert findings(late) == {("CFG-4", "BRICO")}
    assert findings(edited(registry, "entities", 0, vat_number=None)) == {("VAT-3", "UKTRADE")}
    loose = edited(registry, "approval_policies", 0, mode="AUTO")
    assert findings(loose) == {("PER-2", "JOURNAL *")}
    assert findings(loose, write_back=False) == set(), "nothing leaves"
    shared = edited(
        edited(registry, "marketplaces", 0, key_name="GROUP"), "marketplaces", 1, key_name="GROUP", is_enabled=True
    )
    assert ("PER-3", "GROUP") in findings(shared)
    assert findings(
        registry, lanes={"settlement": NOW, "stock": NOW - timedelta(hours=2), "orders": NOW, "dispatch": NOW}
    ) == {
        ("SCH-3", "stock"),
        ("SCH-3", "returns"),
    }
    refused = SimpleNamespace(
        account="mirakl/BRICO", name="lines", ok=False, detail="403", action="ask", is_warning=False
    )
    assert findings(registry, accounts=(refused,)) == {("PER-1", "mirakl/BRICO lines")}


@pytest.mark.usefixtures("insert")
def test_what_cannot_be_examined_is_never_taken_for_passed(
    marts: duckdb.DuckDBPyConnection, registry: Registry
) -> None:
    marts.execute("drop table deadlines")
    examined = examine(facts(marts, registry, accounts=None))
    assert {check.check_id for check, _ in examined.skipped} == {"SCH-2", "PER-1"}
    assert not {"SCH-2", "PER-1"} & {check.check_id for check in examined.passed}


def test_the_report_ranks_by_impact_and_money_and_runs_nothing(
    marts: duckdb.DuckDBPyConnection, registry: Registry, insert: Insert, tmp_path: Path
) -> None:
    insert("fct_settlement_lines", transaction_type="=cmd|<b>", amount="-4.20")
    insert("unmatched_payouts", subject_type="PAYOUT", days_open=31, residual_amount="-8.20")
    insert("clearing_open_items", item_kind="IN_TRANSIT", days_open=31, open_amount="99.00")
    insert("exceptions", owner_team="=team", status="OPEN", due_at=NOW - timedelta(hours=1), amount_at_risk="1.00")
    examined = examine(facts(marts, registry))
    assert [row["check"] for row in rows_of(examined)] == ["HIS-1", "MAP-1", "HIS-2", "HIS-3"]
    markdown, table, book = write(examined, tmp_path, at=NOW)
    text = markdown.read_text()
    assert (
        "| 1 | HIGH | history | BRICO PAYOUT: 1 item open for more than 30 days, the oldest for 31. | 8.20 GBP |"
        in text
    )
    assert "<b>" not in text.replace("`select * from fct_settlement_lines where transaction_type = '=cmd|<b>'`", "")
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["amount"] for row in rows] == ["8.20", "4.20", "99.00", "1.00"]
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]
    assert book.read_bytes().startswith(b"PK")
    keep(tmp_path / "newest.json", examined, at=NOW.replace(tzinfo=UTC))
    newest = json.loads((tmp_path / "newest.json").read_text())
    assert newest["examined_at"] == "2026-07-03T08:00:00.000000Z"
    assert [row["amount"] for row in newest["findings"]] == ["8.20", "4.20", "99.00", "1.00"]


def test_every_check_is_documented() -> None:
    text = (ROOT / "docs" / "audit.md").read_text()
    for check in CHECKS.values():
        assert f"| {check.check_id} | {check.impact.value} | {check.title} |" in text
