"""A data folder and a small configuration per test."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.auth import Credentials, FileCredentialStore
from orchestration.lib.settings import DEFAULT_CONFIG_DIR, Settings

PROJECT = Path(__file__).parent / "project"
AS_OF = "2026-07-03T08:00:00Z"
CANARY = "refresh-token-that-stays-here"

EditConfig = Callable[[str, Callable[[list[dict[str, str]]], list[dict[str, str]]]], None]


@pytest.fixture
def config_dir(tmp_path: Path) -> Path:
    return small_configuration(tmp_path / "config")


def small_configuration(folder: Path) -> Path:
    """The default configuration, with two marketplaces and only the feeds that the fake vendor has."""
    shutil.copytree(DEFAULT_CONFIG_DIR, folder)
    rewrite(
        folder / "feeds.csv",
        lambda rows: [
            {**row, "lane": "settlement|stock"}
            for row in rows
            if (row["vendor"], row["entity"]) in {("mirakl", "transaction_lines"), ("mirakl", "offers")}
        ],
    )
    rewrite(
        folder / "marketplaces.csv",
        lambda rows: [{**rows[0], "marketplace_code": code, "key_name": ""} for code in ("BRICO", "MAISON")],
    )
    for path in folder.glob("*.csv"):
        if path.name != "marketplaces.csv":
            rewrite(path, lambda rows: [row for row in rows if row.get("marketplace_code") in ("BRICO", "*", None)])
    rewrite(folder / "accounts.csv", lambda rows: [{**row, "marketplace_code": "*"} for row in rows])
    return folder


@pytest.fixture(scope="session")
def finished_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an installation after one stock lane: evidence, marts, an action that was delivered, a token and an
    environment file (CANARY is their secret).
    """
    from tests.orchestration.test_lanes import run_lane, vendors, workspace

    folder = tmp_path_factory.mktemp("finished_once")
    small_configuration(folder / "config")
    settings = settings_of(folder).model_copy(update={"write_back": True})
    rewrite(settings.config_dir / "marketplaces.csv", lambda rows: rows[:1])
    connections = vendors(BRICO=4)
    connections.is_delivering = True
    assert run_lane("stock", settings, workspace=workspace(settings, connections)).verified == 1
    FileCredentialStore(settings.secrets_dir / "sage200-SAGE_UK.json").save(Credentials(CANARY))
    (settings.config_dir / ".env").write_text(f"SAGE200_SAGE_UK_CLIENT_SECRET={CANARY}\n")
    return folder


@pytest.fixture
def ran(finished_once: Path, tmp_path: Path) -> Settings:
    """A copy of it, for a test to spoil."""
    shutil.copytree(finished_once, tmp_path, symlinks=True, dirs_exist_ok=True)
    return settings_of(tmp_path)


@pytest.fixture
def settings(tmp_path: Path, config_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("DAGSTER_HOME", "TIEOUT_AS_OF", "TIEOUT_DATA_DIR", "TIEOUT_CONFIG_DIR", "TIEOUT_WRITE_BACK"):
        monkeypatch.delenv(name, raising=False)
    return settings_of(tmp_path)


def settings_of(folder: Path) -> Settings:
    """Of the installation in `folder`: its `data`, its `config`."""
    return Settings.model_validate(
        {
            "data_dir": folder / "data",
            "config_dir": folder / "config",
            "as_of": AS_OF,
            "dbt_project_dir": PROJECT,
            "retry_wait_seconds": 0.0,
        }
    )


def rewrite(path: Path, change: Callable[[list[dict[str, str]]], list[dict[str, str]]]) -> None:
    """Change the rows of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        heading = list(reader.fieldnames or ())
        rows = change(list(reader))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, heading)
        writer.writeheader()
        writer.writerows(rows)
