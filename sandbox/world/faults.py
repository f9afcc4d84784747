"""The planted faults, and beside each the near-miss that must not be reported.

One small function per exception code. Its docstring says what is wrong, why that is a fault, and what the near-miss
looks like. A function runs in the phase in which the world can still be bent consistently: a fault in a transaction
line is planted before cycles, pay-outs, documents and bank are computed, so that everything after it still ties out.
No order, item or journal serves two faults.
"""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum, auto

from sandbox.world.bank import CSV_OVERLAP_DAYS, receipt_id
from sandbox.world.catalogue import BANK_ACCOUNT, CUSTOMER, MARKETPLACE, PAYER, TAX_CODES
from sandbox.world.erp import BANK_NOMINAL, CANCELLED, CLEARING, LIVE, line_before_cancelation, split_vat
from sandbox.world.model import BankEntry, Entry, ErpLine, ErpOrder, Item, Order, OrderLine, Posting
from sandbox.world.money import share
from sandbox.world.scene import Scene
from sandbox.world.settlement import new_id
from sandbox.world.stamps import CUT_OFF_DAYS, DAY, HOUR, MINUTE, london_date
from sandbox.world.trade import commission_base


class Phase(Enum):
    """When a fault is planted, in this order."""

    TRADE = auto()
    """Orders exist, nothing has been written about them."""
    LINES = auto()
    """Transaction lines exist, no cycle has been closed."""
    CYCLES = auto()
    """Cycles and pay-outs are computed."""
    BANK = auto()
    """Receipts exist, statements are not written."""
    ERP = auto()
    """Sage orders exist, nothing has been invoiced."""
    JOURNALS = auto()
    """The earlier journals are ready to be posted."""
    STOCK = auto()
    """Stock is counted, offers are not written."""


@dataclass(frozen=True, slots=True)
class Fault:
    code: str
    phase: Phase
    plant: Callable[[Scene], None]
    is_repeated: bool

    @property
    def name(self) -> str:
        return self.plant.__name__


FAULTS: list[Fault] = []


def fault(
    code: str, phase: Phase, *, once: bool = False
) -> Callable[[Callable[[Scene], None]], Callable[[Scene], None]]:
    """Registers a function that plants `code`. Unless `once`, a large world gets several."""

    def register(plant: Callable[[Scene], None]) -> Callable[[Scene], None]:
        FAULTS.append(Fault(code, phase, plant, not once))
        return plant

    return register


def plant(phase: Phase, scene: Scene) -> None:
    """Plants every fault of `phase`, in the order of this file."""
    for each in FAULTS:
        if each.phase is phase:
            for _ in range(scene.repeat if each.is_repeated else 1):
                each.plant(scene)


# -- Whom a fault may hit ----------------------------------------------------------------------------------------------


def _settled(scene: Scene, order: Order) -> bool:
    """Delivered so long ago that a cycle has taken it up."""
    return order.received is not None and order.received < scene.as_of - 14 * DAY


def _plain(scene: Scene, order: Order) -> bool:
    """Settled, and nothing ever happened to it."""
    return order.profile in ("ORDINARY", "TWO_LINES") and _settled(scene, order)


def _is_pro_rata(line: OrderLine) -> bool:
    """The commission is the rate of the base, and a refund gives all of its part back."""
    return line.commission > line.item.contract.minimum and not line.item.contract.retained


def _shipping_now(scene: Scene, order: Order) -> bool:
    """Paid, in the ERP, not yet despatched."""
    return (
        order.state == "SHIPPING"
        and order.profile == "ORDINARY"
        and scene.as_of - 46 * HOUR < order.created < scene.as_of - 2 * HOUR
    )


# -- Settlement: level b -----------------------------------------------------------------------------------------------


@fault("SET-003", Phase.TRADE)
def commission_above_contract(scene: Scene) -> None:
    """The operator charges 1.5 points more than the contract's rate, on the order and in the lines alike.

    Order and lines agree with each other, so only the contract shows it. Near-miss: a fee that is exactly one penny
    above rate x base, which is the tolerance.
    """
    _, line = scene.line(lambda o, x: _plain(scene, o) and _is_pro_rata(x) and x.price >= 2_000)
    base = commission_base(line.item.contract, line.price, line.shipping)
    expected = line.commission
    line.commission = share(base, line.item.contract.rate + 150)
    line.commission_vat = share(line.commission, 2000)
    scene.truth.exception("SET-003", "ORDER_LINE", line.id, "commission_above_contract", expected - line.commission)
    _, line = scene.line(lambda o, x: _plain(scene, o) and _is_pro_rata(x) and x.price >= 2_000)
    line.commission += 1
    line.commission_vat = share(line.commission, 2000)
    scene.truth.near_miss("commission one penny off, the tolerance", "SET-003", "ORDER_LINE", line.id)


