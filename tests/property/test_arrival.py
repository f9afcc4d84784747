"""Invariant 12: the order in which feeds arrive does not change where they end.

Three sellers of one installation live in the same world. The first one's feeds are read once, in order; the second
one's in a random order, each twice, loaded a few at a time; the third one's bank and books come before its marketplace.
Their marts are the same rows, but for the codes that tell the sellers apart.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from orchestration.lib.settings import Settings
from orchestration.lib.state import FeedKey
from orchestration.lib.warehouse import connect
from tests.accuracy.playing import Run, installed
from tests.accuracy.scenarios import SMALLEST, Scenario
from tests.accuracy.vendors import Owners
from tests.property.invariants import INVARIANTS

IN_ORDER, SHUFFLED, LATE = 1, 2, 3
SCENARIO = replace(Scenario.of(7), orders=SMALLEST, marketplaces=("BRICO", "HOMELY"), erp="sage200")

COUNTS_OF_RECEPTION = {"control_totals", "call_budget", "freshness", "completeness"}
"""Marts about what was received and how often, which is what differs."""
MADE_OF_CODES = {"exception_id", "wire_key", "action_key", "decision_key", "payload_hash", "source_hash", "payload"}
"""Columns that are digests of the sellers' codes, or hold one."""


class Arrivals(Run):
    """Every seller's feeds in the way that its number says."""

    def arrive(self) -> list[str]:
        keys, by_id = self.planned(self._workspace.registry.vendors)
        mine: dict[int, list[FeedKey]] = defaultdict(list)
        for key in keys:
            mine[int(key.account[-1])].append(key)
        late = sorted(mine[LATE], key=lambda key: key.vendor == "mirakl")
        shuffled = [*mine[SHUFFLED], *mine[SHUFFLED]]
        random.Random("arrival").shuffle(shuffled)
        for number, (one, other) in enumerate(zip(shuffled, _repeated(late, len(shuffled)), strict=True), start=1):
            self.land(one)
            if other is not None:
                self.land(other)
            if number % 12 == 0:
                self.load()
        for key in mine[IN_ORDER]:
            self.land(key)
        self.read_by_id(by_id)
        self.build()
        return self.problems


def _repeated(keys: list[FeedKey], count: int) -> Iterator[FeedKey | None]:
    """The keys once, then nothing."""
    yield from keys
    yield from (None for _ in range(count - len(keys)))


@pytest.fixture(scope="module")
def marts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """By seller and mart, the rows as text without the seller's number; and the rows that break an invariant."""
    scenarios = [replace(SCENARIO, number=number) for number in (IN_ORDER, SHUFFLED, LATE)]
    with installed(scenarios, tmp_path_factory.mktemp("arrival")) as (vendors, settings):
        problems = Arrivals(settings, scenarios).arrive()
        owners = Owners(vendors.places)
    assert problems == []
    return {"rows": _rows(settings, owners), "broken": _broken(settings)}


def _rows(settings: Settings, owners: Owners) -> Mapping[str, Mapping[int, list[str]]]:
    found: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    with connect(settings) as connection:
        tables = connection.execute("select table_name from duckdb_tables() where schema_name = 'marts'").fetchall()
        for (name,) in sorted(tables):
            if name in COUNTS_OF_RECEPTION:
                continue
            result = connection.execute(f"select * from marts.{name}")
            columns = [column[0] for column in result.description]
            for row in result.fetchall():
                values = {c: v for c, v in zip(columns, row, strict=True) if c not in MADE_OF_CODES}
                owner = owners.of(*(str(value) for value in values.values()))
                if owner is not None:
                    text = "|".join(f"{column}={value}" for column, value in values.items())
                    found[name][owner].append(re.sub(rf"\b([A-Z][A-Z_]+){owner}\b", r"\1", text))
    return found


def _broken(settings: Settings) -> list[str]:
    with connect(settings) as connection:
        return [f"{name}: {row}" for name, query in INVARIANTS.items() for row in connection.execute(query).fetchall()]


@pytest.mark.parametrize("number", [SHUFFLED, LATE])
def test_the_order_of_arrival_changes_nothing(marts: dict[str, Any], number: int) -> None:
    for name, rows in marts["rows"].items():
        expected, found = sorted(rows[IN_ORDER]), sorted(rows[number])
        assert expected, name
        missing, strange = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
        assert (missing[:3], strange[:3]) == ([], []), name
        assert len(expected) == len(found), name


@pytest.mark.parametrize("name", ["exceptions", "journal_lines", "fct_settlement_lines", "clearing_rollforward"])
def test_what_is_compared_is_there(marts: dict[str, Any], name: str) -> None:
    assert len(marts["rows"][name][IN_ORDER]) > 10


def test_what_holds_on_any_books_holds(marts: dict[str, Any]) -> None:
    assert marts["broken"] == []
