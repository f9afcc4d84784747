"""Generated input for every parser: valid records of every feed with hostile values in them, bank files, configuration;
then bytes that are cut, flipped, doubled or slipped in. Input number n of a parser is always the same input.

What must hold of each: it is read or refused in the parser's own words, never anything else; every record of a page
that is read is a row or a reject, once; and a person planted where no column looks is in no row, reject or message.
"""

from __future__ import annotations

import csv
import functools
import json
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.errors import BadPayload
from connectors.feeds import REGISTRY
from connectors.records import Column, Decoded, FeedSpec, Kind, TableSpec
from orchestration.lib.registry import check_registry
from orchestration.lib.settings import DEFAULT_CONFIG_DIR
from tests.connectors.test_bank import camt, entry, landed
from tests.connectors_bank.files import mt940, ofx2, transaction

CANARY = "Canary von Nowhere"
HOSTILE: tuple[Any, ...] = (
    *(None, True, False, 0, -0.0, 1e400, -1, 2**63, 10**40, 1e-300, 0.1),
    *("", " ", "\x00", "\u202e", "é" * 5000, "💥", "NaN", "Infinity", "1e5", "1,234.56", "12.3456789012345678", "--1"),
    *("=1+1", "@SUM(A1)", "<script>", "'; drop table x; --", "../../etc"),
    *("2026-02-30", "0000-00-00T00:00:00Z", "9999-12-31T23:59:60Z", "2026-07-03T08:00:00"),
    *([], {}, [[]], [{}], [None], {"a": {"b": []}}, ["x"] * 50),
)
SLIPPED_IN = (b"[" * 2000, b'{"a":' * 500, b"\xff\xfe", b"null", b"\\u0000", b"1e999999999", b'"')
VALID: dict[Kind, tuple[Any, ...]] = {
    Kind.ID: ("A-1", "B-2", 4711, "0001"),
    Kind.TEXT: ("text", "OPEN", "GBP"),
    Kind.AMOUNT: (12.5, "-0.01", 100, "99999999.99"),
    Kind.STAMP: ("2026-06-12T10:00:00Z", "2026-06-12", "2026-06-12T10:00:00+02:00"),
    Kind.BOOLEAN: (True, False),
}


@dataclass
class Tally:
    """What became of the inputs of one parser. All but the first three must be 0."""

    tried: int = 0
    read: int = 0
    refused: int = 0
    crashed: int = 0
    lost: int = 0
    duplicated: int = 0
    leaked: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not (self.crashed or self.lost or self.duplicated or self.leaked)


def parsers() -> dict[str, Callable[[random.Random], tuple[bytes, Callable[[bytes], Decoded]]]]:
    """By name: what makes an input, and the parser for it."""
    found: dict[str, Callable[[random.Random], tuple[bytes, Callable[[bytes], Decoded]]]] = {}
    for vendor, entities in REGISTRY.items():
        for entity, spec in entities.items():
            if vendor != "bank":
                found[f"{vendor}/{entity}"] = _page_maker(spec)
    statement = REGISTRY["bank"]["statements"]
    for name, make in (("camt053", _camt), ("mt940", _mt940), ("ofx", _ofx), ("csv", _csv)):
        found[f"bank/{name}"] = _file_maker(statement, make)
    return found


def try_parser(name: str, numbers: range) -> Tally:
    """Give a parser its inputs of these numbers."""
    make, tally = parsers()[name], Tally()
    for number in numbers:
        body, parse = make(random.Random(f"{name} {number}"))  # reproducible, not unpredictable
        tally.tried += 1
        said = ""
        try:
            decoded = parse(body)
        except BadPayload as error:
            tally.refused += 1
            said = f"{error} {error.detail}"
        except BaseException as error:  # that is what is looked for
            tally.crashed += 1
            tally.failures.append(f"{name} {number}: {type(error).__name__}: {str(error)[:200]}")
            continue
        else:
            tally.read += 1
            said = judge(decoded, tally, f"{name} {number}")
        if CANARY in said:
            tally.leaked += 1
            tally.failures.append(f"{name} {number}: the planted person was said")
    return tally


