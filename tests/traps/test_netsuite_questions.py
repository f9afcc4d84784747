"""The open questions of the NetSuite reference: every plausible answer is played, and the connector takes each."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import httpx
import pytest
from sqlglot import exp, parse_one

from connectors.delivery import Action, Outcome
from connectors.http import Call
from connectors.netsuite import NetSuiteConnector
from connectors.netsuite.decode import FEEDS
from connectors.netsuite.delivery import JournalDelivery
from connectors.netsuite.document_delivery import CreditMemoDelivery, SalesOrderDelivery
from connectors.netsuite.journals import MAXIMUM_LINES
from connectors.netsuite.queries import QUERIES
from connectors.netsuite.statements import Slice, statement
from connectors.records import Window
from sandbox.netsuite import NetSuiteApi
from tests.connectors_netsuite.account import AS_OF, BY_CERTIFICATE, SUBSIDIARY
from tests.contracts.writing_netsuite import BANK, BUYER, DAY, FEES, LINES
from tests.traps.conftest import Connect

SHUT_DAY = "2026-01-10"
"""A date in a month that the sandbox's company has closed."""
_GET = Call("GET salesOrder")
_NUMBERS = itertools.count(1)


def action(kind: str, /, **payload: Any) -> Action:
    wire = f"TRAP{next(_NUMBERS)}"
    return Action(f"{kind}|{wire}", wire, kind, "BRICO", "NS_UK", {"wire_key": wire, **payload})


def journal(*amounts: str, day: str = DAY) -> Action:
    """Fees by these amounts, against the bank."""
    lines = [{"account_type": "NOMINAL", "account_code": FEES, "debit": amount} for amount in amounts]
    total = sum((Decimal(amount) for amount in amounts), Decimal(0))
    lines.append({"account_type": "BANK", "account_code": BANK, "credit": f"{total}"})
    for number, line in enumerate(lines, start=1):
        line |= {"line_no": str(number), "account_role": line["account_type"]}
    body = [{**line, "line_no": int(line["line_no"])} for line in lines]
    return action("JOURNAL", journal_key="K", kind="SETTLEMENT", posting_date=day, currency_code="GBP", lines=body)


def sent(delivery: Any, one: Action) -> Any:
    return delivery.send([one])[one.action_key]


def read(reader: NetSuiteConnector, entity: str) -> list[dict[str, Any]]:
    found = []
    for page in reader.pages(entity, Window()):
        table = FEEDS[entity].decoded(page.body, page.url).tables[f"netsuite_{entity}"]
        found += table.drop_columns([name for name in table.column_names if name.startswith("_")]).to_pylist()
    return found


class Answering(httpx.BaseTransport):
    """The account, but for writes of `path`, which it answers like this without carrying them out."""

    def __init__(self, path: str, status: int, code: str, detail: str) -> None:
        self._inner = httpx.HTTPTransport()
        self._path = path
        self._refusal = {
            "type": "about:blank",
            "title": "Bad Request",
            "status": status,
            "o:errorDetails": [{"detail": detail, "o:errorCode": code}],
        }

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and request.url.path.endswith(self._path):
            return httpx.Response(int(str(self._refusal["status"])), json=self._refusal)
        return self._inner.handle_request(request)


@pytest.mark.parametrize("status", [400, 403, 409, 422])
@pytest.mark.parametrize(
    ("code", "detail"),
    [
        ("USER_ERROR", "Error while accessing a resource. The amounts in a journal entry must balance."),
        ("INVALID_CONTENT", "Insert Transaction Failure: No valid, open, posting period for date - 20/9/2026"),
    ],
)
def test_netsuite_q01_a_refused_journal_may_have_any_status_and_code(
    connect: Connect, status: int, code: str, detail: str
) -> None:
    reader = connect(transport=Answering("/journalEntry", status, code, detail))
    result = sent(JournalDelivery(reader, SUBSIDIARY), journal("1.00"))
    assert result.outcome is Outcome.FAILED
    assert detail in result.detail


@pytest.mark.parametrize("status", [400, 409])
@pytest.mark.parametrize(
    "detail",
    [
        "Error while accessing a resource. This record already exists.",
        "Error while accessing a resource. This entity already exists.",
        "A record with this ID already exists",
    ],
)
def test_netsuite_q01_a_duplicate_is_told_by_its_words(connect: Connect, status: int, detail: str) -> None:
    """Nobody has seen the status: what the account holds decides."""
    one = journal("2.00")
    first = sent(JournalDelivery(connect(), SUBSIDIARY), one)
    reader = connect(transport=Answering("/journalEntry", status, "USER_ERROR", detail))
    delivery = JournalDelivery(reader, SUBSIDIARY)
    assert sent(delivery, one).vendor_ids == first.vendor_ids
    stranger = sent(delivery, journal("3.00"))
    assert (stranger.outcome, stranger.retryable) == (Outcome.FAILED, True), "taken, they say, yet nobody has it"


