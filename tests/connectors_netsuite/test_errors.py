"""The errors that were seen live, each as what a caller must know of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.errors import AuthError, ConnectorError, NotFound, RateLimited, RequestRejected
from connectors.netsuite.http import refusal_of
from connectors.netsuite.queries import QUERIES
from connectors.netsuite.statements import to_drop, unknown_column, unknown_table
from connectors.records import Window
from tests.connectors_netsuite.conftest import Connect
from tests.connectors_netsuite.suitetalk import Reply, Suitetalk

LEAD = "Invalid search query. Detailed unprocessed description follows. Search error occurred: "


@pytest.mark.contracts
@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("error_400_invalid_content", RequestRejected, "(item.items[0].item)"),
        ("error_401_invalid_login", AuthError, "Login Audit Trail"),
        ("error_404_nonexistent_id", NotFound, "NONEXISTENT_ID"),
        ("error_429_concurrency", RateLimited, "CONCURRENCY_LIMIT_EXCEEDED"),
    ],
)
def test_errors_seen_live_are_told_apart(
    suitetalk: Suitetalk, connect: Connect, payloads: Path, name: str, kind: type[ConnectorError], said: str
) -> None:
    body = json.loads((payloads / "netsuite" / f"{name}.json").read_text())
    headers = {"x-n-operationid": "op-77"}
    suitetalk.before = lambda _: Reply(body["status"], body, headers)
    with pytest.raises(kind) as raised:
        list(connect().pages("locations", Window()))
    assert said in str(raised.value)
    assert "op-77" in str(raised.value), "kept for a support case"


@pytest.mark.contracts
def test_the_live_unknown_identifier_names_its_column(payloads: Path) -> None:
    body = (payloads / "netsuite" / "error_400_suiteql_unknown_identifier.json").read_bytes()
    assert unknown_column(refusal_of(body).text) == "subsidiary"
    assert to_drop(QUERIES["sales_orders"], frozenset(), "subsidiary") == "ml.subsidiary"


@pytest.mark.parametrize(
    ("text", "column", "table"),
    [
        ("Unknown identifier 'subsidiary'. Available identifiers are: {transaction=transaction}.", "subsidiary", None),
        (
            "Field 'Amount' for record 'transactionline' was not found. Reason: REMOVED - Field is removed",
            "amount",
            None,
        ),
        ("Field 'x' for record 'y' was not found. Reason: NOT_EXPOSED", "x", None),
        ("Record 'currency' was not found.", None, "currency"),
        ("Invalid search type: Email.", None, "email"),
        ("Invalid or unsupported search.", None, None),
    ],
)
def test_each_text_of_a_refused_search_is_understood(text: str, column: str | None, table: str | None) -> None:
    assert unknown_column(LEAD + text) == column
    assert unknown_table(LEAD + text) == table


def test_of_two_columns_with_one_name_the_lesser_is_left_out_first() -> None:
    query = QUERIES["gl_lines"]
    assert to_drop(query, frozenset(), "lastmodifieddate") == "tal.lastmodifieddate"
    assert to_drop(query, frozenset({"tal.lastmodifieddate"}), "lastmodifieddate") == "t.lastmodifieddate"
    assert to_drop(query, frozenset(), "account") is None, "a ledger without accounts is none"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"o:errorDetails": "x"}', b"\xff"])
def test_an_answer_of_another_form_has_no_codes(body: bytes) -> None:
    assert refusal_of(body).codes == frozenset()
