"""Worked examples of an operator's books: every example is one seller of PLAZA, and has the marketplace to itself for a
while.

The cycles are those of the calendar (1st, 11th, 21st): an operator books per cut, all sellers together. So examples
follow each other in time, and a journal is about the example that has begun last.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sandbox.examples.format import Example, ExampleError, Line, OrderEvent, RefundEvent
from sandbox.world.mirakl.cycles import documents
from sandbox.world.model import Cycle, Item, MiraklWorld, Order, OrderLine, Refund
from sandbox.world.plaza.catalogue import COMMISSION_VAT, CONTRACTS, MARKETPLACE, TAX_MODE
from sandbox.world.plaza.ledger import SellerLedger
from sandbox.world.plaza.render import render
from sandbox.world.plaza.sellers import Seller, TaxRegime, new_shop
from sandbox.world.settlement import CYCLES, new_id
from sandbox.world.stamps import DAY, HOUR, MINUTE, at, cut_offs, london_date, milliseconds
from sandbox.world.truth import Truth


@dataclass(slots=True)
class _Part:
    """An example as the seller that it is."""

    example: Example
    seller: Seller
    ledger: SellerLedger
    cycles: list[Cycle]
    orders: list[Order]
    items: list[Item]


class Operator:
    """PLAZA with a seller for every example."""

    def __init__(self, examples: Sequence[Example], first_day: date, now: int) -> None:
        self._now = now
        self._rng = random.Random("examples:PLAZA")
        self._cuts = [day for day in cut_offs(london_date(now), CYCLES + 1) if day > first_day]
        self._numbers = iter(range(1001, 10_000))
        self.truth = Truth(MARKETPLACE)
        self._parts = [self._part(number, example) for number, example in enumerate(examples)]

    @property
    def ledgers(self) -> list[SellerLedger]:
        return [part.ledger for part in self._parts]

    def render(self) -> MiraklWorld:
        placed = [(part.seller, order) for part in self._parts for order in part.orders]
        invoices = [
            document
            for ledger in self.ledgers
            for document in documents(ledger.seller.shop, ledger.cycles, ledger.documents)
        ]
        items = {part.seller.number: part.items for part in self._parts}
        return render(placed, self.ledgers, items, invoices, self._now)

    def placed(self) -> list[dict[str, Any]]:
        """Per example the ids by which its results are found again."""
        return [
            {
                "example": part.example.name,
                "orders": {e.id: o.id for e, o in zip(part.example.orders, part.orders, strict=True)},
                "order_lines": [line.id for order in part.orders for line in order.lines],
                "refunds": [r.id for order in part.orders for line in order.lines for r in line.refunds],
                "cycles": [cycle.id for cycle in part.cycles],
                "items": [item.code for item in part.items],
                "transaction_lines": [entry.id for entry in part.ledger.entries],
                "documents": [document.id for document in part.ledger.documents],
                "first_day": self._first_day(part).isoformat(),
            }
            for part in self._parts
        ]

    @staticmethod
    def _first_day(part: _Part) -> date:
        return min(london_date(entry.created) for entry in part.ledger.entries)

    def _part(self, number: int, example: Example) -> _Part:
        if example.contracts or example.receipts or example.write_offs:
            raise ExampleError(f"{example.name}: an operator's example has no contracts, receipts and write-offs")
        seller = Seller(number, new_shop(number, TaxRegime.UNKNOWN), "PAY_ON_ACCEPTANCE", TaxRegime.UNKNOWN, 1.0, set())
        # Without roles a seller has nothing of the generated world's own.
        ledger = SellerLedger(self._rng, seller, self._cuts, 20_001 + number * 20)
        part = _Part(example, seller, ledger, self._cycles(example, ledger), [], [])
        for event in example.orders:
            order = self._order(part, event)
            part.orders.append(order)
            ledger.sell(order)
        for fee in example.fees:
            created = ledger.stamp(self._before(part, fee.cycle, 14))
            ledger.add(fee.type, fee.amount, created, created).fee_code = fee.fee_code or None
        for event in example.documents:
            ledger.manual_document(
                part.cycles[event.cycle - 1].index, event.type, event.net, event.tax, event.description
            )
        ledger.assign()
        ledger.close()
        return part

    def _cycles(self, example: Example, ledger: SellerLedger) -> list[Cycle]:
        """The example's cycles: the first on the day that it names, each other on the next cut that has been named or
        follows.
        """
        found: list[Cycle] = []
        for event in example.cycles:
            after = found[-1].index + 1 if found else 0
            fitting = [c for c in ledger.cycles[after:] if event.day is None or c.day == event.day]
            if not fitting or (not found and event.day is None):
                days = ", ".join(day.isoformat() for day in self._cuts)
                raise ExampleError(f"{example.name}: its first cycle needs a day, and all must be of {days}")
            found.append(fitting[0])
        return found

    def _before(self, part: _Part, cycle: int, hour: int) -> int:
        """A moment of the third day before an example's cycle."""
        return at(part.cycles[cycle - 1].day - timedelta(days=3), hour, 17)

    def _order(self, part: _Part, event: OrderEvent) -> Order:
        day = part.cycles[max(event.cycle, 1) - 1].day
        number = 83_000_000 + part.seller.number * 100 + len(part.orders)
        created = milliseconds(event.created) if event.created else at(day - timedelta(days=6), 10)
        order = Order(
            id=f"PLAZA{number}-A",
            commercial_id=f"PLAZA{number}",
            created=created,
            state=event.state,
            lines=[],
            profile="EXAMPLE",
            customer=part.seller.number,
            deadline=created + 3 * DAY,
            updated=created + HOUR,
            ship_to=event.ship_to,
            shop=part.seller.shop,
            workflow=part.seller.workflow,
            tax_mode=TAX_MODE,
        )
        order.accepted, order.debited = created + 10 * MINUTE, created + 20 * MINUTE
        if event.state in ("SHIPPED", "RECEIVED", "CLOSED"):
            order.shipped = milliseconds(event.shipped) if event.shipped else created + DAY
        if event.state in ("RECEIVED", "CLOSED"):
            order.received = milliseconds(event.received) if event.received else at(day - timedelta(days=4), 12)
        for index, line in enumerate(event.lines, start=1):
            order.lines.append(self._line(part, order, index, line))
        moments = [order.shipped, order.received, *(r.created for line in order.lines for r in line.refunds)]
        order.updated = max([order.updated, *(moment for moment in moments if moment)])
        return order

    def _line(self, part: _Part, order: Order, index: int, event: Line) -> OrderLine:
        number = 100 * part.seller.number + len(part.items) + 1
        item = Item(
            code=f"EXP{number:05d}",
            name=f"Example item {number}",
            contract=next((c for c in CONTRACTS if c.category == event.category), CONTRACTS[0]),
            price=event.price // event.quantity,
            cost=event.price // event.quantity // 2,
            vat_rate=2_000,
            shipping=event.shipping,
            product_id=61_000 + number,
            offer_id=5_100 + number,
            product_sku=f"PLX{number:012d}",
            ean=f"2{number:012d}",
        )
        part.items.append(item)
        line = OrderLine(
            id=f"{order.id}-{index}",
            index=index,
            item=item,
            quantity=event.quantity,
            unit=item.price,
            price=event.price,
            shipping=event.shipping,
            commission=event.commission,
            commission_vat=event.commission_vat,
            commission_vat_rate=COMMISSION_VAT,
            operator_funded=event.operator_funded,
            discount=event.discount,
        )
        line.refunds = [self._refund(part, refund) for refund in event.refunds]
        return line

    def _refund(self, part: _Part, event: RefundEvent) -> Refund:
        return Refund(
            id=str(next(self._numbers)),
            group_id=new_id(self._rng),
            created=self._before(part, event.cycle, 15),
            goods=event.goods,
            shipping=event.shipping,
            commission=event.commission,
            commission_vat=event.commission_vat,
            quantity=0,
            reason="14",
            is_credited=True,
        )
