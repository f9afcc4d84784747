"""The life of an action, as a table: which state may follow which."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from orchestration.outbox.errors import IllegalTransition


class State(StrEnum):
    """Where an action is. The stored text is the name."""

    PROPOSED = "PROPOSED"
    """Wanted by an act model; waits for the policy or for a person."""
    APPROVED = "APPROVED"
    """May be sent. Nothing has reached the vendor."""
    SENDING = "SENDING"
    """Committed immediately before the vendor call: after a crash the outcome is unknown."""
    SENT = "SENT"
    """The vendor took it; not read back yet."""
    VERIFIED = "VERIFIED"
    """Read back at the vendor as wanted."""
    REJECTED = "REJECTED"
    """A person said no."""
    FAILED = "FAILED"
    """The vendor refused it; it will not succeed as it is."""
    UNKNOWN = "UNKNOWN"
    """Sent, but no answer came. Only a look-up at the vendor leads out of here."""
    SUPERSEDED = "SUPERSEDED"
    """A newer proposal for the same thing took its place before it was sent."""


TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.PROPOSED: frozenset({State.APPROVED, State.REJECTED, State.SUPERSEDED}),
    # SENT without SENDING: the look-up before the first call found it at the vendor already.
    State.APPROVED: frozenset({State.SENDING, State.SENT, State.REJECTED, State.SUPERSEDED}),
    # APPROVED: the vendor certainly did not take it (refused for now, or a look-up after a crash found nothing).
    State.SENDING: frozenset({State.SENT, State.FAILED, State.UNKNOWN, State.APPROVED}),
    State.UNKNOWN: frozenset({State.SENT, State.APPROVED}),
    State.SENT: frozenset({State.VERIFIED, State.FAILED}),
    # A person may re-open what failed or was rejected.
    State.FAILED: frozenset({State.APPROVED}),
    State.REJECTED: frozenset({State.APPROVED}),
    State.VERIFIED: frozenset(),
    State.SUPERSEDED: frozenset(),
}

ENDED: frozenset[State] = frozenset({State.VERIFIED, State.REJECTED, State.FAILED, State.SUPERSEDED})
"""States in which nothing more happens by itself. The act models count these to number the next version."""

LIVE: frozenset[State] = frozenset(State) - ENDED

REPLACEABLE: frozenset[State] = frozenset({State.PROPOSED, State.APPROVED})
"""States that are certainly before the vendor call, so a newer proposal may take the action's place."""


def require_transition(action_key: str, before: State, after: State) -> None:
    """Raise IllegalTransition unless the table allows `before` → `after`."""
    if after not in TRANSITIONS[before]:
        raise IllegalTransition(action_key, before.value, after.value)
