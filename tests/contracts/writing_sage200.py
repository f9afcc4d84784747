"""Every document that can be posted to Sage 200: by the connector's deliveries, and what it never posts by hand."""

from __future__ import annotations

from typing import Any

import httpx

from connectors.addresses import Destination
from connectors.delivery import Action, Outcome
from connectors.sage200 import Sage200Connector
from connectors.sage200.writes import deliveries
from tests.connectors_sage200.payloads import KINDS
from tests.contracts.serving import Served

DAY = "2026-06-21"
DESTINATION = Destination(addressee="A Person", street_1="1 High Street", city="York", postcode="YO1 1AA", country="GB")


def post_everything(connector: Sage200Connector, served: Served) -> None:
    """Post, look up and read back one action of each kind."""
    deliver = deliveries(connector, destinations_of=lambda shop, orders: dict.fromkeys(orders, DESTINATION))
    actions = [*journals(served), *documents(), *orders(served)]
    assert {action.kind for action in actions} == set(deliver), "every kind is posted"
    for action in actions:
        delivery = deliver[action.kind]
        delivery.preview([action])
        (result,) = delivery.send([action]).values()
        assert result.outcome is Outcome.SENT, result
        (proof,) = delivery.read_back([action]).values()
        assert proof.ok, proof
        assert delivery.look_up([action])[action.action_key]


def documents() -> list[Action]:
    """A customer, a document of every kind, and the allocation of the receipt to the invoice."""
    posted = [document(kind, f"TOCONTRACT{kind[:10]}", **payload) for kind, payload in KINDS.items()]
    keys = {action.kind: action.wire_key for action in posted}
    settled = [
        {"reference": keys["SALES_INVOICE"], "amount": "64.80", "outstanding_amount": "64.80"},
        {"reference": keys["SALES_RECEIPT"], "amount": "64.80", "outstanding_amount": "120.00"},
    ]
    header = {"customer_reference": "MKBRICO", "allocation_date": DAY}
    customer = {"reference": "CONTRACT", "name": "A new marketplace", "tax_code": "1", "main_address": {"city": "York"}}
    return [
        document("CUSTOMER", "CONTRACT", **customer),
        *posted,
        document("SALES_ALLOCATION", "TOCONTRACTALLOC", lines=settled, **header),
    ]


def orders(served: Served) -> list[Action]:
    """An order, and its amendment: a line changed, one added, one removed; and one more, addressed and cancelled."""
    company = served.store.company
    codes = [row["code"] for row in company["products"].rows if row.get("allow_sales_order", True)]
    first, second, third = [code for code in codes if codes.count(code) == 1][:3]
    carriage = {"line_type": "CHARGE", "charge_code": "CARRIAGE", "unit_price": "4.16", "tax_code": "1"}
    header = {
        "order_reference": "CONTRACT-1-A",
        "order_date": DAY,
        "customer_reference": "MKBRICO",
        "location_name": "MAIN",
        "shipping_address": {"addressee": "A Person", "street_1": "1 High Street", "city": "York"},
        "analysis_codes": {"1": "BRICO"},
    }

    def item(code: str, quantity: str) -> dict[str, Any]:
        return {"item_code": code, "quantity": quantity, "unit_price": "16.66667", "tax_code": "1"}

    comment = {"line_type": "COMMENT", "narrative": "A comment"}
    before, after = (
        [item(first, "2"), item(second, "1"), carriage, comment],
        [item(first, "1"), item(third, "1"), carriage],
    )
    other = {"order_reference": "CONTRACT-2-A", "customer_reference": "MKBRICO"}
    plain = {name: value for name, value in header.items() if name != "shipping_address"}
    return [
        document("SALES_ORDER", "TOCONTRACTORDER1", lines=before, **header),
        document("SALES_ORDER", "TOCONTRACTORDER2", lines=after, is_update=True, **header),
        document("SALES_ORDER", "TOCONTRACTORDER3", lines=after, **plain | other),
        document("ORDER_ADDRESS", "TOCONTRACTADDRESS", **other),
        document("ORDER_CANCELLATION", "TOCONTRACTCANCEL", narrative="Cancelled at the marketplace", **other),
    ]


def document(kind: str, wire_key: str, **payload: Any) -> Action:
    wire_key = wire_key[:20]
    payload = {"wire_key": wire_key, "currency_code": "GBP", **payload}
    return Action(f"{kind}|{wire_key}", wire_key, kind, "BRICO", "SAGE_UK", payload)


