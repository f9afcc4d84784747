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
from itertools import count
from pathlib import Path

import pytest

from orchestration.outbox import Outbox

from .world import PinnedClock

NUMBERS = count(1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server of our own. Where none is installed the test is skipped; in CI it fails."""
    # Debian keeps the server's programs off the path.
    path = os.pathsep.join([os.environ.get("PATH", ""), *map(str, Path("/usr/lib/postgresql").glob("*/bin"))])
    initdb, server = shutil.which("initdb", path=path), shutil.which("postgres", path=path)
    if initdb is None or server is None:
        reason = "no PostgreSQL server is installed on this machine"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{reason}, and CI must prove the outbox on one")
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("postgres")
    data, account = folder / "data", {}
    if os.geteuid() == 0:
        # The server refuses to run as root.
        try:
            nobody = pwd.getpwnam("postgres")
        except KeyError:
            nobody = pwd.getpwnam("nobody")
        for path in (folder, *(parent for parent in folder.parents if parent.name.startswith(("pytest-", "popen-")))):
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


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty outbox that was migrated once; tests start from a copy, because migrating takes longer than most
    tests.
    """
    path = tmp_path_factory.mktemp("template") / "outbox.db"
    Outbox(f"sqlite:///{path}", PinnedClock()).close()
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> str:
    """The same on PostgreSQL: name of a migrated database to copy."""
    create_database(postgres_url, "migrated", "template1")
    Outbox(database_url(postgres_url, "migrated"), PinnedClock()).close()
    return "migrated"


def create_database(server: str, name: str, template: str) -> None:
    import psycopg
    from psycopg import sql

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )


def database_url(server: str, name: str) -> str:
    return server.rsplit("/", 1)[0] + "/" + name


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty outbox, once per kind of database."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "outbox.db")
        return f"sqlite:///{tmp_path / 'outbox.db'}"
    server, template = request.getfixturevalue("postgres_url"), request.getfixturevalue("postgres_template")
    name = f"outbox_{next(NUMBERS)}"
    create_database(server, name, template)
    return database_url(server, name)


@pytest.fixture
def clock() -> PinnedClock:
    return PinnedClock()


@pytest.fixture
def outbox(url: str, clock: PinnedClock) -> Iterator[Outbox]:
    box = Outbox(url, clock)
    yield box
    box.close()


@pytest.fixture
def sqlite_outbox(sqlite_template: Path, tmp_path: Path, clock: PinnedClock) -> Iterator[Outbox]:
    shutil.copy(sqlite_template, tmp_path / "outbox.db")
    box = Outbox(f"sqlite:///{tmp_path / 'outbox.db'}", clock)
    yield box
    box.close()
