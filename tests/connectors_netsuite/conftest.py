from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.netsuite import NetSuiteConnector, Tokens
from tests.connectors.conftest import contracts, payloads
from tests.connectors_netsuite.suitetalk import Suitetalk, serving

__all__ = ["contracts", "payloads"]

NOW = datetime(2026, 7, 3, 8, 0, tzinfo=UTC)
TOKENS = Tokens("ck", "cs-secret", "ti", "ts-secret")
Connect = Callable[..., NetSuiteConnector]


@pytest.fixture
def suitetalk() -> Suitetalk:
    return Suitetalk()


@pytest.fixture
def base_url(suitetalk: Suitetalk) -> Iterator[str]:
    with serving(suitetalk) as url:
        yield url


@pytest.fixture
def naps() -> list[float]:
    return []


@pytest.fixture
def connect(base_url: str, naps: list[float]) -> Iterator[Connect]:
    """Makes connectors to the loopback server, by default signed with tokens."""
    made: list[NetSuiteConnector] = []

    def make(**more: Any) -> NetSuiteConnector:
        options: dict[str, Any] = {
            "credentials": TOKENS,
            "base_url": base_url,
            "timeout_seconds": 5.0,
            "sleep": naps.append,
            "clock": lambda: NOW,
            **more,
        }
        connector = NetSuiteConnector("NS_UK", "1234567_SB1", **options)
        made.append(connector)
        return connector

    yield make
    for connector in made:
        connector.close()
