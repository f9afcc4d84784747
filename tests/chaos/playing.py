"""One seed: the same work in a town where everything goes wrong and in one where nothing does, and the difference."""

from __future__ import annotations

import random
import shutil
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from connectors.delivery import Action, Delivery, DeliveryResult, Found, Request, Verification
from orchestration.outbox import Outbox, State
from orchestration.outbox.delivering import deliver
from orchestration.outbox.states import LIVE
from sandbox import jsonio
from sandbox.chaos import Rule
from tests.chaos.town import Deliveries, Town
from tests.chaos.work import Job, Plan

SIZE = 6
"""Actions per seed."""
ROUNDS = 4
"""Runs of the lane while things go wrong."""
CALM_ROUNDS = 4
"""Runs afterwards: as many as an action may need that was left in the middle."""
PATHS = ("/mirakl/BRICO", "/mirakl/HOMELY", "/sage200", "/netsuite/NS_HOME")
WITHOUT_EFFECT = ({"kind": "fail", "status": 500}, {"kind": "fail", "status": 503}, {"kind": "empty", "status": 502})
LIMITED = {"kind": "fail", "status": 429, "retry_after": 1}
AFTER_EFFECT = (
    {"kind": "outcome_unknown"},
    {"kind": "fail_after", "status": 504},
    {"kind": "drop"},
    {"kind": "reset"},
)
BEFORE_SENDING = frozenset({"PROPOSED", "APPROVED"})


class Killed(BaseException):
    """The process ends here; nothing that stands after it happens."""


@dataclass
class Tally:
    """What became of the seeds so far."""

    actions: int = 0
    faults: int = 0
    kills: int = 0
    by_hand: int = 0
    failed: int = 0
    lost: int = 0
    duplicated: int = 0
    wrong: int = 0
    unresolved: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """The seeds of another, too."""
        for one in fields(self):
            mine, more = getattr(self, one.name), getattr(other, one.name)
            setattr(self, one.name, mine + more)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.duplicated or self.wrong or self.unresolved or self.failed)


@dataclass
class Clock:
    """Goes forwards, and now and then back, as machines' clocks do."""

    draw: random.Random
    moment: datetime = datetime(2026, 7, 3, 8, 0, tzinfo=UTC)

    def now(self) -> datetime:
        self.moment += timedelta(seconds=1 if self.draw.random() > 0.05 else -600)
        return self.moment


@dataclass
class Mortal:
    """A delivery in a process that may be killed: before the vendor is called, or after, before anybody is told."""

    delivery: Delivery
    schedule: list[str]

    @property
    def kind(self) -> str:
        return self.delivery.kind

    def __getattr__(self, name: str) -> Any:
        return getattr(self.delivery, name)

    def preview(self, actions: Sequence[Action]) -> list[Request]:
        return self.delivery.preview(actions)

    def look_up(self, actions: Sequence[Action]) -> dict[str, Found | None]:
        return self.delivery.look_up(actions)

    def send(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]:
        fate = self.schedule.pop() if self.schedule else ""
        if fate == "before":
            raise Killed
        results = self.delivery.send(actions)
        if fate == "after":
            raise Killed
        return results

    def read_back(self, actions: Sequence[Action]) -> dict[str, Verification]:
        return self.delivery.read_back(actions)


def play(seed: int, stormy: Town, calm: Town, folder: Path, outcome: Tally) -> bool:
    """Plays a seed in both towns; whether they are alike afterwards."""
    draw = random.Random(f"storm {seed}")
    plan = Plan.of(seed, SIZE)
    deliveries = calm.deliveries()
    jobs = plan.jobs(calm, deliveries)
    _deliver(_outbox(folder / f"{seed}-calm.db", Clock(random.Random(0)), jobs), deliveries)
    deliveries = stormy.deliveries()
    jobs = plan.jobs(stormy, deliveries)
    path = folder / f"{seed}.db"
    _outbox(path, Clock(draw), jobs).close()
    faults = _storm(stormy, draw)
    schedule = [draw.choice(("before", "after", "", "", "")) for _ in range(SIZE)]
    _by_hand(jobs, deliveries, draw, outcome)
    for _ in range(ROUNDS):
        mortal: Deliveries = {key: Mortal(one, schedule) for key, one in stormy.deliveries().items()}
        outcome.kills += _round(path, Clock(draw), mortal, is_double=draw.random() < 0.15)
    outcome.faults += sum(rule.hits for rule in faults)
    stormy.sandbox.chaos.rules.clear()
    for _ in range(CALM_ROUNDS):
        _round(path, Clock(draw), stormy.deliveries(), is_double=False)
    return _judge(seed, path, jobs, stormy, calm, outcome)


def _outbox(path: Path, clock: Clock, jobs: Sequence[Job]) -> Outbox:
    """The outbox with the jobs proposed and approved."""
    empty = path.parent / "empty.db"
    if not empty.exists():  # making the tables takes longer than a seed's work
        Outbox(f"sqlite:///{empty}", clock).close()
    shutil.copy(empty, path)
    outbox = Outbox(f"sqlite:///{path}", clock)
    rows = [job.row for job in jobs]
    kinds = {name: pa.int64() if name == "version" else pa.string() for name in rows[0]}
    outbox.propose(pa.Table.from_pylist(rows, schema=pa.schema(list(kinds.items()))))
    outbox.approve([row["action_key"] for row in rows], by="A Person")
    return outbox


