"""Faults of level a: orders and their lines."""

from copy import copy

from sandbox.world.catalogue import TAX_CODES
from sandbox.world.erp import CANCELLED, LIVE, ON_HOLD, line_before_cancelation, split_vat
from sandbox.world.faults.registry import Phase, fault
from sandbox.world.faults.victims import plain, settled, shipping_now
from sandbox.world.model import ErpLine, ErpOrder, Item, Order, OrderLine
from sandbox.world.scene import Scene
from sandbox.world.stamps import DAY, HOUR, MINUTE


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
    order = scene.order(lambda o: shipping_now(scene, o) and all(line.quantity == 1 for line in o.lines))
    _before_acceptance(scene, order, "STAGING")
    order.imported = None
    scene.truth.near_miss("the operator still screens it", "ORD-001", "ORDER", order.id)


@fault("ORD-001", Phase.ERP)
def order_never_imported(scene: Scene) -> None:
    """A paid order waits for its shipping, and the ERP has never heard of it.

    Near-miss: an order that is three minutes old; the import has half an hour.
    """
    order = scene.order(lambda o: shipping_now(scene, o))
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
    business = scene.business
    number = f"{business.name}{99_000_000 + scene.rng.randrange(999_999)}-A"
    unknown = _marketplace_order(number, scene.items[0], created, business.customer, business.marketplace)
    number = f"{business.name}{98_000_000 + scene.rng.randrange(999_999)}-A"
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
    order = scene.order(lambda o: shipping_now(scene, o))
    scene.books.orders.append(_again(scene, order))
    scene.truth.exception("ORD-003", "ORDER", order.id, "order_imported_twice", _gross(order))
    order = scene.order(lambda o: plain(scene, o))
    twin = _again(scene, order)
    twin.status, twin.despatched, twin.is_invoiced = CANCELLED, None, False
    scene.books.orders.append(twin)
    scene.truth.near_miss("the second copy is cancelled", "ORD-003", "ORDER", order.id)
    order = scene.order(lambda o: plain(scene, o))
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
    order = scene.order(lambda o: plain(scene, o) and len(o.lines) == 2 and o.lines[1].shipping == 0)
    line = order.lines[1]
    scene.books.by_order[order.id].lines.remove(_erp_line(scene, line))
    scene.truth.exception("ORD-004", "ORDER_LINE", line.id, "line_missing_in_the_erp", -line.price)
    order = scene.order(lambda o: o.profile == "LINE_CANCELLED" and settled(scene, o))
    scene.truth.near_miss("the line was cancelled", "ORD-004", "ORDER_LINE", order.lines[-1].id)


@fault("ORD-005", Phase.ERP)
def one_unit_too_many(scene: Scene) -> None:
    """The ERP holds one unit more than was sold, at the right unit price.

    Near-miss: fewer units than the order line says, because the rest was cancelled.
    """
    _, line = scene.line(lambda o, x: plain(scene, o))
    erp_line = _erp_line(scene, line)
    erp_line.quantity += 1
    erp_line.net, erp_line.tax = split_vat(line.unit * erp_line.quantity, erp_line.vat_rate)
    scene.truth.exception("ORD-005", "ORDER_LINE", line.id, "one_unit_too_many", line.unit)
    order = scene.order(lambda o: o.profile == "PARTLY_CANCELLED" and settled(scene, o))
    scene.truth.near_miss("quantity less the cancelled units", "ORD-005", "ORDER_LINE", order.lines[0].id)


@fault("ORD-006", Phase.ERP)
def old_price_in_the_erp(scene: Scene) -> None:
    """The ERP order carries a price 5 % below the one that the customer paid.

    Near-miss: one penny of rounding.
    """
    _, line = scene.line(lambda o, x: plain(scene, o) and x.price >= 2_000)
    erp_line = _erp_line(scene, line)
    price = line.unit * 95 // 100 * line.quantity
    erp_line.net, erp_line.tax = split_vat(price, erp_line.vat_rate)
    scene.truth.exception("ORD-006", "ORDER_LINE", line.id, "old_price_in_the_erp", price - line.price)
    _, line = scene.line(lambda o, x: plain(scene, o) and x.price >= 2_000 and x.quantity == 1)
    _erp_line(scene, line).net += 1
    scene.truth.near_miss("a penny of rounding", "ORD-006", "ORDER_LINE", line.id)