@fault("SET-005", Phase.TRADE)
def commission_vat_at_old_rate(scene: Scene) -> None:
    """VAT on the commission at 17.5 %, on the order and in the line: the right amount is 20 % of the fee.

    Near-miss: VAT that is one penny away from 20 % of the fee.
    """
    _, line = scene.line(lambda o, x: _plain(scene, o) and x.commission >= 400)
    line.commission_vat, line.commission_vat_rate = share(line.commission, 1750), 1750
    scene.truth.exception(
        "SET-005",
        "ORDER_LINE",
        line.id,
        "commission_vat_at_old_rate",
        share(line.commission, 2000) - line.commission_vat,
    )
    _, line = scene.line(lambda o, x: _plain(scene, o) and x.commission >= 400)
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
            and _is_pro_rata(x)
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
    order, line = scene.line(lambda o, x: _plain(scene, o) and bool(x.item.contract.retained) and len(o.lines) == 1)
    instant = (order.received or 0) + 4 * DAY + scene.rng.randrange(DAY)
    scene.trade.add_refund(line, instant, line.goods_due, line.shipping_due, line.quantity)
    order.updated = max(order.updated, instant)
    scene.truth.near_miss("the contract retains a share", "SET-008", "REFUND", line.refunds[0].id)


@fault("SET-006", Phase.TRADE)
def order_never_delivered_by_the_order_feed(scene: Scene) -> None:
    """Lines are settled for an order that the order feed does not know and that never reached the ERP.

    Near-miss: a subscription line, which has no order at all.
    """
    order = scene.order(lambda o: _plain(scene, o))
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
            and scene.as_of - 22 * DAY < o.received < scene.as_of - 16 * DAY
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
    _, line = scene.line(lambda o, x: _plain(scene, o) and x.price >= 2_000)
    scene.ledger.entry_of(line, "ORDER_AMOUNT").amount -= 300
    scene.truth.exception("SET-002", "ORDER_LINE", line.id, "settled_below_the_price", -300)
    order = scene.order(lambda o: o.profile == "PARTLY_CANCELLED" and _settled(scene, o))
    scene.truth.near_miss("price less the cancelled part", "SET-002", "ORDER_LINE", order.lines[0].id)


@fault("SET-004", Phase.LINES)
def commission_line_above_the_order(scene: Scene) -> None:
    """The commission line is four pence more than the commission the order states; the order agrees with the contract.

    The VAT of both rounds to the same amount, so nothing else is wrong. Near-miss: a partly cancelled line, whose
    commission line is the order's commission less what the cancelation took off.
    """
    _, line = scene.line(
        lambda o, x: (
            _plain(scene, o)
            and x.commission >= 150
            and share(x.commission, 2000) == share(x.commission + 4, 2000)
            and _is_pro_rata(x)
        )
    )
    scene.ledger.entry_of(line, "COMMISSION_FEE").amount -= 4
    scene.truth.exception("SET-004", "ORDER_LINE", line.id, "commission_line_above_the_order", -4)
    order = scene.order(lambda o: o.profile == "PARTLY_CANCELLED" and _settled(scene, o))
    scene.truth.near_miss("commission less the cancelled part", "SET-004", "ORDER_LINE", order.lines[0].id)


@fault("SET-007", Phase.LINES)
def commission_charged_twice(scene: Scene) -> None:
    """The same commission line exists twice with two ids; the later one is the fault.

    Near-miss: two genuine refunds of one amount on one order line, with two refund ids.
    """
    order, line = scene.line(lambda o, x: _plain(scene, o) and x.commission >= 100)
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
    order = scene.order(lambda o: o.profile == "LINE_CANCELLED" and _settled(scene, o))
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
    order = scene.order(lambda o: o.profile == "PARTLY_CANCELLED" and _settled(scene, o))
    scene.truth.near_miss("cancelled in part only", "SET-010", "ORDER_LINE", order.lines[0].id)


@fault("SET-011", Phase.LINES)
def shipping_never_settled(scene: Scene) -> None:
    """The customer paid for shipping, and no shipping line came.

    Near-miss: free shipping, whose line is there with a nil amount.
    """
    _, line = scene.line(lambda o, x: _plain(scene, o) and x.shipping > 0)
    scene.ledger.remove(scene.ledger.entry_of(line, "ORDER_SHIPPING_AMOUNT"))
    scene.truth.exception("SET-011", "ORDER_LINE", line.id, "shipping_never_settled", -line.shipping)
    _, line = scene.line(lambda o, x: _plain(scene, o) and x.shipping == 0)
    scene.truth.near_miss("free shipping", "SET-011", "ORDER_LINE", line.id)


@fault("SET-012", Phase.LINES)
def penalty_for_a_parcel_sent_in_time(scene: Scene) -> None:
    """A late-shipment penalty on an order that was shipped before its deadline.

    Near-miss: the same penalty on an order that really was late.
    """
    order = scene.order(lambda o: _plain(scene, o) and (o.shipped or 0) < o.deadline)
    entry = scene.ledger.penalty(order, (order.shipped or 0) + HOUR, "LATE_SHIPMENT")
    scene.truth.exception("SET-012", "TRANSACTION_LINE", entry.id, "penalty_for_a_parcel_sent_in_time", entry.amount)
    order = scene.order(lambda o: o.profile == "LATE" and _settled(scene, o))
    entry = next(e for e in scene.ledger.entries if e.order is order and e.type == "SELLER_PENALTY_FEE")
    scene.truth.near_miss("shipped after the deadline", "SET-012", "TRANSACTION_LINE", entry.id)


