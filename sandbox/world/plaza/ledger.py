"""The operator's accounts with its sellers: one chain of transaction lines, cycles and pay-outs per seller.

Identity kept for every seller and cycle: closing = opening + net - payout. A seller's running balance moves with every
line but the informative ones.
"""

import random
from dataclasses import dataclass
from datetime import date, timedelta

from sandbox.world.model import Cycle, Entry, ManualDocument, Order, OrderLine, Refund, Shipment
from sandbox.world.money import share
from sandbox.world.plaza.catalogue import COMMISSION_VAT, HANDLING_FEE, LATE_PENALTY, SUBSCRIPTION
from sandbox.world.plaza.sellers import Role, Seller
from sandbox.world.settlement import new_id, tax_lines
from sandbox.world.stamps import DAY, HOUR, MINUTE, SECOND, at

RECALL_CYCLE = 4
KYC_FROM = 4
KYC_OPEN_FROM = 6
RESERVE_HELD, RESERVE_RELEASED, YOUNG_RESERVE_HELD = 2, 6, 6
RESERVE_AMOUNT = 15_000
"""Positions (from 0) of the cycles in which the special sellers have their events."""


@dataclass(frozen=True, slots=True)
class _Manual:
    cycle: int
    type: str
    net: int
    tax: int
    description: str


_MANUALS = (
    _Manual(1, "MANUAL_CREDIT", 1_800, 360, "Goodwill for a delayed listing"),
    _Manual(3, "MANUAL_INVOICE", 2_400, 480, "Featured placement, spring page"),
    _Manual(5, "MANUAL_CREDIT", 950, 0, "Compensation for a lost parcel, outside the scope of VAT"),
    _Manual(7, "INVOICEABLE_ONE_OFF_DEBIT", 1_250, 250, "Barcode relabelling"),
    _Manual(7, "INVOICEABLE_ONE_OFF_CREDIT", 600, 120, "Correction of a relabelling fee"),
    _Manual(8, "MANUAL_CREDIT", 2_150, 430, "Refund of a listing fee"),
)


