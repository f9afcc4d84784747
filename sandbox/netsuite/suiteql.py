"""SuiteQL, answered by running it: Oracle's dialect is translated by sqlglot into DuckDB's and executed.

Refused as the vendor refuses: LIMIT, WITH, unknown tables and columns, tables the role may not see, lists longer than
1000 values, multi-selects in WHERE, BUILTIN functions other than DF and CF.
Times are rendered in the account's zone, unless SYS_EXTRACT_UTC is around them; dates without TO_CHAR lose the time.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError, UnsupportedError
from sqlglot.optimizer.scope import Scope, traverse_scope
from sqlglot.tokens import TokenType

from sandbox.netsuite.contract import NAMES, REFERENCES
from sandbox.netsuite.database import Database
from sandbox.netsuite.masks import as_strftime
from sandbox.netsuite.world import NetSuiteSettings

PREFIX = "Invalid search query. Detailed unprocessed description follows. "
UNSUPPORTED = "Search error occurred: Invalid or unsupported search."
MOST_VALUES = 1000
SERVER_ZONE = ZoneInfo("America/Los_Angeles")
_TRANSACTION_KEYS = {"transaction": "id", "transactionline": "transaction", "transactionaccountingline": "transaction"}
# Stands in the translated text for a parameter, or for the time; a query that holds the sign itself is refused.
_SIGN = "\N{SECTION SIGN}"
_SLOTS = re.compile(f"'{_SIGN}(now|[0-9]+){_SIGN}'")
_NOW = f"{_SIGN}now{_SIGN}"


class SuiteQLError(Exception):
    """A query the vendor refuses; the text is the vendor's."""

    def __init__(self, detail: str) -> None:
        super().__init__(PREFIX + detail)


@dataclass(frozen=True)
class _Translated:
    """A query in DuckDB's dialect, its parameters left open; `plain` is the same without the outer order."""

    ordered: str
    plain: str
    slots: int
    is_ordered: bool
    takes_limit: bool


