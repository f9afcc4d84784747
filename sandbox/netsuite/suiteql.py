"""SuiteQL, answered by running it: Oracle's dialect is translated by sqlglot into DuckDB's and executed.

Refused as the vendor refuses: LIMIT, WITH, unknown tables and columns, tables the role may not see, lists longer than
1000 values, multi-selects in WHERE, BUILTIN functions other than DF and CF.
Times are rendered in the account's zone, unless SYS_EXTRACT_UTC is around them; dates without TO_CHAR lose the time.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError, UnsupportedError
from sqlglot.tokens import TokenType

from sandbox.netsuite.answers import literal, records
from sandbox.netsuite.columns import UNSUPPORTED, Columns, SuiteQLError, in_zone, is_wanted_in_utc
from sandbox.netsuite.database import Database
from sandbox.netsuite.keyset import Keyset, SortedKeys, keyset_of
from sandbox.netsuite.masks import as_strftime
from sandbox.netsuite.sign_in import ROLE
from sandbox.netsuite.world import NetSuiteSettings

MOST_VALUES = 1000
SERVER_ZONE = ZoneInfo("America/Los_Angeles")
_TRANSACTION_KEYS = {"transaction": "id", "transactionline": "transaction", "transactionaccountingline": "transaction"}
# Stands in the translated text for a parameter, or for the time; a query that holds the sign itself is refused.
_SIGN = "\N{SECTION SIGN}"
_SLOTS = re.compile(f"'{_SIGN}(now|lower|upper|n?[0-9]+){_SIGN}'")
# What a number is compared with changes from page to page: a query is translated once for all of them.
_NUMBERS = re.compile(r"""'[^']*'|"[^"]*"|(?<=[=>] )[0-9]{1,18}(?![\w.]|\s*[-+*/|])""")
_NOW = f"{_SIGN}now{_SIGN}"


@dataclass(frozen=True)
class _Translated:
    """A query in DuckDB's dialect, its parameters left open; `plain` is the same without the outer order."""

    ordered: str
    plain: str
    slots: int
    is_ordered: bool
    takes_limit: bool
    keyset: "_OpenKeyset | None"


@dataclass(frozen=True)
class _OpenKeyset:
    """`Keyset` in DuckDB's dialect, with the slots of its position."""

    keys: str
    page: str
    position: tuple[tuple[str, ...], ...]
    types: tuple[type, ...]


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
        self._sorted = SortedKeys(database)

    def page(self, query: str, params: Sequence[Any], limit: int, offset: int) -> tuple[list[dict[str, str]], int]:
        """One page and the number of rows in all, counted up to the ceiling. Raises SuiteQLError."""
        settings = self._settings
        if not settings.builtin_allowed and "builtin." in query.lower():
            raise SuiteQLError(UNSUPPORTED)
        hidden = tuple(sorted((*key, why) for key, why in settings.hidden_columns.items()))
        subsidiaries = settings.role_subsidiaries
        seen = None if subsidiaries is None else tuple(sorted(subsidiaries))
        lifted, values = _lifted(query)
        denied = frozenset(settings.denied_tables) | self._behind_permissions(query)
        translated = self._translate(lifted, hidden, denied, seen)
        if translated.slots != len(params):
            raise SuiteQLError(f"Search error occurred: {translated.slots} parameters expected, {len(params)} given.")
        values |= {str(slot): value for slot, value in enumerate(params)}
        values["now"] = f"{self._now():%Y-%m-%d %H:%M:%S}"
        try:
            behind = self._behind(translated, values, limit, offset)
            if behind is not None:
                names, rows = self._database.fetch(behind[0])
                total = min(behind[1], settings.row_ceiling)
            else:
                names, rows, total = self._whole(translated, values, limit, offset)
        except duckdb.Error as error:
            raise SuiteQLError(UNSUPPORTED) from error
        return records(names, rows, as_strftime(settings.date_format)), total

    def _behind_permissions(self, query: str) -> set[str]:
        """Of the tables that only some roles see, those that this one does not; the others are brought up to date."""
        granted = dict(one.split("=") for one in self._settings.role_permissions)
        denied = set() if "LIST_EMPLOYEE" in granted else {"employee"}
        if not self._settings.shows_permissions:
            return {*denied, "rolepermissions"}
        if "rolepermissions" in query.lower():
            self._database.tell_permissions(ROLE, {key: int(level) for key, level in granted.items()})
        return denied

    def _whole(
        self, translated: _Translated, values: Mapping[str, Any], limit: int, offset: int
    ) -> tuple[list[str], list[tuple[Any, ...]], int]:
        """A page of a query that is executed as it stands, and the count of its rows."""
        ordered = _filled(translated.ordered, values)
        if translated.takes_limit:
            page = f"{ordered} LIMIT {limit} OFFSET {offset}"
        else:
            # Every page runs the query again; without an order nothing says that its rows come as they came before.
            shuffle = "" if translated.is_ordered or not offset else f" ORDER BY hash(q, {offset})"
            page = f"SELECT * FROM ({ordered}) AS q{shuffle} LIMIT {limit} OFFSET {offset}"  # noqa: S608
        names, rows = self._database.fetch(page)
        if rows and len(rows) < limit:
            return names, rows, offset + len(rows)
        plain = _filled(translated.plain, values)
        counted = f"SELECT count(*) FROM (SELECT 1 FROM ({plain}) AS q LIMIT {self._settings.row_ceiling})"  # noqa: S608
        return names, rows, self._database.value(counted)

    def _behind(
        self, translated: _Translated, values: Mapping[str, Any], limit: int, offset: int
    ) -> tuple[str, int] | None:
        """The same page of a query that reads on behind a position, looked for only where its rows can be, and the
        number of rows behind the position. None when the query is none of that kind.
        """
        keyset = translated.keyset
        if keyset is None:
            return None
        position = [values[slots[0]] for slots in keyset.position]
        is_one = all(values[slot] == values[slots[0]] for slots in keyset.position for slot in slots)
        if not is_one or tuple(map(type, position)) != keyset.types:
            return None
        found = self._sorted.behind(_filled(keyset.keys, values), position, offset + limit)
        if found is None:
            return None
        bounds = {"lower": position[0], "upper": found[0]}
        return f"{_filled(keyset.page, {**values, **bounds})} LIMIT {limit} OFFSET {offset}", found[1]

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
        columns = Columns(tree, self._database.kinds, reasons, self._zone)
        columns.resolve()
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
        keyset = _opened(keyset_of(tree, columns.read, _slot("lower"), _slot("upper")))
        if takes_limit:
            # Counting needs no order.
            tree.set("order", None)
        plain = _generated(tree) if takes_limit else ordered
        return _Translated(ordered, plain, slots, is_ordered, takes_limit, keyset)

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
            if is_wanted_in_utc(node):
                return exp.Literal.string(_NOW)
            # SYSDATE is the server's time, the others are the account's.
            zone = SERVER_ZONE.key if node.args.get("sysdate") else self._zone
            return in_zone(exp.Literal.string(_NOW), zone)
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


