"""The order in which tests are dealt out to the two processes that run them: the long ones first, as begun last they
would run alone. Those that look at the one finished installation follow one another, because it takes a minute to make.
"""

from __future__ import annotations

import pytest

FINISHED = "finished"
SHARED = (FINISHED, "test_csv_ledger.py", "test_contract.py", "test_arrival.py", "test_real_input.py", "test_backup.py")
"""What is dear to make and looked at by several tests: those stay in one process, so that it is made once."""
FIRST = ("test_kill.py", FINISHED, "test_lint.py", "test_arrival.py", "test_real_input.py", "test_csv_ledger.py")
"""Files that take minutes, and the users of the finished installation, in the order in which they begin."""


# Before the plugin that deals them out, which reads the marks.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_rank)
    for item in items:
        if shared := next((name for name in SHARED if _group(item).endswith(name)), None):
            item.add_marker(pytest.mark.xdist_group(shared.removesuffix(".py")))


def _group(item: pytest.Item) -> str:
    is_looking = FINISHED in getattr(item, "fixturenames", ())
    return FINISHED if is_looking else item.path.relative_to(item.config.rootpath).as_posix()


def _rank(item: pytest.Item) -> int:
    for rank, name in enumerate(FIRST):
        if _group(item).endswith(name):
            return rank
    return len(FIRST)
