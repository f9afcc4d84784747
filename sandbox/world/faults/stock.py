"""Faults of level h: stock."""

from sandbox.world.catalogue import BUFFER
from sandbox.world.faults.registry import Phase, fault
from sandbox.world.model import Item
from sandbox.world.scene import Scene


def _in_stock(scene: Scene, item: Item, least: int) -> bool:
    return not item.is_discontinued and item.code not in scene.stock.awaited and scene.stock.expected(item) >= least


@fault("STK-001", Phase.STOCK)
def offer_above_stock(scene: Scene) -> None:
    """The offer promises 25 more than there are.

    Near-miss: one more than there are, the tolerance for feed lag.
    """
    item = scene.item(lambda x: _in_stock(scene, x, 20))
    item.offered = scene.stock.expected(item) + 25
    scene.truth.exception("STK-001", "OFFER", item.code, "offer_above_stock")
    item = scene.item(lambda x: 4 <= scene.stock.expected(x) < 40 and _in_stock(scene, x, 4))
    item.offered = scene.stock.expected(item) + 1
    scene.truth.near_miss("one above, the tolerance", "STK-001", "OFFER", item.code)


@fault("STK-002", Phase.STOCK)
def offer_below_stock(scene: Scene) -> None:
    """The offer shows 20 less than there are: sales are lost.

    Near-miss: 95 of 100, exactly five per cent below.
    """
    item = scene.item(lambda x: _in_stock(scene, x, 50))
    item.offered = scene.stock.expected(item) - 20
    scene.truth.exception("STK-002", "OFFER", item.code, "offer_below_stock")
    item = scene.item(lambda x: _in_stock(scene, x, 30))
    item.free["MAIN"] += 100 - scene.stock.expected(item)
    item.offered = 95
    scene.truth.near_miss("five per cent below", "STK-002", "OFFER", item.code)


@fault("STK-003", Phase.STOCK, once=True)
def discontinued_item_on_sale(scene: Scene) -> None:
    """An inactive item with some stock left is still offered.

    Near-miss: an inactive item with stock left whose offer is at nil.
    """
    item = scene.item(lambda x: x.is_discontinued)
    item.free["MAIN"] = 8
    item.offered = 6
    scene.truth.exception("STK-003", "OFFER", item.code, "discontinued_item_on_sale")
    item = scene.item(lambda x: x.is_discontinued)
    item.free["MAIN"] = 12
    scene.truth.near_miss("its offer is closed", "STK-003", "OFFER", item.code)


@fault("STK-004", Phase.STOCK, once=True)
def stock_in_an_unmapped_warehouse(scene: Scene) -> None:
    """A new warehouse holds stock and nobody has said whether it is for sale.

    Near-miss: the returns warehouse, which is excluded on purpose.
    """
    for _ in range(3):
        scene.item(lambda x: _in_stock(scene, x, 5)).free["OVERFLOW"] = 15
    scene.truth.exception("STK-004", "WAREHOUSE", "OVERFLOW", "stock_in_an_unmapped_warehouse")
    scene.truth.near_miss("excluded on purpose", "STK-004", "WAREHOUSE", "RETURNS")


@fault("STK-007", Phase.STOCK, once=True)
def more_allocated_than_there_is(scene: Scene) -> None:
    """Two more units are allocated than are in stock.

    Near-miss: an item with exactly nothing left.
    """
    item = scene.item(lambda x: _in_stock(scene, x, 0))
    item.free.update(MAIN=-2, NORTH=0, RETURNS=0)
    scene.truth.exception("STK-007", "ITEM", item.code, "more_allocated_than_there_is")
    item = scene.item(lambda x: _in_stock(scene, x, 0))
    item.free.update(MAIN=0, NORTH=0, RETURNS=0)
    scene.truth.near_miss("exactly nothing left", "STK-007", "ITEM", item.code)


@fault("STK-006", Phase.STOCK)
def buffer_not_applied(scene: Scene) -> None:
    """The offer shows all that is free: the pieces held back were fed past the setting.

    Near-miss: the same on a large stock, where two pieces are within five per cent.
    """
    item = scene.item(lambda x: _in_stock(scene, x, 5) and scene.stock.expected(x) < 40)
    item.offered = scene.stock.expected(item) + BUFFER
    scene.truth.exception("STK-006", "OFFER", item.code, "buffer_not_applied")
    item = scene.item(lambda x: _in_stock(scene, x, 40))
    item.offered = scene.stock.expected(item) + BUFFER
    scene.truth.near_miss("two pieces of many", "STK-006", "OFFER", item.code)
