"""What a feed asks SuiteQL for, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from connectors.netsuite.fields import Field
from connectors.records import Mode

KeyKind = Literal["number", "text", "day"]
PRIMARY_BOOK = "{primary_book}"
"""Stands in a condition for the id of the primary accounting book."""


@dataclass(frozen=True, slots=True)
class Key:
    """A column of the order in which a feed is read. `name` is the raw column."""

    name: str
    sql: str
    kind: KeyKind = "number"


@dataclass(frozen=True, slots=True)
class Condition:
    """`needs` are the vendor's columns it speaks of: without one of them it is left out when it may be (`is_dropped`
    says so), because the account then has nothing to tell apart.
    """

    sql: str
    needs: tuple[str, ...] = ()
    is_dropped: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """One feed. `table` is the vendor's main table. `changed` are the time stamps by which a window is drawn; with
    several, a change of any of them counts.
    """

    entity: str
    mode: Mode
    table: str
    source: str
    fields: tuple[Field, ...]
    keys: tuple[Key, ...]
    conditions: tuple[Condition, ...] = ()
    changed: tuple[str, ...] = ()
    version_column: str | None = None
    id_columns: tuple[str, ...] = ("id",)


BY_ID = (Key("id", "t.id"),)
