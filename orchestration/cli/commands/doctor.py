"""`tieout doctor`: everything that can be known to be wrong before a run."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import typer

from orchestration.cli.output import Col, console, print_json, table
from orchestration.cli.problems import ExitCode
from orchestration.cli.session import Session

OK, WARN, FAIL = "ok", "warn", "fail"
PACKAGES = ("tieout", "dagster", "dbt-core", "dbt-duckdb", "duckdb", "pyarrow", "sqlalchemy")
LEAST_FREE_GIB = 2
"""Below this a first run of a year's data can fill the disk."""

COLUMNS = (
    Col("result", "", "state"),
    Col("check", "Check", "code"),
    Col("detail", "What was found", max_width=90),
    Col("action", "What to do", max_width=70),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. `area` decides about the exit code: machine, configuration, account."""

    result: str
    area: str
    check: str
    detail: str
    action: str = ""


def doctor_command(session: Session, *, offline: bool) -> None:
    """Print the findings. Ends with 4 when configuration is wrong, 1 when the machine is, 5 when only a vendor account
    fails.
    """
    findings = list(_findings(session, offline=offline))
    failed = {finding.area for finding in findings if finding.result == FAIL}
    code = ExitCode.OK
    if "configuration" in failed:
        code = ExitCode.CONFIGURATION
    elif "machine" in failed:
        code = ExitCode.ERROR
    elif failed:
        code = ExitCode.PARTIAL
    if session.as_json:
        print_json({"ok": not failed, "exit_code": int(code), "findings": [asdict(finding) for finding in findings]})
    else:
        out = console()
        out.print(table([asdict(finding) for finding in findings], COLUMNS))
        counts = {result: sum(finding.result == result for finding in findings) for result in (OK, WARN, FAIL)}
        out.print(f"{counts[OK]} ok, {counts[WARN]} to look at, {counts[FAIL]} wrong.", style="dim")
    if code:
        raise typer.Exit(int(code))


def _findings(session: Session, *, offline: bool) -> Iterator[Finding]:
    from pydantic import ValidationError

    from orchestration.cli.problems import problem_of

    yield from _versions()
    try:
        settings = session.settings
    except ValidationError as error:
        problem = problem_of(error)
        for message in problem.messages:
            yield Finding(FAIL, "configuration", "environment", message, problem.action)
        return
    yield from _data_folder(settings.root)
    yield from _outbox(session)
    if settings.write_back:
        yield Finding(OK, "machine", "write-back", "on: approved actions are sent to the marketplaces and the ERP")
    else:
        yield Finding(
            WARN,
            "machine",
            "write-back",
            "off: nothing is sent",
            "Set TIEOUT_WRITE_BACK=on when the proposals look right.",
        )
    if settings.as_of:
        yield Finding(
            WARN, "machine", "clock", f"pinned to {settings.as_of.isoformat()}", "Unset TIEOUT_AS_OF for daily work."
        )
    from orchestration.lib.registry import check_registry

    registry, errors = check_registry(settings.config_dir)
    for found in errors:
        place = (
            found.file + (f" line {found.line}" if found.line else "") + (f", {found.column}" if found.column else "")
        )
        value = f"{found.value!r} " if found.value is not None else ""
        result = FAIL if found.is_blocking else WARN
        yield Finding(result, "configuration", place, f"{value}{found.problem}", found.action)
    if registry is None:
        return
    if not errors:
        yield Finding(OK, "configuration", "configuration", f"{settings.config_dir} is complete and consistent")
    if not offline:
        from orchestration.cli.vendors import check_accounts

        for check in check_accounts(session, registry):
            result = OK if check.ok else WARN if check.is_warning else FAIL
            yield Finding(result, "account", f"{check.account} {check.name}", check.detail, check.action)


def _versions() -> Iterator[Finding]:
    found: list[str] = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            yield Finding(FAIL, "machine", "versions", f"{package} is not installed", "Install Tieout again.")
    python = ".".join(str(part) for part in sys.version_info[:3])
    yield Finding(OK, "machine", "versions", ", ".join([f"python {python}", *found]))


def _data_folder(root: Path) -> Iterator[Finding]:
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root) as probe:
            probe.write(b"tieout")
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        yield Finding(
            FAIL, "machine", "data folder", f"{root}: {error.strerror}", "Make it writable, or set TIEOUT_DATA_DIR."
        )
        return
    yield Finding(OK, "machine", "data folder", f"{root} is writable")
    free = shutil.disk_usage(root).free / 2**30
    if free < LEAST_FREE_GIB:
        yield Finding(
            WARN,
            "machine",
            "disk",
            f"{free:.1f} GiB free",
            f"Free some: below {LEAST_FREE_GIB} GiB a run may not finish.",
        )
    else:
        yield Finding(OK, "machine", "disk", f"{free:.0f} GiB free")


def _outbox(session: Session) -> Iterator[Finding]:
    if not session.has_outbox:
        yield Finding(OK, "machine", "outbox", "not there yet; the first run makes it")
        return
    from sqlalchemy.exc import SQLAlchemyError

    from orchestration.cli.problems import problem_of
    from orchestration.outbox import OutboxError

    try:
        counts: dict[str, int] = {}
        for (_, _, state), count in session.outbox.counts().items():
            counts[state] = counts.get(state, 0) + count
    except (OutboxError, SQLAlchemyError) as error:
        problem = problem_of(error)
        yield Finding(FAIL, "machine", "outbox", problem.messages[0], problem.action)
        return
    yield from _database_role(session)
    words = ", ".join(f"{count:,} {state}" for state, count in sorted(counts.items())) or "empty"
    stuck = counts.get("UNKNOWN", 0) + counts.get("FAILED", 0)
    if stuck:
        yield Finding(
            WARN, "machine", "outbox", words, "`tieout actions --state FAILED --state UNKNOWN` shows what needs a look."
        )
    else:
        yield Finding(OK, "machine", "outbox", words)


def _database_role(session: Session) -> Iterator[Finding]:
    """Whether the role that the outbox is opened with may do more than that (PostgreSQL)."""
    from orchestration.outbox.database import excess_rights

    engine = session.outbox.engine
    if engine.dialect.name != "postgresql":
        return
    found = excess_rights(engine)
    if found:
        action = "Open the outbox with a role that only owns its own database (docs/rights.md)."
        yield Finding(WARN, "machine", "outbox rights that are not needed", ", ".join(found), action)
    else:
        yield Finding(OK, "machine", "outbox rights that are not needed", "none that shows")
