"""Mirakl's view of the world, in the shapes its seller API publishes.

Parts that many records share (shop, order reference, customer) are one object: read-only for whoever serves them.
"""

from typing import Any

from sandbox.world.catalogue import CURRENCY, IBAN, SHOP_ID
from sandbox.world.model import (
    Cancelation,
    Cycle,
    Entry,
    Item,
    ManualDocument,
    MiraklWorld,
    Order,
    OrderLine,
    Refund,
)
from sandbox.world.money import pounds
from sandbox.world.settlement import FEE_TAX_TYPES, FEE_TYPES, Ledger
from sandbox.world.stamps import DAY, HOUR, iso

PSP = "NOT_SPECIFIED"
_SHOP = {"domains": ["PRODUCT"], "id": SHOP_ID, "model": "MARKETPLACE", "operator_internal_id": "SELLER-2042"}
_FULFILMENT = {"center": {"code": "DEFAULT"}}
_NO_MEDIA: list[dict[str, Any]] = []
_FIRST_NAMES = ("Testa", "Sampel", "Demo", "Fictia", "Mock", "Nemo", "Placid", "Example", "Dummie", "Inventa")
_LAST_NAMES = ("Placeholder", "Notreal", "Sampleton", "Madeup", "Imaginary", "Fictitious", "Exampleby", "Nobody")
_STREETS = ("Nowhere Lane", "Imaginary Row", "Example Street", "Fictional Close", "Pretend Avenue")
_CITIES = (("Sampleton", "ZZ1 1ZZ"), ("Fictionham", "ZZ4 7QQ"), ("Mockbury", "ZZ9 9AB"), ("Examplemouth", "ZZ12 3CD"))
_CARRIERS = (
    ("PPL", "Pretend Parcels", "https://track.pretendparcels.example/?n={trackingId}"),
    ("RMX", "Royal Example Post", "https://track.example-post.example/{trackingId}"),
    ("DPX", "Demo Parcel Express", "https://dpx.example/parcel/{trackingId}"),
)


def render(
    orders: list[Order], ledger: Ledger, items: list[Item], offers: list[tuple[Item, int, bool]], as_of: int
) -> MiraklWorld:
    """Everything the marketplace's API can tell. `offers` are (item, quantity, active)."""
    visible: list[dict[str, Any]] = []
    hidden: list[dict[str, Any]] = []
    references: dict[str, dict[str, Any]] = {}
    shared: dict[tuple[str, str | None, str | None], dict[str, Any]] = {}
    for entry in ledger.entries:
        line = _transaction_line(entry, references, shared)
        (hidden if entry.is_hidden else visible).append(line)
    return MiraklWorld(
        account=_account(ledger, len(orders), len(items)),
        platform=_platform(),
        carriers=[
            {"code": code, "label": label, "standard_code": code, "tracking_url": url} for code, label, url in _CARRIERS
        ],
        orders={order.id: _order(order, as_of) for order in orders if order.is_in_feed},
        transaction_lines=visible,
        cycles=[_cycle(cycle) for cycle in ledger.cycles],
        invoices=_documents(ledger),
        offers=[_offer(item, quantity, active, as_of) for item, quantity, active in offers],
        hidden_transaction_lines=hidden,
    )


# -- Orders (OR11) -----------------------------------------------------------------------------------------------------


