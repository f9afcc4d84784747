"""Lists and files of offers and prices: what they reset, what they keep, what they report, and in which order."""

import csv
import io
import time
from decimal import Decimal
from typing import Any

import httpx
import pytest
from conftest import Served
from planting import exact, set_features, shop_of


@pytest.fixture
def quick(fresh: Served) -> Served:
    """A sandbox whose imports take no longer than a test needs to see that they take time."""
    fresh.settings(import_waiting_seconds=0.02, import_running_seconds=0.02)
    return fresh


def some_sku(served: Served, index: int = 0) -> str:
    return list(shop_of(served).offers)[index]


def offer(client: httpx.Client, sku: str) -> dict[str, Any] | None:
    found = exact(client.get("offers", params={"sku": sku}))["offers"]
    return found[0] if found else None


def ended(client: httpx.Client, path: str) -> dict[str, Any]:
    """The import when it has ended. `path`: its status, or the list that shows it alone."""
    for _ in range(300):
        status = exact(client.get(path))
        status = status["data"][0] if "data" in status else status
        if status["status"] in ("COMPLETE", "FAILED"):
            return status
        time.sleep(0.01)
    raise AssertionError(f"{path} never ended: {status}")


def upload(client: httpx.Client, content: str, mode: str = "NORMAL") -> dict[str, Any]:
    files = {"file": ("offers.csv", content.encode(), "text/csv")}
    made = exact(client.post("offers/imports", files=files, data={"import_mode": mode}), 201)
    assert isinstance(made["import_id"], int)
    return ended(client, f"offers/imports/{made['import_id']}")


def price(client: httpx.Client, content: str) -> dict[str, Any]:
    files = {"file": ("prices.csv", content.encode(), "text/csv")}
    made = exact(client.post("offers/pricing/imports", files=files), 201)
    assert isinstance(made["import_id"], str)
    return ended(client, f"offers/pricing/imports?import_id={made['import_id']}")


def listed(sku: str, **more: Any) -> dict[str, Any]:
    least = {"shop_sku": sku, "price": "12.50", "state_code": "11", "update_delete": "", "product_id": sku}
    return least | {"product_id_type": "SHOP_SKU"} | more


def send(client: httpx.Client, *offers: dict[str, Any]) -> dict[str, Any]:
    made = exact(client.post("offers", json={"offers": list(offers)}), 201)
    return ended(client, f"offers/imports/{made['import_id']}")


def test_a_list_that_names_only_the_quantity_wipes_everything_else(quick: Served) -> None:
    sku = some_sku(quick)
    with quick.mirakl() as client:
        before = offer(client, sku)
        assert before is not None
        assert before["description"]
        assert before["max_order_quantity"] == 100
        status = send(client, listed(sku, quantity=4))
        after = offer(client, sku)
    assert after is not None
    assert (status["offer_updated"], status["lines_in_error"]) == (1, 0)
    assert (after["quantity"], after["price"]) == (4, Decimal("12.50"))
    assert (after["offer_id"], after["product_sku"]) == (before["offer_id"], before["product_sku"])
    for name in ("description", "max_order_quantity", "min_order_quantity", "package_quantity", "logistic_class"):
        assert after[name] is None


def test_a_list_without_a_quantity_closes_the_offer(quick: Served) -> None:
    sku = some_sku(quick)
    with quick.mirakl() as client:
        send(client, listed(sku, description="as before", leadtime_to_ship=0))
        after = offer(client, sku)
    assert after is not None
    assert (after["quantity"], after["active"], after["inactivity_reasons"]) == (0, False, ["ZERO_QUANTITY"])
    assert (after["description"], after["leadtime_to_ship"]) == ("as before", 1)


