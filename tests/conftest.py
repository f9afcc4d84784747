"""How tests are dealt out to the processes that run them: the long ones first, as begun last they would run alone; and
those that look at the same dear thing to one process, so that it is made once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

FINISHED = "finished"
SHARED = (FINISHED, "test_csv_ledger.py", "test_contract.py", "test_arrival.py", "test_real_input.py", "test_backup.py")
"""The users of the finished installation, which takes a minute to make, and files whose fixtures take as long."""
FIRST = (FINISHED, "test_lint.py", "test_arrival.py", "test_real_input.py", "test_csv_ledger.py")
"""In the order in which they begin."""
ROOT = Path(__file__).parent
LOOKING = {
    path.relative_to(ROOT.parent).as_posix() for path in ROOT.rglob("test_*.py") if f"{FINISHED}: " in path.read_text()
}


class Together(LoadScopeScheduling):
    """Test by test, but for those that share something. xdist 3.8's own groups do not hold under pytest 9.2."""

    def _split_scope(self, nodeid: str) -> str:
        group = _group(nodeid)
        return next((name for name in SHARED if group.endswith(name)), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return Together(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_rank)


def _group(nodeid: str) -> str:
    path = nodeid.partition("::")[0]
    return FINISHED if path in LOOKING else path


def _rank(item: pytest.Item) -> int:
    group = _group(item.nodeid)
    return next((rank for rank, name in enumerate(FIRST) if group.endswith(name)), len(FIRST))
