"""Whether everything an installation keeps is what it was when it was written. Off-line: no vendor, no network.

The chain of seals (seals.py) says what evidence, published files and configuration were; the files are compared
with it.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from orchestration.lib.erasing import returned_keys
from orchestration.lib.landing_files import LandingFiles
from orchestration.lib.publish import UNSEALED, Published
from orchestration.lib.seals import GENESIS, Seal, broken_links
from orchestration.lib.settings import Settings
from orchestration.lib.state import State
from orchestration.lib.warehouse import columns_of, connect, quote, warehouse_problem

_CHUNK = 1 << 20


@dataclass(slots=True)
class Integrity:
    """What was found. `problems` mean that something was changed, `notes` that something is worth knowing. `head` is
    the newest seal's hash: noted elsewhere, it later proves that nothing was cut off.
    """

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seals: int = 0
    head: str = GENESIS
    hashes: frozenset[str] = frozenset()
    """Of all seals: a head that was noted must be among them."""
    erased: frozenset[str] = frozenset()
    """Orders whose customer the chain says was erased."""
    files: int = 0
    tables: int = 0

    @property
    def ok(self) -> bool:
        return not self.problems


def seal_outputs(settings: Settings, published: Published) -> None:
    """Seal what was published and the configuration behind it, where they changed since the last seal. `published` says
    which marts' files are new: the others keep the hash that they were sealed with.
    """
    at = settings.clock.text()
    with State(settings.state_path) as state:
        _seal_configuration(settings, state, at)
        last = state.last_seal("PUBLISHED")
        if published.changed or last is None:
            before = _content(last) if last is not None else {}
            fresh = {"tieout.duckdb", "manifest.json", *(f"parquet/{name}.parquet" for name in published.changed)}
            names = [path.relative_to(settings.published_dir).as_posix() for path in _files(settings.published_dir)]
            sealed = {
                name: before[name] if name in before and name not in fresh else _digest(settings.published_dir / name)
                for name in names
            }
            state.seal("PUBLISHED", "marts", sealed, at=at)
    (settings.published_dir / UNSEALED).unlink(missing_ok=True)


def seal_configuration(settings: Settings) -> None:
    """Seal the configuration as it stands, where it changed since the last seal."""
    settings.state_path.parent.mkdir(parents=True, exist_ok=True)
    with State(settings.state_path) as state:
        _seal_configuration(settings, state, settings.clock.text())


def _seal_configuration(settings: Settings, state: State, at: str) -> None:
    configuration = _configuration(settings)
    last = state.last_seal("CONFIGURATION")
    if last is None or _content(last) != configuration:
        state.seal("CONFIGURATION", "configuration", configuration, at=at)


def verify(settings: Settings) -> Integrity:
    """Check state, evidence, published files, configuration and warehouse. Reads only, but for a warehouse's log that a
    killed run left.
    """
    found = Integrity()
    if not settings.state_path.is_file():
        found.notes.append("nothing was landed yet")
        return found
    try:
        with State(settings.state_path) as state:
            _verify_chain(state, found)
            _verify_evidence(settings, state, found)
            _verify_outputs(settings, state, found)
    except sqlite3.DatabaseError as error:
        found.problems.append(f"{settings.state_path.name}: {error}")
    found.problems += [
        f"the customer of {order} was erased, and the key is back: `tieout privacy reapply` erases it again"
        for order in returned_keys(settings, found.erased)
    ]
    _verify_warehouse(settings, found)
    return found


def _verify_chain(state: State, found: Integrity) -> None:
    seals = list(state.seals())
    found.seals = len(seals)
    found.problems += broken_links(seals)
    found.hashes = frozenset(seal.hash for seal in seals)
    if seals:
        found.head = seals[-1].hash
    found.erased = frozenset(seal.subject for seal in seals if seal.kind == "ERASURE")
    sealed = {seal.subject: seal for seal in seals if seal.kind == "BATCH"}
    ended = {str(batch.batch): batch for batch in state.batches() if batch.status != "RUNNING"}
    for number, seal in sealed.items():
        if number not in ended:
            found.problems.append(f"extraction {number} was removed from the manifest")
        elif seal.content != state.batch_content(int(number)):
            feed = ended[number].feed
            found.problems.append(f"the manifest of extraction {number} ({feed}) was changed after it was written")
    found.problems += [
        f"extraction {number} was slipped in: it bears no seal" for number in ended.keys() - sealed.keys()
    ]


def _verify_evidence(settings: Settings, state: State, found: Integrity) -> None:
    landing = LandingFiles(settings.landing)
    for file in state.files():
        found.files += 1
        if (problem := landing.problem(file.path, file.sha256, file.stored_sha256)) is not None:
            found.problems.append(f"{file.path} {problem}")


def _verify_outputs(settings: Settings, state: State, found: Integrity) -> None:
    folder = settings.published_dir
    if (folder / UNSEALED).exists():
        found.notes.append("a run was cut off while it published; the next one publishes everything anew")
    elif (last := state.last_seal("PUBLISHED")) is not None:
        found.problems += [f"published/{words}" for words in _changes(_content(last), _hashes(folder))]
    if (last := state.last_seal("CONFIGURATION")) is not None:
        changes = _changes(_content(last), _configuration(settings))
        found.notes += [f"configuration: {words} since the last run; it holds from the next" for words in changes]


def _verify_warehouse(settings: Settings, found: Integrity) -> None:
    """Every table is read, so that every block's checksum is tried, and the rows of each page are counted again."""
    if not settings.warehouse_path.is_file():
        return
    if (problem := warehouse_problem(settings)) is not None:
        found.problems.append(problem)
        return  # opening it would make its present state the known one
    try:
        with connect(settings) as connection:
            tables = connection.execute(
                "select schema_name, table_name from duckdb_tables() where database_name = current_database()"
            ).fetchall()
            for schema, table in tables:
                _read_all(connection, str(schema), str(table))
                found.tables += 1
            found.problems += _miscounted(connection, {f"{schema}.{table}" for schema, table in tables})
    except duckdb.Error as error:
        found.problems.append(f"{settings.warehouse_path.name}: {str(error).strip().splitlines()[0]}")