def test_a_normal_file_leaves_columns_alone_that_it_does_not_have(quick: Served) -> None:
    sku = some_sku(quick)
    with quick.mirakl() as client:
        before = offer(client, sku)
        upload(client, f"sku;quantity;discount-price\n{sku};9;1.00\n")
        after = offer(client, sku)
        assert before is not None
        assert after is not None
        assert after["all_prices"][0]["unit_discount_price"] == 1
        changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        assert changed == {"quantity", "price", "total_price", "all_prices", "discount"}
        upload(client, f"sku;discount-price\n{sku};\n")
        assert (offer(client, sku) or {})["price"] == before["price"]


def test_replace_deletes_what_is_not_in_the_file(quick: Served) -> None:
    keep, gone = some_sku(quick, 0), some_sku(quick, 1)
    count = len(shop_of(quick).offers)
    with quick.mirakl() as client:
        status = upload(client, f"sku;price;state;quantity\n{keep};10;11;3\n", "REPLACE")
        assert (status["offer_deleted"], status["mode"]) == (count - 1, "REPLACE")
        assert exact(client.get("offers"))["total_count"] == 1
        assert offer(client, gone) is None
        body = {"export_type": "application/json", "last_request_date": "2026-07-01T00:00:00Z"}
        tracking = exact(client.post("offers/export/async", json=body))["tracking_id"]
        for _ in range(300):
            export = exact(client.get(f"offers/export/async/status/{tracking}"))
            if export["status"] == "COMPLETED":
                break
            time.sleep(0.01)
        rows = [row for url in export["urls"] for row in exact(httpx.get(url, headers=client.headers))]
    assert {row["shop_sku"]: row["deleted"] for row in rows}[gone] is True
    assert sum(row["deleted"] for row in rows) == count - 1


def test_complete_does_not_mean_applied(quick: Served) -> None:
    good, other = some_sku(quick, 0), some_sku(quick, 1)
    reference = (shop_of(quick).offers[good]["product_references"])[0]["reference"]
    rows = [
        f"{good};5;;;;;",
        "NOBODY;5;;;;;delete",
        f"{other};many;;;;;",
        f"{good};6;;;;;",
        f"NEW-1;5;9.99;11;{reference};EAN;",
        "NEW-2;5;9.99;11;0000;EAN;",
        f"{other};5;9.999;;;;",
    ]
    content = "\n".join(["sku;quantity;price;state;product-id;product-id-type;update-delete", *rows])
    with quick.mirakl() as client:
        status = upload(client, content)
        assert (status["status"], status["has_error_report"]) == ("COMPLETE", True)
        assert (status["lines_read"], status["lines_in_success"], status["lines_in_error"]) == (7, 2, 5)
        assert (status["offer_inserted"], status["offer_updated"]) == (1, 1)
        report = client.get(f"offers/imports/{status['import_id']}/error_report").text
        assert (offer(client, "NEW-1") or {})["product_sku"] == shop_of(quick).offers[good]["product_sku"]
        clean = upload(client, f"sku;quantity\n{good};1\n")
        assert client.get(f"offers/imports/{clean['import_id']}/error_report").status_code == 404
        newest = exact(client.get("offers/imports", params={"limit": 1}))
    lines = list(csv.reader(io.StringIO(report), delimiter=";"))
    assert lines[0][:3] == ["error-line", "error-message", "sku"]
    assert [line[0] for line in lines[1:]] == ["3", "4", "5", "7", "8"]
    assert [";".join(line[2:]) for line in lines[1:]] == [rows[n] for n in (1, 2, 3, 5, 6)]
    assert newest["data"][0]["import_id"] == clean["import_id"]
    assert newest["next_page_token"]


def test_an_equal_request_folds_into_the_import_that_still_waits(quick: Served) -> None:
    quick.settings(import_waiting_seconds=0.3, import_running_seconds=0.1)
    sku = some_sku(quick)
    with quick.mirakl() as client:
        first, again, other = (
            exact(client.post("offers", json={"offers": [listed(sku, quantity=n)]}), 201)["import_id"]
            for n in (1, 1, 2)
        )
        assert first == again != other
        ended(client, f"offers/imports/{other}")
        later = exact(client.post("offers", json={"offers": [listed(sku, quantity=1)]}), 201)["import_id"]
        assert later not in (first, other)


