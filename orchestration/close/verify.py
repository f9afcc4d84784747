"""Checks an evidence pack with nothing but the pack: no warehouse, no configuration, no code that wrote it.

Every file is compared with the manifest byte by byte (SHA-256), the manifest with its seal, every total is added up
again from the CSV files, the Parquet files must hold the same rows and sums, and the accounts must tie: journals
balance line by line, roll-forwards and cycles add up, the VAT's support is what the ledger holds, what the roll-forward
says was settled and received is what the journals say.
"""

from __future__ import annotations

import csv
import hashlib
import json
import tempfile
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

MANIFEST = "manifest.json"
SEAL = "manifest.sha256"
FORMAT = "tieout-evidence-1"
# What damaged archives, tables and texts make their readers raise.
_UNREADABLE = (
    OSError, ValueError, LookupError, TypeError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error, csv.Error,
)  # fmt: skip
Sums = dict[tuple[str, str], Decimal]
"""Sum per (column, currency)."""


@dataclass
class PackReport:
    """What was checked, and what does not hold, in words."""

    files: int = 0
    rows: int = 0
    sums: int = 0
    manifest_sha256: str = ""
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems


def verify_pack(path: Path, *, expected: str | None = None) -> PackReport:
    """Verify a folder or a zip archive. `expected` is a manifest's SHA-256 that was noted elsewhere.

    What cannot be read is a problem in the report, never an exception.
    """
    report = PackReport()
    try:
        with _opened(path, report) as folder:
            if folder is not None:
                _verify(folder, report, expected)
    except _UNREADABLE as error:
        report.problems.append(f"the pack cannot be read: {error}")
    return report


@contextmanager
def _opened(path: Path, report: PackReport) -> Iterator[Path | None]:
    """The pack as a folder; an archive is unpacked for as long as the block lasts."""
    if path.is_dir():
        yield path
        return
    if not path.is_file():
        report.problems.append(f"there is no pack at {path}")
        yield None
        return
    beside = path.with_name(f"{path.name}.sha256")
    if beside.exists() and beside.read_text(encoding="utf-8") != f"{_sha256(path)}  {path.name}\n":
        report.problems.append(f"{path.name} is not the archive that {beside.name} names")
        yield None
        return
    with tempfile.TemporaryDirectory() as temporary, zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if len(set(names)) != len(names):
            report.problems.append("the archive holds a file twice")
        for name in names:
            pure = PurePosixPath(name)
            if pure.is_absolute() or ".." in pure.parts:
                raise ValueError(f"the archive leads outside: {name}")
        archive.extractall(temporary)
        yield Path(temporary)


def _verify(folder: Path, report: PackReport, expected: str | None) -> None:
    report.manifest_sha256 = _sha256(folder / MANIFEST)
    if (folder / SEAL).read_text(encoding="utf-8") != f"{report.manifest_sha256}  {MANIFEST}\n":
        report.problems.append(f"{MANIFEST} is not what {SEAL} says")
    if expected is not None and expected != report.manifest_sha256:
        report.problems.append(f"this is another manifest than the one that was noted ({expected})")
    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    if manifest["format"] != FORMAT:
        report.problems.append(f"format {manifest['format']} is not {FORMAT}")
    _files(folder, manifest, report)
    if report.problems:
        return  # figures of files that are not the ones that were written mean nothing
    _totals(folder, manifest, report)
    _ties(folder, report)


def _files(folder: Path, manifest: Mapping[str, Any], report: PackReport) -> None:
    listed = {str(entry["path"]): entry for entry in manifest["files"]}
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    report.problems += [f"{name} is missing" for name in sorted(listed.keys() - present)]
    report.problems += [f"{name} is not in the manifest" for name in sorted(present - listed.keys() - {MANIFEST, SEAL})]
    for name in sorted(listed.keys() & present):
        report.files += 1
        if _sha256(folder / name) != listed[name]["sha256"]:
            report.problems.append(f"{name} was changed")


def _totals(folder: Path, manifest: Mapping[str, Any], report: PackReport) -> None:
    """Row counts and sums of the CSV files as the manifest states them, and the same in the Parquet files."""
    wanted: dict[str, Sums] = defaultdict(dict)
    for total in manifest["totals"]:
        wanted[str(total["file"])][str(total["column"]), str(total["currency_code"])] = Decimal(total["sum"])
    for name, count in manifest["row_counts"].items():
        file = f"rows/{name}.csv"
        sums, rows = _added_up(folder / file, {column for column, _ in wanted[file]})
        report.rows += rows
        if rows != count:
            report.problems.append(f"{file} has {rows} rows, not {count}")
        parquet = folder / f"rows/{name}.parquet"
        others = _parquet_sums(parquet, {column for column, _ in wanted[file]}) if parquet.exists() else None
        if others is not None and others[1] != rows:
            report.problems.append(f"{parquet.name} has {others[1]} rows, {file} has {rows}")
        for key in wanted[file].keys() | sums.keys():
            report.sums += 1
            stated, found = wanted[file].get(key, Decimal(0)), sums.get(key, Decimal(0))
            if stated != found:
                report.problems.append(
                    f"{file}: {key[0]} in {key[1] or 'no currency'} adds up to {found}, not {stated}"
                )
            if others is not None and others[0].get(key, Decimal(0)) != found:
                report.problems.append(f"{parquet.name}: {key[0]} in {key[1] or 'no currency'} is not what {file} has")


def _added_up(path: Path, columns: set[str]) -> tuple[Sums, int]:
    sums: Sums = defaultdict(Decimal)
    rows = 0
    for row in _rows(path):
        rows += 1
        for column in columns:
            if row[column]:
                sums[column, row["currency_code"]] += _amount(row[column])
    return dict(sums), rows


