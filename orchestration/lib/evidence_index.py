# ruff: noqa: S608  # the only texts put into SQL are names from the catalogue; values are parameters
"""Which file and record of the evidence an id stands in, kept beside the warehouse for those who may not open that.

Runs hold the warehouse, so the app cannot ask it. Each run adds what it loaded to a small DuckDB file (the hash of the
id, the file's number, the record's number) and swaps that in by a rename. Whatever is in it can be made again from the
warehouse: it is neither sealed nor backed up.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import msgspec

from connectors.decoding import RecordDecoder
from connectors.envelopes import raw_records, split_records
from connectors.errors import BadPayload
from connectors.feeds import feed_spec
from connectors.personal import PERSONAL
from orchestration.lib.erasing import received_page, with_persons
from orchestration.lib.files import sync_directory
from orchestration.lib.landing_files import LandingFiles
from orchestration.lib.persons import PersonsUnavailable
from orchestration.lib.raw_tables import ordered_columns
from orchestration.lib.settings import Settings
from orchestration.lib.warehouse import connect, quote

_OWN = frozenset({"_file", "_position", "_account", "_fetched_at"})
_KEY = re.compile(r"(^|_)(id|no|number|key|code|transaction|item|reference)$")
"""First columns of a vendor's table that name its record."""
_NAMES = frozenset(
    {
        "reference", "second_reference", "externalid", "tranid", "document_no", "document_number",
        "customer_document_no", "invoice_id", "pay_out_reference", "entry_reference", "urn", "shop_sku", "product_sku",
        "itemid", "acctnumber", "code",
    }
)  # fmt: skip
"""Columns by which people and other systems call a record; those of its lines are other records' names."""
_OF_ORDERS = frozenset({"order_id", "order_line_id", "refund_id"})
"""Indexed only where the table is about them: on the lines of settlements they would multiply the index."""
SHORTEST_OWN = 10
"""Digits that a vendor's own counter must have to be looked for: a shorter one is many things' number."""
MOST = 50
TABLES = """
    create table evidence.made_by (version varchar);
    create table evidence.files (
        file_no integer, path varchar, vendor varchar, account varchar, entity varchar, sha256 varchar,
        fetched_at timestamp
    );
    create table evidence.feeds (table_name varchar, vendor varchar, entity varchar);
    create table evidence.records (key ubigint, file_no integer, position integer, named varchar);
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A record; `named` is the column of it that holds the id. `position` counts from 0, `fetched_at` is naive UTC,
    `sha256` that of the page as it was received.
    """

    vendor: str
    account: str
    entity: str
    file: str
    position: int
    sha256: str | None
    fetched_at: datetime | None
    named: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A record as it lies there. `problem`: what is wrong with its file, None when it is what was landed. `text` is
    empty where it must not or cannot be shown, `why_not` says why.
    """

    problem: str | None
    text: str
    why_not: str


def update(settings: Settings) -> int:
    """Add the files that were loaded since the last time; how many. Waits for the warehouse."""
    target = settings.evidence_index_path
    with connect(settings) as connection:
        if not {"loaded_files", "landing_files"} <= (tables := ordered_columns(connection)).keys():
            return 0
        fresh = _fresh(connection, target)
        if fresh == [] and target.exists():
            return 0
        temporary = target.with_name(f".{target.name}.part")
        for stale in (temporary, temporary.with_name(f"{temporary.name}.wal")):
            stale.unlink(missing_ok=True)
        if fresh is not None:
            shutil.copyfile(target, temporary)
        with _attached(connection, temporary):
            count = _add(connection, tables, fresh)
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    os.replace(temporary, target)
    sync_directory(target.parent)
    return count


class EvidenceIndex:
    """The index, opened for reading. Raises FileNotFoundError before the first run has made it."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise FileNotFoundError(path)
        self._connection = duckdb.connect(str(path), read_only=True)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def places(self, ids: Iterable[str]) -> list[Place]:
        """Records of these ids, newest first, at most MOST. A receipt's id begins with its bank account, which the
        bank's own record does not have.
        """
        wanted: list[tuple[str, str | None]] = [(one, None) for one in ids]
        wanted += [(rest, account) for one, _ in wanted for account, dash, rest in [one.partition("-")] if dash]
        rows = self._connection.execute(
            "select vendor, account, entity, path, position, any_value(sha256), max(fetched_at), min(named) "
            "from (select unnest($1) as id, unnest($2) as of_account) as wanted "
            "inner join records on records.key = hash(wanted.id) inner join files using (file_no) "
            "where (of_account is null or of_account = account) and (named <> 'id' or length(id) >= $3 "
            "or try_cast(id as bigint) is null) group by vendor, account, entity, path, position "
            f"order by max(fetched_at) desc, path, position limit {MOST:d}",
            [[one for one, _ in wanted], [account for _, account in wanted], SHORTEST_OWN],
        ).fetchall()
        return [Place(*row) for row in rows]

    def files_of(self, vendor: str, account: str, entity: str) -> list[str]:
        """The files of a feed, oldest first."""
        rows = self._connection.execute(
            "select path from files where vendor = $1 and account = $2 and entity = $3 order by path",
            [vendor, account, entity],
        ).fetchall()
        return [str(path) for (path,) in rows]


