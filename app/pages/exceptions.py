"""What does not tie out: grouped by root cause, one by one, and what people do about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from app.asking import Ask, Done, NotHere, NotNow, Page
from app.masks import masked
from app.people import Right
from app.rendering import explained
from app.tables import Column, Filter, Query, Row, Table
from orchestration.alerting.taking import follow, taken, who_has
from orchestration.lib.deciding import subject_of_exception, write_off_limits
from orchestration.lib.published import exceptions_named
from orchestration.outbox import About, OutboxError, Standing

MOST_AT_ONCE = 500
"""Exceptions that one form may be about."""
ASKS_SOMEBODY = ("OPEN", "IN_PROGRESS")
SEVERITIES = ("S1", "S2", "S3", "S4")
TEAMS = ("FINANCE", "OPERATIONS", "CUSTOMER_SERVICE")


def page_of(row: Row) -> str:
    """Address of an exception."""
    return f"/exceptions/{row['exception_id']}"


COLUMNS = (
    Column("severity", "Sev", "severity"),
    Column("exception_code", "Code", "code", page_of, note="title"),
    Column("marketplace_code", "Market", "code"),
    Column("summary", "What", "long", note="recommended_action", is_sortable=False),
    Column("subject_id", "About", "text", explained("subject_id"), note="subject_type"),
    Column("amount_at_risk", "At risk", "money"),
    Column("consequence_count", "Consequences", "number"),
    Column("due_at", "Due (UTC)", "moment", note="owner_team"),
)
STATUS = Column("status", "Status", "state")
MOST_URGENT = "row_number() OVER (ORDER BY severity, due_at NULLS LAST, amount_at_risk DESC NULLS LAST, exception_id)"
FILTERS = (
    Filter("severity", "Severity", SEVERITIES),
    Filter("owner_team", "Team", TEAMS),
    Filter("marketplace_code", "Marketplace"),
    Filter("exception_code", "Code"),
    Filter("root_cause", "Cause"),
    Filter("status", "Status"),
)


def _of_cause(row: Row) -> str:
    return f"/exceptions?{urlencode({name: row[name] for name in ('root_cause', 'exception_code')})}"


ALIASES = {"code": "exception_code", "marketplace": "marketplace_code", "owner": "owner_team"}
"""Parameters as the links of alerts name them."""


def listing(ask: Ask) -> Page | Response:
    """All exceptions; open ones when the address asks for no status. Beside them the same by root cause."""
    if ALIASES.keys() & ask.asked.keys():
        wanted = {ALIASES.get(name, name): value for name, value in ask.asked.items()}
        return RedirectResponse(f"/exceptions?{urlencode(wanted)}", status_code=303)
    shows_closed = bool(ask.asked.get("status")) or ask.asked.get("closed") == "1"
    where = "" if shows_closed else "WHERE status IN ('OPEN', 'IN_PROGRESS')"
    mine = ask.asked.get("mine") == "1"
    parameters: list[Any] = []
    if mine:
        own = _own(ask)
        where += " AND list_contains(?, exception_id)" if where else "WHERE list_contains(?, exception_id)"
        parameters = [own]
    table = Table(
        title="Exceptions",
        columns=(*COLUMNS, STATUS) if shows_closed else COLUMNS,
        source=Query(f"SELECT *, {MOST_URGENT} AS place FROM exceptions {where}", parameters),
        sort="place",
        totals=("amount_at_risk",),
        filters=FILTERS,
        search=("subject_id", "summary", "title", "exception_code"),
        nothing="Nothing is open here: everything ties out.",
        choose="exception_id" if ask.may(Right.COMMENT) else "",
    )
    causes = Table(
        title="By root cause",
        name="cause",
        columns=(
            Column("root_cause", "Cause", "words", lambda row: f"/exceptions?root_cause={row['root_cause']}"),
            Column("exception_code", "Code", "code", lambda row: f"/exceptions?exception_code={row['exception_code']}"),
            Column("title", "What"),
            Column("open_count", "Open", "number"),
            Column("follow_count", "Consequences", "number"),
            Column("at_risk", "At risk", "money", _of_cause),
            Column("recommended_action", "What to do", is_sortable=False),
        ),
        source=Query(
            "SELECT root_cause, exception_code, title, currency_code, count(*) AS open_count, "
            "sum(consequence_count)::BIGINT AS follow_count, sum(amount_at_risk)::DECIMAL(18, 2) AS at_risk, "
            "min(recommended_action) AS recommended_action FROM exceptions WHERE status IN ('OPEN', 'IN_PROGRESS') "
            "GROUP BY root_cause, exception_code, title, currency_code"
        ),
        sort="-at_risk",
        totals=("open_count", "follow_count", "at_risk"),
        page_rows=12,
    )
    values = {"teams": TEAMS, "is_mine": mine, "shows_closed": shows_closed, "back": _here(ask)}
    return Page("exceptions.html", "Exceptions", values, {"list": table, "causes": causes})


def one(ask: Ask) -> Page:
    """One exception: what, how much, by when, what to do, what follows from it, what happened and was said."""
    row = _named(ask, ask.path("exception"))
    id_ = str(row["exception_id"])
    notes = [note | {"text": masked(note["text"])} for note in ask.outbox.notes.about(About.EXCEPTION, id_)]
    decisions = [
        one | {"reason": masked(one["reason"])} for one in ask.outbox.decisions.all() if one["exception_id"] == id_
    ]
    history = ask.published.rows("SELECT * FROM exception_history WHERE exception_id = ?", [id_])
    tables = {
        "follow": _consequences(ask, row),
        "history": Table(
            title="What happened",
            name="history",
            columns=(
                Column("event_at", "When (UTC)", "moment"),
                Column("event_type", "What", "words"),
                Column("amount_at_risk", "Amount", "money"),
                Column("reason", "Why"),
            ),
            source=[row | {"reason": masked(row["reason"] or "")} for row in history],
            sort="event_at",
        ),
    }
    values = {
        "row": row,
        "notes": notes,
        "decisions": decisions,
        "waiting": next((one for one in decisions if one["state"] == "PROPOSED"), None),
        "standing": next((one for one in decisions if one["state"] in ("PROPOSED", "EFFECTIVE")), None),
        "assignee": who_has(row, ask.outbox.notes.assignees(), taken(ask.settings)),
        "is_open": row["status"] in ASKS_SOMEBODY,
        "overdue": row["due_at"] is not None and row["due_at"] < ask.now,
        "limits": write_off_limits(ask.settings, row) if row["amount_at_risk"] else None,
        "back": page_of(row),
    }
    return Page("exception.html", f"{row['exception_code']} {row['title']}", values, tables)


def _consequences(ask: Ask, row: Row) -> Table:
    """The findings of all levels that have this one as their root."""
    marts = sorted(
        name
        for name, columns in ask.published.marts.items()
        if name.startswith("rec_") and {"root_subject_id", "summary", "status"} <= columns
    )
    parts = " UNION ALL ".join(
        f"SELECT '{name}' AS level, exception_code, subject_type, subject_id, delta_amount, currency_code, summary "
        f"FROM {name} WHERE status = 'EXCEPTION' AND root_subject_type = ? AND root_subject_id = ? "
        "AND marketplace_code = ?"
        for name in marts
    )
    columns = (
        Column("exception_code", "Code", "code"),
        Column("subject_id", "About", "text", explained("subject_id"), note="subject_type"),
        Column("delta_amount", "Difference", "money"),
        Column("summary", "What", is_sortable=False),
    )
    wanted = [row["subject_type"], row["subject_id"], row["marketplace_code"]]
    source: Query | Sequence[Row] = Query(parts, wanted * len(marts)) if marts else []
    return Table("What follows from it", columns, source, name="follow", sort="exception_code", page_rows=20)


# ---- what people do


def comment(ask: Ask, sent: FormData) -> Done:
    """Write the same words beside all chosen exceptions."""
    chosen = _chosen(ask, sent)
    ask.outbox.notes.comment(_keys(chosen), str(sent.get("text", "")), by=ask.person.name)
    return Done(f"Commented on {_many(chosen)}.", _back(sent))


def assign(ask: Ask, sent: FormData) -> Done:
    """Give all chosen exceptions to somebody, or back to the team. A cause whose exceptions all have somebody sends no
    more alerts; one that is given back does again.
    """
    chosen, to = _chosen(ask, sent), str(sent.get("assignee", "")).strip()
    ask.outbox.notes.assign(_keys(chosen), to, by=ask.person.name)
    follow(ask.settings, chosen, ask.outbox.notes.assignees())
    return Done(f"{_many(chosen)} assigned to {to}." if to else f"{_many(chosen)} given back.", _back(sent))


def accept(ask: Ask, sent: FormData) -> Done:
    """Close all chosen exceptions as they are."""

    def deed(row: Row) -> None:
        ask.outbox.decisions.accept(subject_of_exception(row), by=ask.person.name, reason=str(sent.get("reason", "")))

    return _each(ask, sent, deed, "accepted. They close with the next run")


def write_off(ask: Ask, sent: FormData) -> Done:
    """Give the amounts of all chosen exceptions up; above the limits they wait for a second person."""
    waiting: list[str] = []

    def deed(row: Row) -> None:
        key, standing = ask.outbox.decisions.write_off(
            subject_of_exception(row),
            write_off_limits(ask.settings, row),
            by=ask.person.name,
            reason=str(sent.get("reason", "")),
        )
        if standing is Standing.PROPOSED:
            waiting.append(key)

    done = _each(ask, sent, deed, "written off")
    if waiting:
        return Done(
            f"{done.message} {len(waiting)} of them wait for a second person (Approvals).", done.to, done.is_good
        )
    return done


def reopen(ask: Ask, sent: FormData) -> Done:
    """Take back what was decided about an exception."""

    def deed(row: Row) -> None:
        ask.outbox.decisions.reopen(row["exception_id"], by=ask.person.name, reason=str(sent.get("reason", "")))

    return _each(ask, sent, deed, "open again with the next run")


def _each(ask: Ask, sent: FormData, deed: Callable[[Row], None], done: str) -> Done:
    """Decide about the chosen one by one: each is a decision of its own, and one that does not go stops no other."""
    if not str(sent.get("reason", "")).strip():
        raise NotNow("say why: a decision without a reason cannot be explained to an auditor")
    chosen, refused = _chosen(ask, sent), list[str]()
    for row in chosen:
        try:
            deed(row)
        except OutboxError as error:
            refused.append(f"{row['exception_code']} on {row['subject_id']}: {error}")
    good = len(chosen) - len(refused)
    if not good:
        raise NotNow("; ".join(refused[:3]))
    message = f"{good} of {len(chosen)} {done}." if len(chosen) > 1 else f"{chosen[0]['exception_code']}: {done}."
    if refused:
        message += f" Not done: {'; '.join(refused[:3])}{' …' if len(refused) > 3 else ''}."
    return Done(message, _back(sent), is_good=not refused)


def _own(ask: Ask) -> list[str]:
    """Ids of what the person was given, and of what belongs to a cause that they took."""
    assignees, causes, me = ask.outbox.notes.assignees(), taken(ask.settings), ask.person.name.casefold()
    own = [id_ for id_, name in assignees.items() if name.casefold() == me]
    keys = [key for key, one in causes.items() if one.by.casefold() == me]
    if keys:
        rows = ask.published.rows(
            "SELECT exception_id FROM exceptions WHERE list_contains(?, concat_ws('|', exception_code, "
            "marketplace_code, root_cause, owner_team))",
            [keys],
        )
        own += [str(row["exception_id"]) for row in rows if str(row["exception_id"]) not in assignees]
    return own


def _chosen(ask: Ask, sent: FormData) -> list[dict[str, Any]]:
    ids = [str(one) for one in sent.getlist("choose")]
    if not ids:
        raise NotNow("choose at least one exception")
    if len(ids) > MOST_AT_ONCE:
        raise NotNow(f"choose at most {MOST_AT_ONCE} at once")
    rows = ask.published.select("exceptions", {"exception_id": ids}, order_by=("exception_code", "subject_id"))
    if len(rows) != len(set(ids)):
        raise NotNow("one of them is not there any more; load the page again")
    return rows


def _named(ask: Ask, name: str) -> dict[str, Any]:
    rows = exceptions_named(ask.published, name)
    if not rows:
        raise NotHere(f"No exception has the id {name}. It may be of an older run: look under Exceptions.")
    return rows[0]


def _keys(rows: Sequence[Row]) -> list[tuple[str, str]]:
    return [(str(row["exception_id"]), str(row["marketplace_code"])) for row in rows]


def _many(rows: Sequence[Row]) -> str:
    return str(rows[0]["exception_code"]) if len(rows) == 1 else f"{len(rows)} exceptions"


def _back(sent: FormData) -> str:
    return str(sent.get("back", "/exceptions"))


def _here(ask: Ask) -> str:
    query = ask.request.url.query
    return ask.request.url.path + (f"?{query}" if query else "")
