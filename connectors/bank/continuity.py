"""The proof that no statement is missing: each opens with the balance with which the one before it closed.

Statements overlap, come twice and come late, so "the one before" is found by dates. Where two overlap, the earlier
one's entries lead to the balance at the later one's start. Amounts are exact decimals, money held is positive.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from connectors.bank.entries import Entry, Statement, StatementFile


@dataclass(frozen=True, slots=True)
class Period:
    """One statement of one file with what the proof needs. Dates are ISO calendar dates, both inclusive."""

    file: str
    statement_id: str
    currency: str | None
    from_date: str
    to_date: str
    opening: Decimal
    closing: Decimal
    booked: tuple[tuple[str, Decimal], ...]
    """Booking date and amount of every entry that could be read."""

    def __str__(self) -> str:
        return f"{self.statement_id} ({self.file}, {self.from_date} to {self.to_date})"


@dataclass(frozen=True, slots=True)
class Gap:
    """`later` does not open with the balance that `earlier` leaves. `amount` is signed: what the missing entries add up
    to; `left` is the balance at the start of `later` by `earlier`.
    """

    earlier: Period
    later: Period
    left: Decimal

    @property
    def amount(self) -> Decimal:
        return self.later.opening - self.left

    def __str__(self) -> str:
        unit = self.later.currency or ""
        return (
            f"{self.earlier} leaves {self.left} {unit}, {self.later} opens with {self.later.opening} {unit}: "
            f"{self.amount} {unit} lies between them"
        )


@dataclass(frozen=True, slots=True)
class ReusedReference:
    """One bank reference for two different entries: the later file's entry takes the place of the earlier one's."""

    reference: str
    earlier: str
    later: str

    def __str__(self) -> str:
        return f"reference {self.reference} stands for different entries in {self.earlier} and {self.later}"


class Continuity:
    """Takes an account's files in the order in which they are read; tells what does not hold together."""

    def __init__(self) -> None:
        self._periods: list[Period] = []
        self._entries: dict[str, tuple[str, str, str, str]] = {}
        self._reused: dict[str, ReusedReference] = {}

    def add(self, file: str, content: StatementFile) -> None:
        bounds = [first for first, _ in content.statements[1:]] + [len(content.entries)]
        for (first, statement), end in zip(content.statements, bounds, strict=True):
            entries = [e for e in content.entries[first:end] if isinstance(e, Entry)]
            period = _period(file, statement, entries)
            if period is not None:
                self._periods.append(period)
            for entry in entries:
                self._see(file, entry)

    @property
    def reused(self) -> list[ReusedReference]:
        return list(self._reused.values())

    def proof(self) -> tuple[int, list[Gap]]:
        """How many statements open with the balance of one before them, and those that do not."""
        proved, gaps = 0, []
        ordered = self._ordered()
        for number, later in enumerate(ordered):
            candidates = _before(later, ordered[:number])
            if not candidates:
                continue
            if any(left == later.opening for _, left in candidates):
                proved += 1
            else:
                earlier, left = candidates[-1]
                gaps.append(Gap(earlier, later, left))
        return proved, gaps

    def _ordered(self) -> list[Period]:
        """By date, a statement that was delivered twice once. Those of the same dates stay in the order of delivery."""
        seen: dict[tuple[object, ...], Period] = {}
        for period in self._periods:
            key = (period.currency, period.from_date, period.to_date, period.opening, period.closing)
            seen.setdefault(key, period)
        return sorted(seen.values(), key=lambda p: (p.from_date, p.to_date))

    def _see(self, file: str, entry: Entry) -> None:
        place = f"{entry.statement_id} ({file})"
        content = (entry.booking_date, str(Decimal(entry.amount).normalize()), entry.currency)
        known = self._entries.get(entry.entry_reference)
        if known is not None and known[1:] != content:
            self._reused.setdefault(entry.entry_reference, ReusedReference(entry.entry_reference, known[0], place))
        self._entries[entry.entry_reference] = (place, *content)


def _period(file: str, statement: Statement, entries: Iterable[Entry]) -> Period | None:
    """None when the statement states no balances, or no date that would put it in order."""
    booked = tuple((e.booking_date, Decimal(e.amount)) for e in entries if e.currency == statement.currency)
    days = [day for day, _ in booked]
    first = statement.from_date or min(days, default=None)
    last = statement.to_date or max(days, default=None)
    if first is None or last is None or statement.opening_balance is None or statement.closing_balance is None:
        return None
    return Period(
        file,
        statement.statement_id,
        statement.currency,
        first,
        last,
        Decimal(statement.opening_balance),
        Decimal(statement.closing_balance),
        booked,
    )


def _before(later: Period, earlier: Iterable[Period]) -> list[tuple[Period, Decimal]]:
    """The balances at the start of `later` by the statements that reach it, or else by the last one that ended before
    it.
    """
    reaching: list[tuple[Period, Decimal]] = []
    ended: list[Period] = []
    for period in earlier:
        if period.currency != later.currency:
            continue
        if period.to_date <= later.from_date:
            ended.append(period)
        if period.to_date >= later.from_date:
            before = (amount for day, amount in period.booked if day < later.from_date)
            reaching.append((period, period.opening + sum(before, Decimal())))
    last = max((p.to_date for p in ended), default="")
    return reaching + [(p, p.closing) for p in ended if p.to_date == last]
