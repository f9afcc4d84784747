"""The outbox: every action that leaves the house, its state, and who let it go.

A state changes in one place only (`_move`), which checks the transition table, updates the row under the condition that
nobody else moved it, and appends to the audit trail in the same transaction.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import pyarrow as pa
from sqlalchemy import URL, Connection, bindparam, func, insert, or_, select, update

from connectors.delivery import Delivery
from orchestration.outbox import audit as trail
from orchestration.outbox.appending import Entry, append_entries
from orchestration.outbox.changes import Changes
from orchestration.outbox.clock import Clock, parse_stamp, stamp
from orchestration.outbox.closing import Closing
from orchestration.outbox.database import open_engine, upgrade_schema, writing
from orchestration.outbox.decisions import Decisions
from orchestration.outbox.delivering import (
    KINDS,
    ONE_BY_ONE,
    DeliverResult,
    Preview,
    deliver,
    predecessor_of,
    preview,
)
from orchestration.outbox.errors import ApprovalRefused, ConcurrentChange, MalformedProposals, UnknownAction
from orchestration.outbox.notes import Notes
from orchestration.outbox.people import SERVICE_ACTOR, person_named
from orchestration.outbox.policies import Policy, Switch, expires_after, needs_person, stopped_by, subject_of
from orchestration.outbox.previews import Previews
from orchestration.outbox.runs import RunHistory
from orchestration.outbox.schema import actions, audit, close_events, config_changes, decisions, notes
from orchestration.outbox.states import ENDED, REPLACEABLE, State, require_transition

PROPOSAL_COLUMNS = (
    "action_key",
    "kind",
    "vendor",
    "account",
    "marketplace_code",
    "entity_code",
    "natural_id",
    "version",
    "wire_key",
    "amount",
    "currency_code",
    "payload",
    "reason",
    "source_hash",
)

SNAPSHOT_SCHEMA = pa.schema(
    [
        ("action_key", pa.string()),
        ("kind", pa.string()),
        ("vendor", pa.string()),
        ("account", pa.string()),
        ("marketplace_code", pa.string()),
        ("natural_id", pa.string()),
        ("version", pa.int64()),
        ("wire_key", pa.string()),
        ("state", pa.string()),
        ("proposed_at", pa.timestamp("us")),  # UTC, like every time stamp of raw
        ("decided_at", pa.timestamp("us")),
        ("sent_at", pa.timestamp("us")),
        ("verified_at", pa.timestamp("us")),
        ("vendor_ids", pa.string()),  # JSON list
        ("detail", pa.string()),
        ("entity_code", pa.string()),
        ("amount", pa.string()),
        ("currency_code", pa.string()),
        ("payload", pa.string()),
        ("reason", pa.string()),
        ("source_hash", pa.string()),
    ]
)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ProposeResult:
    """What became of the proposed rows. The pairs are (action key, why)."""

    proposed: tuple[str, ...] = ()
    superseded: tuple[str, ...] = ()
    unchanged: int = 0
    held: tuple[tuple[str, str], ...] = ()
    """Not proposed again: a person rejected exactly this, or the vendor refused exactly this. `approve` re-opens it."""
    malformed: tuple[tuple[str, str], ...] = ()
    """Rows that cannot be an action; the others went on."""


@dataclass(frozen=True, slots=True)
class PolicyResult:
    """`approved` by the policy; `waiting` = (action key, why it is not)."""

    approved: tuple[str, ...] = ()
    waiting: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class _Batch:
    """Proposals gathered before they are written."""

    proposed: list[str] = field(default_factory=list)
    superseded: list[str] = field(default_factory=list)
    unchanged: int = 0
    held: list[tuple[str, str]] = field(default_factory=list)
    malformed: list[tuple[str, str]] = field(default_factory=list)


class Outbox:
    """Open the outbox at `url` (SQLite file or PostgreSQL), upgrading its schema when it is behind.

    `clock` gives every time stamp; `channel` says in the audit trail how the calls came in.
    Raises UnsupportedDatabase, SchemaMismatch.
    """

    def __init__(self, url: str | URL, clock: Clock, *, channel: str = "lane") -> None:
        self._clock = clock
        self._channel = channel
        self.engine = open_engine(url)
        upgrade_schema(self.engine)
        self.runs = RunHistory(self.engine, clock)
        self.decisions = Decisions(self.engine, clock, channel=channel)
        self.closing = Closing(self.engine, clock, channel=channel)
        self.notes = Notes(self.engine, clock, channel=channel)
        self.changes = Changes(self.engine, clock, channel=channel)
        self.previews = Previews(self.engine, clock)
        # Nothing is delivered until somebody said which switches hold.
        self._switches: tuple[Switch, ...] = ()
        self._write_back = False

    def close(self) -> None:
        """Give the connections back. The object can be used again afterwards."""
        self.engine.dispose()

    def now(self) -> datetime:
        """The injected clock's time."""
        return self._clock.now()

    # ---- reading ---------------------------------------------------------------------------------------------------

    def snapshot(self) -> pa.Table:
        """All actions in SNAPSHOT_SCHEMA, ordered by key: the same outbox gives the same table."""
        rows = self.actions()
        columns: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in SNAPSHOT_SCHEMA.names}
        for name in ("proposed_at", "decided_at", "sent_at", "verified_at"):
            columns[name] = [parse_stamp(value).replace(tzinfo=None) if value else None for value in columns[name]]
        return pa.table(columns, schema=SNAPSHOT_SCHEMA)

    def actions(
        self, *, states: Iterable[str] = (), kind: str | None = None, marketplace_code: str | None = None
    ) -> list[dict[str, Any]]:
        """Rows of the actions table as dictionaries, ordered by key. Amounts are text, times are UTC text."""
        query = select(actions).order_by(actions.c.action_key)
        if wanted := [State(s.upper()).value for s in states]:
            query = query.where(actions.c.state.in_(wanted))
        if kind:
            query = query.where(actions.c.kind == kind.upper())
        if marketplace_code:
            query = query.where(actions.c.marketplace_code == marketplace_code)
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def held(self, rows: Sequence[Row]) -> dict[str, str]:
        """Of these actions, the keys of those that may not go yet, and what they wait for.

        An APPROVED action whose payload says `only_after` a kind waits until the newest action of that kind for the
        same marketplace and natural id is VERIFIED, whoever approved it; without any such action it waits, too.
        """
        waiting = [
            (row, kind)
            for row in rows
            if State(row["state"]) is State.APPROVED and (kind := predecessor_of(row)) is not None
        ]
        if not waiting:
            return {}
        ids = sorted({str(row["natural_id"]) for row, _ in waiting})
        columns = (actions.c.kind, actions.c.marketplace_code, actions.c.natural_id, actions.c.state)
        newest: dict[tuple[str, str, str], str] = {}
        with self.engine.connect() as connection:
            for start in range(0, len(ids), 500):  # stays below every database's limit of parameters
                query = (
                    select(*columns)
                    .where(
                        actions.c.natural_id.in_(ids[start : start + 500]),
                        actions.c.kind.in_(sorted({kind for _, kind in waiting})),
                    )
                    .order_by(actions.c.version)
                )
                newest |= {(one[0], one[1], one[2]): str(one[3]) for one in connection.execute(query)}
        found = {
            str(row["action_key"]): (kind, newest.get((kind, row["marketplace_code"], row["natural_id"])))
            for row, kind in waiting
        }
        return {
            key: f"waits for {kind} to be VERIFIED, which is {state or 'not there'}"
            for key, (kind, state) in found.items()
            if state != State.VERIFIED.value
        }

    def find(self, key: str) -> dict[str, Any]:
        """The action with this action key or wire key (the newest version of it). Raises UnknownAction."""
        query = (
            select(actions)
            .where(or_(actions.c.action_key == key, actions.c.wire_key == key.upper()))
            .order_by(actions.c.version.desc())
            .limit(1)
        )
        with self.engine.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            raise UnknownAction(key)
        return dict(row)

    def history(self, action_key: str) -> list[dict[str, Any]]:
        """Audit entries of one action, oldest first."""
        query = select(audit).where(audit.c.action_key == action_key).order_by(audit.c.sequence)
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def audit_log(self, *, limit: int | None = None) -> list[dict[str, Any]]:
        """The newest `limit` audit entries (None: all), oldest of them first."""
        query = select(audit).order_by(audit.c.sequence.desc()).limit(limit)
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()][::-1]

    def counts(self) -> dict[tuple[str, str, str], int]:
        """Number of actions per (kind, marketplace, state)."""
        columns = (actions.c.kind, actions.c.marketplace_code, actions.c.state)
        query = select(*columns, func.count()).group_by(*columns).order_by(*columns)
        with self.engine.connect() as connection:
            return {(str(row[0]), str(row[1]), str(row[2])): int(row[3]) for row in connection.execute(query)}

    def verify_audit(self, *, expected_head: str | None = None) -> trail.AuditReport:
        """Check the whole trail against itself and against the actions table. Reads only; needs no vendor and no
        network.
        """
        with self.engine.connect() as connection:
            rows = [dict(row) for row in connection.execute(select(actions).order_by(actions.c.action_key)).mappings()]
            for row in rows:
                row["payload_hash"] = payload_hash(row.pop("payload"))
            decided = connection.execute(select(decisions).order_by(decisions.c.sequence)).mappings()
            rows += [{**row, "action_key": row["decision_key"]} for row in decided]
            closed = connection.execute(select(close_events).order_by(close_events.c.sequence)).mappings()
            rows += [{**row, "action_key": row["close_key"]} for row in closed]
            written = connection.execute(select(notes).order_by(notes.c.sequence)).mappings()
            rows += [{**row, "action_key": row["note_key"]} for row in written]
            changed = connection.execute(select(config_changes).order_by(config_changes.c.sequence)).mappings()
            rows += [{**row, "action_key": row["change_key"]} for row in changed]
            entries = (
                connection.execution_options(yield_per=1_000)
                .execute(select(audit).order_by(audit.c.sequence))
                .mappings()
            )
            return trail.verify((dict(entry) for entry in entries), rows, expected_head=expected_head)

    # ---- proposing and deciding --------------------------------------------------------------------------------------

    def propose(
        self,
        table: pa.Table,
        *,
        kinds: Collection[str] | None = None,
        policies: Sequence[Policy] = (),
        proposed_by: str = SERVICE_ACTOR,
    ) -> ProposeResult:
        """Write down what the act models want (columns PROPOSAL_COLUMNS). Idempotent on `action_key`.

        `kinds`: the table speaks for these kinds only (None: for all), because a lane has fresh data for its own kinds
        alone; rows of other kinds are passed over and their actions stay as they are.

        A PROPOSED or APPROVED action of the same kind, marketplace and natural id with another payload is SUPERSEDED;
        if the new one came with the same key, it gets the next version. One that has waited for a decision, or for its
        way after one, longer than its row of `policies` says is SUPERSEDED too: what is still wanted is asked for
        afresh by the next run. Raises MalformedProposals when a column is missing.
        """
        missing = [name for name in PROPOSAL_COLUMNS if name not in table.column_names]
        if missing:
            raise MalformedProposals(f"the table of proposals lacks {', '.join(missing)}")
        wanted = sorted(
            (row for row in table.select(list(PROPOSAL_COLUMNS)).to_pylist() if kinds is None or row["kind"] in kinds),
            key=lambda row: str(row["action_key"]),
        )
        batch = _Batch()
        with writing(self.engine) as connection:
            by_subject: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
            for found in connection.execute(select(actions).order_by(actions.c.version)).mappings():
                row = dict(found)
                by_subject.setdefault(_subject_of(row), []).append(row)
            expired = self._expired(
                [row for rows in by_subject.values() for row in rows if kinds is None or row["kind"] in kinds], policies
            )
            births: list[dict[str, Any]] = []
            replaced: list[tuple[Row, str]] = []
            seen: set[tuple[str, str, str]] = set()
            for row in wanted:
                if problem := _problem_of(row) or (
                    "is proposed twice in one table" if _subject_of(row) in seen else None
                ):
                    batch.malformed.append((str(row["action_key"]), problem))
                    continue
                seen.add(_subject_of(row))
                existing = by_subject.get(_subject_of(row), [])
                if any(e["action_key"] in expired for e in existing):
                    continue  # the models number the next version once they know that this one is over
                self._consider(row, existing, proposed_by, batch, births, replaced)
            asked_for = {_subject_of(row) for row in wanted}
            overtaken = [
                row
                for subject, rows in by_subject.items()
                if subject not in asked_for and (kinds is None or subject[0] in kinds)
                for row in rows
                if _lapses(row["kind"]) and State(row["state"]) in REPLACEABLE and row["action_key"] not in expired
            ]
            batch.superseded += [row["action_key"] for row in overtaken]
            why = "no longer wanted: it has been done, or must not be done any more"
            self._move(connection, overtaken, State.SUPERSEDED, actor=proposed_by, why=why)
            lapsed = [row for rows in by_subject.values() for row in rows if row["action_key"] in expired]
            batch.superseded += expired
            self._move(connection, lapsed, State.SUPERSEDED, actor=proposed_by, why=expired)
            now = stamp(self._clock.now())
            for birth in births:
                birth["proposed_at"] = now
            if replaced:
                self._move(
                    connection,
                    [row for row, _ in replaced],
                    State.SUPERSEDED,
                    actor=proposed_by,
                    why={row["action_key"]: f"a newer proposal took its place: {by}" for row, by in replaced},
                    changes={row["action_key"]: {"superseded_by": by} for row, by in replaced},
                )
            if births:
                connection.execute(insert(actions), births)
                self._append(
                    connection,
                    [
                        _Entry(birth, None, State.PROPOSED, proposed_by, str(birth["reason"]), {}, _recorded(birth))
                        for birth in births
                    ],
                )
        return ProposeResult(
            proposed=tuple(batch.proposed),
            superseded=tuple(batch.superseded),
            unchanged=batch.unchanged,
            held=tuple(batch.held),
            malformed=tuple(batch.malformed),
        )

    def _consider(
        self,
        row: dict[str, Any],
        existing: list[dict[str, Any]],
        proposed_by: str,
        batch: _Batch,
        births: list[dict[str, Any]],
        replaced: list[tuple[Row, str]],
    ) -> None:
        """Decide what one proposal means beside the actions there already are for the same thing (in order of
        version).
        """
        key, digest = str(row["action_key"]), payload_hash(row["payload"])
        live = [e for e in existing if State(e["state"]) not in ENDED]
        if any(e["payload_hash"] == digest for e in live):
            batch.unchanged += 1
            return
        same_key = next((e for e in existing if e["action_key"] == key), None)
        last = existing[-1] if existing else None
        if last is not None and last["payload_hash"] == digest:
            if last["state"] == State.REJECTED:
                batch.held.append((last["action_key"], f"rejected by {last['decided_by']}"))
                return
            if last["state"] == State.FAILED and not last["is_retryable"]:
                batch.held.append((last["action_key"], f"the vendor refused it: {last['detail']}"))
                return
        if same_key is not None and not all(State(e["state"]) in _NEVER_LEFT for e in (same_key, existing[-1])):
            # On its way, or ended under this very key: the act model did not ask for a new version, so this is a
            # repetition.
            batch.unchanged += 1
            return
        replaceable = [e for e in live if State(e["state"]) in REPLACEABLE]
        if same_key is not None:
            row = {**row, "version": max(int(e["version"]) for e in existing) + 1}
            key = row["action_key"] = action_key(row)
        births.append(
            {
                **{name: row[name] for name in PROPOSAL_COLUMNS},
                "version": int(row["version"]),
                "amount": None if row["amount"] is None else str(row["amount"]),
                "reason": row["reason"] or "",
                "payload_hash": digest,
                "state": State.PROPOSED.value,
                "proposed_by": proposed_by,
                "attempts": 0,
                "is_retryable": False,
            }
        )
        batch.proposed.append(key)
        for e in replaceable:
            replaced.append((e, key))
            batch.superseded.append(e["action_key"])

    def _expired(self, rows: Sequence[Row], policies: Sequence[Policy]) -> dict[str, str]:
        """Keys of what has waited too long before its vendor call, and for what."""
        now, found = self._clock.now(), {}
        for row in rows:
            if State(row["state"]) not in REPLACEABLE or (limit := expires_after(subject_of(row), policies)) is None:
                continue
            is_approved = State(row["state"]) is State.APPROVED
            if now - parse_stamp(row["decided_at"] if is_approved else row["proposed_at"]) > limit:
                what = "its approval was not used" if is_approved else "nobody decided it"
                found[row["action_key"]] = f"{what} within {limit // timedelta(hours=1)} hours"
        return found

    def apply_policy(
        self,
        policies: Sequence[Policy],
        switches: Sequence[Switch],
        write_back: bool,
        *,
        kinds: Collection[str] | None = None,
    ) -> PolicyResult:
        """Approve what the policy lets go by itself, of `kinds` only when given; the rest stays PROPOSED for a person.

        Nothing is approved while a switch or the global write-back switch is off: an approval given then would go out,
        stale, on the day it is switched on. The switches are remembered for `deliver`.
        """
        self._switches, self._write_back = tuple(switches), write_back
        approved: list[dict[str, Any]] = []
        waiting: list[tuple[str, str]] = []
        with writing(self.engine) as connection:
            query = select(actions).where(actions.c.state == State.PROPOSED.value).order_by(actions.c.action_key)
            if kinds is not None:
                query = query.where(actions.c.kind.in_(kinds))
            for found in connection.execute(query).mappings():
                row = dict(found)
                subject = subject_of(row)
                why = stopped_by(subject, switches, write_back=write_back) or needs_person(subject, policies)
                if why:
                    waiting.append((row["action_key"], why))
                else:
                    approved.append(row)
            now = stamp(self._clock.now())
            self._move(
                connection,
                approved,
                State.APPROVED,
                actor=SERVICE_ACTOR,
                why="approved by policy",
                changes={row["action_key"]: {"decided_by": "policy", "decided_at": now} for row in approved},
            )
        return PolicyResult(tuple(row["action_key"] for row in approved), tuple(waiting))

    def approve(self, keys: Sequence[str], *, by: str, reason: str = "") -> list[str]:
        """A person lets actions go: PROPOSED ones, and FAILED or REJECTED ones again. All or none.

        `keys` are action keys or wire keys. Raises UnknownAction, ApprovalRefused (own proposal, nameless, a newer
        action for the same thing is on its way), IllegalTransition.
        """
        person = person_named(by)
        with writing(self.engine) as connection:
            rows = self._locate(connection, keys)
            for row in rows:
                if row["proposed_by"].casefold() == person.casefold():
                    raise ApprovalRefused(f"{person} proposed {row['action_key']}; another person has to approve it")
                if State(row["state"]) in (State.FAILED, State.REJECTED):
                    self._refuse_second_live_action(connection, row)
            now = stamp(self._clock.now())
            self._move(
                connection,
                rows,
                State.APPROVED,
                actor=person,
                why=reason or "approved",
                changes={
                    row["action_key"]: {"decided_by": person, "decided_at": now, "is_retryable": False, "attempts": 0}
                    for row in rows
                },
            )
        return [row["action_key"] for row in rows]

    def reject(self, keys: Sequence[str], *, by: str, reason: str) -> list[str]:
        """A person says no to PROPOSED or APPROVED actions. All or none. Raises as `approve`; a reason is a must."""
        person = person_named(by)
        if not reason.strip():
            raise ApprovalRefused("say why: a rejection without a reason cannot be explained to an auditor")
        with writing(self.engine) as connection:
            rows = self._locate(connection, keys)
            now = stamp(self._clock.now())
            self._move(
                connection,
                rows,
                State.REJECTED,
                actor=person,
                why=reason,
                changes={row["action_key"]: {"decided_by": person, "decided_at": now} for row in rows},
            )
        return [row["action_key"] for row in rows]

    def _locate(self, connection: Connection, keys: Sequence[str]) -> list[dict[str, Any]]:
        """The action with each action key or wire key (the newest version of it). Raises UnknownAction."""
        by_key: dict[str, dict[str, Any]] = {}
        by_wire_key: dict[str, dict[str, Any]] = {}
        for start in range(0, len(keys), 250):  # stays below every database's limit of parameters
            part = keys[start : start + 250]
            query = (
                select(actions)
                .where(or_(actions.c.action_key.in_(part), actions.c.wire_key.in_([key.upper() for key in part])))
                .order_by(actions.c.version)
            )
            for row in connection.execute(query).mappings():
                by_key[row["action_key"]] = by_wire_key[row["wire_key"]] = dict(row)
        located = []
        for key in keys:
            found = by_key.get(key) or by_wire_key.get(key.upper())
            if found is None:
                raise UnknownAction(key)
            located.append(found)
        return located

    def _refuse_second_live_action(self, connection: Connection, row: Row) -> None:
        query = select(actions.c.action_key, actions.c.state).where(
            actions.c.kind == row["kind"],
            actions.c.marketplace_code == row["marketplace_code"],
            actions.c.natural_id == row["natural_id"],
            actions.c.action_key != row["action_key"],
            or_(
                actions.c.state.notin_([state.value for state in ENDED]),
                actions.c.version > row["version"],
            ),
        )
        other = connection.execute(query).first()
        if other is not None:
            raise ApprovalRefused(
                f"{row['action_key']} cannot be re-opened: {other.action_key} for the same thing "
                f"is newer or on its way ({other.state})"
            )

    # ---- delivering --------------------------------------------------------------------------------------------------

    def deliver(
        self,
        deliveries: Mapping[tuple[str, str], Delivery],
        *,
        dry_run: bool = False,
        limit: int | None = None,
        switches: Sequence[Switch] | None = None,
        write_back: bool | None = None,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> DeliverResult:
        """Take approved actions to their vendors. `deliveries` is keyed by (kind, account); actions without one are
        left alone.

        `switches` and `write_back` default to what `apply_policy` was given last; without either nothing is sent.
        `limit` bounds the number of actions sent. With `dry_run` nothing is sent or changed: `requests` holds the exact
        requests of everything PROPOSED or APPROVED, whatever the switches say. `progress(what, done, total)` is called
        after each step.
        """
        if dry_run:
            return DeliverResult(requests=tuple(self.preview(deliveries)))
        return deliver(
            self,
            deliveries,
            switches=self._switches if switches is None else tuple(switches),
            write_back=self._write_back if write_back is None else write_back,
            limit=limit,
            progress=progress,
        )

    def preview(
        self,
        deliveries: Mapping[tuple[str, str], Delivery],
        *,
        keys: Sequence[str] | None = None,
        kinds: Collection[str] | None = None,
    ) -> list[Preview]:
        """The exact requests of PROPOSED and APPROVED actions (or of `keys`), of `kinds` only when given. Sends and
        changes nothing.
        """
        rows = (
            self.actions(states=[State.PROPOSED, State.APPROVED]) if keys is None else [self.find(key) for key in keys]
        )
        return preview([row for row in rows if kinds is None or row["kind"] in kinds], deliveries)

    # ---- the only place where a state changes ------------------------------------------------------------------------

    def move(
        self,
        keys: Sequence[str],
        expected: State,
        to: State,
        *,
        actor: str,
        why: str | Mapping[str, str],
        changes: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """Move actions from `expected` to `to` in one committed transaction. For the delivery loop; people use approve
        and reject.

        Raises ConcurrentChange when one of them is not in `expected` any more; nothing is written then.
        """
        if not keys:
            return
        changed = {name for values in (changes or {}).values() for name in values}
        columns = [actions.c[name] for name in sorted({"action_key", "state", "source_hash", *changed})]
        with writing(self.engine) as connection:
            rows: list[Row] = []
            for start in range(0, len(keys), 500):  # stays below every database's limit of parameters
                query = select(*columns).where(actions.c.action_key.in_(keys[start : start + 500]))
                rows += [dict(row) for row in connection.execute(query).mappings()]
            moved = [row["action_key"] for row in rows if row["state"] != expected.value]
            if moved or len(rows) != len(set(keys)):
                raise ConcurrentChange(
                    f"expected {expected.value}, but somebody moved {', '.join(moved) or 'an action away'}"
                )
            rows.sort(key=lambda row: str(row["action_key"]))
            self._move(connection, rows, to, actor=actor, why=why, changes=changes)

    def note(self, key: str, detail: str, *, actor: str) -> None:
        """Keep what the vendor said about an action whose state stays. Writes nothing when it says the same as
        before.
        """
        with writing(self.engine) as connection:
            row = self._locate(connection, [key])[0]
            if row["detail"] == detail:
                return
            connection.execute(update(actions).where(actions.c.action_key == row["action_key"]).values(detail=detail))
            state = State(row["state"])
            self._append(
                connection, [_Entry(row, state, state, actor, detail, {"detail": row["detail"]}, {"detail": detail})]
            )

    def _move(
        self,
        connection: Connection,
        rows: Sequence[Row],
        to: State,
        *,
        actor: str,
        why: str | Mapping[str, str],
        changes: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        if not rows:
            return
        entries: list[_Entry] = []
        grouped: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for row in rows:
            key, before = str(row["action_key"]), State(row["state"])
            require_transition(key, before, to)
            values = dict((changes or {}).get(key, {}))
            grouped.setdefault(tuple(sorted(values)), []).append(
                {"b_key": key, "b_state": before.value, **{f"v_{name}": value for name, value in values.items()}}
            )
            reason = why if isinstance(why, str) else why[key]
            was = {"state": before.value, **{name: row[name] for name in values}}
            entries.append(_Entry(row, before, to, actor, reason, was, {"state": to.value, **values}))
        for names, parameters in grouped.items():
            statement = (
                update(actions)
                .where(actions.c.action_key == bindparam("b_key"), actions.c.state == bindparam("b_state"))
                .values(state=to.value, **{name: bindparam(f"v_{name}") for name in names})
            )
            result = connection.execute(statement, parameters)
            if result.rowcount != len(parameters):
                raise ConcurrentChange(
                    f"{len(parameters) - result.rowcount} actions changed under our hands; nothing was written"
                )
        self._append(connection, entries)

    def _append(self, connection: Connection, entries: Sequence[_Entry]) -> None:
        append_entries(
            connection,
            [
                Entry(
                    key=entry.row["action_key"],
                    before=entry.before.value if entry.before else None,
                    after=entry.after.value,
                    actor=entry.actor,
                    why=entry.why,
                    was=entry.was,
                    became=entry.became,
                    source_hash=entry.row["source_hash"],
                )
                for entry in entries
            ],
            at=stamp(self._clock.now()),
            channel=self._channel,
        )


@dataclass(frozen=True, slots=True)
class _Entry:
    row: Row
    before: State | None
    after: State
    actor: str
    why: str
    was: Mapping[str, Any]
    became: Mapping[str, Any]


def action_key(row: Row) -> str:
    """`kind|marketplace|natural id|version`."""
    return f"{row['kind']}|{row['marketplace_code']}|{row['natural_id']}|{row['version']}"


def payload_hash(payload: str) -> str:
    """SHA-256 of the payload's content: key order and white space do not count, every digit of a number does."""
    return hashlib.sha256(trail.canonical_json(json.loads(payload, parse_float=Decimal)).encode()).hexdigest()


_NEVER_LEFT = REPLACEABLE | {State.SUPERSEDED}


def _lapses(kind: str) -> bool:
    how = KINDS.get(kind, ONE_BY_ONE)
    return how.is_wanted_state or how.lapses


def _subject_of(row: Row) -> tuple[str, str, str]:
    return (str(row["kind"]), str(row["marketplace_code"]), str(row["natural_id"]))


def _recorded(birth: Row) -> dict[str, Any]:
    """Everything of a new action except the payload itself, of which the hash is kept."""
    return {name: value for name, value in birth.items() if name != "payload"}


def _problem_of(row: Row) -> str | None:
    """Why a proposed row cannot be an action; None when it can."""
    for name in ("kind", "vendor", "account", "marketplace_code", "natural_id", "version", "payload"):
        if row[name] is None or row[name] == "":
            return f"{name} is empty"
    if row["action_key"] != action_key(row):
        return f"the key should be {action_key(row)}"
    try:
        if not isinstance(json.loads(row["payload"]), dict):
            return "the payload is not a JSON object"
    except ValueError as error:
        return f"the payload is not JSON: {error}"
    try:
        if row["amount"] is not None and not Decimal(str(row["amount"])).is_finite():
            return f"the amount {row['amount']} is not a number"
    except InvalidOperation:
        return f"the amount {row['amount']} is not a number"
    return None
