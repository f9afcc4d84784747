# ruff: noqa: S608  # the only texts put into SQL are names from our own table descriptions and paths that we made
"""Points to go back to: after every change of the published marts, what it takes to build the very same ones again.

A point names the evidence (the newest extraction that was loaded), the clock, the configuration, the models and the few
tables that come from neither (the outbox's state, what the incremental marts remember), each by its hash. Contents are
kept once, however many points share them; evidence is not copied, it is immutable where it lies.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

import duckdb

from orchestration.lib import dbt
from orchestration.lib.decoding import Feeds
from orchestration.lib.files import replace_file
from orchestration.lib.loading import load
from orchestration.lib.publish import Published, publish
from orchestration.lib.raw_tables import create_own_tables
from orchestration.lib.settings import Settings, parse_stamp
from orchestration.lib.state import State
from orchestration.lib.warehouse import connect, content_digest, quote

OUTSIDE = (
    "outbox_actions",
    "tieout_decisions",
    "tieout_close_events",
    "tieout_closed_figures",
    "tieout_call_usage",
    "tieout_id_checks",
)
"""Tables of `raw` that no evidence file fills."""
_NOT_RULES = frozenset({"seeds", "target", "logs"})
_EPOCH = (1980, 1, 1, 0, 0, 0)


class ReplayRefused(Exception):
    """The point cannot be replayed; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Point:
    """What the marts were built from. Hashes are SHA-256; `marts` are the digests that a replay must give."""

    number: int
    as_of: str
    last_batch: int
    project_version: str
    rules: str
    configuration: Mapping[str, str]
    tables: Mapping[str, str]
    marts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came out. `differing` are marts that are not as they were, which means that something is missing."""

    point: Point
    published: Published
    differing: tuple[str, ...]


def keep_point(settings: Settings, published: Published, *, as_of: str) -> Point | None:
    """Note what the published marts were built from. None, and nothing is written, when no mart changed."""
    if not published.changed:
        return None
    folder = _folder(settings)
    store = folder / "store"
    store.mkdir(parents=True, exist_ok=True)
    with connect(settings) as connection:
        tables = {name: _keep_table(connection, name, store) for name in _kept_tables(settings, connection)}
        ((last_batch,),) = connection.execute("select coalesce(max(batch::bigint), 0) from raw.batches").fetchall()
    point = Point(
        number=max((one.number for one in points(settings)), default=0) + 1,
        as_of=as_of,
        last_batch=int(last_batch),
        project_version=version("tieout"),
        rules=_keep(store, _packed(settings.dbt_project_dir), "zip"),
        configuration={
            path.name: _keep(store, path.read_bytes(), "csv") for path in sorted(settings.config_dir.glob("*.csv"))
        },
        tables=tables,
        marts={mart.name: mart.digest for mart in published.marts},
    )
    replace_file(folder / f"{point.number:08d}.json", (json.dumps(asdict(point), indent=2) + "\n").encode())
    return point


def points(settings: Settings) -> list[Point]:
    """All points, oldest first."""
    return [Point(**json.loads(path.read_text("utf-8"))) for path in sorted(_folder(settings).glob("*.json"))]


def replay(settings: Settings, point: Point, target: Path, *, feeds: Feeds | None = None) -> Replayed:
    """Build the marts of `point` again below `target`, a new folder, and compare them with what they were.

    Reads the evidence where it lies, writes nowhere else, and calls no vendor. Raises ReplayRefused.
    """
    if target.exists() and any(target.iterdir()):
        raise ReplayRefused(f"{target} is not empty; name a new folder")
    store = _folder(settings) / "store"
    config, rules = target / "config", target / "rules"
    config.mkdir(parents=True, exist_ok=True)
    for name, digest in point.configuration.items():
        (config / name).write_bytes(_kept(store, digest, "csv"))
    with zipfile.ZipFile(BytesIO(_kept(store, point.rules, "zip"))) as archive:
        archive.extractall(rules)
    replayed = settings.model_copy(
        update={
            "data_dir": target / "data",
            "config_dir": config,
            "dbt_project_dir": rules,
            "landing_url": settings.landing,
            "outbox_url": None,
            "as_of": parse_stamp(point.as_of),
            "write_back": False,
        }
    )
    _copy_state(settings, replayed, point.last_batch)
    if feeds is None:
        load(replayed)
    else:
        load(replayed, feeds=feeds)
    with connect(replayed) as connection:
        put_back(connection, settings, tables_before(settings, point))
    result = dbt.build(replayed)
    if not result.ok:
        words = result.error or "; ".join(f"{node.name}: {node.message}" for node in result.failures)
        raise ReplayRefused(f"the models of that time do not build: {words}")
    published = publish(replayed)
    now = {mart.name: mart.digest for mart in published.marts}
    differing = sorted(name for name in now.keys() | point.marts.keys() if now.get(name) != point.marts.get(name))
    return Replayed(point, published, tuple(differing))


def tables_before(settings: Settings, point: Point) -> dict[str, str]:
    """The tables that neither evidence nor models give, as they were just before the marts of `point` were built."""
    earlier = next((one for one in reversed(points(settings)) if one.number < point.number), None)
    # What an incremental mart knew before this build is what it was after the one before.
    remembered = {} if earlier is None else earlier.tables
    return {name: digest for name, digest in point.tables.items() if name.startswith("raw.")} | {
        name: remembered[name] for name in point.tables if not name.startswith("raw.") and name in remembered
    }


def put_back(connection: duckdb.DuckDBPyConnection, settings: Settings, tables: Mapping[str, str]) -> None:
    """Fill these tables (schema.table → digest, of a point of `settings`) in a warehouse that has no marts yet."""
    store = _folder(settings) / "store"
    connection.execute("begin")
    create_own_tables(connection)
    for name, digest in tables.items():
        schema, table = name.split(".")
        path = _path(store, digest, "parquet")
        if not path.exists():
            raise ReplayRefused(f"{path} is gone; restore it from a backup of the data folder")
        if schema == "raw":
            connection.execute(f"delete from {schema}.{quote(table)}")
            connection.execute(f"insert into {schema}.{quote(table)} by name select * from {_literal(path)}")
        else:
            connection.execute(f"create schema if not exists {schema}")
            connection.execute(f"create table {schema}.{quote(table)} as select * from {_literal(path)}")
    connection.execute("commit")


def is_current(settings: Settings, point: Point) -> bool:
    """Whether there is no newer evidence than the point's, and models, configuration and version still are its."""
    with State(settings.state_path) as state:
        has_more = any(batch.batch > point.last_batch and batch.records_landed for batch in state.batches())
    rules = hashlib.sha256(_packed(settings.dbt_project_dir)).hexdigest()
    files = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(settings.config_dir.glob("*.csv"))
    }
    same = (version("tieout"), rules, files) == (point.project_version, point.rules, dict(point.configuration))
    return same and not has_more


