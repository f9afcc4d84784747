"""Ids of the company, and what its parts share."""

from datetime import date

from sandbox.world.business import Business
from sandbox.world.catalogue import CONTRACTS, MARKETPLACE_PRICES, PROMOTION, STANDARD_PRICES
from sandbox.world.erp import ACCOUNTS, BANK, CLEARING
from sandbox.world.money import pounds

SITE_ID = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
COMPANY_ID = 7
TAX_CODE_IDS = {0: 1731, 1: 1729, 2: 1745, 4: 1733, 16: 1760, 21: 1788, 98: 1802, 99: 1803}
CURRENCY_IDS = {"GBP": 2103, "EUR": 2104}
BANK_IDS = {BANK: 41, CLEARING: 57}
"""Cash-book accounts by the nominal account behind them."""
WAREHOUSE_IDS = {"MAIN": 34_627, "NORTH": 34_628, "RETURNS": 34_631}
NOMINAL_IDS = {reference: 10_400 + number for number, (reference, _) in enumerate(ACCOUNTS)}
CREDITORS_CONTROL = ("2100", "Creditors control", 10_499)
GROUP_IDS = {contract.category: 34_600 + number for number, contract in enumerate(CONTRACTS)}
OTHER_GROUP_ID = GROUP_IDS[CONTRACTS[0].category]
"""Of items of a category that is not among the catalogue's own."""
PRICE_BAND_IDS = {STANDARD_PRICES: 1_001, MARKETPLACE_PRICES: 1_002, PROMOTION: 1_003}
CREATED = "2026-01-05T08:14:02.51Z"
NIL = pounds(0)


def customer_ids(business: Business) -> dict[str, int]:
    """Customer ids by reference."""
    return {business.customer: 27_867} | {c.reference: 27_900 + n for n, c in enumerate(business.customers)}


def warehouse_id(name: str) -> int:
    return WAREHOUSE_IDS.get(name, 34_640)


def period_id(day: date) -> int:
    return 1_000 + (day.year - 2000) * 100 + day.month