def _storm(town: Town, draw: random.Random) -> list[Rule]:
    """A schedule of faults: each strikes some calls of one vendor, most of them writes."""
    rules = []
    for _ in range(draw.randint(4, 12)):
        is_write = draw.random() < 0.75
        what: Mapping[str, Any] = draw.choice([*WITHOUT_EFFECT, LIMITED, *AFTER_EFFECT, *AFTER_EFFECT])
        rules.append(
            Rule(
                path=draw.choice(PATHS),
                method=draw.choice(("POST", "PUT", "PATCH")) if is_write else "GET",
                after=draw.randint(0, 3),
                times=draw.randint(1, 3),
                **what,
            )
        )
    town.sandbox.chaos.rules[:] = rules
    return rules


def _by_hand(jobs: Sequence[Job], deliveries: Deliveries, draw: random.Random, outcome: Tally) -> None:
    """Now and then a person has done the same thing meanwhile, with nothing written down here."""
    rules = list(deliveries)  # the storm must not strike a person's own work
    for job in jobs:
        if draw.random() < 0.1 and (job.kind, job.account) in rules:
            outcome.by_hand += 1
            # What the storm does to it is part of it: nobody knows whether it succeeded.
            deliveries[job.kind, job.account].send([job.action])


def _round(path: Path, clock: Clock, deliveries: Deliveries, *, is_double: bool) -> int:
    """A run of the lane, or two at once; how many of them were killed."""
    killed: list[bool] = []

    def run() -> None:
        outbox = Outbox(f"sqlite:///{path}", clock)
        try:
            _deliver(outbox, deliveries)
        except Killed:
            killed.append(True)
        finally:
            outbox.close()

    threads = [threading.Thread(target=run) for _ in range(2 if is_double else 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(killed)


def _deliver(outbox: Outbox, deliveries: Deliveries) -> None:
    deliver(outbox, deliveries, switches=(), write_back=True, limit=None, progress=None, settle_seconds=0.0)


def _judge(seed: int, path: Path, jobs: Sequence[Job], stormy: Town, calm: Town, outcome: Tally) -> bool:
    outbox = Outbox(f"sqlite:///{path}", Clock(random.Random(0)))
    rows = outbox.actions()
    is_sound = outbox.verify_audit().ok
    too_early = _too_early(jobs, outbox)
    outbox.close()
    outcome.actions += len(rows)
    outcome.kinds.update(f"{job.form} {job.account}" for job in jobs)
    before = (outcome.lost, outcome.duplicated, outcome.wrong, outcome.unresolved, outcome.failed)
    for row in rows:
        if State(row["state"]) in LIVE:
            outcome.unresolved += 1
            outcome.notes.append(f"seed {seed}: {row['action_key']} is {row['state']}: {row['detail']}")
        elif row["state"] != "VERIFIED":
            outcome.failed += 1
            outcome.notes.append(f"seed {seed}: {row['action_key']} is {row['state']}: {row['detail']}")
    if not is_sound:
        outcome.wrong += 1
        outcome.notes.append(f"seed {seed}: the audit trail does not verify")
    outcome.wrong += len(too_early)
    outcome.notes += [f"seed {seed}: {key} went before what it waits for" for key in too_early]
    is_alike = _compare(seed, stormy.store.state(), calm.store.state(), outcome)
    return is_alike and before == (outcome.lost, outcome.duplicated, outcome.wrong, outcome.unresolved, outcome.failed)


def _too_early(jobs: Sequence[Job], outbox: Outbox) -> list[str]:
    """Action keys of those that moved before what they wait for was VERIFIED, as the audit trail tells it."""
    steps = [(str(entry["action_key"]), str(entry["to_state"])) for entry in outbox.audit_log()]
    found = []
    for job in jobs:
        if (kind := job.payload.get("only_after")) is None:
            continue
        first = next(one for one in jobs if one.kind == kind and one.natural_id == job.natural_id).action.action_key
        key = job.action.action_key
        proved = steps.index((first, "VERIFIED")) if (first, "VERIFIED") in steps else len(steps)
        moved = [at for at, (moving, state) in enumerate(steps) if moving == key and state not in BEFORE_SENDING]
        if moved and moved[0] < proved:
            found.append(key)
    return found


def _compare(seed: int, stormy: Mapping[str, Any], calm: Mapping[str, Any], outcome: Tally) -> bool:
    """Documents by how often they are there; everything else by being the same."""
    is_alike = True
    pairs = [(stormy["sage200"]["documents"], calm["sage200"]["documents"])]
    pairs += [(stormy["netsuite"][code], calm["netsuite"][code]) for code in calm["netsuite"]]
    for there, wanted in pairs:
        held, due = (Counter(jsonio.encode_stable(one) for one in some) for some in (there, wanted))
        lost, more = due - held, held - due
        outcome.lost += lost.total()
        outcome.duplicated += sum(count for one, count in more.items() if one in due)
        outcome.wrong += sum(count for one, count in more.items() if one not in due)
        for word, some in (("lost", lost), ("too many", more)):
            outcome.notes += [f"seed {seed}: {word}: {one.decode()[:300]}" for one in some]
        is_alike = is_alike and not lost and not more
    for path, there, wanted in _leaves(stormy["mirakl"], calm["mirakl"]):
        outcome.wrong += 1
        is_alike = False
        outcome.notes.append(f"seed {seed}: {path} is {str(there)[:120]}, should be {str(wanted)[:120]}")
    return is_alike


def _leaves(there: Any, wanted: Any, path: str = "mirakl") -> Iterator[tuple[str, Any, Any]]:
    if isinstance(there, Mapping) and isinstance(wanted, Mapping):
        for name in sorted(there.keys() | wanted.keys()):
            yield from _leaves(there.get(name), wanted.get(name), f"{path}.{name}")
    elif there != wanted:
        yield path, there, wanted
