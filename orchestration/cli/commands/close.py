"""`tieout close`: the checklist of a month, its roll-forward, signatures, lock and evidence pack."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from orchestration.cli.output import Col, console, money, print_json, table
from orchestration.cli.problems import CliError, ExitCode
from orchestration.cli.session import Session, system_user
from orchestration.close.reading import Close, known_months, read_close

if TYPE_CHECKING:
    from rich.console import Console

CHECKLIST = (
    Col("mark", "", "code"),
    Col("title", "Check", max_width=52),
    Col("working_day", "Due", "code"),
    Col("owner_team", "Owner", "code"),
    Col("blocks", "Blocks", "code"),
    Col("open_count", "Open", "number"),
    Col("evidence", "Evidence", max_width=74),
)
ROLL_FORWARD = (
    Col("marketplace_code", "Market", "code"),
    Col("account_role", "Account", "code"),
    Col("opening_amount", "Opening", "money"),
    Col("settlement_amount", "Settled", "money"),
    Col("receipt_amount", "Received", "money"),
    Col("correction_amount", "Other", "money"),
    Col("closing_amount", "Closing", "money"),
    Col("timing_amount", "On its way", "money"),
    Col("finding_amount", "Findings", "money"),
    Col("erp_closing_amount", "Per ERP", "money"),
    Col("brought_forward_amount", "Brought fwd", "money"),
    Col("difference_amount", "Difference", "money"),
    Col("currency_code", "", "code"),
)
AGEING = (
    Col("exception_code", "Code", "code"),
    Col("owner_team", "Owner", "code"),
    Col("marketplace_code", "Market", "code"),
    Col("age_band", "Days", "code"),
    Col("item_count", "Items", "number"),
    Col("open_amount", "Amount", "money"),
    Col("currency_code", "", "code"),
)
TIE_OUT = (
    Col("marketplace_code", "Market", "code"),
    Col("side", "Side", "code"),
    Col("item_kind", "What", "code"),
    Col("item_count", "Items", "number"),
    Col("amount", "Amount", "money"),
    Col("currency_code", "", "code"),
)
ACCRUALS = (
    Col("journal_key", "Journal", max_width=70),
    Col("posting_date", "Dated", "moment"),
    Col("total_debit", "Amount", "money"),
    Col("currency_code", "", "code"),
    Col("status", "Status", "state"),
)
RESTATED = (
    Col("marketplace_code", "Market", "code"),
    Col("figure_code", "Figure", "code"),
    Col("first_closed_amount", "First closed", "money"),
    Col("restated_amount", "Restated", "money"),
    Col("difference_amount", "Difference", "money"),
    Col("currency_code", "", "code"),
)
EVENTS = (
    Col("kind", "What", "code"),
    Col("role", "As", "code"),
    Col("taken_by", "Who", "code"),
    Col("taken_at", "When (UTC)", "moment"),
    Col("state", "", "state"),
    Col("reason", "Why", max_width=70),
)
AGEING_ROWS = 15
LANE_WAIT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class CloseOptions:
    """What is to be done beside showing the close. `by` is the name that signs, locks or reopens."""

    sign: str | None = None
    """Role to sign in: preparer or reviewer."""
    lock: bool = False
    despite: str = ""
    reopen: bool = False
    reason: str = ""
    by: str | None = None
    pack: Path | None = None
    """Folder to write the evidence pack into."""


def close_command(session: Session, period: str, entity: str | None, options: CloseOptions) -> None:
    """Show the close of a month; sign, lock or reopen it first where that is asked for."""
    if sum((options.sign is not None and not options.lock, options.lock, options.reopen)) > 1:
        raise CliError("--reopen goes with neither --sign nor --lock", code=ExitCode.USAGE)
    code = entity or _only_entity(session, period)
    close = _read(session, period, code)
    said = _decide(session, close, options)
    pack = None
    if options.pack is not None:
        from orchestration.close.pack import write_pack

        pack = write_pack(session.settings, session.published.path, session.outbox, code, period, options.pack)
        said.append(f"Evidence pack: {pack.folder}, and the same as {pack.archive.name}; {pack.files} files.")
        said.append(f"Note the SHA-256 of its manifest elsewhere: {pack.manifest_sha256}")
    events = session.outbox.closing.all(close.entity, period) if session.has_outbox else []
    if session.as_json:
        print_json(
            {
                "entity_code": close.entity,
                "period": period,
                "is_locked": any(row["kind"] == "LOCKED" and row["state"] == "STANDING" for row in events),
                "left_open": close.left_open,
                "difference_amount": close.difference,
                "checks": close.checks,
                "roll_forward": close.rollforward,
                "tie_out": close.tie_out,
                "ageing": close.ageing,
                "accruals": close.accruals,
                "figures": close.figures,
                "events": [{name: row[name] for name in ("kind", "role", "state", "taken_by", "taken_at", "reason")}
                           for row in events],
                "messages": said,
                "pack": None if pack is None else str(pack.folder),
                "manifest_sha256": None if pack is None else pack.manifest_sha256,
            }
        )  # fmt: skip
        return
    out = console()
    _show(out, close, events)
    for words in said:
        out.print(words, style="green", markup=False)


def _read(session: Session, period: str, entity: str) -> Close:
    close = read_close(session.published, entity, period)
    if close is None:
        months = ", ".join(f"{of} {first} to {last}" for of, first, last in known_months(session.published)) or "none"
        raise CliError(f"there is no {period} of {entity}", action=f"Months with books: {months}.", code=ExitCode.USAGE)
    return close


def _only_entity(session: Session, period: str) -> str:
    rows = session.published.rows("SELECT DISTINCT entity_code FROM close_readiness WHERE period = ?", [period])
    if len(rows) != 1:
        words = ", ".join(sorted(str(row["entity_code"]) for row in rows)) or "none"
        raise CliError("name the entity with --entity", action=f"Entities of {period}: {words}.", code=ExitCode.USAGE)
    return str(rows[0]["entity_code"])


def _decide(session: Session, close: Close, options: CloseOptions) -> list[str]:
    """Sign, lock or reopen as asked. Returns what was done, in words. Raises CliError, ApprovalRefused."""
    from orchestration.outbox import Role

    if options.sign is None and not options.lock and not options.reopen:
        return []
    by, what = options.by or system_user(), f"{close.period} of {close.entity}"
    said: list[str] = []
    settings = session.settings
    settings.locks_dir.mkdir(parents=True, exist_ok=True)
    try:
        # A lane that is under way would still send what is dated in the month.
        with FileLock(settings.locks_dir / "lane.lock", timeout=LANE_WAIT_SECONDS):
            closing = session.outbox.closing
            if options.sign is not None:
                if options.sign.upper() not in Role.__members__:
                    words = " or ".join(role.lower() for role in Role)
                    raise CliError(f"{options.sign!r} is no role", action=f"One of {words}.", code=ExitCode.USAGE)
                role = Role(options.sign.upper())
                closing.sign(close.entity, close.period, role, close.signed_figures, by=by, reason=options.reason)
                said.append(f"{by} has signed {what} as {role.lower()}.")
            if options.lock:
                closing.lock(
                    close.entity,
                    close.period,
                    close.signed_figures,
                    close.left_open,
                    by=by,
                    first_period=close.first_period,
                    despite=options.despite,
                )
                said.append(f"{what} is locked; what comes late goes to the first open month from the next run on.")
            if options.reopen:
                closing.reopen(close.entity, close.period, by=by, reason=options.reason)
                said.append(f"{what} is open again; both sign anew before it is locked.")
    except Timeout:
        raise CliError("a lane is running", action="Sign when it has ended: its figures may be others.") from None
    return said


def _show(out: Console, close: Close, events: list[dict[str, Any]]) -> None:
    rows = [
        {**row, "mark": "✓" if row["is_done"] else "✗", "blocks": "yes" if row["is_blocking"] else ""}
        for row in close.checks
    ]
    out.print(table(rows, CHECKLIST, title=f"Close of {close.period}, {close.entity}"))
    if close.rollforward:
        out.print(table(close.rollforward, ROLL_FORWARD, title="Roll-forward (debit positive)"))
        words = "closing + on its way + findings + brought forward + difference = per ERP; difference "
        out.print(words + money(close.difference), style="bold red" if close.difference else "green", markup=False)
    if close.tie_out:
        out.print(table(close.tie_out, TIE_OUT, title="Ledger against the marketplace's own balances, today"))
        words = f"ledger - marketplace - listed items: {money(close.untied)}"
        out.print(words, style="bold red" if close.untied else "green", markup=False)
    if close.accruals:
        out.print(table(close.accruals, ACCRUALS, title="Accruals and reclasses of the month"))
    if close.ageing:
        largest = sorted(close.ageing, key=lambda row: -(row["open_amount"] or 0))[:AGEING_ROWS]
        rest = len(close.ageing) - len(largest)
        caption = f"{rest} smaller ones are in mart reconciliation_debt" if rest else None
        out.print(table(largest, AGEING, title="Open items by age since they became due", caption=caption))
    moved = [row for row in close.figures if row["is_locked"] and row["difference_amount"]]
    if moved:
        out.print(table(moved, RESTATED, title="First closed and restated"))
    if events:
        out.print(table(events, EVENTS, title="Signatures and locks"))
    if close.left_open:
        out.print(f"Not ready: {', '.join(close.left_open)}", style="yellow", markup=False)
    else:
        out.print("Ready: every blocking check is done.", style="green")