HEADER = [("transaction", name) for name in ("subsidiary", "total", "account", "createdfrom")]


@pytest.mark.parametrize("hidden", [{}, dict.fromkeys(HEADER, ""), dict.fromkeys(HEADER, "REMOVED")])
def test_netsuite_q02_a_header_may_lack_subsidiary_total_account_and_source(
    connect: Connect, account: NetSuiteApi, hidden: dict[tuple[str, str], str]
) -> None:
    """None of the four is asked for: the main line and the ledger say it on every account."""
    usual = read(connect(), "sales_orders")
    account.settings.hidden_columns = {("transactionline", "amount"): "REMOVED", **hidden}
    reader = connect()
    assert read(reader, "sales_orders") == usual
    assert all(row["subsidiary"] for row in usual)
    assert not reader.missing_columns


@pytest.mark.parametrize("hidden", [{}, {("transactionline", "amount"): "NOT_EXPOSED"}])
def test_netsuite_q03_lines_may_have_an_amount_or_not(
    connect: Connect, account: NetSuiteApi, hidden: dict[tuple[str, str], str]
) -> None:
    account.settings.hidden_columns = dict(hidden)
    reader = connect()
    rows = read(reader, "sales_order_lines")
    assert rows
    assert all(row["foreignamount"] is not None for row in rows)
    assert not reader.missing_columns


@pytest.mark.parametrize("past", ["error", "end"])
def test_netsuite_q04_what_lies_past_the_row_ceiling_is_read_by_key(
    connect: Connect, account: NetSuiteApi, monkeypatch: pytest.MonkeyPatch, past: str
) -> None:
    whole = read(connect(), "gl_lines")
    monkeypatch.setattr("connectors.netsuite.client.PAGE_SIZE", 50)
    account.settings.row_ceiling, account.settings.past_ceiling = 100, past  # type: ignore[assignment]
    assert len(whole) > 200, "the ceiling is below what there is"
    assert read(connect(), "gl_lines") == whole


def test_netsuite_q05_no_statement_filters_by_status() -> None:
    """Both spellings of a status have failed somewhere, so none is compared in SQL."""
    for query in QUERIES.values():
        where = parse_one(statement(query, Slice(AS_OF)), read="oracle").find(exp.Where)
        columns = {column.name.lower() for column in where.find_all(exp.Column)} if where else set()
        assert not {name for name in columns if name.endswith("status")}, query.entity


EXPOSED = [
    ("items", "item", "upccode"),
    ("items", "item", "averagecost"),
    ("stock", "inventoryitemlocations", "quantityonorder"),
]


@pytest.mark.parametrize("reason", ["", "REMOVED", "NOT_EXPOSED"])
@pytest.mark.parametrize(("entity", "table", "column"), EXPOSED)
def test_netsuite_q06_a_column_that_the_account_lacks_is_left_out_and_named(
    connect: Connect, account: NetSuiteApi, entity: str, table: str, column: str, reason: str
) -> None:
    account.settings.hidden_columns = {**account.settings.hidden_columns, (table, column): reason}
    reader = connect()
    rows = read(reader, entity)
    assert rows
    assert all(row[column] is None for row in rows)
    assert any(name.endswith(f".{column}") for name in reader.missing_columns[entity])


@pytest.mark.parametrize("table", ["trackingnumbermap", "salestaxitem", "inventoryitemlocations"])
def test_netsuite_q06_a_table_that_the_account_lacks_is_not_empty(
    connect: Connect, account: NetSuiteApi, table: str
) -> None:
    account.settings.denied_tables = {table}
    results = [result for result in connect().check() if f"({table})" in result.name]
    assert results
    assert all(not result.ok and "not an empty table" in result.detail for result in results)


def test_netsuite_q07_a_stamp_in_utc_is_that_of_the_record(connect: Connect) -> None:
    reader = connect(BY_CERTIFICATE)
    row = next(row for row in read(reader, "sales_orders") if row["lastmodifieddate"])
    answer = reader.client.read(_GET, f"/services/rest/record/v1/salesOrder/{row['id']}", {}, lambda a: a.body)
    assert f'"lastModifiedDate":"{row["lastmodifieddate"]}"'.encode() in answer.replace(b" ", b"")


@pytest.mark.parametrize("sign", [1, -1])
def test_netsuite_q08_a_credit_may_show_either_sign(connect: Connect, account: NetSuiteApi, sign: int) -> None:
    one = action(
        "CREDIT_NOTE",
        document_date=DAY,
        lines=[{"item_code": "SKU-0001", "quantity": "1", "unit_price": "2.00"}],
        location_name="Warehouse Leeds",
        **BUYER,
    )
    delivery = CreditMemoDelivery(connect(), SUBSIDIARY)
    (identifier,) = sent(delivery, one).vendor_ids
    with account.database.writing():
        account.database.update("transaction", {"foreigntotal": sign * Decimal(2)}, "id = ?", [int(identifier)])
    assert delivery.read_back([one])[one.action_key].ok


