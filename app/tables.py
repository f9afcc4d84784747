"""Tables that are filtered, sorted, paged and downloaded on the server, so that a page never holds more than it shows.

A table says where its rows come from (a query on the marts, or rows that are there already) and which columns people
see. The address carries the rest, so that what somebody looks at can be sent to a colleague: `?sort=-amount&page=2`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from orchestration.lib.columns import Col
from orchestration.lib.published import Published

PAGE_ROWS = 50
MOST_ROWS = 1_000_000
"""Rows of a download; a sheet of Excel holds hardly more."""
LONGEST_SEARCH = 200
MOST_CHOICES = 200
NUMERIC = frozenset({"money", "number", "quantity", "percent"})

Row = Mapping[str, Any]
Link = Callable[[Row], str | None]


@dataclass(frozen=True, slots=True)
class Column:
    """`kind`: text, money, quantity, number, percent, date, moment, code, words, state, severity, flag. Money and
    quantities lead to the vendors' records behind them, where the row names one and the column has no other link.
    """

    key: str
    heading: str
    kind: str = "text"
    link: Link | None = None
    is_sortable: bool = True
    note: str = ""
    """Key of a second line under the value."""

    @property
    def is_numeric(self) -> bool:
        return self.kind in NUMERIC


@dataclass(frozen=True, slots=True)
class Filter:
    """A choice among the values of a column; `options` None: those that the rows have."""

    key: str
    label: str
    options: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A SELECT on the marts, without ORDER BY; its text is ours, whatever comes from outside is a parameter."""

    sql: str
    parameters: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """What a table is. `name` distinguishes the tables of a page; an empty one has its parameters unprefixed."""

    title: str
    columns: Sequence[Column]
    source: Query | Sequence[Row]
    name: str = ""
    sort: str = ""
    """Column to sort by at first; a minus before it: the largest first."""
    filters: Sequence[Filter] = ()
    search: Sequence[str] = ()
    """Columns in which the search field looks."""
    page_rows: int = PAGE_ROWS
    nothing: str = "Nothing to show."
    caption: str = ""
    ties: Sequence[str] = ()
    """Columns that order what is equal, behind those that lead somewhere."""
    totals: Sequence[str] = ()
    """Columns that are added up over all rows that the filters leave, money by currency."""
    choose: str = ""
    """Key of the rows' ids when rows can be chosen for a form; the form's id is `choose`."""

    def parameter(self, name: str) -> str:
        """Name of one of the table's parameters in the address."""
        return f"{self.name}.{name}" if self.name else name


@dataclass(frozen=True, slots=True)
class Answer:
    """A page of a table's rows, and what the controls around it need."""

    table: Table
    rows: Sequence[Row]
    total: int
    page: int
    sort: str
    chosen: Mapping[str, str]
    options: Mapping[str, Sequence[str]]
    path: str
    sums: Sequence[Row] = ()
    """The totals, a row for each currency."""
    others: Mapping[str, str] = field(default_factory=dict)
    """Parameters of the address that belong to somebody else."""

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.table.page_rows))

    @property
    def first(self) -> int:
        return (self.page - 1) * self.table.page_rows + 1 if self.total else 0

    @property
    def last(self) -> int:
        return min(self.page * self.table.page_rows, self.total)

    @property
    def is_narrowed(self) -> bool:
        return bool(self.chosen)

    def address(self, **changes: Any) -> str:
        """This page with other parameters of the table; None leaves one out."""
        own = {**self.chosen, "sort": self.sort, "page": str(self.page)} | changes
        if "sort" in changes or "page" not in changes:
            own["page"] = None
        wanted = dict(self.others)
        for name, value in own.items():
            if value not in (None, "", "1" if name == "page" else None):
                wanted[self.table.parameter(name)] = str(value)
        return f"{self.path}?{urlencode(wanted)}" if wanted else self.path

    def download(self, kind: str) -> str:
        """Address of all rows as a file: csv or xlsx."""
        base = self.address(page=None)
        return f"{base}{'&' if '?' in base else '?'}{urlencode({'download': kind, 'table': self.table.name})}"

    def sorted_by(self, column: Column) -> str:
        """ascending, descending or none: how the rows stand by a column."""
        return {column.key: "ascending", f"-{column.key}": "descending"}.get(self.sort, "none")

    def sort_address(self, column: Column) -> str:
        return self.address(sort=f"-{column.key}" if self.sort == column.key else column.key)


