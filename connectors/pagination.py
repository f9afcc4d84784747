"""How each style of paging asks for its next page: a paginator learns from an answer and shapes the next request, no
more.

Each guards against a server that never ends: a token or a page that comes again raises BadPayload, because reading on
would land the same records for ever, and stopping would lose the rest silently.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

import msgspec

from connectors.errors import BadPayload

MAXIMUM_EMPTY_PAGES = 5
MAXIMUM_PAGES = 100_000
_LINK = re.compile(r'<([^>]*)>\s*;[^,]*?\brel="?next"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Learned:
    """What a paginator may know of an answer: its records' digests, its envelope's other members, its headers, its last
    record.
    """

    record_hashes: Sequence[bytes]
    members: Mapping[str, msgspec.Raw]
    headers: Mapping[str, str]
    keys: Sequence[str] = ()
    last_record: msgspec.Raw | None = None


@dataclass(frozen=True, slots=True)
class NextPage:
    """Parameters that replace those of the same name, or the vendor's own link, which then says everything."""

    parameters: Mapping[str, str]
    link: str | None = None


class Paginator(Protocol):
    def first(self) -> Mapping[str, str]: ...

    def next(self, learned: Learned) -> NextPage | None: ...

    @property
    def declared_count(self) -> int | None: ...


class Guard:
    """Remembers the pages of one extraction by digest and refuses one that comes twice."""

    def __init__(self, vendor: str, call: str) -> None:
        self.vendor = vendor
        self.call = call
        self._pages: set[bytes] = set()
        self._empty = 0
        self._count = 0

    def bad(self, message: str) -> BadPayload:
        return BadPayload(message, vendor=self.vendor, call=self.call)

    def check(self, record_hashes: Sequence[bytes]) -> None:
        self._count += 1
        if self._count > MAXIMUM_PAGES:
            raise self.bad(f"more than {MAXIMUM_PAGES} pages")
        if not record_hashes:
            self._empty += 1
            if self._empty > MAXIMUM_EMPTY_PAGES:
                raise self.bad(f"more than {MAXIMUM_EMPTY_PAGES} empty pages, each promising another")
            return
        self._empty = 0
        digest = blake2b(b"".join(record_hashes), digest_size=16).digest()
        if digest in self._pages:
            raise self.bad("the same page came twice: paging does not advance")
        self._pages.add(digest)


def member_int(raw: msgspec.Raw | None) -> int | None:
    """A whole number of the envelope; None when absent or not one."""
    if raw is None:
        return None
    try:
        return msgspec.json.decode(raw, type=int)
    except (msgspec.DecodeError, UnicodeError):
        return None


def member_text(raw: msgspec.Raw | None) -> str | None:
    """A text of the envelope; absent, null and empty are all None."""
    if raw is None:
        return None
    try:
        return msgspec.json.decode(raw, type=str | None) or None
    except (msgspec.DecodeError, UnicodeError):
        return None


class LinkOffset:
    """`max` and `offset`, with the `Link` header's `rel="next"` as the vendor's word on whether there is more.

    Without a `Link` header the `total_count` decides, and without that a page that is not full is the last.
    """

    def __init__(self, size: int, guard: Guard) -> None:
        self._size = size
        self._offset = 0
        self._guard = guard
        self._total: int | None = None

    def first(self) -> Mapping[str, str]:
        return {"max": str(self._size), "offset": "0"}

    @property
    def declared_count(self) -> int | None:
        return self._total

    def next(self, learned: Learned) -> NextPage | None:
        self._guard.check(learned.record_hashes)
        count = len(learned.record_hashes)
        self._total = total if (total := member_int(learned.members.get("total_count"))) is not None else self._total
        self._offset += count
        link = learned.headers.get("link")
        if link is not None and (found := _LINK.search(link)):
            return NextPage({}, found.group(1))
        is_known = self._total is not None
        has_more = count > 0 and self._offset < (self._total or 0) if is_known else count >= self._size
        return NextPage({"max": str(self._size), "offset": str(self._offset)}) if has_more else None


