"""Writing to the audit trail: the one way by which an entry gets there, whatever it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from orchestration.outbox.audit import GENESIS, canonical_json, entry_hash
from orchestration.outbox.schema import audit


@dataclass(frozen=True, slots=True)
class Entry:
    """One change: `key` names the action or decision, `was` and `became` are the columns that changed. `before` None:
    it was born.
    """

    key: str
    before: str | None
    after: str
    actor: str
    why: str
    was: Mapping[str, Any]
    became: Mapping[str, Any]
    source_hash: str | None = None


def append_entries(connection: Connection, entries: Sequence[Entry], *, at: str, channel: str) -> None:
    """Append to the chain. `connection` is a writing one (database.writing), so that the chain has one end; `at` is a
    stamp of the outbox's clock.
    """
    last = connection.execute(select(audit.c.sequence, audit.c.hash).order_by(audit.c.sequence.desc()).limit(1)).first()
    sequence, previous = (last.sequence, last.hash) if last is not None else (0, GENESIS)
    written: list[dict[str, Any]] = []
    for entry in entries:
        sequence += 1
        record: dict[str, Any] = {
            "sequence": sequence,
            "action_key": entry.key,
            "from_state": entry.before,
            "to_state": entry.after,
            "actor": entry.actor,
            "channel": channel,
            "at": at,
            "why": entry.why,
            "before": canonical_json(entry.was),
            "after": canonical_json(entry.became),
            "source_hash": entry.source_hash,
            "previous_hash": previous,
        }
        previous = record["hash"] = entry_hash(record)
        written.append(record)
    if written:
        connection.execute(insert(audit), written)
