"""A second opinion on customer service: conversations about orders that the marketplace does not hold."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.world import World


def findings(world: World, marketplace: str) -> Iterator[tuple[str, str, str]]:
    side = world.mirakl[marketplace]
    for thread in side.threads:
        orders = [entity["id"] for entity in thread["entities"] if entity["type"] == "MMP_ORDER"]
        if orders and not any(order_id in side.orders for order_id in orders):
            yield "CUS-001", "CASE", thread["id"]
