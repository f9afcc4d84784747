"""Tables that a build patches instead of making them anew: those of millions of rows of which a day changes few.

Such a model says in its `meta` what its key is and where its changes come from (`patched_from`: a raw table, or
models), and its own SQL narrows itself to what may have changed (dbt_project/macros/patching.sql). It is patched only
when nothing else that it hangs on has changed since the last whole build, and raw has only grown since; else it is
built whole. The rows are then those of a whole build. A build that does not end leaves no record of itself, so the
next one is whole.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import duckdb

FILES_BUILT = "built_files"
"""Table of raw: what the last whole build read of each raw table that models are patched from, rows by file."""
_ID_COLUMN = "id"


def patched_models(
    manifest: Mapping[str, Any], *, stale: Collection[str], alone: Collection[str], grown: Collection[str]
) -> list[str]:
    """Names of the stale models that may be patched. `alone`: nodes and sources that changed by themselves (their rows,
    configuration or the clock); `grown`: raw tables that only got new files.
    """
    chosen: set[str] = set()
    nodes = manifest["nodes"]
    candidates = {one for one in stale if one not in alone and _origins(nodes[one])}

    def is_followed(model: str, parent: str) -> bool:
        """Whether what changed in the parent is found by the model."""
        if parent not in alone and parent not in stale:
            return True
        source = manifest["sources"].get(parent)
        if source is not None:
            return source["name"] in _origins(nodes[model]) and source["name"] in grown
        is_whole = not _origins(nodes[parent])
        return nodes[parent]["name"] in _origins(nodes[model]) and (is_whole or parent in chosen)

    while more := {
        one
        for one in candidates - chosen
        if all(is_followed(one, parent) for parent in manifest["parent_map"].get(one, ()))
    }:
        chosen |= more
    return sorted(nodes[one]["name"] for one in chosen)


def _origins(node: Mapping[str, Any]) -> list[str]:
    origins: list[str] = (node.get("config", {}).get("meta") or {}).get("patched_from", [])
    return origins


def _tables(manifest: Mapping[str, Any]) -> set[str]:
    """Raw tables that models are patched from."""
    names = {source["name"] for source in manifest["sources"].values()}
    return {name for node in manifest["nodes"].values() for name in _origins(node) if name in names}


def grown_tables(manifest: Mapping[str, Any], connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Of the raw tables that models are patched from, those that hold what the last whole build read, and new files of
    records that have an id.
    """
    if not _exists(connection, FILES_BUILT):
        return set()
    grown = set()
    for table in _tables(manifest):
        if not _exists(connection, table):
            continue
        row = connection.execute(
            f"""
            with files as (
                select
                    _file as path,
                    count(*) as row_count,
                    bool_or(nullif(trim({_ID_COLUMN}), '') is null) as has_nameless
                from raw."{table}" group by _file
            ),
            built as (select path, row_count from raw.{FILES_BUILT} where table_name = ?)
            select count(*) from files full join built using (path)
            where (built.path is not null and files.row_count is distinct from built.row_count)
                or (built.path is null and (files.has_nameless or files.path is null))
            """,  # noqa: S608
            [table],
        ).fetchone()
        if row == (0,):
            grown.add(table)
    return grown


def note_files(manifest: Mapping[str, Any], connection: duckdb.DuckDBPyConnection) -> None:
    """Remember what raw held for the build that has just ended, whole."""
    if not (tables := sorted(table for table in _tables(manifest) if _exists(connection, table))):
        return
    each = " union all ".join(
        f"select '{table}' as table_name, _file as path, count(*) as row_count from raw.\"{table}\" group by _file"  # noqa: S608
        for table in tables
    )
    connection.execute(f"create or replace table raw.{FILES_BUILT} as {each}")


def _exists(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    found = connection.execute(
        "select 1 from duckdb_tables()"
        " where schema_name = 'raw' and table_name = ? and database_name = current_database()",
        [table],
    ).fetchone()
    return found is not None
