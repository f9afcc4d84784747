"""Asynchronous exports: how they are asked for, how long they take, what their files hold."""

import csv
import io
import time
from typing import Any

import httpx
import pytest
from conftest import SHOP, Served

from sandbox import jsonio
from sandbox.clock import milliseconds
from sandbox.world import World

ORDERS = "orders/async-export"
LINES = "sellerpayment/transactions_logs/async"
OFFERS = "offers/export/async"
EVERYTHING = {"start_update_date": "2020-01-01T00:00:00Z", "end_update_date": "2030-01-01T00:00:00Z"}


def start(client: httpx.Client, path: str, body: dict[str, Any]) -> str:
    answer = client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["tracking_id"])


def ended(client: httpx.Client, path: str, tracking_id: str) -> dict[str, Any]:
    for _ in range(200):
        status: dict[str, Any] = client.get(f"{path}/status/{tracking_id}").raise_for_status().json()
        if status["status"] != "PENDING":
            return status
        assert "urls" not in status
        time.sleep(0.01)
    raise AssertionError("the export does not end")


def files(client: httpx.Client, path: str, body: dict[str, Any]) -> list[httpx.Response]:
    status = ended(client, path, start(client, path, body))
    assert status["status"] == "COMPLETED"
    return fetch(client, status)


def fetch(client: httpx.Client, status: dict[str, Any]) -> list[httpx.Response]:
    """The files, by their URLs as they came, with the same key and no parameter more."""
    with httpx.Client(headers={"Authorization": client.headers["Authorization"]}) as plain:
        return [plain.get(url).raise_for_status() for url in status["urls"]]


@pytest.fixture
def quick(fresh: Served) -> Served:
    fresh.settings(export_seconds=0)
    return fresh


def test_an_export_of_orders_takes_time_and_holds_them_all(fresh: Served, world: World) -> None:
    with fresh.mirakl() as client:
        tracking_id = start(client, ORDERS, EVERYTHING)
        first = client.get(f"{ORDERS}/status/{tracking_id}").json()
        early = client.get(f"{ORDERS}/file/{tracking_id}", params={"file": "0.json"})
        status = ended(client, ORDERS, tracking_id)
        (answer,) = fetch(client, status)
    assert (first["status"], early.status_code, status["status"]) == ("PENDING", 404, "COMPLETED")
    expected = world.mirakl["BRICO"].orders
    assert {order["order_id"]: order for order in jsonio.decode(answer.content)["orders"]} == jsonio.decode(
        jsonio.encode(expected)
    )


def test_one_export_of_orders_runs_per_shop(fresh: Served) -> None:
    with fresh.mirakl() as client:
        running = start(client, ORDERS, EVERYTHING)
        second = client.post(ORDERS, json=EVERYTHING)
        other_shop = client.post(ORDERS, json=EVERYTHING, params={"shop_id": SHOP - 1000})
        assert second.status_code == 400
        assert "already running" in second.json()["message"]
        assert other_shop.status_code == 200
        ended(client, ORDERS, running)
        assert client.post(ORDERS, json=EVERYTHING).status_code == 200


def test_the_other_shops_key_finds_no_export_of_this_one(quick: Served) -> None:
    with quick.mirakl() as client:
        tracking_id = start(client, ORDERS, EVERYTHING)
        assert client.get(f"{ORDERS}/status/{tracking_id}", params={"shop_id": SHOP - 1000}).status_code == 404
        assert client.get(f"{LINES}/status/{tracking_id}").status_code == 404
        assert httpx.get(f"{quick.url}/mirakl/BRICO/api/{ORDERS}/file/{tracking_id}?file=0.json").status_code == 401


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (ORDERS, {}, "start_date"),
        (ORDERS, {"start_date": "2026-01-01T00:00:00Z"}, "end_date"),
        (ORDERS, {"end_update_date": "2026-01-01T00:00:00Z"}, "start_update_date"),
        (ORDERS, EVERYTHING | {"items_per_chunk": 9_999}, "items_per_chunk"),
        (ORDERS, EVERYTHING | {"items_per_chunk": 1_000_001}, "items_per_chunk"),
        (ORDERS, EVERYTHING | {"items_per_chunk": True}, "items_per_chunk"),
        (ORDERS, EVERYTHING | {"megabytes_per_chunk": 9}, "megabytes_per_chunk"),
        (ORDERS, EVERYTHING | {"megabytes_per_chunk": 1_025}, "megabytes_per_chunk"),
        (ORDERS, EVERYTHING | {"order_state_codes": "SHIPPED"}, "order_state_codes"),
        (ORDERS, EVERYTHING | {"order_state_codes": ["LOST"]}, "order_state_codes"),
        (ORDERS, EVERYTHING | {"channel_codes": [str(number) for number in range(101)]}, "channel_codes"),
        (LINES, {"format": "XML"}, "format"),
        (LINES, {"items_per_chunk": 10}, "items_per_chunk"),
        (LINES, {"last_updated_from": "yesterday"}, "last_updated_from"),
        (LINES, {"order_id": [1]}, "order_id"),
        (OFFERS, {"export_type": "application/xml"}, "export_type"),
        (OFFERS, {"megabytes_per_chunk": 1_001}, "megabytes_per_chunk"),
        (
            OFFERS,
            {"last_request_date": "2026-01-01T00:00:00Z", "include_inactive_offers": True},
            "include_inactive_offers",
        ),
        (OFFERS, {"export_type": "application/json", "rename_fields": {"offer-id": "id"}}, "rename_fields"),
    ],
)
def test_a_bad_request_is_refused_with_its_field(served: Served, path: str, body: dict[str, Any], field: str) -> None:
    with served.mirakl() as client:
        answer = client.post(path, json=body)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_body_that_is_no_object_is_refused(served: Served) -> None:
    with served.mirakl() as client:
        for content in (b"", b"[]", b'{"start_date":'):
            assert client.post(ORDERS, content=content).status_code == 400


