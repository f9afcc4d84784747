"""Each invariant of the accounting reference (section 14) is asked of generated worlds, or proved where it is said."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.pipeline.test_bad_input import unit_tests
from tests.property.invariants import INVARIANTS

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT.parent / "shared" / "reference" / "accounting.md"
LAST = 15
ELSEWHERE = {
    9: ("pipeline/test_rerun.py", "test_a_second_run_proposes_nothing_and_changes_no_mart"),
    12: ("property/test_arrival.py", "test_the_order_of_arrival_changes_no_mart"),
}
"""What needs a second run of the same world: file and test."""
RULES = {
    10: "a_refund_without_a_credit_note_is_credited_within_the_sale",
    15: "the_accounting_day_is_the_one_on_the_wall_of_the_entity",
}
"""dbt unit tests of what a world does not show by itself."""


def asked() -> set[int]:
    return {int(found.group()) for name in INVARIANTS if (found := re.match(r"\d+", name))}


def test_every_invariant_is_proved() -> None:
    assert asked() | ELSEWHERE.keys() | RULES.keys() == set(range(1, LAST + 1))
    for file, test in ELSEWHERE.values():
        assert f"def {test}(" in (ROOT / "tests" / file).read_text("utf-8")
    assert set(RULES.values()) <= unit_tests().keys()


@pytest.mark.skipif(
    not REFERENCE.is_file() and os.environ.get("CI") != "true",
    reason="the accounting reference is not beside the repository",
)
def test_the_reference_has_no_other() -> None:
    section = REFERENCE.read_text("utf-8").partition("## 14. Invariants")[2].partition("\n---")[0]
    assert [int(number) for number in re.findall(r"^(\d+)\. ", section, re.MULTILINE)] == list(range(1, LAST + 1))
