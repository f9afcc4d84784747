"""A few seeds of `make chaos`, and the judge itself: it must see what it is there for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.playing import Outcome, play
from tests.chaos.town import Town, running, world
from tests.chaos.work import EVERYTHING, Plan

SEEDS = (1, 4)


@pytest.fixture(scope="module")
def towns() -> Iterator[tuple[Town, Town]]:
    of = world()
    with running(of) as stormy, running(of) as calm:
        yield stormy, calm


def test_a_storm_leaves_what_a_calm_day_leaves(towns: tuple[Town, Town], tmp_path: Path) -> None:
    outcome = Outcome()
    for seed in SEEDS:
        assert play(seed, *towns, tmp_path, outcome), outcome.notes
    assert outcome.is_clean, outcome.notes
    assert outcome.faults > 0
    assert outcome.kills > 0


def test_the_judge_sees_what_is_lost_doubled_and_wrong(towns: tuple[Town, Town], tmp_path: Path) -> None:
    stormy, calm = towns
    documents = stormy.store.sage_writes.documents
    kept = list(documents)
    seed = next(n for n in range(100, 200) if any(account == "SAGE_UK" for _, account in Plan.of(n, 6).kinds))
    doubled = Outcome()
    documents.append(kept[0])
    assert not play(seed, stormy, calm, tmp_path, doubled)
    assert doubled.duplicated == 1, doubled.notes
    documents.remove(kept[0])
    documents.remove(kept[0])
    lost = Outcome()
    assert not play(seed + 1, stormy, calm, tmp_path, lost)
    assert lost.lost == 1, lost.notes
    documents.append(kept[0])


def test_every_kind_comes_up() -> None:
    drawn = {kind for seed in range(60) for kind in Plan.of(seed, 6).kinds}
    assert drawn == set(EVERYTHING)
