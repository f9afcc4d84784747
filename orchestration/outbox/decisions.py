"""What people decide about matches and exceptions: written down once, never edited, replayed by every build.

A decision is taken (EFFECTIVE), or waits for a second person (PROPOSED); it can be taken back (WITHDRAWN), never
changed. The models read all of them, so the same decisions give the same marts. Each step is an entry of the audit
trail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, Engine, func, insert, select, update

from orchestration.outbox.appending import Entry, append_entries
from orchestration.outbox.clock import Clock, parse_stamp, stamp
from orchestration.outbox.database import writing
from orchestration.outbox.errors import ApprovalRefused, UnknownAction
from orchestration.outbox.people import person_named
from orchestration.outbox.schema import decisions

PREFIX = "DECISION|"
"""Every decision's key begins with it; no action's key does."""


class Kind(StrEnum):
    """What is decided."""

    MATCH = "MATCH"
    """This receipt pays this pay-out, whatever the rules say."""
    UNMATCH = "UNMATCH"
    """This receipt does not pay this pay-out; the rules go on without the pair."""
    ACCEPT = "ACCEPT"
    """The difference is known and stays as it is, up to this amount."""
    WRITE_OFF = "WRITE_OFF"
    """The difference is given up, up to this amount."""


class Residual(StrEnum):
    """What a match calls the difference between receipt and pay-out."""

    FEE = "FEE"
    """What a bank on the way kept."""
    EXCHANGE = "EXCHANGE"
    """What an exchange on the way lost or won."""
    OPEN = "OPEN"
    """Nothing yet: what is short or over stays open by name."""


class Standing(StrEnum):
    """Whether a decision holds."""

    PROPOSED = "PROPOSED"
    EFFECTIVE = "EFFECTIVE"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"


SNAPSHOT_SCHEMA = pa.schema(
    [
        ("decision_key", pa.string()),
        ("sequence", pa.int64()),
        ("kind", pa.string()),
        ("marketplace_code", pa.string()),
        ("entity_code", pa.string()),
        ("subject_type", pa.string()),
        ("subject_id", pa.string()),
        ("receipt_id", pa.string()),
        ("residual", pa.string()),
        ("exception_id", pa.string()),
        ("exception_code", pa.string()),
        ("amount", pa.string()),
        ("currency_code", pa.string()),
        ("reason", pa.string()),
        ("state", pa.string()),
        ("proposed_at", pa.timestamp("us")),  # UTC
        ("decided_at", pa.timestamp("us")),
    ]
)
"""What dbt sees. Who decided is in the audit trail only: marts name no person."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a decision is about. `amount` is money of `currency_code`, None where there is none."""

    marketplace_code: str
    subject_type: str
    subject_id: str
    entity_code: str | None = None
    receipt_id: str | None = None
    exception_id: str | None = None
    exception_code: str | None = None
    amount: Decimal | None = None
    currency_code: str | None = None


@dataclass(frozen=True, slots=True)
class WriteOffLimits:
    """What one person may write off: per item, and per marketplace and month. None: nothing without a second one."""

    item: Decimal | None
    month: Decimal | None


