"""Plays one scenario into an ERP: the vendors over HTTP, the pipeline as a command, from extraction to reading back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from tests.parity.compare import read
from tests.pipeline.site import Site, running_sandbox


@contextmanager
def played(folder: Path, erp: str, *, orders: int, seed: int = 7, marketplaces: Sequence[str] = ()) -> Iterator[Site]:
    """An installation on which the settlement and the stock lane have run; BRICO's books are in `erp`."""
    with running_sandbox(folder / "sandbox", orders=orders, seed=seed, marketplaces=marketplaces, erp=erp) as url:
        site = Site(url, folder / "sandbox", folder / "data")
        site.tieout("run", "settlement")
        site.tieout("run", "stock")
        yield site


def tables_of(site: Site) -> dict[str, pa.Table]:
    """The canonical ledger and the marts of an installation."""
    return read(site.data_dir / "warehouse.duckdb")
