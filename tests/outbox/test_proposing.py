"""Proposals: idempotent, superseding what is not yet sent, never overriding a person's no."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from connectors.delivery import DeliveryResult, Outcome
from orchestration.outbox import SNAPSHOT_SCHEMA, MalformedProposals, Outbox, State

from .world import AUTO, ON, FileVendor, PinnedClock, PolicyRow, journal, states, stock, table


def test_proposing_twice_changes_nothing(outbox: Outbox) -> None:
    rows = table(journal(), stock("A", 5))
    first = outbox.propose(rows)
    before = (outbox.snapshot(), outbox.verify_audit().head)
    second = outbox.propose(rows)
    assert len(first.proposed) == 2
    assert (second.proposed, second.superseded, second.unchanged) == ((), (), 2)
    assert (outbox.snapshot(), outbox.verify_audit().head) == before


def test_the_snapshot_has_the_promised_columns_in_order_of_key_and_exact_amounts(outbox: Outbox) -> None:
    outbox.propose(table(stock("B", 1), journal(amount="1234567890.10"), stock("A", 5)))
    snapshot = outbox.snapshot()
    assert snapshot.schema.equals(SNAPSHOT_SCHEMA)
    rows = snapshot.to_pylist()
    assert [row["action_key"] for row in rows] == sorted(row["action_key"] for row in rows)
    assert rows[0]["amount"] == "1234567890.10"
    assert rows[0]["state"] == "PROPOSED"
    assert str(rows[0]["proposed_at"]).startswith("2026-07-03 08:00:")
    assert rows[0]["decided_at"] is None


def test_an_empty_outbox_gives_an_empty_snapshot_of_the_same_columns(outbox: Outbox) -> None:
    assert outbox.snapshot().schema.equals(SNAPSHOT_SCHEMA)
    assert outbox.snapshot().num_rows == 0
    assert outbox.propose(pa.Table.from_pylist([], schema=table().schema)).proposed == ()


@pytest.mark.parametrize("is_approved", [False, True])
def test_another_payload_supersedes_what_is_not_sent_yet(outbox: Outbox, is_approved: bool) -> None:
    outbox.propose(table(stock("A", 5)))
    if is_approved:
        outbox.apply_policy(AUTO, ON, True)
    result = outbox.propose(table(stock("A", 4)))
    assert result.superseded == ("STOCK|BRICO|A|1",)
    assert result.proposed == ("STOCK|BRICO|A|2",), "the key is taken, so the new one gets the next version"
    assert states(outbox) == {"STOCK|BRICO|A|1": "SUPERSEDED", "STOCK|BRICO|A|2": "PROPOSED"}
    assert outbox.find("STOCK|BRICO|A|1")["superseded_by"] == "STOCK|BRICO|A|2"
    assert outbox.propose(table(stock("A", 4, version=2))).unchanged == 1
    assert outbox.verify_audit().ok


def test_a_new_version_supersedes_the_old_one_under_its_own_key(outbox: Outbox) -> None:
    outbox.propose(table(stock("A", 5)))
    result = outbox.propose(table(stock("A", 4, version=7)))
    assert (result.proposed, result.superseded) == (("STOCK|BRICO|A|7",), ("STOCK|BRICO|A|1",))


def test_the_order_of_a_payloads_fields_is_not_another_payload_but_a_digit_is(outbox: Outbox) -> None:
    outbox.propose(table(stock("A", 5, payload='{"quantity": 5, "price": 1.10}')))
    assert outbox.propose(table(stock("A", 5, payload='{"price":1.10,"quantity":5}'))).unchanged == 1
    assert outbox.propose(table(stock("A", 5, payload='{"price":1.1,"quantity":5}'))).superseded == ("STOCK|BRICO|A|1",)


@pytest.mark.parametrize("state", [State.SENDING, State.UNKNOWN, State.SENT])
def test_what_may_have_reached_the_vendor_is_not_superseded(outbox: Outbox, state: State) -> None:
    key = stock("A", 5)["action_key"]
    outbox.propose(table(stock("A", 5)))
    outbox.apply_policy(AUTO, ON, True)
    outbox.move([key], State.APPROVED, State.SENDING, actor="tieout", why="delivery begins")
    if state is not State.SENDING:
        outbox.move([key], State.SENDING, state, actor="tieout", why="on the way")
    result = outbox.propose(table(stock("A", 4)))
    assert (result.proposed, result.superseded, result.unchanged) == ((), (), 1)
    assert states(outbox) == {key: state.value}


def test_what_a_person_rejected_is_not_proposed_again_but_something_else_is(outbox: Outbox) -> None:
    outbox.propose(table(stock("A", 5)))
    outbox.reject(["STOCK|BRICO|A|1"], by="anna", reason="stock take is under way")
    again = outbox.propose(table(stock("A", 5, version=2)))
    assert again.proposed == ()
    assert again.held == (("STOCK|BRICO|A|1", "rejected by anna"),)
    assert outbox.propose(table(stock("A", 6, version=2))).proposed == ("STOCK|BRICO|A|2",)


def test_what_the_vendor_refused_is_held_until_a_person_re_opens_it(outbox: Outbox, tmp_path) -> None:
    vendor = FileVendor(tmp_path / "v", kind="STOCK")
    vendor.outcomes = {"STOCK|BRICO|A|1": DeliveryResult(Outcome.FAILED, detail="no such offer")}
    outbox.propose(table(stock("A", 5)))
    outbox.apply_policy(AUTO, ON, True)
    outbox.deliver({("STOCK", "BRICO"): vendor})
    assert states(outbox) == {"STOCK|BRICO|A|1": "FAILED"}
    assert outbox.propose(table(stock("A", 5, version=2))).held == (
        ("STOCK|BRICO|A|1", "the vendor refused it: no such offer"),
    )
    outbox.approve(["STOCK|BRICO|A|1"], by="anna", reason="the offer is there now")
    vendor.outcomes = {}
    assert outbox.deliver({("STOCK", "BRICO"): vendor}).verified == 1


def test_a_proposal_and_an_approval_lapse_and_are_asked_for_afresh(outbox: Outbox, clock: PinnedClock) -> None:
    """Also where the models, as for journals, number no versions; what may have left does not lapse."""
    key = journal()["action_key"]
    policies = (PolicyRow("JOURNAL", mode="PERSON", expires_after_hours=24),)
    outbox.propose(table(journal(), stock("A", 5)), policies=policies)
    clock.moment += timedelta(hours=23)
    assert outbox.propose(table(journal(), stock("A", 5)), policies=policies).superseded == ()
    outbox.approve([key], by="anna")
    clock.moment += timedelta(hours=23)
    assert outbox.propose(table(journal(), stock("A", 5)), policies=policies).unchanged == 2, "it was approved since"
    clock.moment += timedelta(hours=2)
    assert outbox.propose(table(journal(), stock("A", 5)), policies=policies).superseded == (key,)
    assert outbox.history(key)[-1]["why"] == "its approval was not used within 24 hours"
    (again,) = outbox.propose(table(journal(), stock("A", 5)), policies=policies).proposed
    assert again == key.removesuffix("1") + "2"
    clock.moment += timedelta(hours=25)
    outbox.approve([again], by="anna")
    outbox.move([again], State.APPROVED, State.SENDING, actor="tieout", why="delivery begins")
    clock.moment += timedelta(hours=25)
    assert outbox.propose(table(journal(), stock("A", 5)), policies=policies).superseded == ()
    assert outbox.verify_audit().ok


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"action_key": "STOCK|BRICO|OTHER|1"}, "the key should be STOCK|BRICO|A|1"),
        ({"payload": "{not json"}, "the payload is not JSON"),
        ({"payload": "[1]"}, "the payload is not a JSON object"),
        ({"account": None}, "account is empty"),
        ({"payload": ""}, "payload is empty"),
    ],
)
def test_a_malformed_row_is_refused_alone(outbox: Outbox, change: dict[str, object], problem: str) -> None:
    result = outbox.propose(table(stock("A", 5, **change), stock("B", 2)))
    assert result.proposed == ("STOCK|BRICO|B|1",)
    assert len(result.malformed) == 1
    assert problem in result.malformed[0][1]


def test_the_same_thing_twice_in_one_table_is_refused_once(outbox: Outbox) -> None:
    result = outbox.propose(table(stock("A", 5), stock("A", 6, version=2)))
    assert result.proposed == ("STOCK|BRICO|A|1",)
    assert result.malformed == (("STOCK|BRICO|A|2", "is proposed twice in one table"),)


def test_a_missing_column_is_named(outbox: Outbox) -> None:
    with pytest.raises(MalformedProposals, match="wire_key"):
        outbox.propose(table(journal()).drop_columns(["wire_key"]))


def test_a_payload_is_kept_as_it_was_proposed(outbox: Outbox) -> None:
    row = journal(payload={"b": "1.10", "a": [1, 2]})
    outbox.propose(table(row))
    assert outbox.find(row["wire_key"])["payload"] == row["payload"] == json.dumps({"b": "1.10", "a": [1, 2]})
    assert Decimal(outbox.find(row["wire_key"])["amount"]) == Decimal("100.00")


@pytest.mark.parametrize("is_approved", [False, True])
def test_a_quantity_that_is_no_longer_wanted_is_withdrawn_but_a_journal_is_not(
    outbox: Outbox, is_approved: bool
) -> None:
    outbox.propose(table(stock("A", 5), stock("B", 7), journal()))
    if is_approved:
        outbox.apply_policy(AUTO, ON, True)
    result = outbox.propose(table(stock("B", 7)))
    assert (result.superseded, result.unchanged) == (("STOCK|BRICO|A|1",), 1)
    waiting = "APPROVED" if is_approved else "PROPOSED"
    found = states(outbox)
    assert found == {"STOCK|BRICO|A|1": "SUPERSEDED", "STOCK|BRICO|B|1": waiting, journal()["action_key"]: waiting}
    assert "no longer wanted" in outbox.history("STOCK|BRICO|A|1")[-1]["why"]
    empty = pa.Table.from_pylist([], schema=table(journal()).schema)
    assert outbox.propose(empty).superseded == ("STOCK|BRICO|B|1",)
    assert outbox.verify_audit().ok


def test_a_quantity_that_may_have_been_sent_is_not_withdrawn(outbox: Outbox) -> None:
    key = stock("A", 5)["action_key"]
    outbox.propose(table(stock("A", 5)))
    outbox.apply_policy(AUTO, ON, True)
    outbox.move([key], State.APPROVED, State.SENDING, actor="tieout", why="delivery begins")
    assert outbox.propose(table(journal())).superseded == ()
    assert states(outbox)[key] == "SENDING"
