"""Refunds and cancelations: never a second one by accident, never a wrong one by silence."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from connectors.delivery import Action, Outcome
from connectors.mirakl.writes import CancelationDelivery, RefundDelivery
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

REFUND = ("PUT", "/api/orders/refund")
CANCEL = ("PUT", "/api/orders/cancel")
LINE = "O1-A-1"
DECIDED = "2026-07-03T07:00:00Z"


def part(**more: Any) -> Record:
    return {
        "order_line_id": LINE,
        "amount": Decimal("12.10"),
        "shipping_amount": Decimal("2.00"),
        "reason_code": "15",
        **more,
    }


def refund(*parts: Record, key: str = "1", **more: Any) -> Action:
    payload = {"order_id": "O1-A", "currency_code": "GBP", "known_ids": [], "refunds": list(parts or [part()]), **more}
    return action("REFUND", {k: v for k, v in payload.items() if v is not None}, key)


def cancelation(*parts: Record, key: str = "1", **more: Any) -> Action:
    parts = parts or (part(quantity=1),)
    payload = {"order_id": "O1-A", "currency_code": "GBP", "known_ids": [], "cancelations": list(parts), **more}
    return action("CANCELATION", payload, key)


def held(number: int, created: str = "2026-07-03T08:00:00Z", **more: Any) -> Record:
    """A refund as OR11 shows it."""
    return {
        "id": str(number),
        "amount": Decimal("12.10"),
        "shipping_amount": Decimal("2"),
        "reason_code": "15",
        "created_date": created,
        "refund_state": "WAITING_REFUND",
        **more,
    }


@pytest.fixture
def shop() -> Marketplace:
    marketplace = Marketplace()
    marketplace.orders["O1-A"] = order(state="RECEIVED")
    marketplace.on[REFUND] = takes(marketplace)
    return marketplace


def the_line(shop: Marketplace) -> Record:
    first: Record = shop.orders["O1-A"]["order_lines"][0]
    return first


def takes(shop: Marketplace, *, is_lost: bool = False) -> Any:
    """The platform's own behaviour: every call makes new refunds, also of the same content."""

    def answer(asked: Asked) -> Reply:
        made = []
        for wanted in body_of(asked)["refunds"]:
            for one in shop.orders["O1-A"]["order_lines"]:
                if one["order_line_id"] == wanted["order_line_id"]:
                    new = held(1000 + sum(len(x["refunds"]) for x in shop.orders["O1-A"]["order_lines"]))
                    one["refunds"].append(
                        {**new, **{k: wanted[k] for k in ("amount", "shipping_amount", "reason_code")}}
                    )
                    made.append({**wanted, "refund_id": new["id"], "order_refund_id": "G"})
        return LOST if is_lost else reply({"order_tax_mode": "TAX_INCLUDED", "refunds": made})

    return answer


def test_a_refund_goes_out_with_exact_amounts_and_the_mode_they_are_meant_in(shop: Marketplace) -> None:
    the_line(shop)["taxes"] = [{"code": "VAT", "amount": Decimal("3.3333")}]
    wanted = refund(
        part(taxes=[{"code": "VAT", "amount": Decimal("2.0167")}], quantity=1), order_tax_mode="TAX_EXCLUDED"
    )
    with opened(shop) as connector:
        delivery = RefundDelivery(connector)
        assert delivery.look_up([wanted]) == {wanted.action_key: None}
        result = delivery.send([wanted])[wanted.action_key]
        assert (result.outcome, result.vendor_ids) == (Outcome.SENT, ("1000",))
        assert delivery.read_back([wanted])[wanted.action_key].ok
    assert shop.writes[0].body.decode() == (
        '{"order_tax_mode":"TAX_EXCLUDED","refunds":[{"order_line_id":"O1-A-1","amount":12.10,"shipping_amount":2.00,'
        '"reason_code":"15","currency_iso_code":"GBP","quantity":1,"taxes":[{"code":"VAT","amount":2.0167}]}]}'
    )
    modes = {asked.parameters["order_tax_mode"] for asked in shop.asked if asked.method == "GET"}
    assert modes == {"TAX_EXCLUDED"}, "amounts are compared in the mode in which they are meant"


