# ruff: noqa: S608  # the only texts put into SQL are names from our own table descriptions; values are parameters
"""The proof that nothing is missing: the ids of a past window, read anew and compared with those that are here.

Incremental reading trusts the vendor's update stamps. A record that was hidden, deleted or never delivered shows only
when the whole set is asked for again. What turns up is landed and loaded by the very pages that prove it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, runtime_checkable
from uuid import uuid4

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from filelock import FileLock

from connectors.errors import ConnectorError
from connectors.records import FeedSpec, Page, Window
from orchestration.lib.landing import Landing, PageSource
from orchestration.lib.loading import load
from orchestration.lib.routes import RoutedSource
from orchestration.lib.state import FeedKey, State
from orchestration.lib.warehouse import connect, quote
from orchestration.lib.workspace import Workspace

CHECKED_DAYS = 35
"""The weekly check looks back this far: over a whole billing month and a week that a check may miss."""
LOCK_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class IdCheck:
    """What one comparison found, in records. `missing_here` are loaded by now; `missing_at_vendor` are exceptions."""

    feed: FeedKey
    since: datetime
    at_vendor: int
    here: int
    missing_here: tuple[str, ...]
    missing_at_vendor: tuple[str, ...]

    def __str__(self) -> str:
        words = f"{self.feed}: {self.at_vendor} records at the vendor since {self.since:%Y-%m-%d}, {self.here} here"
        return f"{words}; {len(self.missing_here)} were missing here, {len(self.missing_at_vendor)} are gone there"


@runtime_checkable
class SilentSource(Protocol):
    """A vendor that deletes records of some feeds without a trace: only the whole set shows that they are gone."""

    @property
    def deletes_silently(self) -> frozenset[str]: ...


def compare_ids(workspace: Workspace, vendor: str, account: str, entity: str, since: datetime) -> IdCheck:
    """Read a feed's window from `since` (UTC) on again, and write to raw.tieout_id_checks what is on one side only.

    Takes the lane's lock: nothing else lands or loads meanwhile. Raises ConnectorError when the vendor cannot be read
    (nothing is concluded then), and ValueError for a feed that has no update stamp to draw a window by.
    """
    spec = workspace.feeds[vendor][entity]
    if spec.mode != "cursor" or spec.version_column is None:
        raise ValueError(f"{vendor}/{entity} is a {spec.mode} feed: only a feed of changes has a past to compare")
    settings, key = workspace.settings, FeedKey(vendor, account, entity)
    settings.locks_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.locks_dir / "lane.lock", timeout=LOCK_SECONDS):
        load(settings, feeds=workspace.feeds)
        connector = workspace.connections.connector(vendor, account)
        source = _Collecting(connector, spec)
        with workspace.reading(key), State(settings.state_path) as state:
            overlap = timedelta(minutes=workspace.registry.feed(vendor, entity).overlap_minutes)
            Landing(settings, state, f"id-check-{uuid4().hex}").land(
                spec, account, source, overlap=overlap, since=since
            )
        with connect(settings) as connection:
            result = _compare(connection, spec, key, since, source.ids(), settings.clock.now())
        load(settings, feeds=workspace.feeds)
    return result


def check_ids(workspace: Workspace, since: datetime | None = None) -> tuple[list[IdCheck], list[str]]:
    """Compare every feed of changes that a vendor can be asked for in another way, or whose deletions it keeps to
    itself; what was found, and what could not be read. One account that fails stops only itself.
    """
    since = since or workspace.settings.clock.now() - timedelta(days=CHECKED_DAYS)
    found: list[IdCheck] = []
    problems: list[str] = []
    for vendor in workspace.registry.vendors:
        for account in workspace.registry.accounts_of(vendor):
            for feed in workspace.registry.account_feeds(vendor, account):
                spec = workspace.feeds.get(vendor, {}).get(feed.entity)
                if spec is None or spec.mode != "cursor" or spec.version_column is None:
                    continue
                try:
                    connector = workspace.connections.connector(vendor, account)
                    if isinstance(connector, RoutedSource) or (
                        isinstance(connector, SilentSource) and feed.entity in connector.deletes_silently
                    ):
                        found.append(compare_ids(workspace, vendor, account, feed.entity, since))
                except ConnectorError as error:
                    problems.append(f"{vendor}/{account}/{feed.entity}: {error}")
    return found, problems


class _Collecting:
    """A connector's pages on their way to landing; remembers the id of every record in them."""

    def __init__(self, connector: PageSource, spec: FeedSpec) -> None:
        self._connector = connector
        self._spec = spec
        self._parts: list[Any] = []

    def pages(self, entity: str, window: Window) -> Iterator[Page]:
        if isinstance(self._connector, RoutedSource):
            # Files are one consistent set; pages shift while they are read.
            routes = self._connector.routes(entity)
            pages = self._connector.pages(entity, window, "EXPORT" if "EXPORT" in routes else routes[0])
        else:
            pages = self._connector.pages(entity, window)
        for page in pages:
            decoded = self._spec.decoded(page.body, page.url)
            root = decoded.tables[self._spec.tables[0].name]
            self._parts.append(_joined([root[name] for name in self._spec.id_columns]))
            self._parts.append(pa.array([one.record_id for one in decoded.rejects if one.record_id], pa.string()))
            yield page

    def ids(self) -> Any:
        """All ids as one Arrow column of text, some twice."""
        return pa.chunked_array([chunk for part in self._parts for chunk in _chunks(part)], pa.string())


