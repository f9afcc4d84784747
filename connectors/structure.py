"""The shape of a record: the members that tables are made of, as msgspec structs, and their values level by level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import msgspec

from connectors.records import Column, Kind

NULL = msgspec.Raw(b"null")


class Entry(msgspec.Struct):
    """One key and value of a mapping source."""

    name: str
    amount: msgspec.Raw


@dataclass(slots=True)
class Node:
    """An object of the record: the wanted members by name."""

    leaves: dict[str, Column] = field(default_factory=dict)
    objects: dict[str, Node] = field(default_factory=dict)
    lists: dict[str, Node] = field(default_factory=dict)
    mappings: set[str] = field(default_factory=set)
    wrapped: dict[str, str] = field(default_factory=dict)

    def reach(self, path: Sequence[str]) -> Node:
        node = self
        for name in path:
            node = node.objects.setdefault(name, Node())
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


@dataclass(frozen=True, slots=True)
class Place:
    """A column's value seen from one source: which level of its lists, which objects below it, which member."""

    level: str
    objects: tuple[str, ...]
    member: str


def place_of(path: str, source: str) -> Place:
    """Resolve `a.b`, `/a`, `^/a` and `list/a` for rows that come from `source` ("" is the record itself)."""
    level, slash, rest = path.rpartition("/")
    if not slash:
        level = source
    elif level == "^":
        level = source.rpartition(".")[0]
    *objects, member = rest.split(".")
    return Place(level, tuple(objects), member)


class Levels:
    """The objects of a list of decoded records, level by level, as flat lists beside the position of their record."""

    def __init__(self, records: Sequence[Any], positions: Sequence[int], shape: Node) -> None:
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
                    elements.extend(Entry(key, value) for key, value in members.items())
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

    def _values_at(self, place: Place) -> list[Any]:
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

    def values(self, place: Place, level: str) -> list[Any]:
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
