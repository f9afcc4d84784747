"""Sage 200's subset of OData query options: parsing, checking and evaluating `$filter`, `$orderby`, `$select`,
`$expand`.

Strict where Sage is strict: an unknown field, a quoted number, an unquoted text, a time without `Z`, `$skip` without
`$orderby` are errors (QueryError, answered with 400). Text compares without regard to case, as the SQL Server behind
Sage does. Rows are dicts in the vendor's shape; an absent property is null: it equals nothing and orders first.
"""

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sandbox.clock import milliseconds

DEFAULT_TOP = 500
MAXIMUM_TOP = 5000

Row = Mapping[str, Any]
Predicate = Callable[[Row], bool]


class QueryError(ValueError):
    """A query option that Sage answers with 400; the text is the body."""


@dataclass(frozen=True)
class Shape:
    """A resource's fields (name → `string|date|integer|number|boolean`) and its children, each with its own fields."""

    fields: Mapping[str, str]
    children: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    many: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Query:
    """A checked query. `key_floor` is N of a top-level `<key> gt N` conjunct when the order is by key, ascending.
    `texts`: a text field and, in lower case, the values of which every row that is asked for has one.
    """

    predicate: Predicate | None
    order: tuple[tuple[str, bool], ...]
    top: int
    skip: int
    select: frozenset[str] | None
    select_children: Mapping[str, frozenset[str]]
    expand: tuple[str, ...]
    is_count: bool
    is_metadata: bool
    key_floor: int | None
    texts: tuple[str, frozenset[str]] | None = None


