"""Plays a scenario: the vendors over HTTP, extraction, loading and models as Dagster jobs in this process.

What a lane does, with the feeds of all lanes in one pass and without writing anything back: the exceptions are what is
judged here. Writing back is proved by `make demo`.
"""

from __future__ import annotations

import importlib
import os
import random
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import httpx

from orchestration.lib.lanes import CODE_LOCATION, LANES, LOAD_JOB, extract_job, feed_key, open_instance, transform_job
from orchestration.lib.parent_ids import wanted_ids
from orchestration.lib.planning import plan
from orchestration.lib.settings import Settings
from orchestration.lib.state import FeedKey
from orchestration.lib.workspace import Workspace
from sandbox import jsonio
from sandbox.config import read_environment
from tests.accuracy.scenarios import Scenario
from tests.pipeline.site import OWN_VARIABLES, running_sandbox

LATE = {"MARKETPLACE_LATE": ("mirakl",), "ERP_LATE": ("sage200", "netsuite"), "BANK_LATE": ("bank",)}


@dataclass
class Played:
    """What came out of one scenario. `reported` are the open exceptions; `problems` what should never happen."""

    scenario: Scenario
    truth: dict[str, Any]
    records: dict[str, Any]
    reported: list[dict[str, Any]]
    cycles: list[dict[str, Any]]
    allocations: list[dict[str, Any]]
    unbalanced: list[dict[str, Any]]
    problems: list[str] = field(default_factory=list)


def play(scenario: Scenario, folder: Path) -> Played:
    """The scenario from the vendors to the published marts.

    `folder` is emptied, except for the parsed dbt project: parsing it takes longer than building a small world, and
    depends on nothing but the project and the folder's own name.
    """
    sandbox, data = folder / "sandbox", folder / "data"
    _empty(sandbox, data)
    with running_sandbox(
        sandbox,
        orders=scenario.orders,
        seed=scenario.seed,
        marketplaces=scenario.marketplaces,
        erp=scenario.erp,
        as_of=scenario.as_of,
    ) as url:
        with _environment(read_environment(sandbox / "env") | {"TIEOUT_DATA_DIR": str(data)}):
            settings = Settings().model_copy(update={"write_back": False})
            with open_instance(settings) as instance:
                problems = _Run(settings, instance).arrive(scenario)
        truth = jsonio.decode((sandbox / "truth.json").read_bytes())
        records = httpx.get(f"{url}/_sandbox/health", timeout=60).json()["records"]
    with duckdb.connect(str(settings.published_path), read_only=True) as marts:
        return Played(
            scenario=scenario,
            truth=truth,
            records=records,
            reported=_rows(marts, _EXCEPTIONS),
            cycles=_rows(marts, _CYCLES),
            allocations=_rows(marts, _ALLOCATIONS),
            unbalanced=_rows(marts, _UNBALANCED),
            problems=problems,
        )


_EXCEPTIONS = """
    select exception_code, marketplace_code, subject_type, subject_id, root_cause, summary
    from marts.exceptions where status <> 'RESOLVED'
"""
_CYCLES = """
    select billing_cycle_id, opening_amount, net_amount + break_amount as moved_amount, payout_amount, closing_amount
    from marts.fct_cycles
"""
_ALLOCATIONS = "select receipt_id, billing_cycle_id from marts.fct_receipt_allocations"
_UNBALANCED = """
    select control_code, vendor, account, feed, measure, difference from marts.control_totals where not is_balanced
"""


