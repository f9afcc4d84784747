"""Three months of trade: who ordered what, and how far each order had come by `as_of`.

Every order follows a profile (ordinary, refused, cancelled, refunded, shipped late, ...). A minimum of each exists in
the smallest world, so that every rule finds its case.

The shop stands still for ten days in the middle (its warehouse moves). No sale becomes payable in the cycle after that,
while refunds go on: that cycle is negative.
"""

import random
from dataclasses import dataclass
from datetime import date, timedelta

from sandbox.world.business import Business
from sandbox.world.catalogue import COLLECTED, COMMISSION_VAT, ZERO
from sandbox.world.model import Cancelation, Contract, Item, Order, OrderLine, Refund, Tax
from sandbox.world.money import divide, share
from sandbox.world.stamps import DAY, HOUR, MINUTE, SECOND, at, london_date, month_ends

MINIMUM_ORDERS = 250
RETAINING = 4
SEVERAL = 8
IMPORT_LIMIT = 30 * MINUTE
IRISH_VAT = 2300
CONSIGNMENT_LIMIT = 13_000
"""Up to this value of its goods the operator accounts for the VAT of a consignment to the European Union."""

PROFILES: tuple[tuple[str, float, int], ...] = (
    # profile, share of all orders, smallest count
    ("REFUSED_TIMEOUT", 0.008, 3),
    ("REFUSED_SELLER", 0.009, 4),
    ("CANCELLED", 0.022, 10),
    ("PARTLY_CANCELLED", 0.015, 10),
    ("LINE_CANCELLED", 0.012, 10),
    ("LINE_REFUSED", 0.008, 3),
    ("REFUNDED_PARTLY", 0.028, 12),
    ("REFUNDED_TWICE", 0.008, 6),
    ("REFUNDED_IN_FULL", 0.034, 14),
    ("PROMOTION", 0.010, 4),
    ("LATE", 0.016, 5),
    ("TWO_LINES", 0.030, 16),
)
LINES = 2
"""Lines of an order whose profile names more than one."""
_REFUNDED = ("REFUNDED_PARTLY", "REFUNDED_TWICE", "REFUNDED_IN_FULL")
_HOUR_WEIGHTS = (3, 2, 1, 1, 1, 2, 4, 6, 8, 9, 9, 9, 9, 8, 8, 8, 9, 10, 11, 12, 12, 11, 9, 6)
_REFUND_REASONS = ("14", "15", "18", "19")


@dataclass(frozen=True, slots=True)
class Season:
    """The instants that shape the trade."""

    start: int
    as_of: int
    quiet_start: int
    quiet_end: int
    negative_from: int
    negative_to: int

    @classmethod
    def of(cls, first_day: date, as_of: int, negative_from: date, negative_to: date) -> "Season":
        """`negative_from` and `negative_to` are the cut-off dates around the cycle that is to end negative."""
        return cls(
            start=at(first_day),
            as_of=as_of,
            quiet_start=at(negative_from - timedelta(days=3)),
            quiet_end=at(negative_to - timedelta(days=3)),
            negative_from=at(negative_from, 1),
            negative_to=at(negative_to, 1),
        )


def to_ireland(order: Order, *, is_remitted: bool) -> None:
    """Sends the order to Ireland: its prices are without tax, Irish VAT comes on top. The seller declares nothing."""
    order.ship_to, order.tax_mode = "IRL", "TAX_EXCLUDED"
    for line in order.lines:
        line.tax = Tax("IE-VAT", IRISH_VAT, share(line.price, IRISH_VAT), share(line.shipping, IRISH_VAT), is_remitted)
        line.sale_tax_code = COLLECTED
        # The operator takes its commission on what the customer pays.
        fee = commission(line.item.contract, line.price + line.tax.goods, line.shipping + line.tax.shipping)
        line.commission, line.commission_vat = fee, share(fee, COMMISSION_VAT)


def commission(contract: Contract, price: int, shipping: int) -> int:
    """The commission net of VAT that the contract asks for."""
    return max(contract.minimum, share(commission_base(contract, price, shipping), contract.rate))


