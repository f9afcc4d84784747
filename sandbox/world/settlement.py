"""The operator's side of the money: transaction lines, billing cycles, pay-outs, documents.

Identity kept for every cycle: closing = opening + net - payout, where net is the sum of the cycle's lines without
PAYMENT and payout is what the PAYMENT line took out. A line enters the first cycle created after it became payable.
"""

import random
import uuid
from dataclasses import dataclass
from datetime import date, timedelta

from sandbox.world.catalogue import COMMISSION_VAT, LATE_PENALTY, SUBSCRIPTION
from sandbox.world.model import Cycle, Entry, ManualDocument, Order, OrderLine, Refund
from sandbox.world.money import share
from sandbox.world.stamps import HOUR, SECOND, at

CYCLES = 9
NEGATIVE, FAILED = 4, 6
"""Positions (from 0) of the cycle that ends negative and of the one whose pay-out fails and is paid with the next."""

_PAID_AFTER_DAYS = (6, 1, 4, 1, None, 1, None, 1, 1)

FEE_TYPES = (
    "COMMISSION_FEE",
    "REFUND_COMMISSION_FEE",
    "SUBSCRIPTION_FEE",
    "SELLER_FEE_ON_ORDER",
    "SELLER_PENALTY_FEE",
)
FEE_TAX_TYPES = (
    "COMMISSION_VAT",
    "REFUND_COMMISSION_VAT",
    "SUBSCRIPTION_VAT",
    "SELLER_FEE_ON_ORDER_TAX",
    "SELLER_PENALTY_FEE_TAX",
)

ROLE_OF_TYPE = {
    "ORDER_AMOUNT": "AR_MARKETPLACE",
    "ORDER_SHIPPING_AMOUNT": "AR_MARKETPLACE",
    "REFUND_ORDER_AMOUNT": "AR_MARKETPLACE",
    "REFUND_ORDER_SHIPPING_AMOUNT": "AR_MARKETPLACE",
    "COMMISSION_FEE": "COMMISSION_EXPENSE",
    "REFUND_COMMISSION_FEE": "COMMISSION_EXPENSE",
    "SUBSCRIPTION_FEE": "SUBSCRIPTION_EXPENSE",
    "SELLER_FEE_ON_ORDER": "ORDER_FEES_EXPENSE",
    "SELLER_PENALTY_FEE": "PENALTY_EXPENSE",
    "MANUAL_CREDIT": "MARKETPLACE_ADJUSTMENTS",
    "MANUAL_INVOICE": "MARKETPLACE_ADJUSTMENTS",
    "INVOICEABLE_ONE_OFF_DEBIT": "MARKETPLACE_ADJUSTMENTS",
}
TAX_OF_TYPE = {
    "COMMISSION_VAT": "COMMISSION_FEE",
    "REFUND_COMMISSION_VAT": "REFUND_COMMISSION_FEE",
    "SUBSCRIPTION_VAT": "SUBSCRIPTION_FEE",
    "SELLER_FEE_ON_ORDER_TAX": "SELLER_FEE_ON_ORDER",
    "SELLER_PENALTY_FEE_TAX": "SELLER_PENALTY_FEE",
    "MANUAL_CREDIT_VAT": "MANUAL_CREDIT",
    "MANUAL_INVOICE_VAT": "MANUAL_INVOICE",
    "INVOICEABLE_ONE_OFF_DEBIT_TAX": "INVOICEABLE_ONE_OFF_DEBIT",
}
TAX_ON_SALES = ("ORDER_AMOUNT_TAX", "ORDER_SHIPPING_AMOUNT_TAX")
PASSED_THROUGH = "MARKETPLACE_TAX_PASSTHROUGH"
UNMAPPED = "UNMAPPED"
"""Where the truth counts a line of a type that no accountant has mapped."""


@dataclass(frozen=True, slots=True)
class _Manual:
    day_of_cycle: int
    cycle: int
    type: str
    net: int
    tax: int
    description: str


