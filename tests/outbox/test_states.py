"""The transition table, and that the store obeys it."""

from __future__ import annotations

import pytest

from orchestration.outbox import ConcurrentChange, IllegalTransition, Outbox, State, UnknownAction
from orchestration.outbox.states import ENDED, LIVE, REPLACEABLE, TRANSITIONS, require_transition

from .world import AUTO, ON, journal, states, table

# The whole table, written out a second time: a slip in either copy fails.
ALLOWED = {
    ("PROPOSED", "APPROVED"),
    ("PROPOSED", "REJECTED"),
    ("PROPOSED", "SUPERSEDED"),
    ("APPROVED", "SENDING"),
    ("APPROVED", "SENT"),
    ("APPROVED", "REJECTED"),
    ("APPROVED", "SUPERSEDED"),
    ("SENDING", "SENT"),
    ("SENDING", "FAILED"),
    ("SENDING", "UNKNOWN"),
    ("SENDING", "APPROVED"),
    ("UNKNOWN", "SENT"),
    ("UNKNOWN", "APPROVED"),
    ("SENT", "VERIFIED"),
    ("SENT", "FAILED"),
    ("FAILED", "APPROVED"),
    ("REJECTED", "APPROVED"),
}
ROADS = {
    State.PROPOSED: [],
    State.APPROVED: [State.APPROVED],
    State.SENDING: [State.APPROVED, State.SENDING],
    State.SENT: [State.APPROVED, State.SENDING, State.SENT],
    State.VERIFIED: [State.APPROVED, State.SENDING, State.SENT, State.VERIFIED],
    State.FAILED: [State.APPROVED, State.SENDING, State.FAILED],
    State.UNKNOWN: [State.APPROVED, State.SENDING, State.UNKNOWN],
    State.REJECTED: [State.REJECTED],
    State.SUPERSEDED: [State.SUPERSEDED],
}


@pytest.mark.parametrize("before", list(State))
@pytest.mark.parametrize("after", list(State))
def test_every_pair_of_states_is_allowed_or_refused_as_listed(before: State, after: State) -> None:
    if (before.value, after.value) in ALLOWED:
        require_transition("k", before, after)
    else:
        with pytest.raises(IllegalTransition, match=f"is {before} and cannot become {after}"):
            require_transition("k", before, after)


def test_every_state_has_a_row_and_can_be_reached() -> None:
    assert set(TRANSITIONS) == set(State)
    assert {after for afters in TRANSITIONS.values() for after in afters} == set(State) - {State.PROPOSED}
    assert frozenset(State) == LIVE | ENDED
    assert not LIVE & ENDED
    assert REPLACEABLE < LIVE


@pytest.mark.parametrize("before", list(State))
def test_the_store_refuses_what_the_table_refuses_and_writes_nothing(sqlite_outbox: Outbox, before: State) -> None:
    row = journal()
    key = row["action_key"]
    sqlite_outbox.propose(table(row))
    here = State.PROPOSED
    for step in ROADS[before]:
        sqlite_outbox.move([key], here, step, actor="test", why="on the way")
        here = step
    length = len(sqlite_outbox.history(key))
    for after in State:
        if (before.value, after.value) in ALLOWED:
            continue
        with pytest.raises(IllegalTransition):
            sqlite_outbox.move([key], before, after, actor="test", why="forbidden")
    assert states(sqlite_outbox) == {key: before.value}
    assert len(sqlite_outbox.history(key)) == length
    assert sqlite_outbox.verify_audit().ok


def test_a_move_from_a_state_somebody_else_already_left_is_refused(outbox: Outbox) -> None:
    first, second = journal("j1"), journal("j2")
    outbox.propose(table(first, second))
    outbox.approve([first["action_key"]], by="anna")
    with pytest.raises(ConcurrentChange):
        outbox.move(
            [first["action_key"], second["action_key"]], State.PROPOSED, State.REJECTED, actor="test", why="both"
        )
    assert states(outbox) == {first["action_key"]: "APPROVED", second["action_key"]: "PROPOSED"}


def test_rejecting_what_was_sent_is_refused(outbox: Outbox) -> None:
    row = journal()
    outbox.propose(table(row))
    outbox.apply_policy(AUTO, ON, True)
    outbox.move([row["action_key"]], State.APPROVED, State.SENDING, actor="tieout", why="delivery begins")
    with pytest.raises(IllegalTransition, match="is SENDING and cannot become REJECTED"):
        outbox.reject([row["action_key"]], by="anna", reason="too late")


def test_an_unknown_key_is_named(outbox: Outbox) -> None:
    with pytest.raises(UnknownAction, match="JOURNAL\\|nope"):
        outbox.approve(["JOURNAL|nope"], by="anna")