def _parquet_sums(path: Path, columns: set[str]) -> tuple[Sums, int]:
    sums: Sums = defaultdict(Decimal)
    with pq.ParquetFile(path) as file:
        for number in range(file.num_row_groups) if columns else ():
            group = file.read_row_group(number, columns=[*columns, "currency_code"])
            for currency in pc.unique(group["currency_code"]).to_pylist():
                mask = (
                    pc.is_null(group["currency_code"])
                    if currency is None
                    else pc.equal(group["currency_code"], currency)
                )
                part = group.filter(mask)
                for column in columns:
                    sums[column, currency or ""] += pc.sum(part[column]).as_py() or Decimal(0)
        return dict(sums), int(file.metadata.num_rows)


_MOVEMENTS = (
    "opening_amount",
    "invoice_amount",
    "credit_note_amount",
    "settlement_amount",
    "accrual_amount",
    "reversal_amount",
    "other_amount",
)


def _ties(folder: Path, report: PackReport) -> None:
    """The accounting identities, each on every row."""
    rows = folder / "rows"
    moved = _journals(rows, report)
    for row in _rows(rows / "roll_forward.csv"):
        account = (row["marketplace_code"], row["account_role"], row["currency_code"])
        name = f"roll-forward of {' '.join(account)}"
        movements = ("opening_amount", "settlement_amount", "receipt_amount", "correction_amount")
        _claim(report, f"{name}: closing", _sum(row, movements), _amount(row["closing_amount"]))
        parts = ("closing_amount", "timing_amount", "finding_amount", "brought_forward_amount", "difference_amount")
        _claim(report, f"{name}: per ERP", _sum(row, parts), _amount(row["erp_closing_amount"]))
        _claim(report, f"{name}: settled", moved[*account, "SETTLEMENT"], _amount(row["settlement_amount"]))
        _claim(report, f"{name}: received", moved[*account, "PAYOUT_RECEIPT"], _amount(row["receipt_amount"]))
    for row in _rows(rows / "account_roll_forward.csv"):
        name = f"roll-forward of {row['marketplace_code']} {row['account_role']} {row['currency_code']}"
        _claim(report, f"{name}: closing", _sum(row, _MOVEMENTS), _amount(row["closing_amount"]))
        known = ("closing_amount", "timing_amount", "finding_amount", "unexplained_amount")
        _claim(report, f"{name}: per ERP", _sum(row, known), _amount(row["erp_closing_amount"]))
    taxes: dict[str, Decimal] = defaultdict(Decimal)
    for row in _rows(rows / "vat_support.csv"):
        if row["is_memo"] == "false":
            taxes[row["account_role"]] += _amount(row["tax_amount"])
    for role, rest in taxes.items():
        _claim(report, f"{role}: its support less the ledger", rest, Decimal(0))
    for row in _rows(rows / "cycles.csv"):
        closing = _sum(row, ("opening_amount", "net_amount", "break_amount")) - _amount(row["payout_amount"])
        _claim(report, f"cycle {row['billing_cycle_id']}: closing", closing, _amount(row["closing_amount"]))
    tied: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in _rows(rows / "tie_out.csv"):
        amount = _amount(row["amount"])
        tied[row["marketplace_code"], row["currency_code"]] += amount if row["side"] == "LEDGER" else -amount
    for (marketplace, currency), rest in tied.items():
        _claim(report, f"ledger less marketplace less items, {marketplace} {currency}", rest, Decimal(0))
    for row in _rows(rows / "figures.csv"):
        if row["is_locked"] == "true":
            moved_by = _amount(row["restated_amount"]) - _amount(row["first_closed_amount"])
            _claim(report, f"figure {row['figure_code']}: difference", moved_by, _amount(row["difference_amount"]))


def _journals(rows: Path, report: PackReport) -> Mapping[tuple[str, str, str, str], Decimal]:
    """Journals add up and balance. Returns what they move in the pack's month, by marketplace, role, currency, kind."""
    period = json.loads((rows.parent / MANIFEST).read_text(encoding="utf-8"))["period"]
    journals = {row["journal_key"]: row for row in _rows(rows / "journals.csv")}
    debits: dict[str, Decimal] = defaultdict(Decimal)
    credits: dict[str, Decimal] = defaultdict(Decimal)
    moved: dict[tuple[str, str, str, str], Decimal] = defaultdict(Decimal)
    for line in _rows(rows / "journal_lines.csv"):
        key, debit, credit = line["journal_key"], _amount(line["debit"]), _amount(line["credit"])
        debits[key] += debit
        credits[key] += credit
        journal = journals[key]
        if journal["books_period"] == period and journal["is_blocked"] == "false":
            account = (line["marketplace_code"], line["account_role"], line["currency_code"])
            moved[*account, journal["kind"]] += debit - credit
    for key, journal in journals.items():
        _claim(report, f"journal {key}: debits", debits[key], _amount(journal["total_debit"]))
        _claim(report, f"journal {key}: credits", credits[key], _amount(journal["total_credit"]))
        if journal["is_blocked"] == "false":
            _claim(report, f"journal {key}: balance", debits[key], credits[key])
    return moved


def _claim(report: PackReport, what: str, computed: Decimal, stated: Decimal) -> None:
    report.sums += 1
    if computed != stated:
        report.problems.append(f"{what} is {stated}, but adds up to {computed}")


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _sum(row: Mapping[str, str], columns: tuple[str, ...]) -> Decimal:
    return sum((_amount(row[column]) for column in columns), Decimal(0))


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text or 0)
    except InvalidOperation:
        raise ValueError(f"{text!r} is no amount") from None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
