"""Billing cycles (SBC11) and accounting documents (IV01)."""

from typing import Any

from sandbox.world.model import Cycle, ManualDocument, Shop
from sandbox.world.money import pounds
from sandbox.world.settlement import FEE_TAX_TYPES, FEE_TYPES
from sandbox.world.stamps import DAY, iso

_SUMMARY_PAIRS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "total_payable_orders": (
        ("ORDER_AMOUNT", "ORDER_SHIPPING_AMOUNT"),
        ("ORDER_AMOUNT_TAX", "ORDER_SHIPPING_AMOUNT_TAX"),
    ),
    "total_non_payable_orders": ((), ()),
    "total_refund_orders": (
        ("REFUND_ORDER_AMOUNT", "REFUND_ORDER_SHIPPING_AMOUNT"),
        ("REFUND_ORDER_AMOUNT_TAX", "REFUND_ORDER_SHIPPING_AMOUNT_TAX"),
    ),
    "total_refund_payable_orders": (
        ("REFUND_ORDER_AMOUNT", "REFUND_ORDER_SHIPPING_AMOUNT"),
        ("REFUND_ORDER_AMOUNT_TAX", "REFUND_ORDER_SHIPPING_AMOUNT_TAX"),
    ),
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
    "total_operator_paid_shipping_charges": (("OPERATOR_PAID_ORDER_SHIPPING_AMOUNT",), ()),
    "total_refund_operator_paid_shipping_charges": ((), ()),
    "total_other_credits": (
        ("MANUAL_CREDIT", "INVOICEABLE_ONE_OFF_CREDIT"),
        ("MANUAL_CREDIT_VAT", "INVOICEABLE_ONE_OFF_CREDIT_TAX"),
    ),
    "total_other_invoices": (
        ("MANUAL_INVOICE", "INVOICEABLE_ONE_OFF_DEBIT"),
        ("MANUAL_INVOICE_VAT", "INVOICEABLE_ONE_OFF_DEBIT_TAX"),
    ),
}
_SUMMARY_SINGLES: dict[str, tuple[str, ...]] = {
    "total_operator_remitted_taxes": (
        "OPERATOR_REMITTED_ORDER_AMOUNT_TAX",
        "OPERATOR_REMITTED_ORDER_SHIPPING_AMOUNT_TAX",
    ),
    "total_purchase_taxes": (),
    "total_refund_operator_remitted_taxes": (
        "OPERATOR_REMITTED_REFUND_ORDER_AMOUNT_TAX",
        "OPERATOR_REMITTED_REFUND_ORDER_SHIPPING_AMOUNT_TAX",
    ),
    "total_refund_purchase_taxes": (),
}


def totals_of(cycle: Cycle) -> dict[str, int]:
    totals: dict[str, int] = {}
    for entry in cycle.entries:
        totals[entry.type] = totals.get(entry.type, 0) + entry.amount
    return totals


def fees_of(totals: dict[str, int]) -> tuple[int, int]:
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
    for name, types in _SUMMARY_SINGLES.items():
        summary[name] = pounds(sum(totals.get(type_, 0) for type_ in types))
    return summary


def _pay_out(cycle: Cycle) -> dict[str, Any]:
    pay_out: dict[str, Any] = {"state": cycle.state}
    if cycle.paid_at is not None:
        pay_out["reference"] = cycle.reference
        pay_out["transaction_date"] = iso(cycle.paid_at)
    if cycle.failure is not None:
        pay_out["failure_reason"] = cycle.failure
    return pay_out


def cycle_record(shop: Shop, cycle: Cycle) -> dict[str, Any]:
    totals = totals_of(cycle)
    net, tax = fees_of(totals)
    return {
        "amount_transferred_to_operator": pounds(net + tax),
        "amount_transferred_to_seller": pounds(cycle.payout),
        "currency_iso_code": shop.currency,
        "date_created": iso(cycle.created),
        "id": cycle.id,
        "pay_out": _pay_out(cycle),
        "pay_out_psp_code": shop.psp,
        "payment_voucher_number": cycle.voucher,
        "shop": {
            "shop_corporate_name": shop.corporate_name,
            "shop_id": shop.id,
            "shop_name": shop.name,
            "shop_operator_internal_id": shop.internal_id,
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


def _document_head(shop: Shop, id_: str, number: int, type_: str, created: int, cycle: Cycle | None) -> dict[str, Any]:
    head: dict[str, Any] = {
        "currency_iso_code": shop.currency,
        "date_created": iso(created),
        "due_date": iso(created + DAY),
        "id": id_,
        "invoice_id": number,
        "issue_date": iso(created),
        "issuing_user": {"information": "Automatic action", "type": "BATCH"}
        if type_ == "AUTO_INVOICE"
        else {"information": "billing desk", "type": "PARTNER"},
        "pay_out_psp_code": shop.psp,
        "payment": _document_payment(cycle),
        "shop_address": {
            "city": shop.city,
            "company": shop.corporate_name,
            "country": shop.country,
            "state": None,
            "street1": shop.street,
            "zip_code": shop.zip_code,
        },
        "shop_corporate_name": shop.corporate_name,
        "shop_id": shop.id,
        "shop_model": shop.model,
        "shop_name": shop.name,
        "shop_operator_internal_id": shop.internal_id,
        "shop_tax_number": shop.tax_number,
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


def documents(shop: Shop, cycles: list[Cycle], manual: list[ManualDocument]) -> list[dict[str, Any]]:
    """The operator's documents to one shop, oldest first. A cycle without fees has none of its own."""
    found = [_auto_invoice(shop, cycles, cycle) for cycle in cycles if any(fees_of(totals_of(cycle)))]
    found += [_manual_document(shop, document) for document in manual]
    found.sort(key=lambda document: document["date_created"])
    return found


def payment_info(shop: Shop) -> dict[str, Any]:
    return {
        "@type": "IBAN",
        "bank_city": shop.city,
        "bank_name": "Example Bank",
        "bic": shop.bic,
        "iban": shop.iban,
        "owner": shop.corporate_name,
    }


def _auto_invoice(shop: Shop, cycles: list[Cycle], cycle: Cycle) -> dict[str, Any]:
    totals = totals_of(cycle)
    net, tax = fees_of(totals)
    start = cycles[cycle.index - 1].created if cycle.index else cycle.created - 10 * DAY
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
    issued = cycle.created if cycle.invoiced is None else cycle.invoiced
    return {
        **_document_head(
            cycle.billed_to or shop, cycle.invoice_id, cycle.invoice_number, "AUTO_INVOICE", issued, cycle
        ),
        **_charged(net, tax),
        "details": details,
        "end_time": iso(cycle.created),
        "payment_info": payment_info(shop),
        "start_time": iso(start),
        "summary": {
            **_summary(totals),
            "amount_transferred": pounds(cycle.payout),
            "amount_transferred_to_operator": pounds(net + tax),
            "reserve_funding": pounds(totals.get("RESERVE_FUNDING", 0)),
            "reserve_settlement": pounds(totals.get("RESERVE_SETTLEMENT", 0)),
        },
    }


def _manual_document(shop: Shop, document: ManualDocument) -> dict[str, Any]:
    is_credit = document.type in ("MANUAL_CREDIT", "INVOICEABLE_ONE_OFF_CREDIT")
    type_ = "MANUAL_CREDIT" if is_credit else "MANUAL_INVOICE"
    taxes = [{"amount": pounds(document.tax), "code": "TAXDEFAULT"}] if document.tax else []
    return {
        **_document_head(
            document.billed_to or shop, document.id, document.number, type_, document.created, document.cycle
        ),
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
