"""Building what has to be built again: what hangs on something that changed since the last whole build, and
nothing else.

A model's rows depend on its SQL, the tables it reads, the configuration and the clock. So a model none of whose
ancestors changed would come out the same; leaving it alone saves most of an hourly run that found nothing new.
Whenever it is not certain that the last build was whole and is the one in this warehouse, everything is built.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import uuid4

import duckdb

from orchestration.lib import dbt, patching
from orchestration.lib.configuration import Entity
from orchestration.lib.files import replace_file
from orchestration.lib.registry import read_rows
from orchestration.lib.settings import Settings
from orchestration.lib.warehouse import columns_of, connect, content_digest, exclusive, quote

SOURCE_SCHEMA = "raw"
MANIFEST = "landing_files"
NEWEST_SNAPSHOT = "newest_snapshot"
"""The macro that finds, in the manifest, the newest whole batch of the raw table that a model stages."""
TODAY = "today_in"
"""The macro through which a model reads only the day of the clock."""
_CLOCK = re.compile(r"\bvar\(\s*['\"]as_of['\"]")
_BUILT = ("model", "seed", "snapshot")


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything a build depends on. `project` stands for the SQL; seeds and sources are digests by name, `landed` are
    digests of the manifest's rows by the raw table that they fill; `days` is the clock's day in each time zone.
    """

    project: str
    as_of: str
    seeds: Mapping[str, str]
    sources: Mapping[str, str]
    landed: Mapping[str, str] = field(default_factory=dict)
    days: Mapping[str, str] = field(default_factory=dict)


def build(
    settings: Settings,
    *,
    targets: Sequence[str] = (),
    summaries: Sequence[str] = (),
    on_node: dbt.OnNode | None = None,
) -> dbt.DbtResult:
    """Bring every model up to date, with its tests; nodes that are up to date are not in the result.

    With `targets` (names of models) only they and what they hang on, and `summaries` from what is there. The last whole
    build is then still that of the inputs before, and what was built meanwhile is built again by the next whole one,
    even if its inputs are back.
    Of the tests only those of the targets run, because such a run has a minute; the next whole build runs them all.
    """
    with exclusive(settings):
        manifest_path = dbt.ensure_manifest(settings)
        manifest: dict[str, Any] = json.loads(manifest_path.read_text(encoding="utf-8"))
        with connect(settings) as connection:
            inputs = _inputs(settings, manifest_path.stem, connection)
            _drop_outgrown_seeds(settings, manifest, connection)
            last = _last_build(settings, connection)
            grown = patching.grown_tables(manifest, connection) if last is not None else set()
            before, between = last if last is not None else (None, frozenset())
            stale = None if before is None else stale_nodes(manifest, before, inputs)
            standing = set() if before is None else standing_views(manifest, before, inputs)
            if stale is not None and between:
                stale |= between & manifest["nodes"].keys()
            chosen: set[str] | None = None
            if before is not None and stale and (wanted := _needed(manifest, targets)):
                wanted |= _models_named(manifest, summaries)
                aims = {one for one in wanted if manifest["nodes"][one]["name"] in (*targets, *summaries)}
                chosen = {one for one in stale if one in wanted or _tests_only(manifest, one, aims)}
                # Written first: a build that dies half-way has changed something, too.
                _remember(settings, before, between | chosen)
        if stale is not None and not stale:
            return dbt.DbtResult(())
        if chosen is not None:
            if not chosen:
                return _NOTHING
            nodes = _built_or_tested(manifest, chosen) - standing
            return dbt.build(settings, nodes=nodes, has_own_tests=False, on_node=on_node) if nodes else _NOTHING
        _record(settings).unlink(missing_ok=True)  # until this build is whole, there is none
        patched: list[str] = []
        if before is not None and stale is not None:
            alone = changed_nodes(manifest, before, inputs) | between
            patched = patching.patched_models(manifest, stale=stale, alone=alone, grown=grown)
        nodes = _to_build(manifest, stale or (), standing)
        # Named nothing, dbt would build everything.
        is_nothing = stale is not None and not nodes
        result = _NOTHING if is_nothing else dbt.build(settings, nodes=nodes, patched=patched, on_node=on_node)
        if result.ok:
            with connect(settings) as connection:
                patching.note_files(manifest, connection)
            _remember(settings, inputs, frozenset())
        return result


def _drop_outgrown_seeds(
    settings: Settings, manifest: Mapping[str, Any], connection: duckdb.DuckDBPyConnection
) -> None:
    """dbt fills a seed's table again, and fails where an earlier version's table has fewer columns than the file."""
    for node in manifest["nodes"].values():
        path = settings.config_dir / f"{node['name']}.csv"
        if node["resource_type"] != "seed" or not path.exists():
            continue
        present = [name for name, _ in columns_of(connection, node["schema"], node["alias"])]
        with path.open(newline="", encoding="utf-8-sig") as file:
            wanted = next(csv.reader(file), [])
        if present and present != wanted:
            connection.execute(f"drop table {quote(node['schema'])}.{quote(node['alias'])} cascade")


