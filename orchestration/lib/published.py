"""Reading the published marts: one read-only file that no run ever holds open."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

CLOSED = ("RESOLVED", "WRITTEN_OFF")
"""States of an exception that nobody has to decide about any more."""
_NAME = re.compile(r"^[a-z_][a-z0-9_]*$")


class Published:
    """The marts as of the last successful run. Queries cannot write, and cannot reach files or the network."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = duckdb.connect(":memory:")
        # Attached under a fixed name: whatever the file is called, the schema can be named without ambiguity.
        self._connection.execute(f"ATTACH {_literal(path)} AS tieout (READ_ONLY)")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("USE tieout.marts")
        self._connection.execute("SET lock_configuration = true")

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def rows(self, query: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Rows as dictionaries. DECIMAL comes as Decimal, TIMESTAMP as naive UTC datetime."""
        _, rows = self.table(query, parameters)
        return rows

    def table(
        self, query: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None, *, limit: int | None = None
    ) -> tuple[list[str], list[dict[str, Any]]]:
        """Column names in order, and the rows (at most `limit`). Columns of the same name get a number behind it."""
        result = self._connection.execute(query, parameters or [])
        names: list[str] = []
        for item in result.description or []:
            name, number = str(item[0]), 2
            while name in names:
                name, number = f"{item[0]}_{number}", number + 1
            names.append(name)
        fetched = result.fetchall() if limit is None else result.fetchmany(limit)
        return names, [dict(zip(names, row, strict=True)) for row in fetched]

    @cached_property
    def marts(self) -> dict[str, frozenset[str]]:
        """Columns per mart."""
        found: dict[str, set[str]] = {}
        for row in self.rows(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_catalog = 'tieout' AND table_schema = 'marts'"
        ):
            found.setdefault(row["table_name"], set()).add(row["column_name"])
        return {name: frozenset(columns) for name, columns in found.items()}

    def select(
        self,
        mart: str,
        where: Mapping[str, Any] | None = None,
        *,
        order_by: Sequence[str] = (),
    ) -> list[dict[str, Any]]:
        """Rows of a mart whose columns equal the given values (a list: one of them). A mart that is not published has
        no rows.

        Raises KeyError for a column the mart does not have.
        """
        if mart not in self.marts:
            return []
        columns = self.marts[mart]
        clauses, parameters = [], []
        for name, value in (where or {}).items():
            if name not in columns or not _NAME.match(name):
                raise KeyError(f"mart {mart} has no column {name}")
            if isinstance(value, list | tuple | set | frozenset):
                clauses.append(f"list_contains(?, {name})")
                parameters.append(list(value))
            else:
                clauses.append(f"{name} = ?")
                parameters.append(value)
        condition = f" WHERE {' AND '.join(clauses)}" if clauses else ""
        order = [name for name in order_by if name in columns]
        suffix = f" ORDER BY {', '.join(order)}" if order else ""
        return self.rows(f"SELECT * FROM tieout.marts.{mart}{condition}{suffix}", parameters)  # noqa: S608  (names are checked above)


def exceptions_named(published: Published, name: str) -> list[dict[str, Any]]:
    """The exception with this id, else all open ones on the subject with this id."""
    return published.select("exceptions", {"exception_id": name}) or [
        row for row in published.select("exceptions", {"subject_id": name}) if row["status"] not in CLOSED
    ]


def payout_named(published: Published, cycle: str) -> dict[str, Any] | None:
    """The row of rec_receipts for the pay-out of a cycle; None when there is not exactly one."""
    rows = published.select("rec_receipts", {"subject_type": "PAYOUT", "subject_id": cycle})
    return rows[0] if len(rows) == 1 else None


def receipt_named(published: Published, receipt: str) -> dict[str, Any] | None:
    """The row of rec_receipts for a receipt. Any receipt of the statements has one here, also one that concerned no
    marketplace (its rule_code is None).
    """
    rows = published.select("rec_receipts", {"subject_type": "RECEIPT", "subject_id": receipt})
    if not rows:
        rows = [
            {"subject_id": row["receipt_id"], "actual_amount": row["amount"], "rule_code": None} | row
            for row in published.select("fct_receipts", {"receipt_id": receipt})
        ]
    return rows[0] if rows else None


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
