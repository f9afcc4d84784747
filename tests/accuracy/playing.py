"""Plays the scenarios of one installation: the vendors over HTTP, extraction, landing, loading, models, proposals.

What a lane does, with the feeds of all lanes in one pass, without Dagster around each step and without writing
anything back: the exceptions are what is judged here. Writing back is proved by `make demo`.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx

from connectors.errors import ConnectorError
from orchestration.lib import building
from orchestration.lib.actions import wanted_actions
from orchestration.lib.call_usage import replace_call_usage
from orchestration.lib.landing import IncompleteSnapshot, Landing
from orchestration.lib.lanes import LANES
from orchestration.lib.loading import load, proved_counts, replace_outbox_actions
from orchestration.lib.parent_ids import wanted_ids
from orchestration.lib.planning import plan, source
from orchestration.lib.settings import Settings
from orchestration.lib.state import FeedKey, State
from orchestration.lib.warehouse import connect
from orchestration.lib.workspace import Workspace
from orchestration.outbox import Outbox
from sandbox import jsonio
from tests.accuracy.scenarios import Scenario
from tests.accuracy.vendors import Owners, Vendors, running_vendors
from tests.pipeline.site import OWN_VARIABLES
from tests.property.invariants import INVARIANTS

LATE = {"MARKETPLACE_LATE": ("mirakl",), "ERP_LATE": ("sage200", "netsuite"), "BANK_LATE": ("bank",)}


@dataclass
class Played:
    """What came out of one scenario. `reported` are the open exceptions; `problems` what should never happen."""

    scenario: Scenario
    truth: dict[str, Any]
    records: dict[str, Any]
    reported: list[dict[str, Any]] = field(default_factory=list)
    cycles: list[dict[str, Any]] = field(default_factory=list)
    allocations: list[dict[str, Any]] = field(default_factory=list)
    unbalanced: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def play(scenarios: Sequence[Scenario], folder: Path) -> list[Played]:
    """The scenarios as sellers of one installation, from the vendors to the marts, in their order.

    `folder` is emptied, except for the parsed dbt project: parsing it takes longer than building a small world, and
    depends on nothing but the project and the folder's own name. Raises ValueError when the scenarios do not share
    their moment and their way of arrival.
    """
    if len({(scenario.as_of, scenario.arrival) for scenario in scenarios}) != 1:
        raise ValueError("sellers of one installation share the moment and the way of arrival")
    with installed(scenarios, folder) as (vendors, settings):
        problems = Run(settings, scenarios).arrive()
        found = {
            scenario.number: Played(
                scenario,
                jsonio.decode(vendors.places[scenario.number].truth.read_bytes()),
                httpx.get(f"{vendors.urls[scenario.number]}/_sandbox/health", timeout=60).json()["records"],
                problems=list(problems),
            )
            for scenario in scenarios
        }
        owners = Owners(vendors.places)
    for played in found.values():
        played.scenario.tell(played.truth)
    with connect(settings) as warehouse:
        if not warehouse.execute("select 1 from duckdb_tables() where table_name = 'exceptions'").fetchall():
            raise RuntimeError(f"the models were not built: {'; '.join(problems)}")
        for name, query in _QUERIES.items():
            for row in _rows(warehouse, query):
                owner = owners.of(row.pop("owner"), row.get("subject_id"))
                if owner is None:
                    for played in found.values():
                        played.problems.append(f"{name}: nobody's: {row}")
                else:
                    getattr(found[owner], name).append(row)
        for name, query in INVARIANTS.items():
            for row in _rows(warehouse, query):
                owner = owners.of(row["owner"], row["what"])
                for number in [owner] if owner is not None else list(found):
                    found[number].problems.append(f"invariant broken: {name}: {row['what']}")
    return list(found.values())


@contextmanager
def installed(scenarios: Sequence[Scenario], folder: Path) -> Iterator[tuple[Vendors, Settings]]:
    """Their vendors, and an empty installation that reads them, in this process's environment while the block lasts."""
    vendors_folder, data = folder / "vendors", folder / "data"
    _empty(vendors_folder, data)
    with (
        running_vendors(scenarios, vendors_folder) as vendors,
        _environment(vendors.environment | {"TIEOUT_DATA_DIR": str(data)}),
    ):
        yield vendors, Settings()


_QUERIES = {
    "reported": """
        select
            marketplace_code as owner, exception_code, marketplace_code, subject_type, subject_id, root_cause, summary
        from marts.exceptions where status <> 'RESOLVED'
    """,
    "cycles": """
        select
            marketplace_code as owner, billing_cycle_id, opening_amount, net_amount + break_amount as moved_amount,
            payout_amount, closing_amount
        from marts.fct_cycles
    """,
    "allocations": "select marketplace_code as owner, receipt_id, billing_cycle_id from marts.fct_receipt_allocations",
    "unbalanced": """
        select account as owner, control_code, vendor, account, feed, measure, difference
        from marts.control_totals where not is_balanced
    """,
}
"""What is judged, each row with the code that tells whose it is; `*` belongs to the one that its subject names."""