def answer(table: Table, published: Published | None, path: str, asked: Mapping[str, str]) -> Answer:
    """The rows that the address asks for. What it asks for and cannot have (a column that is not there, a page beyond
    the end) is left out.
    """
    sort = _sort(table, asked)
    chosen = _chosen(table, asked)
    own = {table.parameter(name) for name in ("sort", "page", "q", *(one.key for one in table.filters))}
    others = {name: value for name, value in asked.items() if name not in own and name not in ("download", "table")}
    wanted = asked.get(table.parameter("page"), "1")
    page = max(1, int(wanted)) if wanted.isdecimal() and len(wanted) < 10 else 1
    rows = _Rows(table, published, chosen)
    total, sums = rows.counted(table.totals)
    page = min(page, max(1, -(-total // table.page_rows)))
    shown = rows.some(sort, table.page_rows, (page - 1) * table.page_rows)
    options = {one.key: list(one.options) for one in table.filters if one.options is not None}
    options |= rows.values([one.key for one in table.filters if one.options is None])
    return Answer(table, shown, total, page, sort, chosen, options, path, sums, others)


def everything(table: Table, published: Published | None, asked: Mapping[str, str]) -> Iterator[Row]:
    """All rows that the filters leave, in order, for a download."""
    yield from _Rows(table, published, _chosen(table, asked)).some(_sort(table, asked), MOST_ROWS, 0)


def for_download(table: Table) -> list[Column]:
    """The columns of a file: what people see, the second lines, and the currency beside money."""
    columns: list[Column] = []
    for one in table.columns:
        columns.append(one)
        if one.note:
            columns.append(Column(one.note, one.note.replace("_", " ").capitalize()))
    if any(one.kind == "money" for one in columns) and all(one.key != "currency_code" for one in columns):
        columns.append(Column("currency_code", "Currency", "code"))
    return columns


def of_listing(columns: Sequence[Col]) -> list[Column]:
    """Columns of an explanation's listing."""
    kinds = {"moment": "date", "code": "text"}
    return [Column(one.key, one.heading, kinds.get(one.kind, one.kind)) for one in columns]


def linked(columns: Sequence[Column], links: Mapping[str, Link]) -> list[Column]:
    """The columns with links put on some of them by key."""
    return [replace(one, link=links.get(one.key, one.link)) for one in columns]


def _sort(table: Table, asked: Mapping[str, str]) -> str:
    wanted = asked.get(table.parameter("sort"), "")
    known = {one.key for one in table.columns if one.is_sortable}
    return wanted if wanted.removeprefix("-") in known else table.sort


def _chosen(table: Table, asked: Mapping[str, str]) -> dict[str, str]:
    names = [one.key for one in table.filters] + (["q"] if table.search else [])
    given = {name: asked.get(table.parameter(name), "").strip()[:LONGEST_SEARCH] for name in names}
    return {name: value for name, value in given.items() if value}


class _Rows:
    """The rows of a table behind its filters, wherever they come from."""

    def __init__(self, table: Table, published: Published | None, chosen: Mapping[str, str]) -> None:
        self._table = table
        self._published = published
        self._chosen = chosen
        self._list: list[Row] | None = None
        if not isinstance(table.source, Query):
            self._list = [row for row in table.source if self._fits(row)]

    def count(self) -> int:
        if self._list is not None:
            return len(self._list)
        where, parameters = self._where()
        return int(self._ask(f"SELECT count(*) AS rows FROM ({self._sql}) AS wanted{where}", parameters)[0]["rows"])

    def some(self, sort: str, limit: int, offset: int) -> list[Row]:
        if self._list is not None:
            return _sorted(self._list, sort)[offset : offset + limit]
        where, parameters = self._where()
        order = ""
        if sort:
            # Column names come from the table's own columns. What is equal keeps one order over the pages.
            direction = "DESC" if sort.startswith("-") else "ASC"
            order = f' ORDER BY "{sort.removeprefix("-")}" {direction} NULLS LAST{self._tie_break()}'
        sql = f"SELECT * FROM ({self._sql}) AS wanted{where}{order} LIMIT {limit:d} OFFSET {offset:d}"
        return list(self._ask(sql, parameters))

    def counted(self, keys: Sequence[str]) -> tuple[int, list[Row]]:
        """How many rows there are, and the totals of columns by currency, the one with most rows first; without a
        currency where rows have none, and no totals of a single row. One look at the rows for both.
        """
        if not keys:
            return self.count(), []
        if self._list is None:
            where, parameters = self._where()
            has = any(row["column_name"] == "currency_code" for row in self._described())
            parts = ", ".join(f'sum("{key}") AS "{key}"' for key in keys)
            sums: list[Row] = list(
                self._ask(
                    f'SELECT {"currency_code" if has else "NULL"} AS currency_code, count(*) AS " rows", {parts} '
                    f"FROM ({self._sql}) AS wanted{where} GROUP BY 1 ORDER BY 2 DESC, 1",
                    parameters,
                )
            )
        else:
            by: dict[Any, list[Row]] = {}
            for row in self._list:
                by.setdefault(row.get("currency_code"), []).append(row)
            sums = [
                {"currency_code": code, " rows": len(rows)} | {key: _added(rows, key) for key in keys}
                for code, rows in sorted(by.items(), key=lambda item: (-len(item[1]), str(item[0])))
            ]
        total = sum(int(one[" rows"]) for one in sums)
        return total, [one for one in sums if total > 1 and any(one[key] is not None for key in keys)]

    def _described(self) -> list[dict[str, Any]]:
        assert isinstance(self._table.source, Query)
        return self._ask(f"DESCRIBE SELECT * FROM ({self._sql}) AS wanted", list(self._table.source.parameters))

    def values(self, keys: Sequence[str]) -> dict[str, list[str]]:
        """What columns hold, for the choices of filters: one look at the rows for all of them."""
        if not keys:
            return {}
        source = self._table.source
        if not isinstance(source, Query):
            return {key: sorted({str(row[key]) for row in source if row.get(key) is not None}) for key in keys}
        lists = ", ".join(f'list(DISTINCT "{key}"::VARCHAR) AS "{key}"' for key in keys)
        (found,) = self._ask(f"SELECT {lists} FROM ({self._sql}) AS wanted", list(source.parameters))
        return {key: sorted(one for one in found[key] or () if one is not None)[:MOST_CHOICES] for key in keys}

    @property
    def _sql(self) -> str:
        assert isinstance(self._table.source, Query)
        return self._table.source.sql

    def _tie_break(self) -> str:
        table = self._table
        linked = [one.key for one in table.columns if one.link and one.is_sortable and not one.is_numeric]
        keys = [table.choose] if table.choose else [*linked, *table.ties]
        return "".join(f', "{key}"' for key in keys)

    def _where(self) -> tuple[str, list[Any]]:
        assert isinstance(self._table.source, Query)
        clauses: list[str] = []
        parameters = list(self._table.source.parameters)
        for key, value in self._chosen.items():
            if key == "q":
                looked = " OR ".join(f'contains(lower("{column}"::VARCHAR), lower(?))' for column in self._table.search)
                clauses.append(f"({looked})")
                parameters += [value] * len(self._table.search)
            else:
                clauses.append(f'"{key}"::VARCHAR = ?')
                parameters.append(value)
        return (f" WHERE {' AND '.join(clauses)}" if clauses else ""), parameters

    def _ask(self, sql: str, parameters: Sequence[Any]) -> list[dict[str, Any]]:
        assert self._published is not None, "a query needs the published marts"
        return self._published.rows(sql, parameters)

    def _fits(self, row: Row) -> bool:
        for key, value in self._chosen.items():
            if key == "q":
                if not any(value.lower() in str(row.get(column) or "").lower() for column in self._table.search):
                    return False
            elif str(row.get(key)) != value:
                return False
        return True


def _added(rows: Sequence[Row], key: str) -> Any:
    """Σ of a column, as SQL has it: None when no row has a value."""
    values = [row[key] for row in rows if row.get(key) is not None]
    return sum(values) if values else None


def _sorted(rows: list[Row], sort: str) -> list[Row]:
    key = sort.removeprefix("-")
    if not key:
        return rows
    filled = [row for row in rows if row.get(key) is not None]
    return sorted(filled, key=lambda row: row[key], reverse=sort.startswith("-")) + [
        row for row in rows if row.get(key) is None
    ]
