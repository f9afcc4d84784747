"""What the customers of PLAZA ordered, and how far each order had come.

The payment workflow of the seller decides when the customer is debited: after acceptance, per parcel, on delivery, on a
due date, or never as far as Mirakl knows. Receipt never comes before the debit: what was received can be settled.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from sandbox.world.model import Cancelation, Item, Order, OrderLine, Refund, Shipment, Tax
from sandbox.world.money import divide, share
from sandbox.world.plaza.catalogue import (
    COMMISSION_VAT,
    CONTRACTS,
    MARKETPLACE,
    OVERSEAS_CONTRACTS,
    PAYMENT_DAYS,
    SALES_TAX,
    TAX_CODE,
    TAX_MODE,
)
from sandbox.world.plaza.sellers import Seller, TaxRegime
from sandbox.world.settlement import new_id
from sandbox.world.stamps import DAY, HOUR, MINUTE, SECOND, at, london_date
from sandbox.world.trade import commission, commission_base, commission_returned

SETTLED_AGE = 26 * DAY
"""An order this old has run its course in every workflow, and a cycle has taken it up."""

_SPECIAL_ANCHORS = 16
_ORDERS_OF_ANCHOR = (12, 6)


@dataclass(frozen=True, slots=True)
class _Profile:
    name: str
    part: float
    least: int
    suits: Callable[[Seller], bool] = lambda seller: True


_PROFILES = (
    _Profile("REFUSED_TIMEOUT", 0.010, 4),
    _Profile("REFUSED_SELLER", 0.010, 4),
    _Profile("CANCELLED", 0.015, 6),
    # A part of a taxed line would have to say how its tax falls: only lines without tax data are cancelled in part.
    _Profile("PARTLY_CANCELLED", 0.015, 8, lambda seller: seller.regime is TaxRegime.UNKNOWN),
    _Profile("REFUNDED_PARTLY", 0.030, 12),
    _Profile("REFUNDED_TWICE", 0.010, 6),
    _Profile("REFUNDED_IN_FULL", 0.030, 20),
    _Profile("REFUND_UNPAID", 0.004, 3),
    _Profile("PROMOTION", 0.020, 10),
    _Profile("DISCOUNT", 0.020, 8),
    _Profile("LATE", 0.015, 6),
    _Profile("SPLIT", 0.010, 6, lambda seller: seller.workflow == "PAY_ON_SHIPMENT"),
    _Profile("SPLIT", 0.010, 4, lambda seller: seller.workflow == "PAY_ON_ACCEPTANCE"),
    _Profile("INCIDENT", 0.008, 5),
)
_REFUNDED = ("REFUNDED_PARTLY", "REFUNDED_TWICE", "REFUNDED_IN_FULL", "REFUND_UNPAID")
_REFUND_REASONS = ("14", "15", "18", "19")
_WAITING_MINUTES = (4, 11, 23, 37)
_UNPAID_HOURS = (2, 3, 3, 4)
_UNSENT_HOURS = (7, 9, 11, 12, 13, 15, 17, 19)
"""Ages of the newest orders: not accepted, accepted but not debited, debited but not sent, however small the world."""


class Trade:
    """Makes the orders of all sellers. One instance per world; `build()` once."""

    def __init__(
        self,
        rng: random.Random,
        sellers: list[Seller],
        items: dict[str, list[Item]],
        count: int,
        first_day: date,
        as_of: int,
    ) -> None:
        self._rng = rng
        self._sellers = sellers
        self._count = count
        self._start = at(first_day)
        self._as_of = as_of
        self._next_refund = 700_000
        self._next_cancelation = 800_000
        self.assortments = {seller.number: self._assortment(seller, items) for seller in sellers}

    def build(self) -> list[tuple[Seller, Order]]:
        """Every order with its seller, oldest first."""
        plan = sorted(self._plan(), key=lambda planned: (planned[0], planned[1].number))
        profiles = self._profiles(plan)
        orders: list[tuple[Seller, Order]] = []
        for number, ((created, seller), profile) in enumerate(zip(plan, profiles, strict=True), start=1):
            basket, suffix, customer = f"{MARKETPLACE}{5_000_000 + number * 3}", "A", self._rng.randrange(1 << 30)
            if orders and profile == "ORDINARY" and self._rng.random() < 0.05 and orders[-1][0] is not seller:
                # The same customer filled one basket with the goods of two sellers.
                basket, suffix, customer = orders[-1][1].commercial_id, "B", orders[-1][1].customer
                if orders[-1][1].id.endswith("-B"):
                    basket, suffix = f"{MARKETPLACE}{5_000_000 + number * 3}", "A"
            orders.append((seller, self._order(seller, f"{basket}-{suffix}", basket, customer, created, profile)))
        return orders

    # --- who sells what, and when

    def _assortment(self, seller: Seller, items: dict[str, list[Item]]) -> list[Item]:
        """The seller's own offers: SKUs and offer ids are the seller's, products are shared."""
        contracts = OVERSEAS_CONTRACTS if seller.is_abroad else CONTRACTS
        pool = [item for contract in contracts for item in items[contract.category]]
        chosen = self._rng.sample(pool, self._rng.randrange(4, 9))
        return [
            replace(item, code=f"{seller.number + 1:03d}-{item.code}", offer_id=900_000 + seller.number * 20 + place)
            for place, item in enumerate(chosen)
        ]

    def _plan(self) -> list[tuple[int, Seller]]:
        rng, span = self._rng, self._as_of - DAY - self._start
        found: list[tuple[int, Seller]] = []
        for seller in self._sellers:
            if not seller.is_anchor:
                break
            # Evenly spread, so that an anchor has something to settle in most of the cycles.
            count = _ORDERS_OF_ANCHOR[0 if seller.number < _SPECIAL_ANCHORS else 1]
            step = span // count
            found += [(self._start + step * n + rng.randrange(step), seller) for n in range(count)]
        for minutes in _WAITING_MINUTES:
            found.append((self._as_of - minutes * MINUTE + rng.randrange(SECOND), rng.choice(self._sellers)))
        debited_early = [seller for seller in self._sellers if seller.workflow == "PAY_ON_ACCEPTANCE"]
        for hours in _UNPAID_HOURS:
            found.append((self._as_of - hours * HOUR + rng.randrange(MINUTE), rng.choice(debited_early)))
        for hours in _UNSENT_HOURS:
            found.append((self._as_of - hours * HOUR + rng.randrange(MINUTE), rng.choice(self._sellers)))
        weights = [seller.weight for seller in self._sellers]
        rest = rng.choices(self._sellers, weights, k=max(0, self._count - len(found)))
        found += [(self._start + rng.randrange(span), seller) for seller in rest]
        return found

    def _profiles(self, plan: list[tuple[int, Seller]]) -> list[str]:
        profiles = ["ORDINARY"] * len(plan)
        free = [n for n, (created, _) in enumerate(plan) if created < self._as_of - SETTLED_AGE]
        self._rng.shuffle(free)
        for profile in _PROFILES:
            wanted = max(profile.least, int(profile.part * len(plan)))
            chosen = [n for n in free if profile.suits(plan[n][1])][:wanted]
            if len(chosen) < profile.least:
                raise ValueError(f"too few orders for {profile.least} of the kind {profile.name}")
            taken = set(chosen)
            free = [n for n in free if n not in taken]
            for n in chosen:
                profiles[n] = profile.name
        for n, (created, _) in enumerate(plan):
            if created >= self._as_of - DAY:
                profiles[n] = "NEWEST" if created >= self._as_of - 5 * HOUR else "UNSENT"
        return profiles

    # --- one order

    def _order(
        self, seller: Seller, order_id: str, commercial_id: str, customer: int, created: int, profile: str
    ) -> Order:
        order = Order(
            id=order_id,
            commercial_id=commercial_id,
            created=created,
            state="WAITING_ACCEPTANCE",
            lines=[],
            profile=profile,
            customer=customer,
            deadline=created - created % DAY + 4 * DAY - 1,
            updated=created,
            shop=seller.shop,
            workflow=seller.workflow,
            payment_days=PAYMENT_DAYS if seller.workflow == "PAY_ON_DUE_DATE" else None,
            tax_mode=TAX_MODE,
        )
        self._lines(seller, order)
        self._life(order)
        if profile == "PARTLY_CANCELLED":
            self._cancel_part(order)
        if profile in _REFUNDED:
            self._refund(order)
        if order.shipped is not None:
            self._ship(order)
        instants = (order.accepted, order.debited, order.shipped, order.received, order.cancelled)
        refunds = [refund.created for line in order.lines for refund in line.refunds]
        order.updated = max([instant for instant in instants if instant] + refunds + [order.updated])
        return order

    def _lines(self, seller: Seller, order: Order) -> None:
        rng = self._rng
        count = 1 if order.profile == "SPLIT" else rng.choices((1, 2, 3), (80, 15, 5))[0]
        for index, item in enumerate(rng.sample(self.assortments[seller.number], count), start=1):
            quantity = rng.choices((1, 2, 3), (84, 12, 4))[0]
            if order.profile in ("SPLIT", "PARTLY_CANCELLED") and index == 1:
                quantity = 2
            unit, discount = item.price, 0
            if order.profile == "DISCOUNT":
                discount = max(2, item.price // 20) * quantity
                unit -= discount // quantity
            price, shipping = unit * quantity, item.shipping if index == 1 else 0
            fee = commission(item.contract, price, shipping)
            rate = 0 if seller.is_abroad else COMMISSION_VAT
            line = OrderLine(
                id=f"{order.id}-{index}",
                index=index,
                item=item,
                quantity=quantity,
                unit=unit,
                price=price,
                shipping=shipping,
                commission=fee,
                commission_vat=share(fee, rate),
                commission_vat_rate=rate,
                discount=discount,
            )
            if seller.regime is not TaxRegime.UNKNOWN:
                line.tax = Tax(
                    TAX_CODE,
                    SALES_TAX,
                    share(price, SALES_TAX),
                    share(shipping, SALES_TAX),
                    is_remitted=seller.regime is TaxRegime.REMITTED,
                )
            order.lines.append(line)
        # A campaign of the operator began this morning: everything new is on it.
        if order.profile in ("PROMOTION", "NEWEST"):
            order.lines[0].operator_funded = max(1, order.lines[0].price // 10)

    def _life(self, order: Order) -> None:
        """Carries the order through its states until `as_of` or its end."""
        rng, as_of, created = self._rng, self._as_of, order.created
        if order.profile == "REFUSED_TIMEOUT":
            order.state, order.reason = "REFUSED", "ACCEPTANCE_TIMEOUT"
            order.updated = created + 48 * HOUR + rng.randrange(2 * HOUR)
            return
        if order.profile == "REFUSED_SELLER":
            order.state, order.reason = "REFUSED", "REFUSED"
            order.accepted = created + rng.randrange(6 * MINUTE, 26 * MINUTE)
            return
        if order.profile == "NEWEST" and created >= as_of - HOUR:
            return
        order.accepted = created + rng.randrange(6 * MINUTE, 40 * MINUTE)
        if order.profile == "CANCELLED":
            order.state, order.cancelled = "CANCELED", order.accepted + rng.randrange(20 * MINUTE, 3 * HOUR)
            for line in order.lines:
                self._cancel(line, order.cancelled, line.quantity, "CHANGED_MIND")
            return
        if order.workflow == "PAY_ON_ACCEPTANCE":
            order.state = "WAITING_DEBIT_PAYMENT"
            debited = order.accepted + rng.randrange(4 * MINUTE, 80 * MINUTE)
            if order.profile == "NEWEST" or debited > as_of:
                # The operator's payment system has been asked and has not answered yet.
                return
            order.debited = debited
        order.state = "SHIPPING"
        ready = order.debited or order.accepted
        shipped = ready + rng.randrange(4 * HOUR, 40 * HOUR)
        if order.profile == "LATE":
            shipped = order.deadline + rng.randrange(3 * HOUR, 40 * HOUR)
        due = order.accepted + PAYMENT_DAYS * DAY
        received = shipped + rng.randrange(34 * HOUR, 120 * HOUR)
        if order.workflow == "PAY_ON_DUE_DATE":
            # Bulky goods that travel long: they arrive after the money.
            received = max(received, due + rng.randrange(HOUR, 40 * HOUR))
            if due <= as_of:
                order.debited = due
        if shipped > as_of - 10 * MINUTE or order.profile == "UNSENT":
            return
        order.shipped, order.state = shipped, "SHIPPED"
        if order.workflow == "PAY_ON_SHIPMENT":
            order.debited = shipped + 4 * MINUTE
        if received > as_of - HOUR:
            return
        order.received, order.state = received, "RECEIVED"
        if order.workflow == "PAY_ON_DELIVERY":
            paid = received + rng.randrange(5 * MINUTE)
            order.debited = paid if london_date(paid) == london_date(received) else received
        if order.profile == "INCIDENT":
            order.has_incident = True
        elif received + 14 * DAY <= as_of:
            order.state, order.updated = "CLOSED", received + 14 * DAY

    def _ship(self, order: Order) -> None:
        """One parcel; a split order has two with half of the goods each, the second a day after the first."""
        if order.shipped is None:
            return
        is_paid_by_parcel = order.workflow == "PAY_ON_SHIPMENT"
        if order.profile == "SPLIT":
            line = order.lines[0]
            earlier = max((order.accepted or order.created) + HOUR, order.shipped - 20 * HOUR)
            parts = [(earlier, {line.id: 1}), (order.shipped, {line.id: 1})]
        else:
            quantities = {line.id: line.quantity - line.cancelled_quantity for line in order.live_lines}
            parts = [(order.shipped, quantities)]
        for shipped, quantities in parts:
            order.shipments.append(
                Shipment(
                    id=new_id(self._rng),
                    quantities=quantities,
                    created=shipped - 30 * MINUTE,
                    shipped=shipped,
                    debited=shipped + 4 * MINUTE if is_paid_by_parcel else order.debited,
                    received=order.received,
                )
            )
        if is_paid_by_parcel:
            order.debited = order.shipments[0].debited

    # --- what is taken back

    def _cancel(self, line: OrderLine, instant: int, quantity: int, reason: str) -> None:
        is_whole = quantity == line.quantity
        goods = line.price if is_whole else line.unit * quantity
        fee = (
            line.commission
            if is_whole
            else divide(line.commission * goods, commission_base(line.item.contract, line.price, line.shipping))
        )
        kept_vat = share(line.commission - fee, line.commission_vat_rate)
        self._next_cancelation += 1
        line.cancelations.append(
            Cancelation(
                id=str(self._next_cancelation),
                created=instant,
                goods=goods,
                shipping=line.shipping if is_whole else 0,
                commission=fee,
                commission_vat=line.commission_vat - kept_vat,
                quantity=quantity,
                reason=reason,
                tax=line.tax.goods if line.tax and is_whole else 0,
                shipping_tax=line.tax.shipping if line.tax and is_whole else 0,
            )
        )

    def _cancel_part(self, order: Order) -> None:
        """One of two units, before anything was shipped or debited."""
        if order.accepted is None:
            raise AssertionError("an order with a cancelation is old enough to have been accepted")
        self._cancel(order.lines[0], order.accepted + MINUTE, 1, "OUT_OF_STOCK")

    def _refund(self, order: Order) -> None:
        if order.received is None:
            raise AssertionError("an order with a refund is old enough to have been received")
        rng = self._rng
        line = rng.choice(order.live_lines)
        first = min(order.received + rng.randrange(18 * HOUR, 10 * DAY), self._as_of - 3 * DAY)
        if order.profile == "REFUND_UNPAID":
            # Given less than an hour ago: the operator's payment system has not paid it out.
            self.add_refund(line, self._as_of - rng.randrange(10 * MINUTE, 50 * MINUTE), line.goods_due, 0)
            return
        if order.profile == "REFUNDED_IN_FULL":
            for each in order.live_lines:
                self.add_refund(each, first, each.goods_due, each.shipping_due)
            return
        if line.commission <= line.item.contract.minimum:
            self.add_refund(line, first, line.goods_due, line.shipping_due)
            return
        part = line.goods_due * rng.randrange(15, 45) // 100
        self.add_refund(line, first, part, 0)
        if order.profile == "REFUNDED_TWICE":
            self.add_refund(line, min(first + rng.randrange(HOUR, 2 * DAY), self._as_of - 3 * HOUR), part, 0)

    def add_refund(self, line: OrderLine, instant: int, goods: int, shipping: int) -> None:
        """Refunds part of a line before tax; tax and commission follow in proportion, by the cumulative method."""
        fee = commission_returned(line, goods, shipping)
        goods_tax = shipping_tax = 0
        if line.tax is not None:
            goods_tax = divide(line.tax.goods * (sum(r.goods for r in line.refunds) + goods), line.goods_due)
            goods_tax -= sum(r.tax for r in line.refunds)
            if shipping:
                shipping_tax = divide(
                    line.tax.shipping * (sum(r.shipping for r in line.refunds) + shipping), line.shipping_due
                ) - sum(r.shipping_tax for r in line.refunds)
        self._next_refund += 1
        line.refunds.append(
            Refund(
                id=str(self._next_refund),
                group_id=new_id(self._rng),
                created=instant,
                goods=goods,
                shipping=shipping,
                commission=fee,
                commission_vat=share(fee, line.commission_vat_rate),
                quantity=0,
                reason=self._rng.choice(_REFUND_REASONS),
                tax=goods_tax,
                shipping_tax=shipping_tax,
            )
        )
