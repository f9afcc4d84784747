"""One finished installation, shared by the tests that only look at it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pipeline.site import Site, running_sandbox

ORDERS = 600


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The settlement and stock lanes have run once, undisturbed, on the world with faults."""
    folder = tmp_path_factory.mktemp("finished")
    with running_sandbox(folder / "sandbox", orders=ORDERS) as url:
        site = Site(url, folder / "sandbox", folder / "data")
        site.tieout("run", "settlement")
        site.tieout("run", "stock")
        yield site
