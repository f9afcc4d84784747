"""Invariant 12: the order in which feeds arrive does not change where they end.

One world is read by two installations: by one whole and in order, by the other shuffled, most feeds twice, split into
portions that are loaded in between, the books and the bank before the marketplaces. Their marts are the same
rows.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from tests.accuracy.playing import Run, installed
from tests.accuracy.scenarios import SMALLEST, Scenario

SCENARIO = replace(
    Scenario.of(7),
    orders=SMALLEST,
    erp="sage200",
    marketplaces=("BRICO", "PLAZA"),
    currency="GBP",
    settlement_led=(),
    arrival="WHOLE",
)

TELLS_OF_THE_WAY = {"control_totals", "call_budget", "feeds", "id_checks", "exception_history"}
"""Marts about what was received, how often, and what was open in between, which is what differs."""
OPEN = {"exceptions": "where status <> 'RESOLVED'"}
WHEN_RECEIVED = {"fetched_at", "loaded_at", "first_seen_at", "last_seen_at"}


class Shuffled(Run):
    def arrive(self) -> list[str]:
        due, by_id = self.planned(self._workspace.registry.vendors)
        rng = random.Random("arrival")
        rng.shuffle(due)
        late = [key for key in due if key.vendor == "mirakl"]
        early = [key for key in due if key.vendor != "mirakl"]
        for number, key in enumerate([*early, *late, *rng.sample(due, len(due) * 2 // 3)], start=1):
            self.land(key)
            if number % 10 == 0:
                self.load()
        self.read_by_id(by_id)
        self.build()
        return self.problems


class InOrder(Run):
    def arrive(self) -> list[str]:
        due, by_id = self.planned(self._workspace.registry.vendors)
        for key in due:
            self.land(key)
        self.read_by_id(by_id)
        self.build()
        return self.problems


@pytest.fixture(scope="module")
def warehouses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """One connection to both, as catalogs `in_order` and `shuffled`."""
    paths: dict[str, Path] = {}
    for name, arrival in (("in_order", InOrder), ("shuffled", Shuffled)):
        with installed([SCENARIO], tmp_path_factory.mktemp(name)) as (_, settings):
            assert arrival(settings, [SCENARIO]).arrive() == []
            paths[name] = settings.warehouse_path
    with closing(duckdb.connect()) as connection:
        for name, path in paths.items():
            connection.execute(f"attach '{path}' as {name} (read_only)")
        yield connection


def marts(connection: duckdb.DuckDBPyConnection) -> list[str]:
    found = connection.execute(
        "select table_name from duckdb_tables() where database_name = 'in_order' and schema_name = 'marts' order by 1"
    ).fetchall()
    return [name for (name,) in found if name not in TELLS_OF_THE_WAY]


def test_the_order_of_arrival_changes_no_mart(warehouses: duckdb.DuckDBPyConnection) -> None:
    different = {}
    for name in marts(warehouses):
        columns = [
            column[0] for column in warehouses.execute(f"select * from in_order.marts.{name} limit 0").description
        ]
        compared = ", ".join(f'"{column}"' for column in columns if column not in WHEN_RECEIVED)
        sides = [
            f"select {compared} from {side}.marts.{name} {OPEN.get(name, '')}" for side in ("in_order", "shuffled")
        ]
        rows = [warehouses.execute(f"{one} except all {other}").fetchmany(3) for one, other in (sides, reversed(sides))]
        if any(rows):
            different[name] = rows
    assert different == {}


@pytest.mark.parametrize("name", ["exceptions", "journal_lines", "fct_settlement_lines", "clearing_rollforward"])
def test_what_is_compared_is_there(warehouses: duckdb.DuckDBPyConnection, name: str) -> None:
    assert name in marts(warehouses)
    ((count,),) = warehouses.execute(f"select count(*) from in_order.marts.{name}").fetchall()
    assert count > 10
