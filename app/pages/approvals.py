"""What waits for a person to let it go: the exact payload, what it would change, who asked, and why it waits."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from starlette.datastructures import FormData

from app.asking import Ask, Done, NotHere, NotNow, Page
from app.formats import words
from app.masks import is_masked, masked
from app.pages.mappings import waiting_changes
from app.people import Right
from app.rendering import explained
from app.tables import Column, Filter, Row, Table
from orchestration.lib import config_changes
from orchestration.lib.registry import Registry, load_registry
from orchestration.outbox import About, ApprovalRefused, IllegalTransition, UnknownAction
from orchestration.outbox.changes import PREFIX as CHANGE
from orchestration.outbox.decisions import PREFIX
from orchestration.outbox.policies import needs_person, stopped_by, subject_of

WAITING = ("PROPOSED",)
SHOWN_ENDED = ("APPROVED", "SENDING", "SENT", "UNKNOWN", "FAILED", "REJECTED", "VERIFIED", "SUPERSEDED")


def page_of(row: Row) -> str:
    """Address of an action."""
    return f"/actions/{quote(str(row['action_key']), safe='')}"


def listing(ask: Ask) -> Page:
    """Actions and decisions that wait, and what became of the others."""
    registry = load_registry(ask.settings.config_dir)
    mends = _mends(ask)
    waiting = [
        row
        | {"waits": _why(ask, registry, row)}
        | mends.get((row["marketplace_code"], row["natural_id"]), {"root_cause": None, "exception_code": None})
        for row in ask.outbox.actions(states=WAITING)
    ]
    decisions = [row for row in ask.outbox.decisions.all() if row["state"] == "PROPOSED"]
    ended = ask.outbox.actions(states=SHOWN_ENDED)
    may = ask.may(Right.APPROVE)
    columns = (
        Column("kind", "Kind", "words"),
        Column("marketplace_code", "Market", "code"),
        Column("natural_id", "What", "long", page_of, note="reason"),
        Column("amount", "Amount", "money"),
        Column("exception_code", "Mends", "code"),
        Column("root_cause", "Cause", "words"),
        Column("waits", "Waits because", "long", is_sortable=False),
        Column("proposed_by", "By", "text"),
        Column("proposed_at", "Since (UTC)", "moment"),
    )
    tables = {
        "actions": Table(
            "Actions that wait",
            columns,
            _with_decimals(waiting),
            sort="kind",
            totals=("amount",),
            filters=(
                Filter("kind", "Kind"),
                Filter("marketplace_code", "Marketplace"),
                Filter("root_cause", "Cause"),
                Filter("exception_code", "Mends"),
            ),
            search=("natural_id", "reason"),
            nothing="No action waits for a person.",
            choose="action_key" if may else "",
        ),
        "decisions": Table(
            "Write-offs that wait for a second person",
            (
                Column("kind", "Kind", "words"),
                Column("exception_code", "Code", "code"),
                Column("subject_id", "About", "text", explained("subject_id")),
                Column("amount", "Amount", "money"),
                Column("reason", "Why", "long", is_sortable=False),
                Column("proposed_by", "By", "text"),
                Column("proposed_at", "Since (UTC)", "moment"),
            ),
            _with_decimals([row | {"reason": masked(row["reason"])} for row in decisions]),
            name="decisions",
            sort="proposed_at",
            nothing="No write-off waits.",
            choose="decision_key" if may else "",
        ),
        "changes": waiting_changes(ask, choose="change_key" if may else ""),
        "ended": Table(
            "What became of the others",
            (
                Column("state", "State", "state"),
                Column("kind", "Kind", "words"),
                Column("marketplace_code", "Market", "code"),
                Column("natural_id", "What", "long", page_of),
                Column("amount", "Amount", "money"),
                Column("decided_by", "Decided by", "text"),
                Column("decided_at", "When (UTC)", "moment"),
            ),
            _with_decimals(ended),
            name="ended",
            sort="-decided_at",
            filters=(Filter("state", "State"), Filter("kind", "Kind")),
            page_rows=20,
        ),
    }
    return Page("approvals.html", "Approvals", {"back": "/approvals", "write_back": ask.settings.write_back}, tables)


def _mends(ask: Ask) -> dict[tuple[str, str], dict[str, Any]]:
    """Of each (marketplace, subject) with an open exception: its code and root cause."""
    rows = ask.published.rows(
        "SELECT marketplace_code, subject_id, min(exception_code) AS exception_code, min(root_cause) AS root_cause "
        "FROM exceptions WHERE status IN ('OPEN', 'IN_PROGRESS') GROUP BY marketplace_code, subject_id"
    )
    return {
        (row["marketplace_code"], row["subject_id"]): {name: row[name] for name in ("exception_code", "root_cause")}
        for row in rows
    }


def one(ask: Ask) -> Page:
    """One action: its payload beside what went before, its limits and its history."""
    try:
        row = ask.outbox.find(ask.path("action"))
    except UnknownAction:
        raise NotHere(f"No action has the key {ask.path('action')}. Look under Approvals.") from None
    return _page(ask, row, shows_all=False)


def reveal(ask: Ask, sent: FormData) -> Page:
    """The same without masks, once the look was written down."""
    row = ask.outbox.find(str(sent.get("choose", "")))
    ask.outbox.notes.reveal(row, str(sent.get("reason", "")), by=ask.person.name)
    return _page(ask, row, shows_all=True)


def approve(ask: Ask, sent: FormData) -> Done:
    """Let the chosen go, the actions all or none."""
    actions, decisions, changes = _chosen(sent)
    reason = str(sent.get("reason", ""))
    for key in decisions:
        _decide(ask, key, lambda key=key: ask.outbox.decisions.approve(key, by=ask.person.name, reason=reason))
    for key in changes:
        _decide(
            ask,
            key,
            lambda key=key: config_changes.approve(ask.settings, ask.outbox, key, by=ask.person.name, reason=reason),
        )
    if actions:
        _decide(ask, actions[0], lambda: ask.outbox.approve(actions, by=ask.person.name, reason=reason))
    count = len(actions) + len(decisions) + len(changes)
    return Done(f"{count} approved. They take effect with the next run of their lane.", _back(sent))


def reject(ask: Ask, sent: FormData) -> Done:
    """Say no to the chosen, with a reason."""
    actions, decisions, changes = _chosen(sent)
    reason = str(sent.get("reason", ""))
    for key in decisions:
        _decide(ask, key, lambda key=key: ask.outbox.decisions.reject(key, by=ask.person.name, reason=reason))
    for key in changes:
        _decide(ask, key, lambda key=key: ask.outbox.changes.reject(key, by=ask.person.name, reason=reason))
    if actions:
        _decide(ask, actions[0], lambda: ask.outbox.reject(actions, by=ask.person.name, reason=reason))
    count = len(actions) + len(decisions) + len(changes)
    return Done(f"{count} rejected. The same is not proposed again.", _back(sent))


def difference(before: str | None, after: str) -> list[tuple[str, str]]:
    """Lines of a payload with what became of each: `ins`, `del` or empty. Without an earlier one all is plain."""
    new = _lines(after)
    if before is None:
        return [("", line) for line in new]
    marks = {"+ ": "ins", "- ": "del", "  ": ""}
    found = difflib.ndiff(_lines(before), new)
    return [(marks[line[:2]], line[2:]) for line in found if line[:2] in marks]


def _page(ask: Ask, row: Mapping[str, Any], *, shows_all: bool) -> Page:
    registry = load_registry(ask.settings.config_dir)
    before, preview = _before(ask, row), ask.outbox.previews.of(str(row["action_key"]))

    def show(text: str) -> str:
        return text if shows_all else masked(text)

    lines = difference(None if before is None else before["payload"], row["payload"])
    bodies = [one.body for one in preview.requests] if preview else []
    free = [*bodies, row["payload"], row["detail"] or "", row["reason"]]
    history = [
        {**entry, "why": show(entry["why"]), "to": entry["to_state"], "from": entry["from_state"]}
        for entry in ask.outbox.history(str(row["action_key"]))
    ]
    columns = (
        Column("at", "When (UTC)", "moment"),
        Column("actor", "Who", "text"),
        Column("channel", "Through", "code"),
        Column("from", "From", "state"),
        Column("to", "To", "state"),
        Column("why", "Why", "long", is_sortable=False),
    )
    values = {
        "row": {**row, "detail": show(row["detail"]) if row["detail"] else None, "reason": show(row["reason"])},
        "payload": [(mark, show(line)) for mark, line in lines],
        "before": before,
        "waits": _why(ask, registry, row) if row["state"] == "PROPOSED" else None,
        "stopped": stopped_by(subject_of(row), registry.switches, write_back=ask.settings.write_back),
        "is_masked": not shows_all and any(is_masked(text) for text in free),
        "preview": preview,
        "requests": [
            {"method": one.method, "url": one.url, "headers": one.headers, "body": show(_pretty(one.body))}
            for one in (preview.requests if preview else ())
        ],
        "looks": ask.outbox.notes.about(About.ACTION, str(row["action_key"])),
        "back": page_of(row),
    }
    table = Table("History", columns, history, name="history", page_rows=30)
    tables = {"history": table, "posts": _posts(row)}
    return Page("action.html", f"{words(row['kind'])} {row['natural_id']}", values, tables)


def _posts(row: Mapping[str, Any]) -> Table:
    """The lines of a journal; none of anything else."""
    payload = json.loads(row["payload"], parse_float=str)
    lines = payload.get("lines") or () if row["kind"] == "JOURNAL" else ()
    rows = [
        {**one, "currency_code": payload.get("currency_code")}
        | {side: Decimal(one.get(side) or 0) for side in ("debit", "credit")}
        for one in lines
        if isinstance(one, dict)
    ]
    columns = (
        Column("line_no", "No", "number"),
        Column("account_role", "Account", "words", note="account_code"),
        Column("debit", "Debit", "money"),
        Column("credit", "Credit", "money"),
        Column("tax_code", "Tax code", "code"),
        Column("narrative", "Text", "long"),
    )
    return Table("What it posts", columns, rows, name="posts", totals=("debit", "credit"), page_rows=100)


def _before(ask: Ask, row: Mapping[str, Any]) -> dict[str, Any] | None:
    """The newest earlier version of the same thing."""
    same = ask.outbox.actions(kind=row["kind"], marketplace_code=row["marketplace_code"])
    earlier = [one for one in same if one["natural_id"] == row["natural_id"] and one["version"] < row["version"]]
    return max(earlier, key=lambda one: int(one["version"]), default=None)


def _why(ask: Ask, registry: Registry, row: Mapping[str, Any]) -> str:
    subject = subject_of(row)
    stopped = stopped_by(subject, registry.switches, write_back=ask.settings.write_back)
    return needs_person(subject, registry.approval_policies) or stopped or "the next run approves it by policy"


def _decide(ask: Ask, key: str, deed: Any) -> None:
    """Decide, and say who was faster when somebody was. Raises NotNow, ApprovalRefused."""
    try:
        deed()
    except IllegalTransition as error:
        raise NotNow(_overtaken(ask.outbox.find(error.action_key))) from error
    except UnknownAction as error:
        raise NotNow("it is not there any more; load the page again") from error
    except ApprovalRefused as error:
        decided = [(one["decision_key"], one) for one in ask.outbox.decisions.all()]
        decided += [(one["change_key"], one) for one in ask.outbox.changes.all()]
        row = next((one for of, one in decided if of == key), None)
        if row is not None and row["state"] != "PROPOSED":
            raise NotNow(_overtaken(row)) from error
        raise


def _overtaken(row: Mapping[str, Any]) -> str:
    name = row.get("natural_id") or row.get("subject_id") or row.get("change_key")
    if row["state"] == "SUPERSEDED":
        return f"a newer proposal took the place of {name} ({row.get('superseded_by') or 'no longer wanted'})"
    who = row["decided_by"] or "somebody"
    return f"{who} was faster: {name} is {row['state']} since {str(row['decided_at'])[:16].replace('T', ' ')} UTC"


def _chosen(sent: FormData) -> tuple[list[str], list[str], list[str]]:
    """Keys of actions, of decisions, of changes of maps. Raises NotNow when there are none."""
    keys = [str(one) for one in sent.getlist("choose")]
    if not keys:
        raise NotNow("choose at least one")
    decisions = [key for key in keys if key.startswith(PREFIX)]
    changes = [key for key in keys if key.startswith(CHANGE)]
    return [key for key in keys if key not in (*decisions, *changes)], decisions, changes


def _with_decimals(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "amount": Decimal(row["amount"]) if row["amount"] else None} for row in rows]


def _pretty(body: str) -> str:
    """JSON with a member a line; anything else as it is."""
    try:
        return json.dumps(json.loads(body, parse_float=str), indent=2, ensure_ascii=False)
    except ValueError:
        return body


def _lines(payload: str) -> list[str]:
    return json.dumps(json.loads(payload, parse_float=str), indent=2, ensure_ascii=False).splitlines()


def _back(sent: FormData) -> str:
    return str(sent.get("back", "/approvals"))
