"""Warehouse and published marts made anew from landing alone, and proved to be what they were.

Evidence is checked first, so that a warehouse never goes for files that cannot replace it; until the new one is whole
the old one waits beside it. What no evidence holds (when an exception was first seen, what the outbox said) comes from
the newest point (`orchestration/lib/points.py`). Nothing is asked of a vendor.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from orchestration.lib import building
from orchestration.lib.integrity import seal_outputs
from orchestration.lib.landing_files import LandingFiles
from orchestration.lib.loading import LoadResult, Mismatch, load, proved_counts, replace_outbox_actions
from orchestration.lib.points import Point, is_current, keep_point, points, put_back, tables_before
from orchestration.lib.publish import Published, publish, read_manifest
from orchestration.lib.settings import Settings, parse_stamp, stamp
from orchestration.lib.state import State
from orchestration.lib.warehouse import connect, exclusive, forget_changes
from orchestration.outbox import Outbox


class RebuildRefused(Exception):
    """The warehouse is as it was before; the text says why."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A mart that is not as it was. Rows are None where there was no such mart, or nobody knows."""

    mart: str
    rows_before: int | None
    rows_now: int | None


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """`seconds` by step: check, load, build, publish. `as_of` is the clock of the marts (UTC). `mismatches` are counts
    that do not agree. `byte_count` is the evidence's, unpacked.

    `is_same_input`: there is no newer evidence than the last published marts', and models and configuration are theirs.
    Marts may differ even then: a lane that builds only its own leaves the others behind the evidence that it read.
    """

    files: int
    byte_count: int
    loaded: LoadResult
    published: Published
    as_of: str
    is_same_input: bool
    differences: tuple[Difference, ...]
    mismatches: tuple[Mismatch, ...]
    seconds: dict[str, float]

    @property
    def is_proved(self) -> bool:
        """Whether every count agrees and no mart is missing that the same models made before."""
        is_gone = self.is_same_input and any(one.rows_now is None for one in self.differences)
        return not is_gone and not any(one.is_error for one in self.mismatches)


def rebuild(settings: Settings) -> Rebuilt:
    """Make the warehouse and the published marts anew. Waits for a lane that runs.

    With the clock, and what no evidence holds, of the last published marts while evidence, models and configuration are
    still theirs; with the present ones otherwise. Raises RebuildRefused, ReplayRefused.
    """
    if not settings.state_path.is_file():
        raise RebuildRefused(
            f"{settings.root} holds no manifest of evidence (state.db); restore it from a backup, or let the next "
            "`tieout run` ask the vendors again"
        )
    seconds: dict[str, float] = {}
    settings.locks_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.locks_dir / "lane.lock", timeout=3600):
        with _timed(seconds, "check"):
            files, size = _checked(settings)
        before = {mart.name: (mart.rows, mart.digest) for mart in read_manifest(settings).values()}
        newest = next(reversed(points(settings)), None)
        if not before and newest is not None:
            before = {name: (-1, digest) for name, digest in newest.marts.items()}
        is_same = newest is not None and is_current(settings, newest)
        if newest is not None and is_same:
            settings = settings.model_copy(update={"as_of": parse_stamp(newest.as_of)})
        as_of = stamp(settings.clock.now())
        forget_changes(settings)
        with exclusive(settings), _old_one_aside(settings):
            _remember(settings, newest, is_same=is_same)
            with _timed(seconds, "load"):
                loaded = load(settings)
                mismatches = tuple(proved_counts(settings))
            with _timed(seconds, "build"):
                result = building.build(settings)
                if not result.ok:
                    words = result.error or "; ".join(f"{node.name}: {node.message}" for node in result.failures)
                    raise RebuildRefused(f"the models do not build: {words}")
            with _timed(seconds, "publish"):
                # Without it every published file is written again, also one that was damaged.
                (settings.published_dir / "manifest.json").unlink(missing_ok=True)
                published = publish(settings)
        differences = _differences(before, published)
        if newest is None or {mart.name: mart.digest for mart in published.marts} != newest.marts:
            keep_point(settings, published, as_of=as_of)
        seal_outputs(settings, published)
    return Rebuilt(files, size, loaded, published, as_of, is_same, differences, mismatches, seconds)


def _checked(settings: Settings) -> tuple[int, int]:
    """Number of evidence files and their bytes. Raises RebuildRefused when one is missing or not as it was landed."""
    store = LandingFiles(settings.landing)
    with State(settings.state_path) as state:
        files = state.files()
    problems = [
        f"{file.path} {problem}"
        for file in files
        if (problem := store.problem(file.path, file.sha256, file.stored_sha256)) is not None
    ]
    if problems:
        more = f" (and {len(problems) - 5} more)" if len(problems) > 5 else ""
        raise RebuildRefused(f"{'; '.join(problems[:5])}{more}. Put the evidence back from a backup first")
    return len(files), sum(file.byte_count for file in files)


def _remember(settings: Settings, newest: Point | None, *, is_same: bool) -> None:
    """Put what no evidence holds into the empty warehouse, first of all: whatever is cut off later, it is there."""
    with connect(settings) as connection:
        if newest is not None:
            put_back(connection, settings, tables_before(settings, newest) if is_same else newest.tables)
    if is_same:
        return
    outbox = Outbox(settings.outbox_address, settings.clock)
    try:
        snapshot, decisions, closes = outbox.snapshot(), outbox.decisions.snapshot(), outbox.closing.snapshot()
    finally:
        outbox.close()
    replace_outbox_actions(settings, snapshot, decisions, closes)


def _differences(before: dict[str, tuple[int, str]], published: Published) -> tuple[Difference, ...]:
    now = {mart.name: (mart.rows, mart.digest) for mart in published.marts}
    return tuple(
        Difference(name, *(one[name][0] if name in one and one[name][0] >= 0 else None for one in (before, now)))
        for name in sorted(before.keys() | now.keys() if before else ())
        if before.get(name, (0, ""))[1] != now.get(name, (0, ""))[1]
    )


@contextmanager
def _old_one_aside(settings: Settings) -> Iterator[None]:
    """The warehouse's name is free in the block; when the block fails, the old one is back, damaged or not."""
    path = settings.warehouse_path
    pairs = [(one, one.with_name(one.name + ".replaced")) for one in (path, _log_of(path))]
    for present, aside in pairs:
        aside.unlink(missing_ok=True)
        if present.exists():
            os.replace(present, aside)
    try:
        yield
    except BaseException:
        for present, aside in pairs:
            present.unlink(missing_ok=True)
            if aside.exists():
                os.replace(aside, present)
        raise
    for _, aside in pairs:
        aside.unlink(missing_ok=True)


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    seconds[step] = round(time.monotonic() - began, 2)
