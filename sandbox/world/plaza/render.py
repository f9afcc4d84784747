"""PLAZA as the API of its operator tells it: every record says whose it is."""

from copy import deepcopy
from typing import Any

from sandbox.world.mirakl import papers, reference
from sandbox.world.mirakl.cycles import cycle_record, payment_info
from sandbox.world.mirakl.lines import LineRenderer
from sandbox.world.mirakl.orders import CARRIERS, awaits_payment, order_record, shared_customer
from sandbox.world.mirakl.settings import offer, platform, products
from sandbox.world.mirakl.shipments import items_to_ship, shipment_records
from sandbox.world.model import Item, MiraklWorld, Order, OrderLine, Shop
from sandbox.world.money import pounds
from sandbox.world.plaza.catalogue import CURRENCY, TAX_MODE
from sandbox.world.plaza.ledger import RESERVE_AMOUNT, SellerLedger
from sandbox.world.plaza.sellers import Role, Seller
from sandbox.world.stamps import iso

_customers: dict[int, dict[str, Any]] = {}


def render(
    placed: list[tuple[Seller, Order]],
    ledgers: list[SellerLedger],
    assortments: dict[int, list[Item]],
    invoices: list[dict[str, Any]],
    as_of: int,
) -> MiraklWorld:
    """Everything the operator's API can tell, with its documents to the sellers, which are rendered already.

    `assortments`: the offers of each seller, by the seller's number.
    """
    entries = []
    earlier = []
    for ledger in ledgers:
        line = LineRenderer(ledger.seller.shop)
        entries += [(entry.created, entry.is_hidden, line(entry)) for entry in ledger.entries]
        earlier += [line.as_it_was(entry) for entry in ledger.entries if entry.earlier_amount is not None]
    entries.sort(key=lambda entry: entry[0])
    orders = [order for _, order in placed if order.is_in_feed]
    requests, request_lines = papers.document_requests(orders, _shop_of)
    sold = {item.product_sku: item for items in assortments.values() for item in items}
    counts: dict[int, int] = {}
    for seller, _ in placed:
        counts[seller.number] = counts.get(seller.number, 0) + 1
    return MiraklWorld(
        account={},
        platform=_platform(),
        carriers=[
            {"code": code, "label": label, "standard_code": code, "tracking_url": url} for code, label, url in CARRIERS
        ],
        orders={order.id: _order(order, as_of) for order in orders},
        transaction_lines=[line for _, is_hidden, line in entries if not is_hidden],
        cycles=sorted(
            (cycle_record(ledger.seller.shop, cycle) for ledger in ledgers for cycle in ledger.cycles),
            key=lambda cycle: str(cycle["date_created"]),
        ),
        invoices=sorted(invoices, key=lambda document: str(document["date_created"])),
        offers=[
            offer(item, 3 + item.offer_id % 40, True, as_of) | _whose(ledger.seller.shop)
            for ledger in ledgers
            for item in assortments[ledger.seller.number]
        ],
        hidden_transaction_lines=[line for _, is_hidden, line in entries if is_hidden],
        earlier_transaction_lines=earlier,
        perspective="OPERATOR",
        shops=[
            _shop(ledger, len(assortments[ledger.seller.number]), counts.get(ledger.seller.number, 0), as_of)
            for ledger in ledgers
        ],
        shipments=shipment_records(orders, as_of),
        items_to_ship=items_to_ship(orders),
        returns=papers.returns(orders, _shop_of, as_of),
        document_requests=requests,
        document_request_lines=request_lines,
        threads=papers.threads(orders, _shop_of, as_of),
        order_documents=papers.order_documents(orders),
        products=products(sold.values()),
        reasons=reference.reasons(),
        shipping_zones=reference.shipping_zones(),
        shipping_methods=reference.shipping_methods(),
        currencies=reference.currencies(),
        channels=reference.channels(),
        offer_conditions=reference.offer_conditions(),
        custom_fields=reference.custom_fields(),
        invoice_files=papers.invoice_files(invoices),
        payment_debits=[_debit(order) for order in orders if order.state == "WAITING_DEBIT_PAYMENT"],
        payment_refunds=[row for order in orders if (row := _refunds(order, as_of)) is not None],
    )


def _whose(shop: Shop) -> dict[str, Any]:
    return {"shop_id": shop.id, "shop_name": shop.name}


# --- orders


