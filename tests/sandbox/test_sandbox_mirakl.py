"""Mirakl's side: keys, shops, roles, parameters, paging, limits, acceptance and stock files."""

import csv
import io
import time
from decimal import Decimal

import httpx
import pytest
from conftest import SEED, SHOP, Served

from sandbox import jsonio
from sandbox.credentials import mirakl_secret
from sandbox.world import World


def exact(response: httpx.Response) -> dict:
    assert response.status_code == 200, response.text
    return jsonio.decode(response.content)


def follow(client: httpx.Client, path: str, **params: object) -> list[dict]:
    """All records of a seek-paged call."""
    records: list[dict] = []
    while True:
        page = exact(client.get(path, params=params))
        records += page["data"]
        if not page.get("next_page_token"):
            return records
        params = {"page_token": page["next_page_token"]}


# --- who may ask


def test_a_wrong_key_gets_the_39_recorded_bytes(served: Served) -> None:
    right = mirakl_secret(SEED, "BRICO")
    for key in ("wrong", f"Bearer {right}", right.upper(), ""):
        answer = httpx.get(f"{served.url}/mirakl/BRICO/api/account", headers={"Authorization": key})
        assert answer.status_code == 401
        assert answer.content == b'{"status":401,"message":"Unauthorized"}'
        assert "www-authenticate" not in answer.headers


def test_a_key_does_not_open_another_marketplace(served: Served) -> None:
    headers = {"Authorization": mirakl_secret(SEED, "BRICO")}
    assert httpx.get(f"{served.url}/mirakl/OTHER/api/account", headers=headers).status_code == 401


def test_without_shop_id_the_default_shop_answers_with_nothing(served: Served) -> None:
    with served.mirakl() as client:
        named = exact(client.get("orders"))
        forgotten = exact(httpx.get(f"{served.url}/mirakl/BRICO/api/orders", headers=client.headers))
        account = exact(httpx.get(f"{served.url}/mirakl/BRICO/api/account", headers=client.headers))
        assert named["total_count"] > 0
        assert forgotten == {"orders": [], "total_count": 0}
        assert account["shop_id"] != SHOP
        assert client.get("account", params={"shop_id": 999}).status_code == 403


def test_a_role_that_reads_orders_may_not_read_transaction_lines(served: Served) -> None:
    with served.mirakl("no_accountancy") as client:
        assert client.get("orders").status_code == 200
        answer = client.get("sellerpayment/transactions_logs")
    assert answer.status_code == 403
    assert answer.json() == {"status": 403, "message": "Forbidden"}


# --- offset paging


def test_orders_come_by_creation_in_pages_with_links(served: Served, world: World) -> None:
    seen: list[str] = []
    with served.mirakl() as client:
        params = {"max": "100"}
        while params:
            answer = client.get("orders", params=params)
            page = exact(answer)
            seen += [order["order_id"] for order in page["orders"]]
            params = dict(httpx.URL(answer.links.get("next", {}).get("url", "")).params)
    orders = world.mirakl["BRICO"].orders
    assert page["total_count"] == len(orders)
    assert sorted(seen) == sorted(orders)
    created = [orders[order_id]["created_date"] for order_id in seen]
    assert created == sorted(created)


def test_amounts_are_served_with_exactly_their_digits(served: Served, world: World) -> None:
    source = world.mirakl["BRICO"].orders
    with served.mirakl() as client:
        for order in exact(client.get("orders", params={"max": 100}))["orders"]:
            assert order == jsonio.decode(jsonio.encode(source[order["order_id"]]))
            assert isinstance(order["total_price"], Decimal)


def test_orders_are_filtered(served: Served, world: World) -> None:
    orders = list(world.mirakl["BRICO"].orders.values())
    some = sorted(order["order_id"] for order in orders)[:3]
    with served.mirakl() as client:
        found = exact(client.get("orders", params={"order_ids": ",".join(some), "max": 100}))["orders"]
        assert sorted(order["order_id"] for order in found) == some
        by_state = exact(client.get("orders", params={"order_state_codes": "REFUSED,CANCELED", "max": 100}))
        assert by_state["total_count"] == sum(order["order_state"] in ("REFUSED", "CANCELED") for order in orders)
        window = {"start_date": "2026-05-01T00:00:00Z", "end_date": "2026-05-31T23:59:59Z", "max": 1}
        expected = sum("2026-05-01" <= order["created_date"] < "2026-06-01" for order in orders)
        assert exact(client.get("orders", params=window))["total_count"] == expected
        newest_first = exact(client.get("orders", params={"order": "desc", "max": 1}))["orders"][0]
        assert newest_first["created_date"] == max(order["created_date"] for order in orders)


