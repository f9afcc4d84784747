"""Orders (OR11) with their lines, refunds and cancelations."""

from typing import Any

from sandbox.world.model import Cancelation, Order, OrderLine, Refund, Tax
from sandbox.world.money import pounds
from sandbox.world.stamps import HOUR, iso

FULFILMENT = {"center": {"code": "DEFAULT"}}
CARRIERS = (
    ("PPL", "Pretend Parcels", "https://track.pretendparcels.example/?n={trackingId}"),
    ("RMX", "Royal Example Post", "https://track.example-post.example/{trackingId}"),
    ("DPX", "Demo Parcel Express", "https://dpx.example/parcel/{trackingId}"),
)
_NO_MEDIA: list[dict[str, Any]] = []
_FIRST_NAMES = ("Testa", "Sampel", "Demo", "Fictia", "Mock", "Nemo", "Placid", "Example", "Dummie", "Inventa")
_LAST_NAMES = ("Placeholder", "Notreal", "Sampleton", "Madeup", "Imaginary", "Fictitious", "Exampleby", "Nobody")
COUNTRIES = {"GBR": "United Kingdom", "IRL": "Ireland", "JEY": "Jersey", "NOR": "Norway"}
_STREETS = ("Nowhere Lane", "Imaginary Row", "Example Street", "Fictional Close", "Pretend Avenue")
_CITIES = (("Sampleton", "ZZ1"), ("Fictionham", "ZZ4"), ("Mockbury", "ZZ9"), ("Examplemouth", "ZZ12"))
_INWARD = "ABDEFGHJLN"
_ON_THE_WAY = ("SHIPPING", "SHIPPED", "RECEIVED", "CLOSED")


