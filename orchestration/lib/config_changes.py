"""Changes of maps by two people: what is proposed is checked at once, and again before it is written.

The command line and the web app change the configuration through here alone.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from filelock import FileLock, Timeout

from orchestration.lib.config_files import DATED, MAPS, ConfigFile, FileChanged, read_file
from orchestration.lib.configuration import ConfigError
from orchestration.lib.files import replace_file
from orchestration.lib.integrity import seal_configuration
from orchestration.lib.registry import check_registry
from orchestration.lib.settings import DEFAULT_CONFIG_DIR, Settings
from orchestration.outbox import ApprovalRefused, Change, Outbox

LANE_WAIT_SECONDS = 10
LONGEST_CELL = 500


class ChangeRefused(ApprovalRefused):
    """The change cannot be made as it is; nothing was written. The text says why."""


def propose(
    settings: Settings,
    outbox: Outbox,
    file: str,
    before: Mapping[str, str] | None,
    after: Mapping[str, str] | None,
    *,
    by: str,
    reason: str,
) -> str:
    """Ask for a change of one row: `before` as the file holds it (None: a new row), `after` as it shall be (None: it
    goes). Returns the key that another person approves. Raises ChangeRefused, ApprovalRefused.
    """
    current = _read(settings, file)
    wanted = None if after is None else _whole_row(current, after)
    found = None if before is None else _row_as_held(current, before)
    _refuse_rewritten_past(settings, found, wanted)
    new = _refusing_stale(current, found, wanted)
    _refuse_new_findings(settings, file, new)
    return outbox.changes.propose(Change(file, found, wanted, current.digest), by=by, reason=reason)


def approve(settings: Settings, outbox: Outbox, key: str, *, by: str, reason: str = "") -> str:
    """Let a proposed change hold: write the file whole or not at all, and seal it. Returns what was done, in words.

    Raises ChangeRefused when the file changed in between, or would break the configuration; ApprovalRefused,
    UnknownAction.
    """
    said: list[str] = []

    def write(row: dict[str, Any], held: list[dict[str, Any]]) -> tuple[str, str]:
        file = str(row["file"])
        before, after = rows_of(row)
        current = _read(settings, file)
        if _is_done(current, before, after):
            # Written by a process that died before it could say so.
            said.append(f"{file} holds it already")
            return current.digest, current.digest
        _refuse_changed_since(current, row, held)
        new = _refusing_stale(current, before, after)
        _refuse_new_findings(settings, file, new)
        try:
            replace_file(settings.config_dir / file, new)
        except OSError as error:
            raise ChangeRefused(f"{settings.config_dir / file} cannot be written: {error.strerror}") from error
        said.append(f"{file} is changed")
        return current.digest, read_file(settings.config_dir, file).digest

    with no_lane(settings):
        outbox.changes.approve(key, write, by=by, reason=reason)
        seal_configuration(settings)
    return said[0]


def rows_of(change: Mapping[str, Any]) -> tuple[dict[str, str] | None, dict[str, str] | None]:
    """The cells before and after, in the order of the file, of a row of `outbox.changes.all()`."""
    before, after = change["row_before"], change["row_after"]
    names = [*MAPS[change["file"]].model_fields]

    def cells(text: str | None) -> dict[str, str] | None:
        if not text:
            return None
        row: dict[str, str] = json.loads(text)
        return dict(sorted(row.items(), key=lambda cell: names.index(cell[0]) if cell[0] in names else len(names)))

    return cells(before), cells(after)


def in_words(change: Mapping[str, Any]) -> str:
    """`add BRICO, SKU-1, SAGE_UK, GAR00042` · `account_code 1200 → 1210 of UKTRADE, *, GBP, BANK`."""
    before, after = rows_of(change)
    if before is None or after is None:
        row = after or before or {}
        return f"{'add' if before is None else 'remove'} {', '.join(cell for cell in row.values() if cell)}"
    key = MAPS[change["file"]].KEY
    changed = [
        f"{name} {before.get(name) or 'empty'} → {after.get(name) or 'empty'}"
        for name in after
        if after.get(name) != before.get(name)
    ]
    return f"{', '.join(changed)} of {', '.join(before[name] for name in key if before.get(name))}"


def _read(settings: Settings, file: str) -> ConfigFile:
    if file not in MAPS:
        known = ", ".join(MAPS)
        raise ChangeRefused(f"{file} is edited by whoever keeps the installation; by two people are changed: {known}")
    if settings.config_dir.resolve() == DEFAULT_CONFIG_DIR.resolve():
        raise ChangeRefused(
            "there is no configuration of your own yet: `tieout init DIR` writes one, TIEOUT_CONFIG_DIR points at it"
        )
    try:
        return read_file(settings.config_dir, file)
    except FileNotFoundError:
        raise ChangeRefused(f"{settings.config_dir} has no {file}; `tieout doctor` says what is missing") from None
    except FileChanged as error:
        raise ChangeRefused(str(error)) from error


def _whole_row(current: ConfigFile, cells: Mapping[str, str]) -> dict[str, str]:
    """The cells in the file's order, empty where nothing was said."""
    if unknown := [name for name in cells if name not in current.heading]:
        raise ChangeRefused(f"{current.name} has no column {unknown[0]}: its columns are {', '.join(current.heading)}")
    row = {name: str(cells.get(name) or "").strip() for name in current.heading}
    for name, cell in row.items():
        if len(cell) > LONGEST_CELL or any(ord(letter) < 32 for letter in cell):
            raise ChangeRefused(f"{name} is longer than {LONGEST_CELL} characters, or holds a line break")
    return row