def test_start_update_date_is_moved_back_a_little(served: Served, world: World) -> None:
    updated = sorted(order["last_updated_date"] for order in world.mirakl["BRICO"].orders.values())
    since = updated[len(updated) // 2]
    from datetime import datetime, timedelta

    later = (datetime.fromisoformat(since) + timedelta(seconds=60)).isoformat().replace("+00:00", "Z")
    with served.mirakl() as client:
        found = exact(client.get("orders", params={"start_update_date": later, "max": 100}))["orders"]
    assert min(order["last_updated_date"] for order in found) <= since


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"max": 101}, "max"),
        ({"max": 0}, "max"),
        ({"offset": -1}, "offset"),
        ({"max": "many"}, "max"),
        ({"start_date": "yesterday"}, "start_date"),
        ({"start_update_date": "2026-06-01T00:00:00 02:00"}, "start_update_date"),
        ({"order_state_codes": "SHIPPING,LOST"}, "order_state_codes"),
        ({"customer_debited": "maybe"}, "customer_debited"),
        ({"order_ids": ",".join(str(number) for number in range(101))}, "order_ids"),
        ({"order_tax_mode": "NONE"}, "order_tax_mode"),
    ],
)
def test_a_bad_parameter_is_named(served: Served, params: dict[str, object], field: str) -> None:
    with served.mirakl() as client:
        answer = client.get("orders", params=params)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_unknown_parameters_are_ignored(served: Served) -> None:
    with served.mirakl() as client:
        assert exact(client.get("orders", params={"paginate": "false", "colour": "red"}))["total_count"] > 0


def test_the_other_tax_mode_shows_equal_numbers_without_taxes(served: Served) -> None:
    with served.mirakl() as client:
        included = exact(client.get("orders", params={"order_tax_mode": "TAX_INCLUDED"}))["orders"]
        excluded = exact(client.get("orders", params={"order_tax_mode": "TAX_EXCLUDED"}))["orders"]
    assert {order["order_tax_mode"] for order in excluded} == {"TAX_EXCLUDED"}
    assert [order["total_price"] for order in included] == [order["total_price"] for order in excluded]


def test_invoices_are_automatic_ones_unless_all_are_asked_for(served: Served, world: World) -> None:
    with served.mirakl() as client:
        default = exact(client.get("invoices", params={"max": 100}))["invoices"]
        every = exact(client.get("invoices", params={"max": 100, "type": "ALL"}))
    assert {invoice["type"] for invoice in default} == {"AUTO_INVOICE"}
    assert every["total_count"] == len(world.mirakl["BRICO"].invoices) > len(default)


# --- seek paging


@pytest.mark.parametrize("sort", ["lastUpdated,ASC", "lastUpdated,DESC", "dateCreated,ASC", "dateCreated,DESC"])
def test_every_transaction_line_comes_once_and_in_order(served: Served, world: World, sort: str) -> None:
    with served.mirakl() as client:
        lines = follow(client, "sellerpayment/transactions_logs", limit=97, sort=sort)
    column = "last_updated" if sort.startswith("lastUpdated") else "date_created"
    from sandbox.clock import milliseconds

    stamps = [milliseconds(line[column]) for line in lines]
    assert stamps == sorted(stamps, reverse=sort.endswith("DESC"))
    side = world.mirakl["BRICO"]
    # A line that the world also knows as it was comes once as each.
    known = [*side.transaction_lines, *side.earlier_transaction_lines]
    assert sorted((line["id"], milliseconds(line["last_updated"])) for line in lines) == sorted(
        (line["id"], milliseconds(line["last_updated"])) for line in known
    )


