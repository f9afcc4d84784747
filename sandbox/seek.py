"""Mirakl's seek paging: pages that go on from a sort key, with tokens that carry the whole question."""

import base64
import bisect
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass


class TokenError(ValueError):
    """A page token that this server did not issue."""


@dataclass(frozen=True)
class Question:
    """What the first request of a chain of pages asked; later ones carry it in their token and ignore parameters."""

    call: str
    shop_id: int
    sort: str
    is_descending: bool
    limit: int
    filters: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Position:
    """Where a page starts: behind `key` = (milliseconds, ordinal or id), or, when going back, before it."""

    key: tuple[int, int | str]
    is_backwards: bool


def seal(question: Question, position: Position, salt: str) -> str:
    """An opaque page token."""
    content = [
        question.call,
        question.shop_id,
        question.sort,
        question.is_descending,
        question.limit,
        question.filters,
        position.key,
        position.is_backwards,
    ]
    body = json.dumps(content, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_signature(body, salt) + body).decode().rstrip("=")


def unseal(token: str, call: str, salt: str) -> tuple[Question, Position]:
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        signature, body = raw[:12], raw[12:]
        if signature != _signature(body, salt):
            raise TokenError("foreign token")
        found, shop_id, sort, is_descending, limit, filters, key, is_backwards = json.loads(body)
    except (ValueError, TypeError) as error:
        raise TokenError(str(error)) from error
    if found != call:
        raise TokenError("token of another call")
    question = Question(
        call, shop_id, sort, is_descending, limit, tuple((name, tuple(values)) for name, values in filters)
    )
    return question, Position((key[0], key[1]), is_backwards)


def _signature(body: bytes, salt: str) -> bytes:
    return hashlib.blake2b(body, key=salt.encode()[:64], digest_size=12).digest()


@dataclass(frozen=True)
class SeekPage:
    """Positions of one page's records, in the order asked for, and where the neighbouring pages start."""

    positions: list[int]
    following: Position | None
    preceding: Position | None


class SeekIndex:
    """Records ordered by one or more time criteria; equal times keep the order in which the records were made."""

    def __init__(self, keys: dict[str, list[int]], positions: Sequence[int] | None = None) -> None:
        self._keys = keys
        members = range(len(next(iter(keys.values())))) if positions is None else positions
        self._ranked = {
            sort: sorted((column[position], position) for position in members) for sort, column in keys.items()
        }

    def column(self, sort: str) -> Sequence[int]:
        return self._keys[sort]

    def positions(self, sort: str) -> list[int]:
        """All records in the order of a criterion."""
        return [position for _, position in self._ranked[sort]]

    def put(self, position: int, keys: dict[str, int]) -> None:
        """Ranks a record whose times changed, or a new one, whose position is the number of records so far."""
        for sort, key in keys.items():
            column, ranked = self._keys[sort], self._ranked[sort]
            if position == len(column):
                column.append(key)
            else:
                del ranked[bisect.bisect_left(ranked, (column[position], position))]
                column[position] = key
            bisect.insort(ranked, (key, position))

    def remove(self, position: int) -> None:
        """Takes a record out of every order; its position stays taken."""
        for sort, ranked in self._ranked.items():
            del ranked[bisect.bisect_left(ranked, (self._keys[sort][position], position))]

    def subset(self, positions: Sequence[int]) -> "SeekIndex":
        return SeekIndex(self._keys, positions)

    def page(
        self,
        question: Question,
        start: Position | None,
        matches: Callable[[int], bool] | None,
        bounds: dict[str, tuple[int | None, int | None]],
    ) -> SeekPage:
        """One page. `bounds`: inclusive (from, to) in milliseconds per criterion; the sort's own goes by bisection."""
        ranked = self._ranked[question.sort]
        low, high = bounds.get(question.sort, (None, None))
        first = 0 if low is None else bisect.bisect_left(ranked, (low, -1))
        last = len(ranked) if high is None else bisect.bisect_right(ranked, (high, len(ranked) + 1))
        is_backwards = start is not None and start.is_backwards
        is_falling = question.is_descending != is_backwards
        if start is not None:
            if is_falling:
                last = min(last, bisect.bisect_left(ranked, start.key))
            else:
                first = max(first, bisect.bisect_right(ranked, start.key))
        walk = range(last - 1, first - 1, -1) if is_falling else range(first, last)
        found: list[tuple[int, int]] = []
        is_more = False
        for rank in walk:
            if matches is not None and not matches(ranked[rank][1]):
                continue
            if len(found) == question.limit:
                is_more = True
                break
            found.append(ranked[rank])
        if is_backwards:
            found.reverse()
        has_next = bool(found) and (is_more or is_backwards)
        has_previous = bool(found) and start is not None and (is_more or not is_backwards)
        return SeekPage(
            positions=[position for _, position in found],
            following=Position(found[-1], False) if has_next else None,
            preceding=Position(found[0], True) if has_previous else None,
        )