def _kept_tables(settings: Settings, connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Names of the tables that evidence, configuration and models do not give: schema.table."""
    present = {
        f"{schema}.{name}"
        for schema, name in connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = current_database()"
        ).fetchall()
    }
    manifest = json.loads(dbt.ensure_manifest(settings).read_text(encoding="utf-8"))
    remembering = [
        f"{node['schema']}.{node['alias']}"
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
        and node["config"]["materialized"] == "incremental"
        and node["config"].get("full_refresh") is False
    ]
    yield from sorted(present.intersection([*(f"raw.{name}" for name in OUTSIDE), *remembering]))


def _keep_table(connection: duckdb.DuckDBPyConnection, name: str, store: Path) -> str:
    schema, table = name.split(".")
    digest = content_digest(connection, schema, table)[1]
    path = _path(store, digest, "parquet")
    if not path.exists():
        part = path.with_name(f".{path.name}.part")
        query = f"select * from {schema}.{quote(table)}"
        connection.execute(f"copy ({query}) to {_literal(part)} (format parquet, compression zstd)")
        part.rename(path)
    return digest


def _keep(store: Path, content: bytes, kind: str) -> str:
    digest = hashlib.sha256(content).hexdigest()
    path = _path(store, digest, kind)
    if not path.exists():
        replace_file(path, content)
    return digest


def _kept(store: Path, digest: str, kind: str) -> bytes:
    path = _path(store, digest, kind)
    if not path.exists():
        raise ReplayRefused(f"{path} is gone; restore it from a backup of the data folder")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise ReplayRefused(f"{path} was changed; restore it from a backup of the data folder")
    return content


def _packed(project: Path) -> bytes:
    """The dbt project without seeds and results, as a zip that depends on nothing but its content."""
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in sorted(project.rglob("*")):
            below = path.relative_to(project)
            if path.is_file() and below.parts[0] not in _NOT_RULES and not below.parts[0].startswith("."):
                archive.writestr(zipfile.ZipInfo(below.as_posix(), _EPOCH), path.read_bytes(), zipfile.ZIP_DEFLATED)
    return content.getvalue()


def _copy_state(settings: Settings, replayed: Settings, last_batch: int) -> None:
    """The manifest as it was: extractions after `last_batch` had not happened."""
    replayed.root.mkdir(parents=True, exist_ok=True)
    with (
        closing(sqlite3.connect(settings.state_path)) as source,
        closing(sqlite3.connect(replayed.state_path)) as target,
    ):
        source.backup(target)
        target.execute("delete from record_hashes where path in (select path from files where batch > ?)", [last_batch])
        for table in ("files", "seen", "read_ids", "batches"):
            target.execute(f"delete from {table} where batch > ?", [last_batch])
        target.commit()


def _folder(settings: Settings) -> Path:
    return settings.root / "points"


def _path(store: Path, digest: str, kind: str) -> Path:
    return store / f"{digest}.{kind}"


def _literal(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
