"""The DuckDB file: opened by one at a time, closed for certain.

DuckDB lets one process open a file for writing, and then nobody else can open it at all. A lock file makes a second
process wait instead of failing, and covers dbt as well, which opens the file by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
from filelock import FileLock

from orchestration.lib.settings import Settings

WAIT_SECONDS = 1800.0


@contextmanager
def exclusive(settings: Settings, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Hold the right to open the warehouse. The holder may take it again; other processes wait.

    Raises filelock.Timeout.
    """
    settings.locks_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.locks_dir / "warehouse.lock", timeout=wait_seconds, is_singleton=True):
        yield


@contextmanager
def connect(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse, opened for writing within the memory limit; closed when the block ends, whatever happened in
    it.
    """
    settings.temporary_dir.mkdir(parents=True, exist_ok=True)
    with exclusive(settings):
        connection = duckdb.connect(
            str(settings.warehouse_path),
            config={
                "memory_limit": settings.memory_limit,
                "threads": settings.threads,
                "temp_directory": str(settings.temporary_dir),
                "preserve_insertion_order": True,
                # The default of 16 MB rewrites the file every few transactions of a load.
                "checkpoint_threshold": "256MB",
            },
        )
        try:
            connection.execute("set TimeZone = 'UTC'")
            yield connection
        finally:
            connection.close()
