"""What staging should hold of a vendor's answer, told from the answer's JSON alone.

Nothing here is taken from the code under test: the tables below name, for every staging column, where its value stands
in the vendor's record and what kind of value it is. A row is described by the chain of objects that leads to it (order,
line, refund); `^.` in a path steps to the object above.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

Chain = tuple[Any, ...]
Cell = Callable[[Chain], Any]


def parsed(body: bytes) -> Any:
    """JSON without binary floats."""
    return json.loads(body, parse_float=Decimal)


def _member(chain: Chain, path: str) -> Any:
    while path.startswith("^."):
        chain, path = chain[:-1], path[2:]
    value = chain[-1]
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _filled(chain: Chain, paths: tuple[str, ...]) -> str | None:
    """The first of the members that is not empty, as text."""
    values = (str(value).strip() for path in paths if (value := _member(chain, path)) is not None)
    return next((value for value in values if value), None)


def text(*paths: str) -> Cell:
    return lambda chain: _filled(chain, paths)


def upper(*paths: str) -> Cell:
    return lambda chain: value.upper() if (value := _filled(chain, paths)) is not None else None


def foreign_key(path: str) -> Cell:
    """Sage writes 0 where nothing is referred to."""
    return lambda chain: value if (value := _filled(chain, (path,))) != "0" else None


def whole(path: str) -> Cell:
    return lambda chain: int(value) if (value := _filled(chain, (path,))) is not None else None


def decimal(path: str) -> Cell:
    return lambda chain: Decimal(value) if (value := _filled(chain, (path,))) is not None else None


def instant(path: str) -> Cell:
    """UTC without a zone, the form of DuckDB's TIMESTAMP. A bare date is its midnight."""

    def read(chain: Chain) -> datetime | None:
        value = _filled(chain, (path,))
        if value is None:
            return None
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo is None else moment.astimezone(UTC)).replace(tzinfo=None)

    return read


def day(path: str) -> Cell:
    """A calendar date that Sage writes as midnight with `Z`: never shifted."""
    return lambda chain: date.fromisoformat(value[:10]) if (value := _filled(chain, (path,))) is not None else None


def boolean(path: str, absent: bool | None = None) -> Cell:
    return lambda chain: value if (value := _member(chain, path)) is not None else absent


def joined(path: str) -> Cell:
    return lambda chain: "|".join(_member(chain, path) or ()) or None


def product_reference(chain: Chain) -> str | None:
    """The first reference to the product that says of which kind it is."""
    for each in _member(chain, "product_references") or ():
        if each.get("reference_type") and each.get("reference"):
            return f"{each['reference_type']}|{each['reference']}"
    return None


def operator_funded(chain: Chain) -> Decimal | None:
    """What the operator pays to the shop in the customer's place."""
    parts = _member(chain, "price_amount_breakdown.parts")
    if parts is None:
        return None
    funded = [p["amount"] for p in parts if p.get("payable_to_shop") and p.get("debitable_from_customer") is False]
    return sum(map(Decimal, funded), Decimal(0))


def payable_to_shop(chain: Chain) -> bool | None:
    parts = _member(chain, "amount_breakdown.parts")
    return any(p.get("payable_to_shop") for p in parts) if parts else None


def postcode_district(chain: Chain) -> str | None:
    """`YO1` of `YO1 1AA`; of other countries' codes nothing is kept."""
    code = _filled(chain, ("customer.shipping_address.zip_code",)) or ""
    return code.split()[0] if re.fullmatch(r"[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}", code) else None


# --- which rows a record makes


def itself(record: Any) -> Iterator[Chain]:
    yield (record,)


def below(*members: str) -> Callable[[Any], Iterator[Chain]]:
    """The elements of nested lists, each with the objects above it."""

    def walk(chain: Chain, names: tuple[str, ...]) -> Iterator[Chain]:
        if not names:
            yield chain
            return
        for element in chain[-1].get(names[0]) or ():
            yield from walk((*chain, element), names[1:])

    return lambda record: walk((record,), members)


