"""Raw tables of what a marketplace has set up: accounts and shops (A01, A21, S20), the platform (PC01) and its lists of
codes.
"""

from __future__ import annotations

from connectors.columns import amount, flag, key, stamp, text
from connectors.mirakl.tables.orders import TAX_MODES
from connectors.mirakl.tables.values import joined
from connectors.records import Source, TableSpec

SHOP_STATES = frozenset({"OPEN", "CLOSE", "SUSPENDED", "TERMINATED"})
SUSPENSIONS = frozenset({"MANUAL", "PENDING_APPROVAL", "INCOMPLETE_PROFILE", "AUTOMATIC_SUSPENSION"})
SHOP_MODELS = frozenset({"MARKETPLACE", "DROPSHIP", "ONE_CREDITOR"})
KYC_STATES = frozenset({"PENDING_SUBMISSION", "PENDING_APPROVAL", "REFUSED", "APPROVED", "NOT_REQUIRED"})

REASON_TYPES = frozenset(
    [
        "INCIDENT_OPEN",
        "INCIDENT_CLOSE",
        "REFUND",
        "CANCELATION",
        "ORDER_MESSAGING",
        "OFFER_MESSAGING",
        "MMP_SELLER_MESSAGING",
        "RETURN",
        "RETURN_REJECTION",
        "RETURN_NON_COMPLIANT",
        "MPS_INCIDENT_OPEN",
        "MPS_INCIDENT_CLOSE",
        "MPS_REFUND",
        "MPS_ORDER_MESSAGING",
        "MPS_OFFER_MESSAGING",
        "MPS_SELLER_MESSAGING",
        "MESSAGING",
    ]
)
FIELD_TYPES = frozenset(
    ["STRING", "DATE", "NUMERIC", "BOOLEAN", "LINK", "REGEX", "TEXTAREA", "LIST", "MULTIPLE_VALUES_LIST"]
)

ACCOUNT = TableSpec(
    "mirakl_account",
    (
        key("shop_id"),
        text("shop_name"),
        text("currency_iso_code"),
        text("shop_state", known=SHOP_STATES),
        text("suspension_type", known=SUSPENSIONS),
        text("model", known=SHOP_MODELS),
        amount("paid_balance", "payment_details.paid_balance"),
        amount("payable_balance", "payment_details.payable_balance"),
        amount("pending_balance", "payment_details.pending_balance"),
        amount("reserve_balance", "payment_details.reserve_balance"),
    ),
)

PLATFORM = TableSpec(
    "mirakl_platform",
    (
        text("order_tax_mode", "features.order_tax_mode", known=TAX_MODES),
        flag("payment_confirmation", "features.payment_confirmation"),
        flag("multi_shipment", "features.shipment.multi_shipment"),
        flag("disable_seller_alternative_carrier", "features.disable_seller_alternative_carrier"),
        flag("tax_collection_by_operator", "features.tax_collection.tax_collection_by_operator"),
        text("offer_prices_decimals", "features.offer_prices_decimals"),
        text("operator_csv_delimiter", "features.operator_csv_delimiter", known={"COMMA", "SEMICOLON"}),
        text(
            "order_acceptance",
            "features.order_workflows.order_acceptance",
            known={"AUTOMATIC", "NOT_AUTOMATIC", "BOTH"},
        ),
        text("time_zone", "timezone"),
    ),
)

CARRIERS = TableSpec(
    "mirakl_carriers",
    (key("code"), text("label"), text("standard_code"), text("tracking_url")),
)

SHOPS = TableSpec(
    "mirakl_shops",
    (
        key("shop_id"),
        text("shop_name"),
        text("operator_internal_id"),
        text("currency_iso_code"),
        text("shop_state", known=SHOP_STATES),
        text("suspension_type", known=SUSPENSIONS),
        text("model", known=SHOP_MODELS),
        text("domains", via=joined),
        text("channels", via=joined),
        flag("is_professional"),
        stamp("date_created"),
        stamp("last_updated_date"),
        text("kyc_status", "kyc.status", known=KYC_STATES),
        flag("payment_blocked", "payment_details.payment_blocked"),
        flag("pay_subscription", "payment_details.pay_subscription"),
        stamp("subscription_free_from", "payment_details.subscription_free_from"),
        stamp("subscription_free_to", "payment_details.subscription_free_to"),
        amount("paid_balance", "payment_details.paid_balance"),
        amount("payable_balance", "payment_details.payable_balance"),
        amount("pending_balance", "payment_details.pending_balance"),
        amount("reserve_balance", "payment_details.reserve_balance"),
        text("corporate_name", "pro_details.corporate_name"),
        text("tax_number", "pro_details.tax_identification_number"),
    ),
)

ACCOUNT_STATISTICS = TableSpec(
    "mirakl_account_statistics",
    (key("shop_id", required=False), text("channel"), stamp("last_updated_date")),
)

STATISTICS = (
    "approval_delay",
    "approval_rate",
    "auto_refused_rate",
    "average_cart",
    "average_cart_with_shipping",
    "cancelation_rate",
    "consecutive_refused_orders_count",
    "evaluations_count",
    "grade",
    "incident_rate",
    "late_shipment_rate",
    "offers_count",
    "order_messages_response_delay",
    "orders_count",
    "refund_rate",
    "return_rate",
    "shipping_delay",
    "total_revenue",
    "valid_tracking_rate",
)

ACCOUNT_STATISTIC_VALUES = TableSpec(
    "mirakl_account_statistic_values",
    (
        key("shop_id", "/shop_id", required=False),
        text("name", required=True),
        text(
            "period",
            known={"ALL_SINCE_BEGINNING", "LAST_MONTH", "LAST_THREE_MONTHS", "LAST_SIX_MONTHS", "LAST_YEAR"},
        ),
        amount("value"),
    ),
    ACCOUNT_STATISTICS.name,
    tuple(Source(name, {"name": name}) for name in STATISTICS),
)

CURRENCIES = TableSpec(
    "mirakl_currencies", (key("code"), text("label"), flag("is_platform_default", "platform_default"))
)

CHANNELS = TableSpec("mirakl_channels", (key("code"), text("label")))

OFFER_CONDITIONS = TableSpec("mirakl_offer_conditions", (key("code"), text("label"), flag("active")))

REASONS = TableSpec(
    "mirakl_reasons",
    (key("code"), text("type", required=True, known=REASON_TYPES), text("label"), flag("is_shop_right")),
)

SHIPPING_ZONES = TableSpec("mirakl_shipping_zones", (key("code"), text("label")))

SHIPPING_METHODS = TableSpec(
    "mirakl_shipping_methods",
    (
        key("code"),
        text("label"),
        text("standard_code"),
        flag("mandatory_tracking"),
        flag("delivery_by_operator"),
        flag("click_and_collect"),
        flag("ignore_lead_time_to_ship"),
    ),
)

CUSTOM_FIELDS = TableSpec(
    "mirakl_custom_fields",
    (
        key("code"),
        text("entity", known={"SHOP", "OFFER", "ORDER_LINE", "ORDER"}),
        text("type", known=FIELD_TYPES),
        text("label"),
        flag("is_required", "required"),
        flag("is_editable", "editable"),
        text("accepted_values", via=joined),
    ),
)
