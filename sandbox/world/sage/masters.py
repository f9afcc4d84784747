"""What orders and postings refer to: customers, products, warehouses with their stock, currencies, periods."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sandbox.world.business import Business
from sandbox.world.catalogue import MARKETPLACE_PRICES, PROMOTION, PROMOTION_DAYS, STANDARD_PRICES, TAX_CODES
from sandbox.world.model import Item, Posting
from sandbox.world.money import five_places, pounds, tax_inside
from sandbox.world.sage.ids import (
    CREATED,
    CURRENCY_IDS,
    GROUP_IDS,
    NIL,
    OTHER_GROUP_ID,
    PRICE_BAND_IDS,
    TAX_CODE_IDS,
    customer_ids,
    period_id,
    warehouse_id,
)
from sandbox.world.stamps import DAY, calendar_date, iso_trimmed
from sandbox.world.stock import Stock


def periods(current: int) -> list[dict[str, Any]]:
    found = []
    for year in (current - 1, current, current + 1):
        for month in range(1, 13):
            first = date(year, month, 1)
            last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
            found.append(
                {
                    "financial_year_id": year - 2000,
                    "financial_year_start_date": calendar_date(date(year, 1, 1)),
                    "financial_year_end_date": calendar_date(date(year, 12, 31)),
                    "year_relative_to_current_year": year - current,
                    "number_of_periods_in_year": 12,
                    "accounting_period_id": period_id(first),
                    "period_number": month,
                    "period_start_date": calendar_date(first),
                    "period_end_date": calendar_date(last),
                }
            )
    return found


def customers(business: Business, postings: list[Posting]) -> list[dict[str, Any]]:
    balances: dict[str, int] = {}
    for posting in postings:
        if posting.customer:
            balances[posting.customer] = balances.get(posting.customer, 0) + posting.goods + posting.tax
    names = {business.customer: business.customer_name, **{c.reference: c.name for c in business.customers}}
    ids = customer_ids(business)
    return [
        {
            "id": ids[reference],
            "reference": reference,
            "name": name,
            "short_name": reference,
            "balance": pounds(balances.get(reference, 0)),
            "on_hold": False,
            "account_status_type": "AccountStatusActive",
            "status_reason": "",
            "currency_id": CURRENCY_IDS[business.shop.currency if reference == business.customer else "GBP"],
            "exchange_rate_type": "ExchangeRateSingle",
            "credit_limit": NIL,
            "country_code_id": 13,
            "default_tax_code_id": TAX_CODE_IDS[1],
            "vat_number": "",
            "account_type": "TradingAccountTypeOpenItem",
            "payment_terms_days": 30,
            "payment_terms_basis": "PaymentDueFromDocumentDate",
            "default_nominal_code_reference": "4100" if reference == business.customer else "4000",
            "default_nominal_code_cost_centre": "",
            "default_nominal_code_department": "",
            "analysis_code_1": "",
            "date_time_created": CREATED,
            "date_time_updated": CREATED,
        }
        for reference, name in names.items()
    ]


def supplier() -> dict[str, Any]:
    """The operator, who sends invoices for what it charges."""
    return {
        "id": 31_205,
        "reference": "BRICOPL",
        "name": "Brico Marketplace",
        "short_name": "BRICOPL",
        "balance": NIL,
        "on_hold": False,
        "account_status_type": "AccountStatusActive",
        "currency_id": CURRENCY_IDS["GBP"],
        "exchange_rate_type": "ExchangeRateSingle",
        "default_tax_code_id": TAX_CODE_IDS[1],
        "account_type": "TradingAccountTypeOpenItem",
        "payment_terms_days": 30,
        "default_nominal_code_reference": "6100",
        "default_nominal_code_cost_centre": "",
        "default_nominal_code_department": "",
        "date_time_created": CREATED,
        "date_time_updated": CREATED,
    }


def product(item: Item, stock: Stock) -> dict[str, Any]:
    free = sum(item.free.values())
    product = {
        "id": item.product_id,
        "code": item.code,
        "name": item.name,
        "description": item.name,
        "barcode": item.ean,
        "allow_sales_order": not item.is_discontinued,
        "free_stock_quantity": five_places(free),
        "product_group_id": GROUP_IDS.get(item.contract.category, OTHER_GROUP_ID),
        "tax_code_id": TAX_CODE_IDS[TAX_CODES[item.vat_rate]],
        "product_status_type": "EnumStockItemStatusTypeInactive"
        if item.is_discontinued
        else "EnumStockItemStatusTypeActive",
        "fulfilment_method_type": "EnumFulfilmentFromStock",
        "traceable_type": "EnumTraceableTypeNone",
        "manufacturer": item.name.split()[0],
        "part_number": "",
        "standard_cost": five_places(0) + pounds(item.cost),
        "average_buying_price": five_places(0) + pounds(item.cost),
        "commodity_code": "",
        "weight": five_places(0),
        "analysis_code_1": "",
        "date_time_created": CREATED,
        "date_time_updated": CREATED,
    }
    if item.is_discontinued:
        product["inactivation_date"] = "2026-03-31T00:00:00Z"
    return product


CURRENCY_NAMES = {"GBP": ("Pounds sterling", "£"), "EUR": ("Euro", "€")}


def price_bands(currency: str) -> list[dict[str, Any]]:
    """The price lists: trade prices without VAT, what marketplaces ask with it, and the latter's promotion."""
    first, end = (calendar_date(day) for day in PROMOTION_DAYS)
    bands: list[dict[str, Any]] = []
    for name, number in PRICE_BAND_IDS.items():
        band = {
            "id": number,
            "name": name,
            "description": name,
            "is_standard_band": name == STANDARD_PRICES,
            "currency_id": CURRENCY_IDS[currency],
            "price_band_type_id": 0,
            "price_band_type": "EnumPriceBandTypeUniversal",
            "is_active": True,
            "is_time_based": name == PROMOTION,
            "date_time_created": CREATED,
            "date_time_updated": CREATED,
        }
        during = {"active_date_time_from": first, "active_date_time_to": end}
        bands.append(band | (during if name == PROMOTION else {}))
    return bands