@fault("ORD-007", Phase.ERP)
def half_the_shipping_in_the_erp(scene: Scene) -> None:
    """The carriage line of the ERP order is half of what the customer paid for shipping.

    Near-miss: one penny of rounding.
    """

    def charged_once(order: Order) -> bool:
        return plain(scene, order) and len(order.lines) == 1 and order.lines[0].shipping > 0

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

    def standard(order: Order, line: OrderLine) -> bool:
        is_standard = line.item.vat_rate == 2000 and line.shipping == 0 and line.price >= 500
        return plain(scene, order) and is_standard

    _, line = scene.line(standard)
    erp_line = _erp_line(scene, line)
    missing = erp_line.tax
    erp_line.net, erp_line.tax = erp_line.net + erp_line.tax, 0
    erp_line.tax_code, erp_line.vat_rate = TAX_CODES[0], 0
    scene.truth.exception("ORD-008", "ORDER_LINE", line.id, "standard_rated_goods_sold_at_zero", -missing)
    _, line = scene.line(standard)
    erp_line = _erp_line(scene, line)
    erp_line.net, erp_line.tax = erp_line.net - 1, erp_line.tax + 1
    scene.truth.near_miss("VAT one penny off", "ORD-008", "ORDER_LINE", line.id)


@fault("ORD-009", Phase.ERP)
def order_in_the_wrong_currency(scene: Scene) -> None:
    """The ERP order of a sterling sale is in euro.

    Near-miss: a trade customer's order that really is in euro.
    """
    order = scene.order(lambda o: shipping_now(scene, o))
    scene.books.by_order[order.id].currency = "EUR"
    scene.truth.exception("ORD-009", "ORDER", order.id, "order_in_the_wrong_currency", _gross(order))
    trade = _marketplace_order(
        f"PO{scene.rng.randrange(10_000, 99_999)}", scene.items[2], scene.as_of - 2 * DAY, "CORVID1", ""
    )
    trade.currency, trade.lines[0].order_line_id = "EUR", ""
    scene.books.orders.append(trade)
    scene.later(lambda: scene.truth.near_miss("a euro customer", "ORD-009", "ERP_ORDER", trade.document_no))


@fault("ORD-010", Phase.ERP)
def paid_order_still_on_hold(scene: Scene) -> None:
    """The customer has paid and waits for the goods; the ERP order is still on hold, so the warehouse does not see it.

    Near-miss: an order on hold in the ERP that nobody has accepted yet. What was paid a moment ago may still be on its
    way to the ERP.
    """
    order = scene.order(lambda o: shipping_now(scene, o) and o.updated < scene.as_of - HOUR)
    erp_order = scene.books.by_order[order.id]
    erp_order.status, erp_order.updated = ON_HOLD, erp_order.created
    scene.truth.exception("ORD-010", "ORDER", order.id, "paid_order_still_on_hold", -_gross(order))
    waiting = next(o for o in scene.orders if o.state == "WAITING_ACCEPTANCE" and o.id in scene.books.by_order)
    scene.near_miss_once("on hold until somebody accepts it", "ORD-010", "ORDER", waiting.id)


@fault("ORD-011", Phase.ERP)
def order_on_a_trade_account(scene: Scene) -> None:
    """A marketplace order was booked on a trade customer's account.

    Near-miss: that customer's own order.
    """
    order = scene.order(lambda o: plain(scene, o))
    scene.books.by_order[order.id].customer = "DUNLIN1"
    scene.truth.exception("ORD-011", "ORDER", order.id, "order_on_a_trade_account", _gross(order))
    ours = scene.business.customer
    trade = next(o for o in scene.books.orders if o.order is None and o.customer != ours and not o.is_draft)
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


@fault("ORD-014", Phase.ERP, model="ORDER_LED")
def cancelled_line_invoiced(scene: Scene) -> None:
    """A line cancelled before it shipped is still on the ERP order, despatched and invoiced with the rest.

    Near-miss: a line cancelled in the same way that the ERP order no longer has.
    """
    order = scene.order(lambda o: o.profile == "LINE_CANCELLED" and settled(scene, o))
    line = order.lines[-1]
    erp_line = line_before_cancelation(line)
    scene.books.by_order[order.id].lines.insert(1, erp_line)
    scene.truth.exception("ORD-014", "ORDER_LINE", line.id, "cancelled_line_invoiced", erp_line.net + erp_line.tax)
    order = scene.order(lambda o: o.profile == "LINE_CANCELLED" and settled(scene, o))
    scene.truth.near_miss("gone from the ERP order", "ORD-014", "ORDER_LINE", order.lines[-1].id)


@fault("ORD-015", Phase.ERP)
def order_without_its_marketplace_code(scene: Scene) -> None:
    """The ERP order is right in everything and lacks the analysis code that marks it as the marketplace's.

    Near-miss: a trade customer's order, which has no such code to carry.
    """
    order = scene.order(lambda o: plain(scene, o))
    scene.books.by_order[order.id].analysis = ""
    scene.truth.exception("ORD-015", "ORDER", order.id, "order_without_its_marketplace_code", _gross(order))
    trade = next(o for o in scene.books.orders if o.order is None and o.customer == "CORVID1" and not o.analysis)
    scene.later(lambda: scene.near_miss_once("not of the marketplace", "ORD-015", "ERP_ORDER", trade.document_no))
