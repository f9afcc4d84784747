"""Every body that a write can send, against the published specification: names, types, required members, limits."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from connectors.delivery import Request
from connectors.mirakl.writes import deliveries
from tests.connectors.mirakl_writes import Counted, Marketplace, Record, action, line, opened, order, reply
from tests.connectors.server import Reply
from tests.connectors.test_mirakl_writes_money import cancelation, part, refund
from tests.connectors.test_mirakl_writes_offers import offer, price, prices, update
from tests.connectors.test_mirakl_writes_orders import TWO, UPS, accept

pytestmark = pytest.mark.contracts

TAXES = [{"code": "VAT", "amount": "1.23"}]
EVERYTHING = part(quantity=1, taxes=TAXES, shipping_taxes=TAXES, fees=[{"code": "CARD_FEE", "amount": "0.25"}])
ANY = "[^/]+"
REST = {**EVERYTHING, "reason_code": 16, "amount": 5, "shipping_amount": 1, "excluded_from_shipment": True}
FREE = {"carrier_name": "Bob", "tracking_url": "https://bob.example.com", "carrier_standard_code": "BOB"}


def strict(schema: Any) -> Any:
    """The published schema, closed for members that it does not name. Null may stand where the prose says so."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    result = {
        name: {key: strict(one) for key, one in value.items()} if name == "properties" else strict(value)
        for name, value in schema.items()
        if name not in {"example", "examples", "discriminator"}
    }
    if isinstance(result.get("properties"), dict):
        result["additionalProperties"] = False
        if "channel_code" in result["properties"]:
            # OF24: "To set the default prices, set it to null."
            result["properties"]["channel_code"] = {"type": ["string", "null"]}
    return result


class Published:
    def __init__(self, document: dict[str, Any]) -> None:
        named = document["components"]["schemas"]
        schemas = {name: strict(one) for name, one in named.items()}
        for name, schema in schemas.items():
            if "discriminator" in named[name]:
                schema["additionalProperties"] = True  # its kinds add the members
        self._components = {"schemas": schemas}
        self._operations = {
            (method.upper(), re.sub(r"\{[^}]+\}", lambda _: ANY, path)): one
            for path, methods in document["paths"].items()
            for method, one in methods.items()
            if isinstance(one, dict) and "operationId" in one
        }

    def operation(self, request: Request) -> dict[str, Any]:
        path = request.url.split("://", 1)[1].partition("?")[0].partition("/")[2]
        found = {
            pattern: one
            for (method, pattern), one in self._operations.items()
            if method == request.method and re.fullmatch(pattern, f"/{path}")
        }
        assert found, f"{request.method} {path} is not published"
        return found[min(found, key=lambda pattern: pattern.count(ANY))]

    def complaints(self, request: Request) -> list[str]:
        operation = self.operation(request)
        content = (operation.get("requestBody") or {}).get("content", {})
        if "application/json" not in content:
            kind = request.headers.get("Content-Type", "")
            is_right = kind.startswith("multipart/form-data") if content else request.body == ""
            return [] if is_right else [f"{operation['operationId']}: body of type {kind or 'none'}"]
        schema = {**strict(content["application/json"]["schema"]), "components": self._components}
        check = jsonschema.Draft202012Validator(schema)
        return [f"{list(e.absolute_path)}: {e.message[:200]}" for e in check.iter_errors(json.loads(request.body))]


@pytest.fixture(scope="module")
def published(contracts: Path) -> Published:
    return Published(json.loads((contracts / "mirakl" / "mirakl-mmp-seller-openapi.json").read_text()))


def with_shipment(payload: Record) -> Record:
    return {"order_id": "O1-A", "shipment_id": "S1", **payload}


DISPATCH = {"order_id": "O1-A", "lines": TWO, "invoice_reference": "I-1", "warehouse_code": "W1", **FREE}
ORDER_WRITES = [
    ("OR21", accept("L1", "L2"), False),
    ("OR23", action("TRACKING", {"order_id": "O1-A", **UPS}), False),
    ("OR23", action("TRACKING", {"order_id": "O1-A", **FREE}), False),
    ("OR23 OR24", action("DISPATCH", {"order_id": "O1-A", **UPS}), False),
    ("OR28", refund(EVERYTHING, REST), False),
    ("OR29", action("CANCELATION", {"order_id": "O1-A", "is_whole_order": True}), False),
    ("OR30", cancelation(EVERYTHING), False),
    ("ST23", action("TRACKING", with_shipment({**UPS, **FREE})), True),
    ("ST01", action("DISPATCH", DISPATCH), True),
    ("ST06", action("SHIPMENT_DELETION", with_shipment({})), True),
    ("ST07", action("SHIPMENT_ORIGIN", with_shipment({"warehouse_code": "W1"})), True),
    ("STO01", action("STOCK", {"shop_sku": "A1", "quantity": 3}), False),
    ("OF01", action("OFFER", {"shop_sku": "A1", "operation": "CLOSE"}), False),
    ("OF01", action("OFFER", {"shop_sku": "A1", "operation": "DELETE"}), False),
    ("OF24", update(leadtime_to_ship=3, msrp="9.99", description="new"), False),
    ("PRI01", prices("A1", {"price": 1}), False),
]


