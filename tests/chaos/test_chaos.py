"""A few seeds of `make chaos`, and the judge itself: it must see what it is there for."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.delivery import Action, Outcome
from sandbox.world.netsuite.ids import TAX_ITEM_IDS
from tests.chaos.playing import Tally, play
from tests.chaos.town import NETSUITE, NETSUITE_SHOP, Town, running, world
from tests.chaos.work import EVERYTHING, Plan

SEEDS = (1, 5)
"""An acceptance that waits for its order among them."""
OWN_SEED = 8
"""Posts documents into Sage 200, for a test that runs in a process of its own."""
STANDARD_RATED = TAX_ITEM_IDS[1]


@pytest.fixture(scope="module")
def towns() -> Iterator[tuple[Town, Town]]:
    of = world()
    with running(of) as stormy, running(of) as calm:
        yield stormy, calm


def test_a_storm_leaves_what_a_calm_day_leaves(towns: tuple[Town, Town], tmp_path: Path) -> None:
    outcome = Tally()
    for seed in SEEDS:
        assert play(seed, *towns, tmp_path, outcome), outcome.notes
    assert outcome.is_clean, outcome.notes
    assert outcome.faults > 0
    assert outcome.kills > 0


def test_the_judge_sees_what_is_lost_doubled_and_wrong(towns: tuple[Town, Town], tmp_path: Path) -> None:
    stormy, calm = towns
    documents = stormy.store.sage_writes.documents
    assert play(OWN_SEED, stormy, calm, tmp_path, Tally())
    kept = list(documents)
    seed = next(n for n in range(100, 200) if any(account == "SAGE_UK" for _, account in Plan.of(n, 6).kinds))
    doubled = Tally()
    documents.append(kept[0])
    assert not play(seed, stormy, calm, tmp_path, doubled)
    assert doubled.duplicated == 1, doubled.notes
    documents.remove(kept[0])
    documents.remove(kept[0])
    lost = Tally()
    assert not play(seed + 1, stormy, calm, tmp_path, lost)
    assert lost.lost == 1, lost.notes
    documents.append(kept[0])


def test_a_netsuite_order_bears_its_class_and_the_tax_of_its_items(towns: tuple[Town, Town]) -> None:
    _, town = towns
    books = town.store.netsuite[NETSUITE].database
    code = next(str(row["itemid"]) for row in books.rows("item", f"salestaxcode = '{STANDARD_RATED}'"))
    goods = {"item_code": code, "quantity": "2", "unit_price": "5.00000", "narrative": "LINE-1"}
    carriage = {"item_code": "CARRIAGE", "quantity": "1", "unit_price": "1.00000", "narrative": "Carriage"}
    payload = {
        "wire_key": "TOTAXED",
        "order_reference": "TAXED-A",
        "order_date": "2026-07-02",
        "customer_reference": "MKHOMELY",
        "currency_code": "GBP",
        "location_name": "MAIN",
        "class_name": NETSUITE_SHOP,
        "lines": [goods, carriage],
    }
    one = Action("k", "TOTAXED", "SALES_ORDER", NETSUITE_SHOP, NETSUITE, payload)
    delivery = town.deliveries()["SALES_ORDER", NETSUITE]
    assert delivery.send([one])["k"].outcome is Outcome.SENT
    assert delivery.read_back([one])["k"].ok
    (order,) = books.rows("transaction", "externalid = 'SO-TOTAXED'")
    lines = books.rows("transactionline", f'"transaction" = {order["id"]} ORDER BY linesequencenumber')
    assert [(line["taxline"], line["foreignamount"]) for line in lines] == [
        ("F", Decimal("13.20")),
        ("F", Decimal(-10)),
        ("T", Decimal(-2)),
        ("F", Decimal(-1)),
        ("T", Decimal("-0.20")),  # carriage has no tax code of its own: that of the goods before it
    ]
    assert lines[0]["class"] is not None


def test_every_kind_comes_up() -> None:
    drawn = {kind for seed in range(60) for kind in Plan.of(seed, 6).kinds}
    assert drawn == set(EVERYTHING)
