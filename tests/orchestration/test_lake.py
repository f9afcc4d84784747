"""Raw as Parquet: what the loader writes for Spark is what the warehouse holds."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from connectors.feeds import feed_spec
from orchestration.lib import loading
from orchestration.lib.landing import Landing
from orchestration.lib.settings import Settings
from orchestration.lib.state import State
from tests.orchestration.vendor import Vendor, line
from tests.parity_spark import raw

HOUR = timedelta(hours=1)


def land(settings: Settings, account: str, *numbers: int) -> None:
    vendor = Vendor(records={"transaction_lines": [line(number) for number in numbers]})
    with State(settings.state_path) as state:
        Landing(settings, state, "run").land(feed_spec("mirakl", "transaction_lines"), account, vendor, overlap=HOUR)


@pytest.fixture
def lake(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"raw_url": str(tmp_path / "lake")})


def copied(settings: Settings, folder: Path) -> Settings:
    """A warehouse that was filled from the Parquet files alone."""
    other = settings.model_copy(update={"data_dir": folder})
    raw.read(other, Path(str(settings.raw_url)))
    return other


def test_the_files_hold_every_row_of_every_table_over_several_loads(lake: Settings, tmp_path: Path) -> None:
    land(lake, "BRICO", 1, 2)
    land(lake, "001", 1)  # stays a text
    loading.load(lake)
    land(lake, "BRICO", 2, 3)
    loading.load(lake)
    loading.load(lake)
    assert raw.odd_tables(lake, copied(lake, tmp_path / "copy")) == []
    files = (tmp_path / "lake" / "mirakl_transaction_lines").rglob("*.parquet")
    assert len({tuple(pq.read_schema(path).names) for path in files}) == 1, "also of the file without rows"
    stale = tmp_path / "lake" / "mirakl_transaction_lines" / "_account=001"
    for path in stale.iterdir():
        path.unlink()
    assert raw.odd_tables(lake, copied(lake, tmp_path / "less")) == ["mirakl_transaction_lines"]


def test_a_load_that_broke_off_leaves_no_row_twice(
    lake: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(lake, "BRICO", 1, 2)

    def fail(*_: object) -> None:
        raise duckdb.IOException("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(loading, "insert_rows", fail)
        with pytest.raises(duckdb.IOException):
            loading.load(lake)
    loading.load(lake)
    assert raw.odd_tables(lake, copied(lake, tmp_path / "copy")) == []