def _row_as_held(current: ConfigFile, cells: Mapping[str, str]) -> dict[str, str]:
    """The one row of the file with these cells; the key alone is enough. Raises ChangeRefused."""
    fitting = [row for row in current.rows if all(row.get(name) == value for name, value in cells.items())]
    if len(fitting) != 1:
        words = ", ".join(f"{name}={value}" for name, value in cells.items())
        raise ChangeRefused(f"{current.name} has {'no' if not fitting else 'more than one'} row with {words}")
    return fitting[0]


def _refuse_rewritten_past(
    settings: Settings, before: Mapping[str, str] | None, after: Mapping[str, str] | None
) -> None:
    """What was in force stays as it was: months that were closed on it must come out the same again."""
    if before is None or DATED not in before:
        return
    try:
        since = date.fromisoformat(before[DATED])
    except ValueError:
        return  # no row that could ever be in force
    if since <= settings.clock.now().date():
        what = "taken out" if after is None else "edited"
        raise ChangeRefused(
            f"the row is in force since {since} and is not {what}: add a row with the day from which the new one holds"
        )


def _refusing_stale(current: ConfigFile, before: Mapping[str, str] | None, after: Mapping[str, str] | None) -> bytes:
    try:
        return current.with_change(before, after)
    except FileChanged as error:
        raise ChangeRefused(str(error)) from error


def _is_done(current: ConfigFile, before: Mapping[str, str] | None, after: Mapping[str, str] | None) -> bool:
    return (after is None or current.holds(after)) and (before is None or not current.holds(before))


def _refuse_changed_since(current: ConfigFile, change: Mapping[str, Any], held: list[dict[str, Any]]) -> None:
    """The file is the one that the proposer saw, or that with what others approved since."""
    digest = str(change["file_hash"])
    # Decided in one instant, they have no order but that of the files they made.
    steps = {str(other["base_hash"]): str(other["written_hash"]) for other in held}
    while digest != current.digest and digest in steps:
        digest = steps.pop(digest)
    if digest != current.digest:
        raise ChangeRefused(
            f"{current.name} was changed by hand since {change['proposed_by']} proposed this "
            f"({change['proposed_at'][:16].replace('T', ' ')} UTC); reject it, look at the file, and propose it again"
        )


def _refuse_new_findings(settings: Settings, file: str, content: bytes) -> None:
    """Checks the folder as it would be, as every run does. What is wrong already does not stop a repair."""
    _, known = check_registry(settings.config_dir)
    with TemporaryDirectory(prefix="tieout-config-") as name:
        folder = Path(name)
        for path in settings.config_dir.glob("*.csv"):
            shutil.copy(path, folder / path.name)
        (folder / file).write_bytes(content)
        _, found = check_registry(folder)
    before = {_sentence(error) for error in known}
    if new := [error for error in found if _sentence(error) not in before]:
        raise ChangeRefused("; ".join(str(error) for error in new[:3]))


def _sentence(error: ConfigError) -> tuple[str | None, ...]:
    return (error.file, error.column, error.value, error.problem)


@contextmanager
def no_lane(settings: Settings) -> Iterator[None]:
    """Hold the lanes back: a run must not see half of two configurations. Raises ChangeRefused."""
    settings.locks_dir.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(settings.locks_dir / "lane.lock", timeout=LANE_WAIT_SECONDS):
            yield
    except Timeout:
        raise ChangeRefused("a lane is running; do it when it has ended") from None