def marketplace(is_multi: bool) -> Marketplace:
    shop = Marketplace()
    shop.orders["O1-A"] = order(can_cancel=True)
    shop.features["shipment"] = {"multi_shipment": is_multi}
    volume = [{"quantity_threshold": 5, "unit_origin_price": 45, "unit_discount_price": None, "price": 45}]
    entry = price(channel_code="FR", context={"channel_codes": ["FR"]}, unit_discount_price=40, volume_prices=volume)
    eco = [{"epr_category_code": "FR-DEA", "producer_id": "P", "eco_contribution_amount": 1}]
    shop.offers["A1"] = offer("A1", all_prices=[price(), entry], eco_contributions=eco)
    return shop


@pytest.mark.parametrize(("codes", "wanted", "is_multi"), ORDER_WRITES, ids=[w[0] for w in ORDER_WRITES])
def test_a_body_keeps_the_published_schema(published: Published, codes: str, wanted: Any, is_multi: bool) -> None:
    with opened(marketplace(is_multi)) as connector:
        requests = deliveries(connector)[wanted.kind].preview([wanted])
    assert [published.operation(r)["operationId"] for r in requests] == codes.split()
    assert [c for r in requests for c in published.complaints(r)] == []


@pytest.mark.parametrize(("codes", "wanted", "is_multi"), ORDER_WRITES, ids=[w[0] for w in ORDER_WRITES])
def test_every_request_is_counted_under_its_published_name_and_asks_for_what_is_published(
    published: Published, codes: str, wanted: Any, is_multi: bool
) -> None:
    shop, budget = marketplace(is_multi), Counted()
    shop.orders["O1-A"]["order_lines"] = [line("O1-A-1", can_refund=True, taxes=TAXES, shipping_taxes=TAXES)]
    shop.returns = [{"id": "R1", "order_id": "O1-A", "return_lines": [{"order_line_id": "O1-A-1"}]}]
    shop.shipments = [{"id": "S1", "order_id": "O1-A", "status": "SHIPPING"}]
    ended = {"import_id": 7, "status": "COMPLETE", "lines_in_error": 1, "has_error_report": True}
    shop.on["POST", "/api/offers"] = reply({"import_id": 7}, 201)
    for path in ("/api/offers/imports", "/api/offers/stock/imports", "/api/offers/pricing/imports"):
        shop.on["POST", path] = reply({"import_id": 7}, 201)
        shop.on["GET", f"{path}/7/error_report"] = Reply(200, b"2;no\n")
    shop.on["GET", "/api/offers/imports/7"] = shop.on["GET", "/api/offers/stock/imports/7/status"] = reply(ended)
    shop.on["GET", "/api/offers/pricing/imports"] = reply({"data": [ended]})
    if wanted.kind == "ACCEPTANCE":
        shop.orders["O1-A"] = order(state="WAITING_ACCEPTANCE", lines=[line("L1"), line("L2")])
    more = {"return_id": "R1"} if wanted.kind == "REFUND" else {}
    more |= {"deletes_others": True} if wanted.kind == "PRICE" else {}
    with opened(shop, budget=budget) as connector:
        deliveries(connector)[wanted.kind].send([replace(wanted, payload={**wanted.payload, **more})])
    operations = [published.operation(Request(a.method, f"http://host{a.path}", {}, "")) for a in shop.asked]
    assert [o["operationId"] for o in operations] == [call for call, _ in budget.taken]
    assert codes.split()[0] in [call for call, _ in budget.taken]
    paging = {"max", "offset", "limit", "page_token"}  # described for all calls in the general notes
    for asked, operation in zip(shop.asked, operations, strict=True):
        assert asked.parameters.keys() - paging <= {p["name"] for p in operation["parameters"]}
    polls = {call for call, is_poll in budget.taken if is_poll}
    assert not polls & {"OR11", "ST11", "OF21"}, "a look at a named record is no poll of the feed"


def test_the_check_finds_a_name_and_a_type_that_are_not_published(published: Published) -> None:
    url = "https://x.example.com/api/orders/refund?shop_id=1"
    body = {"refunds": [{"order_line_id": "L", "amount": "1", "shipping_amount": 0, "reason_code": "15", "note": "x"}]}
    found = published.complaints(Request("PUT", url, {}, json.dumps(body)))
    assert len(found) == 2
    assert any("note" in one for one in found)
    assert any("amount" in one for one in found)
