"""From a page's bytes to Arrow tables: typed, exact, and never losing a record.

Each feed's record is described once, by the columns of its tables (`connectors.records`). From that description typed
msgspec structs are generated, so that a page is parsed once, only the wanted members become Python objects, and
numbers stay the text that the vendor sent. Columns are then checked as wholes by Arrow.

Two ways through:
- the fast one takes a page in which every record has the documented members with the right types and values;
- otherwise records are decoded one by one, the bad ones are rejected with field and reason, and members that the
  vendor does not document are counted by name.
"""

from __future__ import annotations

import codecs
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import blake2b
from operator import attrgetter
from typing import Any

import msgspec

from connectors.arrays import DECODE_ERRORS
from connectors.errors import BadPayload
from connectors.forms import format_stamp, largest_id, newest_stamp, parse_stamp, plain_decimal
from connectors.records import Decoded, Reject, Table, TableSpec
from connectors.rows import PAGE, Computed, Places, Rows
from connectors.structure import NULL, Levels, Node, place_of

__all__ = [
    "Computed",
    "Envelope",
    "RecordDecoder",
    "format_stamp",
    "largest_id",
    "newest_stamp",
    "parse_stamp",
    "plain_decimal",
    "raw_records",
    "record_hash",
    "split_records",
]

HASH_BYTES = 8
_RECORD_LIST: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])
_ENVELOPE: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Envelope:
    """Where the list of records stands in an answer.

    `member` names it; a bare array and `{"value": [...]}` are understood too. Without a member the whole answer is
    the one record (`is_single`), or a bare array. `inner` names the list within `member` where an XML ancestry left an
    object around it (`{"orders": {"order": [...]}}`); the plain list is understood too. With `line_key`, a member that
    every record has, one record per line (NDJSON) is understood as well.
    """

    member: str | None = None
    is_single: bool = False
    inner: str | None = None
    line_key: str | None = None


def split_records(
    body: bytes, envelope: Envelope, *, vendor: str, call: str
) -> tuple[msgspec.Raw, dict[str, msgspec.Raw]]:
    """The list of records as raw JSON, and the other members of the envelope.

    Raises BadPayload when the body is not JSON or holds no list where the vendor promises one.
    """
    body = body.removeprefix(codecs.BOM_UTF8)
    start = body[:64].lstrip()[:1]
    try:
        if start == b"[" and not envelope.is_single:
            return msgspec.Raw(body), {}
        if start == b"{":
            if envelope.is_single:
                return msgspec.Raw(b"[" + body + b"]"), {}
            try:
                members = _ENVELOPE.decode(body)
            except msgspec.DecodeError:
                if envelope.line_key is None or (lines := _lines(body)) is None:
                    raise
                return lines, {}
            for name in (envelope.member, "value"):
                if name is not None and name in members:
                    records = _unwrapped(members.pop(name), envelope.inner)
                    if bytes(memoryview(records)[:1]) != b"[":
                        raise BadPayload(f"`{name}` is not a list", vendor=vendor, call=call)
                    return records, members
            if envelope.line_key in members:
                return msgspec.Raw(b"[" + body + b"]"), {}
            wanted = envelope.member or "value"
            raise BadPayload(
                f"the answer has no list `{wanted}`, only {sorted(members)[:10]}", vendor=vendor, call=call
            )
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadPayload("the answer is not valid JSON", vendor=vendor, call=call, detail=str(error)) from error
    shown = "an empty body" if not body.strip() else f"something that starts with {start!r}"
    raise BadPayload(f"the answer is not JSON records but {shown}", vendor=vendor, call=call)


def _lines(body: bytes) -> msgspec.Raw | None:
    """One JSON object per line as a list; None when the lines are not that."""
    records = msgspec.Raw(b"[" + b",".join(line for line in body.split(b"\n") if line.strip()) + b"]")
    try:
        _RECORD_LIST.decode(records)
    except msgspec.DecodeError:
        return None
    return records