def taxes(order: Any) -> Iterator[Chain]:
    """Every tax of a line, of its refunds and of its cancelations, with words for what it hangs on."""
    for line in order.get("order_lines") or ():
        holders = [("LINE", line["order_line_id"], line)]
        holders += [("REFUND", refund["id"], refund) for refund in line.get("refunds") or ()]
        holders += [("CANCELATION", cancelation["id"], cancelation) for cancelation in line.get("cancelations") or ()]
        for parent_type, parent_id, holder in holders:
            for member, kind in (
                ("taxes", "PRICE"),
                ("shipping_taxes", "SHIPPING"),
                ("commission_taxes", "COMMISSION"),
            ):
                for tax in holder.get(member) or ():
                    yield order, line, {**tax, "@on": parent_type, "@id": parent_id, "@kind": kind}


def cycle_totals(cycle: Any) -> Iterator[Chain]:
    for name, amount in (cycle.get("summary") or {}).items():
        yield cycle, {"name": name, "amount": amount}


@dataclass(frozen=True)
class Expectation:
    """One staging model: how many rows a record of the feed makes, and every column of them."""

    vendor: str
    entity: str
    cells: Mapping[str, Cell]
    rows: Callable[[Any], Iterator[Chain]] = itself
    only: str = "true"
    """The feed's own rows, where several feeds share a staging model."""

    def of(self, record: Any) -> list[tuple[Any, ...]]:
        return [tuple(cell(chain) for cell in self.cells.values()) for chain in self.rows(record)]


def compliance(chain: Chain) -> bool | None:
    """Whether every part that was looked at was found right."""
    verdicts = [part["compliant"] for part in _member(chain, "compliance") or () if part.get("compliant") is not None]
    return all(verdicts) if verdicts else None


def codes(entity: str, *, group: str | None = None, rights: str | None = None) -> Expectation:
    """One list of codes among those that share a model."""
    return Expectation(
        "mirakl",
        entity,
        {
            "list_name": lambda _: entity,
            "code_group": (lambda chain: upper(group)(chain) or "") if group is not None else (lambda _: ""),
            "code": text("code"),
            "code_label": text("label"),
            "is_for_shops": boolean(rights) if rights is not None else (lambda _: None),
        },
        only=f"list_name = '{entity}'",
    )


