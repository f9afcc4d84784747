"""Changes of the configuration: one person proposes a row, another one approves it, and only then it is written.

Like decisions they are written down once and never edited, and each step is an entry of the audit trail. What is
written where is the caller's: `approve` calls it inside the transaction that makes the change hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select, update

from orchestration.outbox.appending import Entry, append_entries
from orchestration.outbox.audit import canonical_json
from orchestration.outbox.clock import Clock, stamp
from orchestration.outbox.closing import same_person
from orchestration.outbox.database import writing
from orchestration.outbox.decisions import Standing
from orchestration.outbox.errors import ApprovalRefused, UnknownAction
from orchestration.outbox.people import person_named
from orchestration.outbox.schema import config_changes

PREFIX = "CONFIG|"
"""Every change's key begins with it; no action's, decision's, close's or note's key does."""

Cells = Mapping[str, str]
"""One row of a file: heading → cell as text, an empty one as an empty text."""


class ChangeKind(StrEnum):
    """What happens to the row."""

    ADD = "ADD"
    EDIT = "EDIT"
    REMOVE = "REMOVE"


@dataclass(frozen=True, slots=True)
class Change:
    """A row before (None: there is none) and after (None: it goes). `file_hash` is the SHA-256 of the file that the
    proposer saw.
    """

    file: str
    before: Cells | None
    after: Cells | None
    file_hash: str

    @property
    def kind(self) -> ChangeKind:
        if self.before is None:
            return ChangeKind.ADD
        return ChangeKind.REMOVE if self.after is None else ChangeKind.EDIT


Write = Callable[[dict[str, Any], list[dict[str, Any]]], tuple[str, str]]
"""Writes an approved change; given its row and those of the file that hold already. Returns the file's SHA-256 before
and after. What it raises leaves the change PROPOSED.
"""


class Changes:
    """The configuration changes of an outbox database. `clock` gives every time; `channel` says how the calls came."""

    def __init__(self, engine: Engine, clock: Clock, *, channel: str) -> None:
        self._engine = engine
        self._clock = clock
        self._channel = channel

    def all(self) -> list[dict[str, Any]]:
        """Every change ever proposed, in order. Rows are JSON text, times are UTC text."""
        query = select(config_changes).order_by(config_changes.c.sequence)
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def propose(self, change: Change, *, by: str, reason: str) -> str:
        """Ask for a change. Returns its key. Raises ApprovalRefused: nameless, without a reason, nothing to change, or
        the same waits already.
        """
        person = _checked(by, reason)
        if change.before == change.after:
            raise ApprovalRefused("that changes nothing")
        before, after = _text(change.before), _text(change.after)
        with writing(self._engine) as connection:
            for row in self._of(connection, change.file, Standing.PROPOSED):
                if (row["row_before"], row["row_after"]) == (before, after):
                    raise ApprovalRefused(f"{row['proposed_by']} proposed the same: {row['change_key']} waits")
            number = int(connection.scalar(select(func.coalesce(func.max(config_changes.c.sequence), 0))) or 0) + 1
            record: dict[str, Any] = {
                "change_key": f"{PREFIX}{change.file}|{number}",
                "sequence": number,
                "kind": change.kind.value,
                "file": change.file,
                "row_before": before,
                "row_after": after,
                "file_hash": change.file_hash,
                "base_hash": None,
                "written_hash": None,
                "reason": reason,
                "state": Standing.PROPOSED.value,
                "proposed_by": person,
                "proposed_at": stamp(self._clock.now()),
                "decided_by": None,
                "decided_at": None,
            }
            connection.execute(insert(config_changes), [record])
            key = str(record["change_key"])
            self._append(connection, Entry(key, None, Standing.PROPOSED.value, person, reason, {}, record))
        return key

    def approve(self, key: str, write: Write, *, by: str, reason: str = "") -> None:
        """Another person lets a change hold, and it is written. Raises UnknownAction, ApprovalRefused, what `write`
        raises.
        """
        person = person_named(by)
        with writing(self._engine) as connection:
            row = self._locate(connection, key)
            if same_person(row["proposed_by"], person):
                raise ApprovalRefused(f"{person} proposed {key}; another person has to approve it")
            written = write(row, self._of(connection, row["file"], Standing.EFFECTIVE))
            self._move(connection, row, Standing.EFFECTIVE, person, reason or "approved", written)

    def reject(self, key: str, *, by: str, reason: str) -> Standing:
        """A change does not come to hold; the proposer's own is taken back. Raises UnknownAction, ApprovalRefused."""
        person = _checked(by, reason)
        with writing(self._engine) as connection:
            row = self._locate(connection, key)
            to = Standing.WITHDRAWN if same_person(row["proposed_by"], person) else Standing.REJECTED
            self._move(connection, row, to, person, reason)
        return to

    def _of(self, connection: Connection, file: str, standing: Standing) -> list[dict[str, Any]]:
        query = select(config_changes).where(config_changes.c.file == file, config_changes.c.state == standing.value)
        return [dict(row) for row in connection.execute(query.order_by(config_changes.c.sequence)).mappings()]

    def _locate(self, connection: Connection, key: str) -> dict[str, Any]:
        query = select(config_changes).where(config_changes.c.change_key == key)
        row = connection.execute(query).mappings().one_or_none()
        if row is None:
            raise UnknownAction(key)
        if row["state"] != Standing.PROPOSED.value:
            raise ApprovalRefused(f"{key} is {row['state']}, not {Standing.PROPOSED.value}")
        return dict(row)

    def _move(
        self,
        connection: Connection,
        row: Mapping[str, Any],
        to: Standing,
        person: str,
        reason: str,
        written: tuple[str, str] | None = None,
    ) -> None:
        values = {"state": to.value, "decided_by": person, "decided_at": stamp(self._clock.now())}
        if written is not None:
            values["base_hash"], values["written_hash"] = written
        key = str(row["change_key"])
        connection.execute(update(config_changes).where(config_changes.c.change_key == key).values(**values))
        was = {name: row[name] for name in values}
        self._append(connection, Entry(key, str(row["state"]), to.value, person, reason, was, values))

    def _append(self, connection: Connection, entry: Entry) -> None:
        append_entries(connection, [entry], at=stamp(self._clock.now()), channel=self._channel)


def _text(cells: Cells | None) -> str | None:
    return None if cells is None else canonical_json(dict(cells))


def _checked(by: str, reason: str) -> str:
    person = person_named(by)
    if not reason.strip():
        raise ApprovalRefused("say why: a change without a reason cannot be explained to an auditor")
    return person
