"""Papers and conversations around orders: returns, threads, order documents, document requests, invoice files.

Everything here follows from the orders alone, so that it can be left out or changed without moving anything else.
"""

import uuid
from collections.abc import Callable, Iterable
from typing import Any

from sandbox.world.mirakl import pdf
from sandbox.world.mirakl.orders import tracking_of
from sandbox.world.model import Case, Order, OrderLine, Shop
from sandbox.world.money import pounds, tax_inside
from sandbox.world.stamps import DAY, HOUR, iso

RECENT_RETURNS = 4
THREAD_EVERY, DOCUMENT_EVERY = 29, 23
MOST_REQUESTS = 60
_NAMESPACE = uuid.UUID("6f1d2c3a-0000-4000-8000-7469656f7574")
_RETURNED = ("REFUNDED_IN_FULL", "RECALLED")
ShopOf = Callable[[Order], Shop]


def _id(kind: str, subject: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{kind}:{subject}"))


# --- returns (RT11)


def returns(orders: Iterable[Order], shop_of: ShopOf, as_of: int) -> list[dict[str, Any]]:
    """One closed return per order that was refunded because it came back, and a few that are on their way."""
    orders = list(orders)
    found: list[tuple[int, dict[str, Any]]] = []
    for order in orders:
        if order.profile in _RETURNED or order.return_state is not None:
            refunded = max(refund.created for line in order.lines for refund in line.refunds)
            asked = max(order.received or order.created, refunded - 4 * DAY)
            found.append((asked, _return(order, shop_of(order), order.return_state or "CLOSED", asked, refunded)))
    recent = [order for order in orders if order.state == "RECEIVED" and order.profile == "ORDINARY"]
    recent.sort(key=lambda order: (order.received or 0, order.id))
    states = ("WAITING_ACCEPTANCE", "IN_PROGRESS", "IN_PROGRESS", "RECEIVED")
    for order, state in zip(recent[-RECENT_RETURNS:], states, strict=False):
        asked = min((order.received or order.created) + HOUR, as_of)
        found.append((asked, _return(order, shop_of(order), state, asked, asked)))
    found.sort(key=lambda each: (each[0], each[1]["id"]))
    return [record for _, record in found]


def _return(order: Order, shop: Shop, state: str, asked: int, updated: int) -> dict[str, Any]:
    reason = "RETURN_BROKEN_ITEM" if order.customer % 2 else "RETURN_CHANGED_MIND"
    is_back = state in ("RECEIVED", "CLOSED")
    code, label, tracking, url = tracking_of(order, 500_000_000)
    return {
        "date_created": iso(asked),
        "documents": [],
        "id": _id("return", order.id),
        "last_updated": iso(updated),
        "method_code": "RETURN_METHOD_BY_MAIL",
        "order_commercial_id": order.commercial_id,
        "order_id": order.id,
        "reason_code": reason,
        "return_address": {
            "city": shop.city,
            "country_iso_code": shop.country,
            "street1": shop.street,
            "zip_code": shop.zip_code,
        },
        "return_lines": [
            {
                "compliance": [{"compliant": True}] if is_back else None,
                "order_line_id": line.id,
                "quantity": line.quantity - line.cancelled_quantity,
                "reason_code": reason,
            }
            for line in order.live_lines
        ],
        "rma": f"RMA{order.id.rsplit('-', 1)[0][-8:]}",
        "state": state,
        "tracking": {
            "carrier_code": code,
            "carrier_name": label,
            "carrier_standard_code": code,
            "tracking_number": tracking,
            "tracking_url": url,
        }
        if state != "WAITING_ACCEPTANCE"
        else None,
    }


# --- threads (M11)


def threads(
    orders: Iterable[Order], shop_of: ShopOf, as_of: int, shop: Shop | None = None, cases: Iterable[Case] = ()
) -> list[dict[str, Any]]:
    """Conversations between shops and the operator about some of the orders, oldest first, and `cases` of `shop`."""
    found = []
    for number, order in enumerate(orders):
        started = order.created + 2 * DAY
        if number % THREAD_EVERY or started > as_of - DAY:
            continue
        about = {"id": order.id, "label": f"Order {order.id}", "type": "MMP_ORDER"}
        found.append(_thread(_id("thread", order.id), shop_of(order), about, started, order.customer))
    for number, case in enumerate(cases):
        if shop is None:
            raise ValueError("a case belongs to a shop")
        label = f"{'Order' if case.kind == 'MMP_ORDER' else 'Offer'} {case.about}"
        about = {"id": case.about, "label": label, "type": case.kind}
        found.append(_thread(case.id, shop, about, case.created, 2 * number))
    found.sort(key=lambda thread: (str(thread["date_created"]), str(thread["id"])))
    return found


def _thread(thread_id: str, shop: Shop, about: dict[str, str], started: int, lot: int) -> dict[str, Any]:
    """`lot` decides how many messages there are, whose the last one is, and the topic."""
    ours = {"display_name": shop.name, "id": str(shop.id), "type": "SHOP"}
    operator = {"display_name": "Operator", "id": "OPERATOR", "type": "OPERATOR"}
    messages = 1 + lot % 4
    last = started + (messages - 1) * 3 * HOUR
    theirs = {"display_name": "Support desk", "organization_details": operator, "type": "OPERATOR_USER"}
    own = {"display_name": shop.name, "organization_details": ours, "type": "SHOP_USER"}
    return {
        "authorized_participants": [ours, operator],
        "current_participants": [ours, operator],
        "date_created": iso(started),
        "date_updated": iso(last),
        "entities": [about],
        "id": thread_id,
        "metadata": {
            "last_message_date": iso(last),
            "last_sender": theirs if messages % 2 else own,
            "shop_reply_needed_since": iso(last) if messages % 2 else None,
            "total_count": messages,
        },
        "no_store_reply_needed": [],
        "topic": {"type": "REASON_CODE", "value": "26" if lot % 2 else "27"},
    }


# --- order documents (OR72)


def order_documents(orders: Iterable[Order]) -> list[dict[str, Any]]:
    """Delivery bills of some of the orders that were sent."""
    sent = [order for order in orders if order.shipped is not None]
    return [
        {
            "date_uploaded": iso(order.shipped),
            "file_name": f"delivery-{order.id}.pdf",
            "file_size": 1_000 + order.customer % 4_000,
            "id": 40_000 + number,
            "order_id": order.id,
            "type": "SYSTEM_DELIVERY_BILL",
        }
        for number, order in enumerate(sent)
        if number % DOCUMENT_EVERY == 0 and order.shipped is not None
    ]


# --- document requests (DR11, DR12)


def document_requests(
    orders: Iterable[Order], shop_of: ShopOf
) -> tuple[list[dict[str, Any]], dict[str, list[dict[str, Any]]]]:
    """Invoices that sellers are to issue to business customers, newest orders first, and their lines by request."""
    sent = [order for order in orders if order.shipped is not None and order.live_lines]
    sent.sort(key=lambda order: (order.shipped or 0, order.id), reverse=True)
    chosen = sent[:: max(1, len(sent) // MOST_REQUESTS)][: min(MOST_REQUESTS, max(4, len(sent) // 20))]
    requests, lines = [], {}
    for number, order in enumerate(chosen):
        request_id = _id("document request", order.id)
        lines[request_id] = [_request_line(order, line, shop_of(order)) for line in order.live_lines]
        requests.append(_request(order, shop_of(order), request_id, lines[request_id], is_issued=number % 4 != 0))
    return requests, lines


def _taxed(line: OrderLine) -> tuple[int, int, int, int]:
    """Goods net, goods tax, shipping net and shipping tax of what was not cancelled, in pence."""
    if line.tax is not None:
        return line.goods_due, line.tax.goods, line.shipping_due, line.tax.shipping
    goods_tax = tax_inside(line.goods_due, line.vat_rate)
    shipping_tax = tax_inside(line.shipping_due, line.vat_rate)
    return line.goods_due - goods_tax, goods_tax, line.shipping_due - shipping_tax, shipping_tax


def _request_line(order: Order, line: OrderLine, shop: Shop) -> dict[str, Any]:
    goods, goods_tax, shipping, shipping_tax = _taxed(line)
    quantity = line.quantity - line.cancelled_quantity
    code = f"VAT{line.item.vat_rate // 100}"
    record: dict[str, Any] = {
        "delivery_bill_information": [],
        "entity_id": line.id,
        "entity_type": "PRODUCT_DEBIT",
        "id": _id("document request line", line.id),
        "order": {"commercial_id": order.commercial_id, "date_created": iso(order.created), "id": order.id},
        "order_line": {"id": line.id},
        "price_excluding_taxes": pounds(goods),
        "product": {
            "references": [{"reference": line.item.ean, "type": "EAN"}],
            "sku": line.item.product_sku,
            "title": line.item.name,
        },
        "promotions": [],
        "quantity": quantity,
        "shipping_from": {"address": {"country_iso_code": shop.country}},
        "shipping_price_excluding_taxes": pounds(shipping),
        "shipping_taxes": [{"amount": pounds(shipping_tax), "code": code, "rate": pounds(line.item.vat_rate)}],
        "shop": {"id": shop.id},
        "taxes": [{"amount": pounds(goods_tax), "code": code, "rate": pounds(line.item.vat_rate)}],
        "total_price_including_taxes": pounds(goods + goods_tax + shipping + shipping_tax),
        "unit_price_excluding_taxes": pounds(goods // quantity),
    }
    return record


def _request(
    order: Order, shop: Shop, request_id: str, lines: list[dict[str, Any]], *, is_issued: bool
) -> dict[str, Any]:
    net = sum(line["price_excluding_taxes"] + line["shipping_price_excluding_taxes"] for line in lines)
    gross = sum(line["total_price_including_taxes"] for line in lines)
    totals: dict[tuple[str, Any], Any] = {}
    for line in lines:
        for tax in (*line["taxes"], *line["shipping_taxes"]):
            key = (tax["code"], tax["rate"])
            totals[key] = totals.get(key, 0) + tax["amount"]
    shipped = order.shipped or order.created
    issued = shipped + 6 * HOUR if is_issued else shipped
    record: dict[str, Any] = {
        "currency_iso_code": order.currency,
        "date_created": iso(shipped),
        "document_details": [{"format": "PDF"}],
        "due_date": iso(shipped + 30 * DAY),
        "entities": {"ship_to_iso_country_code": order.ship_to},
        "entity_date_created": iso(order.created),
        "entity_id": order.id,
        "entity_type": "PRODUCT_LOGISTIC_ORDER",
        "id": request_id,
        "initial_documents": [],
        "initial_payment_state": "PAID" if order.debited is not None else "NOT_PAID",
        "issue_date": iso(shipped),
        "issuer": {
            "id": str(shop.id),
            "organization": {
                "address": {
                    "city": shop.city,
                    "country_iso_code": shop.country,
                    "street_1": shop.street,
                    "zip_code": shop.zip_code,
                },
                "name": shop.corporate_name,
                "tax_identification_number": shop.tax_number,
                "tax_number_country": shop.country,
            },
            "type": "SHOP",
        },
        "last_updated": iso(issued),
        "payment_terms": {"days": 30, "type": "NET"},
        "recipient": {
            "billing_address": {
                "city": "Sampleton",
                "company": f"Fictitious Works {order.customer % 90 + 10}",
                "country": "United Kingdom",
                "country_iso_code": "GBR",
                "lastname": "Accounts payable",
                "street_1": "2 Example Street",
                "zip_code": "ZZ1 1ZZ",
            },
            "id": _id("organization", str(order.customer % 90)),
            "type": "CUSTOMER",
        },
        "state": "ISSUED" if is_issued else "TO_PROCESS",
        "taxes": [
            {"code": code, "rate": rate, "total_amount": amount} for (code, rate), amount in sorted(totals.items())
        ],
        "total_amount_excluding_taxes": net,
        "total_amount_including_taxes": gross,
        "total_tax_amount": gross - net,
        "type": "INVOICE",
    }
    if is_issued:
        record |= {"document_number": f"INV-{order.id.rsplit('-', 1)[0][-8:]}", "document_upload_date": iso(issued)}
    return record


# --- files of the operator's documents (IV02)


def invoice_files(invoices: Iterable[dict[str, Any]]) -> dict[str, bytes]:
    """The printed form of every accounting document, by its `id`."""
    return {
        invoice["id"]: pdf.page(
            [
                f"{invoice['type'].replace('_', ' ').title()} {invoice['invoice_id']:012d}",
                f"Issued {invoice['issue_date'][:10]} to {invoice['shop_corporate_name']}",
                "",
                *(f"{detail['description']}: {detail['amount_excl_taxes']}" for detail in invoice["details"]),
                "",
                f"Total without tax {invoice['total_amount_excl_taxes']} {invoice['currency_iso_code']}",
                f"Total with tax {invoice['total_amount_incl_taxes']} {invoice['currency_iso_code']}",
            ]
        )
        for invoice in invoices
    }
