"""The deviations that are documented, with their sources: `deviations.toml`.

An entry covers every deviation of its calls, part, kind and places. It must say where the vendor's documents are known
to be incomplete or wrong (`source`) and what is true instead (`why`): an entry is a claim about Mirakl, never a way to
silence the sandbox.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from tests.contracts.judge import Deviation, Part
from tests.contracts.published import Side

FILE = Path(__file__).with_name("deviations.toml")
ANY = "*"


class Documented(BaseModel):
    """One entry. `calls` and `at` may be `["*"]`; `sides` defaults to both."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    calls: tuple[str, ...] = Field(min_length=1)
    sides: tuple[Side, ...] = ("seller", "operator")
    part: Part
    kind: str = Field(min_length=1)
    at: tuple[str, ...] = Field(min_length=1)
    source: str = Field(min_length=10)
    why: str = Field(min_length=10)

    def covers(self, deviation: Deviation) -> bool:
        return (
            deviation.side in self.sides
            and deviation.part == self.part
            and deviation.kind == self.kind
            and (ANY in self.calls or deviation.call in self.calls)
            and (ANY in self.at or deviation.at in self.at)
        )


def read(file: Path = FILE) -> list[Documented]:
    """The entries of the file. Raises ValueError (pydantic's) for one that is not complete."""
    return [Documented.model_validate(entry) for entry in tomllib.loads(file.read_text("utf-8"))["deviation"]]


def documented(deviation: Deviation, entries: Iterable[Documented]) -> Documented | None:
    """The first entry that covers it."""
    return next((entry for entry in entries if entry.covers(deviation)), None)
