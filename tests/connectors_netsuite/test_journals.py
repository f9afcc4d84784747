"""Journals: the same movements, posted once, into the right month, found again and proved in the ledger."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from connectors.delivery import Action, DeliveryResult, Outcome
from connectors.netsuite.delivery import JournalDelivery
from connectors.netsuite.journals import read_journal, render
from connectors.netsuite.records import BadRecord
from tests.connectors_netsuite.conftest import Connect
from tests.connectors_netsuite.ledger import Ledger
from tests.connectors_netsuite.suitetalk import Asked, Reply, Suitetalk, refusal

WIRE = "TO0123456789ABCDEF"


def line(number: int, kind: str, code: str | None, net: str, **more: Any) -> dict[str, Any]:
    """A journal line; `net` is debit less credit."""
    value = Decimal(net)
    return {
        "line_no": number,
        "account_role": kind,
        "account_type": kind,
        "account_code": code,
        "debit": f"{max(value, Decimal(0)):f}",
        "credit": f"{max(-value, Decimal(0)):f}",
        **more,
    }


LINES = (
    line(1, "BANK", "1260", "881.00"),
    line(2, "NOMINAL", "6100", "100.00"),
    line(3, "VAT", "2201", "19.00", tax_code="1", tax_line_of=2),
    line(4, "CUSTOMER", "1100", "-1100.00"),
    line(5, "CUSTOMER", "1100", "100.00"),
)


def action(wire: str = WIRE, lines: tuple[dict[str, Any], ...] = LINES, **more: Any) -> Action:
    payload = {
        "journal_key": "UKTRADE|BRICO|SETTLEMENT|c1",
        "wire_key": wire,
        "kind": "SETTLEMENT",
        "posting_date": "2026-06-21",
        "currency_code": "GBP",
        "customer_reference": "MKBRICO",
        "lines": list(lines),
        **more,
    }
    return Action(f"JOURNAL|{wire}", wire, "JOURNAL", "BRICO", "NS_UK", payload)


@pytest.fixture
def ledger(suitetalk: Suitetalk) -> Ledger:
    return Ledger(suitetalk)


@pytest.fixture
def delivery(ledger: Ledger, connect: Connect) -> JournalDelivery:
    return JournalDelivery(connect(), "1")


def send(delivery: JournalDelivery, one: Action) -> DeliveryResult:
    return delivery.send([one])[one.action_key]


def posts(suitetalk: Suitetalk) -> list[Asked]:
    return [asked for asked in suitetalk.asked if asked.path.endswith("/journalEntry")]


def test_a_journal_is_posted_approved_into_its_own_month_and_proved(
    suitetalk: Suitetalk, delivery: JournalDelivery
) -> None:
    one = action()
    assert delivery.look_up([one]) == {one.action_key: None}
    assert send(delivery, one) == DeliveryResult(Outcome.SENT, ("1001",), f"posted JE-{WIRE}")
    (post,) = posts(suitetalk)
    assert post.headers["x-netsuite-propertynamevalidation"] == "error"
    body = json.loads(post.body, parse_float=Decimal)
    assert body["externalId"] == f"JE-{WIRE}"
    assert (body["postingPeriod"], body["approved"], body["subsidiary"]) == ({"id": "6"}, True, {"id": "1"})
    assert [(x["account"]["id"], str(x.get("debit")), str(x.get("credit"))) for x in body["line"]["items"]] == [
        ("12", "881.00", "None"),
        ("61", "100.00", "None"),
        ("22", "19.00", "None"),
        ("11", "None", "1000.00"),
    ]
    assert body["line"]["items"][-1]["entity"] == {"id": "110"}
    verified = delivery.read_back([one])[one.action_key]
    assert verified.ok, verified.detail
    found = delivery.look_up([one])[one.action_key]
    assert found is not None
    assert found.complete, found.detail


def test_what_is_there_already_is_not_posted_again(suitetalk: Suitetalk, delivery: JournalDelivery) -> None:
    send(delivery, action())
    assert send(delivery, action()).outcome is Outcome.SENT
    assert len(posts(suitetalk)) == 1


def test_another_journal_under_the_same_external_id_is_an_error(delivery: JournalDelivery) -> None:
    send(delivery, action())
    other = action(lines=(line(1, "BANK", "1260", "5.00"), line(2, "NOMINAL", "6100", "-5.00")))
    result = send(delivery, other)
    assert (result.outcome, result.retryable) == (Outcome.FAILED, False)
    assert "account id 12 moved by 881" in result.detail
    found = delivery.look_up([other])[other.action_key]
    assert found is not None
    assert not found.complete


@pytest.mark.parametrize("reply", [Reply(is_cut=True), Reply(504), Reply(500), Reply(204)])
def test_a_lost_answer_is_unknown_and_never_repeated_blindly(
    suitetalk: Suitetalk, delivery: JournalDelivery, ledger: Ledger, reply: Reply
) -> None:
    def lose(asked: Asked) -> Reply:
        assert ledger.answer(asked).status == 204
        return reply

    suitetalk.records = lose
    one = action()
    assert send(delivery, one).outcome is Outcome.UNKNOWN
    assert len(posts(suitetalk)) == 1
    found = delivery.look_up([one])[one.action_key]
    assert found is not None
    assert found.complete
    suitetalk.records = ledger.answer
    assert send(delivery, one).outcome is Outcome.SENT
    assert ledger.posted == 1


def test_a_duplicate_refused_by_text_is_resolved_by_look_up(
    suitetalk: Suitetalk, delivery: JournalDelivery, ledger: Ledger
) -> None:
    """Another process posts between our look-up and our request: NetSuite answers 400 with nothing but words."""

    def race(asked: Asked) -> Reply:
        ledger.answer(asked)
        return ledger.answer(asked)

    suitetalk.records = race
    result = send(delivery, action())
    assert (result.outcome, result.vendor_ids) == (Outcome.SENT, ("1001",))
    assert ledger.posted == 1


def test_a_closed_period_is_refused_before_anything_is_sent(suitetalk: Suitetalk, delivery: JournalDelivery) -> None:
    result = send(delivery, action(posting_date="2026-05-10"))
    assert (result.outcome, result.retryable) == (Outcome.FAILED, False)
    assert "May 2026 of 2026-05-10 is shut (closed)" in result.detail
    assert not posts(suitetalk)


def test_a_period_that_closed_since_the_last_batch_is_noticed(suitetalk: Suitetalk, delivery: JournalDelivery) -> None:
    send(delivery, action("A1"))
    suitetalk.execute("update accountingperiod set arlocked = 'T' where id = 6")
    assert "shut (arlocked)" in send(delivery, action("A2")).detail
    no_customer = (line(1, "BANK", "1260", "5"), line(2, "NOMINAL", "6100", "-5"))
    assert send(delivery, action("A3", no_customer)).outcome is Outcome.SENT


def test_a_journal_that_landed_in_another_month_is_not_proved(suitetalk: Suitetalk, delivery: JournalDelivery) -> None:
    one = action()
    send(delivery, one)
    suitetalk.execute("update transaction set postingperiod = 5 where type = 'Journal'")
    verified = delivery.read_back([one])[one.action_key]
    assert not verified.ok
    assert "period id 5, wanted Jun 2026" in verified.detail


def test_a_journal_that_waits_for_approval_is_not_in_the_ledger_until_it_is_approved(
    suitetalk: Suitetalk, delivery: JournalDelivery, ledger: Ledger
) -> None:
    ledger.needs_approval = True
    one = action()
    send(delivery, one)
    assert "waits for approval" in delivery.read_back([one])[one.action_key].detail
    found = delivery.look_up([one])[one.action_key]
    assert found is not None
    assert not found.complete
    assert send(delivery, one).detail.endswith("is approved now")
    assert delivery.read_back([one])[one.action_key].ok
    assert len(posts(suitetalk)) == 1


def test_people_may_keep_the_approval_to_themselves(suitetalk: Suitetalk, ledger: Ledger, connect: Connect) -> None:
    delivery, one = JournalDelivery(connect(), "1", is_approved=False), action()
    send(delivery, one)
    assert json.loads(posts(suitetalk)[0].body)["approved"] is False
    found = delivery.look_up([one])[one.action_key]
    assert found is not None
    assert found.complete
    assert not delivery.read_back([one])[one.action_key].ok


def test_a_voided_journal_does_not_count_as_posted(suitetalk: Suitetalk, delivery: JournalDelivery) -> None:
    send(delivery, action())
    suitetalk.execute("update transaction set voided = 'T'")
    assert "is voided" in send(delivery, action()).detail


def test_an_account_without_subsidiaries_or_currencies_is_sent_none(
    suitetalk: Suitetalk, ledger: Ledger, connect: Connect
) -> None:
    suitetalk.forbidden = {"currency"}
    assert send(JournalDelivery(connect(), None), action()).outcome is Outcome.SENT
    body = json.loads(posts(suitetalk)[0].body)
    assert {"currency", "subsidiary"}.isdisjoint(body)


@pytest.mark.parametrize(
    ("code", "detail", "retryable"),
    [
        ("USER_ERROR", "The amounts in a journal entry must balance.", False),
        ("USER_ERROR", "Your current role does not have permission to perform this action.", True),
        ("CONCURRENCY_LIMIT_EXCEEDED", "Concurrent request limit exceeded. Request blocked.", True),
    ],
)
def test_refusals_say_whether_a_repetition_can_help(
    suitetalk: Suitetalk, delivery: JournalDelivery, code: str, detail: str, retryable: bool
) -> None:
    suitetalk.records = lambda _: refusal(400, code, detail)
    result = send(delivery, action())
    assert (result.outcome, result.retryable) == (Outcome.FAILED, retryable)
    assert detail in result.detail


def test_an_unknown_account_or_customer_names_the_file_to_correct(delivery: JournalDelivery) -> None:
    wrong = (line(1, "BANK", "1260", "5"), line(2, "NOMINAL", "9999", "-5"))
    assert "no account '9999': correct account_code in accounts.csv" in send(delivery, action("B1", wrong)).detail
    result = send(delivery, action("B2", customer_reference="NOBODY"))
    assert "no customer 'NOBODY': correct customer_reference in marketplaces.csv" in result.detail


def test_many_journals_are_posted_once_each(suitetalk: Suitetalk, delivery: JournalDelivery, ledger: Ledger) -> None:
    batch = [action(f"W{n}") for n in range(30)]
    results = delivery.send([*batch, batch[0]])
    assert {result.outcome for key, result in results.items() if key != batch[0].action_key} == {Outcome.SENT}
    assert ledger.posted == 30
    assert all(v.ok for v in delivery.read_back(batch).values())


def test_preview_sends_nothing_and_shows_no_secret(suitetalk: Suitetalk, delivery: JournalDelivery) -> None:
    (request,) = delivery.preview([action()])
    assert request.headers["Authorization"] == "***"
    assert json.loads(request.body)["externalId"] == f"JE-{WIRE}"
    assert not posts(suitetalk)


# --- rendering ---


def test_an_unbalanced_journal_is_refused_here() -> None:
    lines = (line(1, "BANK", "1260", "5.00"), line(2, "NOMINAL", "6100", "-4.99"))
    with pytest.raises(BadRecord, match=r"differ by 0\.01"):
        render(read_journal(action(lines=lines).payload))


def test_amounts_keep_to_the_decimals_of_their_currency() -> None:
    lines = (line(1, "BANK", "1260", "5.50"), line(2, "NOMINAL", "6100", "-5.50"))
    with pytest.raises(BadRecord, match="more than 0 decimals"):
        render(read_journal(action(lines=lines).payload), 0)


@pytest.mark.parametrize("wire", ["", "A|B", "Ä1"])
def test_an_external_id_holds_only_what_a_url_takes(delivery: JournalDelivery, wire: str) -> None:
    result = send(delivery, action(wire))
    assert (result.outcome, result.retryable) == (Outcome.FAILED, False)
    assert "wire key" in result.detail
