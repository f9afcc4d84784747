"""What passes between connectors and the pipeline: windows in, pages out, and how pages become tables.

Every value of a vendor's record reaches a table as text exactly as sent (amounts, quantities, time stamps, ids), or
as a boolean. No number is ever a binary float.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

import pyarrow as pa

Table = Any  # a pyarrow.Table; pyarrow ships no types
Mode = Literal["cursor", "keyset", "snapshot", "by_id"]
Route = Literal["INTERACTIVE", "EXPORT"]
"""How records are fetched: page by page, or as files that the vendor prepares."""


class Kind(StrEnum):
    """What a column's text must be; the decoder checks it and rejects the record otherwise."""

    ID = "id"  # text or whole number, never empty when required
    TEXT = "text"
    AMOUNT = "amount"  # decimal number, at most 14 digits before the point and 12 after it, no exponent
    STAMP = "stamp"  # ISO 8601 date, or date and time with a zone
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True)
class Window:
    """What to read. `since` (UTC) is already moved back by the feed's overlap; None reads everything.

    `after_id` is the largest id already landed; only keyset feeds look at it. `ids` are what a `by_id` feed is read
    for, nothing when there are none.
    """

    since: datetime | None = None
    after_id: str | None = None
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One answer, exactly as received.

    `number` counts from 1 within one call of `pages`. `url` holds no secret and no person's data. `record_hashes` are
    8-byte XXH3 digests of each record's bytes in order, so `len(record_hashes) == record_count`. `declared_count`
    is the vendor's own total for the whole extraction where it gives one. `cursor` is the largest update stamp
    (cursor feeds, normalised to UTC ISO 8601 with `Z`) or id (keyset feeds) seen in this page, None when the page has
    none.
    """

    entity: str
    number: int
    body: bytes
    url: str
    status: int
    fetched_at: datetime
    record_count: int
    record_hashes: tuple[bytes, ...]
    declared_count: int | None
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a raw table and where its value stands in the vendor's record.

    `at` is a path inside the row's object (`entities.order.id`); the first of several that is not null wins.
    `/order_id` starts at the record, `^/id` at the object that holds the row's list, `order_lines/id` at the element
    of that list. An empty `at` means the column's own name. `via` turns the JSON text found there into the column's
    text (or None). `known` lists the vendor's published values; others are counted, never refused.
    """

    name: str
    type: Any = field(default_factory=pa.string)  # pyarrow.DataType
    nullable: bool = True
    kind: Kind = Kind.TEXT
    at: tuple[str, ...] = ()
    via: Callable[[bytes], str | None] | None = None
    known: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a child table's rows come from: a path of nested lists (`order_lines.refunds`) in the record.

    `constants` fills columns with fixed text. With `is_mapping` the last name is an object, whose keys and values
    become rows with the members `name` and `amount`.
    """

    path: str
    constants: Mapping[str, str] = field(default_factory=dict)
    is_mapping: bool = False


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A raw table's vendor columns.

    A decoded table has `_position` (int64: the record's index in the page, from 0) in front of them, then `_hash`
    (text: 16 hex digits, the same digest as `Page.record_hashes`) in a root table, or `_index` (int64: the row's
    index among the record's rows of this table, from 0) in a child table (`parent` is set).
    """

    name: str
    columns: tuple[Column, ...]
    parent: str | None = None
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that did not become rows, and why. `position` is its index in the page; `field` a path such as
    `order.price`.

    `reason` never repeats the refused value when it could be personal: it names the expectation.
    """

    position: int
    record_id: str | None
    field: str
    reason: str
    code: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """A page as Arrow tables. Nothing vanishes: `record_count` = rows of the root table + `len(rejects)`.

    `unknown_fields` counts keys that the vendor does not document (`order_lines.foo`), `unknown_values` counts values
    outside the published ones (`type=NEW_FEE`), `missing_fields` counts those that the vendor promises in every
    record and did not give (`order_lines.category_code`); the record is kept, unless a table cannot do without it.
    """

    tables: dict[str, Table]
    rejects: list[Reject]
    record_count: int
    unknown_fields: Counter[str]
    unknown_values: Counter[str]
    missing_fields: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class IdSource:
    """Where the ids of a `by_id` feed come from.

    `column` of the raw table `table` (of the same account) holds them; null and empty ones are no ids. With a
    `version_column` an id is read again when its row there is newer than what was read for it; without one, once.
    `held_as` is the column of the feed's own root table that repeats the id. An id may have no record at all (an order
    without documents), so that an absent row does not mean that it was never read. `ids_per_call` is how many of them
    one call takes, which decides how many a run reads.
    """

    table: str
    column: str
    version_column: str | None
    held_as: str
    ids_per_call: int = 1


@dataclass(frozen=True, slots=True)
class FeedSpec:
    """How one entity of one vendor is read and decoded. The first table is the root; the others hang on it.

    - `cursor`: records change; read since the newest `version_column`, keep the newest per `id_columns`.
    - `keyset`: records are only added; read after the largest id.
    - `snapshot`: read whole each time; the newest complete batch is the truth.
    - `by_id`: read for the ids of `Window.ids`, which come from `ids_from`.

    `decode` raises `BadPayload` when the page as a whole cannot be read, never for a single record. A page whose
    answer does not say what it was asked for (a document's file, the lines of a document) has `decode_at`, which takes
    the page's address too: call `decoded`, which knows.
    """

    vendor: str
    entity: str
    mode: Mode
    tables: tuple[TableSpec, ...]
    id_columns: tuple[str, ...]
    version_column: str | None
    decode: Callable[[bytes], Decoded]
    ids_from: IdSource | None = None
    decode_at: Callable[[bytes, str], Decoded] | None = None

    def decoded(self, body: bytes, url: str) -> Decoded:
        """A landed page as tables. `url` is the page's (`Page.url`)."""
        return self.decode(body) if self.decode_at is None else self.decode_at(body, url)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One finding of `check()`: what was tried, whether it worked, and what a person should do when it did not.

    With `is_warning` nothing is broken yet: somebody should look, the account can be worked with.
    """

    name: str
    ok: bool
    detail: str
    action: str = ""
    is_warning: bool = False
