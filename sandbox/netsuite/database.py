"""The vendor's tables in an embedded DuckDB, so that any query can be asked of them.

Money is DECIMAL, times are UTC without a zone. A column that no row fills takes no room: it exists in the view that
bears the table's name only, until the first row brings a value for it.
"""

import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa

from sandbox.netsuite.contract import columns_of, contract
from sandbox.netsuite.world import NetSuiteWorld, Row, Rows

SQL_TYPES = {
    "integer": "BIGINT",
    "decimal": "DECIMAL(28, 8)",
    "varchar": "VARCHAR",
    "boolean_tf": "VARCHAR",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "list_text": "VARCHAR",
}
ARROW_TYPES = {
    "integer": pa.int64(),
    "decimal": pa.decimal128(28, 8),
    "varchar": pa.string(),
    "boolean_tf": pa.string(),
    "date": pa.date32(),
    "datetime": pa.timestamp("us"),
    "list_text": pa.string(),
}
BATCH = 50_000
MOST_REMEMBERED_ROWS = 10
MOST_REMEMBERED_QUESTIONS = 10_000
_WORD = re.compile(r"\w+")
OF_PERMISSIONS: dict[str, dict[str, str]] = {
    "rolepermissions": {
        "role": "integer",
        "permkey": "varchar",
        "name": "varchar",
        "permlevel": "integer",
        "restriction": "integer",
    },
    "employee": {"id": "integer", "entityid": "varchar"},
}
"""Tables that no world fills: what a role may do (Oracle's help, "Retrieving Permissions Assigned to a Role"), and one
that needs a permission of its own.
"""