class Decisions:
    """The decisions of an outbox database. `clock` gives every time; `channel` says how the calls came in."""

    def __init__(self, engine: Engine, clock: Clock, *, channel: str) -> None:
        self._engine = engine
        self._clock = clock
        self._channel = channel

    # ---- reading

    def all(self) -> list[dict[str, Any]]:
        """Every decision ever taken, in order. Amounts are text, times are UTC text."""
        with self._engine.connect() as connection:
            return [
                dict(row) for row in connection.execute(select(decisions).order_by(decisions.c.sequence)).mappings()
            ]

    def snapshot(self) -> pa.Table:
        """All decisions in SNAPSHOT_SCHEMA, in order: the same decisions give the same table."""
        rows = self.all()
        columns: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in SNAPSHOT_SCHEMA.names}
        for name in ("proposed_at", "decided_at"):
            columns[name] = [parse_stamp(value).replace(tzinfo=None) if value else None for value in columns[name]]
        return pa.table(columns, schema=SNAPSHOT_SCHEMA)

    # ---- deciding

    def match(self, subject: Subject, *, by: str, reason: str, residual: Residual | None = None) -> str:
        """This receipt pays this pay-out. A decision against the pair is withdrawn. Returns the decision's key.

        Raises ApprovalRefused: nameless, without a reason, decided already.
        """
        person = _checked(by, reason)
        with writing(self._engine) as connection:
            for row in self._standing(connection, subject, Kind.MATCH):
                raise ApprovalRefused(f"{row['decision_key']} says so already; `tieout unmatch` takes it back")
            for row in self._standing(connection, subject, Kind.UNMATCH):
                self._move(connection, row, Standing.WITHDRAWN, person, reason)
            return self._take(connection, Kind.MATCH, subject, Standing.EFFECTIVE, person, reason, residual)

    def unmatch(self, subject: Subject, *, by: str, reason: str) -> str:
        """This receipt does not pay this pay-out. A person's match of the two is withdrawn; without one the rules are
        told to leave the pair alone. Returns the key of what changed. Raises as `match`.
        """
        person = _checked(by, reason)
        with writing(self._engine) as connection:
            for row in self._standing(connection, subject, Kind.MATCH):
                self._move(connection, row, Standing.WITHDRAWN, person, reason)
                return str(row["decision_key"])
            for row in self._standing(connection, subject, Kind.UNMATCH):
                raise ApprovalRefused(f"{row['decision_key']} says so already")
            return self._take(connection, Kind.UNMATCH, subject, Standing.EFFECTIVE, person, reason)

    def accept(self, subject: Subject, *, by: str, reason: str) -> str:
        """The exception stays as it is, up to its present amount. Returns the key. Raises as `match`."""
        person = _checked(by, reason)
        with writing(self._engine) as connection:
            self._refuse_second(connection, subject)
            return self._take(connection, Kind.ACCEPT, subject, Standing.EFFECTIVE, person, reason)

    def write_off(self, subject: Subject, limits: WriteOffLimits, *, by: str, reason: str) -> tuple[str, Standing]:
        """The exception's amount is given up: at once within the limits, else when a second person approves.

        Returns the key and whether it holds. Raises as `match`, and for an exception without an amount.
        """
        person = _checked(by, reason)
        if not subject.amount:
            raise ApprovalRefused("there is no amount to write off; `tieout accept` closes an exception without money")
        with writing(self._engine) as connection:
            self._refuse_second(connection, subject)
            standing = Standing.EFFECTIVE if self._is_within(connection, subject, limits) else Standing.PROPOSED
            return self._take(connection, Kind.WRITE_OFF, subject, standing, person, reason), standing

    def approve(self, key: str, *, by: str, reason: str = "") -> None:
        """A second person lets a PROPOSED decision hold. Raises UnknownAction, ApprovalRefused."""
        person = person_named(by)
        with writing(self._engine) as connection:
            row = self._locate(connection, key, Standing.PROPOSED)
            if row["proposed_by"].casefold() == person.casefold():
                raise ApprovalRefused(f"{person} proposed {key}; another person has to approve it")
            self._move(connection, row, Standing.EFFECTIVE, person, reason or "approved")

    def reject(self, key: str, *, by: str, reason: str) -> None:
        """A PROPOSED decision does not come to hold. Raises as `approve`."""
        person = _checked(by, reason)
        with writing(self._engine) as connection:
            self._move(connection, self._locate(connection, key, Standing.PROPOSED), Standing.REJECTED, person, reason)

    def reopen(self, exception_id: str, *, by: str, reason: str) -> list[str]:
        """Withdraw what was decided about an exception; it is open again with the next run. Returns the keys."""
        person = _checked(by, reason)
        with writing(self._engine) as connection:
            rows = self._about_exception(connection, exception_id)
            if not rows:
                raise ApprovalRefused(f"nothing was decided about exception {exception_id}")
            for row in rows:
                self._move(connection, row, Standing.WITHDRAWN, person, reason)
            return [str(row["decision_key"]) for row in rows]

    # ---- inside

    def _is_within(self, connection: Connection, subject: Subject, limits: WriteOffLimits) -> bool:
        assert subject.amount is not None  # write_off looked
        if limits.item is None or abs(subject.amount) > limits.item:
            return False
        if limits.month is None:
            return True
        month = stamp(self._clock.now())[:7]
        query = select(decisions.c.amount).where(
            decisions.c.kind == Kind.WRITE_OFF.value,
            decisions.c.marketplace_code == subject.marketplace_code,
            decisions.c.currency_code == subject.currency_code,
            decisions.c.state == Standing.EFFECTIVE.value,
            decisions.c.decided_at.startswith(month),
        )
        spent = sum((abs(Decimal(row.amount)) for row in connection.execute(query)), Decimal(0))
        return spent + abs(subject.amount) <= limits.month

    def _refuse_second(self, connection: Connection, subject: Subject) -> None:
        assert subject.exception_id is not None  # accept and write_off are about exceptions
        for row in self._about_exception(connection, subject.exception_id):
            raise ApprovalRefused(f"{row['decision_key']} is {row['state']}; `tieout reopen` takes it back first")

    def _about_exception(self, connection: Connection, exception_id: str) -> list[dict[str, Any]]:
        query = select(decisions).where(
            decisions.c.exception_id == exception_id,
            decisions.c.state.in_([Standing.PROPOSED.value, Standing.EFFECTIVE.value]),
        )
        return [dict(row) for row in connection.execute(query.order_by(decisions.c.sequence)).mappings()]

    def _standing(self, connection: Connection, subject: Subject, kind: Kind) -> list[dict[str, Any]]:
        query = select(decisions).where(
            decisions.c.kind == kind.value,
            decisions.c.marketplace_code == subject.marketplace_code,
            decisions.c.subject_id == subject.subject_id,
            decisions.c.receipt_id == subject.receipt_id,
            decisions.c.state == Standing.EFFECTIVE.value,
        )
        return [dict(row) for row in connection.execute(query.order_by(decisions.c.sequence)).mappings()]

    def _locate(self, connection: Connection, key: str, wanted: Standing) -> dict[str, Any]:
        row = connection.execute(select(decisions).where(decisions.c.decision_key == key)).mappings().one_or_none()
        if row is None:
            raise UnknownAction(key)
        if row["state"] != wanted.value:
            raise ApprovalRefused(f"{key} is {row['state']}, not {wanted.value}")
        return dict(row)

    def _take(
        self,
        connection: Connection,
        kind: Kind,
        subject: Subject,
        standing: Standing,
        person: str,
        reason: str,
        residual: Residual | None = None,
    ) -> str:
        number = int(connection.scalar(select(func.coalesce(func.max(decisions.c.sequence), 0))) or 0) + 1
        now = stamp(self._clock.now())
        key = f"{PREFIX}{kind}|{subject.marketplace_code}|{subject.subject_id}|{number}"
        holds = standing is Standing.EFFECTIVE
        row: dict[str, Any] = {
            "decision_key": key,
            "sequence": number,
            "kind": kind.value,
            "marketplace_code": subject.marketplace_code,
            "entity_code": subject.entity_code,
            "subject_type": subject.subject_type,
            "subject_id": subject.subject_id,
            "receipt_id": subject.receipt_id,
            "residual": residual.value if residual else None,
            "exception_id": subject.exception_id,
            "exception_code": subject.exception_code,
            "amount": None if subject.amount is None else str(subject.amount),
            "currency_code": subject.currency_code,
            "reason": reason,
            "state": standing.value,
            "proposed_by": person,
            "proposed_at": now,
            "decided_by": person if holds else None,
            "decided_at": now if holds else None,
        }
        connection.execute(insert(decisions), [row])
        self._append(connection, Entry(key, None, standing.value, person, reason, {}, row))
        return key

    def _move(self, connection: Connection, row: Mapping[str, Any], to: Standing, person: str, reason: str) -> None:
        values = {"state": to.value, "decided_by": person, "decided_at": stamp(self._clock.now())}
        key = str(row["decision_key"])
        connection.execute(update(decisions).where(decisions.c.decision_key == key).values(**values))
        was = {name: row[name] for name in values}
        self._append(connection, Entry(key, str(row["state"]), to.value, person, reason, was, values))

    def _append(self, connection: Connection, entry: Entry) -> None:
        append_entries(connection, [entry], at=stamp(self._clock.now()), channel=self._channel)


def _checked(by: str, reason: str) -> str:
    person = person_named(by)
    if not reason.strip():
        raise ApprovalRefused("say why: a decision without a reason cannot be explained to an auditor")
    return person
