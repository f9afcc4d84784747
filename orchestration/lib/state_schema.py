"""The tables of `state.db`, version by version.

A step is never edited once it was released: it must do tomorrow what it did today. The next change is the next step.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from orchestration.lib.seals import seal_finished_batches

_FIRST = """
create table if not exists batches (
    batch integer primary key autoincrement,
    run_id text not null,
    vendor text not null,
    account text not null,
    entity text not null,
    mode text not null,
    status text not null check (status in ('RUNNING', 'COMPLETE', 'FAILED', 'ABANDONED')),
    started_at text not null,
    finished_at text,
    window_since text,
    window_after text,
    cursor_after text,
    pages integer not null default 0,
    records_received integer not null default 0,
    records_landed integer not null default 0,
    records_unchanged integer not null default 0,
    declared_count integer,
    error text
);
create index if not exists ix_batches_feed on batches (vendor, account, entity, batch);
create table if not exists files (
    path text primary key,
    batch integer not null references batches,
    number integer not null,
    record_count integer not null,
    byte_count integer not null,
    sha256 text not null,
    declared_count integer,
    url text not null,
    http_status integer not null,
    fetched_at text not null,
    landed_at text not null
);
create index if not exists ix_files_batch on files (batch, number);
create table if not exists record_hashes (
    path text primary key references files,
    hashes blob not null
);
create table if not exists cursors (
    vendor text not null,
    account text not null,
    entity text not null,
    cursor text not null,
    batch integer not null,
    primary key (vendor, account, entity)
);
create table if not exists warned (
    warning text primary key,
    told_at text not null
);
create table if not exists read_ids (
    vendor text not null,
    account text not null,
    entity text not null,
    id text not null,
    version text not null,
    batch integer not null,
    primary key (vendor, account, entity, id)
) without rowid;
create index if not exists ix_read_ids_batch on read_ids (batch);
create table if not exists seen (
    vendor text not null,
    account text not null,
    entity text not null,
    batch integer not null,
    number integer not null,
    cursor text,
    hashes blob not null,
    primary key (vendor, account, entity, batch, number)
);
"""

_SEALS = """
create table seals (
    sequence integer primary key,
    kind text not null check (kind in ('BATCH', 'PUBLISHED', 'CONFIGURATION', 'ERASURE')),
    subject text not null,
    content text not null,
    at text not null,
    previous_hash text not null,
    hash text not null unique
);
create trigger seals_no_update before update on seals begin select raise(abort, 'seals is append-only'); end;
create trigger seals_no_delete before delete on seals begin select raise(abort, 'seals is append-only'); end;
"""

_ALERTS = """
create table if not exists alert_causes (
    key text primary key,
    team text not null,
    first_told_at text,
    acknowledged_at text,
    acknowledged_by text,
    reason text,
    acknowledged_severity text,
    acknowledged_amounts text,
    escalated_at text
);
create table if not exists alert_items (
    channel text not null,
    key text not null,
    item_id text not null,
    severity text not null,
    told_at text not null,
    primary key (channel, key, item_id)
) without rowid;
create table if not exists alert_messages (
    number integer primary key autoincrement,
    sent_at text not null,
    day text not null,
    channel text not null,
    team text not null,
    kind text not null,
    key text,
    items integer not null,
    consequences integer not null
);
create index if not exists ix_alert_messages_day on alert_messages (channel, team, day);
create table if not exists alert_holds (
    day text not null,
    channel text not null,
    team text not null,
    key text not null,
    reason text not null,
    primary key (day, channel, team, key, reason)
) without rowid;
"""


_PERSONS = """
alter table files add column stored_sha256 text;
"""


class StateTooNew(Exception):
    """The data folder was written by a newer Tieout."""


def _script(text: str) -> Callable[[sqlite3.Connection], None]:
    def run(connection: sqlite3.Connection) -> None:
        # Not executescript: it would end the transaction around the step.
        statement = ""
        for line in text.splitlines(keepends=True):
            statement += line
            if sqlite3.complete_statement(statement):
                connection.execute(statement)
                statement = ""

    return run


STEPS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    _script(_FIRST),  # `if not exists`: folders of before 0.1.0 have these tables and no version
    _script(_SEALS),
    seal_finished_batches,  # what was landed before there were seals is sealed as it is found
    _script(_ALERTS),  # `if not exists`: alerts made their tables themselves before
    _script(_PERSONS),
)
"""Step n brings version n - 1 to n."""

VERSION = len(STEPS)


def upgrade(connection: sqlite3.Connection) -> None:
    """Bring the database to VERSION, whole or not at all. `connection` is in autocommit mode. Raises StateTooNew."""
    (version,) = connection.execute("pragma user_version").fetchone()
    if version == VERSION:
        return
    if version > VERSION:
        raise StateTooNew(
            f"the data folder has version {version} of state.db, this Tieout knows {VERSION}: "
            "it was written by a newer version; upgrade Tieout"
        )
    connection.execute("begin immediate")
    try:
        (version,) = connection.execute("pragma user_version").fetchone()  # another process may have been quicker
        for step in STEPS[version:]:
            step(connection)
        connection.execute(f"pragma user_version = {VERSION}")
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")
