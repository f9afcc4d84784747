"""Faults of level k: offers against the item master."""

from dataclasses import replace

from sandbox.world.catalogue import SALE_WAREHOUSES
from sandbox.world.faults.registry import Phase, fault
from sandbox.world.model import Item
from sandbox.world.money import share
from sandbox.world.scene import Scene
from sandbox.world.stamps import DAY, MINUTE

_FIRST_STRAY = 9_001
"""Offer ids of offers without an item begin here, behind those of all items."""


def _on_sale(scene: Scene, item: Item) -> bool:
    """Offered, with so much stock that the offer is active in any case."""
    return not item.is_discontinued and item.code not in scene.stock.awaited and scene.stock.expected(item) >= 5


def _stray(scene: Scene, like: Item, quantity: int) -> Item:
    """An offer that looks like the one of `like`, under a SKU that the books do not have."""
    number = _FIRST_STRAY + len(scene.strays)
    item = replace(
        like,
        code=f"{like.code}X",
        offer_id=number,
        product_sku=f"MKP{number:015d}",
        ean=f"29{number:011d}",
        offer=replace(like.offer),
    )
    scene.strays.append((item, quantity))
    return item


@fault("OFR-001", Phase.STOCK)
def offer_of_an_unknown_item(scene: Scene) -> None:
    """Three pieces are on sale under a SKU that is no item of the ERP: an order of it could not be booked.

    Near-miss: an offer of such a SKU that was closed long ago.
    """
    item = _stray(scene, scene.item(lambda x: _on_sale(scene, x)), 3)
    scene.truth.exception("OFR-001", "OFFER", item.code, "offer_of_an_unknown_item")
    item = _stray(scene, scene.item(lambda x: _on_sale(scene, x)), 0)
    scene.truth.near_miss("closed long ago", "OFR-001", "OFFER", item.code)


@fault("OFR-002", Phase.STOCK, once=True, only="HOMELY")
def two_items_of_one_code(scene: Scene) -> None:
    """A second active item, the child of a range, ends in the same code: nobody can say which of them is sold.

    Sage 200 holds a code once. Near-miss: the second item was retired.
    """
    item = scene.item(lambda x: _on_sale(scene, x))
    item.twin = "ACTIVE"
    scene.truth.exception("OFR-002", "OFFER", item.code, "two_items_of_one_code")
    item = scene.item(lambda x: _on_sale(scene, x))
    item.twin = "RETIRED"
    scene.truth.near_miss("the second item was retired", "OFR-002", "OFFER", item.code)


@fault("OFR-003", Phase.STOCK)
def price_not_pushed(scene: Scene) -> None:
    """The price was raised in the books three days ago, and the offer still shows the old one.

    Near-misses: a price that was raised twenty minutes ago, within the hour that a push may take; one that a promotion
    lowers for a while.
    """
    item = scene.item(lambda x: _on_sale(scene, x) and x.promotion is None)
    _raise_price(item, scene.as_of - 3 * DAY)
    scene.truth.exception("OFR-003", "OFFER", item.code, "price_not_pushed", item.price - item.list_price)
    item = scene.item(lambda x: _on_sale(scene, x) and x.promotion is None)
    _raise_price(item, scene.as_of - 20 * MINUTE)
    scene.truth.near_miss("raised twenty minutes ago", "OFR-003", "OFFER", item.code)
    item = scene.item(lambda x: _on_sale(scene, x) and x.promotion is not None)
    scene.truth.near_miss("on promotion", "OFR-003", "OFFER", item.code)


def _raise_price(item: Item, at: int) -> None:
    item.new_price, item.repriced = item.price + max(100, share(item.price, 500)), at
    item.offer.price = item.price


@fault("OFR-006", Phase.STOCK)
def price_below_cost(scene: Scene) -> None:
    """The point slipped: the offer asks a tenth of the price, less than the item costs.

    Near-miss: a price that was cut, in the books as well, to just what the item costs.
    """
    item = scene.item(lambda x: _on_sale(scene, x) and x.promotion is None)
    item.offer.price = item.price // 10
    scene.truth.exception("OFR-006", "OFFER", item.code, "price_below_cost", item.offer.price - item.price)
    item = scene.item(lambda x: _on_sale(scene, x) and x.promotion is None)
    item.new_price, item.repriced = item.cost + share(item.cost, item.vat_rate), scene.as_of - 10 * DAY
    scene.truth.near_miss("cut to what the item costs", "OFR-006", "OFFER", item.code)


@fault("OFR-004", Phase.STOCK)
def item_without_an_offer(scene: Scene) -> None:
    """An item that may be sold is offered nowhere.

    Near-miss: a discontinued item without an offer.
    """
    item = scene.item(lambda x: _on_sale(scene, x))
    item.offer.is_listed = False
    scene.truth.exception("OFR-004", "ITEM", item.code, "item_without_an_offer")
    for item in scene.items:
        if item.is_discontinued and item.code not in scene.taken_items:
            scene.taken_items.add(item.code)
            item.offer.is_listed = False
            scene.truth.near_miss("discontinued", "OFR-004", "ITEM", item.code)
            break


@fault("OFR-005", Phase.STOCK)
def offer_closed_by_the_operator(scene: Scene) -> None:
    """The marketplace took an offer with stock off its pages: nobody meant it to.

    Near-miss: an offer that is closed because nothing is left.
    """
    item = scene.item(lambda x: _on_sale(scene, x))
    item.offer.reasons = ("PRODUCT_DISABLED",)
    scene.truth.exception("OFR-005", "OFFER", item.code, "offer_closed_by_the_operator")
    item = scene.item(lambda x: _on_sale(scene, x))
    item.free.update(dict.fromkeys(SALE_WAREHOUSES, 0))
    scene.truth.near_miss("closed because nothing is left", "OFR-005", "OFFER", item.code)


@fault("OFR-007", Phase.STOCK)
def offer_of_another_product(scene: Scene) -> None:
    """The offer hangs on a product with another barcode than the item's: buyers would get something else.

    Near-miss: two items of one product, as after a relaunch: each offer shows its item's own barcode.
    """
    item, other = (scene.item(lambda x: _on_sale(scene, x)) for _ in range(2))
    item.offer.product = other
    scene.truth.exception("OFR-007", "OFFER", item.code, "offer_of_another_product")
    item = scene.item(lambda x: _on_sale(scene, x))
    item.ean, item.product_sku = other.ean, other.product_sku
    scene.truth.near_miss("two items of one product", "OFR-007", "OFFER", item.code)


@fault("OFR-008", Phase.STOCK)
def offer_in_packs(scene: Scene) -> None:
    """The offer can only be bought six at a time, though the item is sold singly.

    Near-miss: an offer for which the marketplace states no package: it is sold singly.
    """
    item = scene.item(lambda x: _on_sale(scene, x))
    item.offer.package = 6
    scene.truth.exception("OFR-008", "OFFER", item.code, "offer_in_packs")
    item = scene.item(lambda x: _on_sale(scene, x))
    item.offer.package = None
    scene.truth.near_miss("no package stated", "OFR-008", "OFFER", item.code)
