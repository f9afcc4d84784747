"""From traffic to a report."""

from __future__ import annotations

from pathlib import Path

from tests.contracts import deviations
from tests.contracts.judge import Judge
from tests.contracts.published import SIDES, Side, contracts_folder, strict
from tests.contracts.report import Report
from tests.contracts.traffic import record


def judges(folder: Path) -> dict[Side, Judge]:
    return {side: Judge(strict(folder, side), side) for side in SIDES}


def validate() -> Report:
    """Drive everything, judge everything. Raises ContractsMissing before anything is driven."""
    found = judges(contracts_folder())
    report = Report(deviations.read())
    for exchange in record():
        report.add(exchange, found)
    return report
