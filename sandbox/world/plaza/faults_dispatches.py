"""PLAZA's faults of level i: what its sellers sent, against what their orders say."""

from sandbox.world.model import Order, OrderLine, Shipment
from sandbox.world.plaza.faults import Scene, Stage, fault
from sandbox.world.plaza.sellers import Seller
from sandbox.world.settlement import new_id
from sandbox.world.stamps import HOUR, MINUTE


def _value(line: OrderLine, quantity: int) -> int:
    tax = line.tax.goods if line.tax else 0
    return (line.price + tax) * quantity // line.quantity


@fault("DSP-003", Stage.LINES)
def seller_misses_the_deadline(scene: Scene) -> None:
    """A paid order should have left two hours ago, and its seller has sent nothing.

    Near-miss: an order of the same age that may wait until tomorrow.
    """

    def unsent(seller: Seller, order: Order, line: OrderLine) -> bool:
        return order.state == "SHIPPING" and order.profile == "UNSENT"

    _, order, line = scene.line(unsent)
    order.deadline = scene.as_of - 2 * HOUR
    scene.truth.exception("DSP-003", "DISPATCH", order.id, "seller_misses_the_deadline", -_value(line, line.quantity))
    _, order, _ = scene.line(unsent)
    order.deadline = scene.as_of + 24 * HOUR
    scene.truth.near_miss("tomorrow is early enough", "DSP-003", "DISPATCH", order.id)


@fault("DSP-004", Stage.LINES)
def parcel_without_a_number(scene: Scene) -> None:
    """A parcel is on its way, and the seller gave no number to follow it by.

    Near-miss: a parcel without a number that has arrived.
    """
    _, order, _ = scene.line(lambda s, o, x: o.state == "SHIPPED" and len(o.shipments) == 1)
    order.shipments[0].is_tracked = False
    scene.truth.exception("DSP-004", "SHIPMENT", order.shipments[0].id, "parcel_without_a_number")
    _, order, _ = scene.line(lambda s, o, x: o.state == "CLOSED" and o.profile == "ORDINARY" and len(o.shipments) == 1)
    order.shipments[0].is_tracked = False
    scene.truth.near_miss("it has arrived", "DSP-004", "SHIPMENT", order.shipments[0].id)


@fault("DSP-005", Stage.LINES)
def parcel_lacks_a_unit(scene: Scene) -> None:
    """The order says that two units are on their way; the only parcel holds one.

    Near-miss: a line whose two units travel in two parcels.
    """
    _, order, line = scene.line(
        lambda s, o, x: (
            o.profile == "ORDINARY"
            and o.received is not None
            and x.quantity == 2
            and len(o.shipments) == 1
            and o.workflow != "PAY_ON_SHIPMENT"
        )
    )
    order.shipments[0].quantities[line.id] = 1
    missing = _value(line, 2) - _value(line, 1)
    scene.truth.exception("DSP-005", "DISPATCH_LINE", line.id, "parcel_lacks_a_unit", -missing)
    _, order, line = scene.line(lambda s, o, x: o.profile == "SPLIT" and o.workflow != "PAY_ON_SHIPMENT")
    scene.truth.near_miss("two parcels", "DSP-005", "DISPATCH_LINE", line.id)


@fault("DSP-006", Stage.LINES)
def parcel_of_a_cancelled_order(scene: Scene) -> None:
    """The customer cancelled, and the seller sent the goods all the same.

    Near-miss: a cancelled order of which nothing was sent.
    """
    _, order, line = scene.line(lambda s, o, x: o.profile == "CANCELLED")
    sent = (order.cancelled or order.created) + 3 * HOUR
    order.shipments.append(Shipment(new_id(scene.rng), {line.id: line.quantity}, sent - 30 * MINUTE, sent))
    value = _value(line, line.quantity)
    scene.truth.exception("DSP-006", "DISPATCH_LINE", line.id, "parcel_of_a_cancelled_order", value)
    _, _, line = scene.line(lambda s, o, x: o.profile == "CANCELLED")
    scene.truth.near_miss("nothing was sent", "DSP-006", "DISPATCH_LINE", line.id)
