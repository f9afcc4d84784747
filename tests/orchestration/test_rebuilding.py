"""A lost or damaged warehouse comes back from landing alone, equal to the row; damaged evidence costs nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import duckdb
import pytest

from orchestration.lib import dbt, erasing, rebuilding
from orchestration.lib.erasing import NoSuchPerson
from orchestration.lib.integrity import verify
from orchestration.lib.loading import load
from orchestration.lib.points import points
from orchestration.lib.publish import read_manifest
from orchestration.lib.rebuilding import RebuildRefused, rebuild
from orchestration.lib.settings import Settings
from orchestration.lib.state import State
from tests.orchestration.test_building import load as land_lines
from tests.orchestration.test_lanes import totals
from tests.orchestration.test_persons import MEMBERS, NAMES, everything, order, page
from tests.orchestration.test_persons import land as land_orders


def _lose(settings: Settings) -> None:
    settings.warehouse_path.unlink()


def _damage(settings: Settings) -> None:
    content = bytearray(settings.warehouse_path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    settings.warehouse_path.write_bytes(content)


def _lose_marts_too(settings: Settings) -> None:
    _lose(settings)
    shutil.rmtree(settings.published_dir)
    shutil.rmtree(settings.dbt_dir, ignore_errors=True)


@pytest.mark.parametrize("spoil", [_damage, _lose_marts_too])
def test_the_warehouse_comes_back_as_it_was(ran: Settings, spoil: Callable[[Settings], None]) -> None:
    before, shown, kept = read_manifest(ran), totals(ran), len(points(ran))
    spoil(ran)

    done = rebuild(ran)

    assert done.is_same_input
    assert done.differences == ()
    assert done.is_proved
    assert (done.loaded.inserted, done.loaded.quarantined) == (done.loaded.records, 0)
    assert done.loaded.records > 0
    assert read_manifest(ran) == before
    assert totals(ran) == shown
    assert len(points(ran)) == kept, "the same marts are no new point"
    assert not list(ran.root.glob("*.replaced"))
    assert set(done.seconds) == {"check", "load", "build", "publish"}


def test_newer_evidence_is_in_the_marts_and_named_as_a_difference(ran: Settings) -> None:
    land_lines(ran, 1, 2, 3, 4, 5, 6)
    done = rebuild(ran)
    assert not done.is_same_input
    assert done.is_proved
    assert "totals" in {one.mart for one in done.differences}
    assert totals(ran)[0][1] == 6


def test_damaged_evidence_is_refused_before_anything_goes(ran: Settings) -> None:
    warehouse = ran.warehouse_path.read_bytes()
    with State(ran.state_path) as state:
        path = ran.root / state.files()[0].path
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(RebuildRefused, match="damaged"):
        rebuild(ran)
    path.unlink()
    with pytest.raises(RebuildRefused, match="is missing"):
        rebuild(ran)
    assert ran.warehouse_path.read_bytes() == warehouse


def test_a_rebuild_that_fails_leaves_the_old_warehouse(ran: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = ran.warehouse_path.read_bytes()
    monkeypatch.setattr(rebuilding.building, "build", lambda _: dbt.DbtResult((), "no such column"))
    with pytest.raises(RebuildRefused, match="no such column"):
        rebuild(ran)
    assert ran.warehouse_path.read_bytes() == warehouse
    assert not list(ran.root.glob("*.replaced"))


def test_a_mart_that_is_missing_is_not_proved(ran: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    names = set(read_manifest(ran))
    monkeypatch.setattr(rebuilding.building, "build", lambda _: dbt.DbtResult(()))  # says that all is well
    done = rebuild(ran)
    assert not done.is_proved
    assert {one.mart for one in done.differences if one.rows_now is None} == names


def test_without_a_manifest_there_is_nothing_to_rebuild_from(settings: Settings) -> None:
    with pytest.raises(RebuildRefused, match="no manifest of evidence"):
        rebuild(settings)


def test_a_rebuild_after_an_erasure_neither_fails_nor_brings_anybody_back(ran: Settings) -> None:
    land_orders(ran, page(order("A-1", NAMES[0]), order("A-2", NAMES[1]), order("A-3", None)))
    load(ran)
    before, shown = raw_orders(ran), (read_manifest(ran), totals(ran))
    assert len(before) == 3
    assert erasing.erase(ran, ["A-1"], by="Dana", reason="asked for it") == ["A-1"]
    _lose(ran)

    done = rebuild(ran)

    assert done.is_proved
    assert (done.loaded.quarantined, done.differences) == (0, ())
    assert raw_orders(ran) == before
    assert (read_manifest(ran), totals(ran)) == shown
    assert [text for text in MEMBERS if text.encode() in everything(ran.root)] == []
    assert not any(text in str(before) for text in MEMBERS)
    with pytest.raises(NoSuchPerson, match="erased"):
        erasing.shown(ran, "A-1")
    assert len(erasing.shown(ran, "A-2")) == 1
    assert verify(ran).problems == []


def raw_orders(settings: Settings) -> list[tuple[object, ...]]:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as warehouse:
        return warehouse.execute("select * from raw.mirakl_orders order by all").fetchall()