class Database:
    """Tables by vendor name. Readers take a cursor of their own; one writer at a time, whole or not at all."""

    def __init__(self, world: NetSuiteWorld, stored: Mapping[str, Iterable[str]] | None = None) -> None:
        """`stored` names columns that writes will fill: room is made for them at once, outside of any write."""
        self._always = {table: set(names) for table, names in (stored or {}).items()}
        self._writer: int | None = None
        self.version = 0
        """Rises with whatever changes a row."""
        self._versions: Counter[str] = Counter()
        self._touched: set[str] = set()
        """Tables that the write under way has changed: what is read of them now is nobody else's yet."""
        self._known: dict[tuple[Any, ...], tuple[int, list[dict[str, Any]]]] = {}
        self._highest: dict[tuple[str, str], int] = {}
        self._connection = duckdb.connect(config={"enable_external_access": "false", "threads": "1"})
        self._lock = threading.RLock()
        self.kinds: dict[str, dict[str, str]] = {table: columns_of(table) for table in contract()["tables"]}
        self._stored: dict[str, list[str]] = {}
        unknown = sorted(set(world.tables) - set(self.kinds))
        if unknown:
            raise ValueError(f"the vendor has no table {', '.join(unknown)}")
        for table in self.kinds:
            self._create(table, world.tables.get(table, ()))
        for table, kinds in OF_PERMISSIONS.items():
            self.kinds[table] = dict(kinds)
            described = ", ".join(f'"{name}" {SQL_TYPES[kind]}' for name, kind in kinds.items())
            self._connection.execute(f'CREATE TABLE "_{table}" ({described})')
            self._stored[table] = list(kinds)
            self._view(table)
        self._connection.execute("CREATE TABLE dual AS SELECT 'X' AS dummy")
        self._create_status_texts()
        self._create_ship_methods(world.ship_methods)

    def _create(self, table: str, rows: Rows) -> None:
        kinds = self.kinds[table]
        if isinstance(rows, pa.Table):
            filled = set(rows.column_names)
        else:
            filled = {name for row in rows for name, value in row.items() if value is not None}
        for name in sorted(filled - kinds.keys()):
            kinds[name] = "varchar"
        key = {*contract()["tables"][table]["key"], *self._always.get(table, ())}
        names = [name for name in kinds if name in filled or name in key] or [next(iter(kinds))]
        described = ", ".join(f'"{name}" {SQL_TYPES[kinds[name]]}' for name in names)
        self._connection.execute(f'CREATE TABLE "_{table}" ({described})')
        self._stored[table] = names
        self._view(table)
        if isinstance(rows, pa.Table):
            self._insert_batch(table, rows)
            return
        for start in range(0, len(rows), BATCH):
            self.insert(table, rows[start : start + BATCH])

    def _view(self, table: str) -> None:
        stored = set(self._stored[table])
        parts = [
            f'"{name}"' if name in stored else f'CAST(NULL AS {SQL_TYPES[kind]}) AS "{name}"'
            for name, kind in self.kinds[table].items()
        ]
        self._connection.execute(f'CREATE OR REPLACE VIEW "{table}" AS SELECT {", ".join(parts)} FROM "_{table}"')  # noqa: S608

    def _create_status_texts(self) -> None:
        self._connection.execute("CREATE TABLE _status_text (type VARCHAR, status VARCHAR, name VARCHAR)")
        texts = [(code, letter, text) for code, part in contract()["statuses"].items() for letter, text in part.items()]
        self._connection.executemany("INSERT INTO _status_text VALUES (?, ?, ?)", texts)

    def _create_ship_methods(self, names: Mapping[int, str]) -> None:
        self._connection.execute("CREATE TABLE _ship_method (id BIGINT, name VARCHAR)")
        if names:
            self._connection.executemany("INSERT INTO _ship_method VALUES (?, ?)", list(names.items()))

    # --- reading

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Column names and rows. Raises duckdb.Error."""
        cursor = self._reader().execute(sql, list(parameters))
        return [part[0] for part in cursor.description or ()], cursor.fetchall()

    def table(self, sql: str) -> pa.Table:
        """Rows without making objects of them. Raises duckdb.Error."""
        return self._reader().sql(sql).to_arrow_table()

    def _reader(self) -> duckdb.DuckDBPyConnection:
        # A cursor is a connection of its own: it does not see what the write under way has not committed yet.
        return self._connection if self._writer == threading.get_ident() else self._connection.cursor()

    def rows(self, table: str, where: str = "TRUE", parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Rows of `table`, each with the columns that have a value. A few are remembered until the table changes:
        a write asks for the same customer, items and currencies as the one before it.
        """
        question = (table, where, *parameters)
        version, known = self._versions[table], self._known.get(question)
        if known is not None and known[0] == version and table not in self._touched:
            return [dict(row) for row in known[1]]
        found = self._rows_of(table, where, parameters)
        if len(found) <= MOST_REMEMBERED_ROWS and table not in self._touched:
            if len(self._known) >= MOST_REMEMBERED_QUESTIONS:
                self._known.clear()
            self._known[question] = (version, [dict(row) for row in found])
        return found

    def _rows_of(self, table: str, where: str, parameters: Sequence[Any]) -> list[dict[str, Any]]:
        # The view knows hundreds of columns that no row fills; it is needed only where a condition names one of them.
        unfilled = self.kinds[table].keys() - set(self._stored[table])
        source = table if unfilled.intersection(_WORD.findall(where)) else f"_{table}"
        names, rows = self.fetch(f'SELECT * FROM "{source}" WHERE {where}', parameters)  # noqa: S608
        return [{name: value for name, value in zip(names, row, strict=True) if value is not None} for row in rows]

    def row(self, table: str, key: Any, column: str = "id") -> dict[str, Any] | None:
        return next(iter(self.rows(table, f'"{column}" = ?', [key])), None)

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        return self.fetch(sql, parameters)[1][0][0]

    def sizes(self) -> dict[str, int]:
        return {table: int(self.value(f'SELECT count(*) FROM "_{table}"')) for table in sorted(self.kinds)}  # noqa: S608

    # --- writing

    def tell_permissions(self, role: int, levels: Mapping[str, int]) -> None:
        """What the table `rolepermissions` holds from now on."""
        with self._lock:
            self._connection.execute("DELETE FROM _rolepermissions")
            rows = [(role, key, key.partition("_")[2].title(), level, -1) for key, level in sorted(levels.items())]
            if rows:
                self._connection.executemany("INSERT INTO _rolepermissions VALUES (?, ?, ?, ?, ?)", rows)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A block whose changes come to be together, or, when it raises, not at all."""
        with self._lock:
            self._connection.execute("BEGIN")
            self._writer = threading.get_ident()
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                self._highest.clear()
                raise
            else:
                self._connection.execute("COMMIT")
            finally:
                self._writer = None
                # Once more, and last: somebody may have read, and remembered, what was there before the commit.
                for table in self._touched:
                    self._changed(table)
                self._touched = set()

    def insert(self, table: str, rows: Iterable[Row]) -> None:
        rows = list(rows)
        if not rows:
            return
        kinds = self.kinds[table]
        names = list(dict.fromkeys(name for row in rows for name, value in row.items() if value is not None))
        self.make_room(table, names)
        columns = [
            pa.array([_plain(row.get(name), kinds[name]) for row in rows], type=ARROW_TYPES[kinds[name]])
            for name in names
        ]
        with self._lock:
            highest = {
                (of, name): max(
                    highest, max((int(row[name]) for row in rows if row.get(name) is not None), default=highest)
                )
                for (of, name), highest in self._highest.items()
                if of == table
            }
            self._insert_batch(table, pa.table(columns, names=names))
            self._highest |= highest

    def _changed(self, table: str) -> None:
        self.version += 1
        self._versions[table] += 1
        if self._writer is not None:
            self._touched.add(table)

    def _insert_batch(self, table: str, batch: pa.Table) -> None:
        listed = ", ".join(f'"{name}"' for name in batch.column_names)
        with self._lock:
            self._connection.register("_batch", batch)
            self._connection.execute(f'INSERT INTO "_{table}" ({listed}) SELECT {listed} FROM _batch')  # noqa: S608
            self._connection.unregister("_batch")
            self._forget_highest(table)
            self._changed(table)

    def update(self, table: str, changes: Mapping[str, Any], where: str, parameters: Sequence[Any]) -> None:
        self.make_room(table, [name for name, value in changes.items() if value is not None])
        changes = {name: value for name, value in changes.items() if name in self._stored[table]}
        if not changes:
            return
        kinds = self.kinds[table]
        assigned = ", ".join(f'"{name}" = ?' for name in changes)
        values = [_plain(value, kinds[name]) for name, value in changes.items()]
        with self._lock:
            self._connection.execute(f'UPDATE "_{table}" SET {assigned} WHERE {where}', [*values, *parameters])  # noqa: S608
            self._forget_highest(table)
            self._changed(table)

    def delete(self, table: str, where: str, parameters: Sequence[Any]) -> None:
        with self._lock:
            self._connection.execute(f'DELETE FROM "_{table}" WHERE {where}', list(parameters))  # noqa: S608
            self._forget_highest(table)
            self._changed(table)

    def next_id(self, table: str, column: str = "id") -> int:
        with self._lock:
            if (table, column) not in self._highest:
                highest = self.value(f'SELECT coalesce(max("{column}"), 0) FROM "_{table}"')  # noqa: S608
                self._highest[table, column] = int(highest)
            return self._highest[table, column] + 1

    def _forget_highest(self, table: str) -> None:
        self._highest = {place: highest for place, highest in self._highest.items() if place[0] != table}

    def make_room(self, table: str, names: Iterable[str]) -> None:
        kinds, added = self.kinds[table], False
        for name in names:
            kinds.setdefault(name, "varchar")
            if name not in self._stored[table]:
                with self._lock:
                    self._connection.execute(f'ALTER TABLE "_{table}" ADD COLUMN "{name}" {SQL_TYPES[kinds[name]]}')
                self._stored[table].append(name)
                added = True
        if added:
            with self._lock:
                self._view(table)


def _plain(value: Any, kind: str) -> Any:
    """A value as DuckDB keeps it. The vendor knows no empty text: it is NULL."""
    if value == "":
        return None
    if kind == "datetime" and isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).replace(tzinfo=None)
    if kind in ("varchar", "list_text", "boolean_tf") and value is not None and not isinstance(value, str):
        return str(value)
    return value