_NOTHING = dbt.DbtResult(())


def _needed(manifest: Mapping[str, Any], targets: Sequence[str]) -> set[str]:
    """Unique ids of the models of these names and of everything that they hang on."""
    nodes = manifest["nodes"]
    reached = _models_named(manifest, targets)
    waiting = list(reached)
    while waiting:
        for parent in manifest["parent_map"].get(waiting.pop(), ()):
            if parent not in reached and parent in nodes:
                reached.add(parent)
                waiting.append(parent)
    return reached


def _models_named(manifest: Mapping[str, Any], names: Sequence[str]) -> set[str]:
    nodes = manifest["nodes"]
    return {one for one, node in nodes.items() if node["resource_type"] == "model" and node["name"] in names}


def _built_or_tested(manifest: Mapping[str, Any], chosen: Iterable[str]) -> set[str]:
    return {one for one in chosen if manifest["nodes"][one]["resource_type"] in (*_BUILT, "test")}


def _tests_only(manifest: Mapping[str, Any], unique_id: str, wanted: set[str]) -> bool:
    """Whether the node is a test of nothing but these models."""
    node = manifest["nodes"][unique_id]
    tested = [one for one in node["depends_on"]["nodes"] if one in manifest["nodes"]]
    return node["resource_type"] == "test" and bool(tested) and wanted.issuperset(tested)


def stale_nodes(manifest: Mapping[str, Any], before: Inputs, now: Inputs) -> set[str] | None:
    """Unique ids of what must be built (or tested) again; None when that is everything."""
    if before.project != now.project:
        return None
    changed = changed_nodes(manifest, before, now)
    children = manifest["child_map"]
    nodes = manifest["nodes"]
    landed = {
        table for table in before.landed.keys() | now.landed.keys() if before.landed.get(table) != now.landed.get(table)
    }
    untouched = _untouched_by_manifest(manifest, landed)
    reached, waiting = set(changed), list(changed)
    while waiting:
        parent = waiting.pop()
        for child in children.get(parent, ()):
            if child not in reached and not (parent.endswith(f".{MANIFEST}") and child in untouched):
                reached.add(child)
                waiting.append(child)
    return {one for one in reached if one in nodes}


def changed_nodes(manifest: Mapping[str, Any], before: Inputs, now: Inputs) -> set[str]:
    """Unique ids of the sources and seeds with other rows, and of what reads a clock that moved."""
    changed = {
        unique_id
        for unique_id, source in manifest["sources"].items()
        if before.sources.get(source["name"]) != now.sources.get(source["name"])
    }
    for unique_id, node in manifest["nodes"].items():
        if node["resource_type"] == "seed" and before.seeds.get(node["name"]) != now.seeds.get(node["name"]):
            changed.add(unique_id)
    if before.as_of != now.as_of:
        is_same_day = bool(now.days) and before.days == now.days
        changed |= _reads_clock(manifest, is_same_day=is_same_day)
    return changed


def _untouched_by_manifest(manifest: Mapping[str, Any], landed: set[str]) -> set[str]:
    """Nodes that ask the manifest only which batch of their own raw tables is the newest whole one, when nothing of
    those was `landed`.
    """
    tables = {unique_id: source["name"] for unique_id, source in manifest["sources"].items()}
    return {
        unique_id
        for unique_id, node in manifest["nodes"].items()
        if any(macro.endswith(f".{NEWEST_SNAPSHOT}") for macro in node["depends_on"].get("macros", ()))
        and MANIFEST not in (node.get("raw_code") or "")
        and landed.isdisjoint(tables.get(parent) for parent in node["depends_on"].get("nodes", ()))
    }


def _reads_clock(manifest: Mapping[str, Any], *, is_same_day: bool) -> set[str]:
    """Nodes whose SQL uses the clock, by itself or through a macro; on the same day not those that use its day only."""
    macros = {
        unique_id: macro
        for unique_id, macro in manifest["macros"].items()
        if not (is_same_day and unique_id.endswith(f".{TODAY}"))
    }
    clock = {unique_id for unique_id, macro in macros.items() if _CLOCK.search(macro["macro_sql"])}
    while more := {
        unique_id
        for unique_id, macro in macros.items()
        if unique_id not in clock and not clock.isdisjoint(macro["depends_on"]["macros"])
    }:
        clock |= more
    return {
        unique_id
        for unique_id, node in manifest["nodes"].items()
        if _CLOCK.search(node.get("raw_code") or "") or not clock.isdisjoint(node["depends_on"].get("macros", ()))
    }


