"""The shop and what it offers: OF21, P31, A01, A21; the platform's configuration: PC01."""

from collections.abc import Callable, Iterable
from typing import Any

from sandbox.world.business import Business
from sandbox.world.catalogue import CURRENCY, price_in_force
from sandbox.world.mirakl.cycles import payment_info
from sandbox.world.mirakl.orders import FULFILMENT
from sandbox.world.model import Item, Order, Shop
from sandbox.world.money import divide, pounds
from sandbox.world.settlement import Ledger
from sandbox.world.stamps import DAY, MINUTE, iso, london_date


def offer(item: Item, quantity: int, active: bool, as_of: int, currency: str = CURRENCY) -> dict[str, Any]:
    shown = item.offer.product or item
    price = price_in_force(item, london_date(as_of)) if item.offer.price is None else item.offer.price
    package = {} if item.offer.package is None else {"package_quantity": item.offer.package}
    reasons = [] if active else [*item.offer.reasons, *([] if quantity else ["ZERO_QUANTITY"])]
    return {
        "active": active,
        "all_prices": [
            {
                "channel_code": None,
                "discount_end_date": None,
                "discount_start_date": None,
                "price": pounds(price),
                "unit_discount_price": None,
                "unit_origin_price": pounds(price),
                "volume_prices": [
                    {
                        "price": pounds(price),
                        "quantity_threshold": 1,
                        "unit_discount_price": None,
                        "unit_origin_price": pounds(price),
                    }
                ],
            }
        ],
        "allow_quote_requests": False,
        "category_code": item.contract.category,
        "category_label": item.contract.label,
        "channels": [],
        "currency_iso_code": currency,
        "description": item.name,
        "fulfillment": FULFILMENT,
        "inactivity_reasons": reasons,
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
        **package,
        "price": pounds(price),
        "price_additional_info": None,
        "product_brand": item.name.split()[0],
        "product_references": [{"reference": shown.ean, "reference_type": "EAN"}],
        "product_sku": shown.product_sku,
        "product_title": item.name,
        "quantity": quantity,
        "shipping_deadline": iso(as_of + 3 * DAY),
        "shop_sku": item.code,
        "state_code": "11",
        "total_price": pounds(price + item.shipping),
    }


def products(items: Iterable[Item]) -> list[dict[str, Any]]:
    """P31: a product once, however many items sell it."""
    by_ean = {item.ean: item for item in items}
    return [
        {
            "category_code": item.contract.category,
            "category_label": item.contract.label,
            "product_id": item.ean,
            "product_id_type": "EAN",
            "product_sku": item.product_sku,
            "product_title": item.name,
        }
        for item in by_ean.values()
    ]


def statistics(shop: Shop, orders: list[Order], offers: int, as_of: int) -> dict[str, Any]:
    """A21: how the shop did in the last 30 days and in all. Rates are fractions, delays are minutes."""
    periods = {"LAST_MONTH": [x for x in orders if x.created >= as_of - 30 * DAY], "ALL_SINCE_BEGINNING": orders}

    def each(value: Callable[[list[Order]], Any]) -> list[dict[str, Any]]:
        return [{"period": period, "value": value(chosen)} for period, chosen in periods.items()]

    def rate(wanted: Callable[[Order], bool]) -> list[dict[str, Any]]:
        return each(lambda chosen: pounds(divide(sum(map(wanted, chosen)) * 100, max(1, len(chosen)))))

    def revenue(chosen: list[Order]) -> int:
        return sum(line.goods_due + line.shipping_due for order in chosen for line in order.live_lines)

    return {
        "approval_delay": each(_approval_minutes),
        "approval_rate": rate(lambda order: order.state not in ("REFUSED", "WAITING_ACCEPTANCE")),
        "auto_refused_rate": rate(lambda order: order.reason == "ACCEPTANCE_TIMEOUT"),
        "average_cart_with_shipping": each(lambda chosen: pounds(divide(revenue(chosen), max(1, len(chosen))))),
        "cancelation_rate": rate(lambda order: order.state == "CANCELED"),
        "incident_rate": rate(lambda order: order.has_incident),
        "last_updated_date": iso(as_of),
        "late_shipment_rate": rate(lambda order: order.shipped is not None and order.shipped > order.deadline),
        "offers_count": [{"period": "ALL_SINCE_BEGINNING", "value": offers}],
        "orders_count": each(len),
        "refund_rate": rate(lambda order: any(line.refunds for line in order.lines)),
        "shop_id": shop.id,
        "total_revenue": each(lambda chosen: pounds(revenue(chosen))),
    }


def _approval_minutes(orders: list[Order]) -> int:
    delays = [order.accepted - order.created for order in orders if order.accepted is not None]
    return sum(delays) // max(1, len(delays)) // MINUTE


def account(business: Business, ledger: Ledger, orders: int, offers: int) -> dict[str, Any]:
    shop = business.shop
    pending = sum(e.amount for e in ledger.entries if e.payable is None)
    paid = sum(cycle.payout for cycle in ledger.cycles)
    payable = (ledger.entries[-1].balance - pending if ledger.entries else 0) + ledger.stated_too_much
    balances = {
        "paid": pounds(paid),
        "pay_out_psp_code": shop.psp,
        "payable": pounds(payable),
        "pending": pounds(pending),
    }
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
            "city": shop.city,
            "country": shop.country,
            "email": business.email,
            "street1": shop.street,
            "zip_code": shop.zip_code,
        },
        "currency_iso_code": shop.currency,
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
        "payment_info": payment_info(shop),
        "payment_method_mandatory": True,
        "premium": False,
        "pro_details": {
            "corporate_name": shop.corporate_name,
            "identification_number": "00000000",
            "tax_identification_number": shop.tax_number,
        },
        "shipping": {"lead_time_to_ship": 2},
        "shipping_country": shop.country,
        "shop_additional_fields": [],
        "shop_id": shop.id,
        "shop_name": shop.name,
        "shop_state": "OPEN",
    }


def platform(name: str, tenant: str) -> dict[str, Any]:
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
        "platform_name": name,
        "tenant_name": tenant,
        "timezone": "Europe/London",
    }
