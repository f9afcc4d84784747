"""The platform's lists of work to do: items to ship (ST12), debits (PA11) and refunds (PA12) that wait.

Each holds rows of orders in some state; an order that changes has its rows made anew.
"""

from decimal import Decimal

from sandbox.mirakl.flow_records import (
    NIL,
    PAY_ON_ACCEPTANCE,
    SENT_STATES,
    Record,
    cancelled_quantity,
    is_debited,
    is_multi_shipment,
    live_lines,
    money,
    psp_of,
    seller_of,
    shop_id_of,
    undelivered_quantity,
    workflow,
)
from sandbox.mirakl_shop import MiraklShop


def refresh_worklists(shop: MiraklShop, record: Record) -> None:
    order_id = record["order_id"]
    for name, rows in (
        ("items_to_ship", _items_to_ship(shop, record)),
        ("payment_debits", _debits(shop, record)),
        ("payment_refunds", _refunds(shop, record)),
    ):
        others = [row for row in getattr(shop, name) if row["order_id"] != order_id]
        setattr(shop, name, others + rows)


def awaits_debit(shop: MiraklShop, record: Record) -> bool:
    """Whether the operator's payment system is to debit the customer for the whole order."""
    if is_debited(record) or record["order_state"] in ("REFUSED", "CANCELED"):
        return False
    way, state = workflow(record), record["order_state"]
    if way == PAY_ON_ACCEPTANCE:
        return bool(state == "WAITING_DEBIT_PAYMENT")
    if way == "PAY_ON_DELIVERY":
        return state in ("RECEIVED", "CLOSED")
    if way == "PAY_ON_DUE_DATE":
        return state in SENT_STATES
    # By shipment where orders go out in parts: then the shipments are what is debited.
    return way == "PAY_ON_SHIPMENT" and state in SENT_STATES and not shipments_of(shop, record["order_id"])


def shipments_of(shop: MiraklShop, order_id: str) -> list[Record]:
    return [one for one in shop.shipments.values() if one["order_id"] == order_id]


def quantities_of(shipment: Record) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in shipment["shipment_lines"]:
        found[line["order_line_id"]] = found.get(line["order_line_id"], 0) + line["quantity"]
    return found


def shipped_quantities(shop: MiraklShop, order_id: str, *, is_planned_counted: bool = False) -> dict[str, int]:
    """Units by order line in shipments that went out, or in any that was made."""
    found: dict[str, int] = {}
    for shipment in shipments_of(shop, order_id):
        if is_planned_counted or shipment["status"] in SENT_STATES:
            for line_id, quantity in quantities_of(shipment).items():
                found[line_id] = found.get(line_id, 0) + quantity
    return found


def _items_to_ship(shop: MiraklShop, record: Record) -> list[Record]:
    if not is_multi_shipment(shop) or record["order_state"] != "SHIPPING":
        return []
    planned = shipped_quantities(shop, record["order_id"], is_planned_counted=True)
    lines = []
    for line in record["order_lines"]:
        left = line["quantity"] - undelivered_quantity(line) - planned.get(line["order_line_id"], 0)
        if line["order_line_state"] == "SHIPPING" and left > 0:
            lines.append(
                {
                    "offer_sku": line["offer_sku"],
                    "order_line_id": line["order_line_id"],
                    "package_reference": None,
                    "product_title": line.get("product_title"),
                    "quantity": left,
                }
            )
    if not lines:
        return []
    known = next((row for row in shop.items_to_ship if row["order_id"] == record["order_id"]), {})
    row = {
        "fulfillment": record.get("fulfillment"),
        "order_id": record["order_id"],
        "references": record.get("references"),
        "shipment_lines": lines,
        "shipping_address": (record.get("customer") or {}).get("shipping_address"),
        # When the order moved to SHIPPING.
        "shipping_date": known.get("shipping_date") or record["last_updated_date"],
        "shipping_deadline": record.get("shipping_deadline"),
        "shipping_type_code": record.get("shipping_type_code"),
        "shipping_type_standard_code": record.get("shipping_type_standard_code"),
    }
    return [row | {"shop_id": record["shop_id"]} if "shop_id" in record else row]


def _head_of_payment(shop: MiraklShop, record: Record) -> Record:
    """What the rows of PA11 and PA12 share. Operator-side leftovers of XML: lists stand inside lists."""
    return {
        "currency_iso_code": record["currency_iso_code"],
        "customer_id": (record.get("customer") or {}).get("customer_id") or "",
        "imprint_number": record.get("imprint_number") or "",
        "order_commercial_id": record["commercial_id"],
        "order_id": record["order_id"],
        "pay_out_psp_code": psp_of(seller_of(shop, shop_id_of(shop, record))),
        "payment_destination": {"@type": "IBAN", "payment_reference": record["commercial_id"]},
        "payment_type": record.get("payment_type") or "CARD",
        "shop_id": shop_id_of(shop, record),
    }


