"""What a person sees before approving: the requests as they would be sent, and what the vendor holds."""

from __future__ import annotations

from pathlib import Path

from orchestration.outbox import Outbox

from .world import AUTO, ON, FileVendor, PolicyRow, journal, stock, table

PERSON = (PolicyRow("JOURNAL", mode="MANUAL"), PolicyRow("STOCK"))


def test_what_waits_is_looked_at_once_and_nothing_is_sent(outbox: Outbox, tmp_path: Path) -> None:
    ledger, shop = FileVendor(tmp_path / "ledger.txt"), FileVendor(tmp_path / "shop.txt", kind="STOCK")
    deliveries = {("JOURNAL", "SAGE_UK"): ledger, ("STOCK", "BRICO"): shop}
    outbox.propose(table(stock("A", 1)))
    (sent,) = outbox.apply_policy(AUTO, ON, True).approved
    outbox.propose(table(journal("j1")))
    shop.down.add("preview")
    (waiting,) = (row["action_key"] for row in outbox.actions(states=["PROPOSED"]))
    assert outbox.previews.prepare(deliveries, AUTO) == 0  # it waits for write-back, not for a person
    assert outbox.previews.prepare(deliveries, PERSON) == 1
    assert outbox.previews.prepare(deliveries, PERSON) == 0
    kept = outbox.previews.of(waiting)
    assert kept is not None
    assert (kept.requests[0].method, kept.requests[0].headers["Authorization"]) == ("POST", "***")
    assert '"lines"' in kept.requests[0].body
    assert (kept.is_held, kept.held) == (False, "as wanted")
    assert [name for name, _ in ledger.calls] == ["preview", "read_back"]
    assert outbox.previews.of(sent) is None  # nobody has to look at it
    assert outbox.verify_audit().ok


def test_a_vendor_that_does_not_answer_is_asked_again_by_the_next_lane(outbox: Outbox, tmp_path: Path) -> None:
    ledger = FileVendor(tmp_path / "ledger.txt", down={"read_back"})
    outbox.propose(table(journal("j1"), journal("j2")))
    assert outbox.previews.prepare({("JOURNAL", "SAGE_UK"): ledger}, PERSON) == 0
    assert [name for name, _ in ledger.calls] == ["preview", "read_back"]  # not each of its actions
    ledger.down.clear()
    assert outbox.previews.prepare({("JOURNAL", "SAGE_UK"): ledger}, PERSON) == 2
