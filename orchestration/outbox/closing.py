"""The close of a month: two people sign the figures of an entity's period, then it is locked; who reopens it says why.

Events are appended and never edited; a later one may withdraw them. Each step is an entry of the audit trail. The
rules are kept here, not advised: the reviewer is another person than the preparer and has decided nothing that is
reviewed, both signed the very figures that are locked, and months are locked in order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, Engine, func, insert, select, update

from orchestration.outbox.appending import Entry, append_entries
from orchestration.outbox.audit import canonical_json
from orchestration.outbox.clock import Clock, parse_stamp, stamp
from orchestration.outbox.database import writing
from orchestration.outbox.errors import ApprovalRefused
from orchestration.outbox.people import person_named
from orchestration.outbox.schema import close_events, decisions

PREFIX = "CLOSE|"
"""Every key of the close begins with it; no action's or decision's key does."""
_PERIOD = re.compile(r"^\d{4}-(0[1-9]|1[0-2])$")


class Kind(StrEnum):
    """What happened to a period."""

    SIGNED = "SIGNED"
    LOCKED = "LOCKED"
    REOPENED = "REOPENED"


class Role(StrEnum):
    """What a signature stands for."""

    PREPARER = "PREPARER"
    """Has drawn up the close."""
    REVIEWER = "REVIEWER"
    """Has checked it, and is another person."""


class Standing(StrEnum):
    """Whether an event still holds."""

    STANDING = "STANDING"
    WITHDRAWN = "WITHDRAWN"


EVENT_SCHEMA = pa.schema(
    [
        ("close_key", pa.string()),
        ("sequence", pa.int64()),
        ("entity_code", pa.string()),
        ("period", pa.string()),
        ("kind", pa.string()),
        ("role", pa.string()),
        ("state", pa.string()),
        ("evidence_hash", pa.string()),
        ("left_open", pa.string()),  # codes of checks, separated by commas
        ("reason", pa.string()),
        ("conflict_key", pa.string()),
        ("taken_at", pa.timestamp("us")),  # UTC
    ]
)
"""What dbt sees of the events. Who took part is in the audit trail only; `conflict_key` names the signature or decision
by which a reviewer reviews their own work.
"""

FIGURE_SCHEMA = pa.schema(
    [
        ("close_key", pa.string()),
        ("entity_code", pa.string()),
        ("period", pa.string()),
        ("marketplace_code", pa.string()),
        ("figure_code", pa.string()),
        ("currency_code", pa.string()),
        ("amount", pa.string()),
    ]
)
"""The figures of the locks that stand, as they were when the period was locked. Amounts are decimal text."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a period. `amount` is decimal text, debit positive."""

    marketplace_code: str
    figure_code: str
    currency_code: str
    amount: str


def evidence_hash(figures: Collection[Figure]) -> str:
    """SHA-256 (hex) over the figures, whatever their order."""
    return sha256(canonical_json([_plain(figure) for figure in _sorted(figures)]).encode()).hexdigest()