@fault("SET-013", Phase.LINES)
def operator_keeps_its_part_of_the_promotion(scene: Scene) -> None:
    """The operator funded a discount and did not pay its part through: ORDER_AMOUNT is what the customer paid.

    Near-miss: an operator-funded discount that was paid through; the line settles at the full price.
    """
    order = scene.order(lambda o: o.profile == "PROMOTION" and _settled(scene, o))
    line = order.lines[0]
    scene.ledger.entry_of(line, "ORDER_AMOUNT").amount -= line.operator_funded
    scene.truth.exception(
        "SET-013", "ORDER_LINE", line.id, "operator_keeps_its_part_of_the_promotion", -line.operator_funded
    )
    order = scene.order(lambda o: o.profile == "PROMOTION" and _settled(scene, o))
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


# -- Cycles and pay-outs: level c --------------------------------------------------------------------------------------


@fault("PAY-002", Phase.CYCLES)
def paid_line_without_its_cycle(scene: Scene) -> None:
    """A line is PAID but names no cycle. It is a nil shipping line, so that the cycle's sum does not depend on it.

    Near-miss: a line without a cycle that is PAYABLE, because it was received after the newest cycle.
    """
    order = scene.order(lambda o: _plain(scene, o) and o.lines[0].shipping == 0)
    entry = scene.ledger.entry_of(order.lines[0], "ORDER_SHIPPING_AMOUNT")
    if entry.cycle is None or entry.amount:
        raise AssertionError(f"{order.id} was picked because its free shipping has been settled")
    entry.shows_cycle = False
    scene.truth.exception("PAY-002", "TRANSACTION_LINE", entry.id, "paid_line_without_its_cycle", 0)
    waiting = [e for e in scene.ledger.entries if e.payable is not None and e.cycle is None and not e.is_held]
    if waiting:
        scene.near_miss_once("payable, waiting for the next cycle", "PAY-002", "TRANSACTION_LINE", waiting[0].id)


@fault("PAY-009", Phase.CYCLES, once=True)
def lines_that_the_feed_skipped(scene: Scene) -> None:
    """Two lines of the newest cycle are never delivered: the running balance jumps by exactly what the cycle lacks.

    They belong to no order, so no order misses them. Near-miss: a cycle in which many lines share one stamp, so that
    neighbours do not chain but batches do.
    """
    newest = scene.ledger.cycles[-1]
    document = next(d for d in scene.ledger.documents if d.cycle is newest and d.type == "MANUAL_CREDIT")
    missing = 0
    for entry in newest.entries:
        if entry.document is document:
            entry.is_hidden = True
            missing -= entry.amount
    scene.truth.exception("PAY-009", "CYCLE", newest.id, "lines_that_the_feed_skipped", missing)
    scene.truth.near_miss("lines of one batch share a stamp", "PAY-009", "CYCLE", scene.ledger.cycles[1].id)
    scene.truth.near_miss("the gap is explained by missing lines", "PAY-001", "CYCLE", newest.id)


# -- Bank: level e -----------------------------------------------------------------------------------------------------


@fault("BNK-003", Phase.BANK, once=True)
def receipt_short_beyond_any_fee(scene: Scene) -> None:
    """The receipt names the voucher and is 42.17 short: more than a bank keeps.

    Near-miss: a receipt that is short by exactly the cap of the fee pattern, 10.00; that is a fee (BNK-002).
    """
    fourth, sixth = scene.ledger.cycles[3], scene.ledger.cycles[5]
    scene.receipt_of(fourth).amount -= 4_217
    scene.truth.exception("BNK-003", "PAYOUT", fourth.id, "receipt_short_beyond_any_fee", -4_217)
    scene.receipt_of(sixth).amount = sixth.payout - 1_000
    scene.truth.near_miss("short by exactly the fee cap", "BNK-003", "PAYOUT", sixth.id)


@fault("BNK-007", Phase.BANK, once=True)
def money_from_the_marketplace_for_no_payout(scene: Scene) -> None:
    """The marketplace's payer sends money and no pay-out is anywhere near.

    Near-miss: money from a customer whose name begins like the payer's.
    """
    day = scene.ledger.cycles[6].day + timedelta(days=5)
    entry = BankEntry(
        day=day,
        amount=26_431,
        name=PAYER,
        remittance="ADJUSTMENT",
        end_to_end="NOTPROVIDED",
        code="TRF",
        is_from_marketplace=True,
    )
    scene.receipts.append(entry)
    other = BankEntry(
        day=day,
        amount=31_250,
        name="Bricolage Marketing Ltd",
        remittance="INV 48812",
        end_to_end="BRICOLA48812",
        code="TRF",
        sage_reference="BRICOLA",
    )
    scene.bank_entries.append(other)

    def tell() -> None:
        scene.truth.exception(
            "BNK-007",
            "RECEIPT",
            receipt_id(BANK_ACCOUNT, entry),
            "money_from_the_marketplace_for_no_payout",
            entry.amount,
        )
        scene.truth.near_miss("another payer", "BNK-007", "RECEIPT", receipt_id(BANK_ACCOUNT, other))

    scene.later(tell)


