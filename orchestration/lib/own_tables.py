"""Raw tables that Tieout writes about itself beside those of the loader: calls used of each budget, ids compared.

They are there, empty or not, before dbt runs.
"""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import pyarrow as pa

from orchestration.lib.budgets import CallUsage

CALL_USAGE = """
create table if not exists raw.tieout_call_usage (
    vendor VARCHAR, key_name VARCHAR, call VARCHAR, measured_at TIMESTAMP, window_seconds BIGINT,
    calls_in_window BIGINT, maximum_calls BIGINT, recommended_calls BIGINT, recommended_seconds BIGINT,
    last_call_at TIMESTAMP, next_allowed_at TIMESTAMP, throttled_count BIGINT
)
"""
ID_CHECKS = """
create table if not exists raw.tieout_id_checks (
    vendor VARCHAR, account VARCHAR, entity VARCHAR, checked_at TIMESTAMP, window_from TIMESTAMP,
    window_to TIMESTAMP, record_id VARCHAR, found_at_vendor BOOLEAN, found_here BOOLEAN
)
"""


def create_own_tables(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create schema if not exists raw")
    connection.execute(CALL_USAGE)
    connection.execute(ID_CHECKS)


def replace_call_usage(connection: duckdb.DuckDBPyConnection, usage: list[CallUsage]) -> None:
    """Put what was used of every allowance where dbt can read it. All times are UTC."""
    kinds = {
        "vendor": pa.string(), "key_name": pa.string(), "call": pa.string(), "measured_at": pa.timestamp("us"),
        "window_seconds": pa.int64(), "calls_in_window": pa.int64(), "maximum_calls": pa.int64(),
        "recommended_calls": pa.int64(), "recommended_seconds": pa.int64(), "last_call_at": pa.timestamp("us"),
        "next_allowed_at": pa.timestamp("us"), "throttled_count": pa.int64(),
    }  # fmt: skip
    rows = [
        {
            "vendor": one.vendor,
            "key_name": one.key_name,
            "call": one.call,
            "measured_at": _moment(one.measured_at),
            "window_seconds": one.window_seconds,
            "calls_in_window": one.calls_in_window,
            "maximum_calls": one.maximum_calls,
            "recommended_calls": one.recommended.calls if one.recommended else None,
            "recommended_seconds": one.recommended.seconds if one.recommended else None,
            "last_call_at": _moment(one.last_call_at),
            "next_allowed_at": _moment(one.next_allowed_at),
            "throttled_count": one.throttled_count,
        }
        for one in usage
    ]
    connection.execute("begin")
    connection.execute("delete from raw.tieout_call_usage")
    if rows:
        connection.register("incoming_usage", pa.Table.from_pylist(rows, schema=pa.schema(list(kinds.items()))))
        connection.execute("insert into raw.tieout_call_usage select * from incoming_usage")
        connection.unregister("incoming_usage")
    connection.execute("commit")


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
