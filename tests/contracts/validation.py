"""From traffic to a report."""

from __future__ import annotations

from collections.abc import Iterator

from tests.contracts import (
    deviations,
    published_netsuite,
    published_sage200,
    traffic,
    traffic_netsuite,
    traffic_sage200,
)
from tests.contracts.exchange import Exchange
from tests.contracts.judge import Judge
from tests.contracts.published import SIDES, Side, contracts_folder, strict
from tests.contracts.report import Report
from tests.contracts.rules_mirakl import MiraklRules
from tests.contracts.rules_netsuite import NetSuiteRules
from tests.contracts.rules_sage200 import SageRules


def mirakl_judge(side: Side) -> Judge:
    document = strict(contracts_folder(), side)
    return Judge(document, side, MiraklRules(document, side))


def sage200_judge() -> Judge:
    document = published_sage200.strict(contracts_folder("sage200"))
    return Judge(document, "sage200", SageRules(document))


def netsuite_judge() -> Judge:
    contract = published_netsuite.load(contracts_folder("netsuite"))
    return Judge(published_netsuite.strict(contract), "netsuite", NetSuiteRules(contract))


def judges() -> dict[Side, Judge]:
    """A judge for everybody who speaks. Raises ContractsMissing."""
    mirakl = {side: mirakl_judge(side) for side in SIDES}
    return {**mirakl, "sage200": sage200_judge(), "netsuite": netsuite_judge()}


def exchanges() -> Iterator[Exchange]:
    yield from traffic.record()
    yield from traffic_sage200.record()
    yield from traffic_netsuite.record()


def validate() -> Report:
    """Drive everything, judge everything. Raises ContractsMissing before anything is driven."""
    found = judges()
    report = Report(deviations.read())
    for exchange in exchanges():
        report.add(exchange, found)
    return report
