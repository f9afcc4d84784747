"""Renders a canonical journal as Sage 200 clearing-bank documents. Pure arithmetic: no network, no ids.

Sage 200 has no journal endpoint. What moves the same accounts, with a full audit trail and VAT that reaches the
return:

- SR, sales receipt into the clearing bank: credits of the customer account. Dr clearing, Cr debtors.
- SP, sales payment from the clearing bank: debits of the customer account. Dr debtors, Cr clearing.
- BP, bank payment from the clearing bank: nominal lines with a net debit, each with its VAT. Dr nominals, Dr VAT, Cr
  clearing.
- BR, bank receipt into the clearing bank: nominal lines with a net credit, each with its VAT. Dr clearing, Cr
  nominals, Cr VAT.
- BT, bank transfer: another bank's line. Dr one bank, Cr the other.

A journal in a foreign currency is posted in the company's own: the clearing bank is a base-currency account, every
document has functional values, and the exchange difference is an item among the others. Only the customer's account is
in the document's currency: a sales receipt names what leaves it (`customer_value`) beside what that stood at.

A nominal line and its VAT are one item. When they have opposite signs, the VAT goes with its own sign into the other
document, as an item on the same nominal with goods of nil.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

NIL = Decimal("0.00")
PENNY = Decimal("0.01")
MAXIMUM_REFERENCE = 20
MAXIMUM_NARRATIVE = 200
"""Sage takes 6000 characters; what is shown in its lists is far shorter."""


class BadJournal(ValueError):
    """The journal cannot be rendered; the message says why and what to correct."""


class JournalLine(msgspec.Struct, frozen=True):
    """One line. `debit` and `credit` are unsigned decimal text with at most 2 decimals; one of them is nil."""

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

    @property
    def net(self) -> Decimal:
        """Debit less credit."""
        return _money(self.debit, self.line_no) - _money(self.credit, self.line_no)

    @property
    def account(self) -> Account:
        return Account(self.account_code or "", self.cost_centre or "", self.department or "")


class Journal(msgspec.Struct, frozen=True):
    """The canonical journal of one action, as `act_journals` writes it. `posting_date` is a calendar date (ISO)."""

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

    @property
    def is_foreign(self) -> bool:
        return self.functional_currency_code not in (None, self.currency_code)

    @property
    def posted_currency(self) -> str:
        """The currency of the documents' values and of the banks."""
        return self.functional_currency_code or self.currency_code


class Account(msgspec.Struct, frozen=True, order=True):
    """A nominal account: Sage identifies it by the triple."""

    code: str
    cost_centre: str = ""
    department: str = ""

    def __str__(self) -> str:
        return "/".join(p for p in (self.code, self.cost_centre, self.department) if p)


@dataclass(frozen=True, slots=True)
class Item:
    """A nominal analysis item: unsigned or opposite-signed amounts as the document sees them; gross = goods + tax."""

    account: Account
    goods: Decimal
    tax: Decimal
    tax_code: str | None
    narrative: str

    @property
    def gross(self) -> Decimal:
        return self.goods + self.tax


@dataclass(frozen=True, slots=True)
class Part:
    """One document. `value` is the money that moves through the clearing bank, positive; `other_bank` only for BT.

    For BT, `is_outward` means from the clearing bank to the other one.
    """

    code: str
    value: Decimal
    items: tuple[Item, ...] = ()
    other_bank: str | None = None
    is_outward: bool = True
    customer_value: Decimal | None = None
    """Only for SR and SP of a foreign journal: what moves on the customer's account, in its currency."""


def _money(text: str | None, line_no: int) -> Decimal:
    try:
        value = Decimal(text or "0")
    except InvalidOperation:
        raise BadJournal(f"line {line_no}: an amount is not a decimal number") from None
    if not value.is_finite() or value < 0 or value != value.quantize(PENNY):
        raise BadJournal(f"line {line_no}: an amount is negative or has more than 2 decimals")
    return value.quantize(PENNY)


def read_journal(payload: Mapping[str, Any]) -> Journal:
    try:
        journal = msgspec.convert(dict(payload), Journal)
    except msgspec.ValidationError as error:
        raise BadJournal(f"the payload is not a canonical journal: {error}") from error
    if not journal.wire_key or len(journal.wire_key) > MAXIMUM_REFERENCE:
        raise BadJournal(f"the wire key must have 1 to {MAXIMUM_REFERENCE} characters")
    return journal


