"""Faults in the tax on what the seller sold: who owes it, and what the books declare."""

from sandbox.world.catalogue import TAX_CODES
from sandbox.world.faults.registry import Phase, fault
from sandbox.world.faults.victims import plain
from sandbox.world.model import Order
from sandbox.world.money import share
from sandbox.world.scene import Scene
from sandbox.world.stamps import DAY
from sandbox.world.trade import CONSIGNMENT_LIMIT, to_ireland

_BRITISH_VAT = 2000
_ROUNDED_DOWN = 15
"""Lines; the configuration of a sandbox tolerates ten pence of roundings a month, as small as its months are."""


def _goods(order: Order) -> int:
    return sum(line.price for line in order.lines)


def _tax(order: Order) -> int:
    return sum(line.tax.goods + line.tax.shipping for line in order.lines if line.tax is not None)


@fault("TAX-005", Phase.TRADE)
def collected_above_the_limit(scene: Scene) -> None:
    """The operator collected the Irish VAT of a consignment that is worth more than its scheme allows.

    Above the limit the buyer pays at the border, so either the VAT is paid twice or the value is wrong. Near-miss: a
    small consignment whose VAT it collected.
    """
    order = scene.order(lambda o: plain(scene, o) and len(o.lines) == 1 and _goods(o) > CONSIGNMENT_LIMIT)
    to_ireland(order, is_remitted=True)
    scene.truth.exception("TAX-005", "ORDER", order.id, "collected_above_the_limit", _tax(order))
    order = scene.order(lambda o: o.profile == "COLLECTED")
    scene.truth.near_miss("a small consignment", "TAX-005", "ORDER", order.id)


@fault("TAX-006", Phase.TRADE)
def tax_handed_to_the_seller(scene: Scene) -> None:
    """The operator charged Irish VAT on a small consignment and paid it to the seller instead of keeping it.

    It owes that VAT itself; what the seller got is not his. Near-miss: the same with both halves, in and out again.
    """
    order = scene.order(lambda o: plain(scene, o) and len(o.lines) == 1 and 1_000 <= _goods(o) <= CONSIGNMENT_LIMIT)
    to_ireland(order, is_remitted=False)
    scene.truth.exception("TAX-006", "ORDER", order.id, "tax_handed_to_the_seller", _tax(order))
    order = scene.order(lambda o: o.profile == "COLLECTED")
    scene.truth.near_miss("collected and remitted", "TAX-006", "ORDER", order.id)


@fault("TAX-002", Phase.TRADE)
def sale_to_a_country_without_a_rule(scene: Scene) -> None:
    """Goods went to Norway, for which nobody has said who owes the tax; the import took the item's own code.

    Near-miss: an export to Jersey, which has its rule and is booked at the zero rate.
    """
    order = scene.order(lambda o: plain(scene, o))
    order.ship_to = "NOR"
    scene.truth.exception("TAX-002", "ORDER", order.id, "sale_to_a_country_without_a_rule", _goods(order))
    order = scene.order(lambda o: o.profile == "EXPORTED")
    scene.truth.near_miss("an export with its rule", "TAX-002", "ORDER", order.id)


@fault("TAX-001", Phase.ERP)
def collected_tax_booked_again(scene: Scene) -> None:
    """The operator collects and remits the VAT of a sale to Ireland; the books put British VAT on top of it.

    The seller declares tax that he does not owe, and the customer account keeps it. Near-miss: such a sale at the code
    of what the marketplace collects.
    """
    order = scene.order(lambda o: o.profile == "COLLECTED")
    erp_order = scene.books.by_order[order.id]
    for line in erp_order.lines:
        line.tax, line.vat_rate, line.tax_code = share(line.net, _BRITISH_VAT), _BRITISH_VAT, TAX_CODES[_BRITISH_VAT]
    line = next(line for line in erp_order.lines if line.order_line_id)
    scene.truth.exception("TAX-001", "ORDER_LINE", line.order_line_id, "collected_tax_booked_again", line.tax)
    order = scene.order(lambda o: o.profile == "COLLECTED")
    scene.truth.near_miss("declares nothing", "TAX-001", "ORDER_LINE", order.lines[0].id)


@fault("TAX-004", Phase.ERP, once=True)
def vat_always_rounded_down(scene: Scene) -> None:
    """Lately the import rounds VAT down: a penny is missing on line after line, each of them inside its tolerance.

    The gross prices are right, and the pennies all go one way. Near-miss: prices, whose pennies are few.
    """
    recent = [
        order
        for order in scene.orders
        if order.id not in scene.taken
        and order.profile in ("ORDINARY", "TWO_LINES")
        and order.created > scene.as_of - 26 * DAY
        and order.id in scene.books.by_order
    ]
    lines = [
        line
        for order in recent
        for line in scene.books.by_order[order.id].lines
        if line.order_line_id and line.tax > 100 and line.vat_rate == _BRITISH_VAT
    ]
    if len(lines) < _ROUNDED_DOWN:
        raise LookupError("too few lines of late for a drift")
    for line in scene.rng.sample(lines, _ROUNDED_DOWN):
        line.tax, line.net = line.tax - 1, line.net + 1
    scene.truth.exception("TAX-004", "TEST", "LINE_TAX", "vat_always_rounded_down", -_ROUNDED_DOWN)
    scene.truth.near_miss("few pennies", "TAX-004", "TEST", "LINE_PRICE")
