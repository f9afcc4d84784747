"""Lists that an operator keeps and seldom changes: RE01, SH11, SH12, CUR01, CH11, OF61, AF01."""

from typing import Any


def _reason(type_: str, code: str, label: str, *, is_shop_right: bool = True) -> dict[str, Any]:
    return {"code": code, "is_shop_right": is_shop_right, "label": label, "type": type_}


def reasons() -> list[dict[str, Any]]:
    """RE01. Codes are the operator's own; a seller may use those with `is_shop_right`."""
    return [
        _reason("INCIDENT_OPEN", "1", "Item not received", is_shop_right=False),
        _reason("INCIDENT_OPEN", "2", "Item damaged", is_shop_right=False),
        _reason("INCIDENT_CLOSE", "10", "Replacement item received"),
        _reason("INCIDENT_CLOSE", "11", "Refunded"),
        _reason("REFUND", "14", "Item not as described"),
        _reason("REFUND", "15", "Out of stock"),
        _reason("REFUND", "18", "Item returned"),
        _reason("REFUND", "19", "Goodwill"),
        _reason("REFUND", "20", "Refund ordered by the operator", is_shop_right=False),
        _reason("CANCELATION", "OUT_OF_STOCK", "Out of stock"),
        _reason("CANCELATION", "CHANGED_MIND", "Cancelled by the customer before dispatch"),
        _reason("ORDER_MESSAGING", "26", "Question about delivery"),
        _reason("ORDER_MESSAGING", "27", "Other question"),
        _reason("OFFER_MESSAGING", "33", "Other question"),
        _reason("MMP_SELLER_MESSAGING", "SELLER_ACCOUNTING", "Accounting"),
        _reason("RETURN", "RETURN_CHANGED_MIND", "Changed mind", is_shop_right=False),
        _reason("RETURN", "RETURN_BROKEN_ITEM", "Arrived broken", is_shop_right=False),
        _reason("RETURN_REJECTION", "RETURN_REJECTION_NOT_ELIGIBLE", "Not eligible for a return"),
        _reason("RETURN_NON_COMPLIANT", "RETURN_NON_COMPLIANT_MISSING_ITEM", "Parts are missing"),
    ]


def shipping_zones() -> list[dict[str, Any]]:
    return [
        {"code": "GB1", "description": "England, Scotland, Wales", "label": "Great Britain"},
        {"code": "GB2", "description": "Northern Ireland and islands", "label": "Northern Ireland"},
    ]


def shipping_methods() -> list[dict[str, Any]]:
    """SH12."""
    return [
        {
            "click_and_collect": False,
            "code": "STD",
            "delivery_by_operator": False,
            "description": "Three to five days",
            "ignore_lead_time_to_ship": False,
            "label": "Standard",
            "mandatory_tracking": False,
            "standard_code": "CU_ADD-STD",
        },
        {
            "click_and_collect": False,
            "code": "EXP",
            "delivery_by_operator": False,
            "description": "Next working day",
            "ignore_lead_time_to_ship": False,
            "label": "Express",
            "mandatory_tracking": True,
            "standard_code": "CU_ADD-EXP",
        },
    ]


def currencies() -> list[dict[str, Any]]:
    return [
        {"code": "GBP", "label": "Pound sterling", "platform_default": True},
        {"code": "EUR", "label": "Euro", "platform_default": False},
    ]


def channels() -> list[dict[str, Any]]:
    return [{"code": "WEB_GB", "description": "British web site", "label": "Web site"}]


def offer_conditions() -> list[dict[str, Any]]:
    """OF61: what `state_code` of an offer means."""
    return [
        {"code": "11", "label": "New"},
        {"code": "10", "label": "Refurbished"},
        {"code": "1", "label": "Used, as new"},
    ]


def custom_fields() -> list[dict[str, Any]]:
    """AF01."""
    return [
        {
            "code": "gift-message",
            "description": "Message that travels with the order",
            "editable": True,
            "entity": "ORDER_LINE",
            "label": "Gift message",
            "required": False,
            "type": "STRING",
        },
        {
            "code": "returns-desk",
            "description": "Where the shop takes returns",
            "editable": True,
            "entity": "SHOP",
            "label": "Returns desk",
            "required": False,
            "type": "STRING",
        },
        {
            "accepted_values": ["A", "B", "C"],
            "code": "energy-class",
            "description": "Energy class of the product",
            "editable": True,
            "entity": "OFFER",
            "label": "Energy class",
            "required": False,
            "type": "LIST",
        },
    ]
