"""Taking approved actions to the vendors, so that a crash at any moment neither loses nor doubles one.

Per account and kind, under a lock that dies with its process:

1. What an earlier process left SENDING, or what got no answer (UNKNOWN), is looked up at the vendor: SENT if it is
   there, else back to APPROVED. No vendor here can be trusted to refuse a duplicate.
2. What is APPROVED is looked up too (a database restored from a backup must not send twice), then committed as SENDING,
   then sent.
3. What is SENT is read back: VERIFIED when the vendor holds what was wanted.

An action that may go only after another (`only_after` of its payload) is left alone until that one is VERIFIED, and
then has its turn in the same call.

Every state is committed before and after the vendor call it belongs to.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from time import sleep
from typing import TYPE_CHECKING, Any

from connectors.delivery import Action, Batched, Delivery, DeliveryResult, Found, Outcome, Request, Settling
from connectors.errors import ConnectorError
from orchestration.outbox.clock import stamp
from orchestration.outbox.database import exclusive
from orchestration.outbox.errors import DeliveryBusy
from orchestration.outbox.policies import Switch, stopped_by, subject_of
from orchestration.outbox.states import State

if TYPE_CHECKING:
    from orchestration.outbox.store import Outbox

ACTOR = "tieout"
PATIENT = 5_000
"""Attempts for what waits for an ERP to come back, minute by minute: more than three days of them."""
LOCK_SECONDS = 300.0
Row = Mapping[str, Any]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind of action is delivered.

    `batch_size` actions go in one call, unless the delivery has a size of its own. `is_wanted_state`: the action says
    what the vendor should hold (a quantity), so when it reads back differently the world has moved on: it FAILED and
    may be proposed afresh. Otherwise (a journal) a difference is for a person, and the action stays SENT.
    `lapses`: an action that nobody has sent yet is withdrawn once the models no longer want it, because a person or the
    vendor has done it meanwhile (a wanted state always lapses).
    `settle_seconds`, unless the delivery has a time of its own: how long a request whose sender died may still be at
    work at the vendor, before a second look-up is believed. `maximum_attempts`: refusals for now after which it counts
    as refused; what has a deadline of its own is tried until that.
    """

    batch_size: int
    is_wanted_state: bool
    settle_seconds: float = 2.0
    lapses: bool = False
    maximum_attempts: int = 10


LAST = 1_000_000
"""The place of what has no rank."""

KINDS: Mapping[str, Kind] = {
    "JOURNAL": Kind(batch_size=1, is_wanted_state=False),
    "STOCK": Kind(batch_size=10_000, is_wanted_state=True),
    "OFFER": Kind(batch_size=10_000, is_wanted_state=True),
    "OFFER_CREATE": Kind(batch_size=10_000, is_wanted_state=True),
    "PRICE": Kind(batch_size=10_000, is_wanted_state=True),
    "ACCEPTANCE": Kind(batch_size=100, is_wanted_state=False, maximum_attempts=PATIENT, lapses=True),
    "TRACKING": Kind(batch_size=100, is_wanted_state=True),
    "DISPATCH": Kind(batch_size=500, is_wanted_state=True),
    "SHIPMENT_DELETION": Kind(batch_size=500, is_wanted_state=False),
    "SHIPMENT_ORIGIN": Kind(batch_size=100, is_wanted_state=True),
    # A second one of these pays a customer twice: a late arrival must have had its time.
    "REFUND": Kind(batch_size=100, is_wanted_state=False, settle_seconds=60.0, lapses=True),
    "CANCELATION": Kind(batch_size=100, is_wanted_state=False, settle_seconds=60.0, lapses=True),
    "ORDER_CANCELLATION": Kind(batch_size=100, is_wanted_state=False, lapses=True),
    "SALES_ORDER": Kind(batch_size=100, is_wanted_state=False, maximum_attempts=PATIENT, lapses=True),
    "ORDER_ADDRESS": Kind(batch_size=100, is_wanted_state=True, lapses=True),
    "CREDIT_NOTE": Kind(batch_size=100, is_wanted_state=False),
    "CUSTOMER_PAYMENT": Kind(batch_size=100, is_wanted_state=False),
    "DEPOSIT": Kind(batch_size=100, is_wanted_state=False),
    "FULFILMENT": Kind(batch_size=100, is_wanted_state=False),
    "CUSTOMER": Kind(batch_size=100, is_wanted_state=False),
    "SALES_RECEIPT": Kind(batch_size=100, is_wanted_state=False),
    "SALES_PAYMENT": Kind(batch_size=100, is_wanted_state=False),
    "SALES_INVOICE": Kind(batch_size=100, is_wanted_state=False),
    "SALES_ALLOCATION": Kind(batch_size=100, is_wanted_state=False),
    "BANK_PAYMENT": Kind(batch_size=100, is_wanted_state=False),
    "BANK_RECEIPT": Kind(batch_size=100, is_wanted_state=False),
    "BANK_TRANSFER": Kind(batch_size=100, is_wanted_state=False),
    "PURCHASE_INVOICE": Kind(batch_size=100, is_wanted_state=False),
}
ONE_BY_ONE = Kind(batch_size=1, is_wanted_state=False)


