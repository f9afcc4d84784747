"""Orders for customer service: found by any id or by what the customer has in hand, told in plain words on one time
line.
"""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import quote

from starlette.datastructures import FormData

from app.asking import Ask, Done, NotHere, NotNow, Page
from app.masks import masked
from app.pages.explain import sections_of
from app.people import Right
from app.tables import Column, Filter, Query, Row, Table
from orchestration.lib import customers, erasing
from orchestration.lib.explaining.chains import Explainer
from orchestration.lib.explaining.finding import Subject
from orchestration.lib.persons import PersonsUnavailable
from orchestration.outbox import About

MOST_FOUND = 200
"""Orders of one customer's postcode or address; of more nobody is told."""
MOST_SEARCHES = 100
MOST_BESIDE = 20


def page_of(row: Row) -> str:
    """Address of an order."""
    return f"/orders/{quote(str(row['marketplace_code']), safe='')}/{quote(str(row['order_id']), safe='')}"


def listing(ask: Ask) -> Page:
    """Orders by any id that they or their documents, parcels and lines have."""
    waits, key = ask.asked.get("waits") == "1", ask.asked.get("found", "")
    where, parameters = " WHERE is_customer_not_yet_refunded" if waits else "", list[Any]()
    if key:
        who, ids = ask.site.searches.get(key, ("", []))
        if who != ask.person.name:
            raise NotHere("That search is over. Search again under Orders.")
        where, parameters = " WHERE list_contains(?, order_id)", [ids]
    table = Table(
        "Orders",
        (
            Column("order_date", "Date", "date"),
            Column("order_id", "Order", "text", page_of, note="commercial_id"),
            Column("marketplace_code", "Market", "code"),
            Column("total_amount", "Total", "money"),
            Column("marketplace_status", "At the marketplace"),
            Column("erp_status", "In the books"),
            Column("tracking_numbers", "Tracking", "text", note="carrier_name"),
            Column("refund_status", "Refund", "text"),
            Column("open_exception_codes", "Open", "text"),
        ),
        Query(f"SELECT * FROM order_status{where}", parameters),
        sort="-order_date",
        filters=(
            Filter("marketplace_code", "Marketplace"),
            Filter("refund_status", "Refund"),
            Filter("order_state", "State"),
        ),
        search=("search_ids", "order_id", "commercial_id"),
        nothing="No customer waits for a refund." if waits else "No order has been read yet.",
    )
    return Page("orders.html", "Orders", {"waits": waits, "found": bool(key)}, {"table": table})


def find(ask: Ask, sent: FormData) -> Done:
    """The orders of a postcode or of a customer's mail address. What was searched for stays out of addresses and logs;
    that somebody searched, and what was found, is an entry of the audit trail.
    """
    clue = customers.clue_of(str(sent.get("clue", "")))
    if clue is None:
        raise NotNow("that is neither a postcode nor a mail address; whole ones are found only, what is kept is a hash")
    kind = "mail address" if clue[0] is customers.Clue.MAIL else "postcode"
    ids = _known(ask, customers.orders_with(ask.settings, clue))
    if not ids:
        raise NotNow(f"no order has this {kind}, or its customer was erased")
    if len(ids) > MOST_FOUND:
        raise NotNow(f"{len(ids):,} orders have this {kind}; ask the customer for an order number or a tracking number")
    ask.outbox.notes.looked_for(ids, f"searched by {kind}", by=ask.person.name)
    if len(ids) == 1:
        return Done(f"One order has this {kind}.", page_of(_order(ask, ids[0])))
    key, searches = secrets.token_urlsafe(12), ask.site.searches
    while len(searches) >= MOST_SEARCHES:
        searches.pop(next(iter(searches)))
    searches[key] = (ask.person.name, ids)
    return Done(f"{len(ids)} orders have this {kind}.", f"/orders?found={key}")


def reveal(ask: Ask, sent: FormData) -> Page:
    """The order with its customer, once the look was written down."""
    keys = {name: str(sent.get(name, "")) for name in ("marketplace_code", "order_id")}
    if not ask.published.select("fct_orders", keys):
        raise NotHere(f"{keys['marketplace_code']} has no order {keys['order_id']} here. Search it under Orders.")
    ask.outbox.notes.look_up(keys["order_id"], str(sent.get("reason", "")), by=ask.person.name)
    try:
        found = erasing.shown(ask.settings, keys["order_id"])
    except (erasing.NoSuchPerson, PersonsUnavailable) as error:
        raise NotNow(str(error)) from error
    except FileNotFoundError as error:
        raise NotNow("the evidence is not on this machine: `tieout privacy show` tells it where it is") from error
    lines = list(dict.fromkeys(line for part in found for member in part["members"] for line in _told(member)))
    return _page(ask, keys["marketplace_code"], keys["order_id"], customer=lines)


def one(ask: Ask) -> Page:
    """One order: where it stands, what happened when, and its money."""
    return _page(ask, ask.path("marketplace"), ask.path("order"))


def _page(ask: Ask, marketplace: str, id_: str, *, customer: list[tuple[str, str]] | None = None) -> Page:
    keys = {"marketplace_code": marketplace, "order_id": id_}
    orders, told = ask.published.select("fct_orders", keys), ask.published.select("order_status", keys)
    if not orders or not told:
        raise NotHere(f"{marketplace} has no order {id_} here. Search it under Orders by another of its ids.")
    node = Explainer(ask.published).explain(Subject("ORDER", id_, marketplace))
    node.title = "The money of the order"
    sections, tables = sections_of([node])
    beside = []
    if ask.may(Right.REVEAL):
        beside = [_order(ask, one) for one in _known(ask, customers.orders_beside(ask.settings, id_))[:MOST_BESIDE]]
    values = {
        "row": told[0],
        "events": _events(orders[0], told[0]),
        "sections": sections,
        "beside": [(page_of(one), one) for one in beside],
        "customer": customer,
        "looks": [look | {"text": masked(look["text"])} for look in ask.outbox.notes.about(About.ORDER, id_)],
        "back": page_of(keys),
    }
    return Page("order.html", f"Order {id_}", values, tables)


def _known(ask: Ask, ids: list[str]) -> list[str]:
    """Those of the orders that are published, newest first."""
    rows = ask.published.rows(
        "SELECT order_id FROM order_status WHERE list_contains(?, order_id) ORDER BY order_date DESC, order_id", [ids]
    )
    return list(dict.fromkeys(str(row["order_id"]) for row in rows)) if ids else []


def _order(ask: Ask, id_: str) -> Row:
    return ask.published.select("order_status", {"order_id": id_})[0]


def _told(member: Any, name: str = "") -> list[tuple[str, str]]:
    """A member of a vendor's record as lines: label and value; what is empty is left out."""
    if isinstance(member, dict):
        return [line for key, value in member.items() for line in _told(value, key)]
    if isinstance(member, list):
        return [line for value in member for line in _told(value, name)]
    words = name.replace("_", " ").capitalize() or "Mail address"
    return [] if member is None or str(member).strip() == "" else [(words, str(member))]


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