def _unwrapped(records: msgspec.Raw, inner: str | None) -> msgspec.Raw:
    if inner is None or bytes(memoryview(records)[:1]) != b"{":
        return records
    found = _ENVELOPE.decode(records).get(inner, NULL)
    return msgspec.Raw(b"[]") if bytes(found) == b"null" else found


def raw_records(records: msgspec.Raw, *, vendor: str, call: str) -> list[msgspec.Raw]:
    try:
        return _RECORD_LIST.decode(records)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadPayload(
            "the list of records is not valid JSON", vendor=vendor, call=call, detail=str(error)
        ) from error


def record_hash(record: bytes | msgspec.Raw) -> bytes:
    return blake2b(record, digest_size=HASH_BYTES).digest()


@dataclass(frozen=True, slots=True)
class Cut:
    """A page's records as raw JSON, one by one and as their list."""

    raws: list[msgspec.Raw]
    whole: msgspec.Raw


@dataclass(frozen=True, slots=True)
class DecodedPages:
    """Several pages' rows in common tables, which have `_page` in front, and for each page what was found in it
    (`tables` empty).
    """

    tables: dict[str, Table]
    pages: list[Decoded]


class RecordDecoder:
    """Decodes the pages of one entity. Built once; holds no state between pages.

    - `documented`: every member that the vendor publishes, by the dotted path of its object ("" is the record); an
      object without an entry may hold anything.
    - `promised`: the members, by their own dotted paths, that the vendor says are in every record; they are counted
      where they are not.
    - `wrapped`: by the path of a list, the member of the object that may stand around it
      (`{"order_lines": "order_line"}`).
    - `computed`: columns of the root table that no member holds, from the rest of that table and the page's address.
    """

    def __init__(
        self,
        vendor: str,
        entity: str,
        tables: tuple[TableSpec, ...],
        envelope: Envelope,
        *,
        documented: Mapping[str, frozenset[str]],
        promised: Set[str] = frozenset(),
        wrapped: Mapping[str, str] | None = None,
        computed: Mapping[str, Computed] | None = None,
    ) -> None:
        self.vendor = vendor
        self.entity = entity
        self.tables = tables
        self.envelope = envelope
        self.documented = documented
        self._promised = promised
        self._computed = computed or {}
        root = tables[0]
        self._id_path = tuple((root.columns[0].at or (root.columns[0].name,))[0].split("."))
        self._shape = self._build_shape(tables, self._computed.keys(), wrapped or {})
        name = f"{vendor}_{entity}"
        strict, lenient = self._shape.structs(name, documented)
        self._strict_list: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[strict])  # type: ignore[valid-type]
        self._lenient_list: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[lenient])  # type: ignore[valid-type]
        self._lenient: msgspec.json.Decoder[Any] = msgspec.json.Decoder(lenient)
        self._readers: dict[tuple[str, ...], msgspec.json.Decoder[list[Any]]] = {}

    @staticmethod
    def _build_shape(tables: tuple[TableSpec, ...], computed: Set[str], wrapped: Mapping[str, str]) -> Node:
        shape = Node()
        for table in tables:
            sources = table.sources or ()
            for level in [s.path for s in sources] if table.parent else [""]:
                node = shape
                names = level.split(".") if level else []
                is_mapping = any(s.path == level and s.is_mapping for s in sources)
                for depth, name in enumerate(names):
                    if is_mapping and depth == len(names) - 1:
                        node.mappings.add(name)
                    else:
                        node = node.lists.setdefault(name, Node())
                constants = next((s.constants for s in sources if s.path == level), {})
                for column in table.columns:
                    if column.name in constants or (table.parent is None and column.name in computed):
                        continue
                    for path in column.at or (column.name,):
                        place = place_of(path, level)
                        if is_mapping and place.level == level:
                            continue
                        at = shape
                        for name in place.level.split(".") if place.level else []:
                            at = at.lists.setdefault(name, Node())
                        at.reach(place.objects).leaves.setdefault(place.member, column)
        for path, inner in wrapped.items():
            *above, name = path.split(".")
            node = shape
            for level in above:
                node = node.lists[level]
            node.wrapped[name] = inner
        return shape

    def _member_reader(self, names: tuple[str, ...]) -> msgspec.json.Decoder[list[Any]]:
        """A decoder for a few columns' members of each record: the cheapest way to learn a page's ids and stamps."""
        if names not in self._readers:
            members = []
            for name in names:
                first, *below = self._root_path(name)
                annotation: Any = str | int | None
                for member in reversed(below):
                    inner = msgspec.defstruct(
                        "Inner", [("value", annotation, None)], rename={"value": member}, gc=False
                    )
                    annotation = inner | None
                members.append((name, first, annotation))
            struct = msgspec.defstruct(
                "Members",
                [(name, annotation, None) for name, _, annotation in members],
                rename={name: first for name, first, _ in members},
                gc=False,
            )
            self._readers[names] = msgspec.json.Decoder(list[struct])  # type: ignore[valid-type]
        return self._readers[names]

    def member_values(
        self, names: Sequence[str], records: Sequence[msgspec.Raw], whole: msgspec.Raw
    ) -> dict[str, list[str]]:
        """Root columns' values as text, of the records that have usable ones. Computed columns have none."""
        names = tuple(name for name in names if name not in self._computed)
        reader = self._member_reader(names)
        try:
            found = reader.decode(whole)
        except DECODE_ERRORS:
            found = []
            for record in records:
                with suppress(
                    *DECODE_ERRORS
                ):  # a bad record is refused with its reason when loaded; it moves no cursor
                    found.extend(reader.decode(b"[" + bytes(record) + b"]"))
        values: dict[str, list[str]] = {}
        for name in names:
            column = list(map(attrgetter(name), found))
            for _ in self._root_path(name)[1:]:
                column = [value if value is None else value.value for value in column]
            values[name] = [str(value) for value in column if value is not None]
        return values

    def _root_path(self, name: str) -> list[str]:
        """The members that lead to a root column's value."""
        column = next(c for c in self.tables[0].columns if c.name == name)
        return (column.at or (column.name,))[0].split(".")

    @property
    def needs_address(self) -> bool:
        return bool(self._computed)

    def cut(self, body: bytes) -> Cut:
        """A page's records, not yet decoded. Raises BadPayload."""
        whole, _ = split_records(body, self.envelope, vendor=self.vendor, call=self.entity)
        return Cut(raw_records(whole, vendor=self.vendor, call=self.entity), whole)

    def __call__(self, body: bytes, url: str = "") -> Decoded:
        page = self.cut(body)
        return self.decode_records(page.raws, page.whole, url)

    def decode_records(self, raws: list[msgspec.Raw], whole: msgspec.Raw, url: str = "") -> Decoded:
        several = self.decode_pages([Cut(raws, whole)], url)
        (page,) = several.pages
        return replace(page, tables={name: table.drop_columns([PAGE]) for name, table in several.tables.items()})

    def decode_pages(self, pages: Sequence[Cut], url: str = "") -> DecodedPages:
        """Several pages at once, because a page may be small and each costs something. Columns that need the address
        of their page (`needs_address`) allow only one.
        """
        assert len(pages) == 1 or not self._computed
        rejects: list[list[Reject]] = [[] for _ in pages]
        unknown_fields: list[Counter[str]] = [Counter() for _ in pages]
        raws = [raw for page in pages for raw in page.raws]
        records: list[Any] = []
        at: list[int] = []
        starts: list[int] = []
        start = 0
        for number, page in enumerate(pages):
            starts.append(start)
            positions: Sequence[int] = range(len(page.raws))
            try:
                found = self._strict_list.decode(page.whole)
            except DECODE_ERRORS:
                found, positions = self._decode_one_by_one(page.raws, page.whole, rejects[number])
                for position in positions:
                    self._count_unknown(_untyped(page.raws[position]), self._shape, "", unknown_fields[number])
            records.extend(found)
            at.extend(start + position for position in positions)
            start += len(page.raws)
        hashes = [blake2b(raw, digest_size=HASH_BYTES).hexdigest() for raw in raws]
        places = Places([len(page.raws) for page in pages], hashes)

        rows = self._rows(records, at, places, url)
        if bad := rows.bad:
            for place, (table, value) in bad.items():
                where = f"{table.sources[0].path}.{value.column.name}" if table.sources else value.column.name
                number = bisect_right(starts, place) - 1
                # An empty page starts where the next one does; the last of them holds the record.
                rejects[number].append(
                    Reject(place - starts[number], self._record_id(raws[place]), where, value.reason, value.code)
                )
            kept = [(p, r) for p, r in zip(at, records, strict=True) if p not in bad]
            rows = self._rows([r for _, r in kept], [p for p, _ in kept], places, url)
            assert not rows.bad, "dropping the bad records leaves only good ones"
        reports = [
            Decoded(
                {},
                sorted(rejects[number], key=lambda r: r.position),
                len(page.raws),
                unknown_fields[number],
                rows.unknown_values.get(number, Counter()),
                rows.missing_fields.get(number, Counter()),
            )
            for number, page in enumerate(pages)
        ]
        return DecodedPages(rows.tables, reports)

    def _rows(self, records: Sequence[Any], at: Sequence[int], places: Places, url: str) -> Rows:
        levels = Levels(records, at, self._shape)
        return Rows(self.tables, levels, places, computed=self._computed, promised=self._promised, url=url)

    def _decode_one_by_one(
        self, raws: list[msgspec.Raw], whole: msgspec.Raw, rejects: list[Reject]
    ) -> tuple[list[Any], Sequence[int]]:
        with suppress(*DECODE_ERRORS):  # none fails: there were only undocumented members
            return self._lenient_list.decode(whole), range(len(raws))
        records: list[Any] = []
        positions: list[int] = []
        for position, raw in enumerate(raws):
            try:
                records.append(self._lenient.decode(raw))
            except DECODE_ERRORS as error:
                where, reason = _explain(error)
                rejects.append(Reject(position, self._record_id(raw), where, reason, "WRONG_TYPE"))
            else:
                positions.append(position)
        return records, positions

    def _record_id(self, raw: msgspec.Raw) -> str | None:
        value = _untyped(raw)
        for name in self._id_path:
            value = value.get(name) if isinstance(value, dict) else None
        return str(value)[:200] if isinstance(value, str | int) and not isinstance(value, bool) else None

    def _count_unknown(self, value: Any, node: Node, path: str, counter: Counter[str]) -> None:
        if not isinstance(value, dict):
            return
        known = self.documented.get(path)
        wanted = node.leaves.keys() | node.objects.keys() | node.lists.keys() | node.mappings
        for name, member in value.items():
            below = f"{path}.{name}" if path else name
            if name in node.objects:
                self._count_unknown(member, node.objects[name], below, counter)
            elif name in node.lists:
                if name in node.wrapped and isinstance(member, dict):
                    member = member.get(node.wrapped[name])
                for element in member or ():
                    self._count_unknown(element, node.lists[name], below, counter)
            elif known is not None and name not in wanted and name not in known:
                counter[below] += 1


def _untyped(raw: msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(raw)
    except DECODE_ERRORS:
        return None


def _explain(error: Exception) -> tuple[str, str]:
    """Field and reason of a msgspec error. Its messages name types, never values."""
    message, _, where = str(error).partition(" - at `")
    return where.rstrip("`").removeprefix("$").lstrip(".") or "record", message or type(error).__name__
