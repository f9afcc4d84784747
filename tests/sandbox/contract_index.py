"""Derives the index `sandbox/sage200_contract.json` from Sage's published OpenAPI documents.

The sandbox must run on a clone without the vendors' specifications, so it carries the names, types and lengths it
serves and accepts. A test derives them afresh and compares, so the index cannot drift from the publication.
Rewrite it with `python tests/sandbox/contract_index.py <contracts folder>`.
"""

import json
import sys
from pathlib import Path
from typing import Any

RESOURCES = {
    "sop": {
        "sop_orders": "sop_order",
        "sop_order_lines": "sop_order_line",
        "sop_settings": "sop_settings",
        "sop_additional_charges": "sop_additional_charge",
        "sop_cancelled_lines": "sop_cancelled_line",
        "current_user_sop_user_permissions": "sop_user_permission",
        "sop_order_despatch_line_views": "sop_order_despatch_line_view",
        "sop_despatch_receipts": "sop_despatch_receipt",
        "sop_order_return_invoice_credit_views": "sop_order_return_invoice_credit_view",
        "sop_return_line_views": "sop_return_line_view",
    },
    "stock": {
        "products": "product",
        "product_groups": "product_group",
        "warehouses": "warehouse",
        "warehouse_holdings": "warehouse_holding",
        "stock_settings": "stock_settings",
        "product_transaction_views": "product_transaction_view",
    },
    "sales": {
        "customers": "customer",
        "sales_posted_transactions": "sales_posted_transaction",
        "sales_historical_transactions": "sales_historical_transaction",
        "sales_ledger_settings": "sales_ledger_settings",
        "customer_sop_invoice_credit_line_views": "customer_sop_invoice_credit_line_view",
    },
    "cash-book": {
        "banks": "bank",
        "bank_posted_transactions": "bank_posted_transaction",
        "cash_book_settings": "cash_book_settings",
    },
    "purchases": {
        "suppliers": "supplier",
        "purchase_posted_transactions": "purchase_posted_transaction",
    },
    "nominal": {
        "nominal_codes": "nominal_code",
        "nominal_transaction_enquiry_views": "nominal_transaction_enquiry_view",
        "nominal_ledger_settings": "nominal_ledger_settings",
        "nominal_period_value_views": "nominal_period_value_view",
        "cost_centres": "cost_centre",
        "departments": "department",
        "control_nominal_codes": "control_nominal_code",
        "nominal_transaction_analysis_codes": "nominal_transaction_analysis_code",
    },
    "financials": {
        "tax_codes": "tax_code",
        "currencies": "currency",
        "financial_year_period_views": "financial_year_period_view",
    },
    "price-book": {"price_bands": "price_band", "product_price_views": "product_price_view"},
    "general": {
        "sites": "site",
        "licence": "licence",
        "system_settings": "system_settings",
        "analysis_code_mappings": "analysis_code_mapping",
    },
}
BODIES = {
    "sales": {
        "sales_receipts": "sales_receipt",
        "sales_payments": "sales_payment",
        "sales_invoices": "sales_invoice",
        "sales_credit_notes": "sales_credit_note",
        "sales_allocations": "sales_allocation",
        "customers": "customer",
    },
    "purchases": {"purchase_invoices": "purchase_invoice"},
    "sop": {"sop_orders": "sop_order"},
    "general": {"transaction_date_validation": "transaction_date_validation_request"},
    "cash-book": {
        "bank_payment": "bank_payment",
        "bank_receipt": "bank_receipt",
        "bank_transfer": "bank_transfer",
    },
}
# What these require depends on the kind of line, on the edition and on the settings: the published lists are unions.
REQUIRED_IN_SOME_CASES = frozenset({"customers", "sop_orders"})
# The lengths published for enumerations are shorter than their values (contracts/sage200/SOURCES.md).
ENUMERATIONS = ("_type", "_basis", "_method")
# Captured answers carry these although the publication lacks them (contracts/sage200/SOURCES.md).
OBSERVED = {
    "sites": {"tenant_id": "integer"},
    "sales_posted_transactions": {"base_outstanding_value": "number"},
}


def _scalar(schema: dict[str, Any]) -> str | None:
    kind = schema.get("type")
    if kind in ("object", "array") or "$ref" in schema or kind is None:
        return None
    return "date" if schema.get("format") == "date-time" else str(kind)


def _resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def _scalars(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, str]:
    properties = _resolve(document, schema).get("properties", {})
    return {name: kind for name, part in properties.items() if (kind := _scalar(part))}


def _professional(schema: dict[str, Any]) -> set[str]:
    """What the edition Standard lacks."""
    return {name for name, part in schema.get("properties", {}).items() if part.get("x-sage-professional-only")}


def _body(document: dict[str, Any], schema: dict[str, Any], *, is_required: bool = True) -> dict[str, Any]:
    schema = _resolve(document, schema)
    required = set(schema.get("required", ())) if is_required else set()
    fields: dict[str, Any] = {}
    for name, part in schema["properties"].items():
        if part.get("readOnly"):
            continue
        entry: dict[str, Any] = {"type": _scalar(part) or part.get("type", "object")}
        if "maxLength" in part and not name.endswith(ENUMERATIONS):
            entry["max"] = part["maxLength"]
        if str(part.get("format", "")).startswith("decimal"):
            entry["places"] = int(part["format"].split()[1].removesuffix("dp"))
        if name in required:
            entry["required"] = True
        if part.get("type") == "array":
            entry["items"] = _body(document, part["items"], is_required=is_required)
        elif part.get("type") == "object":
            entry["fields"] = _body(document, part, is_required=is_required)
        fields[name] = entry
    return fields


def derive(contracts: Path) -> dict[str, Any]:
    """The index of every resource read and every body posted, from `<contracts>/sage200/openapi/*.json`."""
    index: dict[str, Any] = {"resources": {}, "bodies": {}}
    for module in sorted({*RESOURCES, *BODIES}):
        document = json.loads((contracts / "sage200" / "openapi" / f"{module}.json").read_text())
        schemas = document["components"]["schemas"]
        for resource, name in RESOURCES.get(module, {}).items():
            children = {
                part_name: {
                    "many": part.get("type") == "array",
                    "fields": _scalars(document, part["items"] if part.get("type") == "array" else part),
                }
                for part_name, part in schemas[name]["properties"].items()
                if _scalar(part) is None
            }
            fields = _scalars(document, schemas[name]) | OBSERVED.get(resource, {})
            index["resources"][resource] = {"fields": fields, "children": children}
            professional = sorted(_professional(schemas[name]))
            if professional:
                index["resources"][resource]["professional"] = professional
        for resource, name in BODIES.get(module, {}).items():
            is_required = resource not in REQUIRED_IN_SOME_CASES
            index["bodies"][resource] = _body(document, schemas[name], is_required=is_required)
    return index


if __name__ == "__main__":
    target = Path(__file__).resolve().parents[2] / "sandbox" / "sage200_contract.json"
    target.write_text(json.dumps(derive(Path(sys.argv[1])), indent=1, sort_keys=True) + "\n")
