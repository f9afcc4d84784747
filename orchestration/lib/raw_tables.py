# ruff: noqa: S608  # the only texts put into SQL are names from our own table descriptions; values are parameters
"""The tables of the schema `raw`: those of the vendors, made from their connectors' descriptions, and our own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import pyarrow as pa

from connectors.records import TableSpec
from orchestration.lib.warehouse import columns_of, quote

_ROOT = (
    ("_account", "VARCHAR"),
    ("_file", "VARCHAR"),
    ("_position", "BIGINT"),
    ("_hash", "VARCHAR"),
    ("_fetched_at", "TIMESTAMP"),
    ("_batch", "VARCHAR"),
)
_CHILD = (
    ("_account", "VARCHAR"),
    ("_file", "VARCHAR"),
    ("_position", "BIGINT"),
    ("_index", "BIGINT"),
    ("_fetched_at", "TIMESTAMP"),
    ("_batch", "VARCHAR"),
)

OWN_TABLES = {
    "landing_files": """
        path VARCHAR, vendor VARCHAR, account VARCHAR, entity VARCHAR, batch VARCHAR, run_id VARCHAR,
        record_count BIGINT, byte_count BIGINT, sha256 VARCHAR, declared_count BIGINT, landed_at TIMESTAMP,
        is_batch_complete BOOLEAN, batch_mode VARCHAR, has_persons BOOLEAN
    """,
    "batches": """
        batch VARCHAR, run_id VARCHAR, vendor VARCHAR, account VARCHAR, entity VARCHAR, batch_mode VARCHAR,
        started_at TIMESTAMP, finished_at TIMESTAMP, records_received BIGINT, records_landed BIGINT,
        records_unchanged BIGINT, declared_count BIGINT, is_complete BOOLEAN, outcome VARCHAR
    """,
    "loaded_files": """
        path VARCHAR PRIMARY KEY, vendor VARCHAR, account VARCHAR, entity VARCHAR, batch VARCHAR,
        record_count BIGINT, inserted BIGINT, duplicates BIGINT, quarantined BIGINT, loaded_at TIMESTAMP
    """,
    "quarantine": """
        vendor VARCHAR, account VARCHAR, entity VARCHAR, file VARCHAR, position BIGINT, record_id VARCHAR,
        field VARCHAR, reason VARCHAR, code VARCHAR, first_seen_at TIMESTAMP
    """,
    "unknown_fields": """
        vendor VARCHAR, account VARCHAR, entity VARCHAR, file VARCHAR, kind VARCHAR, name VARCHAR,
        occurrences BIGINT
    """,
    "outbox_actions": """
        action_key VARCHAR, kind VARCHAR, vendor VARCHAR, account VARCHAR, marketplace_code VARCHAR,
        natural_id VARCHAR, version BIGINT, wire_key VARCHAR, state VARCHAR, proposed_at TIMESTAMP,
        decided_at TIMESTAMP, sent_at TIMESTAMP, verified_at TIMESTAMP, vendor_ids VARCHAR, detail VARCHAR,
        entity_code VARCHAR, amount VARCHAR, currency_code VARCHAR, payload VARCHAR, reason VARCHAR,
        source_hash VARCHAR
    """,
    "tieout_decisions": """
        decision_key VARCHAR, sequence BIGINT, kind VARCHAR, marketplace_code VARCHAR, entity_code VARCHAR,
        subject_type VARCHAR, subject_id VARCHAR, receipt_id VARCHAR, residual VARCHAR, exception_id VARCHAR,
        exception_code VARCHAR, amount VARCHAR, currency_code VARCHAR, reason VARCHAR, state VARCHAR,
        proposed_at TIMESTAMP, decided_at TIMESTAMP
    """,
    "tieout_close_events": """
        close_key VARCHAR, sequence BIGINT, entity_code VARCHAR, period VARCHAR, kind VARCHAR, role VARCHAR,
        state VARCHAR, evidence_hash VARCHAR, left_open VARCHAR, reason VARCHAR, conflict_key VARCHAR,
        taken_at TIMESTAMP
    """,
    "tieout_closed_figures": """
        close_key VARCHAR, entity_code VARCHAR, period VARCHAR, marketplace_code VARCHAR, figure_code VARCHAR,
        currency_code VARCHAR, amount VARCHAR
    """,
    "tieout_call_usage": """
        vendor VARCHAR, key_name VARCHAR, call VARCHAR, measured_at TIMESTAMP, window_seconds BIGINT,
        calls_in_window BIGINT, maximum_calls BIGINT, recommended_calls BIGINT, recommended_seconds BIGINT,
        last_call_at TIMESTAMP, next_allowed_at TIMESTAMP, throttled_count BIGINT
    """,
    "tieout_id_checks": """
        vendor VARCHAR, account VARCHAR, entity VARCHAR, checked_at TIMESTAMP, window_from TIMESTAMP,
        window_to TIMESTAMP, record_id VARCHAR, found_at_vendor BOOLEAN, found_here BOOLEAN
    """,
}
"""Tables beside the vendors' that the dbt project reads."""


def create_own_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the schema, and what there is beside the vendors' tables."""
    connection.execute("create schema if not exists raw")
    for name, columns in OWN_TABLES.items():
        connection.execute(f"create table if not exists raw.{name} ({columns})")
    # A warehouse of before customers were cut out of the evidence.
    connection.execute("alter table raw.landing_files add column if not exists has_persons BOOLEAN")


def present_columns(connection: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    """The columns of every table of raw, by table."""
    return {table: set(columns) for table, columns in ordered_columns(connection).items()}


def ordered_columns(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """The same in the order of the tables' making."""
    found = connection.execute(
        "select table_name, list(column_name order by column_index) from duckdb_columns() "
        "where schema_name = 'raw' and database_name = current_database() group by table_name"
    ).fetchall()
    return {str(table): list(columns) for table, columns in found}


def ensure_table(connection: duckdb.DuckDBPyConnection, table: TableSpec, present: set[str]) -> bool:
    """Create a vendor table, or add the columns that a newer connector knows to those that are `present`; a column is
    never dropped. Whether anything had to be done.
    """
    own = _CHILD if table.parent else _ROOT
    wanted = [
        *own,
        *((column.name, "BOOLEAN" if pa.types.is_boolean(column.type) else "VARCHAR") for column in table.columns),
    ]
    if not present:
        columns = ", ".join(f"{quote(name)} {kind}" for name, kind in wanted)
        connection.execute(f"create table raw.{quote(table.name)} ({columns})")
        return True
    missing = [(name, kind) for name, kind in wanted if name not in present]
    for name, kind in missing:
        connection.execute(f"alter table raw.{quote(table.name)} add column {quote(name)} {kind}")
    return bool(missing)


def insert_rows(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert Python rows through Arrow: executemany costs a statement per row."""
    if not rows:
        return
    columns = columns_of(connection, "raw", table)
    kinds = {"VARCHAR": pa.string(), "BIGINT": pa.int64(), "BOOLEAN": pa.bool_(), "TIMESTAMP": pa.timestamp("us")}
    incoming_rows = pa.table(  # noqa: F841  # DuckDB finds it by its name, and does not keep it
        [pa.array(values, kinds[kind]) for (_, kind), values in zip(columns, zip(*rows, strict=True), strict=True)],
        names=[name for name, _ in columns],
    )
    connection.execute(f"insert into raw.{table} select * from incoming_rows")
