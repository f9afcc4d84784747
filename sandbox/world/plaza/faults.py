"""The faults planted at PLAZA, each with its near-miss, and what its special sellers cause by nature.

They span what an operator can see without an ERP and a bank: settlement (level b), pay-outs (level c), documents (level
d). As at the first marketplace, a function runs at the stage at which the world can still be bent consistently.
"""

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import Enum, auto
from typing import Any

from sandbox.world.mirakl.cycles import fees_of, totals_of
from sandbox.world.model import Cycle, Entry, ManualDocument, Order, OrderLine
from sandbox.world.money import pounds, share
from sandbox.world.plaza.ledger import RECALL_CYCLE, RESERVE_AMOUNT, SellerLedger
from sandbox.world.plaza.sellers import Role, Seller, TaxRegime
from sandbox.world.plaza.trade import SETTLED_AGE, Trade
from sandbox.world.settlement import new_id
from sandbox.world.stamps import DAY, HOUR, MINUTE, london_date
from sandbox.world.truth import NATURAL, Truth

GRACE_DAYS = 2
"""Working days that a cycle's document may take."""


class Stage(Enum):
    """When a fault is planted, in this order."""

    TRADE = auto()
    """Orders exist, nothing has been written about them."""
    LINES = auto()
    """Transaction lines exist, none has a cycle."""
    CYCLES = auto()
    """Every line has its cycle, nothing has been paid."""
    PAID = auto()
    """Everything has been paid out and has its running balance."""
    DOCUMENTS = auto()
    """The operator's documents are written."""


Wanted = Callable[[Seller, Order, OrderLine], bool]


class NothingFits(LookupError):
    """The world is too small for its faults."""

    def __init__(self, what: str) -> None:
        super().__init__(f"no {what} left that fits: the world is too small for its faults")


@dataclass(eq=False)
class Scene:
    """The half-made marketplace. No order serves two faults."""

    rng: random.Random
    as_of: int
    orders: list[tuple[Seller, Order]]
    ledgers: list[SellerLedger]
    truth: Truth
    trade: Trade
    taken: set[str] = field(default_factory=set)
    told: set[tuple[str, str]] = field(default_factory=set)
    taken_sellers: set[int] = field(default_factory=set)
    invoices: list[dict[str, Any]] = field(default_factory=list)
    taken_documents: set[str] = field(default_factory=set)

    def auto_invoice(self, wanted: Callable[[Cycle], bool]) -> tuple[Cycle, dict[str, Any]]:
        """The AUTO_INVOICE of a cycle that fits, with that cycle; no other fault uses it, nor any line of the cycle."""
        broken = {
            entry.cycle.id
            for ledger in self.ledgers
            for entry in ledger.entries
            if entry.cycle is not None and (entry.is_hidden or not entry.shows_cycle or entry.currency != "GBP")
        }
        cycles = {
            cycle.invoice_id: cycle for ledger in self.ledgers for cycle in ledger.cycles if cycle.id not in broken
        }
        found = [
            document
            for document in self.invoices
            if document["id"] in cycles
            and document["id"] not in self.taken_documents
            and wanted(cycles[document["id"]])
        ]
        if not found:
            raise NothingFits("document")
        document = self.rng.choice(found)
        self.taken_documents.add(document["id"])
        return cycles[document["id"]], document

    def line(self, wanted: Wanted) -> tuple[SellerLedger, Order, OrderLine]:
        """The only line of an unused order that fits; the order is used from now on."""
        found = self.seen(wanted)
        if found is None:
            raise NothingFits("order")
        return found

    def seen(self, wanted: Wanted) -> tuple[SellerLedger, Order, OrderLine] | None:
        """As `line`, for a near-miss that is there anyway: a small world may have none."""
        found = [
            (seller, order)
            for seller, order in self.orders
            if order.id not in self.taken and len(order.lines) == 1 and wanted(seller, order, order.lines[0])
        ]
        if not found:
            return None
        seller, order = self.rng.choice(found)
        self.taken.add(order.id)
        return self.ledgers[seller.number], order, order.lines[0]

    def ledger(self, wanted: Callable[[SellerLedger], bool]) -> SellerLedger:
        """An unused seller's ledger that fits; the seller is used from now on."""
        found = [x for x in self.ledgers if x.seller.number not in self.taken_sellers and wanted(x)]
        if not found:
            raise NothingFits("seller")
        ledger = self.rng.choice(found)
        self.taken_sellers.add(ledger.seller.number)
        return ledger

    def near_miss_once(self, text: str, not_code: str, subject_type: str, subject_id: str) -> None:
        """A near-miss that several faults of one kind share."""
        if (not_code, subject_id) not in self.told:
            self.told.add((not_code, subject_id))
            self.truth.near_miss(text, not_code, subject_type, subject_id)


