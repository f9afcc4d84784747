# ruff: noqa: S608  # the only texts put into SQL are names from our own table descriptions; values are parameters
"""The marts, copied out for everybody: a DuckDB file that older clients can open, and Parquet, swapped in by one
rename each.

Readers hold the old file until they open again, so a reader never blocks a run and never sees half of one. When no
mart changed, nothing is written at all.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from orchestration.lib.files import replace_file, sync_directory
from orchestration.lib.settings import Settings
from orchestration.lib.state import State
from orchestration.lib.warehouse import connect, content_digest, quote

STORAGE_VERSION = "v1.4.0"
"""The oldest DuckDB that must be able to open the published file."""

SCHEMA = "marts"
UNSEALED = ".unsealed"
"""Stands in the folder from the first change of a publication until it is sealed (integrity.py)."""


@dataclass(frozen=True, slots=True)
class Mart:
    """`digest` depends on the rows and columns only, not on the order of the rows or on when they were computed."""

    name: str
    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class Published:
    path: Path
    marts: tuple[Mart, ...]
    changed: tuple[str, ...]

    @property
    def digest(self) -> str:
        """One digest over all marts."""
        return hashlib.sha256("\n".join(f"{mart.name} {mart.digest}" for mart in self.marts).encode()).hexdigest()


def publish(settings: Settings) -> Published:
    """Copy what changed. Raises duckdb.Error; the published files stay as they were then."""
    folder = settings.published_dir
    parquet = folder / "parquet"
    parquet.mkdir(parents=True, exist_ok=True)
    with connect(settings) as connection:
        marts = tuple(Mart(name, *content_digest(connection, SCHEMA, name)) for name in _names(connection))
        sealed = _sealed(settings)
        # Cut off before it was sealed: nobody can tell what is there from what somebody put there.
        is_cut_off = sealed is not None and (folder / UNSEALED).exists()
        before = {} if is_cut_off else read_manifest(settings)
        changed = tuple(
            mart.name
            for mart in marts
            if before.get(mart.name) != mart or not (parquet / f"{mart.name}.parquet").exists()
        )
        is_same = not changed and len(before) == len(marts) and settings.published_path.exists()
        if is_same:
            return Published(settings.published_path, marts, ())
        (folder / UNSEALED).touch()
        # The manifest goes first: a crash between the renames must not leave one that calls older files current.
        (folder / "manifest.json").unlink(missing_ok=True)
        for name in changed:
            target = parquet / f"{name}.parquet"
            temporary = _temporary(target)
            connection.execute(
                f"copy {SCHEMA}.{quote(name)} to {_literal(temporary)} (format parquet, compression zstd)"
            )
            _swap(temporary, target)
        _write_database(connection, settings.published_path, marts, changed, sealed)
    for stale in parquet.glob("*.parquet"):
        if stale.stem not in {mart.name for mart in marts}:
            stale.unlink()
    content = {"schema": SCHEMA, "marts": {mart.name: {"rows": mart.rows, "digest": mart.digest} for mart in marts}}
    replace_file(folder / "manifest.json", (json.dumps(content, indent=2) + "\n").encode())
    return Published(settings.published_path, marts, changed)


def read_manifest(settings: Settings) -> dict[str, Mart]:
    """The published marts by name; empty before the first run."""
    try:
        content: dict[str, Any] = json.loads((settings.published_dir / "manifest.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return {name: Mart(name, int(mart["rows"]), str(mart["digest"])) for name, mart in content["marts"].items()}


def _names(connection: duckdb.DuckDBPyConnection) -> list[str]:
    row = connection.execute("select current_database()").fetchone()
    assert row is not None  # there is always one
    return sorted(_tables(connection, str(row[0])))


def _tables(connection: duckdb.DuckDBPyConnection, database: str) -> set[str]:
    """Names of the marts in an attached database."""
    rows = connection.execute(
        "select table_name from duckdb_tables() where database_name = ? and schema_name = ?", [database, SCHEMA]
    ).fetchall()
    return {str(row[0]) for row in rows}


def _write_database(
    connection: duckdb.DuckDBPyConnection,
    target: Path,
    marts: tuple[Mart, ...],
    changed: tuple[str, ...],
    sealed: Mapping[str, str] | None,
) -> None:
    """A new file beside the old one, then a rename. When few marts changed it begins as a copy of the old one, unless
    somebody edited that since it was sealed.
    """
    temporary = _temporary(target)
    if target.exists() and len(changed) < len(marts):
        digest = _copy(target, temporary)
        if sealed is not None and sealed.get(target.name) != digest:
            temporary.unlink()
    connection.execute(f"attach {_literal(temporary)} as published (storage_version {_literal(STORAGE_VERSION)})")
    try:
        connection.execute(f"create schema if not exists published.{SCHEMA}")
        present = _tables(connection, "published")
        for stale in present - {mart.name for mart in marts}:
            connection.execute(f"drop table published.{SCHEMA}.{quote(stale)}")
        for mart in marts:
            if mart.name in changed or mart.name not in present:
                table = f"{SCHEMA}.{quote(mart.name)}"
                connection.execute(f"create or replace table published.{table} as select * from {table}")
        connection.execute("checkpoint published")
    finally:
        connection.execute("detach published")
    _swap(temporary, target)


def _sealed(settings: Settings) -> dict[str, str] | None:
    """The SHA-256 of every published file when it was last sealed; None when nothing was yet."""
    if not settings.state_path.exists():
        return None
    with State(settings.state_path) as state:
        last = state.last_seal("PUBLISHED")
    return None if last is None else dict(json.loads(last.content))


def _copy(source: Path, target: Path) -> str:
    """Copy a file; the SHA-256 of what was copied."""
    digest = hashlib.sha256()
    with source.open("rb") as old, target.open("wb") as new:
        while chunk := old.read(1 << 20):
            digest.update(chunk)
            new.write(chunk)
    return digest.hexdigest()


def _temporary(target: Path) -> Path:
    """A free name beside the target; what an earlier crash left there goes."""
    temporary = target.with_name(f".{target.name}.part")
    temporary.unlink(missing_ok=True)
    temporary.with_name(temporary.name + ".wal").unlink(missing_ok=True)
    return temporary


def _swap(temporary: Path, target: Path) -> None:
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    os.replace(temporary, target)
    sync_directory(target.parent)


def _literal(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