def post_by_hand(client: httpx.Client, served: Served) -> None:
    """What can be posted without the connector, and an order that is changed afterwards."""
    company = served.store.company
    customer = client.get("/customers", params={"$filter": "reference eq 'MKBRICO'"}).json()[0]
    product = next(row for row in company["products"].rows if row.get("allow_sales_order", True))
    tax = next(row for row in company["tax_codes"].rows if row["tax_rate"] == 20)
    common = {"transaction_date": f"{DAY}T00:00:00Z", "document_goods_value": 10.0, "document_tax_value": 2.0}
    analysis = {
        "tax_analysis_items": [{"id": tax["id"], "goods_amount": 10.0, "tax_amount": 2.0}],
        "nominal_analysis_items": [{"code": "4100", "narrative": "by hand", "value": 10.0}],
    }
    posted = {}
    for resource in ("sales_invoices", "sales_credit_notes"):
        body = {"customer_id": customer["id"], "reference": resource[:20], **common, **analysis}
        client.post(f"/{resource}", json=body).raise_for_status()
        found = {"$filter": f"reference eq '{resource[:20]}'"}
        posted[resource] = client.get("/sales_posted_transactions", params=found).json()[0]
    lines = [{"posted_tran_id": row["id"], "value_to_allocate": 12.0} for row in posted.values()]
    client.post(
        "/sales_allocations", json={"customer_id": customer["id"], "allocation_lines": lines}
    ).raise_for_status()
    supplier = {"supplier_id": company["suppliers"].rows[0]["id"], "reference": "BY HAND"}
    expense = {**analysis, "nominal_analysis_items": [{"code": "6100", "value": 10.0}]}
    client.post("/purchase_invoices", json={**supplier, **common, **expense}).raise_for_status()
    checked = {"date": f"{DAY}T00:00:00Z", "ledger_type": "LedgerSales"}
    client.post("/transaction_date_validation", json=checked).raise_for_status()
    client.post("/customers", json={"reference": "BYHAND", "name": "By hand"}).raise_for_status()
    line = {
        "line_type": "EnumLineTypeStandard",
        "product_id": product["id"],
        "warehouse_id": company["warehouses"].rows[0]["id"],
        "line_quantity": 2,
        "selling_unit_price": 16.66667,
        "tax_code_id": tax["id"],
    }
    order = {
        "customer_id": customer["id"],
        "customer_document_no": "BY HAND",
        "document_date": f"{DAY}T00:00:00Z",
        "use_invoice_address": False,
        "is_editing": False,
        "delivery_address": {"postal_name": "A Person", "address_1": "1 High Street", "city": "York"},
        "lines": [line],
    }
    made = client.post("/sop_orders", json=order).raise_for_status().json()
    changed = {"id": made["lines"][0]["id"], "line_type": line["line_type"], "line_quantity": 1}
    client.put(f"/sop_orders/{made['id']}", json={"lines": [changed]}).raise_for_status()


def journals(served: Served) -> list[Action]:
    """A settlement (receipt, refund, payment and bank receipt) and its transfer to the bank."""
    bank = next(row for row in served.store.company["banks"].rows if row["code"] != "MKBRICO")
    settlement = [
        line(1, "BANK", None, "881.00", bank_code="MKBRICO"),
        line(2, "NOMINAL", "6100", "100.00", tax_code="1"),
        line(3, "VAT", "2201", "20.00", tax_line_of=2, tax_code="1"),
        line(4, "NOMINAL", "6130", "-1.00"),
        line(5, "CUSTOMER", None, "-1100.00"),
        line(6, "CUSTOMER", None, "100.00"),
    ]
    receipt = [
        line(1, "BANK", None, "100.00", bank_code=bank["code"]),
        line(2, "BANK", None, "-100.00", bank_code="MKBRICO"),
    ]
    return [journal("TOCONTRACT1", settlement), journal("TOCONTRACT2", receipt)]


def line(number: int, kind: str, code: str | None, net: str, **more: Any) -> dict[str, Any]:
    """A journal line; `net` is debit less credit, in pounds."""
    sides = {"credit": net.removeprefix("-")} if net.startswith("-") else {"debit": net}
    return {"line_no": number, "account_role": kind, "account_type": kind, "account_code": code, **sides, **more}


def journal(wire_key: str, lines: list[dict[str, Any]]) -> Action:
    payload = {
        "journal_key": f"UKTRADE|BRICO|{wire_key}",
        "wire_key": wire_key,
        "kind": "SETTLEMENT",
        "posting_date": DAY,
        "currency_code": "GBP",
        "customer_reference": "MKBRICO",
        "clearing_bank_code": "MKBRICO",
        "lines": lines,
    }
    return Action(f"JOURNAL|{wire_key}", wire_key, "JOURNAL", "BRICO", "SAGE_UK", payload)
