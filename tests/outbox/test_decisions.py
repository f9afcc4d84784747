"""What people decide: who may, what holds, and the trail it leaves."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import text

from orchestration.outbox import ApprovalRefused, Outbox, Residual, Standing, Subject, UnknownAction, WriteOffLimits

PAIR = Subject("BRICO", "PAYOUT", "cycle-1", "UKTRADE", receipt_id="BARC-1", amount=Decimal("10.00"))
FOUND = Subject(
    "BRICO",
    "PAYOUT",
    "cycle-2",
    "UKTRADE",
    exception_id="abc",
    exception_code="BNK-003",
    amount=Decimal("0.60"),
    currency_code="GBP",
)
LIMITS = WriteOffLimits(Decimal("1.00"), Decimal("1.50"))


def states(outbox: Outbox) -> list[tuple[str, str]]:
    return [(row["kind"], row["state"]) for row in outbox.decisions.all()]


def test_a_match_can_be_taken_back_and_taken_again(outbox: Outbox) -> None:
    outbox.decisions.match(PAIR, by="anna", reason="remittance advice", residual=Residual.FEE)
    with pytest.raises(ApprovalRefused, match="already"):
        outbox.decisions.match(PAIR, by="ben", reason="again")
    outbox.decisions.unmatch(PAIR, by="ben", reason="advice was for another one")
    assert states(outbox) == [("MATCH", "WITHDRAWN")]
    outbox.decisions.unmatch(PAIR, by="ben", reason="and the rules are wrong, too")
    outbox.decisions.match(PAIR, by="anna", reason="it was right")
    assert states(outbox) == [("MATCH", "WITHDRAWN"), ("UNMATCH", "WITHDRAWN"), ("MATCH", "EFFECTIVE")]
    assert outbox.verify_audit().ok


def test_one_person_writes_off_within_the_limits_and_two_beyond(outbox: Outbox) -> None:
    first, standing = outbox.decisions.write_off(FOUND, LIMITS, by="anna", reason="not worth a letter")
    assert standing is Standing.EFFECTIVE
    again = replace(FOUND, exception_id="def", subject_id="cycle-3")
    _, standing = outbox.decisions.write_off(again, LIMITS, by="anna", reason="nor this")
    assert standing is Standing.EFFECTIVE  # 1.20 of 1.50 this month
    third = replace(FOUND, exception_id="ghi", subject_id="cycle-4")
    key, standing = outbox.decisions.write_off(third, LIMITS, by="anna", reason="nor this")
    assert standing is Standing.PROPOSED
    with pytest.raises(ApprovalRefused, match="another person"):
        outbox.decisions.approve(key, by="Anna")
    outbox.decisions.approve(key, by="ben")
    large = replace(FOUND, exception_id="jkl", amount=Decimal("1.01"))
    assert outbox.decisions.write_off(large, LIMITS, by="anna", reason="old")[1] is Standing.PROPOSED
    assert first != key
    with pytest.raises(UnknownAction):
        outbox.decisions.approve("DECISION|nothing", by="ben")


def test_nobody_decides_without_a_name_and_a_reason_or_twice(outbox: Outbox) -> None:
    for by, reason in (("", "why"), ("tieout", "why"), ("anna", " ")):
        with pytest.raises(ApprovalRefused):
            outbox.decisions.accept(FOUND, by=by, reason=reason)
    with pytest.raises(ApprovalRefused, match="no amount"):
        outbox.decisions.write_off(replace(FOUND, amount=None), LIMITS, by="anna", reason="why")
    outbox.decisions.accept(FOUND, by="anna", reason="agreed with the operator")
    with pytest.raises(ApprovalRefused, match="reopen"):
        outbox.decisions.write_off(FOUND, LIMITS, by="anna", reason="why")
    outbox.decisions.reopen("abc", by="ben", reason="they changed their mind")
    assert states(outbox) == [("ACCEPT", "WITHDRAWN")]
    with pytest.raises(ApprovalRefused, match="nothing was decided"):
        outbox.decisions.reopen("abc", by="ben", reason="twice")


def test_the_models_see_decisions_in_order_and_no_names(outbox: Outbox) -> None:
    outbox.decisions.match(PAIR, by="anna", reason="remittance advice")
    outbox.decisions.accept(FOUND, by="ben", reason="agreed")
    table = outbox.decisions.snapshot()
    assert table.column("kind").to_pylist() == ["MATCH", "ACCEPT"]
    assert not {"proposed_by", "decided_by"} & set(table.column_names)
    assert table.equals(outbox.decisions.snapshot())


def test_a_decision_changed_behind_the_outbox_is_noticed(outbox: Outbox) -> None:
    outbox.decisions.write_off(FOUND, LIMITS, by="anna", reason="not worth a letter")
    with outbox.engine.begin() as connection:
        connection.execute(text("UPDATE outbox_decisions SET amount = '60.00'"))
    (problem,) = outbox.verify_audit().problems
    assert "amount" in problem.problem