def product_prices(items: list[Item], currency: str) -> list[dict[str, Any]]:
    """The price of every item on every list that it is on."""
    found: list[dict[str, Any]] = []
    for item in items:
        on_lists = {
            STANDARD_PRICES: item.list_price - tax_inside(item.list_price, item.vat_rate),
            MARKETPLACE_PRICES: item.list_price,
            PROMOTION: item.promotion,
        }
        found += [
            {
                "product_price_id": 60_001 + len(found) + offset,
                "product_id": item.product_id,
                "product_code": item.code,
                "product_name": item.name,
                "product_stock_unit_name": "Each",
                "price_band_id": PRICE_BAND_IDS[name],
                "price_band_name": name,
                "product_price_use_standard": False,
                "product_price_price": pounds(price),
                "currency_id": CURRENCY_IDS[currency],
                "currency_name": CURRENCY_NAMES[currency][0],
                "currency_symbol": CURRENCY_NAMES[currency][1],
                "date_time_updated": CREATED if item.repriced is None else iso_trimmed(item.repriced),
            }
            for offset, (name, price) in enumerate((n, p) for n, p in on_lists.items() if p is not None)
        ]
    return found


def group(category: str, label: str) -> dict[str, Any]:
    return {
        "id": GROUP_IDS[category],
        "code": category,
        "description": label,
        "product_type": "EnumStockItemTypeStock",
        "costing_method": "EnumCostingMethodTypeFIFO",
        "can_levels_go_negative": True,
        "date_time_created": CREATED,
        "date_time_updated": CREATED,
    }


def warehouse(business: Business, name: str) -> dict[str, Any]:
    return {
        "id": warehouse_id(name),
        "name": name,
        "description": f"{name.title()} warehouse",
        "warehouse_type": "EnumWarehouseTypeReturn" if name == "RETURNS" else "EnumWarehouseTypeStandard",
        "use_for_sales_trading": name != "RETURNS",
        "postal_name": business.shop.corporate_name,
        "address_1": business.shop.street,
        "city": business.shop.city,
        "postcode": business.shop.zip_code,
        "country_code_id": 13,
        "date_time_created": CREATED,
        "date_time_updated": CREATED,
    }


def holdings(items: list[Item], stock: Stock, as_of: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for position, item in enumerate(items):
        updated = iso_trimmed(as_of - (position * 37 % 96 + 1) * DAY // 96)
        for name, free in item.free.items():
            allocated = stock.allocated.get(item.code, 0) if name == "MAIN" else 0
            in_stock = five_places(free + allocated)
            nothing = five_places(0)
            found.append(
                {
                    "id": 15_001 + len(found),
                    "warehouse_id": warehouse_id(name),
                    "product_id": item.product_id,
                    "reorder_level": nothing,
                    "minimum_level": nothing,
                    "maximum_level": nothing,
                    "quantity_reserved": nothing,
                    "confirmed_qty_in_stock": in_stock,
                    "unconfirmed_qty_in_stock": nothing,
                    "quantity_in_stock": in_stock,
                    "quantity_in_stock_less_reserved": in_stock,
                    "quantity_on_order": five_places(24 if free < 3 else 0),
                    "quantity_allocated_stock": nothing,
                    "quantity_allocated_sop": five_places(allocated),
                    "quantity_allocated_bom": nothing,
                    "quantity_allocated": five_places(allocated),
                    "free_stock_available": five_places(free),
                    "free_stock_available_less_reserved": five_places(free),
                    "date_time_created": CREATED,
                    "date_time_updated": updated,
                }
            )
    return found


def currency(code: str, name: str, symbol: str, is_base: bool) -> dict[str, Any]:
    return {
        "id": CURRENCY_IDS[code],
        "name": name,
        "symbol": symbol,
        "core_currency_rate": Decimal("1.000000") if is_base else Decimal("1.165000"),
        "is_base_currency": is_base,
        "is_euro_currency": code == "EUR",
        "use_for_new_accounts": True,
        "currency_iso_code_id": 826 if is_base else 978,
        "currency_iso_code": {"id": 826 if is_base else 978, "code": code},
        "date_time_created": CREATED,
        "date_time_updated": CREATED,
    }


def licence() -> dict[str, Any]:
    return {
        "is_sales_enabled": True,
        "is_purchase_enabled": True,
        "is_nominal_enabled": True,
        "is_cash_book_enabled": True,
        "is_stock_enabled": True,
        "is_sales_orders_enabled": True,
        "is_purchase_orders_enabled": False,
        # Of the edition Professional only.
        "is_project_accounting_enabled": False,
        "is_manufacturing_enabled": False,
        "is_business_intelligence_enabled": False,
        "is_scripting_enabled": False,
    }
