"""`tieout run`."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from orchestration.cli.commands.exceptions import by_code, exit_for, open_exceptions, severity_at_or_above
from orchestration.cli.output import Col, console, print_json, table
from orchestration.cli.problems import CliError, ExitCode
from orchestration.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.lib.lanes import LaneResult
    from orchestration.lib.workspace import Step

STAGES = {
    "extract": "Fetching",
    "load": "Loading",
    "transform": "Reconciling",
    "publish": "Publishing",
    "propose": "Proposing",
    "deliver": "Delivering",
}
FEEDS = (
    Col("vendor", "Vendor", "code"),
    Col("account", "Account", "code"),
    Col("entity", "Feed", "code"),
    Col("received", "Received", "number"),
    Col("landed", "New", "number"),
    Col("unchanged", "Seen before", "number"),
    Col("error", "Problem", max_width=90),
)
EXCEPTIONS = (
    Col("severity", "Sev", "severity"),
    Col("exception_code", "Code", "code"),
    Col("count", "Open", "number"),
    Col("amount_at_risk", "At risk", "money"),
    Col("currency_code", "", "code"),
    Col("recommended_action", "What to do", max_width=90),
)
LEDGER = (
    Col("erp_code", "ERP", "code"),
    Col("account_code", "Account", "code"),
    Col("account_roles", "For"),
    Col("journal_count", "Journals", "number"),
    Col("balance_amount", "In the ERP now", "money"),
    Col("debit_amount", "To be debited", "money"),
    Col("credit_amount", "To be credited", "money"),
    Col("after_amount", "Then", "money"),
    Col("currency_code", ""),
)


def run_command(session: Session, lane: str, *, dry_run: bool, all_feeds: bool, fail_on: str | None) -> None:
    """Run a lane and show what it did. Ends with 5 when only an account failed, 1 when a stage did."""
    if fail_on:
        severity_at_or_above(fail_on)  # a wrong word must not be found out after the run
    from orchestration.lib.history import status_of
    from orchestration.lib.lanes import LANE_KINDS, LANES, run_lane

    if lane not in LANES:
        raise CliError(f"there is no lane {lane!r}", action=f"Lanes: {', '.join(LANES)}.", code=ExitCode.USAGE)
    settings = session.settings.model_copy(update={"write_back": False}) if dry_run else session.settings
    with _progress(session) as on_step:
        result = run_lane(lane, settings, progress=on_step, all_feeds=all_feeds)
    requests = _dry_run_requests(session, LANE_KINDS[lane]) if dry_run else None
    is_posting = dry_run and "JOURNAL" in LANE_KINDS[lane] and result.published is not None
    ledger = ledger_changes(session) if is_posting else None
    code = ExitCode.OK if result.ok else ExitCode.PARTIAL if result.is_partial else ExitCode.ERROR
    if code is ExitCode.OK:
        code = exit_for(session, fail_on)
    if session.as_json:
        print_json(
            {**result.to_dict(), "status": status_of(result).value, "exit_code": int(code)}
            | ({} if requests is None else {"requests": requests})
            | ({} if ledger is None else {"ledger": ledger})
        )
    else:
        if ledger:
            console().print(table(ledger, LEDGER, title="What it would change, account by account"))
        _show(session, result, dry_run=dry_run)
    if code:
        raise typer.Exit(int(code))


def _dry_run_requests(session: Session, kinds: Collection[str]) -> list[dict[str, object]]:
    from orchestration.cli.vendors import previews, previews_json, show_previews

    found = previews(session, kinds=kinds)
    if not session.as_json:
        show_previews(found)
    return previews_json(found)


def ledger_changes(session: Session) -> list[dict[str, Any]]:
    """What journals that are to be sent would change in the ERPs: per account its balance now (debit positive), what is
    to be debited and credited, and its balance then, in the currency of the books. From the published marts.
    """
    if not {"ledger_differences", "actions"} <= session.published.marts.keys():
        return []
    return session.published.rows(_LEDGER_CHANGES)


_LEDGER_CHANGES = """
    select
        erp_code, account_code, cost_centre, department, max(account_roles) as account_roles,
        count(distinct journal_key) as journal_count,
        max(balance_amount) as balance_amount,
        sum(greatest(difference_amount, 0))::decimal(18, 2) as debit_amount,
        sum(greatest(-difference_amount, 0))::decimal(18, 2) as credit_amount,
        (max(balance_amount) + sum(difference_amount))::decimal(18, 2) as after_amount,
        currency_code
    from ledger_differences
    where journal_key in (
        select natural_id from actions where kind = 'JOURNAL' and state in ('WANTED', 'PROPOSED', 'APPROVED')
    )
    group by erp_code, account_code, cost_centre, department, currency_code
    order by erp_code, account_code, cost_centre, department
