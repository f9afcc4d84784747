"""Opening the outbox database: engine, schema upgrade, and the lock that lets one process deliver at a time."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, select, table, text
from sqlalchemy import column as sql_column

from orchestration.outbox.errors import DeliveryBusy, SchemaMismatch, UnsupportedDatabase
from orchestration.outbox.schema import HEAD_REVISION

WRITE = "tieout_write"
"""Execution option of a connection that is going to write."""


def open_engine(url: str | URL) -> Engine:
    """Engine for `url`: SQLite (file) or PostgreSQL. Creates the folder of a SQLite file; does not touch the schema."""
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise UnsupportedDatabase(
                "an outbox in memory would forget what was sent; name a file: sqlite:////path/to/outbox.db"
            )
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, connect_args={"timeout": 60})
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if backend in ("postgresql", "postgres"):
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        return create_engine(parsed, pool_pre_ping=True)
    raise UnsupportedDatabase(
        f"the outbox runs on SQLite or PostgreSQL, not on {backend}: "
        "it needs a delivery lock that dies with the process that holds it"
    )


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not begin transactions by itself: it would begin them too late to serialise the audit chain.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # FULL: a state committed before a vendor call must survive a power cut, or the call could be repeated.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN DEFERRED")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that may write. Writers come one after the other, so that the audit chain has one end."""
    with engine.connect().execution_options(**{WRITE: True}) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text("LOCK TABLE outbox_audit IN SHARE ROW EXCLUSIVE MODE"))
        yield connection


def excess_rights(engine: Engine) -> list[str]:
    """What the database's role may do beyond its own tables (PostgreSQL). A file of SQLite has no roles."""
    if engine.dialect.name != "postgresql":
        return []
    with engine.connect() as connection:
        row = connection.execute(
            text(
                "select rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls"
                " from pg_roles where rolname = current_user"
            )
        ).one()
    names = ("SUPERUSER", "CREATEROLE", "CREATEDB", "REPLICATION", "BYPASSRLS")
    return [name for name, has in zip(names, row, strict=True) if has]


def current_revision(engine: Engine) -> str | None:
    """Revision of the schema in the database, None when it has none yet."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(
            select(sql_column("version_num")).select_from(table("alembic_version"))
        ).scalar_one_or_none()


def upgrade_schema(engine: Engine) -> None:
    """Bring the database to HEAD_REVISION. Does nothing, and does not even import alembic, when it is there already."""
    revision = current_revision(engine)
    if revision == HEAD_REVISION:
        return
    if revision is not None and revision > HEAD_REVISION:
        raise SchemaMismatch(
            f"the outbox database has schema {revision}, this Tieout knows {HEAD_REVISION}: "
            "it was written by a newer version; upgrade Tieout"
        )
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with exclusive(engine, "schema", timeout_seconds=60):
        if current_revision(engine) == HEAD_REVISION:
            return
        with engine.connect().execution_options(**{WRITE: True}) as connection, connection.begin():
            config.attributes["connection"] = connection
            command.upgrade(config, HEAD_REVISION)


@contextmanager
def exclusive(engine: Engine, name: str, *, timeout_seconds: float) -> Iterator[None]:
    """A lock on `name` among all processes on this database, released by the system when its holder dies.

    Raises DeliveryBusy when another process holds it for longer than `timeout_seconds`.
    """
    busy = DeliveryBusy(
        f"another process is working on {name} in this outbox and did not finish within {timeout_seconds:g} s; "
        "try again"
    )
    if engine.dialect.name == "sqlite":
        digest = hashlib.sha256(name.encode()).hexdigest()[:12]
        lock = FileLock(f"{engine.url.database}.{digest}.lock", timeout=timeout_seconds)
        try:
            lock.acquire()
        except Timeout:
            raise busy from None
        try:
            yield
        finally:
            lock.release()
        return
    key = int.from_bytes(hashlib.sha256(f"tieout outbox {name}".encode()).digest()[:8], "big", signed=True)
    deadline = time.monotonic() + timeout_seconds
    pause = threading.Event()
    # A connection of its own: the lock lives as long as the session, the work inside commits on others.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}):
            if time.monotonic() > deadline:
                raise busy
            pause.wait(0.2)
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})
