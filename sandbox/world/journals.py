"""The settlements and pay-out receipts that finance had posted before the pipeline took over.

Where an ERP takes no journals, as Sage 200, a settlement is several documents on the marketplace's clearing account:
SR sales receipt (Dr clearing, Cr debtors), SP sales payment (the refunds), BP bank payment (fees with their VAT),
BR bank receipt (what was credited); a pay-out receipt is BT, a bank transfer. Every document carries the wire key as
its reference and its part code as second reference. Where an ERP has journals, its renderer makes one of these parts.
"""

import hashlib
from datetime import date

from sandbox.world.bank import receipt_id
from sandbox.world.business import Business
from sandbox.world.erp import ACCOUNT_OF_ROLE, AR, BANK, CLEARING, INPUT_VAT, OUTPUT_VAT, period
from sandbox.world.model import BankEntry, Cycle, Posting
from sandbox.world.money import share
from sandbox.world.settlement import PASSED_THROUGH, ROLE_OF_TYPE, SUPPLIED_FROM_ABROAD, TAX_OF_TYPE, role_of
from sandbox.world.settlement_led import movements
from sandbox.world.stamps import MINUTE, at

EARLIER_CYCLES = 4
EXCHANGE_DIFFERENCES = "7906"
USER = "Accounts"
STANDARD_RATE = 2000
"""The buyer's own rate, in hundredths of a per cent."""


def natural_key(business: Business, kind: str, subject: str, day: date) -> str:
    return f"{business.entity}|{business.marketplace}|{kind}|{subject}|{period(day)}|1"


def wire_key(key: str) -> str:
    """Eighteen characters that fit into every ERP's reference and are the same for the same journal, always."""
    return "TO" + hashlib.sha256(key.encode()).hexdigest()[:16].upper()


def settlement_led_postings(business: Business, cycle: Cycle, earlier: list[Cycle]) -> list[Posting]:
    """The documents of one cycle's SETTLEMENT journals, at most two: of the month before, and of the cycle's day."""
    parts: list[Posting] = []
    found = movements(cycle, earlier)
    for day in sorted({movement.day for movement in found}):
        key = natural_key(business, "SETTLEMENT", cycle.id, day)
        totals: dict[tuple[str, bool], int] = {}
        for movement in found:
            if movement.day == day:
                kind = (ACCOUNT_OF_ROLE[movement.role], movement.is_tax)
                totals[kind] = totals.get(kind, 0) + movement.net_debit
        for code, kind_of, sign in (("BP", "BANK_PAYMENT", 1), ("BR", "BANK_RECEIPT", -1)):
            items = [(account, amount) for (account, _), amount in sorted(totals.items()) if amount * sign > 0]
            if items:
                legs = [*items, (CLEARING, -sum(amount for _, amount in items))]
                part = _part(business, key, day, code, kind_of, legs, 0)
                # Nobody books a cycle before it is there.
                part.at += at(cycle.day, 11) - at(day, 11)
                parts.append(part)
    return parts


def settlement_postings(business: Business, cycle: Cycle) -> list[Posting]:
    """The documents of one cycle's SETTLEMENT, dated the cycle date."""
    key = natural_key(business, "SETTLEMENT", cycle.id, cycle.day)
    received = paid = 0
    fees: dict[str, list[int]] = {}
    for entry in cycle.entries:
        if role_of(entry) == PASSED_THROUGH:
            # In and out again, nil in every cycle.
            continue
        if role_of(entry) == "AR_MARKETPLACE":
            if entry.type.startswith("REFUND_"):
                paid -= entry.amount
            else:
                received += entry.amount
            continue
        role = ROLE_OF_TYPE[TAX_OF_TYPE.get(entry.type, entry.type)]
        fees.setdefault(role, [0, 0])[1 if entry.type in TAX_OF_TYPE else 0] -= entry.amount
    parts: list[Posting] = []
    if received:
        parts.append(
            _part(business, key, cycle.day, "SR", "RECEIPT", [(CLEARING, received), (AR, -received)], -received)
        )
    if paid:
        parts.append(_part(business, key, cycle.day, "SP", "PAYMENT", [(AR, paid), (CLEARING, -paid)], paid))
    debited: list[tuple[str, int]] = []
    credited: list[tuple[str, int]] = []
    for role in sorted(fees):
        net, tax = fees[role]
        account = ACCOUNT_OF_ROLE[role]
        # Net and VAT travel as one item unless their signs differ: then each goes its own way.
        for code, amount in ((account, net), (INPUT_VAT, tax)):
            if amount:
                (debited if amount > 0 else credited).append((code, amount))
    for code, kind, items in (("BP", "BANK_PAYMENT", debited), ("BR", "BANK_RECEIPT", credited)):
        if items:
            parts.append(
                _part(
                    business, key, cycle.day, code, kind, [*items, (CLEARING, -sum(amount for _, amount in items))], 0
                )
            )
    return parts


