"""Stock per warehouse, and the quantity each offer should show.

expected = max(0, free stock of the warehouses for sale - quantities of orders not yet in the ERP - buffer), at most the
marketplace's maximum; nil for a discontinued item.
"""

import random

from sandbox.world.catalogue import BUFFER, MAXIMUM_QUANTITY, SALE_WAREHOUSES, WAREHOUSES
from sandbox.world.erp import Books
from sandbox.world.model import Item, Order


class Stock:
    """`free[item code][warehouse]` is the free stock; `allocated[item code]` what open sales orders hold in MAIN."""

    def __init__(self, rng: random.Random, items: list[Item]) -> None:
        self.items = items
        self.allocated: dict[str, int] = {}
        self.awaited: dict[str, int] = {}
        for item in items:
            item.free = {
                "MAIN": rng.choice((0, 1, 2, 3)) if rng.random() < 0.06 else rng.randrange(4, 160),
                "NORTH": 0 if rng.random() < 0.4 else rng.randrange(0, 60),
                "RETURNS": rng.randrange(0, 5),
            }
            if item.is_discontinued:
                item.free["NORTH"] = 0

    def count(self, orders: list[Order], books: Books) -> None:
        """Open ERP orders allocate; marketplace orders that the ERP does not have reduce what may be offered."""
        for erp_order in books.orders:
            if erp_order.is_open:
                for line in erp_order.lines:
                    if line.item is not None:
                        code = line.item.code
                        self.allocated[code] = self.allocated.get(code, 0) + line.quantity
        for order in orders:
            if order.id in books.by_order or not order.is_in_feed:
                continue
            if order.state.startswith("WAITING_") or order.state == "SHIPPING":
                for each in order.live_lines:
                    quantity = each.quantity - each.cancelled_quantity
                    self.awaited[each.item.code] = self.awaited.get(each.item.code, 0) + quantity

    def expected(self, item: Item) -> int:
        if item.is_discontinued:
            return 0
        free = sum(item.free[warehouse] for warehouse in SALE_WAREHOUSES)
        return min(MAXIMUM_QUANTITY, max(0, free - self.awaited.get(item.code, 0) - BUFFER))


def warehouses(items: list[Item]) -> list[str]:
    """The three warehouses, and any other that holds stock."""
    found = list(WAREHOUSES)
    for item in items:
        for name in item.free:
            if name not in found:
                found.append(name)
    return found