class _Run:
    """One installation over the passes of a scenario."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance) -> None:
        self._workspace = Workspace.open(settings)
        self._definitions: dg.Definitions = importlib.import_module(CODE_LOCATION).build(self._workspace)
        self._instance = instance
        self._problems: list[str] = []

    def arrive(self, scenario: Scenario) -> list[str]:
        """Reads everything as the scenario says. Returns what went wrong."""
        vendors = self._workspace.registry.vendors
        if scenario.arrival in LATE:
            self._read([vendor for vendor in vendors if vendor not in LATE[scenario.arrival]])
            self._build()
        if scenario.arrival == "FEED_BY_FEED":
            self._read_feed_by_feed(vendors, random.Random(f"feeds {scenario.seed}"))
        else:
            self._read(vendors)
            if scenario.arrival == "REPLAYED":
                self._read(vendors)
        self._build()
        # Proposals wait for their decision, and how long they have waited is judged, too.
        self._execute("deliver")
        self._build()
        return self._problems

    def _read(self, vendors: Collection[str]) -> None:
        due, by_id = self._planned(vendors)
        for (vendor, account), lane_keys in due.items():
            for lane, keys in lane_keys.items():
                self._extract(lane, vendor, account, keys)
        self._read_by_id(by_id)

    def _read_feed_by_feed(self, vendors: Collection[str], rng: random.Random) -> None:
        due, by_id = self._planned(vendors)
        single = [
            (lane, vendor, account, key)
            for (vendor, account), lane_keys in due.items()
            for lane, keys in lane_keys.items()
            for key in keys
        ]
        rng.shuffle(single)
        for lane, vendor, account, key in single:
            self._extract(lane, vendor, account, [key])
            self._execute(LOAD_JOB)
        self._read_by_id(by_id)

    def _planned(
        self, vendors: Collection[str]
    ) -> tuple[dict[tuple[str, str], dict[str, list[FeedKey]]], dict[FeedKey, str]]:
        """Feeds per account and lane, each once, and those that are read by ids that others bring."""
        registry = self._workspace.registry
        due: dict[tuple[str, str], dict[str, list[FeedKey]]] = {}
        by_id: dict[FeedKey, str] = {}
        seen: set[FeedKey] = set()
        for vendor in vendors:
            for account in registry.accounts_of(vendor):
                for lane in LANES:
                    planned = plan(self._workspace, lane, vendor, account, is_wanted=True)
                    keys = [key for key in planned.feeds if key not in seen]
                    seen.update(keys)
                    if keys:
                        due.setdefault((vendor, account), {})[lane] = keys
                    by_id |= {key: lane for key in planned.by_id if key not in by_id}
        return due, by_id

    def _read_by_id(self, by_id: dict[FeedKey, str]) -> None:
        if not by_id:
            return
        self._execute(LOAD_JOB)
        workspace = self._workspace
        specs = [(key, workspace.feeds[key.vendor][key.entity]) for key in by_id]
        workspace.wanted_ids = {key: ids for key, ids in wanted_ids(workspace.settings, specs).items() if ids}
        for key in workspace.wanted_ids:
            self._extract(by_id[key], key.vendor, key.account, [key])

    def _extract(self, lane: str, vendor: str, account: str, keys: Sequence[FeedKey]) -> None:
        self._execute(extract_job(lane, vendor), account, [feed_key(vendor, key.entity) for key in keys])

    def _build(self) -> None:
        self._execute(transform_job(LANES[0]))
        self._execute("publish")

    def _execute(self, job: str, partition: str | None = None, assets: Sequence[dg.AssetKey] = ()) -> None:
        finished = self._definitions.resolve_job_def(job).execute_in_process(
            instance=self._instance,
            partition_key=partition,
            asset_selection=list(assets) or None,
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        if not finished.success:
            self._problems += [
                f"{job} {partition or ''}: {event.step_failure_data.error_display_string[-600:]}"
                for event in finished.all_events
                if event.is_step_failure
            ]


def _empty(sandbox: Path, data: Path) -> None:
    shutil.rmtree(sandbox, ignore_errors=True)
    for path in data.iterdir() if data.exists() else ():
        if path.name == "dbt":
            (path / "last_build.json").unlink(missing_ok=True)
        elif path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """This process's variables without any other installation's, and `values`."""
    before = dict(os.environ)
    for name in before:
        if name.startswith(OWN_VARIABLES):
            del os.environ[name]
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    result = connection.execute(query)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