def render(journal: Journal) -> tuple[Part, ...]:
    """The documents that move what the journal moves, in the order in which they are posted. Raises BadJournal."""
    stated = [line.net for line in journal.lines if line.account_type == "CUSTOMER"]
    is_foreign, journal = journal.is_foreign, in_own_currency(journal)
    total = sum((line.net for line in journal.lines), NIL)
    if total != 0:
        raise BadJournal(f"debits and credits differ by {total}")
    if not journal.clearing_bank_code:
        raise BadJournal("no clearing_bank_code: set it in marketplaces.csv")
    by_number = {line.line_no: line for line in journal.lines}
    if len(by_number) != len(journal.lines):
        raise BadJournal("a line number is used twice")
    parts: list[Part] = []
    customer = [line for line in journal.lines if line.account_type == "CUSTOMER"]
    credits = sum((-line.net for line in customer if line.net < 0), NIL)
    debits = sum((line.net for line in customer if line.net > 0), NIL)
    if customer and not journal.customer_reference:
        raise BadJournal("a customer line, but no customer_reference: set it in marketplaces.csv")
    if credits:
        value = sum((-net for net in stated if net < 0), NIL)
        parts.append(Part("SR", credits, customer_value=value if is_foreign else None))
    if debits:
        value = sum((net for net in stated if net > 0), NIL)
        parts.append(Part("SP", debits, customer_value=value if is_foreign else None))
    payments, receipts = _items(journal, by_number)
    if payments:
        parts.append(Part("BP", sum((i.gross for i in payments), NIL), tuple(payments)))
    if receipts:
        parts.append(Part("BR", sum((i.gross for i in receipts), NIL), tuple(receipts)))
    parts.extend(_transfer(journal))
    known = {"CUSTOMER", "NOMINAL", "VAT", "BANK"}
    strange = next((line for line in journal.lines if line.account_type not in known), None)
    if strange is not None:
        raise BadJournal(f"line {strange.line_no}: account type {strange.account_type} cannot be posted")
    if not parts:
        raise BadJournal("nothing to post: every line is nil")
    return tuple(parts)


def in_own_currency(journal: Journal) -> Journal:
    """The journal with its functional amounts in place of the document's. Raises BadJournal."""
    if not journal.is_foreign:
        return journal
    if any(line.functional_debit is None or line.functional_credit is None for line in journal.lines):
        raise BadJournal("a line has no functional amount: its exchange rate is missing")
    lines = [
        msgspec.structs.replace(line, debit=line.functional_debit, credit=line.functional_credit)
        for line in journal.lines
    ]
    return msgspec.structs.replace(journal, lines=lines, functional_currency_code=None)


def _items(journal: Journal, by_number: Mapping[int, JournalLine]) -> tuple[list[Item], list[Item]]:
    """Items of the bank payment and of the bank receipt."""
    vat: dict[int, list[JournalLine]] = {}
    for line in journal.lines:
        if line.account_type == "VAT" and line.net != 0:
            of = by_number.get(line.tax_line_of) if line.tax_line_of is not None else None
            if of is None or of.account_type != "NOMINAL":
                raise BadJournal(
                    f"line {line.line_no}: VAT must name in tax_line_of the nominal line that it belongs to"
                )
            if not line.tax_code:
                raise BadJournal(f"line {line.line_no}: VAT without a tax_code would not reach the return")
            vat.setdefault(of.line_no, []).append(line)
    payments: list[Item] = []
    receipts: list[Item] = []
    for line in journal.lines:
        if line.account_type != "NOMINAL":
            continue
        if not line.account_code:
            raise BadJournal(f"line {line.line_no}: no account_code for {line.account_role}: add it to accounts.csv")
        narrative = (line.narrative or line.account_role)[:MAXIMUM_NARRATIVE]
        taxes = vat.get(line.line_no, [])
        goods, rest = line.net, taxes
        if goods != 0:
            # The first VAT line of the same sign travels with its net; the others are items of their own.
            fitting = next((t for t in taxes if (t.net > 0) == (goods > 0)), None)
            rest = [t for t in taxes if t is not fitting]
            tax = abs(fitting.net) if fitting else NIL
            tax_code = fitting.tax_code if fitting else line.tax_code
            (payments if goods > 0 else receipts).append(Item(line.account, abs(goods), tax, tax_code, narrative))
        for other in rest:
            item = Item(line.account, NIL, abs(other.net), other.tax_code, narrative)
            (payments if other.net > 0 else receipts).append(item)
    return payments, receipts


def _transfer(journal: Journal) -> list[Part]:
    others = [
        line
        for line in journal.lines
        if line.account_type == "BANK" and (line.bank_code or "") != journal.clearing_bank_code and line.net != 0
    ]
    banks = {line.bank_code for line in others}
    if not others:
        return []
    if len(banks) > 1 or None in banks or "" in banks:
        raise BadJournal("bank lines must name one bank_code beside the clearing bank")
    net = sum((line.net for line in others), NIL)
    if net == 0:
        return []
    return [Part("BT", abs(net), other_bank=banks.pop(), is_outward=net > 0)]
