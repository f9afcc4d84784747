"""The same books in either ERP, a second seller with its own, and what else a NetSuite account holds."""

from collections import Counter, defaultdict
from collections.abc import Callable
from decimal import Decimal

import pytest

from sandbox.netsuite.database import Database
from sandbox.world import ALL_MARKETPLACES, World
from sandbox.world.faults import FAULTS
from tests.sandbox_world.plain_books import books_of
from tests.sandbox_world.plain_reconciler import findings

LEVELS = ("ORD", "SET", "PAY", "STK", "TAX", "DSP", "CRN", "CLR-003", "CUS", "OFR")
WorldOf = Callable[..., World]


@pytest.fixture(params=[7, 11], ids="seed{}".format)
def in_sage(request: pytest.FixtureRequest, world_of: WorldOf) -> World:
    return world_of(request.param)


@pytest.fixture
def in_netsuite(in_sage: World, world_of: WorldOf) -> World:
    return world_of(in_sage.seed, marketplaces=ALL_MARKETPLACES, erp="netsuite")


def told(world: World, marketplace: str) -> set[tuple[str, str, str]]:
    return {
        (e["exception_code"], e["subject_type"], e["subject_id"])
        for e in world.truth["exceptions"]
        if e["marketplace_code"] == marketplace and e["exception_code"].startswith(LEVELS)
    }


def test_both_erps_hold_the_same_books(in_sage: World, in_netsuite: World) -> None:
    sage, netsuite = books_of(in_sage), books_of(in_netsuite)
    number = {order.number: order for order in netsuite.orders}
    assert len(number) == len(sage.orders) > 300
    for order in sage.orders:
        twin = number[order.number]
        # A carriage line bears no line id; the item of a charge is a name of the ERP's own in both.
        assert twin == order
    assert (netsuite.tax_code, netsuite.inactive) == (sage.tax_code, sage.inactive)
    assert netsuite.free == sage.free
    assert netsuite.allocated == sage.allocated
    assert min(sage.free.values()) < 0


def test_both_erps_have_posted_the_same(in_sage: World, in_netsuite: World) -> None:
    assert books_of(in_netsuite).postings == books_of(in_sage).postings
    assert books_of(in_netsuite).credits == books_of(in_sage).credits
    assert books_of(in_netsuite).invoices == books_of(in_sage).invoices


def test_the_truth_does_not_depend_on_the_erp(in_sage: World, in_netsuite: World) -> None:
    for part in ("exceptions", "near_misses", "settlements", "receipts", "stock"):
        rows = [row for row in in_netsuite.truth[part] if row["marketplace_code"] != "HOMELY"]
        assert rows == in_sage.truth[part]
    assert in_netsuite.mirakl["BRICO"] == in_sage.mirakl["BRICO"]


def test_a_second_opinion_finds_the_truth_in_netsuite_too(in_netsuite: World) -> None:
    assert findings(in_netsuite) == told(in_netsuite, "BRICO")


def test_a_second_opinion_finds_the_second_sellers_truth(in_netsuite: World) -> None:
    assert findings(in_netsuite, "HOMELY") == told(in_netsuite, "HOMELY")
    of_homely = [e for e in in_netsuite.truth["exceptions"] if e["marketplace_code"] == "HOMELY"]
    of_its_model = [fault for fault in FAULTS if fault.model in (None, "ORDER_LED")]
    planted = {fault.name for fault in of_its_model if fault.only in (None, "HOMELY")}
    assert {e["fault"] for e in of_homely} == planted | {"NATURAL"}


def test_the_second_seller_shares_nothing_with_the_first(in_netsuite: World) -> None:
    first, second = in_netsuite.mirakl["BRICO"], in_netsuite.mirakl["HOMELY"]
    assert not first.orders.keys() & second.orders.keys()
    for part in ("transaction_lines", "cycles", "invoices"):
        assert not {row["id"] for row in getattr(first, part)} & {row["id"] for row in getattr(second, part)}
    by_account = Counter(file.account for file in in_netsuite.bank)
    assert by_account["BARC_GBP"] == by_account["HSBC_GBP"] > 1
    assert len({file.name for file in in_netsuite.bank}) == len(in_netsuite.bank)


def test_the_first_seller_is_the_same_with_and_without_the_second(world_of: WorldOf) -> None:
    alone, both = world_of(7), world_of(7, marketplaces=ALL_MARKETPLACES)
    assert both.sage == alone.sage
    assert (both.mirakl["BRICO"], both.mirakl["PLAZA"]) == (alone.mirakl["BRICO"], alone.mirakl["PLAZA"])
    assert list(both.netsuite) == ["NS_HOME"]


def test_journal_faults_are_in_netsuites_ledger(in_netsuite: World) -> None:
    tables = in_netsuite.netsuite["NS_UK"].tables
    subject = {
        e["exception_code"]: e["subject_id"]
        for e in in_netsuite.truth["exceptions"]
        if e["marketplace_code"] == "BRICO" and e["exception_code"].startswith("JNL")
    }
    by_key = defaultdict(list)
    for row in tables["transaction"]:
        if row["type"] == "Journal":
            by_key[str(row["memo"]).removeprefix("Reversal of ")].append(row)
    original, copy = by_key[subject["JNL-002"]]
    assert original["externalid"] == f"JE-{copy['tranid']}"
    assert copy.get("externalid") is None
    original, reversal = by_key[subject["JNL-007"]]
    assert (reversal["isreversal"], reversal["reversal"]) == ("T", original["id"])
    (posted,) = by_key[subject["JNL-005"]]
    assert f"{posted['trandate']:%Y-%m}" < subject["JNL-005"].split("|")[4]
    assert subject["JNL-004"] in {str(row["id"]) for row in tables["transaction"] if row["tranid"] == "NJ000481"}


def test_a_netsuite_company_has_what_real_ones_have(in_netsuite: World) -> None:
    """Each of these is nothing to report, and each has misled a reader somewhere."""
    database = Database(in_netsuite.netsuite["NS_UK"])

    def count(sql: str) -> int:
        return int(database.value(f"SELECT count(*) FROM {sql}"))

    assert count("accountingperiod WHERE isadjust = 'T'") == 3
    assert count("accountingperiod WHERE isyear = 'T'") == 3
    assert count("accountingperiod WHERE closed = 'T'") > 10
    assert count("subsidiary WHERE iselimination = 'T'") == 1
    assert count("transaction WHERE voided = 'T'") == 1
    assert count("transaction WHERE type = 'Journal' AND posting = 'F'") == 1
    assert count("transaction WHERE type = 'Estimate'") == 1
    assert count("deletedrecord") == 2
    assert count("item WHERE isinactive = 'T'") == 6
    assert count("inventoryitemlocations WHERE quantityonhand IS NULL") > 50
    totals = database.fetch(
        "SELECT accountingbook, count(*), sum(amount) FROM transactionaccountingline GROUP BY 1 ORDER BY 1"
    )[1]
    assert [book for book, _, _ in totals] == [1, 2]
    assert totals[0][1:] == totals[1][1:]
    assert totals[0][2] == Decimal(0)
    abroad = "transactionline WHERE subsidiary = 3 AND mainline = 'T'"
    assert count(abroad) == 3