@fault("BNK-010", Phase.BANK, once=True)
def receipt_twice_in_the_statement(scene: Scene) -> None:
    """The first half of the third pay-out stands twice in one statement, with two bank references.

    Everything else about the two entries is the same, the end-to-end id included; the later reference is the fault.
    Near-miss: an entry that is in the monthly statement and in the newest days' export, under one reference.
    """
    third = scene.ledger.cycles[2]
    original = next(e for e in scene.receipts if third in e.cycles)
    duplicate = copy(original)
    duplicate.cycles = ()
    scene.receipts.append(duplicate)

    def tell() -> None:
        scene.truth.exception(
            "BNK-010",
            "RECEIPT",
            receipt_id(BANK_ACCOUNT, duplicate),
            "receipt_twice_in_the_statement",
            duplicate.amount,
        )
        second_half = next(e for e in scene.genuine_receipts() if third in e.cycles and e is not original)
        scene.truth.near_miss(
            "the other half, a day later", "BNK-010", "RECEIPT", receipt_id(BANK_ACCOUNT, second_half)
        )
        first_of_month = london_date(scene.as_of).replace(day=1)
        for entry in scene.genuine_receipts():
            if first_of_month - timedelta(days=CSV_OVERLAP_DAYS) <= entry.day < first_of_month:
                scene.truth.near_miss("one entry in two files", "BNK-010", "RECEIPT", receipt_id(BANK_ACCOUNT, entry))

    scene.later(tell)


# -- Orders: level a ---------------------------------------------------------------------------------------------------


def _before_acceptance(scene: Scene, order: Order, state: str) -> None:
    """Takes an order back to the state it had before anybody decided on it."""
    order.state, order.updated = state, order.created
    order.accepted = order.debited = order.shipped = order.received = None


@fault("ORD-012", Phase.TRADE, once=True)
def acceptance_about_to_lapse(scene: Scene) -> None:
    """The order is in the ERP and was never accepted; in an hour the operator refuses it.

    Near-misses: an order that has waited for twenty minutes; and, for the missing order, one that the operator still
    screens and that nobody has to import yet.
    """
    order = scene.order(
        lambda o: o.profile == "ORDINARY" and scene.as_of - 47 * HOUR < o.created < scene.as_of - 46 * HOUR
    )
    _before_acceptance(scene, order, "WAITING_ACCEPTANCE")
    scene.truth.exception("ORD-012", "ORDER", order.id, "acceptance_about_to_lapse", -_gross(order))
    fresh = next(o for o in scene.orders if o.created > scene.as_of - 28 * MINUTE and o.imported is not None)
    scene.truth.near_miss("waiting for twenty minutes", "ORD-012", "ORDER", fresh.id)
    order = scene.order(lambda o: _shipping_now(scene, o) and all(line.quantity == 1 for line in o.lines))
    _before_acceptance(scene, order, "STAGING")
    order.imported = None
    scene.truth.near_miss("the operator still screens it", "ORD-001", "ORDER", order.id)


@fault("ORD-001", Phase.ERP)
def order_never_imported(scene: Scene) -> None:
    """A paid order waits for its shipping, and the ERP has never heard of it.

    Near-miss: an order that is three minutes old; the import has half an hour.
    """
    order = scene.order(lambda o: _shipping_now(scene, o))
    scene.books.orders.remove(scene.books.by_order.pop(order.id))
    scene.truth.exception("ORD-001", "ORDER", order.id, "order_never_imported", -_gross(order))
    scene.near_miss_once("younger than half an hour", "ORD-001", "ORDER", scene.orders[-1].id)


def _gross(order: Order) -> int:
    return sum(line.goods_due + line.shipping_due for line in order.live_lines)


def _marketplace_order(number: str, item: Item, created: int, customer: str, analysis: str) -> ErpOrder:
    net, tax = split_vat(item.price, item.vat_rate)
    code = TAX_CODES[item.vat_rate]
    line = ErpLine("ITEM", item, f"{number}-1", 1, net, tax, item.vat_rate, code, item.name)
    return ErpOrder(None, customer, number, created, created, [line], analysis=analysis)


@fault("ORD-002", Phase.ERP)
def erp_order_that_the_marketplace_does_not_know(scene: Scene) -> None:
    """Somebody keyed a marketplace order with a number that the marketplace never gave.

    Near-miss: a trade customer's order whose own number looks like the marketplace's.
    """
    created = scene.as_of - 3 * DAY - scene.rng.randrange(DAY)
    number = f"{MARKETPLACE}{99_000_000 + scene.rng.randrange(999_999)}-A"
    unknown = _marketplace_order(number, scene.items[0], created, CUSTOMER, MARKETPLACE)
    number = f"{MARKETPLACE}{98_000_000 + scene.rng.randrange(999_999)}-A"
    trade = _marketplace_order(number, scene.items[1], created + HOUR, "ALDER01", "")
    trade.lines[0].order_line_id = ""
    scene.books.orders += [unknown, trade]

    def tell() -> None:
        gross = sum(line.net + line.tax for line in unknown.lines)
        scene.truth.exception(
            "ORD-002", "ERP_ORDER", unknown.document_no, "erp_order_that_the_marketplace_does_not_know", gross
        )
        scene.truth.near_miss("a trade customer's number", "ORD-002", "ERP_ORDER", trade.document_no)

    scene.later(tell)


@fault("ORD-003", Phase.ERP)
def order_imported_twice(scene: Scene) -> None:
    """Two live ERP orders for one marketplace order.

    Near-misses: a second copy that was cancelled at once, and a draft that was never confirmed.
    """
    order = scene.order(lambda o: _shipping_now(scene, o))
    scene.books.orders.append(_again(scene, order))
    scene.truth.exception("ORD-003", "ORDER", order.id, "order_imported_twice", _gross(order))
    order = scene.order(lambda o: _plain(scene, o))
    twin = _again(scene, order)
    twin.status, twin.despatched, twin.is_invoiced = CANCELLED, None, False
    scene.books.orders.append(twin)
    scene.truth.near_miss("the second copy is cancelled", "ORD-003", "ORDER", order.id)
    order = scene.order(lambda o: _plain(scene, o))
    twin = _again(scene, order)
    twin.is_draft, twin.status, twin.despatched, twin.is_invoiced = True, LIVE, None, False
    scene.books.orders.append(twin)
    scene.truth.near_miss("the second copy is a draft", "ORD-003", "ORDER", order.id)