_MANUALS = (
    _Manual(4, 1, "MANUAL_CREDIT", 2500, 500, "Goodwill for a delayed catalogue release"),
    _Manual(6, 3, "MANUAL_INVOICE", 4000, 800, "Featured placement, spring page"),
    _Manual(3, 4, "MANUAL_INVOICE", 9000, 1800, "Photography of the new range"),
    _Manual(5, 5, "MANUAL_CREDIT", 1500, 300, "Commission correction, promotion of April"),
    _Manual(7, 6, "MANUAL_CREDIT", 3240, 0, "Compensation for lost parcels, outside the scope of VAT"),
    _Manual(2, 7, "MANUAL_INVOICE", 1250, 250, "Barcode relabelling"),
    _Manual(5, 8, "MANUAL_INVOICE", 2000, 400, "Returns handling surcharge"),
    _Manual(6, 8, "MANUAL_CREDIT", 2150, 430, "Refund of a listing fee"),
    # A sister company abroad sells these: no VAT on them, the buyer accounts for it (reverse charge).
    _Manual(2, 0, "INVOICEABLE_ONE_OFF_DEBIT", 3000, 0, "Translation of the catalogue"),
    _Manual(2, 2, "INVOICEABLE_ONE_OFF_DEBIT", 4610, 0, "Market data, second quarter"),
)
SUPPLIED_FROM_ABROAD = ("INVOICEABLE_ONE_OFF_DEBIT",)
"""Types of fees that a company in another country sells to the sellers."""


