"""Faults of level b: settlement lines."""

from datetime import date, timedelta

from sandbox.world.faults.registry import Phase, fault
from sandbox.world.faults.victims import is_pro_rata, plain, settled
from sandbox.world.model import Entry, Order, OrderLine
from sandbox.world.money import share
from sandbox.world.scene import Scene
from sandbox.world.settlement import new_id
from sandbox.world.stamps import CUT_OFF_DAYS, DAY, HOUR, MINUTE, london_date
from sandbox.world.trade import commission_base


@fault("SET-014", Phase.CYCLES, once=True)
def amount_changed_afterwards(scene: Scene) -> None:
    """A sale's line had another amount when it was read first: an amount never changes.

    What it says now is right. Near-miss: a line that was pending when it was read first, and has been paid since.
    """
    newest = scene.ledger.cycles[-1]

    def is_in_newest(order: Order) -> bool:
        return order.profile in ("ORDINARY", "TWO_LINES") and all(
            entry.cycle is newest for line in order.lines for entry in scene.ledger.by_line.get(line.id, ())
        )

    changed, paid = (
        scene.ledger.entry_of(scene.order(lambda o: o.debited is not None and is_in_newest(o)).lines[0], "ORDER_AMOUNT")
        for _ in range(2)
    )
    changed.earlier_amount, paid.earlier_amount = changed.amount - 250, paid.amount
    scene.truth.exception("SET-014", "TRANSACTION_LINE", changed.id, "amount_changed_afterwards", 250)
    scene.truth.near_miss("pending, then paid", "SET-014", "TRANSACTION_LINE", paid.id)


@fault("SET-003", Phase.TRADE)
def commission_above_contract(scene: Scene) -> None:
    """The operator charges 1.5 points more than the contract's rate, on the order and in the lines alike.

    Order and lines agree with each other, so only the contract shows it. Near-miss: a fee that is exactly one penny
    above rate x base, which is the tolerance.
    """
    _, line = scene.line(lambda o, x: plain(scene, o) and is_pro_rata(x) and x.price >= 2_000)
    base = commission_base(line.item.contract, line.price, line.shipping)
    expected = line.commission
    line.commission = share(base, line.item.contract.rate + 150)
    line.commission_vat = share(line.commission, 2000)
    scene.truth.exception("SET-003", "ORDER_LINE", line.id, "commission_above_contract", expected - line.commission)
    _, line = scene.line(lambda o, x: plain(scene, o) and is_pro_rata(x) and x.price >= 2_000)
    line.commission += 1
    line.commission_vat = share(line.commission, 2000)
    scene.truth.near_miss("commission one penny off, the tolerance", "SET-003", "ORDER_LINE", line.id)


@fault("SET-005", Phase.TRADE)
def commission_vat_at_old_rate(scene: Scene) -> None:
    """VAT on the commission at 17.5 %, on the order and in the line: the right amount is 20 % of the fee.

    Near-miss: VAT that is one penny away from 20 % of the fee.
    """
    _, line = scene.line(lambda o, x: plain(scene, o) and x.commission >= 400)
    line.commission_vat, line.commission_vat_rate = share(line.commission, 1750), 1750
    scene.truth.exception(
        "SET-005",
        "ORDER_LINE",
        line.id,
        "commission_vat_at_old_rate",
        share(line.commission, 2000) - line.commission_vat,
    )
    _, line = scene.line(lambda o, x: plain(scene, o) and x.commission >= 400)
    line.commission_vat += 1
    scene.truth.near_miss("commission VAT one penny off, the tolerance", "SET-005", "ORDER_LINE", line.id)


@fault("SET-008", Phase.TRADE)
def commission_kept_on_refund(scene: Scene) -> None:
    """A refund gives no commission back although the contract returns it in proportion.

    Near-miss: a refund in a category whose contract lets the operator keep a share; 80 % comes back, as agreed.
    """
    _, line = scene.line(
        lambda o, x: (
            o.profile in ("REFUNDED_IN_FULL", "REFUNDED_PARTLY")
            and bool(x.refunds)
            and is_pro_rata(x)
            and x.refunds[0].commission >= 20
        )
    )
    refund = line.refunds[0]
    scene.truth.exception(
        "SET-008",
        "REFUND",
        refund.id,
        "commission_kept_on_refund",
        -refund.commission - refund.commission_vat,
    )
    refund.commission = refund.commission_vat = 0
    order, line = scene.line(lambda o, x: plain(scene, o) and bool(x.item.contract.retained))
    instant = (order.received or 0) + 4 * DAY + scene.rng.randrange(DAY)
    scene.trade.add_refund(line, instant, line.goods_due, line.shipping_due, line.quantity)
    order.updated = max(order.updated, instant)
    scene.truth.near_miss("the contract retains a share", "SET-008", "REFUND", line.refunds[0].id)


