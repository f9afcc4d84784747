"""Loading: repeatable, counted to the record, and nothing bad stops what is good."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from connectors.feeds import REGISTRY, feed_spec
from connectors.records import Column, FeedSpec, TableSpec
from orchestration.lib import loading
from orchestration.lib.landing import Landing
from orchestration.lib.settings import Settings
from orchestration.lib.state import FeedKey, State
from orchestration.lib.warehouse import connect
from tests.orchestration.vendor import Vendor, line, offer


def land(settings: Settings, vendor: Vendor, entity: str = "transaction_lines", account: str = "BRICO") -> None:
    with State(settings.state_path) as state:
        Landing(settings, state, "run").land(feed_spec("mirakl", entity), account, vendor, overlap=timedelta(hours=1))


def query(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with connect(settings) as connection:
        return connection.execute(sql).fetchall()


def lines(*records: dict[str, Any]) -> Vendor:
    return Vendor(records={"transaction_lines": list(records)})


def test_rows_point_at_their_evidence_and_amounts_are_the_vendors_text(settings: Settings) -> None:
    land(settings, lines(line(1), line(2), line(3), line(4, amount="-7.10")))
    result = loading.load(settings)

    assert (result.records, result.inserted, result.duplicates, result.quarantined) == (4, 4, 0, 0)
    (row,) = query(
        settings,
        "select amount, _account, _file, _position, length(_hash), _batch, _fetched_at::varchar"
        " from raw.mirakl_transaction_lines where id like '00000004%'",
    )
    path = "landing/mirakl/BRICO/transaction_lines/2026-07-03/0000000001-000002.json.zst"
    assert row == ("-7.10", "BRICO", path, 0, 16, "0000000001", "2026-07-03 08:00:00")


def test_loading_twice_changes_nothing(settings: Settings) -> None:
    land(settings, lines(line(1), line(2)))
    loading.load(settings)
    before = query(settings, "select * from raw.mirakl_transaction_lines order by all")
    again = loading.load(settings)
    assert again.files == 0
    assert query(settings, "select * from raw.mirakl_transaction_lines order by all") == before


def test_a_record_that_comes_again_unchanged_is_counted_and_not_inserted(settings: Settings) -> None:
    vendor = lines(line(1), line(2), line(3))
    land(settings, vendor)
    loading.load(settings)
    vendor.records["transaction_lines"][2] = line(3, amount="99.99")
    land(settings, vendor)

    result = loading.load(settings)

    assert (result.records, result.inserted, result.duplicates) == (3, 1, 2)
    assert query(settings, "select count(*), count(distinct id) from raw.mirakl_transaction_lines") == [(4, 3)]
    assert loading.proved_counts(settings) == []


def test_the_same_record_of_two_accounts_is_two_records(settings: Settings) -> None:
    land(settings, lines(line(1)), account="BRICO")
    land(settings, lines(line(1)), account="MAISON")
    assert loading.load(settings).inserted == 2


def test_a_record_twice_in_one_extraction_is_inserted_once(settings: Settings) -> None:
    land(settings, lines(line(1), line(1), line(2), line(1)))
    result = loading.load(settings)
    assert (result.inserted, result.duplicates) == (2, 2)


def test_a_bad_record_goes_to_quarantine_with_its_place_and_the_others_go_on(settings: Settings) -> None:
    bad = {**line(2), "amount": "twelve"}
    land(settings, lines(line(1), bad, line(3)))
    result = loading.load(settings)

    assert (result.inserted, result.quarantined) == (2, 1)
    (row,) = query(settings, "select vendor, account, entity, position, field, code <> '' from raw.quarantine")
    assert row == ("mirakl", "BRICO", "transaction_lines", 1, "amount", True)
    assert loading.proved_counts(settings) == []


def test_a_page_that_is_no_json_is_quarantined_whole(settings: Settings) -> None:
    class Broken(Vendor):
        def pages(self, entity: str, window: Any) -> Any:
            for page in super().pages(entity, window):
                yield replace(page, body=page.body[:-9])

    land(settings, Broken(records={"transaction_lines": [line(1), line(2)]}))
    result = loading.load(settings)
    assert (result.inserted, result.quarantined) == (0, 2)
    assert query(settings, "select code, position from raw.quarantine") == [("PAGE_UNREADABLE", None)]
    assert loading.proved_counts(settings) == []


def test_unknown_members_and_values_are_counted_not_refused(settings: Settings) -> None:
    land(settings, lines(line(1, brand_new=1), line(2, type="NEW_FEE"), line(3, type="NEW_FEE")))
    result = loading.load(settings)
    assert result.inserted == 3
    assert result.unknown_fields == {"mirakl.brand_new": 1}
    assert result.unknown_values == {"mirakl.type=NEW_FEE": 2}
    counted = query(settings, "select kind, name, occurrences from raw.unknown_fields order by all")
    assert counted == [("FIELD", "brand_new", 1), ("VALUE", "type=NEW_FEE", 2)]


def test_only_whole_snapshots_are_marked_complete(settings: Settings) -> None:
    vendor = Vendor(records={"offers": [offer(1), offer(2)]}, page_size=1)
    land(settings, vendor, "offers")
    vendor.records["offers"][0] = offer(1, quantity=9)
    vendor.declares = 3
    with pytest.raises(Exception, match="declared 3"):
        land(settings, vendor, "offers")
    loading.load(settings)
    marked = query(
        settings, "select batch, is_batch_complete, count(*) from raw.landing_files group by all order by all"
    )
    assert marked == [("0000000001", True, 2), ("0000000002", False, 2)]


def test_every_table_exists_before_anything_was_landed(settings: Settings) -> None:
    loading.load(settings)
    present = {row[0] for row in query(settings, "select table_name from duckdb_tables() where schema_name = 'raw'")}
    described = {t.name for feeds in REGISTRY.values() for spec in feeds.values() for t in spec.tables}
    assert described | {"landing_files", "batches", "quarantine", "unknown_fields", "outbox_actions"} <= present


def test_a_column_that_a_newer_connector_knows_is_added_and_filled_by_a_reload(settings: Settings) -> None:
    land(settings, lines(line(1)))
    loading.load(settings, feeds=feeds_with(without_column("type")))
    assert "type" not in columns(settings)

    loading.load(settings)
    assert query(settings, "select type from raw.mirakl_transaction_lines") == [(None,)]
    loading.reload(settings)
    assert query(settings, "select type from raw.mirakl_transaction_lines") == [("ORDER_AMOUNT",)]


def test_a_crash_within_a_group_leaves_neither_rows_nor_marks(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(settings, lines(line(1), line(2)))

    def fail(connection: duckdb.DuckDBPyConnection, table: str, rows: Any) -> None:
        if table == "loaded_files":
            raise KeyboardInterrupt
        real(connection, table, rows)

    real = loading.insert_rows
    monkeypatch.setattr(loading, "insert_rows", fail)
    with pytest.raises(KeyboardInterrupt):
        loading.load(settings)
    monkeypatch.undo()
    assert query(settings, "select count(*) from raw.mirakl_transaction_lines") == [(0,)]
    assert loading.load(settings).inserted == 2


@pytest.mark.parametrize("transaction", [3, 1000], ids=["of a later transaction", "of the same transaction"])
@pytest.mark.parametrize("has_hashes", [True, False], ids=["with landing's hashes", "landed without hashes"])
def test_a_record_that_comes_again_in_a_later_group_is_inserted_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, transaction: int, has_hashes: bool
) -> None:
    monkeypatch.setattr(loading, "GROUP_RECORDS", 3)
    monkeypatch.setattr(loading, "TRANSACTION_RECORDS", transaction)
    land(settings, lines(line(1), line(2), line(3), line(4), line(2), line(5), line(6), line(2), line(4)))
    if not has_hashes:
        with sqlite3.connect(settings.state_path) as state:
            state.execute("delete from record_hashes")
    result = loading.load(settings)
    assert (result.inserted, result.duplicates) == (6, 3)
    assert loading.proved_counts(settings) == []


def test_rows_bear_the_hashes_that_landing_took(settings: Settings) -> None:
    land(settings, lines(line(1), line(2, brand_new=1), {**line(3), "amount": "n/a"}, line(4)))
    loading.load(settings)
    with State(settings.state_path) as state:
        taken = [
            value.hex()
            for page in state.seen_pages(FeedKey("mirakl", "BRICO", "transaction_lines"))
            for value in (page[at : at + 8] for at in range(0, len(page), 8))
        ]
    found = [row[0] for row in query(settings, "select _hash from raw.mirakl_transaction_lines order by id")]
    assert found == [taken[0], taken[1], taken[3]]


def test_a_lost_row_is_found_by_the_proof(settings: Settings) -> None:
    land(settings, lines(line(1), line(2)))
    loading.load(settings)
    with connect(settings) as connection:
        connection.execute("update raw.loaded_files set inserted = inserted - 1")
    (mismatch,) = loading.proved_counts(settings)
    assert (mismatch.feed, mismatch.left, mismatch.right, mismatch.is_error) == (
        "mirakl/BRICO/transaction_lines",
        2,
        1,
        True,
    )


def test_a_vendor_that_declares_more_than_it_gives_is_told_of_a_change_feed_only_as_a_warning(
    settings: Settings,
) -> None:
    vendor = lines(line(1))
    vendor.declares = 10
    land(settings, vendor)
    loading.load(settings)
    (mismatch,) = loading.proved_counts(settings)
    assert (mismatch.left, mismatch.right, mismatch.is_error) == (10, 1, False)


def without_column(name: str) -> FeedSpec:
    """The transaction lines as an older connector knew them."""
    spec = feed_spec("mirakl", "transaction_lines")
    (table,) = spec.tables
    old = TableSpec(table.name, tuple(column for column in table.columns if column.name != name))

    def decode(body: bytes) -> Any:
        decoded = spec.decode(body)
        return replace(decoded, tables={table.name: decoded.tables[table.name].drop_columns([name])})

    return replace(spec, tables=(old,), decode=decode)


def feeds_with(spec: FeedSpec) -> loading.Feeds:
    return {"mirakl": {**REGISTRY["mirakl"], spec.entity: spec}}


def columns(settings: Settings) -> set[str]:
    return {
        row[0]
        for row in query(
            settings, "select column_name from duckdb_columns() where table_name = 'mirakl_transaction_lines'"
        )
    }


def test_child_rows_follow_their_record(settings: Settings) -> None:
    """A parent with two children, once fresh and once as a duplicate."""
    root = TableSpec("test_parents", (Column("id"),))
    child = TableSpec("test_children", (Column("id"), Column("text")), "test_parents")

    def decode(body: bytes) -> Any:
        from connectors.records import Decoded

        size = body.count(b"offer_id")
        parents = pa.table(
            {
                "_position": pa.array(range(size), pa.int64()),
                "_hash": [f"{n:016x}" for n in range(size)],
                "id": [str(n) for n in range(size)],
            }
        )
        children = pa.table(
            {
                "_position": pa.array([n for n in range(size) for _ in "ab"], pa.int64()),
                "_index": pa.array([n for _ in range(size) for n in (0, 1)], pa.int64()),
                "id": [str(n) for n in range(size) for _ in "ab"],
                "text": ["a", "b"] * size,
            }
        )
        return Decoded({"test_parents": parents, "test_children": children}, [], size, Counter(), Counter())

    spec = FeedSpec("mirakl", "offers", "cursor", (root, child), ("id",), None, decode)
    vendor = Vendor(records={"offers": [offer(1), offer(2)]}, page_size=1)
    with State(settings.state_path) as state:
        Landing(settings, state, "run").land(spec, "BRICO", vendor, overlap=timedelta())
    result = loading.load(settings, feeds={"mirakl": {"offers": spec}})
    # Both pages hold record 0 as far as this decoder says, so the second is a duplicate, with its children.
    assert (result.inserted, result.duplicates) == (1, 1)
    found = query(settings, "select _index, text, right(_file, 15) from raw.test_children order by all")
    assert found == [(0, "a", "000001.json.zst"), (1, "b", "000001.json.zst")]
