"""The Sage 200 resources read here, as data. All lists page by key (`$orderby=id asc`, `$filter=id gt <last>`).

Sage publishes no rate limit; two calls a second and one at a time is what its connectors keep to. `$top` is at most
5000, and large answers run into the gateway's time-out: 1000 rows, and 500 where children are expanded.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.http import Call, Pace

CIVIL = (Pace(4, 1.0),)


@dataclass(frozen=True, slots=True)
class Resource:
    """How one feed is read. `since` names the member that a window filters by; `is_counted` asks `$count` once
    beforehand.
    """

    entity: str
    path: str
    size: int = 1000
    key: str = "id"
    expand: str | None = None
    since: str | None = None
    is_counted: bool = True

    @property
    def call(self) -> Call:
        return Call(self.path.removeprefix("/"), CIVIL)


RESOURCES: dict[str, Resource] = {
    r.entity: r
    for r in (
        Resource("sop_orders", "/sop_orders", size=500, expand="lines", since="date_time_updated"),
        Resource("products", "/products"),
        Resource("warehouses", "/warehouses"),
        Resource("warehouse_holdings", "/warehouse_holdings"),
        Resource("customers", "/customers"),
        Resource("tax_codes", "/tax_codes"),
        Resource("currencies", "/currencies", expand="currency_iso_code"),
        Resource("banks", "/banks"),
        Resource("nominal_codes", "/nominal_codes"),
        Resource("accounting_periods", "/financial_year_period_views", key="accounting_period_id"),
        Resource("sales_posted_transactions", "/sales_posted_transactions", since="date_time_updated"),
        Resource("bank_posted_transactions", "/bank_posted_transactions", since="date_time_updated"),
        Resource("nominal_transactions", "/nominal_transaction_enquiry_views", size=5000),
    )
}

SITES = Call("sites", CIVIL)
SALES_RECEIPT = Call("sales_receipts", CIVIL)
SALES_PAYMENT = Call("sales_payments", CIVIL)
BANK_RECEIPT = Call("bank_receipt", CIVIL)
BANK_PAYMENT = Call("bank_payment", CIVIL)
BANK_TRANSFER = Call("bank_transfer", CIVIL)
