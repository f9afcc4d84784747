"""Approval: by policy inside its limits, else by a person who is not the proposer."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orchestration.outbox import ApprovalRefused, Outbox, State, UnknownAction

from .world import AUTO, ON, PolicyRow, SwitchRow, journal, states, stock, table

LIMIT = Decimal("500.00")


@pytest.mark.parametrize(
    ("policies", "amount", "why"),
    [
        ([PolicyRow("JOURNAL", maximum_amount=LIMIT)], "500.00", None),
        ([PolicyRow("JOURNAL", maximum_amount=LIMIT)], "-500.00", None),
        ([PolicyRow("JOURNAL", maximum_amount=LIMIT)], "500.01", "500.01 GBP is above the limit of 500.00"),
        ([PolicyRow("JOURNAL", maximum_amount=LIMIT)], "-500.01", "500.01 GBP is above the limit of 500.00"),
        ([PolicyRow("JOURNAL", maximum_amount=LIMIT, currency_code="EUR")], "1.00", "no limit in GBP for kind JOURNAL"),
        ([PolicyRow("JOURNAL", currency_code=None)], "999999.00", None),
        ([PolicyRow("JOURNAL", mode="PERSON")], "1.00", "the policy asks for a person"),
        ([PolicyRow("STOCK")], "1.00", "has no row for kind JOURNAL"),
        ([], "1.00", "has no row for kind JOURNAL"),
        ([PolicyRow("JOURNAL"), PolicyRow("JOURNAL", "BRICO", mode="PERSON")], "1.00", "the policy asks for a person"),
        ([PolicyRow("JOURNAL", mode="PERSON"), PolicyRow("JOURNAL", "BRICO")], "1.00", None),
        ([PolicyRow("JOURNAL", "OTHER"), PolicyRow("JOURNAL", mode="PERSON")], "1.00", "the policy asks for a person"),
        (
            [PolicyRow("JOURNAL", currency_code=None), PolicyRow("JOURNAL", maximum_amount=LIMIT)],
            "501.00",
            "501.00 GBP is above the limit of 500.00",
        ),
    ],
)
def test_the_policy_approves_by_kind_marketplace_and_amount(
    sqlite_outbox: Outbox, policies: list[PolicyRow], amount: str, why: str | None
) -> None:
    row = journal(amount=amount)
    sqlite_outbox.propose(table(row))
    result = sqlite_outbox.apply_policy(policies, ON, True)
    if why is None:
        assert result.approved == (row["action_key"],)
        assert sqlite_outbox.find(row["action_key"])["decided_by"] == "policy"
    else:
        assert result.approved == ()
        assert why in result.waiting[0][1]
        assert states(sqlite_outbox) == {row["action_key"]: "PROPOSED"}


def test_a_lane_decides_about_its_own_kinds_only(sqlite_outbox: Outbox) -> None:
    sale = journal()
    sqlite_outbox.propose(table(sale, stock("A", 5)))
    result = sqlite_outbox.apply_policy(AUTO, ON, True, kinds={"STOCK"})
    assert result.approved == ("STOCK|BRICO|A|1",)
    assert result.waiting == (), "another lane's proposals do not wait for this one"
    assert states(sqlite_outbox)[sale["action_key"]] == "PROPOSED"


@pytest.mark.parametrize(
    "switch",
    [
        SwitchRow("mirakl", is_on=False),
        SwitchRow(kind="STOCK", is_on=False),
        SwitchRow(marketplace_code="BRICO", is_on=False),
    ],
)
def test_nothing_is_approved_while_its_switch_is_off(outbox: Outbox, switch: SwitchRow) -> None:
    outbox.propose(table(stock("A", 5)))
    assert outbox.apply_policy(AUTO, (*ON, switch), True).approved == ()
    assert outbox.apply_policy(AUTO, ON, False).waiting == (
        ("STOCK|BRICO|A|1", "write-back is off (TIEOUT_WRITE_BACK)"),
    )
    assert outbox.apply_policy(AUTO, ON, True).approved == ("STOCK|BRICO|A|1",)


def test_a_person_approves_and_the_trail_says_who_when_and_why(outbox: Outbox) -> None:
    row = journal()
    outbox.propose(table(row))
    assert outbox.approve([row["wire_key"].lower()], by=" anna ", reason="checked against the statement") == [
        row["action_key"]
    ]
    entry = outbox.history(row["action_key"])[-1]
    assert (entry["actor"], entry["why"], entry["from_state"], entry["to_state"]) == (
        "anna",
        "checked against the statement",
        "PROPOSED",
        "APPROVED",
    )
    assert entry["at"].startswith("2026-07-03T08:00:")
    assert entry["source_hash"] == row["source_hash"]


def test_nobody_approves_their_own_proposal(outbox: Outbox) -> None:
    row = journal()
    outbox.propose(table(row), proposed_by="Anna")
    with pytest.raises(ApprovalRefused, match="another person"):
        outbox.approve([row["action_key"]], by="anna")
    assert outbox.approve([row["action_key"]], by="bert") == [row["action_key"]]


@pytest.mark.parametrize("name", ["", "  ", "tieout", "Policy"])
def test_the_service_and_the_nameless_are_no_persons(outbox: Outbox, name: str) -> None:
    outbox.propose(table(journal()))
    with pytest.raises(ApprovalRefused, match="under their own name"):
        outbox.approve([journal()["action_key"]], by=name)


def test_approving_several_is_all_or_none(outbox: Outbox) -> None:
    outbox.propose(table(stock("A", 5)))
    with pytest.raises(UnknownAction):
        outbox.approve(["STOCK|BRICO|A|1", "STOCK|BRICO|Z|1"], by="anna")
    assert states(outbox) == {"STOCK|BRICO|A|1": "PROPOSED"}


def test_a_wire_key_means_the_newest_action_that_bears_it_also_beside_others(outbox: Outbox) -> None:
    """Versions by number, not by text: the tenth is newer than the ninth."""
    outbox.propose(table(journal(version=9)))
    row = journal(version=10, amount="101.00")
    outbox.propose(table(row, stock("A", 5)))
    keys = [row["wire_key"].lower(), "STOCK|BRICO|A|1"]
    assert outbox.approve(keys, by="anna") == [row["action_key"], "STOCK|BRICO|A|1"]


def test_a_rejection_needs_a_reason_and_can_be_taken_back(outbox: Outbox) -> None:
    outbox.propose(table(stock("A", 5)))
    with pytest.raises(ApprovalRefused, match="say why"):
        outbox.reject(["STOCK|BRICO|A|1"], by="anna", reason=" ")
    outbox.reject(["STOCK|BRICO|A|1"], by="anna", reason="stock take")
    outbox.approve(["STOCK|BRICO|A|1"], by="bert", reason="done")
    assert states(outbox) == {"STOCK|BRICO|A|1": "APPROVED"}


def test_an_old_action_is_not_re_opened_beside_a_newer_one(outbox: Outbox) -> None:
    outbox.propose(table(stock("A", 5)))
    outbox.reject(["STOCK|BRICO|A|1"], by="anna", reason="stock take")
    outbox.propose(table(stock("A", 6, version=2)))
    with pytest.raises(ApprovalRefused, match="newer or on its way"):
        outbox.approve(["STOCK|BRICO|A|1"], by="bert")
    assert outbox.find("STOCK|BRICO|A|2")["state"] == State.PROPOSED
