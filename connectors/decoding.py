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

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any

import msgspec

from connectors.arrays import DECODE_ERRORS
from connectors.envelopes import HASH_BYTES, Envelope, raw_records, record_hash, split_records
from connectors.forms import format_stamp, largest_id, newest_stamp, parse_stamp, plain_decimal
from connectors.records import Decoded, Reject, Table, TableSpec
from connectors.rows import PAGE, Computed, Places, Rows
from connectors.structure import Levels, Node, place_of

__all__ = [
    "HASH_BYTES",
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


@dataclass(frozen=True, slots=True)
class Parsed:
    """A page's records as structs, where each stands in it, and what was refused on the way.

    `digests`: of every record that the page holds, in order, `HASH_BYTES` each.
    """

    body: bytes
    digests: bytes
    records: list[Any]
    positions: Sequence[int]
    rejects: list[Reject] = field(default_factory=list)
    unknown_fields: Counter[str] = field(default_factory=Counter)

    @property
    def record_count(self) -> int:
        return len(self.digests) // HASH_BYTES


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
        page = msgspec.defstruct(
            f"{name}_page",
            [("records", list[strict])],  # type: ignore[valid-type]
            rename={"records": envelope.member or "value"},
            gc=False,
        )
        self._strict_page: msgspec.json.Decoder[Any] = msgspec.json.Decoder(page)
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
        """Root columns' values as text, each once, of the records that have usable ones. Computed columns have none."""
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
            column: Iterable[Any] = map(attrgetter(name), found)
            for _ in self._root_path(name)[1:]:
                column = [value if value is None else value.value for value in column]
            values[name] = [str(value) for value in dict.fromkeys(column) if value is not None]
        return values

    def _root_path(self, name: str) -> list[str]:
        """The members that lead to a root column's value."""
        column = next(c for c in self.tables[0].columns if c.name == name)
        return (column.at or (column.name,))[0].split(".")

    @property
    def needs_address(self) -> bool:
        return bool(self._computed)

    def parse(self, body: bytes, digests: bytes = b"") -> Parsed:
        """A page's records. `digests` as landing took them save reading the page twice more; without them, or with
        those of another number of records, they are taken here. Raises BadPayload.
        """
        if digests:
            found = self._parse_at_once(body)
            if found is not None and len(found) * HASH_BYTES == len(digests):
                return Parsed(body, digests, found, range(len(found)))
        raws, whole = self._cut(body)
        if len(raws) * HASH_BYTES != len(digests):
            digests = b"".join(map(record_hash, raws))
        try:
            return Parsed(body, digests, self._strict_list.decode(whole), range(len(raws)))
        except DECODE_ERRORS:
            rejects: list[Reject] = []
            unknown: Counter[str] = Counter()
            records, positions = self._decode_one_by_one(raws, whole, rejects)
            for position in positions:
                self._count_unknown(_untyped(raws[position]), self._shape, "", unknown)
            return Parsed(body, digests, records, positions, rejects, unknown)

    def _parse_at_once(self, body: bytes) -> list[Any] | None:
        """The records of an ordinary page in one reading of it; None when anything about it is not ordinary."""
        if self.envelope.is_single:
            return None
        try:
            return self._strict_list.decode(body) if body[:1] == b"[" else self._strict_page.decode(body).records
        except DECODE_ERRORS:
            return None

    def _cut(self, body: bytes) -> tuple[list[msgspec.Raw], msgspec.Raw]:
        whole, _ = split_records(body, self.envelope, vendor=self.vendor, call=self.entity)
        return raw_records(whole, vendor=self.vendor, call=self.entity), whole

    def __call__(self, body: bytes, url: str = "") -> Decoded:
        several = self.decode_pages([self.parse(body)], url)
        (page,) = several.pages
        return replace(page, tables={name: table.drop_columns([PAGE]) for name, table in several.tables.items()})

    def decode_pages(self, pages: Sequence[Parsed], url: str = "") -> DecodedPages:
        """Several pages at once, because a page may be small and each costs something. Columns that need the address
        of their page (`needs_address`) allow only one.
        """
        assert len(pages) == 1 or not self._computed
        rejects = [list(page.rejects) for page in pages]
        records: list[Any] = []
        starts: list[int] = []
        start = 0
        for page in pages:
            starts.append(start)
            records.extend(page.records)
            start += page.record_count
        at: Sequence[int] = range(start)
        if len(records) != start:  # some were refused
            at = [first + position for first, page in zip(starts, pages, strict=True) for position in page.positions]
        places = Places([page.record_count for page in pages], b"".join(page.digests for page in pages))

        rows = self._rows(records, at, places, url)
        if bad := rows.bad:
            raws: dict[int, list[msgspec.Raw]] = {}
            for place, (table, value) in bad.items():
                where = f"{table.sources[0].path}.{value.column.name}" if table.sources else value.column.name
                # An empty page starts where the next one does; the last of them holds the record.
                number = bisect_right(starts, place) - 1
                if number not in raws:
                    raws[number], _ = self._cut(pages[number].body)
                position = place - starts[number]
                record_id = self._record_id(raws[number][position])
                rejects[number].append(Reject(position, record_id, where, value.reason, value.code))
            kept = [(p, r) for p, r in zip(at, records, strict=True) if p not in bad]
            rows = self._rows([r for _, r in kept], [p for p, _ in kept], places, url)
            assert not rows.bad, "dropping the bad records leaves only good ones"
        reports = [
            Decoded(
                {},
                sorted(rejects[number], key=lambda r: r.position),
                page.record_count,
                page.unknown_fields,
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