def test_a_page_token_carries_the_question_and_other_parameters_are_ignored(served: Served) -> None:
    ask = {"limit": 5, "sort": "dateCreated,ASC", "transaction_type": "COMMISSION_FEE"}
    with served.mirakl() as client:
        first = exact(client.get("sellerpayment/transactions_logs", params=ask))
        token = first["next_page_token"]
        second = exact(client.get("sellerpayment/transactions_logs", params={"page_token": token, "limit": 50}))
        back = exact(
            client.get("sellerpayment/transactions_logs", params={"page_token": second["previous_page_token"]})
        )
        foreign = client.get("seller-billing-cycles", params={"page_token": token})
        forged = client.get("sellerpayment/transactions_logs", params={"page_token": token[:-4] + "AAAA"})
    assert "previous_page_token" not in first
    assert {line["type"] for line in second["data"]} == {"COMMISSION_FEE"}
    assert len(second["data"]) == 5
    assert back["data"] == first["data"]
    assert foreign.status_code == forged.status_code == 400


def test_transaction_lines_are_filtered(served: Served, world: World) -> None:
    side = world.mirakl["BRICO"]
    cycle = side.cycles[3]["id"]
    since = side.cycles[5]["date_created"]
    from sandbox.clock import milliseconds

    with served.mirakl() as client:
        of_cycle = follow(client, "sellerpayment/transactions_logs", limit=500, seller_billing_cycle_id=cycle)
        changed = follow(
            client, "sellerpayment/transactions_logs", limit=500, sort="lastUpdated,ASC", last_updated_from=since
        )
        paid = follow(client, "sellerpayment/transactions_logs", limit=500, payment_state=["PAID", "PAYABLE"])
    assert {line["id"] for line in of_cycle} == {
        line["id"] for line in side.transaction_lines if line.get("seller_billing_cycle_id") == cycle
    }
    assert {line["id"] for line in changed} == {
        line["id"] for line in side.transaction_lines if milliseconds(line["last_updated"]) >= milliseconds(since)
    }
    assert len(paid) == sum(line["payment_state"] in ("PAID", "PAYABLE") for line in side.transaction_lines)


@pytest.mark.parametrize(
    ("path", "limit"), [("sellerpayment/transactions_logs", 2000), ("seller-billing-cycles", 1000)]
)
def test_limits_of_seek_pages(served: Served, path: str, limit: int) -> None:
    with served.mirakl() as client:
        assert client.get(path, params={"limit": limit}).status_code == 200
        assert client.get(path, params={"limit": limit + 1}).status_code == 400
        assert len(exact(client.get(path))["data"]) <= 10


def test_billing_cycles(served: Served, world: World) -> None:
    cycles = world.mirakl["BRICO"].cycles
    with served.mirakl() as client:
        found = follow(client, "seller-billing-cycles", limit=2)
        paid = follow(client, "seller-billing-cycles", limit=100, pay_out_state="PAID")
        assert client.get("seller-billing-cycles", params={"pay_out_state": "LATE"}).status_code == 400
    assert sorted(cycle["id"] for cycle in found) == sorted(cycle["id"] for cycle in cycles)
    assert len(paid) == sum(cycle["pay_out"]["state"] == "PAID" for cycle in cycles)


# --- limits


def test_too_frequent_calls_wait_for_the_time_named(fresh: Served) -> None:
    fresh.settings(rate_limits=True, rate_window_scale=0.02)
    with fresh.mirakl() as client:
        assert client.get("orders").status_code == 200
        refused = client.get("orders")
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        # Further pages of the same read are not counted.
        assert client.get("orders", params={"offset": 10}).status_code == 200
        time.sleep(1.25)
        assert client.get("orders").status_code == 200


def test_limits_are_off_by_default(served: Served) -> None:
    with served.mirakl() as client:
        assert {client.get("account").status_code for _ in range(5)} == {200}


# --- acceptance


def waiting(served: Served) -> dict:
    with served.mirakl() as client:
        found = exact(client.get("orders", params={"order_state_codes": "WAITING_ACCEPTANCE", "max": 100}))["orders"]
    order = max(found, key=lambda one: len(one["order_lines"]))
    assert order["order_lines"]
    return order


def decide(served: Served, order_id: str, lines: object) -> httpx.Response:
    with served.mirakl() as client:
        return client.put(f"orders/{order_id}/accept", json={"order_lines": lines})


