"""The Sage 200 resources read here, as data. All lists page by key (`$orderby=id asc`, `$filter=id gt <last>`).

Sage publishes no rate limit; four calls a second and one at a time is what is kept to here. `$top` is at most
5000, and large answers run into the gateway's time-out: 1000 rows, and 500 where children are expanded.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from connectors.http import Call, Pace

CIVIL = (Pace(4, 1.0),)
UPDATED = ("date_time_updated",)


@dataclass(frozen=True, slots=True)
class Resource:
    """How one feed is read.

    `key` orders the rows; where a row has two ids (an order and an invoice), `second_key` tells the rows of one `key`
    apart. `since` names the members that a window filters by: a row is read when any of them is in it. `is_counted`
    asks `$count` once beforehand. What `is_essential` is read by a lane as delivered; a site may do without the rest.
    """

    entity: str
    path: str
    size: int = 1000
    key: str = "id"
    second_key: str | None = None
    expand: str | None = None
    since: tuple[str, ...] = ()
    is_counted: bool = True
    is_essential: bool = True

    @property
    def call(self) -> Call:
        return Call(self.path.removeprefix("/"), CIVIL)


_further = partial(Resource, is_essential=False)

RESOURCES: dict[str, Resource] = {
    r.entity: r
    for r in (
        Resource("sop_orders", "/sop_orders", size=500, expand="lines", since=UPDATED),
        Resource("products", "/products"),
        Resource("warehouses", "/warehouses"),
        Resource("warehouse_holdings", "/warehouse_holdings"),
        Resource("customers", "/customers"),
        Resource("tax_codes", "/tax_codes"),
        Resource("currencies", "/currencies", expand="currency_iso_code"),
        Resource("banks", "/banks"),
        Resource("nominal_codes", "/nominal_codes"),
        Resource("accounting_periods", "/financial_year_period_views", key="accounting_period_id"),
        Resource("sales_posted_transactions", "/sales_posted_transactions", since=UPDATED),
        Resource("bank_posted_transactions", "/bank_posted_transactions", since=UPDATED),
        Resource("nominal_transactions", "/nominal_transaction_enquiry_views", size=5000),
        Resource("despatch_lines", "/sop_order_despatch_line_views", key="sop_despatch_line_id", since=UPDATED),
        _further("system_settings", "/system_settings"),
        _further("sop_settings", "/sop_settings"),
        _further("stock_settings", "/stock_settings"),
        _further("sales_ledger_settings", "/sales_ledger_settings"),
        _further("nominal_ledger_settings", "/nominal_ledger_settings"),
        _further("cash_book_settings", "/cash_book_settings"),
        _further("analysis_code_mappings", "/analysis_code_mappings", expand="analysis_code"),
        _further("product_groups", "/product_groups"),
        # The price book is a module that a site may not have.
        _further("price_bands", "/price_bands"),
        _further("product_prices", "/product_price_views", key="product_price_id"),
        _further("product_transactions", "/product_transaction_views", since=UPDATED),
        _further("despatch_receipts", "/sop_despatch_receipts", since=UPDATED),
        _further(
            "order_invoice_links",
            "/sop_order_return_invoice_credit_views",
            key="sop_order_return_id",
            second_key="sop_invoice_credit_id",
        ),
        _further(
            "invoice_credit_lines",
            "/customer_sop_invoice_credit_line_views",
            key="sop_invoice_credit_line_id",
            second_key="invoice_line_profit_analysis_id",
            since=("sop_invoice_credit_date_time_updated", "sop_invoice_credit_line_date_time_updated"),
        ),
        _further(
            "return_lines",
            "/sop_return_line_views",
            key="sop_return_line_id",
            since=("sop_return_date_time_updated", "sop_return_line_date_time_updated"),
        ),
        _further("cancelled_lines", "/sop_cancelled_lines", since=UPDATED),
        _further("sales_historical_transactions", "/sales_historical_transactions", since=UPDATED),
        _further("nominal_period_values", "/nominal_period_value_views", key="nominal_period_value_id"),
        _further("cost_centres", "/cost_centres"),
        _further("departments", "/departments"),
        _further("control_nominal_codes", "/control_nominal_codes"),
    )
}

SITES = Call("sites", CIVIL)

# What is written. No pace of ours: how many are under way at a time is the limit, because each is slow at the site.
CUSTOMER = Call("customers")
SALES_ORDER = Call("sop_orders")
SALES_RECEIPT = Call("sales_receipts")
SALES_PAYMENT = Call("sales_payments")
SALES_INVOICE = Call("sales_invoices")
SALES_CREDIT_NOTE = Call("sales_credit_notes")
SALES_ALLOCATION = Call("sales_allocations")
PURCHASE_INVOICE = Call("purchase_invoices")
BANK_RECEIPT = Call("bank_receipt")
BANK_PAYMENT = Call("bank_payment")
BANK_TRANSFER = Call("bank_transfer")
DATE_VALIDATION = Call("transaction_date_validation")