def judge(decoded: Decoded, tally: Tally, where: str) -> str:
    root = next(iter(decoded.tables.values()), None)
    kept = root.column("_position").to_pylist() if root is not None else []
    if "statement" in "".join(decoded.tables):  # a statement's header is a row beside its entries
        kept = decoded.tables["bank_statement_entries"].column("_position").to_pylist()
    refused = [reject.position for reject in decoded.rejects]
    if len(set(kept) | set(refused)) < decoded.record_count:
        tally.lost += 1
        tally.failures.append(f"{where}: {decoded.record_count} records, {len(kept)} rows, {len(refused)} rejects")
    if len(kept) + len(refused) > decoded.record_count or set(kept) & set(refused):
        tally.duplicated += 1
        tally.failures.append(f"{where}: a record is there twice")
    tables = [table.to_pydict() for table in decoded.tables.values()]
    return str([tables, decoded.rejects, decoded.unknown_fields, decoded.unknown_values, decoded.missing_fields])


def _page_maker(spec: FeedSpec) -> Callable[[random.Random], tuple[bytes, Callable[[bytes], Decoded]]]:
    def parse(body: bytes) -> Decoded:
        return spec.decoded(body, "https://vendor.example/records/4711?page=1")

    def make(chance: random.Random) -> tuple[bytes, Callable[[bytes], Decoded]]:
        records = [_record(spec, chance) for _ in range(chance.randrange(4))]
        body = json.dumps(records, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
        return (_damaged(body, chance) if chance.random() < 0.4 else body), parse

    return make


def _record(spec: FeedSpec, chance: random.Random) -> Any:
    if chance.random() < 0.03:
        return chance.choice(HOSTILE)
    record: dict[str, Any] = {"zz_person": CANARY, "zz_people": [{"name": CANARY}]}
    root, *children = spec.tables
    _fill(record, root, chance)
    for child in children:
        for source in child.sources:
            holder: Any = record
            *way, last = source.path.replace("/", ".").split(".")
            for name in way:
                below = holder.setdefault(name, {}) if isinstance(holder, dict) else None
                holder = below[0] if isinstance(below, list) and below else below
            if isinstance(holder, dict):
                rows: list[dict[str, Any]] = [{} for _ in range(chance.randrange(1, 3))]
                for row in rows:
                    _fill(row, child, chance)
                holder[last] = rows if not source.is_mapping else {"a": 1}
    return record


def _fill(row: dict[str, Any], table: TableSpec, chance: random.Random) -> None:
    for column in table.columns:
        path = (column.at or (column.name,))[0]
        if path.startswith(("/", "^")):
            continue
        holder: Any = row
        *way, last = path.split("/")[-1].split(".")
        for name in way:
            holder = holder.setdefault(name, {}) if isinstance(holder, dict) else None
        if isinstance(holder, dict) and last:
            holder[last] = _value(column, chance)


def _value(column: Column, chance: random.Random) -> Any:
    if chance.random() < 0.03:
        return chance.choice(HOSTILE)
    if column.known and chance.random() < 0.8:
        return chance.choice(sorted(column.known))
    return chance.choice(_fitting(column))


@functools.cache
def _fitting(column: Column) -> tuple[Any, ...]:
    """Values that the column's own transformation takes; null when there are none."""
    if column.via is None:
        return VALID[column.kind]
    pool = (*VALID[column.kind], *VALID[Kind.TEXT], 3, "7", True, "T", [], ["a"], {}, {"a": 1})
    return tuple(value for value in pool if _is_taken(column.via, value)) or (None,)


def _is_taken(via: Callable[[bytes], str | None], value: Any) -> bool:
    try:
        via(json.dumps(value).encode())
    except Exception:
        return False
    return True


def _damaged(body: bytes, chance: random.Random) -> bytes:
    """Cut, flipped, doubled or with something slipped in."""
    data = bytearray(body)
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(5):
            case 0:
                del data[at:]
            case 1 if data:
                data[min(at, len(data) - 1)] ^= 1 << chance.randrange(8)
            case 2:
                data[at:at] = data[at : at + chance.randrange(1, 200)]
            case 3:
                data[at:at] = chance.choice(SLIPPED_IN)
            case _:
                del data[at : at + chance.randrange(1, 50)]
    return bytes(data)


def _file_maker(
    spec: FeedSpec, make: Callable[[random.Random], bytes]
) -> Callable[[random.Random], tuple[bytes, Callable[[bytes], Decoded]]]:
    def parse(body: bytes) -> Decoded:
        return spec.decoded(body, "file:///statements/june")

    def made(chance: random.Random) -> tuple[bytes, Callable[[bytes], Decoded]]:
        body = make(chance)
        return (_damaged(body, chance) if chance.random() < 0.6 else body), parse

    return made


def _text(chance: random.Random) -> str:
    return str(chance.choice(HOSTILE + VALID[Kind.AMOUNT] + VALID[Kind.STAMP]))[:200].replace("\x00", "")


def _camt(chance: random.Random) -> bytes:
    entries = [entry(chance.choice(["12.50", "-1", _xml(_text(chance))])) for _ in range(chance.randrange(4))]
    return camt(*entries, version=chance.choice(["02", "08"]))


def _xml(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _mt940(chance: random.Random) -> bytes:
    lines = []
    for _ in range(chance.randrange(4)):
        amount = chance.choice(["12,50", "0,01", "12.50", _text(chance)])
        mark = chance.choice(["C", "D", "RC", "X"])
        lines += [f":61:2606120612{mark}{amount}NTRFREF//BANK", f":86:166?20{_text(chance)}"]
    return mt940(*lines).encode("utf-8", "replace")


def _ofx(chance: random.Random) -> bytes:
    made = [transaction(amount=chance.choice(["-12.50", "1", _xml(_text(chance))])) for _ in range(chance.randrange(4))]
    return ofx2(*made)


def _csv(chance: random.Random) -> bytes:
    lines = ["Booking date,Entry reference,Amount,Currency,Counterparty,Reference"]
    for number in range(chance.randrange(4)):
        cells = ["01/07/2026", f"R{number}", "-1.50", "GBP", "Bank", "Fee"]
        if chance.random() < 0.3:
            cells[chance.randrange(6)] = _text(chance)
        lines.append(",".join(cells))
    return landed("\n".join(lines) + "\n")


def try_configuration(folder: Path, numbers: range) -> Tally:
    """Hostile cells and damaged files of the configuration: errors with a place, never an exception."""
    tally = Tally()
    names = sorted(path.name for path in DEFAULT_CONFIG_DIR.glob("*.csv"))
    for number in numbers:
        chance = random.Random(f"configuration {number}")
        config = folder / "config"
        shutil.rmtree(config, ignore_errors=True)
        shutil.copytree(DEFAULT_CONFIG_DIR, config)
        path = config / names[number % len(names)]
        if chance.random() < 0.5:
            path.write_bytes(_damaged(path.read_bytes(), chance))
        else:
            _spoil_cells(path, chance)
        tally.tried += 1
        try:
            _, errors = check_registry(config)
        except BaseException as error:
            tally.crashed += 1
            tally.failures.append(f"configuration {number} ({path.name}): {type(error).__name__}: {str(error)[:200]}")
        else:
            tally.refused += any(error.is_blocking for error in errors)
            tally.read += not any(error.is_blocking for error in errors)
    return tally


def _spoil_cells(path: Path, chance: random.Random) -> None:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    for _ in range(3):
        row = chance.choice(rows)
        if row:
            row[chance.randrange(len(row))] = _text(chance)
    with path.open("w", newline="", encoding="utf-8", errors="replace") as file:
        csv.writer(file).writerows(rows)


def families(size: int, folder: Path) -> Iterator[tuple[str, Tally]]:
    """Tallies of `size` inputs, dealt out evenly to all parsers, by family: the vendor's pages, the kind of file."""
    names = sorted(parsers())
    each = max(size // len(names), 1)
    sums: dict[str, Tally] = {}
    for name in names:
        family = name if name.startswith("bank/") else name.partition("/")[0] + " pages"
        _add(sums.setdefault(family, Tally()), try_parser(name, range(each)))
    yield from sums.items()
    yield "configuration", try_configuration(folder, range(max(each // 4, 20)))


def _add(total: Tally, more: Tally) -> None:
    for name in ("tried", "read", "refused", "crashed", "lost", "duplicated", "leaked"):
        setattr(total, name, getattr(total, name) + getattr(more, name))
    total.failures += more.failures[:5]
