"""No trap without a test: the catalogue names tests that are there, and its page of the documentation is up to date."""

from __future__ import annotations

import ast
import functools
import os
import re
from pathlib import Path

import pytest
import yaml

from tests.traps.catalogue import TRAPS, Trap, of
from tests.traps.documentation import DOCUMENT, page

TESTS = Path(__file__).parents[1]
MODELS = TESTS.parent / "dbt_project" / "models"


@functools.cache
def functions(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text("utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@functools.cache
def unit_tests() -> frozenset[str]:
    files = MODELS.rglob("*unit_tests.yml")
    return frozenset(test["name"] for file in files for test in yaml.safe_load(file.read_text("utf-8"))["unit_tests"])


@pytest.mark.parametrize("trap", TRAPS, ids=[trap.number for trap in TRAPS])
def test_every_trap_has_tests_and_they_are_there(trap: Trap) -> None:
    assert trap.tests, "a trap without a test"
    for test in trap.tests:
        file, _, name = test.partition("::")
        known = unit_tests() if file == "dbt" else functions(TESTS / file)
        assert name in known, test


def test_every_test_of_a_trap_is_in_the_catalogue() -> None:
    named = {test.rpartition("::")[2] for trap in TRAPS for test in trap.tests}
    for file in Path(__file__).parent.glob("test_*_*.py"):
        assert {name for name in functions(file) if name.startswith("test_")} <= named, file.name


def test_numbers_are_unique_and_those_in_the_names_of_tests() -> None:
    numbers = {trap.number for trap in TRAPS}
    assert len(numbers) == len(TRAPS)
    for test in (test for trap in TRAPS for test in trap.tests if test.startswith("traps/")):
        found = re.search(r"::test_([a-z0-9]+)_(q?\d+)_", test)
        assert found, test
        assert f"{found[1]}-{found[2]}" in numbers, test


@pytest.mark.parametrize(
    ("reference", "heading", "item", "traps"),
    [
        ("sage200.md", "## 17.", r"(?<!\d)(\d+)\. ", of("sage200", is_open=True)),
        ("netsuite.md", "## 16.", r"^\| (\d+) \|", of("netsuite", is_open=True)),
    ],
)
def test_the_questions_are_those_of_the_reference(
    reference: str, heading: str, item: str, traps: tuple[Trap, ...]
) -> None:
    folder = Path(os.environ.get("TIEOUT_REFERENCE_DIR") or TESTS.parents[1] / "shared" / "reference")
    if not folder.is_dir():
        # A stranger's clone may lack them; CI must not.
        reason = f"no references at {folder}; set TIEOUT_REFERENCE_DIR"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    section = (folder / reference).read_text("utf-8").split(heading)[1].split("\n## ")[0]
    numbers = [int(number) for number in re.findall(item, section.partition("\n")[2], re.MULTILINE)]
    assert numbers == list(range(1, len(traps) + 1))


def test_the_page_is_the_catalogue() -> None:
    assert DOCUMENT.read_text("utf-8") == page(), "write it anew: python -m tests.traps > docs/traps.md"
