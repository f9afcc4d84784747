"""Copies of an installation that are consistent, complete and provable, and the way back from one.

A backup is a folder: `data/` and `config/` as they lie in an installation, and `backup.json`, which names every file
with its SHA-256 and says what the copy must prove to be. No secret is in it: neither the tokens of `<data>/secrets` nor
the environment. What can be made again is not in it either (Dagster's run logs, dbt's target, locks).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import duckdb
from filelock import FileLock
from sqlalchemy import make_url

from orchestration.lib.landing_files import PREFIX, LandingFiles
from orchestration.lib.settings import Settings
from orchestration.lib.state import LandedFile, State
from orchestration.lib.warehouse import connect, content_digest, exclusive
from orchestration.outbox import Outbox

FORMAT = 1
"""Of `backup.json` and the folders beside it; a restore knows all formats up to its own."""
MANIFEST = "backup.json"
DATA, CONFIG = "data", "config"
_KEPT = ("published", "points", "events")
"""Folders of the data folder that are copied whole, beside the databases and the evidence."""
_CHUNK = 1 << 20


Digests = Mapping[str, tuple[int, str]]


class BackupRefused(Exception):
    """Nothing was written that could be taken for a backup, or for a restored system; the text says why and what to
    do.
    """


@dataclass(frozen=True, slots=True)
class Proof:
    """What a copy must prove to be. `outbox_head` is the audit trail's newest hash; None: the outbox is on a server and
    is saved by that server's own means. `published` and `warehouse` are table → (rows, digest of the content).
    """

    landing_files: int
    landing_bytes: int
    outbox_head: str | None
    outbox_entries: int
    published: Digests
    warehouse: Digests


@dataclass(frozen=True, slots=True)
class Backup:
    """`path` holds it; `digest` is the SHA-256 of its manifest, which vouches for every file: note it elsewhere."""

    path: Path
    files: int
    size: int
    created_at: str
    project_version: str
    digest: str
    proof: Proof


def backup(settings: Settings, target: Path) -> Backup:
    """Copy the installation to the new folder `target`, which appears under its name only when it is whole.

    Waits for a lane that is running; people may go on deciding meanwhile. Raises BackupRefused, OSError.
    """
    if target.exists():
        raise BackupRefused(f"{target} exists; name a new folder")
    if not settings.state_path.is_file():
        raise BackupRefused(f"{settings.root} holds no installation yet; point TIEOUT_DATA_DIR at the right folder")
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True, mode=0o700)
    try:
        settings.locks_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(settings.locks_dir / "lane.lock", timeout=3600), exclusive(settings):
            proof, files = _copy(settings, part)
        content = {
            "format": FORMAT,
            "created_at": settings.clock.text(),
            "project_version": version("tieout"),
            "duckdb_version": duckdb.__version__,
            "proof": asdict(proof),
            "files": files,
        }
        (part / MANIFEST).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        os.sync()  # thousands of small files: one flush for all
        part.rename(target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return _described(target, content)


def read_backup(source: Path, *, expected: str | None = None) -> Backup:
    """Check that `source` is a whole backup: every file as it was written, none missing, none slipped in.

    `expected` is the digest that was noted when it was made. Raises BackupRefused.
    """
    try:
        text = (source / MANIFEST).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise BackupRefused(f"{source} is no backup: it holds no {MANIFEST}") from None
    digest = hashlib.sha256(text).hexdigest()
    if expected is not None and digest != expected:
        raise BackupRefused(f"{source / MANIFEST} is not the one that was noted: it has {digest}")
    try:
        content = json.loads(text)
        described = _described(source, content)
    except (ValueError, KeyError, TypeError):
        raise BackupRefused(f"{source / MANIFEST} was changed or cut off; use another backup") from None
    if content["format"] > FORMAT:
        raise BackupRefused(
            f"{source} has format {content['format']}, this Tieout knows {FORMAT}: a newer version made it; upgrade"
        )
    listed = content["files"]
    present = {path.relative_to(source).as_posix() for path in source.rglob("*") if not path.is_dir()}
    problems = [f"{name} is missing" for name in sorted(listed.keys() - present)]
    problems += [f"{name} was put there" for name in sorted(present - listed.keys() - {MANIFEST})]
    problems += [
        f"{name} was changed" for name in sorted(listed.keys() & present) if _hash(source / name) != listed[name]
    ]
    if problems:
        more = f" (and {len(problems) - 5} more)" if len(problems) > 5 else ""
        raise BackupRefused(f"{source} is not as it was written: {'; '.join(problems[:5])}{more}; use another backup")
    return described


def restore(source: Path, target: Path, *, expected: str | None = None) -> tuple[Backup, Proof]:
    """Set up `target`, a new folder, as the installation that `source` was made of, and prove it equal: what the backup
    says, and what was computed from the restored files.

    Raises BackupRefused; `target` is not there then.
    """
    if target.exists() and any(target.iterdir()):
        raise BackupRefused(f"{target} is not empty; name a new folder")
    found = read_backup(source, expected=expected)
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True, mode=0o700)
        for folder in (DATA, CONFIG):
            shutil.copytree(source / folder, part / folder)
        os.sync()
        proved = prove(part)
        if differing := _differences(found, proved):
            raise BackupRefused(f"the restored system is not the saved one: {'; '.join(differing)}; use another backup")
        if target.exists():
            target.rmdir()
        part.rename(target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return found, proved


def prove(installation: Path) -> Proof:
    """What an installation (`data/`, `config/`) is, computed from its files: evidence read and hashed again, the audit
    trail replayed, every table of warehouse and published file read to the end. Raises BackupRefused.
    """
    settings = Settings.model_validate(
        {"data_dir": installation / DATA, "config_dir": installation / CONFIG, "landing_url": None, "outbox_url": None}
    )
    with State(settings.state_path) as state:
        landed = state.files()
    _settle(settings.state_path)
    files = LandingFiles(settings.landing)
    for file in landed:
        _verified(files, file)
    head, entries = _audit(settings) if (settings.root / "outbox.db").exists() else (None, 0)
    published, warehouse = _digests(settings)
    for folder in (settings.locks_dir, settings.temporary_dir):
        shutil.rmtree(folder, ignore_errors=True)
    return Proof(len(landed), sum(file.byte_count for file in landed), head, entries, published, warehouse)


def _digests(settings: Settings) -> tuple[Digests, Digests]:
    """Of the tables of the published file and of the warehouse. Raises duckdb.Error for a damaged file."""
    published: Digests = {}
    warehouse: Digests = {}
    if settings.published_path.exists():
        with duckdb.connect(str(settings.published_path), read_only=True) as connection:
            published = _tables(connection)
    if settings.warehouse_path.exists():
        with connect(settings) as connection:
            connection.execute("checkpoint")
            warehouse = _tables(connection)
    return published, warehouse


def _tables(connection: duckdb.DuckDBPyConnection) -> Digests:
    rows = connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = current_database() order by all"
    ).fetchall()
    return {f"{schema}.{name}": content_digest(connection, str(schema), str(name)) for schema, name in rows}


def _differences(found: Backup, proved: Proof) -> list[str]:
    said = found.proof
    pairs = (
        ("evidence files", said.landing_files, proved.landing_files),
        ("bytes of evidence", said.landing_bytes, proved.landing_bytes),
        ("audit head", said.outbox_head, proved.outbox_head),
        ("audit entries", said.outbox_entries, proved.outbox_entries),
        ("published tables", sorted(said.published), sorted(proved.published)),
        ("tables of the warehouse", sorted(said.warehouse), sorted(proved.warehouse)),
    )
    words = [f"{name}: {left} was saved, {right} restored" for name, left, right in pairs if left != right]
    written_by = json.loads((found.path / MANIFEST).read_text("utf-8"))["duckdb_version"]
    # Another version of DuckDB may hash the same content otherwise; rows, and the files' own hashes, hold all the same.
    parts = slice(0, 2) if written_by == duckdb.__version__ else slice(0, 1)
    for where, old, new in (
        ("published", said.published, proved.published),
        ("warehouse", said.warehouse, proved.warehouse),
    ):
        words += [f"{where} {name} differs" for name in old.keys() & new.keys() if old[name][parts] != new[name][parts]]
    return words


def _copy(settings: Settings, part: Path) -> tuple[Proof, dict[str, str]]:
    """Copy everything below `part`; what it proves to be, and the SHA-256 of every file by its path."""
    data, config = part / DATA, part / CONFIG
    data.mkdir()
    config.mkdir()
    _copy_sqlite(settings.state_path, data / "state.db")
    if settings.budgets_path.exists():
        _copy_sqlite(settings.budgets_path, data / "budgets.db")
    # What the copied manifest names is copied, not what lies in the folder: extraction may go on beside us.
    with State(data / "state.db") as state:
        landed = state.files()
    landing = LandingFiles(settings.landing)
    for file in landed:
        path = data / "landing" / file.path.removeprefix(PREFIX)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_verified(landing, file))
    head, entries = _copy_outbox(settings, data)
    published, warehouse = _digests(settings)
    if settings.warehouse_path.exists():
        shutil.copyfile(settings.warehouse_path, data / settings.warehouse_path.name)
    for name in _KEPT:
        if (settings.root / name).is_dir():
            shutil.copytree(settings.root / name, data / name, ignore=shutil.ignore_patterns("*.part"))
    for path in sorted(settings.config_dir.glob("*.csv")):
        shutil.copyfile(path, config / path.name)
    proof = Proof(len(landed), sum(file.byte_count for file in landed), head, entries, published, warehouse)
    return proof, {path.relative_to(part).as_posix(): _hash(path) for path in _files(part)}


def _copy_outbox(settings: Settings, data: Path) -> tuple[str | None, int]:
    """Head and number of entries of the copied outbox's trail; (None, 0) when there is nothing to copy."""
    url = make_url(settings.outbox_address)
    if url.get_backend_name() != "sqlite" or not Path(str(url.database)).exists():
        return None, 0
    copy = data / "outbox.db"
    _copy_sqlite(Path(str(url.database)), copy)
    return _audit(settings.model_copy(update={"data_dir": data, "outbox_url": None}))