@dataclass(frozen=True, slots=True)
class Fault:
    code: str
    stage: Stage
    plant: Callable[[Scene], None]
    is_repeated: bool

    @property
    def name(self) -> str:
        return self.plant.__name__


FAULTS: list[Fault] = []


def fault(
    code: str, stage: Stage, *, once: bool = False
) -> Callable[[Callable[[Scene], None]], Callable[[Scene], None]]:
    """Registers a function that plants `code`. Unless `once`, a large world gets several."""

    def register(plant: Callable[[Scene], None]) -> Callable[[Scene], None]:
        FAULTS.append(Fault(code, stage, plant, not once))
        return plant

    return register


def plant(stage: Stage, scene: Scene, repeat: int) -> None:
    """Plants every fault of `stage`, in the order of this file.

    Every world holds every fault. What a large one has few of, such as orders of today, may not do for another: a fault
    function takes its victim before it bends anything, so that one without a victim, or without a near-miss, is whole.
    """
    for each in FAULTS:
        if each.stage is stage:
            each.plant(scene)
            with suppress(NothingFits):
                for _ in range(repeat - 1 if each.is_repeated else 0):
                    each.plant(scene)


def _plain(scene: Scene, seller: Seller, order: Order) -> bool:
    """Settled, and nothing ever happened to it; gross prices."""
    return (
        order.profile == "ORDINARY"
        and order.created < scene.as_of - SETTLED_AGE
        and seller.regime is TaxRegime.UNKNOWN
        and not seller.roles & {Role.RECALL, Role.KYC_OPEN, Role.OPERATOR_CARRIAGE}
    )


def _only(ledger: SellerLedger, line: OrderLine, type_: str) -> Entry:
    (entry,) = ledger.entries_of(line, type_)
    return entry


# -- Settlement: level b -----------------------------------------------------------------------------------------------


@fault("SET-002", Stage.LINES)
def settled_below_the_price(scene: Scene) -> None:
    """ORDER_AMOUNT is 3.00 less than the line's price, with nothing to explain it.

    Near-misses: a line whose tax is paid through, so that goods and tax together are what the customer paid; and one
    whose tax the operator remits, so that the seller ends with the net price.
    """
    ledger, _, line = scene.line(lambda s, o, x: _plain(scene, s, o) and x.price >= 2_000)
    _only(ledger, line, "ORDER_AMOUNT").amount -= 300
    scene.truth.exception("SET-002", "ORDER_LINE", line.id, "settled_below_the_price", -300)
    for regime, text in (
        (TaxRegime.KEPT, "net price and tax, both paid through"),
        (TaxRegime.REMITTED, "net price and tax, the tax remitted by the operator"),
    ):
        _, _, line = scene.line(
            lambda s, o, x, regime=regime: (  # type: ignore[misc]
                s.regime is regime and o.profile == "ORDINARY" and o.created < scene.as_of - SETTLED_AGE
            )
        )
        scene.truth.near_miss(text, "SET-002", "ORDER_LINE", line.id)