class SuiteQL:
    """Translates and runs queries. `now` is the current time in UTC."""

    def __init__(
        self, database: Database, settings: NetSuiteSettings, time_zone: str, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._settings = settings
        self._zone = time_zone
        self._now = now
        self._translate = lru_cache(maxsize=256)(self._translated)

    def page(self, query: str, params: Sequence[Any], limit: int, offset: int) -> tuple[list[dict[str, str]], int]:
        """One page and the number of rows in all, counted up to the ceiling. Raises SuiteQLError."""
        settings = self._settings
        hidden = tuple(sorted((*key, why) for key, why in settings.hidden_columns.items()))
        subsidiaries = settings.role_subsidiaries
        seen = None if subsidiaries is None else tuple(sorted(subsidiaries))
        translated = self._translate(query, hidden, frozenset(settings.denied_tables), seen)
        if translated.slots != len(params):
            raise SuiteQLError(f"Search error occurred: {translated.slots} parameters expected, {len(params)} given.")
        ordered, plain = (self._filled(sql, params) for sql in (translated.ordered, translated.plain))
        if translated.takes_limit:
            page = f"{ordered} LIMIT {limit} OFFSET {offset}"
        else:
            # Every page runs the query again; without an order nothing says that its rows come as they came before.
            shuffle = "" if translated.is_ordered or not offset else f" ORDER BY hash(q, {offset})"
            page = f"SELECT * FROM ({ordered}) AS q{shuffle} LIMIT {limit} OFFSET {offset}"  # noqa: S608
        try:
            names, rows = self._database.fetch(page)
            total = offset + len(rows)
            if len(rows) == limit or not rows:
                counted = f"SELECT count(*) FROM (SELECT 1 FROM ({plain}) AS q LIMIT {settings.row_ceiling})"  # noqa: S608
                total = self._database.value(counted)
        except duckdb.Error as error:
            raise SuiteQLError(UNSUPPORTED) from error
        names = [name.lower() for name in names]
        as_date = as_strftime(settings.date_format)
        return [_row(names, row, as_date) for row in rows], total

    def _filled(self, sql: str, params: Sequence[Any]) -> str:
        now = f"TIMESTAMP '{self._now():%Y-%m-%d %H:%M:%S}'"
        # In one pass, so that no value is read as a place for another.
        return _SLOTS.sub(lambda slot: now if slot[1] == "now" else _literal(params[int(slot[1])]), sql)

    # --- translation; values that change from call to call are put in afterwards

    def _translated(
        self,
        query: str,
        hidden: tuple[tuple[str, str, str], ...],
        denied: frozenset[str],
        subsidiaries: tuple[int, ...] | None,
    ) -> "_Translated":
        tree = _parsed(query)
        reasons = {(table, column): why for table, column, why in hidden}
        slots = _number_placeholders(tree)
        for identifier in tree.find_all(exp.Identifier):
            identifier.set("this", identifier.name.lower())
        is_ordered = tree.args.get("order") is not None
        self._check_tables(tree, denied)
        _limit_by_rownum(tree)
        _Columns(tree, self._database.kinds, reasons, self._zone).resolve()
        for node in reversed(list(tree.dfs())):
            replaced = self._function(node)
            if replaced is not node:
                node.replace(replaced)
        if subsidiaries is not None:
            _restrict(tree, subsidiaries)
        if isinstance(tree, exp.Select):
            parts = enumerate(tree.expressions, start=1)
            tree.set("expressions", [part if _is_named(part) else exp.alias_(part, f"expr{n}") for n, part in parts])
        takes_limit = is_ordered and tree.args.get("limit") is None
        ordered = _generated(tree)
        if takes_limit:
            # Counting needs no order.
            tree.set("order", None)
        return _Translated(ordered, _generated(tree) if takes_limit else ordered, slots, is_ordered, takes_limit)

    def _check_tables(self, tree: exp.Expression, denied: frozenset[str]) -> None:
        named = {part.alias for part in tree.find_all(exp.CTE)}
        for table in tree.find_all(exp.Table):
            name = table.name
            if not isinstance(table.this, exp.Identifier) or table.args.get("db"):
                raise SuiteQLError(UNSUPPORTED)
            if name in named or name == "dual":
                continue
            if name in denied:
                raise SuiteQLError(f"Search error occurred: Record '{name}' was not found.")
            if name not in self._database.kinds:
                raise SuiteQLError(f"Invalid search type: {name}.")

    def _function(self, node: exp.Expression) -> exp.Expression:
        """One node in DuckDB's terms."""
        if isinstance(node, exp.ToChar | exp.TimeToStr):
            return _to_char(node)
        if isinstance(node, exp.StrToDate | exp.StrToTime):
            # Oracle's DATE has a time of day; sqlglot's translation would cut it off.
            return exp.Anonymous(this="strptime", expressions=[node.this, node.args["format"]])
        if isinstance(node, exp.CurrentTimestamp | exp.CurrentDate | exp.CurrentTime | exp.Localtimestamp):
            if _is_wanted_in_utc(node):
                return exp.Literal.string(_NOW)
            # SYSDATE is the server's time, the others are the account's.
            zone = SERVER_ZONE.key if node.args.get("sysdate") else self._zone
            return _in_zone(exp.Literal.string(_NOW), zone)
        if isinstance(node, exp.Add | exp.Sub) and isinstance(node.left, exp.Anonymous) and node.right.is_int:
            # Oracle counts in days: CURRENT_DATE - 7.
            if node.left.name in ("timezone", "strptime"):
                node.set("expression", exp.Anonymous(this="to_days", expressions=[node.right]))
            return node
        if isinstance(node, exp.ToNumber):
            return exp.cast(node.this, "DECIMAL(28, 8)")
        if isinstance(node, exp.DPipe):
            parts = exp.Anonymous(this="concat", expressions=[node.left, node.right])
            return exp.Nullif(this=parts, expression=exp.Literal.string(""))
        if isinstance(node, exp.Anonymous) and node.name.upper() == "SYS_EXTRACT_UTC":
            return node.expressions[0]
        return node


def _parsed(query: str) -> exp.Expression:
    if _SIGN in query:
        raise SuiteQLError(UNSUPPORTED)
    try:
        tokens = sqlglot.tokenize(query, read="oracle")
        # TOP and FETCH FIRST are known; LIMIT is not, though sqlglot would read it.
        if any(token.token_type in (TokenType.LIMIT, TokenType.L_BRACKET) for token in tokens):
            raise SuiteQLError(UNSUPPORTED)
        trees = sqlglot.parse(query, read="oracle")
    except SqlglotError as error:
        raise SuiteQLError(UNSUPPORTED) from error
    tree = trees[0]
    if len(trees) != 1 or not isinstance(tree, exp.Query) or tree.find(exp.With, exp.Into):
        raise SuiteQLError(UNSUPPORTED)
    if any(len(part.expressions) > MOST_VALUES for part in tree.find_all(exp.In)):
        raise SuiteQLError("Search error occurred: maximum number of expressions in a list is 1000.")
    marked = any(column.args.get("join_mark") for column in tree.find_all(exp.Column))
    if marked and any(join.args.get("on") for join in tree.find_all(exp.Join)):
        raise SuiteQLError(UNSUPPORTED)
    return sqlglot.transforms.eliminate_join_marks(tree) if marked else tree


def _generated(tree: exp.Expression) -> str:
    try:
        return tree.sql("duckdb", identify=True, unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise SuiteQLError(UNSUPPORTED) from error


def _number_placeholders(tree: exp.Expression) -> int:
    count = 0
    for node in list(tree.dfs()):
        if isinstance(node, exp.Placeholder):
            if node.this:
                raise SuiteQLError(UNSUPPORTED)
            node.replace(exp.Literal.string(f"{_SIGN}{count}{_SIGN}"))
            count += 1
    return count


def _limit_by_rownum(tree: exp.Expression) -> None:
    """`ROWNUM <= n` as Oracle counts: after WHERE and before ORDER BY."""
    for select in tree.find_all(exp.Select):
        where = select.args.get("where")
        conditions = list(where.this.flatten()) if where and isinstance(where.this, exp.And) else []
        for condition in conditions or ([where.this] if where else []):
            if not isinstance(condition, exp.LTE | exp.LT) or condition.left.name != "rownum":
                continue
            rest = [other for other in conditions if other is not condition]
            select.set("where", exp.Where(this=exp.and_(*rest)) if rest else None)
            numbered = exp.Window(this=exp.RowNumber())
            select.set("qualify", exp.Qualify(this=type(condition)(this=numbered, expression=condition.right)))


class _Columns:
    """Finds where each column comes from, refuses what the account does not have, and puts times into its zone."""

    def __init__(
        self,
        tree: exp.Expression,
        kinds: dict[str, dict[str, str]],
        hidden: dict[tuple[str, str], str],
        zone: str,
    ) -> None:
        self._tree = tree
        self._kinds = kinds
        self._hidden = hidden
        self._zone = zone

    def resolve(self) -> None:
        found: list[tuple[exp.Column, str, str]] = []
        seen: set[int] = set()
        for scope in traverse_scope(self._tree):
            self._expand_stars(scope)
        for scope in traverse_scope(self._tree):
            names = {part.alias for part in scope.expression.selects}
            for column in scope.columns:
                # A column of a subquery is offered again by the query around it.
                if id(column) in seen:
                    continue
                seen.add(id(column))
                origin = self._origin(column, scope)
                if origin is not None:
                    found.append((column, *origin))
                elif column.name not in names and not self._is_derived(column, scope):
                    raise self._unknown(column, scope)
        for column, source, table in found:
            self._rewrite(column, source, table)
        if self._tree.find(exp.Dot) is not None:
            raise SuiteQLError(UNSUPPORTED)

    def _expand_stars(self, scope: Scope) -> None:
        select = scope.expression
        if not isinstance(select, exp.Select):
            return
        columns: list[exp.Expression] = []
        for part in select.expressions:
            is_star = isinstance(part, exp.Star) or (isinstance(part, exp.Column) and isinstance(part.this, exp.Star))
            sources = [part.table] if isinstance(part, exp.Column) and part.table else list(scope.sources)
            if not is_star or any(not isinstance(scope.sources.get(name), exp.Table) for name in sources):
                columns.append(part)
                continue
            for name in sources:
                table = scope.sources[name].name
                shown = [column for column in self._kinds.get(table, {}) if (table, column) not in self._hidden]
                columns.extend(exp.column(column, table=name) for column in shown)
        select.set("expressions", columns)

    def _origin(self, column: exp.Column, scope: Scope | None) -> tuple[str, str] | None:
        """(source name, table) of a column of a table, in this query or in one around it."""
        while scope is not None:
            for name, source in scope.sources.items():
                if isinstance(source, exp.Table) and column.table in ("", name):
                    table = source.name
                    if column.name in self._kinds.get(table, {}) and (table, column.name) not in self._hidden:
                        return name, table
            scope = scope.parent
        return None

    @staticmethod
    def _is_derived(column: exp.Column, scope: Scope | None) -> bool:
        while scope is not None:
            for name, source in scope.sources.items():
                is_derived = not isinstance(source, exp.Table) or source.name == "dual"
                if is_derived and column.table in ("", name):
                    return True
            scope = scope.parent
        return False

    def _unknown(self, column: exp.Column, scope: Scope) -> SuiteQLError:
        tables = {name: part.name for name, part in scope.sources.items() if isinstance(part, exp.Table)}
        for name, table in tables.items():
            reason = self._hidden.get((table, column.name)) if column.table in ("", name) else None
            if reason:
                return SuiteQLError(
                    f"Search error occurred: Field '{column.name}' for record '{table}' was not found. "
                    f"Reason: {reason} - Field is {'removed' if reason == 'REMOVED' else 'not exposed'}"
                )
        known = ", ".join(f"{name}={table}" for name, table in sorted(tables.items()))
        return SuiteQLError(
            f"Search error occurred: Unknown identifier '{column.name}'. Available identifiers are: {{{known}}}."
        )

    def _rewrite(self, column: exp.Column, source: str, table: str) -> None:
        kind = self._kinds[table][column.name]
        holder = column.find_ancestor(exp.Where, exp.Select, exp.Join)
        if kind == "list_text" and isinstance(holder, exp.Where | exp.Join):
            raise SuiteQLError(UNSUPPORTED)
        name = column.name
        column.set("table", exp.to_identifier(source))
        call = column.parent
        if isinstance(call, exp.Anonymous) and isinstance(call.parent, exp.Dot):
            _replace(call.parent, self._builtin(call, column, source, table), name)
        elif kind == "datetime" and not _is_wanted_in_utc(column):
            _replace(column, _in_zone(column.copy(), self._zone), name)

    def _builtin(self, call: exp.Anonymous, column: exp.Column, source: str, table: str) -> exp.Expression:
        dot = call.parent
        if not isinstance(dot, exp.Dot) or dot.this.name != "builtin" or len(call.expressions) != 1:
            raise SuiteQLError(UNSUPPORTED)
        function, kind = call.name.upper(), exp.column("type", table=source)
        if (table, column.name) == ("transaction", "status"):
            if function == "CF":
                return sqlglot.func("concat", kind, exp.Literal.string(":"), column.copy())
            if function == "DF":
                looked_up = sqlglot.select("s.name").from_("_status_text AS s")
                return looked_up.where(
                    exp.column("type", table="s").eq(kind), exp.column("status", table="s").eq(column.copy())
                ).subquery()
        if function == "CF":
            return column.copy()
        target = table if column.name == "id" else REFERENCES.get(column.name)
        if function != "DF":
            raise SuiteQLError(UNSUPPORTED)
        if target is None:
            return column.copy()
        target = target or table
        shown = exp.column(NAMES[target], table="named")
        return (
            sqlglot.select(shown)
            .from_(exp.alias_(exp.to_table(target), "named", table=True))
            .where(exp.column("id", table="named").eq(column.copy()))
            .subquery()
        )


def _restrict(tree: exp.Expression, subsidiaries: tuple[int, ...]) -> None:
    """Leaves the transactions of other subsidiaries out, as if they were not there."""
    listed = ", ".join(map(str, subsidiaries)) or "NULL"
    for table in list(tree.find_all(exp.Table)):
        key = _TRANSACTION_KEYS.get(table.name)
        if key is not None:
            kept = f"""SELECT "transaction" FROM transactionline WHERE mainline = 'T' AND subsidiary IN ({listed})"""  # noqa: S608
            seen = sqlglot.parse_one(f'SELECT * FROM "{table.name}" WHERE "{key}" IN ({kept})', read="duckdb")  # noqa: S608
            table.replace(exp.Subquery(this=seen, alias=exp.TableAlias(this=exp.to_identifier(table.alias_or_name))))


def _is_named(part: exp.Expression) -> bool:
    return isinstance(part, exp.Alias | exp.Column | exp.Star)


def _is_wanted_in_utc(node: exp.Expression) -> bool:
    """Whether SYS_EXTRACT_UTC is around it, at any depth: around MAX(t.lastmodifieddate) as well."""
    around = node.parent
    while around is not None and not isinstance(around, exp.Query):
        if isinstance(around, exp.Anonymous) and around.name.upper() == "SYS_EXTRACT_UTC":
            return True
        around = around.parent
    return False


def _replace(old: exp.Expression, new: exp.Expression, name: str) -> None:
    """Puts `new` where `old` was; a selected column keeps its name."""
    is_selected = isinstance(old.parent, exp.Select) and old.arg_key == "expressions"
    old.replace(exp.alias_(new, name) if is_selected else new)


def _in_zone(value: exp.Expression, zone: str) -> exp.Expression:
    utc = exp.Anonymous(this="timezone", expressions=[exp.Literal.string("UTC"), value])
    return exp.Anonymous(this="timezone", expressions=[exp.Literal.string(zone), utc])


def _to_char(node: exp.Expression) -> exp.Expression:
    mask = node.args.get("format")
    if mask is None:
        return exp.cast(node.this, "VARCHAR")
    if not isinstance(mask, exp.Literal):
        raise SuiteQLError(UNSUPPORTED)
    # A mask that sqlglot has understood is in strftime's terms already, but for the quoted parts.
    text = mask.name.replace('"', "") if isinstance(node, exp.TimeToStr) else as_strftime(mask.name)
    return exp.Anonymous(this="strftime", expressions=[node.this, exp.Literal.string(text)])


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "'T'" if value else "'F'"
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    raise SuiteQLError(UNSUPPORTED)


def _row(names: Sequence[str], row: Sequence[Any], as_date: str) -> dict[str, Any]:
    """A row as the vendor sends it: every value a text, NULL left out."""
    record: dict[str, Any] = {"links": []}
    for name, value in zip(names, row, strict=True):
        if value is not None:
            record[name] = _text(value, as_date)
    return record


def _text(value: Any, as_date: str) -> str:
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, datetime | date):
        return value.strftime(as_date)
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal):
        text = f"{value:f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        # Oracle writes no zero before the point.
        return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text
    return str(value)
