"""One finished installation, shared by the tests that only look at it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from benchmarks.kills import VENDOR_MADE
from tests.pipeline.site import Site, running_sandbox

ORDERS = 600


@dataclass(frozen=True)
class State:
    """What another installation must come to: its marts as hashes (without what the vendor makes up), and the vendors'
    records.
    """

    marts: dict[str, str]
    vendors: Any

    @classmethod
    def of(cls, site: Site) -> State:
        return cls(site.mart_hashes(VENDOR_MADE), site.vendor_state())


@dataclass
class Finished(Site):
    """`after`: the state when that lane had ended."""

    after: dict[str, State] = field(default_factory=dict)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    """The settlement and stock lanes have run once, undisturbed, on the world with faults."""
    folder = tmp_path_factory.mktemp("finished")
    with running_sandbox(folder / "sandbox", orders=ORDERS) as url:
        site = Finished(url, folder / "sandbox", folder / "data")
        for lane in ("settlement", "stock"):
            site.tieout("run", lane)
            site.after[lane] = State.of(site)
        yield site
