"""A seller who trades in euro: a plain reader finds exactly what was planted, in books of either ERP."""

import pytest

from sandbox.world import World, build_world
from sandbox.world.erp import base_legs
from sandbox.world.model import Posting
from tests.sandbox_world.plain_currencies import bad_exchanges, wrong_rates


def _told(world: World, code: str, list_name: str = "exceptions") -> set[str]:
    name = "exception_code" if list_name == "exceptions" else "not_code"
    return {row["subject_id"] for row in world.truth[list_name] if row[name] == code}


@pytest.mark.parametrize("seed", [7, 11, 25, 40, 2026])
@pytest.mark.parametrize("orders", [250, 600])
def test_what_is_planted_in_foreign_money_is_found_and_nothing_else(seed: int, orders: int) -> None:
    world = build_world(seed=seed, orders=orders, marketplaces=("BRICO",), currency="EUR")
    assert wrong_rates(world) == _told(world, "FX-001")
    assert bad_exchanges(world) == _told(world, "BNK-009")
    for code in ("FX-001", "BNK-009"):
        assert _told(world, code)
        assert _told(world, code, "near_misses")
        assert not _told(world, code, "near_misses") & _told(world, code)


def test_without_faults_no_rate_and_no_exchange_is_wrong() -> None:
    world = build_world(seed=7, orders=250, faults=False, marketplaces=("BRICO",), currency="EUR")
    assert (wrong_rates(world), bad_exchanges(world)) == (set(), set())


def test_both_erps_hold_the_customers_account_in_euro_and_pounds_alike() -> None:
    def of(erp: str) -> World:
        return build_world(seed=7, orders=250, marketplaces=("BRICO",), erp=erp, currency="EUR")  # type: ignore[arg-type]

    sage, account = of("sage200").sage, of("netsuite").netsuite["NS_UK"]
    assert sage is not None
    held = {
        row["reference"]: (row["document_gross_value"], row["base_gross_value"])
        for row in sage.tables["sales_posted_transactions"]
        if row["exchange_rate"] != 1
    }
    legs = {row["transaction"]: row for row in account.tables["transactionline"] if row["mainline"] == "T"}
    posted = {
        row["tranid"]: (legs[row["id"]]["foreignamount"], legs[row["id"]]["netamount"])
        for row in account.tables["transaction"]
        if row["type"] in ("CustInvc", "CustCred") and row["exchangerate"] != 1
    }
    assert len(held) > 100
    assert held == posted


def test_legs_in_the_companys_currency_balance(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[Posting] = []
    original = base_legs

    def spy(posting: Posting) -> list[tuple[str, int]]:
        found.append(posting)
        return original(posting)

    monkeypatch.setattr("sandbox.world.sage.ledgers.base_legs", spy)
    build_world(seed=7, orders=250, marketplaces=("BRICO",), currency="EUR")
    foreign = [posting for posting in found if posting.rate is not None]
    assert foreign
    assert all(sum(amount for _, amount in original(posting)) == 0 for posting in foreign)
