"""What people write beside the work: comments, who works on an exception, and who looked at a person's data.

Notes decide nothing: no model reads them. They are appended and never edited, and each is an entry of the audit trail.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select

from orchestration.outbox.appending import Entry, append_entries
from orchestration.outbox.clock import Clock, stamp
from orchestration.outbox.database import writing
from orchestration.outbox.errors import ApprovalRefused
from orchestration.outbox.people import person_named
from orchestration.outbox.schema import notes

PREFIX = "NOTE|"
"""Every note's key begins with it; no action's, decision's or close's key does."""
WRITTEN = "WRITTEN"
"""State of every note in the audit trail."""
LONGEST = 4_000
"""Characters of a note."""


class Kind(StrEnum):
    """What is written down."""

    COMMENT = "COMMENT"
    ASSIGN = "ASSIGN"
    """Somebody works on it from now on; the newest holds."""
    REVEAL = "REVEAL"
    """Somebody looked at a person's data that is masked otherwise, and said why."""


class About(StrEnum):
    """What a note is about."""

    EXCEPTION = "EXCEPTION"
    ACTION = "ACTION"
    ORDER = "ORDER"


class Notes:
    """The notes of an outbox database. `clock` gives every time; `channel` says how the calls came in."""

    def __init__(self, engine: Engine, clock: Clock, *, channel: str) -> None:
        self._engine = engine
        self._clock = clock
        self._channel = channel

    def about(self, about: About, id_: str) -> list[dict[str, Any]]:
        """The notes about one thing, oldest first. Times are UTC text."""
        query = select(notes).where(notes.c.about_type == about.value, notes.c.about_id == id_)
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query.order_by(notes.c.sequence)).mappings()]

    def assignees(self) -> dict[str, str]:
        """Exception id → who works on it, of every exception that somebody was ever given."""
        newest = select(func.max(notes.c.sequence)).where(notes.c.kind == Kind.ASSIGN.value).group_by(notes.c.about_id)
        query = select(notes.c.about_id, notes.c.assignee).where(notes.c.sequence.in_(newest))
        with self._engine.connect() as connection:
            return {str(row[0]): str(row[1]) for row in connection.execute(query) if row[1]}

    def comment(self, exceptions: Collection[tuple[str, str]], text: str, *, by: str) -> list[str]:
        """Write a comment beside exceptions, given as (exception id, marketplace code). All or none; returns the keys.

        Raises ApprovalRefused: nameless, nothing written, too long.
        """
        return self._write(Kind.COMMENT, About.EXCEPTION, exceptions, text, by=by)

    def assign(self, exceptions: Collection[tuple[str, str]], to: str, *, by: str, text: str = "") -> list[str]:
        """Say who works on exceptions from now on; an empty `to` gives them back to the team. Returns the keys."""
        name = to.strip()
        words = text.strip() or (f"assigned to {name}" if name else "given back to the team")
        return self._write(Kind.ASSIGN, About.EXCEPTION, exceptions, words, by=by, assignee=name or None)

    def reveal(self, action: Mapping[str, Any], why: str, *, by: str) -> str:
        """Note that a person is about to see the personal data of an action. Returns the key. Raises ApprovalRefused:
        nameless, no reason.
        """
        subject = (str(action["action_key"]), str(action["marketplace_code"]))
        return self._write(Kind.REVEAL, About.ACTION, [subject], why, by=by)[0]

    def look_up(self, order_id: str, why: str, *, by: str) -> str:
        """Note that a person is about to see the customer of an order in the evidence. Returns the key. Raises
        ApprovalRefused: nameless, no reason.
        """
        return self._write(Kind.REVEAL, About.ORDER, [(order_id, "")], why, by=by)[0]

    def looked_for(self, orders: Collection[str], why: str, *, by: str) -> list[str]:
        """Note that a person found these orders by something that their customer has. Returns the keys. Raises
        ApprovalRefused: nameless, no reason.
        """
        return self._write(Kind.REVEAL, About.ORDER, [(order, "") for order in orders], why, by=by)

    def _write(
        self,
        kind: Kind,
        about: About,
        subjects: Collection[tuple[str, str]],
        text: str,
        *,
        by: str,
        assignee: str | None = None,
    ) -> list[str]:
        person, words = person_named(by), text.strip()
        if not words:
            raise ApprovalRefused("nothing was written")
        if len(words) > LONGEST:
            raise ApprovalRefused(f"that is longer than {LONGEST:,} characters")
        with writing(self._engine) as connection:
            now, number = stamp(self._clock.now()), _last(connection)
            rows = [
                {
                    "note_key": f"{PREFIX}{number + count}",
                    "sequence": number + count,
                    "kind": kind.value,
                    "about_type": about.value,
                    "about_id": id_,
                    "marketplace_code": marketplace,
                    "assignee": assignee,
                    "text": words,
                    "written_by": person,
                    "written_at": now,
                }
                for count, (id_, marketplace) in enumerate(subjects, start=1)
            ]
            if not rows:
                raise ApprovalRefused("nothing was chosen")
            connection.execute(insert(notes), rows)
            why = f"{kind.lower()}: {words}"
            entries = [Entry(str(row["note_key"]), None, WRITTEN, person, why, {}, row) for row in rows]
            append_entries(connection, entries, at=now, channel=self._channel)
            return [str(row["note_key"]) for row in rows]


def _last(connection: Connection) -> int:
    return int(connection.scalar(select(func.coalesce(func.max(notes.c.sequence), 0))) or 0)
