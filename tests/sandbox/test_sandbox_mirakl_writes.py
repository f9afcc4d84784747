"""Writes on Mirakl orders over real HTTP: tracking, shipping, refunds, cancelations, shipments, incidents, returns."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from conftest import Served, serve
from planting import (
    ORDER,
    accept,
    all_lines,
    confirm_debits,
    exact,
    order,
    plant,
    set_features,
    ship,
    shop_of,
    sums,
    tax_line,
)

from sandbox.world import World

LINE = f"{ORDER}-1"
OTHER = "TEST-88-A"


def shipped(served: Served, client: httpx.Client, **changes: Any) -> None:
    """The planted order, paid and sent."""
    plant(served, **changes)
    accept(client)
    confirm_debits(served.mirakl("operator"))
    ship(client)


def refund(client: httpx.Client, amount: str = "10.00", shipping: str = "0", **more: Any) -> httpx.Response:
    part = {"order_line_id": LINE, "amount": amount, "shipping_amount": shipping, "reason_code": "14"} | more
    return client.put("orders/refund", json={"order_tax_mode": "TAX_INCLUDED", "refunds": [part]})


def created_at(line: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(line["date_created"])


def first_line(client: httpx.Client) -> dict[str, Any]:
    return order(client)["order_lines"][0]


@pytest.fixture(scope="module")
def sent(world: World) -> Iterator[Served]:
    """For calls that are refused: the planted order is sent, a second one waits to be."""
    for served in serve(world):
        with served.mirakl() as client:
            shipped(served, client)
            plant(served, OTHER)
            accept(client, OTHER)
            confirm_debits(served.mirakl("operator"), OTHER)
        set_features(served, shipment={"multi_shipment": True})
        yield served


# --- tracking and shipping


def test_a_registered_carrier_has_its_url_computed_and_the_last_tracking_wins(fresh: Served) -> None:
    plant(fresh)
    with fresh.mirakl() as client:
        too_early = client.put(f"orders/{ORDER}/tracking", json={"carrier_code": "PPL", "tracking_number": "1"})
        assert (too_early.status_code, too_early.json()["code"]) == (400, "ORDER_INVALID_STATE")
        accept(client)
        confirm_debits(fresh.mirakl("operator"))
        for number in ("A1", "B2"):
            body = {"carrier_code": "PPL", "tracking_number": number, "carrier_url": "https://elsewhere.example"}
            assert client.put(f"orders/{ORDER}/tracking", json=body).status_code == 204
        found = order(client)
    assert found["shipping_tracking"] == "B2"
    assert found["shipping_tracking_url"] == "https://track.pretendparcels.example/?n=B2"
    assert found["order_state"] == "SHIPPING"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"carrier_code": "NOBODY", "tracking_number": "1"}, "carrier_code"),
        ({"carrier_code": "PPL"}, "tracking_number"),
        ({"tracking_number": "1"}, "carrier_name"),
        ({"carrier_code": 5}, "carrier_code"),
    ],
)
def test_a_bad_tracking_is_refused_with_the_field_named(sent: Served, body: dict[str, Any], field: str) -> None:
    with sent.mirakl() as client:
        answer = client.put(f"orders/{OTHER}/tracking", json=body)
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == [field]
        assert order(client, OTHER)["shipping_tracking"] is None


def test_a_free_carrier_needs_a_platform_that_allows_it(fresh: Served) -> None:
    plant(fresh)
    body = {"carrier_name": "My Van", "carrier_url": "https://van.example/7", "tracking_number": "7"}
    with fresh.mirakl() as client:
        accept(client)
        confirm_debits(fresh.mirakl("operator"))
        assert client.put(f"orders/{ORDER}/tracking", json=body).status_code == 204
        assert order(client)["shipping_tracking_url"] == "https://van.example/7"
        set_features(fresh, disable_seller_alternative_carrier=True)
        assert client.put(f"orders/{ORDER}/tracking", json=body).status_code == 400


def test_an_order_is_shipped_once_and_only_when_it_is_paid(fresh: Served) -> None:
    plant(fresh)
    with fresh.mirakl() as client:
        accept(client)
        assert client.put(f"orders/{ORDER}/ship").status_code == 400
        confirm_debits(fresh.mirakl("operator"))
        ship(client)
        repeated = client.put(f"orders/{ORDER}/ship")
        assert client.put("orders/NOBODY-1-A/ship").status_code == 404
        found = order(client)
    assert repeated.status_code == 400
    assert repeated.json()["message"] == "The order is not in the expected state for this operation"
    assert (found["order_state"], found["order_lines"][0]["order_line_state"]) == ("SHIPPED", "SHIPPED")
    assert found["order_lines"][0]["can_refund"]


# --- refunds


def test_a_refund_takes_the_sale_back_and_returns_commission_in_chained_lines(fresh: Served) -> None:
    with fresh.mirakl() as client:
        shipped(fresh, client)
        before = all_lines(client)
        (made,) = exact(refund(client, "10.00", "1.00"))["refunds"]
        after = all_lines(client)
        shown = first_line(client)["refunds"]
    new = after[len(before) :]
    assert sums(new) == {
        "REFUND_ORDER_AMOUNT": Decimal("-10.00"),
        "REFUND_ORDER_SHIPPING_AMOUNT": Decimal("-1.00"),
        "REFUND_COMMISSION_FEE": Decimal("1.10"),
        "REFUND_COMMISSION_VAT": Decimal("0.22"),
    }
    assert [part["id"] for part in shown] == [made["refund_id"]]
    assert (shown[0]["refund_state"], shown[0]["commission_total_amount"]) == (
        "WAITING_REFUND_PAYMENT",
        Decimal("1.32"),
    )
    assert {line["entities"]["refund"]["id"] for line in new} == {made["refund_id"]}
    assert {line["payment_state"] for line in new} == {"PENDING"}
    balance = before[-1]["balance"]
    for line in new:
        balance += line["amount"]
        assert line["balance"] == balance
    assert min(created_at(line) for line in new) > max(created_at(line) for line in before)


def test_a_repeated_refund_is_another_refund(fresh: Served) -> None:
    with fresh.mirakl() as client:
        shipped(fresh, client)
        first, second = (exact(refund(client))["refunds"][0] for _ in range(2))
        assert first["refund_id"] != second["refund_id"]
        assert [part["amount"] for part in first_line(client)["refunds"]] == [10, 10]
        beyond = refund(client, "10.01")
        assert beyond.json()["errors"][0]["field"] == "refunds[0].amount"
        assert len(first_line(client)["refunds"]) == 2


def test_partial_refunds_give_back_the_whole_commission_and_end_the_line(fresh: Served) -> None:
    with fresh.mirakl() as client:
        shipped(fresh, client)
        for amount, shipping in (("7.77", "0"), ("0.01", "0"), ("22.22", "5.01")):
            exact(refund(client, amount, shipping))
        line = first_line(client)
        assert sum(sums(all_lines(client, order_id=ORDER)).values()) == 0
    assert sum(part["commission_amount"] for part in line["refunds"]) == line["commission_fee"]
    assert line["order_line_state"] == "REFUNDED"
    assert order(fresh.mirakl())["fully_refunded"]


def test_taxes_must_be_given_where_the_order_has_them(fresh: Served) -> None:
    plant(fresh, order_tax_mode="TAX_EXCLUDED")
    tax = {"code": "VAT", "amount": Decimal("6.00"), "rate": Decimal("20"), "tax_calculation_rule": "NONE"}
    tax_line(fresh, ORDER, 0, taxes=[tax])
    with fresh.mirakl() as client:
        accept(client)
        confirm_debits(fresh.mirakl("operator"))
        ship(client)
        assert sums(all_lines(client, order_id=ORDER))["ORDER_AMOUNT_TAX"] == 6
        missing, unknown, too_much = (
            refund(client, "12.00", taxes=taxes)
            for taxes in (None, [{"code": "GST", "amount": 2}], [{"code": "VAT", "amount": 6.01}])
        )
        exact(refund(client, "12.00", taxes=[{"code": "VAT", "amount": "2.00"}]))
        (made,) = first_line(client)["refunds"]
        booked = sums(all_lines(client, order_id=ORDER))
    fields = [answer.json()["errors"][0]["field"] for answer in (missing, unknown, too_much)]
    assert fields == ["refunds[0].taxes", "refunds[0].taxes[0].code", "refunds[0].taxes[0].amount"]
    # 12.00 with its tax inside is 10.00 as this order expresses amounts.
    assert (made["amount"], made["taxes"]) == (10, [{"code": "VAT", "amount": 2}])
    assert (booked["REFUND_ORDER_AMOUNT"], booked["REFUND_ORDER_AMOUNT_TAX"]) == (-10, -2)


def test_a_tax_that_the_operator_remits_leaves_and_enters_the_balance_by_lines_of_its_own(fresh: Served) -> None:
    plant(fresh, order_tax_mode="TAX_EXCLUDED")
    part = {"amount": Decimal("6.00"), "commissionable": False, "debitable_from_customer": True}
    parts = {"parts": [part | {"payable_to_shop": False}]}
    tax_line(fresh, ORDER, 0, taxes=[{"code": "VAT", "amount": Decimal("6.00"), "amount_breakdown": parts}])
    with fresh.mirakl() as client:
        accept(client)
        (row,) = confirm_debits(fresh.mirakl("operator"))
        ship(client)
        exact(refund(client, "12.00", taxes=[{"code": "VAT", "amount": "2.00"}]))
        booked = sums(all_lines(client, order_id=ORDER))
    assert row["amount"] == Decimal("41.01")
    assert (booked["ORDER_AMOUNT_TAX"], booked["OPERATOR_REMITTED_ORDER_AMOUNT_TAX"]) == (6, -6)
    assert (booked["REFUND_ORDER_AMOUNT_TAX"], booked["OPERATOR_REMITTED_REFUND_ORDER_AMOUNT_TAX"]) == (-2, 2)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": None}, "refunds[0].amount"),
        ({"amount": "ten"}, "refunds[0].amount"),
        ({"amount": "1.005"}, "refunds[0].amount"),
        ({"amount": -1}, "refunds[0].amount"),
        ({"amount": 0}, "refunds[0].amount"),
        ({"shipping_amount": 99}, "refunds[0].shipping_amount"),
        ({"reason_code": 14}, "refunds[0].reason_code"),
        ({"quantity": 1.5}, "refunds[0].quantity"),
        ({"currency_iso_code": "EUR"}, "refunds[0].currency_iso_code"),
    ],
)
def test_a_refund_that_breaks_the_contract_creates_nothing(sent: Served, change: dict[str, Any], field: str) -> None:
    with sent.mirakl() as client:
        answer = refund(client, **change)
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == [field]
        assert first_line(client)["refunds"] == []


def test_nothing_is_refunded_when_one_of_the_refunds_is_bad_or_too_early(fresh: Served) -> None:
    plant(fresh)
    with fresh.mirakl() as client:
        accept(client)
        assert refund(client).json()["code"] == "ORDER_LINE_INVALID_STATE"
        confirm_debits(fresh.mirakl("operator"))
        ship(client)
        good = {"order_line_id": LINE, "amount": 20, "shipping_amount": 0, "reason_code": "14"}
        answer = client.put("orders/refund", json={"refunds": [good, good]})
        assert answer.json()["errors"][0]["field"] == "refunds[1].amount"
        lost = client.put("orders/refund", json={"refunds": [good | {"order_line_id": "NOBODY-1"}]})
        assert (lost.status_code, lost.json()["code"]) == (404, "ORDER_LINE_NOT_FOUND")
        assert first_line(client)["refunds"] == []


def test_a_refund_waits_for_the_operators_payment_and_is_paid_once(fresh: Served) -> None:
    operator = fresh.mirakl("operator")
    with fresh.mirakl() as client:
        shipped(fresh, client)
        made = exact(refund(client, "10.00", "1.00"))["refunds"][0]["refund_id"]
        rows = exact(operator.get("payment/refund", params={"max": 100}))["orders"]["order"]
        (row,) = (row for row in rows if row["order_id"] == ORDER)
        assert row["order_lines"]["order_line"][0]["refunds"]["refund"] == [{"amount": 11, "id": made}]
        part = {"refund_id": made, "payment_status": "OK", "transaction_number": "R-1"}
        assert operator.put("payment/refund", json={"refunds": [part | {"amount": 10}]}).status_code == 400
        assert operator.put("payment/refund", json={"refunds": [part | {"amount": 11}]}).status_code == 204
        assert operator.put("payment/refund", json={"refunds": [part | {"amount": 11}]}).status_code == 400
        (shown,) = first_line(client)["refunds"]
    assert (shown["refund_state"], shown["transaction_number"]) == ("REFUNDED", "R-1")


# --- cancelation


def test_a_cancelled_quantity_is_not_debited(fresh: Served) -> None:
    plant(fresh, lines=((3, "30.00", "5.01"), (1, "8.00", "0.00")))
    part = {"order_line_id": LINE, "amount": 10, "shipping_amount": 0, "quantity": 1, "reason_code": "OUT_OF_STOCK"}
    with fresh.mirakl() as client:
        accept(client)
        (made,) = exact(client.put("orders/cancel", json={"cancelations": [part]}))["cancelations"]
        second = part | {"order_line_id": f"{ORDER}-2", "amount": 8}
        exact(client.put("orders/cancel", json={"cancelations": [second]}))
        states = [line["order_line_state"] for line in order(client)["order_lines"]]
        (row,) = confirm_debits(fresh.mirakl("operator"))
        booked = sums(all_lines(client, order_id=ORDER))
        too_late = client.put("orders/cancel", json={"cancelations": [part]})
    assert made["cancelation_id"].isdigit()
    assert states == ["WAITING_DEBIT_PAYMENT", "CANCELED"]
    assert row["amount"] == Decimal("25.01")
    assert (booked["ORDER_AMOUNT"], booked["ORDER_SHIPPING_AMOUNT"]) == (Decimal("20.00"), Decimal("5.01"))
    # 10 % of 35.01 less the share of the 10.00 that was cancelled.
    assert booked["COMMISSION_FEE"] == Decimal("-2.50")
    assert too_late.json()["code"] == "ORDER_LINE_INVALID_STATE"


def test_a_whole_order_is_cancelled_while_it_may_be(fresh: Served) -> None:
    plant(fresh)
    with fresh.mirakl() as client:
        assert client.put(f"orders/{ORDER}/cancel").status_code == 400
        accept(client)
        assert client.put(f"orders/{ORDER}/cancel").status_code == 204
        found = order(client)
        assert client.put(f"orders/{ORDER}/cancel").status_code == 400
        assert exact(fresh.mirakl("operator").get("payment/debit"))["total_count"] == 0
    assert (found["order_state"], found["order_lines"][0]["order_line_state"]) == ("CANCELED", "CANCELED")
    assert found["total_price"] == 0
    assert found["order_lines"][0]["cancelations"][0]["amount"] == 30


def test_what_has_left_or_was_given_back_is_not_cancelled(fresh: Served) -> None:
    """Of five, one is sent and one planned: neither the whole order can be cancelled nor more than the three."""
    part = {"order_line_id": LINE, "amount": 20, "shipping_amount": 0, "reason_code": "OUT_OF_STOCK"}
    with fresh.mirakl() as client:
        multi_shipment(fresh, client, payment_workflow="PAY_ON_DUE_DATE", lines=((5, "50.00", "5.00"),))
        assert order(client)["can_cancel"] is True
        planned = exact(client.post("shipments", json={"shipments": [shipment(1, shipped=True), shipment(1)]}), 201)
        assert order(client)["can_cancel"] is False
        assert client.put(f"orders/{ORDER}/cancel").json()["code"] == "ORDER_INVALID_STATE"
        too_many = client.put("orders/cancel", json={"cancelations": [part | {"quantity": 4}]})
        assert (too_many.status_code, "remaining 3" in too_many.text) == (400, True)
        exact(client.put("orders/cancel", json={"cancelations": [part | {"quantity": 2}]}))
        too_much = client.put("orders/cancel", json={"cancelations": [part | {"quantity": 1, "amount": "30.01"}]})
        assert (too_much.status_code, "exceeds the remaining amount 30.00" in too_much.text) == (400, True)
        exact(client.put("orders/cancel", json={"cancelations": [part | {"quantity": 1, "amount": 10}]}))
        assert order(client)["order_state"] == "SHIPPING"
        exact(client.put("shipments/ship", json={"shipments": [{"id": planned["shipment_success"][1]["id"]}]}))
        found = order(client)
    assert (found["order_state"], found["order_lines"][0]["order_line_state"]) == ("SHIPPED", "SHIPPED")


def test_a_cancelation_of_all_that_was_to_come_ends_the_shipping(fresh: Served) -> None:
    part = {"order_line_id": LINE, "amount": 20, "shipping_amount": 0, "quantity": 2, "reason_code": "OUT_OF_STOCK"}
    with fresh.mirakl() as client:
        multi_shipment(fresh, client, payment_workflow="PAY_ON_DUE_DATE")
        exact(client.post("shipments", json={"shipments": [shipment(1, shipped=True)]}), 201)
        exact(client.put("orders/cancel", json={"cancelations": [part]}))
        assert order(client)["order_state"] == "SHIPPED"


# --- shipments


def multi_shipment(fresh: Served, client: httpx.Client, **changes: Any) -> None:
    set_features(fresh, shipment={"multi_shipment": True})
    plant(fresh, **changes)
    accept(client)
    if changes.get("payment_workflow", "PAY_ON_ACCEPTANCE") == "PAY_ON_ACCEPTANCE":
        confirm_debits(fresh.mirakl("operator"))


def shipment(quantity: int, line: str = LINE, **more: Any) -> dict[str, Any]:
    return {"order_id": ORDER, "shipment_lines": [{"order_line_id": line, "quantity": quantity}]} | more


def left_to_ship(client: httpx.Client) -> int:
    rows = exact(client.get("shipments/items_to_ship", params={"order_id": ORDER}))["data"]
    return sum(line["quantity"] for row in rows for line in row["shipment_lines"])


def test_an_order_goes_out_in_parts_and_each_part_succeeds_or_fails_alone(fresh: Served) -> None:
    with fresh.mirakl() as client:
        assert client.post("shipments", json={"shipments": [shipment(1)]}).status_code == 400
        multi_shipment(fresh, client)
        assert left_to_ship(client) == 3
        lost = {**shipment(1), "order_id": "NOBODY-1-A"}
        wanted = [shipment(2, shipped=True), lost, shipment(2), shipment(1)]
        made = exact(client.post("shipments", json={"shipments": wanted}), 201)
        assert [one["status"] for one in made["shipment_success"]] == ["SHIPPED", "SHIPPING"]
        assert [error["order_id"] for error in made["shipment_errors"]] == ["NOBODY-1-A", ORDER]
        assert "exceeds the remaining quantity to ship: 1" in made["shipment_errors"][1]["message"]
        assert left_to_ship(client) == 0
        assert order(client)["order_state"] == "SHIPPING"
        assert client.put(f"orders/{ORDER}/ship").status_code == 400

        open_id = made["shipment_success"][1]["id"]
        both = {"shipments": [{"id": open_id}, {"id": "nobody"}]}
        sent = exact(client.put("shipments/ship", json=both))
        assert sent["shipment_success"] == [{"id": open_id}]
        assert [error["id"] for error in sent["shipment_errors"]] == ["nobody"]
        again = exact(client.put("shipments/ship", json={"shipments": [{"id": open_id}]}))
        assert (again["shipment_success"], len(again["shipment_errors"])) == ([], 1)
        assert order(client)["order_state"] == "SHIPPED"


def test_a_deleted_shipment_is_to_be_shipped_again(fresh: Served) -> None:
    with fresh.mirakl() as client:
        multi_shipment(fresh, client)
        made = exact(client.post("shipments", json={"shipments": [shipment(3)]}), 201)["shipment_success"][0]
        tracking = {"id": made["id"], "tracking": {"carrier_code": "PPL", "tracking_number": "X9"}}
        bad = {"id": made["id"], "tracking": {"carrier_code": "NOBODY"}}
        answer = exact(client.post("shipments/tracking", json={"shipments": [tracking, bad]}))
        assert (len(answer["shipment_success"]), len(answer["shipment_errors"])) == (1, 1)
        (shown,) = exact(client.get("shipments", params={"order_id": ORDER}))["data"]
        assert shown["tracking"]["tracking_url"] == "https://track.pretendparcels.example/?n=X9"
        origin = {"id": made["id"], "shipping_from": {"warehouse": {"code": "NORTH"}}}
        assert len(exact(client.put("shipments", json={"shipments": [origin]}))["shipment_success"]) == 1
        exact(client.put("shipments/delete", json={"shipments": [{"id": made["id"]}]}))
        assert exact(client.get("shipments", params={"order_id": ORDER}))["data"] == []
        assert left_to_ship(client) == 3


def test_units_refunded_ahead_are_not_shipped(fresh: Served) -> None:
    with fresh.mirakl() as client:
        multi_shipment(fresh, client)
        exact(refund(client, "10.00", quantity=1, excluded_from_shipment=True))
        assert left_to_ship(client) == 2
        exact(client.post("shipments", json={"shipments": [shipment(2, shipped=True)]}), 201)
        assert order(client)["order_state"] == "SHIPPED"


def test_pay_on_shipment_debits_each_shipment_and_the_parts_add_up(fresh: Served) -> None:
    operator = fresh.mirakl("operator")
    with fresh.mirakl() as client:
        multi_shipment(fresh, client, payment_workflow="PAY_ON_SHIPMENT", lines=((3, "10.00", "1.00"),))
        assert all_lines(client, order_id=ORDER) == []
        debited, asked = [], Decimal(0)
        for _ in range(3):
            made = exact(client.post("shipments", json={"shipments": [shipment(1, shipped=True)]}), 201)
            assert made["shipment_success"][0]["status_customer_debit"] == "WAITING_DEBIT_CONFIRMATION"
            (row,) = confirm_debits(operator)
            assert row["debit_entity"] == {"id": made["shipment_success"][0]["id"], "type": "SHIPMENT"}
            debited.append(sums(all_lines(client, order_id=ORDER))["ORDER_AMOUNT"])
            asked += row["amount"]
        booked = all_lines(client, order_id=ORDER)
        states = [one["status_customer_debit"] for one in exact(client.get("shipments"))["data"]]
    assert debited == [Decimal("3.33"), Decimal("6.67"), Decimal("10.00")]
    assert asked == 11
    assert sums(booked) == {
        "ORDER_AMOUNT": Decimal("10.00"),
        "ORDER_SHIPPING_AMOUNT": Decimal("1.00"),
        "COMMISSION_FEE": Decimal("-1.10"),
        "COMMISSION_VAT": Decimal("-0.22"),
    }
    assert len({line["entities"]["shipment"]["id"] for line in booked}) == 3
    assert states == ["DEBIT_OK"] * 3


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("shipments", {"shipments": []}, "shipments"),
        ("shipments", {"shipments": [shipment(1)] * 1001}, "shipments"),
        ("shipments", {"shipments": [shipment(0)]}, "shipments[0].shipment_lines[0].quantity"),
        ("shipments", {"shipments": [shipment(1, invoice_reference="a b")]}, "shipments[0].invoice_reference"),
        ("shipments/tracking", {"shipments": [{"id": "x"}]}, "shipments[0].tracking"),
        ("shipments/tracking", {}, "shipments"),
    ],
)
def test_a_bad_list_of_shipments_is_refused_as_a_whole(
    sent: Served, path: str, body: dict[str, Any], field: str
) -> None:
    with sent.mirakl() as client:
        answer = client.post(path, json=body)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


# --- incidents, returns, sides


def test_an_incident_holds_the_money_until_the_operator_closes_it(fresh: Served) -> None:
    operator, path = fresh.mirakl("operator"), f"orders/{ORDER}/lines/{LINE}"

    def states() -> set[str]:
        return {line["payment_state"] for line in all_lines(fresh.mirakl(), order_id=ORDER)}

    with fresh.mirakl() as client:
        shipped(fresh, client)
        reason = {"reason_code": "1"}
        code = next((one["code"] for one in shop_of(fresh).world.reasons if one["type"] == "INCIDENT_OPEN"), "1")
        assert operator.put(f"{path}/open_incident", json={"reason_code": code}).status_code == 204
        assert operator.put(f"orders/{ORDER}/receive").status_code == 204
        assert order(client)["has_incident"]
        assert states() == {"PENDING"}
        assert operator.put(f"{path}/close_incident", json={}).json()["errors"][0]["field"] == "reason_code"
        closing = [one for one in shop_of(fresh).world.reasons if one["type"] == "INCIDENT_CLOSE"]
        reason = {"reason_code": next((one["code"] for one in closing if one["is_shop_right"]), "2")}
        assert client.put(f"{path}/resolve_incident", json=reason).status_code == 204
        assert states() == {"PENDING"}
        assert operator.put(f"{path}/close_incident", json={}).status_code == 204
        assert states() == {"PAYABLE"}
        assert first_line(client)["order_line_state"] == "RECEIVED"
        assert client.put(f"{path}/resolve_incident", json=reason).status_code == 400


def test_returns_move_on_one_by_one(fresh: Served) -> None:
    shop_of(fresh).returns["r-1"] = {
        "id": "r-1",
        "state": "WAITING_ACCEPTANCE",
        "date_created": "2026-07-01T08:00:00Z",
        "last_updated": "2026-07-01T08:00:00Z",
        "order_id": ORDER,
        "return_lines": [],
    }
    with fresh.mirakl() as client:
        early = exact(client.put("returns/receive", json={"returns": [{"id": "r-1"}]}))
        assert (early["return_success"], len(early["return_errors"])) == ([], 1)
        both = {"returns": [{"id": "r-1", "accepted": True}, {"id": "r-2", "accepted": True}]}
        answer = exact(client.put("returns/accept", json=both))
        assert (answer["return_success"], [one["id"] for one in answer["return_errors"]]) == ([{"id": "r-1"}], ["r-2"])
        for path in ("returns/receive", "returns/close"):
            assert exact(client.put(path, json={"returns": [{"id": "r-1"}]}))["return_errors"] == []
    assert shop_of(fresh).returns["r-1"]["state"] == "CLOSED"
    assert shop_of(fresh).returns["r-1"]["last_updated"] == "2026-07-03T08:00:00Z"


def test_sellers_and_operators_each_have_their_own_calls(served: Served) -> None:
    with served.mirakl() as seller, served.mirakl("operator") as operator:
        assert seller.put("payment/debit", json={}).status_code == 403
        assert operator.put("orders/refund", json={}).status_code == 403
        assert served.mirakl("orders_only").put("orders/refund", json={}).status_code == 403