def _customer(number: int, shows_address: bool, country: str) -> dict[str, Any]:
    first = _FIRST_NAMES[number % 10]
    last = _LAST_NAMES[number // 10 % 8]
    city, district = _CITIES[number // 80 % 4]
    postcode = f"{district} {number // 320 % 9 + 1}{_INWARD[number % 10]}{_INWARD[number // 10 % 8]}"
    address = None
    if shows_address:
        address = {
            "city": city,
            "civility": "",
            "company": None,
            "country": COUNTRIES[country],
            "country_iso_code": country,
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


_customers: dict[tuple[int, bool, str], dict[str, Any]] = {}


def shared_customer(number: int, shows_address: bool, country: str) -> dict[str, Any]:
    # A few thousand invented people are enough: equal ones share one object.
    key = (number % 4_000, shows_address, country)
    found = _customers.get(key)
    if found is None:
        found = _customers[key] = _customer(*key)
    return found


def _relay(order: Order) -> str:
    """The address that the marketplace gives out for one of its customers; of no use anywhere else."""
    return f"notification+{order.customer % 4_000:04d}.{order.id[:2].lower()}@relay.example"


def _line_state(order: Order, line: OrderLine) -> str:
    if line.refused:
        return "REFUSED"
    if line.is_cancelled:
        return "CANCELED"
    if line.is_fully_refunded:
        return "REFUNDED"
    if order.has_incident:
        return "INCIDENT_OPEN"
    return order.state


def tracking_of(order: Order, parcel: int = 0) -> tuple[str, str, str, str]:
    """Carrier code, carrier label, tracking number and tracking URL of an order's parcel, counted from 0."""
    code, label, url = CARRIERS[order.customer % 3]
    number = f"{code}{(order.customer + parcel) % 10**9:09d}GB"
    return code, label, number, url.replace("{trackingId}", number)


def order_record(order: Order, as_of: int) -> dict[str, Any]:
    """The order as its shop sees it, amounts in the order's own tax mode."""
    counted = [line for line in order.lines if not line.refused and not line.is_cancelled]
    price = sum(line.price for line in counted)
    shipping = sum(line.shipping for line in counted)
    fee = sum(line.commission + line.commission_vat for line in counted)
    shipped = order.shipped is not None
    code, label, tracking, url = tracking_of(order)
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
        "currency_iso_code": order.currency,
        "customer": shared_customer(order.customer, debited is not None or order.state in _ON_THE_WAY, order.ship_to),
        "customer_debited_date": debited,
        "customer_directly_pays_seller": False,
        "customer_notification_email": _relay(order),
        "fulfillment": FULFILMENT,
        "fully_refunded": refunded,
        "has_customer_message": False,
        "has_incident": order.has_incident,
        "has_invoice": False,
        "last_updated_date": iso(min(order.updated, as_of)),
        "leadtime_to_ship": 2,
        "order_additional_fields": [],
        "order_id": order.id,
        "order_lines": [_order_line(order, line, as_of) for line in order.lines],
        "order_state": order.state,
        "order_state_reason_code": order.reason,
        "order_state_reason_label": "Automatically rejected" if order.reason == "ACCEPTANCE_TIMEOUT" else None,
        "order_tax_mode": order.tax_mode,
        "payment_type": "CARD" if debited else None,
        "payment_workflow": order.workflow,
        "price": pounds(price),
        "promotions": {
            "applied_promotions": [promotion for line in counted for promotion in _promotions(line)],
            "total_deduced_amount": pounds(sum(line.discount for line in counted)),
        },
        "quote_id": None,
        "references": {"order_reference_for_customer": None, "order_reference_for_seller": None},
        "shipping_carrier_code": code if shipped else None,
        "shipping_company": label if shipped else None,
        "shipping_deadline": iso(order.deadline),
        "shipping_price": pounds(shipping),
        "shipping_pudo_id": None,
        "shipping_tracking": tracking if shipped and order.is_tracked else None,
        "shipping_tracking_url": url if shipped and order.is_tracked else None,
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
        "cancelations": [_cancelation(cancelation, line.tax) for cancelation in line.cancelations],
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
        "origin_unit_price": pounds(line.unit + line.discount // line.quantity),
        "price": pounds(line.price),
        "price_additional_info": None,
        "price_unit": pounds(line.unit),
        "product_medias": _NO_MEDIA,
        "product_shop_sku": item.code,
        "product_sku": item.product_sku,
        "product_title": item.name,
        "promotions": _promotions(line),
        "quantity": line.quantity,
        "received_date": iso(order.received) if live and order.received is not None else None,
        "refunds": [_refund(refund, line.tax, as_of) for refund in line.refunds],
        "shipped_date": iso(order.shipped) if live and order.shipped is not None else None,
        "shipping_price": pounds(line.shipping),
        "shipping_taxes": _taxes(line.tax, line.tax.shipping if line.tax else 0),
        "taxes": _taxes(line.tax, line.tax.goods if line.tax else 0),
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


def _taxes(tax: Tax | None, amount: int) -> list[dict[str, Any]]:
    """One tax of `amount`; no tax at all where the operator holds no tax data."""
    if tax is None:
        return []
    part = _part(amount, from_customer=True)
    return [
        {
            "amount": pounds(amount),
            "amount_breakdown": {"parts": [part | {"commissionable": False, "payable_to_shop": not tax.is_remitted}]},
            "code": tax.code,
            "rate": pounds(tax.rate),
            "tax_calculation_rule": "PROPORTIONAL_TO_AMOUNT",
        }
    ]


def _taxes_given_back(tax: Tax | None, amount: int) -> list[dict[str, Any]]:
    """The tax of a refund or a cancelation, which says nothing of how it was reckoned."""
    shown = _taxes(tax, amount)
    return [{name: value for name, value in part.items() if name != "tax_calculation_rule"} for part in shown]


def _promotions(line: OrderLine) -> list[dict[str, Any]]:
    """The seller's own discount; one that the operator funds shows in the breakdown of the price."""
    if not line.discount:
        return []
    return [
        {
            "apportioned": False,
            "configuration": {
                "amount_off": pounds(line.discount),
                "internal_description": "Seasonal offer of the seller",
                "type": "AMOUNT_OFF",
            },
            "deduced_amount": pounds(line.discount),
            "id": f"SELLER-{line.item.contract.category}",
            "offered_quantity": 0,
        }
    ]


def awaits_payment(refund: Refund, as_of: int) -> bool:
    """Whether the operator's payment system has not paid the refund out yet."""
    return refund.created > as_of - 2 * HOUR


def _cancelation(cancelation: Cancelation, tax: Tax | None) -> dict[str, Any]:
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
        "shipping_taxes": _taxes_given_back(tax, cancelation.shipping_tax),
        "taxes": _taxes_given_back(tax, cancelation.tax),
    }


def _refund(refund: Refund, tax: Tax | None, as_of: int) -> dict[str, Any]:
    waits = awaits_payment(refund, as_of)
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
        "shipping_taxes": _taxes_given_back(tax, refund.shipping_tax),
        "state": state,
        "taxes": _taxes_given_back(tax, refund.tax),
        "transaction_date": None if waits else iso(refund.created + HOUR),
        "transaction_number": None if waits else f"RTX{refund.id}",
    }
