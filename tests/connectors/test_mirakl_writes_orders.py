"""Acceptance, tracking, dispatch: every write looks first, goes out once, and is recognised afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.delivery import Outcome
from connectors.mirakl.writes import (
    AcceptanceDelivery,
    DispatchDelivery,
    ShipmentDeletionDelivery,
    ShipmentOriginDelivery,
    TrackingDelivery,
    deliveries,
)
from tests.connectors.mirakl_writes import (
    LOST,
    NO_CONTENT,
    Marketplace,
    Record,
    action,
    body_of,
    line,
    opened,
    order,
    reply,
)
from tests.connectors.server import Asked, Reply

ACCEPT = ("PUT", "/api/orders/O1-A/accept")
TRACK = ("PUT", "/api/orders/O1-A/tracking")
SHIP = ("PUT", "/api/orders/O1-A/ship")
UPS: Record = {"carrier_code": "UPS", "tracking_number": "1Z"}


def accept(*lines: str, order_id: str = "O1-A", key: str = "1") -> Any:
    return action(
        "ACCEPTANCE", {"order_id": order_id, "order_lines": [{"id": one, "accepted": True} for one in lines]}, key
    )


def shipment(shipment_id: str = "S1", status: str = "SHIPPING", **more: Any) -> Record:
    lines = more.pop("lines", [{"order_line_id": "O1-A-1", "quantity": 2, "package_reference": "TO0001"}])
    return {"id": shipment_id, "order_id": "O1-A", "status": status, "shipment_lines": lines, "tracking": None, **more}


@pytest.fixture
def shop() -> Marketplace:
    marketplace = Marketplace()
    marketplace.orders["O1-A"] = order()
    return marketplace


@pytest.fixture
def multi(shop: Marketplace) -> Marketplace:
    shop.features["shipment"] = {"multi_shipment": True}
    return shop


# --- acceptance


def test_an_acceptance_that_leaves_a_line_undecided_is_not_sent(shop: Marketplace) -> None:
    shop.orders["O1-A"] = order(state="WAITING_ACCEPTANCE", lines=[line("L1"), line("L2")])
    with opened(shop) as connector:
        (result,) = AcceptanceDelivery(connector).send([accept("L1")]).values()
    assert (result.outcome, result.retryable) == (Outcome.FAILED, False)
    assert "L2" in result.detail
    assert shop.writes == []


@pytest.mark.parametrize("state", ["STAGING", "WAITING_ACCEPTANCE"])
def test_an_order_that_is_not_decided_yet_is_never_found_decided(shop: Marketplace, state: str) -> None:
    shop.orders["O1-A"] = order(state=state, lines=[line("L1", state)])
    with opened(shop) as connector:
        delivery = AcceptanceDelivery(connector)
        assert delivery.look_up([accept("L1")]) == {"ACCEPTANCE|BRICO|1": None}
        assert not delivery.read_back([accept("L1")])["ACCEPTANCE|BRICO|1"].ok


def test_many_orders_are_read_in_one_call_before_they_are_decided_one_by_one(shop: Marketplace) -> None:
    actions = []
    for number in range(40):
        order_id = f"X{number}"
        shop.orders[order_id] = order(order_id, "WAITING_ACCEPTANCE", lines=[line(f"{order_id}-1")])
        shop.on["PUT", f"/api/orders/{order_id}/accept"] = NO_CONTENT
        actions.append(accept(f"{order_id}-1", order_id=order_id, key=str(number)))
    with opened(shop) as connector:
        results = AcceptanceDelivery(connector).send(actions)
    assert {r.outcome for r in results.values()} == {Outcome.SENT}
    assert shop.reads == ["/api/orders"]
    assert [w.path for w in shop.writes] == [f"/api/orders/X{n}/accept" for n in range(40)]


def test_one_refusal_in_a_batch_is_the_refusal_of_that_order_only(shop: Marketplace) -> None:
    for order_id in ("A", "B"):
        shop.orders[order_id] = order(order_id, "WAITING_ACCEPTANCE", lines=[line(f"{order_id}1")])
    shop.on["PUT", "/api/orders/A/accept"] = reply({"status": 400, "message": "ORDER_INVALID_STATE"}, 400)
    shop.on["PUT", "/api/orders/B/accept"] = NO_CONTENT
    with opened(shop) as connector:
        results = AcceptanceDelivery(connector).send(
            [accept("A1", order_id="A", key="A"), accept("B1", order_id="B", key="B")]
        )
    assert [r.outcome for r in results.values()] == [Outcome.FAILED, Outcome.SENT]
    assert "ORDER_INVALID_STATE" in results["ACCEPTANCE|BRICO|A"].detail


@pytest.mark.parametrize("order_id", ["../account", "O1 A", "a/b", "a?b", "a#b", "", None, True, "a,b"])
def test_an_id_that_would_change_the_path_never_leaves(shop: Marketplace, order_id: Any) -> None:
    with opened(shop) as connector:
        for kind, delivery in deliveries(connector).items():
            if kind in {"STOCK", "OFFER", "PRICE"}:
                continue
            payload = {"order_id": order_id, "order_lines": [{"id": "L", "accepted": True}], "is_whole_order": True}
            (result,) = delivery.send([action(kind, {**payload, "shipment_id": "S", **UPS})]).values()
            assert (kind, result.outcome, result.retryable) == (kind, Outcome.FAILED, False)
    assert shop.writes == []


def test_when_the_precondition_cannot_be_read_nothing_is_sent_and_it_may_be_tried_again(shop: Marketplace) -> None:
    shop.on["GET", "/api/orders"] = Reply(503)
    with opened(shop) as connector:
        (result,) = AcceptanceDelivery(connector).send([accept("O1-A-1")]).values()
    assert (result.outcome, result.retryable) == (Outcome.FAILED, True)
    assert shop.writes == []


# --- tracking


def test_tracking_of_an_order_goes_out_in_the_vendors_words(shop: Marketplace) -> None:
    shop.on[TRACK] = NO_CONTENT
    payload = {
        "order_id": "O1-A",
        "carrier_name": "Bob",
        "tracking_url": "https://bob.example.com",
        "tracking_number": "7",
    }
    with opened(shop) as connector:
        (result,) = TrackingDelivery(connector).send([action("TRACKING", payload)]).values()
    assert result.outcome is Outcome.SENT
    assert body_of(shop.writes[0]) == {
        "carrier_name": "Bob",
        "carrier_url": "https://bob.example.com",
        "tracking_number": "7",
    }


def test_a_tracking_that_is_there_is_not_sent_again(shop: Marketplace) -> None:
    shop.orders["O1-A"] |= {"shipping_carrier_code": "UPS", "shipping_tracking": "1Z"}
    with opened(shop) as connector:
        delivery = TrackingDelivery(connector)
        wanted = action("TRACKING", {"order_id": "O1-A", **UPS})
        found = delivery.look_up([wanted])[wanted.action_key]
        assert found is not None
        assert found.complete
        assert delivery.send([wanted])[wanted.action_key].outcome is Outcome.SENT
        other = action("TRACKING", {"order_id": "O1-A", **UPS, "tracking_number": "2Z"})
        assert delivery.look_up([other])[other.action_key] is None
        assert "2Z" in delivery.read_back([other])[other.action_key].detail
    assert shop.writes == []


@pytest.mark.parametrize(
    ("state", "retryable"),
    [("WAITING_DEBIT_PAYMENT", True), ("REFUSED", False), ("CANCELED", False)],
)
def test_an_order_that_does_not_travel_gets_no_tracking(shop: Marketplace, state: str, retryable: bool) -> None:
    shop.orders["O1-A"] = order(state=state)
    with opened(shop) as connector:
        (result,) = TrackingDelivery(connector).send([action("TRACKING", {"order_id": "O1-A", **UPS})]).values()
    assert (result.outcome, result.retryable) == (Outcome.FAILED, retryable)
    assert shop.writes == []


def test_a_free_carrier_name_is_not_sent_where_only_registered_ones_are_taken(shop: Marketplace) -> None:
    shop.features["disable_seller_alternative_carrier"] = True
    with opened(shop) as connector:
        wanted = action("TRACKING", {"order_id": "O1-A", "carrier_name": "Bob"})
        (result,) = TrackingDelivery(connector).send([wanted]).values()
    assert result.outcome is Outcome.FAILED
    assert shop.writes == []


def test_each_shipment_of_one_call_has_its_own_result(multi: Marketplace) -> None:
    multi.shipments = [shipment(f"S{n}") for n in range(4)]
    multi.on["POST", "/api/shipments/tracking"] = reply(
        {
            "shipment_success": [{"id": "S0"}, {"id": "S3"}],
            "shipment_errors": [{"id": "S1", "message": "unknown carrier"}, {"id": "S3", "message": "both"}],
        }
    )
    actions = [action("TRACKING", {"order_id": "O1-A", "shipment_id": f"S{n}", **UPS}, str(n)) for n in range(4)]
    with opened(multi) as connector:
        results = list(TrackingDelivery(connector).send(actions).values())
    assert [r.outcome for r in results] == [Outcome.SENT, Outcome.FAILED, Outcome.UNKNOWN, Outcome.UNKNOWN]
    assert results[1].detail == "unknown carrier"
    assert len(multi.writes) == 1
    assert body_of(multi.writes[0])["shipments"][0] == {"id": "S0", "tracking": UPS}


# --- dispatch of whole orders


def dispatch(key: str = "1", wire_key: str = "TO0001", **more: Any) -> Any:
    return action("DISPATCH", {"order_id": "O1-A", **more}, key, wire_key)


def test_a_dispatch_sets_the_tracking_and_then_ships(shop: Marketplace) -> None:
    shop.on[TRACK] = shop.on[SHIP] = NO_CONTENT
    with opened(shop) as connector:
        delivery = DispatchDelivery(connector)
        assert [r.url.rpartition("/")[2] for r in delivery.preview([dispatch(**UPS)])] == [
            "tracking?shop_id=2042",
            "ship?shop_id=2042",
        ]
        assert delivery.send([dispatch(**UPS)])["DISPATCH|BRICO|1"].outcome is Outcome.SENT
    assert [(w.method, w.path) for w in shop.writes] == [TRACK, SHIP]
    assert shop.writes[1].body == b""


def test_an_order_is_not_shipped_when_its_tracking_was_not_taken(shop: Marketplace) -> None:
    shop.on[TRACK] = reply({"message": "unknown carrier"}, 400)
    with opened(shop) as connector:
        result = DispatchDelivery(connector).send([dispatch(**UPS)])["DISPATCH|BRICO|1"]
    assert result.outcome is Outcome.FAILED
    assert [w.path for w in shop.writes] == [TRACK[1]]


def test_a_shipped_order_without_its_tracking_gets_only_that(shop: Marketplace) -> None:
    shop.orders["O1-A"] = order(state="SHIPPED")
    shop.on[TRACK] = NO_CONTENT
    with opened(shop) as connector:
        delivery = DispatchDelivery(connector)
        found = delivery.look_up([dispatch(**UPS)])["DISPATCH|BRICO|1"]
        assert found is not None
        assert not found.complete
        assert delivery.send([dispatch(**UPS)])["DISPATCH|BRICO|1"].outcome is Outcome.SENT
    assert [w.path for w in shop.writes] == [TRACK[1]]


def test_half_an_order_is_not_shipped_as_a_whole(shop: Marketplace) -> None:
    with opened(shop) as connector:
        wanted = dispatch(lines=[{"order_line_id": "O1-A-1", "quantity": 1}])
        result = DispatchDelivery(connector).send([wanted])["DISPATCH|BRICO|1"]
    assert result.outcome is Outcome.FAILED
    assert "only as a whole" in result.detail
    assert shop.writes == []


@pytest.mark.parametrize(
    ("answer", "outcome", "retryable"),
    [
        (reply({"message": "not in the expected state"}, 400), Outcome.FAILED, False),
        (Reply(401), Outcome.FAILED, True),
        (Reply(403), Outcome.FAILED, True),
        (Reply(404), Outcome.FAILED, False),
        (Reply(429, headers={"Retry-After": "1"}), Outcome.FAILED, True),
        (Reply(500, b"<html>"), Outcome.UNKNOWN, False),
        (LOST, Outcome.UNKNOWN, False),
    ],
)
def test_a_write_goes_out_once_whatever_the_answer(
    shop: Marketplace, answer: Reply, outcome: Outcome, retryable: bool
) -> None:
    shop.on[SHIP] = answer
    with opened(shop) as connector:
        result = DispatchDelivery(connector).send([dispatch()])["DISPATCH|BRICO|1"]
    assert (result.outcome, result.retryable) == (outcome, retryable)
    assert len(shop.writes) == 1


def test_a_platform_that_does_not_say_how_it_ships_gets_no_dispatch(shop: Marketplace) -> None:
    shop.features["shipment"] = {}
    with opened(shop) as connector:
        result = DispatchDelivery(connector).send([dispatch()])["DISPATCH|BRICO|1"]
    assert (result.outcome, result.retryable) == (Outcome.FAILED, True)
    assert shop.writes == []


# --- dispatch by shipments

TWO = [{"order_line_id": "O1-A-1", "quantity": 2}]
ONE = [{"order_line_id": "O1-A-1", "quantity": 1}]
CREATE = ("POST", "/api/shipments")


def created(status: str = "SHIPPED", ids: str = "S") -> Any:
    def answer(asked: Asked) -> Reply:
        done = [
            {"id": f"{ids}{n}", "order_id": s["order_id"], "status": status}
            for n, s in enumerate(body_of(asked)["shipments"], 1)
        ]
        return reply({"shipment_success": done, "shipment_errors": []}, 201)

    return answer


def test_a_shipment_is_created_and_shipped_in_one_call(multi: Marketplace) -> None:
    multi.on[CREATE] = created()
    wanted = dispatch(lines=TWO, invoice_reference="INV_1", warehouse_code="W1", **UPS)
    with opened(multi) as connector:
        result = DispatchDelivery(connector).send([wanted])["DISPATCH|BRICO|1"]
    assert (result.outcome, result.vendor_ids) == (Outcome.SENT, ("S1",))
    assert len(multi.writes) == 1
    assert body_of(multi.writes[0]) == {
        "shipments": [
            {
                "order_id": "O1-A",
                "shipment_lines": [{"order_line_id": "O1-A-1", "quantity": 2, "package_reference": "TO0001"}],
                "shipped": True,
                "tracking": UPS,
                "invoice_reference": "INV_1",
                "shipping_from": {"warehouse": {"code": "W1"}},
            }
        ]
    }


def test_a_new_shipment_that_did_not_leave_is_shipped_by_a_second_call(multi: Marketplace) -> None:
    multi.on[CREATE] = created("SHIPPING")
    multi.on["PUT", "/api/shipments/ship"] = reply({"shipment_success": [{"id": "S1"}]})
    with opened(multi) as connector:
        result = DispatchDelivery(connector).send([dispatch(lines=TWO)])["DISPATCH|BRICO|1"]
    assert result.outcome is Outcome.SENT
    assert body_of(multi.writes[1]) == {"shipments": [{"id": "S1"}]}


def test_after_a_lost_answer_the_shipment_is_found_and_only_shipped(multi: Marketplace) -> None:
    def lose(asked: Asked) -> Reply:
        multi.shipments.append(shipment(lines=body_of(asked)["shipments"][0]["shipment_lines"]))
        return LOST

    multi.on[CREATE] = lose
    multi.on["PUT", "/api/shipments/ship"] = reply({"shipment_success": [{"id": "S1"}]})
    with opened(multi) as connector:
        delivery = DispatchDelivery(connector)
        wanted = dispatch(lines=TWO)
        assert delivery.send([wanted])[wanted.action_key].outcome is Outcome.UNKNOWN
        found = delivery.look_up([wanted])[wanted.action_key]
        assert found is not None
        assert (found.complete, found.vendor_ids) == (False, ("S1",))
        assert delivery.send([wanted])[wanted.action_key].outcome is Outcome.SENT
    assert [w.path for w in multi.writes] == ["/api/shipments", "/api/shipments/ship"]


def test_another_parcel_of_the_same_lines_is_not_taken_for_ours(multi: Marketplace) -> None:
    multi.shipments = [
        shipment("S8", "SHIPPED", lines=[{**ONE[0], "package_reference": "TO0008"}]),
        shipment("S9", "CANCELED", lines=[{**ONE[0], "package_reference": "TO0001"}]),
    ]
    multi.on[CREATE] = created()
    with opened(multi) as connector:
        delivery = DispatchDelivery(connector)
        assert delivery.look_up([dispatch(lines=ONE)]) == {"DISPATCH|BRICO|1": None}
        assert delivery.send([dispatch(lines=ONE)])["DISPATCH|BRICO|1"].outcome is Outcome.SENT
    assert len(multi.writes) == 1


def test_where_the_reference_is_not_kept_the_tracking_number_tells(multi: Marketplace) -> None:
    multi.shipments = [shipment("S7", "SHIPPED", lines=TWO, tracking={"tracking_number": "1Z", "carrier_code": "UPS"})]
    with opened(multi) as connector:
        delivery = DispatchDelivery(connector)
        found = delivery.look_up([dispatch(lines=TWO, **UPS)])["DISPATCH|BRICO|1"]
        assert found is not None
        assert found.vendor_ids == ("S7",)
        assert delivery.read_back([dispatch(lines=TWO, **UPS)])["DISPATCH|BRICO|1"].ok
        assert delivery.look_up([dispatch(lines=TWO, **{**UPS, "tracking_number": "2Z"})])["DISPATCH|BRICO|1"] is None


def test_a_shipment_that_nothing_tells_apart_is_never_created(multi: Marketplace) -> None:
    with opened(multi) as connector:
        result = DispatchDelivery(connector).send([dispatch(wire_key="", lines=TWO)])["DISPATCH|BRICO|1"]
    assert result.outcome is Outcome.FAILED
    assert multi.writes == []


def test_no_line_is_sent_more_often_than_it_was_ordered(multi: Marketplace) -> None:
    multi.on[CREATE] = created()
    actions = [dispatch(str(n), f"TO{n}", lines=ONE) for n in range(3)]
    with opened(multi) as connector:
        results = list(DispatchDelivery(connector).send(actions).values())
    assert sorted(r.outcome for r in results) == [Outcome.FAILED, Outcome.SENT, Outcome.SENT]
    assert "too many" in next(r.detail for r in results if r.outcome is Outcome.FAILED)
    assert [len(body_of(w)["shipments"]) for w in multi.writes] == [1, 1], "no call has two shipments of one order"


def test_an_order_that_is_refused_in_a_201_fails_alone(multi: Marketplace) -> None:
    multi.orders["O2-A"] = order("O2-A")
    multi.on[CREATE] = reply(
        {
            "shipment_success": [{"id": "S1", "order_id": "O1-A", "status": "SHIPPED"}],
            "shipment_errors": [{"order_id": "O2-A", "message": "Shipment quantity is invalid."}],
        },
        201,
    )
    other = action("DISPATCH", {"order_id": "O2-A", "lines": [{"order_line_id": "O2-A-1", "quantity": 2}]}, "2")
    with opened(multi) as connector:
        results = DispatchDelivery(connector).send([dispatch(lines=TWO), other])
    assert results["DISPATCH|BRICO|1"].outcome is Outcome.SENT
    assert results["DISPATCH|BRICO|2"].outcome is Outcome.FAILED
    assert results["DISPATCH|BRICO|2"].detail == "Shipment quantity is invalid."


# --- deletion and origin of shipments


def test_only_a_shipment_that_has_not_left_is_deleted(multi: Marketplace) -> None:
    multi.shipments = [shipment("S1"), shipment("S2", "SHIPPED")]
    multi.on["PUT", "/api/shipments/delete"] = reply({"deletion_success": [{"id": "S1"}], "deletion_errors": []})
    actions = [action("SHIPMENT_DELETION", {"order_id": "O1-A", "shipment_id": one}, one) for one in ("S1", "S2", "S3")]
    with opened(multi) as connector:
        delivery = ShipmentDeletionDelivery(connector)
        results = delivery.send(actions)
        found = delivery.look_up(actions)
    assert [results[a.action_key].outcome for a in actions] == [Outcome.SENT, Outcome.FAILED, Outcome.SENT]
    assert body_of(multi.writes[0]) == {"shipments": [{"id": "S1"}]}
    assert [bool(f) for f in found.values()] == [False, False, True]


def test_the_origin_of_a_shipment_is_set_and_read_back(multi: Marketplace) -> None:
    multi.shipments = [shipment("S1")]

    def take(asked: Asked) -> Reply:
        multi.shipments[0]["shipping_from"] = body_of(asked)["shipments"][0]["shipping_from"]
        return reply({"shipment_success": [{"id": "S1"}], "shipment_errors": []})

    multi.on["PUT", "/api/shipments"] = take
    wanted = action("SHIPMENT_ORIGIN", {"order_id": "O1-A", "shipment_id": "S1", "warehouse_code": "W2"})
    with opened(multi) as connector:
        delivery = ShipmentOriginDelivery(connector)
        assert not delivery.read_back([wanted])[wanted.action_key].ok
        assert delivery.send([wanted])[wanted.action_key].outcome is Outcome.SENT
        assert delivery.read_back([wanted])[wanted.action_key].ok
        assert delivery.send([wanted])[wanted.action_key].detail.startswith("already there")
    assert len(multi.writes) == 1


def test_an_operator_writes_nothing() -> None:
    from connectors.mirakl import MiraklConnector

    operator = MiraklConnector("PLAZA", "https://plaza.example.com", None, "key", perspective="OPERATOR")
    assert deliveries(operator) == {}
    operator.close()