def _slot(name: str) -> exp.Literal:
    return exp.Literal.string(f"{_SIGN}{name}{_SIGN}")


def _lifted(query: str) -> tuple[str, dict[str, Any]]:
    """A query with slots for the numbers that something is compared with, and those numbers."""
    if _SIGN in query:
        raise SuiteQLError(UNSUPPORTED)
    values: dict[str, Any] = {}

    def lift(found: re.Match[str]) -> str:
        if not found[0].isdigit():
            return found[0]
        name = f"n{len(values)}"
        values[name] = int(found[0])
        return f"'{_SIGN}{name}{_SIGN}'"

    return _NUMBERS.sub(lift, query), values


def _filled(sql: str, values: Mapping[str, Any]) -> str:
    """A translated query with its values, put in at once, so that none is read as a place for another."""

    def value(slot: re.Match[str]) -> str:
        text = literal(values[slot[1]])
        if text is None:
            raise SuiteQLError(UNSUPPORTED)
        return f"TIMESTAMP {text}" if slot[1] == "now" else text

    return _SLOTS.sub(value, sql)


def _opened(keyset: Keyset | None) -> _OpenKeyset | None:
    """None as well for a position that is written as text, which compares by other rules."""
    if keyset is None:
        return None
    found = [[_SLOTS.fullmatch(part.sql()) for part in parts] for parts in keyset.position]
    position = tuple(tuple(slot[1] for slot in slots if slot) for slots in found)
    if any(len(slots) < len(parts) for slots, parts in zip(position, found, strict=True)):
        return None
    return _OpenKeyset(_generated(keyset.keys), _generated(keyset.page), position, keyset.types)


def _parsed(query: str) -> exp.Expression:
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
            node.replace(_slot(str(count)))
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


def _to_char(node: exp.Expression) -> exp.Expression:
    mask = node.args.get("format")
    if mask is None:
        return exp.cast(node.this, "VARCHAR")
    if not isinstance(mask, exp.Literal):
        raise SuiteQLError(UNSUPPORTED)
    # A mask that sqlglot has understood is in strftime's terms already, but for the quoted parts.
    text = mask.name.replace('"', "") if isinstance(node, exp.TimeToStr) else as_strftime(mask.name)
    return exp.Anonymous(this="strftime", expressions=[node.this, exp.Literal.string(text)])
