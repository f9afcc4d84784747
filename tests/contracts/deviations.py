"""The deviations that are documented, with their sources: `deviations.toml` for Mirakl, `deviations_<erp>.toml`.

An entry covers every deviation of its calls, part, kind and places. It must say where the vendor's documents are known
to be incomplete or wrong (`source`) and what is true instead (`why`): an entry is a claim about the vendor, never a way
to silence the sandbox.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from tests.contracts.judge import Deviation, Part
from tests.contracts.published import Side

FILES: Mapping[Path, tuple[Side, ...]] = {
    Path(__file__).with_name("deviations.toml"): ("seller", "operator"),
    Path(__file__).with_name("deviations_sage200.toml"): ("sage200",),
    Path(__file__).with_name("deviations_netsuite.toml"): ("netsuite",),
}
"""Each file with the sides that its entries speak of unless they say otherwise."""
ANY = "*"


class Documented(BaseModel):
    """One entry. `calls` and `at` may be `["*"]`, `at` also `*.name`; `sides` are those of its file by default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    calls: tuple[str, ...] = Field(min_length=1)
    sides: tuple[Side, ...]
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
            and any(_is_at(place, deviation.at) for place in self.at)
        )


def _is_at(place: str, at: str) -> bool:
    """`*` is any place, `*.name` every member of that name."""
    return place in (ANY, at) or (place.startswith("*.") and at.rpartition(".")[2] == place[2:])


def read(files: Mapping[Path, tuple[Side, ...]] = FILES) -> list[Documented]:
    """The entries of the files. Raises ValueError (pydantic's) for one that is not complete."""
    return [
        Documented.model_validate({"sides": sides, **entry})
        for file, sides in files.items()
        for entry in tomllib.loads(file.read_text("utf-8"))["deviation"]
    ]


def documented(deviation: Deviation, entries: Iterable[Documented]) -> Documented | None:
    """The first entry that covers it."""
    return next((entry for entry in entries if entry.covers(deviation)), None)
