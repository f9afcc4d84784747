"""Delivery: look up, send, read back; switches; unknown outcomes; a vendor that fails."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.delivery import Action, DeliveryResult, Found, Outcome
from orchestration.outbox import Outbox, State, delivering
from orchestration.outbox.database import exclusive

from .world import AUTO, ON, FileVendor, SwitchRow, journal, states, stock, table

JOURNALS = ("JOURNAL", "SAGE_UK")
STOCKS = ("STOCK", "BRICO")


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = {name: replace(kind, settle_seconds=0.0) for name, kind in delivering.KINDS.items()}
    monkeypatch.setattr(delivering, "KINDS", kinds)


@pytest.fixture
def vendor(tmp_path: Path) -> FileVendor:
    return FileVendor(tmp_path / "vendor.txt")


def approved(outbox: Outbox, *rows: dict[str, object]) -> list[str]:
    outbox.propose(table(*rows))
    return list(outbox.apply_policy(AUTO, ON, True).approved)


def test_journals_go_one_by_one_and_stock_in_one_call(outbox: Outbox, vendor: FileVendor, tmp_path: Path) -> None:
    shop = FileVendor(tmp_path / "shop.txt", kind="STOCK")
    keys = approved(outbox, journal("j1"), journal("j2"), stock("A", 1), stock("B", 2), stock("C", 0))
    result = outbox.deliver({JOURNALS: vendor, STOCKS: shop})
    assert (result.sent, result.verified, result.failed, result.unknown) == (5, 5, 0, 0)
    assert result.touched_accounts == {("sage200", "SAGE_UK"), ("mirakl", "BRICO")}
    assert set(states(outbox).values()) == {"VERIFIED"}
    journals = [key for key in keys if key.startswith("JOURNAL")]
    assert vendor.calls == [
        ("look_up", tuple(journals)),
        ("send", (journals[0],)),
        ("send", (journals[1],)),
        ("read_back", tuple(journals)),
    ]
    assert [name for name, _ in shop.calls] == ["look_up", "send", "read_back"]
    row = outbox.find(keys[0])
    assert json.loads(row["vendor_ids"]) == [f"urn-{keys[0]}"]
    assert row["proposed_at"] < row["decided_at"] < row["sent_at"] < row["verified_at"]


class BatchedVendor(FileVendor):
    batch_size = 2


def test_a_delivery_that_sends_several_at_a_time_is_given_several(outbox: Outbox, tmp_path: Path) -> None:
    vendor = BatchedVendor(tmp_path / "vendor.txt")
    keys = approved(outbox, *(journal(f"j{number}") for number in range(5)))
    result = outbox.deliver({JOURNALS: vendor})
    assert (result.sent, result.verified) == (5, 5)
    assert [call for name, call in vendor.calls if name == "send"] == [tuple(keys[:2]), tuple(keys[2:4]), (keys[4],)]


class SettlingVendor(FileVendor):
    settle_seconds = 7.0


def test_a_delivery_says_how_long_a_lost_request_may_still_be_at_work(
    outbox: Outbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(delivering, "sleep", pauses.append)
    (key,) = approved(outbox, journal())
    outbox.move([key], State.APPROVED, State.SENDING, actor="test", why="its process died")
    outbox.deliver({JOURNALS: SettlingVendor(tmp_path / "vendor.txt")})
    assert pauses == [7.0]


def test_delivering_again_calls_nobody(outbox: Outbox, vendor: FileVendor) -> None:
    approved(outbox, journal())
    outbox.deliver({JOURNALS: vendor})
    vendor.calls.clear()
    head = outbox.verify_audit().head
    assert outbox.deliver({JOURNALS: vendor}).touched_accounts == frozenset()
    assert vendor.calls == []
    assert outbox.verify_audit().head == head


def test_what_the_vendor_already_holds_is_not_sent(outbox: Outbox, vendor: FileVendor) -> None:
    (key,) = approved(outbox, journal())
    vendor.path.write_text(key + "\n")
    result = outbox.deliver({JOURNALS: vendor})
    assert (result.sent, result.verified) == (1, 1)
    assert vendor.documents() == [key]
    assert [entry["to_state"] for entry in outbox.history(key)] == ["PROPOSED", "APPROVED", "SENT", "VERIFIED"]


@pytest.mark.parametrize(
    "switch",
    [
        SwitchRow("sage200", is_on=False),
        SwitchRow(marketplace_code="BRICO", is_on=False),
        SwitchRow(kind="JOURNAL", is_on=False),
    ],
)
def test_a_kill_switch_stops_what_it_names_and_nothing_else(
    outbox: Outbox, vendor: FileVendor, switch: SwitchRow
) -> None:
    keys = approved(outbox, journal("j1"), journal("j2", marketplace_code="OTHER"), stock("A", 1))
    result = outbox.deliver({JOURNALS: vendor}, switches=(*ON, switch))
    sent = [key for key in keys if "OTHER" in key and switch.marketplace_code == "BRICO"]
    assert vendor.documents() == sent
    assert result.skipped_by_switch == 2 - len(sent)
    assert outbox.find(keys[-1])["state"] == State.APPROVED, "stock has no delivery here and is left alone"


def test_a_switch_for_another_vendor_stops_nothing(outbox: Outbox, vendor: FileVendor) -> None:
    approved(outbox, journal())
    assert (
        outbox.deliver(
            {JOURNALS: vendor}, switches=(SwitchRow("mirakl", is_on=False), SwitchRow(kind="STOCK", is_on=False))
        ).verified
        == 1
    )


def test_the_global_switch_stops_everything_and_is_off_until_somebody_says_on(
    url: str, clock, vendor: FileVendor
) -> None:
    first = Outbox(url, clock)
    approved(first, journal())
    assert first.deliver({JOURNALS: vendor}, write_back=False).skipped_by_switch == 1
    fresh = Outbox(url, clock)
    assert fresh.deliver({JOURNALS: vendor}).skipped_by_switch == 1, "a process that was never told may not send"
    assert vendor.calls == []
    assert fresh.deliver({JOURNALS: vendor}, write_back=True).verified == 1
    first.close()
    fresh.close()


def test_a_dry_run_shows_the_exact_requests_and_changes_nothing(outbox: Outbox, vendor: FileVendor) -> None:
    outbox.propose(table(journal("j1")))
    approved(outbox, journal("j2"))
    outbox.propose(table(journal("j3")))
    before = (outbox.snapshot(), outbox.verify_audit().head)
    result = outbox.deliver({JOURNALS: vendor}, dry_run=True, write_back=False)
    assert [preview.action_keys[0].split("|")[2] for preview in result.requests] == ["j1", "j2", "j3"]
    request = result.requests[0].requests[0]
    assert (request.method, request.headers["Authorization"]) == ("POST", "***")
    assert json.loads(request.body)["journal_key"] == "j1"
    assert {name for name, _ in vendor.calls} == {"preview"}
    assert (outbox.snapshot(), outbox.verify_audit().head) == before


def test_the_limit_bounds_what_is_sent(outbox: Outbox, vendor: FileVendor) -> None:
    approved(outbox, journal("j1"), journal("j2"), journal("j3"))
    assert outbox.deliver({JOURNALS: vendor}, limit=2).sent == 2
    assert len(vendor.documents()) == 2
    assert outbox.deliver({JOURNALS: vendor}).sent == 1


def test_a_refusal_fails_one_action_and_the_others_go_on(outbox: Outbox, vendor: FileVendor) -> None:
    keys = approved(outbox, journal("j1"), journal("j2"))
    vendor.outcomes = {keys[0]: DeliveryResult(Outcome.FAILED, detail="nominal code 9999 does not exist")}
    result = outbox.deliver({JOURNALS: vendor})
    assert (result.sent, result.failed, result.verified) == (1, 1, 1)
    assert states(outbox) == {keys[0]: "FAILED", keys[1]: "VERIFIED"}
    assert outbox.find(keys[0])["detail"] == "nominal code 9999 does not exist"
    vendor.outcomes = {}
    assert outbox.deliver({JOURNALS: vendor}).sent == 0, "a failed action does not go by itself"


def test_a_refusal_for_now_waits_and_gives_up_after_ten_times(outbox: Outbox, vendor: FileVendor) -> None:
    (key,) = approved(outbox, journal())
    vendor.outcomes = {key: DeliveryResult(Outcome.FAILED, detail="period is being closed", retryable=True)}
    for attempt in range(1, delivering.KINDS["JOURNAL"].maximum_attempts):
        assert outbox.deliver({JOURNALS: vendor}).waiting == 1, attempt
        assert states(outbox) == {key: "APPROVED"}
    assert outbox.deliver({JOURNALS: vendor}).failed == 1
    assert outbox.find(key)["attempts"] == delivering.KINDS["JOURNAL"].maximum_attempts


def test_an_unknown_outcome_is_looked_up_at_once_and_found(outbox: Outbox, vendor: FileVendor) -> None:
    (key,) = approved(outbox, journal())
    vendor.outcomes = {key: DeliveryResult(Outcome.UNKNOWN, detail="timed out")}
    real_send = vendor.send

    def took_it_but_said_nothing(actions: list[Action]) -> dict[str, DeliveryResult]:
        vendor.path.write_text(key + "\n")
        return real_send(actions)

    vendor.send = took_it_but_said_nothing  # type: ignore[method-assign]
    result = outbox.deliver({JOURNALS: vendor})
    assert (result.sent, result.verified, result.unknown) == (1, 1, 0)
    assert vendor.documents() == [key]
    assert [e["to_state"] for e in outbox.history(key)] == [
        "PROPOSED",
        "APPROVED",
        "SENDING",
        "UNKNOWN",
        "SENT",
        "VERIFIED",
    ]


def test_an_unknown_outcome_not_found_is_sent_again_only_by_the_next_run_after_a_look_up(
    outbox: Outbox, vendor: FileVendor
) -> None:
    (key,) = approved(outbox, journal())
    vendor.outcomes = {key: DeliveryResult(Outcome.UNKNOWN, detail="timed out")}
    assert outbox.deliver({JOURNALS: vendor}).unknown == 1
    assert states(outbox) == {key: "UNKNOWN"}
    assert [name for name, _ in vendor.calls] == ["look_up", "send", "look_up"]
    vendor.calls.clear()
    vendor.outcomes = {}
    assert outbox.deliver({JOURNALS: vendor}).verified == 1
    assert [name for name, _ in vendor.calls] == ["look_up", "look_up", "send", "read_back"]
    assert vendor.documents() == [key]


def test_only_part_of_it_at_the_vendor_counts_as_not_there(outbox: Outbox, vendor: FileVendor) -> None:
    (key,) = approved(outbox, journal())
    outbox.move([key], State.APPROVED, State.SENDING, actor="tieout", why="delivery begins")
    vendor.look_up = lambda actions: {key: Found(("urn-1",), complete=False, detail="SR is there, BP is not")}  # type: ignore[method-assign]
    assert outbox.deliver({JOURNALS: vendor}).verified == 1
    words = [entry["why"] for entry in outbox.history(key)]
    assert "only part of it is at the vendor: SR is there, BP is not" in words
    assert vendor.documents() == [key]


def test_a_vendor_that_is_down_stops_its_own_actions_only(outbox: Outbox, vendor: FileVendor, tmp_path: Path) -> None:
    shop = FileVendor(tmp_path / "shop.txt", kind="STOCK", down={"look_up"})
    approved(outbox, journal(), stock("A", 1))
    result = outbox.deliver({JOURNALS: vendor, STOCKS: shop})
    assert result.verified == 1
    assert [(p.kind, p.account) for p in result.problems] == [STOCKS]
    assert "the vendor is down" in result.problems[0].detail
    assert outbox.find("STOCK|BRICO|A|1")["state"] == State.APPROVED
    assert shop.documents() == []


def test_a_connection_that_breaks_while_sending_leaves_one_unknown_and_the_rest_waiting(
    outbox: Outbox, vendor: FileVendor
) -> None:
    keys = approved(outbox, journal("j1"), journal("j2"), journal("j3"))
    vendor.down = {"send"}  # takes the document, then breaks off
    result = outbox.deliver({JOURNALS: vendor})
    assert (result.unknown, len(result.problems)) == (1, 1)
    assert states(outbox) == dict(zip(keys, ["UNKNOWN", "APPROVED", "APPROVED"], strict=True))
    vendor.down = set()
    assert outbox.deliver({JOURNALS: vendor}).verified == 3
    assert vendor.documents() == keys, "nothing lost, nothing twice"


def test_a_delivery_that_forgets_an_answer_leaves_the_action_unknown(outbox: Outbox, vendor: FileVendor) -> None:
    (key,) = approved(outbox, journal())
    vendor.send = lambda actions: {}  # type: ignore[method-assign]
    assert outbox.deliver({JOURNALS: vendor}).unknown == 1
    assert outbox.find(key)["detail"] == "the delivery gave no result for it"


def test_a_programming_error_in_a_delivery_is_not_swallowed_and_leaves_the_action_unknown(
    outbox: Outbox, vendor: FileVendor
) -> None:
    (key,) = approved(outbox, journal())

    def broken(actions: list[Action]) -> dict[str, DeliveryResult]:
        raise ValueError("a bug")

    vendor.send = broken  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="a bug"):
        outbox.deliver({JOURNALS: vendor})
    assert states(outbox) == {key: "UNKNOWN"}


def test_stock_that_reads_back_differently_fails_and_may_be_proposed_afresh(outbox: Outbox, tmp_path: Path) -> None:
    (key,) = approved(outbox, stock("A", 5))
    shop = FileVendor(tmp_path / "shop.txt", kind="STOCK", wrong={key})
    result = outbox.deliver({STOCKS: shop})
    assert (result.sent, result.verified, result.unverified) == (1, 0, 1)
    assert outbox.find(key)["state"] == State.FAILED
    assert outbox.propose(table(stock("A", 5, version=2))).proposed == ("STOCK|BRICO|A|2",)


def test_a_journal_that_reads_back_differently_stays_for_a_person_and_is_never_sent_again(
    outbox: Outbox, vendor: FileVendor
) -> None:
    (key,) = approved(outbox, journal())
    vendor.wrong = {key}
    assert outbox.deliver({JOURNALS: vendor}).unverified == 1
    length = len(outbox.history(key))
    assert outbox.deliver({JOURNALS: vendor}).unverified == 1
    assert (outbox.find(key)["state"], outbox.find(key)["detail"]) == ("SENT", "holds 3, wanted 5")
    assert len(outbox.history(key)) == length, "the same finding is not written twice"
    assert vendor.documents() == [key]
    vendor.wrong = set()
    assert outbox.deliver({JOURNALS: vendor}).verified == 1


def test_two_processes_do_not_deliver_to_one_account_at_a_time(outbox: Outbox, vendor: FileVendor) -> None:
    approved(outbox, journal())
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with exclusive(outbox.engine, "JOURNAL sage200 SAGE_UK", timeout_seconds=5):
            entered.set()
            leave.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert entered.wait(10)
        result = delivering.deliver(
            outbox, {JOURNALS: vendor}, switches=ON, write_back=True, limit=None, progress=None, lock_seconds=0.3
        )
    finally:
        leave.set()
        holder.join()
    assert "another process" in result.problems[0].detail
    assert vendor.calls == []
    assert outbox.deliver({JOURNALS: vendor}).verified == 1


def test_progress_is_told(outbox: Outbox, vendor: FileVendor) -> None:
    approved(outbox, journal("j1"), journal("j2"))
    told: list[tuple[str, int, int]] = []
    outbox.deliver({JOURNALS: vendor}, progress=lambda what, done, total: told.append((what, done, total)))
    assert told == [("JOURNAL → SAGE_UK", 0, 2), ("JOURNAL → SAGE_UK", 1, 2), ("JOURNAL → SAGE_UK", 2, 2)]


def test_what_has_the_nearest_deadline_goes_first(outbox: Outbox, vendor: FileVendor) -> None:
    dues = {"late": "2026-07-05 08:00:00", "none": None, "first": "2026-07-04 08:00:00"}
    approved(outbox, *(journal(name, payload={"name": name, "due_at": due}) for name, due in dues.items()))
    outbox.deliver({JOURNALS: vendor})
    assert [key.split("|")[2] for key in vendor.documents()] == ["first", "late", "none"]


def test_what_ranks_highest_goes_before_what_has_waited(outbox: Outbox, vendor: FileVendor) -> None:
    ranks = {"a-slow": 3, "b-none": None, "c-fast": 1}
    approved(outbox, *(journal(name, payload={"name": name, "rank": rank}) for name, rank in ranks.items()))
    outbox.deliver({JOURNALS: vendor})
    assert [key.split("|")[2] for key in vendor.documents()] == ["c-fast", "a-slow", "b-none"]


ORDERS, ACCEPTANCES = ("SALES_ORDER", "SAGE_UK"), ("ACCEPTANCE", "BRICO")


def order(natural_id: str) -> dict[str, object]:
    return journal(natural_id, kind="SALES_ORDER", action_key=f"SALES_ORDER|BRICO|{natural_id}|1")


def acceptance(natural_id: str, due_at: str = "2026-07-05 08:00:00") -> dict[str, object]:
    payload = json.dumps({"order_id": natural_id, "due_at": due_at, "only_after": "SALES_ORDER"})
    key = f"ACCEPTANCE|BRICO|{natural_id}|1"
    return stock(natural_id, 1, kind="ACCEPTANCE", action_key=key, payload=payload)


def test_an_action_that_goes_after_another_has_its_turn_once_that_is_proved(outbox: Outbox, tmp_path: Path) -> None:
    erp, shop = FileVendor(tmp_path / "erp.txt"), FileVendor(tmp_path / "shop.txt")
    rows = [order(one) for one in ("proved", "refused", "unproved", "lost")]
    rows += [acceptance(one, f"2026-07-0{9 - place} 08:00:00") for place, one in enumerate(("proved", "again"))]
    rows += [acceptance(one) for one in ("refused", "unproved", "lost", "unknown")]
    rows += [order("again")]
    outbox.propose(table(*rows))
    outbox.approve([str(row["action_key"]) for row in rows], by="A Person")
    refused, lost = (f"SALES_ORDER|BRICO|{one}|1" for one in ("refused", "lost"))
    erp.outcomes = {refused: DeliveryResult(Outcome.FAILED, detail="no"), lost: DeliveryResult(Outcome.UNKNOWN)}
    erp.wrong = {"SALES_ORDER|BRICO|unproved|1"}
    both = {ACCEPTANCES: shop, ORDERS: erp}
    result = outbox.deliver(both, switches=ON, write_back=True)
    # One call does both, the nearest deadline first; "unknown" has no order at all.
    accepted = ("ACCEPTANCE|BRICO|again|1", "ACCEPTANCE|BRICO|proved|1")
    assert shop.calls == [("look_up", accepted), ("send", accepted), ("read_back", accepted)]
    assert result.verified == 4
    found = states(outbox)
    waiting = {key for key, state in found.items() if key.startswith("ACCEPTANCE") and state == "APPROVED"}
    assert waiting == {f"ACCEPTANCE|BRICO|{one}|1" for one in ("refused", "unproved", "lost", "unknown")}
    held = outbox.held(outbox.actions())
    assert held["ACCEPTANCE|BRICO|refused|1"] == "waits for SALES_ORDER to be VERIFIED, which is FAILED"
    assert held["ACCEPTANCE|BRICO|unknown|1"].endswith("not there")
    assert held.keys() == waiting
    # Once the ERP shows what was sent, and only that.
    erp.outcomes, erp.wrong = {}, set()
    outbox.deliver(both, switches=ON, write_back=True)
    assert {key for key in shop.documents() if key not in accepted} == {
        "ACCEPTANCE|BRICO|lost|1",
        "ACCEPTANCE|BRICO|unproved|1",
    }
    assert len(shop.documents()) == len(set(shop.documents()))


def test_what_goes_after_another_waits_for_the_newest_and_for_a_switch(outbox: Outbox, tmp_path: Path) -> None:
    erp, shop = FileVendor(tmp_path / "erp.txt"), FileVendor(tmp_path / "shop.txt")
    both = {ACCEPTANCES: shop, ORDERS: erp}
    rows = [order("o1"), acceptance("o1")]
    outbox.propose(table(*rows))
    outbox.approve([str(row["action_key"]) for row in rows], by="A Person")
    off = (SwitchRow(kind="SALES_ORDER", is_on=False),)
    assert outbox.deliver(both, switches=off, write_back=True).skipped_by_switch == 1
    assert shop.calls == []
    outbox.deliver({ORDERS: erp}, switches=ON, write_back=True)
    assert outbox.held(outbox.actions()) == {}
    second = {**order("o1"), "action_key": "SALES_ORDER|BRICO|o1|2", "version": 2, "payload": json.dumps({"lines": []})}
    outbox.propose(table(second), kinds=["SALES_ORDER"])
    outbox.deliver({ACCEPTANCES: shop}, switches=ON, write_back=True)
    assert shop.calls == [], "another creation of the order is on its way"
