"""The judges of Sage 200 and NetSuite tell right from wrong: what is right passes, each planted mistake is found."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.contracts.conftest import require_contracts
from tests.contracts.exchange import Exchange
from tests.contracts.judge import Judge
from tests.contracts.published import Side
from tests.contracts.validation import netsuite_judge, sage200_judge

pytestmark = pytest.mark.contracts
require_contracts()

SITE = {
    "authorization": "Bearer token",
    "x-site": "11111111-2222-3333-4444-555555555555",
    "x-company": "7",
    "content-type": "application/json",
}
CUSTOMER = {"id": 7, "reference": "MKBRICO", "balance": 12.5, "date_time_updated": "2026-06-01T10:00:00.5Z"}
RECEIPT = {"customer_id": 1, "bank_id": 2, "cheque_value": 12.5, "transaction_date": "2026-06-01T00:00:00Z"}
ROW = {"links": [], "id": "7", "type": "SalesOrd", "posting": "F"}
SQL = "SELECT t.id, t.type, t.posting FROM transaction t WHERE t.id > ? ORDER BY t.id"
RESOURCE = "application/vnd.oracle.resource+json; type="
LINES = [{"account": {"id": "1"}, "debit": 1.0}, {"account": {"id": "2"}, "credit": 1.0}]
CREATED = "https://x/services/rest/record/v1/journalentry/5"
JOURNAL = {"externalId": "JE-1", "subsidiary": {"id": "2"}, "line": {"items": LINES}}


@pytest.fixture(scope="module")
def sage200() -> Judge:
    return sage200_judge()


@pytest.fixture(scope="module")
def netsuite() -> Judge:
    return netsuite_judge()


def found(judge: Judge, side: Side, method: str, path: str, answer: Any, **more: Any) -> set[tuple[str, str, str]]:
    """Part, kind and place of what is found."""
    query: Mapping[str, str] = more.pop("query", {})
    sent, headers = more.pop("sent", None), more.pop("headers", {})
    body = sent if isinstance(sent, bytes) else b"" if sent is None else json.dumps(sent).encode()
    exchange = Exchange(
        side=side,
        method=method,
        path=path,
        query=tuple(query.items()),
        headers=headers,
        body=body,
        status=more.pop("status", 200),
        answer_headers={"content-type": more.pop("answer_type", "application/json"), **more},
        answer=b"" if answer is None else json.dumps(answer).encode(),
    )
    findings = judge.judge(exchange).findings
    return {(one.deviation.part, one.deviation.kind, one.deviation.at) for one in findings}


@pytest.mark.parametrize(
    ("query", "at"),
    [
        ({"$filter": "reference eq 'O''Neil' and id gt 5", "$orderby": "id asc", "$top": "500"}, None),
        ({"$filter": "date_time_updated ge 2026-06-01T10:00:00.5Z"}, None),
        ({"$filter": "no_such_member eq 1"}, "$filter no_such_member"),
        ({"$filter": "reference eq 7"}, "$filter reference"),
        ({"$filter": "id eq '7'"}, "$filter id"),
        ({"$filter": "date_time_updated ge 2026-06-01T10:00:00"}, "$filter date_time_updated"),
        ({"$orderby": "no_such_member"}, "$orderby no_such_member"),
        ({"$expand": "reference"}, "$expand reference"),
        ({"$skip": "5"}, "$skip"),
        ({"$top": "5001"}, "$top"),
        ({"$search": "x"}, "$search"),
    ],
)
def test_a_query_option_is_held_to_the_guide(sage200: Judge, query: dict[str, str], at: str | None) -> None:
    places = {
        place for _, _, place in found(sage200, "sage200", "get", "/customers", [CUSTOMER], query=query, headers=SITE)
    }
    assert places == ({at} if at else set())


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({}, None),
        ({"surprise": 1}, ("answer", "undocumented member", "[].surprise")),
        ({"name": None}, ("answer", "null", "[].name")),
        ({"balance": "12.50"}, ("answer", "type", "[].balance")),
        ({"balance": 12.345}, ("answer", "format", "[].balance")),
        ({"date_time_updated": "2026-06-01T10:00:00"}, ("answer", "format", "[].date_time_updated")),
        ({"reference": "123456789"}, ("answer", "limit maxLength", "[].reference")),
    ],
)
def test_a_row_of_sage_is_held_to_its_schema(
    sage200: Judge, change: dict[str, Any], finding: tuple[str, str, str] | None
) -> None:
    rows = [{**CUSTOMER, **change}]
    assert found(sage200, "sage200", "get", "/customers", rows, headers=SITE) == ({finding} if finding else set())


@pytest.mark.parametrize(
    ("path", "change", "headers", "finding"),
    [
        ("/sales_receipts", {}, SITE, None),
        ("/sales_receipts", {"customer_id": None}, SITE, ("request", "null", "customer_id")),
        ("/sales_receipts", {"urn": 5}, SITE, ("request", "undocumented member", "urn")),
        ("/sales_receipts", {"reference": "x" * 21}, SITE, ("request", "limit maxLength", "reference")),
        ("/sales_receipts", {}, {**SITE, "x-site": "here"}, ("request", "parameter", "X-Site")),
        ("/nominal_journals", {}, SITE, ("request", "unpublished call", "post /nominal_journals")),
    ],
)
def test_a_document_for_sage_is_held_to_its_schema(
    sage200: Judge, path: str, change: dict[str, Any], headers: dict[str, str], finding: tuple[str, str, str] | None
) -> None:
    seen = found(sage200, "sage200", "post", path, {"urn": "5"}, sent={**RECEIPT, **change}, headers=headers)
    assert seen == ({finding} if finding else set())


@pytest.mark.parametrize(
    ("sql", "change", "finding"),
    [
        (SQL, {}, None),
        (SQL, {"id": 7}, ("answer", "type", "items[].id")),
        (SQL, {"posting": "true"}, ("answer", "value", "items[].posting")),
        (SQL, {"TYPE": "x"}, ("answer", "undocumented member", "items[].TYPE")),
        (SQL, {"links": None}, ("answer", "missing member", "items[].links")),
        (SQL.replace("t.posting", "t.no_such"), {}, ("request", "unpublished column", "transaction.no_such")),
        (SQL.replace("FROM transaction t", "FROM nowhere t"), {}, ("request", "unpublished table", "nowhere")),
        (SQL + " LIMIT 5", {}, ("request", "statement", "LIMIT")),
        (SQL.replace("?", "? OR t.id = ?"), {}, ("request", "statement", "params")),
    ],
)
def test_a_statement_and_its_rows_are_held_to_the_tables(
    netsuite: Judge, sql: str, change: dict[str, Any], finding: tuple[str, str, str] | None
) -> None:
    page = {"links": [], "count": 1, "hasMore": False, "offset": 0, "totalResults": 1, "items": [{**ROW, **change}]}
    seen = found(
        netsuite,
        "netsuite",
        "post",
        "/query/v1/suiteql",
        page,
        sent={"q": sql, "params": ["5"]},
        query={"limit": "1000", "offset": "0"},
        headers={"authorization": "Bearer t", "prefer": "transient", "content-type": "application/json"},
        answer_type=RESOURCE + "collection",
        **{"preference-applied": "transient"},
    )
    assert finding in seen if finding else not seen


@pytest.mark.parametrize(
    ("change", "location", "at"),
    [
        ({}, CREATED, None),
        ({}, "", "Location"),
        ({"memmo": "misspelt"}, CREATED, "memmo"),
        ({"subsidiary": "2"}, CREATED, "subsidiary"),
        (
            {"line": {"items": [{**LINES[0], "credit": 1.0}]}},
            CREATED,
            "line.items[]",
        ),
    ],
)
def test_a_record_is_held_to_its_page(netsuite: Judge, change: dict[str, Any], location: str, at: str | None) -> None:
    seen = found(
        netsuite,
        "netsuite",
        "post",
        "/record/v1/journalEntry",
        None,
        sent={**JOURNAL, **change},
        headers={"authorization": "Bearer t", "content-type": "application/json"},
        status=204,
        location=location,
    )
    assert {place for _, _, place in seen} == ({at} if at else set())


@pytest.mark.parametrize(
    ("header", "claims", "at"),
    [
        ({}, {}, None),
        ({"alg": "RS256"}, {}, "header"),
        ({}, {"scope": "rest_webservices"}, "scope"),
        ({}, {"exp": 5000}, "exp"),
        ({}, {"aud": "https://elsewhere.example"}, "aud"),
        ({}, {"sub": "x"}, "claims"),
    ],
)
def test_an_assertion_is_held_to_its_published_form(
    netsuite: Judge, header: dict[str, Any], claims: dict[str, Any], at: str | None
) -> None:
    def part(content: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")

    whole = {"iss": "c", "scope": ["rest_webservices"], "iat": 0, "exp": 300}
    whole["aud"] = "https://x.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token"
    signed = f"{part({'typ': 'JWT', 'alg': 'PS256', 'kid': 'k'} | header)}.{part(whole | claims)}.c2ln"
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": signed,
    }
    seen = found(
        netsuite,
        "netsuite",
        "post",
        "/auth/oauth2/v1/token",
        {"access_token": "a", "expires_in": "3600", "token_type": "Bearer"},
        sent=urlencode(form).encode(),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert {place for _, _, place in seen} == ({at} if at else set())