@dataclass(frozen=True, slots=True)
class Preview:
    """The requests that would be sent for `action_keys` (several when they go in one call)."""

    kind: str
    vendor: str
    account: str
    action_keys: tuple[str, ...]
    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class AccountProblem:
    """Why an account was left before its actions were done. They keep their states; the next run goes on."""

    kind: str
    vendor: str
    account: str
    detail: str


@dataclass(frozen=True, slots=True)
class DeliverResult:
    """Numbers of actions by what became of them in this call.

    `sent` counts those the vendor took (or held already), `verified` those read back as wanted, `unverified` those that
    read back differently, `waiting` those refused for now. `touched_accounts` = (vendor, account) where something may
    have changed.
    """

    sent: int = 0
    verified: int = 0
    unverified: int = 0
    failed: int = 0
    unknown: int = 0
    waiting: int = 0
    skipped_by_switch: int = 0
    touched_accounts: frozenset[tuple[str, str]] = frozenset()
    problems: tuple[AccountProblem, ...] = ()
    requests: tuple[Preview, ...] = ()


@dataclass(slots=True)
class _Tally:
    sent: int = 0
    verified: int = 0
    unverified: int = 0
    failed: int = 0
    unknown: int = 0
    waiting: int = 0
    skipped_by_switch: int = 0
    touched: set[tuple[str, str]] = field(default_factory=set)
    problems: list[AccountProblem] = field(default_factory=list)
    begun: int = 0
    """Actions whose vendor call began, against the limit."""


def deliver(
    outbox: Outbox,
    deliveries: Mapping[tuple[str, str], Delivery],
    *,
    switches: Sequence[Switch],
    write_back: bool,
    limit: int | None,
    progress: Progress | None,
    settle_seconds: float | None = None,
    lock_seconds: float = LOCK_SECONDS,
) -> DeliverResult:
    """See Outbox.deliver. An account that fails is reported in `problems` and does not stop the others."""
    tally = _Tally()
    left = set[tuple[str, str, str]]()
    open_states = (State.APPROVED, State.SENDING, State.UNKNOWN, State.SENT)
    for (kind, vendor, account), group in _turns(outbox, outbox.actions(states=open_states)):
        delivery = deliveries.get((kind, account))
        if delivery is None or (kind, vendor, account) in left:
            continue
        allowed = [row for row in group if not stopped_by(subject_of(row), switches, write_back=write_back)]
        tally.skipped_by_switch += len(group) - len(allowed)
        if not allowed:
            continue
        how = KINDS.get(kind, ONE_BY_ONE)
        session = _Session(
            outbox=outbox,
            delivery=delivery,
            kind=how,
            account=(vendor, account),
            keys={str(row["action_key"]) for row in allowed},
            tally=tally,
            limit=limit,
            report=_reporter(progress, f"{kind} → {account}"),
            settle_seconds=_settle_seconds(delivery, how) if settle_seconds is None else settle_seconds,
        )
        try:
            with exclusive(outbox.engine, f"{kind} {vendor} {account}", timeout_seconds=lock_seconds):
                session.run(kind)
        except (ConnectorError, DeliveryBusy) as error:
            tally.problems.append(AccountProblem(kind, vendor, account, str(error)))
            left.add((kind, vendor, account))
    return DeliverResult(
        sent=tally.sent,
        verified=tally.verified,
        unverified=tally.unverified,
        failed=tally.failed,
        unknown=tally.unknown,
        waiting=tally.waiting,
        skipped_by_switch=tally.skipped_by_switch,
        touched_accounts=frozenset(tally.touched),
        problems=tuple(tally.problems),
    )


