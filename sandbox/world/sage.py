"""Sage 200's view of the world: tables by resource name, each record with the vendor's field names.

Null properties are left out, missing foreign keys are 0, business dates are midnight with a Z, amounts have two places,
quantities and unit prices five, as the API answers.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sandbox.world.business import Business
from sandbox.world.catalogue import CONTRACTS, TAX_CODES, TAXES
from sandbox.world.erp import ACCOUNTS, BANK, CLEARING, Books
from sandbox.world.model import ErpLine, ErpOrder, Item, Posting, SageWorld
from sandbox.world.money import five_places, pounds, unit_price
from sandbox.world.stamps import DAY, calendar_date, iso_trimmed, london_date
from sandbox.world.stock import Stock, warehouses

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
_CREATED = "2026-01-05T08:14:02.51Z"
_NIL = pounds(0)
_SL_TYPES = {
    "INVOICE": "TradingAccountEntryTypeInvoice",
    "CREDIT_NOTE": "TradingAccountEntryTypeCreditNote",
    "RECEIPT": "TradingAccountEntryTypePurchasePaymentSalesReceipt",
    "PAYMENT": "TradingAccountEntryTypePurchaseReceiptSalesPayment",
}
_STATUSES = {
    "LIVE": "EnumDocumentStatusLive",
    "ON_HOLD": "EnumDocumentStatusOnHold",
    "COMPLETE": "EnumDocumentStatusComplete",
    "CANCELLED": "EnumDocumentStatusCancelled",
}
_LEDGERS = {
    "ORDERS": "LedgerSOP",
    "SALES": "LedgerSales",
    "CASH_BOOK": "LedgerCashBook",
    "NOMINAL": "LedgerNominal",
}
_BANK_TYPES = {
    "RECEIPT": "Receipt",
    "PAYMENT": "Payment",
    "BANK_RECEIPT": "Receipt",
    "BANK_PAYMENT": "Payment",
    "BANK_TRANSFER": "Transfer",
}


def render(books: Books, items: list[Item], stock: Stock, as_of: int) -> SageWorld:
    """The company's tables."""
    year = london_date(as_of).year
    periods = _periods(year)
    business = books.business
    customers = customer_ids(business)
    nominal, sales, bank = _postings(books.postings, customers, year)
    tables = {
        "sop_orders": [_sop_order(order, customers) for order in books.orders],
        "products": [_product(item, stock) for item in items],
        "product_groups": [_group(contract.category, contract.label) for contract in CONTRACTS],
        "warehouses": [_warehouse(business, name) for name in warehouses(items)],
        "warehouse_holdings": _holdings(items, stock, as_of),
        "customers": _customers(business, books.postings),
        "suppliers": [_supplier()],
        "tax_codes": [
            {
                "id": TAX_CODE_IDS[code],
                "code": code,
                "name": name,
                "tax_rate": Decimal(rate),
                "terms": "EcTermsPurchaseNonRelatedServices" if code == 16 else "EcTermsNotEC",
                "terms_description": "",
                "is_notional_acquisition_tax": code == 16,
                "date_time_created": _CREATED,
                "date_time_updated": _CREATED,
            }
            for code, name, rate in TAXES
        ],
        "currencies": [_currency("GBP", "Pounds sterling", "£", True), _currency("EUR", "Euro", "€", False)],
        "currency_iso_codes": [{"id": 826, "code": "GBP"}, {"id": 978, "code": "EUR"}],
        "banks": _banks(business, books.postings),
        "nominal_codes": _nominal_codes(business, books.postings),
        "financial_year_period_views": periods,
        "sales_posted_transactions": sales,
        "bank_posted_transactions": bank,
        "nominal_transaction_enquiry_views": nominal,
        "licence": [_licence()],
        "system_settings": [
            {
                "id": 1,
                "next_urn": str(books.postings[-1].number + 1 if books.postings else 5_001),
                "number_open_periods": 12,
                "update_nominal_online": True,
                "use_cost_centre_breakdown": False,
                "accounting_period_validation_type": "Acceptable",
                "date_time_created": _CREATED,
                "date_time_updated": _CREATED,
            }
        ],
        "sop_additional_charges": [
            {
                "id": 88_101,
                "code": "CARRIAGE",
                "name": "Carriage",
                "charge_value": _NIL,
                "nominal_code_id": NOMINAL_IDS["4905"],
                "tax_code_id": TAX_CODE_IDS[1],
                "date_time_created": _CREATED,
                "date_time_updated": _CREATED,
            }
        ],
        "current_user_sop_user_permissions": [
            {
                "id": 21,
                "user_number": 21,
                "user_name": "WebAPI",
                "override_prices_discounts": True,
                "override_credit_holds": False,
                "date_time_created": _CREATED,
                "date_time_updated": _CREATED,
            }
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
                "date_time_created": _CREATED,
                "date_time_updated": _CREATED,
            }
        ],
    }
    site = {
        "company_id": COMPANY_ID,
        "company_name": business.shop.corporate_name,
        "tenant_id": 1234,
        "site_id": SITE_ID,
        "site_name": business.shop.name,
        "site_short_name": business.entity.lower(),
    }
    return SageWorld(sites=[site], tables=tables)