def _again(scene: Scene, order: Order) -> ErpOrder:
    twin = copy(scene.books.by_order[order.id])
    twin.lines = [copy(line) for line in twin.lines]
    twin.created += 2 * MINUTE
    twin.updated = max(twin.updated, twin.created)
    # The twin is nobody's original: refunds are credited on the first one only.
    twin.order = None
    return twin


def _erp_line(scene: Scene, line: OrderLine) -> ErpLine:
    order_id = line.id.rsplit("-", 1)[0]
    return next(x for x in scene.books.by_order[order_id].lines if x.order_line_id == line.id)


@fault("ORD-004", Phase.ERP)
def line_missing_in_the_erp(scene: Scene) -> None:
    """The ERP order lacks one of two lines that were sold and settled.

    Near-miss: an order whose second line was cancelled before it shipped; the ERP rightly does not have it.
    """
    order = scene.order(lambda o: _plain(scene, o) and len(o.lines) == 2 and o.lines[1].shipping == 0)
    line = order.lines[1]
    scene.books.by_order[order.id].lines.remove(_erp_line(scene, line))
    scene.truth.exception("ORD-004", "ORDER_LINE", line.id, "line_missing_in_the_erp", -line.price)
    order = scene.order(lambda o: o.profile == "LINE_CANCELLED" and _settled(scene, o))
    scene.truth.near_miss("the line was cancelled", "ORD-004", "ORDER_LINE", order.lines[-1].id)


@fault("ORD-005", Phase.ERP)
def one_unit_too_many(scene: Scene) -> None:
    """The ERP holds one unit more than was sold, at the right unit price.

    Near-miss: fewer units than the order line says, because the rest was cancelled.
    """
    _, line = scene.line(lambda o, x: _plain(scene, o))
    erp_line = _erp_line(scene, line)
    erp_line.quantity += 1
    erp_line.net, erp_line.tax = split_vat(line.unit * erp_line.quantity, erp_line.vat_rate)
    scene.truth.exception("ORD-005", "ORDER_LINE", line.id, "one_unit_too_many", line.unit)
    order = scene.order(lambda o: o.profile == "PARTLY_CANCELLED" and _settled(scene, o))
    scene.truth.near_miss("quantity less the cancelled units", "ORD-005", "ORDER_LINE", order.lines[0].id)


@fault("ORD-006", Phase.ERP)
def old_price_in_the_erp(scene: Scene) -> None:
    """The ERP order carries a price 5 % below the one that the customer paid.

    Near-miss: one penny of rounding.
    """
    _, line = scene.line(lambda o, x: _plain(scene, o) and x.price >= 2_000)
    erp_line = _erp_line(scene, line)
    price = line.unit * 95 // 100 * line.quantity
    erp_line.net, erp_line.tax = split_vat(price, erp_line.vat_rate)
    scene.truth.exception("ORD-006", "ORDER_LINE", line.id, "old_price_in_the_erp", price - line.price)
    _, line = scene.line(lambda o, x: _plain(scene, o) and x.price >= 2_000 and x.quantity == 1)
    _erp_line(scene, line).net += 1
    scene.truth.near_miss("a penny of rounding", "ORD-006", "ORDER_LINE", line.id)


