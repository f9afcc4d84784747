"""A lane from end to end, for the command line and for Dagster's schedules alike.

extract per account → where there are new ids: load, extract what hangs on them → load → the outbox's state, dbt →
publish → propose → approve by policy → deliver → when something was delivered: read the touched accounts again, load,
dbt, publish. Every arrow is a real Dagster run in this process. The lanes of the minute publish once, at their end:
what can be delivered does not wait for a copy of the marts.
"""

from __future__ import annotations

import importlib
import os
import resource
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
from filelock import FileLock

from orchestration.alerting.desk import look, notify, problem_key
from orchestration.lib.account_warnings import account_warnings, untold_warnings
from orchestration.lib.actions import waiting_actions
from orchestration.lib.advice import advice
from orchestration.lib.alerts import Alert, Level
from orchestration.lib.collecting import rarely_collected
from orchestration.lib.deadline_alerts import deadline_alert
from orchestration.lib.files import replace_file
from orchestration.lib.history import remembered
from orchestration.lib.loading_alongside import loading_alongside
from orchestration.lib.parent_ids import may_be_wanted, wanted_ids
from orchestration.lib.planning import land_nothing, plan
from orchestration.lib.publish import Published
from orchestration.lib.registry import Registry
from orchestration.lib.run_history import forget_old_runs
from orchestration.lib.settings import PROJECT_ROOT, Settings, parse_stamp
from orchestration.lib.state import FeedKey, State
from orchestration.lib.workspace import FeedOutcome, Step, Workspace

LANE_KINDS = {
    "settlement": frozenset({"JOURNAL"}),
    "stock": frozenset({"STOCK", "OFFER", "OFFER_CREATE", "PRICE"}),
    "dispatch": frozenset({"DISPATCH", "TRACKING", "ORDER_ADDRESS"}),
    "returns": frozenset({"REFUND", "CREDIT_NOTE"}),
    "orders": frozenset({"SALES_ORDER", "ACCEPTANCE", "ORDER_CANCELLATION", "CANCELATION"}),
}
"""What each lane may propose and deliver: that for which it reads the present state of the world first."""

LANE_MODELS: Mapping[str, tuple[str, ...]] = {
    "orders": (
        "act_orders",
        "act_acceptances",
        "act_cancellations",
        "act_line_cancellations",
        "deadlines",
        "rec_orders",
    ),
    "dispatch": ("act_dispatches", "act_addresses", "dispatch_latency", "rec_dispatches"),
    "returns": ("act_refunds", "act_credit_notes", "exceptions", "rec_refunds"),
}
"""The models that a lane is run for: it builds these, what they hang on, and SUMMARIES. Without a row: everything.

The lanes of the minute leave `exceptions` out: it hangs on every level, which would cost each of their runs what the
stock lane spends every five minutes anyway. Until then the level's own mart says how things stand.
"""

SUMMARIES = ("actions",)
"""Built by every lane, without what they hang on: from the other lanes' models as those left them. `actions` hangs on
whatever any lane does, the books included, which is more than half of what a lane of the minute would build.
"""

LANE_ROUNDS: Mapping[str, int] = {"orders": 3, "dispatch": 2}
"""How often a lane delivers what the reading after its last delivery brought: while it runs, orders come and goods
leave. Without a row: once; what came meanwhile then waits for the next run.
"""

NO_ROUND_AFTER = 45.0
"""Seconds after which a run begins no further round: where a vendor allows a reading a minute, each reading waits for
its minute, and the other lanes wait with it.
"""

LANE_PAUSES: Mapping[str, int] = {"orders": 60, "dispatch": 60}
"""Seconds between two looks of the lanes that run whenever there is something to do, instead of by the clock."""

LANES = tuple(LANE_KINDS)
CODE_LOCATION = "orchestration.definitions"
"""Loaded by name, as Dagster itself does: the library does not import the definitions that call it."""