def test_who_does_not_wait_for_the_first_file_loses_the_second(quick: Served) -> None:
    quick.settings(import_waiting_seconds=0, import_running_seconds=0, import_line_seconds=0.02)
    sku = some_sku(quick)
    with quick.mirakl() as client:

        def push(*lines: str) -> str:
            files = {"file": ("stock.csv", "\n".join(["offer-sku;quantity", *lines, ""]).encode(), "text/csv")}
            made = exact(client.post("offers/stock/imports", files=files), 201)
            return f"offers/stock/imports/{made['import_id']}/status"

        long, short = push(f"{sku};70", *(f"NOBODY{n};1" for n in range(20))), push(f"{sku};3")
        assert ended(client, short)["status"] == "COMPLETE"
        assert (offer(client, sku) or {})["quantity"] == 3
        ended(client, long)
        assert (offer(client, sku) or {})["quantity"] == 70


def test_a_price_file_replaces_all_prices_or_none_of_an_offer(quick: Served) -> None:
    first, second = some_sku(quick, 0), some_sku(quick, 1)
    with quick.mirakl() as client:
        header = "offer-sku;price;discount-price;discount-start-date;discount-end-date;channels"
        rows = [f"{first};20;15;2026-07-01;2026-08-01;", f"{first};22;;;;WEB", f"{second};9;;;;", f"{second};x;;;;WEB"]
        before = offer(client, second)
        status = price(client, "\n".join([header, *rows]))
        assert (status["offers_updated"], status["offers_in_error"]) == (1, 1)
        assert (status["lines_in_success"], status["lines_in_error"]) == (2, 2)
        report = client.get(f"offers/pricing/imports/{status['import_id']}/error_report").text
        assert [line.split(";")[0] for line in report.splitlines()[1:]] == ['"4"', '"5"']
        after = offer(client, first)
        assert after is not None
        assert (after["price"], [one["channel_code"] for one in after["all_prices"]]) == (15, [None, "WEB"])
        assert offer(client, second) == before
        price(client, f"offer-sku;price\n{first};21\n")
        after = offer(client, first)
    assert after is not None
    assert (after["price"], len(after["all_prices"]), after["all_prices"][0]["unit_discount_price"]) == (21, 1, None)


def test_a_file_without_its_columns_fails_as_a_whole(quick: Served) -> None:
    with quick.mirakl() as client:
        assert upload(client, "article;quantity\nX;1\n")["status"] == "FAILED"
        assert price(client, "offer-sku;amount\nX;1\n")["status"] == "FAILED"
        set_features(quick, operator_csv_delimiter="COMMA")
        assert upload(client, f"sku,quantity\n{some_sku(quick)},8\n")["lines_in_success"] == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "offers"),
        ({"offers": []}, "offers"),
        ({"offers": [{"shop_sku": "A", "state_code": "11", "update_delete": ""}]}, "offers[0].price"),
        ({"offers": [listed("A", quantity="4.5")]}, "offers[0].quantity"),
        ({"offers": [listed("A", price="cheap")]}, "offers[0].price"),
        ({"offers": [listed("A", all_prices=[{"volume_prices": [{}]}])]}, None),
    ],
)
def test_a_list_that_breaks_the_contract_is_refused(served: Served, body: dict[str, Any], field: str | None) -> None:
    with served.mirakl() as client:
        answer = client.post("offers", json=body)
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert field in (None, error["field"])


def test_a_file_needs_its_mode_and_its_parts(served: Served) -> None:
    files = {"file": ("offers.csv", b"sku\n", "text/csv")}
    with served.mirakl() as client:
        assert client.post("offers/imports", files=files).json()["errors"][0]["field"] == "import_mode"
        assert client.post("offers/imports", files=files, data={"import_mode": "ALL"}).status_code == 400
        assert client.post("offers/imports", data={"import_mode": "NORMAL"}).status_code == 415
        assert client.get("offers/imports/999").status_code == 404
        assert client.get("offers/stock/imports/999/status").status_code == 404