def new_id(rng: random.Random) -> str:
    """A version 4 UUID out of the seeded generator."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


class Ledger:
    """Collects entries, then closes the cycles over them.

    `stated_too_much`: by how much the marketplace's statement of the balance exceeds it, a planted fault.
    """

    def __init__(self, rng: random.Random, orders: list[Order], days: list[date], as_of: int) -> None:
        self._rng = rng
        self._as_of = as_of
        self._stamps: set[int] = set()
        self.entries: list[Entry] = []
        self.by_line: dict[str, list[Entry]] = {}
        self.documents: list[ManualDocument] = []
        self.stated_too_much = 0
        self.cycles = [
            Cycle(
                id=new_id(rng),
                index=index,
                day=day,
                created=at(day, 1, 0, rng.randrange(2, 9), rng.randrange(1, 999)),
                voucher=f"{101 + index:06d}",
                invoice_id=new_id(rng),
                invoice_number=9000 + 10 * index,
            )
            for index, day in enumerate(days)
        ]
        for order in orders:
            self._sale(order)
        self._subscriptions()
        self._manual_documents()

    def stamp(self, instant: int) -> int:
        """A creation stamp that no other batch has: the running balance needs an order that can be known."""
        step = SECOND if instant % SECOND == 0 else 1
        while instant in self._stamps:
            instant += step
        self._stamps.add(instant)
        return instant

    def add(self, entry: Entry) -> Entry:
        self.entries.append(entry)
        if entry.line is not None:
            self.by_line.setdefault(entry.line.id, []).append(entry)
        return entry

    def entry_of(self, line: OrderLine, type_: str) -> Entry:
        """The line's one entry of a type that exists once per order line."""
        found = [entry for entry in self.by_line[line.id] if entry.type == type_]
        if len(found) != 1:
            raise LookupError(f"{line.id} has {len(found)} lines {type_}")
        return found[0]

    def remove(self, entry: Entry) -> None:
        """Takes an entry out as if it had never been written."""
        self.entries.remove(entry)
        if entry.line is not None:
            self.by_line[entry.line.id].remove(entry)

    def _sale(self, order: Order) -> None:
        if order.debited is not None:
            live = order.live_lines
            if live:
                created = self.stamp(order.debited)
                for line in live:
                    self.sale_of_line(order, line, created)
        if order.profile == "LATE" and order.shipped is not None:
            created = self.stamp(order.shipped)
            self._fee(order, created, "SELLER_PENALTY_FEE", -LATE_PENALTY, "LATE_SHIPMENT")
            self._fee(order, created, "SELLER_PENALTY_FEE_TAX", -share(LATE_PENALTY, COMMISSION_VAT), "LATE_SHIPMENT")
        batches: dict[int, int] = {}
        for line in order.lines:
            for refund in line.refunds:
                if refund.created not in batches:
                    batches[refund.created] = self.stamp(refund.created)
                self._refund(order, line, refund, batches[refund.created])

    def sale_of_line(self, order: Order, line: OrderLine, created: int, goods: int | None = None) -> None:
        """The four lines of one order line at its debit. `goods` replaces the goods amount."""
        for type_, amount in (
            ("ORDER_AMOUNT", line.goods_due if goods is None else goods),
            ("ORDER_SHIPPING_AMOUNT", line.shipping_due),
            ("COMMISSION_FEE", -line.commission_due),
            ("COMMISSION_VAT", -line.commission_vat_due),
        ):
            self.add(Entry(new_id(self._rng), type_, amount, created, order.received, order, line))
        if line.tax is not None:
            for type_, amount in tax_lines("ORDER", line.tax.goods, line.tax.shipping, line.tax.is_remitted):
                self.add(Entry(new_id(self._rng), type_, amount, created, order.received, order, line))

    def _refund(self, order: Order, line: OrderLine, refund: Refund, created: int) -> None:
        for type_, amount in (
            ("REFUND_ORDER_AMOUNT", -refund.goods),
            ("REFUND_ORDER_SHIPPING_AMOUNT", -refund.shipping),
            ("REFUND_COMMISSION_FEE", refund.commission),
            ("REFUND_COMMISSION_VAT", refund.commission_vat),
        ):
            self.add(Entry(new_id(self._rng), type_, amount, created, created, order, line, refund))

    def _fee(self, order: Order, created: int, type_: str, amount: int, code: str) -> Entry:
        return self.add(Entry(new_id(self._rng), type_, amount, created, created, order, fee_code=code))

    def penalty(self, order: Order, instant: int, code: str) -> Entry:
        """A late penalty without VAT, for whoever wants one that is not deserved."""
        return self._fee(order, self.stamp(instant), "SELLER_PENALTY_FEE", -LATE_PENALTY, code)

    def _subscriptions(self) -> None:
        for cycle in self.cycles:
            if cycle.day.day != 1:
                continue
            # Billed on the last evening of the month it is for.
            created = self.stamp(at(cycle.day - timedelta(days=1), 21, 45, 12, 310))
            month = (cycle.day - timedelta(days=1)).strftime("%B %Y")
            for type_, amount in (
                ("SUBSCRIPTION_FEE", -SUBSCRIPTION),
                ("SUBSCRIPTION_VAT", -share(SUBSCRIPTION, COMMISSION_VAT)),
            ):
                entry = Entry(new_id(self._rng), type_, amount, created, created)
                entry.description = f"Subscription {month}"
                self.add(entry)

    def _manual_documents(self) -> None:
        for manual in _MANUALS:
            self.manual_document(
                manual.cycle, manual.day_of_cycle, manual.type, manual.net, manual.tax, manual.description
            )

    def manual_document(
        self, position: int, day_of_cycle: int, type_: str, net: int, tax: int, description: str
    ) -> ManualDocument:
        """A document of its own with its lines, some days after the cut-off before the cycle at `position`."""
        cycle = self.cycles[position]
        start = self.cycles[position - 1].day if position else cycle.day - timedelta(days=10)
        number = 701 + len(self.documents)
        created = self.stamp(at(start + timedelta(days=day_of_cycle), 10, 17, number % 60))
        document = ManualDocument(
            id=new_id(self._rng), type=type_, number=number, created=created, net=net, tax=tax, description=description
        )
        self.documents.append(document)
        sign = 1 if type_ == "MANUAL_CREDIT" else -1
        tax_type = f"{type_}_TAX" if type_.startswith("INVOICEABLE") else f"{type_}_VAT"
        for line_type, amount in ((type_, net), (tax_type, tax)):
            if amount:
                entry = Entry(new_id(self._rng), line_type, sign * amount, created, created)
                entry.document, entry.description = document, description
                self.add(entry)
        return document

    def close(self) -> None:
        """Assigns every payable line to its cycle, pays out, and writes the running balance."""
        for entry in self.entries:
            if entry.payable is None or entry.is_held:
                continue
            for cycle in self.cycles:
                if entry.payable < cycle.created:
                    entry.cycle = cycle
                    cycle.entries.append(entry)
                    break
        for document in self.documents:
            document.cycle = next((e.cycle for e in self.entries if e.document is document), None)
        opening = 0
        for cycle in self.cycles:
            cycle.opening = opening
            cycle.net = sum(entry.amount for entry in cycle.entries)
            self._pay(cycle)
            opening = cycle.closing
        self.entries.sort(key=lambda entry: entry.created)
        balance = 0
        for entry in self.entries:
            balance += entry.amount
            entry.balance = balance

    def _pay(self, cycle: Cycle) -> None:
        due = cycle.opening + cycle.net
        if cycle.index == NEGATIVE and due >= 0:
            raise AssertionError("the cycle of the standstill must end negative")
        if due <= 0:
            cycle.state = "TO_PAY"
            return
        if cycle.index == FAILED:
            cycle.state, cycle.failure = "FAILED", "INCOMPLETE_KYC"
            return
        after = _PAID_AFTER_DAYS[cycle.index]
        if after is None:
            raise AssertionError(f"cycle {cycle.index} has money to pay but no date to pay it")
        cycle.payout = due
        cycle.paid_at = self.stamp(
            at(cycle.day + timedelta(days=after), 9) + self._rng.randrange(HOUR) // SECOND * SECOND
        )
        cycle.reference = f"PO-{cycle.voucher}"
        payment = Entry(new_id(self._rng), "PAYMENT", -due, cycle.paid_at, cycle.paid_at)
        payment.cycle = cycle
        self.entries.append(payment)
        for earlier in self.cycles[: cycle.index]:
            if earlier.state == "FAILED" and earlier.paid_with is None:
                earlier.paid_with = cycle