def _audit(settings: Settings) -> tuple[str, int]:
    """Head and number of entries. Raises BackupRefused when the trail does not hold."""
    outbox = Outbox(settings.outbox_address, settings.clock)
    try:
        report = outbox.verify_audit()
    finally:
        outbox.close()
    if not report.ok:
        raise BackupRefused(f"the audit trail does not hold: {report.problems[0].problem}; see `tieout audit verify`")
    _settle(Path(str(make_url(settings.outbox_address).database)))
    return report.head, report.entries


def _copy_sqlite(source: Path, target: Path) -> None:
    """One moment of a database that others may be writing, as one file."""
    with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
    _settle(target)


def _settle(path: Path) -> None:
    """Leave the database as one file, without a log beside it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma journal_mode = delete")
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _verified(files: LandingFiles, file: LandedFile) -> bytes:
    """The stored bytes of a page that is as its manifest row says. Raises BackupRefused."""
    problem = files.problem(file.path, file.sha256, file.stored_sha256)
    if problem is not None:
        raise BackupRefused(f"{file.path} {problem}; put that file back from an earlier backup, then try again")
    return files.stored(file.path)


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.rglob("*") if path.is_file())


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _described(path: Path, content: Mapping[str, object]) -> Backup:
    proof, files = content["proof"], content["files"]
    assert isinstance(proof, dict)
    assert isinstance(files, dict)
    digests = {
        part: {name: (int(rows), str(digest)) for name, (rows, digest) in proof[part].items()}
        for part in ("published", "warehouse")
    }
    digest = hashlib.sha256((path / MANIFEST).read_bytes()).hexdigest()
    size = sum((path / name).stat().st_size for name in files if (path / name).is_file())
    return Backup(
        path,
        len(files),
        size,
        str(content["created_at"]),
        str(content["project_version"]),
        digest,
        Proof(**{**proof, **digests}),
    )
