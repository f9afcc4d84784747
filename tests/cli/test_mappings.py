"""`tieout mappings`: the gaps, and rows that one person proposes and another approves."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestration.lib.settings import DEFAULT_CONFIG_DIR

CELLS = ("marketplace_code=BRICO", "shop_sku=A1", "erp_code=SAGE_UK", "item_code=B1")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(DEFAULT_CONFIG_DIR, tmp_path / "config")
    monkeypatch.setenv("TIEOUT_CONFIG_DIR", str(tmp_path / "config"))
    return tmp_path / "config"


@pytest.mark.usefixtures("published")
def test_a_row_is_proposed_approved_and_taken_out_again(
    run_json: Callable[..., Any], run: Callable[..., Any], folder: Path
) -> None:
    assert {"count", "gaps"} <= run_json("mappings").keys()
    cells = [word for cell in CELLS for word in ("-s", cell)]
    key = run_json("mappings", "propose", "item_map.csv", *cells, "--reason", "same", "--by", "paul")["change"]
    assert "another person" in str(run_json("approve", key, "--by", "paul", code=1))
    assert run_json("approve", key, "--by", "ann")["approved"] == [key]
    assert run_json("mappings", "rows", "item_map.csv")["rows"][-1]["item_code"] == "B1"
    gone = run_json(
        "mappings", "propose", "item_map.csv", "-r", "shop_sku=A1", "--remove", "--reason", "gone", "--by", "paul"
    )["change"]
    assert run_json("reject", gone, "--reason", "it stays", "--by", "ann")["rejected"] == [gone]
    states = [row["state"] for row in run_json("mappings", "changes")["changes"]]
    assert states == ["REJECTED", "EFFECTIVE"]
    assert "A1" in (folder / "item_map.csv").read_text()
    assert run("mappings", "propose", "item_map.csv", "--reason", "nothing").exit_code == 2
    assert "whoever keeps" in str(run_json("mappings", "propose", "erps.csv", "-s", "a=b", "--reason", "x", code=1))
    assert run_json("audit", "verify")
