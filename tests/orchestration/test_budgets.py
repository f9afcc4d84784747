"""Call budgets: nobody who shares a key exceeds its maximum, and a recommended interval decides what is due."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

import pytest

from connectors.errors import BudgetExhausted, ServerFailed
from orchestration.lib.budgets import Budgets, KeyBudget
from orchestration.lib.configuration import CallBudget

DAY, HOUR = 86400, 3600


def row(call: str, recommended: str = "", maximum: str = "", counts: str = "CALLS", code: str = "*") -> CallBudget:
    """`recommended` and `maximum` such as 1/300: calls and seconds."""

    def halves(text: str) -> tuple[str | None, str | None]:
        calls, _, seconds = text.partition("/")
        return calls or None, seconds or None

    recommended_calls, recommended_seconds = halves(recommended)
    maximum_calls, maximum_seconds = halves(maximum)
    return CallBudget.model_validate(
        {
            "line": 2,
            "vendor": "mirakl",
            "call": call,
            "marketplace_code": code,
            "recommended_calls": recommended_calls,
            "recommended_seconds": recommended_seconds,
            "maximum_calls": maximum_calls,
            "maximum_seconds": maximum_seconds,
            "counts": counts,
            "source": "test",
        }
    )


class Watch:
    """A clock that only sleeping and `wait` move."""

    def __init__(self) -> None:
        self.time = 1_000_000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


@pytest.fixture
def watch() -> Watch:
    return Watch()


def budgets(path: Path, watch: Watch, *rows: CallBudget) -> Budgets:
    return Budgets(path / "budgets.db", rows, now=watch.now, sleep=watch.sleep)


def read(budget: KeyBudget, entity: str, call: str, pages: int = 1) -> None:
    with budget.reading(entity):
        for page in range(pages):
            budget.take(call, is_first_page=page == 0)


def read_and_fail(budget: KeyBudget, entity: str, call: str) -> None:
    with budget.reading(entity):
        budget.take(call, is_first_page=True)
        raise ServerFailed("it broke", vendor="mirakl", call=call, status=503)


def test_a_call_waits_for_its_turn(tmp_path: Path, watch: Watch) -> None:
    budget = budgets(tmp_path, watch, row("TL02", maximum="2/60")).of("mirakl", "KEY", "BRICO")
    read(budget, "transaction_lines", "TL02", pages=3)
    assert watch.slept == [61.0]  # a second more than a minute: requests do not arrive evenly


def test_every_published_window_holds(tmp_path: Path, watch: Watch) -> None:
    rows = (row("TL02", maximum="20/60"), row("TL02", maximum="60/3600"))
    budget = budgets(tmp_path, watch, *rows).of("mirakl", "KEY", "BRICO")
    with pytest.raises(BudgetExhausted, match="60 in 3600 s") as refused:
        read(budget, "transaction_lines", "TL02", pages=61)
    assert watch.slept == [61.0, 61.0]
    assert refused.value.retryable
    assert refused.value.retry_after == pytest.approx(HOUR + 1 - 122)


def test_where_polls_count_pages_are_free(tmp_path: Path, watch: Watch) -> None:
    budget = budgets(tmp_path, watch, row("OR11", maximum="1/60", counts="POLLS")).of("mirakl", "KEY", "BRICO")
    read(budget, "orders", "OR11", pages=50)
    assert watch.slept == []
    read(budget, "orders", "OR11", pages=2)
    assert watch.slept == [61.0]


def test_shops_under_one_key_share_its_maximum_and_others_do_not(tmp_path: Path, watch: Watch) -> None:
    shared = budgets(tmp_path, watch, row("OR11", maximum="1/60", counts="POLLS"))
    read(shared.of("mirakl", "KEY", "BRICO"), "orders", "OR11")
    read(shared.of("mirakl", "OTHER", "PLAZA"), "orders", "OR11")
    assert watch.slept == []
    read(shared.of("mirakl", "KEY", "MAISON"), "orders", "OR11")
    assert watch.slept == [61.0]


def test_a_marketplaces_own_rows_replace_the_general_ones(tmp_path: Path, watch: Watch) -> None:
    rows = (row("TL02", maximum="1/60"), row("TL02", maximum="1/3600"), row("TL02", maximum="3/60", code="BRICO"))
    read(budgets(tmp_path, watch, *rows).of("mirakl", "KEY", "BRICO"), "transaction_lines", "TL02", pages=3)
    assert watch.slept == []


def test_a_feed_is_due_at_the_recommended_interval(tmp_path: Path, watch: Watch) -> None:
    budget = budgets(tmp_path, watch, row("OR11", "1/300", "1/60", "POLLS")).of("mirakl", "KEY", "BRICO")
    assert budget.not_before("orders") is None  # never read
    read(budget, "orders", "OR11")
    watch.time += 200
    due = budget.not_before("orders")
    assert due is not None
    assert due.timestamp() == pytest.approx(1_000_000 + 270)  # a tick that comes a little early is on time
    assert budget.not_before("orders", is_wanted=True) is None  # to verify a delivery
    watch.time += 75
    assert budget.not_before("orders") is None


def test_twenty_a_day_may_come_at_any_hour(tmp_path: Path, watch: Watch) -> None:
    budget = budgets(tmp_path, watch, row("TL02", f"20/{DAY}", "60/3600")).of("mirakl", "KEY", "BRICO")
    for _ in range(20):
        assert budget.not_before("transaction_lines") is None
        read(budget, "transaction_lines", "TL02", pages=2)
        watch.time += HOUR
    due = budget.not_before("transaction_lines")
    assert due is not None
    assert due.timestamp() == pytest.approx(1_000_000 + DAY - 60)


def test_each_shop_of_a_key_is_due_by_itself(tmp_path: Path, watch: Watch) -> None:
    shared = budgets(tmp_path, watch, row("A01", f"1/{DAY}"))
    read(shared.of("mirakl", "KEY", "BRICO"), "account", "A01")
    assert shared.of("mirakl", "KEY", "BRICO").not_before("account") is not None
    assert shared.of("mirakl", "KEY", "MAISON").not_before("account") is None


def test_a_daily_maximum_holds_even_when_the_feed_is_wanted(tmp_path: Path, watch: Watch) -> None:
    budget = budgets(tmp_path, watch, row("IV01", f"1/{DAY}", f"1/{DAY}", "POLLS")).of("mirakl", "KEY", "BRICO")
    read(budget, "invoices", "IV01", pages=12)
    due = budget.not_before("invoices", is_wanted=True)
    assert due is not None
    assert due.timestamp() == pytest.approx(1_000_000 + DAY + 1)
    with pytest.raises(BudgetExhausted):
        read(budget, "invoices", "IV01")
    watch.time += DAY - 30  # a minute's allowance is worth waiting for
    assert budget.not_before("invoices", is_wanted=True) is None
    read(budget, "invoices", "IV01")
    assert watch.slept == [pytest.approx(31.0)]


def test_a_feed_that_could_not_be_read_is_due_at_once(tmp_path: Path, watch: Watch) -> None:
    budget = budgets(tmp_path, watch, row("A01", f"1/{DAY}", f"1/{DAY}")).of("mirakl", "KEY", "BRICO")
    with pytest.raises(ServerFailed):
        read_and_fail(budget, "account", "A01")
    assert budget.not_before("account") is None
    read(budget, "account", "A01")
    assert budget.not_before("account") is not None


def test_a_failed_call_still_counts_within_the_hour(tmp_path: Path, watch: Watch) -> None:
    budget = budgets(tmp_path, watch, row("TL02", maximum="1/60")).of("mirakl", "KEY", "BRICO")
    with pytest.raises(ServerFailed):
        read_and_fail(budget, "transaction_lines", "TL02")
    read(budget, "transaction_lines", "TL02")
    assert watch.slept == [61.0]


def test_a_persons_trial_neither_needs_nor_uses_a_daily_allowance(tmp_path: Path, watch: Watch) -> None:
    budget = budgets(tmp_path, watch, row("A01", f"1/{DAY}", f"1/{DAY}")).of("mirakl", "KEY", "BRICO")
    budget.take("A01", is_first_page=True)
    budget.take("A01", is_first_page=True)
    assert budget.not_before("account") is None
    read(budget, "account", "A01")
    assert watch.slept == []


@pytest.mark.parametrize(("wish", "pauses"), [(30.0, [30.0, 30.0]), (None, [5.0, 10.0])])
def test_everybody_under_the_key_heeds_a_429(
    tmp_path: Path, watch: Watch, wish: float | None, pauses: list[float]
) -> None:
    shared = budgets(tmp_path, watch, row("OR11", maximum="100/60"))
    first, second = shared.of("mirakl", "KEY", "BRICO"), shared.of("mirakl", "KEY", "MAISON")
    for _ in pauses:
        first.throttled("OR11", wish)
        second.take("OR11", is_first_page=True)
    assert watch.slept == pauses


def test_a_pause_of_an_hour_is_left_to_the_next_run(tmp_path: Path, watch: Watch) -> None:
    budget = budgets(tmp_path, watch, row("OR11", "1/300")).of("mirakl", "KEY", "BRICO")
    read(budget, "orders", "OR11")
    budget.throttled("OR11", 3600.0)
    with pytest.raises(BudgetExhausted) as refused:
        budget.take("OR11", is_first_page=True)
    assert refused.value.retry_after == 3600.0
    due = budget.not_before("orders", is_wanted=True)
    assert due is not None
    assert due.timestamp() == pytest.approx(watch.time + 3600)


def test_head_room_is_what_every_window_has_left(tmp_path: Path, watch: Watch) -> None:
    rows = (row("TL02", f"20/{DAY}", "20/60"), row("TL02", f"20/{DAY}", "60/3600"))
    shared = budgets(tmp_path, watch, *rows, row("STO01", maximum="1/60"))
    budget = shared.of("mirakl", "KEY", "BRICO")
    assert shared.usage() == []
    assert budget.calls_left("transaction_lines") is None
    read(budget, "transaction_lines", "TL02", pages=18)
    budget.take("STO01", is_first_page=True)
    budget.throttled("STO01", 7.0)

    assert budget.calls_left("transaction_lines") == 2
    used = {(one.call, one.window_seconds): one for one in shared.usage()}
    assert {key: (one.calls_in_window, one.maximum_calls) for key, one in used.items()} == {
        ("STO01", 60): (1, 1),
        ("TL02", 60): (18, 20),
        ("TL02", 3600): (18, 60),
    }
    assert used["STO01", 60].throttled_count == 1
    assert used["STO01", 60].next_allowed_at == pytest.approx(watch.time + 61)
    assert used["TL02", 60].next_allowed_at == watch.time
    watch.time += 100
    used = {(one.call, one.window_seconds): one for one in shared.usage()}
    assert [used["TL02", seconds].calls_in_window for seconds in (60, 3600)] == [0, 18]
    assert used["STO01", 60].throttled_count == 0
    watch.time += 2 * DAY
    assert shared.usage() == []


def _take(path: str, count: int) -> None:
    """In a process of its own, on the real clock."""
    budget = Budgets(Path(path), [row("OR11", maximum="3/1")]).of("mirakl", "KEY", "BRICO")
    for _ in range(count):
        budget.take("OR11", is_first_page=True)


def test_processes_share_one_budget_in_real_time(tmp_path: Path) -> None:
    path = tmp_path / "budgets.db"
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for part in [pool.submit(_take, str(path), 4) for _ in range(2)]:
            part.result(timeout=60)
    with closing(sqlite3.connect(path)) as connection:
        taken = [at for (at,) in connection.execute("select at from calls order by at")]
    assert len(taken) == 8
    assert all(later - earlier > 1.0 for earlier, later in zip(taken, taken[3:], strict=False))


def test_the_time_of_a_request_is_taken_when_nobody_else_can_count(tmp_path: Path) -> None:
    """Taken before waiting for the file, it would be older than the calls others made meanwhile, which then did not
    count.
    """
    path = tmp_path / "budgets.db"
    asked: list[float] = []

    def now() -> float:
        with (
            closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            other.execute("begin immediate")
        asked.append(1_000_000.0)
        return asked[-1]

    budget = Budgets(path, [row("OR11", maximum="3/1")], now=now).of("mirakl", "KEY", "BRICO")
    budget.take("OR11", is_first_page=True)
    budget.throttled("OR11", 5.0)
    assert len(asked) == 2