def _order(order: Order, as_of: int) -> dict[str, Any]:
    shop = _shop_of(order)
    record = order_record(order, as_of)
    del record["customer_notification_email"]
    for line, rendered in zip(order.lines, record["order_lines"], strict=True):
        rendered |= {
            "can_open_incident": rendered["order_line_state"] in ("SHIPPED", "RECEIVED"),
            "tax_recalculation_required": False,
        }
        if line.operator_funded:
            rendered["funding"] = _funding(line)
    return record | {
        "can_evaluate": False,
        "commissionable": True,
        "customer": _customer(order, record["customer"]),
        "pay_out_psp_code": shop.psp,
        "payment_duration": order.payment_days,
        "shop_id": shop.id,
        "shop_name": shop.name,
        "waiting_funding_confirmation": False,
        "waiting_tax_confirmation": False,
    }


def _shop_of(order: Order) -> Shop:
    if order.shop is None:
        raise ValueError(f"order {order.id} has no shop")
    return order.shop


def _customer(order: Order, customer: dict[str, Any]) -> dict[str, Any]:
    """The operator sees an address to write to; equal customers share one record."""
    found = _customers.get(id(customer))
    if found is None or found["customer_id"] != customer["customer_id"]:
        found = customer | {"email": f"{customer['customer_id'].lower()}@customers.example"}
        _customers[id(customer)] = found
    return found


def _funding(line: OrderLine) -> dict[str, Any]:
    """Who paid for the line: the customer by card, the operator its part of the discount."""

    def share(amount: int, shipping: int, method: str) -> dict[str, Any]:
        def part(value: int) -> dict[str, Any]:
            return {"breakdown": [{"amount": pounds(value), "method": method}] if value else []}

        return {
            "fees": part(0),
            "offer": part(amount),
            "shipping": part(shipping),
            "total_amount": pounds(amount + shipping),
            "total_tax_amount": pounds(0),
        }

    return {
        "customer": share(line.price - line.operator_funded, line.shipping, "CARD"),
        "operator": share(line.operator_funded, 0, "PROMOTION"),
    }


# --- payments to be confirmed (PA11, PA12)


def _payment_head(order: Order, amount: int) -> dict[str, Any]:
    return {
        "amount": pounds(amount),
        "currency_iso_code": CURRENCY,
        "customer_id": shared_customer(order.customer, False, order.ship_to)["customer_id"],
        "imprint_number": f"IMP{order.commercial_id[5:]}",
        "order_commercial_id": order.commercial_id,
        "order_id": order.id,
        "pay_out_psp_code": _shop_of(order).psp,
        "payment_type": "CARD",
        "payment_workflow": order.workflow,
        "shop_id": str(_shop_of(order).id),
    }


def _payment_line(line: OrderLine) -> dict[str, Any]:
    return {
        "offer_id": str(line.item.offer_id),
        "order_line_amount": pounds(_due_from_customer(line)),
        "order_line_id": line.id,
        "order_line_quantity": line.quantity - line.cancelled_quantity,
    }


def _due_from_customer(line: OrderLine) -> int:
    tax = line.tax.goods + line.tax.shipping if line.tax else 0
    return line.goods_due + line.shipping_due + tax - line.operator_funded


def _debit(order: Order) -> dict[str, Any]:
    live = order.live_lines
    return _payment_head(order, sum(_due_from_customer(line) for line in live)) | {
        "debit_entity": {"id": order.id, "type": "ORDER"},
        "order_lines": {"order_line": [_payment_line(line) for line in live]},
    }


def _refunds(order: Order, as_of: int) -> dict[str, Any] | None:
    lines = []
    total = 0
    for line in order.lines:
        waiting = [refund for refund in line.refunds if awaits_payment(refund, as_of)]
        if waiting:
            amounts = [r.goods + r.shipping + r.tax + r.shipping_tax for r in waiting]
            total += sum(amounts)
            rows = [{"amount": pounds(a), "id": r.id} for a, r in zip(amounts, waiting, strict=True)]
            lines.append(_payment_line(line) | {"refunds": {"refund": rows}})
    if not lines:
        return None
    return _payment_head(order, total) | {"order_lines": {"order_line": lines}}


# --- shops (S20), platform (PC01)


