from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 7, 3, 8, 0, tzinfo=UTC)


def _shared(variable: str, name: str) -> Path:
    """A folder of the vendors' own material. A clone may lack it; CI must not."""
    folder = Path(os.environ.get(variable) or ROOT.parent / "shared" / name)
    if not folder.is_dir():
        reason = f"no vendors' {name} at {folder}; set {variable}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def payloads() -> Path:
    return _shared("TIEOUT_PAYLOADS_DIR", "payloads")


@pytest.fixture(scope="session")
def contracts() -> Path:
    return _shared("TIEOUT_CONTRACTS_DIR", "contracts")


@pytest.fixture
def clock() -> Callable[[], datetime]:
    return lambda: NOW


@pytest.fixture
def naps() -> list[float]:
    """Seconds that a client under test would have slept: pass `naps.append` as its sleep."""
    return []
