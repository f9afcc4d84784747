"""What the act models want done, read out of the warehouse."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pyarrow as pa

from orchestration.lib.settings import Settings
from orchestration.lib.warehouse import connect
from orchestration.outbox import PROPOSAL_COLUMNS, Outbox, State
from orchestration.outbox.states import LIVE

SCHEMA = "actions"


def waiting_actions(settings: Settings, kinds: Collection[str]) -> int:
    """How many actions of these kinds are on their way. What waits for a person, or for another action to be proved, is
    not hurried by a run.
    """
    outbox = Outbox(settings.outbox_address, settings.clock)
    try:
        rows = [row for row in outbox.actions(states=LIVE - {State.PROPOSED}) if row["kind"] in kinds]
        return len(rows) - len(outbox.held(rows))
    finally:
        outbox.close()


def wanted_actions(settings: Settings) -> Any:
    """The rows of every table of schema `actions` as one Arrow table with the outbox's columns, amounts as text.

    A model that lacks a column of the contract is an error here (duckdb.BinderException), before anything is proposed.
    """
    columns = ", ".join(
        f'"{name}"::bigint as "{name}"' if name == "version" else f'"{name}"::varchar as "{name}"'
        for name in PROPOSAL_COLUMNS
    )
    with connect(settings) as connection:
        models = connection.execute(
            """
            select table_name
            from information_schema.tables
            where table_schema = ? and table_name like 'act!_%' escape '!'
            order by table_name
            """,
            [SCHEMA],
        ).fetchall()
        parts = [
            connection.sql(f'select {columns} from {SCHEMA}."{name}" order by action_key').to_arrow_table()  # noqa: S608
            for (name,) in models
        ]
    if parts:
        return pa.concat_tables(parts)
    kinds = {name: pa.int64() if name == "version" else pa.string() for name in PROPOSAL_COLUMNS}
    return pa.table({name: pa.array([], kind) for name, kind in kinds.items()})
