"""The calls that write to a marketplace, and those that prove what became of it, by Mirakl's own names.

How often each may be made is configuration (`call_budgets.csv`), not code.
"""

from __future__ import annotations

from connectors.http import Call

ORDERS_PATH = "/api/orders"
SHIPMENTS_PATH = "/api/shipments"
OFFERS_PATH = "/api/offers"
RETURNS_PATH = "/api/returns"
PLATFORM_PATH = "/api/platform/configuration"
STOCK_IMPORTS_PATH = "/api/offers/stock/imports"
OFFER_IMPORTS_PATH = "/api/offers/imports"
PRICE_IMPORTS_PATH = "/api/offers/pricing/imports"

ACCEPT = Call("OR21")
ORDER_TRACKING = Call("OR23")
SHIP_ORDER = Call("OR24")
REFUND = Call("OR28")
CANCEL_ORDER = Call("OR29")
CANCEL_LINES = Call("OR30")

CREATE_SHIPMENTS = Call("ST01")
DELETE_SHIPMENTS = Call("ST06")
SHIPMENT_ORIGINS = Call("ST07")
SHIPMENT_TRACKING = Call("ST23")
SHIP_SHIPMENTS = Call("ST24")

STOCK_IMPORT = Call("STO01")
STOCK_IMPORT_STATUS = Call("STO02")
STOCK_IMPORT_ERRORS = Call("STO03")
OFFER_IMPORT = Call("OF01")
OFFER_IMPORT_STATUS = Call("OF02")
OFFER_IMPORT_ERRORS = Call("OF03")
OFFER_UPDATE = Call("OF24")
PRICE_IMPORT = Call("PRI01")
PRICE_IMPORT_STATUS = Call("PRI02")
PRICE_IMPORT_ERRORS = Call("PRI03")

ORDERS = Call("OR11")
SHIPMENTS = Call("ST11")
RETURNS = Call("RT11")
OFFERS = Call("OF21")
PLATFORM = Call("PC01")
