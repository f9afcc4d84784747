"""What writes and time make at Mirakl, against the published specification: not only a generated world keeps to it."""

import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import Served
from planting import ORDER, accept, confirm_debits, exact, pass_time, plant, set_features, shop_of

from tests.contracts.deviations import documented, read
from tests.contracts.exchange import exchange_of
from tests.contracts.validation import mirakl_judge

pytestmark = pytest.mark.contracts
LINE = f"{ORDER}-1"


class Published:
    """Checks answers against the seller's document, as `make contract` does."""

    def __init__(self) -> None:
        self._judge = mirakl_judge("seller")
        self._documented = read()

    def check(self, code: str, answer: httpx.Response, status: int = 200) -> Any:
        exact(answer, status)
        prefix = answer.request.url.path.partition("/api/")[0]
        verdict = self._judge.judge(exchange_of("seller", prefix, answer.request, answer, is_provoking=True))
        found = {finding.deviation for finding in verdict.findings}
        assert verdict.call == code
        assert {one for one in found if documented(one, self._documented) is None} == set()
        assert answer.json()
        return answer.json()


@pytest.fixture
def published(contracts: Path) -> Published:
    return Published()


def ended(client: httpx.Client, path: str) -> httpx.Response:
    for _ in range(300):
        answer = client.get(path)
        if b'"COMPLETE"' in answer.content:
            return answer
        time.sleep(0.01)
    raise AssertionError(answer.text)


def test_orders_shipments_and_money_keep_the_published_schemas(fresh: Served, published: Published) -> None:
    set_features(fresh, shipment={"multi_shipment": True})
    plant(fresh)
    with fresh.mirakl() as client:
        accept(client)
        part = {"order_line_id": LINE, "amount": 10, "shipping_amount": 0, "quantity": 1, "reason_code": "OUT_OF_STOCK"}
        published.check("OR30", client.put("orders/cancel", json={"cancelations": [part]}))
        confirm_debits(fresh.mirakl("operator"))
        lines = [{"order_line_id": LINE, "quantity": 1}]
        tracking = {"carrier_code": "PPL", "tracking_number": "X1"}
        wanted = {"order_id": ORDER, "shipment_lines": lines, "shipped": True, "tracking": tracking}
        body = {"shipments": [wanted, wanted | {"order_id": "NOBODY"}]}
        published.check("ST01", client.post("shipments", json=body), 201)
        assert published.check("ST12", client.get("shipments/items_to_ship", params={"order_id": ORDER}))["data"]
        assert published.check("ST11", client.get("shipments"))["data"]
        again = {"shipments": [wanted | {"shipped": False}]}
        (open_id,) = [one["id"] for one in exact(client.post("shipments", json=again), 201)["shipment_success"]]
        ids = {"shipments": [{"id": open_id}, {"id": "nobody"}]}
        published.check("ST24", client.put("shipments/ship", json=ids))
        refund = {"order_line_id": LINE, "amount": "1.00", "shipping_amount": "0.50", "reason_code": "14"}
        published.check("OR28", client.put("orders/refund", json={"refunds": [refund]}))
        pass_time(fresh, days=20)
        newest = {"max": 100, "order": "desc"}
        found = published.check("OR11", client.get("orders", params=newest))["orders"]
        assert ORDER in {order["order_id"] for order in found}
        logs = client.get("sellerpayment/transactions_logs", params={"limit": 500})
        assert {"REFUND_COMMISSION_FEE", "PAYMENT"} <= {line["type"] for line in published.check("TL02", logs)["data"]}
        cycles = published.check("SBC11", client.get("seller-billing-cycles", params={"limit": 2}))["data"]
        assert cycles[0]["date_created"] > "2026-07-20"
        published.check("IV01", client.get("invoices", params=newest))


def test_imports_and_what_they_make_keep_the_published_schemas(fresh: Served, published: Published) -> None:
    fresh.settings(import_waiting_seconds=0.02, import_running_seconds=0.02)
    sku = next(iter(shop_of(fresh).offers))
    discount = {"price": 4, "start_date": "2026-07-01", "end_date": "2026-09-01T00:00:00Z"}
    listed = {"shop_sku": sku, "price": 5, "state_code": "11", "update_delete": "", "product_id": "1"}
    listed |= {"product_id_type": "SKU", "discount": discount, "quantity": 3}
    with fresh.mirakl() as client:
        made = published.check("OF24", client.post("offers", json={"offers": [listed]}), 201)
        published.check("OF02", ended(client, f"offers/imports/{made['import_id']}"))
        published.check("OF04", client.get("offers/imports"))
        content = f"offer-sku;price;discount-price;start-date;channels\n{sku};6;5;2026-07-01;WEB\n{sku};7;;;\n"
        files = {"file": ("prices.csv", content.encode(), "text/csv")}
        made = published.check("PRI01", client.post("offers/pricing/imports", files=files), 201)
        listing = ended(client, f"offers/pricing/imports?import_id={made['import_id']}")
        assert published.check("PRI02", listing)["data"][0]["offers_updated"] == 1
        (offer,) = published.check("OF21", client.get("offers", params={"sku": sku}))["offers"]
    assert len(offer["all_prices"]) == 2