@fault("SET-004", Stage.LINES)
def commission_line_above_the_order(scene: Scene) -> None:
    """The commission line is four pence more than the order's commission; the VAT of both rounds to the same amount.

    Near-miss: a partly cancelled line, whose commission is the order's less what the cancelation took off.
    """
    ledger, _, line = scene.line(
        lambda s, o, x: (
            _plain(scene, s, o)
            and x.commission >= 150
            and x.commission > x.item.contract.minimum
            and share(x.commission, 2000) == share(x.commission + 4, 2000)
        )
    )
    _only_part(ledger, line, "COMMISSION_FEE").amount -= 4
    scene.truth.exception("SET-004", "ORDER_LINE", line.id, "commission_line_above_the_order", -4)
    _, _, line = scene.line(lambda s, o, x: o.profile == "PARTLY_CANCELLED")
    scene.truth.near_miss("commission less the cancelled part", "SET-004", "ORDER_LINE", line.id)


def _only_part(ledger: SellerLedger, line: OrderLine, type_: str) -> Entry:
    """The first entry of the type: of a parcel or of the whole sale."""
    return ledger.entries_of(line, type_)[0]


@fault("SET-006", Stage.LINES)
def order_never_delivered_by_the_order_feed(scene: Scene) -> None:
    """Lines name an order that the order feed does not hold.

    Near-miss: a subscription, which names no order.
    """
    ledger, order, _ = scene.line(lambda s, o, x: _plain(scene, s, o))
    order.is_in_feed = False
    total = sum(entry.amount for entry in ledger.entries if entry.order is order)
    scene.truth.exception("SET-006", "ORDER", order.id, "order_never_delivered_by_the_order_feed", total)
    fee = next(entry for each in scene.ledgers for entry in each.entries if entry.type == "SUBSCRIPTION_FEE")
    scene.near_miss_once("a fee without an order", "SET-006", "TRANSACTION_LINE", fee.id)


@fault("SET-007", Stage.LINES)
def commission_charged_twice(scene: Scene) -> None:
    """The same commission line exists twice with two ids; the later one is the fault.

    Near-misses: two genuine refunds of one amount on one line, and the equal halves of a sale that was sent, and
    debited, in two parcels.
    """
    ledger, order, line = scene.line(lambda s, o, x: _plain(scene, s, o) and x.commission >= 100)
    first = _only_part(ledger, line, "COMMISSION_FEE")
    second = ledger.add(first.type, first.amount, ledger.stamp(first.created + 3 * MINUTE), first.payable, order, line)
    second.shipment = first.shipment
    scene.truth.exception("SET-007", "TRANSACTION_LINE", second.id, "commission_charged_twice", second.amount)
    if twice := scene.seen(
        lambda s, o, x: (
            o.profile == "REFUNDED_TWICE" and len(x.refunds) == 2 and x.refunds[0].goods == x.refunds[1].goods
        )
    ):
        ledger, _, line = twice
        twin = next(e for e in ledger.entries_of(line, "REFUND_ORDER_AMOUNT") if e.refund is line.refunds[1])
        scene.truth.near_miss("two refunds of one amount", "SET-007", "TRANSACTION_LINE", twin.id)
    if split := scene.seen(lambda s, o, x: o.profile == "SPLIT" and o.workflow == "PAY_ON_SHIPMENT"):
        ledger, _, line = split
        half = ledger.entries_of(line, "ORDER_AMOUNT")[1]
        scene.truth.near_miss("the second of two equal parcels", "SET-007", "TRANSACTION_LINE", half.id)


