"""The Mirakl calls used here, as data: path, paging, fixed parameters, and the pace that Mirakl states for each.

Paces are the published maxima of the seller specification (2026-07-20) with a margin. OR11's "once per minute" and
the "once a day" of SBC11 and IV01 count polls, with as many calls as there are pages: how often to poll is the
schedule's affair, so their pages only keep a civil distance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from connectors.http import Call, Pace
from connectors.pagination import Guard, LinkOffset, PageToken, Paginator, SinglePage

CIVIL = (Pace(4, 1.0),)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How one feed is read. `since` names the parameter for the window's start; None reads everything each time."""

    entity: str
    call: Call
    path: str
    paginator: Callable[[Guard], Paginator]
    parameters: Mapping[str, str] = field(default_factory=dict)
    since: str | None = None
    takes_tax_mode: bool = False


ENDPOINTS: dict[str, Endpoint] = {
    e.entity: e
    for e in (
        Endpoint(
            "orders",
            Call("OR11", CIVIL),
            "/api/orders",
            lambda guard: LinkOffset(100, guard),
            since="start_update_date",
            takes_tax_mode=True,
        ),
        Endpoint(
            "transaction_lines",
            # Stated: 20 a minute, 60 an hour.
            Call("TL02", (Pace(18, 60.0), Pace(58, 3600.0))),
            "/api/sellerpayment/transactions_logs",
            lambda guard: PageToken(2000, guard),
            {"sort": "lastUpdated,ASC"},
            since="last_updated_from",
        ),
        Endpoint(
            "billing_cycles",
            Call("SBC11", CIVIL),
            "/api/seller-billing-cycles",
            lambda guard: PageToken(1000, guard),
            {"sort": "dateCreated,ASC"},
        ),
        # Without `type` only automatic invoices come.
        Endpoint(
            "invoices", Call("IV01", CIVIL), "/api/invoices", lambda guard: LinkOffset(100, guard), {"type": "ALL"}
        ),
        Endpoint("offers", Call("OF21", CIVIL), "/api/offers", lambda guard: LinkOffset(100, guard)),
        Endpoint("account", Call("A01", CIVIL), "/api/account", lambda _: SinglePage()),
        Endpoint("platform", Call("PC01", CIVIL), "/api/platform/configuration", lambda _: SinglePage()),
        Endpoint("carriers", Call("SH21", CIVIL), "/api/shipping/carriers", lambda _: SinglePage()),
    )
}

ORDER_ACCEPTANCE = Call("OR21", ())
ORDERS_PATH = "/api/orders"

STOCK_IMPORT = Call("STO01", (Pace(1, 60.0),))
STOCK_IMPORT_PATH = "/api/offers/stock/imports"
STOCK_IMPORT_STATUS = Call("STO02", (Pace(1, 15.0),))
STOCK_IMPORT_ERRORS = Call("STO03", (Pace(1, 60.0),))
STOCK_STATUS_POLL_SECONDS = 15.0
