"""What a check is, what it may look at, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol

from orchestration.lib.registry import Registry


class Impact(StrEnum):
    HIGH = "HIGH"
    """Money is lost or the books are wrong while it stays."""
    MEDIUM = "MEDIUM"
    """Work, delay or doubt while it stays."""
    LOW = "LOW"
    """Tidiness."""


class AccountAnswer(Protocol):
    """What `tieout doctor` found at an account."""

    @property
    def account(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def ok(self) -> bool: ...
    @property
    def detail(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def is_warning(self) -> bool: ...


@dataclass(frozen=True)
class Facts:
    """What the checks may look at. `rows` asks the published marts; `now` is naive UTC. `accounts` is None when no
    vendor was asked, `lanes` holds when each lane last ended well (naive UTC).
    """

    registry: Registry
    now: datetime
    rows: Callable[..., list[dict[str, Any]]]
    write_back: bool
    accounts: Sequence[AccountAnswer] | None = None
    lanes: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def sellers(self) -> list[str]:
        """Enabled marketplaces on which we sell."""
        return [
            row.marketplace_code for row in self.registry.marketplaces if row.is_enabled and row.perspective == "SELLER"
        ]


@dataclass(frozen=True, slots=True)
class Found:
    """One thing to put right. `evidence` is where to see it: a query, a file and line, a vendor's answer. `amount` is
    what is at stake, not negative.
    """

    subject: str
    what: str
    evidence: str
    amount: Decimal | None = None
    currency: str | None = None


Run = Callable[[Facts], Iterable[Found]]


@dataclass(frozen=True, slots=True)
class Check:
    """One question. `why` is what it costs when the answer is wrong."""

    check_id: str
    area: str
    impact: Impact
    title: str
    why: str
    remedy: str
    run: Run
    needs_accounts: bool = False


CHECKS: dict[str, Check] = {}


def check(
    check_id: str, area: str, impact: Impact, title: str, *, why: str, remedy: str, needs_accounts: bool = False
) -> Callable[[Run], Run]:
    """Registers a check under its id."""

    def register(run: Run) -> Run:
        if check_id in CHECKS:
            raise ValueError(f"{check_id} is there twice")
        CHECKS[check_id] = Check(check_id, area, impact, title, why, remedy, run, needs_accounts)
        return run

    return register


def by_amount(rows: Iterable[Mapping[str, Any]], amount: str = "amount") -> Iterator[Mapping[str, Any]]:
    """Rows, dearest first."""
    yield from sorted(rows, key=lambda row: -(row[amount] or Decimal(0)))


def counted(number: int, noun: str) -> str:
    """`1 order`, `2 orders`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
