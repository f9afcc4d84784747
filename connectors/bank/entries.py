"""What a bank's statement says, whatever its file format, and how that becomes tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import Decimal
from hashlib import blake2b

import pyarrow as pa

from connectors.bank.tables import BANK_STATEMENT_ENTRIES, BANK_STATEMENTS
from connectors.decoding import HASH_BYTES, plain_decimal, record_hash
from connectors.records import Decoded, Reject

VENDOR = "bank"
ENTITY = "statements"


class BadEntry(Exception):
    """One entry cannot be read: `field` names its element or column, `reason` the expectation, never the value."""

    def __init__(self, field: str, reason: str, code: str) -> None:
        super().__init__(f"{field} {reason}")
        self.field = field
        self.reason = reason
        self.code = code


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a bank account. `amount` is signed decimal text, money in positive; dates are ISO calendar dates.

    `original_amount` is what was sent in another currency, signed like `amount`, where the bank exchanged it.
    """

    statement_id: str
    entry_reference: str
    booking_date: str
    value_date: str | None
    amount: str
    currency: str
    counterparty_name: str | None
    counterparty_account_hash: str | None
    remittance_information: str | None
    end_to_end_id: str | None
    transaction_code: str | None
    is_reversal: bool
    original_amount: str | None = None
    original_currency: str | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement's header. Balances are signed decimal text in `currency`; dates are ISO calendar dates."""

    statement_id: str
    iban: str | None
    currency: str | None
    opening_balance: str | None
    closing_balance: str | None
    from_date: str | None
    to_date: str | None


def follows(later: Statement, earlier: Statement) -> bool:
    """Whether `later` starts where `earlier` ended, so that no line can stand in both."""
    return (
        (later.statement_id, later.closing_balance) != (earlier.statement_id, earlier.closing_balance)
        and later.opening_balance is not None
        and earlier.closing_balance is not None
        and Decimal(later.opening_balance) == Decimal(earlier.closing_balance)
        and (later.from_date or "") >= (earlier.to_date or "")
    )


def account_digest(account: str) -> str:
    """16 hex digits that stand for an account number: equal accounts stay recognisable, the number is not kept."""
    return blake2b("".join(account.split()).upper().encode(), digest_size=HASH_BYTES).hexdigest()


def calendar_date(text: str, field: str) -> str:
    """The calendar date of an ISO date or date-time, as the bank wrote it (its own day, never shifted)."""
    try:
        return date.fromisoformat(text.strip()[:10]).isoformat()
    except ValueError:
        raise BadEntry(field, "is not an ISO 8601 date", "BAD_TIMESTAMP") from None


def unsigned_amount(text: str, field: str) -> str:
    plain = plain_decimal(text.strip())
    if plain is None or plain.startswith("-"):
        raise BadEntry(field, "is not an unsigned decimal number", "NOT_A_NUMBER")
    return plain


def negated(amount: str) -> str:
    return amount if not amount.strip("0.") else f"-{amount}"


def exchanged(sent: str | None, sent_currency: str | None, amount: str, currency: str) -> tuple[str | None, str | None]:
    """What was sent and in which currency, signed like `amount`; nothing where the bank exchanged nothing."""
    if sent is None or not sent_currency or sent_currency.upper() == currency.upper():
        return None, None
    unsigned = sent.removeprefix("-")
    return (negated(unsigned) if amount.startswith("-") else unsigned), sent_currency.upper()


class EntryReferences:
    """Gives every entry of a statement a reference that is never empty and never used twice in it.

    Banks leave references out, and some use one for several lines. The n-th line of the same reference gets `-n`, so
    two equal lines stay two lines, and a file read again gives the same references.
    """

    def __init__(self) -> None:
        self._seen: Counter[tuple[str, str]] = Counter()

    def reference(
        self, statement_id: str, reference: str | None, content: Iterable[str | None], *, chain: str | None = None
    ) -> str:
        """`chain` names statements of the file that follow each other: without a bank's reference, equal lines in them
        are counted together.
        """
        if not reference:
            digest = blake2b("\x1f".join(c or "" for c in content).encode(), digest_size=HASH_BYTES).hexdigest()
            reference = f"X{digest}"
            statement_id = chain or statement_id
        self._seen[statement_id, reference] += 1
        count = self._seen[statement_id, reference]
        return reference if count == 1 else f"{reference}-{count}"


def entry_hash(statement_id: str, content: bytes) -> bytes:
    """The digest of an entry within its statement: the same line in another statement is another record."""
    return record_hash(statement_id.encode() + b"\x1f" + content)


def _dated(statement: Statement, entries: Iterable[Entry]) -> Statement:
    """With the days of its entries where the bank states no period: without days a statement has no place in a row."""
    if statement.from_date is not None and statement.to_date is not None:
        return statement
    days = [e.booking_date for e in entries if e.statement_id == statement.statement_id]
    return replace(
        statement,
        from_date=statement.from_date or min(days, default=None),
        to_date=statement.to_date or max(days, default=None),
    )


@dataclass(slots=True)
class StatementFile:
    """A file's records in order: `entries[n]` is an Entry or the Reject that stands for it."""

    statements: list[tuple[int, Statement]]
    entries: list[Entry | Reject]
    hashes: list[bytes]

    def decoded(self) -> Decoded:
        good = [(position, e) for position, e in enumerate(self.entries) if isinstance(e, Entry)]
        entry_columns = {f.name: [getattr(e, f.name) for _, e in good] for f in fields(Entry)}
        entries = pa.table(
            {
                "_position": pa.array([p for p, _ in good], pa.int64()),
                "_hash": pa.array([self.hashes[p].hex() for p, _ in good], pa.string()),
                **{c.name: pa.array(entry_columns[c.name], c.type) for c in BANK_STATEMENT_ENTRIES.columns},
            }
        )
        # A header hangs on its statement's first good entry, because a child of a rejected record would be lost with
        # it.
        kept = [p for p, _ in good]
        headers = []
        for first, statement in self.statements:
            position = next((p for p, e in good if p >= first and e.statement_id == statement.statement_id), None)
            if position is not None and kept:
                headers.append((position, _dated(statement, (e for _, e in good))))
        header_columns = {f.name: [getattr(s, f.name) for _, s in headers] for f in fields(Statement)}
        statements = pa.table(
            {
                "_position": pa.array([p for p, _ in headers], pa.int64()),
                "_index": pa.array([0] * len(headers), pa.int64()),
                **{c.name: pa.array(header_columns[c.name], c.type) for c in BANK_STATEMENTS.columns},
            }
        )
        return Decoded(
            {BANK_STATEMENT_ENTRIES.name: entries, BANK_STATEMENTS.name: statements},
            [e for e in self.entries if isinstance(e, Reject)],
            len(self.entries),
            Counter(),
            Counter(),
        )