"""
"""Of the journals whose requests are shown beside it: also one that has waited for approval too long (JNL-008). What is
wrong in the ERP already, and what a person posts, is no part of what this would change."""


@contextmanager
def _progress(session: Session) -> Iterator[Callable[[Step], None]]:
    """Progress on standard error: bars on a terminal, one line per step in a log, nothing with --json."""
    if session.as_json:
        yield lambda step: None
        return
    if not sys.stderr.isatty():
        out = console(stderr=True)
        said: list[str] = []

        def log(step: Step) -> None:
            # Feeds are worth a line each; the models of a build are not.
            line = f"{STAGES.get(step.stage, step.stage)} {step.detail if step.stage == 'extract' else '…'}"
            if said != [line]:
                said[:] = [line]
                out.print(line, markup=False)

        yield log
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("[bold]{task.description:<12}"),
        TextColumn("{task.fields[detail]:<42.42}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console(stderr=True)) as progress:
        tasks: dict[str, Any] = {}

        def draw(step: Step) -> None:
            if step.stage not in tasks:
                for stage, task in tasks.items():
                    if stage != step.stage:
                        progress.update(task, total=1, completed=1, detail="")
                tasks[step.stage] = progress.add_task(STAGES.get(step.stage, step.stage), total=None, detail="")
            progress.update(tasks[step.stage], detail=step.detail, completed=step.done, total=step.total)

        yield draw
        for task in tasks.values():
            progress.update(task, total=1, completed=1, detail="")


def _show(session: Session, result: LaneResult, *, dry_run: bool) -> None:
    out = console()
    feeds = [
        {
            "vendor": feed.feed.vendor,
            "account": feed.feed.account,
            "entity": feed.feed.entity,
            "received": feed.received,
            "landed": feed.landed,
            "unchanged": feed.unchanged,
            "error": feed.error or feed.skipped,
        }
        for feed in result.feeds
    ]
    columns = FEEDS if any(feed["error"] for feed in feeds) else FEEDS[:-1]
    out.print(table(feeds, columns, title="Feeds (records)"))
    if result.published is not None:
        rows = by_code(open_exceptions(session))
        if rows:
            out.print(table(rows, EXCEPTIONS, title="Open exceptions"))
        else:
            out.print("No open exceptions: everything ties out.", style="green")
    words = [
        f"{result.records_loaded:,} records loaded",
        f"{result.quarantined:,} quarantined",
        f"{result.models_built:,} models built",
        f"{result.tests_passed:,} tests passed",
    ]
    if not dry_run:
        words += [f"{result.sent:,} actions sent", f"{result.verified:,} read back"]
        words += [
            f"{count:,} {word}" for word, count in (("failed", result.failed), ("unknown", result.unknown)) if count
        ]
    if result.waiting:
        words.append(f"{result.waiting:,} wait for approval (tieout actions --state PROPOSED)")
    out.print(" · ".join(words))
    for name, counted in (("unknown fields", result.unknown_fields), ("unknown values", result.unknown_values)):
        if counted:
            listed = ", ".join(f"{key} ({count:,})" for key, count in sorted(counted.items()))
            out.print(f"{name}: {listed}", style="yellow", markup=False)
    if absent := sorted({f"{feed.feed} {column}" for feed in result.feeds for column in feed.absent}):
        out.print(f"columns the account lacks: {', '.join(absent)}", style="yellow", markup=False)
    for label, lines in (("test failed", result.tests_failed), ("test warns", result.tests_warned)):
        for line in lines:
            out.print(f"{label}: {line}", style="yellow", markup=False)
    for problem in result.problems:
        out.print(f"problem: {problem.stage} {problem.account or ''}: {problem.detail}", style="red", markup=False)
    seconds = result.seconds.get("total", 0.0)
    out.print(f"{seconds:.1f} s, peak memory {result.peak_memory_bytes / 2**20:,.0f} MiB", style="dim")