def reverse_charge_postings(business: Business, cycle: Cycle) -> list[Posting]:
    """What the buyer declares himself on the cycle's services from abroad, as purchase tax and as sales tax; empty when
    there are none.
    """
    net = -sum(entry.amount for entry in cycle.entries if entry.type in SUPPLIED_FROM_ABROAD)
    if not net:
        return []
    key = natural_key(business, "REVERSE_CHARGE", cycle.id, cycle.day)
    tax = share(net, STANDARD_RATE)
    return [
        Posting(
            at=at(cycle.day, 12),
            day=cycle.day,
            kind="JOURNAL",
            reference=wire_key(key),
            second_reference="",
            narrative=key,
            legs=[(INPUT_VAT, tax), (OUTPUT_VAT, -tax)],
            ledger="NOMINAL",
            user=USER,
        )
    ]


def total_debit(cycle: Cycle) -> int:
    """What one journal of the cycle's settlement debits in all: per role, sales and refunds apart, VAT with its fee."""
    nets: dict[tuple[str, str], int] = {("MARKETPLACE_CLEARING", ""): cycle.net}
    for entry in cycle.entries:
        is_fee_tax = entry.type in TAX_OF_TYPE
        role, part = (ROLE_OF_TYPE[TAX_OF_TYPE[entry.type]], "VAT") if is_fee_tax else (role_of(entry), "")
        if role == "AR_MARKETPLACE":
            part = "SALES" if entry.amount > 0 else "REFUNDS"
        nets[role, part] = nets.get((role, part), 0) - entry.amount
    return sum(net for net in nets.values() if net > 0)


def receipt_postings(business: Business, entry: BankEntry) -> list[Posting]:
    """The transfer that takes one receipt out of clearing, and what an exchange on its way lost. No fee is known among
    the earlier receipts.
    """
    key = natural_key(business, "PAYOUT_RECEIPT", receipt_id(business.bank_account, entry), entry.day)
    transfer = _part(
        business, key, entry.day, "BT", "BANK_TRANSFER", [(BANK, entry.amount), (CLEARING, -entry.amount)], 0
    )
    transfer.banks = ((CLEARING, -entry.amount), (BANK, entry.amount))
    if entry.sent is None:
        return [transfer]
    lost = sum(cycle.payout for cycle in entry.cycles) - entry.amount
    exchange = [(EXCHANGE_DIFFERENCES, lost), (CLEARING, -lost)]
    return [transfer, _part(business, key, entry.day, "BP", "BANK_PAYMENT", exchange, 0)]


def _part(
    business: Business, key: str, day: date, code: str, kind: str, legs: list[tuple[str, int]], gross: int
) -> Posting:
    on_clearing = sum(amount for account, amount in legs if account == CLEARING)
    return Posting(
        at=at(day, 11) + ("SR", "SP", "BP", "BR", "BT").index(code) * MINUTE,
        day=day,
        kind=kind,
        reference=wire_key(key),
        second_reference=code,
        narrative=key,
        legs=legs,
        ledger="SALES" if kind in ("RECEIPT", "PAYMENT") else "CASH_BOOK",
        user=USER,
        customer=business.customer if kind in ("RECEIPT", "PAYMENT") else "",
        goods=gross,
        banks=((CLEARING, on_clearing),),
        journal_key=key,
    )