# -- Sales orders ------------------------------------------------------------------------------------------------------


def customer_ids(business: Business) -> dict[str, int]:
    """Customer ids by reference."""
    return {business.customer: 27_867} | {c.reference: 27_900 + n for n, c in enumerate(business.customers)}


def _sop_order(order: ErpOrder, customers: dict[str, int]) -> dict[str, Any]:
    goods = sum(line.net for line in order.lines if line.kind == "ITEM")
    charge = sum(line.net for line in order.lines if line.kind == "CHARGE")
    charge_tax = sum(line.tax for line in order.lines if line.kind == "CHARGE")
    tax = sum(line.tax for line in order.lines)
    full = "EnumDocumentProcessStatusFull"
    none = "EnumDocumentProcessStatusNone"
    day = calendar_date(london_date(order.created))
    wanted = calendar_date(london_date(order.created) + timedelta(days=3))
    analysis = {f"analysis_code_{slot}": "" for slot in range(2, 6)}
    return {
        "id": order.id,
        "document_no": order.document_no,
        "document_date": day,
        "document_status": "EnumDocumentStatusDraft" if order.is_draft else _STATUSES[order.status],
        "despatch_receipt_status": full if order.despatched is not None else none,
        "invoice_credit_status": full if order.is_invoiced else none,
        "cancelled_status": full if order.is_cancelled else none,
        "customer_type": "EnumCustomerTypeCredit",
        "customer_id": customers[order.customer],
        "customer_document_no": order.customer_document_no,
        "currency_id": CURRENCY_IDS[order.currency],
        "exchange_rate": Decimal("1.000000"),
        "is_draft": order.is_draft,
        "is_credit_limit_exceeded": False,
        "use_invoice_address": False,
        "subtotal_goods_value": pounds(goods),
        "subtotal_charge_net_value": pounds(charge),
        "subtotal_charge_tax_value": pounds(charge_tax),
        "subtotal_discount_value": _NIL,
        "total_net_value": pounds(goods + charge),
        "total_tax_value": pounds(tax),
        "total_gross_value": pounds(goods + charge + tax),
        "settlement_discount_days": 0,
        "settlement_discount_percent": _NIL,
        "document_discount_percent": _NIL,
        "document_created_by": "Order import" if order.order is not None else "Order Desk",
        "order_priority": "",
        "external_reference": "",
        "requested_delivery_date": wanted,
        "promised_delivery_date": wanted,
        "payment_with_order": False,
        "payment_value": _NIL,
        "payment_method_id": 0,
        "order_value_discount_id": 0,
        "analysis_code_1": order.analysis,
        **analysis,
        "lines": [_sop_line(order, line, number) for number, line in enumerate(order.lines, start=1)],
        "date_time_created": iso_trimmed(order.created),
        "date_time_updated": iso_trimmed(order.updated),
    }


