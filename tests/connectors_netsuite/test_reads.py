"""SuiteQL as the reference describes it: each trap that a reader can fall into is a test."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import BadPayload, PermissionDenied, RequestRejected
from connectors.netsuite.decode import FEEDS
from connectors.netsuite.queries import QUERIES
from connectors.records import Page, Window
from tests.connectors_netsuite.conftest import NOW, Connect
from tests.connectors_netsuite.suitetalk import Asked, Reply, Suitetalk, refusal


def rows(pages: list[Page]) -> list[dict[str, Any]]:
    """The decoded rows of all pages; a reject fails the test."""
    found: list[dict[str, Any]] = []
    for page in pages:
        decoded = FEEDS[page.entity].decoded(page.body, page.url)
        assert not decoded.rejects, decoded.rejects
        assert not decoded.unknown_fields
        found.extend(decoded.tables[f"netsuite_{page.entity}"].to_pylist())
    return found


def order(suitetalk: Suitetalk, number: int, changed: datetime, **more: Any) -> None:
    """A sales order with its main line; `changed` is in UTC, kept seven hours earlier."""
    local = (changed - timedelta(hours=7)).replace(tzinfo=None)
    suitetalk.insert("transaction", id=number, type="SalesOrd", lastmodifieddate=local, **more)
    suitetalk.insert("transactionline", transaction=number, id=0, mainline="T", taxline="F", subsidiary=3, location=6)


def test_ids_are_compared_as_numbers_so_9_comes_before_10(suitetalk: Suitetalk, connect: Connect) -> None:
    suitetalk.page_limit = 2
    for number in (9, 10, 11, 100, 8):
        order(suitetalk, number, NOW)
    found = rows(list(connect().pages("sales_orders", Window())))
    assert [row["id"] for row in found] == ["8", "9", "10", "11", "100"]


def test_more_than_100_000_rows_are_read_by_keyset_and_a_capped_total_is_no_count(
    suitetalk: Suitetalk, connect: Connect
) -> None:
    suitetalk.execute(
        "insert into inventoryitemlocations (item, location) select i // 2, i % 2 from range(101500) r(i)"
    )
    pages = list(connect().pages("stock", Window()))
    assert sum(page.record_count for page in pages) == 101_500
    assert {asked.parameters["offset"] for asked in suitetalk.asked} == {"0"}
    assert len(suitetalk.asked) == 102, "no more round trips than the page limit allows"
    declared = [page.declared_count for page in pages]
    assert declared[:2] == [None, None]
    assert declared[-1] == 101_500


def test_a_page_that_is_full_and_last_costs_no_further_request(suitetalk: Suitetalk, connect: Connect) -> None:
    suitetalk.execute("insert into inventoryitemlocations (item, location) select i, 1 from range(1000) r(i)")
    assert [page.record_count for page in connect().pages("stock", Window())] == [1000]
    assert len(suitetalk.asked) == 1


def test_lines_are_walked_by_transaction_and_line(suitetalk: Suitetalk, connect: Connect) -> None:
    suitetalk.page_limit = 3
    for number in (1, 2, 3):
        order(suitetalk, number, NOW)
        for line in range(1, 4):
            suitetalk.insert("transactionline", transaction=number, id=line, mainline="F", quantity="-1.5")
    found = rows(list(connect().pages("sales_order_lines", Window())))
    assert [(row["transaction"], row["id"]) for row in found] == [(str(t), str(n)) for t in (1, 2, 3) for n in range(4)]
    assert found[1]["quantity"] == "-1.5", "sales-side lines keep the vendor's sign"


def test_many_rows_of_one_second_do_not_stall_the_reading(suitetalk: Suitetalk, connect: Connect) -> None:
    suitetalk.page_limit = 4
    for number in range(1, 20):
        order(suitetalk, number, NOW - timedelta(hours=1))
    pages = list(connect().pages("sales_orders", Window(since=NOW - timedelta(hours=1))))
    assert len(rows(pages)) == 19


def test_windows_and_stamps_are_in_utc_not_in_the_accounts_zone(suitetalk: Suitetalk, connect: Connect) -> None:
    since = datetime(2026, 7, 2, 23, 30, tzinfo=UTC)
    order(suitetalk, 1, since - timedelta(seconds=1))
    order(suitetalk, 2, since)
    order(suitetalk, 3, since + timedelta(hours=2))
    pages = list(connect().pages("sales_orders", Window(since=since)))
    found = rows(pages)
    assert [(row["id"], row["lastmodifieddate"]) for row in found] == [
        ("2", "2026-07-02T23:30:00Z"),
        ("3", "2026-07-03T01:30:00Z"),
    ]
    assert pages[-1].cursor == "2026-07-03T01:30:00Z"
    assert "t.lastmodifieddate >= TO_DATE('2026-07-01','YYYY-MM-DD')" in suitetalk.asked[-1].sql


def test_a_row_that_changes_while_it_is_read_does_not_move_the_cursor(suitetalk: Suitetalk, connect: Connect) -> None:
    order(suitetalk, 1, NOW - timedelta(minutes=1))
    order(suitetalk, 2, NOW + timedelta(seconds=5))
    (page,) = connect().pages("sales_orders", Window())
    assert page.record_count == 2
    assert page.cursor == "2026-07-03T07:59:00Z"


def test_a_null_column_is_missing_from_its_row_and_null_in_the_table(suitetalk: Suitetalk, connect: Connect) -> None:
    order(suitetalk, 1, NOW, memo="first")
    order(suitetalk, 2, NOW)
    found = rows(list(connect().pages("sales_orders", Window())))
    assert [row["memo"] for row in found] == ["first", None]


def test_numbers_and_booleans_come_as_text_and_may_lack_their_leading_zero(
    suitetalk: Suitetalk, connect: Connect
) -> None:
    order(suitetalk, 1, NOW, foreigntotal="0.5", exchangerate="-0.25", voided="F", posting="T")
    (found,) = rows(list(connect().pages("sales_orders", Window())))
    assert (found["foreigntotal"], found["exchangerate"]) == ("0.5", "-0.25")
    assert (found["voided"], found["posting"]) == (False, True)


def test_columns_in_upper_case_are_read_all_the_same(suitetalk: Suitetalk, connect: Connect) -> None:
    order(suitetalk, 7, NOW, memo="Kept: As It Is")

    def shout(asked: Asked) -> Reply:
        reply = suitetalk.suiteql(asked)
        reply.body["items"] = [{k.upper(): v for k, v in row.items()} for row in reply.body["items"]]
        return reply

    suitetalk.before = shout
    pages = list(connect().pages("sales_orders", Window()))
    decoded = FEEDS["sales_orders"].decoded(pages[0].body, "")
    (row,) = decoded.tables["netsuite_sales_orders"].to_pylist()
    assert (row["id"], row["memo"], pages[0].cursor) == ("7", "Kept: As It Is", "2026-07-03T08:00:00Z")


def test_subsidiary_and_location_of_a_header_come_from_its_main_line(suitetalk: Suitetalk, connect: Connect) -> None:
    order(suitetalk, 1, NOW)
    (found,) = rows(list(connect().pages("sales_orders", Window())))
    assert (found["subsidiary"], found["location"]) == ("3", "6")
    assert "t.subsidiary" not in suitetalk.asked[-1].sql


def test_a_column_that_the_account_lacks_is_dropped_once_and_reported(suitetalk: Suitetalk, connect: Connect) -> None:
    suitetalk.absent = {"ml.subsidiary", "t.otherrefnum"}
    order(suitetalk, 1, NOW, memo="kept")
    connector = connect()
    (found,) = rows(list(connector.pages("sales_orders", Window())))
    assert (found["memo"], found["subsidiary"], found["location"]) == ("kept", None, "6")
    assert connector.missing_columns == {"sales_orders": ("ml.subsidiary", "t.otherrefnum")}
    before = len(suitetalk.asked)
    list(connector.pages("sales_orders", Window()))
    assert len(suitetalk.asked) == before + 1, "what is missing is remembered for the account"


def test_a_column_answered_by_unexpected_error_is_found_and_dropped(suitetalk: Suitetalk, connect: Connect) -> None:
    suitetalk.absent_silently = {"t.shipcarrier"}
    order(suitetalk, 1, NOW, memo="kept")
    connector = connect()
    (found,) = rows(list(connector.pages("sales_orders", Window())))
    assert (found["memo"], found["shipcarrier"]) == ("kept", None)
    assert connector.missing_columns == {"sales_orders": ("t.shipcarrier",)}


def test_a_function_that_the_account_refuses_is_dropped_and_its_column_kept(
    suitetalk: Suitetalk, connect: Connect
) -> None:
    def without_functions(asked: Asked) -> Reply | None:
        text = "Invalid search query. Detailed unprocessed description follows. Search error occurred: Invalid or "
        is_refused = b"BUILTIN." in asked.body
        return refusal(400, "INVALID_PARAMETER", f"{text}unsupported search.") if is_refused else None

    order(suitetalk, 1, NOW)
    suitetalk.execute("update transactionline set shipmethod = 7")
    (found,) = rows(list(connect().pages("sales_orders", Window())))
    assert (found["shipmethod"], found["shipmethod_name"]) == ("7", "name of 7")
    suitetalk.before = without_functions
    connector = connect()
    (found,) = rows(list(connector.pages("sales_orders", Window())))
    assert (found["shipmethod"], found["shipmethod_name"]) == ("7", None)
    assert connector.missing_columns == {"sales_orders": ("BUILTIN.DF(ml.shipmethod)",)}


def test_a_feed_without_its_key_is_refused_not_dropped(suitetalk: Suitetalk, connect: Connect) -> None:
    suitetalk.absent = {"t.item"}
    with pytest.raises(RequestRejected, match="Unknown identifier 'item'"):
        list(connect().pages("stock", Window()))


def test_a_table_without_its_time_stamp_is_read_whole(suitetalk: Suitetalk, connect: Connect) -> None:
    suitetalk.absent = {"t.lastmodifieddate"}
    suitetalk.insert("item", id=5, itemid="SKU-5")
    pages = list(connect().pages("items", Window(since=NOW)))
    assert [row["itemid"] for row in rows(pages)] == ["SKU-5"]
    assert pages[0].cursor is None


def test_a_missing_permission_is_not_an_empty_table(suitetalk: Suitetalk, connect: Connect) -> None:
    suitetalk.forbidden = {"accountingperiod"}
    with pytest.raises(PermissionDenied, match="accountingperiod cannot be read"):
        list(connect().pages("periods", Window()))
    (page,) = connect().pages("locations", Window())
    assert (page.record_count, page.declared_count) == (0, 0)


def test_the_ledger_is_that_of_the_primary_book_and_of_what_is_posted(suitetalk: Suitetalk, connect: Connect) -> None:
    suitetalk.insert("accountingbook", id=4, isprimary="T")
    suitetalk.insert("accountingbook", id=5, isprimary="F")
    suitetalk.insert("transaction", id=1, type="Journal", lastmodifieddate=NOW.replace(tzinfo=None))
    for book, posting, account, line in ((4, "T", 58, 0), (5, "T", 58, 0), (4, "F", 58, 1), (4, "T", None, 2)):
        suitetalk.insert(
            "transactionaccountingline",
            transaction=1,
            transactionline=line,
            accountingbook=book,
            posting=posting,
            account=account,
            debit="187.00",
        )
    (found,) = rows(list(connect().pages("gl_lines", Window())))
    assert (found["accountingbook"], found["account"], found["debit"], found["credit"]) == ("4", "58", "187", None)


def test_an_account_without_further_books_has_its_ledger_read_too(suitetalk: Suitetalk, connect: Connect) -> None:
    suitetalk.forbidden = {"accountingbook"}
    suitetalk.absent = {"tal.accountingbook"}
    suitetalk.insert("transaction", id=1, type="Journal", lastmodifieddate=NOW.replace(tzinfo=None))
    suitetalk.insert("transactionaccountingline", transaction=1, transactionline=0, posting="T", account=58, debit="1")
    (found,) = rows(list(connect().pages("gl_lines", Window())))
    assert found["debit"] == "1"


def test_bank_postings_are_those_on_bank_and_card_accounts(suitetalk: Suitetalk, connect: Connect) -> None:
    suitetalk.insert("transaction", id=1, type="Deposit", lastmodifieddate=NOW.replace(tzinfo=None))
    for account, kind in ((1, "Bank"), (2, "CredCard"), (3, "Income")):
        suitetalk.insert("account", id=account, accttype=kind)
        suitetalk.insert(
            "transactionaccountingline",
            transaction=1,
            transactionline=account,
            accountingbook=1,
            posting="T",
            account=account,
        )
    found = rows(list(connect().pages("bank_postings", Window())))
    assert [row["accttype"] for row in found] == ["Bank", "CredCard"]


def test_a_page_that_comes_again_is_refused(suitetalk: Suitetalk, connect: Connect) -> None:
    order(suitetalk, 1, NOW)

    def again(asked: Asked) -> Reply:
        first = Asked(asked.method, asked.path, asked.parameters, asked.headers, first_body)
        reply = suitetalk.suiteql(first)
        reply.body["hasMore"] = True
        return reply

    connector = connect()
    list(connector.pages("sales_orders", Window()))
    first_body = suitetalk.asked[0].body
    suitetalk.before = again
    with pytest.raises(BadPayload, match="came twice"):
        list(connector.pages("sales_orders", Window()))


@pytest.mark.parametrize("entity", list(QUERIES))
def test_every_feed_can_be_read(entity: str, suitetalk: Suitetalk, connect: Connect) -> None:
    (page,) = connect().pages(entity, Window(since=NOW))
    assert page.record_count == 0


def test_doctor_names_what_is_missing(suitetalk: Suitetalk, connect: Connect) -> None:
    suitetalk.forbidden = {"salestaxitem"}
    suitetalk.absent = {"ml.class"}
    results = {result.name: result for result in connect().check()}
    assert results["NS_UK: sign-in"].ok
    assert not results["NS_UK: tax_codes (salestaxitem)"].ok
    assert "permission" in results["NS_UK: tax_codes (salestaxitem)"].action
    assert results["NS_UK: invoices (transaction)"].detail.endswith("not on this account: ml.class")
    assert results["NS_UK: locations (location)"].detail == "may be read, and is empty"


def test_doctor_tells_edition_books_and_open_periods(suitetalk: Suitetalk, connect: Connect) -> None:
    results = {result.name: result for result in connect().check()}
    assert not results["NS_UK: open periods"].ok
    for number, name, closed in ((1, "May 2026", "T"), (2, "Jun 2026", "F"), (3, "Jul 2026", "F")):
        flags = dict.fromkeys(("isyear", "isquarter", "isadjust", "alllocked"), "F")
        day = f"2026-0{number + 4}-01"
        suitetalk.insert("accountingperiod", id=number, periodname=name, closed=closed, startdate=day, **flags)
    suitetalk.insert("accountingbook", id=4, isprimary="T")
    suitetalk.forbidden = {"subsidiary"}
    results = {result.name: result for result in connect().check()}
    assert results["NS_UK: open periods"].detail == "2, Jun 2026 to Jul 2026"
    assert results["NS_UK: books"].detail == (
        "one company, or no permission for subsidiaries; 1 accounting books, the primary one has the id 4"
    )


def test_a_look_up_that_would_lose_rows_is_refused(suitetalk: Suitetalk, connect: Connect) -> None:
    suitetalk.page_limit = 2
    suitetalk.execute("insert into location (id) select i from range(5) r(i)")
    with pytest.raises(BadPayload, match="not full"):
        connect().select("SELECT t.id FROM location t ORDER BY t.id")


def test_a_long_look_up_is_read_by_offsets_that_are_multiples_of_the_limit(
    suitetalk: Suitetalk, connect: Connect
) -> None:
    suitetalk.execute("insert into location (id) select i from range(2500) r(i)")
    assert len(connect().select("SELECT t.id FROM location t ORDER BY t.id")) == 2500
    assert [asked.parameters["offset"] for asked in suitetalk.asked] == ["0", "1000", "2000"]


@pytest.mark.contracts
def test_every_column_that_is_asked_for_is_in_the_contract(contracts: Path) -> None:
    contract = json.loads((contracts / "netsuite" / "contract.json").read_text())
    tables = contract["suiteql_tables"]
    # A field of the record that no capture of the table shows, because those accounts are on SuiteTax.
    assert "salesTaxCode" in contract["records"]["inventoryItem"]["fields"]
    tables["item"]["columns"]["salestaxcode"] = {}
    # Of price levels no capture was found; the columns are those of other users' statements (deviations_netsuite.toml).
    prices = ("item", "currencypage", "pricelevelname", "price", "isinactive")
    tables["itemprice"] = {"columns": dict.fromkeys(prices)}
    strange = []
    for query in QUERIES.values():
        names = {}
        for part in query.source.split(" JOIN "):
            table, alias = part.replace(" LEFT", "").split(" ")[:2]
            names[alias] = table
        for field in query.fields:
            alias, _, column = field.of.rpartition(".")
            if column not in tables[names[alias]]["columns"]:
                strange.append(f"{query.entity}: {names[alias]}.{column}")
    assert not strange
