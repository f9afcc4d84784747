"""A scripted marketplace over real HTTP for the tests of writes: reads answer from its records, writes as told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from copy import deepcopy
from decimal import Decimal
from typing import Any

import msgspec

from connectors.delivery import Action
from connectors.mirakl import MiraklConnector
from tests.connectors.conftest import NOW
from tests.connectors.server import Asked, Reply, serving

Record = dict[str, Any]
NO_CONTENT = Reply(204)
_ENCODER = msgspec.json.Encoder(decimal_format="number")
LOST = Reply(200, b'{"never": "read"}', cut_after=4)
"""The answer breaks off: the write may have taken effect, or not."""


def body_of(asked: Asked) -> Any:
    return json.loads(asked.body, parse_float=Decimal)


def reply(content: Any, status: int = 200) -> Reply:
    return Reply(status, _ENCODER.encode(content))


class Marketplace:
    """`on` holds the answer to each write by method and path, `asked` every request, `writes` those that are no GET."""

    def __init__(self) -> None:
        self.orders: dict[str, Record] = {}
        self.shipments: list[Record] = []
        self.returns: list[Record] = []
        self.offers: dict[str, Record] = {}
        self.channel_prices: dict[str, dict[str, list[Record]]] = {}
        self.features: Record = {
            "shipment": {"multi_shipment": False},
            "pricing": {"channel_pricing": "DISABLED"},
            "disable_seller_alternative_carrier": False,
        }
        self.on: dict[tuple[str, str], Callable[[Asked], Reply] | Reply] = {}
        self.asked: list[Asked] = []

    @property
    def writes(self) -> list[Asked]:
        return [asked for asked in self.asked if asked.method != "GET"]

    @property
    def reads(self) -> list[str]:
        return [asked.path for asked in self.asked if asked.method == "GET"]

    def __call__(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        assert asked.parameters["shop_id"] == "2042"
        assert asked.headers["authorization"] == "key"
        if (asked.method, asked.path) in self.on:
            answer = self.on[asked.method, asked.path]
            return answer(asked) if callable(answer) else answer
        match asked.path:
            case "/api/orders":
                ids = asked.parameters["order_ids"].split(",")
                assert len(ids) <= 100
                found = [self.orders[one] for one in ids if one in self.orders]
                return reply({"orders": found, "total_count": len(found)})
            case "/api/shipments":
                return self._paged(
                    [s for s in self.shipments if s["order_id"] == asked.parameters.get("order_id")], asked
                )
            case "/api/returns":
                return self._paged([r for r in self.returns if r["id"] == asked.parameters["return_id"]], asked)
            case "/api/platform/configuration":
                return reply({"features": self.features})
            case "/api/offers":
                return self._shown_offers(asked)
        return Reply(404)

    def _paged(self, records: list[Record], asked: Asked) -> Reply:
        """One record a page, so that a chain has to be followed."""
        if "page_token" in asked.parameters:
            records = [s for s in self.shipments if s["order_id"] == asked.parameters["page_token"].split("|")[0]]
            start = int(asked.parameters["page_token"].split("|")[1])
        else:
            start = 0
        page: Record = {"data": records[start : start + 1]}
        if start + 1 < len(records):
            page["next_page_token"] = f"{records[start]['order_id']}|{start + 1}"
        return reply(page)

    def _shown_offers(self, asked: Asked) -> Reply:
        wanted, channel = asked.parameters.get("sku"), asked.parameters.get("pricing_channel_code")
        offers = [deepcopy(o) for sku, o in self.offers.items() if wanted in {None, sku}]
        for offer in offers:
            if channel is not None:
                offer["all_prices"] = self.channel_prices.get(offer["shop_sku"], {}).get(channel, offer["all_prices"])
        return reply({"offers": offers, "total_count": len(offers)})


class Counted:
    """A call budget without limits that keeps the names of the calls, and whether each counts as a poll."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bool]] = []

    def take(self, call: str, *, is_first_page: bool) -> None:
        self.taken.append((call, is_first_page))

    def throttled(self, call: str, retry_after: float | None) -> None:
        raise AssertionError(f"{call} was throttled")


@contextmanager
def opened(
    marketplace: Marketplace, naps: list[float] | None = None, budget: Counted | None = None
) -> Iterator[MiraklConnector]:
    sleep = (naps if naps is not None else []).append
    with (
        serving(marketplace) as server,
        closing(
            MiraklConnector("BRICO", server.url, "2042", "key", 5, sleep=sleep, clock=lambda: NOW, budget=budget)
        ) as connector,
    ):
        yield connector


def action(kind: str, payload: Record, key: str = "1", wire_key: str = "TO0001") -> Action:
    return Action(f"{kind}|BRICO|{key}", wire_key, kind, "BRICO", "BRICO", payload)


def order(order_id: str = "O1-A", state: str = "SHIPPING", **more: Any) -> Record:
    lines = more.pop("lines", None) or [line(f"{order_id}-1", state)]
    return {
        "order_id": order_id,
        "order_state": state,
        "currency_iso_code": "GBP",
        "order_lines": lines,
        "total_price": Decimal("24.00"),
        **more,
    }


def line(order_line_id: str, state: str = "SHIPPING", **more: Any) -> Record:
    return {
        "order_line_id": order_line_id,
        "order_line_state": state,
        "quantity": 2,
        "price": Decimal("20.00"),
        "shipping_price": Decimal("4.00"),
        "can_refund": state in {"SHIPPED", "RECEIVED"},
        "taxes": [],
        "shipping_taxes": [],
        "refunds": [],
        "cancelations": [],
        **more,
    }
