"""Bringing a configuration folder of an older version up to this one.

Adds what this version needs and the folder lacks, and touches nothing else: files, columns, and rows of the lists
that belong to Tieout rather than to a company. Every other cell stays as its owner wrote it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestration.lib.config_files import ConfigFile, appended, read_file, widened
from orchestration.lib.configuration import ANY, ROW_TYPES, AccountRole, ExceptionCode, Row, TransactionType

OWN_LISTS: tuple[type[Row], ...] = (AccountRole, ExceptionCode, TransactionType)
"""Their rows are the same everywhere: codes that models raise, types that Mirakl sends, roles that journals name."""
COMPANYS = ("marketplace_code", "entity_code", "erp_code", "bank_account_code")
"""A default row that names one of these is an example, which no company's folder gets."""


@dataclass(frozen=True, slots=True)
class Addition:
    """What one file lacks: all of it (`is_new`), columns, or rows by their key."""

    file: str
    is_new: bool
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    content: bytes

    @property
    def words(self) -> str:
        if self.is_new:
            return f"the file, with {len(self.rows)} rows"
        parts = [f"column {', '.join(self.columns)}"] if self.columns else []
        parts += [f"{len(self.rows)} rows ({', '.join(self.rows[:5])}{' …' if len(self.rows) > 5 else ''})"]
        return " and ".join(parts if self.rows else parts[:1])


def additions(folder: Path, defaults: Path) -> list[Addition]:
    """What the folder lacks of this version's `defaults`, file by file, in their order. Writes nothing.

    Raises FileChanged for a file that cannot be read as CSV.
    """
    return [found for row_type in ROW_TYPES if (found := _addition(row_type, folder, defaults)) is not None]


def _addition(row_type: type[Row], folder: Path, defaults: Path) -> Addition | None:
    name, default = row_type.FILE, read_file(defaults, row_type.FILE)
    if not (folder / name).exists():
        rows = [row for row in default.rows if all(row.get(column, ANY) in ("", ANY) for column in COMPANYS)]
        content = appended(ConfigFile(name, _heading(default), default.heading, ()), rows)
        return Addition(name, True, default.heading, tuple(_key(row_type, row) for row in rows), content)
    own = read_file(folder, name)
    columns = tuple(column for column in default.heading if column not in own.heading)
    has_own_rows = row_type not in OWN_LISTS
    content = widened(own, {column: _cells(row_type, own, default, column) for column in columns})
    known = {_subject(row_type, row) for row in own.rows}
    rows = [] if has_own_rows else [row for row in default.rows if _subject(row_type, row) not in known]
    if not columns and not rows:
        return None
    wide = ConfigFile(name, content, (*own.heading, *columns), ())
    return Addition(name, False, columns, tuple(_key(row_type, row) for row in rows), appended(wide, rows))


def _cells(row_type: type[Row], own: ConfigFile, default: ConfigFile, column: str) -> Iterator[str]:
    """A new column's cells: in Tieout's own lists its own; in a company's what all defaults have in common, where the
    cell may not be empty.
    """
    if row_type in OWN_LISTS:
        values = {_key(row_type, row): row[column] for row in default.rows}
        return (values.get(_key(row_type, row), "") for row in own.rows)
    may_be_empty = row_type.model_fields[column].default is None
    common = set() if may_be_empty else {row[column] for row in default.rows}
    cell = common.pop() if len(common) == 1 else ""
    return (cell for _ in own.rows)


def _heading(default: ConfigFile) -> bytes:
    return default.content.splitlines(keepends=True)[0]


def _key(row_type: type[Row], row: Mapping[str, str]) -> str:
    return " ".join(row[column] for column in row_type.KEY if row.get(column))


def _subject(row_type: type[Row], row: Mapping[str, str]) -> str:
    """The code itself: a type whose row a company dates differently is not missing."""
    return row.get(row_type.KEY[0], "")
