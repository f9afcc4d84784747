"""`tieout alerts`: what is open, who has it, what was said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.usefixtures("published")
def test_a_cause_is_listed_taken_and_no_longer_told(run_json: Callable[..., Any]) -> None:
    causes = run_json("alerts")["causes"]
    assert causes
    assert len({cause["cause_id"] for cause in causes}) == len(causes)
    taken = causes[0]
    answer = run_json("alerts", "ack", taken["cause_id"], "--reason", "asked the operator", "--by", "Anna")
    assert (answer["acknowledged_by"], answer["items"]) == ("Anna", taken["items"])
    (again,) = [one for one in run_json("alerts")["causes"] if one["cause_id"] == taken["cause_id"]]
    assert again["acknowledged_by"] == "Anna"

    done = run_json("alerts", "send")
    assert done["sent"]
    assert "ACKNOWLEDGED" in {held["reason"] for held in done["held"]}
    assert run_json("alerts", "send")["sent"] == []
    rows = run_json("alerts", "report")["rows"]
    assert sum(row["messages"] for row in rows) == len(done["sent"])
    assert "open from" in run_json("alerts", "digest", "--team", taken["team"])["title"]


@pytest.mark.usefixtures("published")
def test_an_id_that_is_no_open_cause_is_refused(run_json: Callable[..., Any], run: Callable[..., Any]) -> None:
    assert "no open cause" in str(run_json("alerts", "ack", "0000", "--reason", "mine", code=1))
    assert run("alerts", "ack", "0000", "--reason", " ").exit_code == 2


def test_without_an_address_a_channel_is_named(run_json: Callable[..., Any], tmp_path: Path) -> None:
    channels = run_json("alerts", "test")["channels"]
    assert {one["result"] for one in channels} == {"warn"}
    assert "FINANCE" in {one["channel"] for one in channels}
