"""Extraction and loading over real HTTP with a proxy in between, and what the warehouse holds afterwards."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import httpx

from connectors.delivery import Delivery
from connectors.mirakl import MiraklConnector
from orchestration.definitions import build
from orchestration.lib.budgets import CallUsage
from orchestration.lib.lanes import LaneResult, extract_job, run_lane
from orchestration.lib.loading import load
from orchestration.lib.registry import load_registry
from orchestration.lib.settings import DEFAULT_CONFIG_DIR, Settings
from orchestration.lib.workspace import Workspace
from sandbox.credentials import mirakl_secret
from tests.contracts.serving import SEED
from tests.faults.proxy import Proxy

MARKETPLACE, SHOP = "BRICO", "2042"
FEEDS = ("orders", "transaction_lines")
PROJECT = Path(__file__).parents[1] / "orchestration" / "project"
"""dbt models that take a moment: what becomes of the records is looked at in raw."""

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

Rows = list[dict[str, str]]


@dataclass
class Connections:
    """One marketplace behind the proxy. `naps` are the pauses that a client would have made."""

    url: str
    key: str
    naps: list[float]
    clock: Callable[[], datetime]

    def connector(self, vendor: str, account: str) -> MiraklConnector:
        assert (vendor, account) == ("mirakl", MARKETPLACE)
        return MiraklConnector(
            account,
            self.url,
            SHOP,
            mirakl_secret(SEED, MARKETPLACE, self.key),
            timeout_seconds=20,
            sleep=self.naps.append,
            clock=self.clock,
        )

    def deliveries(self) -> dict[tuple[str, str], Delivery]:
        return {}

    def budget(self, vendor: str, account: str) -> None:
        """Calls to this machine are not counted."""

    def usage(self) -> list[CallUsage]:
        return []


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run ended: the problem of each feed that was not read whole, without repetition, as a lane reports them."""

    is_whole: bool
    problems: tuple[str, ...]
    failed: frozenset[str]


@dataclass
class Site:
    """An installation of its own behind a proxy."""

    settings: Settings
    proxy: Proxy
    key: str = "seller"
    naps: list[float] = field(default_factory=list)

    def workspace(self) -> Workspace:
        registry = load_registry(self.settings.config_dir)
        url = registry.marketplace(MARKETPLACE).base_url
        connections = Connections(url, self.key, self.naps, self.settings.clock.now)
        return Workspace(self.settings, registry, connections)

    def run(self, instance: dg.DagsterInstance) -> Ran:
        """The extraction of the settlement lane, as its Dagster job, and loading."""
        workspace = self.workspace()
        finished = (
            build(workspace)
            .resolve_job_def(extract_job("settlement", "mirakl"))
            .execute_in_process(instance=instance, partition_key=MARKETPLACE, raise_on_error=False, run_config=QUIET)
        )
        load(self.settings)
        newest = {outcome.feed.entity: outcome.error for outcome in workspace.journal.feeds}
        failed = {entity: error for entity, error in newest.items() if error is not None}
        return Ran(finished.success, tuple(dict.fromkeys(failed.values())), frozenset(failed))

    def run_lane(self) -> LaneResult:
        """The whole settlement lane."""
        return run_lane("settlement", self.settings, workspace=self.workspace())

    def start_over(self) -> None:
        """As if nothing had ever been read. What dbt knows of its project is kept, because it takes long to learn."""
        for entry in self.settings.root.iterdir() if self.settings.root.exists() else ():
            if entry != self.settings.dbt_dir:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        say_address(self.settings.config_dir, f"{self.proxy.url}/mirakl/{MARKETPLACE}")
        self.naps.clear()
        self.proxy.asked.clear()

    def later(self, as_of: str) -> Site:
        """The same installation at another time."""
        return Site(self.settings.model_copy(update={"as_of": Settings(as_of=as_of).as_of}), self.proxy, self.key)

    def held(self) -> dict[str, dict[str, tuple[Any, ...]]]:
        """The newest version of every record in raw, by feed and id: what a person would miss."""
        if not self.settings.warehouse_path.exists():
            return {feed: {} for feed in FEEDS}
        with duckdb.connect(str(self.settings.warehouse_path), read_only=True) as connection:
            return {
                "orders": _newest(connection, "mirakl_orders", "order_id", "total_price", "order_state"),
                "transaction_lines": _newest(connection, "mirakl_transaction_lines", "id", "amount", "type"),
            }

    def quarantined(self) -> list[tuple[str, str, str]]:
        """Refused records: feed, field, reason."""
        with duckdb.connect(str(self.settings.warehouse_path), read_only=True) as connection:
            return connection.execute("select entity, field, reason from raw.quarantine order by all").fetchall()


