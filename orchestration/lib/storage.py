"""What the data folder takes, and how it grows with what was received."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from orchestration.lib.landing_files import LandingFiles
from orchestration.lib.settings import Settings
from orchestration.lib.state import State


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of file. `byte_count` is what it takes on disk or in object storage."""

    name: str
    files: int
    byte_count: int


@dataclass(frozen=True, slots=True)
class Storage:
    """`records` were landed, all feeds together (a record that came twice counts twice); `received_bytes` are the same
    answers unpacked, between the first and the last day (UTC).
    """

    parts: tuple[Part, ...]
    records: int
    received_bytes: int
    first_day: str | None
    last_day: str | None

    @property
    def byte_count(self) -> int:
        return sum(part.byte_count for part in self.parts)

    def per_million(self, byte_count: int) -> float | None:
        """Bytes for every million records; None while there are none."""
        return byte_count / self.records * 1_000_000 if self.records else None


def storage(settings: Settings) -> Storage:
    """Measure it. Creates nothing; what does not exist yet takes nothing."""
    files = []
    if settings.state_path.is_file():
        with State(settings.state_path) as state:
            files = state.files()
    days = sorted({file.landed_at[:10] for file in files})
    evidence = LandingFiles(settings.landing).size()
    root = settings.root
    parts = (
        Part("evidence", *evidence),
        _local("manifest", root.glob("state.db*")),
        _local("warehouse", (*root.glob("warehouse.duckdb*"), *root.glob("evidence.duckdb*"))),
        _local("published", settings.published_dir.rglob("*")),
        _local("points", (root / "points").rglob("*")),
        _local("outbox", root.glob("outbox.db*")),
        _local("working files", (path for name in ("dagster", "dbt", "tmp") for path in (root / name).rglob("*"))),
    )
    return Storage(
        parts,
        sum(file.record_count for file in files),
        sum(file.byte_count for file in files),
        days[0] if days else None,
        days[-1] if days else None,
    )


def _local(name: str, paths: Iterable[Path]) -> Part:
    found = [path for path in paths if path.is_file()]
    return Part(name, len(found), sum(path.stat().st_size for path in found))
