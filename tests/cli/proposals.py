"""Proposals as the act models write them."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from orchestration.outbox import PROPOSAL_COLUMNS

from .marts import RECEIPT_KEY, SETTLEMENT_KEY


def proposal(kind: str, natural_id: str, **more: Any) -> dict[str, Any]:
    vendor, account = ("sage200", "SAGE_UK") if kind == "JOURNAL" else ("mirakl", "BRICO")
    return {
        "action_key": f"{kind}|BRICO|{natural_id}|1",
        "kind": kind,
        "vendor": vendor,
        "account": account,
        "marketplace_code": "BRICO",
        "entity_code": "UKTRADE",
        "natural_id": natural_id,
        "version": 1,
        "reason": "the cycle is settled",
        **more,
    }


def proposals() -> pa.Table:
    rows = [
        proposal(
            "JOURNAL",
            SETTLEMENT_KEY,
            wire_key="TO1111111111111111",
            amount="155.00",
            currency_code="GBP",
            payload=json.dumps({"lines": []}),
        ),
        proposal(
            "JOURNAL",
            RECEIPT_KEY,
            wire_key="TO2222222222222222",
            amount="79.10",
            currency_code="GBP",
            payload=json.dumps({"lines": [1]}),
        ),
        proposal("STOCK", "DRILL-1", payload=json.dumps({"shop_sku": "DRILL-1", "quantity": 4})),
    ]
    schema = pa.schema([(name, pa.int64() if name == "version" else pa.string()) for name in PROPOSAL_COLUMNS])
    return pa.Table.from_pylist(rows, schema=schema)
