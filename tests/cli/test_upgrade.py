"""`tieout upgrade` says first, and writes and seals when it is told to."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestration.lib.settings import DEFAULT_CONFIG_DIR


def test_an_older_folder_is_brought_up_once(
    run_json: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "config"
    shutil.copytree(DEFAULT_CONFIG_DIR, folder)
    monkeypatch.setenv("TIEOUT_CONFIG_DIR", str(folder))
    monkeypatch.setenv("TIEOUT_DATA_DIR", str(tmp_path / "data"))
    (folder / "calendars.csv").unlink()
    said = run_json("upgrade")
    assert (said["is_written"], [one["file"] for one in said["additions"]]) == (False, ["calendars.csv"])
    assert not (folder / "calendars.csv").exists()
    assert run_json("upgrade", "--write")["is_written"]
    assert (folder / "calendars.csv").exists()
    assert run_json("upgrade", "--write") == {"is_written": False, "additions": []}
    (folder / "calendars.csv").write_text('"half of a')
    assert "calendars.csv" in str(run_json("upgrade", code=1))
