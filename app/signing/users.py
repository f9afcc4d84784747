"""The users file: a CSV of names, argon2 hashes, roles and teams, read again whenever it changes."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from threading import Lock

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.people import Person, Role
from orchestration.outbox.people import SERVICE_ACTOR

COLUMNS = ("name", "password_hash", "roles", "teams")
SHORTEST_PASSWORD = 10


class UsersInvalid(Exception):
    """The file cannot be used; the text names line and column."""


class Users:
    """The people of one file. A missing file has nobody in it. `hasher` says how dear a guess is."""

    def __init__(self, path: Path, hasher: PasswordHasher | None = None) -> None:
        self.path = path
        self._hasher = hasher or PasswordHasher()
        self._lock = Lock()
        self._identity: tuple[int, int, int] | None = None
        self._rows: dict[str, dict[str, str]] = {}

    @cached_property
    def _nobody(self) -> str:
        """Checked for names that are not there, so that an answer takes as long for them."""
        return self._hasher.hash("a name that nobody has")

    def person(self, name: str) -> Person | None:
        """The person of that name as the file says now. Raises UsersInvalid."""
        row = self._read().get(name.strip().casefold())
        return None if row is None else _person(row)

    def verify(self, name: str, password: str) -> Person | None:
        """The person when the password is theirs. Raises UsersInvalid."""
        row = self._read().get(name.strip().casefold())
        try:
            self._hasher.verify(row["password_hash"] if row else self._nobody, password)
        except (VerificationError, InvalidHashError):
            return None
        return None if row is None else _person(row)

    def put(self, name: str, password: str, roles: Iterable[Role], teams: Iterable[str]) -> None:
        """Add a user, or give the one of that name another password, roles and teams. Raises UsersInvalid."""
        wanted = name.strip()
        if not wanted or wanted.casefold() in (SERVICE_ACTOR, "policy") or any(c in wanted for c in "|,;\n\r"):
            raise UsersInvalid(f"{name!r} cannot be a user's name")
        if len(password) < SHORTEST_PASSWORD:
            raise UsersInvalid(f"a password has at least {SHORTEST_PASSWORD} characters")
        rows = dict(self._read())
        rows[wanted.casefold()] = {
            "name": wanted,
            "password_hash": self._hasher.hash(password),
            "roles": " ".join(sorted(roles)),
            "teams": " ".join(sorted(team.upper() for team in teams)),
        }
        self._write(rows.values())

    def is_empty(self) -> bool:
        """Whether nobody could sign in. Raises UsersInvalid."""
        return not self._read()

    def _write(self, rows: Iterable[dict[str, str]]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # mkstemp gives a file that nobody else can read.
        number, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=self.path.name)
        with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        Path(temporary).replace(self.path)

    def _read(self) -> dict[str, dict[str, str]]:
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return {}
        identity = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        with self._lock:
            if identity != self._identity:
                self._rows, self._identity = _load(self.path), identity
            return self._rows


def _load(path: Path) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise UsersInvalid(f"{path} line 1: the columns are {', '.join(COLUMNS)}")
        for row in reader:
            where = f"{path} line {reader.line_num}"
            key = (row["name"] or "").strip().casefold()
            if not key or key in found:
                raise UsersInvalid(f"{where}, name: empty or there twice")
            for word in (row["roles"] or "").split():
                if word not in tuple(Role):
                    raise UsersInvalid(f"{where}, roles: {word!r} is none of {', '.join(Role)}")
            found[key] = {name: row[name] or "" for name in COLUMNS}
    return found


def _person(row: dict[str, str]) -> Person:
    return Person(
        name=row["name"].strip(),
        roles=frozenset(Role(word) for word in row["roles"].split()),
        teams=frozenset(row["teams"].split()),
    )