def preview(rows: Sequence[Row], deliveries: Mapping[tuple[str, str], Delivery]) -> list[Preview]:
    """The requests of `rows`, call by call, in the order in which they would go."""
    previews = []
    for (kind, vendor, account), group in _accounts(rows):
        delivery = deliveries.get((kind, account))
        if delivery is None:
            continue
        for batch in _batches(group, _batch_size(delivery, KINDS.get(kind, ONE_BY_ONE))):
            requests = delivery.preview([action_of(row) for row in batch])
            keys = tuple(str(row["action_key"]) for row in batch)
            previews.append(Preview(kind, vendor, account, keys, tuple(requests)))
    return previews


def _settle_seconds(delivery: Delivery, kind: Kind) -> float:
    return delivery.settle_seconds if isinstance(delivery, Settling) else kind.settle_seconds


def _batch_size(delivery: Delivery, kind: Kind) -> int:
    return delivery.batch_size if isinstance(delivery, Batched) else kind.batch_size


def action_of(row: Row) -> Action:
    """The row as the delivery wants it. Numbers of the payload stay decimal."""
    return Action(
        action_key=row["action_key"],
        wire_key=row["wire_key"] or "",
        kind=row["kind"],
        marketplace_code=row["marketplace_code"],
        account=row["account"],
        payload=json.loads(row["payload"], parse_float=Decimal),
    )


