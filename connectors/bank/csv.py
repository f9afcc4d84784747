"""Bank statements as CSV, by a profile that says which column holds what.

A CSV file does not explain itself, so what is landed is the file's text together with the profile that was in force:
the evidence can be read again when the configuration has long changed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

import msgspec

from connectors.bank.entries import (
    ENTITY,
    VENDOR,
    BadEntry,
    Entry,
    EntryReferences,
    Statement,
    StatementFile,
    account_digest,
    entry_hash,
    exchanged,
)
from connectors.decoding import plain_decimal
from connectors.errors import BadConfiguration, BadPayload
from connectors.records import Decoded, Reject

FIELDS = frozenset(
    [
        "entry_reference",
        "booking_date",
        "value_date",
        "amount",
        "paid_in",
        "paid_out",
        "currency",
        "counterparty_name",
        "counterparty_account",
        "remittance_information",
        "end_to_end_id",
        "transaction_code",
        "balance",
        "original_amount",
        "original_currency",
    ]
)
DECIMAL_FORMATS = {"": ".", "decimal_point": ".", "decimal_comma": ","}
DELIMITERS = ",;\t|"


class ColumnRule(msgspec.Struct, frozen=True):
    """`column` is the file's heading; `format` a strptime format for dates, `decimal_point` or `decimal_comma` for
    amounts.
    """

    column: str
    format: str = ""


class CsvProfile(msgspec.Struct, frozen=True):
    """How one bank writes its CSV statements."""

    name: str
    rules: dict[str, ColumnRule]

    @classmethod
    def from_rows(cls, name: str, rows: Iterable[Mapping[str, str]]) -> CsvProfile:
        """From rows of `csv_profile, field, column_name, format`; those of other profiles are passed over.

        Raises BadConfiguration, saying what to correct, when the profile cannot work.
        """
        rules = {
            row["field"]: ColumnRule(row["column_name"], row.get("format") or "")
            for row in rows
            if row["csv_profile"] == name
        }
        profile = cls(name, rules)
        problem = profile.problem()
        if problem:
            raise BadConfiguration(f"CSV profile {name}: {problem}", vendor=VENDOR, call="configuration")
        return profile

    def problem(self) -> str | None:
        if not self.rules:
            return "no such profile; add its rows to bank_csv_profiles.csv"
        unknown = sorted(self.rules.keys() - FIELDS)
        if unknown:
            return f"unknown field {unknown[0]!r}; the fields are {', '.join(sorted(FIELDS))}"
        if "booking_date" not in self.rules:
            return "no field booking_date"
        if "amount" not in self.rules and not {"paid_in", "paid_out"} <= self.rules.keys():
            return "neither amount nor both of paid_in and paid_out"
        for field in ("amount", "paid_in", "paid_out", "balance", "original_amount"):
            if field in self.rules and self.rules[field].format not in DECIMAL_FORMATS:
                return f"format of {field} is neither decimal_point nor decimal_comma"
        for field in ("booking_date", "value_date"):
            if field in self.rules and "%" not in self.rules[field].format:
                return f"format of {field} is not a date format such as %d/%m/%Y"
        return None


class LandedCsv(msgspec.Struct, frozen=True, kw_only=True):
    """A CSV statement as it is landed: `content` is the file's text unchanged."""

    format: str = "csv"
    file_name: str
    account: str
    iban: str
    currency: str
    profile: CsvProfile
    content: str

    def body(self) -> bytes:
        return msgspec.json.encode(self)


@dataclass(frozen=True, slots=True)
class _Layout:
    header_line: int
    width: int
    index: dict[str, int]


def decode_csv(body: bytes) -> Decoded:
    try:
        landed = msgspec.json.decode(body, type=LandedCsv)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise _bad("neither CAMT.053, MT940 or OFX nor a landed CSV statement", str(error)) from error
    if (problem := landed.profile.problem()) is not None:
        raise _bad(f"the landed statement's profile: {problem}")
    return read_csv(landed).decoded()


def _bad(message: str, detail: str | None = None) -> BadPayload:
    return BadPayload(message, vendor=VENDOR, call=ENTITY, detail=detail)


