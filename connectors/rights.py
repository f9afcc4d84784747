"""The least rights that each vendor's key, user or role needs, as data: `rights.csv` beside this file, one row a right.

A right is needed while one of its `feeds` is read or one of its `kinds` of write is switched on. A row with neither
names a right that Tieout never needs and that shows. Rows with `is_required` false are needed by some accounts only:
they are neither missed nor too much. docs/rights.md shows the same rows as templates.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from connectors.records import CheckResult

ANY = "*"
LEVELS = ("NONE", "VIEW", "CREATE", "EDIT", "FULL")
"""NetSuite's levels, each of which holds those before it; their places are the numbers that it calls them by."""


@dataclass(frozen=True, slots=True)
class Right:
    """`level` is NetSuite's, empty elsewhere; `shown_by` names the call that tells whether a key has the right."""

    vendor: str
    side: str
    right: str
    level: str
    feeds: frozenset[str]
    kinds: frozenset[str]
    is_required: bool
    shown_by: str
    note: str

    def serves(self, feeds: Collection[str], kinds: Collection[str]) -> list[str]:
        """What it is needed for, in words: feeds that are read, kinds that are switched on. Empty: for nothing."""
        read = sorted(feeds) if ANY in self.feeds else sorted(self.feeds & set(feeds))
        written = sorted(kinds) if ANY in self.kinds else sorted(self.kinds & set(kinds))
        return read + written


@cache
def rights(vendor: str, side: str = "") -> tuple[Right, ...]:
    return tuple(right for right in all_rights() if (right.vendor, right.side) == (vendor, side))


@cache
def all_rights() -> tuple[Right, ...]:
    with Path(__file__).with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Right(
                row["vendor"],
                row["side"],
                row["right"],
                row["level"],
                _names(row["feeds"]),
                _names(row["kinds"]),
                row["is_required"] == "true",
                row["shown_by"],
                row["note"],
            )
            for row in csv.DictReader(file)
        )


def kinds_of(vendor: str) -> frozenset[str]:
    """Every kind of write that some right of the vendor is for."""
    return frozenset(kind for right in all_rights() if right.vendor == vendor for kind in right.kinds) - {ANY}


def too_many(account: str, found: Iterable[str], action: str) -> CheckResult:
    """The finding about rights that the account has and does not need; a warning, because everything works."""
    listed = sorted(found)
    name = f"{account}: rights that are not needed"
    if not listed:
        return CheckResult(name, True, "none that shows")
    return CheckResult(name, False, "; ".join(listed), action, is_warning=True)


def too_few(account: str, found: Iterable[str], action: str) -> CheckResult:
    """The finding about rights that a feed or a kind of write that is switched on misses."""
    listed = sorted(found)
    name = f"{account}: rights that are missing"
    return CheckResult(name, not listed, "; ".join(listed) or "none that shows", action if listed else "")


def unseen(account: str, detail: str) -> CheckResult:
    """What the vendor lets nobody ask, and where a person finds it. No fault of the account."""
    return CheckResult(f"{account}: rights that cannot be asked for", True, detail)


def purposes(names: Collection[str]) -> str:
    shown = sorted(names)
    return ", ".join(shown[:4]) + (f" and {len(shown) - 4} more" if len(shown) > 4 else "")


def _names(cell: str) -> frozenset[str]:
    return frozenset(part for part in cell.split("|") if part)