class Closing:
    """The closes of an outbox database. `clock` gives every time; `channel` says how the calls came in."""

    def __init__(self, engine: Engine, clock: Clock, *, channel: str) -> None:
        self._engine = engine
        self._clock = clock
        self._channel = channel

    # ---- reading

    def all(self, entity: str | None = None, period: str | None = None) -> list[dict[str, Any]]:
        """Every event, in order; of one entity and period where given. Times are UTC text."""
        query = select(close_events).order_by(close_events.c.sequence)
        if entity is not None:
            query = query.where(close_events.c.entity_code == entity)
        if period is not None:
            query = query.where(close_events.c.period == period)
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def locked(self) -> set[tuple[str, str]]:
        """(entity, period) of the locks that stand."""
        with self._engine.connect() as connection:
            return locked_periods(connection)

    def snapshot(self) -> tuple[pa.Table, pa.Table]:
        """The events in EVENT_SCHEMA, and the figures of the standing locks in FIGURE_SCHEMA."""
        with self._engine.connect() as connection:
            rows = [
                dict(row)
                for row in connection.execute(select(close_events).order_by(close_events.c.sequence)).mappings()
            ]
            conflicts = _conflicts(connection, rows)
        events = [
            {name: row.get(name) for name in EVENT_SCHEMA.names}
            | {
                "left_open": ",".join(json.loads(row["left_open"])) if row["left_open"] else None,
                "conflict_key": conflicts.get(row["close_key"]),
                "taken_at": parse_stamp(row["taken_at"]).replace(tzinfo=None),
            }
            for row in rows
        ]
        figures = [
            {"close_key": row["close_key"], "entity_code": row["entity_code"], "period": row["period"], **figure}
            for row in rows
            if row["kind"] == Kind.LOCKED and row["state"] == Standing.STANDING
            for figure in json.loads(row["figures"])
        ]
        return pa.Table.from_pylist(events, EVENT_SCHEMA), pa.Table.from_pylist(figures, FIGURE_SCHEMA)

    # ---- closing

    def sign(
        self, entity: str, period: str, role: Role, figures: Collection[Figure], *, by: str, reason: str = ""
    ) -> str:
        """Sign the figures as they are now; an earlier signature of the role is withdrawn. Returns the event's key.

        Raises ApprovalRefused: nameless, locked, the reviewer before the preparer, the same person twice, a reviewer
        of their own decisions.
        """
        person = person_named(by)
        _require_period(period)
        evidence = evidence_hash(figures)
        with writing(self._engine) as connection:
            if (entity, period) in locked_periods(connection):
                raise ApprovalRefused(f"{period} of {entity} is locked; --reopen comes first")
            standing = _standing(connection, entity, period)
            if role is Role.REVIEWER:
                prepared = _signature(standing, Role.PREPARER)
                if prepared is None:
                    raise ApprovalRefused(f"nobody has prepared {period} of {entity} yet; the preparer signs first")
                if prepared["evidence_hash"] != evidence:
                    raise ApprovalRefused("figures changed since the preparer signed; the preparer signs again first")
                self._refuse_own_work(connection, entity, period, person, prepared)
            elif (reviewed := _signature(standing, Role.REVIEWER)) is not None:
                self._withdraw(connection, [reviewed], person, "the preparer signed again")
            if (earlier := _signature(standing, role)) is not None:
                self._withdraw(connection, [earlier], person, "signed again")
            words = reason or f"signed as {role.value.lower()}"
            return self._append(connection, entity, period, Kind.SIGNED, person, words, role=role, evidence=evidence)

    def lock(
        self,
        entity: str,
        period: str,
        figures: Collection[Figure],
        left_open: Sequence[str],
        *,
        by: str,
        first_period: str,
        despite: str = "",
    ) -> str:
        """Lock a period that two people have signed. Returns the event's key.

        `left_open`: blocking checks that are not done; only `despite` (a reason) lets them be, and they stay an
        exception until the period is reopened and locked again. `first_period`: the entity's first month here; every
        month from it to this one must be locked. Raises ApprovalRefused.
        """
        person = person_named(by)
        _require_period(period)
        evidence = evidence_hash(figures)
        with writing(self._engine) as connection:
            locks = locked_periods(connection)
            if (entity, period) in locks:
                raise ApprovalRefused(f"{period} of {entity} is locked already")
            before = previous_period(period)
            if before >= first_period and (entity, before) not in locks:
                raise ApprovalRefused(f"{before} of {entity} is not locked yet; months are closed in their order")
            standing = _standing(connection, entity, period)
            for role in Role:
                signature = _signature(standing, role)
                if signature is None:
                    raise ApprovalRefused(f"the {role.value.lower()} has not signed {period} of {entity}")
                if signature["evidence_hash"] != evidence:
                    raise ApprovalRefused(f"figures changed since the {role.value.lower()} signed; sign again")
            for key, conflict in _conflicts(connection, standing).items():
                raise ApprovalRefused(f"{key} is the reviewer's own work ({conflict}); another person has to review")
            if left_open and not despite.strip():
                raise ApprovalRefused(
                    f"not done: {', '.join(left_open)}; finish them, or say why it is locked all the same (--despite)"
                )
            return self._append(
                connection,
                entity,
                period,
                Kind.LOCKED,
                person,
                despite.strip() or "every blocking check is done",
                evidence=evidence,
                figures=figures,
                left_open=left_open,
            )

    def reopen(self, entity: str, period: str, *, by: str, reason: str) -> str:
        """Unlock the entity's newest locked period: all signatures lapse. Returns the event's key.

        Raises ApprovalRefused: not locked, a later month is locked, without a reason, by the preparer.
        """
        person = person_named(by)
        if not reason.strip():
            raise ApprovalRefused("say why: a period is not reopened without a reason (--reason)")
        with writing(self._engine) as connection:
            locks = {locked for of, locked in locked_periods(connection) if of == entity}
            if period not in locks:
                raise ApprovalRefused(f"{period} of {entity} is not locked")
            if max(locks) > period:
                raise ApprovalRefused(f"{max(locks)} of {entity} is locked, too; the newest is reopened first")
            standing = _standing(connection, entity, period)
            prepared = _signature(standing, Role.PREPARER)
            if prepared is not None and same_person(prepared["taken_by"], person):
                raise ApprovalRefused(f"{person} prepared {period} of {entity}; another person has to reopen it")
            self._withdraw(connection, standing, person, reason)
            return self._append(connection, entity, period, Kind.REOPENED, person, reason.strip())

    # ---- inside

    def _refuse_own_work(
        self, connection: Connection, entity: str, period: str, person: str, prepared: Mapping[str, Any]
    ) -> None:
        if same_person(prepared["taken_by"], person):
            raise ApprovalRefused(f"{person} prepared {period} of {entity}; another person has to review it (CLS-002)")
        own = _own_decision(connection, entity, period, person)
        if own is not None:
            raise ApprovalRefused(f"{person} decided {own}; another person has to review what follows (CLS-002)")

    def _withdraw(self, connection: Connection, rows: Sequence[Mapping[str, Any]], person: str, reason: str) -> None:
        now = stamp(self._clock.now())
        values = {"state": Standing.WITHDRAWN.value, "ended_by": person, "ended_at": now}
        for row in rows:
            key = str(row["close_key"])
            connection.execute(update(close_events).where(close_events.c.close_key == key).values(**values))
            was = {name: row[name] for name in values}
            entry = Entry(key, str(row["state"]), Standing.WITHDRAWN.value, person, reason, was, values)
            append_entries(connection, [entry], at=now, channel=self._channel)

    def _append(
        self,
        connection: Connection,
        entity: str,
        period: str,
        kind: Kind,
        person: str,
        reason: str,
        *,
        role: Role | None = None,
        evidence: str | None = None,
        figures: Collection[Figure] | None = None,
        left_open: Sequence[str] = (),
    ) -> str:
        number = int(connection.scalar(select(func.coalesce(func.max(close_events.c.sequence), 0))) or 0) + 1
        now = stamp(self._clock.now())
        row: dict[str, Any] = {
            "close_key": f"{PREFIX}{entity}|{period}|{number}",
            "sequence": number,
            "entity_code": entity,
            "period": period,
            "kind": kind.value,
            "role": role.value if role else None,
            "state": Standing.STANDING.value,
            "evidence_hash": evidence,
            "figures": None if figures is None else canonical_json([_plain(one) for one in _sorted(figures)]),
            "left_open": canonical_json(sorted(left_open)) if left_open else None,
            "reason": reason,
            "taken_by": person,
            "taken_at": now,
            "ended_by": None,
            "ended_at": None,
        }
        connection.execute(insert(close_events), [row])
        entry = Entry(str(row["close_key"]), None, Standing.STANDING.value, person, reason, {}, row, evidence)
        append_entries(connection, [entry], at=now, channel=self._channel)
        return str(row["close_key"])


