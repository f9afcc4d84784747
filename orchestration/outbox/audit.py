"""The hash chain of the audit trail: how an entry is hashed, and how the whole trail is checked off-line.

Every entry holds the hash of the one before it, so an entry that is edited, removed or slipped in breaks the chain from
there on. Removing entries from the end leaves a shorter, unbroken chain; that is found by replaying the trail against
the actions table, and, if both were cut, by a head hash noted outside (`tieout audit verify --expect HASH`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

GENESIS = "0" * 64
"""Previous hash of the first entry."""

HASHED_FIELDS = (
    "sequence",
    "action_key",
    "from_state",
    "to_state",
    "actor",
    "channel",
    "at",
    "why",
    "before",
    "after",
    "source_hash",
    "previous_hash",
)


def canonical_json(value: object) -> str:
    """One spelling per value: sorted keys, no spaces, no escapes. Decimals and other types become text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def entry_hash(entry: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of the entry's fields, the previous hash included."""
    return hashlib.sha256(canonical_json([entry[name] for name in HASHED_FIELDS]).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class AuditProblem:
    """One place where the trail does not hold. `sequence` is None for a finding about an action, not an entry."""

    sequence: int | None
    action_key: str
    problem: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Outcome of a verification. `head` is the newest entry's hash: note it elsewhere to be able to prove later that
    nothing was cut off.
    """

    entries: int
    actions: int
    head: str
    problems: tuple[AuditProblem, ...] = field(default=())

    @property
    def ok(self) -> bool:
        return not self.problems


def verify(
    entries: Iterable[Mapping[str, Any]],
    actions: Sequence[Mapping[str, Any]],
    *,
    expected_head: str | None = None,
) -> AuditReport:
    """Check chain, order and content. `entries` in order of sequence; `actions` are the rows as they are now.

    The trail is replayed: the last value it recorded for every column of every action must be the value in the actions
    table.
    """
    problems: list[AuditProblem] = []
    replayed: dict[str, dict[str, Any]] = {}
    previous, count, seen_expected = GENESIS, 0, expected_head in (None, GENESIS)
    for entry in entries:
        count += 1
        sequence, key = int(entry["sequence"]), str(entry["action_key"])
        if sequence != count:
            problems.append(
                AuditProblem(sequence, key, f"entry {count} expected here: entries are missing or were added")
            )
            count = sequence
        if entry["previous_hash"] != previous:
            problems.append(AuditProblem(sequence, key, "does not follow the entry before it"))
        if entry_hash(entry) != entry["hash"]:
            problems.append(AuditProblem(sequence, key, "was changed after it was written"))
        previous = str(entry["hash"])
        seen_expected = seen_expected or previous == expected_head
        state = replayed.setdefault(key, {})
        if state.get("state") != entry["from_state"]:
            problems.append(
                AuditProblem(
                    sequence, key, f"starts from {entry['from_state']}, but the trail had {state.get('state')}"
                )
            )
        try:
            state.update(json.loads(entry["after"]))
        except ValueError:
            problems.append(AuditProblem(sequence, key, "holds no readable content"))
        state["state"] = entry["to_state"]
    if not seen_expected:
        problems.append(
            AuditProblem(
                None, "", f"the noted head {expected_head} is not in the trail: its end was cut off or rewritten"
            )
        )
    present = {str(action["action_key"]): action for action in actions}
    problems += [
        AuditProblem(None, key, "is in the trail but not in the actions table")
        for key in replayed
        if key not in present
    ]
    for key, action in present.items():
        recorded = replayed.get(key)
        if recorded is None:
            problems.append(AuditProblem(None, key, "is in the actions table but not in the trail"))
            continue
        changed = sorted(name for name, value in action.items() if name in recorded and recorded[name] != value)
        if changed:
            problems.append(AuditProblem(None, key, f"was changed outside the outbox: {', '.join(changed)}"))
    return AuditReport(entries=count, actions=len(present), head=previous, problems=tuple(problems))