@fault("ORD-007", Phase.ERP)
def half_the_shipping_in_the_erp(scene: Scene) -> None:
    """The carriage line of the ERP order is half of what the customer paid for shipping.

    Near-miss: one penny of rounding.
    """

    def charged_once(order: Order) -> bool:
        return _plain(scene, order) and len(order.lines) == 1 and order.lines[0].shipping > 0

    order = scene.order(charged_once)
    shipping = order.lines[0].shipping
    charge = next(x for x in scene.books.by_order[order.id].lines if x.kind == "CHARGE")
    charge.net, charge.tax = split_vat(shipping // 2, charge.vat_rate)
    scene.truth.exception("ORD-007", "ORDER", order.id, "half_the_shipping_in_the_erp", shipping // 2 - shipping)
    order = scene.order(charged_once)
    next(x for x in scene.books.by_order[order.id].lines if x.kind == "CHARGE").net += 1
    scene.truth.near_miss("a penny of rounding", "ORD-007", "ORDER", order.id)


@fault("ORD-008", Phase.ERP)
def standard_rated_goods_sold_at_zero(scene: Scene) -> None:
    """Standard-rated goods carry the zero-rate code: the gross price is right, the VAT is missing.

    Near-miss: VAT one penny off on the right code.
    """

    def standard(order: Order) -> bool:
        return (
            _plain(scene, order)
            and len(order.lines) == 1
            and order.lines[0].item.vat_rate == 2000
            and order.lines[0].shipping == 0
            and order.lines[0].price >= 1_000
        )

    line = scene.order(standard).lines[0]
    erp_line = _erp_line(scene, line)
    missing = erp_line.tax
    erp_line.net, erp_line.tax = erp_line.net + erp_line.tax, 0
    erp_line.tax_code, erp_line.vat_rate = TAX_CODES[0], 0
    scene.truth.exception("ORD-008", "ORDER_LINE", line.id, "standard_rated_goods_sold_at_zero", -missing)
    line = scene.order(standard).lines[0]
    erp_line = _erp_line(scene, line)
    erp_line.net, erp_line.tax = erp_line.net - 1, erp_line.tax + 1
    scene.truth.near_miss("VAT one penny off", "ORD-008", "ORDER_LINE", line.id)


@fault("ORD-009", Phase.ERP)
def order_in_the_wrong_currency(scene: Scene) -> None:
    """The ERP order of a sterling sale is in euro.

    Near-miss: a trade customer's order that really is in euro.
    """
    order = scene.order(lambda o: _shipping_now(scene, o))
    scene.books.by_order[order.id].currency = "EUR"
    scene.truth.exception("ORD-009", "ORDER", order.id, "order_in_the_wrong_currency", _gross(order))
    trade = _marketplace_order(
        f"PO{scene.rng.randrange(10_000, 99_999)}", scene.items[2], scene.as_of - 2 * DAY, "CORVID1", ""
    )
    trade.currency, trade.lines[0].order_line_id = "EUR", ""
    scene.books.orders.append(trade)
    scene.later(lambda: scene.truth.near_miss("a euro customer", "ORD-009", "ERP_ORDER", trade.document_no))


@fault("ORD-010", Phase.ERP)
def delivered_but_never_despatched(scene: Scene) -> None:
    """The customer has the goods; the ERP order is still live, neither despatched nor invoiced.

    Near-miss: a fully refunded order that is despatched in the ERP, as it should be.
    """
    order = scene.order(lambda o: _plain(scene, o))
    erp_order = scene.books.by_order[order.id]
    erp_order.status, erp_order.despatched, erp_order.is_invoiced = LIVE, None, False
    erp_order.updated = erp_order.created
    scene.truth.exception("ORD-010", "ORDER", order.id, "delivered_but_never_despatched", -_gross(order))
    order = scene.order(lambda o: o.profile == "REFUNDED_IN_FULL" and _settled(scene, o))
    scene.truth.near_miss("refunded after despatch", "ORD-010", "ORDER", order.id)


@fault("ORD-011", Phase.ERP)
def order_on_a_trade_account(scene: Scene) -> None:
    """A marketplace order was booked on a trade customer's account.

    Near-miss: that customer's own order.
    """
    order = scene.order(lambda o: _plain(scene, o))
    scene.books.by_order[order.id].customer = "DUNLIN1"
    scene.truth.exception("ORD-011", "ORDER", order.id, "order_on_a_trade_account", _gross(order))
    trade = next(o for o in scene.books.orders if o.order is None and o.customer != CUSTOMER and not o.is_draft)
    scene.later(lambda: scene.near_miss_once("a trade customer's own order", "ORD-011", "ERP_ORDER", trade.document_no))


@fault("ORD-013", Phase.ERP)
def cancelled_order_live_in_the_erp(scene: Scene) -> None:
    """Cancelled on the marketplace, still live in the ERP: it may be sent.

    Near-misses: cancelled on both sides, and cancelled before it was ever imported.
    """

    def cancelled(order: Order) -> bool:
        return order.profile == "CANCELLED" and order.id in scene.books.by_order

    order = scene.order(cancelled)
    erp_order = scene.books.by_order[order.id]
    erp_order.status, erp_order.updated = LIVE, erp_order.created
    gross = sum(line.net + line.tax for line in erp_order.lines)
    scene.truth.exception("ORD-013", "ORDER", order.id, "cancelled_order_live_in_the_erp", gross)
    order = scene.order(cancelled)
    scene.truth.near_miss("cancelled on both sides", "ORD-013", "ORDER", order.id)
    never = next((o for o in scene.orders if o.profile == "CANCELLED" and o.id not in scene.books.by_order), None)
    if never is not None:
        scene.near_miss_once("cancelled before the import", "ORD-001", "ORDER", never.id)


@fault("ORD-014", Phase.ERP)
def cancelled_line_invoiced(scene: Scene) -> None:
    """A line cancelled before it shipped is still on the ERP order, despatched and invoiced with the rest.

    Near-miss: a line cancelled in the same way that the ERP order no longer has.
    """
    order = scene.order(lambda o: o.profile == "LINE_CANCELLED" and _settled(scene, o))
    line = order.lines[-1]
    erp_line = line_before_cancelation(line)
    scene.books.by_order[order.id].lines.insert(1, erp_line)
    scene.truth.exception("ORD-014", "ORDER_LINE", line.id, "cancelled_line_invoiced", erp_line.net + erp_line.tax)
    order = scene.order(lambda o: o.profile == "LINE_CANCELLED" and _settled(scene, o))
    scene.truth.near_miss("gone from the ERP order", "ORD-014", "ORDER_LINE", order.lines[-1].id)


@fault("ORD-015", Phase.ERP)
def order_without_its_marketplace_code(scene: Scene) -> None:
    """The ERP order is right in everything and lacks the analysis code that marks it as the marketplace's.

    Near-miss: a trade customer's order, which has no such code to carry.
    """
    order = scene.order(lambda o: _plain(scene, o))
    scene.books.by_order[order.id].analysis = ""
    scene.truth.exception("ORD-015", "ORDER", order.id, "order_without_its_marketplace_code", _gross(order))
    trade = next(o for o in scene.books.orders if o.order is None and o.customer == "CORVID1" and not o.analysis)
    scene.later(lambda: scene.near_miss_once("not of the marketplace", "ORD-015", "ERP_ORDER", trade.document_no))


# -- Journals: level f -------------------------------------------------------------------------------------------------


def _settlement_key(scene: Scene, number: int) -> str:
    cycle = scene.ledger.cycles[number - 1]
    return next(key for key in scene.journals if f"|SETTLEMENT|{cycle.id}|" in key)


def _receipt_keys(scene: Scene, number: int) -> list[str]:
    """Keys of the receipt journals that pay cycle `number`, in order of value date."""
    cycle = scene.ledger.cycles[number - 1]
    ids = [receipt_id(BANK_ACCOUNT, entry) for entry in scene.receipts if cycle in entry.cycles]
    return [key for wanted in ids for key in scene.journals if f"|{wanted}|" in key]


@fault("JNL-002", Phase.JOURNALS, once=True)
def receipt_posted_twice(scene: Scene) -> None:
    """The transfer of the first receipt was posted again a day later, with the same reference.

    Near-miss: a settlement, whose one key stands on several documents with several URNs.
    """
    (key,) = _receipt_keys(scene, 1)
    amount = 0
    for part in scene.journals[key]:
        again = copy(part)
        again.at += DAY
        scene.books.postings.append(again)
        amount = next(value for account, value in part.legs if account == BANK_NOMINAL)
    scene.truth.exception("JNL-002", "JOURNAL", key, "receipt_posted_twice", amount)
    scene.truth.near_miss("one journal, several documents", "JNL-002", "JOURNAL", _settlement_key(scene, 1))


@fault("JNL-003", Phase.JOURNALS, once=True)
def fee_amount_edited(scene: Scene) -> None:
    """Ten pounds more commission than the settlement has: the document still balances, it is not what was posted.

    Near-miss: a receipt journal whose narrative alone was rewritten.
    """
    key = _settlement_key(scene, 2)
    payment = next(part for part in scene.journals[key] if part.second_reference == "BP")
    payment.legs = [
        (account, amount + (1_000 if account == "6100" else -1_000 if account == CLEARING else 0))
        for account, amount in payment.legs
    ]
    payment.banks = tuple((code, amount - 1_000) for code, amount in payment.banks)
    scene.truth.exception("JNL-003", "JOURNAL", key, "fee_amount_edited", 1_000)
    first, _ = _receipt_keys(scene, 3)
    for part in scene.journals[first]:
        part.narrative = "Marketplace pay-out, first half"
    scene.truth.near_miss("only the narrative was rewritten", "JNL-003", "JOURNAL", first)


@fault("JNL-004", Phase.JOURNALS, once=True)
def manual_entry_on_clearing(scene: Scene) -> None:
    """A manual journal against the clearing account, without a key.

    Near-miss: a manual journal between two accounts that nobody controls.
    """
    cycle = scene.ledger.cycles[3]
    day = cycle.day + timedelta(days=4)
    wrong = _manual_journal(day, "NJ000481", "Round off BRICO", [("9998", 7_500), (CLEARING, -7_500)])
    right = _manual_journal(day, "NJ000482", "Reclass placement fee", [("6201", 4_000), ("6140", -4_000)])
    scene.books.postings += [wrong, right]

    def tell() -> None:
        scene.truth.exception("JNL-004", "ERP_POSTING", str(wrong.urn), "manual_entry_on_clearing", -7_500)
        scene.truth.near_miss("no controlled account", "JNL-004", "ERP_POSTING", str(right.urn))

    scene.later(tell)


def _manual_journal(day: date, reference: str, narrative: str, legs: list[tuple[str, int]]) -> Posting:
    return Posting(
        at=_evening(day),
        day=day,
        kind="JOURNAL",
        reference=reference,
        second_reference="",
        narrative=narrative,
        legs=legs,
        source="LedgerNominal",
        user="Bookkeeper",
    )


def _evening(day: date) -> int:
    return (day - date(1970, 1, 1)).days * DAY + 17 * HOUR


@fault("JNL-005", Phase.JOURNALS, once=True)
def settlement_in_the_month_before(scene: Scene) -> None:
    """The settlement of a cycle dated the first of a month was posted on the last of the month before.

    Near-miss: a receipt journal posted a day after its value date, in the same period.
    """
    key = _settlement_key(scene, 3)
    for part in scene.journals[key]:
        part.day -= timedelta(days=1)
    scene.truth.exception("JNL-005", "JOURNAL", key, "settlement_in_the_month_before", scene.ledger.cycles[2].net)
    (key,) = _receipt_keys(scene, 4)
    for part in scene.journals[key]:
        part.day += timedelta(days=1)
        part.at += DAY
    scene.truth.near_miss("a day late, same period", "JNL-005", "JOURNAL", key)


@fault("JNL-007", Phase.JOURNALS, once=True)
def receipt_reversed(scene: Scene) -> None:
    """The transfer of the second half of the third pay-out was reversed three days later, and not posted again.

    Near-miss: a carrier's payment that was reversed; it is no journal of the marketplace.
    """
    _, key = _receipt_keys(scene, 3)
    amount = 0
    for part in scene.journals[key]:
        scene.books.postings.append(_reversal(part))
        amount = next(value for account, value in part.legs if account == BANK_NOMINAL)
    scene.truth.exception("JNL-007", "JOURNAL", key, "receipt_reversed", -amount)
    payment = next(p for p in scene.books.postings if p.kind == "BANK_PAYMENT" and not p.journal_key)
    reversal = _reversal(payment)
    scene.books.postings.append(reversal)
    scene.later(lambda: scene.truth.near_miss("a carrier's payment", "JNL-007", "ERP_POSTING", str(reversal.urn)))


def _reversal(posting: Posting) -> Posting:
    undone = copy(posting)
    undone.at += 3 * DAY
    undone.day += timedelta(days=3)
    undone.narrative = f"Reversal of {posting.narrative}"
    undone.user = "Bookkeeper"
    undone.legs = [(account, -amount) for account, amount in posting.legs]
    undone.banks = tuple((code, -amount) for code, amount in posting.banks)
    return undone


@fault("JNL-009", Phase.JOURNALS, once=True)
def adjustment_booked_as_advertising(scene: Scene) -> None:
    """A settlement's manual invoice went to advertising instead of marketplace adjustments; the amount is right.

    Near-miss: commission and commission given back, netted on their one account.
    """
    key = _settlement_key(scene, 4)
    payment = next(part for part in scene.journals[key] if part.second_reference == "BP")
    amount = next(value for account, value in payment.legs if account == "6140")
    payment.legs = [("6201" if account == "6140" else account, value) for account, value in payment.legs]
    scene.truth.exception("JNL-009", "JOURNAL", key, "adjustment_booked_as_advertising", amount)
    scene.truth.near_miss("netted on one account", "JNL-009", "JOURNAL", _settlement_key(scene, 1))


# -- Stock: level h ----------------------------------------------------------------------------------------------------


def _in_stock(scene: Scene, item: Item, least: int) -> bool:
    return not item.is_discontinued and item.code not in scene.stock.awaited and scene.stock.expected(item) >= least


@fault("STK-001", Phase.STOCK)
def offer_above_stock(scene: Scene) -> None:
    """The offer promises 25 more than there are.

    Near-miss: one more than there are, the tolerance for feed lag.
    """
    item = scene.item(lambda x: _in_stock(scene, x, 20))
    item.offered = scene.stock.expected(item) + 25
    scene.truth.exception("STK-001", "OFFER", item.code, "offer_above_stock")
    item = scene.item(lambda x: 4 <= scene.stock.expected(x) < 40 and _in_stock(scene, x, 4))
    item.offered = scene.stock.expected(item) + 1
    scene.truth.near_miss("one above, the tolerance", "STK-001", "OFFER", item.code)


@fault("STK-002", Phase.STOCK)
def offer_below_stock(scene: Scene) -> None:
    """The offer shows 20 less than there are: sales are lost.

    Near-miss: 95 of 100, exactly five per cent below.
    """
    item = scene.item(lambda x: _in_stock(scene, x, 50))
    item.offered = scene.stock.expected(item) - 20
    scene.truth.exception("STK-002", "OFFER", item.code, "offer_below_stock")
    item = scene.item(lambda x: _in_stock(scene, x, 30))
    item.free["MAIN"] += 100 - scene.stock.expected(item)
    item.offered = 95
    scene.truth.near_miss("five per cent below", "STK-002", "OFFER", item.code)


@fault("STK-003", Phase.STOCK, once=True)
def discontinued_item_on_sale(scene: Scene) -> None:
    """An inactive item with some stock left is still offered.

    Near-miss: an inactive item with stock left whose offer is at nil.
    """
    item = scene.item(lambda x: x.is_discontinued)
    item.free["MAIN"] = 8
    item.offered = 6
    scene.truth.exception("STK-003", "OFFER", item.code, "discontinued_item_on_sale")
    item = scene.item(lambda x: x.is_discontinued)
    item.free["MAIN"] = 12
    scene.truth.near_miss("its offer is closed", "STK-003", "OFFER", item.code)


@fault("STK-004", Phase.STOCK, once=True)
def stock_in_an_unmapped_warehouse(scene: Scene) -> None:
    """A new warehouse holds stock and nobody has said whether it is for sale.

    Near-miss: the returns warehouse, which is excluded on purpose.
    """
    for _ in range(3):
        scene.item(lambda x: _in_stock(scene, x, 5)).free["OVERFLOW"] = 15
    scene.truth.exception("STK-004", "WAREHOUSE", "OVERFLOW", "stock_in_an_unmapped_warehouse")
    scene.truth.near_miss("excluded on purpose", "STK-004", "WAREHOUSE", "RETURNS")


@fault("STK-007", Phase.STOCK, once=True)
def more_allocated_than_there_is(scene: Scene) -> None:
    """Two more units are allocated than are in stock.

    Near-miss: an item with exactly nothing left.
    """
    item = scene.item(lambda x: _in_stock(scene, x, 0))
    item.free.update(MAIN=-2, NORTH=0, RETURNS=0)
    scene.truth.exception("STK-007", "ITEM", item.code, "more_allocated_than_there_is")
    item = scene.item(lambda x: _in_stock(scene, x, 0))
    item.free.update(MAIN=0, NORTH=0, RETURNS=0)
    scene.truth.near_miss("exactly nothing left", "STK-007", "ITEM", item.code)