def _sop_line(order: ErpOrder, line: ErpLine, number: int) -> dict[str, Any]:
    is_item = line.kind == "ITEM"
    quantity = five_places(line.quantity)
    none, full = "EnumLineStatusNone", "EnumLineStatusFully"
    nothing = five_places(0)
    despatched = order.despatched is not None
    is_allocated = order.is_open and is_item
    return {
        "id": order.id * 10 + number,
        "sop_order_id": order.id,
        "line_number": number,
        "line_type": "EnumLineTypeStandard" if is_item else "EnumLineTypeCharge",
        "product_id": line.item.product_id if line.item is not None else 0,
        "warehouse_id": WAREHOUSE_IDS["MAIN"] if is_item else 0,
        "code": line.item.code if line.item is not None else "CARRIAGE",
        "description": line.description,
        "line_quantity": quantity,
        "allocated_quantity": quantity if is_allocated else nothing,
        "despatch_receipt_quantity": quantity if despatched else nothing,
        "invoice_credit_quantity": quantity if order.is_invoiced else nothing,
        "posted_invoice_credit_quantity": quantity if order.is_invoiced else nothing,
        "allocation_status": full if is_allocated or despatched else none,
        "despatch_receipt_status": full if despatched else none,
        "invoice_credit_status": full if order.is_invoiced else none,
        "selling_unit_price": unit_price(line.net, max(1, line.quantity)),
        "unit_discount_percent": _NIL,
        "unit_discount_value": nothing,
        "line_total_value": pounds(line.net),
        "line_tax_value": pounds(line.tax),
        "tax_code_id": TAX_CODE_IDS[line.tax_code],
        "nominal_reference": "4100" if is_item else "4905",
        "nominal_cost_centre": "",
        "nominal_department": "",
        "analysis_code_1": line.order_line_id,
        "analysis_code_2": "",
        "analysis_code_3": "",
        "analysis_code_4": "",
        "analysis_code_5": "",
    }


# -- Ledgers -----------------------------------------------------------------------------------------------------------


