"""What a large run lands is loaded while it still lands, and the load that follows finds nothing twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.feeds import REGISTRY
from connectors.records import Page, Window
from orchestration.lib import decoding, loading, loading_alongside
from orchestration.lib.loading import LoadResult
from orchestration.lib.settings import Settings
from tests.orchestration.test_loading import land, lines, query
from tests.orchestration.vendor import Vendor, line


class Slow(Vendor):
    """Holds its last page back until something was loaded."""

    def __init__(self, vendor: Vendor, early: list[LoadResult]) -> None:
        super().__init__(records=vendor.records)
        self._early = early

    def pages(self, entity: str, window: Window) -> Iterator[Page]:
        *first, last = list(super().pages(entity, window))
        yield from first
        deadline = time.monotonic() + 30
        while not self._early and time.monotonic() < deadline:
            time.sleep(0.01)
        yield last


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading_alongside, "FIRST_RECORDS", 2)
    monkeypatch.setattr(loading_alongside, "FROM_RECORDS", 2)
    monkeypatch.setattr(loading_alongside, "LOOK_SECONDS", 0.01)


def test_pages_are_loaded_while_others_are_still_to_come(settings: Settings) -> None:
    early: list[LoadResult] = []
    with loading_alongside.loading_alongside(settings, REGISTRY, early.append):
        land(settings, Slow(lines(*(line(n) for n in range(1, 61))), early))
    assert early, "something was loaded before the last page came"

    late = loading.load(settings)

    assert sum(result.inserted for result in [*early, late]) == 60
    assert query(settings, "select count(*), count(distinct id) from raw.mirakl_transaction_lines") == [(60, 60)]
    assert query(settings, "select is_complete from raw.batches") == [(True,)]
    assert loading.proved_counts(settings) == []


def test_a_load_that_fails_meanwhile_is_left_to_the_one_that_follows(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried: list[int] = []

    def fails(*_: object, **__: object) -> LoadResult:
        tried.append(1)
        raise OSError("the disk is full")

    monkeypatch.setattr(loading_alongside, "load", fails)
    with loading_alongside.loading_alongside(settings, REGISTRY, lambda _: None):
        land(settings, lines(*(line(n) for n in range(1, 12))))
        while not tried:
            time.sleep(0.01)
    assert "the load that follows tries again" in caplog.text
    assert loading.load(settings).inserted == 11


@pytest.mark.parametrize("are_running", [True, False])
def test_a_large_rest_is_loaded_here_when_processes_are_there_for_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, are_running: bool
) -> None:
    monkeypatch.setattr(loading_alongside, "LOOK_SECONDS", 60)  # it only looks when the reading has ended
    monkeypatch.setattr(decoding.Processes, "are_running", are_running)
    early: list[LoadResult] = []
    with loading_alongside.loading_alongside(settings, REGISTRY, early.append):
        land(settings, lines(*(line(n) for n in range(1, 12))))

    assert sum(result.inserted for result in early) == (11 if are_running else 0)
    assert loading.load(settings).inserted == (0 if are_running else 11)
    assert loading.proved_counts(settings) == []


def test_what_lands_before_the_thread_first_looks_counts(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding.Processes, "are_running", True)
    has_landed = threading.Event()
    watch = loading_alongside._watch

    def late(*arguments: Any) -> None:
        has_landed.wait(30)
        watch(*arguments)

    monkeypatch.setattr(loading_alongside, "_watch", late)
    early: list[LoadResult] = []
    with loading_alongside.loading_alongside(settings, REGISTRY, early.append):
        land(settings, lines(*(line(n) for n in range(1, 12))))
        has_landed.set()
    assert sum(result.inserted for result in early) == 11


def test_what_lands_while_a_load_runs_is_loaded_by_it(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding.os, "cpu_count", lambda: 1)  # no other process, which takes a second to start
    vendor = lines(*(line(n) for n in range(1, 12)))
    land(settings, vendor)
    still_to_come = [[line(n) for n in range(12, 30)]]

    def land_more(done: int, total: int) -> None:
        if still_to_come:
            vendor.records["transaction_lines"] += still_to_come.pop()
            land(settings, vendor)

    result = loading.load(settings, on_progress=land_more, is_reading=lambda: bool(still_to_come))

    assert result.inserted == 29
    assert result.records > 29, "a page with new lines holds old ones too, and those are duplicates"
    assert loading.proved_counts(settings) == []
    assert loading.load(settings).files == 0
