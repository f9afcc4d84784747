"""`tieout close` and `tieout audit verify PACK` on a small month."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestration.lib.settings import Settings
from tests.close.books import ROWS, build

from .conftest import Run

READY = [row | {"is_done": True} for row in ROWS["close_readiness"]]


@pytest.fixture
def month() -> Path:
    return build(Settings().published_path)


@pytest.fixture
def ready_month() -> Path:
    return build(Settings().published_path, {"close_readiness": READY})


def test_the_close_shows_checklist_roll_forward_and_what_is_open(month: Path, run: Run) -> None:
    shown = run("close", "2026-06").output  # the only entity need not be named
    assert "Close of 2026-06, E" in shown
    assert "brought forward + difference = per ERP; difference 0.00" in shown
    assert "ledger - marketplace - listed items: 0.00" in shown
    assert "ORD-006" in shown
    assert "Not ready: 04_JOURNALS" in shown
    assert "difference 1.00" in run("close", "2026-05", "--entity", "E").output  # the month in which it arose


def test_a_month_that_is_not_known_is_named_with_those_that_are(month: Path, run: Run) -> None:
    result = run("close", "2026-09", "--entity", "E")
    assert result.exit_code == 2
    assert "E 2026-05 to 2026-06" in result.output


def test_two_sign_and_a_third_reopens(ready_month: Path, run: Run, run_json: Callable[..., Any]) -> None:
    close = ("close", "2026-05", "-e", "E")
    assert run(*close, "--lock", "--as", "Ben").exit_code == 1
    assert run(*close, "--sign", "--role", "clerk", "--as", "Anna").exit_code == 2
    run(*close, "--sign", "--role", "preparer", "--as", "Anna")
    refused = run(*close, "--sign", "--role", "reviewer", "--as", "anna")
    assert (refused.exit_code, "CLS-002" in refused.output) == (1, True)
    done = run_json(*close, "--sign", "--role", "reviewer", "--as", "Ben", "--lock")
    assert done["is_locked"]
    assert [event["kind"] for event in done["events"]] == ["SIGNED", "SIGNED", "LOCKED"]
    assert done["difference_amount"] == "1.00"
    reopened = run_json(*close, "--reopen", "--reason", "late invoice", "--as", "Cleo")
    assert not reopened["is_locked"]
    assert run("audit", "verify").exit_code == 0


def test_open_checks_keep_a_month_open_unless_somebody_says_why(month: Path, run: Run) -> None:
    build(
        Settings().published_path,
        {"close_readiness": [row for row in ROWS["close_readiness"] if row["period"] == "2026-06"]},
    )
    close = ("close", "2026-06", "-e", "E")
    run(*close, "--sign", "--role", "preparer", "--as", "Anna")
    assert "04_JOURNALS" in run(*close, "--sign", "--role", "reviewer", "--as", "Ben", "--lock").output
    assert run(*close, "--lock", "--as", "Ben", "--despite", "the board meets tomorrow").exit_code == 0


def test_a_pack_is_written_and_checked_without_marts_or_outbox(
    month: Path, run: Run, run_json: Callable[..., Any], tmp_path: Path
) -> None:
    packed = run_json("close", "2026-06", "--pack", str(tmp_path / "packs"))
    month.unlink()
    checked = run_json("audit", "verify", packed["pack"], "--expect", packed["manifest_sha256"])
    assert (checked["ok"], checked["manifest_sha256"]) == (True, packed["manifest_sha256"])
    assert run("audit", "verify", packed["pack"], "--expect", "0" * 64).exit_code == 1
    cover = Path(packed["pack"]) / "rows" / "checklist.csv"
    cover.write_bytes(cover.read_bytes().replace(b"04_JOURNALS", b"05_JOURNALS"))
    refused = run("audit", "verify", packed["pack"])
    assert (refused.exit_code, "rows/checklist.csv was changed" in refused.output) == (1, True)


def test_a_point_that_is_not_there_is_refused(run: Run, run_json: Callable[..., Any], tmp_path: Path) -> None:
    assert run_json("replay") == {"points": []}
    for options in (("--point", "3"), ("--as-of", "yesterday"), ("--as-of", "2026-07-03")):
        assert run("replay", *options, "--to", str(tmp_path / "then")).exit_code in (1, 2)
    assert not (tmp_path / "then").exists()