def test_acceptance_moves_the_order_and_cannot_be_repeated(fresh: Served) -> None:
    order = waiting(fresh)
    lines = [{"id": line["order_line_id"], "accepted": True} for line in order["order_lines"]]
    answer = decide(fresh, order["order_id"], lines)
    assert (answer.status_code, answer.content) == (204, b"")
    with fresh.mirakl() as client:
        after = exact(client.get("orders", params={"order_ids": order["order_id"]}))["orders"][0]
    assert after["order_state"] == "WAITING_DEBIT_PAYMENT"
    assert after["acceptance_decision_date"] == "2026-07-03T08:00:00Z"
    assert after["total_price"] == order["total_price"]
    repeated = decide(fresh, order["order_id"], lines)
    assert (repeated.status_code, repeated.json()["code"]) == (400, "ORDER_INVALID_STATE")


def test_a_refused_order(fresh: Served) -> None:
    order = waiting(fresh)
    lines = [{"id": line["order_line_id"], "accepted": False} for line in order["order_lines"]]
    assert decide(fresh, order["order_id"], lines).status_code == 204
    with fresh.mirakl() as client:
        after = exact(client.get("orders", params={"order_ids": order["order_id"]}))["orders"][0]
    assert after["order_state"] == "REFUSED"
    assert after["total_price"] == 0
    assert [line["price"] for line in after["order_lines"]] == [line["price"] for line in order["order_lines"]]


def test_each_rule_of_acceptance_has_its_code(fresh: Served) -> None:
    order = waiting(fresh)
    first = {"id": order["order_lines"][0]["order_line_id"], "accepted": True}
    everything = [{"id": line["order_line_id"], "accepted": True} for line in order["order_lines"]]

    def refusal(order_id: str, lines: object) -> tuple[int, str]:
        answer = decide(fresh, order_id, lines)
        return answer.status_code, answer.json()["code"]

    assert refusal("NOBODYS-A", [first]) == (404, "ORDER_NOT_FOUND")
    assert refusal(order["order_id"], [*everything, first]) == (400, "ORDER_LINE_DUPLICATE_ID")
    assert refusal(order["order_id"], [first | {"id": "OTHER-1"}]) == (400, "ORDER_LINE_NOT_FOUND")
    assert refusal(order["order_id"], [None]) == (400, "ORDER_LINE_NULL_ELEMENT")
    assert refusal(order["order_id"], []) == (400, "VALIDATION_ERROR")
    assert refusal(order["order_id"], [{"id": first["id"]}]) == (400, "VALIDATION_ERROR")


def test_every_line_is_decided_in_one_call_and_partial_acceptance_can_be_disabled(fresh: Served) -> None:
    # A world need not hold a waiting order with two lines, so one is made out of the one that waits.
    shop = fresh.store.accounts["BRICO"].shops[SHOP]
    order = shop.orders[waiting(fresh)["order_id"]]
    record = order.record()
    second = record["order_lines"][0] | {"order_line_id": f"{order.order_id}-99"}
    record["order_lines"].append(second)
    record["total_price"] += second["total_price"]
    order.body = jsonio.encode(record)
    ids = [line["order_line_id"] for line in record["order_lines"]]

    missing = decide(fresh, order.order_id, [{"id": ids[0], "accepted": True}])
    assert missing.json()["code"] == "ORDER_LINE_ACCEPTANCE_DECISION_MISSING"
    mixed = [{"id": line_id, "accepted": line_id != ids[-1]} for line_id in ids]
    fresh.settings(partial_acceptance=False)
    assert decide(fresh, order.order_id, mixed).json()["code"] == "ORDER_PARTIAL_ACCEPTANCE_DISABLED"
    fresh.settings(partial_acceptance=True)
    assert decide(fresh, order.order_id, mixed).status_code == 204
    after = shop.orders[order.order_id].record()
    assert [line["order_line_state"] for line in after["order_lines"]][-1] == "REFUSED"
    assert after["total_price"] == record["total_price"] - second["total_price"]


# --- stock


