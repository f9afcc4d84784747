"""Pay-outs and receipts that do not meet: candidates for a person to choose from, and matches to take back."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.datastructures import FormData

from app.asking import Ask, Done, NotHere, NotNow, Page
from app.masks import masked
from app.pages import payouts
from app.rendering import explained
from app.tables import Column, Filter, Query, Row, Table
from orchestration.lib.deciding import NOT_MATCHED_RULE, subject_of_pair
from orchestration.lib.published import payout_named, receipt_named
from orchestration.outbox import Residual

RESIDUALS = {
    Residual.FEE: "a bank's fee",
    Residual.EXCHANGE: "an exchange",
    Residual.OPEN: "nothing yet: it stays open",
}


def page_of(row: Row) -> str:
    """Address where a pay-out is matched."""
    return f"/match/{quote(str(row['subject_id']), safe='')}"


def listing(ask: Ask) -> Page:
    """What is not tied on either side, and the matches of people that stand."""
    why = Column("summary", "Why, and what to do", "long", note="recommended_action", is_sortable=False)
    shared = (
        Column("actual_amount", "Received", "money"),
        Column("residual_amount", "Difference", "money"),
        Column("days_open", "Days", "number"),
        Column("status", "Status", "state"),
        Column("exception_code", "Code", "code", _exception_page),
        Column("since_date", "Since", "date"),
    )
    where = (
        "SELECT u.*, e.exception_id, coalesce(e.recommended_action, a.recommended_action) AS recommended_action "
        "FROM unmatched_payouts AS u LEFT JOIN exceptions AS e "
        "ON e.marketplace_code = u.marketplace_code AND e.subject_type = u.subject_type "
        "AND e.subject_id = u.subject_id AND e.exception_code = u.exception_code LEFT JOIN (SELECT "
        "exception_code, min(recommended_action) AS recommended_action FROM exceptions GROUP BY exception_code) AS a "
        "ON a.exception_code = u.exception_code WHERE u.subject_type = '{}'"
    )
    tables = {
        "payouts": Table(
            "Pay-outs without their money",
            (
                Column("subject_id", "Pay-out of cycle", "text", page_of),
                Column("marketplace_code", "Market", "code"),
                why,
                Column("expected_amount", "Paid out", "money"),
                *shared,
            ),
            Query(where.format("PAYOUT")),
            sort="-days_open",
            totals=("expected_amount", "actual_amount", "residual_amount"),
            filters=(Filter("marketplace_code", "Marketplace"), Filter("status", "Status")),
            nothing="Every pay-out has its money.",
        ),
        "receipts": Table(
            "Receipts without a pay-out",
            (
                Column("subject_id", "Receipt", "text", explained("subject_id")),
                Column("marketplace_code", "Market", "code"),
                why,
                *shared,
            ),
            Query(where.format("RECEIPT")),
            name="receipts",
            sort="-days_open",
            totals=("actual_amount", "residual_amount"),
            nothing="Every receipt belongs to a pay-out.",
        ),
        "decided": Table(
            "Matches that people made or took back",
            (
                Column("kind", "What", "words"),
                Column("subject_id", "Pay-out", "text", page_of),
                Column("receipt_id", "Receipt", "text", explained("receipt_id")),
                Column("residual", "Difference is", "words"),
                Column("state", "State", "state"),
                Column("proposed_by", "By", "text"),
                Column("proposed_at", "When (UTC)", "moment"),
                Column("reason", "Why", "long", is_sortable=False),
            ),
            [
                row | {"reason": masked(row["reason"])}
                for row in ask.outbox.decisions.all()
                if row["kind"] in ("MATCH", "UNMATCH")
            ],
            name="decided",
            sort="-proposed_at",
            nothing="Nobody has matched anything by hand.",
        ),
    }
    return Page("table.html", "Match", {"lead": ""}, tables)


def one(ask: Ask) -> Page:
    """One pay-out with the receipts that it may have been paid by."""
    cycle = ask.path("cycle")
    paid = payout_named(ask.published, cycle)
    if paid is None:
        raise NotHere(f"No pay-out of a cycle {cycle} is compared with the bank. Look under Pay-outs.")
    open_rows = ask.published.select("unmatched_payouts", {"subject_type": "PAYOUT", "subject_id": cycle})
    named = str(open_rows[0]["candidate_ids"] or "") if open_rows else ""
    candidates = [
        row | {"off_amount": row["amount"] - paid["expected_amount"]}
        for row in ask.published.select("fct_receipts", {"receipt_id": [one.strip() for one in named.split(",")]})
    ]
    candidates.sort(key=lambda row: abs(row["off_amount"]))
    is_open = {"subject_id": cycle, "status": ["OPEN", "IN_PROGRESS"]}
    found = ask.published.select("exceptions", is_open, order_by=("severity",))
    allocations = ask.published.select("fct_receipt_allocations", {"billing_cycle_id": cycle}, order_by=("value_date",))
    values: dict[str, Any] = {
        "paid": paid,
        "row": open_rows[0] if open_rows else None,
        "cycle": cycle,
        "candidates": candidates,
        "found": found,
        "allocations": allocations,
        "residuals": RESIDUALS,
        "payout_page": payouts.page_of({"marketplace_code": paid["marketplace_code"], "billing_cycle_id": cycle}),
        "back": f"/match/{quote(cycle, safe='')}",
    }
    return Page("matching.html", f"Match the pay-out of {cycle}", values)


def _exception_page(row: Row) -> str | None:
    """The exception on it; of what follows from another one, all that have the code."""
    if row["exception_id"]:
        return f"/exceptions/{row['exception_id']}"
    return f"/exceptions?exception_code={row['exception_code']}" if row["exception_code"] else None


def confirm(ask: Ask, sent: FormData) -> Done:
    """The chosen receipt pays the pay-out; a difference gets the name that was chosen."""
    paid, received = _pair(ask, sent)
    if received["rule_code"] == NOT_MATCHED_RULE:
        raise NotNow("the receipt came to an account that no pay-out is due to; check the bank details first (BNK-012)")
    residual = str(sent.get("residual", ""))
    named = Residual(residual) if residual in tuple(Residual) else None
    if received["actual_amount"] != paid["expected_amount"] and named is None:
        raise NotNow("pay-out and receipt differ: say what the difference is")
    ask.outbox.decisions.match(
        subject_of_pair(paid, received), by=ask.person.name, reason=str(sent.get("reason", "")), residual=named
    )
    return Done(
        f"{received['subject_id']} pays {paid['subject_id']} from the next run on.", str(sent.get("back", "/match"))
    )


def unmatch(ask: Ask, sent: FormData) -> Done:
    """The receipt does not pay the pay-out."""
    paid, received = _pair(ask, sent)
    ask.outbox.decisions.unmatch(
        subject_of_pair(paid, received), by=ask.person.name, reason=str(sent.get("reason", ""))
    )
    words = f"{received['subject_id']} does not pay {paid['subject_id']} from the next run on."
    return Done(words, str(sent.get("back", "/match")))


def _pair(ask: Ask, sent: FormData) -> tuple[dict[str, Any], dict[str, Any]]:
    cycle = str(sent.get("cycle", ""))
    receipt = str(sent.get("other", "")).strip() or str(sent.get("receipt", ""))
    paid, received = payout_named(ask.published, cycle), receipt_named(ask.published, receipt)
    if paid is None:
        raise NotNow(f"{cycle} is no pay-out")
    if received is None:
        raise NotNow(f"{receipt} is no receipt" if receipt else "choose a receipt")
    return paid, received
