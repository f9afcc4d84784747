"""The data map speaks of the schema as it is: every column has a class, and nothing personal is published."""

from __future__ import annotations

import csv
from collections import Counter
from typing import Any

import pytest
import yaml

from connectors.feeds import REGISTRY
from orchestration.lib.raw_tables import create_own_tables, ensure_table
from tests.test_docs import DOCS, ROOT

NAMED = ("free_text", "indirect", "none")


@pytest.fixture(scope="module")
def classes() -> dict[str, Any]:
    return yaml.safe_load((DOCS / "privacy.yml").read_text())


@pytest.fixture(scope="module")
def raw_columns() -> set[tuple[str, str]]:
    """(table, column) of everything that loading makes."""
    import duckdb

    with duckdb.connect() as connection:
        create_own_tables(connection)
        for entities in REGISTRY.values():
            for spec in entities.values():
                for table in spec.tables:
                    ensure_table(connection, table, set())
        rows = connection.execute("select table_name, column_name from duckdb_columns() where schema_name = 'raw'")
        return {(str(table), str(column)) for table, column in rows.fetchall()}


@pytest.fixture(scope="module")
def published_columns() -> set[tuple[str, str]]:
    found = set()
    for path in (ROOT / "dbt_project" / "models" / "marts").rglob("*.yml"):
        for model in (yaml.safe_load(path.read_text()) or {}).get("models", []):
            found |= {(model["name"], column["name"]) for column in model.get("columns", [])}
    return found


def test_every_column_has_exactly_one_class(
    classes: dict[str, Any], raw_columns: set[tuple[str, str]], published_columns: set[tuple[str, str]]
) -> None:
    assert len(raw_columns) > 1_000
    assert len(published_columns) > 500
    times = Counter(name for kind in NAMED for name in classes[kind].split())
    assert [name for name, number in times.items() if number > 1] == []
    personal = set(classes["personal"])
    unclassified = {
        f"{table}.{column}"
        for table, column in raw_columns | published_columns
        if column not in times and f"{table}.{column}" not in personal
    }
    assert sorted(unclassified) == [], "give each new column a class in docs/privacy.yml"
    known = {column for _, column in raw_columns | published_columns}
    assert sorted(times.keys() - known) == [], "these columns are gone"
    assert sorted(personal - {f"{table}.{column}" for table, column in raw_columns}) == []


def test_nothing_personal_is_published_and_the_data_map_names_all_of_it(
    classes: dict[str, Any], published_columns: set[tuple[str, str]]
) -> None:
    page = (DOCS / "privacy.md").read_text()
    columns = {name.partition(".")[2] for name in classes["personal"]}
    assert {column for column in columns if f"`{column}`" not in page} == set()
    sellers = {"shop_name"}  # a seller's shop is how the marketplace itself shows it to everybody
    assert {column for _, column in published_columns} & (columns - sellers) == set()


def test_the_feeds_with_personal_data_are_those_that_retention_limits(classes: dict[str, Any]) -> None:
    with (ROOT / "dbt_project" / "seeds" / "retention.csv").open(newline="") as file:
        limited = {f"{row['vendor']}/{row['entity']}": row["reason"] for row in csv.DictReader(file)}
    assert classes["evidence"] == limited
    tables = {
        table.name: f"{vendor}/{entity}"
        for vendor, entities in REGISTRY.items()
        for entity, spec in entities.items()
        for table in spec.tables
    }
    companies = {"mirakl/account", "mirakl/shops", "mirakl/invoices"}
    colleagues = {name for name in classes["personal"] if name.endswith(".user_name")}
    feeds = {tables[name.partition(".")[0]] for name in classes["personal"] if name not in colleagues}
    assert feeds - companies <= limited.keys()
