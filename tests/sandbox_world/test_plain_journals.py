"""Levels d, f and g of both sellers: somebody else finds what the truth lists, in either ERP, and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.world import World
from sandbox.world.build import Erp
from tests.sandbox_world.plain_documents import documents
from tests.sandbox_world.plain_journals import accruals, openings, settlements, statement

COMMON = {"INV-005", "INV-007", "JNL-011", "CLR-001", "CLR-005"}
CODES = {"BRICO": COMMON | {"CLR-002"}, "HOMELY": COMMON | {"CLR-004", "JNL-008", "JNL-010"}}
LEVELS = (documents, accruals, openings, statement, settlements)


def told(world: World, marketplace: str) -> set[tuple[str, str, str]]:
    rows: list[dict[str, Any]] = world.truth["exceptions"]
    return {
        (row["exception_code"], row["subject_type"], row["subject_id"])
        for row in rows
        if row["marketplace_code"] == marketplace and row["exception_code"] in CODES[marketplace]
    }


@pytest.mark.parametrize(("marketplace", "erp"), [("BRICO", "sage200"), ("BRICO", "netsuite"), ("HOMELY", "sage200")])
@pytest.mark.parametrize("seed", [7, 11])
def test_a_second_opinion_finds_exactly_the_truth(
    world_of: Callable[..., World], seed: int, marketplace: str, erp: Erp
) -> None:
    world = world_of(seed, marketplaces=("BRICO", "HOMELY"), erp=erp)
    found = {finding for level in LEVELS for finding in level(world, marketplace)}
    assert found == told(world, marketplace)
    assert {code for code, _, _ in found} == CODES[marketplace]


@pytest.mark.parametrize("marketplace", ["BRICO", "HOMELY"])
def test_a_clean_world_has_nothing_of_it(world_of: Callable[..., World], marketplace: str) -> None:
    world = world_of(7, faults=False, marketplaces=("BRICO", "HOMELY"))
    assert not {finding for level in LEVELS for finding in level(world, marketplace)}
