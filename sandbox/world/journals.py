"""The settlements and pay-out receipts that finance had posted before the pipeline took over.

Sage 200 has no journal endpoint. A settlement is rendered as documents on the marketplace's clearing bank:
SR sales receipt (Dr clearing, Cr debtors), SP sales payment (the refunds), BP bank payment (fees with their VAT),
BR bank receipt (what was credited); a pay-out receipt as BT bank transfer and, for a bank's fee, BP bank payment.
Every document carries the wire key as its reference and its part code as second reference.
"""

import hashlib
from datetime import date

from sandbox.world.bank import receipt_id
from sandbox.world.catalogue import BANK, BANK_ACCOUNT, CLEARING_BANK, CUSTOMER, ENTITY, MARKETPLACE
from sandbox.world.erp import ACCOUNT_OF_ROLE, AR, BANK_NOMINAL, CLEARING, INPUT_VAT, period
from sandbox.world.model import BankEntry, Cycle, Posting
from sandbox.world.settlement import ROLE_OF_TYPE, TAX_OF_TYPE
from sandbox.world.stamps import MINUTE, at

EARLIER_CYCLES = 4
USER = "Accounts"


def natural_key(kind: str, subject: str, day: date) -> str:
    return f"{ENTITY}|{MARKETPLACE}|{kind}|{subject}|{period(day)}|1"


def wire_key(key: str) -> str:
    """Eighteen characters that fit into Sage's reference and are the same for the same journal, always."""
    return "TO" + hashlib.sha256(key.encode()).hexdigest()[:16].upper()


def settlement_postings(cycle: Cycle) -> list[Posting]:
    """The documents of one cycle's SETTLEMENT, dated the cycle date."""
    key = natural_key("SETTLEMENT", cycle.id, cycle.day)
    received = paid = 0
    fees: dict[str, list[int]] = {}
    for entry in cycle.entries:
        if ROLE_OF_TYPE.get(entry.type) == "AR_MARKETPLACE":
            if entry.type.startswith("REFUND_"):
                paid -= entry.amount
            else:
                received += entry.amount
            continue
        role = ROLE_OF_TYPE[TAX_OF_TYPE.get(entry.type, entry.type)]
        fees.setdefault(role, [0, 0])[1 if entry.type in TAX_OF_TYPE else 0] -= entry.amount
    parts: list[Posting] = []
    if received:
        parts.append(_part(key, cycle.day, "SR", "RECEIPT", [(CLEARING, received), (AR, -received)], -received))
    if paid:
        parts.append(_part(key, cycle.day, "SP", "PAYMENT", [(AR, paid), (CLEARING, -paid)], paid))
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
                _part(key, cycle.day, code, kind, [*items, (CLEARING, -sum(amount for _, amount in items))], 0)
            )
    return parts


def receipt_postings(entry: BankEntry) -> list[Posting]:
    """The transfer that takes one receipt out of clearing. No fee is known among the earlier receipts."""
    key = natural_key("PAYOUT_RECEIPT", receipt_id(BANK_ACCOUNT, entry), entry.day)
    transfer = _part(
        key, entry.day, "BT", "BANK_TRANSFER", [(BANK_NOMINAL, entry.amount), (CLEARING, -entry.amount)], 0
    )
    transfer.banks = ((CLEARING_BANK, -entry.amount), (BANK, entry.amount))
    return [transfer]


def _part(key: str, day: date, code: str, kind: str, legs: list[tuple[str, int]], gross: int) -> Posting:
    on_clearing = sum(amount for account, amount in legs if account == CLEARING)
    return Posting(
        at=at(day, 11) + ("SR", "SP", "BP", "BR", "BT").index(code) * MINUTE,
        day=day,
        kind=kind,
        reference=wire_key(key),
        second_reference=code,
        narrative=key,
        legs=legs,
        source="LedgerSales" if kind in ("RECEIPT", "PAYMENT") else "LedgerCashBook",
        user=USER,
        customer=CUSTOMER if kind in ("RECEIPT", "PAYMENT") else "",
        goods=gross,
        banks=((CLEARING_BANK, on_clearing),),
        journal_key=key,
    )