def _read_all(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> None:
    columns = ", ".join(f"count({quote(name)})" for name, _ in columns_of(connection, schema, table))
    connection.execute(f"select {columns} from {quote(schema)}.{quote(table)}").fetchall()  # noqa: S608  # from the catalogue


def _miscounted(connection: duckdb.DuckDBPyConnection, tables: set[str]) -> Iterator[str]:
    if not {"raw.landing_files", "raw.loaded_files"} <= tables:
        return
    rows = connection.execute(
        """
        select f.path from raw.landing_files as f
        inner join raw.loaded_files as l on f.path = l.path
        where f.record_count <> l.inserted + l.duplicates + l.quarantined
        order by f.path
        """
    ).fetchall()
    yield from (f"the warehouse does not hold all records of {path}" for (path,) in rows)


def _configuration(settings: Settings) -> dict[str, str]:
    return {path.name: _digest(path) for path in sorted(settings.config_dir.glob("*.csv"))}


def _hashes(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): _digest(path) for path in _files(folder)}


def _files(folder: Path) -> list[Path]:
    """Without what a reader's or a writer's program keeps beside them."""
    return sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".") and p.suffix != ".wal")


def _changes(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    yield from (f"{name} is missing" for name in sorted(before.keys() - now.keys()))
    yield from (f"{name} was put there" for name in sorted(now.keys() - before.keys()))
    yield from (f"{name} was changed" for name in sorted(before.keys() & now.keys()) if before[name] != now[name])


def _content(seal: Seal) -> dict[str, Any]:
    return dict(msgspec.json.decode(seal.content, type=dict[str, str]))


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
