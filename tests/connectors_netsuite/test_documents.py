"""Orders, credit memos, payments, deposits and fulfilments: written once, compared, and refused before they do harm."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from connectors.delivery import Action, DeliveryResult, Outcome
from connectors.netsuite import NetSuiteConnector
from connectors.netsuite.document_delivery import (
    CreditMemoDelivery,
    CustomerPaymentDelivery,
    DepositDelivery,
    SalesOrderDelivery,
)
from connectors.netsuite.fulfilments import FulfilmentDelivery
from connectors.netsuite.order_cancellations import OrderCancellationDelivery
from connectors.netsuite.writing import RecordDelivery
from tests.connectors_netsuite.account import AS_OF, SUBSIDIARY, connector, running

TODAY = f"{AS_OF:%Y-%m-%d}"
CUSTOMER = "Marketplace customer UK"
ITEM_LINES = [
    {"item_code": "SKU-0001", "quantity": "3", "unit_price": "39.95"},
    {"item_code": "SKU-0002", "quantity": "1", "unit_price": "10.50"},
]


@pytest.fixture(scope="module")
def reader() -> Iterator[NetSuiteConnector]:
    """One account for all tests: each writes under wire keys of its own."""
    with running() as (_, url):
        yield connector(url)


def action(kind: str, wire: str, **payload: Any) -> Action:
    return Action(f"{kind}|{wire}", wire, kind, "BRICO", "NS_UK", {"wire_key": wire, **payload})


def order(wire: str, **more: Any) -> Action:
    payload = {
        "order_reference": f"ORDER-{wire}",
        "order_date": TODAY,
        "customer_reference": CUSTOMER,
        "currency_code": "GBP",
        "location_name": "Warehouse Leeds",
        "lines": ITEM_LINES,
        **more,
    }
    return action("SALES_ORDER", wire, **payload)


def payment(wire: str, **more: Any) -> Action:
    payload = {
        "payment_date": TODAY,
        "customer_reference": CUSTOMER,
        "currency_code": "GBP",
        "amount": "100.00",
        **more,
    }
    return action("CUSTOMER_PAYMENT", wire, **payload)


def proved(delivery: RecordDelivery[Any], one: Action) -> str:
    """Send it twice: one transaction, which is found and as wanted. Its id."""
    assert delivery.look_up([one]) == {one.action_key: None}
    first = delivery.send([one])[one.action_key]
    assert first.outcome is Outcome.SENT, first
    verified = delivery.read_back([one])[one.action_key]
    assert verified.ok, verified
    found = delivery.look_up([one])[one.action_key]
    assert found is not None
    assert found.complete, found
    assert delivery.send([one])[one.action_key].vendor_ids == first.vendor_ids
    (identifier,) = first.vendor_ids
    return identifier


def refused(delivery: RecordDelivery[Any], one: Action) -> DeliveryResult:
    result = delivery.send([one])[one.action_key]
    assert result.outcome is Outcome.FAILED, result
    assert not result.retryable
    return result


def test_an_order_is_written_once_with_its_own_prices(reader: NetSuiteConnector) -> None:
    delivery = SalesOrderDelivery(reader, SUBSIDIARY)
    one = order("O1", shipping_address={"addressee": "A Person", "street_1": "1 High Street", "country": "GB"})
    body = json.loads(delivery.preview([one])[0].body)
    assert body["item"]["items"][0]["price"] == {"id": "-1"}, "no price level may replace the rate"
    assert body["otherRefNum"] == "ORDER-O1"
    identifier = proved(delivery, one)
    rows = reader.select(
        f"SELECT t.foreigntotal, t.otherrefnum FROM transaction t WHERE t.id = {identifier} ORDER BY t.id"
    )
    assert (rows[0]["otherrefnum"], Decimal(rows[0]["foreigntotal"])) == ("ORDER-O1", Decimal("130.35"))


def test_an_order_that_somebody_has_keyed_is_not_written_a_second_time(reader: NetSuiteConnector) -> None:
    delivery = SalesOrderDelivery(reader, SUBSIDIARY)
    proved(delivery, order("BYHAND"))
    other = order("OURS", order_reference="ORDER-BYHAND")
    assert "bears the number ORDER-BYHAND already, and not by our key" in refused(delivery, other).detail
    assert delivery.look_up([other]) == {other.action_key: None}


def test_an_order_that_is_there_with_other_lines_is_an_error(reader: NetSuiteConnector) -> None:
    delivery = SalesOrderDelivery(reader, SUBSIDIARY)
    proved(delivery, order("O2"))
    other = order("O2", lines=[{"item_code": "SKU-0001", "quantity": "2", "unit_price": "39.95"}])
    assert "item id 1: quantity is 3" in refused(delivery, other).detail


def test_an_order_that_waits_is_approved_when_it_is_sent_again(reader: NetSuiteConnector) -> None:
    one = order("O3")
    waiting = SalesOrderDelivery(reader, SUBSIDIARY, is_approved=False)
    waiting.send([one])
    assert "waits for approval" in waiting.read_back([one])[one.action_key].detail
    delivery = SalesOrderDelivery(reader, SUBSIDIARY)
    assert delivery.send([one])[one.action_key].detail.endswith("is approved now")
    assert delivery.read_back([one])[one.action_key].ok


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"lines": [{"item_code": "NONE", "quantity": "1", "unit_price": "1"}]}, "no item 'NONE'"),
        ({"lines": [{"item_code": "SKU-0020", "quantity": "1", "unit_price": "1"}]}, "only an inactive item"),
        ({"lines": [{"item_code": "SKU_0001", "quantity": "1", "unit_price": "1"}]}, "no item 'SKU_0001'"),
        ({"lines": [{"item_code": "SKU-0001", "quantity": "0", "unit_price": "1"}]}, "quantity is not positive"),
        ({"lines": []}, "no lines"),
        ({"location_name": "Nowhere"}, "no location 'Nowhere'"),
        ({"currency_code": "XXX"}, "no currencies XXX"),
        ({"lines": "text"}, "is no SalesOrder"),
    ],
)
def test_an_order_that_cannot_be_is_refused_with_what_to_correct(
    reader: NetSuiteConnector, more: dict[str, Any], why: str
) -> None:
    assert why in refused(SalesOrderDelivery(reader, SUBSIDIARY), order("BAD", **more)).detail


def test_a_credit_memo_is_written_once(reader: NetSuiteConnector) -> None:
    one = action(
        "CREDIT_NOTE",
        "C1",
        document_date=TODAY,
        customer_reference=CUSTOMER,
        currency_code="GBP",
        lines=ITEM_LINES,
        location_name="Warehouse Leeds",
    )
    proved(CreditMemoDelivery(reader, SUBSIDIARY), one)


def test_a_payment_is_applied_and_deposited_once(reader: NetSuiteConnector) -> None:
    one = payment("P1")
    paid = proved(CustomerPaymentDelivery(reader, SUBSIDIARY), one)
    deposit = action(
        "DEPOSIT",
        "D1",
        deposit_date=TODAY,
        account_code="1000",
        payments=["CP-P1"],
        other=[{"account_code": "1300", "amount": "20.00"}],
        cashback=[{"account_code": "6100", "amount": "7.50"}],
    )
    delivery = DepositDelivery(reader)
    body = json.loads(delivery.preview([deposit])[0].body)
    assert body["payment"] == {"items": [{"id": int(paid), "deposit": True}]}
    identifier = proved(delivery, deposit)
    rows = reader.select(f"SELECT t.foreigntotal FROM transaction t WHERE t.id = {identifier} ORDER BY t.id")
    assert Decimal(rows[0]["foreigntotal"]) == Decimal("112.50"), "payments + other - cashback"


def unpaid(reader: NetSuiteConnector) -> Decimal:
    """What is open of the invoice INV-1."""
    sql = "SELECT t.foreignamountunpaid FROM transaction t WHERE t.externalid = ? ORDER BY t.id"
    return Decimal(reader.select(sql, ["INV-1"])[0]["foreignamountunpaid"])


def test_payments_and_credits_settle_the_invoice_that_they_name(reader: NetSuiteConnector) -> None:
    before = unpaid(reader)
    applied = [{"external_id": "INV-1", "amount": "1.25"}]
    proved(CustomerPaymentDelivery(reader, SUBSIDIARY), payment("P4", amount="1.25", apply=applied))
    one = action(
        "CREDIT_NOTE",
        "C2",
        document_date=TODAY,
        customer_reference=CUSTOMER,
        currency_code="GBP",
        lines=[{"item_code": "SKU-0001", "quantity": "1", "unit_price": "2.00"}],
        location_name="Warehouse Leeds",
        apply=[{"external_id": "INV-1", "amount": "0.75"}],
    )
    proved(CreditMemoDelivery(reader, SUBSIDIARY), one)
    assert before - unpaid(reader) == Decimal("2.00")


def test_a_payment_of_another_amount_is_an_error(reader: NetSuiteConnector) -> None:
    delivery = CustomerPaymentDelivery(reader, SUBSIDIARY)
    proved(delivery, payment("P2"))
    assert "its amount is 100" in refused(delivery, payment("P2", amount="101.00")).detail


def test_a_deposit_of_nothing_or_of_an_unknown_payment_is_refused(reader: NetSuiteConnector) -> None:
    delivery, shared = DepositDelivery(reader), {"deposit_date": TODAY, "account_code": "1000"}
    assert "at least one payment" in refused(delivery, action("DEPOSIT", "D2", **shared)).detail
    assert (
        "no transaction 'CP-NONE'" in refused(delivery, action("DEPOSIT", "D3", payments=["CP-NONE"], **shared)).detail
    )


def test_posted_documents_keep_to_open_periods(reader: NetSuiteConnector) -> None:
    assert "is shut" in refused(CustomerPaymentDelivery(reader), payment("P3", payment_date="2026-01-10")).detail


def shipment(wire: str, order_wire: str, *lines: tuple[int, str], **more: Any) -> Action:
    return action(
        "FULFILMENT",
        wire,
        order_external_id=f"SO-{order_wire}",
        ship_date=TODAY,
        lines=[{"order_line": number, "quantity": quantity} for number, quantity in lines],
        packages=[{"tracking_number": f"TRK-{wire}"}],
        **more,
    )


def test_lines_that_are_not_named_are_not_shipped(reader: NetSuiteConnector) -> None:
    """Left out, NetSuite would ship them in full."""
    SalesOrderDelivery(reader, SUBSIDIARY).send([order("S1")])
    delivery = FulfilmentDelivery(reader)
    part = shipment("F1", "S1", (1, "2"))
    items = json.loads(delivery.preview([part])[0].body)["item"]["items"]
    assert items[1] == {"orderLine": 2, "itemReceive": False}
    identifier = proved(delivery, part)
    rows = reader.select(f"SELECT t.trackingnumberlist FROM transaction t WHERE t.id = {identifier} ORDER BY t.id")
    assert rows[0]["trackingnumberlist"] == "TRK-F1"
    proved(delivery, shipment("F2", "S1", (1, "1"), (2, "1")))


def test_more_than_is_left_or_a_line_that_is_not_there_is_refused(reader: NetSuiteConnector) -> None:
    SalesOrderDelivery(reader, SUBSIDIARY).send([order("S2")])
    delivery = FulfilmentDelivery(reader)
    assert "4 to ship, 3 left" in refused(delivery, shipment("F3", "S2", (1, "4"))).detail
    assert "no open line 9" in refused(delivery, shipment("F4", "S2", (9, "1"))).detail
    assert "named twice" in refused(delivery, shipment("F5", "S2", (1, "1"), (1, "1"))).detail
    assert "none of A" in refused(delivery, shipment("F6", "S2", (1, "1"), ship_status="X")).detail


def test_a_shipment_of_another_quantity_is_an_error(reader: NetSuiteConnector) -> None:
    SalesOrderDelivery(reader, SUBSIDIARY).send([order("S3")])
    delivery = FulfilmentDelivery(reader)
    proved(delivery, shipment("F7", "S3", (1, "1")))
    assert "item id 1 is shipped 1" in refused(delivery, shipment("F7", "S3", (1, "2"))).detail


def test_an_order_is_closed_once_and_not_after_something_left(reader: NetSuiteConnector) -> None:
    orders, delivery = SalesOrderDelivery(reader, SUBSIDIARY), OrderCancellationDelivery(reader)
    one, sent = order("X1"), order("X2")
    assert {result.outcome for result in orders.send([one, sent]).values()} == {Outcome.SENT}

    def cancellation(of: Action) -> Action:
        named = {name: of.payload[name] for name in ("order_reference", "customer_reference")}
        return action("ORDER_CANCELLATION", f"C{of.wire_key}", narrative="Cancelled at the marketplace", **named)

    closing = cancellation(one)
    assert delivery.look_up([closing]) == {closing.action_key: None}
    assert not delivery.read_back([closing])[closing.action_key].ok
    for _ in range(2):
        assert delivery.send([closing])[closing.action_key].outcome is Outcome.SENT
    assert delivery.read_back([closing])[closing.action_key].ok
    statuses = reader.select("SELECT t.status FROM transaction t WHERE t.externalid = 'SO-X1' ORDER BY t.id")
    assert statuses == [{"status": "H"}]
    shipped = shipment("X3", "X2", (1, "1"))
    assert FulfilmentDelivery(reader).send([shipped])[shipped.action_key].outcome is Outcome.SENT
    late = delivery.send([cancellation(sent)])["ORDER_CANCELLATION|CX2"]
    assert (late.outcome, late.retryable) == (Outcome.FAILED, False)
    assert "any more" in late.detail
