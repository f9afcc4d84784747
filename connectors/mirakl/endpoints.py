"""The Mirakl calls used here, as data: path, paging and fixed parameters.

How often each may be made is configuration (call_budgets.csv) and reaches the client as its budget.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from connectors.http import Call
from connectors.pagination import Guard, LinkOffset, PageToken, Paginator, SinglePage
from connectors.records import Route

Perspective = Literal["SELLER", "OPERATOR"]
MAXIMUM_IDS = 100
"""Mirakl takes at most this many ids in one parameter."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How one feed is read. `since` names the parameter for the window's start; None reads everything each time.

    `shop_filter` says how an operator may narrow the call to some shops (`shop_ids`), None that it cannot.
    """

    entity: str
    call: Call
    path: str
    paginator: Callable[[Guard], Paginator]
    parameters: Mapping[str, str] = field(default_factory=dict)
    since: str | None = None
    takes_tax_mode: bool = False
    shop_filter: Literal["COMMA", "REPEATED"] | None = None
    routes: tuple[Route, ...] = ("INTERACTIVE",)


ENDPOINTS: dict[str, Endpoint] = {
    e.entity: e
    for e in (
        Endpoint(
            "orders",
            Call("OR11"),
            "/api/orders",
            lambda guard: LinkOffset(100, guard),
            since="start_update_date",
            takes_tax_mode=True,
            shop_filter="COMMA",
        ),
        Endpoint(
            "transaction_lines",
            Call("TL02"),
            "/api/sellerpayment/transactions_logs",
            lambda guard: PageToken(2000, guard),
            {"sort": "lastUpdated,ASC"},
            since="last_updated_from",
        ),
        Endpoint(
            "billing_cycles",
            Call("SBC11"),
            "/api/seller-billing-cycles",
            lambda guard: PageToken(1000, guard),
            {"sort": "dateCreated,ASC"},
        ),
        # Without `type` only automatic invoices come.
        Endpoint("invoices", Call("IV01"), "/api/invoices", lambda guard: LinkOffset(100, guard), {"type": "ALL"}),
        Endpoint("offers", Call("OF21"), "/api/offers", lambda guard: LinkOffset(100, guard)),
        Endpoint("account", Call("A01"), "/api/account", lambda _: SinglePage()),
        Endpoint("platform", Call("PC01"), "/api/platform/configuration", lambda _: SinglePage()),
        Endpoint("carriers", Call("SH21"), "/api/shipping/carriers", lambda _: SinglePage()),
    )
}

ORDER_ACCEPTANCE = Call("OR21")
ORDERS_PATH = "/api/orders"

STOCK_IMPORT = Call("STO01")
STOCK_IMPORT_PATH = "/api/offers/stock/imports"
STOCK_IMPORT_STATUS = Call("STO02")
STOCK_IMPORT_ERRORS = Call("STO03")
STOCK_STATUS_POLL_SECONDS = 15.0
