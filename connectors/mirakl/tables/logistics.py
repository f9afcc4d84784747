"""Raw tables of shipments (ST11), items to ship (ST12), returns (RT11), order documents (OR72) and conversations (M11).

Addresses, names, descriptions, file names and message texts stay in the evidence. Quantities are whole units.
"""

from __future__ import annotations

import msgspec

from connectors.columns import amount, flag, key, stamp, text
from connectors.records import Source, TableSpec

RETURN_STATES = frozenset(
    ["WAITING_ACCEPTANCE", "IN_PROGRESS", "REFUSED", "RECEIVED", "NO_RECEPTION", "CLOSED", "CANCELED"]
)
SHIPMENT_STATES = frozenset(
    [
        "SHIPPING",
        "READY_FOR_PICK_UP",
        "SHIPMENT_PREPARED",
        "SHIPPED",
        "TO_COLLECT",
        "RECEIVED",
        "CANCELED",
        "CLOSED",
    ]
)
DEBIT_STATES = frozenset(
    [
        "NO_DEBIT",
        "NOT_STARTED",
        "WAITING_TAX_CONFIRMATION",
        "WAITING_OPERATOR_SYSTEM_CONTACT",
        "WAITING_DEBIT_CONFIRMATION",
        "DEBIT_OK",
        "CANCELED",
    ]
)
TRACKING_STATES = frozenset(["MISSING_TRACKING", "UNVERIFIED", "UNCOVERED", "INVALID", "VERIFIED"])


class _Compliance(msgspec.Struct):
    compliant: bool | None = None


def is_compliant(compliance: bytes) -> str | None:
    """`false` when something of the returned goods was found wrong, `true` when all was right, None before that."""
    decoded = msgspec.json.decode(compliance, type=list[_Compliance] | None)
    verdicts = [c.compliant for c in decoded or () if c.compliant is not None]
    if not verdicts:
        return None
    return "true" if all(verdicts) else "false"


SHIPMENTS = TableSpec(
    "mirakl_shipments",
    (
        key("id"),
        key("order_id", required=False),
        key("shop_id", ("shop_id", "shop.id"), required=False),
        text("status", known=SHIPMENT_STATES),
        text("status_customer_debit", known=DEBIT_STATES),
        stamp("created_date"),
        stamp("last_updated_date"),
        stamp("shipped_date"),
        text("invoice_reference"),
        text("carrier_code", "tracking.carrier_code"),
        text("carrier_standard_code", "tracking.carrier_standard_code"),
        text("carrier_name", "tracking.carrier_name"),
        text("tracking_number", "tracking.tracking_number"),
        text("tracking_validity_status", "tracking.validity_status", known=TRACKING_STATES),
        stamp("customer_debited_date", "payment_details.customer_debited_date"),
        stamp("transaction_date", "payment_details.transaction_date"),
        text("transaction_number", "payment_details.transaction_number"),
    ),
)

SHIPMENT_LINES = TableSpec(
    "mirakl_shipment_lines",
    (
        key("shipment_id", "/id"),
        key("order_line_id", required=False),
        text("offer_sku"),
        text("package_reference"),
        amount("quantity", required=True),
    ),
    SHIPMENTS.name,
    (Source("shipment_lines"),),
)

ITEMS_TO_SHIP = TableSpec(
    "mirakl_items_to_ship",
    (
        key("order_id"),
        key("shop_id", ("shop_id", "shop.id"), required=False),
        stamp("shipping_date"),
        stamp("shipping_deadline"),
        text("shipping_type_code"),
        text("fulfillment_center_code", "fulfillment.center.code"),
        text("order_reference_for_seller", "references.order_reference_for_seller"),
        text("ship_to_country", ("shipping_address.country_iso_code", "shipping_address.country")),
    ),
)

ITEMS_TO_SHIP_LINES = TableSpec(
    "mirakl_items_to_ship_lines",
    (
        key("order_id", "/order_id"),
        key("order_line_id", required=False),
        text("offer_sku"),
        text("package_reference"),
        amount("quantity", required=True),
    ),
    ITEMS_TO_SHIP.name,
    (Source("shipment_lines"),),
)

RETURNS = TableSpec(
    "mirakl_returns",
    (
        key("id"),
        text("state", known=RETURN_STATES),
        text("rma"),
        key("order_id", required=False),
        key("commercial_id", "order_commercial_id", required=False),
        key("shop_id", ("shop_id", "shop.id"), required=False),
        text("reason_code"),
        text("rejection_reason_code"),
        text("method_code"),
        stamp("date_created"),
        stamp("last_updated"),
        # The published example spells two members in another way than the schema.
        text("carrier_code", ("tracking.carrier_code", "tracking.carrierCode")),
        text("carrier_name", ("tracking.carrier_name", "tracking.carrierName")),
        text("tracking_number", "tracking.tracking_number"),
    ),
)

RETURN_LINES = TableSpec(
    "mirakl_return_lines",
    (
        key("return_id", "/id"),
        key("order_line_id"),
        amount("quantity", required=True),
        text("reason_code"),
        flag("is_compliant", "compliance", via=is_compliant),
    ),
    RETURNS.name,
    (Source("return_lines"),),
)

ORDER_DOCUMENTS = TableSpec(
    "mirakl_order_documents",
    (
        key("id"),
        key("order_id"),
        text("type"),
        amount("file_size"),
        stamp("date_uploaded"),
    ),
)

THREADS = TableSpec(
    "mirakl_threads",
    (
        key("id"),
        stamp("date_created"),
        stamp("date_updated"),
        text("topic_type", "topic.type", known={"FREE_TEXT", "REASON_CODE"}),
        amount("message_count", "metadata.total_count"),
        stamp("last_message_date", "metadata.last_message_date"),
        text("last_sender_type", "metadata.last_sender.type", known={"OPERATOR_USER", "SHOP_USER", "CUSTOMER_USER"}),
        stamp("shop_reply_needed_since", "metadata.shop_reply_needed_since"),
    ),
)

THREAD_ENTITIES = TableSpec(
    "mirakl_thread_entities",
    (
        key("thread_id", "/id"),
        text(
            "entity_type",
            "type",
            known={"MMP_ORDER", "MMP_OFFER", "MPS_ORDER", "MPS_SERVICE", "SELLER_OPERATOR"},
        ),
        key("entity_id", "id"),
    ),
    THREADS.name,
    (Source("entities"),),
)
