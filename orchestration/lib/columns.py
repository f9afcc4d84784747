"""How a column of a table is shown; the command line and the web app read the same description."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Col:
    """A column of a table: key in the row, heading, and how to show it."""

    key: str
    heading: str
    kind: str = "text"  # text, money, moment, number, severity, state
    max_width: int | None = None
