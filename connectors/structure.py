"""The shape of a record: the members that tables are made of, as msgspec structs, and their values level by level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import msgspec
from msgspec.structs import astuple

from connectors.records import Column, Kind

NULL = msgspec.Raw(b"null")
AT_A_TIME = 2000


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

    @property
    def members(self) -> list[str]:
        """Names of the wanted members, in the order that their structs have."""
        return [*self.leaves, *self.objects, *self.lists, *self.mappings]

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
        self._shapes: dict[str, Node | None] = {"": shape}
        self._elements: dict[str, Sequence[Any]] = {"": records}
        self._parents: dict[str, Sequence[int]] = {}
        self._positions: dict[str, Sequence[int]] = {"": positions}
        self._columns: dict[tuple[str, tuple[str, ...]], dict[str, list[Any]]] = {}

    def _descend(self, level: str) -> None:
        if level in self._elements:
            return
        above, _, name = level.rpartition(".")
        self._descend(above)
        node = self._shapes[above]
        found = self._members(above, ())[name]
        if node is not None and name in node.wrapped:
            found = [_unwrapped(members) for members in found]
        elif node is not None and name in node.mappings:
            found = [members and [Entry(key, value) for key, value in members.items()] for members in found]
        held = [(index, members) for index, members in enumerate(found) if members]
        at = self._positions[above]
        parents: Sequence[int]
        if len(held) == sum(map(len, (members for _, members in held))):  # none has two
            parents = [index for index, _ in held]
        else:
            parents = [index for index, members in held for _ in members]
        self._shapes[level] = None if node is None else node.lists.get(name)
        self._elements[level] = list(chain.from_iterable(members for _, members in held))
        self._parents[level] = parents
        self._positions[level] = [at[index] for index in parents]

    def positions(self, level: str) -> Sequence[int]:
        self._descend(level)
        return self._positions[level]

    def _members(self, level: str, path: tuple[str, ...]) -> dict[str, list[Any]]:
        """All members of the level's elements, or of their objects at `path`, each as a list."""
        if (level, path) not in self._columns:
            node = self._shapes[level]
            if path:
                elements: Sequence[Any] = self._members(level, path[:-1])[path[-1]]
                for name in path:
                    node = node.objects[name] if node is not None else None
            else:
                elements = self._elements[level]
            names = list(Entry.__struct_fields__) if node is None else node.members
            self._columns[level, path] = _columns(elements, names)
        return self._columns[level, path]

    def values(self, place: Place, level: str) -> list[Any]:
        """The place's values, one for each element of `level`, which is the place's level or below it. Not to be
        changed: they are remembered.
        """
        self._descend(level)
        if not self._elements[level]:
            return []
        values = self._members(place.level, place.objects)[place.member]
        chain = []
        while level != place.level:
            chain.append(self._parents[level])
            level = level.rpartition(".")[0]
        for parents in reversed(chain):
            values = [values[index] for index in parents]
        return values


def _unwrapped(members: Any) -> Any:
    """A list that may have an object around it, or None."""
    return getattr(members, members.__struct_fields__[0]) if isinstance(members, msgspec.Struct) else members


def _columns(elements: Sequence[Any], names: Sequence[str]) -> dict[str, list[Any]]:
    """Structs turned into lists by member; an element that is None has None everywhere.

    Through tuples, some thousand at a time: a struct gives all its members at once for the price of two by name, and
    what was just read is still in the processor's cache.
    """
    if not any(elements):  # a struct is true
        return dict.fromkeys(names, [None] * len(elements))
    nothing = (None,) * len(names)
    columns: list[list[Any]] = [[] for _ in names]
    for start in range(0, len(elements), AT_A_TIME):
        part = elements[start : start + AT_A_TIME]
        rows = map(astuple, part) if all(part) else [nothing if one is None else astuple(one) for one in part]
        # A struct's first members are the wanted ones, in the order of `names`; those behind them are cut off here.
        for column, values in zip(columns, zip(*rows, strict=False), strict=False):
            column.extend(values)
    return dict(zip(names, columns, strict=True))
