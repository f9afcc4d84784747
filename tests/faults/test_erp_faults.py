"""The fault tables of the ERPs, tried over real HTTP: reading, and writing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from connectors.delivery import Outcome
from sandbox.netsuite import NetSuiteApi
from tests.connectors_netsuite.account import running
from tests.connectors_sage200.conftest import Site, company
from tests.faults.erp_findings import FINDINGS, Finding
from tests.faults.erp_reading import READING, Erps, Reading, held, installation, read
from tests.faults.erp_writing import WRITING, Books, Writing

__all__ = ["company"]


@pytest.fixture(scope="module")
def account() -> Iterator[tuple[NetSuiteApi, str]]:
    with running() as found:
        yield found


@pytest.fixture
def erps(company: Site, account: tuple[NetSuiteApi, str]) -> Iterator[Erps]:  # the fixture of that name
    company.calm()
    yield Erps(company, *account)
    company.calm()


@pytest.mark.parametrize("case", READING, ids=[case.name for case in READING])
def test_nothing_of_an_erp_is_lost_and_what_happened_is_reported(case: Reading, erps: Erps, tmp_path: Path) -> None:
    settings = installation(tmp_path)
    wanted = erps.truth(case.vendor)
    with case.lasting(erps):
        errors = read(settings, erps, case.vendor)
    assert tuple(dict.fromkeys(errors.values())) == case.reported
    assert errors.keys() == case.failed
    after = held(settings, case.vendor)
    assert all(after[feed] == (set() if feed in case.failed else ids) for feed, ids in wanted.items())

    assert read(settings, erps, case.vendor) == {}
    assert held(settings, case.vendor) == wanted


@pytest.fixture
def books(company: Site, account: tuple[NetSuiteApi, str]) -> Iterator[Books]:  # the fixture of that name
    company.calm()
    found = Books(company, *account)
    yield found
    for undo in reversed(found.after):
        undo()
    company.calm()


@pytest.mark.parametrize("case", WRITING, ids=[case.name for case in WRITING])
def test_what_cannot_be_written_is_said_and_nothing_is_written_twice(case: Writing, books: Books) -> None:
    one = case.act(books)
    before = books.count()
    result = books.send(one)
    assert case.is_fulfilled_by(result), result
    assert books.count() - before == case.written
    if case.ends == "looked up":
        assert books.send(one).outcome is Outcome.SENT
        assert books.count() - before == case.written, "found, not sent again"


@pytest.mark.parametrize("row", FINDINGS, ids=[row.code for row in FINDINGS])
def test_a_finding_of_the_table_is_expected_by_its_unit_test(row: Finding) -> None:
    files = (Path(__file__).parents[2] / "dbt_project" / "models").rglob("*unit_tests.yml")
    tests = [test for file in files for test in yaml.safe_load(file.read_text("utf-8"))["unit_tests"]]
    (proof,) = (test for test in tests if test["name"] == row.proved_by)
    assert row.code in str(proof["expect"])
