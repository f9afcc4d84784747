"""Offers closed, deleted, changed and priced by import: one verdict per offer, and nothing lost besides."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from connectors.delivery import Action, Outcome
from connectors.mirakl.writes import OfferDelivery, PriceDelivery, StockDelivery
from tests.connectors.mirakl_writes import LOST, Marketplace, Record, action, body_of, opened, reply
from tests.connectors.server import Asked, Reply

OFFER_FILE = ("POST", "/api/offers/imports")
PRICE_FILE = ("POST", "/api/offers/pricing/imports")
UPDATE = ("POST", "/api/offers")
STATES = ["NO_PRICING_UNIT", "NO_CUSTOMER_PRICES"]


def price(amount: str = "50.00", **more: Any) -> Record:
    return {
        "channel_code": None,
        "context": {"channel_codes": None},
        "price": Decimal(amount),
        "unit_origin_price": Decimal(amount),
        "unit_discount_price": None,
        "discount_start_date": None,
        "discount_end_date": None,
        "volume_prices": [{"quantity_threshold": 1, "unit_origin_price": Decimal(amount), "price": Decimal(amount)}],
        **more,
    }


def offer(sku: str, **more: Any) -> Record:
    return {
        "offer_id": 9,
        "shop_sku": sku,
        "product_sku": f"P-{sku}",
        "product_title": "A thing",
        "state_code": "11",
        "quantity": 5,
        "active": True,
        "price": Decimal("50.00"),
        "total_price": Decimal("54.00"),
        "all_prices": [price()],
        "channels": [],
        "description": "as new",
        "internal_description": None,
        "leadtime_to_ship": 2,
        "logistic_class": {"code": "S", "label": "Small"},
        "min_quantity_alert": 1,
        "available_end_date": "2026-12-31T00:00:00Z",
        "offer_additional_fields": [{"code": "origin", "type": "STRING", "value": "UK"}],
        "warehouses": None,
        **more,
    }


def rows_of(asked: Asked) -> list[list[str]]:
    part = next(
        p
        for p in asked.body.decode().split("--" + asked.headers["content-type"].split("boundary=")[1])
        if 'name="file"' in p
    )
    return list(csv.reader(io.StringIO(part.split("\r\n\r\n", 1)[1].rstrip("\r\n")), delimiter=";"))


@pytest.fixture
def shop() -> Marketplace:
    marketplace = Marketplace()
    marketplace.offers = {sku: offer(sku) for sku in ("A1", "B2", "C3")}
    marketplace.on["GET", "/api/offers/imports/2035"] = status()
    marketplace.on["GET", "/api/offers/pricing/imports"] = listed()
    marketplace.on[OFFER_FILE] = reply({"import_id": 2035}, 201)
    marketplace.on[PRICE_FILE] = reply({"import_id": "7d98"}, 201)
    return marketplace


def status(state: str = "COMPLETE", errors: int = 0, **more: Any) -> Reply:
    return reply({"import_id": 2035, "status": state, "lines_in_error": errors, "has_error_report": errors > 0, **more})


def listed(state: str = "COMPLETE", errors: int = 0, import_id: str = "7d98") -> Reply:
    one = {"import_id": import_id, "status": state, "lines_in_error": errors, "has_error_report": errors > 0}
    return reply({"data": [one]})


def change(sku: str, operation: str, **more: Any) -> Action:
    return action("OFFER", {"shop_sku": sku, "operation": operation, **more}, sku)


# --- OF01


def test_closing_sends_quantity_0_and_no_other_column(shop: Marketplace) -> None:
    def take(asked: Asked) -> Reply:
        for sku, quantity, _ in rows_of(asked)[1:]:
            shop.offers[sku]["quantity"] = int(quantity)
        return reply({"import_id": 2035}, 201)

    shop.on[OFFER_FILE] = take
    actions = [change("A1", "CLOSE"), change("B2", "CLOSE")]
    with opened(shop) as connector:
        delivery = OfferDelivery(connector)
        assert set(delivery.look_up(actions).values()) == {None}
        results = delivery.send(actions)
        assert all(v.ok for v in delivery.read_back(actions).values())
    assert {(r.outcome, r.vendor_ids) for r in results.values()} == {(Outcome.SENT, ("2035",))}
    (sent,) = shop.writes
    assert rows_of(sent) == [["sku", "quantity", "update-delete"], ["A1", "0", "update"], ["B2", "0", "update"]]
    assert b'name="import_mode"\r\n\r\nNORMAL\r\n' in sent.body


def test_a_deletion_is_proved_by_absence(shop: Marketplace) -> None:
    wanted = change("A1", "DELETE")
    with opened(shop) as connector:
        delivery = OfferDelivery(connector)
        assert delivery.send([wanted])[wanted.action_key].outcome is Outcome.SENT
        assert rows_of(shop.writes[0]) == [["sku", "update-delete"], ["A1", "delete"]]
        assert not delivery.read_back([wanted])[wanted.action_key].ok
        del shop.offers["A1"]
        assert delivery.read_back([wanted])[wanted.action_key].ok


def test_an_offer_that_cannot_be_read_is_not_taken_for_deleted(shop: Marketplace) -> None:
    shop.on["GET", "/api/offers"] = reply({"offers": [{"shop_sku": None}], "total_count": 1})
    wanted = change("A1", "DELETE")
    with opened(shop) as connector:
        assert not OfferDelivery(connector).read_back([wanted])[wanted.action_key].ok


def test_an_unknown_offer_is_not_sent(shop: Marketplace) -> None:
    with opened(shop) as connector:
        results = OfferDelivery(connector).send([change("NEW", "CLOSE"), change("A1", "CLOSE")])
    assert [r.outcome for r in results.values()] == [Outcome.FAILED, Outcome.SENT]
    assert [row[0] for row in rows_of(shop.writes[0])] == ["sku", "A1"]


def test_complete_with_error_lines_fails_those_offers_only(shop: Marketplace) -> None:
    shop.on["GET", "/api/offers/imports/2035"] = status(errors=1)
    shop.on["GET", "/api/offers/imports/2035/error_report"] = Reply(
        200, b'"sku";"update-delete";"error-line";"error-message"\n"B2";"delete";"3";"The offer does not exist"\n'
    )
    with opened(shop) as connector:
        results = OfferDelivery(connector).send([change(sku, "DELETE") for sku in ("A1", "B2", "C3")])
    assert [r.outcome for r in results.values()] == [Outcome.SENT, Outcome.FAILED, Outcome.SENT]
    assert results["OFFER|BRICO|B2"].detail == "The offer does not exist"


@pytest.mark.parametrize("state", ["WAITING_SYNCHRONIZATION_PRODUCT", "QUEUED", "RUNNING", "SOMETHING_NEW"])
def test_an_import_that_does_not_end_is_unknown_and_keeps_later_files_back(shop: Marketplace, state: str) -> None:
    shop.on["GET", "/api/offers/imports/2035"] = status(state)
    with opened(shop) as connector:
        delivery = OfferDelivery(connector, poll_seconds=60, maximum_wait_seconds=120)
        first = delivery.send([change("A1", "CLOSE")])["OFFER|BRICO|A1"]
        assert (first.outcome, first.vendor_ids) == (Outcome.UNKNOWN, ("2035",))
        second = delivery.send([change("A1", "DELETE")])["OFFER|BRICO|A1"]
        assert (second.outcome, second.retryable) == (Outcome.FAILED, True)
        assert len(shop.writes) == 1, "files of the same offers must not overtake each other"
        shop.on["GET", "/api/offers/imports/2035"] = status()
        assert delivery.send([change("A1", "DELETE")])["OFFER|BRICO|A1"].outcome is Outcome.SENT


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (LOST, Outcome.UNKNOWN),
        (Reply(502, b"<html>"), Outcome.UNKNOWN),
        (reply({}, 201), Outcome.UNKNOWN),
        (reply({"message": "no file"}, 400), Outcome.FAILED),
    ],
)
def test_a_file_is_sent_once_whatever_the_answer(shop: Marketplace, answer: Reply, outcome: Outcome) -> None:
    shop.on[OFFER_FILE] = shop.on[PRICE_FILE] = shop.on["POST", "/api/offers/stock/imports"] = answer
    with opened(shop) as connector:
        results = [
            OfferDelivery(connector).send([change("A1", "CLOSE")]),
            PriceDelivery(connector).send([prices("A1", {"price": 1})]),
            StockDelivery(connector).send([action("STOCK", {"shop_sku": "A1", "quantity": 1})]),
        ]
    assert [r.outcome for one in results for r in one.values()] == [outcome] * 3
    assert len(shop.writes) == 3


@pytest.mark.parametrize(
    "wanted",
    [change("A1", "CLOSE"), change("A1", "OPEN"), change("", "DELETE"), action("OFFER", {"shop_sku": "A1"})],
)
def test_what_is_unclear_or_contradicts_itself_is_not_sent(shop: Marketplace, wanted: Action) -> None:
    other = action("OFFER", {"shop_sku": "A1", "operation": "DELETE"}, "other")
    with opened(shop) as connector:
        results = OfferDelivery(connector).send(
            [wanted, other] if wanted.payload.get("operation") == "CLOSE" else [wanted]
        )
    assert {r.outcome for r in results.values()} == {Outcome.FAILED}
    assert shop.writes == []


# --- OF24


def update(sku: str = "A1", states: list[str] | None = None, **changes: Any) -> Action:
    payload = {"shop_sku": sku, "operation": "UPDATE", "changes": {"quantity": 5, **changes}}
    return action("OFFER", {**payload, "states": STATES if states is None else states}, sku)


def applied(shop: Marketplace, damage: Callable[[Record], None] = lambda _: None) -> Callable[[Asked], Reply]:
    """OF24 as it is: what is sent is set, what is not sent is reset."""
    names = {"available_ended": "available_end_date", "available_started": "available_start_date"}
    resets = ("description", "internal_description", "leadtime_to_ship", "min_quantity_alert", "available_end_date")

    def answer(asked: Asked) -> Reply:
        for sent in body_of(asked)["offers"]:
            held = shop.offers[sent["shop_sku"]]
            held |= dict.fromkeys(resets) | {
                "quantity": 0,
                "offer_additional_fields": [],
                "logistic_class": {"code": "DEFAULT"},
            }
            for name, value in sent.items():
                if name == "logistic_class":
                    held[name] = {"code": value, "label": "Small"}
                elif name == "all_prices":
                    assert [p["unit_origin_price"] for p in value] == [p["unit_origin_price"] for p in held[name]]
                elif name not in {"update_delete", "product_id", "product_id_type", "price"}:
                    held[names.get(name, name)] = value
            damage(held)
        return reply({"import_id": 2035}, 201)

    return answer


def test_an_update_resends_all_that_the_offer_holds(shop: Marketplace) -> None:
    shop.on[UPDATE] = applied(shop)
    before = deepcopy(shop.offers["A1"])
    with opened(shop) as connector:
        delivery = OfferDelivery(connector)
        assert delivery.look_up([update(leadtime_to_ship=4)])["OFFER|BRICO|A1"] is None
        assert delivery.send([update(leadtime_to_ship=4)])["OFFER|BRICO|A1"].outcome is Outcome.SENT
        assert delivery.read_back([update(leadtime_to_ship=4)])["OFFER|BRICO|A1"].ok
    assert shop.offers["A1"] == {**before, "leadtime_to_ship": 4}
    (sent,) = body_of(shop.writes[0])["offers"]
    assert sent == {
        "shop_sku": "A1",
        "update_delete": "update",
        "product_id": "P-A1",
        "product_id_type": "SKU",
        "available_ended": "2026-12-31T00:00:00Z",
        "description": "as new",
        "leadtime_to_ship": 4,
        "logistic_class": "S",
        "min_quantity_alert": 1,
        "offer_additional_fields": [{"code": "origin", "type": "STRING", "value": "UK"}],
        "quantity": 5,
        "state_code": "11",
        "price": Decimal("50.00"),
        "all_prices": [{"unit_origin_price": Decimal("50.00")}],
    }


def test_what_changed_besides_is_named_and_not_verified(shop: Marketplace) -> None:
    shop.on[UPDATE] = applied(shop, lambda held: held.update(description=None))
    with opened(shop) as connector:
        delivery = OfferDelivery(connector)
        result = delivery.send([update(leadtime_to_ship=4)])["OFFER|BRICO|A1"]
        assert "description was as new, is None" in result.detail
        assert not delivery.read_back([update(leadtime_to_ship=4)])["OFFER|BRICO|A1"].ok


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ({"warehouses": [{"code": "W1", "quantity": 5}]}, "by warehouse"),
        ({"brand_new_setting": "x"}, "brand_new_setting of A1 might be reset"),
        ({"all_prices": [price(context={"start_date": "2026-08-01T00:00:00Z"})]}, "depends on start_date"),
        ({"all_prices": [price(), price(context={"customer_group_ids": ["G"]})]}, "depends on customer_group_ids"),
        ({"all_prices": [price(), price(context={"channel_codes": ["FR", "DE"]})]}, "shared by several channels"),
        ({"all_prices": [price(channel_code="FR")]}, "no default price"),
        ({"all_prices": [price(unit_origin_price=None)]}, "cannot be read"),
        ({"offer_additional_fields": [{"code": "a", "value": "1", "unit": "cm"}]}, "unit in offer_additional_fields"),
    ],
)
def test_an_offer_that_cannot_be_resent_whole_is_not_updated(shop: Marketplace, held: Record, words: str) -> None:
    shop.offers["A1"] |= held
    with opened(shop) as connector:
        result = OfferDelivery(connector).send([update(leadtime_to_ship=4)])["OFFER|BRICO|A1"]
    assert (result.outcome, result.retryable) == (Outcome.FAILED, False)
    assert words in result.detail
    assert shop.writes == []


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (update(states=["NO_PRICING_UNIT"]), "NO_CUSTOMER_PRICES"),
        (update(price=3), "price cannot be changed here"),
        (update(quantity=-1), "quantity"),
        (update(description=None), "would be deleted"),
        (
            action("OFFER", {"shop_sku": "A1", "operation": "UPDATE", "changes": {"msrp": 3}, "states": STATES}),
            "must say the quantity",
        ),
        (update("NEW"), "no offer with SKU NEW"),
    ],
)
def test_an_update_that_is_not_clear_is_not_sent(shop: Marketplace, wanted: Action, words: str) -> None:
    with opened(shop) as connector:
        (result,) = OfferDelivery(connector).send([wanted]).values()
    assert result.outcome is Outcome.FAILED
    assert words in result.detail
    assert shop.writes == []


def test_where_channels_are_priced_singly_an_offer_on_channels_is_not_updated(shop: Marketplace) -> None:
    shop.features["pricing"] = {"channel_pricing": "SINGLE"}
    shop.offers["A1"]["channels"] = ["FR"]
    with opened(shop) as connector:
        result = OfferDelivery(connector).send([update(leadtime_to_ship=4)])["OFFER|BRICO|A1"]
    assert "set them by PRI01" in result.detail
    assert shop.writes == []


# --- PRI01


def prices(sku: str, *entries: Record, **more: Any) -> Action:
    return action("PRICE", {"shop_sku": sku, "prices": list(entries), **more}, sku)


def test_prices_go_out_line_by_line_with_only_the_columns_they_need(shop: Marketplace) -> None:
    actions = [
        prices("A1", {"price": Decimal("49.90")}),
        prices("B2", {"price": 60, "discount_price": "55.5", "discount_start_date": "2026-07-01T00:00:00+02:00"}),
    ]
    with opened(shop) as connector:
        results = PriceDelivery(connector).send(actions)
    assert {r.outcome for r in results.values()} == {Outcome.SENT}
    assert rows_of(shop.writes[0]) == [
        ["offer-sku", "price", "discount-price", "discount-start-date", "discount-end-date"],
        ["A1", "49.90", "", "", ""],
        ["B2", "60", "55.5", "2026-06-30T22:00:00Z", ""],
    ]


def test_features_columns_stand_where_a_line_needs_them(shop: Marketplace) -> None:
    wanted = prices(
        "A1",
        {
            "price": 20,
            "price_ranges": [{"quantity_threshold": 1, "price": 20}, {"quantity_threshold": 10, "price": 15}],
        },
        {"price": 30, "channels": ["US", "CA"], "start_date": "2026-08-01T00:00:00Z"},
    )
    with opened(shop) as connector:
        (request,) = PriceDelivery(connector).preview([wanted])
    assert request.body.splitlines() == [
        "offer-sku;price;discount-price;discount-start-date;discount-end-date;price-ranges;channels;start-date",
        "A1;20;;;;1|20,10|15;;",
        "A1;30;;;;;CA|US;2026-08-01T00:00:00Z",
    ]
    assert shop.writes == []


def test_a_price_that_the_payload_does_not_name_is_not_deleted_silently(shop: Marketplace) -> None:
    shop.offers["A1"]["all_prices"].append(price("45", context={"channel_codes": ["FR"]}))
    with opened(shop) as connector:
        delivery = PriceDelivery(connector)
        result = delivery.send([prices("A1", {"price": 1})])["PRICE|BRICO|A1"]
        assert result.outcome is Outcome.FAILED
        assert "channel FR" in result.detail
        assert shop.writes == []
        assert (
            delivery.send([prices("A1", {"price": 1}, deletes_others=True)])["PRICE|BRICO|A1"].outcome is Outcome.SENT
        )


def test_where_channels_are_priced_singly_each_is_asked_for_its_prices(shop: Marketplace) -> None:
    shop.features["pricing"] = {"channel_pricing": "SINGLE"}
    shop.offers["A1"]["channels"] = ["DE", "FR"]
    shop.channel_prices["A1"] = {"FR": [price("45", channel_code="FR")]}
    both = prices("A1", {"price": 50}, {"price": 45, "channels": ["FR"]})
    with opened(shop) as connector:
        delivery = PriceDelivery(connector)
        assert "channel FR" in delivery.send([prices("A1", {"price": 50})])["PRICE|BRICO|A1"].detail
        assert delivery.read_back([both])["PRICE|BRICO|A1"].ok


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"price": Decimal("50.00")}, None),
        ({"price": 50}, None),
        ({"price": 51}, "price is 50.00, wanted 51"),
        ({"price": 50, "discount_price": 40}, "discount price is None, wanted 40"),
        ({"price": 50, "channels": ["FR"]}, "channel FR has no price"),
        ({"price": 50, "price_ranges": [{"quantity_threshold": 5, "price": 45}]}, "price ranges"),
    ],
)
def test_prices_are_compared_with_what_the_offer_holds(shop: Marketplace, entry: Record, words: str | None) -> None:
    with opened(shop) as connector:
        delivery = PriceDelivery(connector)
        verification = delivery.read_back([prices("A1", entry)])["PRICE|BRICO|A1"]
        found = delivery.look_up([prices("A1", entry)])["PRICE|BRICO|A1"]
    assert verification.ok is (words is None)
    assert (found is not None) is (words is None)
    assert words is None or words in verification.detail


def test_one_bad_price_fails_its_offer_and_no_other(shop: Marketplace) -> None:
    shop.on["GET", "/api/offers/pricing/imports"] = listed(errors=1)
    shop.on["GET", "/api/offers/pricing/imports/7d98/error_report"] = Reply(
        200, b'"error-line";"error-message";"offer-sku";"price"\n"3";"price is too low";"A1";"0"\n'
    )
    two = ({"price": 50}, {"price": 0, "channels": ["FR"]})
    with opened(shop) as connector:
        results = PriceDelivery(connector).send([prices("A1", *two), prices("B2", {"price": 60})])
    assert [r.outcome for r in results.values()] == [Outcome.FAILED, Outcome.SENT]
    assert results["PRICE|BRICO|A1"].detail == "price is too low"


def test_the_list_of_price_imports_is_asked_until_ours_is_in_it(shop: Marketplace) -> None:
    answers = [reply({"data": []}), listed(import_id="other"), listed("WAITING"), listed()]
    shop.on["GET", "/api/offers/pricing/imports"] = lambda _: answers.pop(0)
    naps: list[float] = []
    with opened(shop, naps) as connector:
        delivery = PriceDelivery(connector, poll_seconds=60)
        assert delivery.send([prices("A1", {"price": 1})])["PRICE|BRICO|A1"].outcome is Outcome.SENT
    assert naps == [60, 60, 60]
    polls = [a for a in shop.asked if a.path == "/api/offers/pricing/imports" and a.method == "GET"]
    assert {a.parameters["import_id"] for a in polls} == {"7d98"}


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([], "no prices"),
        ([{"price": None}], "price"),
        ([{"price": 1}, {"price": 2}], "same channels and period"),
        ([{"price": 1, "channels": [str(n)]} for n in range(51)], "more than an offer may have"),
        ([{"price": 1, "channels": ["a|b"]}], "separator"),
        ([{"price": 1, "discount_start_date": "soon"}], "ISO 8601"),
    ],
)
def test_a_price_list_that_cannot_be_right_never_leaves(shop: Marketplace, entries: list[Record], words: str) -> None:
    with opened(shop) as connector:
        result = PriceDelivery(connector).send([prices("A1", *entries)])["PRICE|BRICO|A1"]
    assert result.outcome is Outcome.FAILED
    assert words in result.detail
    assert shop.writes == []