class PageToken:
    """`limit` and `page_token`: read on until `next_page_token` is absent, null or empty."""

    def __init__(self, size: int, guard: Guard) -> None:
        self._size = size
        self._guard = guard
        self._seen: set[str] = set()

    def first(self) -> Mapping[str, str]:
        return {"limit": str(self._size)}

    @property
    def declared_count(self) -> int | None:
        return None

    def next(self, learned: Learned) -> NextPage | None:
        self._guard.check(learned.record_hashes)
        token = member_text(learned.members.get("next_page_token"))
        if token is None:
            return None
        if token in self._seen:
            raise self._guard.bad("the same next_page_token came twice: paging does not advance")
        self._seen.add(token)
        return NextPage({"limit": str(self._size), "page_token": token})


class ODataKeyset:
    """`$filter=<key> gt <last>` in the key's order, which neither skips nor repeats while rows are added.

    Rows that share a `key` are told apart by `second_key`; without that, those that a page's end parts from each other
    would be lost. `declared_count` (from `$count`) keeps it reading when the server's pages are smaller than asked for;
    without it a page that is not full is the last.
    """

    def __init__(
        self,
        size: int,
        guard: Guard,
        *,
        key: str = "id",
        second_key: str | None = None,
        condition: str | None = None,
        after: str | None = None,
        declared_count: int | None = None,
    ) -> None:
        self._size = size
        self._guard = guard
        self._keys = (key, second_key) if second_key else (key,)
        self._condition = condition
        self._last: tuple[int, ...] | None = (int(after),) if after is not None else None
        self._declared = declared_count
        self._read = 0

    @property
    def declared_count(self) -> int | None:
        return self._declared

    def _parameters(self) -> dict[str, str]:
        conditions = [c for c in (self._condition, self._beyond()) if c]
        parameters = {"$orderby": ",".join(f"{key} asc" for key in self._keys), "$top": str(self._size)}
        if conditions:
            parameters["$filter"] = " and ".join(conditions)
        return parameters

    def _beyond(self) -> str | None:
        if self._last is None:
            return None
        key, last = self._keys[0], self._last[0]
        beyond = [f"({key} eq {last} and {k} gt {v})" for k, v in zip(self._keys[1:], self._last[1:], strict=False)]
        return f"({key} gt {last} or {beyond[0]})" if beyond else f"{key} gt {last}"

    def first(self) -> Mapping[str, str]:
        return self._parameters()

    def next(self, learned: Learned) -> NextPage | None:
        count = len(learned.record_hashes)
        self._read += count
        is_short = count < self._size
        if count == 0 or (is_short and (self._declared is None or self._read >= self._declared)):
            return None
        self._guard.check(learned.record_hashes)
        largest = self._largest(learned)
        if largest is None or (self._last is not None and largest <= self._last):
            raise self._guard.bad(f"no `{self._keys[0]}` beyond the last page's: paging does not advance")
        self._last = largest
        return NextPage(self._parameters())

    def _largest(self, learned: Learned) -> tuple[int, ...] | None:
        if len(self._keys) == 1:
            numbers = [int(v) for v in learned.keys if v.lstrip("-").isdigit()]
            return (max(numbers),) if numbers else None
        # The answer is in the order of both keys, so its last record holds the largest pair. A null one is left out.
        try:
            last = msgspec.json.decode(learned.last_record or b"", type=dict[str, msgspec.Raw])
            first, second = (int(msgspec.json.decode(last.get(key, b"0"))) for key in self._keys)
        except (msgspec.DecodeError, TypeError, ValueError):
            return None
        return (first, second)


class SinglePage:
    """The whole list, or one object, in one answer."""

    def first(self) -> Mapping[str, str]:
        return {}

    @property
    def declared_count(self) -> int | None:
        return None

    def next(self, learned: Learned) -> NextPage | None:
        return None
