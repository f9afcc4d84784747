"""Orders of which nothing has left are cancelled once; anything else is said and left alone."""

from __future__ import annotations

import pytest

from connectors.delivery import Action, Outcome
from tests.connectors_sage200.conftest import Site, action
from tests.connectors_sage200.test_orders import CARRIAGE, goods, held, items, order


def cancellation(of: Action) -> Action:
    named = {name: of.payload[name] for name in ("order_reference", "customer_reference")}
    return action("ORDER_CANCELLATION", narrative="Cancelled at the marketplace", **named)


def placed(site: Site) -> Action:
    found = items(site)
    one = order([goods(found[0]["code"]), goods(found[1]["code"], "1"), CARRIAGE])
    (result,) = site.send(one)
    assert result.outcome is Outcome.SENT, result.detail
    return one


def test_an_order_is_cancelled_once_and_keeps_its_number(site: Site) -> None:
    one = placed(site)
    cancelled = cancellation(one)
    assert site.look_up(cancelled) is None
    assert not site.proof(cancelled).ok
    for _ in range(2):
        (result,) = site.send(cancelled)
        assert result.outcome is Outcome.SENT, result.detail
    row = held(site, one)
    assert [line["line_type"] for line in row["lines"]] == ["EnumLineTypeComment"]
    assert row["total_gross_value"] == 0
    assert site.proof(cancelled).ok
    found = site.look_up(cancelled)
    assert found is not None
    assert found.complete
    assert not site.store.sage_writes.orders.holds_lock(row["id"])


def test_what_has_left_or_is_there_twice_or_not_at_all_is_not_cancelled(site: Site) -> None:
    sent = placed(site)
    line = held(site, sent)["lines"][0]
    line["despatch_receipt_quantity"] = line["line_quantity"]
    (result,) = site.send(cancellation(sent))
    assert result.outcome is Outcome.FAILED
    assert "despatched already" in result.detail
    assert len(held(site, sent)["lines"]) == 3
    (result,) = site.send(cancellation(order([CARRIAGE])))
    assert (result.outcome, result.retryable) == (Outcome.FAILED, False)
    assert "no order" in result.detail


@pytest.mark.parametrize("kind", ["outcome_unknown", "reset"])
def test_a_lost_answer_is_found_by_looking(site: Site, kind: str) -> None:
    one = placed(site)
    cancelled = cancellation(one)
    site.disturb("sop_orders", kind=kind, method="PUT")
    (result,) = site.send(cancelled)
    assert result.outcome is Outcome.UNKNOWN
    found = site.look_up(cancelled)
    assert found is not None
    assert found.complete


def test_an_order_that_somebody_has_open_waits(site: Site) -> None:
    one = placed(site)
    site.switch(locked_orders={str(held(site, one)["id"]): "ANNA"})
    (result,) = site.send(cancellation(one))
    assert (result.outcome, result.retryable) == (Outcome.FAILED, True)