def customer_share(line: Record, mode: str | None) -> Decimal:
    """What the customer owes for a line: not the parts that the operator funds; taxes on top where they are on top."""
    amount = NIL
    for name in ("price", "shipping_price"):
        parts = (line.get(f"{name}_amount_breakdown") or {}).get("parts")
        if parts:
            amount += sum((money(one["amount"]) for one in parts if one.get("debitable_from_customer", True)), NIL)
        else:
            amount += money(line.get(name))
    if mode == "TAX_EXCLUDED":
        taxes = [*(line.get("taxes") or ()), *(line.get("shipping_taxes") or ())]
        amount += sum((money(tax.get("amount")) for tax in taxes), NIL)
    amount += sum((money(fee.get("amount")) for fee in line.get("fees") or ()), NIL)
    return amount - sum((refund_amount(part, mode) for part in line.get("cancelations") or ()), NIL)


def _debits(shop: MiraklShop, record: Record) -> list[Record]:
    """PA11: the order, or each shipment of it, that the customer is to be debited for."""
    nothing: dict[str, int] = {}
    rows = []
    if awaits_debit(shop, record):
        whole = {line["order_line_id"]: int(line["quantity"]) for line in live_lines(record)}
        rows.append(_debit(shop, record, {"id": record["order_id"], "type": "ORDER"}, whole, nothing))
    before: dict[str, int] = {}
    for shipment in shipments_of(shop, record["order_id"]):
        sent = quantities_of(shipment)
        if shipment["status_customer_debit"] == "WAITING_DEBIT_CONFIRMATION":
            rows.append(_debit(shop, record, {"id": shipment["id"], "type": "SHIPMENT"}, sent, before))
        if shipment["status_customer_debit"] in ("WAITING_DEBIT_CONFIRMATION", "DEBIT_OK"):
            before |= {line_id: before.get(line_id, 0) + quantity for line_id, quantity in sent.items()}
    return rows


def _debit(
    shop: MiraklShop, record: Record, entity: Record, quantities: dict[str, int], before: dict[str, int]
) -> Record:
    """One row. `before`: units in earlier shipments, so that the shares of a line add up to what the customer owes."""
    lines = []
    for line in live_lines(record):
        line_id = line["order_line_id"]
        if line_id not in quantities:
            continue
        units = max(1, line["quantity"] - cancelled_quantity(line))
        start = min(units, before.get(line_id, 0))
        share, end = customer_share(line, record.get("order_tax_mode")), min(units, start + quantities[line_id])
        lines.append(
            {
                "offer_id": str(line["offer_id"]),
                "order_line_amount": money(share * end / units) - money(share * start / units),
                "order_line_id": line_id,
                "order_line_quantity": end - start,
            }
        )
    amount = sum((line["order_line_amount"] for line in lines), NIL)
    head = _head_of_payment(shop, record)
    return head | {"amount": amount, "debit_entity": entity, "order_lines": {"order_line": lines}}


def _refunds(shop: MiraklShop, record: Record) -> list[Record]:
    """PA12: the order's refunds that the customer is to be paid."""
    lines = []
    for line in record["order_lines"]:
        waiting = [part for part in line.get("refunds") or () if part["refund_state"] == "WAITING_REFUND_PAYMENT"]
        if waiting:
            amounts = [
                {"amount": refund_amount(part, record.get("order_tax_mode")), "id": part["id"]} for part in waiting
            ]
            lines.append(
                {
                    "offer_id": str(line["offer_id"]),
                    "order_line_amount": sum((one["amount"] for one in amounts), NIL),
                    "order_line_id": line["order_line_id"],
                    "order_line_quantity": line["quantity"],
                    "refunds": {"refund": amounts},
                }
            )
    if not lines:
        return []
    amount = sum((line["order_line_amount"] for line in lines), NIL)
    more = {"amount": amount, "order_lines": {"order_line": lines}, "payment_workflow": workflow(record)}
    return [_head_of_payment(shop, record) | more]


def refund_amount(part: Record, mode: str | None) -> Decimal:
    """What a refund or cancelation takes off the customer's bill: goods, shipping, fees, and taxes that are on top."""
    amount = money(part.get("amount")) + money(part.get("shipping_amount"))
    taxes = [*(part.get("taxes") or ()), *(part.get("shipping_taxes") or ())]
    if mode == "TAX_EXCLUDED":
        amount += sum((money(tax.get("amount")) for tax in taxes), NIL)
    return amount + sum((money(fee.get("amount")) for fee in part.get("fees") or ()), NIL)
