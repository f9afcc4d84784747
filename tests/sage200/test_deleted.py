"""Sage says nothing of an order that was deleted: the weekly comparison of ids finds it."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.feeds import feed_spec
from connectors.sage200 import Sage200Connector
from orchestration.lib.completeness import check_ids
from orchestration.lib.landing import Landing
from orchestration.lib.loading import load
from orchestration.lib.registry import load_registry
from orchestration.lib.settings import Settings
from orchestration.lib.state import State
from orchestration.lib.workspace import Workspace
from sandbox.config import Marketplaces, Places, write_config
from sandbox.world import DEFAULT_AS_OF
from tests.sage200.conftest import Served


class OneAccount:
    """The connections of a run that reads this company alone."""

    def __init__(self, sage: Sage200Connector) -> None:
        self._sage = sage

    def connector(self, vendor: str, account: str) -> Sage200Connector:
        assert (vendor, account) == ("sage200", "SAGE_UK")
        return self._sage

    def deliveries(self) -> dict[Any, Any]:
        return {}

    def budget(self, vendor: str, account: str) -> None:
        return None

    def usage(self) -> list[Any]:
        return []


@pytest.fixture
def workspace(served: Served, sage: Sage200Connector, tmp_path: Path) -> Workspace:
    places = Places(tmp_path)
    write_config(places, served.url, Marketplaces([]))
    feeds = places.config / "feeds.csv"
    rows = list(csv.reader(feeds.read_text().splitlines()))
    kept = [row for row in rows if row[0] in ("vendor", "sage200") and row[1] != "nominal_transactions"]
    feeds.write_text("\n".join(",".join(row) for row in kept) + "\n")
    settings = Settings.model_validate(
        {"data_dir": tmp_path / "data", "config_dir": places.config, "as_of": DEFAULT_AS_OF.isoformat()}
    )
    return Workspace(settings, load_registry(settings.config_dir), OneAccount(sage))


def test_an_order_that_was_deleted_in_sage_is_found_and_nothing_else_is(
    workspace: Workspace, served: Served, sage: Sage200Connector
) -> None:
    with State(workspace.settings.state_path) as state:
        Landing(workspace.settings, state, "run").land(
            feed_spec("sage200", "sop_orders"), "SAGE_UK", sage, overlap=timedelta(minutes=10)
        )
    load(workspace.settings)
    orders = served.store.company.tables["sop_orders"]
    lost = max(orders.rows, key=lambda row: row["date_time_updated"])
    orders.remove(lost["id"])
    try:
        found, problems = check_ids(workspace)
    finally:
        orders.rows.append(lost)
        orders.rows.sort(key=lambda row: row["id"])
        orders.by_key[lost["id"]] = lost
        orders.touch(lost)
    assert problems == []
    assert [(check.feed.entity, check.missing_at_vendor) for check in found] == [("sop_orders", (str(lost["id"]),))]
    assert [(check.missing_at_vendor, check.missing_here) for check in check_ids(workspace)[0]] == [((), ())]
