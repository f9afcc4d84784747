"""SuiteQL: what the vendor answers, what it refuses, and the traps of reading it."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

import pyarrow as pa
import pytest

from sandbox.netsuite import NetSuiteWorld
from sandbox.netsuite.database import Database
from tests.sandbox_netsuite.conftest import SUITEQL, Account, problem

PREFIX = "Invalid search query. Detailed unprocessed description follows. "


def test_every_value_is_a_text_and_null_columns_are_missing(account: Account) -> None:
    answer = account.query(
        "SELECT item, location, quantityonhand FROM inventoryitemlocations WHERE item = 1 ORDER BY 2"
    )
    body = answer.json()
    assert answer.headers["preference-applied"] == "transient"
    assert answer.headers["content-type"] == "application/vnd.oracle.resource+json; type=collection"
    assert [set(row) for row in body["items"]] == [{"links", "item", "location", "quantityonhand"}] * 2 + [
        {"links", "item", "location"}
    ]
    assert all(isinstance(value, str) for row in body["items"] for name, value in row.items() if name != "links")
    assert (body["count"], body["totalResults"], body["hasMore"], body["offset"]) == (3, 3, False, 0)


def test_keys_are_lower_case_and_decimals_lack_the_leading_zero(account: Account) -> None:
    rows = account.rows('SELECT symbol AS "ISO", exchangerate AS Rate FROM currency WHERE id = 2')
    assert rows == [{"iso": "EUR", "rate": ".85"}]


def test_prefer_transient_is_compulsory(account: Account) -> None:
    answer = account.http.post(SUITEQL, json={"q": "SELECT id FROM currency"})
    problem(answer, 400, "INVALID_HEADER")
    assert answer.json()["o:errorDetails"][0]["o:errorHeader"] == "Prefer"


@pytest.mark.parametrize(("limit", "offset", "named"), [(0, 0, "limit"), (1001, 0, "limit"), (10, 5, "offset")])
def test_limit_is_at_most_1000_and_offset_a_multiple_of_it(
    account: Account, limit: int, offset: int, named: str
) -> None:
    answer = account.query("SELECT id FROM currency", limit=limit, offset=offset)
    problem(answer, 400, "INVALID_PARAMETER")
    assert answer.json()["o:errorDetails"][0]["o:errorQueryParam"] == named


def test_the_row_ceiling_caps_the_total_and_ends_the_offsets(account: Account) -> None:
    account.api.settings.row_ceiling = 20
    page = account.query("SELECT id FROM transaction ORDER BY id", limit=10, offset=10).json()
    assert (page["totalResults"], page["hasMore"]) == (20, False)
    problem(account.query("SELECT id FROM transaction", limit=10, offset=20), 400, "INVALID_PARAMETER")
    account.api.settings.past_ceiling = "end"
    assert account.query("SELECT id FROM transaction", limit=10, offset=20).json()["count"] == 0


def test_a_smaller_limit_lowers_the_ceiling(account: Account) -> None:
    problem(account.query("SELECT id FROM transaction", limit=5, offset=5000), 400, "INVALID_PARAMETER")


def test_keyset_paging_reads_everything_once_and_ids_compare_as_numbers(account: Account) -> None:
    last, read = "0", []
    while True:
        rows = account.rows("SELECT id FROM transaction WHERE id > ? ORDER BY id", last, limit=50)
        read += [int(row["id"]) for row in rows]
        if len(rows) < 50:
            break
        last = rows[-1]["id"]
    assert read == sorted(set(read))
    assert len(read) == account.api.database.sizes()["transaction"]


def test_offset_paging_without_an_order_repeats_and_loses_rows(account: Account) -> None:
    read = [
        row["id"]
        for offset in (0, 50, 100, 150)
        for row in account.rows("SELECT id FROM transaction", limit=50, offset=offset)
    ]
    assert len(set(read)) < len(read)


def test_dates_lose_their_time_unless_to_char_is_around_them(account: Account) -> None:
    q = """SELECT trandate, lastmodifieddate, TO_CHAR(lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS') AS local
           FROM transaction WHERE id = 5001"""
    (row,) = account.rows(q)
    assert row == {"trandate": "09/20/2026", "lastmodifieddate": "09/20/2026", "local": "2026-09-20 04:00:00"}
    account.api.settings.date_format = "DD.MM.YYYY"
    assert account.rows(q)[0]["trandate"] == "20.09.2026"


def test_to_char_renders_the_account_zone_and_sys_extract_utc_utc(account: Account) -> None:
    q = """SELECT TO_CHAR(t.lastmodifieddate, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS not_utc,
                  TO_CHAR(SYS_EXTRACT_UTC(t.lastmodifieddate), 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS utc
           FROM transaction t
           WHERE SYS_EXTRACT_UTC(t.lastmodifieddate) >= TO_TIMESTAMP(?, 'YYYY-MM-DD HH24:MI:SS')
             AND t.lastmodifieddate >= TO_DATE(?, 'YYYY-MM-DD') AND t.id > ? ORDER BY t.id FETCH FIRST 1 ROWS ONLY"""
    assert account.rows(q, "2026-09-20 11:00:00", "2026-09-19", 0) == [
        {"not_utc": "2026-09-20T04:00:00Z", "utc": "2026-09-20T11:00:00Z"}
    ]


def test_now_is_the_accounts_and_sysdate_the_servers(account: Account) -> None:
    (row,) = account.rows("SELECT TO_CHAR(CURRENT_DATE, 'YYYY-MM-DD HH24:MI:SS') AS now_ts FROM DUAL")
    assert row == {"now_ts": "2026-09-20 05:00:00"}


def test_utc_reaches_into_an_aggregate_and_days_are_numbers(account: Account) -> None:
    q = """SELECT TO_CHAR(SYS_EXTRACT_UTC(MAX(t.lastmodifieddate)), 'YYYY-MM-DD HH24:MI:SS') AS utc,
                  TO_CHAR(CURRENT_DATE - 7, 'YYYY-MM-DD HH24:MI:SS') AS ago
           FROM transaction t WHERE t.id = 5001"""
    assert account.rows(q) == [{"utc": "2026-09-20 11:00:00", "ago": "2026-09-13 05:00:00"}]


def test_rownum_counts_before_the_order_and_top_and_fetch_after(account: Account) -> None:
    assert account.rows("SELECT TOP 2 id FROM currency ORDER BY id DESC") == [{"id": "3"}, {"id": "2"}]
    assert account.rows("SELECT id FROM currency ORDER BY id DESC FETCH FIRST 1 ROWS ONLY") == [{"id": "3"}]
    assert account.rows("SELECT id FROM currency WHERE ROWNUM <= 2 ORDER BY id DESC") == [{"id": "2"}, {"id": "1"}]


def test_display_and_coded_values(account: Account) -> None:
    q = """SELECT status, BUILTIN.DF(status) AS df, BUILTIN.CF(status) AS cf, BUILTIN.DF(currency) AS cur
           FROM transaction WHERE id = 5001"""
    assert account.rows(q) == [{"status": "B", "df": "Pending Fulfillment", "cf": "SalesOrd:B", "cur": "Euro"}]


def test_oracle_outer_joins_nvl_and_concatenation(account: Account) -> None:
    q = """SELECT a.id, a.acctnumber || '/' || c.symbol AS label FROM account a, accountsubsidiarymap m, currency c
           WHERE a.id = m.account(+) AND c.id = 1 AND NVL(a.isinactive, 'F') = 'T' ORDER BY a.id"""
    assert account.rows(q) == [{"id": "199", "label": "1190/GBP"}]


def test_the_trial_balance_balances_per_book_and_doubles_without_the_book(account: Account) -> None:
    q = """SELECT tl.subsidiary, SUM(tal.debit) AS debit, SUM(tal.credit) AS credit, SUM(tal.amount) AS amount
           FROM transactionaccountingline tal
           JOIN transaction t ON t.id = tal.transaction
           JOIN transactionline tl ON tl.transaction = tal.transaction AND tl.id = tal.transactionline
           WHERE tal.posting = 'T' AND tal.account IS NOT NULL {book} AND t.postingperiod = ?
           GROUP BY tl.subsidiary ORDER BY 1"""
    primary = account.rows(q.format(book="AND tal.accountingbook = 1"), 202609)
    every = account.rows(q.format(book=""), 202609)
    assert [row["subsidiary"] for row in primary] == ["2", "3"]
    assert {row["amount"] for row in primary} == {"0"}
    assert [float(row["debit"]) for row in every] == pytest.approx([2 * float(row["debit"]) for row in primary])


@pytest.mark.parametrize(
    ("q", "detail"),
    [
        ("SELECT id FROM currency LIMIT 5", "Search error occurred: Invalid or unsupported search."),
        ("SELECT x.id FROM nowhere x", "Invalid search type: nowhere."),
        ("SELECT id FROM account WHERE subsidiary = 2", "Search error occurred: Invalid or unsupported search."),
        ("SELECT [id] FROM account", "Search error occurred: Invalid or unsupported search."),
        (
            "WITH a AS (SELECT id FROM account) SELECT id FROM a",
            "Search error occurred: Invalid or unsupported search.",
        ),
        ("DELETE FROM account", "Search error occurred: Invalid or unsupported search."),
        ("SELECT id FROM account; SELECT 1 FROM dual", "Search error occurred: Invalid or unsupported search."),
        (
            "SELECT BUILTIN.CONSOLIDATE(foreigntotal) FROM transaction",
            "Search error occurred: Invalid or unsupported search.",
        ),
        ("SELECT * FROM read_text('/etc/hostname')", "Search error occurred: Invalid or unsupported search."),
        (
            "SELECT t.subsidiary FROM transaction t",
            "Search error occurred: Unknown identifier 'subsidiary'. Available identifiers are: {t=transaction}.",
        ),
        (
            "SELECT type FROM item",
            "Search error occurred: Unknown identifier 'type'. Available identifiers are: {item=item}.",
        ),
        (
            "SELECT amount FROM transactionline",
            (
                "Search error occurred: Field 'amount' for record 'transactionline' was not found. "
                "Reason: REMOVED - Field is removed"
            ),
        ),
    ],
)
def test_what_the_vendor_cannot_answer_is_named(account: Account, q: str, detail: str) -> None:
    assert problem(account.query(q), 400, "INVALID_PARAMETER") == PREFIX + detail


def test_a_missing_permission_looks_like_a_missing_record(account: Account) -> None:
    account.api.settings.denied_tables.add("accountingperiod")
    detail = problem(account.query("SELECT id FROM accountingperiod"), 400, "INVALID_PARAMETER")
    assert detail == PREFIX + "Search error occurred: Record 'accountingperiod' was not found."


def test_a_role_without_a_subsidiary_silently_sees_fewer_rows(account: Account) -> None:
    lines = "SELECT COUNT(*) AS n FROM transaction t JOIN transactionline tl ON tl.transaction = t.id WHERE {}"
    german, every = lines.format("tl.subsidiary = 3"), lines.format("t.id > 0")
    before = [int(account.rows(q)[0]["n"]) for q in (german, every)]
    account.api.settings.role_subsidiaries = {2}
    assert account.rows(german) == [{"n": "0"}]
    assert account.rows(every) == [{"n": str(before[1] - before[0])}]


def test_a_large_table_can_be_given_as_an_arrow_table() -> None:
    lines = pa.table({"transaction": [1, 1], "id": [0, 1], "uniquekey": [10, 11], "memo": ["a", None]})
    database = Database(NetSuiteWorld(tables={"transactionline": lines}))
    assert database.rows("transactionline", "id = 1") == [{"transaction": 1, "id": 1, "uniquekey": 11}]


def test_what_is_remembered_of_a_table_is_what_stands_in_it() -> None:
    database = Database(NetSuiteWorld(tables={"location": [{"id": 1, "name": "MAIN"}]}))
    writing, seen = threading.Event(), threading.Event()

    def write() -> None:
        with suppress(ZeroDivisionError), database.writing():
            database.update("location", {"name": "LOST"}, "id = ?", [1])
            database.insert("location", [{"id": 2, "name": "NEW"}])
            assert database.row("location", 1) == {"id": 1, "name": "LOST"}
            assert database.next_id("location") == 3
            writing.set()
            seen.wait()
            raise ZeroDivisionError

    assert database.next_id("location") == 2
    writer = threading.Thread(target=write)
    writer.start()
    writing.wait()
    assert database.row("location", 1) == {"id": 1, "name": "MAIN"}
    seen.set()
    writer.join()
    assert [database.row("location", 1), database.row("location", 2)] == [{"id": 1, "name": "MAIN"}, None]
    assert database.next_id("location") == 2
    with database.writing():
        database.update("location", {"name": "MOVED"}, "id = ?", [1])
    assert database.row("location", 1) == {"id": 1, "name": "MOVED"}
    database.insert("location", [{"id": 7, "name": "FAR"}])
    assert database.next_id("location") == 8


def test_parameters_are_values_and_never_sql(account: Account) -> None:
    assert account.rows("SELECT id FROM account WHERE fullname = ?", "x' OR '1'='1") == []
    assert account.query("SELECT id FROM account WHERE id = ? OR id = ?", 1).status_code == 400
    slots = ("\N{SECTION SIGN}1\N{SECTION SIGN}", "x' OR '1'='1")
    assert account.rows("SELECT id FROM account WHERE fullname = ? OR fullname = ?", *slots) == []


def test_an_expression_without_a_name_is_called_by_its_place(account: Account) -> None:
    assert account.rows("SELECT symbol, COUNT(*) FROM currency WHERE id = 1 GROUP BY symbol") == [
        {"symbol": "GBP", "expr2": "1"}
    ]


def test_a_list_has_at_most_1000_values(account: Account) -> None:
    many = ", ".join(str(number) for number in range(1001))
    assert account.query(f"SELECT id FROM account WHERE id IN ({many})").status_code == 400
    assert account.query(f"SELECT id FROM account WHERE id IN ({many.partition(', ')[2]})").status_code == 200


def test_select_star_leaves_out_what_the_role_cannot_see(account: Account) -> None:
    account.api.settings.hidden_columns["currency", "symbol"] = ""
    assert "symbol" not in account.rows("SELECT * FROM currency")[0]


LINES = "SELECT transaction, id, foreignamount FROM transactionline tl WHERE mainline = 'F'"


def _read_on(account: Account, transaction: str, line: str, limit: int) -> dict[str, Any]:
    behind = f"tl.transaction > {transaction} OR (tl.transaction = {transaction} AND tl.id > {line})"
    answer = account.query(f"{LINES} AND ({behind}) ORDER BY tl.transaction, tl.id", limit=limit)
    page: dict[str, Any] = answer.json()
    return page


def test_reading_on_behind_two_keys_gives_the_rest_and_its_count(account: Account) -> None:
    whole = account.rows(f"{LINES} ORDER BY tl.transaction, tl.id")
    read = list(whole[:7])
    while len(read) < len(whole):
        page = _read_on(account, read[-1]["transaction"], read[-1]["id"], limit=7)
        rest = len(whole) - len(read)
        assert (page["count"], page["totalResults"], page["hasMore"]) == (min(7, rest), rest, rest > 7)
        read += page["items"]
    assert [(row["transaction"], row["id"]) for row in read] == [(row["transaction"], row["id"]) for row in whole]
    assert _read_on(account, read[-1]["transaction"], read[-1]["id"], limit=7)["count"] == 0


def test_reading_on_sees_what_was_written_since_the_last_page(account: Account) -> None:
    last = account.rows(f"{LINES} ORDER BY tl.transaction, tl.id")[-1]
    before = _read_on(account, "0", "0", limit=5)["totalResults"]
    database = account.api.database
    with database.writing():
        database.insert("transactionline", [{"transaction": int(last["transaction"]), "id": 999, "mainline": "F"}])
    assert _read_on(account, "0", "0", limit=5)["totalResults"] == before + 1
    assert [row["id"] for row in _read_on(account, last["transaction"], last["id"], limit=5)["items"]] == ["999"]


def test_two_different_places_are_no_position(account: Account) -> None:
    rows = account.rows(f"{LINES} ORDER BY tl.transaction, tl.id")
    first, last = int(rows[0]["transaction"]), int(rows[-1]["transaction"])
    places = f"tl.transaction > {last} OR (tl.transaction = {first} AND tl.id > 0)"
    found = account.rows(f"{LINES} AND ({places}) ORDER BY tl.transaction, tl.id")
    assert found
    assert {row["transaction"] for row in found} == {str(first)}
