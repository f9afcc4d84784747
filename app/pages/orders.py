"""Orders for customer service: found by any id, told in plain words on one time line."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from app.asking import Ask, NotHere, Page
from app.pages.explain import sections_of
from app.tables import Column, Filter, Query, Row, Table
from orchestration.lib.explaining.chains import Explainer
from orchestration.lib.explaining.finding import Subject


def page_of(row: Row) -> str:
    """Address of an order."""
    return f"/orders/{quote(str(row['marketplace_code']), safe='')}/{quote(str(row['order_id']), safe='')}"


def listing(ask: Ask) -> Page:
    """Orders by any id that they or their documents, parcels and lines have."""
    waits = ask.asked.get("waits") == "1"
    where = " WHERE is_customer_not_yet_refunded" if waits else ""
    table = Table(
        "Orders",
        (
            Column("order_date", "Date", "date"),
            Column("order_id", "Order", "text", page_of, note="commercial_id"),
            Column("marketplace_code", "Market", "code"),
            Column("total_amount", "Total", "money"),
            Column("marketplace_status", "At the marketplace", "long"),
            Column("erp_status", "In the books", "long"),
            Column("tracking_numbers", "Tracking", "text", note="carrier_name"),
            Column("refund_status", "Refund", "text"),
            Column("open_exception_codes", "Open", "text"),
        ),
        Query(f"SELECT * FROM order_status{where}"),
        sort="-order_date",
        filters=(
            Filter("marketplace_code", "Marketplace"),
            Filter("refund_status", "Refund"),
            Filter("order_state", "State"),
        ),
        search=("search_ids", "order_id", "commercial_id"),
        nothing="No customer waits for a refund." if waits else "No order has been read yet.",
    )
    return Page("orders.html", "Orders", {"waits": waits}, {"table": table})


def one(ask: Ask) -> Page:
    """One order: where it stands, what happened when, and its money."""
    marketplace, id_ = ask.path("marketplace"), ask.path("order")
    keys = {"marketplace_code": marketplace, "order_id": id_}
    orders, told = ask.published.select("fct_orders", keys), ask.published.select("order_status", keys)
    if not orders or not told:
        raise NotHere(f"{marketplace} has no order {id_} here. Search it under Orders by another of its ids.")
    node = Explainer(ask.published).explain(Subject("ORDER", id_, marketplace))
    node.title = "The money of the order"
    sections, tables = sections_of([node])
    values = {"row": told[0], "events": _events(orders[0], told[0]), "sections": sections}
    return Page("order.html", f"Order {id_}", values, tables)


def _events(order: Row, told: Row) -> list[dict[str, Any]]:
    """What happened, oldest first; days come before times of the same day."""
    parcel = f"{told['carrier_name'] or ''} {told['tracking_numbers'] or ''}"
    events = [
        (order["created_at"], "Ordered", f"{told['skus'] or ''}"),
        (order["customer_debited_at"], "Customer debited", ""),
        (order["accepted_at"], "Accepted", ""),
        (told["invoice_date"], "Invoiced", str(told["invoice_no"] or "")),
        (told["dispatch_date"], "Left the warehouse", str(told["dispatch_nos"] or "")),
        (
            told["shipped_at"],
            "Marketplace told of the shipment",
            parcel,
        ),
        (order["received_at"], "Delivered", ""),
        (told["refunded_at"], "Refunded", str(told["credit_note_nos"] or "")),
        (told["settled_date"], "Settled by the marketplace", ""),
        (told["received_date"], "Money in the bank", ""),
    ]
    found = [{"at": at, "what": what, "more": more.strip()} for at, what, more in events if at is not None]
    return sorted(found, key=lambda event: str(event["at"]))