@fault("SET-009", Stage.LINES, once=True)
def purchase_commission_of_an_agent(scene: Scene) -> None:
    """A purchase commission, which only sellers have who sell to the operator, on a shop that sells through it.

    Near-miss: a type that occurs once in three months and is mapped.
    """
    ledger = scene.ledger(lambda x: x.seller.is_anchor and x.seller.shop.model == "MARKETPLACE" and not x.seller.roles)
    created = ledger.stamp(ledger.cycles[-2].created + 97 * HOUR)
    entry = ledger.add("PURCHASE_COMMISSION_FEE", -420, created, created)
    scene.truth.exception("SET-009", "TRANSACTION_TYPE", entry.type, "purchase_commission_of_an_agent", entry.amount)
    scene.truth.near_miss("rare but mapped", "SET-009", "TRANSACTION_TYPE", "INVOICEABLE_ONE_OFF_CREDIT")


@fault("SET-011", Stage.LINES)
def shipping_never_settled(scene: Scene) -> None:
    """The customer paid for shipping, and no shipping line came.

    Near-miss: shipping that the operator keeps because it bought the carriage; both lines are there.
    """
    ledger, _, line = scene.line(lambda s, o, x: _plain(scene, s, o) and x.shipping > 0)
    for entry in ledger.entries_of(line, "ORDER_SHIPPING_AMOUNT"):
        ledger.entries.remove(entry)
    scene.truth.exception("SET-011", "ORDER_LINE", line.id, "shipping_never_settled", -line.shipping)
    if carried := scene.seen(
        lambda s, o, x: (
            Role.OPERATOR_CARRIAGE in s.roles
            and o.profile == "ORDINARY"
            and x.shipping > 0
            and o.created < scene.as_of - SETTLED_AGE
        )
    ):
        scene.truth.near_miss("carriage bought by the operator", "SET-011", "ORDER_LINE", carried[2].id)


@fault("SET-012", Stage.LINES)
def penalty_for_a_parcel_sent_in_time(scene: Scene) -> None:
    """A late-shipment penalty on an order that was shipped before its deadline.

    Near-miss: the same penalty on an order that really was late.
    """
    ledger, order, _ = scene.line(lambda s, o, x: _plain(scene, s, o) and (o.shipped or 0) < o.deadline)
    entry = ledger.penalty(order, (order.shipped or 0) + HOUR)
    scene.truth.exception("SET-012", "TRANSACTION_LINE", entry.id, "penalty_for_a_parcel_sent_in_time", entry.amount)
    ledger, order, _ = scene.line(lambda s, o, x: o.profile == "LATE")
    entry = next(e for e in ledger.entries if e.order is order and e.type == "SELLER_PENALTY_FEE")
    scene.truth.near_miss("shipped after the deadline", "SET-012", "TRANSACTION_LINE", entry.id)


@fault("SET-013", Stage.LINES)
def operator_keeps_its_part_of_the_promotion(scene: Scene) -> None:
    """The operator funded a discount and did not pay its part through: ORDER_AMOUNT is what the customer paid.

    Near-misses: an operator-funded discount that was paid through, and a discount of the seller's own.
    """
    ledger, _, line = scene.line(lambda s, o, x: o.profile == "PROMOTION" and s.regime is TaxRegime.UNKNOWN)
    _only_part(ledger, line, "ORDER_AMOUNT").amount -= line.operator_funded
    scene.truth.exception(
        "SET-013", "ORDER_LINE", line.id, "operator_keeps_its_part_of_the_promotion", -line.operator_funded
    )
    _, _, line = scene.line(lambda s, o, x: o.profile == "PROMOTION")
    scene.truth.near_miss("operator's part paid through", "SET-013", "ORDER_LINE", line.id)
    _, _, line = scene.line(lambda s, o, x: o.profile == "DISCOUNT")
    scene.truth.near_miss("funded by the seller", "SET-013", "ORDER_LINE", line.id)


# -- Pay-outs: level c -------------------------------------------------------------------------------------------------