def tax_lines(stem: str, goods: int, shipping: int, is_remitted: bool) -> list[tuple[str, int]]:
    """The tax lines of a sale or refund, each beside its remittance when the operator keeps the tax."""
    found = [(f"{stem}_AMOUNT_TAX", goods), (f"{stem}_SHIPPING_AMOUNT_TAX", shipping)]
    if is_remitted:
        found += [(f"OPERATOR_REMITTED_{type_}", -amount) for type_, amount in found]
    return [(type_, amount) for type_, amount in found if amount]


def role_of(entry: Entry) -> str:
    """The account role that an entry moves beside clearing. Tax that the operator remits passes through."""
    if entry.type.startswith("OPERATOR_REMITTED_"):
        return PASSED_THROUGH
    if entry.type in TAX_ON_SALES:
        is_remitted = entry.line is not None and entry.line.tax is not None and entry.line.tax.is_remitted
        return PASSED_THROUGH if is_remitted else "AR_MARKETPLACE"
    return "INPUT_VAT" if entry.type in TAX_OF_TYPE else ROLE_OF_TYPE.get(entry.type, UNMAPPED)


def roles(cycle: Cycle) -> dict[str, int]:
    """Net debit in pence per account role of the cycle's settlement journal; sums to nil; nil movements left out."""
    totals = {"MARKETPLACE_CLEARING": cycle.net}
    for entry in cycle.entries:
        role = role_of(entry)
        totals[role] = totals.get(role, 0) - entry.amount
    return {role: amount for role, amount in totals.items() if amount}