def _shop(ledger: SellerLedger, offers: int, orders: int, as_of: int) -> dict[str, Any]:
    seller, shop = ledger.seller, ledger.seller.shop
    is_suspect = bool(seller.roles & {Role.KYC_OPEN})
    balances = {
        "paid": pounds(ledger.paid),
        "pay_out_psp_code": shop.psp,
        "payable": pounds(ledger.payable),
        "pending": pounds(ledger.pending),
    }
    registered = 1_725_000_000_000 + seller.number * 86_400_000
    address = {
        "city": shop.city,
        "country": shop.country,
        "email": f"shop{shop.id}@sellers.example",
        "lastname": shop.name,
        "street1": shop.street,
        "zip_code": shop.zip_code,
    }
    taxes = [
        {"code": "TAXDEFAULT", "fee_types": ["COMMISSION", "SUBSCRIPTION", "ADDITIONAL_FEES"], "label": "Standard rate"}
    ]
    return {
        "applicable_taxes": [] if seller.is_abroad else taxes,
        "billing_info": {key: value for key, value in payment_info(shop).items() if key != "@type"},
        "channels": [],
        "commission": {
            "grid_code": "CROSS_BORDER" if seller.is_abroad else "DOMESTIC",
            "grid_label": "Cross-border" if seller.is_abroad else "Domestic",
            "linked_to_default_grid": not seller.is_abroad,
        },
        "contact_informations": address,
        "currency_iso_code": CURRENCY,
        "date_created": iso(registered),
        "default_billing_information": {
            "corporate_information": {
                "company_registration_name": shop.corporate_name,
                "company_registration_number": f"{seller.number:08d}",
            },
            "default_language": "en_GB",
            "fiscal_information": {
                "tax_identification_country": shop.country,
                "tax_identification_number": shop.tax_number,
            },
            "id": f"00000000-0000-4000-8000-{shop.id:012d}",
            "registration_address": {
                "city": shop.city,
                "country_iso_code": shop.country,
                "street_1": shop.street,
                "zip_code": shop.zip_code,
            },
        },
        "description": None,
        "domains": ["PRODUCT"],
        "evaluations_count": orders // 4,
        "free_shipping": False,
        "grade": None,
        "is_professional": True,
        "kyc": {"reason": "Proof of identity is out of date", "status": "PENDING_APPROVAL"}
        if is_suspect
        else {"status": "APPROVED"},
        "last_updated_date": iso(min(as_of, ledger.cycles[-1].created)),
        "model": shop.model,
        "offers_count": offers,
        "operator_internal_id": shop.internal_id,
        "orders_count": orders,
        "payment_details": {
            "paid_balance": balances["paid"],
            "pay_subscription": Role.SUBSCRIBER in seller.roles,
            "payable_balance": balances["payable"],
            "payment_blocked": False,
            "pending_balance": balances["pending"],
            "reserve_balance": pounds(ledger.reserve),
            "reserve_target": pounds(RESERVE_AMOUNT if seller.roles & {Role.RESERVE, Role.YOUNG_RESERVE} else 0),
            "sub_balances": [balances],
            "subscription_free_from": None,
            "subscription_free_to": None,
        },
        "payment_info": payment_info(shop),
        "payment_method_mandatory": True,
        "premium": False,
        "premium_state": "DEFAULT",
        "pro_details": {
            "VAT_number": shop.tax_number,
            "corporate_name": shop.corporate_name,
            "identification_number": f"{seller.number:08d}",
            "tax_identification_number": shop.tax_number,
        },
        "shipping": {"lead_time_to_ship": 2},
        "shipping_country": shop.country,
        "shipping_types": ["STD"],
        "shipping_zones": ["GB1"],
        "shippings": [],
        "shop_additional_fields": [],
        "shop_id": shop.id,
        "shop_name": shop.name,
        "shop_state": "OPEN",
    }


def _platform() -> dict[str, Any]:
    record: dict[str, Any] = deepcopy(platform("Plaza Marketplace UK", "plaza-demo"))
    features = record["features"]
    features["order_tax_mode"] = TAX_MODE
    features["order_workflows"] |= {
        "no_customer_payment_confirmation": True,
        "pay_on_due_date": True,
        "pay_on_shipment": True,
    }
    features["shipment"]["multi_shipment"] = True
    features["tax_collection"] |= {"activated": "YES", "tax_collection_by_operator": True}
    record["platform_configuration"]["platform_model"] = {
        "drop_ship": True,
        "marketplace": True,
        "one_creditor": True,
    }
    return record