def _joined(columns: list[Any]) -> Any:
    return columns[0] if len(columns) == 1 else pc.binary_join_element_wise(*columns, "|")


def _chunks(part: Any) -> list[Any]:
    return list(part.chunks) if isinstance(part, pa.ChunkedArray) else [part]


def _compare(
    connection: duckdb.DuckDBPyConnection, spec: FeedSpec, key: FeedKey, since: datetime, ids: Any, now: datetime
) -> IdCheck:
    """Compare before the new pages are loaded; what both sides hold is not written down, once it never differed."""
    record_id = " || '|' || ".join(quote(name) for name in spec.id_columns)
    parameters = {"vendor": key.vendor, "account": key.account, "entity": key.entity}
    window = {"since": _naive(since), "now": _naive(now)}
    connection.register("vendor_ids", pa.table({"id": ids}))
    connection.execute("create or replace temp table there as select distinct id from vendor_ids where id <> ''")
    connection.unregister("vendor_ids")
    connection.execute(
        f"""
        create or replace temp table arrived as
        select {record_id} as id, max(try_cast({quote(str(spec.version_column))} as timestamptz)) as version
        from raw.{quote(spec.tables[0].name)}
        where _account = $account
        group by 1
        union
        -- What came and could not be read is no news either.
        select record_id, null
        from raw.quarantine
        where vendor = $vendor and account = $account and entity = $entity and record_id is not null
        """,
        parameters,
    )
    connection.execute(
        "create or replace temp table here as select id, max(version) as version from arrived group by id"
    )
    connection.execute(
        """
        create or replace temp table differences as
        select coalesce(there.id, here.id) as id, there.id is not null as at_vendor, here.id is not null as at_ours
        from there
        full join here on there.id = here.id
        where there.id is null and here.version >= $since::timestamp at time zone 'UTC' or here.id is null
        """,
        {"since": window["since"]},
    )
    connection.execute(
        """
        insert into raw.tieout_id_checks
        select $vendor, $account, $entity, $now, $since, $now, id, at_vendor, at_ours from differences
        union all
        -- A record that differed once and is on both sides again has to be cleared by name.
        select $vendor, $account, $entity, $now, $since, $now, old.record_id, true, true
        from (
            select record_id, arg_max(found_at_vendor, checked_at) as was_there
            from raw.tieout_id_checks
            where vendor = $vendor and account = $account and entity = $entity and record_id is not null
            group by record_id
        ) as old
        where not old.was_there and old.record_id in (select id from there)
        union all
        select $vendor, $account, $entity, $now, $since, $now, null, null, null
        """,
        {**parameters, **window},
    )
    rows = connection.execute("select id, at_vendor from differences order by id").fetchall()
    (at_vendor,) = _one(connection, "select count(*) from there")
    (here,) = _one(
        connection,
        "select count(*) from here where version >= $since::timestamp at time zone 'UTC' or id in (from there)",
        {"since": window["since"]},
    )
    return IdCheck(
        key,
        since,
        int(at_vendor),
        int(here),
        tuple(str(one) for one, is_there in rows if is_there),
        tuple(str(one) for one, is_there in rows if not is_there),
    )


def _one(connection: duckdb.DuckDBPyConnection, query: str, parameters: dict[str, Any] | None = None) -> Any:
    (row,) = connection.execute(query, parameters or {}).fetchall()
    return row


def _naive(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)
