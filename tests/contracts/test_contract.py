"""The whole connectors and the whole sandbox against the published specifications: what `make contract` runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.http import Call
from connectors.mirakl.endpoints import ENDPOINTS, OPERATOR_FEEDS, SELLER_FEEDS
from connectors.mirakl.exports import EXPORTS
from connectors.mirakl.writes import calls as writes
from connectors.netsuite.queries import QUERIES
from connectors.sage200 import endpoints as sage200
from sandbox.mirakl.routes import READS, WRITES
from sandbox.netsuite.contract import LISTS, TRANSACTIONS
from sandbox.netsuite.contract import contract as netsuite_index
from sandbox.sage_company import ONLY_NESTED
from sandbox.sage_company import contract as sage200_index
from tests.contracts import published_netsuite
from tests.contracts.__main__ import main
from tests.contracts.conftest import document
from tests.contracts.published import Side, contracts_folder, operations
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


def calls_of(report: Report, side: Side) -> set[str]:
    return {call for one, call in report.calls if one == side}


def test_every_call_that_the_sage_200_connector_can_make_was_validated(report: Report) -> None:
    posted = {call.name for call in vars(sage200).values() if isinstance(call, Call)} - {sage200.SITES.name}
    read = {f"GET {resource.path}" for resource in sage200.RESOURCES.values()} | {"GET /sites"}
    made = calls_of(report, "sage200")
    assert read - made == set()
    assert {name for name in posted if f"POST /{name}" not in made} == set()


def test_every_resource_that_the_sage_200_sandbox_serves_was_validated(report: Report) -> None:
    index = sage200_index()
    served = {f"GET /{name}" for name in index["resources"] if name not in ONLY_NESTED}
    served |= {f"POST /{name}" for name in index["bodies"]}
    assert served - calls_of(report, "sage200") == set()


def test_every_call_that_the_netsuite_connector_can_make_was_validated(report: Report) -> None:
    wanted = {f"SuiteQL {query.table}" for query in QUERIES.values()}
    wanted |= {f"POST /record/v1/{name}" for name in ("journalEntry", "salesOrder", "creditMemo", "customerPayment")}
    wanted |= {
        "POST /record/v1/deposit",
        "POST /record/v1/salesOrder/{id}/!transform/itemFulfillment",
        "PATCH /record/v1/journalEntry/{id}",
        "PATCH /record/v1/salesOrder/{id}",
        "POST /auth/oauth2/v1/token",
        "GET /system/v1/governanceLimits",
    }
    assert wanted - calls_of(report, "netsuite") == set()


def test_every_record_that_the_netsuite_sandbox_serves_was_validated(report: Report) -> None:
    served = {f"GET /record/v1/{name}{rest}" for name in (*LISTS, *TRANSACTIONS) for rest in ("", "/{id}")}
    assert served - calls_of(report, "netsuite") == set()


def test_the_netsuite_sandbox_knows_no_name_that_nobody_published(report: Report) -> None:
    """The sandbox carries an index of its own, because a clone may lack the contracts."""
    published = published_netsuite.load(contracts_folder("netsuite"))
    index = netsuite_index()
    documented = {f"{table}.{column}" for table, whole in index["tables"].items() for column in whole["columns"]}
    known = {f"{table}.{column}" for table, whole in published["suiteql_tables"].items() for column in whole["columns"]}
    assert documented - known <= {
        at for entry in report.entries if entry.kind == "unpublished column" for at in entry.at
    }
    for name, record in index["records"].items():
        assert set(record["fields"]) <= published_netsuite.members(published["records"][name]).keys(), name


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