def shown(settings: Settings, place: Place) -> Shown:
    """The record as the vendor sent it, without its customers, and whether its file is what was landed."""
    store = LandingFiles(settings.landing)
    problem = _problem(settings, store, place)
    if problem is not None:
        return Shown(problem, "", "")
    if (place.vendor, place.entity) in with_persons(settings):
        return Shown(None, "", "Such records hold names or texts of people, so the app does not show them.")
    decode = feed_spec(place.vendor, place.entity).decode
    if not isinstance(decode, RecordDecoder):
        return Shown(None, "", "This file is no list of records that could be shown one by one.")
    try:
        whole, _ = split_records(store.read(place.file), decode.envelope, vendor=place.vendor, call=place.entity)
        record = raw_records(whole, vendor=place.vendor, call=place.entity)[place.position]
        return Shown(None, msgspec.json.format(bytes(record), indent=2).decode(), "")
    except FileNotFoundError:
        return Shown("is missing", "", "")
    except (BadPayload, IndexError, msgspec.DecodeError, UnicodeError):
        return Shown(None, "", "The file cannot be divided into its records here.")


def _problem(settings: Settings, store: LandingFiles, place: Place) -> str | None:
    """What is wrong with the file, in words. A page of which a customer was erased cannot be put together again: only
    `tieout audit verify` can tell about that one.
    """
    if place.sha256 is None:
        return None
    problem = store.problem(place.file, place.sha256)
    if problem is None or problem == "is missing" or (place.vendor, place.entity) not in PERSONAL:
        return problem
    try:
        received_page(settings, place.file, place.sha256)
    except (PersonsUnavailable, OSError):
        return problem
    return None


def _fresh(connection: duckdb.DuckDBPyConnection, target: Path) -> list[str] | None:
    """Files that are loaded and not in the index; None when there is no index, or one that another version of DuckDB
    made, which may hash otherwise: then it is made anew.
    """
    if not target.exists():
        return None
    try:
        with _attached(connection, target, "(read_only)"):
            if connection.execute("select version from evidence.made_by").fetchall() != [(duckdb.__version__,)]:
                return None
            rows = connection.execute(
                "select path from raw.loaded_files anti join evidence.files using (path)"
            ).fetchall()
    except duckdb.Error:
        return None  # no index, whatever it is
    return [str(path) for (path,) in rows]


def _add(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Collection[str]], paths: Sequence[str] | None
) -> int:
    """Index these files, all that are loaded for None; how many."""
    if paths is None:
        connection.execute(TABLES)
        connection.execute("insert into evidence.made_by values ($1)", [duckdb.__version__])
    wanted = "true" if paths is None else "list_contains($1, path)"
    connection.execute(
        "create or replace temp table new_files as select (select count(*) from evidence.files)::integer "
        "+ row_number() over () as file_no, path, vendor, account, entity, sha256, landed_at as fetched_at "
        f"from raw.landing_files semi join raw.loaded_files using (path) where {wanted}",
        [] if paths is None else [list(paths)],
    )
    connection.execute("begin")
    # A table whose feeds have nothing new is not looked at, unless a feed is new: nobody knows its tables yet.
    (has_new_feed,) = connection.execute(
        "select count(*) > 0 from new_files anti join evidence.feeds using (vendor, entity)"
    ).fetchone() or (True,)
    quiet = (
        set()
        if has_new_feed
        else {
            str(table)
            for (table,) in connection.execute(
                "select table_name from evidence.feeds anti join new_files using (vendor, entity)"
            ).fetchall()
        }
    )
    filled = {
        str(table)
        for (table,) in connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'raw' and estimated_size > 0 "
            "and database_name = current_database()"
        ).fetchall()
    }
    records, feeds = list[str](), list[str]()
    for table, columns in _indexed(tables).items():
        if table in quiet or table not in filled:
            continue
        source = f"from raw.{quote(table)} inner join new_files on _file = path"
        records += [
            f"select distinct hash({quote(column)}), file_no, _position, '{column}' {source} "
            f"where {quote(column)} is not null"
            for column in columns
        ]
        feeds.append(
            f"select '{table}', vendor, entity from (select distinct _file from raw.{quote(table)}) "
            "inner join new_files on _file = path"
        )
    # One statement each: a hundred small ones take ten times as long.
    if records:
        connection.execute(f"insert into evidence.records {' union all '.join(records)}")
        connection.execute(f"insert into evidence.feeds ({' union '.join(feeds)}) except select * from evidence.feeds")
    connection.execute("insert into evidence.files select * from new_files")
    connection.execute("commit")
    ((count,),) = connection.execute("select count(*) from new_files").fetchall()
    connection.execute("drop table new_files")
    return int(count)


def _indexed(tables: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
    """Raw tables with a pointer into the evidence, and the columns of theirs that are indexed."""
    found: dict[str, list[str]] = {}
    for table, columns in sorted(tables.items()):
        if not set(columns) >= _OWN:
            continue
        own = [name for name in columns if not name.startswith("_")]
        keys = [own[0]] if own and _KEY.search(own[0]) else []
        others = frozenset() if "_index" in columns else _NAMES
        others |= _OF_ORDERS if keys and keys[0] in _OF_ORDERS else frozenset()
        keys += [name for name in own[1:] if name in others]
        if keys:
            found[table] = keys
    return found


@contextmanager
def _attached(connection: duckdb.DuckDBPyConnection, path: Path, how: str = "") -> Iterator[None]:
    connection.execute(f"attach '{_escaped(path)}' as evidence {how}")
    try:
        yield
    finally:
        connection.execute("detach evidence")


def _escaped(path: Path) -> str:
    return str(path).replace("'", "''")
