"""`tieout actions`, `approve` and `reject`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from orchestration.cli.commands.decisions import split_keys
from orchestration.cli.output import Col, console, moment, money, print_json, table
from orchestration.cli.problems import CliError, ExitCode
from orchestration.cli.session import Session, system_user

COLUMNS = (
    Col("state", "State", "state"),
    Col("kind", "Kind", "code"),
    Col("marketplace_code", "Market", "code"),
    Col("natural_id", "What", max_width=50),
    Col("amount", "Amount", "money"),
    Col("currency_code", "", "code"),
    Col("proposed_at", "Proposed (UTC)", "moment"),
    Col("decided_by", "Decided by", "code"),
    Col("said", "Why / vendor's answer", max_width=60),
)
HISTORY = (
    Col("at", "When (UTC)", "moment"),
    Col("actor", "Who", "code"),
    Col("channel", "Through", "code"),
    Col("from_state", "From", "state"),
    Col("to_state", "To", "state"),
    Col("why", "Why", max_width=80),
)


def actions_command(
    session: Session,
    *,
    key: str | None,
    states: Sequence[str],
    kind: str | None,
    marketplace: str | None,
    code: str | None,
    cause: str | None,
    requests: bool,
    limit: int,
) -> None:
    """List actions, or show one with its history; with `requests`, what would be sent."""
    outbox = session.require_outbox()
    if requests:
        from orchestration.cli.vendors import preview_requests

        preview_requests(session, keys=[key] if key else None)
        return
    if key:
        _show_one(session, outbox.find(key), outbox.history(outbox.find(key)["action_key"]))
        return
    from orchestration.outbox import State

    unknown = [state for state in states if state.upper() not in State.__members__]
    if unknown:
        raise CliError(f"{unknown[0]!r} is no state", action=f"States: {', '.join(State)}.", code=ExitCode.USAGE)
    rows = outbox.actions(states=states, kind=kind, marketplace_code=marketplace)
    rows = _mending(session, rows, code=code, cause=cause)
    if session.as_json:
        shown = [_with_payload(row) for row in (rows[:limit] if limit else rows)]
        print_json({"count": len(rows), "actions": shown, "is_truncated": bool(limit) and len(rows) > limit})
        return
    for row in rows:
        row["said"] = row["detail"] or row["reason"]
    out = console()
    if not rows:
        out.print("No actions.", style="dim")
        return
    out.print(table(rows[:limit] if limit else rows, COLUMNS))
    counted = Counter(row["state"] for row in rows)
    words = ", ".join(f"{count:,} {state}" for state, count in sorted(counted.items()))
    out.print(
        words + (f"; {limit:,} of {len(rows):,} shown (--limit 0 shows all)" if limit and len(rows) > limit else ""),
        style="dim",
    )


def approve_command(
    session: Session,
    keys: Sequence[str],
    *,
    all_proposed: bool,
    kind: str | None,
    marketplace: str | None,
    code: str | None,
    cause: str | None,
    reason: str,
    by: str | None,
) -> None:
    """Approve the named actions, or with `all_proposed` everything PROPOSED that fits; with `code` or `cause` only what
    mends an open exception of that code or root cause.
    """
    outbox = session.require_outbox()
    if all_proposed == bool(keys):
        raise CliError(
            "name the actions to approve, or say --all",
            action="`tieout actions --state PROPOSED` lists them.",
            code=ExitCode.USAGE,
        )
    if all_proposed:
        rows = outbox.actions(states=["PROPOSED"], kind=kind, marketplace_code=marketplace)
        keys = [row["action_key"] for row in _mending(session, rows, code=code, cause=cause)]
    elif code or cause:
        raise CliError("--code and --cause go with --all", code=ExitCode.USAGE)
    who = by or system_user()
    decisions, changes, keys = split_keys(keys)
    for decision in decisions:
        outbox.decisions.approve(decision, by=who, reason=reason)
    if changes:
        from orchestration.lib import config_changes

        for change in changes:
            config_changes.approve(session.settings, outbox, change, by=who, reason=reason)
    approved = outbox.approve(keys, by=who, reason=reason) if keys else []
    _decided(session, "approved", [*decisions, *changes, *approved])


def _mending(
    session: Session, rows: list[dict[str, Any]], *, code: str | None, cause: str | None
) -> list[dict[str, Any]]:
    """Of the actions those whose subject has an open exception of this code (or its beginning) and this root cause."""
    if not code and not cause:
        return rows
    found = session.published.rows(_SUBJECTS, [f"{(code or '').upper()}%", (cause or "%").upper()])
    subjects = {(row["marketplace_code"], row["subject_id"]) for row in found}
    return [row for row in rows if (row["marketplace_code"], row["natural_id"]) in subjects]


_SUBJECTS = """
    select distinct marketplace_code, subject_id
    from exceptions
    where status in ('OPEN', 'IN_PROGRESS') and exception_code like ? and root_cause like ?
"""


def reject_command(session: Session, keys: Sequence[str], *, reason: str, by: str | None) -> None:
    """Reject the named actions."""
    outbox = session.require_outbox()
    who = by or system_user()
    decisions, changes, keys = split_keys(keys)
    for decision in decisions:
        outbox.decisions.reject(decision, by=who, reason=reason)
    for change in changes:
        outbox.changes.reject(change, by=who, reason=reason)
    rejected = outbox.reject(keys, by=who, reason=reason) if keys else []
    _decided(session, "rejected", [*decisions, *changes, *rejected])


def _decided(session: Session, word: str, keys: Sequence[str]) -> None:
    if session.as_json:
        print_json({word: list(keys)})
        return
    out = console()
    for key in keys:
        out.print(f"{word} {key}", markup=False)
    out.print(
        f"{len(keys):,} {word}."
        + (" They take effect with the next run of their lane." if word == "approved" and keys else ""),
        style="dim",
    )


def _with_payload(row: dict[str, Any]) -> dict[str, Any]:
    """The stored JSON texts as JSON."""
    return row | {
        "payload": json.loads(row["payload"], parse_float=str),
        "vendor_ids": json.loads(row["vendor_ids"] or "[]"),
    }


def _show_one(session: Session, row: dict[str, Any], history: list[dict[str, Any]]) -> None:
    if session.as_json:
        print_json(_with_payload(row) | {"history": history})
        return
    from rich.text import Text

    out = console()
    out.print(Text.assemble((row["action_key"], "bold"), "  ", row["state"]))
    facts = {
        "wire key": row["wire_key"],
        "to": f"{row['vendor']} {row['account']}",
        "amount": money(row["amount"], row["currency_code"]) if row["amount"] else None,
        "why": row["reason"],
        "vendor's ids": ", ".join(json.loads(row["vendor_ids"] or "[]")) or None,
        "vendor's answer": row["detail"],
        "sent": moment(row["sent_at"]) if row["sent_at"] else None,
        "verified": moment(row["verified_at"]) if row["verified_at"] else None,
    }
    for name, value in facts.items():
        if value:
            out.print(Text.assemble((f"  {name}: ", "dim"), str(value)))
    out.print(table(history, HISTORY, title="History"))
    out.print_json(row["payload"])
