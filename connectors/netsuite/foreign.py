"""A journal in a foreign currency as journal entries of NetSuite, which have one currency and one rate each.

- What was settled: one entry in the document's currency at the journal's rate, and beside it one in the company's own
  for what the rate does not explain: accounts relieved at what they carry, and the exchange difference. The second has
  the first one's key with `FX` behind it.
- What a bank exchanged (`rate_source` BANK): one entry in the company's own currency, because the money arrived in it.
- What has no amount in the document's currency at all, as a revaluation: likewise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec

from connectors.delivery import Action, DeliveryResult, Found, Outcome, Verification
from connectors.netsuite.journals import Journal, JournalLine, money, read_journal
from connectors.netsuite.records import BadRecord

FX_SUFFIX = "FX"
BANK_RATE = "BANK"
_PENNY = Decimal("0.01")
_WORST = (Outcome.UNKNOWN, Outcome.FAILED, Outcome.SENT)


def entries_of(journal: Journal) -> tuple[Journal, ...]:
    """The journal entries that it takes, the document's own first. Raises BadRecord."""
    own = journal.functional_currency_code
    if own is None or own == journal.currency_code:
        return (journal,)
    if any(line.functional_debit is None or line.functional_credit is None for line in journal.lines):
        raise BadRecord("a line has no functional amount: its exchange rate is missing")
    stated = [line for line in journal.lines if _net(line) != 0]
    if journal.rate_source == BANK_RATE or not stated:
        lines = [_with_net(line, _functional(line)) for line in journal.lines]
        return (_in_own_currency(journal, journal.wire_key, lines),)
    if journal.exchange_rate is None:
        raise BadRecord("a journal in a foreign currency has no exchange rate")
    rate = Decimal(journal.exchange_rate)
    differences = [_with_net(line, _functional(line) - _translated(_net(line), rate)) for line in journal.lines]
    main = msgspec.structs.replace(journal, lines=stated)
    rest = [line for line in differences if _net(line) != 0]
    if not rest:
        return (main,)
    return main, _in_own_currency(journal, journal.wire_key + FX_SUFFIX, rest)


def parts_of(action: Action) -> list[Action]:
    """The action itself, or one for each journal entry that it takes. One that cannot be read stays whole: sending it
    says why.
    """
    try:
        journal = read_journal(action.payload)
        entries = entries_of(journal)
    except BadRecord:
        return [action]
    if len(entries) == 1 and entries[0] is journal:
        return [action]
    return [
        replace(
            action,
            action_key=action.action_key if number == 0 else f"{action.action_key}#{FX_SUFFIX}",
            wire_key=action.wire_key + entry.wire_key.removeprefix(journal.wire_key),
            payload=_payload(entry),
        )
        for number, entry in enumerate(entries)
    ]


def merged_found(found: Sequence[Found | None]) -> Found | None:
    """Nothing when nothing is there; complete when all of it is."""
    there = [each for each in found if each is not None]
    if not there:
        return None
    detail = "; ".join(each.detail for each in there)
    if len(there) < len(found):
        detail += "; the entry of the exchange difference is missing, or the one it belongs to"
    ids = tuple(identifier for each in there for identifier in each.vendor_ids)
    return Found(ids, len(there) == len(found) and all(each.complete for each in there), detail)


def merged_result(results: Sequence[DeliveryResult]) -> DeliveryResult:
    """The worst of the outcomes; what failed may be sent again when every failed part may."""
    outcome = next(worst for worst in _WORST if any(result.outcome is worst for result in results))
    failed = [result for result in results if result.outcome is Outcome.FAILED]
    return DeliveryResult(
        outcome,
        tuple(identifier for result in results for identifier in result.vendor_ids),
        "; ".join(result.detail for result in results if result.detail),
        bool(failed) and all(result.retryable for result in failed),
    )


def merged_verification(results: Sequence[Verification]) -> Verification:
    return Verification(
        all(result.ok for result in results),
        "; ".join(result.detail for result in results if result.detail),
        tuple(identifier for result in results for identifier in result.vendor_ids),
    )


def _net(line: JournalLine) -> Decimal:
    where = f"line {line.line_no}"
    return money(line.debit, 2, where) - money(line.credit, 2, where)


def _functional(line: JournalLine) -> Decimal:
    where = f"line {line.line_no}"
    return money(line.functional_debit, 2, where) - money(line.functional_credit, 2, where)


def _translated(amount: Decimal, rate: Decimal) -> Decimal:
    """As NetSuite translates a line: to the penny, half away from zero."""
    return (amount * rate).quantize(_PENNY, rounding=ROUND_HALF_UP)


def _with_net(line: JournalLine, net: Decimal) -> JournalLine:
    return msgspec.structs.replace(line, debit=str(max(net, Decimal(0))), credit=str(max(-net, Decimal(0))))


def _in_own_currency(journal: Journal, wire_key: str, lines: Sequence[JournalLine]) -> Journal:
    return msgspec.structs.replace(
        journal,
        wire_key=wire_key,
        currency_code=journal.functional_currency_code or journal.currency_code,
        exchange_rate=None,
        lines=list(lines),
    )


def _payload(journal: Journal) -> Mapping[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(journal)
    # One entry by now: it is not to be taken apart once more.
    document["functional_currency_code"] = None
    return document
