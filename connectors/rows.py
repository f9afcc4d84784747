"""Decoded records, of one page or of several, as rows: an Arrow table for each table of the feed."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from itertools import chain
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.arrays import BadValue, column_array, counting, hexadecimal
from connectors.records import Column, Table, TableSpec
from connectors.structure import Levels, place_of

Computed = Callable[[Table, str], Any]
"""A column from the rest of the root table and the page's address."""
PAGE = "_page"
"""In front of every table of several pages: the number of the row's page among them, from 0."""


class Places:
    """Where each record stands: records of several pages have places 0, 1, 2, … over all of them."""

    def __init__(self, sizes: Sequence[int], digests: bytes) -> None:
        """`sizes`: records in each page. `digests`: every record's, of `HASH_BYTES` each."""
        self.pages = _concatenated([pa.repeat(pa.scalar(page, pa.int32()), size) for page, size in enumerate(sizes)])
        self.positions = _concatenated([counting(size) for size in sizes])
        self.hashes = hexadecimal(digests)


def _concatenated(arrays: Sequence[Any]) -> Any:
    return arrays[0] if len(arrays) == 1 else pa.concat_arrays(arrays)


class Rows:
    """The tables of some records, and what is remarkable about them.

    `bad` has the first bad value of each record that has one, by the record's place: its rows must not be used.
    `unknown_values` and `missing_fields` count by page.
    """

    def __init__(
        self,
        specs: Sequence[TableSpec],
        levels: Levels,
        places: Places,
        *,
        computed: Mapping[str, Computed],
        promised: Set[str],
        url: str,
    ) -> None:
        self.bad: dict[int, tuple[TableSpec, BadValue]] = {}
        self.unknown_values: dict[int, Counter[str]] = {}
        self.missing_fields: dict[int, Counter[str]] = {}
        self._levels = levels
        self._places = places
        self._computed = computed
        self._promised = promised
        self.tables: dict[str, Table] = {spec.name: self._table(spec, url) for spec in specs}

    def _table(self, spec: TableSpec, url: str) -> Table:
        chunks = []
        at: list[Sequence[int]] = []
        for source in spec.sources or (None,):
            level = source.path if source else ""
            rows_at = self._levels.positions(level)
            if not rows_at:
                continue
            constants = source.constants if source else {}
            arrays = []
            for column in spec.columns:
                if spec.parent is None and column.name in self._computed:
                    arrays.append(pa.nulls(len(rows_at), column.type))
                elif column.name in constants:
                    arrays.append(pa.repeat(pa.scalar(constants[column.name], column.type), len(rows_at)))
                else:
                    arrays.append(self._array(spec, column, level, rows_at))
            at.append(rows_at)
            chunks.append(pa.Table.from_arrays(arrays, names=[c.name for c in spec.columns]))
        if not chunks:
            chunks = [pa.schema([(column.name, column.type) for column in spec.columns]).empty_table()]
        result = chunks[0] if len(chunks) == 1 else pa.concat_tables(chunks).combine_chunks()
        if spec.parent is None:
            for name, compute in self._computed.items():
                result = result.set_column(result.column_names.index(name), name, compute(result, url))
        return self._with_places(spec, result, at)

    def _with_places(self, spec: TableSpec, rows: Table, at: Sequence[Sequence[int]]) -> Table:
        """The rows of some sources with the columns in front that say which record each belongs to."""
        pages, positions, hashes = self._places.pages, self._places.positions, self._places.hashes
        if len(at) != 1 or at[0] != range(len(pages)):  # not simply every record once
            place = pa.array(chain.from_iterable(at), pa.int64(), size=rows.num_rows)
            pages, positions = pages.take(place), positions.take(place)
            hashes = hashes.take(place) if spec.parent is None else hashes
        second = ("_hash", hashes) if spec.parent is None else ("_index", _running_index(at))
        return rows.add_column(0, *second).add_column(0, "_position", positions).add_column(0, PAGE, pages)

    def _array(self, spec: TableSpec, column: Column, level: str, rows_at: Sequence[int]) -> Any:
        array, bad_values = column_array(column, _first(self._levels, column, level))
        for value in bad_values:
            self.bad.setdefault(rows_at[value.row], (spec, value))
        if column.known:
            values = pc.unique(array).to_pylist()
            if unknown := [v for v in values if v is not None and v not in column.known]:
                for row in pc.indices_nonzero(pc.is_in(array, pa.array(unknown))).to_pylist():
                    self._count(self.unknown_values, rows_at[row], f"{column.name}={array[row].as_py()[:60]}")
        if array.null_count and (path := _path_in_record(column, level)) in self._promised:
            for row in pc.indices_nonzero(pc.is_null(array)).to_pylist():
                self._count(self.missing_fields, rows_at[row], path)
        return array

    def _count(self, counters: dict[int, Counter[str]], place: int, name: str) -> None:
        counters.setdefault(self._places.pages[place].as_py(), Counter())[name] += 1


def _first(levels: Levels, column: Column, level: str) -> list[Any]:
    """The first alternative that is not null, element by element."""
    paths = column.at or (column.name,)
    values = levels.values(place_of(paths[0], level), level)
    for path in paths[1:]:
        empty = [i for i, v in enumerate(values) if v is None or v == ""]
        if not empty:
            break
        others = levels.values(place_of(path, level), level)
        values = list(values)
        for i in empty:
            values[i] = others[i]
    return values


def _path_in_record(column: Column, level: str) -> str:
    """The dotted path of the member that a column is read from first."""
    place = place_of((column.at or (column.name,))[0], level)
    return ".".join(part for part in (place.level, *place.objects, place.member) if part)


def _running_index(at: Sequence[Sequence[int]]) -> Any:
    """0, 1, 2, … within each position, over all sources."""
    if len(at) == 1:  # one source's positions never fall, so that a position's rows stand together
        runs = pc.run_end_encode(pa.array(at[0], pa.int64()), run_end_type=pa.int64())
        ends = runs.run_ends
        starts = pa.concat_arrays([pa.array([0], pa.int64()), ends.slice(0, max(len(ends) - 1, 0))])
        first = pc.run_end_decode(pa.RunEndEncodedArray.from_arrays(ends, starts.slice(0, len(ends))))
        return pc.subtract(counting(len(at[0])), first)
    seen: Counter[int] = Counter()
    result = array("q")
    for position in chain.from_iterable(at):
        result.append(seen[position])
        seen[position] += 1
    return pa.array(result, pa.int64())
