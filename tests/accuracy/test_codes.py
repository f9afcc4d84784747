"""The lists that must agree: codes, models that raise them, faults that cause them, near-misses, runbook entries."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sandbox.world import ALL_MARKETPLACES, build_world
from tests.accuracy.exempt import EXEMPT, NOT_RAISED
from tests.accuracy.scenarios import ARRIVES_AS, MOMENTS, Scenario, installations

ROOT = Path(__file__).resolve().parents[2]


def codes() -> set[str]:
    path = ROOT / "dbt_project" / "seeds" / "exception_codes.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return {row["exception_code"] for row in csv.DictReader(file)}


def raised() -> set[str]:
    """Codes that stand as a literal in the SQL of a model or macro."""
    folders = (ROOT / "dbt_project" / name for name in ("models", "macros"))
    text = "\n".join(path.read_text("utf-8") for folder in folders for path in folder.rglob("*.sql"))
    return set(re.findall(r"'([A-Z]{2,3}-\d{3})'", text))


@cache
def _truth(part: str) -> tuple[dict[str, Any], ...]:
    truths = [build_world(seed, 400, marketplaces=ALL_MARKETPLACES).truth for seed in (7, 11)]
    truths.append(build_world(7, 400, currency="EUR").truth)
    return tuple(row for truth in truths for row in truth[part])


def _of(rows: Iterable[dict[str, Any]], column: str) -> set[str]:
    return {str(row[column]) for row in rows}


def test_every_code_has_a_model_that_can_raise_it() -> None:
    assert codes() - raised() == set(NOT_RAISED)


def test_models_raise_no_code_that_has_no_owner_and_deadline() -> None:
    assert raised() - codes() == set()


def test_every_code_is_planted_or_argued() -> None:
    planted = _of(_truth("exceptions"), "exception_code") | ARRIVES_AS.keys()
    assert codes() - planted == {*EXEMPT, *NOT_RAISED}


def test_every_planted_code_has_a_near_miss() -> None:
    natural = {row["exception_code"] for row in _truth("exceptions") if row["fault"] == "NATURAL"}
    planted = {row["exception_code"] for row in _truth("exceptions") if row["fault"] != "NATURAL"}
    assert planted - natural - _of(_truth("near_misses"), "not_code") == set()


def test_every_code_has_a_runbook_entry_that_says_what_to_do() -> None:
    text = (ROOT / "docs" / "runbooks.md").read_text("utf-8")
    sections = {part.split("\n", 1)[0].strip(): part for part in text.split("\n### ")[1:]}
    assert codes() - sections.keys() == set()
    assert {code for code in codes() if "- Do:" not in sections[code]} == set()


def test_what_arrives_late_has_its_near_miss() -> None:
    for seed in (1, 2):
        truth: dict[str, list[dict[str, Any]]] = {"exceptions": [], "near_misses": []}
        Scenario.of(seed).tell(truth)
        (planted,), (near_miss,) = truth["exceptions"], truth["near_misses"]
        assert planted["exception_code"] == near_miss["not_code"]
        assert planted["subject_id"] != near_miss["subject_id"]


def test_two_hundred_seeds_are_played_at_every_moment_by_sellers_that_share_it() -> None:
    groups = [[Scenario.of(seed) for seed in group] for group in installations(range(1, 201))]
    assert {scenario.moment for group in groups for scenario in group} == set(MOMENTS)
    assert {len({(scenario.as_of, scenario.arrival) for scenario in group}) for group in groups} == {1}


@pytest.mark.parametrize("code", sorted({*EXEMPT, *NOT_RAISED}))
def test_an_exception_to_the_rule_has_a_reason(code: str) -> None:
    assert len({**EXEMPT, **NOT_RAISED}[code].split()) >= 8