def _postings(
    postings: list[Posting], customers: dict[str, int], year: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Nominal legs, sales ledger rows and cash-book rows of every posting, each with ids in order of posting."""
    nominal: list[dict[str, Any]] = []
    sales: list[dict[str, Any]] = []
    bank: list[dict[str, Any]] = []
    for posting in postings:
        day = calendar_date(posting.day)
        posted = calendar_date(london_date(posting.at))
        stamp = iso_trimmed(posting.at)
        for account, amount in posting.legs:
            nominal.append(
                {
                    "id": 600_001 + len(nominal),
                    "nominal_code_id": NOMINAL_IDS[account],
                    "transaction_date": day,
                    "period_number": posting.day.month,
                    "accounting_period_id": _period_id(posting.day),
                    "financial_year_id": posting.day.year - 2000,
                    "year_relative_to_current_year": posting.day.year - year,
                    "reference": posting.reference,
                    "narrative": _narrative(posting),
                    "transaction_analysis_code": "",
                    "debit": pounds(amount) if amount > 0 else _NIL,
                    "credit": pounds(-amount) if amount < 0 else _NIL,
                    "user_name": posting.user,
                    "source": _LEDGERS[posting.ledger],
                    "urn": posting.number,
                }
            )
        if posting.kind in _SL_TYPES:
            sales.append(_sales_row(posting, customers, 820_001 + len(sales), day, posted, stamp))
        for account, amount in posting.banks:
            bank.append(
                {
                    "id": 410_001 + len(bank),
                    "bank_id": BANK_IDS[account],
                    "bank_transaction_type": _BANK_TYPES[posting.kind],
                    "entry_description": _narrative(posting)[:60],
                    "reference": posting.reference,
                    "second_reference": posting.second_reference,
                    "transaction_date": day,
                    "posted_date": posted,
                    "cheque_value": pounds(amount),
                    "cheque_currency_id": CURRENCY_IDS["GBP"],
                    "source": _LEDGERS[posting.ledger],
                    "statement_page_number": 0,
                    "urn": posting.number,
                    "user_name": posting.user,
                    "date_time_created": stamp,
                    "date_time_updated": stamp,
                }
            )
    return nominal, sales, bank


def _narrative(posting: Posting) -> str:
    """What Sage writes into the nominal ledger by itself where nobody types a narrative."""
    if posting.kind == "INVOICE":
        return f"SOP invoice {posting.reference}"
    return f"SR / {posting.narrative}" if posting.kind == "RECEIPT" and not posting.journal_key else posting.narrative


def _sales_row(
    posting: Posting, customers: dict[str, int], id_: int, day: str, posted: str, stamp: str
) -> dict[str, Any]:
    goods, tax = pounds(posting.goods), pounds(posting.tax)
    gross = pounds(posting.goods + posting.tax)
    return {
        "id": id_,
        "customer_id": customers[posting.customer],
        "trader_transaction_type": _SL_TYPES[posting.kind],
        "reference": posting.reference,
        "second_reference": posting.second_reference,
        "queried": "",
        "transaction_date": day,
        "posted_date": posted,
        "due_date": day,
        "document_goods_value": goods,
        "document_gross_value": gross,
        "document_tax_value": tax,
        "document_discount_value": _NIL,
        "document_allocated_value": _NIL,
        "document_outstanding_value": gross,
        "base_goods_value": goods,
        "base_gross_value": gross,
        "base_tax_value": tax,
        "base_allocated_value": _NIL,
        "control_value_in_base_currency": gross,
        "exchange_rate": Decimal("1.000000"),
        "settled_immediately": False,
        "urn": posting.number,
        "user_name": posting.user,
        "date_time_created": stamp,
        "date_time_updated": stamp,
    }


def _period_id(day: date) -> int:
    return 1_000 + (day.year - 2000) * 100 + day.month


def _periods(current: int) -> list[dict[str, Any]]:
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
                    "accounting_period_id": _period_id(first),
                    "period_number": month,
                    "period_start_date": calendar_date(first),
                    "period_end_date": calendar_date(last),
                }
            )
    return found


def _nominal_codes(business: Business, postings: list[Posting]) -> list[dict[str, Any]]:
    debit: dict[str, int] = {}
    credit: dict[str, int] = {}
    for posting in postings:
        for account, amount in posting.legs:
            side = debit if amount > 0 else credit
            side[account] = side.get(account, 0) + abs(amount)
    return [
        {
            "id": NOMINAL_IDS.get(reference, CREDITORS_CONTROL[2]),
            "reference": reference,
            "cost_centre_code": "",
            "department_code": "",
            "name": business.clearing_name if reference == CLEARING else name,
            "nominal_account_type": "NominalAccountTypeBalanceSheet"
            if reference < "4"
            else "NominalAccountTypeProfitAndLoss",
            "account_status_type": "AccountStatusActive",
            "allow_manual_journal_entries": reference not in ("1100", "2100", "2200", "2201"),
            "use_batch_postings": False,
            "balance_year_to_date": pounds(debit.get(reference, 0) - credit.get(reference, 0)),
            "debit_balance_year_to_date": pounds(debit.get(reference, 0)),
            "credit_balance_year_to_date": pounds(credit.get(reference, 0)),
            "brought_forward_balance": _NIL,
            "date_time_created": _CREATED,
            "date_time_updated": _CREATED,
        }
        for reference, name in (*ACCOUNTS, CREDITORS_CONTROL[:2])
    ]


def _banks(business: Business, postings: list[Posting]) -> list[dict[str, Any]]:
    balances: dict[str, int] = {}
    for posting in postings:
        for account, amount in posting.banks:
            balances[account] = balances.get(account, 0) + amount
    found = []
    for code, name, nominal in (
        ("BANK", "Bank current account", BANK),
        (business.customer, f"{business.marketplace} clearing", CLEARING),
    ):
        balance = pounds(balances.get(nominal, 0))
        found.append(
            {
                "id": BANK_IDS[nominal],
                "code": code,
                "description": name,
                "account_type": "BankAccountTypeCurrent",
                "account_status_type": "AccountStatusActive",
                "account_name": business.shop.corporate_name,
                "iban": business.iban if nominal == BANK else "",
                "balance": balance,
                "balance_in_base": balance,
                "account_currency_id": CURRENCY_IDS["GBP"],
                "bank_account_nominal_reference": nominal,
                "bank_account_nominal_cost_centre": "",
                "bank_account_nominal_department": "",
                "date_time_created": _CREATED,
                "date_time_updated": _CREATED,
            }
        )
    return found


# -- Masters -----------------------------------------------------------------------------------------------------------


def _customers(business: Business, postings: list[Posting]) -> list[dict[str, Any]]:
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
            "currency_id": CURRENCY_IDS["GBP"],
            "exchange_rate_type": "ExchangeRateSingle",
            "credit_limit": _NIL,
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
            "date_time_created": _CREATED,
            "date_time_updated": _CREATED,
        }
        for reference, name in names.items()
    ]


def _supplier() -> dict[str, Any]:
    """The operator, who sends invoices for what it charges."""
    return {
        "id": 31_205,
        "reference": "BRICOPL",
        "name": "Brico Marketplace",
        "short_name": "BRICOPL",
        "balance": _NIL,
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
        "date_time_created": _CREATED,
        "date_time_updated": _CREATED,
    }


def _product(item: Item, stock: Stock) -> dict[str, Any]:
    free = sum(item.free.values())
    product = {
        "id": item.product_id,
        "code": item.code,
        "name": item.name,
        "description": item.name,
        "barcode": item.ean,
        "allow_sales_order": not item.is_discontinued,
        "free_stock_quantity": five_places(free),
        "product_group_id": GROUP_IDS[item.contract.category],
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
        "date_time_created": _CREATED,
        "date_time_updated": _CREATED,
    }
    if item.is_discontinued:
        product["inactivation_date"] = "2026-03-31T00:00:00Z"
    return product


def _group(category: str, label: str) -> dict[str, Any]:
    return {
        "id": GROUP_IDS[category],
        "code": category,
        "description": label,
        "product_type": "EnumStockItemTypeStock",
        "costing_method": "EnumCostingMethodTypeFIFO",
        "can_levels_go_negative": True,
        "date_time_created": _CREATED,
        "date_time_updated": _CREATED,
    }


def warehouse_id(name: str) -> int:
    return WAREHOUSE_IDS.get(name, 34_640)


def _warehouse(business: Business, name: str) -> dict[str, Any]:
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
        "date_time_created": _CREATED,
        "date_time_updated": _CREATED,
    }


def _holdings(items: list[Item], stock: Stock, as_of: int) -> list[dict[str, Any]]:
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
                    "date_time_created": _CREATED,
                    "date_time_updated": updated,
                }
            )
    return found


def _currency(code: str, name: str, symbol: str, is_base: bool) -> dict[str, Any]:
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
        "date_time_created": _CREATED,
        "date_time_updated": _CREATED,
    }


def _licence() -> dict[str, Any]:
    return {
        "is_sales_enabled": True,
        "is_purchase_enabled": True,
        "is_nominal_enabled": True,
        "is_cash_book_enabled": True,
        "is_stock_enabled": True,
        "is_sales_orders_enabled": True,
        "is_purchase_orders_enabled": False,
    }
