"""Renders a canonical journal as the lines of a NetSuite journal entry. Pure arithmetic: no network, no ids.

- One currency, one subsidiary; debits equal credits to the currency's last decimal.
- All customer lines become one per account: most charts refuse a journal with more than one receivable line.
- A line on a seller's sub-ledger account names the seller.
- NetSuite keeps no tax on journals: VAT lines are postings to their own accounts, their codes stay in the memo.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from connectors.netsuite.records import NIL, BadRecord

MAXIMUM_LINES = 999
MAXIMUM_MEMO = 200
"""NetSuite's lists show no more."""
TYPES = frozenset({"CUSTOMER", "NOMINAL", "VAT", "BANK", "SELLER"})


class JournalLine(msgspec.Struct, frozen=True):
    """One line. `debit` and `credit` are unsigned decimal text; one of them is nil. `account_code` is the account's
    number in the chart; of a bank line `bank_code` may be that instead.
    """

    line_no: int
    account_role: str
    account_type: str
    account_code: str | None = None
    cost_centre: str | None = None
    department: str | None = None
    bank_code: str | None = None
    debit: str | None = None
    credit: str | None = None
    tax_code: str | None = None
    tax_line_of: int | None = None
    narrative: str | None = None
    functional_debit: str | None = None
    functional_credit: str | None = None
    """The same in the company's own currency; nil in both where the line is none of it."""
    shop_id: str | None = None
    """Of a SELLER line: the marketplace's id of the shop, which the seller's record has as its external id."""


class Journal(msgspec.Struct, frozen=True):
    """The canonical journal of one action. `posting_date` is a calendar date (ISO)."""

    journal_key: str
    wire_key: str
    kind: str
    posting_date: str
    currency_code: str
    lines: list[JournalLine]
    narrative: str | None = None
    customer_reference: str | None = None
    clearing_bank_code: str | None = None
    bank_code: str | None = None
    functional_currency_code: str | None = None
    """The company's own currency; None or the same as `currency_code` for a journal that needs no rate."""
    exchange_rate: str | None = None
    """What one unit of `currency_code` is worth in the company's own currency."""
    rate_source: str | None = None


@dataclass(frozen=True, slots=True)
class Leg:
    """One line to post. `net` is debit less credit, never nil, in the journal's currency."""

    account: str
    net: Decimal
    memo: str
    customer: str | None = None
    cost_centre: str | None = None
    department: str | None = None
    seller: str | None = None
    """External id of the seller whose sub-ledger account the line moves."""


def read_journal(payload: Mapping[str, Any]) -> Journal:
    try:
        return msgspec.convert(dict(payload), Journal)
    except msgspec.ValidationError as error:
        raise BadRecord(f"the payload is not a canonical journal: {error}") from error


def money(text: str | None, decimals: int, what: str) -> Decimal:
    """Unsigned money with at most so many decimals. Raises BadRecord."""
    try:
        value = Decimal(text or "0")
    except InvalidOperation:
        raise BadRecord(f"{what}: an amount is not a decimal number") from None
    unit = Decimal(1).scaleb(-decimals)
    if not value.is_finite() or value < 0 or value != value.quantize(unit):
        raise BadRecord(f"{what}: an amount is negative or has more than {decimals} decimals")
    return value.quantize(unit)


def render(journal: Journal, decimals: int = 2) -> tuple[Leg, ...]:
    """The lines to post, in the journal's order. Raises BadRecord when NetSuite would have to refuse them."""
    legs: list[Leg] = []
    receivables: dict[str, int] = {}
    total = NIL
    for line in journal.lines:
        where = f"line {line.line_no}"
        if line.account_type not in TYPES:
            raise BadRecord(f"{where}: account type {line.account_type} cannot be posted")
        net = money(line.debit, decimals, where) - money(line.credit, decimals, where)
        total += net
        account = line.account_code or (line.bank_code if line.account_type == "BANK" else None)
        if not account:
            raise BadRecord(f"{where}: no account_code for {line.account_role}: add it to accounts.csv")
        if net == 0:
            continue
        memo = " ".join(p for p in (line.narrative or line.account_role, line.tax_code and f"[{line.tax_code}]") if p)
        if line.account_type == "CUSTOMER":
            if not journal.customer_reference:
                raise BadRecord("a customer line, but no customer_reference: set it in marketplaces.csv")
            if account in receivables:
                at = receivables[account]
                first = legs[at]
                legs[at] = Leg(account, first.net + net, f"{first.memo}; {memo}"[:MAXIMUM_MEMO], first.customer)
                continue
            receivables[account] = len(legs)
            legs.append(Leg(account, net, memo[:MAXIMUM_MEMO], journal.customer_reference))
        elif line.account_type == "SELLER" and not line.shop_id:
            raise BadRecord(f"{where}: {line.account_role} names no seller")
        else:
            seller = line.shop_id if line.account_type == "SELLER" else None
            legs.append(Leg(account, net, memo[:MAXIMUM_MEMO], None, line.cost_centre, line.department, seller))
    if total != 0:
        raise BadRecord(f"debits and credits differ by {total}")
    legs = [leg for leg in legs if leg.net != 0]
    if len(legs) < 2:
        raise BadRecord("nothing to post: fewer than two lines are not nil")
    if len(legs) > MAXIMUM_LINES:
        raise BadRecord(f"{len(legs)} lines, NetSuite takes {MAXIMUM_LINES} in one journal: split it")
    return tuple(legs)
