"""Runs the checks and ranks what they found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import duckdb

from orchestration.examination import (  # noqa: F401  (each registers its checks)
    check_history,
    check_mappings,
    check_schedules,
    check_settings,
    check_stock,
    check_tax,
)
from orchestration.examination.finding import CHECKS, Check, Facts, Found, Impact

_RANK = {Impact.HIGH: 0, Impact.MEDIUM: 1, Impact.LOW: 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something found, with the check that found it."""

    check: Check
    found: Found


@dataclass(frozen=True, slots=True)
class Examination:
    """`findings` come gravest and dearest first; `skipped` are (check, why) of those that could not be asked."""

    findings: tuple[Finding, ...]
    passed: tuple[Check, ...]
    skipped: tuple[tuple[Check, str], ...]


def examine(facts: Facts, checks: Sequence[Check] | None = None) -> Examination:
    """Ask every check. One that cannot be asked (a mart of an older version, no vendor called) does not stop the
    others, and is never taken for passed.
    """
    findings: list[Finding] = []
    passed: list[Check] = []
    skipped: list[tuple[Check, str]] = []
    for check in checks or CHECKS.values():
        if check.needs_accounts and facts.accounts is None:
            skipped.append((check, "no vendor was asked (--offline)"))
            continue
        try:
            found = list(check.run(facts))
        except duckdb.Error as error:
            skipped.append((check, str(error).splitlines()[0]))
            continue
        findings += [Finding(check, one) for one in found]
        if not found:
            passed.append(check)
    findings.sort(
        key=lambda one: (
            _RANK[one.check.impact],
            -(one.found.amount or Decimal(0)),
            one.check.check_id,
            one.found.subject,
        )
    )
    return Examination(tuple(findings), tuple(passed), tuple(skipped))