def file_text(content: bytes) -> str:
    """UTF-8 where it is valid, otherwise Windows-1252, which British banks still write."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def read_csv(landed: LandedCsv) -> StatementFile:
    """Raises BadPayload, naming the line and what to do, when no heading fits the profile or the text is not CSV."""
    rows, layout = _rows(landed)
    statement_id = landed.file_name.rpartition(".")[0] or landed.file_name
    result = StatementFile([], [], [])
    references = EntryReferences()
    lines: list[tuple[Entry, Decimal | None]] = []
    for line, row in rows:
        position = len(result.entries)
        result.hashes.append(entry_hash(statement_id, "\x1f".join(row).encode()))
        try:
            if len(row) != layout.width:
                raise BadEntry("line", f"has {len(row)} columns where the heading has {layout.width}", "WRONG_TYPE")
            entry = _entry(row, layout, landed, statement_id, references)
        except BadEntry as bad:
            rule = landed.profile.rules.get(bad.field)
            where = f"line {line}" if rule is None else f"line {line}, column {rule.column}"
            result.entries.append(Reject(position, None, where, bad.reason, bad.code))
        else:
            result.entries.append(entry)
            lines.append((entry, _balance(row, layout, landed)))
    opening, closing = _bounds(lines) if len(lines) == len(result.entries) else (None, None)
    dates = [entry.booking_date for entry, _ in lines]
    result.statements.append(
        (
            0,
            Statement(
                statement_id,
                landed.iban or None,
                landed.currency or None,
                opening,
                closing,
                min(dates, default=None),
                max(dates, default=None),
            ),
        )
    )
    return result


def _rows(landed: LandedCsv) -> tuple[list[tuple[int, list[str]]], _Layout]:
    wanted = {rule.column.strip().lower(): field for field, rule in landed.profile.rules.items()}
    best_missing: set[str] = set(wanted)
    for delimiter in DELIMITERS:
        reader = csv.reader(io.StringIO(landed.content, newline=""), delimiter=delimiter, strict=True)
        rows: list[tuple[int, list[str]]] = []
        layout: _Layout | None = None
        try:
            for row in reader:
                if layout is not None:
                    if any(cell.strip() for cell in row):
                        rows.append((reader.line_num, row))
                    continue
                headings = [cell.strip().lower() for cell in row]
                missing = wanted.keys() - set(headings)
                if not missing:
                    layout = _Layout(reader.line_num, len(row), {f: headings.index(h) for h, f in wanted.items()})
                elif len(missing) < len(best_missing):
                    best_missing = set(missing)
        except csv.Error as error:
            if layout is not None:
                raise _bad(
                    f"not valid CSV at line {reader.line_num}: fetch the file again from the bank", str(error)
                ) from error
            continue
        if layout is not None:
            return rows, layout
    names = ", ".join(sorted(landed.profile.rules[wanted[m]].column for m in best_missing))
    raise _bad(
        f"no heading with the columns of profile {landed.profile.name} (missing: {names}): "
        "correct bank_csv_profiles.csv or choose another profile in bank_accounts.csv"
    )


def _entry(row: list[str], layout: _Layout, landed: LandedCsv, statement_id: str, references: EntryReferences) -> Entry:
    rules = landed.profile.rules

    def cell(field: str) -> str | None:
        return (row[layout.index[field]].strip() or None) if field in rules else None

    def day(field: str) -> str | None:
        value = cell(field)
        if value is None:
            return None
        try:
            return datetime.strptime(value, rules[field].format).date().isoformat()  # noqa: DTZ007  a calendar date
        except ValueError:
            raise BadEntry(field, f"is not a date of the form {rules[field].format}", "BAD_TIMESTAMP") from None

    def number(field: str) -> str | None:
        value = cell(field)
        if value is None:
            return None
        plain = _plain(value, rules[field].format)
        if plain is None:
            raise BadEntry(field, "is not a decimal number", "NOT_A_NUMBER")
        return plain

    booking_date = day("booking_date")
    if booking_date is None:
        raise BadEntry("booking_date", "is missing", "REQUIRED_MISSING")
    value_date = day("value_date")
    amount = number("amount") if "amount" in rules else _signed(number("paid_in"), number("paid_out"))
    if amount is None:
        raise BadEntry("amount", "is missing", "REQUIRED_MISSING")
    currency = cell("currency") or landed.currency
    if not currency:
        raise BadEntry("currency", "is missing", "REQUIRED_MISSING")
    account = cell("counterparty_account")
    text = (cell("counterparty_name"), cell("remittance_information"), cell("end_to_end_id"))
    content = (booking_date, value_date, amount, currency, account, *text)
    return Entry(
        statement_id,
        references.reference(statement_id, cell("entry_reference"), content),
        booking_date,
        value_date,
        amount,
        currency,
        text[0],
        account_digest(account) if account else None,
        text[1],
        text[2],
        cell("transaction_code"),
        False,
        *exchanged(number("original_amount"), cell("original_currency"), amount, currency),
    )


def _plain(value: str, decimal_format: str) -> str | None:
    point = DECIMAL_FORMATS[decimal_format]
    thousands = "," if point == "." else "."
    return plain_decimal(value.replace(thousands, "").replace(" ", "").replace(point, ".").removeprefix("+"))


def _balance(row: list[str], layout: _Layout, landed: LandedCsv) -> Decimal | None:
    """The balance after the line, None when it states none."""
    rule = landed.profile.rules.get("balance")
    plain = None if rule is None else _plain(row[layout.index["balance"]].strip(), rule.format)
    return None if plain is None else Decimal(plain)


def _text(balance: Decimal) -> str:
    return format(balance if balance else abs(balance), "f")


def _bounds(lines: list[tuple[Entry, Decimal | None]]) -> tuple[str | None, str | None]:
    """Opening and closing balance by the running one, oldest line first or last; (None, None) when it does not run
    through.
    """
    running = [(Decimal(entry.amount), balance) for entry, balance in lines if balance is not None]
    if not running or len(running) < len(lines) or len({entry.currency for entry, _ in lines}) > 1:
        return None, None
    is_newest_first = lines[0][0].booking_date > lines[-1][0].booking_date
    for is_reversed in (is_newest_first, not is_newest_first):
        ordered = running[::-1] if is_reversed else running
        if all(before + amount == after for (_, before), (amount, after) in pairwise(ordered)):
            amount, balance = ordered[0]
            return _text(balance - amount), _text(ordered[-1][1])
    return None, None


def _signed(paid_in: str | None, paid_out: str | None) -> str | None:
    """Money in positive, money out negative, whichever sign the bank prints in its out column."""
    if paid_in is not None and paid_in.strip("-0."):
        if paid_out is not None and paid_out.strip("-0."):
            raise BadEntry("paid_out", "is filled although paid_in is too", "WRONG_TYPE")
        return paid_in
    if paid_out is None:
        return paid_in
    return paid_out if paid_out.startswith("-") or not paid_out.strip("0.") else f"-{paid_out}"
