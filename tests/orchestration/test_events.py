"""Signed events of an ERP: taken once, refused when anything about them is not genuine, and never kept in content."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import httpx
import pytest
from pydantic import SecretStr

from orchestration.defs.automation import sensors
from orchestration.events_endpoint import application
from orchestration.lib.events import MAXIMUM_BODY_BYTES, REPLAY_WINDOW, heed, sign
from orchestration.lib.settings import DEFAULT_CONFIG_DIR, Settings
from orchestration.lib.workspace import Workspace

NOW = datetime(2026, 7, 3, 8, 0, tzinfo=UTC)
KEY = SecretStr("a secret of the company")
BODY = b'{"type": "itemfulfillment", "id": 77, "buyer": "Jane Example"}'


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    shutil.copytree(DEFAULT_CONFIG_DIR, tmp_path / "config")
    monkeypatch.setenv("TIEOUT_EVENTS_SAGE_UK_SECRET", KEY.get_secret_value())
    return Settings(config_dir=tmp_path / "config", data_dir=tmp_path / "data", as_of=NOW)


def post(
    settings: Settings,
    *,
    erp: str = "SAGE_UK",
    at: datetime = NOW,
    body: bytes = BODY,
    key: SecretStr = KEY,
    signature: str | None = None,
) -> int:
    timestamp = str(int(at.timestamp()))
    headers = {"X-Tieout-Timestamp": timestamp, "X-Tieout-Signature": signature or sign(key, timestamp, body)}

    async def sent() -> int:
        transport = httpx.ASGITransport(application(settings))
        async with httpx.AsyncClient(transport=transport, base_url="http://tieout.example") as client:
            return (await client.post(f"/events/{erp}", content=body, headers=headers)).status_code

    return asyncio.run(sent())


def spooled(settings: Settings) -> list[Path]:
    return sorted(settings.events_dir.glob("*")) if settings.events_dir.exists() else []


def test_an_event_is_taken_once_and_its_content_is_not_kept(settings: Settings) -> None:
    assert post(settings) == 202
    assert post(settings) == 200, "the same event again changes nothing"
    (file,) = spooled(settings)
    assert file.read_bytes() == b""
    assert [heed(settings), heed(settings)] == [1, 0]
    assert post(settings) == 200, "heeded is known, too"
    assert heed(settings) == 0


def test_another_event_of_the_same_second_is_another_event(settings: Settings) -> None:
    assert [post(settings), post(settings, body=b"{}")] == [202, 202]
    assert len(spooled(settings)) == 2


@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_old_event_and_one_from_the_future_are_refused(settings: Settings, minutes: int) -> None:
    assert post(settings, at=NOW + timedelta(minutes=minutes)) == 401
    assert not spooled(settings)


def test_what_is_not_signed_with_the_secret_of_the_company_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    timestamp = str(int(NOW.timestamp()))
    assert post(settings, key=SecretStr("another secret")) == 401
    assert post(settings, signature=sign(KEY, timestamp, b"another body")) == 401
    assert post(settings, signature="sha256=") == 401
    assert post(settings, erp="UNKNOWN") == 401
    monkeypatch.delenv("TIEOUT_EVENTS_SAGE_UK_SECRET")
    assert post(settings) == 401, "a company without a secret takes no events, not even with an empty one"
    assert post(settings, key=SecretStr("")) == 401
    assert not spooled(settings)


def test_a_body_larger_than_any_event_is_refused(settings: Settings) -> None:
    assert post(settings, body=b"x" * (MAXIMUM_BODY_BYTES + 1)) == 413
    assert not spooled(settings)


def test_an_event_that_was_signed_before_another_and_comes_after_it_is_heeded(settings: Settings) -> None:
    assert post(settings) == 202
    assert heed(settings) == 1
    assert post(settings, at=NOW - timedelta(minutes=2)) == 202
    assert heed(settings) == 1


def test_events_are_forgotten_once_they_cannot_come_again(settings: Settings) -> None:
    assert post(settings) == 202
    assert heed(settings) == 1
    later = settings.model_copy(update={"as_of": NOW + 2 * REPLAY_WINDOW + timedelta(seconds=1)})
    assert heed(later) == 0
    assert not spooled(later)
    assert post(later) == 401, "and it is too old to be taken again"


def test_an_event_asks_for_the_dispatch_lane_once(settings: Settings) -> None:
    (sensor,) = [one for one in sensors(Workspace.open(settings)) if one.name == "heed_events"]
    post(settings)
    with dg.instance_for_test() as instance:
        asked = [sensor.evaluate_tick(dg.build_sensor_context(instance)).run_requests or [] for _ in range(2)]
    assert [len(requests) for requests in asked] == [1, 0]
    assert sensor.job_name == "dispatch"


def test_a_secret_that_is_out_of_reach_refuses_and_says_why(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setenv("TIEOUT_EVENTS_SAGE_UK_SECRET", f"file://{tmp_path}/nowhere")
    assert post(settings) == 401
    assert f"points to {tmp_path}/nowhere" in caplog.text
