"""The account's concurrency limit, over every kind of call."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.sandbox_netsuite.company import BANK_GBP, CLEARING_GBP
from tests.sandbox_netsuite.conftest import RECORD, Account, problem


def at_once(account: Account, calls: int) -> list[httpx.Response]:
    account.api.settings.call_seconds = 0.3
    with ThreadPoolExecutor(calls) as pool:
        asked = [
            pool.submit(account.query, "SELECT id FROM currency")
            if number % 2
            else pool.submit(account.http.get, f"{RECORD}/currency")
            for number in range(calls)
        ]
        return [call.result() for call in asked]


@pytest.mark.parametrize("code", ["CONCURRENCY_LIMIT_EXCEEDED", "SSS_REQUEST_LIMIT_EXCEEDED"])
def test_one_call_too_many_is_a_429_with_the_title_of_a_400(account: Account, code: str) -> None:
    account.api.settings.concurrency_limit = 2
    account.api.settings.limit_code = code
    answers = at_once(account, 4)
    refused = [answer for answer in answers if answer.status_code != 200]
    assert [answer.status_code for answer in answers].count(200) == 2
    for answer in refused:
        assert problem(answer, 429, code) == "Concurrent request limit exceeded. Request blocked."
        assert answer.json()["title"] == "Bad Request"
        assert "retry-after" not in answer.headers


def test_as_many_calls_as_the_limit_are_answered(account: Account) -> None:
    account.api.settings.concurrency_limit = 4
    assert {answer.status_code for answer in at_once(account, 4)} == {200}
    assert account.http.get("/services/rest/system/v1/governanceLimits").json()["accountConcurrencyLimit"] == 4


def test_of_equal_journals_sent_at_once_one_is_saved(account: Account) -> None:
    sides = ({"account": {"id": BANK_GBP}, "debit": 5}, {"account": {"id": CLEARING_GBP}, "credit": 5})
    body = {"externalId": "J-RACE", "subsidiary": {"id": "2"}, "line": {"items": list(sides)}}
    with ThreadPoolExecutor(4) as pool:
        answers = [call.result() for call in [pool.submit(account.post, "journalEntry", body) for _ in range(4)]]
    assert sorted(answer.status_code for answer in answers) == [204, 400, 400, 400]
    assert len(account.rows("SELECT id FROM transaction WHERE externalid = 'J-RACE'")) == 1
