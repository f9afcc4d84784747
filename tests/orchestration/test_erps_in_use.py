"""Models, tests and unit tests of an ERP are there when a company of it is switched on, and only then."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from orchestration.lib.dbt import ensure_manifest
from orchestration.lib.settings import DEFAULT_CONFIG_DIR, Settings
from tests.orchestration.conftest import rewrite


@pytest.mark.parametrize(("used", "unused"), [("sage200", "netsuite"), ("netsuite", "sage200")])
def test_nobody_builds_models_of_an_erp_they_do_not_have(tmp_path: Path, used: str, unused: str) -> None:
    config = Path(shutil.copytree(DEFAULT_CONFIG_DIR, tmp_path / "config"))
    rewrite(
        config / "erps.csv", lambda rows: [{**row, "is_enabled": str(row["vendor"] == used).lower()} for row in rows]
    )
    manifest = json.loads(ensure_manifest(Settings(data_dir=tmp_path / "data", config_dir=config)).read_text())
    every = {**manifest["nodes"], **manifest["unit_tests"]}
    built = {name: node for name, node in every.items() if node["config"].get("enabled", True)}
    assert [name for name in built if unused in name] == []
    parents = {parent for node in built.values() for parent in node["depends_on"].get("nodes", ())}
    assert [name for name in parents if f"stg_{unused}__" in name] == []
    assert sum(name.startswith(f"model.tieout.stg_{used}__") for name in built) >= 10
    assert sum(f"grain_stg_{used}__" in name for name in built) >= 10
    postings = built["model.tieout.int_ledger__erp_postings"]["depends_on"]["nodes"]
    assert any(f"stg_{used}__" in parent for parent in postings)
