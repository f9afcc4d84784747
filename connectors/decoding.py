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
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from hashlib import blake2b
from operator import attrgetter
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from connectors.errors import BadPayload
from connectors.records import Column, Decoded, Kind, Reject, Table, TableSpec

Computed = Callable[[Table, str], Any]
"""A column from the rest of the root table and the page's address."""

HASH_BYTES = 8
NULL = msgspec.Raw(b"null")
PLAIN_DECIMAL = r"^-?(?:0|[1-9][0-9]{0,13})(?:\.[0-9]{1,20})?$"
_PLAIN_DECIMAL = re.compile(PLAIN_DECIMAL)
_DECIMAL = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
MAXIMUM_AMOUNT_TEXT = 64
_ISO_STAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?))?"
)
PLAIN_INSTANT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(?:\.[0-9]{1,6})?Z$"
FUTURE_TOLERANCE = timedelta(days=1)
"""A stamp further ahead of the clock than this does not move a cursor: one bad record must not hide all later ones."""

_DECODE_ERRORS = (msgspec.DecodeError, UnicodeError, RecursionError, ValueError, ArithmeticError)
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
                if envelope.line_key is None:
                    raise
                return _lines(body), {}
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


def _lines(body: bytes) -> msgspec.Raw:
    """One JSON object per line as a list. Whether it is one shows when the list is read."""
    return msgspec.Raw(b"[" + b",".join(line for line in body.split(b"\n") if line.strip()) + b"]")


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


def parse_stamp(value: str) -> datetime | None:
    """An ISO 8601 stamp as an instant in UTC (a bare date is its midnight), or None when it is not one."""
    if not _ISO_STAMP.fullmatch(value):
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    try:
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except OverflowError:
        return None


def format_stamp(value: datetime) -> str:
    """UTC, ISO 8601 with `Z`, milliseconds only when there are any, microseconds cut off."""
    value = value.astimezone(UTC)
    return (
        value.strftime("%Y-%m-%dT%H:%M:%S")
        + (f".{value.microsecond // 1000:03d}" if value.microsecond >= 1000 else "")
        + "Z"
    )


def plain_decimal(value: str) -> str | None:
    """A decimal as plain digits: without quotes or exponent, its value unchanged. None when it is not one or is out of
    range.
    """
    if len(value) > MAXIMUM_AMOUNT_TEXT:
        return None
    if value[:1] == '"' == value[-1:]:
        value = value[1:-1]
    if _PLAIN_DECIMAL.match(value) and not value.endswith("\n"):
        return value
    if not _DECIMAL.fullmatch(value):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    if number.adjusted() > 14 or number.as_tuple().exponent < -20:  # type: ignore[operator]  # finite: the grammar has no NaN
        return None
    plain = format(number, "f")
    return plain if _PLAIN_DECIMAL.match(plain) else None


# --- the record's shape
# ------------------------------------------------------------------------------------------------


class _Entry(msgspec.Struct):
    """One key and value of a mapping source."""

    name: str
    amount: msgspec.Raw


@dataclass(slots=True)
class _Node:
    """An object of the record: the wanted members by name."""

    leaves: dict[str, Column] = field(default_factory=dict)
    objects: dict[str, _Node] = field(default_factory=dict)
    lists: dict[str, _Node] = field(default_factory=dict)
    mappings: set[str] = field(default_factory=set)
    wrapped: dict[str, str] = field(default_factory=dict)

    def reach(self, path: Sequence[str]) -> _Node:
        node = self
        for name in path:
            node = node.objects.setdefault(name, _Node())
        return node

    def structs(
        self, name: str, documented: Mapping[str, frozenset[str]], path: str = ""
    ) -> tuple[type[Any], type[Any]]:
        """Two struct types: a strict one that refuses undocumented members, and one that ignores them."""
        strict: list[tuple[str, Any, Any]] = []
        lenient: list[tuple[str, Any, Any]] = []
        for leaf, column in self.leaves.items():
            kind = column.kind
            if column.via is not None or kind is Kind.AMOUNT:
                member: tuple[str, Any, Any] = (leaf, msgspec.Raw, NULL)
            elif kind is Kind.BOOLEAN:
                member = (leaf, bool | None, None)
            elif kind is Kind.STAMP:
                member = (leaf, str | None, None)
            else:
                member = (leaf, str | int | None, None)
            strict.append(member)
            lenient.append(member)
        for is_list, children in ((False, self.objects), (True, self.lists)):
            for child, node in children.items():
                below = f"{path}.{child}" if path else child
                for members, of_child in zip(
                    (strict, lenient), node.structs(f"{name}_{child}", documented, below), strict=True
                ):
                    annotation: Any = list[of_child] if is_list else of_child  # type: ignore[valid-type]
                    if is_list and child in self.wrapped:
                        around = [(self.wrapped[child], annotation | None, None)]
                        annotation |= _define(f"{name}_{child}_list", around, is_strict=False)
                    members.append((child, annotation | None, None))
        for mapping in self.mappings:
            strict.append((mapping, dict[str, msgspec.Raw] | None, None))
            lenient.append((mapping, dict[str, msgspec.Raw] | None, None))
        wanted = {member[0] for member in strict}
        known = documented.get(path)
        ignored = [(other, msgspec.Raw, NULL) for other in sorted(known - wanted)] if known is not None else []
        return (
            _define(name, [*strict, *ignored], is_strict=known is not None),
            _define(name, lenient, is_strict=False),
        )