class SellerLedger:
    """Collects one seller's entries, then closes the cycles over them."""

    def __init__(self, rng: random.Random, seller: Seller, days: list[date], first_number: int) -> None:
        self._rng = rng
        self.seller = seller
        self._stamps: set[int] = set()
        self.entries: list[Entry] = []
        self.documents: list[ManualDocument] = []
        self.stated_too_much = 0
        """By how much the statement of the balance exceeds it: a planted fault."""
        self._next_document = first_number + len(days)
        self.cycles = [
            Cycle(
                id=new_id(rng),
                index=index,
                day=day,
                # Cycles are created shop by shop within a few minutes.
                created=at(day, 1, 0) + seller.number * 731 + rng.randrange(400),
                voucher=f"{(seller.number + 1) * 100 + index + 1:08d}",
                invoice_id=new_id(rng),
                invoice_number=first_number + index,
            )
            for index, day in enumerate(days)
        ]
        self._subscriptions()
        self._reserve()
        if Role.MANUAL_DOCUMENTS in seller.roles:
            for manual in _MANUALS:
                self.manual_document(manual.cycle, manual.type, manual.net, manual.tax, manual.description)

    # --- entries

    def stamp(self, instant: int) -> int:
        """A creation stamp that no other batch of this seller has."""
        step = SECOND if instant % SECOND == 0 else 1
        while instant in self._stamps:
            instant += step
        self._stamps.add(instant)
        return instant

    def add(
        self,
        type_: str,
        amount: int,
        created: int,
        payable: int | None,
        order: Order | None = None,
        line: OrderLine | None = None,
        refund: Refund | None = None,
    ) -> Entry:
        entry = Entry(new_id(self._rng), type_, amount, created, payable, order, line, refund)
        self.entries.append(entry)
        return entry

    def entries_of(self, line: OrderLine, type_: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.line is line and entry.type == type_]

    def sell(self, order: Order) -> None:
        """Writes what the order's debits, fees and refunds do to the balance."""
        live = order.live_lines
        if live and order.workflow == "PAY_ON_SHIPMENT":
            # Each parcel is debited by itself; halves add up to the whole, the last one takes the remainder.
            for number, shipment in enumerate(order.shipments):
                if shipment.debited is not None:
                    self._sale(order, live, shipment.debited, shipment, number, len(order.shipments))
        elif live:
            booked = order.debited
            if order.workflow == "NO_CUSTOMER_PAYMENT_CONFIRMATION":
                # Nobody confirms a payment: the sale is booked with the dispatch.
                booked = order.shipped
            if booked is not None:
                self._sale(order, live, booked, None, 0, 1)
        if order.profile == "LATE" and order.shipped is not None:
            self._fee(order, "SELLER_PENALTY_FEE", LATE_PENALTY, order.shipped, "LATE_SHIPMENT")
        batches: dict[int, int] = {}
        for line in order.lines:
            for refund in line.refunds:
                if refund.created not in batches:
                    batches[refund.created] = self.stamp(refund.created)
                self._refund(order, line, refund, batches[refund.created])

    def _sale(
        self, order: Order, lines: list[OrderLine], booked: int, shipment: Shipment | None, part: int, parts: int
    ) -> None:
        created = self.stamp(booked)
        payable = None
        if order.received is not None and not order.has_incident:
            payable = max(order.received, created)
        for line in lines:
            amounts = [
                ("ORDER_AMOUNT", line.goods_due),
                ("ORDER_SHIPPING_AMOUNT", line.shipping_due),
                ("COMMISSION_FEE", -line.commission_due),
                ("COMMISSION_VAT", -line.commission_vat_due),
            ]
            if line.tax is not None:
                amounts += tax_lines("ORDER", line.tax.goods, line.tax.shipping, line.tax.is_remitted)
            if self.seller.is_abroad:
                amounts = [(type_, amount) for type_, amount in amounts if type_ != "COMMISSION_VAT"]
            if Role.OPERATOR_CARRIAGE in self.seller.roles and line.shipping_due:
                amounts.append(("OPERATOR_PAID_ORDER_SHIPPING_AMOUNT", -line.shipping_due))
            for type_, amount in amounts:
                self.add(type_, _part(amount, part, parts), created, payable, order, line).shipment = shipment
        if Role.OPERATOR_CARRIAGE in self.seller.roles and part == 0:
            memo = self.add("OPERATOR_PAID_ORDER_SHIPPING_AMOUNT", -450, created, None, order)
            memo.is_informative = True
        if Role.HANDLING_FEE in self.seller.roles and part == 0:
            self._fee(order, "SELLER_FEE_ON_ORDER", HANDLING_FEE, created, "HANDLING")

    def _refund(self, order: Order, line: OrderLine, refund: Refund, created: int) -> None:
        amounts = [
            ("REFUND_ORDER_AMOUNT", -refund.goods),
            ("REFUND_ORDER_SHIPPING_AMOUNT", -refund.shipping),
            ("REFUND_COMMISSION_FEE", refund.commission),
        ]
        if not self.seller.is_abroad:
            amounts.append(("REFUND_COMMISSION_VAT", refund.commission_vat))
        if line.tax is not None:
            is_remitted = line.tax.is_remitted
            amounts += tax_lines("REFUND_ORDER", -refund.tax, -refund.shipping_tax, is_remitted)
        for type_, amount in amounts:
            self.add(type_, amount, created, created, order, line, refund)

    def _fee(self, order: Order, type_: str, net: int, instant: int, code: str) -> None:
        created = self.stamp(instant)
        entries = [self.add(type_, -net, created, created, order)]
        if not self.seller.is_abroad:
            entries.append(self.add(f"{type_}_TAX", -share(net, COMMISSION_VAT), created, created, order))
        for entry in entries:
            entry.fee_code = code

    def penalty(self, order: Order, instant: int) -> Entry:
        """A late penalty without VAT, for whoever wants one that is not deserved."""
        created = self.stamp(instant)
        entry = self.add("SELLER_PENALTY_FEE", -LATE_PENALTY, created, created, order)
        entry.fee_code = "LATE_SHIPMENT"
        return entry

    def _subscriptions(self) -> None:
        if Role.SUBSCRIBER not in self.seller.roles:
            return
        for cycle in self.cycles:
            if cycle.day.day != 1:
                continue
            # Billed on the last evening of the month it is for.
            last = cycle.day - timedelta(days=1)
            created = self.stamp(at(last, 21, 45, 12, 310))
            entries = [self.add("SUBSCRIPTION_FEE", -SUBSCRIPTION, created, created)]
            if not self.seller.is_abroad:
                entries.append(self.add("SUBSCRIPTION_VAT", -share(SUBSCRIPTION, COMMISSION_VAT), created, created))
            for entry in entries:
                entry.description = f"Subscription {last:%B %Y}"

    def _reserve(self) -> None:
        movements: list[tuple[int, str, int]] = []
        if Role.RESERVE in self.seller.roles:
            movements = [(RESERVE_HELD, "RESERVE_FUNDING", -1), (RESERVE_RELEASED, "RESERVE_SETTLEMENT", 1)]
        if Role.YOUNG_RESERVE in self.seller.roles:
            movements = [(YOUNG_RESERVE_HELD, "RESERVE_FUNDING", -1)]
        for index, type_, sign in movements:
            created = self.stamp(self.cycles[index].created - 10 * MINUTE)
            self.add(type_, sign * RESERVE_AMOUNT, created, created)

    def manual_document(self, cycle: int, type_: str, net: int, tax: int, description: str) -> ManualDocument:
        """A document raised by hand a week before the cycle's cut-off, with its lines. Abroad it bears no VAT."""
        if self.seller.is_abroad:
            tax = 0
        created = self.stamp(self.cycles[cycle].created - 7 * DAY + len(self.documents) * MINUTE)
        document = ManualDocument(new_id(self._rng), type_, self._next_document, created, net, tax, description)
        self._next_document += 1
        self.documents.append(document)
        sign = 1 if type_ in ("MANUAL_CREDIT", "INVOICEABLE_ONE_OFF_CREDIT") else -1
        tax_type = f"{type_}_TAX" if type_.startswith("INVOICEABLE") else f"{type_}_VAT"
        for line_type, amount in ((type_, net), (tax_type, tax)):
            if amount:
                entry = self.add(line_type, sign * amount, created, created)
                entry.document, entry.description = document, description
        return document

    # --- cycles

    def due_in(self, cycle: Cycle) -> int:
        """What the lines that fall into a cycle add up to, before cycles are closed."""
        earlier = self.cycles[cycle.index - 1].created if cycle.index else 0
        return sum(
            entry.amount
            for entry in self.entries
            if not entry.is_informative and entry.payable is not None and earlier <= entry.payable < cycle.created
        )

    def assign(self) -> None:
        """Puts every payable line into the first cycle created after it became payable."""
        for entry in self.entries:
            if entry.payable is None or entry.is_informative:
                continue
            for cycle in self.cycles:
                if entry.payable < cycle.created:
                    entry.cycle = cycle
                    cycle.entries.append(entry)
                    break
        for document in self.documents:
            document.cycle = next(entry.cycle for entry in self.entries if entry.document is document)

    def close(self) -> None:
        """Pays out cycle by cycle and writes the running balance."""
        opening = 0
        for cycle in self.cycles:
            cycle.opening = opening
            cycle.net = sum(entry.amount for entry in cycle.entries)
            self._pay(cycle)
            opening = 0 if cycle.misstated else cycle.closing
        self.entries.sort(key=lambda entry: entry.created)
        balance = 0
        for entry in self.entries:
            if not entry.is_informative:
                balance += entry.amount
            entry.balance = balance

    def _pay(self, cycle: Cycle) -> None:
        due = cycle.opening + cycle.net + cycle.misstated
        if due <= 0:
            cycle.state = "TO_PAY"
            return
        if self._fails(cycle):
            cycle.state, cycle.failure = "FAILED", "INCOMPLETE_KYC"
            return
        cycle.payout = due
        cycle.paid_at = self.stamp(at(cycle.day + timedelta(days=1), 9) + self._rng.randrange(HOUR) // SECOND * SECOND)
        cycle.reference = f"PLZ-{cycle.voucher}"
        payment = self.add("PAYMENT", -due, cycle.paid_at, cycle.paid_at)
        payment.cycle = cycle
        for earlier in self.cycles[: cycle.index]:
            if earlier.state == "FAILED" and earlier.paid_with is None:
                earlier.paid_with = cycle

    def _fails(self, cycle: Cycle) -> bool:
        if Role.KYC_OPEN in self.seller.roles:
            return cycle.index >= KYC_OPEN_FROM
        if Role.KYC_ONCE in self.seller.roles:
            return cycle.index >= KYC_FROM and all(earlier.failure is None for earlier in self.cycles[: cycle.index])
        return False

    # --- balances

    @property
    def reserve(self) -> int:
        """What the operator holds back, in pence."""
        return -sum(entry.amount for entry in self.entries if entry.type.startswith("RESERVE_"))

    @property
    def pending(self) -> int:
        return sum(entry.amount for entry in self.entries if entry.payable is None and not entry.is_informative)

    @property
    def paid(self) -> int:
        return sum(cycle.payout for cycle in self.cycles)

    @property
    def payable(self) -> int:
        """What has been earned and not been paid out, as the operator states it."""
        return (self.entries[-1].balance if self.entries else 0) - self.pending + self.stated_too_much


def _part(amount: int, part: int, parts: int) -> int:
    """The share of a parcel; parts add up to the amount."""
    return amount * (part + 1) // parts - amount * part // parts
