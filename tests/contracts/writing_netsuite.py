"""Every document that the connector writes to NetSuite: looked up, previewed, written, proved and found again."""

from __future__ import annotations

from typing import Any

from connectors.addresses import Destination
from connectors.delivery import Action, Outcome
from connectors.netsuite import NetSuiteConnector
from connectors.netsuite.delivery import JournalDelivery
from connectors.netsuite.document_delivery import (
    CreditMemoDelivery,
    CustomerPaymentDelivery,
    DepositDelivery,
    SalesOrderDelivery,
)
from connectors.netsuite.fulfilments import FulfilmentDelivery
from connectors.netsuite.order_addresses import NetSuiteOrderAddressDelivery
from connectors.netsuite.order_cancellations import OrderCancellationDelivery
from connectors.netsuite.writing import RecordDelivery
from tests.connectors_netsuite.account import AS_OF, SUBSIDIARY

DAY = f"{AS_OF:%Y-%m-%d}"
BASE_CURRENCY = "GBP"
BUYER = {"customer_reference": "Marketplace customer UK", "currency_code": BASE_CURRENCY}
LINES = [{"item_code": "SKU-0001", "quantity": "3", "unit_price": "39.95", "narrative": "first"}]
DESTINATION = Destination(addressee="A Person", street_1="1 High Street", city="York", postcode="YO1 1AA", country="GB")
BANK, FEES, OTHER = "1000", "6100", "1300"
"""Accounts of the sandbox's company by their numbers."""


def write_everything(reader: NetSuiteConnector) -> None:
    order, payment = SalesOrderDelivery(reader, SUBSIDIARY), CustomerPaymentDelivery(reader, SUBSIDIARY)
    waiting = {"order_reference": "ORDER-CONTRACT8", "order_date": DAY, "lines": LINES, **BUYER}
    _send(SalesOrderDelivery(reader, SUBSIDIARY, is_approved=False), "CONTRACT8", **waiting)
    _write(order, "CONTRACT8", **waiting)
    address = {"addressee": "A Person", "street_1": "1 High Street", "city": "York", "country": "GB"}
    _write(
        order,
        "CONTRACT2",
        order_reference="ORDER-CONTRACT2",
        order_date=DAY,
        location_name="Warehouse Leeds",
        lines=LINES,
        narrative="an order",
        shipping_address=address,
        **BUYER,
    )
    _write(payment, "CONTRACT3", payment_date=DAY, amount="100.00", narrative="a payment", **BUYER)
    applied = [{"external_id": "INV-1", "amount": "1.25"}]
    _write(payment, "CONTRACT4", payment_date=DAY, amount="1.25", apply=applied, **BUYER)
    _write(
        CreditMemoDelivery(reader, SUBSIDIARY),
        "CONTRACT5",
        document_date=DAY,
        lines=[{"item_code": "SKU-0001", "quantity": "1", "unit_price": "2.00"}],
        location_name="Warehouse Leeds",
        apply=[{"external_id": "INV-1", "amount": "0.75"}],
        **BUYER,
    )
    _write(
        DepositDelivery(reader),
        "CONTRACT6",
        deposit_date=DAY,
        account_code=BANK,
        payments=["CP-CONTRACT3"],
        other=[{"account_code": OTHER, "amount": "20.00"}],
        cashback=[{"account_code": FEES, "amount": "7.50", "narrative": "commission"}],
    )
    _write(
        FulfilmentDelivery(reader),
        "CONTRACT7",
        order_external_id="SO-CONTRACT2",
        ship_date=DAY,
        lines=[{"order_line": 1, "quantity": "2"}],
        packages=[{"tracking_number": "TRK-1", "description": "a box", "weight": "1.5"}],
    )
    other = {"order_reference": "ORDER-CONTRACT9", **BUYER}
    _write(order, "CONTRACT9", order_date=DAY, lines=LINES, **other)
    _write(NetSuiteOrderAddressDelivery(reader, lambda shop, of: dict.fromkeys(of, DESTINATION)), "CONTRACT10", **other)
    _write(OrderCancellationDelivery(reader), "CONTRACT11", narrative="Cancelled at the marketplace", **other)
    _write(
        JournalDelivery(reader, SUBSIDIARY),
        "CONTRACT1",
        journal_key="UKTRADE|BRICO|CONTRACT1",
        kind="SETTLEMENT",
        posting_date=DAY,
        currency_code=BASE_CURRENCY,
        lines=[
            _line(1, "NOMINAL", FEES, debit="12.34"),
            _line(2, "BANK", BANK, credit="12.34"),
        ],
    )


def _line(number: int, kind: str, code: str, **sides: str) -> dict[str, Any]:
    return {"line_no": number, "account_role": kind, "account_type": kind, "account_code": code, **sides}


def _send(delivery: RecordDelivery[Any], wire_key: str, **payload: Any) -> Action:
    body = {"wire_key": wire_key, **payload}
    one = Action(f"{delivery.kind}|{wire_key}", wire_key, delivery.kind, "BRICO", "NS_UK", body)
    delivery.preview([one])
    result = delivery.send([one])[one.action_key]
    assert result.outcome is Outcome.SENT, result
    return one


def _write(delivery: RecordDelivery[Any], wire_key: str, **payload: Any) -> None:
    """Twice, the second time it is found; and proved."""
    _send(delivery, wire_key, **payload)
    one = _send(delivery, wire_key, **payload)
    proof = delivery.read_back([one])[one.action_key]
    assert proof.ok, proof
