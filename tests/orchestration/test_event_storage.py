"""Dagster's log in SQLite with its connections kept open: what it remembers of its tables."""

from pathlib import Path

from orchestration.lib.event_storage import PooledSqliteEventLogStorage


def test_what_is_not_there_is_looked_for_again(tmp_path: Path) -> None:
    storage = PooledSqliteEventLogStorage(str(tmp_path))
    assert not storage.has_secondary_index("a data migration")
    assert not storage.has_asset_key_col("colour")
    storage.enable_secondary_index("a data migration")
    assert storage.has_secondary_index("a data migration")
    assert storage.has_secondary_index("a data migration")  # remembered
    assert storage.has_asset_key_col("last_materialization_timestamp")
    assert not storage.has_asset_key_col("colour")
    storage.dispose()
