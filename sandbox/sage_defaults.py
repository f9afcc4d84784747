"""What a Sage 200 company is set to where its generated world does not say: settings, control accounts, the meaning of
analysis codes.
"""

from typing import Any

_CREATED = {"date_time_created": "2026-01-05T08:14:02.51Z", "date_time_updated": "2026-01-05T08:14:02.51Z"}
_CONTROLS = (
    ("Debtors Control", "1100", "DefaultDebtors"),
    ("Default Tax Output", "2200", "DefaultTaxOutput"),
    ("Default Tax Input", "2201", "DefaultTaxInput"),
)
_LABELS = (
    ("SOPOrderReturn", "Sales Order", "Marketplace", 1),
    ("SOPOrderReturnLine", "Sales Order Line", "Marketplace order line", 1),
)

DEFAULTS: dict[str, list[dict[str, Any]]] = {
    "stock_settings": [
        {
            "id": 1,
            "use_multiple_locations": True,
            "integrate_stock_management_with_nominal": True,
            "generate_cos_for_sop": True,
            "allow_fulfilment_from_stock": True,
            **_CREATED,
        }
    ],
    "sales_ledger_settings": [
        {
            "id": 1,
            "auto_generate_account_numbers": False,
            "keep_transactions_for": 0,
            "archive_transaction_after_keeping": False,
            "allow_additional_trans_analysis": False,
            "default_tax_code_id": 0,
            **_CREATED,
        }
    ],
    "nominal_ledger_settings": [
        {"id": 1, "keep_nominal_transactions": True, "months_to_keep_transactions": 0, **_CREATED}
    ],
    "cash_book_settings": [{"id": 1, "default_bank_account_id": 0}],
    "control_nominal_codes": [
        {
            "id": number,
            "name": name,
            "account_number": account,
            "nominal_reporting_type": "NominalReportingTypeBalanceSheet",
            "control_nominal_code_type": kind,
            **_CREATED,
        }
        for number, (name, account, kind) in enumerate(_CONTROLS, start=1)
    ],
    "analysis_code_mappings": [
        {
            "id": number,
            "class_name": class_name,
            "friendly_class_name": friendly,
            "property_name": f"analysis_code_{slot}",
            "friendly_property_name": label,
            "is_mandatory": False,
            "is_read_only": False,
            "slot": slot,
            "analysis_code": {"name": label, "allow_overtype": True, "allow_new_on_entry": True},
            **_CREATED,
        }
        for number, (class_name, friendly, label, slot) in enumerate(_LABELS, start=1)
    ],
}
