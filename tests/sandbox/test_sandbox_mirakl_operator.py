"""A marketplace as its operator sees it: signing in, every shop in one account, calls that sellers do not have."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from conftest import SEED, Served, serve

from sandbox import jsonio
from sandbox.config import Marketplaces, Places, environment, write_config
from sandbox.credentials import mirakl_secret, operator_client
from sandbox.world import DEFAULT_AS_OF, MiraklWorld, World, build_world

TOKEN = "mirakl-auth/oauth/token"


@pytest.fixture(scope="module")
def both() -> World:
    return build_world(SEED, 300, DEFAULT_AS_OF, marketplaces=("BRICO", "PLAZA"))


@pytest.fixture(scope="module")
def plaza(both: World) -> MiraklWorld:
    return both.mirakl["PLAZA"]


@pytest.fixture(scope="module")
def operated(both: World) -> Iterator[Served]:
    yield from serve(both)


def ask_token(served: Served, **changes: str) -> httpx.Response:
    client_id, secret = operator_client(SEED, "PLAZA")
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    return httpx.post(f"{served.url}/{TOKEN}", data=form | changes)


def signed_in(served: Served, authorization: str | None = None) -> httpx.Client:
    header = authorization or f"Bearer {ask_token(served).json()['access_token']}"
    return httpx.Client(base_url=f"{served.url}/mirakl/PLAZA/api/", headers={"Authorization": header})


def pages(client: httpx.Client, path: str, *names: str, **params: object) -> list[Any]:
    """All records of an offset-paged call, by its links; `names` lead to the list."""
    records: list[Any] = []
    url: str | None = str(httpx.URL(path, params=params | {"max": 100}))
    while url:
        answer = client.get(url).raise_for_status()
        part = answer.json()
        for name in names:
            part = part[name]
        records += part
        url = answer.links.get("next", {}).get("url")
    return records


def test_an_operator_signs_in_with_its_client(operated: Served) -> None:
    granted = ask_token(operated)
    body = granted.json()
    assert granted.headers["cache-control"] == "no-store"
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 3599)
    with signed_in(operated, f"Bearer {body['access_token']}") as client:
        answer = client.get("version")
    assert answer.status_code == 200
    assert answer.headers["mirakl-user-role"] == "OPERATOR"
    assert "mirakl-shop-uuid" not in answer.headers


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_secret": "guess"}, 401, "invalid_client"),
        ({"client_id": "guess"}, 401, "invalid_client"),
        ({"grant_type": "refresh_token"}, 400, "unsupported_grant_type"),
    ],
)
def test_a_wrong_sign_in_is_refused(operated: Served, changes: dict[str, str], status: int, error: str) -> None:
    answer = ask_token(operated, **changes)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_sign_in_is_form_encoded(operated: Served) -> None:
    client_id, secret = operator_client(SEED, "PLAZA")
    body = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    assert httpx.post(f"{operated.url}/{TOKEN}", json=body).json()["error"] == "invalid_request"


def test_a_token_ends(operated: Served) -> None:
    operated.settings(operator_token_seconds=0)
    try:
        with signed_in(operated) as client:
            answer = client.get("shops")
    finally:
        operated.settings(operator_token_seconds=3599)
    assert answer.status_code == 401
    assert answer.content == b'{"status":401,"message":"Unauthorized"}'
    with signed_in(operated) as client:
        assert client.get("shops").status_code == 200
        operated.control().post("tokens/expire").raise_for_status()
        assert client.get("shops").status_code == 401


def test_a_legacy_key_is_bare(operated: Served) -> None:
    key = mirakl_secret(SEED, "PLAZA", "operator")
    with signed_in(operated, key) as client:
        assert client.get("shops").status_code == 200
    with signed_in(operated, f"Bearer {key}") as client:
        assert client.get("shops").status_code == 401


def test_neither_side_opens_the_other(operated: Served) -> None:
    token = ask_token(operated).json()["access_token"]
    brico = f"{operated.url}/mirakl/BRICO/api/orders"
    assert httpx.get(brico, headers={"Authorization": f"Bearer {token}"}).status_code == 401
    with signed_in(operated) as client:
        assert {client.get(path).status_code for path in ("account", "account/statistics", "offers")} == {403}


def test_hundreds_of_shops_come_in_pages(operated: Served, plaza: MiraklWorld) -> None:
    with signed_in(operated) as client:
        shops = pages(client, "shops", "shops")
        some = pages(client, "shops", "shops", shop_ids=f"{shops[0]['shop_id']},{shops[150]['shop_id']}")
        suspended = pages(client, "shops", "shops", state="SUSPENDED")
        changed = pages(client, "shops", "shops", updated_since="2026-06-01T00:00:00Z")
        for name, bad in (("shop_ids", "one"), ("state", "SHUT"), ("domains", "FOOD"), ("max", "101")):
            assert client.get("shops", params={name: bad}).json()["errors"][0]["field"] == name
    assert len(shops) >= 200
    assert sorted(shop["shop_id"] for shop in shops) == sorted(shop["shop_id"] for shop in plaza.shops)
    assert len(some) == 2
    assert len(suspended) == sum(shop["shop_state"] == "SUSPENDED" for shop in plaza.shops)
    assert len(changed) == sum(shop["last_updated_date"] >= "2026-06-01" for shop in plaza.shops)


def test_every_shops_orders_come_together_and_can_be_narrowed(operated: Served, plaza: MiraklWorld) -> None:
    order = next(iter(plaza.orders.values()))
    shop_id = order["shop_id"]
    expected = {record["order_id"] for record in plaza.orders.values() if record["shop_id"] == shop_id}
    with signed_in(operated) as client:
        every = pages(client, "orders", "orders")
        # An operator's call knows no shop_id: it is ignored, and narrows nothing.
        ignored = client.get("orders", params={"shop_id": shop_id}).json()["total_count"]
        of_shop = pages(client, "orders", "orders", shop_ids=shop_id)
        by_basket = pages(client, "orders", "orders", commercial_ids=order["commercial_id"])
        by_product = pages(client, "orders", "orders", product_skus=order["order_lines"][0]["product_sku"])
        too_wide = client.get("orders", params={"refund_state_codes": "REFUNDED"})
    assert len(every) == len({record["order_id"] for record in every}) == len(plaza.orders) == ignored
    assert {record["order_id"] for record in of_shop} == expected
    assert {record["commercial_id"] for record in by_basket} == {order["commercial_id"]}
    assert order["order_id"] in {record["order_id"] for record in by_product}
    assert too_wide.json()["errors"][0]["field"] == "refund_state_codes"


def test_settings_say_what_an_operator_asks(operated: Served) -> None:
    with signed_in(operated) as client:
        fields = client.get("additional_fields").json()["additional_fields"]
        reasons = client.get("reasons").json()["reasons"]
        conditions = client.get("offers/states").json()["offer_states"]
    assert {field["shop_permission"] for field in fields} <= {"READ_WRITE", "READ_ONLY"}
    assert not any("editable" in field for field in fields)
    assert {(reason["is_customer_right"], reason["is_shop_right"]) for reason in reasons} == {
        (True, False),
        (False, True),
    }
    assert all(condition["active"] for condition in conditions)


def test_money_of_one_shop(operated: Served, plaza: MiraklWorld) -> None:
    line = plaza.transaction_lines[0]
    shop_id = line["shop"]["id"]
    with signed_in(operated) as client:
        lines = client.get("sellerpayment/transactions_logs", params={"shop": shop_id, "limit": 2000}).json()["data"]
        cycles = client.get("seller-billing-cycles", params={"shop_id": shop_id, "limit": 1000}).json()["data"]
        invoices = pages(client, "invoices", "invoices", shop=shop_id, type="ALL")
    assert len(lines) == sum(str(row["shop"]["id"]) == str(shop_id) for row in plaza.transaction_lines)
    assert {row["shop"]["shop_id"] for row in cycles} == {int(shop_id)}
    assert len(cycles) == 9
    assert len(invoices) == sum(str(row["shop_id"]) == str(shop_id) for row in plaza.invoices)


def test_debits_and_refunds_are_nested_twice(operated: Served, plaza: MiraklWorld) -> None:
    with signed_in(operated) as client:
        debits = pages(client, "payment/debit", "orders", "order")
        refunds = pages(client, "payment/refund", "orders", "order")
        one = client.get("payment/debit", params={"max": 1}).json()
    assert {row["order_id"] for row in debits} == {row["order_id"] for row in plaza.payment_debits}
    assert refunds[0]["order_lines"]["order_line"][0]["refunds"]["refund"][0]["id"]
    assert (len(one["orders"]["order"]), one["total_count"]) == (1, len(plaza.payment_debits))


def test_shipments_to_come_and_made_of_every_shop(operated: Served, plaza: MiraklWorld) -> None:
    with signed_in(operated) as client:
        shipped = client.get("shipments", params={"shipment_state_code": "SHIPPED", "limit": 100}).json()["data"]
        waiting = client.get("shipments/items_to_ship", params={"limit": 100}).json()
    assert {record["status"] for record in shipped} == {"SHIPPED"}
    assert len(waiting["data"]) == len(plaza.items_to_ship) > 0
    assert waiting["next_page_token"] is None


def test_exports_hold_every_shop(operated: Served, plaza: MiraklWorld) -> None:
    operated.settings(export_seconds=0)
    body = {"start_update_date": "2020-01-01T00:00:00Z", "end_update_date": "2030-01-01T00:00:00Z"}
    shop_id = next(iter(plaza.orders.values()))["shop_id"]
    with signed_in(operated) as client:
        found = []
        for asked in (body, body | {"shop_ids": [shop_id]}):
            tracking_id = client.post("orders/async-export", json=asked).json()["tracking_id"]
            (url,) = client.get(f"orders/async-export/status/{tracking_id}").json()["urls"]
            found.append(jsonio.decode(client.get(url).content)["orders"])
        tracking_id = client.post("offers/export/async", json={"export_type": "application/json"}).json()["tracking_id"]
        (url,) = client.get(f"offers/export/async/status/{tracking_id}").json()["urls"]
        offers = client.get(url).json()
    assert len(found[0]) == len(plaza.orders)
    assert {order["shop_id"] for order in found[1]} == {shop_id}
    assert len({row["shop_id"] for row in offers}) > 100


# --- what a pipeline gets


def test_served_marketplaces_are_switched_on_with_their_secrets(tmp_path: Any) -> None:
    places = Places(tmp_path)
    served = Marketplaces(["BRICO"], ["PLAZA"])
    write_config(places, "http://127.0.0.1:9", served)
    variables = environment(places, seed=SEED, as_of=DEFAULT_AS_OF, marketplaces=served, refresh_token="t")
    rows = (places.config / "marketplaces.csv").read_text().splitlines()
    plaza = dict(zip(rows[0].split(","), next(row for row in rows if row.startswith("PLAZA")).split(","), strict=True))
    assert plaza["base_url"] == "http://127.0.0.1:9/mirakl/PLAZA"
    assert plaza["token_url"] == f"http://127.0.0.1:9/{TOKEN}"
    assert (plaza["auth_method"], plaza["is_enabled"]) == ("OAUTH2", "true")
    assert (variables["MIRAKL_PLAZA_CLIENT_ID"], variables["MIRAKL_PLAZA_CLIENT_SECRET"]) == operator_client(
        SEED, "PLAZA"
    )
    assert "MIRAKL_PLAZA_API_KEY" not in variables


def test_marketplaces_that_are_not_served_are_switched_off(tmp_path: Any) -> None:
    places = Places(tmp_path)
    write_config(places, "http://127.0.0.1:9", Marketplaces(["BRICO"]))
    rows = (places.config / "marketplaces.csv").read_text().splitlines()
    assert {row.split(",")[0]: row.rsplit(",", 1)[1] for row in rows[1:]} == {
        "BRICO": "true",
        "PLAZA": "false",
        "HOMELY": "false",
    }
