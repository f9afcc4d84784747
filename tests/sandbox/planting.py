"""Orders, platforms and clocks that a test wishes for, in a sandbox that is running."""

import copy
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
from conftest import SHOP, Served

from sandbox import jsonio
from sandbox.clock import milliseconds, stamp
from sandbox.mirakl_shop import MiraklShop
from sandbox.world import DEFAULT_AS_OF

ORDER = "TEST-77-A"


def shop_of(served: Served) -> MiraklShop:
    return served.store.accounts["BRICO"].shops[SHOP]


def plant(
    served: Served,
    order_id: str = ORDER,
    *,
    lines: tuple[tuple[int, str, str], ...] = ((3, "30.00", "5.01"),),
    **changes: Any,
) -> str:
    """An order that waits for acceptance; `lines` are (quantity, price, shipping). Commission is 10 %, its tax 20 %."""
    shop = shop_of(served)
    record = copy.deepcopy(next(o for o in shop.orders.values() if o.state == "WAITING_ACCEPTANCE").record())
    template = record["order_lines"][0]
    record["order_lines"] = []
    for index, (quantity, price, shipping) in enumerate(lines, start=1):
        goods, sent = Decimal(price), Decimal(shipping)
        commission = ((goods + sent) / 10).quantize(Decimal("0.01"))
        tax = (commission / 5).quantize(Decimal("0.01"))
        record["order_lines"].append(
            copy.deepcopy(template)
            | {
                "order_line_id": f"{order_id}-{index}",
                "order_line_index": index,
                "quantity": quantity,
                "price": goods,
                "price_unit": (goods / quantity).quantize(Decimal("0.01")),
                "shipping_price": sent,
                "total_price": goods + sent,
                "commission_fee": commission,
                "commission_taxes": [{"code": "TAXDEFAULT", "rate": Decimal("20.00"), "amount": tax}],
                "total_commission": commission + tax,
                "taxes": [],
                "shipping_taxes": [],
            }
        )
    now = stamp(DEFAULT_AS_OF)
    record |= {"order_id": order_id, "commercial_id": order_id[:-2], "created_date": now, "last_updated_date": now}
    shop.put_order(record | changes)
    return order_id


def tax_line(served: Served, order_id: str, index: int, **parts: Any) -> None:
    """Changes one line of a planted order, such as its taxes."""
    record = shop_of(served).orders[order_id].record()
    record["order_lines"][index] |= parts
    shop_of(served).put_order(record)


def set_features(served: Served, **features: Any) -> None:
    """Changes PC01's features on this sandbox alone: the world's own are shared."""
    shop = shop_of(served)
    shop.platform = copy.deepcopy(shop.platform)
    shop.platform["features"] |= features


def pass_time(served: Served, **span: float) -> None:
    """Moves the clock to the world's `as_of` plus `span`."""
    at = DEFAULT_AS_OF + timedelta(**span)
    served.control().post("clock", json={"at": at.isoformat()}).raise_for_status()


def exact(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return jsonio.decode(answer.content)


def order(client: httpx.Client, order_id: str = ORDER) -> dict[str, Any]:
    (found,) = exact(client.get("orders", params={"order_ids": order_id}))["orders"]
    return found


def accept(client: httpx.Client, order_id: str = ORDER, refused: tuple[str, ...] = ()) -> None:
    lines = [line["order_line_id"] for line in order(client, order_id)["order_lines"]]
    body = {"order_lines": [{"id": line, "accepted": line not in refused} for line in lines]}
    assert client.put(f"orders/{order_id}/accept", json=body).status_code == 204


def all_lines(client: httpx.Client, **params: Any) -> list[dict[str, Any]]:
    """Transaction lines as they are now, oldest first; what a line once was is left out."""
    params = {"sort": "dateCreated,ASC", "limit": 2000} | params
    found: list[dict[str, Any]] = []
    while params:
        page = exact(client.get("sellerpayment/transactions_logs", params=params))
        found += page["data"]
        token = page.get("next_page_token")
        params = {"page_token": token} if token else {}
    newest: dict[str, int] = {}
    for line in found:
        newest[line["id"]] = max(newest.get(line["id"], 0), milliseconds(line["last_updated"]))
    return [line for line in found if milliseconds(line["last_updated"]) == newest[line["id"]]]


def sums(lines: list[dict[str, Any]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for line in lines:
        found[line["type"]] = found.get(line["type"], Decimal(0)) + line["amount"]
    return found


def confirm_debits(operator: httpx.Client, order_id: str = ORDER) -> list[dict[str, Any]]:
    """The operator's payment system: reads PA11, confirms what it lists of the order by PA01."""
    rows = exact(operator.get("payment/debit", params={"max": 100}))["orders"]["order"]
    due = [row for row in rows if row["order_id"] == order_id]
    names = ("order_id", "customer_id", "amount", "currency_iso_code", "debit_entity")
    body = {"orders": [{name: row[name] for name in names} | {"payment_status": "OK"} for row in due]}
    answer = operator.put("payment/debit", content=jsonio.encode(body))
    assert answer.status_code == 204, answer.text
    return due


def ship(client: httpx.Client, order_id: str = ORDER) -> None:
    assert client.put(f"orders/{order_id}/ship").status_code == 204