def test_a_lost_answer_is_unknown_and_the_refund_is_found_instead_of_repeated(shop: Marketplace) -> None:
    shop.on[REFUND] = takes(shop, is_lost=True)
    wanted = refund()
    with opened(shop) as connector:
        delivery = RefundDelivery(connector)
        assert delivery.send([wanted])[wanted.action_key].outcome is Outcome.UNKNOWN
        found = delivery.look_up([wanted])[wanted.action_key]
        assert found is not None
        assert (found.complete, found.vendor_ids) == (True, ("1000",))
        assert delivery.send([wanted])[wanted.action_key].detail.startswith("already there")
    assert len(shop.writes) == 1


def test_a_lost_answer_of_a_refund_that_never_arrived_is_not_found(shop: Marketplace) -> None:
    shop.on[REFUND] = LOST
    wanted = refund()
    with opened(shop) as connector:
        delivery = RefundDelivery(connector)
        assert delivery.send([wanted])[wanted.action_key].outcome is Outcome.UNKNOWN
        assert delivery.look_up([wanted])[wanted.action_key] is None


@pytest.mark.parametrize(
    ("earlier", "is_ours"),
    [
        (held(7), True),
        (held(7, amount="12.1"), True),
        (held(7, created="2026-07-03T06:56:00Z"), True),
        (held(7, created=None), True),
        (held(7, reason_code=None), True),
        (held(7, created="2026-07-03T06:54:00Z"), False),
        (held(6), False),
        (held(7, amount=Decimal("12.11")), False),
        (held(7, shipping_amount=0), False),
        (held(7, reason_code="16"), False),
    ],
)
def test_what_counts_as_this_refund(shop: Marketplace, earlier: Record, is_ours: bool) -> None:
    the_line(shop)["refunds"] = [earlier]
    with opened(shop) as connector:
        found = RefundDelivery(connector).look_up([refund(known_ids=["6"], decided_at=DECIDED)])
    assert (found["REFUND|BRICO|1"] is not None) == is_ours


def test_two_equal_refunds_are_two(shop: Marketplace) -> None:
    the_line(shop)["price"] = Decimal("100.00")
    the_line(shop)["shipping_price"] = Decimal("10.00")
    first, second = refund(key="1"), refund(key="2")
    with opened(shop) as connector:
        delivery = RefundDelivery(connector)
        assert delivery.send([first])[first.action_key].vendor_ids == ("1000",)
        assert delivery.send([second])[second.action_key].vendor_ids == ("1001",)
        found = delivery.look_up([first, second])
    assert [f.vendor_ids for f in found.values() if f] == [("1000",), ("1001",)]
    assert len(shop.writes) == 2


def test_only_what_is_missing_of_a_refund_is_sent(shop: Marketplace) -> None:
    shop.orders["O1-A"]["order_lines"].append(line("O1-A-2", "RECEIVED"))
    the_line(shop)["refunds"] = [held(7)]
    wanted = refund(part(), part(order_line_id="O1-A-2"))
    with opened(shop) as connector:
        delivery = RefundDelivery(connector)
        found = delivery.look_up([wanted])[wanted.action_key]
        assert found is not None
        assert not found.complete
        result = delivery.send([wanted])[wanted.action_key]
    assert (result.outcome, result.vendor_ids) == (Outcome.SENT, ("7", "1001"))
    assert [p["order_line_id"] for p in body_of(shop.writes[0])["refunds"]] == ["O1-A-2"]


def test_an_answer_that_leaves_a_line_out_is_unknown(shop: Marketplace) -> None:
    shop.orders["O1-A"]["order_lines"].append(line("O1-A-2", "RECEIVED"))
    shop.on[REFUND] = reply({"order_tax_mode": "TAX_INCLUDED", "refunds": [{"order_line_id": LINE, "refund_id": "5"}]})
    with opened(shop) as connector:
        result = RefundDelivery(connector).send([refund(part(), part(order_line_id="O1-A-2"))])["REFUND|BRICO|1"]
    assert (result.outcome, result.vendor_ids) == (Outcome.UNKNOWN, ("5",))
    assert "O1-A-2" in result.detail


