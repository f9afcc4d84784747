"""The company as a whole."""

from decimal import Decimal

from sandbox.world.catalogue import CONTRACTS, TAXES
from sandbox.world.erp import Books
from sandbox.world.model import Item, SageWorld
from sandbox.world.sage.ids import (
    COMPANY_ID,
    CREATED,
    NIL,
    NOMINAL_IDS,
    SITE_ID,
    TAX_CODE_IDS,
    customer_ids,
)
from sandbox.world.sage.ledgers import banks, nominal_codes, posted
from sandbox.world.sage.masters import (
    currency,
    customers,
    group,
    holdings,
    licence,
    periods,
    price_bands,
    product,
    product_prices,
    supplier,
    warehouse,
)
from sandbox.world.sage.orders import ANALYSIS_CODES, sop_order
from sandbox.world.stamps import london_date
from sandbox.world.stock import Stock, warehouses


def render(books: Books, items: list[Item], stock: Stock, as_of: int) -> SageWorld:
    """The company's tables."""
    year = london_date(as_of).year
    business = books.business
    ids = customer_ids(business)
    nominal, sales, bank = posted(books.postings, ids, year)
    tables = {
        "sop_orders": [sop_order(order, ids) for order in books.orders],
        "products": [product(item, stock) for item in items],
        "product_groups": [group(contract.category, contract.label) for contract in CONTRACTS],
        "price_bands": price_bands(business.shop.currency),
        "product_price_views": product_prices(items, business.shop.currency),
        "warehouses": [warehouse(business, name) for name in warehouses(items)],
        "warehouse_holdings": holdings(items, stock, as_of),
        "customers": customers(business, books.postings),
        "suppliers": [supplier()],
        "tax_codes": [
            {
                "id": TAX_CODE_IDS[code],
                "code": code,
                "name": name,
                "tax_rate": Decimal(rate),
                "terms": "EcTermsPurchaseNonRelatedServices" if code == 16 else "EcTermsNotEC",
                "terms_description": "",
                "is_notional_acquisition_tax": code == 16,
                "date_time_created": CREATED,
                "date_time_updated": CREATED,
            }
            for code, name, rate in TAXES
        ],
        "currencies": [currency("GBP", "Pounds sterling", "£", True), currency("EUR", "Euro", "€", False)],
        "currency_iso_codes": [{"id": 826, "code": "GBP"}, {"id": 978, "code": "EUR"}],
        "banks": banks(business, books.postings),
        "nominal_codes": nominal_codes(business, books.postings),
        "financial_year_period_views": periods(year),
        "sales_posted_transactions": sales,
        "bank_posted_transactions": bank,
        "nominal_transaction_enquiry_views": nominal,
        "licence": [licence()],
        "system_settings": [
            {
                "id": 1,
                "next_urn": str(books.postings[-1].number + 1 if books.postings else 5_001),
                "number_open_periods": 12,
                "update_nominal_online": True,
                "use_cost_centre_breakdown": False,
                "accounting_period_validation_type": "Acceptable",
                "date_time_created": CREATED,
                "date_time_updated": CREATED,
            }
        ],
        "sop_additional_charges": [
            {
                "id": 88_101,
                "code": "CARRIAGE",
                "name": "Carriage",
                "charge_value": NIL,
                "nominal_code_id": NOMINAL_IDS["4905"],
                "tax_code_id": TAX_CODE_IDS[1],
                "date_time_created": CREATED,
                "date_time_updated": CREATED,
            }
        ],
        "current_user_sop_user_permissions": [
            {
                "id": 21,
                "user_number": 21,
                "user_name": "WebAPI",
                "override_prices_discounts": True,
                "override_credit_holds": False,
                "date_time_created": CREATED,
                "date_time_updated": CREATED,
            }
        ],
        "sales_ledger_settings": [
            {
                "id": 1,
                "auto_generate_account_numbers": False,
                "keep_transactions_for": 0,
                "archive_transaction_after_keeping": False,
                "allow_additional_trans_analysis": True,
                "default_tax_code_id": 0,
                "date_time_created": CREATED,
                "date_time_updated": CREATED,
            }
        ],
        "nominal_transaction_analysis_codes": [
            {
                "id": number,
                "code": code,
                "description": "Marketplace sales for the VAT reconciliation",
                "active": True,
                "date_time_created": CREATED,
                "date_time_updated": CREATED,
            }
            for number, code in enumerate(ANALYSIS_CODES, start=1)
        ],
        "sop_settings": [
            {
                "id": 1,
                "auto_generate_order_return_numbers": True,
                "amend_analysis_codes": True,
                "amend_header_analysis_codes": True,
                "amend_nominal_codes": True,
                "are_prices_tax_inclusive": False,
                "allocate_stock_on_order_entry": True,
                "update_stock_on_despatch": True,
                "record_cancelled_order_lines": False,
                "add_invoice_credit_note_to_sales_ledger": True,
                "date_time_created": CREATED,
                "date_time_updated": CREATED,
            }
        ],
    }
    site = {
        "company_id": COMPANY_ID + business.number,
        "company_name": business.shop.corporate_name,
        "tenant_id": 1234,
        "site_id": SITE_ID,
        "site_name": business.shop.name,
        "site_short_name": business.entity.lower(),
    }
    return SageWorld(sites=[site], tables=tables)
