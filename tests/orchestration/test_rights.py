"""Which kinds of write count as switched on when a key's rights are judged."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from orchestration.lib.registry import load_registry
from orchestration.lib.rights import kinds_switched_on
from orchestration.lib.settings import DEFAULT_CONFIG_DIR, Settings


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEFAULT_CONFIG_DIR, tmp_path / "config"))


def switched(config: Path, vendor: str, account: str, *, write_back: bool = True) -> frozenset[str]:
    return kinds_switched_on(load_registry(config), Settings(write_back=write_back), vendor, account)


def seller(config: Path) -> str:
    return next(row.marketplace_code for row in load_registry(config).marketplaces if row.perspective == "SELLER")


def test_what_switches_csv_switches_on_counts_while_writing_back_is_on(config: Path) -> None:
    account = seller(config)
    assert {"ACCEPTANCE", "STOCK"} <= switched(config, "mirakl", account)
    assert "SHIPMENT_DELETION" not in switched(config, "mirakl", account)  # no row names it
    assert switched(config, "mirakl", account, write_back=False) == frozenset()


def test_a_row_that_stops_a_kind_takes_it_away(config: Path) -> None:
    account = seller(config)
    with (config / "switches.csv").open("a", newline="") as file:
        csv.writer(file).writerows([("mirakl", account, "STOCK", "false"), ("netsuite", "*", "*", "false")])
    assert "STOCK" not in switched(config, "mirakl", account)
    assert switched(config, "netsuite", "NS_UK") == frozenset()
    assert "JOURNAL" in switched(config, "sage200", "SAGE_UK")
