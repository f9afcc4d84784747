"""What a person's decision is about, made from the rows of the marts; the command line and the web app decide alike."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from orchestration.lib.registry import load_registry
from orchestration.lib.settings import Settings
from orchestration.outbox import Subject, WriteOffLimits

NOT_MATCHED_RULE = "E002_ACCOUNT"
"""Rule of a receipt on an account that no pay-out is due to: the bank details are checked first, nothing is matched."""
NEVER_ALONE = ("CLR-001", "PAY-007")
"""Differences on control and reserve accounts, which no single person writes off; beside those that stand on an
account (exception_codes.csv, write_off_account) and would be posted.
"""


def subject_of_exception(row: Mapping[str, Any]) -> Subject:
    """The subject of a decision about a row of mart `exceptions`."""
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


def subject_of_pair(paid: Mapping[str, Any], received: Mapping[str, Any]) -> Subject:
    """The subject of a decision about a pay-out and a receipt (`published.payout_named`, `receipt_named`)."""
    return Subject(
        marketplace_code=paid["marketplace_code"],
        entity_code=paid["entity_code"],
        subject_type="PAYOUT",
        subject_id=paid["subject_id"],
        receipt_id=received["subject_id"],
        amount=received["actual_amount"],
        currency_code=received["currency_code"],
    )


def write_off_limits(settings: Settings, row: Mapping[str, Any]) -> WriteOffLimits:
    """The WRITE_OFF row of tolerances.csv that is in force for the exception's currency. Nothing on a control or
    reserve account is written off by one person.
    """
    registry = load_registry(settings.config_dir)
    posted = {code.exception_code for code in registry.exception_codes if code.write_off_account}
    if row["subject_type"] == "ACCOUNT" or row["exception_code"] in {*NEVER_ALONE, *posted}:
        return WriteOffLimits(None, None)
    today = settings.clock.now().date()
    rows = [
        one
        for one in registry.tolerances
        if one.test_code == "WRITE_OFF"
        and one.currency_code in (row["currency_code"], "*")
        and one.effective_from <= today
    ]
    if not rows:
        return WriteOffLimits(None, None)
    newest = max(rows, key=lambda one: (one.currency_code != "*", one.effective_from))
    return WriteOffLimits(newest.amount or Decimal(0), newest.amount_cap)
