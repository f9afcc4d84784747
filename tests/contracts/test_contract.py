"""The whole connector and the whole sandbox against the published specification: what `make contract` runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.http import Call
from connectors.mirakl.endpoints import ENDPOINTS, OPERATOR_FEEDS, SELLER_FEEDS
from connectors.mirakl.exports import EXPORTS
from connectors.mirakl.writes import calls as writes
from sandbox.mirakl.routes import READS, WRITES
from tests.contracts.__main__ import main
from tests.contracts.conftest import document
from tests.contracts.published import Side, operations
from tests.contracts.report import Report
from tests.contracts.serving import world
from tests.contracts.validation import validate

pytestmark = pytest.mark.contracts


NAMES_ONLY = ("OR02", "OR25", "OR62", "OR63")
"""Operators' calls of which neither path nor method is public: the sandbox serves them by its own reading."""


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    return validate()


def test_nothing_deviates_from_the_specification_without_a_source(report: Report) -> None:
    assert report.undocumented == [], "\n".join(report.lines())


def test_no_documented_deviation_is_there_for_nothing(report: Report) -> None:
    assert report.unseen == []


def test_every_call_that_the_connector_can_make_was_validated(report: Report) -> None:
    exports = {call.name for export in EXPORTS.values() for call in (export.start, export.status, export.download)}
    written = {call.name for call in vars(writes).values() if isinstance(call, Call)}
    foreign: dict[Side, frozenset[str]] = {"seller": OPERATOR_FEEDS, "operator": SELLER_FEEDS}
    for side, others in foreign.items():
        calls = {e.call.name for e in ENDPOINTS.values() if e.entity not in others} | exports
        if side == "seller":
            calls |= written
        assert {(side, call) for call in calls} - report.calls == set()


def test_every_call_that_the_sandbox_serves_was_validated(report: Report) -> None:
    served = {(side.lower(), endpoint.code) for endpoint in (*READS, *WRITES) for side in endpoint.sides}
    assert served - report.calls == {("operator", call) for call in NAMES_ONLY}


def test_only_the_planted_fee_type_is_one_that_nobody_published(folder: Path) -> None:
    (types,) = (
        parameter["schema"]["items"]["enum"]
        for call, _, _, operation in operations(document("seller"))
        if call == "TL02"
        for parameter in operation["parameters"]
        if parameter["name"] == "transaction_type"
    )
    generated = world()
    unknown = {line["type"] for line in generated.mirakl["BRICO"].transaction_lines} - set(types)
    planted = [entry for entry in generated.truth["exceptions"] if entry["exception_code"] == "SET-009"]
    assert len(types) == 51
    assert unknown == {entry["subject_id"] for entry in planted}


@pytest.mark.parametrize(("ci", "ends_with"), [("true", 1), ("", 0)])
def test_without_the_specification_it_fails_in_ci_and_is_skipped_with_a_reason_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ci: str, ends_with: int
) -> None:
    monkeypatch.setenv("TIEOUT_CONTRACTS_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("CI", ci)
    assert main() == ends_with
    assert "set TIEOUT_CONTRACTS_DIR" in capsys.readouterr().out
