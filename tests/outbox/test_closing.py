"""The close of a month: who may sign and lock, in which order, and the trail it leaves."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from orchestration.outbox import ApprovalRefused, Figure, Outbox, Role, Subject

FIGURES = [
    Figure("BRICO", "LEDGER MARKETPLACE_CLEARING", "GBP", "10.00"),
    Figure("BRICO", "CLOSING MARKETPLACE_CLEARING", "GBP", "10.00"),
]
OTHERS = [Figure("BRICO", "LEDGER MARKETPLACE_CLEARING", "GBP", "10.01"), FIGURES[1]]
FOUND = Subject("BRICO", "PAYOUT", "cycle-2", "UKTRADE", exception_id="abc", exception_code="BNK-003")


def sign(outbox: Outbox, period: str = "2026-04", preparer: str = "Anna Smith", reviewer: str = "Ben Jones") -> None:
    outbox.closing.sign("UKTRADE", period, Role.PREPARER, FIGURES, by=preparer)
    outbox.closing.sign("UKTRADE", period, Role.REVIEWER, FIGURES[::-1], by=reviewer)


def lock(outbox: Outbox, period: str = "2026-04", left_open: tuple[str, ...] = (), despite: str = "") -> str:
    return outbox.closing.lock(
        "UKTRADE", period, FIGURES, left_open, by="Ben Jones", first_period="2026-04", despite=despite
    )


def test_two_people_sign_the_figures_that_are_locked(outbox: Outbox) -> None:
    sign(outbox)
    lock(outbox)
    assert outbox.closing.locked() == {("UKTRADE", "2026-04")}
    events, figures = outbox.closing.snapshot()
    assert events["kind"].to_pylist() == ["SIGNED", "SIGNED", "LOCKED"]
    assert figures["amount"].to_pylist() == ["10.00", "10.00"]
    assert "Anna" not in str(events.to_pylist())  # marts name no person
    assert outbox.verify_audit().ok
    with pytest.raises(ApprovalRefused, match="locked already"):
        lock(outbox)
    with pytest.raises(ApprovalRefused, match="is locked"):
        sign(outbox)


@pytest.mark.parametrize("name", ["Anna Smith", " anna smith ", "anna.smith", "ANNA-SMITH"])
def test_the_preparer_does_not_review(sqlite_outbox: Outbox, name: str) -> None:
    with pytest.raises(ApprovalRefused, match="CLS-002"):
        sign(sqlite_outbox, reviewer=name)


def test_who_decided_about_a_difference_does_not_review_the_month(sqlite_outbox: Outbox) -> None:
    key = sqlite_outbox.decisions.accept(FOUND, by="ben jones", reason="known")
    with pytest.raises(ApprovalRefused, match="DECISION"):
        sign(sqlite_outbox)
    sqlite_outbox.decisions.reopen("abc", by="Cleo", reason="not known after all")
    sign(sqlite_outbox)
    key = sqlite_outbox.decisions.accept(FOUND, by="Ben Jones", reason="known, really")
    conflicts = sqlite_outbox.closing.snapshot()[0]["conflict_key"].to_pylist()
    assert conflicts == [None, None, key]  # found out afterwards, too
    with pytest.raises(ApprovalRefused, match="own work"):
        lock(sqlite_outbox)


def test_decisions_before_the_month_before_was_locked_are_none_of_the_reviewers_work(sqlite_outbox: Outbox) -> None:
    sqlite_outbox.decisions.accept(FOUND, by="Ben Jones", reason="known")
    sign(sqlite_outbox, reviewer="Cleo")
    lock(sqlite_outbox)
    sign(sqlite_outbox, "2026-05")
    lock(sqlite_outbox, "2026-05")
    assert set(sqlite_outbox.closing.snapshot()[0]["conflict_key"].to_pylist()) == {None}


def test_steps_come_in_their_order(sqlite_outbox: Outbox) -> None:
    closing = sqlite_outbox.closing
    with pytest.raises(ApprovalRefused, match="preparer signs first"):
        closing.sign("UKTRADE", "2026-04", Role.REVIEWER, FIGURES, by="Ben Jones")
    with pytest.raises(ApprovalRefused, match="preparer has not signed"):
        lock(sqlite_outbox)
    closing.sign("UKTRADE", "2026-04", Role.PREPARER, FIGURES, by="Anna Smith")
    with pytest.raises(ApprovalRefused, match="reviewer has not signed"):
        lock(sqlite_outbox)
    sign(sqlite_outbox, "2026-05")
    with pytest.raises(ApprovalRefused, match="2026-04 of UKTRADE is not locked yet"):
        lock(sqlite_outbox, "2026-05")
    with pytest.raises(ApprovalRefused, match="no month"):
        closing.sign("UKTRADE", "2026-13", Role.PREPARER, FIGURES, by="Anna Smith")
    with pytest.raises(ApprovalRefused, match="own name"):
        closing.sign("UKTRADE", "2026-04", Role.PREPARER, FIGURES, by="tieout")


def test_figures_that_moved_are_signed_again(sqlite_outbox: Outbox) -> None:
    closing = sqlite_outbox.closing
    sign(sqlite_outbox)
    with pytest.raises(ApprovalRefused, match="figures changed"):
        closing.lock("UKTRADE", "2026-04", OTHERS, (), by="Ben Jones", first_period="2026-04")
    with pytest.raises(ApprovalRefused, match="figures changed"):
        closing.sign("UKTRADE", "2026-04", Role.REVIEWER, OTHERS, by="Ben Jones")
    closing.sign("UKTRADE", "2026-04", Role.PREPARER, OTHERS, by="Anna Smith")
    with pytest.raises(ApprovalRefused, match="reviewer has not signed"):
        closing.lock("UKTRADE", "2026-04", OTHERS, (), by="Ben Jones", first_period="2026-04")


def test_open_checks_keep_a_month_open_unless_somebody_says_why(sqlite_outbox: Outbox) -> None:
    sign(sqlite_outbox)
    with pytest.raises(ApprovalRefused, match="05_BANK"):
        lock(sqlite_outbox, left_open=("05_BANK",))
    lock(sqlite_outbox, left_open=("05_BANK", "02_FEEDS"), despite="the bank's file comes on Monday")
    assert sqlite_outbox.closing.snapshot()[0]["left_open"].to_pylist()[-1] == "02_FEEDS,05_BANK"


def test_a_month_is_reopened_newest_first_by_another_person_with_a_reason(outbox: Outbox) -> None:
    closing = outbox.closing
    for period in ("2026-04", "2026-05"):
        sign(outbox, period)
        lock(outbox, period)
    with pytest.raises(ApprovalRefused, match="newest is reopened first"):
        closing.reopen("UKTRADE", "2026-04", by="Cleo", reason="late invoice")
    with pytest.raises(ApprovalRefused, match="say why"):
        closing.reopen("UKTRADE", "2026-05", by="Cleo", reason=" ")
    with pytest.raises(ApprovalRefused, match="another person"):
        closing.reopen("UKTRADE", "2026-05", by="Anna Smith", reason="late invoice")
    closing.reopen("UKTRADE", "2026-05", by="Cleo", reason="late invoice")
    assert closing.locked() == {("UKTRADE", "2026-04")}
    with pytest.raises(ApprovalRefused, match="preparer has not signed"):
        lock(outbox, "2026-05")
    sign(outbox, "2026-05")
    lock(outbox, "2026-05")
    assert outbox.verify_audit().ok


def test_a_signature_that_was_forged_in_the_database_is_found(sqlite_outbox: Outbox) -> None:
    sign(sqlite_outbox)
    lock(sqlite_outbox)
    with sqlite_outbox.engine.begin() as connection:
        connection.execute(text("update outbox_close_events set taken_by = 'Cleo' where role = 'REVIEWER'"))
    problems = sqlite_outbox.verify_audit().problems
    assert [problem.problem for problem in problems] == ["was changed outside the outbox: taken_by"]