@fault("SET-006", Phase.TRADE)
def order_never_delivered_by_the_order_feed(scene: Scene) -> None:
    """Lines are settled for an order that the order feed does not know and that never reached the ERP.

    Near-miss: a subscription line, which has no order at all.
    """
    order = scene.order(lambda o: plain(scene, o))
    order.is_in_feed = False
    scene.truth.exception(
        "SET-006",
        "ORDER",
        order.id,
        "order_never_delivered_by_the_order_feed",
        sum(line.goods_due + line.shipping_due - line.commission_due - line.commission_vat_due for line in order.lines),
    )
    scene.later(
        lambda: scene.near_miss_once(
            "a fee without an order",
            "SET-006",
            "TRANSACTION_LINE",
            next(e.id for e in scene.ledger.entries if e.type == "SUBSCRIPTION_FEE"),
        )
    )


@fault("SET-001", Phase.LINES)
def sale_left_out_of_its_cycle(scene: Scene) -> None:
    """A sale was received more than two weeks ago, became payable, and no cycle has taken it up.

    Near-miss, on the very day: a sale that the newest cycle should have taken up, and whose two business days of grace
    end today.
    """
    _, line = scene.line(
        lambda o, x: (
            o.profile in ("ORDINARY", "TWO_LINES")
            and o.received is not None
            and scene.as_of - 40 * DAY < o.received < scene.as_of - 16 * DAY
        )
    )
    _hold(scene, line)
    scene.truth.exception(
        "SET-001",
        "ORDER_LINE",
        line.id,
        "sale_left_out_of_its_cycle",
        -(line.goods_due + line.shipping_due),
    )
    newest = scene.ledger.cycles[-1]
    if _add_business_days(newest.day, 2) >= london_date(scene.as_of):
        _, line = scene.line(
            lambda o, x: (
                o.profile in ("ORDINARY", "TWO_LINES")
                and o.received is not None
                and scene.ledger.cycles[-2].created < o.received
                and _next_cut_off(london_date(o.received)) == newest.day
            )
        )
        _hold(scene, line)
        scene.truth.near_miss("the grace ends today", "SET-001", "ORDER_LINE", line.id)


def _hold(scene: Scene, line: OrderLine) -> None:
    for entry in scene.ledger.by_line[line.id]:
        entry.is_held = True


def _next_cut_off(day: date) -> date:
    day += timedelta(days=1)
    while day.day not in CUT_OFF_DAYS:
        day += timedelta(days=1)
    return day


def _add_business_days(day: date, count: int) -> date:
    while count:
        day += timedelta(days=1)
        if day.weekday() < 5:
            count -= 1
    return day


@fault("SET-002", Phase.LINES)
def settled_below_the_price(scene: Scene) -> None:
    """ORDER_AMOUNT is 3.00 less than the line's price, with no promotion and no cancelation to explain it.

    Near-miss: a line of which one unit was cancelled before it shipped; it settles at price less the cancelled amount.
    """
    _, line = scene.line(lambda o, x: plain(scene, o) and x.price >= 2_000)
    scene.ledger.entry_of(line, "ORDER_AMOUNT").amount -= 300
    scene.truth.exception("SET-002", "ORDER_LINE", line.id, "settled_below_the_price", -300)
    order = scene.order(lambda o: o.profile == "PARTLY_CANCELLED" and settled(scene, o))
    scene.truth.near_miss("price less the cancelled part", "SET-002", "ORDER_LINE", order.lines[0].id)


@fault("SET-004", Phase.LINES)
def commission_line_above_the_order(scene: Scene) -> None:
    """The commission line is four pence more than the commission the order states; the order agrees with the contract.

    The VAT of both rounds to the same amount, so nothing else is wrong. Near-miss: a partly cancelled line, whose
    commission line is the order's commission less what the cancelation took off.
    """
    _, line = scene.line(
        lambda o, x: (
            plain(scene, o)
            and x.commission >= 150
            and share(x.commission, 2000) == share(x.commission + 4, 2000)
            and is_pro_rata(x)
        )
    )
    scene.ledger.entry_of(line, "COMMISSION_FEE").amount -= 4
    scene.truth.exception("SET-004", "ORDER_LINE", line.id, "commission_line_above_the_order", -4)
    order = scene.order(lambda o: o.profile == "PARTLY_CANCELLED" and settled(scene, o))
    scene.truth.near_miss("commission less the cancelled part", "SET-004", "ORDER_LINE", order.lines[0].id)


@fault("SET-007", Phase.LINES)
def commission_charged_twice(scene: Scene) -> None:
    """The same commission line exists twice with two ids; the later one is the fault.

    Near-miss: two genuine refunds of one amount on one order line, with two refund ids.
    """
    order, line = scene.line(lambda o, x: plain(scene, o) and x.commission >= 100)
    first = scene.ledger.entry_of(line, "COMMISSION_FEE")
    second = scene.ledger.add(
        Entry(
            new_id(scene.rng),
            first.type,
            first.amount,
            scene.ledger.stamp(first.created + 3 * MINUTE),
            order.received,
            order,
            line,
        )
    )
    scene.truth.exception("SET-007", "TRANSACTION_LINE", second.id, "commission_charged_twice", second.amount)
    order, line = scene.line(
        lambda o, x: o.profile == "REFUNDED_TWICE" and len(x.refunds) == 2 and x.refunds[0].goods == x.refunds[1].goods
    )
    twin = next(
        e for e in scene.ledger.by_line[line.id] if e.type == "REFUND_ORDER_AMOUNT" and e.refund is line.refunds[1]
    )
    scene.truth.near_miss("two refunds of one amount", "SET-007", "TRANSACTION_LINE", twin.id)


