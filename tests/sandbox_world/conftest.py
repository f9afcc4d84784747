"""Worlds are made once per session; a test must not change one."""

from collections.abc import Callable
from functools import cache

import pytest

from sandbox.world import World, build_world

ORDERS = 400


@cache
def _world(seed: int, orders: int, faults: bool) -> World:
    return build_world(seed=seed, orders=orders, faults=faults)


@pytest.fixture(scope="session")
def world_of() -> Callable[..., World]:
    """`world_of(seed, faults=True, orders=400)`"""

    def make(seed: int, faults: bool = True, orders: int = ORDERS) -> World:
        return _world(seed, orders, faults)

    return make


@pytest.fixture(params=[7, 11, 2026], ids="seed{}".format)
def clean(request: pytest.FixtureRequest, world_of: Callable[..., World]) -> World:
    return world_of(request.param, faults=False)


@pytest.fixture(params=[7, 11, 2026], ids="seed{}".format)
def faulty(request: pytest.FixtureRequest, world_of: Callable[..., World]) -> World:
    return world_of(request.param, faults=True)
