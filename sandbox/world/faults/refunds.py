"""Faults of level j, refunds and credit notes, and of what an order leaves on the customer account (level g)."""

from sandbox.world.erp import AR, OUTPUT_VAT
from sandbox.world.faults.registry import Phase, fault
from sandbox.world.faults.victims import is_pro_rata, plain, settled
from sandbox.world.model import Order, OrderLine, Posting, Refund
from sandbox.world.scene import Scene
from sandbox.world.stamps import DAY, HOUR

RETURN_DAYS = 14
_REFUNDED = ("REFUNDED_PARTLY", "REFUNDED_IN_FULL", "RECALLED")


def _refunded(scene: Scene, order: Order, line: OrderLine) -> bool:
    """Given back once, long enough ago for the books to have followed on any day of the week."""
    return order.profile in _REFUNDED and len(line.refunds) == 1 and line.refunds[0].created < scene.as_of - 6 * DAY


def _just_received(scene: Scene) -> tuple[Order, OrderLine]:
    """A line that the customer has had for a week or so and that may still be refunded: the first that nobody uses, so
    that nothing is drawn and every other fault keeps its victim.
    """
    order = next(
        order
        for order in scene.orders
        if order.id not in scene.taken
        and order.profile in ("ORDINARY", "TWO_LINES")
        and order.state == "RECEIVED"
        and (order.received or scene.as_of) < scene.as_of - 6 * DAY
        and order.lines[0].price >= 1_000
    )
    scene.taken.add(order.id)
    return order, order.lines[0]


def _give_back(scene: Scene, order: Order, line: OrderLine, instant: int, goods: int) -> Refund:
    scene.trade.add_refund(line, instant, goods, 0, 0)
    order.updated = max(order.updated, instant)
    return line.refunds[-1]


def _credit_note(scene: Scene, refund: Refund) -> Posting:
    return next(
        p for p in scene.books.postings if p.credit_of is not None and p.second_reference == refund.id and p.goods
    )


def _change(note: Posting, account: str, amount: int) -> None:
    """Moves `amount` of pence from the customer's side of a credit note to one of its accounts."""
    note.legs = [
        (code, value - amount if code == AR else value + amount if code == account else value)
        for code, value in note.legs
    ]
    note.legs = [(code, value) for code, value in note.legs if value]
    if account == OUTPUT_VAT:
        note.tax -= amount
    else:
        note.goods -= amount


# -- The refund is wrong at the marketplace: planted before anything is settled or credited


