"""The Mirakl calls used here, as data: path, paging and fixed parameters.

How often each may be made is configuration (call_budgets.csv) and reaches the client as its budget.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from connectors.http import Call
from connectors.pagination import Guard, LinkOffset, PageToken, Paginator, SinglePage

Perspective = Literal["SELLER", "OPERATOR"]
MAXIMUM_IDS = 100
"""Mirakl takes at most this many ids in one parameter."""

SELLER_FEEDS = frozenset({"account", "account_statistics", "offers", "products"})
"""What only a seller's key can read. OF21 is no operator's call, and P31 is asked for what OF21 names."""
OPERATOR_FEEDS = frozenset({"shops", "payment_debits", "payment_refunds"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How one feed is read page by page.

    `since` names the parameter for the window's start; None reads everything each time. `shop_filter` says how an
    operator may narrow the call to some shops (`shop_ids`), None that it cannot. A feed that is read by id has its ids
    in `ids_in`, one parameter with many, or one at a time as `{id}` in its path.
    """

    entity: str
    call: Call
    path: str
    paginator: Callable[[Guard], Paginator]
    parameters: Mapping[str, str] = field(default_factory=dict)
    since: str | None = None
    takes_tax_mode: bool = False
    shop_filter: Literal["COMMA", "REPEATED"] | None = None
    ids_in: str | None = None

    @property
    def is_by_id(self) -> bool:
        return self.ids_in is not None or "{id}" in self.path


def _offset(guard: Guard) -> Paginator:
    return LinkOffset(100, guard)


def _tokens(guard: Guard) -> Paginator:
    return PageToken(100, guard)


def _whole(_: Guard) -> Paginator:
    return SinglePage()


OLDEST_FIRST = {"sort": "dateCreated", "order": "asc"}
"""What comes into being while offset pages are read is appended then, and shifts nothing past the reader."""

ENDPOINTS: dict[str, Endpoint] = {
    e.entity: e
    for e in (
        Endpoint(
            "orders",
            Call("OR11"),
            "/api/orders",
            _offset,
            OLDEST_FIRST,
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
        Endpoint("invoices", Call("IV01"), "/api/invoices", _offset, {"type": "ALL", **OLDEST_FIRST}),
        Endpoint("offers", Call("OF21"), "/api/offers", _offset),
        Endpoint("account", Call("A01"), "/api/account", _whole),
        Endpoint("platform", Call("PC01"), "/api/platform/configuration", _whole),
        Endpoint("carriers", Call("SH21"), "/api/shipping/carriers", _whole),
        Endpoint("offer_details", Call("OF22"), "/api/offers/{id}", _whole),
        Endpoint("products", Call("P31"), "/api/products", _whole, ids_in="product_references"),
        Endpoint(
            "returns",
            Call("RT11"),
            "/api/returns",
            _tokens,
            {"sort": "date_created,ASC"},
            since="return_last_updated_from",
        ),
        Endpoint(
            "shipments", Call("ST11"), "/api/shipments", _tokens, {"sort": "dateCreated,ASC"}, since="last_updated_from"
        ),
        Endpoint("items_to_ship", Call("ST12"), "/api/shipments/items_to_ship", _tokens, {"sort": "shippingDate,ASC"}),
        Endpoint("order_documents", Call("OR72"), "/api/orders/documents", _whole, ids_in="order_ids"),
        Endpoint("threads", Call("M11"), "/api/inbox/threads", _tokens, since="updated_since"),
        Endpoint(
            "document_requests",
            Call("DR11"),
            "/api/document-request/requests",
            _tokens,
            {"sort": "dateCreated,ASC"},
            since="last_updated_from",
            shop_filter="REPEATED",
        ),
        Endpoint("document_request_lines", Call("DR12"), "/api/document-request/{id}/lines", _tokens),
        Endpoint("invoice_files", Call("IV02"), "/api/invoices/{id}", _whole),
        Endpoint("account_statistics", Call("A21"), "/api/account/statistics", _whole),
        Endpoint("currencies", Call("CUR01"), "/api/currencies", _whole),
        Endpoint("channels", Call("CH11"), "/api/channels", _whole),
        Endpoint("offer_conditions", Call("OF61"), "/api/offers/states", _whole),
        Endpoint("reasons", Call("RE01"), "/api/reasons", _whole),
        Endpoint("shipping_zones", Call("SH11"), "/api/shipping/zones", _whole),
        Endpoint("shipping_methods", Call("SH12"), "/api/shipping/types", _whole),
        Endpoint("custom_fields", Call("AF01"), "/api/additional_fields", _whole),
        Endpoint("shops", Call("S20"), "/api/shops", _offset, shop_filter="COMMA"),
        Endpoint("payment_debits", Call("PA11"), "/api/payment/debit", _offset),
        Endpoint("payment_refunds", Call("PA12"), "/api/payment/refund", _offset),
    )
}
