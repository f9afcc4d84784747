"""What is used and left of every call budget, put where dbt can read it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pyarrow as pa

from orchestration.lib.budgets import CallUsage
from orchestration.lib.settings import Settings
from orchestration.lib.warehouse import connect


def replace_call_usage(settings: Settings, usage: Sequence[CallUsage]) -> None:
    """Make raw.tieout_call_usage hold `usage`; all times are UTC. Where no call was counted nothing is opened."""
    if not usage:
        return
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
    with connect(settings) as connection:
        connection.register("incoming_usage", pa.Table.from_pylist(rows, schema=pa.schema(list(kinds.items()))))
        connection.execute("begin")
        connection.execute("delete from raw.tieout_call_usage")
        connection.execute("insert into raw.tieout_call_usage select * from incoming_usage")
        connection.execute("commit")
        connection.unregister("incoming_usage")


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
