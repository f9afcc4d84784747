"""A data folder with published marts, an outbox and people of every role, behind a running app."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from app.asking import Site
from app.marts import Marts
from app.people import Role
from app.settings import AppSettings
from app.signing.users import Users
from orchestration.lib.settings import Clock, Settings
from orchestration.outbox import Outbox
from tests.app import marts
from tests.app.serving import PASSWORD, Visitor, serving
from tests.cli.proposals import proposals

PEOPLE = {
    "vera": (Role.VIEWER,),
    "paul": (Role.PREPARER,),
    "petra": (Role.PREPARER,),
    "ann": (Role.APPROVER,),
    "adam": (Role.APPROVER,),
    "sara": (Role.SERVICE,),
    "root-admin": (Role.ADMIN,),
}
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Hashes that take no time: what is tested is not how long guessing takes."""
SignedIn = Callable[[str], Visitor]


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the developer's own environment reaches a test."""
    for name in list(os.environ):
        if name.startswith("TIEOUT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TIEOUT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TIEOUT_AS_OF", "2026-07-03T08:00:00Z")


def write_users(path: Path) -> None:
    """A person of every role, all with the same password."""
    Users(path, CHEAP).put("vera", PASSWORD, PEOPLE["vera"], [])
    head, row = path.read_text().splitlines()
    rows = [row.replace("vera", name).replace(",viewer,", f",{roles[0]},") for name, roles in PEOPLE.items()]
    path.write_text("\n".join([head, *rows]) + "\n")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published file, an outbox with two journals and a stock line proposed, and a file of users. Made once: hashing
    passwords is slow on purpose.
    """
    folder = tmp_path_factory.mktemp("app")
    marts.build(folder / "tieout.duckdb")
    write_users(folder / "users.csv")
    box = Outbox(f"sqlite:///{folder / 'outbox.db'}", Clock(datetime(2026, 7, 3, 8, tzinfo=UTC)))
    box.propose(proposals())
    box.close()
    return folder


@pytest.fixture
def site(template: Path) -> Site:
    settings = Settings()
    settings.published_path.parent.mkdir(parents=True)
    shutil.copy(template / "tieout.duckdb", settings.published_path)
    shutil.copy(template / "users.csv", settings.root / "users.csv")
    shutil.copy(template / "outbox.db", settings.root / "outbox.db")
    return Site(settings, AppSettings(), Marts(settings.published_path), Users(settings.root / "users.csv", CHEAP))


@pytest.fixture
def address(site: Site) -> Iterator[str]:
    with serving(site) as url:
        yield url


@pytest.fixture
def visitor(address: str) -> Visitor:
    return Visitor(address)


@pytest.fixture
def signed_in(address: str) -> SignedIn:
    def sign_in(name: str) -> Visitor:
        someone = Visitor(address)
        assert someone.sign_in(name).url.path == "/"
        return someone

    return sign_in