@fault("CRN-004", Phase.TRADE)
def refunded_more_than_sold(scene: Scene) -> None:
    """Goods came back and were refunded in full; weeks later somebody refunds ten pounds of them again.

    Lines, commission and credit notes follow both refunds, so nothing else differs. Near-miss: two refunds that
    together are exactly the sale.
    """
    order, line = scene.line(
        lambda o, x: o.profile == "REFUNDED_IN_FULL" and _refunded(scene, o, x) and is_pro_rata(x) and x.price > 1_000
    )
    _give_back(scene, order, line, min(line.refunds[0].created + 2 * DAY, scene.as_of - 4 * DAY), 1_000)
    scene.truth.exception("CRN-004", "ORDER_LINE", line.id, "refunded_more_than_sold", 1_000)
    order, line = scene.line(lambda o, x: plain(scene, o) and is_pro_rata(x) and x.price >= 1_000)
    first = (order.received or 0) + 2 * DAY
    _give_back(scene, order, line, first, line.goods_due // 3)
    _give_back(scene, order, line, first + DAY, line.goods_due - line.goods_due // 3)
    scene.truth.near_miss("two refunds are the whole sale", "CRN-004", "ORDER_LINE", line.id)


@fault("CRN-005", Phase.TRADE)
def refunded_goods_never_came_back(scene: Scene) -> None:
    """The customer asked to send goods back and was refunded; two weeks later the parcel is still on its way.

    Near-misses: the same, refunded five days ago; and a refund of goods that nobody asked back.
    """
    order, line = scene.line(
        lambda o, x: (
            o.profile == "REFUNDED_IN_FULL"
            and len(o.live_lines) == 1
            and len(x.refunds) == 1
            and x.refunds[0].created < scene.as_of - (RETURN_DAYS + 2) * DAY
        )
    )
    order.return_state = "IN_PROGRESS"
    refund = line.refunds[0]
    scene.truth.exception("CRN-005", "REFUND", refund.id, "refunded_goods_never_came_back", -refund.goods)
    order, line = scene.line(lambda o, x: plain(scene, o) and len(o.lines) == 1 and is_pro_rata(x))
    order.return_state = "IN_PROGRESS"
    recent = _give_back(scene, order, line, scene.as_of - 5 * DAY, line.goods_due)
    scene.truth.near_miss("the parcel has two weeks", "CRN-005", "REFUND", recent.id)
    order, line = scene.line(lambda o, x: o.profile == "REFUNDED_PARTLY" and _refunded(scene, o, x))
    scene.truth.near_miss("nobody asked for the goods", "CRN-005", "REFUND", line.refunds[0].id)


@fault("CRN-002", Phase.TRADE, model="ORDER_LED")
def refund_never_credited(scene: Scene) -> None:
    """The customer was refunded days ago, and the books have no credit note for it.

    Near-miss: a refund of yesterday afternoon, which the books may follow until the end of the next working day.
    """
    order, line = scene.line(lambda o, x: _refunded(scene, o, x))
    refund = line.refunds[0]
    refund.is_credited = False
    scene.truth.exception("CRN-002", "REFUND", refund.id, "refund_never_credited", -(refund.goods + refund.shipping))
    order, line = scene.line(lambda o, x: plain(scene, o) and is_pro_rata(x))
    recent = _give_back(scene, order, line, scene.as_of - 16 * HOUR, line.goods_due // 4)
    recent.is_credited = False
    scene.truth.near_miss("refunded yesterday", "CRN-002", "REFUND", recent.id)


# -- The credit note is wrong in the books


@fault("CRN-001", Phase.JOURNALS, model="ORDER_LED")
def credited_but_not_refunded(scene: Scene) -> None:
    """Customer service credited parts of two orders in the ERP, naming their lines; the marketplace paid neither back.
    One order is closed, which it can no longer refund; the other still can be.

    Near-misses: such a credit note of this morning; and one that names the line only, whose refund was made.
    """

    def credited(order: Order, line: OrderLine, instant: int) -> None:
        note = scene.books.credit_note(line, line.goods_due // 2, instant, line.id)
        scene.later(
            lambda: scene.truth.exception(
                "CRN-001", "CREDIT_NOTE", note.reference, "credited_but_not_refunded", -note.goods - note.tax
            )
        )

    order, line = scene.line(lambda o, x: plain(scene, o) and x.price >= 1_000)
    credited(order, line, (order.received or 0) + 3 * DAY)
    credited(*_just_received(scene), scene.as_of - 5 * DAY)
    _, line = scene.line(lambda o, x: plain(scene, o) and x.price >= 1_000)
    today = scene.books.credit_note(line, line.goods_due // 2, scene.as_of - 2 * HOUR, line.id)
    scene.later(lambda: scene.truth.near_miss("credited today", "CRN-001", "CREDIT_NOTE", today.reference))
    _, line = scene.line(lambda o, x: _refunded(scene, o, x))
    named = _credit_note(scene, line.refunds[0])
    named.second_reference = line.id
    scene.later(lambda: scene.truth.near_miss("names the line only", "CRN-001", "CREDIT_NOTE", named.reference))


@fault("CRN-003", Phase.JOURNALS, model="ORDER_LED")
def credited_another_amount(scene: Scene) -> None:
    """The credit note is two pounds above the refund; its VAT is the refund's.

    Near-miss: a credit note one penny above the refund, the tolerance.
    """
    for amount in (200, 1):
        _, line = scene.line(lambda o, x: _refunded(scene, o, x) and settled(scene, o))
        refund = line.refunds[0]
        _change(_credit_note(scene, refund), "4110", amount)
        if amount > 1:
            scene.truth.exception("CRN-003", "REFUND", refund.id, "credited_another_amount", amount)
        else:
            scene.truth.near_miss("one penny above the refund", "CRN-003", "REFUND", refund.id)


@fault("CRN-006", Phase.JOURNALS, model="ORDER_LED")
def credited_without_vat(scene: Scene) -> None:
    """Standard-rated goods were credited at the zero rate: the amount is right, the VAT stays declared.

    Near-misses: VAT one penny off; and zero-rated goods, whose credit note has none.
    """

    def standard(order: Order, line: OrderLine) -> bool:
        return _refunded(scene, order, line) and line.item.vat_rate == 2000 and line.refunds[0].goods >= 200

    for is_fault in (True, False):
        _, line = scene.line(standard)
        refund = line.refunds[0]
        note = _credit_note(scene, refund)
        amount = -note.tax if is_fault else 1
        _change(note, OUTPUT_VAT, -amount)
        _change(note, "4110", amount)
        if is_fault:
            scene.truth.exception("CRN-006", "REFUND", refund.id, "credited_without_vat", -amount)
        else:
            scene.truth.near_miss("VAT one penny off", "CRN-006", "REFUND", refund.id)


@fault("CLR-003", Phase.JOURNALS, model="ORDER_LED")
def surcharge_invoiced_to_the_marketplace(scene: Scene) -> None:
    """The bookkeeper invoiced 7.50 for repacking to the marketplace's account; the order is settled without it.

    Order, invoice of the order and settlement agree with each other, so only the account shows it. Near-miss: an order
    invoiced, credited and settled in full.
    """
    order = scene.order(lambda o: plain(scene, o))
    scene.books.keyed_invoice(order, 750, (order.received or 0) + DAY, f"Repacking of {order.id}")
    scene.truth.exception("CLR-003", "RECEIVABLE", order.id, "surcharge_invoiced_to_the_marketplace", 750)
    order = scene.order(lambda o: o.profile in ("RECALLED", "REFUNDED_IN_FULL") and settled(scene, o))
    scene.truth.near_miss("sold, refunded and credited", "CLR-003", "RECEIVABLE", order.id)