def test_an_answer_that_cannot_be_read_is_unknown(shop: Marketplace) -> None:
    shop.on[REFUND] = Reply(200, b"<html>")
    with opened(shop) as connector:
        assert RefundDelivery(connector).send([refund()])["REFUND|BRICO|1"].outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("change", "words", "retryable"),
    [
        ({"taxes": [{"code": "VAT", "amount": 3}]}, "VAT in taxes", False),
        ({"shipping_taxes": [{"code": "VAT", "amount": 1}]}, "VAT in shipping_taxes", False),
        ({"can_refund": False}, "takes no refund", False),
        ({"can_refund": False, "order_line_state": "SHIPPING"}, "takes no refund", False),
        ({"can_refund": False, "order_line_state": "WAITING_DEBIT"}, "is still WAITING_DEBIT", True),
        ({"price": Decimal("12.09")}, "more than is left", False),
        (
            {"refunds": [held(3, amount=Decimal("8.00"), shipping_amount=0)]},
            "more than is left: 20.00 less 8.00",
            False,
        ),
        ({"order_line_id": "OTHER"}, "has no line", False),
    ],
)
def test_a_line_that_is_not_as_required_gets_no_refund(
    shop: Marketplace, change: Record, words: str, retryable: bool
) -> None:
    the_line(shop).update(change)
    with opened(shop) as connector:
        result = RefundDelivery(connector).send([refund()])["REFUND|BRICO|1"]
    assert (result.outcome, result.retryable) == (Outcome.FAILED, retryable)
    assert words in result.detail
    assert shop.writes == []


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (refund(currency_code="EUR"), "the payload says EUR"),
        (refund(known_ids=None), "neither known_ids nor decided_at"),
        (refund(refunds=[]), "no refunds"),
        (refund(part(), part()), "put them together"),
        (refund(part(amount=Decimal("-1"))), "at least 0"),
        (refund(part(), part(reason_code="16")), "more than is left: 20.00 less 12.10"),
        (refund(part(amount=0, shipping_amount=0)), "nothing is given back"),
        (refund(part(amount="NaN")), "at least 0"),
        (refund(part(amount=1.5)), "not a decimal amount"),
        (refund(part(reason_code=None)), "no reason_code"),
        (refund(part(taxes=[{"code": "GST", "amount": 1}])), "has no GST in taxes"),
        (refund(order_tax_mode="NET"), "order_tax_mode"),
        (refund(decided_at="yesterday"), "ISO 8601"),
    ],
)
def test_a_payload_that_cannot_be_right_never_leaves(shop: Marketplace, wanted: Action, words: str) -> None:
    with opened(shop) as connector:
        result = RefundDelivery(connector).send([wanted])[wanted.action_key]
    assert (result.outcome, result.retryable) == (Outcome.FAILED, False)
    assert words in result.detail
    assert shop.writes == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, None),
        ({"state": "IN_PROGRESS"}, None),
        ({"state": "REFUSED"}, "no goods come back"),
        ({"order_id": "O2-A"}, "has no return"),
        ({"id": "R2"}, "has no return"),
        ({"return_lines": [{"order_line_id": "O1-A-9"}]}, f"does not hold lines {LINE}"),
    ],
)
def test_a_return_that_is_named_is_read_first(shop: Marketplace, change: Record, words: str | None) -> None:
    shop.returns = [
        {"id": "R1", "order_id": "O1-A", "state": "RECEIVED", "return_lines": [{"order_line_id": LINE}], **change}
    ]
    with opened(shop) as connector:
        result = RefundDelivery(connector).send([refund(return_id="R1")])["REFUND|BRICO|1"]
    assert "/api/returns" in shop.reads
    if words is None:
        assert result.outcome is Outcome.SENT
    else:
        assert result.outcome is Outcome.FAILED
        assert words in result.detail
        assert shop.writes == []


# --- cancelations


@pytest.fixture
def unsent(shop: Marketplace) -> Marketplace:
    shop.orders["O1-A"] = order(state="SHIPPING", can_cancel=True)
    shop.on[CANCEL] = reply(
        {"order_tax_mode": "TAX_INCLUDED", "cancelations": [{"order_line_id": LINE, "cancelation_id": 77}]}
    )
    return shop


