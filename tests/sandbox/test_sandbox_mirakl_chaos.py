"""Bent answers and records that change between two pages."""

from typing import Any

import httpx
import pytest
from conftest import SHOP, Served

from sandbox import jsonio
from sandbox.clock import milliseconds
from sandbox.world import World

ORDERS = "/mirakl/BRICO/api/orders"
LINES = "/mirakl/BRICO/api/sellerpayment/transactions_logs"


def chaos(served: Served, **rule: object) -> None:
    served.control().post("chaos", json=rule).raise_for_status()


def mutate(served: Served, *changes: dict[str, Any], **due: object) -> None:
    body = {"marketplace": "BRICO", "shop_id": SHOP, "changes": list(changes)} | due
    served.control().post("mutations", json=body).raise_for_status()


def order_ids(client: httpx.Client, offset: int = 0, size: int = 10) -> list[str]:
    page = client.get("orders", params={"max": size, "offset": offset}).raise_for_status().json()
    return [order["order_id"] for order in page["orders"]]


# --- answers


def test_a_gateways_page_is_html(fresh: Served) -> None:
    chaos(fresh, path=ORDERS, kind="fail", status=502, body="<html><body>Bad Gateway</body></html>", times=1)
    with fresh.mirakl() as client:
        answer = client.get("orders")
        assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html")
        assert client.get("orders").status_code == 200


@pytest.mark.parametrize("status", [200, 503])
def test_an_answer_can_be_empty(fresh: Served, status: int) -> None:
    chaos(fresh, path=ORDERS, kind="empty", status=status)
    with fresh.mirakl() as client:
        answer = client.get("orders")
    assert (answer.status_code, answer.content) == (status, b"")


def test_json_can_stop_in_the_middle_of_a_complete_answer(fresh: Served) -> None:
    chaos(fresh, path=ORDERS, kind="truncate", times=1)
    with fresh.mirakl() as client:
        cut = client.get("orders").raise_for_status()
        whole = client.get("orders")
    assert whole.content.startswith(cut.content)
    assert len(cut.content) == len(whole.content) // 2
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        cut.json()


def test_a_connection_can_be_reset_in_the_middle_of_a_page(fresh: Served) -> None:
    chaos(fresh, path=ORDERS, kind="reset", times=1)
    with fresh.mirakl() as client:
        with pytest.raises(httpx.ReadError):
            client.get("orders", params={"max": 100})
        assert client.get("orders", params={"max": 100}).status_code == 200


def test_a_page_can_come_twice(fresh: Served) -> None:
    chaos(fresh, path=ORDERS, kind="duplicate", after=1, times=1)
    with fresh.mirakl() as client:
        first, repeated, third = (client.get("orders", params={"max": 5, "offset": 5 * n}) for n in range(3))
    assert repeated.content == first.content
    assert repeated.headers["link"] == first.headers["link"]
    assert third.content != first.content


def test_a_chain_can_have_no_end(fresh: Served) -> None:
    chaos(fresh, path=LINES, kind="endless")
    with fresh.mirakl() as client:
        page = client.get("sellerpayment/transactions_logs", params={"limit": 3}).json()
        tokens, bodies = [], []
        for _ in range(4):
            tokens.append(page["next_page_token"])
            bodies.append(page["data"])
            page = client.get("sellerpayment/transactions_logs", params={"page_token": tokens[-1]}).json()
    assert len(set(tokens)) == 4
    assert all(body == bodies[0] for body in bodies)


def test_links_can_lead_elsewhere(fresh: Served) -> None:
    fresh.settings(export_seconds=0)
    chaos(fresh, path="/mirakl/BRICO/api/", kind="foreign_link", host="http://elsewhere.example:81")
    body = {"start_update_date": "2020-01-01T00:00:00Z", "end_update_date": "2030-01-01T00:00:00Z"}
    with fresh.mirakl() as client:
        paged = client.get("orders", params={"max": 2})
        last = client.get("orders", params={"max": 100, "order_state_codes": "TO_COLLECT"})
        tracking_id = client.post("orders/async-export", json=body).json()["tracking_id"]
        status = client.get(f"orders/async-export/status/{tracking_id}").json()
    for url in (paged.links["next"]["url"], last.links["next"]["url"], *status["urls"]):
        assert url.startswith("http://elsewhere.example:81/mirakl/BRICO/api/orders")


def test_a_record_can_lack_its_id(fresh: Served) -> None:
    chaos(fresh, path=ORDERS, kind="without_id")
    with fresh.mirakl() as client:
        orders = client.get("orders").json()["orders"]
    assert ["order_id" in order for order in orders] == [False] + [True] * 9


def test_amounts_can_be_texts_with_the_same_digits(fresh: Served) -> None:
    with fresh.mirakl() as client:
        before = jsonio.decode(client.get("orders").content)["orders"]
        chaos(fresh, path=ORDERS, kind="text_amounts")
        after = jsonio.decode(client.get("orders").content)
    for sent, bent in zip(before, after["orders"], strict=True):
        assert bent["total_price"] == str(sent["total_price"])
        assert bent["order_lines"][0]["quantity"] == sent["order_lines"][0]["quantity"]
    assert isinstance(after["total_count"], int)