MODELS = {
    "stg_mirakl__orders": Expectation(
        "mirakl",
        "orders",
        {
            "order_id": text("order_id"),
            "commercial_id": text("commercial_id"),
            "shop_id": text("shop_id"),
            "order_state": upper("order_state"),
            "order_state_reason_code": text("order_state_reason_code"),
            "tax_mode": upper("order_tax_mode"),
            "payment_workflow": text("payment_workflow"),
            "currency_code": upper("currency_iso_code"),
            "channel_code": text("channel.code"),
            "shipping_carrier_code": text("shipping_carrier_code"),
            "shipping_company": text("shipping_company"),
            "shipping_tracking": text("shipping_tracking"),
            "shipping_type_code": text("shipping_type_code"),
            "shipping_zone_code": text("shipping_zone_code"),
            "order_reference_for_customer": text("references.order_reference_for_customer"),
            "order_reference_for_seller": text("references.order_reference_for_seller"),
            "transaction_number": text("transaction_number"),
            "ship_to_country": text("customer.shipping_address.country_iso_code", "customer.shipping_address.country"),
            "ship_to_state": text("customer.shipping_address.state"),
            "ship_to_postcode_district": postcode_district,
            "price_amount": decimal("price"),
            "shipping_amount": decimal("shipping_price"),
            "total_amount": decimal("total_price"),
            "total_commission_amount": decimal("total_commission"),
            "has_incident": boolean("has_incident", absent=False),
            "is_fully_refunded": boolean("fully_refunded", absent=False),
            "created_at": instant("created_date"),
            "accepted_at": instant("acceptance_decision_date"),
            "customer_debited_at": instant("customer_debited_date"),
            "shipping_deadline_at": instant("shipping_deadline"),
            "transaction_at": instant("transaction_date"),
            "updated_at": instant("last_updated_date"),
        },
    ),
    "stg_mirakl__order_lines": Expectation(
        "mirakl",
        "orders",
        {
            "order_id": text("^.order_id"),
            "order_line_id": text("order_line_id"),
            "order_line_index": whole("order_line_index"),
            "line_state": upper("order_line_state"),
            "line_state_reason_code": text("order_line_state_reason_code"),
            "offer_id": text("offer_id"),
            "shop_sku": text("offer_sku"),
            "offer_state_code": text("offer_state_code"),
            "product_sku": text("product_sku"),
            "category_code": text("category_code"),
            "category_label": text("category_label"),
            "quantity": decimal("quantity"),
            "unit_price": decimal("price_unit"),
            "origin_unit_price": decimal("origin_unit_price"),
            "price_amount": decimal("price"),
            "shipping_amount": decimal("shipping_price"),
            "total_amount": decimal("total_price"),
            "commission_amount": decimal("commission_fee"),
            "total_commission_amount": decimal("total_commission"),
            "operator_funded_amount": operator_funded,
            "created_at": instant("created_date"),
            "debited_at": instant("debited_date"),
            "shipped_at": instant("shipped_date"),
            "received_at": instant("received_date"),
            "updated_at": instant("last_updated_date"),
        },
        below("order_lines"),
    ),
    "stg_mirakl__order_line_taxes": Expectation(
        "mirakl",
        "orders",
        {
            "order_id": text("^.^.order_id"),
            "order_line_id": text("^.order_line_id"),
            "parent_type": text("@on"),
            "parent_id": text("@id"),
            "tax_kind": text("@kind"),
            "tax_code": text("code"),
            "tax_calculation_rule": upper("tax_calculation_rule"),
            "tax_rate": decimal("rate"),
            "amount": decimal("amount"),
            "is_payable_to_shop": payable_to_shop,
        },
        taxes,
    ),
    "stg_mirakl__order_line_refunds": Expectation(
        "mirakl",
        "orders",
        {
            "order_id": text("^.^.order_id"),
            "order_line_id": text("^.order_line_id"),
            "refund_id": text("id"),
            "order_refund_id": text("order_refund_id"),
            "refund_state": upper("refund_state", "state"),
            "reason_code": text("reason_code"),
            "transaction_number": text("transaction_number"),
            "amount": decimal("amount"),
            "shipping_amount": decimal("shipping_amount"),
            "commission_amount": decimal("commission_amount"),
            "commission_tax_amount": decimal("commission_tax_amount"),
            "commission_total_amount": decimal("commission_total_amount"),
            "quantity": decimal("quantity"),
            "created_at": instant("created_date"),
            "transaction_at": instant("transaction_date"),
        },
        below("order_lines", "refunds"),
    ),
    "stg_mirakl__order_line_cancelations": Expectation(
        "mirakl",
        "orders",
        {
            "order_id": text("^.^.order_id"),
            "order_line_id": text("^.order_line_id"),
            "cancelation_id": text("id"),
            "reason_code": text("reason_code"),
            "amount": decimal("amount"),
            "shipping_amount": decimal("shipping_amount"),
            "commission_amount": decimal("commission_amount"),
            "commission_tax_amount": decimal("commission_tax_amount"),
            "commission_total_amount": decimal("commission_total_amount"),
            "quantity": decimal("quantity"),
            "created_at": instant("created_date"),
        },
        below("order_lines", "cancelations"),
    ),
    "stg_mirakl__transaction_lines": Expectation(
        "mirakl",
        "transaction_lines",
        {
            "transaction_line_id": text("id"),
            "transaction_type": upper("type"),
            "payment_state": upper("payment_state"),
            "document_number": text("accounting_document_number"),
            "document_id": text("accounting_document_id"),
            "billing_cycle_id": text("seller_billing_cycle_id"),
            "voucher_number": text("payment_voucher_number"),
            "order_id": text("entities.order.id"),
            "order_line_id": text("entities.order_line.id"),
            "refund_id": text("entities.refund.id"),
            "fee_code": text("entities.fee.code"),
            "order_fee_code": text("entities.order_fee.code"),
            "manual_document_number": text("entities.manual_accounting_document.number"),
            "one_off_description": text("entities.one_off_item.description"),
            "shop_id": text("shop.id"),
            "currency_code": upper("currency_iso_code"),
            "amount": decimal("amount"),
            "amount_credited": decimal("amount_credited"),
            "amount_debited": decimal("amount_debited"),
            "running_balance": decimal("balance"),
            "shop_tax_rate": decimal("entities.shop_tax.rate"),
            "created_at": instant("date_created"),
            "document_created_at": instant("accounting_document_creation_date"),
            "updated_at": instant("last_updated"),
        },
    ),
    "stg_mirakl__billing_cycles": Expectation(
        "mirakl",
        "billing_cycles",
        {
            "billing_cycle_id": text("id"),
            "pay_out_state": upper("pay_out.state"),
            "pay_out_reference": text("pay_out.reference"),
            "pay_out_failure_reason": text("pay_out.failure_reason"),
            "pay_out_psp_code": text("pay_out_psp_code"),
            "voucher_number": text("payment_voucher_number"),
            "shop_id": text("shop.shop_id"),
            "currency_code": upper("currency_iso_code"),
            "transferred_to_seller_amount": decimal("amount_transferred_to_seller"),
            "transferred_to_operator_amount": decimal("amount_transferred_to_operator"),
            "created_at": instant("date_created"),
            "pay_out_at": instant("pay_out.transaction_date"),
        },
    ),
    "stg_mirakl__billing_cycle_totals": Expectation(
        "mirakl",
        "billing_cycles",
        {"billing_cycle_id": text("^.id"), "total_name": text("name"), "amount": decimal("amount")},
        cycle_totals,
    ),
    "stg_mirakl__invoices": Expectation(
        "mirakl",
        "invoices",
        {
            "document_key": text("id"),
            "invoice_id": text("invoice_id"),
            "document_type": upper("type"),
            "document_state": upper("state"),
            "billing_cycle_id": text("seller_billing_cycle_id"),
            "payment_state": upper("payment.state"),
            "payment_reference": text("payment.reference"),
            "payment_failure_reason": text("payment.failure_reason"),
            "shop_id": text("shop_id"),
            "shop_corporate_name": text("shop_corporate_name"),
            "shop_tax_number": text("shop_tax_number"),
            "currency_code": upper("currency_iso_code"),
            "net_amount": decimal("total_amount_excl_taxes"),
            "gross_amount": decimal("total_amount_incl_taxes"),
            "transferred_amount": decimal("summary.amount_transferred"),
            "created_at": instant("date_created"),
            "issued_at": instant("issue_date"),
            "due_at": instant("due_date"),
            "started_at": instant("start_time"),
            "ended_at": instant("end_time"),
            "paid_at": instant("payment.transaction_date"),
        },
    ),
    "stg_mirakl__invoice_details": Expectation(
        "mirakl",
        "invoices",
        {
            "document_key": text("^.id"),
            "order_id": text("order_id"),
            "description": text("description"),
            "quantity": decimal("quantity"),
            "net_amount": decimal("amount_excl_taxes"),
            "operation_at": instant("operation_date"),
        },
        below("details"),
    ),
    "stg_mirakl__invoice_taxes": Expectation(
        "mirakl",
        "invoices",
        {"document_key": text("^.id"), "tax_code": text("code"), "amount": decimal("amount")},
        below("total_taxes"),
    ),
    "stg_mirakl__offers": Expectation(
        "mirakl",
        "offers",
        {
            "offer_id": text("offer_id"),
            "shop_sku": text("shop_sku"),
            "product_sku": text("product_sku"),
            "product_title": text("product_title"),
            "product_reference": product_reference,
            "state_code": text("state_code"),
            "category_code": text("category_code"),
            "inactivity_reasons": joined("inactivity_reasons"),
            "currency_code": upper("currency_iso_code"),
            "quantity": decimal("quantity"),
            "price_amount": decimal("price"),
            "total_amount": decimal("total_price"),
            "lead_time_days": decimal("leadtime_to_ship"),
            "min_order_quantity": decimal("min_order_quantity"),
            "package_quantity": decimal("package_quantity"),
            "is_active": boolean("active", absent=False),
        },
    ),
    "stg_mirakl__accounts": Expectation(
        "mirakl",
        "account",
        {
            "shop_id": text("shop_id"),
            "shop_name": text("shop_name"),
            "shop_state": upper("shop_state"),
            "suspension_type": upper("suspension_type"),
            "shop_model": upper("model"),
            "currency_code": upper("currency_iso_code"),
            "paid_balance": decimal("payment_details.paid_balance"),
            "payable_balance": decimal("payment_details.payable_balance"),
            "pending_balance": decimal("payment_details.pending_balance"),
            "reserve_balance": decimal("payment_details.reserve_balance"),
        },
    ),
    "stg_mirakl__platforms": Expectation(
        "mirakl",
        "platform",
        {
            "tax_mode": upper("features.order_tax_mode"),
            "offer_prices_decimals": text("features.offer_prices_decimals"),
            "operator_csv_delimiter": upper("features.operator_csv_delimiter"),
            "order_acceptance": upper("features.order_workflows.order_acceptance"),
            "time_zone": text("timezone"),
            "has_payment_confirmation": boolean("features.payment_confirmation"),
            "is_multi_shipment": boolean("features.shipment.multi_shipment"),
            "is_free_carrier_allowed": lambda chain: not boolean("features.disable_seller_alternative_carrier")(chain),
            "is_tax_collected_by_operator": boolean("features.tax_collection.tax_collection_by_operator"),
        },
    ),
    "stg_mirakl__carriers": Expectation(
        "mirakl",
        "carriers",
        {
            "carrier_code": text("code"),
            "carrier_name": text("label"),
            "standard_code": text("standard_code"),
            "tracking_url": text("tracking_url"),
        },
    ),
    "stg_mirakl__returns": Expectation(
        "mirakl",
        "returns",
        {
            "return_id": text("id"),
            "return_state": upper("state"),
            "rma_number": text("rma"),
            "order_id": text("order_id"),
            "shop_id": text("shop_id", "shop.id"),
            "reason_code": text("reason_code"),
            "rejection_reason_code": text("rejection_reason_code"),
            "carrier_code": text("tracking.carrier_code", "tracking.carrierCode"),
            "carrier_name": text("tracking.carrier_name", "tracking.carrierName"),
            "tracking_number": text("tracking.tracking_number"),
            "created_at": instant("date_created"),
            "updated_at": instant("last_updated"),
        },
    ),
    "stg_mirakl__return_lines": Expectation(
        "mirakl",
        "returns",
        {
            "return_id": text("^.id"),
            "order_line_id": text("order_line_id"),
            "reason_code": text("reason_code"),
            "quantity": decimal("quantity"),
            "is_compliant": compliance,
        },
        below("return_lines"),
    ),
    "stg_mirakl__shipments": Expectation(
        "mirakl",
        "shipments",
        {
            "shipment_id": text("id"),
            "order_id": text("order_id"),
            "shop_id": text("shop_id", "shop.id"),
            "shipment_state": upper("status"),
            "debit_state": upper("status_customer_debit"),
            "carrier_code": text("tracking.carrier_code"),
            "carrier_name": text("tracking.carrier_name"),
            "tracking_number": text("tracking.tracking_number"),
            "tracking_state": upper("tracking.validity_status"),
            "invoice_reference": text("invoice_reference"),
            "transaction_number": text("payment_details.transaction_number"),
            "created_at": instant("created_date"),
            "shipped_at": instant("shipped_date"),
            "customer_debited_at": instant("payment_details.customer_debited_date"),
            "updated_at": instant("last_updated_date"),
        },
    ),
    "stg_mirakl__shipment_lines": Expectation(
        "mirakl",
        "shipments",
        {
            "shipment_id": text("^.id"),
            "order_line_id": text("order_line_id"),
            "shop_sku": text("offer_sku"),
            "package_reference": text("package_reference"),
            "quantity": decimal("quantity"),
        },
        below("shipment_lines"),
    ),
    "stg_mirakl__items_to_ship": Expectation(
        "mirakl",
        "items_to_ship",
        {
            "order_id": text("order_id"),
            "shop_id": text("shop_id", "shop.id"),
            "shipping_type_code": text("shipping_type_code"),
            "order_reference_for_seller": text("references.order_reference_for_seller"),
            "ship_to_country": text("shipping_address.country_iso_code", "shipping_address.country"),
            "ship_from_at": instant("shipping_date"),
            "shipping_deadline_at": instant("shipping_deadline"),
        },
    ),
    "stg_mirakl__items_to_ship_lines": Expectation(
        "mirakl",
        "items_to_ship",
        {
            "order_id": text("^.order_id"),
            "order_line_id": text("order_line_id"),
            "shop_sku": text("offer_sku"),
            "quantity": decimal("quantity"),
        },
        below("shipment_lines"),
    ),
    "stg_mirakl__document_requests": Expectation(
        "mirakl",
        "document_requests",
        {
            "document_request_id": text("id"),
            "document_type": upper("type"),
            "request_state": upper("state"),
            "entity_type": upper("entity_type"),
            "entity_id": text("entity_id"),
            "document_number": text("document_number"),
            "issuer_type": upper("issuer.type"),
            "issuer_id": text("issuer.id"),
            "recipient_type": upper("recipient.type"),
            "billing_cycle_id": text("entities.shop_billing_cycle.id"),
            "payment_state": upper("payment.state"),
            "payment_reference": text("payment.reference"),
            "currency_code": upper("currency_iso_code"),
            "net_amount": decimal("total_amount_excluding_taxes"),
            "tax_amount": decimal("total_tax_amount"),
            "gross_amount": decimal("total_amount_including_taxes"),
            "created_at": instant("date_created"),
            "issued_at": instant("issue_date"),
            "due_at": instant("due_date"),
            "paid_at": instant("payment.transaction_date"),
            "updated_at": instant("last_updated"),
        },
    ),
    "stg_mirakl__threads": Expectation(
        "mirakl",
        "threads",
        {
            "thread_id": text("id"),
            "topic_type": upper("topic.type"),
            "last_sender_type": upper("metadata.last_sender.type"),
            "message_count": decimal("metadata.total_count"),
            "created_at": instant("date_created"),
            "last_message_at": instant("metadata.last_message_date"),
            "reply_needed_from": instant("metadata.shop_reply_needed_since"),
            "updated_at": instant("date_updated"),
        },
    ),
    "stg_mirakl__thread_entities": Expectation(
        "mirakl",
        "threads",
        {"thread_id": text("^.id"), "entity_type": upper("type"), "entity_id": text("id")},
        below("entities"),
    ),
    "stg_mirakl__codes reasons": codes("reasons", group="type", rights="is_shop_right"),
    "stg_mirakl__codes currencies": codes("currencies"),
    "stg_mirakl__codes channels": codes("channels"),
    "stg_mirakl__codes offer_conditions": codes("offer_conditions"),
    "stg_mirakl__codes shipping_methods": codes("shipping_methods"),
    "stg_mirakl__codes shipping_zones": codes("shipping_zones"),
    "stg_mirakl__codes custom_fields": codes("custom_fields", group="entity"),
    "stg_sage200__sop_orders": Expectation(
        "sage200",
        "sop_orders",
        {
            "sop_order_id": text("id"),
            "document_no": text("document_no"),
            "customer_document_no": text("customer_document_no"),
            "customer_id": foreign_key("customer_id"),
            "document_status": text("document_status"),
            "despatch_receipt_status": text("despatch_receipt_status"),
            "invoice_credit_status": text("invoice_credit_status"),
            "cancelled_status": text("cancelled_status"),
            "currency_id": foreign_key("currency_id"),
            **{f"analysis_code_{n}": text(f"analysis_code_{n}") for n in range(1, 6)},
            "goods_net_amount": decimal("subtotal_goods_value"),
            "charge_net_amount": decimal("subtotal_charge_net_value"),
            "charge_tax_amount": decimal("subtotal_charge_tax_value"),
            "net_amount": decimal("total_net_value"),
            "tax_amount": decimal("total_tax_value"),
            "gross_amount": decimal("total_gross_value"),
            "is_draft": boolean("is_draft", absent=False),
            "document_date": day("document_date"),
            "requested_delivery_date": day("requested_delivery_date"),
            "promised_delivery_date": day("promised_delivery_date"),
            "created_at": instant("date_time_created"),
            "updated_at": instant("date_time_updated"),
        },
    ),
    "stg_sage200__sop_order_lines": Expectation(
        "sage200",
        "sop_orders",
        {
            "sop_order_id": text("^.id"),
            "sop_order_line_id": text("id"),
            "line_number": whole("line_number"),
            "line_type": text("line_type"),
            "product_id": foreign_key("product_id"),
            "item_code": text("code"),
            "description": text("description"),
            "tax_code_id": foreign_key("tax_code_id"),
            "warehouse_id": foreign_key("warehouse_id"),
            **{f"analysis_code_{n}": text(f"analysis_code_{n}") for n in range(1, 6)},
            "quantity": decimal("line_quantity"),
            "allocated_quantity": decimal("allocated_quantity"),
            "despatched_quantity": decimal("despatch_receipt_quantity"),
            "invoiced_quantity": decimal("invoice_credit_quantity"),
            "posted_quantity": decimal("posted_invoice_credit_quantity"),
            "unit_price": decimal("selling_unit_price"),
            "unit_discount": decimal("unit_discount_value"),
            "net_amount": decimal("line_total_value"),
            "tax_amount": decimal("line_tax_value"),
        },
        below("lines"),
    ),
    "stg_sage200__despatch_lines": Expectation(
        "sage200",
        "despatch_lines",
        {
            "despatch_line_id": text("sop_despatch_line_id"),
            "despatch_no": text("sop_despatch_document_no"),
            "sop_order_id": text("sop_order_id"),
            "sop_order_line_id": text("sop_order_line_id"),
            "item_code": text("product_code"),
            "quantity": decimal("sop_despatch_line_quantity"),
            "courier_name": text("sop_despatch_courier_name"),
            "consignment_no": text("sop_despatch_consignment_no"),
            "despatch_date": day("sop_despatch_date"),
            "saved_at": instant("date_time_updated"),
        },
    ),
    "stg_sage200__products": Expectation(
        "sage200",
        "products",
        {
            "product_id": text("id"),
            "item_code": text("code"),
            "item_name": text("name"),
            "product_group_id": foreign_key("product_group_id"),
            "tax_code_id": foreign_key("tax_code_id"),
            "product_status_type": text("product_status_type"),
            "barcode": text("barcode"),
            "free_stock_quantity": decimal("free_stock_quantity"),
            "standard_cost": decimal("standard_cost"),
            "average_buying_price": decimal("average_buying_price"),
            "is_sales_order_allowed": boolean("allow_sales_order"),
            "inactivation_date": day("inactivation_date"),
            "updated_at": instant("date_time_updated"),
        },
    ),
    "stg_sage200__warehouse_holdings": Expectation(
        "sage200",
        "warehouse_holdings",
        {
            "holding_id": text("id"),
            "product_id": foreign_key("product_id"),
            "warehouse_id": foreign_key("warehouse_id"),
            "quantity_in_stock": decimal("quantity_in_stock"),
            "quantity_allocated": decimal("quantity_allocated"),
            "quantity_reserved": decimal("quantity_reserved"),
            "free_quantity": decimal("free_stock_available"),
            "quantity_on_order": decimal("quantity_on_order"),
            "updated_at": instant("date_time_updated"),
        },
    ),
    "stg_sage200__customers": Expectation(
        "sage200",
        "customers",
        {
            "customer_id": text("id"),
            "customer_reference": text("reference"),
            "customer_name": text("name"),
            "currency_id": foreign_key("currency_id"),
            "account_status_type": text("account_status_type"),
            "balance": decimal("balance"),
        },
    ),
    "stg_sage200__tax_codes": Expectation(
        "sage200",
        "tax_codes",
        {
            "tax_code_id": text("id"),
            "tax_code": text("code"),
            "tax_code_name": text("name"),
            "rate_percent": decimal("tax_rate"),
        },
    ),
    "stg_sage200__sales_posted_transactions": Expectation(
        "sage200",
        "sales_posted_transactions",
        {
            "posted_transaction_id": text("id"),
            "customer_id": foreign_key("customer_id"),
            "trader_transaction_type": text("trader_transaction_type"),
            "reference": text("reference"),
            "second_reference": text("second_reference"),
            "urn": text("urn"),
            "user_name": text("user_name"),
            "goods_amount": decimal("document_goods_value"),
            "tax_amount": decimal("document_tax_value"),
            "gross_amount": decimal("document_gross_value"),
            "outstanding_amount": decimal("document_outstanding_value"),
            "allocated_amount": decimal("document_allocated_value"),
            "base_gross_amount": decimal("base_gross_value"),
            "transaction_date": day("transaction_date"),
            "posted_date": day("posted_date"),
            "created_at": instant("date_time_created"),
            "updated_at": instant("date_time_updated"),
        },
    ),
}
"""Every staging model of a call whose answers the vendors publish, with every column but the loader's own."""
