"""A second opinion on level k: every offer beside the item that it sells, in the plainest way."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sandbox.world import World, configuration_rows
from tests.sandbox_world.plain_books import StockItem, books_of

Finding = tuple[str, str, str]


def offers(world: World, marketplace: str) -> Iterator[Finding]:
    """Level k."""
    side, books = world.mirakl[marketplace], books_of(world, marketplace)
    # Of two items of one code an active one speaks.
    of_code = {item.code: item for item in sorted(books.items, key=lambda item: item.is_active)}
    copies = Counter(item.code for item in books.items if item.is_active)
    offered = {offer["shop_sku"] for offer in side.offers}
    rate = {sku: Decimal({"1": "20", "21": "5"}.get(code, "0")) for sku, code in books.tax_code.items()}
    for code, item in of_code.items():
        if item.is_active and code not in offered:
            yield "OFR-004", "ITEM", code
    for offer in side.offers:
        sku = offer["shop_sku"]
        subject = ("OFFER", sku)
        if copies[sku] > 1:
            yield "OFR-002", *subject
            continue
        if sku not in of_code:
            if offer["active"] or offer["quantity"]:
                yield "OFR-001", *subject
            continue
        item = of_code[sku]
        if item.barcode not in {reference["reference"] for reference in offer["product_references"]}:
            yield "OFR-007", *subject
        if not item.is_active:
            continue
        if offer.get("package_quantity", 1) != 1:
            yield "OFR-008", *subject
        if not offer["active"] and offer["quantity"]:
            yield "OFR-005", *subject
        # To the half penny: a price that is the cost with VAT, rounded, is not below it.
        if offer["price"] < item.cost * (100 + rate[sku]) / 100 - Decimal("0.005"):
            yield "OFR-006", *subject
        elif offer["price"] != list_price(world, marketplace, item) and world.as_of - item.changed > timedelta(hours=1):
            yield "OFR-003", *subject


def list_price(world: World, marketplace: str, item: StockItem) -> Decimal:
    """The price by the list that goes before the others today."""
    today = world.as_of.astimezone(ZoneInfo("Europe/London")).date()
    lists = [
        row
        for row in configuration_rows()["price_lists"]
        if row["marketplace_code"] == marketplace
        and row["price_list"] in item.prices
        and date.fromisoformat(row["effective_from"]) <= today
        and today < date.fromisoformat(row["effective_until"] or "9999-12-31")
    ]
    return item.prices[max(lists, key=lambda row: int(row["priority"]))["price_list"]]