def locked_periods(connection: Connection) -> set[tuple[str, str]]:
    """(entity, period) of the locks that stand."""
    query = select(close_events.c.entity_code, close_events.c.period).where(
        close_events.c.kind == Kind.LOCKED.value, close_events.c.state == Standing.STANDING.value
    )
    return {(str(row[0]), str(row[1])) for row in connection.execute(query)}


def previous_period(period: str) -> str:
    """The month before, YYYY-MM."""
    year, month = int(period[:4]), int(period[5:])
    return f"{year - 1:04d}-12" if month == 1 else f"{year:04d}-{month - 1:02d}"


def same_person(one: str, other: str) -> bool:
    """Whether two names are one person's: case, spaces, dots and the like do not make another person."""
    return _letters(one) == _letters(other)


def _letters(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def _require_period(period: str) -> None:
    if not _PERIOD.match(period):
        raise ApprovalRefused(f"{period!r} is no month; write it as 2026-10")


def _standing(connection: Connection, entity: str, period: str) -> list[dict[str, Any]]:
    """Signatures and the lock of a period that hold, in order."""
    query = select(close_events).where(
        close_events.c.entity_code == entity,
        close_events.c.period == period,
        close_events.c.kind.in_([Kind.SIGNED.value, Kind.LOCKED.value]),
        close_events.c.state == Standing.STANDING.value,
    )
    return [dict(row) for row in connection.execute(query.order_by(close_events.c.sequence)).mappings()]


def _signature(standing: Sequence[dict[str, Any]], role: Role) -> dict[str, Any] | None:
    return next((row for row in standing if row["kind"] == Kind.SIGNED and row["role"] == role), None)


def _conflicts(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """For each standing signature of a reviewer who reviews their own work: the key of that work."""
    found: dict[str, str] = {}
    signed = [row for row in rows if row["kind"] == Kind.SIGNED and row["state"] == Standing.STANDING]
    for row in signed:
        if row["role"] != Role.REVIEWER:
            continue
        for other in signed:
            is_same_close = (other["entity_code"], other["period"]) == (row["entity_code"], row["period"])
            if is_same_close and other["role"] == Role.PREPARER and same_person(other["taken_by"], row["taken_by"]):
                found[row["close_key"]] = str(other["close_key"])
        own = _own_decision(connection, row["entity_code"], row["period"], row["taken_by"])
        if own is not None:
            found.setdefault(row["close_key"], own)
    return found


def _own_decision(connection: Connection, entity: str, period: str, person: str) -> str | None:
    """A standing decision of this person about the entity, taken after the month before was locked and before this one
    was: it is part of what the reviewer of the month reviews.
    """

    def locked_at(month: str) -> str | None:
        query = select(func.max(close_events.c.taken_at)).where(
            close_events.c.entity_code == entity,
            close_events.c.period == month,
            close_events.c.kind == Kind.LOCKED.value,
            close_events.c.state == Standing.STANDING.value,
        )
        found = connection.scalar(query)
        return None if found is None else str(found)

    query = select(decisions.c.decision_key, decisions.c.proposed_by).where(
        decisions.c.entity_code == entity, decisions.c.state.in_(["PROPOSED", "EFFECTIVE"])
    )
    if (since := locked_at(previous_period(period))) is not None:
        query = query.where(decisions.c.proposed_at > since)
    if (until := locked_at(period)) is not None:
        query = query.where(decisions.c.proposed_at <= until)
    for key, proposed_by in connection.execute(query.order_by(decisions.c.sequence)):
        if same_person(str(proposed_by), person):
            return str(key)
    return None


def _sorted(figures: Collection[Figure]) -> list[Figure]:
    return sorted(figures, key=lambda one: (one.marketplace_code, one.figure_code, one.currency_code))


def _plain(figure: Figure) -> dict[str, str]:
    return {
        "marketplace_code": figure.marketplace_code,
        "figure_code": figure.figure_code,
        "currency_code": figure.currency_code,
        "amount": figure.amount,
    }
