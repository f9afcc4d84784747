"""docs/common-failures.md promises codes and tests: both must exist."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs/common-failures.md").read_text("utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| failure")
]


@pytest.fixture(scope="module")
def tests_there_are() -> set[str]:
    models, modules = (ROOT / "dbt_project/models").rglob("*unit_tests.yml"), (ROOT / "tests").rglob("test_*.py")
    found = {name for path in models for name in re.findall(r"^  - name: (\w+)", path.read_text("utf-8"), re.MULTILINE)}
    return found | {
        name for path in modules for name in re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row[0]))
def test_a_common_failure_has_its_codes_and_its_tests(row: list[str], tests_there_are: set[str]) -> None:
    with (ROOT / "dbt_project/seeds/exception_codes.csv").open(encoding="utf-8", newline="") as file:
        codes = {line["exception_code"] for line in csv.DictReader(file)}
    _, _, seen_as, proof = row
    named = re.findall(r"[A-Z]{3}-\d{3}", seen_as)
    proofs = re.findall(r"`(\w+)`", proof)
    assert named
    assert proofs
    assert set(named) <= codes
    assert set(proofs) <= tests_there_are
