# ruff: noqa: S608  # the only texts put into SQL are names from the catalogue; values are parameters
"""Where an id stands in the evidence: file and record of every vendor's answer that names it."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import Any

import duckdb

from orchestration.lib.landing_files import LandingFiles
from orchestration.lib.settings import Settings
from orchestration.lib.warehouse import connect, quote

_ID = re.compile(r"(^|_)(id|ids|no|number|numbers|reference|sku|code|externalid|tranid|itemid)$")
"""Columns that may hold an id; not all of these do."""
_OWN = ("_file", "_position", "_account", "_fetched_at")


@dataclass(frozen=True, slots=True)
class Evidence:
    """One record; `column` are the columns of it that hold the id. `file` is its path below the landing folder's
    parent, `position` the record's number in it, from 0; `sha256` is that of the uncompressed file, `fetched_at` naive
    UTC.
    """

    table: str
    account: str
    column: str
    file: str
    position: int
    sha256: str | None
    fetched_at: Any

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def evidence_of(settings: Settings, wanted: str, *, limit: int = 100) -> list[Evidence]:
    """Records that hold the id in a column of ids, newest first, at most `limit`. A receipt's id begins with its bank
    account, which the bank's own record does not have. Waits while a run holds the warehouse.
    """
    found: list[Evidence] = []
    with connect(settings) as connection:
        for table, columns in _tables(connection).items():
            for column in columns:
                rows = connection.execute(
                    f"select source._account, source._file, source._position, source._fetched_at, landed.sha256 "
                    f"from raw.{quote(table)} as source left join raw.landing_files as landed "
                    f"on source._file = landed.path where source.{quote(column)} in ($1, $2) "
                    f"and (source.{quote(column)} = $1 or source._account || '-' || source.{quote(column)} = $1) "
                    f"order by source._fetched_at desc, source._position limit {limit:d}",
                    [wanted, wanted.partition("-")[2] or wanted],
                ).fetchall()
                found += [Evidence(table, row[0], column, row[1], int(row[2]), row[4], row[3]) for row in rows]
    records: dict[tuple[str, str, int], Evidence] = {}
    for one in found:
        known = records.setdefault((one.table, one.file, one.position), one)
        if one.column not in known.column.split(", "):
            records[one.table, one.file, one.position] = replace(known, column=f"{known.column}, {one.column}")
    ordered = sorted(records.values(), key=lambda one: (one.table, one.file, one.position))
    return sorted(ordered, key=lambda one: one.fetched_at, reverse=True)[:limit]


def problem_of(settings: Settings, found: Evidence) -> str | None:
    """What is wrong with the file now, in words; None when it is what was landed."""
    return None if found.sha256 is None else LandingFiles(settings.landing).problem(found.file, found.sha256)


def _tables(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Raw tables with a pointer into the evidence, and their columns that may hold ids."""
    rows = connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() where schema_name = 'raw' "
        "and database_name = current_database() order by table_name, column_index"
    ).fetchall()
    columns: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        columns.setdefault(str(table), {})[str(column)] = str(kind)
    return {
        table: [name for name, kind in own.items() if kind == "VARCHAR" and _ID.search(name)]
        for table, own in columns.items()
        if all(name in own for name in _OWN)
    }
