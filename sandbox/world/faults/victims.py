"""Whom a fault may hit."""

from sandbox.world.model import Order, OrderLine
from sandbox.world.scene import Scene
from sandbox.world.stamps import DAY, HOUR


def settled(scene: Scene, order: Order) -> bool:
    """Delivered so long ago that a cycle has taken it up."""
    return order.received is not None and order.received < scene.as_of - 14 * DAY


def plain(scene: Scene, order: Order) -> bool:
    """Settled, and nothing ever happened to it."""
    return order.profile in ("ORDINARY", "TWO_LINES") and settled(scene, order)


def is_pro_rata(line: OrderLine) -> bool:
    """The commission is the rate of the base, and a refund gives all of its part back."""
    return line.commission > line.item.contract.minimum and not line.item.contract.retained


def on_its_way(order: Order) -> bool:
    """Sent, and the customer does not have it yet."""
    return order.state == "SHIPPED" and order.profile == "ORDINARY"


def shipping_now(scene: Scene, order: Order) -> bool:
    """Paid, in the ERP, not yet despatched."""
    return (
        order.state == "SHIPPING"
        and order.profile == "ORDINARY"
        and scene.as_of - 46 * HOUR < order.created < scene.as_of - 2 * HOUR
    )