@fault("PAY-001", Stage.CYCLES)
def payout_below_its_lines(scene: Scene) -> None:
    """The operator paid 7.31 less than the cycle's lines add up to, and its record says so too.

    Near-miss: a pay-out less the negative balance brought forward.
    """
    ledger = scene.ledger(
        lambda x: (
            x.seller.is_anchor
            and not x.seller.roles
            and min(sum(e.amount for e in c.entries) for c in x.cycles) >= 0
            and any(c.index >= 2 and sum(e.amount for e in c.entries) > 3_000 for c in x.cycles)
        )
    )
    cycle = next(c for c in ledger.cycles[2:] if sum(e.amount for e in c.entries) > 3_000)
    cycle.misstated = -731
    scene.truth.exception("PAY-001", "CYCLE", cycle.id, "payout_below_its_lines", -731)


@fault("PAY-003", Stage.CYCLES, once=True)
def negative_balance_forgotten(scene: Scene) -> None:
    """A seller's negative balance was not brought forward: the next pay-out is the cycle's lines alone.

    Near-miss: the same history at another seller, whose next pay-outs are less until the debt is gone.
    """
    wronged, right = (x for x in scene.ledgers if Role.RECALL in x.seller.roles)
    opening = 0
    for cycle in wronged.cycles:
        net = sum(entry.amount for entry in cycle.entries)
        if opening < 0 < net and cycle.index > RECALL_CYCLE:
            cycle.misstated = -opening
            scene.truth.exception("PAY-003", "CYCLE", cycle.id, "negative_balance_forgotten", -opening)
            break
        opening = min(0, opening + net)
    else:
        raise LookupError("no cycle after the recall has anything to pay out")
    for cycle in right.cycles[RECALL_CYCLE + 1 :]:
        scene.truth.near_miss("negative balance brought forward", "PAY-003", "CYCLE", cycle.id)


@fault("PAY-007", Stage.LINES, once=True)
def reserve_kept_for_too_long(scene: Scene) -> None:
    """Half of a reserve was released in time, the other half not at all, and the agreed days are over.

    Near-misses: a reserve that was released in full, and one that is not due yet.
    """
    late, whole = (x for x in scene.ledgers if Role.RESERVE in x.seller.roles)
    young = next(x for x in scene.ledgers if Role.YOUNG_RESERVE in x.seller.roles)
    (release,) = (entry for entry in late.entries if entry.type == "RESERVE_SETTLEMENT")
    release.amount -= RESERVE_AMOUNT // 2
    scene.truth.exception(
        "PAY-007", "CYCLE", _cycle_of_reserve(late).id, "reserve_kept_for_too_long", RESERVE_AMOUNT // 2
    )
    scene.truth.near_miss("released in full and in time", "PAY-007", "CYCLE", _cycle_of_reserve(whole).id)
    scene.truth.near_miss("not due yet", "PAY-007", "CYCLE", _cycle_of_reserve(young).id)


def _cycle_of_reserve(ledger: SellerLedger) -> Cycle:
    (funding,) = (entry for entry in ledger.entries if entry.type == "RESERVE_FUNDING")
    return next(cycle for cycle in ledger.cycles if funding.created < cycle.created)


@fault("PAY-002", Stage.PAID)
def paid_line_without_its_cycle(scene: Scene) -> None:
    """A line is PAID but names no cycle. It is a nil shipping line, so that the cycle's sum does not depend on it.

    Near-miss: a line without a cycle that is PAYABLE, because it was received after the newest cycle.
    """
    ledger, _, line = scene.line(
        lambda s, o, x: _plain(scene, s, o) and x.shipping == 0 and o.workflow != "PAY_ON_SHIPMENT"
    )
    entry = _only(ledger, line, "ORDER_SHIPPING_AMOUNT")
    if entry.cycle is None or entry.amount:
        raise AssertionError(f"{line.id} was picked because its free shipping has been settled")
    entry.shows_cycle = False
    scene.truth.exception("PAY-002", "TRANSACTION_LINE", entry.id, "paid_line_without_its_cycle", 0)
    waiting = next(
        e for x in scene.ledgers for e in x.entries if e.payable and e.cycle is None and not e.is_informative
    )
    scene.near_miss_once("payable, waiting for the next cycle", "PAY-002", "TRANSACTION_LINE", waiting.id)


