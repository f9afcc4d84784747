"""`tieout match`, `unmatch`, `accept`, `write-off`, `reopen` and `decisions`: what people decide."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from orchestration.cli.output import Col, console, money, print_json, table
from orchestration.cli.problems import CliError, ExitCode
from orchestration.cli.session import Session, system_user

if TYPE_CHECKING:
    from orchestration.outbox import Subject, WriteOffLimits

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
CLOSED = ("RESOLVED", "WRITTEN_OFF")


def match_command(
    session: Session, payout: str, receipt: str, *, residual: str | None, reason: str, by: str | None
) -> None:
    """This receipt pays this pay-out; a difference needs a name. Raises CliError, ApprovalRefused."""
    from orchestration.outbox import Residual

    paid, received = _pair(session, payout, receipt)
    if received["rule_code"] == "E002_ACCOUNT":
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
        _subject_of_pair(paid, received), by=by or system_user(), reason=reason, residual=residual_named
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
    paid, received = _pair(session, payout, receipt)
    key = session.outbox.decisions.unmatch(_subject_of_pair(paid, received), by=by or system_user(), reason=reason)
    _say(session, key, "EFFECTIVE", f"{receipt} does not pay {payout}")


def accept_command(session: Session, exception: str, *, reason: str, by: str | None) -> None:
    """The exception stays as it is, up to its present amount."""
    row = _exception(session, exception)
    key = session.outbox.decisions.accept(_subject_of_exception(row), by=by or system_user(), reason=reason)
    _say(session, key, "EFFECTIVE", f"{row['exception_code']} on {row['subject_id']} is accepted as it is")


def write_off_command(session: Session, exception: str, *, reason: str, by: str | None) -> None:
    """The exception's amount is given up; above the limits of tolerances.csv a second person approves."""
    row = _exception(session, exception)
    key, standing = session.outbox.decisions.write_off(
        _subject_of_exception(row), _limits(session, row), by=by or system_user(), reason=reason
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


def split_keys(keys: Sequence[str]) -> tuple[list[str], list[str]]:
    """Keys of decisions, and keys of actions."""
    from orchestration.outbox.decisions import PREFIX

    return [key for key in keys if key.startswith(PREFIX)], [key for key in keys if not key.startswith(PREFIX)]


def _pair(session: Session, payout: str, receipt: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The rows of rec_receipts. Any receipt of the statements can be named, also one that concerned no marketplace."""
    payouts = session.published.select("rec_receipts", {"subject_type": "PAYOUT", "subject_id": payout})
    if len(payouts) != 1:
        raise CliError(
            f"{payout!r} is no pay-out",
            action="Name it by its cycle: tieout sql \"select * from rec_receipts where subject_type = 'PAYOUT'\".",
        )
    receipts = session.published.select("rec_receipts", {"subject_type": "RECEIPT", "subject_id": receipt})
    if not receipts:
        receipts = [
            {"subject_id": row["receipt_id"], "actual_amount": row["amount"], "rule_code": None} | row
            for row in session.published.select("fct_receipts", {"receipt_id": receipt})
        ]
    if not receipts:
        raise CliError(f"{receipt!r} is no receipt", action='`tieout sql "select * from fct_receipts"` lists them.')
    return payouts[0], receipts[0]


def _subject_of_pair(paid: dict[str, Any], received: dict[str, Any]) -> Subject:
    from orchestration.outbox import Subject

    return Subject(
        marketplace_code=paid["marketplace_code"],
        entity_code=paid["entity_code"],
        subject_type="PAYOUT",
        subject_id=paid["subject_id"],
        receipt_id=received["subject_id"],
        amount=received["actual_amount"],
        currency_code=received["currency_code"],
    )


def _exception(session: Session, exception: str) -> dict[str, Any]:
    """The exception with this id, or the only one on this subject."""
    rows = session.published.select("exceptions", {"exception_id": exception}) or [
        row for row in session.published.select("exceptions", {"subject_id": exception}) if row["status"] not in CLOSED
    ]
    if not rows:
        raise CliError(f"{exception!r} is no exception", action="`tieout exceptions --json` shows their ids.")
    if len(rows) > 1:
        words = ", ".join(f"{row['exception_code']} {row['exception_id']}" for row in rows)
        raise CliError(f"{exception} has several exceptions", action=f"Name one by its id: {words}.")
    return rows[0]


def _subject_of_exception(row: dict[str, Any]) -> Subject:
    from orchestration.outbox import Subject

    return Subject(
        marketplace_code=row["marketplace_code"],
        entity_code=row["entity_code"],
        subject_type=row["subject_type"],
        subject_id=row["subject_id"],
        exception_id=row["exception_id"],
        exception_code=row["exception_code"],
        amount=row["amount_at_risk"],
        currency_code=row["currency_code"],
    )


def _limits(session: Session, row: dict[str, Any]) -> WriteOffLimits:
    """The WRITE_OFF row of tolerances.csv that is in force for the currency. Nothing on a control or reserve account is
    written off by one person.
    """
    from orchestration.lib.registry import load_registry
    from orchestration.outbox import WriteOffLimits

    if row["subject_type"] == "ACCOUNT" or row["exception_code"] in ("CLR-001", "CLR-003", "PAY-007"):
        return WriteOffLimits(None, None)
    today = session.settings.clock.now().date()
    rows = [
        one
        for one in load_registry(session.settings.config_dir).tolerances
        if one.test_code == "WRITE_OFF"
        and one.currency_code in (row["currency_code"], "*")
        and one.effective_from <= today
    ]
    if not rows:
        return WriteOffLimits(None, None)
    newest = max(rows, key=lambda one: (one.currency_code != "*", one.effective_from))
    return WriteOffLimits(newest.amount or Decimal(0), newest.amount_cap)


def _say(session: Session, key: str, state: str, words: str) -> None:
    if session.as_json:
        print_json({"decision": key, "state": state, "message": words})
        return
    console().print(f"{words}. {NEXT if state != 'PROPOSED' else ''}".rstrip(), markup=False)
