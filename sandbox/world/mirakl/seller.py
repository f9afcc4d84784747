"""The marketplace as the API of one shop tells it."""

from typing import Any

from sandbox.world.catalogue import SHOP
from sandbox.world.mirakl.cycles import cycle_record, documents
from sandbox.world.mirakl.lines import LineRenderer
from sandbox.world.mirakl.orders import CARRIERS, order_record
from sandbox.world.mirakl.settings import account, offer, platform
from sandbox.world.model import Item, MiraklWorld, Order
from sandbox.world.settlement import Ledger


def render(
    orders: list[Order], ledger: Ledger, items: list[Item], offers: list[tuple[Item, int, bool]], as_of: int
) -> MiraklWorld:
    """Everything the marketplace's API can tell. `offers` are (item, quantity, active)."""
    visible: list[dict[str, Any]] = []
    hidden: list[dict[str, Any]] = []
    line = LineRenderer(SHOP)
    for entry in ledger.entries:
        (hidden if entry.is_hidden else visible).append(line(entry))
    return MiraklWorld(
        account=account(ledger, len(orders), len(items)),
        platform=platform(),
        carriers=[
            {"code": code, "label": label, "standard_code": code, "tracking_url": url} for code, label, url in CARRIERS
        ],
        orders={order.id: order_record(order, as_of) for order in orders if order.is_in_feed},
        transaction_lines=visible,
        cycles=[cycle_record(SHOP, cycle) for cycle in ledger.cycles],
        invoices=documents(SHOP, ledger.cycles, ledger.documents),
        offers=[offer(item, quantity, active, as_of) for item, quantity, active in offers],
        hidden_transaction_lines=hidden,
    )