def test_a_whole_order_is_canceled_only_when_the_payload_says_so(unsent: Marketplace) -> None:
    path = ("PUT", "/api/orders/O1-A/cancel")

    def cancel(_: Asked) -> Reply:
        unsent.orders["O1-A"]["order_state"] = "CANCELED"
        return NO_CONTENT

    unsent.on[path] = cancel
    vague = action("CANCELATION", {"order_id": "O1-A"})
    wanted = action("CANCELATION", {"order_id": "O1-A", "is_whole_order": True})
    with opened(unsent) as connector:
        delivery = CancelationDelivery(connector)
        assert delivery.send([vague])[vague.action_key].outcome is Outcome.FAILED
        assert unsent.writes == []
        assert delivery.look_up([wanted])[wanted.action_key] is None
        assert delivery.send([wanted])[wanted.action_key].outcome is Outcome.SENT
        assert delivery.look_up([wanted])[wanted.action_key] is not None
        assert delivery.read_back([wanted])[wanted.action_key].ok
    assert [(w.method, w.path, w.body) for w in unsent.writes] == [(*path, b"")]


def test_an_order_that_cannot_be_canceled_is_left_alone(unsent: Marketplace) -> None:
    unsent.orders["O1-A"]["can_cancel"] = False
    wanted = action("CANCELATION", {"order_id": "O1-A", "is_whole_order": True})
    with opened(unsent) as connector:
        assert CancelationDelivery(connector).send([wanted])[wanted.action_key].outcome is Outcome.FAILED
    assert unsent.writes == []


def test_parts_of_lines_are_canceled_with_their_real_quantity(unsent: Marketplace) -> None:
    with opened(unsent) as connector:
        result = CancelationDelivery(connector).send([cancelation()])["CANCELATION|BRICO|1"]
    assert (result.outcome, result.vendor_ids) == (Outcome.SENT, ("77",))
    (sent,) = body_of(unsent.writes[0])["cancelations"]
    assert sent == {
        "order_line_id": LINE,
        "amount": Decimal("12.10"),
        "shipping_amount": Decimal("2.00"),
        "reason_code": "15",
        "currency_iso_code": "GBP",
        "quantity": 1,
    }


def test_a_cancelation_that_is_there_is_found(unsent: Marketplace) -> None:
    the_line(unsent)["cancelations"] = [held(4)]
    with opened(unsent) as connector:
        delivery = CancelationDelivery(connector)
        found = delivery.look_up([cancelation()])["CANCELATION|BRICO|1"]
        assert found is not None
        assert found.vendor_ids == ("4",)
        assert delivery.look_up([cancelation(known_ids=["4"])])["CANCELATION|BRICO|1"] is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"order_line_state": "WAITING_ACCEPTANCE"}, "refused, not canceled"),
        ({"order_line_state": "SHIPPED"}, "refunded, not canceled"),
        ({"order_line_state": "CANCELED"}, "nothing is left"),
        ({"quantity": 0}, "has 0, not 1"),
        ({"taxes": [{"code": "VAT", "amount": 3}]}, "VAT in taxes"),
    ],
)
def test_a_line_that_is_not_as_required_is_not_canceled(unsent: Marketplace, change: Record, words: str) -> None:
    the_line(unsent).update(change)
    with opened(unsent) as connector:
        result = CancelationDelivery(connector).send([cancelation()])["CANCELATION|BRICO|1"]
    assert result.outcome is Outcome.FAILED
    assert words in result.detail
    assert unsent.writes == []


def test_a_cancelation_without_a_quantity_never_leaves(unsent: Marketplace) -> None:
    with opened(unsent) as connector:
        result = CancelationDelivery(connector).send([cancelation(part())])["CANCELATION|BRICO|1"]
    assert "no quantity" in result.detail
    assert unsent.writes == []


