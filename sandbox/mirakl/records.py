"""Seek-paged lists of plain records: filters as data, an order by time and id, tokens that carry the whole question.

For feeds whose records writes may change. A page goes on behind a sort key, not behind a row number, so a chain of
pages neither skips nor repeats a record that stays where it is.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Literal, NamedTuple

from starlette.responses import Response

from sandbox import jsonio
from sandbox.clock import milliseconds
from sandbox.mirakl.calls import Call
from sandbox.mirakl.paging import Filters, question_of, seek_response
from sandbox.mirakl.values import ListForm
from sandbox.seek import Position, Question

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Choice:
    """A list parameter: a record passes when one of `read`'s values is among those asked for."""

    name: str
    read: Callable[[Record], Iterable[Any]]
    allowed: frozenset[str] | None = None
    form: ListForm = "REPEATED"
    is_integer: bool = False

    def ask(self, call: Call) -> tuple[str, ...]:
        if self.is_integer:
            return call.query.whole_numbers(self.name, self.form)
        return call.many(self.name, self.allowed, self.form)

    def passes(self, record: Record, values: Sequence[str]) -> bool:
        return any(str(value) in values for value in self.read(record) if value is not None)


@dataclass(frozen=True)
class Bound:
    """A date-time parameter: a record passes when its stamp is there and not before (or after) the one asked for."""

    name: str
    read: Callable[[Record], Any]
    side: Literal["FROM", "TO"]

    def ask(self, call: Call) -> tuple[str, ...]:
        value = call.time(self.name)
        return () if value is None else (str(value),)

    def passes(self, record: Record, values: Sequence[str]) -> bool:
        stamp = self.read(record)
        if stamp is None:
            return False
        at, limit = milliseconds(stamp), int(values[0])
        return at >= limit if self.side == "FROM" else at <= limit


Filter = Choice | Bound


def member(*path: str) -> Callable[[Record], Any]:
    """Reads a nested member; None where a part of the path is missing or null."""

    def read(record: Record) -> Any:
        value: Any = record
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    return read


def only(*path: str) -> Callable[[Record], tuple[Any, ...]]:
    """A nested member as the one value that a choice looks at."""
    read = member(*path)
    return lambda record: (read(record),)


def each(name: str, part: str) -> Callable[[Record], tuple[Any, ...]]:
    """A member of every element of a list."""
    return lambda record: tuple(element.get(part) for element in record.get(name) or ())


def record_page(
    call: Call,
    records: Iterable[Record],
    filters: Sequence[Filter],
    sorts: Mapping[str, Callable[[Record], Any]],
    *,
    limit: int = 100,
    default_limit: int = 10,
    show: Callable[[Record], Any] | None = None,
    is_ascending: bool = False,
) -> Response:
    """One page of `records`. `sorts`: criterion to stamp, the first is the default; equal stamps go by id.

    Later pages answer the question of the first: it travels in the token.
    """

    def ask() -> Filters:
        return {part.name: part.ask(call) for part in filters}

    question, start = question_of(
        call, tuple(sorts), limit, ask, default_limit=default_limit, is_ascending=is_ascending
    )
    asked = [(part, values) for name, values in question.filters for part in filters if part.name == name]
    chosen = (record for record in records if all(part.passes(record, values) for part, values in asked))
    read = sorts[question.sort]
    ranked = [_Ranked((_time(read(record)), _identity(record)), record) for record in chosen]
    ranked.sort(key=attrgetter("key"))
    page, following, preceding = _cut(ranked, start, question)
    bodies = [jsonio.encode(show(record) if show else record) for record in page]
    return seek_response(bodies, question, following, preceding, call.account.salt)


_Key = tuple[int, str]


class _Ranked(NamedTuple):
    key: _Key
    record: Record


def _cut(
    ranked: list[_Ranked], start: Position | None, question: Question
) -> tuple[list[Record], Position | None, Position | None]:
    """The records of one page, and where the next and the previous page start."""
    is_backwards = start is not None and start.is_backwards
    rows = list(reversed(ranked)) if question.is_descending != is_backwards else ranked
    if start is not None:
        is_falling = question.is_descending != is_backwards
        rows = [row for row in rows if (row.key < start.key if is_falling else row.key > start.key)]
    page, is_more = rows[: question.limit], len(rows) > question.limit
    if is_backwards:
        page.reverse()
    has_next = bool(page) and (is_more or is_backwards)
    has_previous = bool(page) and start is not None and (is_more or not is_backwards)
    return (
        [row.record for row in page],
        Position(page[-1].key, False) if has_next else None,
        Position(page[0].key, True) if has_previous else None,
    )


def _time(stamp: str | None) -> int:
    return milliseconds(stamp) if stamp else 0


def _identity(record: Record) -> str:
    return "|".join(str(record[name]) for name in ("id", "order_id", "order_line_id") if name in record)