def push(client: httpx.Client, content: str) -> str:
    answer = client.post("offers/stock/imports", files={"file": ("stock.csv", content.encode(), "text/csv")})
    assert answer.status_code == 201, answer.text
    import_id = answer.json()["import_id"]
    assert isinstance(import_id, str)
    assert answer.headers["location"].endswith(f"/api/offers/stock/imports/{import_id}/status")
    return import_id


def ended(client: httpx.Client, import_id: str) -> dict:
    for _ in range(200):
        status = client.get(f"offers/stock/imports/{import_id}/status").json()
        if status["status"] in ("COMPLETE", "FAILED"):
            return status
        time.sleep(0.01)
    raise AssertionError(f"import {import_id} never ended: {status}")


def offer(client: httpx.Client, sku: str) -> dict:
    return exact(client.get("offers", params={"sku": sku}))["offers"][0]


def test_a_stock_file_is_waiting_then_running_then_complete(fresh: Served) -> None:
    fresh.settings(import_waiting_seconds=0.1, import_running_seconds=0.2)
    sku = next(iter(fresh.store.accounts["BRICO"].shops[SHOP].offers))
    seen = []
    with fresh.mirakl() as client:
        before = offer(client, sku)["quantity"]
        import_id = push(client, f"offer-sku;quantity;warehouse-code;update-delete\n{sku};{before + 5};;\n")
        assert offer(client, sku)["quantity"] == before
        for _ in range(300):
            status = client.get(f"offers/stock/imports/{import_id}/status").json()
            if not seen or seen[-1] != status["status"]:
                seen.append(status["status"])
            if status["status"] == "COMPLETE":
                break
            time.sleep(0.01)
        assert seen == ["WAITING", "RUNNING", "COMPLETE"]
        assert offer(client, sku)["quantity"] == before + 5
        assert client.get(f"offers/stock/imports/{import_id}/error_report").status_code == 404
    assert (status["lines_in_success"], status["lines_in_error"], status["has_error_report"]) == (1, 0, False)


def test_bad_stock_lines_are_reported_and_the_good_ones_applied(fresh: Served) -> None:
    skus = list(fresh.store.accounts["BRICO"].shops[SHOP].offers)[:4]
    with fresh.mirakl() as client:
        quantities = {sku: offer(client, sku)["quantity"] for sku in skus}
        rows = [
            f"{skus[0]};0;;",
            "NOBODY;5;;",
            f"{skus[1]};-1;;",
            f"{skus[2]};2.5;;",
            f"{skus[3]};7;ATTIC;",
            f"{skus[0]};3;;",
        ]
        import_id = push(client, "\n".join(["offer-sku;quantity;warehouse-code;update-delete", *rows]) + "\n")
        status = ended(client, import_id)
        assert (status["lines_in_success"], status["lines_in_error"], status["has_error_report"]) == (1, 5, True)
        report = client.get(f"offers/stock/imports/{import_id}/error_report")
        assert report.headers["content-type"].startswith("text/csv")
        lines = list(csv.reader(io.StringIO(report.text), delimiter=";"))
        assert [line[0] for line in lines[1:]] == ["3", "4", "5", "6", "7"]
        assert [";".join(line[2:]) for line in lines[1:]] == rows[1:]
        assert "does not exist" in lines[1][1]
        closed = offer(client, skus[0])
        assert (closed["quantity"], closed["active"]) == (0, False)
        assert "ZERO_QUANTITY" in closed["inactivity_reasons"]
        assert {sku: offer(client, sku)["quantity"] for sku in skus[1:]} == {sku: quantities[sku] for sku in skus[1:]}
        ended(client, push(client, f"offer-sku;quantity\n{skus[0]};4\n"))
        reopened = offer(client, skus[0])
    assert (reopened["quantity"], reopened["active"]) == (4, True)


def test_a_file_without_the_columns_fails_as_a_whole(fresh: Served) -> None:
    with fresh.mirakl() as client:
        status = ended(client, push(client, "sku,stock\nA,1\n"))
        assert status["status"] == "FAILED"
        assert client.post("offers/stock/imports", content=b"offer-sku;quantity\n").status_code == 415
        empty = client.post("offers/stock/imports", files={"other": ("x", b"x")})
        assert empty.json()["errors"][0]["field"] == "file"
        assert client.get("offers/stock/imports/none/status").status_code == 404
