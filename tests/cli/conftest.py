"""A data folder with published marts and an outbox, and a runner of the real command line."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from orchestration.cli.app import app
from orchestration.lib.settings import Settings
from orchestration.outbox import Outbox

from . import marts
from .proposals import proposals

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the developer's own environment reaches a test."""
    for name in list(os.environ):
        if name.startswith(("TIEOUT_", "MIRAKL_", "SAGE200_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TIEOUT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TIEOUT_AS_OF", "2026-07-03T08:00:00Z")
    monkeypatch.setenv("USER", "anna")
    monkeypatch.setenv("LOGNAME", "anna")


@pytest.fixture
def run() -> Run:
    runner = CliRunner()

    def invoke(*arguments: str, **options: Any) -> Result:
        result = runner.invoke(app, list(arguments), **options)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture
def run_json(run: Run) -> Callable[..., Any]:
    """Standard output as JSON; --json is put behind the command."""

    def invoke(*arguments: str, code: int = 0) -> Any:
        result = run(*arguments, "--json")
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    return invoke


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return marts.build(tmp_path_factory.mktemp("template") / "marts.duckdb")


@pytest.fixture
def published(template: Path) -> Path:
    """The published file of this test's data folder."""
    path = Settings().published_path
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(template, path)
    return path


@pytest.fixture
def outbox() -> Outbox:
    """Two journals and one stock line, proposed."""
    settings = Settings()
    box = Outbox(settings.outbox_address, settings.clock)
    box.propose(proposals())
    return box