def _shows_when_missing(ledger: SellerLedger, document: ManualDocument) -> bool:
    """The document's cycle paid out, and the balance moved before the document and between it and the cycle: before a
    seller's first line nobody knows what the balance should have been.
    """
    cycle = document.cycle
    return (
        document.type == "MANUAL_CREDIT"
        and cycle is not None
        and cycle.payout > 0
        and any(e.amount and e.created < document.created for e in ledger.entries if not e.is_informative)
        and any(
            e.amount and document.created < e.created < cycle.created for e in ledger.entries if not e.is_informative
        )
    )


@fault("PAY-009", Stage.PAID, once=True)
def lines_that_the_feed_skipped(scene: Scene) -> None:
    """The lines of one manual credit are never delivered: the seller's running balance jumps by what the cycle lacks.

    Near-misses: an informative line, which leaves the running balance alone; and the same cycle's sum, whose difference
    the missing lines explain.
    """
    ledger = scene.ledger(lambda x: any(_shows_when_missing(x, d) for d in x.documents))
    document = next(d for d in ledger.documents if _shows_when_missing(ledger, d))
    cycle = document.cycle
    if cycle is None:
        raise AssertionError(f"document {document.id} was picked because it is in a cycle")
    missing = 0
    for entry in ledger.entries:
        if entry.document is document:
            entry.is_hidden = True
            missing -= entry.amount
    scene.truth.exception("PAY-009", "CYCLE", cycle.id, "lines_that_the_feed_skipped", missing)
    scene.truth.near_miss("the gap is explained by missing lines", "PAY-001", "CYCLE", cycle.id)
    carriage = next(x for x in scene.ledgers if Role.OPERATOR_CARRIAGE in x.seller.roles)
    paid = next(c for c in carriage.cycles if c.payout)
    scene.truth.near_miss("an informative line leaves the balance alone", "PAY-009", "CYCLE", paid.id)


# -- Documents: level d ------------------------------------------------------------------------------------------------


def _charge(document: dict[str, Any], net: int, tax: int) -> None:
    """Adds to what a document charges, in pence."""
    document["total_amount_excl_taxes"] += pounds(net)
    document["total_amount_incl_taxes"] += pounds(net + tax)
    document["total_charged_amount"] += pounds(net + tax)
    for total in document["total_taxes"]:
        total["amount"] += pounds(tax)


def _is_settled(scene: Scene, cycle: Cycle) -> bool:
    return cycle.created < scene.as_of - 10 * DAY and cycle.payout > 0 and not cycle.misstated


@fault("INV-001", Stage.DOCUMENTS)
def cycle_without_its_document(scene: Scene) -> None:
    """The operator charged fees in a cycle and issued no document for them.

    Near-misses: a cycle in which nothing happened; and, in the two working days after the newest cycle, one whose
    document has not come yet.
    """
    cycle, document = scene.auto_invoice(lambda c: _is_settled(scene, c))
    scene.invoices.remove(document)
    scene.truth.exception("INV-001", "CYCLE", cycle.id, "cycle_without_its_document", -sum(fees_of(totals_of(cycle))))
    idle = next(c for ledger in scene.ledgers for c in ledger.cycles if not c.entries)
    scene.near_miss_once("no fees, no document", "INV-001", "CYCLE", idle.id)
    newest = scene.ledgers[0].cycles[-1].day
    if _add_business_days(newest, GRACE_DAYS) >= london_date(scene.as_of):
        cycle, document = scene.auto_invoice(lambda c: c.day == newest and c.payout > 0)
        scene.invoices.remove(document)
        scene.truth.near_miss("the document may still come", "INV-001", "CYCLE", cycle.id)