def test_files_are_cut_by_records_and_hold_each_once(quick: Served, world: World) -> None:
    # Mirakl lowers the smallest chunk on test instances; the published one is larger than this world.
    quick.settings(minimum_items_per_chunk=100)
    with quick.mirakl() as client:
        answers = files(client, ORDERS, EVERYTHING | {"items_per_chunk": 100})
    pages = [jsonio.decode(answer.content)["orders"] for answer in answers]
    assert [len(page) for page in pages] == [100, 100, len(world.mirakl["BRICO"].orders) - 200]
    assert len({order["order_id"] for page in pages for order in page}) == len(world.mirakl["BRICO"].orders)


def test_transaction_lines_come_as_json_or_one_to_a_line(quick: Served, world: World) -> None:
    cycle = world.mirakl["BRICO"].cycles[3]["id"]
    expected = {
        line["id"] for line in world.mirakl["BRICO"].transaction_lines if line.get("seller_billing_cycle_id") == cycle
    }
    with quick.mirakl() as client:
        (wrapped,) = files(client, LINES, {"seller_billing_cycle_id": [cycle], "megabytes_per_chunk": "10"})
        (plain,) = files(client, LINES, {"seller_billing_cycle_id": [cycle], "format": "NDJSON"})
    lines = jsonio.decode(wrapped.content)["data"]
    assert {line["id"] for line in lines} == expected
    assert [jsonio.decode(row) for row in plain.content.splitlines()] == lines
    assert plain.headers["content-type"] == "application/x-ndjson"
    stamps = [milliseconds(line["date_created"]) for line in lines]
    assert stamps == sorted(stamps)


def test_a_full_export_has_active_offers_and_a_differential_one_what_changed(quick: Served, world: World) -> None:
    offers = world.mirakl["BRICO"].offers
    active = {offer["shop_sku"] for offer in offers if offer["active"]}
    shop = quick.store.accounts["BRICO"].shops[SHOP]
    sold, deleted = offers[0]["shop_sku"], offers[1]["shop_sku"]
    shop.put_offer(shop.offers[sold] | {"quantity": 0, "active": False}, quick.store.clock.now())
    shop.remove_offer(deleted, quick.store.clock.now())
    as_json = {"export_type": "application/json"}
    with quick.mirakl() as client:
        (full,) = files(client, OFFERS, as_json)
        (every,) = files(client, OFFERS, as_json | {"include_inactive_offers": True})
        (changed,) = files(client, OFFERS, as_json | {"last_request_date": "2026-07-03T07:59:59Z"})
    full_rows, every_rows, rows = full.json(), every.json(), changed.json()
    assert {row["shop_sku"] for row in full_rows} == active - {sold, deleted}
    assert len(every_rows) == len(offers) - 1
    assert {(row["shop_sku"], row["active"], row["deleted"]) for row in rows} == {
        (sold, False, False),
        (deleted, False, True),
    }
    assert {row["shop_id"] for row in every_rows} == {SHOP}
    assert "inactivity_reasons" not in every_rows[0]


def test_offers_as_csv_have_dashes_and_the_names_asked_for(quick: Served, world: World) -> None:
    body = {"include_fields": ["offer-id", "shop-sku", "origin-price"], "rename_fields": {"offer-id": "offerId"}}
    with quick.mirakl() as client:
        (answer,) = files(client, OFFERS, body)
    rows = list(csv.DictReader(io.StringIO(answer.text), delimiter=";"))
    prices = {
        offer["shop_sku"]: str(offer["all_prices"][0]["unit_origin_price"]) for offer in world.mirakl["BRICO"].offers
    }
    assert set(rows[0]) == {"offerId", "shop-sku", "origin-price"}
    assert {row["shop-sku"]: row["origin-price"] for row in rows}.items() <= prices.items()


def test_an_equal_request_finds_the_running_export_of_offers(fresh: Served) -> None:
    with fresh.mirakl() as client:
        first = start(client, OFFERS, {"export_type": "application/json"})
        assert start(client, OFFERS, {"export_type": "application/json"}) == first
        assert start(client, OFFERS, {"export_type": "text/csv"}) != first


def test_exports_can_fail_and_be_cancelled(quick: Served) -> None:
    quick.settings(failing_exports=1, canceled_exports=1)
    with quick.mirakl() as client:
        ends = [ended(client, LINES, start(client, LINES, {})) for _ in range(3)]
    assert [end["status"] for end in ends] == ["FAILED", "CANCELED", "COMPLETED"]
    assert ends[0]["error"] == {"code": "1", "detail": "Internal error"}


def test_full_and_differential_exports_have_allowances_of_their_own(quick: Served) -> None:
    quick.settings(rate_limits=True)
    created = {"start_date": "2020-01-01T00:00:00Z", "end_date": "2030-01-01T00:00:00Z"}
    with quick.mirakl() as client:
        codes = [client.post(ORDERS, json=body).status_code for body in (created, EVERYTHING, created, EVERYTHING)]
        waits = [int(client.post(ORDERS, json=body).headers["retry-after"]) for body in (created, EVERYTHING)]
        tracking_id = start(client, LINES, {})
        looks = [client.get(f"{LINES}/status/{tracking_id}").status_code for _ in range(2)]
    assert codes == [200, 200, 429, 429]
    assert waits[0] > 86_000 > 300 >= waits[1]
    assert looks == [200, 429]
