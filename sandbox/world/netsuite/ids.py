"""Internal ids of the account's rows."""

from sandbox.world.business import Business
from sandbox.world.catalogue import TAXES
from sandbox.world.erp import ACCOUNTS, OWN_VAN, SERVICES, STRANGE_SERVICE
from sandbox.world.model import Item

GROUP, TRADING, GERMAN, ELIMINATION = 1, 2, 3, 4
GBP, EUR = 1, 2
LOCATION_IDS = {"MAIN": 1, "NORTH": 2, "RETURNS": 3, "OVERFLOW": 4, "KOELN": 9}
CARRIAGE, CREDITED = 900, 800
"""Ids of the charges: carriage, and what credits are made with."""
TWINS = 100_000
"""Added to an item's id: that of the second item of its code."""
TAX_ITEM_IDS = {code: 5_001 + number for number, (code, _, _) in enumerate(TAXES)}
UNDEPOSITED = "1150"
_ACCOUNT_IDS = {number: 101 + position for position, (number, _) in enumerate((*ACCOUNTS, (UNDEPOSITED, "")))}

ORDERS, SHIPMENTS, OTHERS = 10_000_000, 20_000_000, 30_000_000
"""Where the ids of orders, of their fulfilments and of what else there is begin; postings keep the books' numbers."""
SECOND_PARCEL = 1_000_000
"""How far apart the fulfilments of one order are."""
SHIP_METHODS = {2_001 + number: name for number, name in enumerate((*SERVICES.values(), OWN_VAN, STRANGE_SERVICE))}
"""The shipping items of the account."""


def ship_method(name: str) -> int | None:
    return next((number for number, known in SHIP_METHODS.items() if known == name), None)


class Ids:
    """Ids by what the books know the rows by."""

    def __init__(self, business: Business, items: list[Item]) -> None:
        references = [business.customer, *(customer.reference for customer in business.customers)]
        self.customers = {reference: 1_001 + number for number, reference in enumerate(references)}
        self.items = {item.code: item.product_id for item in items}
        self.classes = {business.marketplace: 1, "TRADE": 2}

    @staticmethod
    def account(number: str) -> int:
        return _ACCOUNT_IDS[number]