def _customer(number: int, shows_address: bool) -> dict[str, Any]:
    first = _FIRST_NAMES[number % 10]
    last = _LAST_NAMES[number // 10 % 8]
    city, postcode = _CITIES[number // 80 % 4]
    address = None
    if shows_address:
        address = {
            "city": city,
            "civility": "",
            "company": None,
            "country": "United Kingdom",
            "country_iso_code": "GBR",
            "firstname": first,
            "lastname": last,
            "state": None,
            "street_1": f"{number // 320 % 90 + 1} {_STREETS[number // 7 % 5]}",
            "street_2": None,
            "zip_code": postcode,
        }
    return {
        "billing_address": address,
        "civility": None,
        "customer_id": f"C{number % 10**8:08d}",
        "firstname": first,
        "lastname": last,
        "locale": "en_GB",
        "shipping_address": address,
    }


_customers: dict[tuple[int, bool], dict[str, Any]] = {}


def _shared_customer(number: int, shows_address: bool) -> dict[str, Any]:
    # A few thousand invented people are enough: equal ones share one object.
    key = (number % 4_000, shows_address)
    found = _customers.get(key)
    if found is None:
        found = _customers[key] = _customer(*key)
    return found


def _line_state(order: Order, line: OrderLine) -> str:
    if line.refused:
        return "REFUSED"
    if line.is_cancelled:
        return "CANCELED"
    if line.is_fully_refunded:
        return "REFUNDED"
    return order.state


def _order(order: Order, as_of: int) -> dict[str, Any]:
    counted = [line for line in order.lines if not line.refused and not line.is_cancelled]
    price = sum(line.price for line in counted)
    shipping = sum(line.shipping for line in counted)
    fee = sum(line.commission + line.commission_vat for line in counted)
    shipped = order.shipped is not None
    code, label, url = _CARRIERS[order.customer % 3]
    tracking = f"{code}{order.customer % 10**9:09d}GB" if shipped else None
    refunded = bool(counted) and all(line.is_fully_refunded for line in counted)
    decided = iso(order.accepted) if order.accepted is not None else None
    debited = iso(order.debited) if order.debited is not None else None
    return {
        "acceptance_decision_date": decided,
        "can_cancel": order.state in ("WAITING_DEBIT", "WAITING_DEBIT_PAYMENT"),
        "can_shop_ship": order.state == "SHIPPING",
        "channel": None,
        "commercial_id": order.commercial_id,
        "created_date": iso(order.created),
        "currency_iso_code": CURRENCY,
        "customer": _shared_customer(order.customer, debited is not None),
        "customer_debited_date": debited,
        "customer_directly_pays_seller": False,
        "customer_notification_email": "",
        "fulfillment": _FULFILMENT,
        "fully_refunded": refunded,
        "has_customer_message": False,
        "has_incident": False,
        "has_invoice": False,
        "last_updated_date": iso(min(order.updated, as_of)),
        "leadtime_to_ship": 2,
        "order_additional_fields": [],
        "order_id": order.id,
        "order_lines": [_order_line(order, line, as_of) for line in order.lines],
        "order_state": order.state,
        "order_state_reason_code": order.reason,
        "order_state_reason_label": "Automatically rejected" if order.reason == "ACCEPTANCE_TIMEOUT" else None,
        "order_tax_mode": "TAX_INCLUDED",
        "payment_type": "CARD" if debited else None,
        "payment_workflow": "PAY_ON_ACCEPTANCE",
        "price": pounds(price),
        "promotions": {"applied_promotions": [], "total_deduced_amount": pounds(0)},
        "quote_id": None,
        "references": {"order_reference_for_customer": None, "order_reference_for_seller": None},
        "shipping_carrier_code": code if shipped else None,
        "shipping_company": label if shipped else None,
        "shipping_deadline": iso(order.deadline),
        "shipping_price": pounds(shipping),
        "shipping_pudo_id": None,
        "shipping_tracking": tracking,
        "shipping_tracking_url": url.replace("{trackingId}", tracking) if tracking else None,
        "shipping_type_code": "STD",
        "shipping_type_label": "Standard",
        "shipping_zone_code": "GB1",
        "shipping_zone_label": "Great Britain",
        "total_commission": pounds(fee),
        "total_price": pounds(price + shipping),
        "transaction_date": debited,
        "transaction_number": f"TRX{order.commercial_id[5:]}" if debited else None,
    }


def _order_line(order: Order, line: OrderLine, as_of: int) -> dict[str, Any]:
    state = _line_state(order, line)
    live = line.is_live
    item = line.item
    reason = order.reason if state in ("REFUSED", "CANCELED") else None
    if line.refused and reason is None:
        reason = "REFUSED"
    rendered: dict[str, Any] = {
        "can_refund": live and state in ("SHIPPED", "RECEIVED"),
        "cancelations": [_cancelation(cancelation) for cancelation in line.cancelations],
        "category_code": item.contract.category,
        "category_label": item.contract.label,
        "commission_fee": pounds(line.commission),
        "commission_taxes": [
            {
                "amount": pounds(line.commission_vat),
                "code": "TAXDEFAULT",
                "rate": pounds(line.commission_vat_rate),
            }
        ],
        "created_date": iso(order.created),
        "debited_date": iso(order.debited) if live and order.debited is not None else None,
        "description": None,
        "fees": [],
        "last_updated_date": iso(min(order.updated, as_of)),
        "offer_id": item.offer_id,
        "offer_sku": item.code,
        "offer_state_code": "11",
        "order_line_additional_fields": [],
        "order_line_id": line.id,
        "order_line_index": line.index,
        "order_line_state": state,
        "order_line_state_reason_code": reason,
        "order_line_state_reason_label": None,
        "origin_unit_price": pounds(line.unit),
        "price": pounds(line.price),
        "price_additional_info": None,
        "price_unit": pounds(line.unit),
        "product_medias": _NO_MEDIA,
        "product_shop_sku": item.code,
        "product_sku": item.product_sku,
        "product_title": item.name,
        "promotions": [],
        "quantity": line.quantity,
        "received_date": iso(order.received) if live and order.received is not None else None,
        "refunds": [_refund(refund, as_of) for refund in line.refunds],
        "shipped_date": iso(order.shipped) if live and order.shipped is not None else None,
        "shipping_price": pounds(line.shipping),
        "shipping_taxes": [],
        "taxes": [],
        "total_commission": pounds(line.commission + line.commission_vat),
        "total_price": pounds(line.price + line.shipping),
    }
    if line.operator_funded:
        rendered["price_amount_breakdown"] = {
            "parts": [
                _part(line.price - line.operator_funded, from_customer=True),
                _part(line.operator_funded, from_customer=False),
            ]
        }
    return rendered


def _part(amount: int, *, from_customer: bool) -> dict[str, Any]:
    return {
        "amount": pounds(amount),
        "commissionable": True,
        "debitable_from_customer": from_customer,
        "payable_to_shop": True,
    }


def _cancelation(cancelation: Cancelation) -> dict[str, Any]:
    return {
        "amount": pounds(cancelation.goods),
        "commission_amount": pounds(cancelation.commission),
        "commission_taxes": [{"amount": pounds(cancelation.commission_vat), "code": "TAXDEFAULT"}],
        "commission_total_amount": pounds(cancelation.commission + cancelation.commission_vat),
        "created_date": iso(cancelation.created),
        "fees": [],
        "id": cancelation.id,
        "quantity": cancelation.quantity,
        "reason_code": cancelation.reason,
        "shipping_amount": pounds(cancelation.shipping),
        "shipping_taxes": [],
        "taxes": [],
    }


def _refund(refund: Refund, as_of: int) -> dict[str, Any]:
    waits = refund.created > as_of - 2 * HOUR
    state = "WAITING_REFUND_PAYMENT" if waits else "REFUNDED"
    return {
        "amount": pounds(refund.goods),
        "commission_amount": pounds(refund.commission),
        "commission_tax_amount": pounds(refund.commission_vat),
        "commission_taxes": [{"amount": pounds(refund.commission_vat), "code": "TAXDEFAULT"}],
        "commission_total_amount": pounds(refund.commission + refund.commission_vat),
        "created_date": iso(refund.created),
        "fees": [],
        "id": refund.id,
        "order_refund_id": refund.group_id,
        "quantity": refund.quantity,
        "reason_code": refund.reason,
        "refund_state": state,
        "shipping_amount": pounds(refund.shipping),
        "shipping_taxes": [],
        "state": state,
        "taxes": [],
        "transaction_date": None if waits else iso(refund.created + HOUR),
        "transaction_number": None if waits else f"RTX{refund.id}",
    }


# -- Transaction lines (TL02) ------------------------------------------------------------------------------------------


def _order_reference(order: Order) -> dict[str, Any]:
    return {
        "commercial_id": order.commercial_id,
        "creation_date": iso(order.created),
        "id": order.id,
        "payment_info": {"payment_type": "CARD"},
        "references": {"order_reference_for_customer": None, "order_reference_for_seller": None},
    }


def _entities(
    entry: Entry,
    references: dict[str, dict[str, Any]],
    shared: dict[tuple[str, str | None, str | None], dict[str, Any]],
) -> dict[str, Any]:
    tax = {"code": "TAXDEFAULT", "rate": pounds(entry.line.commission_vat_rate if entry.line else 2000)}
    is_tax = entry.type.endswith(("_VAT", "_TAX"))
    if entry.order is None:
        entities: dict[str, Any] = {}
        if entry.document is not None:
            if entry.type.startswith("INVOICEABLE"):
                entities["one_off_item"] = {
                    "description": entry.description,
                    "operation_date": iso(entry.created)[:10],
                    "quantity": 1,
                    "references": [{"type": "INTERNAL", "value": f"ONEOFF{entry.document.number}"}],
                    "unit_price": pounds(entry.document.net),
                }
            else:
                entities["manual_accounting_document"] = {
                    "emission_date": iso(entry.document.created),
                    "number": f"{entry.document.number:012d}",
                }
        if is_tax:
            entities["shop_tax"] = tax
        return entities
    order = entry.order
    key = (
        order.id if entry.line is None else entry.line.id,
        None if entry.refund is None else entry.refund.id,
        (entry.fee_code or "") + ("T" if is_tax else ""),
    )
    found = shared.get(key)
    if found is not None:
        return found
    reference = references.get(order.id)
    if reference is None:
        reference = references[order.id] = _order_reference(order)
    entities = {"domain": "PRODUCT", "order": reference}
    if entry.line is not None:
        entities["order_line"] = {"id": entry.line.id}
    if entry.refund is not None:
        entities["refund"] = {"id": entry.refund.id}
    if entry.fee_code is not None:
        entities["fee"] = {"cancelations": [], "code": entry.fee_code, "refunds": []}
    if is_tax:
        entities["shop_tax"] = tax
    shared[key] = entities
    return entities


def _transaction_line(
    entry: Entry,
    references: dict[str, dict[str, Any]],
    shared: dict[tuple[str, str | None, str | None], dict[str, Any]],
) -> dict[str, Any]:
    cycle = entry.cycle
    created = iso(entry.created)
    updated = created
    if cycle is not None:
        state = "PAID"
        if entry.type != "PAYMENT":
            updated = iso(cycle.created)
    elif entry.payable is not None:
        state = "PAYABLE"
        updated = iso(max(entry.payable, entry.created))
    else:
        state = "PENDING"
    amount = pounds(entry.amount)
    balance = pounds(entry.balance)
    nil = pounds(0)
    line: dict[str, Any] = {
        "amount": amount,
        "amount_credited": amount if entry.amount > 0 else nil,
        "amount_debited": pounds(-entry.amount) if entry.amount < 0 else nil,
        "balance": balance,
        "currency_iso_code": CURRENCY,
        "date_created": created,
        "entities": _entities(entry, references, shared),
        "id": entry.id,
        "last_updated": updated,
        "pay_out_psp_code": PSP,
        "payment_state": state,
        "psp_balance": balance,
        "shop": _SHOP,
        "type": entry.type,
    }
    if cycle is not None and entry.shows_cycle:
        if entry.document is not None:
            number, document_created = entry.document.number, entry.document.created
            document_id = entry.document.id
        else:
            number, document_created, document_id = cycle.invoice_number, cycle.created, cycle.invoice_id
        line["accounting_document_creation_date"] = iso(document_created)
        line["accounting_document_id"] = document_id
        line["accounting_document_number"] = f"{number:012d}"
        line["payment_voucher_number"] = cycle.voucher
        line["seller_billing_cycle_id"] = cycle.id
    return line


# -- Cycles (SBC11) and documents (IV01) -------------------------------------------------------------------------------

_SUMMARY_PAIRS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "total_payable_orders": (("ORDER_AMOUNT", "ORDER_SHIPPING_AMOUNT"), ()),
    "total_non_payable_orders": ((), ()),
    "total_refund_orders": (("REFUND_ORDER_AMOUNT", "REFUND_ORDER_SHIPPING_AMOUNT"), ()),
    "total_refund_payable_orders": (("REFUND_ORDER_AMOUNT", "REFUND_ORDER_SHIPPING_AMOUNT"), ()),
    "total_refund_non_payable_orders": ((), ()),
    "total_commissions": (("COMMISSION_FEE",), ("COMMISSION_VAT",)),
    "total_refund_commissions": (("REFUND_COMMISSION_FEE",), ("REFUND_COMMISSION_VAT",)),
    "total_subscription": (("SUBSCRIPTION_FEE",), ("SUBSCRIPTION_VAT",)),
    "total_fee": ((), ()),
    "total_fee_operator_remitted": ((), ()),
    "total_refund_fee": ((), ()),
    "total_refund_fee_operator_remitted": ((), ()),
    "total_seller_fees_on_orders": (("SELLER_FEE_ON_ORDER",), ("SELLER_FEE_ON_ORDER_TAX",)),
    "total_seller_penalty_fees": (("SELLER_PENALTY_FEE",), ("SELLER_PENALTY_FEE_TAX",)),
    "total_operator_paid_shipping_charges": ((), ()),
    "total_refund_operator_paid_shipping_charges": ((), ()),
    "total_other_credits": (("MANUAL_CREDIT",), ("MANUAL_CREDIT_VAT",)),
    "total_other_invoices": (
        ("MANUAL_INVOICE", "INVOICEABLE_ONE_OFF_DEBIT"),
        ("MANUAL_INVOICE_VAT", "INVOICEABLE_ONE_OFF_DEBIT_TAX"),
    ),
}
_SUMMARY_SINGLES = (
    "total_operator_remitted_taxes",
    "total_purchase_taxes",
    "total_refund_operator_remitted_taxes",
    "total_refund_purchase_taxes",
)


def _totals(cycle: Cycle) -> dict[str, int]:
    totals: dict[str, int] = {}
    for entry in cycle.entries:
        totals[entry.type] = totals.get(entry.type, 0) + entry.amount
    return totals


def _fees(totals: dict[str, int]) -> tuple[int, int]:
    """What the operator's document for the cycle charges: net and VAT, positive = charged."""
    return (
        -sum(totals.get(type_, 0) for type_ in FEE_TYPES),
        -sum(totals.get(type_, 0) for type_ in FEE_TAX_TYPES),
    )


def _summary(totals: dict[str, int]) -> dict[str, Any]:
    summary: dict[str, Any] = {}
    for name, (net_types, tax_types) in _SUMMARY_PAIRS.items():
        net = sum(totals.get(type_, 0) for type_ in net_types)
        summary[f"{name}_excl_tax"] = pounds(net)
        summary[f"{name}_incl_tax"] = pounds(net + sum(totals.get(type_, 0) for type_ in tax_types))
    for name in _SUMMARY_SINGLES:
        summary[name] = pounds(0)
    return summary


def _pay_out(cycle: Cycle) -> dict[str, Any]:
    pay_out: dict[str, Any] = {"state": cycle.state}
    if cycle.paid_at is not None:
        pay_out["reference"] = cycle.reference
        pay_out["transaction_date"] = iso(cycle.paid_at)
    if cycle.failure is not None:
        pay_out["failure_reason"] = cycle.failure
    return pay_out


def _cycle(cycle: Cycle) -> dict[str, Any]:
    totals = _totals(cycle)
    net, tax = _fees(totals)
    return {
        "amount_transferred_to_operator": pounds(net + tax),
        "amount_transferred_to_seller": pounds(cycle.payout),
        "currency_iso_code": CURRENCY,
        "date_created": iso(cycle.created),
        "id": cycle.id,
        "pay_out": _pay_out(cycle),
        "pay_out_psp_code": PSP,
        "payment_voucher_number": cycle.voucher,
        "shop": {
            "shop_corporate_name": "UK Trade Supplies Ltd",
            "shop_id": SHOP_ID,
            "shop_name": "UK Trade Supplies",
            "shop_operator_internal_id": "SELLER-2042",
        },
        "summary": _summary(totals),
    }


def _document_payment(cycle: Cycle | None) -> dict[str, Any]:
    if cycle is None or cycle.state == "TO_PAY":
        return {"reference": None, "state": "PENDING", "transaction_date": None}
    if cycle.state == "FAILED":
        return {
            "failure_reason": cycle.failure,
            "reference": None,
            "state": "FAILED",
            "transaction_date": None,
        }
    if cycle.paid_at is None:
        raise ValueError(f"cycle {cycle.id} is paid without a date")
    return {"reference": cycle.reference, "state": "PAID", "transaction_date": iso(cycle.paid_at)}


def _document_head(id_: str, number: int, type_: str, created: int, cycle: Cycle | None) -> dict[str, Any]:
    head: dict[str, Any] = {
        "currency_iso_code": CURRENCY,
        "date_created": iso(created),
        "due_date": iso(created + DAY),
        "id": id_,
        "invoice_id": number,
        "issue_date": iso(created),
        "issuing_user": {"information": "Automatic action", "type": "BATCH"}
        if type_ == "AUTO_INVOICE"
        else {"information": "billing desk", "type": "PARTNER"},
        "pay_out_psp_code": PSP,
        "payment": _document_payment(cycle),
        "shop_address": {
            "city": "Sampleton",
            "company": "UK Trade Supplies Ltd",
            "country": "GBR",
            "state": None,
            "street1": "1 Imaginary Row",
            "zip_code": "ZZ1 1ZZ",
        },
        "shop_corporate_name": "UK Trade Supplies Ltd",
        "shop_id": SHOP_ID,
        "shop_model": "MARKETPLACE",
        "shop_name": "UK Trade Supplies",
        "shop_operator_internal_id": "SELLER-2042",
        "shop_tax_number": "GB123456789",
        "state": "COMPLETE",
        "type": type_,
    }
    if cycle is not None:
        head["seller_billing_cycle_id"] = cycle.id
    return head


def _charged(net: int, tax: int) -> dict[str, Any]:
    return {
        "total_amount_excl_taxes": pounds(net),
        "total_amount_incl_taxes": pounds(net + tax),
        "total_charged_amount": pounds(net + tax),
        "total_taxes": [{"amount": pounds(tax), "code": "TAXDEFAULT"}] if tax else [],
    }


def _documents(ledger: Ledger) -> list[dict[str, Any]]:
    documents = [_auto_invoice(ledger, cycle) for cycle in ledger.cycles]
    documents += [_manual_document(document) for document in ledger.documents]
    documents.sort(key=lambda document: document["date_created"])
    return documents


def _auto_invoice(ledger: Ledger, cycle: Cycle) -> dict[str, Any]:
    totals = _totals(cycle)
    net, tax = _fees(totals)
    start = ledger.cycles[cycle.index - 1].created if cycle.index else cycle.created - 10 * DAY
    details = []
    for label, net_type, tax_type in (
        ("Commissions of completed orders", "COMMISSION_FEE", "COMMISSION_VAT"),
        ("Commissions of refunded orders", "REFUND_COMMISSION_FEE", "REFUND_COMMISSION_VAT"),
        ("Subscription", "SUBSCRIPTION_FEE", "SUBSCRIPTION_VAT"),
        ("Seller fees on orders", "SELLER_FEE_ON_ORDER", "SELLER_FEE_ON_ORDER_TAX"),
        ("Penalty fees", "SELLER_PENALTY_FEE", "SELLER_PENALTY_FEE_TAX"),
    ):
        if totals.get(net_type) or totals.get(tax_type):
            details.append(
                {
                    "amount_excl_taxes": pounds(-totals.get(net_type, 0)),
                    "description": f"{label} from {iso(start)[:10]} to {iso(cycle.created)[:10]}",
                    "quantity": 1,
                    "taxes": [{"amount": pounds(-totals.get(tax_type, 0)), "code": "TAXDEFAULT"}],
                }
            )
    return {
        **_document_head(cycle.invoice_id, cycle.invoice_number, "AUTO_INVOICE", cycle.created, cycle),
        **_charged(net, tax),
        "details": details,
        "end_time": iso(cycle.created),
        "payment_info": {
            "@type": "IBAN",
            "bank_city": "Sampleton",
            "bank_name": "Example Bank",
            "bic": "BUKBGB22XXX",
            "iban": IBAN,
            "owner": "UK Trade Supplies Ltd",
        },
        "start_time": iso(start),
        "summary": {
            **_summary(totals),
            "amount_transferred": pounds(cycle.payout),
            "amount_transferred_to_operator": pounds(net + tax),
            "reserve_funding": pounds(0),
            "reserve_settlement": pounds(0),
        },
    }


def _manual_document(document: ManualDocument) -> dict[str, Any]:
    type_ = "MANUAL_CREDIT" if document.type == "MANUAL_CREDIT" else "MANUAL_INVOICE"
    taxes = [{"amount": pounds(document.tax), "code": "TAXDEFAULT"}] if document.tax else []
    return {
        **_document_head(document.id, document.number, type_, document.created, document.cycle),
        **_charged(document.net, document.tax),
        "details": [
            {
                "amount_excl_taxes": pounds(document.net),
                "description": document.description,
                "operation_date": iso(document.created)[:10],
                "quantity": 1,
                "taxes": taxes,
            }
        ],
    }


# -- Offers (OF21), account (A01), platform (PC01) ---------------------------------------------------------------------


def _offer(item: Item, quantity: int, active: bool, as_of: int) -> dict[str, Any]:
    return {
        "active": active,
        "all_prices": [
            {
                "channel_code": None,
                "discount_end_date": None,
                "discount_start_date": None,
                "price": pounds(item.price),
                "unit_discount_price": None,
                "unit_origin_price": pounds(item.price),
                "volume_prices": [
                    {
                        "price": pounds(item.price),
                        "quantity_threshold": 1,
                        "unit_discount_price": None,
                        "unit_origin_price": pounds(item.price),
                    }
                ],
            }
        ],
        "allow_quote_requests": False,
        "category_code": item.contract.category,
        "category_label": item.contract.label,
        "channels": [],
        "currency_iso_code": CURRENCY,
        "description": item.name,
        "fulfillment": _FULFILMENT,
        "inactivity_reasons": [] if active else ["ZERO_QUANTITY"],
        "leadtime_to_ship": 2,
        "logistic_class": {"code": "STD", "label": "Standard"},
        "max_order_quantity": 100,
        "min_order_quantity": 1,
        "min_quantity_alert": 0,
        "min_shipping_price": pounds(item.shipping),
        "min_shipping_price_additional": pounds(0),
        "min_shipping_type": "STD",
        "min_shipping_zone": "GB1",
        "offer_additional_fields": [],
        "offer_id": item.offer_id,
        "package_quantity": 1,
        "price": pounds(item.price),
        "price_additional_info": None,
        "product_brand": item.name.split()[0],
        "product_references": [{"reference": item.ean, "reference_type": "EAN"}],
        "product_sku": item.product_sku,
        "product_title": item.name,
        "quantity": quantity,
        "shipping_deadline": iso(as_of + 3 * DAY),
        "shop_sku": item.code,
        "state_code": "11",
        "total_price": pounds(item.price + item.shipping),
    }


def _account(ledger: Ledger, orders: int, offers: int) -> dict[str, Any]:
    pending = sum(e.amount for e in ledger.entries if e.payable is None)
    paid = sum(cycle.payout for cycle in ledger.cycles)
    payable = ledger.entries[-1].balance - pending if ledger.entries else 0
    balances = {"paid": pounds(paid), "pay_out_psp_code": PSP, "payable": pounds(payable), "pending": pounds(pending)}
    return {
        "applicable_taxes": [
            {
                "code": "TAXDEFAULT",
                "fee_types": ["COMMISSION", "SUBSCRIPTION", "ADDITIONAL_FEES"],
                "label": "Standard rate",
            }
        ],
        "channels": [],
        "contact_informations": {
            "city": "Sampleton",
            "country": "GBR",
            "email": "marketplace@uktrade.example",
            "street1": "1 Imaginary Row",
            "zip_code": "ZZ1 1ZZ",
        },
        "currency_iso_code": CURRENCY,
        "date_created": "2025-11-03T09:12:44Z",
        "domains": ["PRODUCT"],
        "evaluations_count": 412,
        "free_shipping": False,
        "is_professional": True,
        "kyc": {"status": "APPROVED"},
        "last_updated_date": "2026-03-30T16:20:05.112Z",
        "model": "MARKETPLACE",
        "offers_count": offers,
        "orders_count": orders,
        "payment_details": {
            "paid_balance": pounds(paid),
            "payable_balance": pounds(payable),
            "pending_balance": pounds(pending),
            "reserve_balance": pounds(0),
            "reserve_target": pounds(0),
            "sub_balances": [balances],
        },
        "payment_info": {
            "@type": "IBAN",
            "bank_city": "Sampleton",
            "bank_name": "Example Bank",
            "bic": "BUKBGB22XXX",
            "iban": IBAN,
            "owner": "UK Trade Supplies Ltd",
        },
        "payment_method_mandatory": True,
        "premium": False,
        "pro_details": {
            "corporate_name": "UK Trade Supplies Ltd",
            "identification_number": "00000000",
            "tax_identification_number": "GB123456789",
        },
        "shipping": {"lead_time_to_ship": 2},
        "shipping_country": "GBR",
        "shop_additional_fields": [],
        "shop_id": SHOP_ID,
        "shop_name": "UK Trade Supplies",
        "shop_state": "OPEN",
    }


def _platform() -> dict[str, Any]:
    return {
        "features": {
            "catalog": {
                "allow_shop_contribution_to_all_channels": True,
                "exclude_invalid_products": True,
                "list_of_multiple_values_separator": "|",
                "product_acceptance_by_channel": False,
                "product_data_validation_by_channel": False,
                "product_import_only_on_leaf": True,
            },
            "circular_economy_data_collection": False,
            "competitive_pricing_tool": False,
            "direct_payment_customer_store": {"activated": False, "refund_cancel_authorized": False},
            "disable_seller_alternative_carrier": False,
            "lead_time_to_ship_by_sellers_enabled": "YES",
            "multi_currency": False,
            "no_reply_needed": False,
            "offer_prices_decimals": "2",
            "operator_csv_delimiter": "SEMICOLON",
            "order_conditions": {
                "lead_time_to_ship": True,
                "maximum_order_quantity": False,
                "minimum_order_quantity": False,
                "package_order_quantity": False,
            },
            "order_tax_mode": "TAX_INCLUDED",
            "order_workflows": {
                "no_customer_payment_confirmation": False,
                "order_acceptance": "NOT_AUTOMATIC",
                "pause_debit_workflow": False,
                "pay_on_due_date": False,
                "pay_on_shipment": False,
                "sellers_edit_shipping_origin": False,
                "shipping_and_billing_details_before_acceptance": False,
            },
            "payment_confirmation": True,
            "pricing": {
                "channel_pricing": "DISABLED",
                "scheduled_pricing": False,
                "volume_discount": False,
                "volume_pricing": False,
            },
            "shipment": {"multi_part_item_shipment": False, "multi_shipment": False},
            "tax_collection": {
                "activated": "NO",
                "product_tax_code_mandatory": False,
                "tax_collection_by_operator": False,
            },
            "tax_id_number": {"mandatory": False},
        },
        "modules": {
            "mirakl_catalog_integrator": True,
            "mirakl_catalog_manager": False,
            "mirakl_catalog_transformer": False,
            "mirakl_platform_services": False,
            "offer_management": True,
            "order_management": True,
            "promotions": True,
            "quotes": False,
            "tax_manager": {"activated": False, "tax_provider": {"avalara": False, "vertex": False}},
        },
        "platform_configuration": {
            "customer_model": {"b2b": False, "b2c": True},
            "platform_model": {"drop_ship": False, "marketplace": True, "one_creditor": False},
        },
        "platform_name": "Brico Marketplace UK",
        "tenant_name": "brico-demo",
        "timezone": "Europe/London",
    }
