"""Every feed of a seller's and of an operator's marketplace, read over real HTTP from a server as strict as Mirakl."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from connectors.auth import ClientCredentials
from connectors.errors import AuthError, PermissionDenied, RateLimited, WrongAccount
from connectors.mirakl import MiraklConnector
from connectors.mirakl.rights import check_rights
from connectors.records import CheckResult, Window
from sandbox.app import Sandbox, listen, server_for
from sandbox.credentials import mirakl_secret, operator_client
from sandbox.store import Store
from sandbox.world import DEFAULT_AS_OF, build_world

SEED, SHOP = 7, 2042
EXTRA, MISSING, UNSEEN = (f"rights that {one}" for one in ("are not needed", "are missing", "cannot be asked for"))
IDS_AT_MOST = 40
"""Enough to see every feed by id at work."""


@contextmanager
def serving() -> Iterator[str]:
    world = build_world(SEED, 300, DEFAULT_AS_OF, True, ("BRICO", "PLAZA"))
    sandbox = Sandbox(lambda: Store(world, seed=SEED, as_of=DEFAULT_AS_OF, state_folder=None))
    listener = listen("127.0.0.1", 0)
    server = server_for(sandbox)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        assert time.monotonic() < deadline, "the sandbox did not start"
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as url:
        yield url


def brico(url: str, key: str = "seller", **more: Any) -> MiraklConnector:
    secret = mirakl_secret(SEED, "BRICO", key)
    return MiraklConnector("BRICO", f"{url}/mirakl/BRICO", SHOP, secret, clock=lambda: DEFAULT_AS_OF, **more)


def plaza(url: str) -> MiraklConnector:
    auth = ClientCredentials(f"{url}/mirakl-auth/oauth/token", *operator_client(SEED, "PLAZA"))
    return MiraklConnector(
        "PLAZA", f"{url}/mirakl/PLAZA", None, auth, perspective="OPERATOR", clock=lambda: DEFAULT_AS_OF
    )


@pytest.mark.parametrize("open_connector", [brico, plaza])
def test_every_feed_is_read_whole_by_every_route(url: str, open_connector: Any) -> None:
    mirakl = open_connector(url)
    found: dict[tuple[str, str], list[str]] = {}
    counts: Counter[str] = Counter()
    for entity, spec in mirakl.feeds.items():
        window = Window()
        if spec.ids_from is not None:
            ids = dict.fromkeys(found[spec.ids_from.table, spec.ids_from.column])
            assert ids, f"{entity} has nothing to be asked for"
            window = Window(ids=tuple(ids)[: None if entity == "order_documents" else IDS_AT_MOST])
        by_route = []
        for route in mirakl.routes(entity):
            hashes: Counter[str] = Counter()
            for page in mirakl.pages(entity, window, route):
                decoded = spec.decoded(page.body, page.url)
                assert decoded.rejects == [], (entity, route)
                root = decoded.tables[spec.tables[0].name]
                hashes.update(root["_hash"].to_pylist())
                for name in root.column_names:
                    found.setdefault((spec.tables[0].name, name), []).extend(v for v in root[name].to_pylist() if v)
            by_route.append(hashes)
        assert len(by_route) == 1 or by_route[0] == by_route[1], f"{entity}: the routes disagree"
        counts[entity] = by_route[0].total()
        if spec.mode != "by_id":
            assert mirakl.measure(entity, window) in {None, counts[entity]}, entity
    nothing = {entity for entity in counts if not counts[entity]}
    assert nothing <= {"shipments", "items_to_ship"}, nothing
    assert counts["orders"] >= 299


@pytest.mark.parametrize("open_connector", [brico, plaza])
def test_doctor_finds_nothing_wrong(url: str, open_connector: Any) -> None:
    assert [r for r in open_connector(url).check() if not r.ok] == []


def test_an_operators_records_name_their_shops(url: str) -> None:
    mirakl = plaza(url)
    shops = {
        shop
        for page in mirakl.pages("transaction_lines", Window())
        for shop in mirakl.feeds["transaction_lines"].decode(page.body).tables["mirakl_transaction_lines"]["shop_id"]
    }
    assert len(shops) > 50
    assert None not in {shop.as_py() for shop in shops}


def test_a_key_of_another_shop_is_refused_before_anything_is_kept(url: str) -> None:
    other = MiraklConnector("BRICO", f"{url}/mirakl/BRICO", 999, mirakl_secret(SEED, "BRICO"), sleep=lambda _: None)
    with pytest.raises((PermissionDenied, WrongAccount)):
        list(other.pages("account", Window()))
    with pytest.raises(AuthError):
        list(brico(url, "nobody").pages("orders", Window()))


def test_a_platform_that_counts_is_waited_for_as_it_says(url: str) -> None:
    control = httpx.Client(base_url=url, trust_env=False)
    naps: list[float] = []
    control.post("/_sandbox/settings", json={"rate_limits": True}).raise_for_status()
    try:
        mirakl = brico(url, sleep=naps.append)
        list(mirakl.pages("returns", Window()))
        with pytest.raises(RateLimited) as caught:
            list(mirakl.pages("returns", Window()))
    finally:
        control.post("/_sandbox/settings", json={"rate_limits": False}).raise_for_status()
    assert caught.value.retry_after is not None
    assert 0 < caught.value.retry_after <= 300
    assert naps, "it was waited for before it was given up"


# --- rights


def found(results: list[CheckResult]) -> dict[str, CheckResult]:
    return {result.name.partition(": ")[2]: result for result in results}


def test_a_partners_key_with_too_many_rights_is_told_which(url: str) -> None:
    shown = found(check_rights(brico(url, "too_much"), {"orders"}, {"ACCEPTANCE", "STOCK"}))
    extra = shown[EXTRA]
    assert (extra.ok, extra.is_warning) == (False, True)
    for right in ("SHOP_USER_CREATE", "SHOP_DOCUMENT_READ", "PRODUCT_WRITE"):
        assert f"ROLE_PARTNER_{right}" in extra.detail
    assert shown[MISSING].ok


def test_a_partners_key_with_the_least_rights_is_left_alone_and_told_what_nobody_can_ask(url: str) -> None:
    shown = found(check_rights(brico(url, "least"), {"orders"}, {"ACCEPTANCE", "STOCK"}))
    assert shown[EXTRA].ok
    assert shown[MISSING].ok
    assert "back office" in shown[UNSEEN].detail
    assert "ROLE_PARTNER_ORDER_ACCEPT (ACCEPTANCE)" in shown[UNSEEN].detail
    assert "ORDER_REFUND" not in shown[UNSEEN].detail  # it is switched off


def test_what_a_kind_that_is_switched_on_misses_is_named(url: str) -> None:
    missing = found(check_rights(brico(url, "least"), {"orders"}, {"PRICE"}))[MISSING]
    assert (missing.ok, missing.is_warning) == (False, False)
    assert missing.detail == "ROLE_PARTNER_OFFER_PRICING_READ (PRICE); ROLE_SHOP_ADMIN (PRICE)"


def test_an_administrators_key_is_too_much_unless_something_needs_it(url: str) -> None:
    needless = found(check_rights(brico(url), {"orders"}, {"ACCEPTANCE"}))[EXTRA]
    assert (needless.ok, needless.is_warning) == (False, True)
    assert needless.action.endswith("alone: ROLE_PARTNER_ORDER_ACCEPT, ROLE_PARTNER_ORDER_READ")
    needed = found(check_rights(brico(url), {"orders", "platform"}, {"ACCEPTANCE"}))[EXTRA]
    assert needed.ok
    assert "as PC01 asks for (platform)" in needed.detail


def test_an_operators_client_cannot_be_asked(url: str) -> None:
    shown = found(check_rights(plaza(url), {"orders"}, ()))
    assert "publishes no rights of operators" in shown[UNSEEN].detail
