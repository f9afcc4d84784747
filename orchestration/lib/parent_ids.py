# ruff: noqa: S608  # the only texts put into SQL are names from our own table descriptions; values are parameters
"""What a by-id feed is read for: records of its parent that are new, or newer than when it was read for them.

The state file remembers what was read, whether or not anything came; the warehouse holds a copy, so that the
comparison stays in the database however many parents there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import duckdb
import pyarrow as pa

from connectors.records import FeedSpec, IdSource
from orchestration.lib.decoding import Feeds
from orchestration.lib.settings import Settings
from orchestration.lib.state import FeedKey, State
from orchestration.lib.warehouse import connect, quote

MAXIMUM_CALLS = 500
"""Calls for one feed and run. The newest ids come first, the rest in the runs that follow."""

WantedIds = Mapping[FeedKey, Mapping[str, str]]
"""For each feed the ids to read, with their parents' versions."""

_READ = """
create table if not exists raw.tieout_read_ids (
    vendor varchar, account varchar, entity varchar, id varchar, version varchar, batch bigint
)
"""


def may_be_wanted(settings: Settings, feeds: Feeds, keys: Sequence[FeedKey]) -> list[FeedKey]:
    """The by-id feeds whose parents brought something since they were read last, or that were not read to the end.

    Asks the state file only, so that most runs need not open the warehouse for this.
    """
    found = []
    with State(settings.state_path) as state:
        for key in keys:
            source = feeds[key.vendor][key.entity].ids_from
            if source is None:
                continue
            parents = [
                entity
                for entity, spec in feeds[key.vendor].items()
                if any(table.name == source.table for table in spec.tables)
            ]
            read_in, count = state.newest_by_id(key)
            if (
                count >= MAXIMUM_CALLS * source.ids_per_call
                or state.newest_landed(key.vendor, key.account, parents) > read_in
            ):
                found.append(key)
    return found


def wanted_ids(settings: Settings, feeds: Iterable[tuple[FeedKey, FeedSpec]]) -> dict[FeedKey, dict[str, str]]:
    """What to read for each by-id feed; other feeds are passed over. Feeds without anything to read are in it too."""
    sources = [(key, spec.ids_from) for key, spec in feeds if spec.ids_from is not None]
    if not sources:
        return {}
    with connect(settings) as connection, State(settings.state_path) as state:
        _copy_read_ids(connection, state)
        return {key: _missing(connection, key, source) for key, source in sources}


def _copy_read_ids(connection: duckdb.DuckDBPyConnection, state: State) -> None:
    """Bring the warehouse's copy up to date; one that was dropped with the raw tables is made anew."""
    connection.execute("create schema if not exists raw")
    connection.execute(_READ)
    ((newest,),) = connection.execute("select coalesce(max(batch), 0) from raw.tieout_read_ids").fetchall()
    rows = state.read_ids(after_batch=int(newest))
    if not rows:
        return
    names = ("vendor", "account", "entity", "id", "version", "batch")
    incoming = pa.table(dict(zip(names, map(list, zip(*map(tuple, rows), strict=True)), strict=True)))
    connection.register("incoming_ids", incoming)
    connection.execute("begin")
    connection.execute(
        """
        delete from raw.tieout_read_ids as old using incoming_ids as new
        where old.vendor = new.vendor and old.account = new.account and old.entity = new.entity and old.id = new.id
        """
    )
    connection.execute("insert into raw.tieout_read_ids select * from incoming_ids")
    connection.execute("commit")
    connection.unregister("incoming_ids")


def _missing(connection: duckdb.DuckDBPyConnection, key: FeedKey, source: IdSource) -> dict[str, str]:
    known = connection.execute(
        "select 1 from duckdb_tables() where schema_name = 'raw' and table_name = ?", [source.table]
    ).fetchall()
    if not known:
        return {}
    column = f"p.{quote(source.column)}"
    # The version that came last, not the greatest text: stamps come with and without fractions of a second.
    version = f"arg_max(p.{quote(source.version_column)}, p._file)" if source.version_column else "null"
    rows = connection.execute(
        f"""
        with parents as (
            select {column} as id, coalesce({version}, '') as version, max(p._file) as newest
            from raw.{quote(source.table)} as p
            where p._account = $account and {column} <> ''
            group by 1
        )
        select parents.id, parents.version
        from parents
        where not exists (
            select 1
            from raw.tieout_read_ids as old
            where old.vendor = $vendor and old.account = $account and old.entity = $entity
                and old.id = parents.id and old.version = parents.version
        )
        order by parents.newest desc, parents.version desc, parents.id desc
        limit {MAXIMUM_CALLS * source.ids_per_call}
        """,
        {"vendor": key.vendor, "account": key.account, "entity": key.entity},
    ).fetchall()
    return {str(one): str(version) for one, version in rows}
