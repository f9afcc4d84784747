"""A second opinion on level e: pay-outs and receipts, from the rendered cycles and statements, by trying everything.

It reads the current account only. What comes to another account (BNK-012) is left to the tests of that account.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any
from xml.etree import ElementTree

from sandbox.world import World
from sandbox.world.business import BRICO, HOMELY, Business
from sandbox.world.stamps import LONDON

Finding = tuple[str, str, str]
BUSINESSES = {"BRICO": BRICO, "HOMELY": HOMELY}
FEE_CAP = Decimal(10)
NAMESPACE = {"c": "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"}


@dataclass(eq=False)
class Receipt:
    id: str
    day: date
    amount: Decimal
    name: str
    text: str
    is_exchanged: bool
    paid: list["Payout"] = field(default_factory=list)

    def names(self, payout: "Payout") -> bool:
        return payout.voucher in re.split(r"\W+", self.text)


@dataclass(eq=False)
class Payout:
    id: str
    day: date
    amount: Decimal
    voucher: str
    received: list[Receipt] = field(default_factory=list)

    def awaits(self, receipt: Receipt) -> bool:
        return self.day - timedelta(days=1) <= receipt.day <= self.day + timedelta(days=7)


def receipts_of(world: World, business: Business) -> list[Receipt]:
    """Money in on the current account, each bank reference once."""
    found: dict[str, Receipt] = {}
    for file in world.bank:
        if file.account == business.bank_account:
            read = _camt if file.name.endswith(".xml") else _export
            for reference, day, amount, name, text, exchanged in read(file.content):
                if amount > 0:
                    found[reference] = Receipt(
                        f"{file.account}-{reference}", day, amount, name, text, is_exchanged=exchanged
                    )
    return sorted(found.values(), key=lambda one: (one.day, one.id))


def _camt(content: bytes) -> Iterator[tuple[Any, ...]]:
    for entry in ElementTree.fromstring(content).iterfind(".//c:Ntry", NAMESPACE):  # noqa: S314 - our own sandbox wrote it

        def text(path: str, entry: ElementTree.Element = entry) -> str:
            return entry.findtext(path, "", NAMESPACE)

        sign = 1 if text("c:CdtDbtInd") == "CRDT" else -1
        yield (
            text("c:AcctSvcrRef"),
            date.fromisoformat(text("c:ValDt/c:Dt")),
            sign * Decimal(text("c:Amt")),
            text(".//c:Dbtr/c:Nm"),
            text(".//c:Ustrd") + " " + text(".//c:EndToEndId"),
            entry.find(".//c:InstdAmt", NAMESPACE) is not None,
        )


def _export(content: bytes) -> Iterator[tuple[Any, ...]]:
    for row in csv.DictReader(io.StringIO(content.decode())):
        day, month, year = map(int, row["Value date"].split("/"))
        text = row["Reference"] + " " + row["End to end id"]
        amount = Decimal(row["Amount"])
        yield row["Entry reference"], date(year, month, day), amount, row["Counterparty"], text, False


def payouts_of(world: World, marketplace: str) -> list[Payout]:
    """What was transferred, by the day of its transfer in London."""
    return [
        Payout(
            cycle["id"],
            datetime.fromisoformat(cycle["pay_out"]["transaction_date"]).astimezone(LONDON).date(),
            cycle["amount_transferred_to_seller"],
            cycle["payment_voucher_number"],
        )
        for cycle in world.mirakl[marketplace].cycles
        if cycle["amount_transferred_to_seller"]
    ]


def receipts(world: World, marketplace: str) -> Iterator[Finding]:
    """Level e."""
    business = BUSINESSES[marketplace]
    arrived = [one for one in receipts_of(world, business) if business.payer.upper() in one.name.upper()]
    waiting = payouts_of(world, marketplace)
    seen: set[tuple[date, Decimal, str]] = set()
    for one in list(arrived):
        if (one.day, one.amount, one.text) in seen:
            yield "BNK-010", "RECEIPT", one.id
            arrived.remove(one)
        seen.add((one.day, one.amount, one.text))
    undecided: set[str] = set()
    for code, receipt in _paired(arrived, waiting):
        undecided.add(receipt.id)
        yield code, "RECEIPT", receipt.id
    for receipt in arrived:
        if len(receipt.paid) > 1:
            yield "BNK-005", "RECEIPT", receipt.id
        elif not receipt.paid and receipt.id not in undecided:
            yield "BNK-007", "RECEIPT", receipt.id
    for payout in waiting:
        cash = sum((one.amount for one in payout.received if len(one.paid) == 1), Decimal(0))
        short = payout.amount - cash
        is_judged_by_a_person = any(payout.awaits(one) for one in arrived if one.id in undecided)
        last_day = payout.day + timedelta(days=7)
        if not payout.received and not is_judged_by_a_person and last_day < world.as_of.astimezone(LONDON).date():
            yield "BNK-001", "PAYOUT", payout.id
        if not payout.received or any(one.is_exchanged or len(one.paid) > 1 for one in payout.received):
            continue
        if short < 0:
            yield "BNK-004", "PAYOUT", payout.id
        elif short > 0:
            is_fee = len(payout.received) == 1 and short <= min(FEE_CAP, payout.amount / 20)
            yield "BNK-002" if is_fee else "BNK-003", "PAYOUT", payout.id
        elif len(payout.received) > 1:
            yield "BNK-006", "PAYOUT", payout.id


def _paired(arrived: list[Receipt], waiting: list[Payout]) -> Iterator[tuple[str, Receipt]]:
    """Brings receipts and pay-outs together, surest first; what it yields waits for a person."""

    def settle(paid: list[Payout], received: list[Receipt]) -> None:
        for payout in paid:
            payout.received += received
        for receipt in received:
            receipt.paid += paid

    def open_receipts() -> list[Receipt]:
        return [one for one in arrived if not one.paid and one not in doubtful]

    def open_payouts() -> list[Payout]:
        return [one for one in waiting if not one.received and one not in disputed]

    doubtful: list[Receipt] = []
    disputed: list[Payout] = []
    for receipt in arrived:
        named = [one for one in open_payouts() if receipt.names(one) and one.amount == receipt.amount]
        if named:
            settle(named[:1], [receipt])
    pairs = [(r, p) for r in open_receipts() for p in open_payouts() if p.awaits(r) and p.amount == r.amount]
    for receipt, payout in pairs:
        if any(receipt.names(other) for other in waiting):
            doubtful.append(receipt)
            disputed.append(payout)
            yield "BNK-008", receipt
        elif sum(p is payout for _, p in pairs) > 1 or sum(r is receipt for r, _ in pairs) > 1:
            doubtful.append(receipt)
            disputed.append(payout)
            yield "BNK-011", receipt
        else:
            settle([payout], [receipt])
    for receipt in open_receipts():
        near = [one for one in open_payouts() if one.awaits(receipt) or receipt.names(one)]
        groups = [
            list(g) for n in range(2, 9) for g in combinations(near, n) if sum(p.amount for p in g) == receipt.amount
        ]
        if len(groups) == 1:
            settle(groups[0], [receipt])
    for payout in open_payouts():
        near_receipts = [one for one in open_receipts() if payout.awaits(one) or one.names(payout)]
        parts = [
            list(g)
            for n in range(2, 5)
            for g in combinations(near_receipts, n)
            if sum(r.amount for r in g) == payout.amount
        ]
        if len(parts) == 1:
            settle([payout], parts[0])
    for receipt in [one for one in open_receipts() if one.is_exchanged]:
        candidates = [one for one in open_payouts() if receipt.names(one) or one.awaits(receipt)]
        named = [one for one in candidates if receipt.names(one)] or candidates
        if len(named) == 1 and abs(named[0].amount - receipt.amount) * 100 <= 2 * named[0].amount:
            settle(named, [receipt])
        elif named:
            doubtful.append(receipt)
            disputed += named
            yield "BNK-009", receipt
    for receipt in open_receipts():
        named = [one for one in waiting if receipt.names(one) and one not in disputed]
        near = [
            one
            for one in open_payouts()
            if one.awaits(receipt) and 0 < one.amount - receipt.amount <= min(FEE_CAP, one.amount / 20)
        ]
        if len(named) == 1:
            settle(named, [receipt])
        elif len(near) == 1:
            settle(near, [receipt])
