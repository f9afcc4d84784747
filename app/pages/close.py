"""The month-end close: what is ready, the roll-forward, the bridge from sales to cash, signatures and the lock."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from filelock import FileLock, Timeout
from starlette.datastructures import FormData

from app.asking import Ask, Done, NotHere, NotNow, Page
from app.masks import masked
from app.pages import journals
from app.pages.payouts import bridge_chart
from app.people import Right
from app.rendering import evidence_address
from app.tables import Column, Link, Row, Table
from orchestration.close.reading import Close, read_close
from orchestration.outbox import Role

LANE_WAIT_SECONDS = 5


def page_of(row: Row) -> str:
    """Address of a month."""
    return f"/close/{row['entity_code']}/{row['period']}"


def listing(ask: Ask) -> Page:
    """Every month of every entity."""
    left = {(row["entity_code"], row["period"]): _left_at(row) for row in ask.outbox.closing.all() if _is_lock(row)}
    rows = ask.published.rows(
        "SELECT entity_code, period, count(*) AS check_count, count(*) FILTER (WHERE is_done) AS done_count, "
        "list(check_code) FILTER (WHERE is_blocking AND NOT is_done) AS blocking FROM close_readiness "
        "GROUP BY entity_code, period"
    )
    for row in rows:
        at_lock, blocking = left.get((row["entity_code"], row["period"])), set(row["blocking"] or ())
        row["state"] = "LOCKED" if at_lock is not None else "OPEN" if blocking else "READY"
        row["blocking_count"] = len(blocking if at_lock is None else at_lock)
        row["since_count"] = None if at_lock is None else len(blocking - at_lock)
    table = Table(
        "Months",
        (
            Column("period", "Month", "code", page_of),
            Column("entity_code", "Entity", "code"),
            Column("state", "State", "state"),
            Column("done_count", "Checks done", "number"),
            Column("check_count", "of", "number"),
            Column("blocking_count", "Blocking", "number"),
            Column("since_count", "Open since the lock", "number"),
        ),
        rows,
        sort="-period",
        nothing="No month has books yet.",
    )
    lead = "Of a locked month, Blocking is what was left open when it was locked." if left else ""
    return Page("table.html", "Close", {"lead": lead}, {"table": table})


def one(ask: Ask) -> Page:
    """One month of one entity."""
    close = _read(ask)
    steps = ask.published.rows(
        "SELECT step_no, step_name, currency_code, sum(amount)::DECIMAL(18, 2) AS amount FROM settlement_bridge "
        "WHERE entity_code = ? AND strftime(cycle_date, '%Y-%m') = ? GROUP BY ALL ORDER BY currency_code, step_no",
        [close.entity, close.period],
    )
    currencies = sorted({str(row["currency_code"]) for row in steps})
    charts = [
        (currency, bridge_chart(ask, [row for row in steps if row["currency_code"] == currency], currency))
        for currency in currencies
    ]
    events = [{**row, "reason": masked(row["reason"])} for row in ask.outbox.closing.all(close.entity, close.period)]
    standing = {row["role"] or row["kind"]: row for row in events if row["state"] == "STANDING"}
    lock = standing.get("LOCKED")
    values = {
        "close": close,
        "since_lock": sorted(set(close.left_open) - _left_at(lock)) if lock else [],
        "at_lock": sorted(_left_at(lock)) if lock else [],
        "charts": charts,
        "standing": standing,
        "is_locked": "LOCKED" in standing,
        "back": f"/close/{close.entity}/{close.period}",
    }
    return Page("close.html", f"Close of {close.period}, {close.entity}", values, _tables(close, steps, events))


def _tables(close: Close, steps: list[dict[str, Any]], events: list[dict[str, Any]]) -> dict[str, Table]:
    checks = [
        {**row, "state": "DONE" if row["is_done"] else "BLOCKED" if row["is_blocking"] else "OPEN"}
        for row in close.checks
    ]
    return {
        "checks": Table(
            "Readiness",
            (
                Column("check_code", "Step", "code"),
                Column("title", "What must be true", "long"),
                Column("state", "State", "state"),
                Column("open_count", "Open", "number"),
                Column("evidence", "Evidence", "long", is_sortable=False),
                Column("owner_team", "Team", "words"),
                Column("working_day", "Due", "code"),
            ),
            checks,
            name="checks",
            sort="check_code",
        ),
        "rollforward": Table(
            "Roll-forward (debit positive)",
            (
                Column("marketplace_code", "Market", "code"),
                Column("account_role", "Account", "words", note="account_code"),
                Column("opening_amount", "Opening", "money"),
                Column("settlement_amount", "Settled", "money", _journals("SETTLEMENT")),
                Column("receipt_amount", "Received", "money", _journals("PAYOUT_RECEIPT")),
                Column("correction_amount", "Other", "money", _journals()),
                Column("closing_amount", "Closing", "money", _journals()),
                Column("timing_amount", "On its way", "money", lambda _: "/payouts?match_status=TIMING"),
                Column("finding_amount", "Findings", "money", _findings_of),
                Column("erp_closing_amount", "Per ERP", "money", _account_of),
                Column("difference_amount", "Unexplained", "money"),
            ),
            close.rollforward,
            name="rollforward",
            nothing="No account moved.",
        ),
        "bridge": Table(
            "Bridge",
            (Column("step_name", "Step"), Column("amount", "Amount", "money", lambda _: "/payouts")),
            steps,
            name="bridge",
            nothing="No cycle closed in this month.",
        ),
        "tie_out": Table(
            "Ledger against the marketplace's balances, today",
            (
                Column("marketplace_code", "Market", "code"),
                Column("side", "Side", "words"),
                Column("item_kind", "What", "words"),
                Column("item_count", "Items", "number"),
                Column("amount", "Amount", "money", _side_of),
            ),
            close.tie_out,
            name="tie-out",
        ),
        "ageing": Table(
            "Open items by age",
            (
                Column("exception_code", "Code", "code", _exceptions_of),
                Column("marketplace_code", "Market", "code"),
                Column("age_band", "Days", "code"),
                Column("item_count", "Items", "number"),
                Column("open_amount", "Amount", "money", _exceptions_of),
            ),
            close.ageing,
            name="ageing",
            sort="-open_amount",
            page_rows=15,
            nothing="Nothing is open.",
        ),
        "accruals": Table(
            "Accruals and reclasses",
            (
                Column("journal_key", "Journal", "long"),
                Column("posting_date", "Dated", "date"),
                Column("total_debit", "Amount", "money"),
                Column("status", "Status", "state"),
            ),
            close.accruals,
            name="accruals",
            nothing="None.",
        ),
        "events": Table(
            "Signatures and locks",
            (
                Column("kind", "What", "words"),
                Column("role", "As", "words"),
                Column("taken_by", "Who", "text"),
                Column("taken_at", "When (UTC)", "moment"),
                Column("state", "State", "words"),
                Column("reason", "Why", "long", is_sortable=False),
            ),
            events,
            name="events",
            nothing="Nobody has signed yet.",
        ),
    }


def sign(ask: Ask, sent: FormData) -> Done:
    """Sign the figures as they are now, as preparer or as reviewer."""
    role = Role.REVIEWER if sent.get("role") == "REVIEWER" else Role.PREPARER
    if not ask.may(Right.APPROVE if role is Role.REVIEWER else Right.DECIDE):
        raise NotNow(f"{'an approver' if role is Role.REVIEWER else 'a preparer'} signs as {role.lower()}")
    close = _read(ask)
    with _no_lane(ask):
        ask.outbox.closing.sign(
            close.entity,
            close.period,
            role,
            close.signed_figures,
            by=ask.person.name,
            reason=str(sent.get("reason", "")),
        )
    return Done(f"{close.period} of {close.entity} is signed as {role.lower()}.", _here(close))


def lock(ask: Ask, sent: FormData) -> Done:
    """Lock the month; both must have signed."""
    close = _read(ask)
    with _no_lane(ask):
        ask.outbox.closing.lock(
            close.entity,
            close.period,
            close.signed_figures,
            close.left_open,
            by=ask.person.name,
            first_period=close.first_period,
            despite=str(sent.get("despite", "")),
        )
    return Done(
        f"{close.period} of {close.entity} is locked; what comes late goes to the first open month.", _here(close)
    )


def reopen(ask: Ask, sent: FormData) -> Done:
    """Open a locked month again."""
    close = _read(ask)
    with _no_lane(ask):
        ask.outbox.closing.reopen(close.entity, close.period, by=ask.person.name, reason=str(sent.get("reason", "")))
    return Done(f"{close.period} of {close.entity} is open again; both sign anew before it is locked.", _here(close))


@contextmanager
def _no_lane(ask: Ask) -> Iterator[None]:
    """Hold the lanes back: one that is under way would still send what is dated in the month. Raises NotNow."""
    folder = ask.settings.locks_dir
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / "lane.lock", timeout=LANE_WAIT_SECONDS):
            yield
    except Timeout:
        raise NotNow("a lane is running; sign when it has ended, its figures may be others") from None


def _read(ask: Ask) -> Close:
    entity, period = ask.path("entity"), ask.path("period")
    close = read_close(ask.published, entity, period)
    if close is None:
        raise NotHere(f"There is no {period} of {entity} in the books. Look under Close.")
    return close


def _is_lock(event: Row) -> bool:
    return bool(event["kind"] == "LOCKED" and event["state"] == "STANDING")


def _left_at(lock: Row) -> set[str]:
    """Blocking checks that were not done when the month was locked all the same."""
    return set(json.loads(lock["left_open"] or "[]"))


def _journals(kind: str = "") -> Link:
    """The journal lines that moved the row's account in the month."""
    return lambda row: journals.address(row, period=row["period"], account_role=row["account_role"], kind=kind)


def _findings_of(row: Row) -> str:
    return f"/exceptions?marketplace_code={quote(str(row['marketplace_code']))}"


def _account_of(row: Row) -> str | None:
    return evidence_address([row["account_code"]], row["marketplace_code"]) if row["account_code"] else None


def _side_of(row: Row) -> str:
    """Where the amount of a line of the tie-out comes from."""
    if row["side"] == "LEDGER":
        return journals.address(row, account_role=row["item_kind"])
    return (
        f"/payouts?marketplace_code={quote(str(row['marketplace_code']))}"
        if row["side"] == "MARKETPLACE"
        else (_findings_of(row))
    )


def _exceptions_of(row: Row) -> str:
    return f"/exceptions?exception_code={row['exception_code']}"


def _here(close: Close) -> str:
    return f"/close/{close.entity}/{close.period}"
