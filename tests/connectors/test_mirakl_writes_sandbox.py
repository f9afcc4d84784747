"""Every write against a marketplace that behaves: strict about states, taxes and amounts, and never idempotent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connectors.delivery import Action, Delivery, Outcome
from connectors.mirakl import MiraklConnector
from connectors.mirakl.writes import deliveries
from sandbox.app import Sandbox, listen, server_for
from sandbox.chaos import Rule
from sandbox.credentials import mirakl_secret
from sandbox.store import Store
from sandbox.world import DEFAULT_AS_OF, World, build_world
from tests.connectors.mirakl_writes import Record, action

SEED, SHOP = 7, "2042"
PENNY = Decimal("0.01")


@dataclass
class Site:
    sandbox: Sandbox
    connector: MiraklConnector
    http: httpx.Client

    @property
    def deliveries(self) -> dict[str, Delivery]:
        return deliveries(self.connector)

    def get(self, path: str, **parameters: Any) -> Any:
        response = self.http.get(path, params={"shop_id": SHOP, **parameters})
        return response.raise_for_status().json()

    def orders(self, state: str) -> list[Record]:
        found: list[Record] = self.get("/api/orders", order_state_codes=state, max=100)["orders"]
        return found

    def order(self, order_id: str) -> Record:
        (found,) = self.get("/api/orders", order_ids=order_id)["orders"]
        return dict(found)

    def lose_next_answer(self, method: str, path: str) -> None:
        """The next such call takes effect, and its connection breaks before a byte is answered."""
        rule = Rule(path=f"/mirakl/BRICO{path}", kind="outcome_unknown", method=method, times=1)
        self.sandbox.chaos.rules.append(rule)


@contextmanager
def running(world: World) -> Iterator[Site]:
    sandbox = Sandbox(lambda: Store(world, seed=SEED, as_of=DEFAULT_AS_OF, state_folder=None))
    listener = listen("127.0.0.1", 0)
    server = server_for(sandbox)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        assert time.monotonic() < deadline, "the sandbox did not start"
        time.sleep(0.005)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/mirakl/BRICO"
    key = mirakl_secret(SEED, "BRICO", "seller")
    connector = MiraklConnector("BRICO", url, SHOP, key, 10, sleep=lambda seconds: time.sleep(min(seconds, 0.05)))
    with httpx.Client(base_url=url, headers={"Authorization": key}, trust_env=False) as client:
        yield Site(sandbox, connector, client)
    connector.close()
    server.should_exit = True
    thread.join(10)
    listener.close()


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(SEED, 300, DEFAULT_AS_OF)


@pytest.fixture(scope="module")
def whole(world: World) -> Iterator[Site]:
    """A platform that ships orders as a whole."""
    with running(world) as site:
        yield site


@pytest.fixture(scope="module")
def multi(world: World) -> Iterator[Site]:
    """The same marketplace with several shipments per order."""
    other = deepcopy(world)
    other.mirakl["BRICO"].platform["features"]["shipment"]["multi_shipment"] = True
    with running(other) as site:
        yield site


def carry_out(site: Site, wanted: Action) -> None:
    """Looked up in vain, sent, read back as wanted, found by a look-up, and not sent again."""
    delivery = site.deliveries[wanted.kind]
    key = wanted.action_key
    assert delivery.look_up([wanted])[key] is None
    result = delivery.send([wanted])[key]
    assert result.outcome is Outcome.SENT, result.detail
    assert delivery.read_back([wanted])[key].ok, delivery.read_back([wanted])[key].detail
    found = delivery.look_up([wanted])[key]
    assert found is not None
    assert found.complete


def lose_the_answer(site: Site, path: str, wanted: Action, method: str = "PUT") -> None:
    """The write took effect and nobody heard of it: a process that knows nothing finds it instead of repeating it."""
    delivery = site.deliveries[wanted.kind]
    site.lose_next_answer(method, path)
    assert delivery.send([wanted])[wanted.action_key].outcome is Outcome.UNKNOWN
    other_process = site.deliveries[wanted.kind]
    found = other_process.look_up([wanted])[wanted.action_key]
    assert found is not None
    assert found.complete
    assert other_process.send([wanted])[wanted.action_key].detail.startswith("already there")
    assert other_process.read_back([wanted])[wanted.action_key].ok


def carrier(site: Site) -> str:
    return str(site.get("/api/shipping/carriers")["carriers"][0]["code"])


def reason(site: Site, kind: str) -> str:
    reasons = [r for r in site.get("/api/reasons")["reasons"] if r["type"] == kind and r["is_shop_right"]]
    return str(reasons[0]["code"]) if reasons else "15"


def pennies(value: Any, share: Decimal) -> Decimal:
    return (Decimal(str(value)) * share).quantize(PENNY)


def part(site: Site, line: Record, kind: str, share: str = "0.5", **more: Any) -> Record:
    """A share of a line, with its taxes."""

    def taxes(name: str) -> list[Record]:
        return [{"code": t["code"], "amount": pennies(t["amount"], Decimal(share))} for t in line.get(name) or ()]

    return {
        "order_line_id": line["order_line_id"],
        "amount": pennies(line["price"], Decimal(share)),
        "shipping_amount": Decimal(0),
        "reason_code": reason(site, kind),
        "taxes": taxes("taxes"),
        "shipping_taxes": [{**tax, "amount": Decimal(0)} for tax in taxes("shipping_taxes")],
        **more,
    }


def adjusting(kind: str, order: Record, name: str, parts: list[Record]) -> Action:
    known = [a["id"] for line in order["order_lines"] for a in line.get(name) or ()]
    payload = {
        "order_id": order["order_id"],
        "currency_code": order["currency_iso_code"],
        "known_ids": known,
        name: parts,
    }
    return action(kind, payload, order["order_id"])


def refundable(site: Site) -> Iterator[Record]:
    for state in ("SHIPPED", "RECEIVED"):
        for order in site.orders(state):
            line = order["order_lines"][0]
            if line["can_refund"] and not line["refunds"]:
                yield order


def accepted(order: Record) -> Action:
    lines = [{"id": line["order_line_id"], "accepted": True} for line in order["order_lines"]]
    return action("ACCEPTANCE", {"order_id": order["order_id"], "order_lines": lines}, order["order_id"])


# --- orders


def test_a_refund_is_made_once_even_when_its_answer_is_lost(whole: Site) -> None:
    orders = refundable(whole)
    order = next(orders)
    carry_out(whole, adjusting("REFUND", order, "refunds", [part(whole, order["order_lines"][0], "REFUND")]))
    order = next(orders)
    wanted = adjusting("REFUND", order, "refunds", [part(whole, order["order_lines"][0], "REFUND", quantity=1)])
    lose_the_answer(whole, "/api/orders/refund", wanted)
    assert len(whole.order(order["order_id"])["order_lines"][0]["refunds"]) == 1


def test_returns_that_are_the_reason_are_read_in_one_call_for_all(whole: Site) -> None:
    found = []
    for one in whole.get("/api/returns", limit=100)["data"]:
        order = whole.order(one["order_id"])
        line_ids = {line["order_line_id"] for line in one["return_lines"]}
        line = next(line for line in order["order_lines"] if line["order_line_id"] in line_ids)
        gone = sum(Decimal(str(refund["amount"])) for refund in line["refunds"])
        if line["can_refund"] and Decimal(str(line["price"])) / 10 < Decimal(str(line["price"])) - gone:
            wanted = adjusting("REFUND", order, "refunds", [part(whole, line, "REFUND", "0.01")])
            found.append(replace(wanted, payload={**wanted.payload, "return_id": one["id"]}))
    assert len(found) >= 2, "the test needs two returns of lines with something left"
    strange = replace(
        found[1], action_key="strange", payload={**found[1].payload, "return_id": found[0].payload["return_id"]}
    )
    results = whole.deliveries["REFUND"].send([*found[:2], strange])
    assert [results[a.action_key].outcome for a in found[:2]] == [Outcome.SENT, Outcome.SENT]
    assert results["strange"].outcome is Outcome.FAILED


def test_the_marketplace_would_have_refunded_twice(whole: Site) -> None:
    """What the look-up is for: an equal refund that is really wanted makes a second one."""
    order = next(refundable(whole))
    half = part(whole, order["order_lines"][0], "REFUND", "0.25")
    carry_out(whole, adjusting("REFUND", order, "refunds", [half]))
    again = whole.order(order["order_id"])
    carry_out(whole, adjusting("REFUND", again, "refunds", [half]))
    assert len(whole.order(order["order_id"])["order_lines"][0]["refunds"]) == 2


def test_parts_of_an_accepted_order_are_canceled_and_then_the_rest(whole: Site) -> None:
    order = whole.orders("WAITING_ACCEPTANCE")[0]
    carry_out(whole, accepted(order))
    order = whole.order(order["order_id"])
    wanted = adjusting(
        "CANCELATION", order, "cancelations", [part(whole, order["order_lines"][0], "CANCELATION", "0.1", quantity=1)]
    )
    lose_the_answer(whole, "/api/orders/cancel", wanted)
    assert len(whole.order(order["order_id"])["order_lines"][0]["cancelations"]) == 1


def test_a_whole_order_is_canceled(whole: Site) -> None:
    order = whole.orders("WAITING_ACCEPTANCE")[0]
    lose_the_answer(whole, f"/api/orders/{order['order_id']}/accept", accepted(order))
    wanted = action("CANCELATION", {"order_id": order["order_id"], "is_whole_order": True})
    carry_out(whole, wanted)
    assert whole.order(order["order_id"])["order_state"] == "CANCELED"


def test_an_order_is_tracked_and_shipped(whole: Site) -> None:
    tracked, shipped = whole.orders("SHIPPING")[:2]
    how = {"carrier_code": carrier(whole), "tracking_number": "JD0001"}
    lose_the_answer(
        whole,
        f"/api/orders/{tracked['order_id']}/tracking",
        action("TRACKING", {"order_id": tracked["order_id"], **how}),
    )
    assert whole.order(tracked["order_id"])["order_state"] == "SHIPPING"
    lose_the_answer(
        whole,
        f"/api/orders/{shipped['order_id']}/ship",
        action("DISPATCH", {"order_id": shipped["order_id"], **how}),
    )
    assert whole.order(shipped["order_id"])["order_state"] == "SHIPPED"
    assert whole.order(shipped["order_id"])["shipping_tracking"] == "JD0001"


def test_an_unknown_carrier_is_refused_and_nothing_is_shipped(whole: Site) -> None:
    order = whole.orders("SHIPPING")[-1]
    wanted = action("DISPATCH", {"order_id": order["order_id"], "carrier_code": "NOBODY", "tracking_number": "1"})
    result = whole.deliveries["DISPATCH"].send([wanted])[wanted.action_key]
    assert (result.outcome, result.retryable) == (Outcome.FAILED, False)
    assert "NOBODY" in result.detail
    assert whole.order(order["order_id"])["order_state"] == "SHIPPING"


# --- shipments


def lines_of(order: Record) -> list[Record]:
    return [{"order_line_id": one["order_line_id"], "quantity": one["quantity"]} for one in order["order_lines"]]


def shipments_of(site: Site, order_id: str) -> list[Record]:
    found: list[Record] = site.get("/api/shipments", order_id=order_id)["data"]
    return found


def test_a_shipment_is_created_once_even_when_its_answer_is_lost(multi: Site) -> None:
    how = {"carrier_code": carrier(multi), "tracking_number": "JD0002"}
    first, second = multi.orders("SHIPPING")[:2]
    carry_out(multi, action("DISPATCH", {"order_id": first["order_id"], "lines": lines_of(first), **how}, "a"))
    wanted = action("DISPATCH", {"order_id": second["order_id"], "lines": lines_of(second), **how}, "b")
    lose_the_answer(multi, "/api/shipments", wanted, "POST")
    assert [s["status"] for s in shipments_of(multi, second["order_id"])] == ["SHIPPED"]
    assert multi.order(second["order_id"])["order_state"] == "SHIPPED"


def test_what_exists_is_tracked_moved_and_shipped_and_what_was_a_mistake_deleted(multi: Site) -> None:
    shipped, deleted = multi.orders("SHIPPING")[:2]

    def create(order: Record) -> str:
        lines = [{**line, "package_reference": "TO0001"} for line in lines_of(order)]
        body = {"shipments": [{"order_id": order["order_id"], "shipment_lines": lines}]}
        answer = multi.http.post("/api/shipments", params={"shop_id": SHOP}, json=body).raise_for_status().json()
        return str(answer["shipment_success"][0]["id"])

    one, two = create(shipped), create(deleted)
    at = {"order_id": shipped["order_id"], "shipment_id": one}
    how = {"carrier_code": carrier(multi), "tracking_number": "JD0003"}
    lose_the_answer(multi, "/api/shipments/tracking", action("TRACKING", {**at, **how}), "POST")
    carry_out(multi, action("SHIPMENT_ORIGIN", {**at, "warehouse_code": "MAIN"}))
    wanted = action("DISPATCH", {"order_id": shipped["order_id"], "lines": lines_of(shipped), **how})
    delivery = multi.deliveries["DISPATCH"]
    found = delivery.look_up([wanted])[wanted.action_key]
    assert found is not None
    assert not found.complete
    assert delivery.send([wanted])[wanted.action_key].outcome is Outcome.SENT
    assert delivery.read_back([wanted])[wanted.action_key].ok
    assert [s["id"] for s in shipments_of(multi, shipped["order_id"])] == [one]
    carry_out(multi, action("SHIPMENT_DELETION", {"order_id": deleted["order_id"], "shipment_id": two}))
    assert shipments_of(multi, deleted["order_id"]) == []


# --- offers


def offers(site: Site) -> list[Record]:
    found: list[Record] = site.get("/api/offers", max=100)["offers"]
    return [o for o in found if o["active"] and not o.get("warehouses")]


def test_stock_is_set_and_an_unknown_sku_fails_alone(whole: Site) -> None:
    sku = offers(whole)[0]["shop_sku"]
    carry_out(whole, action("STOCK", {"shop_sku": sku, "quantity": 12}))
    actions = [
        action("STOCK", {"shop_sku": sku, "quantity": 13}, "1"),
        action("STOCK", {"shop_sku": "NOBODY", "quantity": 1}, "2"),
    ]
    results = whole.deliveries["STOCK"].send(actions)
    assert [r.outcome for r in results.values()] == [Outcome.SENT, Outcome.FAILED]


@pytest.mark.parametrize("operation", ["CLOSE", "DELETE"])
def test_offers_are_closed_and_deleted_and_the_others_left_alone(whole: Site, operation: str) -> None:
    before = {o["shop_sku"]: o for o in offers(whole)}
    sku = next(iter(before))
    carry_out(whole, action("OFFER", {"shop_sku": sku, "operation": operation}, operation))
    after = {o["shop_sku"]: o for o in offers(whole)}
    assert after == {other: offer for other, offer in before.items() if other != sku}
    (closed,) = whole.get("/api/offers", sku=sku)["offers"] or [None]
    assert (closed is None) is (operation == "DELETE")
    if closed is not None:
        shown = {**before[sku], "quantity": 0, "active": False, "inactivity_reasons": ["ZERO_QUANTITY"]}
        assert without_the_moment(closed) == without_the_moment(shown)


def test_an_offer_is_listed_once_and_never_over_one_that_is_there(whole: Site) -> None:
    held = offers(whole)[0]
    (reference,) = [one for one in held["product_references"] if one["reference_type"] == "EAN"][:1]
    product = {"product_id": reference["reference"], "product_id_type": "EAN"}
    rest = {**product, "price": "31.99", "quantity": 0, "state_code": "11"}
    wanted = action("OFFER_CREATE", {"shop_sku": "NEW-1", **rest}, "new")
    delivery = whole.deliveries["OFFER_CREATE"]
    whole.lose_next_answer("POST", "/api/offers/imports")
    assert delivery.send([wanted])[wanted.action_key].outcome is Outcome.UNKNOWN
    for _ in range(100):
        if (found := delivery.look_up([wanted])[wanted.action_key]) is not None:
            break
        time.sleep(0.05)
    assert found is not None, "the lost import was carried out"
    (offer,) = whole.get("/api/offers", sku="NEW-1")["offers"]
    assert (offer["price"], offer["quantity"], offer["product_sku"]) == (31.99, 0, held["product_sku"])
    refused = {
        "is there": action("OFFER_CREATE", {**rest, "shop_sku": held["shop_sku"]}, "over"),
        "does not exist": action("OFFER_CREATE", {**rest, "shop_sku": "NEW-2", "product_id": "4000000000000"}, "odd"),
        "slash": action("OFFER_CREATE", {**rest, "shop_sku": "A/B"}, "slash"),
        "more than 0": action("OFFER_CREATE", {**rest, "shop_sku": "NEW-3", "price": "0"}, "free"),
    }
    results = delivery.send(list(refused.values()))
    assert {one.outcome for one in results.values()} == {Outcome.FAILED}
    assert "already" in results[refused["is there"].action_key].detail
    assert "does not exist" in results[refused["does not exist"].action_key].detail
    assert whole.get("/api/offers", sku=held["shop_sku"])["offers"] == [held]
    other = action("OFFER_CREATE", {**rest, "shop_sku": "NEW-1", "price": "30.00"}, "other")
    assert "asks" in delivery.read_back([other])[other.action_key].detail


def test_an_update_changes_its_fields_and_no_other(whole: Site) -> None:
    before = offers(whole)[1]
    changes = {"quantity": before["quantity"] + 1, "leadtime_to_ship": 9}
    payload = {
        "shop_sku": before["shop_sku"],
        "operation": "UPDATE",
        "changes": changes,
        "states": ["NO_PRICING_UNIT", "NO_CUSTOMER_PRICES"],
    }
    carry_out(whole, action("OFFER", payload))
    (after,) = whole.get("/api/offers", sku=before["shop_sku"])["offers"]
    assert without_the_moment(after) == without_the_moment({**before, **changes})


def without_the_moment(offer: Record) -> Record:
    """An offer without what follows from the time and from other fields, and without what it does not have."""
    shown = {**offer, "logistic_class": offer["logistic_class"]["code"]}
    return {
        k: v for k, v in shown.items() if k not in {"applicable_pricing", "shipping_deadline"} and v not in (None, [])
    }


def test_prices_are_replaced_and_read_back(whole: Site) -> None:
    before = offers(whole)[2]
    new = {"price": "77.50", "discount_price": "70", "discount_end_date": "2031-01-01T00:00:00Z"}
    carry_out(whole, action("PRICE", {"shop_sku": before["shop_sku"], "prices": [new], "deletes_others": True}))
    too_low = action("PRICE", {"shop_sku": before["shop_sku"], "prices": [{"price": 5, "discount_price": 6}]})
    result = whole.deliveries["PRICE"].send([too_low])[too_low.action_key]
    assert result.outcome is Outcome.FAILED
    assert "discount" in result.detail


def test_a_lost_answer_of_an_import_is_settled_by_reading_the_offers(whole: Site) -> None:
    sku = offers(whole)[3]["shop_sku"]
    wanted = action("STOCK", {"shop_sku": sku, "quantity": 41})
    delivery = whole.deliveries["STOCK"]
    whole.lose_next_answer("POST", "/api/offers/stock/imports")
    assert delivery.send([wanted])[wanted.action_key].outcome is Outcome.UNKNOWN
    found = until(lambda: delivery.look_up([wanted])[wanted.action_key])
    assert found.complete


def until(ask: Callable[[], Any], seconds: float = 5.0) -> Any:
    """What `ask` answers as soon as that is not None: an import takes its time."""
    deadline = time.monotonic() + seconds
    while (answer := ask()) is None:
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)
    return answer
