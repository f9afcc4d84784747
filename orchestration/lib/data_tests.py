"""The data tests that hang on nothing but rows, asked in one go after the models were built.

dbt renders such a test anew on every run, to the same SQL: seven seconds for four hundred of them, which is a third of
a build on a small account. Here dbt renders them once per version of the project. Tests of our own (`tests/singular`),
those that read the clock or another variable and those with limits of their own stay with dbt.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

_PLAIN = {"fail_calc": "count(*)", "warn_if": "!= 0", "error_if": "!= 0", "where": None, "limit": None}
_VARIABLE = "var("


@dataclass(frozen=True, slots=True)
class DataTest:
    """One test as dbt parsed it. `parents` are the unique ids of what it reads; `severity` is ERROR or WARN."""

    unique_id: str
    name: str
    fqn: str
    parents: tuple[str, ...]
    severity: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of one test. `failures` counts the rows that break it; None when it was skipped or the query could
    not be asked.
    """

    test: DataTest
    status: str
    seconds: float
    failures: int | None
    message: str | None


def take_out(manifest: Any) -> dict[str, DataTest]:
    """Removes the tests that are asked here from dbt's manifest, and returns them by unique id."""
    variable = _macros_with_variables(manifest.macros)
    found = {
        unique_id: DataTest(
            unique_id, node.name, ".".join(node.fqn), tuple(node.depends_on.nodes), node.config.severity.upper()
        )
        for unique_id, node in manifest.nodes.items()
        if node.resource_type == "test"
        and getattr(node, "test_metadata", None) is not None
        and node.config.enabled
        and not node.config.store_failures
        and all(getattr(node.config, name) == value for name, value in _PLAIN.items())
        and _VARIABLE not in json.dumps(node.test_metadata.kwargs)
        and variable.isdisjoint(node.depends_on.macros)
    }
    for unique_id in found:
        del manifest.nodes[unique_id]
    return found


def chosen(
    tests: Mapping[str, DataTest],
    built: Collection[str],
    select: Sequence[str],
    nodes: Collection[str] = (),
    *,
    has_own_tests: bool,
) -> Iterator[DataTest]:
    """The tests that dbt would run: those selected by themselves and, with `has_own_tests`, those of anything built."""
    for test in tests.values():
        is_named = test.unique_id in nodes or f"fqn:{test.fqn}" in select
        if is_named or (has_own_tests and any(parent in built for parent in test.parents)):
            yield test


def ask(connection: duckdb.DuckDBPyConnection, test: DataTest, query: str, *, failed: Collection[str]) -> Asked:
    """Counts the rows that break the test. `failed` are the unique ids that this build could not bring up to date."""
    if not set(test.parents).isdisjoint(failed):
        return Asked(test, "skipped", 0.0, None, None)
    begun = time.monotonic()
    try:
        ((failures,),) = connection.execute(f"select count(*) from ({query}\n) as broken").fetchall()  # noqa: S608
    except duckdb.Error as problem:
        return Asked(test, "error", time.monotonic() - begun, None, str(problem))
    seconds = time.monotonic() - begun
    if not failures:
        return Asked(test, "pass", seconds, 0, None)
    status = "fail" if test.severity == "ERROR" else "warn"
    results = "1 result" if failures == 1 else f"{failures} results"
    return Asked(test, status, seconds, failures, f"Got {results}, configured to {status} if != 0")


def _macros_with_variables(macros: Mapping[str, Any]) -> set[str]:
    """Unique ids of the macros that read a variable, by themselves or through another."""
    found = {unique_id for unique_id, macro in macros.items() if _VARIABLE in macro.macro_sql}
    while more := {
        unique_id
        for unique_id, macro in macros.items()
        if unique_id not in found and not found.isdisjoint(macro.depends_on.macros)
    }:
        found |= more
    return found