@pytest.mark.parametrize("mode", ["TAX_EXCLUDED", "TAX_INCLUDED"])
def test_an_order_taxed_as_a_whole_takes_no_taxes_beside_amounts_without_them(unsent: Marketplace, mode: str) -> None:
    unsent.orders["O1-A"]["order_taxes"] = [{"code": "VAT", "amount": 3}]
    the_line(unsent)["taxes"] = [{"code": "VAT", "amount": 3}]
    with_taxes = cancelation(part(quantity=1, taxes=[{"code": "VAT", "amount": 1}]), order_tax_mode=mode)
    without = cancelation(part(quantity=1), order_tax_mode=mode, key="2")
    with opened(unsent) as connector:
        delivery = CancelationDelivery(connector)
        assert delivery.send([with_taxes])[with_taxes.action_key].outcome is Outcome.SENT
        is_taken = delivery.send([without])[without.action_key].outcome is Outcome.SENT
    (sent,) = body_of(unsent.writes[0])["cancelations"]
    assert (is_taken, "taxes" in sent) == ((True, False) if mode == "TAX_EXCLUDED" else (False, True))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"quantity": 2, "cancelations": [held(4, quantity=1, amount=1, shipping_amount=0)]}, None),
        ({"quantity": 1, "cancelations": [held(4, quantity=1)]}, "has 0, not 1"),
        ({"quantity": 2, "refunds": [held(9, quantity=2)]}, "has 0, not 1"),
        ({"quantity": 2, "refunds": [held(9, amount=Decimal("20.00"))]}, "more than is left"),
        ({"quantity": 9, "cancelations": [held(4), held(5, reason_code="OTHER")]}, "canceled (5) since"),
    ],
)
def test_no_more_is_canceled_than_the_decision_saw_left(unsent: Marketplace, change: Record, words: str | None) -> None:
    the_line(unsent).update(change)
    wanted = cancelation(known_ids=["4"])
    with opened(unsent) as connector:
        result = CancelationDelivery(connector).send([wanted])[wanted.action_key]
    assert (result.outcome is Outcome.SENT, len(unsent.writes)) == ((True, 1) if words is None else (False, 0))
    assert words is None or words in result.detail
    # What somebody canceled meanwhile may be the same units: the next run decides again, with it.
    assert result.retryable is (words is not None and "since" in words)


def test_lines_of_one_order_are_canceled_one_after_the_other_in_one_go(unsent: Marketplace) -> None:
    other = {**the_line(unsent), "order_line_id": "O1-A-2"}
    unsent.orders["O1-A"]["order_lines"].append(other)
    first, second = cancelation(), cancelation(part(quantity=1, order_line_id="O1-A-2"), key="2")

    def cancel(asked: Asked) -> Reply:
        (wanted,) = body_of(asked)["cancelations"]
        made = {"order_line_id": wanted["order_line_id"], "cancelation_id": str(70 + len(unsent.writes))}
        return reply({"order_tax_mode": "TAX_INCLUDED", "cancelations": [made]})

    unsent.on[CANCEL] = cancel
    with opened(unsent) as connector:
        results = CancelationDelivery(connector).send([first, second])
    assert [results[one.action_key].outcome for one in (first, second)] == [Outcome.SENT, Outcome.SENT]
    assert [body_of(one)["cancelations"][0]["order_line_id"] for one in unsent.writes] == [LINE, "O1-A-2"]


def test_a_cancelation_as_the_models_write_it_is_sent_as_numbers(unsent: Marketplace) -> None:
    """The payload of act_line_cancellations: amounts are texts, what a line does not have is null."""
    the_line(unsent).update(quantity=3, taxes=[{"code": "VAT", "amount": 2}])
    written = json.loads(
        '{"order_id":"O1-A","currency_code":"GBP","order_tax_mode":"TAX_INCLUDED","known_ids":[],"cancelations":'
        '[{"order_line_id":"O1-A-1","amount":"6.67","shipping_amount":"0.00","quantity":2,"reason_code":"GONE",'
        '"taxes":[{"code":"VAT","amount":"1.33"}],"shipping_taxes":null}]}'
    )
    wanted = action("CANCELATION", written, "1")
    with opened(unsent) as connector:
        assert CancelationDelivery(connector).send([wanted])[wanted.action_key].outcome is Outcome.SENT
    (sent,) = body_of(unsent.writes[0])["cancelations"]
    assert sent == {
        "order_line_id": LINE,
        "amount": Decimal("6.67"),
        "shipping_amount": 0,
        "reason_code": "GONE",
        "currency_iso_code": "GBP",
        "quantity": 2,
        "taxes": [{"code": "VAT", "amount": Decimal("1.33")}],
    }
