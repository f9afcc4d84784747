"""Dagster's SQLite storages of events and runs, with their connections kept open.

The stock class makes an engine and a connection for every single event: about 11 ms each, so that a run with 300 dbt
tests spends ten seconds on its log. Keeping them open costs about a quarter of that. It also makes the tables and
indexes of every run's file anew, a third of a second for each of the twenty runs of a lane; here it begins as a copy
of an empty file. The files and their format stay the stock ones.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dagster import __version__ as dagster_version
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData

KEPT_OPEN = 4
"""Run databases kept open: the index, the present run and the one around it."""


class PooledSqliteEventLogStorage(SqliteEventLogStorage):
    """Configured like the stock class: `base_dir`."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, sa.Engine] = {}
        self._there: set[str] = set()
        """Tables, columns and indexes that were found once: what is there stays."""
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> PooledSqliteEventLogStorage:
        return cls(inst_data=inst_data, **config_value)

    def has_table(self, table_name: str) -> bool:
        """Asked before every event of a check."""
        return self._is_there(f"table {table_name}", super().has_table, table_name)

    def has_secondary_index(self, name: str) -> bool:
        """Asked twice for every asset that another one hangs on."""
        return self._is_there(f"index {name}", super().has_secondary_index, name)

    def has_asset_key_col(self, column_name: str) -> bool:
        """Asked several times for every event of an asset, as is the same of an open connection."""
        return self._is_there(f"column {column_name}", super().has_asset_key_col, column_name)

    def _has_asset_key_col_on_connection(self, conn: sa.Connection, column_name: str) -> bool:
        look = super()._has_asset_key_col_on_connection
        return self._is_there(f"column {column_name}", look, conn, column_name)

    def _is_there(self, what: str, look: Callable[..., bool], *asked: Any) -> bool:
        if what not in self._there and look(*asked):
            self._there.add(what)
        return what in self._there

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sa.Connection]:
        with self._db_lock, self._engine(shard).connect() as connection, connection.begin():
            yield connection

    def _engine(self, shard: str) -> sa.Engine:
        engine = self._engines.pop(shard, None)
        if engine is None:
            while len(self._engines) >= KEPT_OPEN:
                self._engines.pop(next(iter(self._engines))).dispose()
            path = Path(self.path_for_shard(shard))
            if shard != INDEX_SHARD_NAME and not path.exists():
                part = path.with_suffix(".part")
                shutil.copyfile(self._empty(), part)
                os.replace(part, path)
                self._initialized_dbs.add(shard)
            engine = _opened(self.conn_string_for_shard(shard))
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
        self._engines[shard] = engine
        return engine

    def _empty(self) -> Path:
        """A run's file without events, made by the stock class once per data folder and version of Dagster."""
        path = Path(self._base_dir) / f"empty-{dagster_version}"
        if not path.exists():
            made = path.with_name(f"{path.name}-{os.getpid()}")
            engine = _opened(f"sqlite:///{made}")
            self._initdb(engine)
            with engine.connect() as connection:
                connection.exec_driver_sql("pragma wal_checkpoint(truncate)")
            engine.dispose()
            os.replace(made, path)
        return path

    def delete_events(self, run_id: str) -> None:
        """The run's file goes with its rows; the stock class leaves it as large as it was."""
        super().delete_events(run_id)
        if (engine := self._engines.pop(run_id, None)) is not None:
            engine.dispose()
        self._initialized_dbs.discard(run_id)
        shard = Path(self.path_for_shard(run_id))
        for path in (shard, Path(f"{shard}-wal"), Path(f"{shard}-shm")):
            path.unlink(missing_ok=True)

    def dispose(self) -> None:
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
        super().dispose()


class PooledSqliteRunStorage(SqliteRunStorage):
    """Configured like the stock class: `base_dir`, which makes an engine for each of the thirty questions of a run."""

    def __init__(self, conn_string: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._kept = sa.create_engine(conn_string, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS})
        super().__init__(conn_string, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> PooledSqliteRunStorage:
        return cls.from_local(inst_data=inst_data, **config_value)

    @contextmanager
    def connect(self) -> Iterator[sa.Connection]:
        with self._kept.connect() as connection, connection.begin():
            yield connection

    def dispose(self) -> None:
        self._kept.dispose()
        super().dispose()


def _opened(address: str) -> sa.Engine:
    engine = sa.create_engine(
        address,
        poolclass=sa.StaticPool,
        connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
    )
    sa.event.listen(engine, "connect", _relax)
    return engine


def _relax(connection: Any, _: Any) -> None:
    """A power cut may cost the newest log lines, never the file: WAL stays consistent without a flush per event."""
    connection.execute("pragma synchronous = normal")
