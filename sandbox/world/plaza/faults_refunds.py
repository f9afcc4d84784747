"""The faults of level j planted at PLAZA: what its sellers refunded. An operator holds no credit notes of theirs."""

from sandbox.world.model import Order, OrderLine
from sandbox.world.plaza.faults import Scene, Stage, fault
from sandbox.world.plaza.sellers import Role, Seller, TaxRegime
from sandbox.world.stamps import DAY, HOUR

RETURN_DAYS = 14


def _came_back(seller: Seller, order: Order, line: OrderLine) -> bool:
    """Refunded once and in full; nothing else is special about the seller."""
    special = {Role.RECALL, Role.KYC_OPEN, Role.OPERATOR_CARRIAGE}
    return order.profile == "REFUNDED_IN_FULL" and len(line.refunds) == 1 and not seller.roles & special


@fault("CRN-004", Stage.TRADE, once=True)
def refunded_more_than_sold(scene: Scene) -> None:
    """Goods were refunded in full, and a day later five pounds of them again.

    Near-miss: two refunds of one line that stay within the sale.
    """
    _, order, line = scene.line(
        lambda s, o, x: (
            _came_back(s, o, x)
            and s.regime is TaxRegime.UNKNOWN
            and x.refunds[0].created < scene.as_of - 3 * DAY
            and x.commission > x.item.contract.minimum
            and not x.item.contract.retained
        )
    )
    scene.trade.add_refund(line, line.refunds[0].created + DAY, 500, 0)
    order.updated = max(order.updated, line.refunds[-1].created)
    scene.truth.exception("CRN-004", "ORDER_LINE", line.id, "refunded_more_than_sold", 500)
    _, _, line = scene.line(lambda s, o, x: o.profile == "REFUNDED_TWICE" and len(x.refunds) == 2)
    scene.truth.near_miss("two refunds within the sale", "CRN-004", "ORDER_LINE", line.id)


@fault("CRN-005", Stage.TRADE, once=True)
def refunded_goods_never_came_back(scene: Scene) -> None:
    """The seller refunded goods that were asked back, and two weeks later they are still on their way.

    Near-miss: a refund of the last hour whose goods are on their way.
    """
    _, order, line = scene.line(
        lambda s, o, x: _came_back(s, o, x) and x.refunds[0].created < scene.as_of - (RETURN_DAYS + 2) * DAY
    )
    order.return_state = "IN_PROGRESS"
    refund = line.refunds[0]
    scene.truth.exception("CRN-005", "REFUND", refund.id, "refunded_goods_never_came_back", -refund.goods)
    if unpaid := scene.seen(lambda s, o, x: o.profile == "REFUND_UNPAID" and bool(x.refunds)):
        _, order, line = unpaid
        order.return_state = "IN_PROGRESS"
        scene.truth.near_miss("the parcel has two weeks", "CRN-005", "REFUND", line.refunds[0].id)


@fault("CRN-006", Stage.TRADE, once=True)
def price_refunded_without_its_tax(scene: Scene) -> None:
    """A taxed line was refunded without its share of the tax, which the marketplace gives back only when asked.

    Near-miss: a refund with its tax.
    """

    def taxed(seller: Seller, order: Order, line: OrderLine) -> bool:
        return len(line.refunds) == 1 and line.refunds[0].tax > 10 and line.refunds[0].created < scene.as_of - HOUR

    _, _, line = scene.line(taxed)
    refund = line.refunds[0]
    scene.truth.exception("CRN-006", "REFUND", refund.id, "price_refunded_without_its_tax", -refund.tax)
    refund.tax = 0
    _, _, line = scene.line(taxed)
    scene.truth.near_miss("the tax went with the price", "CRN-006", "REFUND", line.refunds[0].id)
