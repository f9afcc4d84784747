"""How tests are dealt out to the two processes that run them: a file stays together, and the long ones go first.

Whoever looks at the one finished installation stays together too, because it takes a minute to make.
"""

from __future__ import annotations

import pytest

FINISHED = "finished"
FIRST = ("test_kill.py", FINISHED, "test_lint.py", "test_real_input.py", "test_csv_ledger.py")
"""Files, and the group of the finished installation, that take minutes: begun last, they would run alone."""


@pytest.hookimpl(tryfirst=True)  # before the groups are read
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
    items.sort(key=_rank)


def _group(item: pytest.Item) -> str:
    is_looking = FINISHED in getattr(item, "fixturenames", ())
    return FINISHED if is_looking else item.path.relative_to(item.config.rootpath).as_posix()


def _rank(item: pytest.Item) -> int:
    for rank, name in enumerate(FIRST):
        if _group(item).endswith(name):
            return rank
    return len(FIRST)