# --- $filter ---------------------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^']|'')*')
      | (?P<stamp>\d{4}-\d{2}-\d{2}(?:T[0-9:.]+(?:Z|[+-]\d{2}:\d{2})?)?)(?![\w.])
      | (?P<number>-?\d+(?:\.\d+)?)(?![\w.])
      | (?P<word>[A-Za-z_][\w./]*)
      | (?P<mark>[(),])
    )""",
    re.VERBOSE,
)
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda value, part: part in value,
    "startswith": str.startswith,
    "endswith": str.endswith,
}
# Sage takes an enumeration by its number or by its name. Only the numbers that are published or observed are known
# here.
ENUM_NUMBERS: dict[str, dict[str, str]] = {
    "document_status": {
        "0": "EnumDocumentStatusLive",
        "1": "EnumDocumentStatusOnHold",
        "2": "EnumDocumentStatusComplete",
        "3": "EnumDocumentStatusDispute",
        "4": "EnumDocumentStatusCancelled",
    },
}


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise QueryError(f"Syntax error at position {position} in '{text}'.")
        kind = match.lastgroup or ""
        found.append((kind, match.group(kind)))
        position = match.end()
    return found


@dataclass(frozen=True)
class _Node:
    """A part of a parsed filter. `floor` is set on `<field> gt <integer>`: a keyset read then starts by bisection.
    `members` is set on `<field> eq <literal>`, and on several of them with `or` between: rows with one of these values.
    """

    test: Predicate
    conjuncts: tuple["_Node", ...] = ()
    floor: tuple[str, int] | None = None
    members: tuple[str, frozenset[Any]] | None = None


class _Parser:
    def __init__(self, text: str, shape: Shape) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        self._shape = shape

    def parse(self) -> _Node:
        if not self._tokens:
            raise QueryError("The $filter expression is empty.")
        node = self._either()
        if self._at < len(self._tokens):
            raise QueryError(f"Syntax error: unexpected '{self._tokens[self._at][1]}' in the $filter expression.")
        return node

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "end of expression")

    def _take(self) -> tuple[str, str]:
        token = self._peek()
        self._at += 1
        return token

    def _accept(self, kind: str, text: str) -> bool:
        if self._peek() == (kind, text):
            self._at += 1
            return True
        return False

    def _expect(self, kind: str, text: str) -> None:
        if not self._accept(kind, text):
            raise QueryError(f"Syntax error: '{text}' expected, found '{self._peek()[1]}' in the $filter expression.")

    def _either(self) -> _Node:
        parts = [self._both()]
        while self._accept("word", "or"):
            parts.append(self._both())
        if len(parts) == 1:
            return parts[0]
        of_parts = [part.members for part in parts if part.members]
        if len(of_parts) == len(parts) and len({column for column, _ in of_parts}) == 1:
            return self._among(of_parts[0][0], frozenset().union(*(wanted for _, wanted in of_parts)))
        tests = [part.test for part in parts]
        return _Node(lambda row: any(test(row) for test in tests))

    def _among(self, column: str, wanted: frozenset[Any]) -> _Node:
        read = _READERS[self._type_of(column)]
        return _Node(
            lambda row: (value := row.get(column)) is not None and read(value) in wanted, members=(column, wanted)
        )

    def _both(self) -> _Node:
        parts = [self._negation()]
        while self._accept("word", "and"):
            parts.append(self._negation())
        if len(parts) == 1:
            return parts[0]
        flat = tuple(leaf for part in parts for leaf in (part.conjuncts or (part,)))
        tests = [leaf.test for leaf in flat]
        return _Node(lambda row: all(test(row) for test in tests), conjuncts=flat)

    def _negation(self) -> _Node:
        if self._accept("word", "not"):
            inner = self._negation().test
            return _Node(lambda row: not inner(row))
        return self._primary()

    def _primary(self) -> _Node:
        if self._accept("mark", "("):
            node = self._either()
            self._expect("mark", ")")
            return node
        kind, name = self._take()
        if kind != "word":
            raise QueryError(f"Syntax error: a field name expected, found '{name}' in the $filter expression.")
        if name in _FUNCTIONS:
            return self._function(name)
        return self._comparison(name)

    def _function(self, name: str) -> _Node:
        self._expect("mark", "(")
        column = self._take()[1]
        if self._type_of(column) != "string":
            raise QueryError(f"The function '{name}' needs a text field; '{column}' is not one.")
        self._expect("mark", ",")
        kind, literal = self._take()
        if kind != "text":
            raise QueryError(f"The function '{name}' needs a quoted text, found '{literal}'.")
        self._expect("mark", ")")
        part = _unquote(literal).casefold()
        apply = _FUNCTIONS[name]
        return _Node(lambda row: (value := row.get(column)) is not None and apply(str(value).casefold(), part))

    def _comparison(self, column: str) -> _Node:
        column_type = self._type_of(column)
        kind, name = self._take()
        if kind != "word" or name not in _COMPARISONS:
            raise QueryError(f"Syntax error: a comparison expected after '{column}', found '{name}'.")
        compare = _COMPARISONS[name]
        kind, literal = self._take()
        if (kind, literal) == ("word", "null"):
            if name not in ("eq", "ne"):
                raise QueryError(f"'{column}' can be compared with null by eq and ne only.")
            wants_null = name == "eq"
            return _Node(lambda row: (row.get(column) is None) is wants_null)
        wanted = _literal(column, column_type, kind, literal)
        read = _READERS[column_type]
        # As in SQL a null satisfies no comparison; OData's ne is the one that a null passes.
        null_passes = name == "ne"

        def test(row: Row) -> bool:
            value = row.get(column)
            return null_passes if value is None else compare(read(value), wanted)

        floor = (column, int(wanted)) if name == "gt" and column_type == "integer" else None
        return _Node(test, floor=floor, members=(column, frozenset((wanted,))) if name == "eq" else None)

    def _type_of(self, column: str) -> str:
        try:
            return self._shape.fields[column]
        except KeyError:
            raise QueryError(f"Could not find a property named '{column}'.") from None


def _unquote(literal: str) -> str:
    return literal[1:-1].replace("''", "'")


def _literal(column: str, column_type: str, kind: str, literal: str) -> Any:
    mismatch = QueryError(f"The value {literal} does not fit the field '{column}' of type {column_type}.")
    if column_type == "string":
        if kind != "text":
            raise mismatch
        text = _unquote(literal)
        return ENUM_NUMBERS.get(column, {}).get(text, text).casefold()
    if column_type == "boolean":
        if (kind, literal) not in (("word", "true"), ("word", "false")):
            raise mismatch
        return literal == "true"
    if column_type == "date":
        if kind != "stamp" or ("T" in literal and not literal.endswith("Z")):
            raise mismatch
        try:
            return milliseconds(literal)
        except ValueError:
            raise mismatch from None
    if kind != "number" or (column_type == "integer" and "." in literal):
        raise mismatch
    return int(literal) if column_type == "integer" else Decimal(literal)


_READERS: dict[str, Callable[[Any], Any]] = {
    "string": lambda value: str(value).casefold(),
    "boolean": bool,
    "date": milliseconds,
    "integer": int,
    "number": lambda value: value,
}


# --- the other options -----------------------------------------------------------------------------------------------

_LIST_OPTIONS = frozenset({"$filter", "$orderby", "$top", "$skip", "$select", "$expand", "$count", "$metadata"})
_SINGLE_OPTIONS = frozenset({"$select", "$expand", "$metadata"})


def parse_query(
    options: Mapping[str, str],
    shape: Shape,
    *,
    key: str,
    default_order: tuple[tuple[str, bool], ...],
    is_single: bool = False,
) -> Query:
    """Checks the `$` options of one request against the resource's shape. Other parameters are ignored.

    `key` is the resource's identity (`id`, or a view's own); `default_order` = ((field, is_descending), ...).
    """
    allowed = _SINGLE_OPTIONS if is_single else _LIST_OPTIONS
    for name in options:
        if name.startswith("$") and name not in allowed:
            raise QueryError(f"The query option '{name}' is not allowed here.")
    order = _order(options["$orderby"], shape) if "$orderby" in options else default_order
    if "$skip" in options and "$orderby" not in options:
        raise QueryError("$skip can only be used together with $orderby.")
    top = _whole(options, "$top", DEFAULT_TOP)
    if top > MAXIMUM_TOP:
        raise QueryError(f"The limit of '{MAXIMUM_TOP}' for $top has been exceeded: {top}.")
    node = _Parser(options["$filter"], shape).parse() if "$filter" in options else None
    expand = tuple(_names(options.get("$expand", "")))
    for name in expand:
        if name not in shape.children:
            raise QueryError(f"Could not find a property named '{name}' to expand.")
    select, select_children = _select(options.get("$select"), shape, expand)
    return Query(
        predicate=node.test if node else None,
        order=order,
        top=top,
        skip=_whole(options, "$skip", 0),
        select=select,
        select_children=select_children,
        expand=expand,
        is_count=_flag(options, "$count"),
        is_metadata=_flag(options, "$metadata"),
        key_floor=_floor(node, order, key),
        texts=_texts(node, shape),
    )


def _floor(node: _Node | None, order: tuple[tuple[str, bool], ...], key: str) -> int | None:
    if node is None or order[:1] != ((key, False),):
        return None
    leaves = node.conjuncts or (node,)
    floors = [leaf.floor[1] for leaf in leaves if leaf.floor and leaf.floor[0] == key]
    return max(floors, default=None)


def _texts(node: _Node | None, shape: Shape) -> tuple[str, frozenset[str]] | None:
    leaves = () if node is None else node.conjuncts or (node,)
    return next((leaf.members for leaf in leaves if leaf.members and shape.fields[leaf.members[0]] == "string"), None)


def _names(text: str) -> Iterable[str]:
    return (part.strip() for part in text.split(",") if part.strip())


def _whole(options: Mapping[str, str], name: str, default: int) -> int:
    text = options.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"\d{1,9}", text):
        raise QueryError(f"Invalid value '{text}' for {name}.")
    return int(text)


def _flag(options: Mapping[str, str], name: str) -> bool:
    text = options.get(name)
    if text not in (None, "true", "false"):
        raise QueryError(f"Invalid value '{text}' for {name}.")
    return text == "true"


def _order(text: str, shape: Shape) -> tuple[tuple[str, bool], ...]:
    order: list[tuple[str, bool]] = []
    for part in _names(text):
        column, _, direction = part.partition(" ")
        if column not in shape.fields:
            raise QueryError(f"Could not find a property named '{column}'.")
        if direction.strip() not in ("", "asc", "desc"):
            raise QueryError(f"Syntax error in $orderby at '{part}'.")
        order.append((column, direction.strip() == "desc"))
    if not order:
        raise QueryError("The $orderby expression is empty.")
    return tuple(order)


def _select(
    text: str | None, shape: Shape, expand: tuple[str, ...]
) -> tuple[frozenset[str] | None, dict[str, frozenset[str]]]:
    if text is None:
        return None, {}
    columns: set[str] = set()
    children: dict[str, set[str]] = {}
    for name in _names(text):
        parent, dot, child = name.partition(".")
        if not dot and parent in shape.fields:
            columns.add(parent)
        elif parent in shape.children and (not dot or child in shape.children[parent]):
            if parent not in expand:
                raise QueryError(f"'{parent}' can only be selected when it is expanded.")
            if dot:
                children.setdefault(parent, set()).add(child)
        else:
            raise QueryError(f"Could not find a property named '{name}'.")
    return frozenset(columns), {name: frozenset(parts) for name, parts in children.items()}


def sort_rows(rows: Sequence[Row], order: tuple[tuple[str, bool], ...], shape: Shape) -> list[Row]:
    """Rows in the order asked for; the sort is stable, nulls first in ascending order."""
    result = list(rows)
    for column, is_descending in reversed(order):
        read = _READERS[shape.fields[column]]
        result.sort(
            key=lambda row, c=column, r=read: (0, 0) if row.get(c) is None else (1, r(row[c])),  # type: ignore[misc]
            reverse=is_descending,
        )
    return result
