"""Where each column of a SuiteQL query comes from: what the account lacks is refused, times go into its zone."""

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from sandbox.netsuite.contract import NAMES, REFERENCES

PREFIX = "Invalid search query. Detailed unprocessed description follows. "
UNSUPPORTED = "Search error occurred: Invalid or unsupported search."


class SuiteQLError(Exception):
    """A query the vendor refuses; the text is the vendor's."""

    def __init__(self, detail: str) -> None:
        super().__init__(PREFIX + detail)


class Columns:
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
        self.read: dict[str, str] = {}
        """Kinds of the columns that stay as they are, by their SQL."""

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
        self.read[column.sql()] = kind
        call = column.parent
        if isinstance(call, exp.Anonymous) and isinstance(call.parent, exp.Dot):
            _replace(call.parent, self._builtin(call, column, source, table), name)
        elif kind == "datetime" and not is_wanted_in_utc(column):
            _replace(column, in_zone(column.copy(), self._zone), name)

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
        if function == "DF" and column.name == "shipmethod":
            named = sqlglot.select("m.name").from_("_ship_method AS m")
            return named.where(exp.column("id", table="m").eq(column.copy())).subquery()
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


def is_wanted_in_utc(node: exp.Expression) -> bool:
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


def in_zone(value: exp.Expression, zone: str) -> exp.Expression:
    utc = exp.Anonymous(this="timezone", expressions=[exp.Literal.string("UTC"), value])
    return exp.Anonymous(this="timezone", expressions=[exp.Literal.string(zone), utc])
