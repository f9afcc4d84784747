"""A delivery address goes from the marketplace's answer into the ERP's order, and is told to nobody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.delivery import Action, Outcome
from tests.chaos.town import NETSUITE, NETSUITE_SHOP, SAGE, SAGE_SHOP, Town, running, world
from tests.chaos.work import NETSUITE_PAYLOADS, PAYLOADS, Context

CASES = [(SAGE, SAGE_SHOP, PAYLOADS), (NETSUITE, NETSUITE_SHOP, NETSUITE_PAYLOADS)]


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with running(world()) as one:
        yield one


@pytest.mark.parametrize(("erp", "shop", "payloads"), CASES, ids=["sage200", "netsuite"])
def test_an_address_reaches_the_erp_order_and_nothing_else(town: Town, erp: str, shop: str, payloads: dict) -> None:  # type: ignore[type-arg]
    deliveries = town.deliveries()
    context = Context(town, deliveries, f"ADDR{erp}", f"TO{erp}ADDRESS", erp, 3)
    payload = payloads["ORDER_ADDRESS"](context)
    action = Action("ORDER_ADDRESS|1", "W1", "ORDER_ADDRESS", shop, erp, payload)
    shown = town.shop(shop).orders[payload["order_reference"]].record()["customer"]["shipping_address"]
    personal = [shown[name] for name in ("lastname", "street_1", "zip_code")]
    delivery = deliveries["ORDER_ADDRESS", erp]
    assert delivery.look_up([action]) == {"ORDER_ADDRESS|1": None}
    told = [repr(delivery.preview([action])), repr(action)]
    for _ in range(2):
        result = delivery.send([action])["ORDER_ADDRESS|1"]
        assert result.outcome is Outcome.SENT, result
        told.append(repr(result))
    verification = delivery.read_back([action])["ORDER_ADDRESS|1"]
    assert verification.ok, verification
    told.append(repr(verification))
    assert not [part for part in personal for words in told if part in words]
    books = town.store.company["sop_orders"].rows if erp == SAGE else town.store.netsuite[erp].books.extras.values()
    assert sum(shown["street_1"] in str(one) and shown["zip_code"] in str(one) for one in books) == 1


def test_an_address_that_somebody_entered_stays(town: Town) -> None:
    deliveries = town.deliveries()
    context = Context(town, deliveries, "ADDRKEPT", "TOADDRESSKEPT", SAGE, 4)
    payload = PAYLOADS["ORDER_ADDRESS"](context)
    (row,) = [
        r for r in town.store.company["sop_orders"].rows if r["customer_document_no"] == payload["order_reference"]
    ]
    own = town.store.company["sop_orders"].own(row["id"])
    own |= {"use_invoice_address": False, "delivery_address": {"address_1": "Goods in, dock 4", "postcode": "LS1 1AA"}}
    town.store.company["sop_orders"].touch(own)
    action = Action("ORDER_ADDRESS|2", "W2", "ORDER_ADDRESS", SAGE_SHOP, SAGE, payload)
    result = deliveries["ORDER_ADDRESS", SAGE].send([action])["ORDER_ADDRESS|2"]
    assert (result.outcome, result.retryable) == (Outcome.FAILED, False)
    assert "left alone" in result.detail