@fault("INV-002", Stage.DOCUMENTS)
def document_above_its_fees(scene: Scene) -> None:
    """The document charges 4.00 more, before VAT, than the cycle's lines do.

    Near-miss: a document that charges less because commission was given back in its cycle.
    """
    _, document = scene.auto_invoice(lambda c: _is_settled(scene, c))
    _charge(document, 400, 0)
    scene.truth.exception("INV-002", "DOCUMENT", document["id"], "document_above_its_fees", 400)
    _, document = scene.auto_invoice(lambda c: c.payout > 0 and "REFUND_COMMISSION_FEE" in totals_of(c))
    scene.truth.near_miss("net of refunded commission", "INV-002", "DOCUMENT", document["id"])


@fault("INV-003", Stage.DOCUMENTS)
def document_with_too_much_vat(scene: Scene) -> None:
    """The document's VAT is 0.35 more than the VAT lines of the cycle.

    Near-miss: VAT that is one penny more, as a total rounded by itself may be.
    """
    _, document = scene.auto_invoice(lambda c: _is_settled(scene, c) and fees_of(totals_of(c))[1] > 0)
    _charge(document, 0, 35)
    scene.truth.exception("INV-003", "DOCUMENT", document["id"], "document_with_too_much_vat", 35)
    _, document = scene.auto_invoice(lambda c: _is_settled(scene, c) and fees_of(totals_of(c))[1] > 0)
    _charge(document, 0, 1)
    scene.truth.near_miss("VAT one penny off, the tolerance", "INV-003", "DOCUMENT", document["id"])


@fault("INV-004", Stage.DOCUMENTS)
def document_with_another_payout(scene: Scene) -> None:
    """The document says that 12.00 more were paid out than the cycle's record does.

    Near-miss: a document of a cycle whose pay-out failed: it says that nothing was transferred.
    """
    _, document = scene.auto_invoice(lambda c: _is_settled(scene, c))
    document["summary"]["amount_transferred"] += pounds(1_200)
    scene.truth.exception("INV-004", "DOCUMENT", document["id"], "document_with_another_payout", 1_200)
    failed = next(c for x in scene.ledgers for c in x.cycles if c.failure and any(fees_of(totals_of(c))))
    scene.near_miss_once("the pay-out failed", "INV-004", "DOCUMENT", failed.invoice_id)


@fault("INV-006", Stage.DOCUMENTS, once=True)
def document_issued_twice(scene: Scene) -> None:
    """The same cycle was billed twice, under two numbers; the greater number is the fault.

    Near-miss: a manual document beside the cycle's own.
    """
    _, document = scene.auto_invoice(lambda c: _is_settled(scene, c))
    again = document | {"id": new_id(scene.rng), "invoice_id": document["invoice_id"] + 500_000}
    scene.invoices.append(again)
    charged = round(again["total_amount_incl_taxes"] * 100)
    scene.truth.exception("INV-006", "DOCUMENT", again["id"], "document_issued_twice", charged)
    manual = next(d for x in scene.ledgers for d in x.documents)
    scene.truth.near_miss("a manual document beside it", "INV-006", "DOCUMENT", manual.id)


def _add_business_days(day: date, count: int) -> date:
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5
    return day


def natural(scene: Scene) -> None:
    """What the sellers' histories cause by themselves: negative cycles, pay-outs that fail or cover several cycles."""
    for ledger in scene.ledgers:
        is_owed = False
        for cycle in ledger.cycles:
            closing = cycle.closing + cycle.misstated
            if cycle.failure and cycle.paid_with is None:
                scene.truth.exception("PAY-004", "CYCLE", cycle.id, NATURAL, closing)
            elif cycle.failure:
                scene.truth.near_miss("failed once, paid with a later cycle", "PAY-004", "CYCLE", cycle.id)
            if cycle.payout:
                if is_owed:
                    scene.truth.exception("PAY-006", "CYCLE", cycle.id, NATURAL, cycle.payout)
                is_owed = False
            elif closing < 0:
                scene.truth.exception("PAY-005", "CYCLE", cycle.id, NATURAL, closing)
            elif closing > 0:
                is_owed = True