@dataclass(slots=True)
class _Session:
    """The work on one account and kind, under its lock."""

    outbox: Outbox
    delivery: Delivery
    kind: Kind
    account: tuple[str, str]
    keys: set[str]
    tally: _Tally
    limit: int | None
    report: Callable[[int, int], None]
    settle_seconds: float

    def run(self, kind: str) -> None:
        try:
            self._resolve(kind)
            self._send_all(kind)
        except ConnectorError:
            # What went out before the account failed is still worth reading back. If that fails too, the first error
            # is the one to tell.
            with suppress(ConnectorError):
                self._read_back(kind)
            raise
        self._read_back(kind)

    def _rows(self, kind: str, *states: State) -> list[dict[str, Any]]:
        """This account's actions in `states` as they are now, in the order in which they are sent."""
        rows = [row for row in self.outbox.actions(states=states, kind=kind) if row["action_key"] in self.keys]
        return sorted(rows, key=_urgency)

    def _resolve(self, kind: str) -> None:
        """Step 1: what may or may not have arrived. Found twice missing, it goes back to APPROVED."""
        leftovers = self._rows(kind, State.SENDING, State.UNKNOWN)
        if not leftovers:
            return
        found = self._look_up(leftovers)
        if any(not _is_complete(found.get(row["action_key"])) for row in leftovers) and self.settle_seconds > 0:
            sleep(self.settle_seconds)
            found = self._look_up(leftovers)
        for state in (State.SENDING, State.UNKNOWN):
            rows = [row for row in leftovers if row["state"] == state]
            there, missing = _parted(rows, found)
            self._found(there, found, state)
            self.outbox.move(
                [row["action_key"] for row in missing],
                state,
                State.APPROVED,
                actor=ACTOR,
                why={row["action_key"]: _missing_words(found.get(row["action_key"])) for row in missing},
            )

    def _send_all(self, kind: str) -> None:
        """Step 2."""
        waiting = self._rows(kind, State.APPROVED)
        if not waiting:
            return
        found = self._look_up(waiting)
        there, missing = _parted(waiting, found)
        self._found(there, found, State.APPROVED)
        if self.limit is not None:
            missing = missing[: max(self.limit - self.tally.begun, 0)]
        done = len(there)
        total = done + len(missing)
        self.report(done, total)
        for batch in _batches(missing, _batch_size(self.delivery, self.kind)):
            self._send(batch)
            done += len(batch)
            self.report(done, total)

    def _send(self, batch: Sequence[Row]) -> None:
        keys = [str(row["action_key"]) for row in batch]
        self.tally.begun += len(batch)
        begun = {row["action_key"]: {"attempts": int(row["attempts"]) + 1} for row in batch}
        self.outbox.move(keys, State.APPROVED, State.SENDING, actor=ACTOR, why="delivery begins", changes=begun)
        self.tally.touched.add(self.account)
        try:
            results = self.delivery.send([action_of(row) for row in batch])
        except Exception as error:
            # Whatever happened, the vendor may have taken it. Nothing but a look-up can tell.
            self._settle(
                keys,
                {key: DeliveryResult(Outcome.UNKNOWN, detail=f"{type(error).__name__}: {error}") for key in keys},
                begun,
            )
            raise
        no_word = DeliveryResult(Outcome.UNKNOWN, detail="the delivery gave no result for it")
        results = {key: results.get(key, no_word) for key in keys}
        self._settle(keys, results, begun)
        unknown = [key for key in keys if results[key].outcome is Outcome.UNKNOWN]
        if unknown:
            # Asks once more, at once: an answer that was lost on the way is the usual case. When the vendor cannot be
            # reached at all, this raises and the rest of the account waits, instead of turning one unknown outcome into
            # many.
            rows = [row for row in batch if row["action_key"] in unknown]
            found = self._look_up(rows)
            there, _ = _parted(rows, found)
            self._found(there, found, State.UNKNOWN)
            self.tally.unknown -= len(there)

    def _settle(
        self, keys: Sequence[str], results: Mapping[str, DeliveryResult], begun: Mapping[str, Mapping[str, Any]]
    ) -> None:
        """Commit what the vendor answered."""
        now = stamp(self.outbox.now())
        fates: dict[State, dict[str, dict[str, Any]]] = {}
        for key in keys:
            result = results[key]
            changes: dict[str, Any]
            if result.outcome is Outcome.SENT:
                fate, changes = (
                    State.SENT,
                    {"sent_at": now, "vendor_ids": _ids(result.vendor_ids), "detail": result.detail},
                )
                self.tally.sent += 1
            elif result.outcome is Outcome.UNKNOWN:
                fate, changes = State.UNKNOWN, {"detail": result.detail}
                self.tally.unknown += 1
            elif result.retryable and int(begun[key]["attempts"]) < self.kind.maximum_attempts:
                fate, changes = State.APPROVED, {"detail": result.detail}
                self.tally.waiting += 1
            else:
                fate, changes = State.FAILED, {"detail": result.detail, "is_retryable": False}
                self.tally.failed += 1
            fates.setdefault(fate, {})[key] = changes
        for state, changed in fates.items():
            why = {key: str(changes["detail"]) or f"the vendor's answer: {state}" for key, changes in changed.items()}
            self.outbox.move(list(changed), State.SENDING, state, actor=ACTOR, why=why, changes=changed)

    def _read_back(self, kind: str) -> None:
        """Step 3."""
        sent = self._rows(kind, State.SENT)
        if not sent:
            return
        verifications = self.delivery.read_back([action_of(row) for row in sent])
        now = stamp(self.outbox.now())
        good: dict[str, dict[str, Any]] = {}
        gone: dict[str, dict[str, Any]] = {}
        for row in sent:
            key = str(row["action_key"])
            verification = verifications.get(key)
            if verification is None:
                continue
            if verification.ok:
                ids = _ids(verification.vendor_ids) if verification.vendor_ids else row["vendor_ids"]
                good[key] = {"verified_at": now, "detail": verification.detail, "vendor_ids": ids}
            elif self.kind.is_wanted_state:
                gone[key] = {"detail": verification.detail, "is_retryable": True}
            else:
                self.outbox.note(key, verification.detail, actor=ACTOR)
        self.tally.verified += len(good)
        self.tally.unverified += len(sent) - len(good)
        for state, changed, words in (
            (State.VERIFIED, good, "read back as wanted"),
            (State.FAILED, gone, "reads back differently"),
        ):
            why = {
                key: f"{words}: {changes['detail']}" if changes["detail"] else words for key, changes in changed.items()
            }
            self.outbox.move(list(changed), State.SENT, state, actor=ACTOR, why=why, changes=changed)

    def _look_up(self, rows: Sequence[Row]) -> dict[str, Found | None]:
        return self.delivery.look_up([action_of(row) for row in rows])

    def _found(self, rows: Sequence[Row], found: Mapping[str, Found | None], before: State) -> None:
        """Commit as SENT what the vendor turned out to hold."""
        if not rows:
            return
        now = stamp(self.outbox.now())
        changes: dict[str, dict[str, Any]] = {}
        why: dict[str, str] = {}
        for row in rows:
            key, hit = str(row["action_key"]), found[row["action_key"]]
            if hit is None:
                continue
            changes[key] = {"sent_at": row["sent_at"] or now, "vendor_ids": _ids(hit.vendor_ids), "detail": hit.detail}
            why[key] = f"found at the vendor: {hit.detail}" if hit.detail else "found at the vendor"
        self.outbox.move(list(changes), before, State.SENT, actor=ACTOR, why=why, changes=changes)
        self.tally.sent += len(changes)
        self.tally.touched.add(self.account)


