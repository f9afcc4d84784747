"""Who may let an action go, and what stops it. Pure decisions over configuration rows; nothing here reads or writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Protocol

ANY = "*"


class Policy(Protocol):
    """A row of approval_policies.csv. `maximum_amount` None = no limit; it counts in `currency_code` only.
    `expires_after_hours` None = a proposal, and an approval, holds for ever.
    """

    @property
    def kind(self) -> str: ...
    @property
    def marketplace_code(self) -> str: ...
    @property
    def mode(self) -> str: ...
    @property
    def maximum_amount(self) -> Decimal | None: ...
    @property
    def currency_code(self) -> str | None: ...
    @property
    def expires_after_hours(self) -> int | None: ...


class Switch(Protocol):
    """A row of switches.csv. `*` in a column matches everything; one matching row that is off is enough to stop."""

    @property
    def vendor(self) -> str: ...
    @property
    def marketplace_code(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def is_on(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Subject:
    """What a policy or a switch looks at. `amount` is money of `currency_code`, None for actions without money."""

    kind: str
    vendor: str
    marketplace_code: str
    amount: Decimal | None
    currency_code: str | None


def subject_of(row: Mapping[str, Any]) -> Subject:
    """The part of an action that policies and switches look at."""
    return Subject(
        kind=row["kind"],
        vendor=row["vendor"],
        marketplace_code=row["marketplace_code"],
        amount=None if row["amount"] is None else Decimal(row["amount"]),
        currency_code=row["currency_code"],
    )


def stopped_by(subject: Subject, switches: Sequence[Switch], *, write_back: bool) -> str | None:
    """The switch that keeps the action from the vendor, in words; None when the way is free."""
    if not write_back:
        return "write-back is off (TIEOUT_WRITE_BACK)"
    for switch in switches:
        if (
            not switch.is_on
            and switch.vendor in (ANY, "", subject.vendor)
            and switch.marketplace_code in (ANY, "", subject.marketplace_code)
            and switch.kind in (ANY, "", subject.kind)
        ):
            row = f"vendor {switch.vendor}, marketplace {switch.marketplace_code}, kind {switch.kind}"
            return f"switched off in switches.csv: {row}"
    return None


def needs_person(subject: Subject, policies: Sequence[Policy]) -> str | None:
    """Why a person has to decide, in words; None when the policy approves by itself.

    Rows that name the marketplace win over rows with `*`; among them the row of the action's currency wins over one
    without a currency. Where no row fits, a person decides: nothing is approved by omission.
    """
    policy = _policy_of(subject, policies)
    if isinstance(policy, str):
        return policy
    if policy.mode.upper() != "AUTO":
        return "the policy asks for a person"
    if policy.maximum_amount is None or subject.amount is None:
        return None
    if abs(subject.amount) > policy.maximum_amount:
        return f"{abs(subject.amount)} {subject.currency_code} is above the limit of {policy.maximum_amount}"
    return None


def expires_after(subject: Subject, policies: Sequence[Policy]) -> timedelta | None:
    """How long a proposal of the action waits, and an approval of it holds, before it is asked for afresh."""
    policy = _policy_of(subject, policies)
    if isinstance(policy, str) or policy.expires_after_hours is None:
        return None
    return timedelta(hours=policy.expires_after_hours)


def _policy_of(subject: Subject, policies: Sequence[Policy]) -> Policy | str:
    """The row that decides about the action; in words why there is none."""
    rows = [p for p in policies if p.kind == subject.kind and p.marketplace_code in (ANY, subject.marketplace_code)]
    if named := [p for p in rows if p.marketplace_code != ANY]:
        rows = named
    if not rows:
        return f"approval_policies.csv has no row for kind {subject.kind} and marketplace {subject.marketplace_code}"
    fitting = [p for p in rows if subject.currency_code is None or p.currency_code in (None, "", subject.currency_code)]
    if not fitting:
        return f"approval_policies.csv has no limit in {subject.currency_code} for kind {subject.kind}"
    return max(fitting, key=lambda p: bool(p.currency_code))
