"""`tieout run`: exit codes and what is shown. The lane itself is replaced; tests/pipeline runs real ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import ServerFailed
from orchestration.cli.commands.run import ledger_changes
from orchestration.cli.session import Session
from orchestration.lib import lanes
from orchestration.lib.lanes import LaneResult, Problem
from orchestration.lib.publish import Published
from orchestration.lib.registry import ConfigError, ConfigInvalid
from orchestration.lib.settings import Settings
from orchestration.lib.state import FeedKey
from orchestration.lib.workspace import FeedOutcome, Step
from orchestration.outbox import Outbox

from .conftest import Run


class Lane:
    """Stands in for run_lane: remembers how it was called, gives the result it was told to."""

    def __init__(self) -> None:
        self.result = LaneResult(
            "settlement",
            feeds=[FeedOutcome(FeedKey("mirakl", "BRICO", "orders"), received=12, landed=7, unchanged=5)],
            records_loaded=7,
            sent=2,
            verified=2,
            seconds={"extract": 1.5, "total": 3.0},
            published=Published(Path("marts"), (), ()),
        )
        self.error: Exception | None = None
        self.settings: Settings | None = None
        self.all_feeds = False

    def __call__(
        self, lane: str, settings: Settings, *, progress: Callable[[Step], None], all_feeds: bool
    ) -> LaneResult:
        self.settings, self.all_feeds = settings, all_feeds
        progress(Step("extract", "mirakl/BRICO/orders", 0, None))
        progress(Step("transform", "stg_mirakl__orders", 1, 3))
        progress(Step("transform", "fct_orders", 2, 3))
        if self.error is not None:
            raise self.error
        return self.result


@pytest.fixture
def lane(monkeypatch: pytest.MonkeyPatch, published: Path) -> Lane:
    fake = Lane()
    monkeypatch.setattr(lanes, "run_lane", fake)
    return fake


def test_a_good_run_ends_with_0(run: Run, run_json: Callable[..., Any], lane: Lane) -> None:
    result = run("run", "settlement")
    assert result.exit_code == 0
    for words in ("orders", "12", "2 actions sent", "2 read back", "BNK-001", "3.0 s"):
        assert words in result.stdout
    assert result.stderr.splitlines() == ["Fetching mirakl/BRICO/orders", "Reconciling …"], (
        "a log, not a bar, off a terminal"
    )
    report = run_json("run", "settlement")
    assert (report["status"], report["exit_code"], report["feeds"][0]["landed"]) == ("SUCCEEDED", 0, 7)
    assert lane.all_feeds is False
    assert run("run", "settlement", "--all-feeds").exit_code == 0
    assert lane.all_feeds is True


@pytest.mark.parametrize(
    ("stage", "code", "status"),
    [("extract", 5, "PARTIAL"), ("deliver", 5, "PARTIAL"), ("transform", 1, "FAILED"), ("load", 1, "FAILED")],
)
def test_a_problem_decides_about_the_exit_code(
    run_json: Callable[..., Any], lane: Lane, stage: str, code: int, status: str
) -> None:
    lane.result.problems = [Problem(stage, "mirakl/BRICO", "no answer")]
    report = run_json("run", "settlement", code=code)
    assert (report["status"], report["problems"][0]["detail"]) == (status, "no answer")


def test_a_problem_is_shown(run: Run, lane: Lane) -> None:
    lane.result.problems = [Problem("extract", "mirakl/BRICO", "HTTP 401")]
    assert "problem: extract mirakl/BRICO: HTTP 401" in run("run", "settlement").stdout


def test_fail_on_ends_with_3_after_a_good_run_and_a_wrong_word_before_it(run: Run, lane: Lane) -> None:
    assert run("run", "settlement", "--fail-on", "S1").exit_code == 3
    lane.settings = None
    assert run("run", "settlement", "--fail-on", "RED").exit_code == 2
    assert lane.settings is None, "nothing was run"


def test_a_dry_run_switches_write_back_off_and_shows_the_requests(
    run: Run, lane: Lane, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIEOUT_WRITE_BACK", "on")
    for name in (
        "MIRAKL_BRICO_API_KEY",
        "SAGE200_SAGE_UK_CLIENT_ID",
        "SAGE200_SAGE_UK_CLIENT_SECRET",
        "SAGE200_SAGE_UK_REFRESH_TOKEN",
    ):
        monkeypatch.setenv(name, "s3cret")
    assert outbox.actions(kind="JOURNAL"), "the other lane has something to send"
    result = run("run", "stock", "--dry-run")
    assert result.exit_code == 0, result.output
    assert lane.settings is not None
    assert lane.settings.write_back is False
    assert "STOCK|BRICO|DRILL-1|1 → mirakl BRICO" in result.stdout
    assert "JOURNAL" not in result.stdout, "only what this lane would send"
    assert "POST https://brico.marketplace.example/api/" in result.stdout
    assert "DRILL-1" in result.stdout
    assert "s3cret" not in result.output
    assert "nothing was sent" in result.stdout


def test_a_dry_run_knows_what_waiting_journals_would_change_in_the_ledger(published: Path) -> None:
    (row,) = ledger_changes(Session())
    amounts = [str(row[f"{name}_amount"]) for name in ("balance", "debit", "credit", "after")]
    # 1,000.00 + 79.10 - 8.20, this of a journal that nobody has approved in time; what is wrong in the ERP already,
    # and what a person posts, is no part of it.
    assert (row["account_code"], amounts) == ("1260", ["1000.00", "79.10", "8.20", "1070.90"])
    assert row["journal_count"] == 2


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (
            ConfigInvalid([ConfigError("erps.csv", 2, "base_url", "x", "is not an address", "Correct it")]),
            4,
            "erps.csv line 2",
        ),
        (ServerFailed("broke", vendor="mirakl", call="OR11", status=503), 1, "mirakl OR11: broke (HTTP 503)"),
        (RuntimeError("surprise"), 1, "RuntimeError: surprise"),
    ],
)
def test_an_exception_is_told_without_a_traceback(
    run: Run, lane: Lane, error: Exception, code: int, words: str
) -> None:
    lane.error = error
    result = run("run", "settlement")
    assert result.exit_code == code
    assert words in result.stderr
    assert "Traceback" not in result.output


def test_an_unknown_lane_is_wrong_usage(run: Run) -> None:
    result = run("run", "nolane")
    assert result.exit_code == 2
    assert "settlement, stock" in result.stderr