def test_a_page_can_be_heavy(fresh: Served) -> None:
    chaos(fresh, path=ORDERS, kind="heavy")
    with fresh.mirakl() as client:
        answer = client.get("orders", params={"max": 100})
    assert len(answer.content) >= 30_000_000
    assert len(answer.json()["orders"]) == 100


# --- records


def test_orders_that_vanish_between_pages_shift_the_others(fresh: Served) -> None:
    with fresh.mirakl() as client:
        every = order_ids(client, size=30)
        mutate(fresh, {"feed": "orders", "action": "remove", "ids": [every[0]]}, call="OR11", after=1)
        assert order_ids(client) == every[:10]
        # The eleventh has moved to the first page: whoever goes by offset does not see it.
        assert order_ids(client, offset=10) == every[11:21]
        assert fresh.control().get("mutations").json() == []


def test_seek_pages_lose_no_line_that_is_touched_or_added(fresh: Served, world: World) -> None:
    ask = {"limit": 200, "sort": "lastUpdated,ASC"}
    with fresh.mirakl() as client:
        page = client.get("sellerpayment/transactions_logs", params=ask).json()
        seen = [line["id"] for line in page["data"]]
        mutate(
            fresh,
            {"feed": "transaction_lines", "action": "touch", "ids": seen[:1]},
            {"feed": "transaction_lines", "action": "insert", "ids": seen[1:2], "new_ids": ["late"], "seconds": 5},
        )
        while token := page.get("next_page_token"):
            page = client.get("sellerpayment/transactions_logs", params={"page_token": token}).json()
            seen += [line["id"] for line in page["data"]]
    assert seen[-2:] == [seen[0], "late"]
    side = world.mirakl["BRICO"]
    assert len(set(seen)) == len(side.transaction_lines) + 1
    # The touched line comes twice, and so does one that the world also knows as it was.
    assert len(seen) == len(set(seen)) + 1 + len(side.earlier_transaction_lines)
    assert milliseconds(page["data"][-1]["last_updated"]) == milliseconds("2026-07-03T08:00:05Z")


def test_an_inserted_order_is_a_whole_one(fresh: Served) -> None:
    with fresh.mirakl() as client:
        (source,) = order_ids(client, size=1)
        change = {"feed": "orders", "action": "insert", "ids": [source], "new_ids": ["NEW-A"]}
        mutate(fresh, change | {"at": "2026-01-01T00:00:00Z", "values": {"order_state": "SHIPPED"}})
        first = client.get("orders", params={"max": 1}).json()["orders"][0]
    assert (first["order_id"], first["order_state"], first["created_date"]) == (
        "NEW-A",
        "SHIPPED",
        "2026-01-01T00:00:00Z",
    )
    assert first["order_lines"][0]["order_line_id"].startswith("NEW-A")


def test_removed_records_are_in_no_list_and_no_export(fresh: Served) -> None:
    fresh.settings(export_seconds=0)
    with fresh.mirakl() as client:
        line = client.get("sellerpayment/transactions_logs", params={"limit": 1}).json()["data"][0]["id"]
        returned = client.get("returns", params={"limit": 1}).json()["data"][0]["id"]
        mutate(
            fresh,
            {"feed": "transaction_lines", "action": "remove", "ids": [line]},
            {"feed": "returns", "action": "remove", "ids": [returned]},
        )
        tracking_id = client.post("sellerpayment/transactions_logs/async", json={}).json()["tracking_id"]
        status = client.get(f"sellerpayment/transactions_logs/async/status/{tracking_id}").json()
        (url,) = status["urls"]
        exported = httpx.get(url, headers={"Authorization": client.headers["Authorization"]}).json()["data"]
        listed = client.get("sellerpayment/transactions_logs", params={"limit": 2000}).json()["data"]
        assert client.get("returns", params={"return_id": returned}).json()["data"] == []
    assert {row["id"] for row in exported} == {row["id"] for row in listed}
    assert line not in {row["id"] for row in listed}


def test_a_mutation_is_no_clients_write(fresh: Served) -> None:
    before = fresh.control().get("state").content
    with fresh.mirakl() as client:
        mutate(fresh, {"feed": "orders", "action": "touch", "ids": order_ids(client, size=3)})
    assert fresh.control().get("state").content == before
    assert fresh.control().get("writes").json() == {}


@pytest.mark.parametrize(
    "change",
    [
        {"feed": "customers", "action": "touch", "ids": ["A"]},
        {"feed": "orders", "action": "burn", "ids": ["A"]},
        {"feed": "orders", "action": "touch", "ids": ["no such order"]},
        {"feed": "orders", "action": "insert", "ids": ["A"]},
        {"feed": "orders", "action": "touch", "ids": [], "at": "2026-01-01T00:00:00"},
    ],
)
def test_a_mutation_that_makes_no_sense_is_refused(fresh: Served, change: dict[str, Any]) -> None:
    body = {"marketplace": "BRICO", "shop_id": SHOP, "changes": [change]}
    assert fresh.control().post("mutations", json=body).status_code == 400