@fault("SET-010", Phase.LINES)
def cancelled_line_settled(scene: Scene) -> None:
    """A line cancelled in full before the debit was settled as if it had been sold.

    Near-miss: a line cancelled in part, settled for what was left.
    """
    order = scene.order(lambda o: o.profile == "LINE_CANCELLED" and settled(scene, o))
    line = order.lines[-1]
    created = scene.ledger.entry_of(order.lines[0], "ORDER_AMOUNT").created
    for type_, amount in (
        ("ORDER_AMOUNT", line.price),
        ("ORDER_SHIPPING_AMOUNT", line.shipping),
        ("COMMISSION_FEE", -line.commission),
        ("COMMISSION_VAT", -line.commission_vat),
    ):
        scene.ledger.add(Entry(new_id(scene.rng), type_, amount, created, order.received, order, line))
    scene.truth.exception("SET-010", "ORDER_LINE", line.id, "cancelled_line_settled", line.price + line.shipping)
    order = scene.order(lambda o: o.profile == "PARTLY_CANCELLED" and settled(scene, o))
    scene.truth.near_miss("cancelled in part only", "SET-010", "ORDER_LINE", order.lines[0].id)


@fault("SET-011", Phase.LINES)
def shipping_never_settled(scene: Scene) -> None:
    """The customer paid for shipping, and no shipping line came.

    Near-miss: free shipping, whose line is there with a nil amount.
    """
    _, line = scene.line(lambda o, x: plain(scene, o) and x.shipping > 0)
    scene.ledger.remove(scene.ledger.entry_of(line, "ORDER_SHIPPING_AMOUNT"))
    scene.truth.exception("SET-011", "ORDER_LINE", line.id, "shipping_never_settled", -line.shipping)
    _, line = scene.line(lambda o, x: plain(scene, o) and x.shipping == 0)
    scene.truth.near_miss("free shipping", "SET-011", "ORDER_LINE", line.id)


@fault("SET-012", Phase.LINES)
def penalty_for_a_parcel_sent_in_time(scene: Scene) -> None:
    """A late-shipment penalty on an order that was shipped before its deadline.

    Near-miss: the same penalty on an order that really was late.
    """
    order = scene.order(lambda o: plain(scene, o) and (o.shipped or 0) < o.deadline)
    entry = scene.ledger.penalty(order, (order.shipped or 0) + HOUR, "LATE_SHIPMENT")
    scene.truth.exception("SET-012", "TRANSACTION_LINE", entry.id, "penalty_for_a_parcel_sent_in_time", entry.amount)
    order = scene.order(lambda o: o.profile == "LATE" and settled(scene, o))
    entry = next(e for e in scene.ledger.entries if e.order is order and e.type == "SELLER_PENALTY_FEE")
    scene.truth.near_miss("shipped after the deadline", "SET-012", "TRANSACTION_LINE", entry.id)


@fault("SET-013", Phase.LINES)
def operator_keeps_its_part_of_the_promotion(scene: Scene) -> None:
    """The operator funded a discount and did not pay its part through: ORDER_AMOUNT is what the customer paid.

    Near-miss: an operator-funded discount that was paid through; the line settles at the full price.
    """
    order = scene.order(lambda o: o.profile == "PROMOTION" and settled(scene, o))
    line = order.lines[0]
    scene.ledger.entry_of(line, "ORDER_AMOUNT").amount -= line.operator_funded
    scene.truth.exception(
        "SET-013", "ORDER_LINE", line.id, "operator_keeps_its_part_of_the_promotion", -line.operator_funded
    )
    order = scene.order(lambda o: o.profile == "PROMOTION" and settled(scene, o))
    scene.truth.near_miss("operator's part paid through", "SET-013", "ORDER_LINE", order.lines[0].id)


@fault("SET-009", Phase.LINES, once=True)
def fee_of_an_unknown_type(scene: Scene) -> None:
    """A line of a type that no accountant has mapped. It blocks the posting of its cycle, and counts in its net.

    Near-miss: a type that occurs once in three months and is mapped.
    """
    type_ = "SELLER_ECO_CONTRIBUTION_FEE"
    created = scene.ledger.stamp(scene.ledger.cycles[-2].created + 4 * DAY + 11 * MINUTE)
    entry = scene.ledger.add(Entry(new_id(scene.rng), type_, -420, created, created))
    scene.truth.exception("SET-009", "TRANSACTION_TYPE", type_, "fee_of_an_unknown_type", entry.amount)
    scene.truth.near_miss("rare but mapped", "SET-009", "TRANSACTION_TYPE", "INVOICEABLE_ONE_OFF_DEBIT")
