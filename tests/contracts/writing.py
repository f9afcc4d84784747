"""Every kind of write, delivered to the sandbox as the outbox does it: preview, look-up, send, read-back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx

from connectors.delivery import Action, Outcome
from connectors.mirakl import MiraklConnector
from connectors.mirakl.writes import deliveries
from sandbox.credentials import mirakl_secret
from tests.contracts.serving import SEED, Served

Payload = Mapping[str, Any]
Batch = tuple[str, Sequence[Payload]]
"""The kind of action, and the payloads that are delivered together."""


class Shop:
    """The shop as a person would look at it, by requests that are not recorded."""

    def __init__(self, served: Served, marketplace: str, shop_id: str) -> None:
        self._client = httpx.Client(
            base_url=f"{served.url}/mirakl/{marketplace}/api",
            headers={"Authorization": mirakl_secret(SEED, marketplace)},
            params={"shop_id": shop_id},
            trust_env=False,
        )
        self._taken: set[str] = set()

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, **parameters: str | int) -> Any:
        return self._client.get(path, params=parameters).raise_for_status().json()

    def order(self, state: str) -> dict[str, Any]:
        """An order in this state that nothing was done to yet."""
        for order in self.get("/orders", order_state_codes=state, max=100, order_tax_mode="TAX_INCLUDED")["orders"]:
            if order["order_id"] not in self._taken:
                self._taken.add(order["order_id"])
                assert isinstance(order, dict)
                return order
        raise AssertionError(f"the shop has no further order in {state}")

    def offers(self, count: int) -> list[dict[str, Any]]:
        """Offers that nothing was done to yet."""
        found = [o for o in self.get("/offers", max=100)["offers"] if o["shop_sku"] not in self._taken][:count]
        self._taken |= {offer["shop_sku"] for offer in found}
        return found

    def reason(self, kind: str, is_shop_right: bool | None = True) -> str:
        """A reason that a seller may give; with `is_shop_right` None, that anybody may."""
        reasons = self.get("/reasons")["reasons"]
        return next(
            str(reason["code"])
            for reason in reasons
            if reason["type"] == kind and is_shop_right in {None, reason["is_shop_right"]}
        )

    def parcel(self) -> dict[str, str]:
        """A shipment of a whole order that has not left."""
        order = self.order("SHIPPING")
        lines = [
            {"order_line_id": line["order_line_id"], "quantity": line["quantity"], "package_reference": "P-1"}
            for line in order["order_lines"]
        ]
        body = {"shipments": [{"order_id": order["order_id"], "shipment_lines": lines, "shipped": False}]}
        made = self._client.post("/shipments", json=body).raise_for_status().json()["shipment_success"][0]
        return {"order_id": order["order_id"], "shipment_id": made["id"]}

    def order_of(self, parcel: Mapping[str, str]) -> dict[str, Any]:
        (order,) = self.get("/orders", order_ids=parcel["order_id"])["orders"]
        assert isinstance(order, dict)
        return order

    def lines_of(self, parcel: Mapping[str, str]) -> list[dict[str, Any]]:
        """The lines of the parcel as DISPATCH takes them."""
        shipments = self.get("/shipments", order_id=parcel["order_id"])["data"]
        (lines,) = (one["shipment_lines"] for one in shipments if one["id"] == parcel["shipment_id"])
        return [{name: line[name] for name in ("order_line_id", "quantity", "package_reference")} for line in lines]

    def warehouse(self) -> str:
        return "MAIN"

    def carrier(self) -> str:
        return str(self.get("/shipping/carriers")["carriers"][0]["code"])


def write_everything(connector: MiraklConnector, payloads: Iterator[Batch]) -> None:
    """Deliver each batch. At least one action of each must be sent: what fails before it sends shows no request."""
    found = deliveries(connector)
    for number, (kind, batch) in enumerate(payloads):
        delivery = found[kind]
        actions = [
            Action(
                f"{kind}-{number}-{at}", f"TO{number:02d}{at:02d}", kind, connector.account, connector.account, payload
            )
            for at, payload in enumerate(batch)
        ]
        assert delivery.preview(actions), kind
        delivery.look_up(actions)
        results = delivery.send(actions)
        assert Outcome.SENT in {result.outcome for result in results.values()}, (kind, results)
        delivery.read_back(actions)


def whole_order_payloads(shop: Shop) -> Iterator[Batch]:
    """On a platform that ships orders as a whole."""
    partly, wholly, refused = (shop.order("WAITING_ACCEPTANCE") for _ in range(3))
    yield "ACCEPTANCE", [decision(partly, True), decision(wholly, True), decision(refused, False)]
    # What is paid can only be refunded: these are canceled before the debit.
    yield "CANCELATION", [cancelation(shop, partly), {"order_id": wholly["order_id"], "is_whole_order": True}]
    order = shop.order("SHIPPING")
    yield "TRACKING", [{"order_id": order["order_id"], **tracking(shop)}]
    yield (
        "TRACKING",
        [
            {
                "order_id": order["order_id"],
                "carrier_name": "Own van",
                "tracking_url": "https://van.example/7",
                "tracking_number": "7",
            }
        ],
    )
    yield "DISPATCH", [dispatch(shop, order)]
    yield "REFUND", [refund(shop, shop.order("SHIPPED")), refund(shop, shop.order("RECEIVED"))]
    stock, unknown = shop.offers(1)[0], {"shop_sku": "NO-SUCH-SKU", "quantity": 1}
    yield "STOCK", [{"shop_sku": stock["shop_sku"], "quantity": 3}, unknown]
    closed, deleted, priced = shop.offers(3)
    yield "OFFER", [{"shop_sku": closed["shop_sku"], "operation": "CLOSE"}]
    yield "OFFER", [{"shop_sku": deleted["shop_sku"], "operation": "DELETE"}]
    yield "OFFER_CREATE", [new_offer(deleted)]
    yield "PRICE", [{"shop_sku": priced["shop_sku"], "prices": [{"price": "9.99"}], "deletes_others": True}]
    # OF24 resets what it is not sent: only an offer whose every field can be read and sent again is changed by it.
    yield (
        "OFFER",
        [
            {
                "shop_sku": offer["shop_sku"],
                "operation": "UPDATE",
                "changes": {"quantity": 7, "description": "As new"},
                "states": ["NO_PRICING_UNIT", "NO_CUSTOMER_PRICES"],
            }
            for offer in shop.offers(5)
        ],
    )


def new_offer(like: dict[str, Any]) -> dict[str, Any]:
    """Another offer of the same product."""
    product = {"product_id": like["product_sku"], "product_id_type": "SKU"}
    return {"shop_sku": f"NEW-{like['shop_sku']}", **product, "price": "19.99", "quantity": 0, "state_code": "11"}


def shipment_payloads(shop: Shop) -> Iterator[Batch]:
    """On a platform with several shipments per order."""
    order = shop.order("SHIPPING")
    yield "DISPATCH", [dispatch(shop, order)]
    parcels = [shop.parcel() for _ in range(3)]
    yield "TRACKING", [{**parcels[0], **tracking(shop)}]
    yield "SHIPMENT_ORIGIN", [{**parcels[0], "warehouse_code": shop.warehouse()}]
    yield "SHIPMENT_DELETION", [parcels[1]]
    # A parcel that exists, with our reference, and has not left is shipped and not created again.
    waiting = shop.order_of(parcels[2])
    yield "DISPATCH", [{**dispatch(shop, waiting), "lines": shop.lines_of(parcels[2])}]


def decision(order: Mapping[str, Any], is_accepted: bool) -> Payload:
    lines = [{"id": line["order_line_id"], "accepted": is_accepted} for line in order["order_lines"]]
    return {"order_id": order["order_id"], "order_lines": lines}


def tracking(shop: Shop) -> Payload:
    return {"carrier_code": shop.carrier(), "tracking_number": "JD0002"}


def dispatch(shop: Shop, order: Mapping[str, Any]) -> Payload:
    lines = [{"order_line_id": line["order_line_id"], "quantity": line["quantity"]} for line in order["order_lines"]]
    return {"order_id": order["order_id"], "lines": lines, **tracking(shop)}


def refund(shop: Shop, order: Mapping[str, Any]) -> Payload:
    return {**adjustment(order), "refunds": [part(order, shop.reason("REFUND"))]}


def cancelation(shop: Shop, order: Mapping[str, Any]) -> Payload:
    return {**adjustment(order), "cancelations": [{**part(order, shop.reason("CANCELATION")), "quantity": 1}]}


def adjustment(order: Mapping[str, Any]) -> Payload:
    return {
        "order_id": order["order_id"],
        "currency_code": order["currency_iso_code"],
        "order_tax_mode": order["order_tax_mode"],
        "known_ids": [],
    }


def part(order: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """A penny of the first line, and of each of its taxes nothing."""
    line = order["order_lines"][0]
    return {
        "order_line_id": line["order_line_id"],
        "amount": "0.01",
        "shipping_amount": "0",
        "reason_code": reason,
        "taxes": [{"code": tax["code"], "amount": "0"} for tax in line.get("taxes") or ()],
        "shipping_taxes": [{"code": tax["code"], "amount": "0"} for tax in line.get("shipping_taxes") or ()],
    }