def commission_base(contract: Contract, price: int, shipping: int) -> int:
    return price if contract.base == "PRICE" else price + shipping


def commission_returned(line: OrderLine, goods: int, shipping: int) -> int:
    """The commission that one more refund gives back, by the cumulative method: the last one takes the remainder."""
    contract = line.item.contract
    base = commission_base(contract, line.goods_due, line.shipping_due)
    returned = sum(commission_base(contract, r.goods, r.shipping) for r in line.refunds)
    returned += commission_base(contract, goods, shipping)
    kept = 10_000 - contract.retained
    total = divide(line.commission_due * returned * kept, base * 10_000)
    return total - sum(r.commission for r in line.refunds)


class Trade:
    """Makes the orders. One instance per world; `build()` once."""

    def __init__(self, business: Business, rng: random.Random, items: list[Item], count: int, season: Season) -> None:
        if count < MINIMUM_ORDERS:
            raise ValueError(f"a world needs at least {MINIMUM_ORDERS} orders to hold every case, not {count}")
        self._business = business
        self._rng = rng
        self._season = season
        self._count = count
        self._items = [item for item in items if not item.is_discontinued]
        weights = [1 + 9 * rng.random() ** 4 for _ in self._items]
        total = 0.0
        self._cumulative = [total := total + weight for weight in weights]
        self._retaining: set[int] = set()
        self._several: set[int] = set()
        self._next_refund = 1000
        self._next_cancelation = 5000

    def build(self) -> list[Order]:
        created = self._creation_times()
        profiles = self._assign_profiles(created)
        orders = [
            self._order(number, instant, profile)
            for number, (instant, profile) in enumerate(zip(created, profiles, strict=True), start=1)
        ]
        self._refunds_of_the_negative_cycle(orders)
        _import_some_that_were_cancelled(orders)
        self._send_some_abroad(orders)
        return orders

    def _creation_times(self) -> list[int]:
        rng, season = self._rng, self._season
        hours = list(range(24))
        cumulative = [sum(_HOUR_WEIGHTS[: hour + 1]) for hour in hours]
        days = (season.as_of - season.start) // DAY + 1
        found: set[int] = set()
        # The newest half hour: two orders that the ERP has not seen yet, two that it has.
        for minutes in (3, 9, 21, 27):
            found.add(season.as_of - minutes * MINUTE + rng.randrange(SECOND))
        # Half a day ago: orders that are paid and wait for their despatch, however small the world.
        for hours_ago in range(5, 25):
            found.add(season.as_of - hours_ago * HOUR + rng.randrange(30 * MINUTE))
        # The faults want more of them than a lucky warehouse leaves over.
        for hours_ago in range(4, 12):
            found.add(season.as_of - hours_ago * HOUR - 30 * MINUTE + rng.randrange(30 * MINUTE))
        # Two days ago: orders that have been sent and have not arrived.
        for hours_ago in range(49, 58):
            found.add(season.as_of - hours_ago * HOUR + rng.randrange(30 * MINUTE))
        # Almost two days ago: whoever has not accepted by then is about to lose the order.
        for minutes in (10, 20, 30):
            found.add(season.as_of - 47 * HOUR + minutes * MINUTE + rng.randrange(SECOND))
        # In summer the last hour (UTC) of a month is the next month in London: lines of a few orders must sit there.
        for turn in month_ends(london_date(season.start), london_date(season.as_of)):
            for minute in (5, 22, 31, 40, 50):
                instant = at(turn, 22, minute) + rng.randrange(MINUTE)
                if season.start <= instant < season.as_of:
                    found.add(instant)
        while len(found) < self._count:
            day = season.start + rng.randrange(days) * DAY
            hour = rng.choices(hours, cum_weights=cumulative)[0]
            instant = day + hour * HOUR + rng.randrange(HOUR)
            if rng.random() < 0.3:
                instant -= instant % SECOND
            if instant >= season.as_of - IMPORT_LIMIT or season.quiet_start <= instant < season.quiet_end:
                continue
            found.add(instant)
        return sorted(found)

    def _assign_profiles(self, created: list[int]) -> list[str]:
        rng, season = self._rng, self._season
        profiles = ["ORDINARY"] * len(created)
        # Special cases must have run their course: refunds need time after delivery, late orders must not be open.
        settled = [n for n, instant in enumerate(created) if instant < season.as_of - 16 * DAY]
        steady = [n for n in settled if not season.quiet_start - 8 * DAY <= created[n] < season.quiet_end]
        rng.shuffle(steady)
        for profile, part, least in PROFILES:
            for _ in range(max(least, int(part * len(created)))):
                if steady:
                    profiles[steady.pop()] = profile
        # However small the world, some plain orders are of goods whose commission is not given back in full.
        self._retaining = {created[n] for n in steady[-RETAINING:]}
        # And some are of one line of several pieces.
        self._several = {created[n] for n in steady[-RETAINING - SEVERAL : -RETAINING]}
        return profiles

    def _order(self, number: int, created: int, profile: str) -> Order:
        rng = self._rng
        commercial_id = f"{self._business.name}{self._business.first_order + number * 7 + rng.randrange(7)}"
        order = Order(
            id=f"{commercial_id}-A",
            commercial_id=commercial_id,
            created=created,
            state="WAITING_ACCEPTANCE",
            lines=[],
            profile=profile,
            customer=rng.randrange(1 << 30),
            deadline=created - created % DAY + 4 * DAY - 1,
            updated=created,
        )
        self._lines(order)
        self._life(order)
        if profile == "PARTLY_CANCELLED" or profile == "LINE_CANCELLED":
            self._cancel_part(order)
        if profile in _REFUNDED and order.received is not None:
            self._refund(order)
        order.updated = max(
            [instant for instant in (order.accepted, order.debited, order.shipped, order.received) if instant]
            + [order.updated]
            + [refund.created for line in order.lines for refund in line.refunds]
        )
        return order

    def _lines(self, order: Order) -> None:
        rng = self._rng
        if order.profile in ("LINE_CANCELLED", "LINE_REFUSED", "TWO_LINES"):
            count = LINES
        else:
            count = rng.choices((1, 2, 3), (80, 15, 5))[0]
        if order.created in self._several:
            count = 1
        chosen: dict[str, Item] = {}
        if order.created in self._retaining:
            count, item = 1, rng.choice([item for item in self._items if item.contract.retained])
            chosen[item.code] = item
        while len(chosen) < count:
            item = rng.choices(self._items, cum_weights=self._cumulative)[0]
            if order.profile == "PARTLY_CANCELLED" and item.contract.minimum and not chosen:
                continue
            chosen.setdefault(item.code, item)
        for index, item in enumerate(chosen.values(), start=1):
            quantity = rng.choices((1, 2, 3, 4), (82, 12, 4, 2))[0]
            if (order.profile == "PARTLY_CANCELLED" and index == 1) or order.created in self._several:
                quantity = rng.choice((2, 3, 4))
            price = item.price * quantity
            shipping = item.shipping if index == 1 or rng.random() < 0.3 else 0
            fee = commission(item.contract, price, shipping)
            order.lines.append(
                OrderLine(
                    id=f"{order.id}-{index}",
                    index=index,
                    item=item,
                    quantity=quantity,
                    unit=item.price,
                    price=price,
                    shipping=shipping,
                    commission=fee,
                    commission_vat=share(fee, COMMISSION_VAT),
                )
            )
        if order.profile == "PROMOTION":
            line = order.lines[0]
            line.operator_funded = max(1, line.price // 10)
        if order.profile == "LINE_REFUSED":
            order.lines[-1].refused = True

    def _life(self, order: Order) -> None:
        """Carries the order through its states until `as_of` or its end."""
        rng, season, as_of = self._rng, self._season, self._season.as_of
        created = order.created
        imported = created + rng.randrange(90 * SECOND, 5 * MINUTE)
        if order.profile == "REFUSED_TIMEOUT":
            order.state, order.reason = "REFUSED", "ACCEPTANCE_TIMEOUT"
            order.updated = created + 48 * HOUR + rng.randrange(2 * HOUR)
            return
        if order.profile == "REFUSED_SELLER":
            order.state, order.reason = "REFUSED", "REFUSED"
            order.accepted = order.updated = created + rng.randrange(6 * MINUTE, 26 * MINUTE)
            order.imported = imported if rng.random() < 0.5 else None
            return
        newest = created >= as_of - IMPORT_LIMIT
        if newest:
            # Ages 27 and 21 minutes are in the ERP and wait for their acceptance; 9 and 3 minutes are not there yet.
            order.imported = imported if created < as_of - 15 * MINUTE else None
            return
        order.imported = imported
        accepted = created + rng.randrange(6 * MINUTE, 24 * MINUTE)
        if order.profile == "CANCELLED":
            order.accepted = accepted
            order.state, order.cancelled = "CANCELED", accepted + rng.randrange(20 * MINUTE, 3 * HOUR)
            order.updated = order.cancelled
            if rng.random() < 0.4:
                order.imported = None
            self._cancel_lines(order, order.lines, order.cancelled)
            return
        order.accepted = accepted
        order.state = "WAITING_DEBIT_PAYMENT"
        debited = accepted + rng.randrange(4 * MINUTE, 80 * MINUTE)
        if rng.random() < 0.08:
            debited = accepted + rng.randrange(2 * HOUR, 6 * HOUR)
        if debited % HOUR % 3 == 0:
            debited -= debited % SECOND
        if debited > as_of:
            return
        order.debited, order.state = debited, "SHIPPING"
        shipped = debited + rng.randrange(4 * HOUR, 40 * HOUR)
        before_quiet = season.quiet_start - 4 * DAY <= created < season.quiet_start
        if before_quiet:
            shipped = debited + rng.randrange(3 * HOUR, 20 * HOUR)
        if order.profile == "LATE":
            shipped = order.deadline + rng.randrange(3 * HOUR, 40 * HOUR)
        if shipped > as_of - 10 * MINUTE:
            return
        order.shipped, order.state = shipped, "SHIPPED"
        received = shipped + rng.randrange(20 * HOUR, 130 * HOUR)
        if season.negative_from <= received < season.negative_to:
            if created < season.quiet_start:
                received = max(shipped + HOUR, season.negative_from - rng.randrange(HOUR, 12 * HOUR))
            else:
                received = season.negative_to + rng.randrange(HOUR, 20 * HOUR)
        if received > as_of:
            return
        order.received, order.state = received, "RECEIVED"
        if received + 14 * DAY <= as_of:
            order.state, order.updated = "CLOSED", received + 14 * DAY

    def _cancel_lines(self, order: Order, lines: list[OrderLine], instant: int) -> None:
        for line in lines:
            line.cancelations.append(
                Cancelation(
                    id=self._cancelation_id(),
                    created=instant,
                    goods=line.price,
                    shipping=line.shipping,
                    commission=line.commission,
                    commission_vat=line.commission_vat,
                    quantity=line.quantity,
                    reason="CHANGED_MIND",
                )
            )

    def _cancel_part(self, order: Order) -> None:
        """Before the debit: one whole line of several, or some units of the first line."""
        if order.accepted is None or order.debited is None:
            raise AssertionError("orders with cancelations are old enough to have been debited")
        instant = order.accepted + (order.debited - order.accepted) // 2
        if order.profile == "LINE_CANCELLED":
            self._cancel_lines(order, order.lines[-1:], instant)
            return
        line = order.lines[0]
        quantity = self._rng.randrange(1, line.quantity)
        goods = line.unit * quantity
        fee = divide(line.commission * goods, commission_base(line.item.contract, line.price, line.shipping))
        line.cancelations.append(
            Cancelation(
                id=self._cancelation_id(),
                created=instant,
                goods=goods,
                shipping=0,
                commission=fee,
                commission_vat=line.commission_vat - share(line.commission - fee, COMMISSION_VAT),
                quantity=quantity,
                reason="OUT_OF_STOCK",
            )
        )

    def _refund(self, order: Order) -> None:
        rng, as_of = self._rng, self._season.as_of
        line = rng.choice(order.live_lines)
        first = order.received + rng.randrange(18 * HOUR, 10 * DAY) if order.received else as_of
        first = min(first, as_of - 3 * DAY)
        if order.profile == "REFUNDED_IN_FULL":
            for each in order.live_lines:
                self.add_refund(each, first, each.goods_due, each.shipping_due, each.quantity)
            return
        if line.commission <= line.item.contract.minimum:
            # Where the minimum fee binds, a pro rata share of it is open to argument: such a line comes back whole.
            self.add_refund(line, first, line.goods_due, line.shipping_due, line.quantity)
            return
        part = line.goods_due * rng.randrange(15, 45) // 100
        if order.profile == "REFUNDED_TWICE":
            # Two genuine refunds of one amount on one line are not duplicates.
            self.add_refund(line, first, part, 0, 0)
            self.add_refund(line, min(first + rng.randrange(HOUR, 2 * DAY), as_of - HOUR), part, 0, 0)
            return
        shipping = line.shipping_due if rng.random() < 0.3 else 0
        self.add_refund(line, first, part, shipping, 1 if line.quantity > 1 else 0)

    def add_refund(self, line: OrderLine, instant: int, goods: int, shipping: int, quantity: int) -> None:
        """Refunds part of a line and gives commission back as the contract says, by the cumulative method."""
        fee = commission_returned(line, goods, shipping)
        self._next_refund += 1
        line.refunds.append(
            Refund(
                id=str(self._next_refund),
                group_id=f"{self._rng.getrandbits(32):08x}-5b1e-4f0a-9c1d-{self._rng.getrandbits(48):012x}",
                created=instant,
                goods=goods,
                shipping=shipping,
                commission=fee,
                commission_vat=share(fee, COMMISSION_VAT),
                quantity=quantity,
                reason=self._rng.choice(_REFUND_REASONS),
            )
        )

    def _refunds_of_the_negative_cycle(self, orders: list[Order]) -> None:
        """A recall: goods delivered before the standstill come back while nothing new is sold."""
        rng, season = self._rng, self._season
        candidates = [
            order
            for order in orders
            if order.profile == "ORDINARY"
            and order.received is not None
            and season.negative_from - 9 * DAY <= order.received < season.negative_from
        ]
        for order in rng.sample(candidates, max(3, len(candidates) // 25)):
            instant = rng.randrange(season.negative_from + HOUR, season.negative_to - HOUR)
            for line in order.live_lines:
                self.add_refund(line, instant, line.goods_due, line.shipping_due, line.quantity)
            order.profile = "RECALLED"
            order.updated = max(order.updated, instant)

    def _send_some_abroad(self, orders: list[Order]) -> None:
        """A few small consignments to Ireland, whose VAT the operator collects and remits, and exports to Jersey."""
        settled = [
            order
            for order in orders
            if order.profile == "ORDINARY"
            and order.received is not None
            and order.received < self._season.as_of - 16 * DAY
            and len(order.lines) == 1
            and 1_000 <= order.lines[0].price <= CONSIGNMENT_LIMIT
            # Of the categories whose refunds keep a share there are few.
            and not order.lines[0].item.contract.retained
        ]
        chosen = self._rng.sample(settled, min(len(settled), max(7, self._count // 60)))
        exported = max(2, len(chosen) // 8)
        for order in chosen[exported:]:
            order.profile = "COLLECTED"
            to_ireland(order, is_remitted=True)
        for order in chosen[:exported]:
            order.profile, order.ship_to = "EXPORTED", "JEY"
            order.lines[0].sale_tax_code = ZERO

    def _cancelation_id(self) -> str:
        self._next_cancelation += 1
        return str(self._next_cancelation)


def _import_some_that_were_cancelled(orders: list[Order]) -> None:
    """At least four of the cancelled orders had reached the books by then, however small the world."""
    cancelled = [order for order in orders if order.profile == "CANCELLED"]
    never = [order for order in cancelled if order.imported is None]
    missing = max(0, 4 - (len(cancelled) - len(never)))
    for order in never[:missing]:
        order.imported = order.created + 2 * MINUTE
