"""Worlds are made once per session; a test must not change one."""

import csv
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from sandbox.world import MARKETPLACES, World, build_world
from sandbox.world.build import Erp

ORDERS = 400
SEEDS = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds"


@cache
def _world(seed: int, orders: int, faults: bool, marketplaces: tuple[str, ...], erp: Erp) -> World:
    return build_world(seed=seed, orders=orders, faults=faults, marketplaces=marketplaces, erp=erp)


@pytest.fixture(scope="session")
def world_of() -> Callable[..., World]:
    """`world_of(seed, faults=True, orders=400, marketplaces=..., erp="sage200")`"""

    def make(
        seed: int,
        faults: bool = True,
        orders: int = ORDERS,
        marketplaces: tuple[str, ...] = MARKETPLACES,
        erp: Erp = "sage200",
    ) -> World:
        return _world(seed, orders, faults, marketplaces, erp)

    return make


@pytest.fixture(scope="session")
def seed_rows() -> Callable[[str], list[dict[str, str]]]:
    """`seed_rows("fee_rules")`: the rows of one file of the project's default configuration."""

    def read(name: str) -> list[dict[str, str]]:
        with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    return read


@pytest.fixture(params=[7, 11, 2026], ids="seed{}".format)
def clean(request: pytest.FixtureRequest, world_of: Callable[..., World]) -> World:
    return world_of(request.param, faults=False)


@pytest.fixture(params=[7, 11, 2026], ids="seed{}".format)
def faulty(request: pytest.FixtureRequest, world_of: Callable[..., World]) -> World:
    return world_of(request.param, faults=True)