@pytest.mark.parametrize("form", ["text", "number"])
def test_netsuite_q09_a_tokens_life_may_be_a_text_or_a_number(
    connect: Connect, account: NetSuiteApi, form: str
) -> None:
    """The scope is sent as an array, which is what was seen to work; the account takes it or refuses the assertion."""
    account.settings.expires_in_form = form  # type: ignore[assignment]
    assert read(connect(BY_CERTIFICATE), "locations")


def test_netsuite_q10_no_record_is_asked_for_by_an_external_id_in_the_address(connect: Connect) -> None:
    """What GET answers to an unknown `eid:` is not known: the look-up is a statement, whose answer is."""
    asked: list[str] = []

    class Noting(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            asked.append(f"{request.method} {request.url.path}")
            return super().handle_request(request)

    delivery = JournalDelivery(connect(transport=Noting()), SUBSIDIARY)
    one = journal("4.00")
    assert delivery.look_up([one]) == {one.action_key: None}
    assert sent(delivery, one).outcome is Outcome.SENT
    assert delivery.read_back([one])[one.action_key].ok
    assert not [path for path in asked if "eid:" in path or path.startswith("GET /services/rest/record")]


@pytest.mark.parametrize("scope", ["type", "transactions"])
def test_netsuite_q11_external_ids_may_share_one_space(connect: Connect, account: NetSuiteApi, scope: str) -> None:
    """They are prefixed by type, so a journal and an order with one wire key never meet."""
    account.settings.external_id_scope = scope  # type: ignore[assignment]
    reader = connect()
    one = journal("5.00")
    same = {
        "order_reference": f"OF-{one.wire_key}",
        "order_date": DAY,
        "lines": LINES,
        **BUYER,
        "wire_key": one.wire_key,
    }
    order = Action(f"SALES_ORDER|{one.wire_key}", one.wire_key, "SALES_ORDER", "BRICO", "NS_UK", same)
    assert sent(JournalDelivery(reader, SUBSIDIARY), one).outcome is Outcome.SENT
    assert sent(SalesOrderDelivery(reader, SUBSIDIARY), order).outcome is Outcome.SENT


def test_netsuite_q12_a_journal_stays_below_a_thousand_lines(connect: Connect) -> None:
    before = journal(*["0.01"] * (MAXIMUM_LINES + 1))
    for number, line in enumerate(before.payload["lines"], start=1):
        line["narrative"] = f"line {number}"
    result = sent(JournalDelivery(connect(), SUBSIDIARY), before)
    assert result.outcome is Outcome.FAILED
    assert "split it" in result.detail


def test_netsuite_q13_no_statement_needs_with_or_functions_of_builtin() -> None:
    """`BUILTIN.DF` is asked for one thing that no published table has, the ship item's name (netsuite.md, 3.3 and
    Fulfilment), as a column that may be missing.
    """
    for query in QUERIES.values():
        sql = statement(query, Slice(AS_OF), primary_book=1)
        assert not parse_one(sql, read="oracle").find(exp.With), query.entity
        functions = {field.function for field in query.fields if field.function is not None}
        assert functions <= {"BUILTIN.DF(ml.shipmethod)"}, query.entity
        without = statement(query, Slice(AS_OF), missing=functions, primary_book=1)
        assert "BUILTIN." not in without.upper(), query.entity


@pytest.mark.parametrize("allowed", [True, False])
def test_netsuite_q13_headers_are_read_where_functions_of_builtin_are_refused(
    connect: Connect, account: NetSuiteApi, allowed: bool
) -> None:
    account.settings.builtin_allowed = allowed
    reader = connect()
    assert read(reader, "fulfilments")
    assert reader.missing_columns == ({} if allowed else {"fulfilments": ("BUILTIN.DF(ml.shipmethod)",)})


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("closed", ["refuse", "first_open"])
def test_netsuite_q14_approvals_and_the_default_period_may_be_either(
    connect: Connect, account: NetSuiteApi, required: bool, closed: str
) -> None:
    """A journal is sent approved and with its period, so neither preference decides what becomes of it."""
    account.settings.approval_required = required
    account.settings.closed_period = closed  # type: ignore[assignment]
    delivery = JournalDelivery(connect(), SUBSIDIARY)
    one = journal("6.00")
    assert sent(delivery, one).outcome is Outcome.SENT
    assert delivery.read_back([one])[one.action_key].ok
    shut = sent(delivery, journal("7.00", day=SHUT_DAY))
    assert shut.outcome is Outcome.FAILED
    assert "is shut" in shut.detail
