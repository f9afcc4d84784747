"""The calls that the sandbox serves and the connector has no use for, made once each."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx

from sandbox.credentials import mirakl_secret
from tests.contracts.serving import SEED, Served
from tests.contracts.writing import Shop


def ask_as_seller(client: httpx.Client, served: Served, shop: Shop, marketplace: str) -> None:
    """Documents, returns, incidents, and imports whose files are partly wrong."""
    _ask_as_anybody(client, shop.order("SHIPPED")["order_id"])
    waiting = [one["id"] for one in shop.get("/returns", limit=100)["data"] if one["state"] == "WAITING_ACCEPTANCE"]
    _put(
        client, "/returns/accept", {"returns": [{"id": waiting[0], "accepted": True}, {"id": "none", "accepted": True}]}
    )
    _put(client, "/returns/receive", {"returns": [{"id": waiting[0]}, {"id": "none"}]})
    _put(client, "/returns/close", {"returns": [{"id": waiting[0]}, {"id": "none"}]})

    order = shop.order("RECEIVED")
    line = f"/orders/{order['order_id']}/lines/{order['order_lines'][0]['order_line_id']}"
    _put(_operator(served, marketplace), f"{line}/open_incident", {"reason_code": shop.reason("INCIDENT_OPEN", None)})
    _put(client, f"{line}/resolve_incident", {"reason_code": shop.reason("INCIDENT_CLOSE")})

    offers = b"sku;update-delete\nNO-SUCH-SKU;delete\n"
    _import(client, "/offers/imports", offers, "/offers/imports/{}", {"import_mode": "NORMAL"})
    _import(client, "/offers/pricing/imports", b"offer-sku;price\nNO-SUCH-SKU;1.00\n", "/offers/pricing/imports", {})
    client.get("/offers/imports").raise_for_status()


def ask_as_operator(client: httpx.Client) -> None:
    """Documents, and what an operator's payment system confirms."""
    _ask_as_anybody(
        client, client.get("/orders", params={"order_state_codes": "SHIPPED"}).json()["orders"][0]["order_id"]
    )
    client.get("/products", params={"product_references": "EAN|4006381333931"}).raise_for_status()
    debit = _exact(client.get("/payment/debit"))["orders"]["order"][0]
    paid = {name: debit[name] for name in ("order_id", "customer_id", "amount", "currency_iso_code")}
    _put(client, "/payment/debit", {"orders": [{**paid, "payment_status": "OK"}]})
    refunded = _exact(client.get("/payment/refund"))["orders"]["order"][0]
    refund = refunded["order_lines"]["order_line"][0]["refunds"]["refund"][0]
    given = {"refund_id": refund["id"], "amount": refund["amount"], "currency_iso_code": refunded["currency_iso_code"]}
    _put(client, "/payment/refund", {"refunds": [{**given, "payment_status": "OK"}]})
    unpaid = client.get("/seller-billing-cycles", params={"pay_out_state": "TO_PAY", "limit": 100})
    cycle = _exact(unpaid)["data"][0]
    paid_out = {name: cycle[name] for name in ("id", "amount_transferred_to_seller", "currency_iso_code")}
    day = {"state": "PAID", "transaction_date": cycle["date_created"]}
    _put(client, "/seller-billing-cycles", {"seller_billing_cycles": [{**paid_out, **day}]})


def _ask_as_anybody(client: httpx.Client, order_id: str) -> None:
    client.get("/version").raise_for_status()
    client.get("/returns/items_to_return").raise_for_status()
    client.get("/orders/documents/download", params={"order_ids": order_id})


def _import(client: httpx.Client, path: str, content: bytes, status: str, form: dict[str, str]) -> None:
    """One file with a wrong line: send it, ask for its status until it has ended, fetch its report."""
    started = client.post(path, files={"file": ("file.csv", content, "text/csv")}, data=form).raise_for_status()
    number = started.json()["import_id"]
    for _ in range(50):
        answer = client.get(status.format(number), params={} if "{}" in status else {"import_id": number}).json()
        state = answer.get("status") or answer["data"][0]["status"]
        if state == "COMPLETE":
            client.get(f"{path}/{number}/error_report").raise_for_status()
            return
    raise AssertionError(f"import {number} of {path} does not end")


def _operator(served: Served, marketplace: str) -> httpx.Client:
    """The operator of a seller's marketplace, not recorded."""
    return httpx.Client(
        base_url=f"{served.url}/mirakl/{marketplace}/api",
        headers={"Authorization": mirakl_secret(SEED, marketplace, "operator")},
        trust_env=False,
    )


def _put(client: httpx.Client, path: str, body: Any) -> None:
    content = json.dumps(body, default=_number).replace('"@', "").replace('@"', "")
    client.put(path, content=content, headers={"Content-Type": "application/json"}).raise_for_status()


def _number(value: Any) -> str:
    """A decimal between two @, which become nothing: JSON's own numbers would go through a float."""
    assert isinstance(value, Decimal)
    return f"@{value}@"


def _exact(response: httpx.Response) -> Any:
    return response.raise_for_status().json(parse_float=Decimal)
