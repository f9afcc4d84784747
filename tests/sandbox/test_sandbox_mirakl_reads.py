"""Other reads of a seller: whole lists, documents, logistics, roles, parameters, and paging of plain records."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from conftest import SHOP, Served

from sandbox import jsonio
from sandbox.clock import milliseconds
from sandbox.credentials import MiraklKey
from sandbox.world import MiraklWorld, World

Rows = Callable[[MiraklWorld], list[dict[str, Any]]]


def exact(response: httpx.Response) -> Any:
    assert response.status_code == 200, response.text
    return jsonio.decode(response.content)


def follow(client: httpx.Client, path: str, **params: object) -> list[dict[str, Any]]:
    """All records of a seek-paged call; the last page's token is absent or null."""
    records: list[dict[str, Any]] = []
    while True:
        page = exact(client.get(path, params=params))
        records += page["data"]
        if not page.get("next_page_token"):
            return records
        params = {"page_token": page["next_page_token"]}


def as_served(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return jsonio.decode(jsonio.encode(rows))


WHOLE_LISTS: list[tuple[str, str, Rows]] = [
    ("currencies", "currencies", lambda side: side.currencies),
    ("channels", "channels", lambda side: side.channels),
    ("offers/states", "offer_states", lambda side: side.offer_conditions),
    ("reasons", "reasons", lambda side: side.reasons),
    ("shipping/zones", "shipping_zones", lambda side: side.shipping_zones),
    ("shipping/types", "shipping_types", lambda side: side.shipping_methods),
    ("shipping/carriers", "carriers", lambda side: side.carriers),
    ("additional_fields", "additional_fields", lambda side: side.custom_fields),
]


@pytest.mark.parametrize(("path", "name", "rows"), WHOLE_LISTS, ids=[entry[0] for entry in WHOLE_LISTS])
def test_settings_come_as_whole_lists(served: Served, world: World, path: str, name: str, rows: Rows) -> None:
    expected = as_served(rows(world.mirakl["BRICO"]))
    with served.mirakl() as client:
        found = exact(client.get(path))[name]
    assert expected
    assert found == expected


def test_statistics_are_filtered_by_period(served: Served) -> None:
    with served.mirakl() as client:
        every = exact(client.get("account/statistics"))
        month = exact(client.get("account/statistics", params={"periods": "LAST_MONTH"}))
        assert client.get("account/statistics", params={"periods": "LAST_WEEK"}).status_code == 400
    lists = [name for name, value in every.items() if isinstance(value, list) and value]
    assert {entry["period"] for name in lists for entry in every[name]} == {"ALL_SINCE_BEGINNING", "LAST_MONTH"}
    assert {entry["period"] for name in lists for entry in month[name]} == {"LAST_MONTH"}


SEEK_FEEDS: list[tuple[str, str, str, Rows]] = [
    ("returns", "date_created,ASC", "date_created", lambda side: side.returns),
    ("returns", "date_created,DESC", "date_created", lambda side: side.returns),
    ("document-request/requests", "dateCreated,ASC", "date_created", lambda side: side.document_requests),
    ("inbox/threads", "dateUpdated,DESC", "date_updated", lambda side: side.threads),
]


@pytest.mark.parametrize(("path", "sort", "column", "rows"), SEEK_FEEDS, ids=[f"{e[0]} {e[1]}" for e in SEEK_FEEDS])
def test_every_record_comes_once_and_in_order(
    served: Served, world: World, path: str, sort: str, column: str, rows: Rows
) -> None:
    expected = rows(world.mirakl["BRICO"])
    with served.mirakl() as client:
        found = follow(client, path, limit=4, sort=sort)
    stamps = [milliseconds(record[column]) for record in found]
    assert len(expected) > 8
    assert sorted(record["id"] for record in found) == sorted(record["id"] for record in expected)
    assert stamps == sorted(stamps, reverse=sort.endswith("DESC"))


def test_a_chain_of_records_can_be_walked_back(served: Served) -> None:
    with served.mirakl() as client:
        first = exact(client.get("returns", params={"limit": 5, "sort": "date_created,ASC"}))
        second = exact(client.get("returns", params={"page_token": first["next_page_token"]}))
        back = exact(client.get("returns", params={"page_token": second["previous_page_token"]}))
    assert back["data"] == first["data"]
    assert "previous_page_token" not in first


def test_returns_are_filtered(served: Served, world: World) -> None:
    returns = world.mirakl["BRICO"].returns
    line = returns[3]["return_lines"][0]["order_line_id"]
    since = sorted(milliseconds(record["last_updated"]) for record in returns)[len(returns) // 2]
    text = next(record["last_updated"] for record in returns if milliseconds(record["last_updated"]) == since)
    with served.mirakl() as client:
        by_line = follow(client, "returns", order_line_id=line)
        changed = follow(client, "returns", return_last_updated_from=text, limit=100)
        by_id = follow(client, "returns", return_id=[returns[0]["id"], returns[1]["id"]])
    assert [record["id"] for record in by_line] == [
        record["id"] for record in returns if line in {part["order_line_id"] for part in record["return_lines"]}
    ]
    assert len(changed) == sum(milliseconds(record["last_updated"]) >= since for record in returns)
    assert {record["id"] for record in by_id} == {returns[0]["id"], returns[1]["id"]}


def test_lines_of_a_document_request_and_documents_of_orders(served: Served, world: World) -> None:
    side = world.mirakl["BRICO"]
    request_id, lines = next(iter(side.document_request_lines.items()))
    documents = side.order_documents
    order_ids = sorted({record["order_id"] for record in documents})[:3]
    with served.mirakl() as client:
        found = follow(client, f"document-request/{request_id}/lines")
        listed = exact(client.get("orders/documents", params={"order_ids": ",".join(order_ids)}))["order_documents"]
        assert client.get("document-request/none/lines").status_code == 404
        assert client.get("orders/documents").json()["errors"][0]["field"] == "order_ids"
    assert sorted(line["id"] for line in found) == sorted(line["id"] for line in lines)
    assert {record["id"] for record in listed} == {r["id"] for r in documents if r["order_id"] in order_ids}


def test_files_of_orders_come_alone_or_in_an_archive(served: Served, world: World) -> None:
    first, second = world.mirakl["BRICO"].order_documents[:2]
    with served.mirakl() as client:
        alone = client.get("orders/documents/download", params={"document_ids": first["id"]})
        both = client.get("orders/documents/download", params={"document_ids": f"{first['id']},{second['id']}"})
        assert client.get("orders/documents/download").json()["errors"][0]["field"] == "order_ids"
        assert client.get("orders/documents/download", params={"order_ids": "none"}).status_code == 404
    with zipfile.ZipFile(io.BytesIO(both.content)) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    assert len(alone.content) == first["file_size"]
    assert sizes == {f"{one['order_id']}/{one['file_name']}": one["file_size"] for one in (first, second)}


def test_a_thread_is_shown_without_its_messages_unless_asked_for(served: Served, world: World) -> None:
    thread = world.mirakl["BRICO"].threads[0]
    order_id = thread["entities"][0]["id"]
    with served.mirakl() as client:
        found = follow(client, "inbox/threads", entity_type="MMP_ORDER", entity_id=order_id)
        alone = client.get("inbox/threads", params={"entity_id": order_id})
        first = exact(client.get("inbox/threads"))
    assert thread["id"] in {record["id"] for record in found}
    assert all("messages" not in record for record in first["data"])
    assert alone.json()["errors"][0]["field"] == "entity_type"


def test_a_document_is_its_pdf(served: Served, world: World) -> None:
    side = world.mirakl["BRICO"]
    invoice = next(invoice for invoice in side.invoices if invoice["id"] in side.invoice_files)
    with served.mirakl() as client:
        answer = client.get(f"invoices/{invoice['invoice_id']}")
        assert client.get("invoices/1").status_code == 404
        assert client.get(f"invoices/{invoice['id']}").json()["errors"][0]["field"] == "accounting_document_id"
    assert answer.content == side.invoice_files[invoice["id"]]
    assert answer.content.startswith(b"%PDF")
    assert answer.headers["content-type"] == "application/octet-stream"


def test_products_are_known_by_the_operators_references(served: Served, world: World) -> None:
    products = world.mirakl["BRICO"].products[:2]
    asked = ",".join(f"{product['product_id_type']}|{product['product_id']}" for product in products)
    with served.mirakl() as client:
        found = exact(client.get("products", params={"product_references": asked}))
        too_many = ",".join(f"EAN|{number}" for number in range(101))
        for bad in ("SHOP_SKU|A", "EAN", too_many, ""):
            answer = client.get("products", params={"product_references": bad})
            assert answer.json()["errors"][0]["field"] == "product_references"
    assert sorted(found["products"], key=str) == sorted(as_served(products), key=str)


def test_an_offer_by_its_number(served: Served, world: World) -> None:
    offer = world.mirakl["BRICO"].offers[7]
    with served.mirakl() as client:
        assert exact(client.get(f"offers/{offer['offer_id']}")) == as_served([offer])[0]
        assert client.get("offers/1").status_code == 404
        assert client.get("offers/first").json()["errors"][0]["field"] == "offer"


@pytest.mark.parametrize(
    ("path", "params", "field"),
    [
        ("returns", {"limit": 101}, "limit"),
        ("returns", {"limit": "ten"}, "limit"),
        ("returns", {"sort": "id,ASC"}, "sort"),
        ("returns", {"return_state": "LOST"}, "return_state"),
        ("returns", {"return_last_updated_from": "2026-06-01"}, "return_last_updated_from"),
        ("returns", {"page_token": "made-up"}, "page_token"),
        ("returns", {"return_id": [str(number) for number in range(101)]}, "return_id"),
        ("shipments", {"shipment_state_code": "SENT"}, "shipment_state_code"),
        ("shipments", {"shipment_state_code": "SHIPPED,SHIPPING"}, "shipment_state_code"),
        ("shipments/items_to_ship", {"shipping_date_to": "soon"}, "shipping_date_to"),
        ("document-request/requests", {"state": "DONE"}, "state"),
        ("document-request/requests", {"payment_state": "FAILED"}, "payment_state"),
        ("inbox/threads", {"limit": 0}, "limit"),
        ("inbox/threads", {"entity_type": "ORDER"}, "entity_type"),
        ("additional_fields", {"entities": "OFFER,BRAND"}, "entities"),
        ("offers/states", {"active": "yes"}, "active"),
        ("invoices", {"invoice_id": "one"}, "invoice_id"),
        ("invoices", {"pay_out_psp_codes": "PAYFRIEND"}, "pay_out_psp_codes"),
        ("sellerpayment/transactions_logs", {"transaction_type": "TIP"}, "transaction_type"),
        ("sellerpayment/transactions_logs", {"payment_state": "PAID,PENDING"}, "payment_state"),
    ],
)
def test_a_bad_parameter_is_named(served: Served, path: str, params: dict[str, object], field: str) -> None:
    with served.mirakl() as client:
        answer = client.get(path, params=params)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_key_with_one_role_reads_what_the_role_opens(served: Served) -> None:
    with served.mirakl("orders_only") as client:
        opened = {path: client.get(path).status_code for path in ("orders", "shipments", "shipments/items_to_ship")}
        closed = {
            path: client.get(path).status_code
            for path in ("account", "returns", "offers", "invoices", "sellerpayment/transactions_logs")
        }
    assert set(opened.values()) == {200}
    assert set(closed.values()) == {403}


def test_an_operators_call_is_closed_to_a_seller(served: Served) -> None:
    with served.mirakl() as client:
        assert {client.get(path).status_code for path in ("shops", "payment/debit", "payment/refund")} == {403}


def test_a_token_of_one_shop_opens_nothing_with_a_key_for_another(fresh: Served) -> None:
    fresh.store.accounts["BRICO"].keys["idle"] = MiraklKey("idle", (SHOP - 1000,))
    path = "sellerpayment/transactions_logs"
    with fresh.mirakl() as client:
        token = exact(client.get(path, params={"limit": 1}))["next_page_token"]
        assert len(exact(client.get(path, params={"page_token": token}))["data"]) == 1
    other = httpx.get(
        f"{fresh.url}/mirakl/BRICO/api/{path}", headers={"Authorization": "idle"}, params={"page_token": token}
    )
    assert other.status_code == 400
    assert other.json()["errors"][0]["field"] == "page_token"


# --- limits


def test_a_429_can_come_without_saying_how_long_to_wait(fresh: Served) -> None:
    fresh.settings(rate_limits=True, retry_after=False)
    with fresh.mirakl() as client:
        answers = [client.get("currencies") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert "retry-after" not in answers[1].headers


def test_each_call_has_an_allowance_of_its_own(fresh: Served) -> None:
    fresh.settings(rate_limits=True)
    with fresh.mirakl() as client:
        daily = ["account", "account/statistics", "channels", "offers/states", "shipping/zones", "shipping/types"]
        first = [client.get(path).status_code for path in daily]
        again = [client.get(path) for path in daily]
        assert first == [200] * len(daily)
        assert {(answer.status_code, int(answer.headers["retry-after"]) > 86_000) for answer in again} == {(429, True)}
        # Only the first page of a poll counts; a call without a published limit has none.
        page = exact(client.get("returns", params={"limit": 2}))
        assert client.get("returns", params={"limit": 2}).status_code == 429
        assert client.get("returns", params={"page_token": page["next_page_token"]}).status_code == 200
        assert [client.get("reasons").status_code for _ in range(3)] == [200] * 3
