"""Shadow mode: write-back is off, all lanes propose, nothing is sent. What would have happened?

Reads the outbox alone. An action that the world has overtaken (somebody did it by hand, or it is no longer wanted) is
SUPERSEDED there and counted apart: the more of those, the better Tieout and the people agree.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from orchestration.outbox.policies import Policy, Switch, needs_person, stopped_by, subject_of

EXAMPLES = 5
OUTCOMES = {
    "BY_ITSELF": "would have gone out by itself",
    "PERSON": "would have waited for a person",
    "STOPPED": "would have been stopped by switches.csv",
    "OVERTAKEN": "was overtaken: done by hand, or no longer wanted",
    "REFUSED": "was rejected by a person",
    "SENT": "was really sent",
}


@dataclass
class Would:
    """The actions of one kind at one marketplace with one outcome. `amounts` is Σ |amount| by currency."""

    kind: str
    marketplace: str
    outcome: str
    count: int = 0
    amounts: dict[str, Decimal] = field(default_factory=dict)
    first_at: str = ""
    last_at: str = ""
    examples: list[str] = field(default_factory=list)
    why: str = ""


def shadow(
    actions: Iterable[Mapping[str, Any]], policies: Sequence[Policy], switches: Sequence[Switch], *, since: str = ""
) -> list[Would]:
    """What would have become of the actions proposed since then (UTC stamp), were write-back on."""
    found: dict[tuple[str, str, str], Would] = {}
    for action in actions:
        if str(action["proposed_at"]) < since:
            continue
        outcome, why = _outcome(action, policies, switches)
        key = (str(action["kind"]), str(action["marketplace_code"]), outcome)
        one = found.setdefault(key, Would(*key))
        one.count += 1
        one.why = one.why or why
        at = str(action["proposed_at"])
        one.first_at, one.last_at = min(one.first_at or at, at), max(one.last_at, at)
        if action["amount"] is not None:
            currency = str(action["currency_code"] or "")
            one.amounts[currency] = one.amounts.get(currency, Decimal(0)) + abs(Decimal(action["amount"]))
        if len(one.examples) < EXAMPLES:
            one.examples.append(str(action["action_key"]))
    order = list(OUTCOMES)
    return sorted(found.values(), key=lambda one: (one.kind, one.marketplace, order.index(one.outcome)))


def _outcome(action: Mapping[str, Any], policies: Sequence[Policy], switches: Sequence[Switch]) -> tuple[str, str]:
    match str(action["state"]):
        case "SUPERSEDED":
            return "OVERTAKEN", ""
        case "REJECTED":
            return "REFUSED", ""
        case "SENDING" | "SENT" | "VERIFIED" | "UNKNOWN" | "FAILED":
            return "SENT", ""
    subject = subject_of(dict(action))
    if why := stopped_by(subject, switches, write_back=True):
        return "STOPPED", why
    if why := needs_person(subject, policies):
        return "PERSON", why
    return "BY_ITSELF", ""


def markdown(found: Sequence[Would], *, since: str, until: str, write_back: bool) -> Iterator[str]:
    """The report for the meeting in which somebody decides to switch on."""
    yield "# What would have happened"
    yield ""
    mode = (
        "Write-back is ON: this is no shadow any more." if write_back else "Write-back is off: nothing of it was sent."
    )
    yield f"Proposals from {since[:16] or 'the beginning'} to {until[:16]} (UTC). {mode}"
    yield ""
    yield "| kind | marketplace | what | actions | amount |"
    yield "|---|---|---|---:|---:|"
    for one in found:
        yield f"| {one.kind} | {one.marketplace} | {OUTCOMES[one.outcome]} | {one.count:,} | {amounts(one)} |"
    for one in found:
        if one.outcome in ("BY_ITSELF", "PERSON", "STOPPED"):
            yield from ("", f"## {one.kind} at {one.marketplace}: {OUTCOMES[one.outcome]}", "")
            if one.why:
                yield f"Because {one.why}."
                yield ""
            yield from (f"- `{key}`" for key in one.examples)
            if one.count > len(one.examples):
                yield f"- … and {one.count - len(one.examples):,} more: `tieout actions --kind {one.kind}`"
    yield ""
    yield "`tieout actions KEY --requests` shows the exact request of one, `tieout audit systems` what to mend before."


def table(found: Sequence[Would]) -> str:
    """The same as CSV, one row per kind, marketplace, outcome and currency."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ("kind", "marketplace_code", "outcome", "actions", "amount", "currency_code", "first_at", "last_at")
    )
    for one in found:
        for currency in sorted(one.amounts) or [""]:
            amount = one.amounts.get(currency)
            writer.writerow(
                (one.kind, one.marketplace, one.outcome, one.count, amount, currency, one.first_at, one.last_at)
            )
    return text.getvalue()


def amounts(one: Would) -> str:
    """`155.00 GBP`; empty for actions without money."""
    return " and ".join(f"{amount:,.2f} {currency}".strip() for currency, amount in sorted(one.amounts.items()))
