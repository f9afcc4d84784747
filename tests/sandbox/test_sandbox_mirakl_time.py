"""What time does at Mirakl: time-outs, payment workflows, reception, cycles and pay-outs, the same after a restart."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from conftest import Served, serve
from planting import (
    ORDER,
    accept,
    all_lines,
    confirm_debits,
    exact,
    order,
    pass_time,
    plant,
    ship,
    shop_of,
    sums,
)

from sandbox import jsonio
from sandbox.world import World


def test_who_does_not_decide_in_time_loses_the_order(fresh: Served) -> None:
    plant(fresh)
    with fresh.mirakl() as client:
        pass_time(fresh, hours=47.9)
        assert order(client)["order_state"] == "WAITING_ACCEPTANCE"
        pass_time(fresh, hours=60)
        found = order(client)
        assert client.put(f"orders/{ORDER}/accept", json={"order_lines": []}).status_code == 400
    line = found["order_lines"][0]
    assert (found["order_state"], line["order_line_state"]) == ("REFUSED", "REFUSED")
    assert line["order_line_state_reason_code"] == "ACCEPTANCE_TIMEOUT"
    assert line["order_line_state_reason_label"] == "Automatically rejected"
    assert found["acceptance_decision_date"] is None
    # Stamped with the time it fell due, not with the time that somebody looked.
    assert found["last_updated_date"] == "2026-07-05T08:00:00Z"


@pytest.mark.parametrize(
    ("workflow", "booked_after"),
    [
        ("PAY_ON_ACCEPTANCE", "accepted"),
        ("PAY_ON_SHIPMENT", "shipped"),
        ("PAY_ON_DUE_DATE", "shipped"),
        ("PAY_ON_DELIVERY", "received"),
        ("NO_CUSTOMER_PAYMENT_CONFIRMATION", "shipped"),
    ],
)
def test_each_payment_workflow_books_the_sale_in_its_own_time(fresh: Served, workflow: str, booked_after: str) -> None:
    fresh.settings(is_operator_automatic=False)
    operator = fresh.mirakl("operator")
    plant(fresh, payment_workflow=workflow, payment_duration=10)
    is_reported = workflow != "NO_CUSTOMER_PAYMENT_CONFIRMATION"

    def pay() -> int:
        rows = confirm_debits(operator) if exact(operator.get("payment/debit"))["total_count"] else []
        return len(rows)

    seen = {}
    with fresh.mirakl() as client:
        accept(client)
        assert order(client)["order_state"] == (
            "WAITING_DEBIT_PAYMENT" if workflow == "PAY_ON_ACCEPTANCE" else "SHIPPING"
        )
        for step in ("accepted", "shipped", "received"):
            if step == "shipped":
                ship(client)
            elif step == "received":
                assert operator.put(f"orders/{ORDER}/receive").status_code == 204
            assert pay() == (is_reported and step == booked_after)
            seen[step] = sums(all_lines(client, order_id=ORDER))
        last = all_lines(client, order_id=ORDER)
        found = order(client)
    steps = list(seen)
    expected = [steps.index(step) >= steps.index(booked_after) for step in steps]
    assert [bool(booked) for booked in seen.values()] == expected
    assert seen["received"]["ORDER_AMOUNT"] == 30
    assert {line["payment_state"] for line in last} == {"PAYABLE"}
    assert bool(found["customer_debited_date"]) == is_reported


def test_a_refused_payment_ends_the_order(fresh: Served) -> None:
    operator = fresh.mirakl("operator")
    plant(fresh)
    with fresh.mirakl() as client:
        accept(client)
        (row,) = exact(operator.get("payment/debit"))["orders"]["order"]
        body = {"order_id": ORDER, "customer_id": row["customer_id"], "payment_status": "REFUSED"}
        assert operator.put("payment/debit", json={"orders": [body]}).status_code == 204
        again = operator.put("payment/debit", json={"orders": [body]})
        assert order(client)["order_state"] == "CANCELED"
        assert all_lines(client, order_id=ORDER) == []
    assert again.status_code == 400
    assert "must be in state WAITING_DEBIT_PAYMENT, current state: CANCELED" in again.json()["message"]


def test_a_debit_of_another_amount_is_refused(fresh: Served) -> None:
    operator = fresh.mirakl("operator")
    plant(fresh)
    with fresh.mirakl() as client:
        accept(client)
    (row,) = exact(operator.get("payment/debit"))["orders"]["order"]
    assert row["amount"] == Decimal("35.01")
    body = {"order_id": ORDER, "customer_id": row["customer_id"], "payment_status": "OK", "amount": 35}
    assert operator.put("payment/debit", json={"orders": [body]}).json()["errors"][0]["field"] == "orders[0].amount"


def test_an_order_left_alone_is_paid_received_settled_and_closed(fresh: Served) -> None:
    plant(fresh)
    with fresh.mirakl() as client:
        accept(client)
        pass_time(fresh, minutes=31)
        assert order(client)["order_state"] == "SHIPPING"
        ship(client)
        states = []
        for days in (6.9, 7.1, 8.5, 22):
            pass_time(fresh, days=days)
            lines = all_lines(client, order_id=ORDER)
            states.append((order(client)["order_state"], *{line["payment_state"] for line in lines}))
        # Received on 10 July; the cycle of 11 July takes the money; closed a fortnight later.
        assert states == [("SHIPPED", "PENDING"), ("RECEIVED", "PAYABLE"), ("RECEIVED", "PAID"), ("CLOSED", "PAID")]
        found = order(client)
        assert found["order_lines"][0]["order_line_state_reason_code"] == "AUTO_RECEIVED"
        (cycle_id,) = {line["seller_billing_cycle_id"] for line in lines}
        (cycle,) = exact(client.get("seller-billing-cycles", params={"id": cycle_id}))["data"]
        members = all_lines(client, seller_billing_cycle_id=cycle_id)
        invoices = exact(client.get("invoices", params={"seller_billing_cycle_id": cycle_id}))["invoices"]
    assert cycle["date_created"] == "2026-07-11T00:00:00Z"
    assert cycle["pay_out"]["state"] == "PAID"
    booked = sums(members)
    assert booked["PAYMENT"] == -cycle["amount_transferred_to_seller"]
    assert cycle["summary"]["total_commissions_excl_tax"] == booked["COMMISSION_FEE"]
    (document,) = invoices
    fees = ("COMMISSION_FEE", "COMMISSION_VAT", "REFUND_COMMISSION_FEE", "REFUND_COMMISSION_VAT")
    charged = -sum(booked.get(name, Decimal(0)) for name in fees)
    penalties = -sum(amount for name, amount in booked.items() if name.startswith(("SELLER_", "SUBSCRIPTION")))
    assert document["total_amount_incl_taxes"] == charged + penalties
    assert document["payment"]["state"] == "PAID"
    assert document["summary"]["amount_transferred"] == cycle["amount_transferred_to_seller"]


def test_balances_chain_over_cycles_and_every_cycle_ties_out(fresh: Served, world: World) -> None:
    with fresh.mirakl() as client:
        known = len(all_lines(client))
        before = exact(client.get("account"))["payment_details"]
        pass_time(fresh, days=40)
        shown = exact(client.get("account"))["payment_details"]
        lines = all_lines(client)
        cycles = exact(client.get("seller-billing-cycles", params={"limit": 100, "sort": "dateCreated,ASC"}))["data"]
    balance = lines[known - 1]["balance"]
    for line in lines[known:]:
        balance += line["amount"]
        assert line["balance"] == balance
    new = [cycle for cycle in cycles if cycle["date_created"] > "2026-07-03"]
    assert [cycle["date_created"][:10] for cycle in new] == ["2026-07-11", "2026-07-21", "2026-08-01", "2026-08-11"]
    pending = sum(line["amount"] for line in lines if line["payment_state"] == "PENDING")
    unpaid = sum(c["amount_transferred_to_seller"] for c in new if c["pay_out"]["state"] == "TO_PAY")
    assert balance == pending + unpaid
    assert not [line for line in lines if line["payment_state"] == "PAYABLE"]
    paid = -sum(line["amount"] for line in lines[known:] if line["type"] == "PAYMENT")
    assert shown["paid_balance"] == before["paid_balance"] + paid
    # The world's account shows more than its lines add up to: one of its faults, which time does not mend.
    told = {(e["marketplace_code"], e["exception_code"]): e["amount"] for e in world.truth["exceptions"]}
    assert shown["pending_balance"] == pending
    assert shown["payable_balance"] == balance - pending + told["BRICO", "CLR-005"]


def test_a_jump_of_the_clock_gives_the_world_that_small_steps_give(world: World, tmp_path: Path) -> None:
    results = []
    for steps in ((30,), (0.5, 1, 2, 7, 7.5, 8.1, 12, 19, 30)):
        for served in serve(world, None):
            plant(served)
            with served.mirakl() as client:
                accept(client)
                for days in steps:
                    pass_time(served, days=days)
                    client.get("version")
                results.append((all_lines(client), exact(client.get("orders", params={"max": 100, "order": "desc"}))))
    assert results[0] == results[1]


def test_a_pay_out_fails_for_a_seller_who_is_not_identified(fresh: Served) -> None:
    shop = shop_of(fresh)
    shop.account = shop.account | {"kyc": {"status": "PENDING_SUBMISSION"}}
    with fresh.mirakl() as client:
        pass_time(fresh, days=10)
        failed = exact(client.get("seller-billing-cycles", params={"limit": 1}))["data"][0]
        assert failed["pay_out"] == {"state": "FAILED", "failure_reason": "INCOMPLETE_KYC"}
        shop.account = shop.account | {"kyc": {"status": "APPROVED"}}
        pass_time(fresh, days=20)
        paid = exact(client.get("seller-billing-cycles", params={"limit": 1}))["data"][0]
        lines = all_lines(client)
    assert (failed["amount_transferred_to_seller"], paid["pay_out"]["state"]) == (0, "PAID")
    # Nothing was lost: what was due went out with the next cycle, and all that is left is not payable yet.
    assert lines[-1]["type"] == "PAYMENT"
    assert lines[-1]["balance"] == sum(line["amount"] for line in lines if line["payment_state"] == "PENDING")
    own = sum(line["amount"] for line in lines[:-1] if line.get("seller_billing_cycle_id") == paid["id"])
    assert -lines[-1]["amount"] > own


def test_the_operator_confirms_pay_outs_itself_when_it_is_told_to(fresh: Served) -> None:
    fresh.settings(is_operator_automatic=False)
    operator = fresh.mirakl("operator")
    with fresh.mirakl() as client:
        pass_time(fresh, days=10)
        cycle = exact(client.get("seller-billing-cycles", params={"limit": 1}))["data"][0]
        assert cycle["pay_out"] == {"state": "TO_PAY"}
        part = {
            "id": cycle["id"],
            "amount_transferred_to_seller": cycle["amount_transferred_to_seller"],
            "state": "PAID",
            "reference": "BANK-1",
            "transaction_date": "2026-07-13T10:00:00Z",
        }

        def confirm(**changes: object) -> int:
            body = {"seller_billing_cycles": [part | changes]}
            return operator.put("seller-billing-cycles", content=jsonio.encode(body)).status_code

        assert confirm(amount_transferred_to_seller=1) == 400
        assert confirm(transaction_date=None) == 400
        assert confirm(state="TO_PAY") == 400
        assert confirm() == 204
        assert confirm() == 400
        paid = exact(client.get("seller-billing-cycles", params={"limit": 1}))["data"][0]
        last = all_lines(client)[-1]
    assert paid["pay_out"]["reference"] == "BANK-1"
    assert (last["type"], last["amount"]) == ("PAYMENT", -cycle["amount_transferred_to_seller"])


def test_an_order_under_screening_waits_for_the_operator(fresh: Served) -> None:
    operator = fresh.mirakl("operator")
    plant(fresh, order_state="STAGING")
    with fresh.mirakl() as client:
        pass_time(fresh, days=3)
        assert order(client)["order_state"] == "STAGING"
        assert operator.put(f"orders/{ORDER}/validate").status_code == 204
        assert operator.put(f"orders/{ORDER}/validate").status_code == 400
        assert order(client)["order_state"] == "WAITING_ACCEPTANCE"
        pass_time(fresh, days=4.9)
        assert order(client)["order_state"] == "WAITING_ACCEPTANCE"
        pass_time(fresh, days=5.1)
        assert order(client)["order_state"] == "REFUSED"


def test_a_restart_remembers_writes_and_what_time_did_between_them(world: World, tmp_path: Path) -> None:
    def start() -> Iterator[Served]:
        return serve(world, tmp_path / "state")

    waiting = next(o for o in world.mirakl["BRICO"].orders.values() if o["order_state"] == "WAITING_ACCEPTANCE")
    order_id, line_id = waiting["order_id"], waiting["order_lines"][0]["order_line_id"]
    seen = []
    for served in start():
        with served.mirakl() as client:
            accept(client, order_id)
            pass_time(served, hours=1)
            ship(client, order_id)
            pass_time(served, days=9)
            part = {"order_line_id": line_id, "amount": 1, "shipping_amount": 0, "reason_code": "14"}
            exact(client.put("orders/refund", json={"refunds": [part]}))
            seen.append((order(client, order_id), all_lines(client), served.control().get("clock").json()["now"]))
    for served in start():
        with served.mirakl() as client:
            seen.append((order(client, order_id), all_lines(client), served.control().get("clock").json()["now"]))
    assert seen[0][0]["order_state"] == "RECEIVED"
    assert seen[0] == seen[1]
