"""`tieout match`, `unmatch`, `accept`, `write-off`, `reopen` and `decisions`: what people decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchestration.cli.output import Col, console, money, print_json, table
from orchestration.cli.problems import CliError, ExitCode
from orchestration.cli.session import Session, system_user
from orchestration.lib.published import exceptions_named, payout_named, receipt_named

COLUMNS = (
    Col("state", "State", "state"),
    Col("kind", "Kind", "code"),
    Col("marketplace_code", "Market", "code"),
    Col("subject", "About", max_width=60),
    Col("amount", "Amount", "money"),
    Col("currency_code", "", "code"),
    Col("proposed_by", "By", "code"),
    Col("decided_by", "Decided by", "code"),
    Col("proposed_at", "When (UTC)", "moment"),
    Col("reason", "Why", max_width=60),
)
NEXT = "It holds from the next run on."


def match_command(
    session: Session, payout: str, receipt: str, *, residual: str | None, reason: str, by: str | None
) -> None:
    """This receipt pays this pay-out; a difference needs a name. Raises CliError, ApprovalRefused."""
    from orchestration.lib.deciding import NOT_MATCHED_RULE, subject_of_pair
    from orchestration.outbox import Residual

    paid, received = _pair(session, payout, receipt)
    if received["rule_code"] == NOT_MATCHED_RULE:
        raise CliError(
            f"receipt {receipt} came to an account that no pay-out is due to",
            action="Check the bank details first (BNK-012); money there is not matched.",
        )
    residual_named = None
    if residual is not None:
        if residual.upper() not in Residual.__members__:
            words = ", ".join(Residual)
            raise CliError(f"{residual!r} is no name of a residual", action=f"One of {words}.", code=ExitCode.USAGE)
        residual_named = Residual(residual.upper())
    key = session.outbox.decisions.match(
        subject_of_pair(paid, received), by=by or system_user(), reason=reason, residual=residual_named
    )
    difference = received["actual_amount"] - paid["expected_amount"]
    words = f"{receipt} pays {payout}"
    if difference and residual_named is None:
        words += (
            f"; they differ by {money(abs(difference), paid['currency_code'])}: match what else belongs to them, "
            "or name it with --residual"
        )
    _say(session, key, "EFFECTIVE", words)


def unmatch_command(session: Session, payout: str, receipt: str, *, reason: str, by: str | None) -> None:
    """This receipt does not pay this pay-out."""
    from orchestration.lib.deciding import subject_of_pair

    paid, received = _pair(session, payout, receipt)
    key = session.outbox.decisions.unmatch(subject_of_pair(paid, received), by=by or system_user(), reason=reason)
    _say(session, key, "EFFECTIVE", f"{receipt} does not pay {payout}")


def accept_command(session: Session, exception: str, *, reason: str, by: str | None) -> None:
    """The exception stays as it is, up to its present amount."""
    from orchestration.lib.deciding import subject_of_exception

    row = _exception(session, exception)
    key = session.outbox.decisions.accept(subject_of_exception(row), by=by or system_user(), reason=reason)
    _say(session, key, "EFFECTIVE", f"{row['exception_code']} on {row['subject_id']} is accepted as it is")


def write_off_command(session: Session, exception: str, *, reason: str, by: str | None) -> None:
    """The exception's amount is given up; above the limits of tolerances.csv a second person approves."""
    from orchestration.lib.deciding import subject_of_exception, write_off_limits

    row = _exception(session, exception)
    key, standing = session.outbox.decisions.write_off(
        subject_of_exception(row), write_off_limits(session.settings, row), by=by or system_user(), reason=reason
    )
    amount = money(row["amount_at_risk"], row["currency_code"])
    words = f"{amount} of {row['exception_code']} on {row['subject_id']}"
    if standing == "PROPOSED":
        _say(session, key, str(standing), f"{words} wait for a second person: tieout approve '{key}' --by NAME")
        return
    _say(session, key, str(standing), f"{words} are written off")


def reopen_command(session: Session, exception: str, *, reason: str, by: str | None) -> None:
    """Take back what was decided about an exception."""
    row = _exception(session, exception)
    keys = session.outbox.decisions.reopen(row["exception_id"], by=by or system_user(), reason=reason)
    for key in keys:
        _say(session, key, "WITHDRAWN", f"{row['exception_code']} on {row['subject_id']} is open again")


def decisions_command(session: Session, *, state: str | None, kind: str | None, limit: int) -> None:
    """List what people decided, newest first."""
    rows = session.outbox.decisions.all() if session.has_outbox else []
    rows = [
        row
        for row in reversed(rows)
        if (not state or row["state"] == state.upper()) and (not kind or row["kind"] == kind.upper().replace("-", "_"))
    ]
    shown = rows[:limit] if limit else rows
    if session.as_json:
        print_json({"count": len(rows), "decisions": shown, "is_truncated": len(shown) < len(rows)})
        return
    out = console()
    if not rows:
        out.print("No decisions.", style="dim")
        return
    for row in shown:
        row["subject"] = (
            f"{row['receipt_id']} and {row['subject_id']}"
            if row["receipt_id"]
            else f"{row['exception_code']} {row['subject_id']}"
        )
    out.print(table(shown, COLUMNS))
    out.print(f"{len(shown):,} of {len(rows):,} decisions; `tieout audit log` shows every step.", style="dim")


def split_keys(keys: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """Keys of decisions, of changes of the configuration, and of actions."""
    from orchestration.outbox import changes, decisions

    decided = [key for key in keys if key.startswith(decisions.PREFIX)]
    changed = [key for key in keys if key.startswith(changes.PREFIX)]
    return decided, changed, [key for key in keys if key not in (*decided, *changed)]


def _pair(session: Session, payout: str, receipt: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The rows of rec_receipts. Raises CliError when one of the two is not there."""
    paid = payout_named(session.published, payout)
    if paid is None:
        raise CliError(
            f"{payout!r} is no pay-out",
            action="Name it by its cycle: tieout sql \"select * from rec_receipts where subject_type = 'PAYOUT'\".",
        )
    received = receipt_named(session.published, receipt)
    if received is None:
        raise CliError(f"{receipt!r} is no receipt", action='`tieout sql "select * from fct_receipts"` lists them.')
    return paid, received


def _exception(session: Session, exception: str) -> dict[str, Any]:
    """The exception with this id, or the only one on this subject."""
    rows = exceptions_named(session.published, exception)
    if not rows:
        raise CliError(f"{exception!r} is no exception", action="`tieout exceptions --json` shows their ids.")
    if len(rows) > 1:
        words = ", ".join(f"{row['exception_code']} {row['exception_id']}" for row in rows)
        raise CliError(f"{exception} has several exceptions", action=f"Name one by its id: {words}.")
    return rows[0]


def _say(session: Session, key: str, state: str, words: str) -> None:
    if session.as_json:
        print_json({"decision": key, "state": state, "message": words})
        return
    console().print(f"{words}. {NEXT if state != 'PROPOSED' else ''}".rstrip(), markup=False)