def standing_views(manifest: Mapping[str, Any], before: Inputs, now: Inputs) -> set[str]:
    """Unique ids of the views that need not be made again, whatever rows stand behind them: their SQL is the last
    build's, and so are the columns that they read.

    Their tests are asked again. What the SQL of a view depends on besides the project is the clock; columns of models
    follow from the project and seeds have theirs declared, so that only a table of raw may have got others.
    """
    if before.project != now.project:
        return set()
    nodes, children = manifest["nodes"], manifest["child_map"]
    views = {one for one, node in nodes.items() if node["config"].get("materialized") == "view"}
    other = _reads_clock(manifest, is_same_day=False)
    waiting = [
        one
        for one, source in manifest["sources"].items()
        if _columns_of(before.sources.get(source["name"])) != _columns_of(now.sources.get(source["name"]))
    ]
    while waiting:
        for child in views.intersection(children.get(waiting.pop(), ())) - other:
            other.add(child)
            waiting.append(child)
    return views - other


def _to_build(manifest: Mapping[str, Any], stale: Iterable[str], standing: Collection[str]) -> set[str]:
    """What is built, and tests of nothing that is: tests of selected models come along by themselves."""
    chosen = {unique_id: manifest["nodes"][unique_id] for unique_id in stale}
    built = {one for one, node in chosen.items() if node["resource_type"] in _BUILT and one not in standing}
    alone = {
        unique_id
        for unique_id, node in chosen.items()
        if node["resource_type"] == "test" and built.isdisjoint(node["depends_on"]["nodes"])
    }
    return built | alone


def _inputs(settings: Settings, project: str, connection: duckdb.DuckDBPyConnection) -> Inputs:
    tables = connection.execute(
        "select table_name from duckdb_tables() where schema_name = ? and database_name = current_database()",
        [SOURCE_SCHEMA],
    ).fetchall()
    return Inputs(
        project=project,
        as_of=settings.clock.text(),
        seeds={
            path.stem: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(settings.config_dir.glob("*.csv"))
        },
        sources={str(name): _source_digest(connection, str(name)) for (name,) in tables if name not in _OWN},
        landed=_landed(connection),
        days=_days(settings, connection),
    )


def _days(settings: Settings, connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Today in the time zones of the entities and in UTC, as the models see it."""
    zones = {"UTC", *(entity.time_zone for entity in read_rows(settings.config_dir, Entity))}
    rows = connection.execute(
        "select zone, cast(cast(? as timestamptz) at time zone zone as date) from unnest(?) as zones(zone)",
        [settings.clock.now(), sorted(zones)],
    ).fetchall()
    return {zone: day.isoformat() for zone, day in rows}


def _landed(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    rows = connection.execute(
        f"""
        select
            vendor || '_' || entity,
            md5(string_agg(concat_ws('|', account, batch, path, is_batch_complete), chr(10) order by path))
        from {SOURCE_SCHEMA}.{MANIFEST}
        group by vendor, entity
        """  # noqa: S608
    ).fetchall()
    return dict(rows)


def _source_digest(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    """The columns, and what tells of the rows: of the vendors' tables, which only ever grow, their number; the loader's
    own small ones are read whole.
    """
    columns = columns_of(connection, SOURCE_SCHEMA, table)
    if "_position" in dict(columns):
        ((rows,),) = connection.execute(f'select count(*) from {SOURCE_SCHEMA}."{table}"').fetchall()  # noqa: S608
    else:
        rows = content_digest(connection, SOURCE_SCHEMA, table)[1]
    return f"{','.join(f'{name} {kind}' for name, kind in columns)}|{rows}"


def _columns_of(digest: str | None) -> str | None:
    return None if digest is None else digest.rpartition("|")[0]


_MARK = "last_build"
"""Table of the warehouse that names the last whole build; dropped with everything else when raw is loaded anew."""
_OWN = frozenset({_MARK, patching.FILES_BUILT})


def _record(settings: Settings) -> Any:
    return settings.dbt_dir / "last_build.json"


def _last_build(settings: Settings, connection: duckdb.DuckDBPyConnection) -> tuple[Inputs, frozenset[str]] | None:
    """The inputs of the last whole build and the nodes that were built by themselves since; None when there was no
    whole build or it is not the one in this warehouse.
    """
    try:
        content: dict[str, Any] = json.loads(_record(settings).read_text(encoding="utf-8"))
        row = connection.execute(f"select build_id from {SOURCE_SCHEMA}.{_MARK}").fetchone()  # noqa: S608
    except (FileNotFoundError, json.JSONDecodeError, duckdb.CatalogException):
        return None
    if row is None or row[0] != content.pop("build_id"):
        return None
    between = frozenset(content.pop("between", ()))
    return Inputs(**content), between


def _remember(settings: Settings, inputs: Inputs, between: Iterable[str]) -> None:
    build_id = uuid4().hex
    with connect(settings) as connection:
        connection.execute(f"create or replace table {SOURCE_SCHEMA}.{_MARK} as select ? as build_id", [build_id])
    content = {**asdict(inputs), "build_id": build_id, "between": sorted(between)}
    replace_file(_record(settings), json.dumps(content).encode())
