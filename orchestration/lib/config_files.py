"""A file of the configuration folder as people edit it: rows with their places, and the same text with one row changed.

Every other line stays as it was, to the byte: its owner's spelling, quotes and line ends are not ours to tidy.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestration.lib.configuration import (
    Account,
    AnalysisCode,
    BankPayer,
    Carrier,
    CommissionContract,
    ExchangeRate,
    FeeRule,
    FeeSupplier,
    ItemMapping,
    OfferRule,
    PriceList,
    RefundRule,
    Row,
    StockRule,
    TaxCode,
    TaxRegime,
    TransactionType,
    Warehouse,
)

MAPS: dict[str, type[Row]] = {
    row_type.FILE: row_type
    for row_type in (
        ItemMapping, Account, TransactionType, FeeRule, FeeSupplier, TaxCode, TaxRegime, AnalysisCode,
        Carrier, Warehouse, CommissionContract, PriceList, OfferRule, StockRule, RefundRule, BankPayer, ExchangeRate,
    )
}  # fmt: skip
"""Files whose rows people propose and approve. The others say which hosts get keys, who approves what and what may be
sent: they stay with whoever keeps the installation.
"""
DATED = "effective_from"
_MARK = "\ufeff"


class FileChanged(Exception):
    """The file does not hold what was looked at; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """A row and the lines that it takes, `first` to `last`, from 0."""

    cells: Mapping[str, str]
    first: int
    last: int


@dataclass(frozen=True)
class ConfigFile:
    """One file as it stands. `digest` is its SHA-256, cells are trimmed texts."""

    name: str
    content: bytes
    heading: tuple[str, ...]
    places: tuple[Place, ...]

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def rows(self) -> list[dict[str, str]]:
        return [dict(place.cells) for place in self.places]

    def holds(self, cells: Mapping[str, str]) -> bool:
        return any(place.cells == cells for place in self.places)

    def with_change(self, before: Mapping[str, str] | None, after: Mapping[str, str] | None) -> bytes:
        """The file with the row `before` replaced by `after`; None: added at the end, or taken out. Raises
        FileChanged when there is not exactly one such row.
        """
        if before is None:
            return appended(self, [] if after is None else [after])
        lines = _lines(self)
        written = [] if after is None else [_written([after.get(name, "") for name in self.heading], _end(lines))]
        fitting = [place for place in self.places if place.cells == before]
        if len(fitting) != 1:
            raise FileChanged(f"{self.name} no longer holds the row as it was proposed; look again and propose anew")
        lines[fitting[0].first : fitting[0].last + 1] = written
        return _encoded(self, lines)


def read_file(folder: Path, name: str) -> ConfigFile:
    """Raises FileNotFoundError, and FileChanged for a file that cannot be read as CSV."""
    content = (folder / name).read_bytes()
    try:
        lines = content.decode("utf-8-sig").splitlines(keepends=True)
        reader = csv.reader(lines, strict=True)
        heading = tuple(next(reader, []))
        places, first = [], reader.line_num
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if len(cells) != len(heading):
                    raise FileChanged(f"{name} line {first + 1} has {len(cells)} cells, its heading {len(heading)}")
                row = {column: cell.strip() for column, cell in zip(heading, cells, strict=True)}
                places.append(Place(row, first, reader.line_num - 1))
            first = reader.line_num
    except (csv.Error, UnicodeDecodeError) as error:
        raise FileChanged(f"{name} cannot be read: {error}; `tieout doctor` says where") from error
    return ConfigFile(name, content, heading, tuple(places))


def widened(file: ConfigFile, columns: Mapping[str, Iterable[str]]) -> bytes:
    """The file with further columns at the end of its lines, a cell for each row."""
    lines = _lines(file)
    for column, cells in columns.items():
        lines[0] = _with_cell(lines[0], column)
        for place, cell in zip(file.places, cells, strict=True):
            lines[place.last] = _with_cell(lines[place.last], cell)
    return _encoded(file, lines)


def appended(file: ConfigFile, rows: Iterable[Mapping[str, str]]) -> bytes:
    """The file with further rows at its end; cells by the names of its heading, empty where a row has none."""
    lines = _lines(file)
    end = _end(lines)
    if lines and not lines[-1].endswith(("\n", "\r")):
        lines[-1] += end
    lines += [_written([row.get(name, "") for name in file.heading], end) for row in rows]
    return _encoded(file, lines)


def _lines(file: ConfigFile) -> list[str]:
    return file.content.decode("utf-8-sig").splitlines(keepends=True)


def _end(lines: list[str]) -> str:
    return "\r\n" if lines and lines[0].endswith("\r\n") else "\n"


def _encoded(file: ConfigFile, lines: list[str]) -> bytes:
    mark = _MARK if file.content.startswith(_MARK.encode()) else ""
    return (mark + "".join(lines)).encode()


def _with_cell(line: str, cell: str) -> str:
    bare = line.rstrip("\r\n")
    return f"{bare},{_written([cell], '') if cell else ''}{line[len(bare) :]}"


def _written(cells: list[str], end: str) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator=end).writerow(cells)
    return buffer.getvalue()
