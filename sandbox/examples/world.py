"""The world of worked examples: every example has cycles, orders and items of its own at each seller.

A cycle is cut every morning at 01:00Z. What an example's cycle settles became payable on the day before it, so no
example touches another's; each must leave its balance at nil, or the next one would bring it forward.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta

from sandbox.examples.format import OPERATED, CycleEvent, Example, ExampleError, Line, OrderEvent, RefundEvent
from sandbox.examples.operator import Operator
from sandbox.world import bank, mirakl, netsuite, sage
from sandbox.world.build import DEFAULT_AS_OF, World
from sandbox.world.business import BRICO, HOMELY, Business
from sandbox.world.catalogue import COLLECTED
from sandbox.world.erp import Books
from sandbox.world.model import (
    BankEntry,
    BankWorld,
    Cancelation,
    Contract,
    Cycle,
    Entry,
    Item,
    Order,
    OrderLine,
    Refund,
    Setting,
    Tax,
)
from sandbox.world.plaza.books import operators_account, render_books
from sandbox.world.seller import Seller
from sandbox.world.settlement import Ledger, new_id
from sandbox.world.stamps import DAY, HOUR, MINUTE, at, iso, london_date, milliseconds
from sandbox.world.stock import Stock
from sandbox.world.truth import Truth, document

FIRST_DAY, FIRST_CYCLE = date(2026, 4, 1), date(2026, 4, 7)
LAST_CYCLE = date(2026, 6, 27)
EVERY_DAY = "|".join(str(day) for day in range(1, 32))


@dataclass(slots=True)
class Placed:
    """What an example became at one marketplace: its ids, by which its results are found again."""

    example: str
    marketplace_code: str
    orders: dict[str, str] = field(default_factory=dict)
    order_lines: list[str] = field(default_factory=list)
    refunds: list[str] = field(default_factory=list)
    cycles: list[str] = field(default_factory=list)
    receipts: list[str] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    transaction_lines: list[str] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)
    first_day: str = ""
    """Of an example of an operator's books: from which day on the marketplace's journals are about it."""


def build_examples(examples: Sequence[Example], as_of: datetime = DEFAULT_AS_OF) -> World:
    """The world in which all `examples` happen: at BRICO, whose books are in Sage 200, and at HOMELY with NetSuite.

    Those of an operator's books happen at PLAZA, which keeps them in NetSuite too.

    Raises ExampleError for an example that cannot happen, or does not leave its balance at nil.
    """
    now = milliseconds(as_of)
    operated = [example for example in examples if OPERATED in example.marketplaces]
    examples = [example for example in examples if example not in operated]
    days = _days(examples)
    sellers = [_Seller(business, examples, days, now) for business in (BRICO, HOMELY)]
    made = [seller.build() for seller in sellers]
    truths = [each.truth for each in made]
    placed = [placed for seller in sellers for placed in seller.placed.values()]
    sides = {each.business.marketplace: each.mirakl for each in made}
    account = netsuite.account_of(HOMELY)
    accounts = {account.erp_code: netsuite.render(account, made[1].books, made[1].items, made[1].stock, FIRST_DAY, now)}
    if operated:
        operator = Operator(operated, FIRST_DAY, now)
        sides[OPERATED] = operator.render()
        accounts[operators_account().erp_code] = render_books(operator.ledgers, FIRST_DAY, now)
        placed += [Placed(marketplace_code=OPERATED, **each) for each in operator.placed()]
        if not examples:
            # Nobody's bank account has anything to tell.
            off = {"is_enabled": "false"}
            operator.truth.settings += [
                Setting("bank_accounts", {"bank_account_code": each.bank_account}, off) for each in (BRICO, HOMELY)
            ]
        truths.append(operator.truth)
    truth = document(0, sum(len(seller.orders) for seller in sellers), iso(now), truths)
    truth["examples"] = [asdict(each) for each in placed]
    return World(
        seed=0,
        order_count=len(sellers[0].orders),
        as_of=as_of,
        mirakl=sides,
        sage=sage.render(made[0].books, made[0].items, made[0].stock, now),
        netsuite=accounts,
        bank_world=BankWorld([file for each in made for file in each.statements]),
        truth=truth,
    )


def _days(examples: Sequence[Example]) -> dict[str, list[date]]:
    """The cycle dates of every example: the fixed ones, then the free ones in order; those of one follow each other."""
    taken: dict[date, str] = {}
    days: dict[str, list[date]] = {}

    def take(example: Example, first: date) -> None:
        days[example.name] = [first + timedelta(days=number) for number in range(len(example.cycles))]
        for day in days[example.name]:
            if day in taken:
                raise ExampleError(f"{example.name} and {taken[day]} both need the cycle of {day}")
            taken[day] = example.name

    for example in examples:
        if example.cycles[0].day is not None:
            take(example, example.cycles[0].day)
    day = FIRST_CYCLE
    for example in examples:
        if example.name in days:
            continue
        while any(day + timedelta(days=number) in taken for number in range(len(example.cycles))):
            day += timedelta(days=1)
        take(example, day)
    if taken and max(taken) > LAST_CYCLE:
        raise ExampleError(f"the examples need cycles until {max(taken)}; there is room until {LAST_CYCLE}")
    return days


class _Ledger(Ledger):
    """A ledger without anything of its own: every entry comes from an example."""

    def _subscriptions(self) -> None:
        pass

    def _manual_documents(self) -> None:
        pass

    def settle(self, events: dict[int, CycleEvent]) -> None:
        """Closes the cycles as the examples say: `events` by the index of the cycle."""
        self._events = events
        self.close()

    def _pay(self, cycle: Cycle) -> None:
        due, event = cycle.opening + cycle.net, self._events[cycle.index]
        if event.invoiced_after:
            cycle.invoiced = self.stamp(at(cycle.day + timedelta(days=event.invoiced_after), 9))
        if due <= 0:
            cycle.state = "TO_PAY"
            return
        if event.pay_out == "FAILED":
            cycle.state, cycle.failure = "FAILED", "INCOMPLETE_KYC"
            return
        cycle.payout = due
        cycle.paid_at = self.stamp(at(cycle.day + timedelta(days=event.paid_after), 9))
        cycle.reference = f"PO-{cycle.voucher}"
        payment = Entry(new_id(self._rng), "PAYMENT", -due, cycle.paid_at, cycle.paid_at)
        payment.cycle = cycle
        self.entries.append(payment)
        for earlier in self.cycles[: cycle.index]:
            if earlier.state == "FAILED" and earlier.paid_with is None:
                earlier.paid_with = cycle


class _Seller:
    """One seller who lives through all examples."""

    def __init__(self, business: Business, examples: Sequence[Example], days: dict[str, list[date]], now: int) -> None:
        self.business, self.now = business, now
        self.examples = [example for example in examples if business.marketplace in example.marketplaces]
        self.days = days
        self.rng = random.Random(f"examples:{business.marketplace}")
        self.orders: list[Order] = []
        self.items: list[Item] = []
        self.placed = {example.name: Placed(example.name, business.marketplace) for example in self.examples}
        cut = sorted(day for example in self.examples for day in days[example.name])
        self.ledger = _Ledger(self.rng, [], cut, now)
        self.cycle_of = {cycle.day: cycle for cycle in self.ledger.cycles}
        self.truth = Truth(business.marketplace)
        self._numbers = iter(range(1001, 10_000))

    def cycle(self, example: Example, number: int) -> Cycle:
        return self.cycle_of[self.days[example.name][number - 1]]

    def build(self) -> Seller:
        business, now, ledger = self.business, self.now, self.ledger
        for place, example in enumerate(self.examples, start=1):
            self._events(example, place)
        ledger.settle({cycle.index: event for cycle, event in self._cycle_events()})
        self._check_balances()
        receipts = [entry for example in self.examples for entry in self._receipts(example)]
        bank.number_entries(receipts)
        statements = bank.statements(business, receipts, FIRST_DAY, london_date(now))
        books = Books(business, self.rng, now)
        books.import_orders(self.orders)
        books.number()
        books.post_sales()
        books.finish()
        stock = Stock(self.rng, self.items)
        stock.count(self.orders, books)
        for example in self.examples:
            placed = self.placed[example.name]
            placed.cycles = [self.cycle(example, number).id for number in range(1, len(example.cycles) + 1)]
            placed.receipts = [
                bank.receipt_id(business.bank_account, entry)
                for entry in receipts
                if any(cycle.id in placed.cycles for cycle in entry.cycles)
            ]
            placed.transaction_lines = [
                entry.id for entry in ledger.entries if entry.cycle is not None and entry.cycle.id in placed.cycles
            ]
        self._settings()
        offers = [(item, stock.expected(item), stock.expected(item) > 0) for item in self.items]
        side = mirakl.render(business, self.orders, ledger, self.items, offers, [], now)
        return Seller(business, side, statements, books, self.items, stock, self.truth)

    # ---- what happens

    def _events(self, example: Example, place: int) -> None:
        orders = {event.id: self._order(example, place, event) for event in example.orders}
        for fee in example.fees:
            created = self._before(self.cycle(example, fee.cycle), 14)
            entry = Entry(new_id(self.rng), fee.type, fee.amount, created, created)
            entry.order = orders[fee.order] if fee.order else None
            entry.fee_code, entry.description = fee.fee_code or None, fee.description or None
            self.ledger.add(entry)
        for event in example.documents:
            cycle = self.cycle(example, event.cycle)
            position = cycle.index
            document = self.ledger.manual_document(position, 0, event.type, event.net, event.tax, event.description)
            moment = self._before(cycle, 10)
            document.created = moment
            for entry in self.ledger.entries:
                if entry.document is document:
                    entry.created = entry.payable = moment
            self.placed[example.name].documents.append(document.id)

    def _before(self, cycle: Cycle, hour: int) -> int:
        """A moment of the day before the cycle that no other batch has."""
        return self.ledger.stamp(at(cycle.day - timedelta(days=1), hour, 17))

    def _order(self, example: Example, place: int, event: OrderEvent) -> Order:
        day = self.days[example.name][max(event.cycle, 1) - 1]
        number = self.business.first_order + place * 100 + len(self.placed[example.name].orders)
        created = milliseconds(event.created) if event.created else at(day - timedelta(days=4), 10)
        shipped = milliseconds(event.shipped) if event.shipped else created + DAY
        received = milliseconds(event.received) if event.received else at(day - timedelta(days=1), 12)
        commercial = f"{self.business.marketplace}{number}"
        order = Order(
            id=f"{commercial}-A",
            commercial_id=commercial,
            created=created,
            state=event.state,
            lines=[],
            profile="EXAMPLE",
            customer=place,
            deadline=created + 3 * DAY,
            updated=created + HOUR,
            imported=created + 3 * MINUTE if event.in_erp else None,
            ship_to=event.ship_to,
        )
        if event.state not in ("WAITING_ACCEPTANCE", "REFUSED"):
            order.accepted = created + 10 * MINUTE
        if event.state in ("SHIPPING", "SHIPPED", "RECEIVED", "CLOSED"):
            order.debited = created + 20 * MINUTE
        if event.state in ("SHIPPED", "RECEIVED", "CLOSED"):
            order.shipped = shipped
        if event.state in ("RECEIVED", "CLOSED"):
            order.received = received
        for index, line in enumerate(event.lines, start=1):
            order.lines.append(self._line(example, order, index, line))
        order.updated = max(
            [order.updated, *(i for i in (order.shipped, order.received) if i)]
            + [refund.created for line in order.lines for refund in line.refunds]
        )
        self.orders.append(order)
        self._entries(order)
        placed = self.placed[example.name]
        placed.orders[event.id] = order.id
        placed.order_lines += [line.id for line in order.lines]
        placed.refunds += [refund.id for line in order.lines for refund in line.refunds]
        return order

    def _line(self, example: Example, order: Order, index: int, event: Line) -> OrderLine:
        number = len(self.items) + 1
        vat = round(float(event.vat) * 100)
        item = Item(
            code=f"EX{number:05d}",
            name=f"Example item {number}",
            contract=Contract(event.category, event.category.title(), 0),
            price=event.price // event.quantity,
            cost=event.cost // event.quantity,
            vat_rate=vat,
            shipping=event.shipping,
            product_id=34_700 + number,
            offer_id=2_100 + number,
            product_sku=f"MKP{number:015d}",
            ean=f"2{number:012d}",
        )
        self.items.append(item)
        self.placed[example.name].items.append(item.code)
        line = OrderLine(
            id=f"{order.id}-{index}",
            index=index,
            item=item,
            quantity=event.quantity,
            unit=event.price // event.quantity,
            price=event.price,
            shipping=event.shipping,
            commission=event.commission,
            commission_vat=event.commission_vat,
            operator_funded=event.operator_funded,
            discount=event.discount,
        )
        if event.tax:
            line.tax = Tax("VAT", 2300, event.tax, 0, is_remitted=True)
            line.sale_tax_code = COLLECTED
            order.tax_mode = "TAX_EXCLUDED"
        if event.cancelled:
            self._cancel(order, line, event.cancelled)
        line.refunds = [self._refund(example, refund) for refund in event.refunds]
        return line

    def _cancel(self, order: Order, line: OrderLine, quantity: int) -> None:
        whole = quantity == line.quantity
        line.cancelations.append(
            Cancelation(
                id=str(next(self._numbers)),
                created=order.created + 15 * MINUTE,
                goods=line.price * quantity // line.quantity,
                shipping=line.shipping if whole else 0,
                commission=line.commission * quantity // line.quantity,
                commission_vat=line.commission_vat * quantity // line.quantity,
                quantity=quantity,
                reason="OUT_OF_STOCK",
            )
        )

    def _refund(self, example: Example, event: RefundEvent) -> Refund:
        return Refund(
            id=str(next(self._numbers)),
            group_id=new_id(self.rng),
            created=self._before(self.cycle(example, event.cycle), 15),
            goods=event.goods,
            shipping=event.shipping,
            commission=event.commission,
            commission_vat=event.commission_vat,
            quantity=0,
            reason="14",
            is_credited=event.is_credited,
        )

    def _entries(self, order: Order) -> None:
        self.ledger._sale(order)

    # ---- money

    def _cycle_events(self) -> Iterable[tuple[Cycle, CycleEvent]]:
        for example in self.examples:
            for number, event in enumerate(example.cycles, start=1):
                yield self.cycle(example, number), event

    def _check_balances(self) -> None:
        for example in self.examples:
            last = self.cycle(example, len(example.cycles))
            if last.closing:
                raise ExampleError(
                    f"{example.name} leaves {last.closing / 100:.2f} in the balance: add a cycle that settles it"
                )

    def _receipts(self, example: Example) -> list[BankEntry]:
        cycles = [self.cycle(example, number) for number in range(1, len(example.cycles) + 1)]
        if example.receipts is None:
            return [self._receipt([cycle], cycle.payout, "VOUCHER", 1) for cycle in cycles if cycle.payout]
        return [
            self._receipt([cycles[number - 1] for number in receipt.cycles], receipt.amount, receipt.text, receipt.days)
            for receipt in example.receipts
        ]

    def _receipt(self, cycles: list[Cycle], amount: int, text: str, days: int) -> BankEntry:
        business, paid = self.business, max(cycle.paid_at or cycle.created for cycle in cycles)
        vouchers = " ".join(cycle.voucher for cycle in cycles)
        return BankEntry(
            day=london_date(paid) + timedelta(days=days),
            amount=amount,
            name=business.payer,
            remittance=f"PAYOUT {vouchers}" if text == "VOUCHER" else text,
            end_to_end=f"{business.end_to_end}{vouchers.replace(' ', '')}" if text == "VOUCHER" else "NOTPROVIDED",
            code="TRF",
            account=business.payer_account,
            cycles=tuple(cycles),
            is_from_marketplace=True,
        )

    # ---- configuration

    def _settings(self) -> None:
        """A cycle a day, the examples' own contracts, and nothing of the generated world's beginnings."""
        code = self.business.marketplace
        settings = [Setting("marketplaces", {"marketplace_code": code}, {"cycle_days": EVERY_DAY})]
        # Both keep calendar quarters, and hold input VAT back from the last cycle on.
        settings.append(
            Setting(
                "entities",
                {"entity_code": self.business.entity},
                {"vat_period_end_month": "3", "input_vat_held_from": LAST_CYCLE.isoformat()},
            )
        )
        for example in self.examples:
            for contract in example.contracts:
                key = {"marketplace_code": code, "category_code": contract.category, "effective_from": "2020-01-01"}
                settings.append(Setting("commission_contracts", {}, key | contract.columns))
        if self.business.has_reserve:
            off = {"is_enabled": "false"}
            settings += [Setting("bank_accounts", {"bank_account_code": it}, off) for it in ("BARC_RES", "BARC_DEP")]
        self.truth.settings += settings
