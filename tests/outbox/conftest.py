"""Outboxes on real databases, a pinned clock, and a vendor whose memory is a file (so that it survives a killed
process).
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.outbox import Outbox
from .world import PinnedClock


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server of our own; the test is skipped where no server or no driver is installed."""
    pytest.importorskip("psycopg", reason="the postgres extra is not installed")
    initdb, server = shutil.which("initdb"), shutil.which("postgres")
    if initdb is None or server is None:
        pytest.skip("no PostgreSQL server is installed on this machine")
    folder = tmp_path_factory.mktemp("postgres")
    data, account = folder / "data", {}
    if os.geteuid() == 0:
        # The server refuses to run as root.
        try:
            nobody = pwd.getpwnam("postgres")
        except KeyError:
            nobody = pwd.getpwnam("nobody")
        for path in (folder, *list(folder.parents)[:2]):
            path.chmod(0o755)
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        account = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    subprocess.run(
        [initdb, "-D", str(data), "-U", "tieout", "--auth=trust", "--no-sync"],
        check=True,
        capture_output=True,
        cwd=folder,
        **account,
    )
    port = free_port()
    arguments = ["-D", str(data), "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-k", str(folder), "-F"]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen([server, *arguments], stdout=log, stderr=log, cwd=folder, **account)
        try:
            _wait_until_it_answers(port, process)
            yield f"postgresql://tieout@127.0.0.1:{port}/postgres"
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait_until_it_answers(port: int, process: subprocess.Popen[bytes]) -> None:
    import time

    import psycopg

    for _ in range(100):
        try:
            psycopg.connect(f"postgresql://tieout@127.0.0.1:{port}/postgres", connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            assert process.poll() is None, "the PostgreSQL server ended at start"
            time.sleep(0.1)
    raise AssertionError("the PostgreSQL server does not answer")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database, once per kind of database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'outbox.db'}"
    return fresh_postgres(request.getfixturevalue("postgres_url"), tmp_path.name)


def fresh_postgres(server: str, name: str) -> str:
    import psycopg
    from psycopg import sql

    database = f"outbox_{abs(hash(name)) % 10**12}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
    return server.rsplit("/", 1)[0] + "/" + database


@pytest.fixture
def clock() -> PinnedClock:
    return PinnedClock()


@pytest.fixture
def outbox(url: str, clock: PinnedClock) -> Iterator[Outbox]:
    box = Outbox(url, clock)
    yield box
    box.close()


@pytest.fixture
def sqlite_outbox(tmp_path: Path, clock: PinnedClock) -> Iterator[Outbox]:
    box = Outbox(f"sqlite:///{tmp_path / 'outbox.db'}", clock)
    yield box
    box.close()
