"""The record service: what is written, what is refused, and the traps of writing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest

from sandbox.chaos import Rule
from tests.sandbox_netsuite.company import (
    BANK_EUR,
    BANK_GBP,
    CLEARING_EUR,
    CLEARING_GBP,
    CUSTOMER_UK,
    FEES,
    OLD_BANK,
    RECEIVABLE,
    WAREHOUSE_UK,
)
from tests.sandbox_netsuite.conftest import RECORD, Account, created, problem


def journal(external_id: str, *lines: tuple[int, str, float], **header: Any) -> dict[str, Any]:
    lines = lines or ((BANK_GBP, "debit", 187.00), (CLEARING_GBP, "credit", 180.00), (FEES, "credit", 7.00))
    items = [{"account": {"id": str(number)}, side: amount} for number, side, amount in lines]
    return {
        "externalId": external_id,
        "subsidiary": {"id": "2"},
        "tranDate": "2026-09-15",
        "line": {"items": items},
    } | header


def order(external_id: str, **header: Any) -> dict[str, Any]:
    items = [
        {"item": {"id": "1"}, "quantity": 2, "rate": 39.95},
        {"item": {"id": "2"}, "quantity": 1, "rate": 10, "amount": 8.5},
    ]
    return {
        "externalId": external_id,
        "entity": {"id": CUSTOMER_UK},
        "tranDate": "2026-09-15",
        "otherRefNum": external_id,
        "location": {"id": WAREHOUSE_UK},
        "item": {"items": items},
    } | header


def test_a_journal_is_posted_with_204_and_location_and_reaches_the_ledger(account: Account) -> None:
    number = created(account.post("journalEntry", journal("J-1")))
    rows = account.rows(
        """SELECT t.externalid, t.posting, t.postingperiod, tal.account, tal.debit, tal.credit, tal.amount
           FROM transaction t JOIN transactionaccountingline tal ON tal.transaction = t.id
           WHERE t.id = ? AND tal.accountingbook = 1 ORDER BY tal.transactionline""",
        number,
    )
    shared = {"externalid": "J-1", "posting": "T", "postingperiod": "202609"}
    assert rows == [
        shared | {"account": "101", "debit": "187", "amount": "187"},
        shared | {"account": "130", "credit": "180", "amount": "-180"},
        shared | {"account": "610", "credit": "7", "amount": "-7"},
    ]


def test_a_get_has_real_numbers_objects_and_status_by_its_text(account: Account) -> None:
    number = created(account.post("journalEntry", journal("J-GET", memo="Payout")))
    body = account.http.get(f"{RECORD}/journalEntry/eid:J-GET", params={"expandSubResources": "true"}).json()
    assert (body["id"], body["memo"], body["tranDate"]) == (str(number), "Payout", "2026-09-15")
    assert body["status"] == {"id": "Approved for Posting", "refName": "Approved for Posting"}
    assert body["approvalStatus"] == {"id": "2", "refName": "Approved"}
    assert body["subsidiary"]["id"] == "2"
    assert body["lastModifiedDate"] == "2026-09-20T12:00:00Z"
    assert [line.get("debit") for line in body["line"]["items"]] == [187, None, None]
    assert "items" not in account.http.get(f"{RECORD}/journalentry/{number}").json()["line"]


def test_an_unbalanced_journal_is_refused_and_leaves_nothing(account: Account) -> None:
    before = account.api.database.sizes()
    body = journal("J-2", (BANK_GBP, "debit", 10.00), (CLEARING_GBP, "credit", 9.99))
    assert "must balance" in problem(account.post("journalEntry", body), 400, "USER_ERROR")
    assert account.api.database.sizes() == before


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (journal("J-3", (BANK_GBP, "debit", 1.005), (CLEARING_GBP, "credit", 1.005)), "INVALID_CONTENT"),
        (journal("J-3", (BANK_GBP, "debit", -1), (CLEARING_GBP, "credit", -1)), "INVALID_CONTENT"),
        (journal("J-3", (OLD_BANK, "debit", 1), (CLEARING_GBP, "credit", 1)), "INVALID_CONTENT"),
        (journal("J-3", (BANK_EUR, "debit", 1), (CLEARING_GBP, "credit", 1)), "INVALID_CONTENT"),
        (journal("J-3", (RECEIVABLE, "debit", 1), (CLEARING_GBP, "credit", 1)), "USER_ERROR"),
        (journal("J-3", (BANK_GBP, "debit", 1)), "USER_ERROR"),
        (journal("J|3"), "INVALID_CONTENT"),
        ({"externalId": "J-3", "line": journal("J-3")["line"]}, "USER_ERROR"),
    ],
    ids=["decimals", "negative", "inactive", "other subsidiary", "no entity", "one line", "external id", "subsidiary"],
)
def test_a_journal_the_books_cannot_take_is_refused(account: Account, body: dict[str, Any], code: str) -> None:
    problem(account.post("journalEntry", body), 400, code)
    assert account.rows("SELECT id FROM transaction WHERE externalid = 'J-3'") == []


def test_a_closed_or_locked_period_is_refused(account: Account) -> None:
    detail = problem(account.post("journalEntry", journal("J-4", tranDate="2026-04-10")), 400, "USER_ERROR")
    assert "No valid, open, posting period for date - 4/10/2026" in detail
    sent = journal("J-4", tranDate="2026-06-10", postingPeriod={"id": "202606"})
    assert "closed or locked" in problem(account.post("journalEntry", sent), 400, "USER_ERROR")


def test_a_journal_can_land_in_another_month_without_an_error_unless_the_period_is_sent(account: Account) -> None:
    account.api.settings.closed_period = "first_open"
    number = created(account.post("journalEntry", journal("J-5", tranDate="2026-04-10")))
    assert account.rows("SELECT postingperiod FROM transaction WHERE id = ?", number) == [{"postingperiod": "202607"}]


def test_a_duplicate_external_id_is_a_400_and_no_second_journal(account: Account) -> None:
    created(account.post("journalEntry", journal("J-6")))
    assert "already exist" in problem(account.post("journalEntry", journal("J-6")), 400, "USER_ERROR")
    assert len(account.rows("SELECT id FROM transaction WHERE externalid = 'J-6'")) == 1


def test_a_lost_answer_has_been_saved(account: Account) -> None:
    account.chaos.rules.append(Rule(path=RECORD, kind="outcome_unknown", method="POST", times=1))
    with pytest.raises(httpx.TransportError):
        account.post("journalEntry", journal("J-7"))
    assert len(account.rows("SELECT id FROM transaction WHERE externalid = 'J-7'")) == 1
    problem(account.post("journalEntry", journal("J-7")), 400, "USER_ERROR")


def test_a_journal_waits_for_approval_and_is_posted_by_a_patch(account: Account) -> None:
    account.api.settings.approval_required = True
    number = created(account.post("journalEntry", journal("J-8")))
    q = """SELECT t.posting, t.status, tal.posting AS gl FROM transaction t
           JOIN transactionaccountingline tal ON tal.transaction = t.id AND tal.transactionline = 0
           WHERE t.id = ? AND tal.accountingbook = 1"""
    assert account.rows(q, number) == [{"posting": "F", "status": "A", "gl": "F"}]
    assert created(account.http.patch(f"{RECORD}/journalEntry/{number}", json={"approved": True})) == number
    assert account.rows(q, number) == [{"posting": "T", "status": "B", "gl": "T"}]


def test_a_misspelt_property_is_dropped_unless_validation_is_error(account: Account) -> None:
    body = journal("J-9", mem0="lost")
    problem(account.post("journalEntry", body), 400, "INVALID_CONTENT")
    problem(account.post("journalEntry", journal("J-9", customr="lost")), 400, "INVALID_CONTENT")
    answer = account.post("journalEntry", body, headers={"X-NetSuite-PropertyNameValidation": "warning"})
    created(answer)
    assert "mem0" in answer.headers["x-netsuite-propertynamevalidation"]


def test_put_again_doubles_the_lines_unless_they_are_replaced(account: Account) -> None:
    url, body = f"{RECORD}/salesOrder/eid:SO-1", order("SO-1")
    del body["externalId"]
    number = created(account.http.put(url, json=body))
    count = "SELECT COUNT(*) AS n FROM transactionline WHERE transaction = ? AND item IS NOT NULL"
    assert account.rows(count, number) == [{"n": "2"}]
    assert created(account.http.put(url, json=body)) == number
    assert account.rows(count, number) == [{"n": "4"}]
    assert created(account.http.put(url, json=body, params={"replace": "item"})) == number
    assert account.rows(count, number) == [{"n": "2"}]


def test_put_without_an_external_id_is_refused(account: Account) -> None:
    problem(account.http.put(f"{RECORD}/salesOrder/5001", json={}), 400, "INVALID_REQUEST")


def test_order_lines_are_negative_the_amount_wins_and_nothing_is_posted(account: Account) -> None:
    number = created(account.post("salesOrder", order("SO-2")))
    q = "SELECT id, mainline, quantity, foreignamount FROM transactionline WHERE transaction = ? ORDER BY id"
    assert account.rows(q, number) == [
        {"id": "0", "mainline": "T", "foreignamount": "88.4"},
        {"id": "1", "mainline": "F", "quantity": "-2", "foreignamount": "-79.9"},
        {"id": "2", "mainline": "F", "quantity": "-1", "foreignamount": "-8.5"},
    ]
    assert account.rows("SELECT posting, foreigntotal FROM transaction WHERE id = ?", number) == [
        {"posting": "F", "foreigntotal": "88.4"}
    ]
    problem(account.post("salesOrder", order("SO-3", orderStatus={"id": "G"})), 400, "INVALID_CONTENT")
    problem(
        account.post("salesOrder", order("SO-3", item={"items": [{"item": {"id": "9999"}}]})), 400, "INVALID_CONTENT"
    )


def test_lines_that_a_fulfilment_does_not_name_are_shipped_in_full(account: Account) -> None:
    number = created(account.post("salesOrder", order("SO-4")))
    stock = "SELECT quantityonhand AS q FROM inventoryitemlocations WHERE location = 1 AND item = 2"
    before = Decimal(account.rows(stock)[0]["q"])
    body = {
        "item": {"items": [{"orderLine": 1, "quantity": 1}]},
        "package": {"items": [{"packageTrackingNumber": "TRACK-1"}]},
    }
    shipment = created(account.post(f"salesOrder/{number}/!transform/itemFulfillment", body))
    lines = account.rows(
        "SELECT id, quantityshiprecv FROM transactionline WHERE transaction = ? AND item IS NOT NULL ORDER BY id",
        number,
    )
    assert lines == [{"id": "1", "quantityshiprecv": "1"}, {"id": "2", "quantityshiprecv": "1"}]
    assert account.rows("SELECT status FROM transaction WHERE id = ?", number) == [{"status": "D"}]
    assert Decimal(account.rows(stock)[0]["q"]) == before - 1
    tracked = """SELECT tn.trackingnumber FROM TrackingNumberMap m JOIN TrackingNumber tn ON tn.id = m.trackingnumber
                 WHERE m.transaction = ?"""
    assert account.rows(tracked, shipment) == [{"trackingnumber": "TRACK-1"}]
    linked = "SELECT DISTINCT nextdoc, linktype FROM NextTransactionLink WHERE previousdoc = ?"
    assert account.rows(linked, number) == [{"nextdoc": str(shipment), "linktype": "ShipRcpt"}]


def test_a_line_stays_behind_when_it_is_switched_off(account: Account) -> None:
    number = created(account.post("salesOrder", order("SO-5")))
    body = {"item": {"items": [{"orderLine": 1}, {"orderLine": 2, "itemReceive": False}]}}
    path = f"salesOrder/{number}/!transform/itemFulfillment"
    created(account.post(path, body))
    created(account.post(path, {}))
    assert account.rows("SELECT status FROM transaction WHERE id = ?", number) == [{"status": "F"}]
    problem(account.post(path, {}), 400, "USER_ERROR")


def test_a_deleted_fulfilment_puts_the_goods_back(account: Account) -> None:
    stock = "SELECT quantityonhand AS q FROM inventoryitemlocations WHERE location = 1 AND item IN (1, 2) ORDER BY item"
    number = created(account.post("salesOrder", order("SO-6")))
    before = account.rows(stock)
    shipment = created(account.post(f"salesOrder/{number}/!transform/itemFulfillment", {}))
    assert account.rows(stock) != before
    problem(account.http.delete(f"{RECORD}/salesOrder/{number}"), 400, "USER_ERROR")
    assert account.http.delete(f"{RECORD}/itemFulfillment/{shipment}").status_code == 204
    assert account.rows(stock) == before
    assert account.rows("SELECT status FROM transaction WHERE id = ?", number) == [{"status": "B"}]


def test_fulfilments_are_made_by_transform_only(account: Account) -> None:
    assert "Copy and Create not supported" in problem(account.post("itemFulfillment", {}), 400, "USER_ERROR")


def invoice(account: Account) -> tuple[int, Decimal]:
    (row,) = account.rows(
        """SELECT id, foreignamountunpaid AS due FROM transaction
           WHERE type = 'CustInvc' AND status = 'A' AND entity = ? ORDER BY id FETCH FIRST 1 ROWS ONLY""",
        CUSTOMER_UK,
    )
    return int(row["id"]), Decimal(row["due"])


def test_a_payment_settles_an_invoice_and_a_deposit_takes_it_to_the_bank(account: Account) -> None:
    number, due = invoice(account)
    body = {
        "externalId": "P-1",
        "customer": {"id": CUSTOMER_UK},
        "tranDate": "2026-09-16",
        "payment": float(due),
        "apply": {"items": [{"doc": {"id": number}, "apply": True, "amount": float(due)}]},
    }
    payment = created(account.post("customerPayment", body))
    assert account.rows("SELECT status, foreignamountunpaid AS due FROM transaction WHERE id = ?", number) == [
        {"status": "B", "due": "0"}
    ]
    assert account.rows("SELECT status FROM transaction WHERE id = ?", payment) == [{"status": "B"}]
    deposit = {
        "externalId": "D-1",
        "account": {"id": BANK_GBP},
        "tranDate": "2026-09-17",
        "payment": {"items": [{"id": payment, "deposit": True}]},
        "other": {"items": [{"account": {"id": CLEARING_GBP}, "amount": 100}]},
        "cashback": {"items": [{"account": {"id": FEES}, "amount": 12.5}]},
    }
    deposited = created(account.post("deposit", deposit))
    q = """SELECT account, amount FROM transactionaccountingline
           WHERE transaction = ? AND accountingbook = 1 ORDER BY transactionline"""
    amounts = [Decimal(row["amount"]) for row in account.rows(q, deposited)]
    assert amounts == [due + Decimal("87.5"), -due, -100, Decimal("12.5")]
    assert account.rows("SELECT status FROM transaction WHERE id = ?", payment) == [{"status": "C"}]
    problem(account.post("deposit", deposit | {"externalId": "D-2"}), 400, "INVALID_CONTENT")
    url = f"{RECORD}/customerPayment/{payment}"
    assert "deposited" in problem(account.http.patch(url, json={"memo": "late"}), 400, "USER_ERROR")
    assert "dependent records" in problem(account.http.delete(url), 400, "USER_ERROR")
    assert account.http.delete(f"{RECORD}/deposit/{deposited}").status_code == 204
    assert created(account.http.patch(url, json={"memo": "late"})) == payment
    assert account.rows("SELECT status, memo FROM transaction WHERE id = ?", payment) == [
        {"status": "B", "memo": "late"}
    ]


def test_a_credit_memo_is_negative_and_is_applied(account: Account) -> None:
    number, due = invoice(account)
    body = {
        "externalId": "C-1",
        "entity": {"id": CUSTOMER_UK},
        "tranDate": "2026-09-16",
        "item": {"items": [{"item": {"id": 13}, "amount": 1.0}]},
        "apply": {"items": [{"doc": {"id": number}, "apply": True, "amount": 1.0}]},
    }
    memo = created(account.post("creditMemo", body))
    assert account.rows("SELECT foreigntotal, status FROM transaction WHERE id = ?", memo) == [
        {"foreigntotal": "-1", "status": "B"}
    ]
    left = account.rows("SELECT foreignamountunpaid AS due FROM transaction WHERE id = ?", number)
    assert Decimal(left[0]["due"]) == due - 1
    assert account.http.delete(f"{RECORD}/creditMemo/{memo}").status_code == 204
    left = account.rows("SELECT foreignamountunpaid AS due FROM transaction WHERE id = ?", number)
    assert Decimal(left[0]["due"]) == due
    assert account.rows("SELECT scriptid FROM deletedrecord WHERE recordid = ?", memo) == [{"scriptid": "creditmemo"}]


def test_an_invoice_becomes_a_credit_memo_that_settles_it(account: Account) -> None:
    number, due = invoice(account)
    shown = account.http.get(f"{RECORD}/invoice/{number}", params={"expandSubResources": "true"}).json()
    assert Decimal(str(shown["total"])) == sum(Decimal(str(item["amount"])) for item in shown["item"]["items"])
    memo = created(account.post(f"invoice/{number}/!transform/creditMemo", {"externalId": "C-2"}))
    rows = account.rows("SELECT externalid, foreigntotal, status FROM transaction WHERE id = ?", memo)
    assert rows[0]["externalid"] == "C-2"
    assert Decimal(rows[0]["foreigntotal"]) == -Decimal(str(shown["total"]))
    left = account.rows("SELECT status, foreignamountunpaid AS due FROM transaction WHERE id = ?", number)
    assert left == [{"status": "B", "due": "0"}]
    assert due > 0
    problem(account.post(f"invoice/{number}", {}), 405, "INVALID_REQUEST")


def test_foreign_journals_are_booked_in_the_base_currency_and_balance_there(account: Account) -> None:
    lines = ((BANK_EUR, "debit", 33.33), (CLEARING_EUR, "credit", 22.22), (FEES, "credit", 11.11))
    body = journal("J-10", *lines, subsidiary={"id": "3"}, currency={"id": "1"}, exchangeRate=1.1765)
    number = created(account.post("journalEntry", body))
    q = """SELECT SUM(amount) AS s, SUM(debit) AS d FROM transactionaccountingline
           WHERE transaction = ? AND accountingbook = 1"""
    assert account.rows(q, number) == [{"s": "0", "d": "39.21"}]


def test_a_missing_permission_is_a_400_live_and_a_403_in_the_documents(account: Account) -> None:
    account.api.settings.denied_records.add("deposit")
    assert "does not have permission" in problem(account.post("deposit", {}), 400, "USER_ERROR")
    account.api.settings.denied_status = 403
    problem(account.post("deposit", {}), 403, "INSUFFICIENT_PERMISSION")


def test_an_unknown_transaction_is_a_400_and_an_unknown_customer_a_404(account: Account) -> None:
    detail = problem(account.http.get(f"{RECORD}/journalEntry/999999"), 400, "USER_ERROR")
    assert detail == "Error while accessing a resource. Transaction type specified is incorrect."
    problem(account.http.get(f"{RECORD}/customer/999999"), 404, "NONEXISTENT_ID")
    problem(account.http.get(f"{RECORD}/taxItem/1"), 404, "NONEXISTENT_ID")


def test_lists_hold_ids_and_links_only(account: Account) -> None:
    body = account.http.get(f"{RECORD}/salesOrder", params={"limit": 5}).json()
    assert (body["count"], body["hasMore"]) == (5, True)
    assert all(set(item) == {"id", "links"} for item in body["items"])
    assert body["items"][0]["links"][0]["href"].startswith(f"{account.url}{RECORD}/salesorder/")


def test_malformed_json_is_an_invalid_request(account: Account) -> None:
    problem(account.http.post(f"{RECORD}/journalEntry", content=b"{"), 400, "INVALID_REQUEST")