def _parted(rows: Sequence[Row], found: Mapping[str, Found | None]) -> tuple[list[Row], list[Row]]:
    """Those that the vendor holds whole, and the others."""
    parts: tuple[list[Row], list[Row]] = ([], [])
    for row in rows:
        parts[not _is_complete(found.get(row["action_key"]))].append(row)
    return parts


def _urgency(row: Row) -> tuple[str, int, str, str]:
    """What has the nearest deadline goes first (`due_at` of the payload, UTC text), then what its kind ranks highest
    (`rank`, 1 before 2; the fast movers of the stock), then what has waited longest.
    """
    text = row["payload"]
    payload = json.loads(text) if '"due_at"' in text or '"rank"' in text else {}
    rank = payload.get("rank")
    due_at, place = str(payload.get("due_at") or "9999"), LAST if rank is None else int(rank)
    return (due_at, place, str(row["proposed_at"]), str(row["action_key"]))


def _turns(outbox: Outbox, rows: Sequence[Row]) -> Iterator[tuple[tuple[str, str, str], list[Row]]]:
    """The actions by account: first those that need not wait for another, then those whose turn came meanwhile."""
    while True:
        held = outbox.held(rows)
        ready = [row for row in rows if row["action_key"] not in held]
        if not ready:
            return
        yield from _accounts(ready)
        rows = [row for row in rows if row["action_key"] in held]


def predecessor_of(row: Row) -> str | None:
    """The kind of action that has to be VERIFIED for the same thing before this one may go (`only_after` of the
    payload).
    """
    text = row["payload"]
    kind = json.loads(text).get("only_after") if '"only_after"' in text else None
    return None if kind is None else str(kind)


def _accounts(rows: Sequence[Row]) -> Iterator[tuple[tuple[str, str, str], list[Row]]]:
    def account(row: Row) -> tuple[str, str, str]:
        return (str(row["kind"]), str(row["vendor"]), str(row["account"]))

    for key, group in groupby(sorted(rows, key=lambda row: (*account(row), *_urgency(row))), key=account):
        yield key, list(group)


def _batches(rows: Sequence[Row], size: int) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _reporter(progress: Progress | None, what: str) -> Callable[[int, int], None]:
    def report(done: int, total: int) -> None:
        if progress is not None:
            progress(what, done, total)

    return report


def _is_complete(found: Found | None) -> bool:
    return found is not None and found.complete


def _missing_words(found: Found | None) -> str:
    return "not found at the vendor" if found is None else f"only part of it is at the vendor: {found.detail}"


def _ids(vendor_ids: Sequence[str]) -> str:
    return json.dumps(list(vendor_ids))
