"""A patched table equals the one made anew, whatever changed; and nothing is patched that might not."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from typing import Any

import duckdb
import pytest

from orchestration.lib import dbt, loading, patching
from orchestration.lib.settings import DBT_PROJECT_DIR, Settings
from orchestration.lib.warehouse import connect

CHAIN = ("stg_mirakl__transaction_lines", "int_ledger__settlement_lines", "int_matching__transaction_lines")
LINE_COUNT = 120
TYPES = (
    "ORDER_AMOUNT",
    "ORDER_AMOUNT_TAX",
    "OPERATOR_REMITTED_ORDER_AMOUNT_TAX",
    "COMMISSION_FEE",
    "NEW_FEE",
    "PAYMENT",
)


def version(draw: random.Random, number: int, file: str, position: int) -> dict[str, Any]:
    """A version of a line: its order, cycle, currency and type may all be others than before, and its stamp older."""
    return {
        "_account": draw.choice(("BRICO", "MAISON")),
        "_file": file,
        "_batch": file,
        "_position": position,
        "_fetched_at": "2026-07-02 10:00:00",
        "id": draw.choice(("{}", " {} ")).format(number),
        "type": draw.choice(TYPES),
        "amount": draw.choice(("1.00", "1.00", "2.00")),
        "currency_iso_code": draw.choice(("GBP", "GBP", "EUR")),
        "payment_state": draw.choice(("PAID", "PENDING", "NOT_APPLICABLE")),
        "date_created": f"2026-06-{draw.randint(10, 11)}T10:00:00Z",
        "last_updated": f"2026-07-01T{draw.randint(10, 19)}:00:00Z",
        "order_id": draw.choice((None, None, "A", "B", "C", "D")),
        "order_line_id": draw.choice((None, None, "A-1")),
        "seller_billing_cycle_id": draw.choice((None, "c1", "c2", "c3")),
        "payment_voucher_number": draw.choice((None, "v1", "v2")),
        "accounting_document_number": draw.choice((None, "d1", "d2", "d3")),
    }


def receive(settings: Settings, versions: Iterable[dict[str, Any]]) -> None:
    with connect(settings) as connection:
        for row in versions:
            connection.execute(
                f"insert into raw.mirakl_transaction_lines ({', '.join(row)}) values ({', '.join('?' * len(row))})",
                list(row.values()),
            )


def build(settings: Settings, *, patched: tuple[str, ...] = ()) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of the three tables."""
    result = dbt.build(settings, select=[f"+{CHAIN[-1]}"], has_own_tests=False, patched=patched)
    assert result.error is None
    assert not [node for node in result.failures if node.resource_type == "model"], result.failures
    with connect(settings) as connection:
        return {
            name: connection.execute(f"select * from {schema}.{name} order by all").fetchall()
            for schema, name in zip(("staging", "ledger", "matching"), CHAIN, strict=True)
        }


def test_patched_tables_equal_those_made_anew(settings: Settings) -> None:
    real = settings.model_copy(update={"dbt_project_dir": DBT_PROJECT_DIR})
    loading.load(real)
    manifest = json.loads(dbt.ensure_manifest(real).read_text(encoding="utf-8"))
    draw = random.Random(7)
    receive(real, [version(draw, number, "first", number) for number in range(LINE_COUNT)])
    before = build(real)
    for file in ("second", "third"):
        with connect(real) as connection:
            patching.note_files(manifest, connection)
        numbers = [*draw.sample(range(LINE_COUNT), 12), LINE_COUNT + len(file)]
        receive(real, [version(draw, number, file, number) for number in numbers])
        with connect(real) as connection:
            assert patching.grown_tables(manifest, connection) == {"mirakl_transaction_lines"}
        patched = build(real, patched=CHAIN)
        with connect(real) as connection:
            ((brought,),) = connection.execute(
                "select count(*) from ledger.int_ledger__settlement_lines__patch"
            ).fetchall()
        assert 0 < brought < len(patched[CHAIN[1]]), "the rest was left alone"
        assert patched == (before := build(real))
    assert before[CHAIN[-1]]


@pytest.fixture
def raw() -> Iterable[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("create schema raw")
        connection.execute("create table raw.lines as select * from (values ('f1', '1'), ('f1', '2')) as t(_file, id)")
        patching.note_files(MANIFEST, connection)
        yield connection


def node(name: str, *origins: str) -> dict[str, Any]:
    return {"name": name, "config": {"meta": {"patched_from": list(origins)} if origins else {}}}


MANIFEST: dict[str, Any] = {
    "sources": {"source.lines": {"name": "lines"}, "source.types": {"name": "types"}},
    "nodes": {
        "model.stg": node("stg", "lines"),
        "model.types": node("types"),
        "model.cycles": node("cycles"),
        "model.ledger": node("ledger", "stg"),
        "model.matching": node("matching", "ledger", "cycles"),
        "model.mart": node("mart"),
    },
    "parent_map": {
        "model.stg": ["source.lines"],
        "model.types": ["source.types"],
        "model.cycles": ["model.stg"],
        "model.ledger": ["model.stg", "model.types"],
        "model.matching": ["model.ledger", "model.cycles"],
        "model.mart": ["model.matching"],
    },
}
LINES_ONLY = {"model.stg", "model.cycles", "model.ledger", "model.matching", "model.mart"}


@pytest.mark.parametrize(
    ("stale", "alone", "grown", "patched"),
    [
        (LINES_ONLY, {"source.lines"}, {"lines"}, ["ledger", "matching", "stg"]),
        (LINES_ONLY, {"source.lines"}, set(), []),
        (LINES_ONLY | {"model.types"}, {"source.lines", "source.types"}, {"lines"}, ["stg"]),
        (LINES_ONLY, {"source.lines", "model.ledger"}, {"lines"}, ["stg"]),
        (LINES_ONLY, {"source.lines", "model.stg"}, {"lines"}, []),
        ({"model.cycles", "model.matching", "model.mart"}, {"model.cycles"}, {"lines"}, ["matching"]),
    ],
    ids=["new lines", "raw not grown", "types changed", "ledger built between", "staging built between", "cycles only"],
)
def test_only_what_follows_its_changes_is_patched(
    stale: set[str], alone: set[str], grown: set[str], patched: list[str]
) -> None:
    assert patching.patched_models(MANIFEST, stale=stale, alone=alone, grown=grown) == patched


@pytest.mark.parametrize(
    ("change", "has_grown"),
    [
        ("select 1", True),
        ("insert into raw.lines values ('f2', '1')", True),
        ("insert into raw.lines values ('f1', '3')", False),
        ("delete from raw.lines where id = '2'", False),
        ("delete from raw.lines", False),
        ("insert into raw.lines values ('f2', ' ')", False),
        ("insert into raw.lines values (null, '3')", False),
        ("drop table raw.built_files", False),
    ],
)
def test_raw_has_grown_only_by_whole_files(raw: duckdb.DuckDBPyConnection, change: str, *, has_grown: bool) -> None:
    raw.execute(change)
    assert patching.grown_tables(MANIFEST, raw) == ({"lines"} if has_grown else set())
