"""Faults of level i: what left the warehouse, and what the marketplace was told of it."""

from collections.abc import Callable

from sandbox.world.erp import LIVE, STRANGE_SERVICE, whole_despatch
from sandbox.world.faults.registry import Phase, fault
from sandbox.world.faults.victims import on_its_way, plain, settled, shipping_now
from sandbox.world.model import Despatch, ErpOrder, Order
from sandbox.world.scene import Scene
from sandbox.world.stamps import HOUR, MINUTE


def _despatch(erp_order: ErpOrder, instant: int) -> None:
    """Everything on the order leaves; its invoice is raised tonight."""
    erp_order.status, erp_order.despatched, erp_order.is_invoiced = LIVE, instant, False
    erp_order.updated = instant


def _goods(order: Order) -> int:
    """What the goods of an order are worth, cancelled ones too; carriage is not despatched."""
    return sum(line.price for line in order.lines if not line.refused)


@fault("DSP-001", Phase.ERP)
def despatch_never_confirmed(scene: Scene) -> None:
    """The warehouse sent the goods three hours ago; the marketplace still waits for them.

    Near-miss: goods that left four minutes ago; the confirmation has ten.
    """
    order = scene.order(lambda o: shipping_now(scene, o))
    _despatch(scene.books.by_order[order.id], scene.as_of - 3 * HOUR)
    scene.truth.exception("DSP-001", "DISPATCH", order.id, "despatch_never_confirmed", _goods(order))
    order = scene.order(lambda o: shipping_now(scene, o))
    _despatch(scene.books.by_order[order.id], scene.as_of - 4 * MINUTE)
    scene.truth.near_miss("left four minutes ago", "DSP-001", "DISPATCH", order.id)


@fault("DSP-002", Phase.ERP)
def delivered_but_never_despatched(scene: Scene) -> None:
    """The customer has the goods; the ERP order is still live, neither despatched nor invoiced.

    Near-miss: a fully refunded order that is despatched in the ERP, as it should be.
    """
    order = scene.order(lambda o: plain(scene, o))
    erp_order = scene.books.by_order[order.id]
    erp_order.status, erp_order.despatched, erp_order.is_invoiced = LIVE, None, False
    erp_order.updated = erp_order.created
    scene.truth.exception("DSP-002", "DISPATCH", order.id, "delivered_but_never_despatched", -_goods(order))
    order = scene.order(lambda o: o.profile == "REFUNDED_IN_FULL" and settled(scene, o))
    scene.truth.near_miss("refunded after despatch", "DSP-002", "DISPATCH", order.id)


@fault("DSP-003", Phase.TRADE)
def shipping_deadline_at_risk(scene: Scene) -> None:
    """Two paid orders that nobody has sent: one should have left five hours ago, one has three hours left.

    Near-misses: an order that has a whole day left, and one that was sent late, for which nothing can be done any more.
    """
    for deadline in (scene.as_of - 5 * HOUR, scene.as_of + 3 * HOUR):
        order = scene.order(lambda o: shipping_now(scene, o))
        order.deadline = deadline
        scene.truth.exception("DSP-003", "DISPATCH", order.id, "shipping_deadline_at_risk", -_goods(order))
    order = scene.order(lambda o: shipping_now(scene, o))
    order.deadline = scene.as_of + 24 * HOUR
    scene.truth.near_miss("a day is left", "DSP-003", "DISPATCH", order.id)
    late = next(o for o in scene.orders if o.profile == "LATE" and o.shipped is not None)
    scene.near_miss_once("sent late, but sent", "DSP-003", "DISPATCH", late.id)


@fault("DSP-004", Phase.ERP)
def buyer_cannot_follow_the_parcel(scene: Scene) -> None:
    """Three parcels on their way: one with a carrier that nobody has mapped, one under a number that the marketplace
    was never given, one under no number at all.

    Near-misses: a parcel whose number the marketplace has, and one without a number that has arrived.
    """

    def told(order: Order, number: Despatch) -> None:
        scene.later(
            lambda: scene.truth.exception("DSP-004", "ERP_DISPATCH", number.number, "buyer_cannot_follow_the_parcel")
        )

    def parcel(wanted: Callable[[Order], bool]) -> tuple[Order, Despatch]:
        order = scene.order(lambda o: wanted(o) and o.id in scene.books.by_order)
        erp_order = scene.books.by_order[order.id]
        found = whole_despatch(erp_order, erp_order.despatched or 0)
        erp_order.despatches = [found]
        return order, found

    order, despatch = parcel(on_its_way)
    despatch.carrier = STRANGE_SERVICE
    told(order, despatch)
    order, despatch = parcel(on_its_way)
    order.is_tracked = False
    told(order, despatch)
    order, despatch = parcel(on_its_way)
    order.is_tracked, despatch.tracking = False, ""
    told(order, despatch)
    _, followed = parcel(on_its_way)
    scene.later(lambda: scene.truth.near_miss("the buyer can follow it", "DSP-004", "ERP_DISPATCH", followed.number))
    order, arrived = parcel(lambda o: plain(scene, o))
    order.is_tracked, arrived.tracking = False, ""
    scene.later(lambda: scene.truth.near_miss("it has arrived", "DSP-004", "ERP_DISPATCH", arrived.number))


@fault("DSP-005", Phase.ERP)
def one_unit_left_on_the_shelf(scene: Scene) -> None:
    """The marketplace was told that everything is on its way and the invoice says so too; one unit never left.

    Near-misses: a line that left in two parcels, and one of which some units were cancelled before.
    """

    def several(order: Order) -> bool:
        return plain(scene, order) and len(order.lines) == 1 and order.lines[0].quantity >= 2

    order = scene.order(several)
    erp_order, line = scene.books.by_order[order.id], order.lines[0]
    erp_order.status = LIVE
    erp_order.despatches = [whole_despatch(erp_order, erp_order.despatched or 0)]
    erp_order.despatches[0].quantities[0] = line.quantity - 1
    scene.truth.exception("DSP-005", "DISPATCH_LINE", line.id, "one_unit_left_on_the_shelf", -line.unit)
    order = scene.order(several)
    erp_order, line = scene.books.by_order[order.id], order.lines[0]
    last = erp_order.despatched or 0
    erp_order.despatches = [whole_despatch(erp_order, last - HOUR), whole_despatch(erp_order, last)]
    erp_order.despatches[0].quantities[0], erp_order.despatches[1].quantities[0] = 1, line.quantity - 1
    erp_order.despatches[0].tracking += "A"
    scene.truth.near_miss("two parcels", "DSP-005", "DISPATCH_LINE", line.id)
    order = scene.order(lambda o: o.profile == "PARTLY_CANCELLED" and settled(scene, o))
    scene.truth.near_miss("the rest was cancelled", "DSP-005", "DISPATCH_LINE", order.lines[0].id)


@fault("DSP-006", Phase.ERP)
def sent_although_cancelled(scene: Scene) -> None:
    """The customer cancelled, and the warehouse sent the goods all the same.

    Near-miss: cancelled on both sides before anything left.
    """

    def cancelled(order: Order) -> bool:
        return order.profile == "CANCELLED" and order.id in scene.books.by_order

    order = scene.order(cancelled)
    _despatch(scene.books.by_order[order.id], (order.cancelled or order.created) + 5 * HOUR)
    scene.truth.exception("DSP-006", "DISPATCH", order.id, "sent_although_cancelled", _goods(order))
    order = scene.order(cancelled)
    scene.truth.near_miss("cancelled before it left", "DSP-006", "DISPATCH", order.id)