class Run:
    """One installation over the passes of its scenarios."""

    def __init__(self, settings: Settings, scenarios: Sequence[Scenario]) -> None:
        self._settings, self._scenarios = settings, scenarios
        self._early = {FeedKey(*key): at for scenario in scenarios for key, at in scenario.early.items()}
        self._workspace = Workspace.open(settings)
        self._overlap = {
            (feed.vendor, feed.entity): timedelta(minutes=feed.overlap_minutes)
            for feed in self._workspace.registry.feeds_in_use
        }
        self.problems: list[str] = []

    def arrive(self) -> list[str]:
        """Reads everything as the scenarios say. Returns what went wrong."""
        vendors, first = self._workspace.registry.vendors, self._scenarios[0]
        arrival = first.arrival
        for key, moment in self._early.items():
            self.land(key, settings=self._settings.model_copy(update={"as_of": moment}))
        if arrival in LATE:
            self._read([vendor for vendor in vendors if vendor not in LATE[arrival]])
            self.build()
        if arrival == "FEED_BY_FEED":
            self._read(vendors, random.Random(f"feeds {first.seed}"), len(self._scenarios))
        else:
            self._read(vendors)
            if arrival == "REPLAYED":
                self._read(vendors)
        self.build()
        # Proposals wait for their decision, and how long they have waited is judged, too.
        self._propose()
        self.build()
        self.problems += [f"{one.feed}: {one}" for one in proved_counts(self._settings) if one.is_error]
        return self.problems

    def _read(self, vendors: Collection[str], rng: random.Random | None = None, portion: int = 0) -> None:
        """Everything of these vendors. With `rng`, feeds come in a random order and are loaded `portion` by portion."""
        due, by_id = self.planned(vendors)
        keys = [key for key in due if key not in self._early]
        if rng is not None:
            rng.shuffle(keys)
        for number, key in enumerate(keys, start=1):
            self.land(key)
            if rng is not None and number % portion == 0:
                self.load()
        self.read_by_id(by_id)

    def planned(self, vendors: Iterable[str]) -> tuple[list[FeedKey], list[FeedKey]]:
        """The feeds of all lanes, each once, and those that are read by ids which others bring."""
        due: dict[FeedKey, None] = {}
        by_id: dict[FeedKey, None] = {}
        for vendor in vendors:
            for account in self._workspace.registry.accounts_of(vendor):
                for lane in LANES:
                    planned = plan(self._workspace, lane, vendor, account, is_wanted=True)
                    due |= dict.fromkeys(planned.feeds)
                    by_id |= dict.fromkeys(planned.by_id)
        return list(due), list(by_id)

    def read_by_id(self, keys: Iterable[FeedKey]) -> None:
        workspace = self._workspace
        specs = [(key, workspace.feeds[key.vendor][key.entity]) for key in keys]
        if not specs:
            return
        self.load()
        workspace.wanted_ids = {key: ids for key, ids in wanted_ids(self._settings, specs).items() if ids}
        for key in workspace.wanted_ids:
            self.land(key, workspace.wanted_ids[key])

    def land(self, key: FeedKey, versions: dict[str, str] | None = None, *, settings: Settings | None = None) -> None:
        """`settings` has another clock than the run's."""
        workspace, settings = self._workspace, settings or self._settings
        try:
            with workspace.reading(key), State(settings.state_path) as state:
                Landing(settings, state, "accuracy").land(
                    workspace.feeds[key.vendor][key.entity],
                    key.account,
                    source(workspace, key),
                    overlap=self._overlap[key.vendor, key.entity],
                    versions=versions,
                )
        except (ConnectorError, IncompleteSnapshot) as error:
            self.problems.append(f"{key}: {error}")

    def load(self) -> None:
        load(self._settings, feeds=self._workspace.feeds)

    def build(self) -> None:
        self.load()
        replace_call_usage(self._settings, self._workspace.connections.usage())
        with _outbox(self._settings) as outbox:
            closes = outbox.closing.snapshot()
            replace_outbox_actions(self._settings, outbox.snapshot(), outbox.decisions.snapshot(), closes)
        result = building.build(self._settings)
        if result.error is not None:
            self.problems.append(result.error)
        self.problems += [f"{node.name}: {node.message}" for node in result.failures]

    def _propose(self) -> None:
        """What is wanted, approved where the policy says so; nothing is delivered."""
        registry, wanted = self._workspace.registry, wanted_actions(self._settings)
        with _outbox(self._settings) as outbox:
            outbox.propose(wanted)
            outbox.apply_policy(registry.approval_policies, registry.switches, write_back=True)


@contextmanager
def _outbox(settings: Settings) -> Iterator[Outbox]:
    outbox = Outbox(settings.outbox_address, settings.clock)
    try:
        yield outbox
    finally:
        outbox.close()


def _empty(vendors: Path, data: Path) -> None:
    shutil.rmtree(vendors, ignore_errors=True)
    vendors.mkdir(parents=True)
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