LONGEST_WITHOUT_NEWS = timedelta(minutes=15)
"""Then such a lane runs whole all the same: some of what it proposes only time makes due, such as to cancel at the
marketplace what the ERP has given up, once an import that may still change it has had its time.
"""

PART_OF_LANE = {"tieout/lane_run": "true"}
"""Tag of the runs a lane is made of; the lane itself reports what becomes of them."""

TOLD = {"tieout/told": "true"}
"""Tag of a lane's own run when the lane has told people how it ended."""

Account = tuple[str, str]
"""(vendor, account)."""
OnStep = Callable[[Step], None]


def _silent(step: Step) -> None:
    """The default: nobody watches."""


def feed_key(vendor: str, entity: str) -> dg.AssetKey:
    """The landed pages of a feed."""
    return dg.AssetKey(["raw", vendor, entity])


def loaded_key(vendor: str, entity: str) -> dg.AssetKey:
    """The raw tables of a feed."""
    return dg.AssetKey(["loaded", vendor, entity])


def extract_job(lane: str, vendor: str) -> str:
    return f"{lane}_extract_{vendor}"


def transform_job(lane: str) -> str:
    return f"{lane}_transform"


LOAD_JOB = "load"
LOADED_MANIFEST = dg.AssetKey(["loaded", "tieout", "manifest"])


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that went wrong and what it stopped. `stage` as in Step; `account` is `vendor/account` of
    extraction.
    """

    stage: str
    account: str | None
    detail: str


@dataclass
class LaneResult:
    """What a lane did. `ok` is False when a stage failed; `is_partial` when only accounts or feeds were left out."""

    lane: str
    feeds: list[FeedOutcome] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    records_loaded: int = 0
    duplicates: int = 0
    quarantined: int = 0
    mismatches: list[str] = field(default_factory=list)
    unknown_fields: dict[str, int] = field(default_factory=dict)
    unknown_values: dict[str, int] = field(default_factory=dict)
    models_built: int = 0
    tests_passed: int = 0
    tests_failed: list[str] = field(default_factory=list)
    tests_warned: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    """Trouble to come at an account, such as a consent that is about to end."""
    published: Published | None = None
    proposed: int = 0
    approved: int = 0
    waiting: int = 0
    sent: int = 0
    verified: int = 0
    failed: int = 0
    unknown: int = 0
    run_ids: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    peak_memory_bytes: int = 0

    @property
    def is_partial(self) -> bool:
        return bool(self.problems) and all(problem.stage in ("extract", "deliver") for problem in self.problems)

    @property
    def ok(self) -> bool:
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        content = asdict(self)
        content["published"] = (
            None
            if self.published is None
            else {
                "path": str(self.published.path),
                "digest": self.published.digest,
                "changed": list(self.published.changed),
                "marts": {mart.name: mart.rows for mart in self.published.marts},
            }
        )
        return {**content, "ok": self.ok, "is_partial": self.is_partial}

    def summary(self) -> str:
        """One line for a log."""
        landed = sum(feed.landed for feed in self.feeds)
        words = (
            f"{self.lane}: {landed} records landed, {self.quarantined} quarantined, {self.models_built} models built, "
            f"{self.sent} actions sent, {self.verified} verified in {self.seconds.get('total', 0.0):.1f} s"
        )
        return words + "".join(
            f"; {problem.stage} {problem.account or ''}: {problem.detail}" for problem in self.problems
        )


def run_lane(
    lane: str,
    settings: Settings,
    *,
    progress: OnStep = _silent,
    workspace: Workspace | None = None,
    instance: dg.DagsterInstance | None = None,
    all_feeds: bool = False,
) -> LaneResult:
    """Run one lane to its end, and remember the run. A failing account is a problem in the result and does not stop
    the others.

    `workspace` replaces the configured connectors (tests do), `instance` is Dagster's when one is open already.
    `all_feeds` reads also those that were read more recently than their vendor recommends; what a vendor states as
    its maximum holds all the same. Raises ConfigInvalid, and ValueError for an unknown lane.
    """
    if lane not in LANES:
        raise ValueError(f"no lane {lane!r}; there are {', '.join(LANES)}")
    with (
        lane_lock(settings, timeout=3600),
        remembered(settings, lane) as ended,
        open_instance(settings, instance) as opened,
        rarely_collected(),
    ):
        began = time.monotonic()
        workspace = workspace or Workspace.open(settings)
        workspace.on_step, workspace.kinds = progress, LANE_KINDS[lane]
        workspace.targets = LANE_MODELS.get(lane, ())
        workspace.summaries = SUMMARIES
        _recover(opened)
        forget_old_runs(opened, settings.run_history_days)
        definitions: dg.Definitions = importlib.import_module(CODE_LOCATION).build(workspace)
        result = _Lane(lane, workspace, definitions, opened, all_feeds=all_feeds).run()
        result.seconds["total"] = round(time.monotonic() - began, 3)
        ended(result)
    _tell(settings, result)
    return result


def lane_lock(settings: Settings, *, timeout: float) -> FileLock:
    """Held while a lane reads or works: one at a time."""
    settings.locks_dir.mkdir(parents=True, exist_ok=True)
    return FileLock(settings.locks_dir / "lane.lock", timeout=timeout)


def has_news(settings: Settings, registry: Registry, lane: str) -> bool:
    """Whether an action waits, or records came since the lane last got to its end, whichever lane fetched them, or that
    was long ago.
    """
    seen = _seen(settings, lane)
    if not (settings.published_path.exists() and seen.exists()):
        return True
    newest, _, at = seen.read_text(encoding="ascii").partition(" ")
    return (
        newest != str(_newest_landed(settings, registry, lane))
        or not at  # an older version wrote no time
        or settings.clock.now() - parse_stamp(at) >= LONGEST_WITHOUT_NEWS
        or waiting_actions(settings, LANE_KINDS[lane]) > 0
    )


def _seen(settings: Settings, lane: str) -> Path:
    """Holds the newest landed records that a run of this lane has worked on to its end, and when that was."""
    return settings.locks_dir / f"{lane}.seen"


def _newest_landed(settings: Settings, registry: Registry, lane: str) -> int:
    with State(settings.state_path) as state:
        return max(
            state.newest_landed(vendor, account, [feed.entity for feed in registry.lane_feeds(lane, vendor)])
            for vendor in registry.vendors
            for account in registry.accounts_of(vendor)
        )


class _Lane:
    def __init__(
        self,
        lane: str,
        workspace: Workspace,
        definitions: dg.Definitions,
        instance: dg.DagsterInstance,
        *,
        all_feeds: bool = False,
    ) -> None:
        self._lane = lane
        self._workspace = workspace
        self._definitions = definitions
        self._instance = instance
        self._all_feeds = all_feeds
        self._by_id: list[FeedKey] = []
        """Feeds of this pass that wait for their parents to be loaded."""
        self._noted = 0
        """Outcomes of reading that loading has noted."""
        self._is_unpublished = False
        """Whether marts were built whole that nobody can read yet."""
        self._result = LaneResult(lane)

    def run(self) -> LaneResult:
        registry = self._workspace.registry
        accounts = [
            (vendor, account)
            for vendor in registry.vendors
            if registry.lane_feeds(self._lane, vendor)
            for account in registry.accounts_of(vendor)
        ]
        began = time.monotonic()
        is_whole = self._read(accounts, accounts if self._all_feeds else (), is_first=True)
        is_settled = False
        for number in range(LANE_ROUNDS.get(self._lane, 1)):
            if number and time.monotonic() - began > NO_ROUND_AFTER:
                break
            touched = self._deliver() if is_whole else frozenset()
            if is_settled := not touched:
                break
            is_whole = self._read(self._read_again(accounts, touched), touched)
        if self._is_unpublished:
            is_whole &= self._publish()
        # What the last reading brought is worked on when it has been proposed as well, in this run or the next.
        is_settled &= is_whole
        if is_settled and all(problem.stage in ("extract", "deliver") for problem in self._result.problems):
            settings = self._workspace.settings
            newest = _newest_landed(settings, registry, self._lane)
            replace_file(_seen(settings, self._lane), f"{newest} {settings.clock.text()}".encode())
        self._result.warnings = account_warnings(self._workspace.connections, accounts)
        return self._finish()

    def _read_again(self, accounts: Sequence[Account], touched: Collection[Account]) -> list[Account]:
        """After a delivery: where something may have changed, and in a lane of the minute what else answers, because
        orders come and goods leave while it runs.
        """
        failed = {problem.account for problem in self._result.problems if problem.stage == "extract"}
        return [
            (vendor, account)
            for vendor, account in accounts
            if (vendor, account) in touched or (self._lane in LANE_PAUSES and f"{vendor}/{account}" not in failed)
        ]

    def _read(self, accounts: Sequence[Account], wanted: Collection[Account], *, is_first: bool = False) -> bool:
        """Everything from the vendors to the built marts, which the lanes of the minute publish at their end; False
        when a stage ended the lane, or when a lane that looks every minute finds nothing to do. Of the `wanted`
        accounts all is read that the vendor allows.
        """
        self._by_id.clear()
        workspace = self._workspace
        with loading_alongside(workspace.settings, workspace.feeds, workspace.journal.loads.append):
            for vendor, account in accounts:
                planned = plan(workspace, self._lane, vendor, account, is_wanted=(vendor, account) in wanted)
                self._by_id += planned.by_id
                self._result.feeds += planned.skipped
                self._extract(vendor, account, planned.feeds)
        if is_first and self._lane in LANE_PAUSES and not has_news(workspace.settings, workspace.registry, self._lane):
            return False
        if not (self._extract_by_id() and self._load()):
            return False
        # What the build before left unpublished is overwritten, and nobody may read marts that failed half-way.
        self._is_unpublished = self._stage("transform", transform_job(self._lane))
        return self._is_unpublished and (self._lane in LANE_PAUSES or self._publish())

    def _publish(self) -> bool:
        self._is_unpublished = False
        return self._stage("publish", "publish")

    def _extract_by_id(self) -> bool:
        """Read what hangs on ids that are new, for which what brought them is loaded; False when that failed."""
        workspace = self._workspace
        waiting = may_be_wanted(workspace.settings, workspace.feeds, self._by_id) if self._by_id else []
        if waiting:
            if not self._load():
                return False
            specs = [(key, workspace.feeds[key.vendor][key.entity]) for key in waiting]
            workspace.wanted_ids = {key: ids for key, ids in wanted_ids(workspace.settings, specs).items() if ids}
        else:
            workspace.wanted_ids = {}
        wanted = workspace.wanted_ids
        with workspace.timed("extract"):
            self._result.feeds += land_nothing(workspace, [key for key in self._by_id if key not in wanted])
        for vendor, account in dict.fromkeys((key.vendor, key.account) for key in wanted):
            mine = tuple(key for key in wanted if (key.vendor, key.account) == (vendor, account))
            self._extract(vendor, account, mine)
        return True

    def _load(self) -> bool:
        """Everything that was landed. Dagster writes five events for each feed that is noted: what brought nothing is
        no news.
        """
        read = self._workspace.journal.feeds[self._noted :]
        self._noted += len(read)
        news = {loaded_key(one.feed.vendor, one.feed.entity) for one in read if one.landed or one.error is not None}
        return self._stage("load", LOAD_JOB, [*sorted(news), LOADED_MANIFEST])

    def _extract(self, vendor: str, account: str, keys: tuple[FeedKey, ...]) -> None:
        if not keys:
            return
        before = len(self._workspace.journal.feeds)
        with self._workspace.timed("extract"):
            finished = self._execute(
                "extract",
                extract_job(self._lane, vendor),
                account,
                [feed_key(vendor, key.entity) for key in keys],
            )
        outcomes = self._workspace.journal.feeds[before:]
        newest = {outcome.feed: outcome for outcome in outcomes}  # a step that was tried again counts once
        self._result.feeds += newest.values()
        errors = dict.fromkeys(outcome.error for outcome in newest.values() if outcome.error is not None)
        for error in errors:
            self._result.problems.append(Problem("extract", f"{vendor}/{account}", error))
        if not finished.success and not errors:
            self._result.problems.append(Problem("extract", f"{vendor}/{account}", _advised(_reason(finished))))

    def _deliver(self) -> frozenset[tuple[str, str]]:
        """The accounts where something may have changed."""
        before = len(self._workspace.journal.deliveries)
        if not self._stage("propose", "deliver"):
            return frozenset()
        made = self._workspace.journal.deliveries[before:]
        return frozenset(account for delivered in made for account in delivered.touched_accounts)

    def _stage(self, stage: str, job: str, assets: Sequence[dg.AssetKey] = ()) -> bool:
        """Run a job that serves all accounts; its failure is a problem that ends the lane."""
        finished = self._execute(stage, job, assets=assets)
        if not finished.success:
            self._result.problems.append(Problem(stage, None, _advised(_reason(finished))))
        return finished.success

    def _execute(
        self, stage: str, job: str, partition: str | None = None, assets: Sequence[dg.AssetKey] = ()
    ) -> dg.ExecuteInProcessResult:
        """Run a job, or the part of it that makes `assets`."""
        self._workspace.on_step(Step(stage, partition or job, 0, None))
        definition = self._definitions.resolve_job_def(job)
        is_part = bool(assets) and set(assets) != set(definition.asset_layer.selected_asset_keys)
        finished = definition.execute_in_process(
            instance=self._instance,
            partition_key=partition,
            asset_selection=list(assets) if is_part else None,
            raise_on_error=False,
            tags={**PART_OF_LANE, "tieout/lane": self._lane},
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        self._result.run_ids.append(finished.run_id)
        return finished

    def _finish(self) -> LaneResult:
        journal, result = self._workspace.journal, self._result
        for load in journal.loads:
            result.records_loaded += load.inserted
            result.duplicates += load.duplicates
            result.quarantined += load.quarantined
            result.unknown_fields |= load.unknown_fields
            result.unknown_values |= load.unknown_values
        result.mismatches = [f"{mismatch.feed}: {mismatch}" for mismatch in journal.mismatches]
        result.problems += [
            Problem("load", mismatch.feed, str(mismatch)) for mismatch in journal.mismatches if mismatch.is_error
        ]
        newest = {node.unique_id: node for build in journal.builds for node in build.nodes}.values()
        result.models_built = sum(node.resource_type == "model" and node.status == "success" for node in newest)
        result.tests_passed = sum(node.status == "pass" for node in newest)
        result.tests_failed = [f"{node.name}: {node.message}" for node in newest if node.is_failed]
        result.tests_warned = [f"{node.name}: {node.message}" for node in newest if node.status == "warn"]
        result.published = journal.published
        for proposed, decided in zip(journal.proposals, journal.decisions, strict=False):
            result.proposed += len(proposed.proposed)
            result.approved += len(decided.approved)
            result.waiting = len(decided.waiting)
            result.problems += [Problem("deliver", key, why) for key, why in proposed.malformed]
        for delivered in journal.deliveries:
            result.sent += delivered.sent
            result.verified += delivered.verified
            result.failed += delivered.failed
            result.unknown = delivered.unknown
            result.problems += [
                Problem("deliver", f"{problem.vendor}/{problem.account}", problem.detail)
                for problem in delivered.problems
            ]
        if result.failed or result.unknown:
            result.problems.append(Problem("deliver", None, _undelivered(result.failed, result.unknown)))
        # A second pass meets the same obstacles.
        result.problems = list(dict.fromkeys(result.problems))
        result.seconds = {stage: round(spent, 3) for stage, spent in journal.seconds.items()}
        result.peak_memory_bytes = _peak_memory()
        return result


def _undelivered(failed: int, unknown: int) -> str:
    parts = []
    if failed:
        parts.append(f"{failed} failed at the vendor (tieout actions --state FAILED)")
    if unknown:
        parts.append(f"{unknown} may or may not have arrived (tieout actions --state UNKNOWN)")
    return "actions: " + ", ".join(parts)


def _recover(instance: dg.DagsterInstance) -> None:
    """End the runs that a killed lane left open. Only one lane runs at a time, so nobody works on them any more.

    Such a run still holds the slot of the pool "warehouse", and the next run would wait for it for ever.
    """
    status = dg.DagsterRunStatus
    is_open = [status.QUEUED, status.NOT_STARTED, status.STARTING, status.STARTED, status.CANCELING]
    for run in instance.get_runs(dg.RunsFilter(tags=PART_OF_LANE, statuses=is_open)):
        instance.report_run_failed(run, "the process ended before the run did")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def _reason(finished: dg.ExecuteInProcessResult) -> str:
    """Why a run failed: the innermost error of the first step that failed."""
    for event in finished.get_step_failure_events() if hasattr(finished, "get_step_failure_events") else ():
        return _words(event)
    for event in finished.all_events:
        if event.is_step_failure:
            return _words(event)
    return "the run failed before its first step"


def _advised(words: str) -> str:
    """With what a person can do, where the machine failed."""
    advised = advice(words)
    return words if advised is None else f"{words} {advised}"


def _words(event: dg.DagsterEvent) -> str:
    data = event.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        return str(data.user_failure_data.description)
    error = data.error
    while error is not None and error.cause is not None:
        error = error.cause
    return error.message.strip() if error is not None else str(event.message)


def _tell(settings: Settings, result: LaneResult) -> None:
    """Alerts: what failed, what was quarantined, what is near its deadline, and what the exceptions say."""
    if result.problems:
        lines = [f"{problem.stage} {problem.account or ''}: {problem.detail}" for problem in result.problems]
        alert = Alert(f"Tieout: {result.lane} has problems", "\n".join(lines), Level.FAILURE)
        places = [(problem.stage, problem.account) for problem in result.problems]
        notify(settings, alert, key=problem_key(result.lane, places))
    if result.quarantined:
        body = f"{result.quarantined} records could not be read; see mart control_totals and raw.quarantine"
        notify(settings, Alert(f"Tieout: {result.lane} quarantined records", body))
    if (warning := untold_warnings(settings, result.warnings)) is not None:
        notify(settings, warning)
    tell_of_time(settings)


def tell_of_time(settings: Settings) -> None:
    """Alerts that come due although nothing has come: a deadline is near, quiet hours end, nobody has taken what was
    told.
    """
    if settings.published_path.exists():
        if (near := deadline_alert(settings)) is not None:
            notify(settings, near)
        look(settings)


@contextmanager
def open_instance(settings: Settings, given: dg.DagsterInstance | None = None) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of the data folder, made with the repository's dagster.yaml the first time."""
    if given is not None:
        yield given
        return
    home = settings.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "dagster.yaml").exists() and (PROJECT_ROOT / "dagster.yaml").exists():
        replace_file(home / "dagster.yaml", (PROJECT_ROOT / "dagster.yaml").read_bytes())
    with _variables({"DAGSTER_HOME": str(home)}), dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance


@contextmanager
def _variables(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _peak_memory() -> int:
    """Largest resident size of this process so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