def _define(name: str, members: Iterable[tuple[str, Any, Any]], *, is_strict: bool) -> type[Any]:
    """A struct type with one attribute per member; names that Python cannot spell (`@type`) are renamed inside."""
    fields: list[tuple[str, Any, Any]] = []
    renamed: dict[str, str] = {}
    for member, annotation, default in members:
        attribute = member if member.isidentifier() else f"member_{len(fields)}"
        if attribute != member:
            renamed[attribute] = member
        fields.append((attribute, annotation, default))
    return msgspec.defstruct(name, fields, forbid_unknown_fields=is_strict, rename=renamed or None, gc=False)


def _attribute_path(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


@dataclass(frozen=True, slots=True)
class _Place:
    """A column's value seen from one source: which level of its lists, which objects below it, which member."""

    level: str
    objects: tuple[str, ...]
    member: str


def _place(path: str, source: str) -> _Place:
    """Resolve `a.b`, `/a`, `^/a` and `list/a` for rows that come from `source` ("" is the record itself)."""
    level, slash, rest = path.rpartition("/")
    if not slash:
        level = source
    elif level == "^":
        level = source.rpartition(".")[0]
    *objects, member = rest.split(".")
    return _Place(level, tuple(objects), member)


class _Levels:
    """The objects of a list of decoded records, level by level, as flat lists beside the position of their record."""

    def __init__(self, records: Sequence[Any], positions: Sequence[int], shape: _Node) -> None:
        self._shape = shape
        self._elements: dict[str, Sequence[Any]] = {"": records}
        self._parents: dict[str, Sequence[int]] = {}
        self._positions: dict[str, Sequence[int]] = {"": positions}
        self._objects: dict[tuple[str, tuple[str, ...]], Sequence[Any]] = {}

    def _descend(self, level: str) -> None:
        if level in self._elements:
            return
        above, _, name = level.rpartition(".")
        self._descend(above)
        lists = list(map(attrgetter(name), self._elements[above]))
        elements: list[Any] = []
        parents: list[int] = []
        for index, members in enumerate(lists):
            if members:
                if isinstance(members, msgspec.Struct):
                    members = getattr(members, members.__struct_fields__[0]) or ()
                if isinstance(members, dict):
                    elements.extend(_Entry(key, value) for key, value in members.items())
                else:
                    elements.extend(members)
                parents.extend([index] * len(members))
        at = self._positions[above]
        self._elements[level] = elements
        self._parents[level] = parents
        self._positions[level] = [at[index] for index in parents]

    def positions(self, level: str) -> Sequence[int]:
        self._descend(level)
        return self._positions[level]

    def _values_at(self, place: _Place) -> list[Any]:
        self._descend(place.level)
        objects = self._objects.get((place.level, place.objects))
        if objects is None:
            objects = self._elements[place.level]
            walked: tuple[str, ...] = ()
            for name in place.objects:
                walked = (*walked, name)
                cached = self._objects.get((place.level, walked))
                if cached is None:
                    cached = _members(objects, name)
                    self._objects[place.level, walked] = cached
                objects = cached
        return _members(objects, place.member)

    def values(self, place: _Place, level: str) -> list[Any]:
        """The place's values, one for each element of `level`, which is the place's level or below it."""
        values = self._values_at(place)
        chain = []
        while level != place.level:
            chain.append(self._parents[level])
            level = level.rpartition(".")[0]
        for parents in reversed(chain):
            values = [values[index] for index in parents]
        return values


def _members(objects: Sequence[Any], name: str) -> list[Any]:
    """The named member of each object; of an absent object, None."""
    try:
        return list(map(attrgetter(name), objects))
    except AttributeError:  # some object is None, in most columns of most pages all of them
        if not any(objects):
            return list(objects)
        return [o if o is None else getattr(o, name) for o in objects]


# --- columns
# -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _BadValue:
    row: int
    column: Column
    reason: str
    code: str


def _json_text(value: Any) -> str | None:
    """Raw JSON as text; JSON's null and an absent object are None."""
    if value is None:
        return None
    text = bytes(value).decode("utf-8", "replace")
    return None if text == "null" else text


def _array(column: Column, values: list[Any]) -> tuple[Any, list[_BadValue]]:
    """The column's values as an Arrow array (bad ones null), and the bad ones."""
    bad: list[_BadValue] = []
    if column.via is not None:
        values = _derived(column, values, bad)
        array = pa.array(
            [None if v is None else v == "true" for v in values] if column.kind is Kind.BOOLEAN else values, column.type
        )
    elif column.kind is Kind.AMOUNT:
        array = _amounts(column, values, bad)
    elif column.kind is Kind.STAMP:
        array = _stamps(column, values, bad)
    elif column.kind is Kind.BOOLEAN:
        array = pa.array(values, column.type)
    else:
        array = _texts(values)
    if not column.nullable:
        missing = (
            pc.is_null(array) if column.kind is Kind.BOOLEAN else pc.or_kleene(pc.is_null(array), pc.equal(array, ""))
        )
        if pc.any(missing).as_py():
            already = {b.row for b in bad}
            bad.extend(
                _BadValue(row, column, "is missing", "REQUIRED_MISSING")
                for row, is_missing in enumerate(missing.to_pylist())
                if is_missing and row not in already
            )
    return array, bad


def _texts(values: list[Any]) -> Any:
    if not any(values) and values.count(None) == len(values):
        return pa.nulls(len(values), pa.string())
    try:
        return (
            pa.array(values, pa.int64()).cast(pa.string())
            if _begins_with_number(values)
            else pa.array(values, pa.string())
        )
    except (pa.ArrowTypeError, pa.ArrowInvalid, OverflowError):
        return pa.array([v if v is None or isinstance(v, str) else str(v) for v in values], pa.string())


def _begins_with_number(values: list[Any]) -> bool:
    return isinstance(next(filter(None, values), None), int)


def _derived(column: Column, values: list[Any], bad: list[_BadValue]) -> list[str | None]:
    via = column.via
    assert via is not None
    result: list[str | None] = []
    for row, value in enumerate(values):
        raw = b"null" if value is None else bytes(value)
        if raw == b"null":
            result.append(None)
            continue
        try:
            result.append(via(raw))
        except _DECODE_ERRORS:
            bad.append(_BadValue(row, column, "is not of the documented form", "WRONG_TYPE"))
            result.append(None)
    return result


def _amounts(column: Column, values: list[Any], bad: list[_BadValue]) -> Any:
    if values.count(NULL) == len(values) or not any(values):
        return pa.nulls(len(values), pa.string())
    try:
        texts = pa.array(list(map(bytes, values)), pa.binary())
    except TypeError:  # some object on the way is absent
        texts = pa.array([b"null" if v is None else bytes(v) for v in values], pa.binary())
    try:
        array = texts.cast(pa.string())
    except pa.ArrowInvalid:
        array = pa.array([_json_text(v) or "null" for v in values], pa.string())
    is_null = pc.equal(array, "null")
    is_good = pc.or_(is_null, pc.match_substring_regex(array, PLAIN_DECIMAL))
    if pc.all(is_good).as_py() is False:
        fixed: list[str | None] = array.to_pylist()
        for row, good in enumerate(is_good.to_pylist()):
            if good:
                continue
            plain = plain_decimal(fixed[row] or "")
            if plain is None:
                bad.append(_BadValue(row, column, "is not a decimal number of at most 14 digits", "NOT_A_NUMBER"))
            fixed[row] = plain
        array = pa.array(fixed, pa.string())
    return pc.if_else(is_null, pa.scalar(None, pa.string()), array)


def _are_plain_instants(array: Any) -> bool:
    """Whether Arrow itself reads all of them. False is no verdict: rarer forms are looked at one by one."""
    if not pc.all(pc.match_substring_regex(array, PLAIN_INSTANT)).as_py():
        return False
    try:
        array.cast(pa.timestamp("us", tz="UTC"))
    except pa.ArrowInvalid:
        return False
    return True


def _stamps(column: Column, values: list[Any], bad: list[_BadValue]) -> Any:
    array = pa.array(values, pa.string())
    if array.null_count == len(array):
        return array
    if _are_plain_instants(array):
        return array
    for row, value in enumerate(values):
        if value and parse_stamp(value) is None:
            bad.append(_BadValue(row, column, "is not an ISO 8601 date, or date and time with a zone", "BAD_TIMESTAMP"))
    return array if not any(v == "" for v in values) else pa.array([v or None for v in values], pa.string())


# --- the decoder
# -------------------------------------------------------------------------------------------------------


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
        self._id_path = _attribute_path((root.columns[0].at or (root.columns[0].name,))[0])
        self._shape = self._build_shape(tables, self._computed.keys(), wrapped or {})
        name = f"{vendor}_{entity}"
        strict, lenient = self._shape.structs(name, documented)
        self._strict_list: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[strict])  # type: ignore[valid-type]
        self._lenient_list: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[lenient])  # type: ignore[valid-type]
        self._lenient: msgspec.json.Decoder[Any] = msgspec.json.Decoder(lenient)
        self._readers: dict[tuple[str, ...], msgspec.json.Decoder[list[Any]]] = {}

    @staticmethod
    def _build_shape(tables: tuple[TableSpec, ...], computed: Set[str], wrapped: Mapping[str, str]) -> _Node:
        shape = _Node()
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
                        node = node.lists.setdefault(name, _Node())
                constants = next((s.constants for s in sources if s.path == level), {})
                for column in table.columns:
                    if column.name in constants or (table.parent is None and column.name in computed):
                        continue
                    for path in column.at or (column.name,):
                        place = _place(path, level)
                        if is_mapping and place.level == level:
                            continue
                        at = shape
                        for name in place.level.split(".") if place.level else []:
                            at = at.lists.setdefault(name, _Node())
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
                column = next(c for c in self.tables[0].columns if c.name == name)
                first, *below = (column.at or (column.name,))[0].split(".")
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
        except _DECODE_ERRORS:
            found = []
            for record in records:
                with suppress(
                    *_DECODE_ERRORS
                ):  # a bad record is refused with its reason when loaded; it moves no cursor
                    found.extend(reader.decode(b"[" + bytes(record) + b"]"))
        values: dict[str, list[str]] = {}
        for name in names:
            column = list(map(attrgetter(name), found))
            while any(isinstance(value, msgspec.Struct) for value in column):
                column = [value if value is None else value.value for value in column]
            values[name] = [str(value) for value in column if value is not None]
        return values

    @property
    def needs_address(self) -> bool:
        return bool(self._computed)

    def __call__(self, body: bytes, url: str = "") -> Decoded:
        whole, _ = split_records(body, self.envelope, vendor=self.vendor, call=self.entity)
        raws = raw_records(whole, vendor=self.vendor, call=self.entity)
        return self.decode_records(raws, whole, url)

    def decode_records(self, raws: list[msgspec.Raw], whole: msgspec.Raw, url: str = "") -> Decoded:
        rejects: list[Reject] = []
        unknown_fields: Counter[str] = Counter()
        positions: Sequence[int] = range(len(raws))
        try:
            records = self._strict_list.decode(whole)
        except _DECODE_ERRORS:
            records, positions = self._decode_one_by_one(raws, whole, rejects)
            for position in positions:
                self._count_unknown(_untyped(raws[position]), self._shape, "", unknown_fields)
        hashes = [blake2b(raw, digest_size=HASH_BYTES).hexdigest() for raw in raws]

        unknown_values: Counter[str] = Counter()
        missing_fields: Counter[str] = Counter()
        tables, bad = self._tables(records, positions, hashes, unknown_values, missing_fields, url)
        if bad:
            for position, (table, value) in bad.items():
                where = f"{table.sources[0].path}.{value.column.name}" if table.sources else value.column.name
                rejects.append(Reject(position, self._record_id(raws[position]), where, value.reason, value.code))
            kept = [(p, r) for p, r in zip(positions, records, strict=True) if p not in bad]
            unknown_values.clear()
            missing_fields.clear()
            tables, still_bad = self._tables(
                [r for _, r in kept], [p for p, _ in kept], hashes, unknown_values, missing_fields, url
            )
            assert not still_bad, "dropping the bad records leaves only good ones"
        rejects.sort(key=lambda r: r.position)
        return Decoded(tables, rejects, len(raws), unknown_fields, unknown_values, missing_fields)

    def _decode_one_by_one(
        self, raws: list[msgspec.Raw], whole: msgspec.Raw, rejects: list[Reject]
    ) -> tuple[list[Any], Sequence[int]]:
        with suppress(*_DECODE_ERRORS):  # none fails: there were only undocumented members
            return self._lenient_list.decode(whole), range(len(raws))
        records: list[Any] = []
        positions: list[int] = []
        for position, raw in enumerate(raws):
            try:
                records.append(self._lenient.decode(raw))
            except _DECODE_ERRORS as error:
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

    def _count_unknown(self, value: Any, node: _Node, path: str, counter: Counter[str]) -> None:
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

    def _tables(
        self,
        records: Sequence[Any],
        positions: Sequence[int],
        hashes: Sequence[str],
        unknown_values: Counter[str],
        missing_fields: Counter[str],
        url: str,
    ) -> tuple[dict[str, Table], dict[int, tuple[TableSpec, _BadValue]]]:
        levels = _Levels(records, positions, self._shape)
        bad: dict[int, tuple[TableSpec, _BadValue]] = {}
        tables: dict[str, Table] = {}
        for table in self.tables:
            chunks = []
            at: list[int] = []
            for source in table.sources or (None,):
                level = source.path if source else ""
                rows_at = levels.positions(level)
                arrays = []
                for column in table.columns:
                    if table.parent is None and column.name in self._computed:
                        arrays.append(pa.nulls(len(rows_at), column.type))
                        continue
                    if source and column.name in source.constants:
                        arrays.append(pa.array([source.constants[column.name]] * len(rows_at), column.type))
                        continue
                    array, bad_values = _array(column, _first(levels, column, level))
                    for value in bad_values:
                        bad.setdefault(rows_at[value.row], (table, value))
                    if column.known:
                        _count_unknown_values(column, array, unknown_values)
                    if array.null_count and (path := _path_in_record(column, level)) in self._promised:
                        missing_fields[path] += array.null_count
                    arrays.append(array)
                at.extend(rows_at)
                chunks.append(pa.Table.from_arrays(arrays, names=[c.name for c in table.columns]))
            result = chunks[0] if len(chunks) == 1 else pa.concat_tables(chunks).combine_chunks()
            if table.parent is None:
                for name, compute in self._computed.items():
                    result = result.set_column(result.column_names.index(name), name, compute(result, url))
            second: tuple[str, Any] = (
                ("_index", pa.array(_running_index(at), pa.int64()))
                if table.parent
                else ("_hash", pa.array([hashes[p] for p in at], pa.string()))
            )
            result = result.add_column(0, *second).add_column(0, "_position", pa.array(at, pa.int64()))
            tables[table.name] = result
        return tables, bad


