"""Documents of the three ledgers: what they move, that each exists once, and that doubt is resolved by looking."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connectors.auth import MemoryCredentialStore
from connectors.delivery import Action, Outcome, Settling
from connectors.sage200 import Sage200Connector
from connectors.sage200.writes import deliveries
from tests.connectors_sage200.conftest import Site, action, key
from tests.connectors_sage200.payloads import FEES, KINDS, RESOURCES

MOVEMENTS = {
    "SALES_RECEIPT": {"1260": "120", "1100": "-120"},
    "SALES_PAYMENT": {"1260": "-120", "1100": "120"},
    "SALES_INVOICE": {"1100": "64.80", "4100": "-50", "4905": "-4", "2200": "-10.80"},
    "CREDIT_NOTE": {"1100": "-64.80", "4100": "50", "4905": "4", "2200": "10.80"},
    "BANK_PAYMENT": {"6100": "100", "6130": "7.50", "2201": "20", "1260": "-127.50"},
    "BANK_RECEIPT": {"6100": "-100", "6130": "-7.50", "2201": "-20", "1260": "127.50"},
    "BANK_TRANSFER": {"1260": "-75.25", "1200": "75.25"},
    "PURCHASE_INVOICE": {"6100": "100", "6130": "7.50", "2201": "20", "2100": "-127.50"},
}


def document(kind: str, **changes: Any) -> Action:
    return action(kind, **KINDS[kind] | changes)


def count(site: Site, kind: str) -> int:
    return site.store.sage_writes.applied.get(RESOURCES[kind], 0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_moves_what_it_should_once_and_is_proved(site: Site, kind: str) -> None:
    one = document(kind)
    assert site.look_up(one) is None
    (result,) = site.send(one)
    assert result.outcome is Outcome.SENT, result.detail
    assert site.legs(one.wire_key) == {code: Decimal(value) for code, value in MOVEMENTS[kind].items()}
    proof = site.proof(one)
    assert proof.ok, proof.detail
    assert len(proof.vendor_ids) == 1
    before = count(site, kind)
    (again,) = site.send(one)
    assert (again.outcome, again.vendor_ids) == (Outcome.SENT, proof.vendor_ids)
    found = site.look_up(one)
    assert found is not None
    assert found.complete
    assert count(site, kind) == before, "what is there is not posted again"


def test_a_credit_note_carries_the_analysis_code_that_the_company_knows(site: Site) -> None:
    lines = [{**line, "analysis_code": "MKP-UK-STD"} for line in KINDS["CREDIT_NOTE"]["lines"]]
    one = document("CREDIT_NOTE", lines=lines)
    strange = document("CREDIT_NOTE", lines=[{**line, "analysis_code": "NOBODYS"} for line in lines])
    for each in (one, strange):
        assert site.send(each)[0].outcome is Outcome.SENT
        assert site.proof(each).ok
    legs = site.rows("nominal_transaction_enquiry_views", reference=one.wire_key)
    assert sorted(leg["transaction_analysis_code"] for leg in legs) == ["", "", "MKP-UK-STD", "MKP-UK-STD"]
    exported = [{**line, "analysis_code": "MKP-EXPORT"} for line in lines]
    proof = site.proof(replace(one, payload={**one.payload, "lines": exported}))
    assert not proof.ok
    assert "lacks the analysis code MKP-EXPORT" in proof.detail
    legs = site.rows("nominal_transaction_enquiry_views", reference=strange.wire_key)
    assert {leg["transaction_analysis_code"] for leg in legs} == {""}, "a code that Sage would refuse is left out"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("disturbance", ["outcome_unknown", "fail_after"])
def test_an_answer_that_was_lost_after_the_write_is_unknown_and_found(site: Site, kind: str, disturbance: str) -> None:
    one = document(kind)
    site.disturb(RESOURCES[kind], kind=disturbance, method="POST", status=504)
    (result,) = site.send(one)
    assert result.outcome is Outcome.UNKNOWN
    found = site.look_up(one)
    assert found is not None
    assert found.complete
    before = count(site, kind)
    assert site.send(one)[0].outcome is Outcome.SENT
    assert count(site, kind) == before
    assert site.proof(one).ok


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_that_never_arrived_is_unknown_and_not_found(site: Site, kind: str) -> None:
    one = document(kind)
    site.disturb(RESOURCES[kind], kind="fail", method="POST", status=504)
    assert site.send(one)[0].outcome is Outcome.UNKNOWN
    assert site.look_up(one) is None
    assert site.send(one)[0].outcome is Outcome.SENT
    assert site.proof(one).ok


@pytest.mark.parametrize("kind", KINDS)
def test_a_period_closed_since_the_proposal_is_a_clear_refusal_and_posts_nothing(site: Site, kind: str) -> None:
    one = document(kind)
    site.switch(closed_periods=["2026-06"])
    before = site.writes()
    (result,) = site.send(one)
    assert (result.outcome, result.retryable) == (Outcome.FAILED, False)
    assert f"{kind} {one.wire_key}: nothing was posted: Sage does not take 2026-06-11" in result.detail
    assert "closed accounting period" in result.detail
    assert site.writes() == before
    site.switch(closed_periods=[])
    assert site.send(one)[0].outcome is Outcome.SENT, "the next batch asks again"


def test_a_date_that_sage_finds_acceptable_is_posted(site: Site) -> None:
    site.switch(closed_periods=["2026-06"], closed_period="Acceptable")
    try:
        assert site.send(document("SALES_RECEIPT"))[0].outcome is Outcome.SENT
    finally:
        site.switch(closed_period="Unacceptable")


@pytest.mark.parametrize("status", [404, 403])
def test_where_the_date_cannot_be_asked_sage_refuses_the_document_itself(site: Site, status: int) -> None:
    """A site from before September 2020, or a role that may post but not ask."""
    one = document("BANK_PAYMENT")
    site.switch(closed_periods=["2026-06"])
    site.disturb("transaction_date_validation", kind="empty", status=status)
    (result,) = site.send(one)
    assert (result.outcome, result.retryable) == (Outcome.FAILED, False)
    assert "closed accounting period" in result.detail
    assert site.look_up(one) is None


def line(**changes: Any) -> list[dict[str, Any]]:
    return [FEES[1], {**FEES[0], **changes}]


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        ("SALES_RECEIPT", {"currency_code": None}, "$.currency_code"),
        ("SALES_RECEIPT", {"currency_code": ""}, "currency_code: the currency is missing"),
        ("SALES_RECEIPT", {"currency_code": "USD"}, "currency_code: Sage has no currency USD"),
        ("SALES_RECEIPT", {"currency_code": "EUR"}, "currency_code: the document is in EUR, customer MKBRICO is kept"),
        ("BANK_TRANSFER", {"currency_code": "EUR"}, "currency_code: the document is in EUR, bank MKBRICO is kept"),
        ("BANK_PAYMENT", {"currency_code": "EUR"}, "EUR is not the company's base currency"),
        ("SALES_RECEIPT", {"customer_reference": "NOBODY"}, "customer_reference: Sage has no customer 'NOBODY'"),
        ("SALES_RECEIPT", {"bank_code": "NOBANK"}, "bank_code: Sage has no bank account 'NOBANK'"),
        ("SALES_RECEIPT", {"amount": "12.345"}, "amount has more than 2 decimals"),
        ("SALES_RECEIPT", {"amount": "-1"}, "amount is negative"),
        ("SALES_RECEIPT", {"amount": "0"}, "amount is nil"),
        ("SALES_RECEIPT", {"document_date": "11.06.2026"}, "document_date is no date"),
        ("SALES_RECEIPT", {"reference": "X" * 21}, "reference has 21 characters"),
        (
            "BANK_PAYMENT",
            {"lines": line(account_code="6999")},
            "lines[1].account_code: Sage has no nominal account 6999",
        ),
        ("BANK_PAYMENT", {"lines": line(account_code="")}, "lines[1].account_code: no nominal account"),
        ("BANK_PAYMENT", {"lines": line(department="ZZZ")}, "no nominal account 6100/ZZZ"),
        ("BANK_PAYMENT", {"lines": line(tax_code="77")}, "lines[1].tax_code: Sage has no tax code 77"),
        ("BANK_PAYMENT", {"lines": line(tax_code=None)}, "lines[1].tax_code is missing"),
        ("BANK_PAYMENT", {"lines": []}, "the document has no value"),
        ("SALES_INVOICE", {"lines": line(tax_code=None)}, "lines[1].tax_code is missing"),
        ("SALES_INVOICE", {"lines": line(account_code="6999")}, "lines[1].account_code: Sage has no nominal account"),
        ("PURCHASE_INVOICE", {"supplier_reference": "NOBODY"}, "supplier_reference: Sage has no supplier 'NOBODY'"),
        ("BANK_TRANSFER", {"to_bank_code": "MKBRICO"}, "to_bank_code: a transfer needs two different bank accounts"),
    ],
)
def test_a_record_that_cannot_be_posted_is_refused_by_name_and_field(
    site: Site, kind: str, changes: dict[str, Any], words: str
) -> None:
    one = document(kind, **changes)
    before = site.writes()
    (result,) = site.send(one)
    assert (result.outcome, result.retryable) == (Outcome.FAILED, False)
    assert result.detail.startswith(f"{kind} {one.wire_key}: ")
    assert words in result.detail
    assert site.writes() == before


def test_a_hidden_account_is_refused(site: Site) -> None:
    row = site.one("nominal_codes", reference="6140")
    row["account_status_type"] = "AccountStatusHidden"
    site.look_again()
    try:
        (result,) = site.send(document("BANK_PAYMENT", lines=line(account_code="6140")))
    finally:
        row["account_status_type"] = "AccountStatusActive"
    assert "lines[1].account_code: 6140 is hidden in Sage" in result.detail


def test_one_bad_document_does_not_stop_the_others_of_its_batch(site: Site) -> None:
    good, bad, other = document("SALES_RECEIPT"), document("SALES_RECEIPT", bank_code="NO"), document("SALES_RECEIPT")
    outcomes = [result.outcome for result in site.send(good, bad, other)]
    assert outcomes == [Outcome.SENT, Outcome.FAILED, Outcome.SENT]


def test_two_actions_with_one_wire_key_are_posted_once(site: Site) -> None:
    one = document("SALES_RECEIPT")
    twin = Action("another", one.wire_key, one.kind, one.marketplace_code, one.account, one.payload)
    first, second = site.send(one, twin)
    assert (first.outcome, second.outcome) == (Outcome.SENT, Outcome.FAILED)
    assert len(site.rows("sales_posted_transactions", reference=one.wire_key)) == 1


def test_after_an_unknown_outcome_the_rest_of_the_batch_stays_unsent(site: Site) -> None:
    batch = [document("SALES_RECEIPT") for _ in range(12)]
    site.disturb("sales_receipts", kind="fail", method="POST", status=504, times=None)
    results = site.send(*batch)
    unknown = [result for result in results if result.outcome is Outcome.UNKNOWN]
    assert 1 <= len(unknown) <= 2, "no more than were under way at that moment"
    others = [result for result in results if result.outcome is Outcome.FAILED]
    assert len(others) == 12 - len(unknown)
    assert all(result.retryable and "not sent" in result.detail for result in others)


def test_a_document_that_differs_from_what_is_posted_is_an_error_not_a_second_document(site: Site) -> None:
    one = document("SALES_RECEIPT")
    site.send(one)
    changed = Action(one.action_key, one.wire_key, one.kind, "BRICO", "SAGE_UK", {**one.payload, "amount": "130.00"})
    found = site.look_up(changed)
    assert found is not None
    assert not found.complete
    (result,) = site.send(changed)
    assert result.outcome is Outcome.FAILED
    assert "is posted already, but its value is 120.00, wanted 130.00" in result.detail
    assert len(site.rows("sales_posted_transactions", reference=one.wire_key)) == 1


def test_archived_transactions_count_as_posted(site: Site) -> None:
    one = document("SALES_INVOICE")
    site.send(one)
    table = site.store.company["sales_posted_transactions"]
    row = site.one("sales_posted_transactions", reference=one.wire_key)
    table.remove(row["id"])
    site.store.company["sales_historical_transactions"].append(dict(row))
    found = site.look_up(one)
    assert found is not None
    assert found.complete
    before = site.writes()
    assert site.send(one)[0].outcome is Outcome.SENT
    assert site.writes() == before


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda s, k: s.one("sales_posted_transactions", reference=k).update(customer_id=27900), "its customer_id is"),
        (
            lambda s, k: s.one("sales_posted_transactions", reference=k).update(
                transaction_date="2026-06-12T00:00:00Z"
            ),
            "it is dated 2026-06-12, wanted 2026-06-11",
        ),
        (
            lambda s, k: s.rows("nominal_transaction_enquiry_views", reference=k)[1].update(
                nominal_code_id=s.one("nominal_codes", reference="4910")["id"]
            ),
            "account 4100 moved by 0.00, wanted -50.00",
        ),
        (
            lambda s, k: s.store.company["sales_posted_transactions"].append(
                s.one("sales_posted_transactions", reference=k) | {"urn": 999_999}
            ),
            "it is there 2 times",
        ),
        (
            lambda s, k: [row.update(reference="") for row in s.rows("nominal_transaction_enquiry_views", reference=k)],
            "no nominal legs yet",
        ),
    ],
)
def test_reading_back_notices_every_kind_of_difference(site: Site, spoil: Any, words: str) -> None:
    one = document("SALES_INVOICE")
    site.send(one)
    spoil(site, one.wire_key)
    for name in ("sales_posted_transactions", "nominal_transaction_enquiry_views"):
        site.store.company[name].cached(()).clear()
    proof = site.proof(one)
    assert not proof.ok
    assert words in proof.detail


@pytest.mark.parametrize("kind", KINDS)
def test_a_preview_shows_the_request_and_sends_nothing(site: Site, kind: str) -> None:
    one = document(kind)
    before = site.writes()
    (shown,) = site.deliver[kind].preview([one])
    assert site.writes() == before
    assert shown.method == "POST"
    assert shown.url.endswith(f"/sage200/accounts/v1/{RESOURCES[kind]}")
    assert f'"reference":"{one.wire_key}"' in shown.body
    assert shown.headers["Authorization"] == "***"
    assert "error" not in shown.body
    wrong = document(kind, currency_code="USD")
    assert "Sage has no currency USD" in site.deliver[kind].preview([wrong])[0].body


@pytest.mark.parametrize(
    ("rule", "outcome", "retryable"),
    [
        ({"kind": "fail", "status": 429}, Outcome.FAILED, True),
        ({"kind": "fail", "status": 403}, Outcome.FAILED, True),
        ({"kind": "fail", "status": 400, "body": "The period is closed."}, Outcome.FAILED, False),
        ({"kind": "fail", "status": 404}, Outcome.FAILED, False),
        ({"kind": "fail", "status": 500}, Outcome.UNKNOWN, False),
        ({"kind": "truncate"}, Outcome.UNKNOWN, False),
        ({"kind": "reset"}, Outcome.UNKNOWN, False),
    ],
)
def test_refusals_are_failed_and_doubt_is_unknown(
    site: Site, rule: dict[str, Any], outcome: Outcome, retryable: bool
) -> None:
    site.disturb("bank_receipt", method="POST", **rule)
    (result,) = site.send(document("BANK_RECEIPT"))
    assert (result.outcome, result.retryable) == (outcome, retryable), result.detail
    if "body" in rule:
        assert rule["body"] in result.detail


def test_when_sage_cannot_be_read_first_nothing_is_sent(site: Site) -> None:
    site.disturb("sales_posted_transactions", kind="fail", status=503, times=None)
    before = site.writes()
    (result,) = site.send(document("SALES_RECEIPT"))
    assert (result.outcome, result.retryable) == (Outcome.FAILED, True)
    assert "nothing was sent" in result.detail
    assert site.writes() == before


def test_a_key_that_sage_holds_in_other_letters_is_another_key(site: Site) -> None:
    one = document("SALES_RECEIPT", wire_key=key().lower())
    site.send(document("SALES_RECEIPT", wire_key=one.wire_key.upper()))
    assert site.look_up(one) is None


def test_a_lost_answer_is_given_its_time_where_a_gateway_stands_between(site: Site) -> None:
    """A 504 comes from the gateway: the site may still be at work, and a look-up too early would post twice."""
    far = Sage200Connector(
        "SAGE_UK",
        "https://api.columbus.sage.com/uk/sage200/accounts/v1",
        "https://id.sage.com/oauth/token",
        "site",
        7,
        MemoryCredentialStore("r"),
        "id",
        "secret",
    )
    for here, there in zip(site.deliver.values(), deliveries(far).values(), strict=True):
        assert isinstance(here, Settling)
        assert isinstance(there, Settling)
        assert (here.settle_seconds, there.settle_seconds) == (2.0, 60.0)
    far.close()
