"""The traps of both ERPs with the tests that prove that nobody steps into them: `catalogue.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

FILE = Path(__file__).with_name("catalogue.toml")


class Trap(BaseModel):
    """`at` is the section of the reference. A test is `<file below tests>::<function>`, or `dbt::<unit test>`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: str = Field(pattern=r"^(sage200|netsuite)-q?[0-9]{2}$")
    at: str
    fact: str
    tests: tuple[str, ...] = Field(min_length=1)


TRAPS = tuple(Trap.model_validate(entry) for entry in tomllib.loads(FILE.read_text("utf-8"))["trap"])


def of(vendor: str, *, is_open: bool) -> tuple[Trap, ...]:
    """The vendor's open questions, or what is known."""
    return tuple(t for t in TRAPS if t.number.startswith(vendor) and (f"{vendor}-q" in t.number) is is_open)
