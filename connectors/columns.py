"""Short constructors for the columns of raw tables, so that a table reads as a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pyarrow as pa

from connectors.records import Column, Kind

Paths = str | tuple[str, ...]


def _paths(at: Paths | None) -> tuple[str, ...]:
    if at is None:
        return ()
    return (at,) if isinstance(at, str) else at


def key(name: str, at: Paths | None = None, *, required: bool = True) -> Column:
    """An identifier: text or a whole number, kept as text."""
    return Column(name, pa.string(), not required, Kind.ID, _paths(at))


def text(
    name: str,
    at: Paths | None = None,
    *,
    required: bool = False,
    known: Iterable[str] = (),
    via: Callable[[bytes], str | None] | None = None,
) -> Column:
    return Column(name, pa.string(), not required, Kind.TEXT, _paths(at), via, frozenset(known))


def amount(
    name: str, at: Paths | None = None, *, required: bool = False, via: Callable[[bytes], str | None] | None = None
) -> Column:
    """A decimal number (money, rate or quantity), kept as the vendor's exact text."""
    return Column(name, pa.string(), not required, Kind.AMOUNT, _paths(at), via)


def stamp(name: str, at: Paths | None = None, *, required: bool = False) -> Column:
    """A date, or a date and time with a zone, kept as the vendor's exact text."""
    return Column(name, pa.string(), not required, Kind.STAMP, _paths(at))


def flag(
    name: str, at: Paths | None = None, *, required: bool = False, via: Callable[[bytes], str | None] | None = None
) -> Column:
    """A boolean; `via` answers `true` or `false` in JSON's spelling."""
    return Column(name, pa.bool_(), not required, Kind.BOOLEAN, _paths(at), via)