def _newest(
    connection: duckdb.DuckDBPyConnection, table: str, key: str, amount: str, word: str
) -> dict[str, tuple[Any, ...]]:
    exists = connection.execute("select count(*) from duckdb_tables() where table_name = ?", [table]).fetchone()
    if exists == (0,):
        return {}
    found = connection.execute(
        f"select {key}, arg_max({amount}, (_file, _position)), arg_max({word}, (_file, _position)) "
        f"from raw.{table} group by {key}"
    ).fetchall()
    return {row[0]: (Decimal(row[1]), row[2]) for row in found}


def truth(url: str) -> dict[str, dict[str, tuple[Any, ...]]]:
    """What the sandbox holds of the shop, read page by page without a connector."""
    headers = {"Authorization": mirakl_secret(SEED, MARKETPLACE)}
    base = f"{url}/mirakl/{MARKETPLACE}/api"
    orders: dict[str, tuple[Any, ...]] = {}
    lines: dict[str, tuple[Any, ...]] = {}
    with httpx.Client(headers=headers, params={"shop_id": SHOP}, trust_env=False) as client:
        total, offset = 1, 0
        while offset < total:
            response = client.get(
                f"{base}/orders", params={"max": 100, "offset": offset, "order_tax_mode": "TAX_INCLUDED"}
            )
            page = _exact(response)
            total, offset = int(page["total_count"]), offset + 100
            orders |= {o["order_id"]: (Decimal(o["total_price"]), o["order_state"]) for o in page["orders"]}
        token: str | None = ""
        while token is not None:
            parameters = {"limit": 2000, **({"page_token": token} if token else {})}
            page = _exact(client.get(f"{base}/sellerpayment/transactions_logs", params=parameters))
            token = page.get("next_page_token")
            lines |= {one["id"]: (Decimal(one["amount"]), one["type"]) for one in page["data"]}
    return {"orders": orders, "transaction_lines": lines}


def _exact(response: httpx.Response) -> Any:
    return response.raise_for_status().json(parse_float=Decimal)


def site(folder: Path, proxy: Proxy, *, as_of: str) -> Site:
    """A fresh installation that reads orders and transaction lines of one marketplace."""
    config = folder / "config"
    shutil.copytree(DEFAULT_CONFIG_DIR, config)
    _rewrite(config / "feeds.csv", lambda row: (row["vendor"], row["entity"]) in {("mirakl", one) for one in FEEDS})
    say_address(config, f"{proxy.url}/mirakl/{MARKETPLACE}")
    return Site(
        Settings.model_validate(
            {
                "data_dir": folder / "data",
                "config_dir": config,
                "as_of": as_of,
                "dbt_project_dir": PROJECT,
                "retry_wait_seconds": 0.0,
            }
        ),
        proxy,
    )


def say_address(config: Path, url: str) -> None:
    """The marketplace is at `url`; all others are switched off."""
    _rewrite(
        config / "marketplaces.csv",
        lambda row: True,
        lambda row: (
            {**row, "base_url": url} if row["marketplace_code"] == MARKETPLACE else {**row, "is_enabled": "false"}
        ),
    )


def _rewrite(
    path: Path,
    keep: Callable[[dict[str, str]], bool],
    change: Callable[[dict[str, str]], dict[str, str]] = lambda row: row,
) -> None:
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        heading = list(reader.fieldnames or ())
        rows: Rows = [change(row) for row in reader if keep(row)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, heading)
        writer.writeheader()
        writer.writerows(rows)
