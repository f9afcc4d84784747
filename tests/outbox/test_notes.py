"""Comments and assignments: written once, in the trail, deciding nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from orchestration.outbox import About, ApprovalRefused, Outbox

TWO = [("abc", "BRICO"), ("def", "BRICO")]


def test_notes_are_kept_in_order_and_the_newest_assignment_holds(outbox: Outbox) -> None:
    outbox.notes.comment(TWO, "asked the bank", by="anna")
    outbox.notes.assign(TWO, "ben", by="anna")
    outbox.notes.assign(TWO[:1], "", by="ben")
    assert [row["text"] for row in outbox.notes.about(About.EXCEPTION, "abc")] == [
        "asked the bank",
        "assigned to ben",
        "given back to the team",
    ]
    assert outbox.notes.assignees() == {"def": "ben"}
    assert outbox.decisions.all() == []


def test_a_note_needs_words_a_person_and_a_subject(outbox: Outbox) -> None:
    for subjects, words, by in (
        (TWO, " ", "anna"),
        (TWO, "x", "tieout"),
        ([], "x", "anna"),
        (TWO, "x" * 5_000, "anna"),
    ):
        with pytest.raises(ApprovalRefused):
            outbox.notes.comment(subjects, words, by=by)
    assert outbox.audit_log() == []


def test_a_note_that_was_changed_is_found_by_the_trail(outbox: Outbox) -> None:
    outbox.notes.comment(TWO, "asked the bank", by="anna")
    assert outbox.verify_audit().ok
    with outbox.engine.begin() as connection:
        connection.execute(text("UPDATE outbox_notes SET text = 'asked nobody' WHERE sequence = 2"))
    (problem,) = outbox.verify_audit().problems
    assert "changed outside the outbox: text" in problem.problem