def _first(levels: _Levels, column: Column, level: str) -> list[Any]:
    """The first alternative that is not null, element by element."""
    paths = column.at or (column.name,)
    values = levels.values(_place(paths[0], level), level)
    for path in paths[1:]:
        empty = [i for i, v in enumerate(values) if v is None or v == ""]
        if not empty:
            break
        others = levels.values(_place(path, level), level)
        for i in empty:
            values[i] = others[i]
    return values


def _path_in_record(column: Column, level: str) -> str:
    """The dotted path of the member that a column is read from first."""
    place = _place((column.at or (column.name,))[0], level)
    return ".".join(part for part in (place.level, *place.objects, place.member) if part)


def _running_index(positions: Sequence[int]) -> list[int]:
    """0, 1, 2, … within each position."""
    seen: Counter[int] = Counter()
    result = []
    for position in positions:
        result.append(seen[position])
        seen[position] += 1
    return result


def _count_unknown_values(column: Column, array: Any, counter: Counter[str]) -> None:
    for entry in pc.value_counts(array).to_pylist():
        value = entry["values"]
        if value is not None and value not in column.known:
            counter[f"{column.name}={value[:60]}"] += entry["counts"]


def _untyped(raw: msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(raw)
    except _DECODE_ERRORS:
        return None


def _explain(error: Exception) -> tuple[str, str]:
    """Field and reason of a msgspec error. Its messages name types, never values."""
    message, _, where = str(error).partition(" - at `")
    return where.rstrip("`").removeprefix("$").lstrip(".") or "record", message or type(error).__name__


def newest_stamp(values: Iterable[str], *, not_after: datetime) -> str | None:
    """The latest of the stamps that are not in the future, as `format_stamp` writes it."""
    limit = not_after + FUTURE_TOLERANCE
    parsed = [p for p in map(parse_stamp, set(values)) if p is not None and p <= limit]
    return format_stamp(max(parsed)) if parsed else None


def largest_id(values: Iterable[str]) -> str | None:
    """The largest whole number among the ids."""
    numbers = [int(v) for v in values if v.lstrip("-").isdigit() and v.isascii()]
    return str(max(numbers)) if numbers else None
