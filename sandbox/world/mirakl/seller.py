"""The marketplace as the API of one shop tells it."""

from typing import Any

from sandbox.world.business import Business
from sandbox.world.mirakl import papers, reference
from sandbox.world.mirakl.cycles import cycle_record, documents
from sandbox.world.mirakl.lines import LineRenderer
from sandbox.world.mirakl.orders import CARRIERS, order_record
from sandbox.world.mirakl.settings import account, offer, platform, products, statistics
from sandbox.world.model import Case, Item, MiraklWorld, Order
from sandbox.world.settlement import Ledger


def render(
    business: Business,
    orders: list[Order],
    ledger: Ledger,
    items: list[Item],
    offers: list[tuple[Item, int, bool]],
    cases: list[Case],
    as_of: int,
) -> MiraklWorld:
    """Everything the marketplace's API can tell. `offers` are (item, quantity, active), `cases` conversations."""
    visible: list[dict[str, Any]] = []
    hidden: list[dict[str, Any]] = []
    shop = business.shop
    line = LineRenderer(shop)
    for entry in ledger.entries:
        (hidden if entry.is_hidden else visible).append(line(entry))
    in_feed = [order for order in orders if order.is_in_feed]
    invoices = documents(shop, ledger.cycles, ledger.documents)
    requests, request_lines = papers.document_requests(in_feed, lambda order: shop)
    return MiraklWorld(
        account=account(business, ledger, len(orders), len(offers)),
        platform=platform(business.platform_name, business.tenant_name),
        carriers=[
            {"code": code, "label": label, "standard_code": code, "tracking_url": url} for code, label, url in CARRIERS
        ],
        orders={order.id: order_record(order, as_of) for order in in_feed},
        transaction_lines=visible,
        cycles=[cycle_record(shop, cycle) for cycle in ledger.cycles],
        invoices=invoices,
        offers=[offer(item, quantity, active, as_of, shop.currency) for item, quantity, active in offers],
        hidden_transaction_lines=hidden,
        earlier_transaction_lines=[
            line.as_it_was(entry) for entry in ledger.entries if entry.earlier_amount is not None
        ],
        returns=papers.returns(in_feed, lambda order: shop, as_of),
        document_requests=requests,
        document_request_lines=request_lines,
        threads=papers.threads(in_feed, lambda order: shop, as_of, shop, cases),
        order_documents=papers.order_documents(in_feed),
        products=products([*items, *(item for item, _, _ in offers)]),
        reasons=reference.reasons(),
        shipping_zones=reference.shipping_zones(),
        shipping_methods=reference.shipping_methods(),
        currencies=reference.currencies(),
        channels=reference.channels(),
        offer_conditions=reference.offer_conditions(),
        custom_fields=reference.custom_fields(),
        account_statistics=statistics(shop, in_feed, len(offers), as_of),
        invoice_files=papers.invoice_files(invoices),
    )
