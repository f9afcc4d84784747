"""Everything that the connector can ask and that the sandbox can answer, driven once over real HTTP and recorded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta

import httpx

from connectors.auth import ClientCredentials
from connectors.mirakl import MiraklConnector
from connectors.mirakl.rights import check_rights
from connectors.records import FeedSpec, Window
from sandbox.credentials import mirakl_secret, operator_client
from sandbox.mirakl.operator_sign_in import SIGN_IN_PATH
from sandbox.world import DEFAULT_AS_OF, World
from tests.contracts.exchange import Exchange, Recorder
from tests.contracts.others import ask_as_operator, ask_as_seller
from tests.contracts.serving import SEED, Served, serving, world
from tests.contracts.writing import Batch, Shop, shipment_payloads, whole_order_payloads, write_everything

SELLER, SHOP = "BRICO", "2042"
OPERATOR = "PLAZA"
SINCE = DEFAULT_AS_OF - timedelta(days=10)
IDS = 3
"""Records that a feed read by id is asked for."""


def record() -> list[Exchange]:
    """All exchanges, of the seller's side and of the operator's."""
    generated = world(marketplaces=(SELLER, OPERATOR))
    with _serving(generated) as served:
        with seller(served) as (connector, recorder):
            read_everything(connector)
            check_rights(connector, connector.feeds, ())
            _write(connector, served, whole_order_payloads)
            with raw(served, recorder) as client, _shop(served) as shop:
                ask_as_seller(client, served, shop, SELLER)
                provoke(served, recorder, client)
            exchanges = recorder.exchanges
        with operator(served) as (connector, recorder):
            read_everything(connector)
            with raw(served, recorder) as client:
                ask_as_operator(client)
            exchanges += recorder.exchanges
        # What time makes of the world and of the writes is answered too: new cycles, documents, states.
        served.at(DEFAULT_AS_OF + timedelta(days=20))
        with seller(served) as (connector, recorder):
            read_everything(connector, windows=(Window(since=DEFAULT_AS_OF),))
            exchanges += recorder.exchanges
    features = generated.mirakl[SELLER].platform["features"]
    features["shipment"] = {**features["shipment"], "multi_shipment": True}
    with _serving(generated) as served, seller(served) as (connector, recorder):
        _write(connector, served, shipment_payloads)
        return exchanges + recorder.exchanges


@contextmanager
def _serving(generated: World) -> Iterator[Served]:
    with serving(generated) as served:
        # Exports and imports take time in the sandbox; how long is not what is looked at here.
        served.settings(import_waiting_seconds=0.0, import_running_seconds=0.0, export_seconds=0.05)
        yield served


def _write(connector: MiraklConnector, served: Served, payloads: Callable[[Shop], Iterator[Batch]]) -> None:
    with _shop(served) as shop:
        write_everything(connector, payloads(shop))


@contextmanager
def _shop(served: Served) -> Iterator[Shop]:
    shop = Shop(served, SELLER, SHOP)
    try:
        yield shop
    finally:
        shop.close()


@contextmanager
def seller(served: Served) -> Iterator[tuple[MiraklConnector, Recorder]]:
    """The seller's connector, recorded."""
    recorder = Recorder("seller", f"/mirakl/{SELLER}")
    connector = MiraklConnector(
        SELLER,
        f"{served.url}/mirakl/{SELLER}",
        SHOP,
        mirakl_secret(SEED, SELLER),
        transport=recorder,
        sleep=_nap,
        clock=lambda: DEFAULT_AS_OF,
    )
    try:
        yield connector, recorder
    finally:
        connector.close()


@contextmanager
def operator(served: Served) -> Iterator[tuple[MiraklConnector, Recorder]]:
    """The operator's connector, recorded. The signing in is no call of Mirakl's document and is not kept."""
    recorder = Recorder("operator", f"/mirakl/{OPERATOR}")
    connector = MiraklConnector(
        OPERATOR,
        f"{served.url}/mirakl/{OPERATOR}",
        None,
        ClientCredentials(f"{served.url}{SIGN_IN_PATH}", *operator_client(SEED, OPERATOR)),
        perspective="OPERATOR",
        transport=recorder,
        sleep=_nap,
        clock=lambda: DEFAULT_AS_OF,
    )
    try:
        yield connector, recorder
    finally:
        connector.close()


def _nap(seconds: float) -> None:
    """Nobody is to wait for a vendor on this machine."""
    time.sleep(min(seconds, 0.02))


# --- reads


def read_everything(connector: MiraklConnector, windows: Sequence[Window] = (Window(), Window(since=SINCE))) -> None:
    """Each feed by each of its routes: from the beginning, and since a moment. Feeds by id come last."""
    ids: dict[str, list[str]] = {}
    failed = [result for result in connector.check() if not result.ok]
    assert not failed, failed
    feeds: Mapping[str, FeedSpec] = connector.feeds
    for entity, spec in feeds.items():
        if spec.mode == "by_id":
            continue
        connector.measure(entity, Window(since=SINCE))
        for route in connector.routes(entity):
            for window in windows:
                for page in connector.pages(entity, window, route):
                    _collect(spec, page.body, page.url, feeds, ids)
    for entity, spec in feeds.items():
        if spec.mode == "by_id" and entity in ids:
            for page in connector.pages(entity, Window(ids=tuple(ids[entity][:IDS]))):
                assert page.status == 200


def _collect(spec: FeedSpec, body: bytes, url: str, feeds: Mapping[str, FeedSpec], ids: dict[str, list[str]]) -> None:
    """Remember the ids that other feeds are read by."""
    wanted = {entity: feed.ids_from for entity, feed in feeds.items() if feed.ids_from is not None}
    sources = {entity: source for entity, source in wanted.items() if source.table in {t.name for t in spec.tables}}
    if not sources:
        return
    tables = spec.decoded(body, url).tables
    for entity, source in sources.items():
        known = ids.setdefault(entity, [])
        known.extend(value for value in tables[source.table][source.column].to_pylist() if value and value not in known)


# --- requests without the connector


def provoke(served: Served, recorder: Recorder, client: httpx.Client) -> None:
    """Failures of every kind that the platform knows."""
    recorder.is_provoking = True
    client.get("/orders", headers={"Authorization": "wrong"})
    client.get(
        "/sellerpayment/transactions_logs", headers={"Authorization": mirakl_secret(SEED, SELLER, "no_accountancy")}
    )
    client.get("/orders", params={"shop_id": "7"})
    client.get("/orders", params={"max": "1000"})
    client.get("/orders", params={"order_state_codes": "LOST"})
    client.get("/orders", params={"start_date": "yesterday"})
    client.get("/offers/stock/imports/none/status")
    client.put("/orders/none/accept", json={"order_lines": [{"id": "1", "accepted": True}]})
    client.put("/orders/none/accept", json={"order_lines": []})
    client.post("/offers/stock/imports", json={})
    served.settings(rate_limits=True)
    for _ in range(2):
        client.get("/account")
    served.settings(rate_limits=False)
    recorder.is_provoking = False


@contextmanager
def raw(served: Served, recorder: Recorder) -> Iterator[httpx.Client]:
    """A client without manners, recorded, with the key of the recorder's side."""
    parameters = {}
    if recorder.side == "seller":
        key, parameters = mirakl_secret(SEED, SELLER), {"shop_id": SHOP}
    else:
        client_id, client_secret = operator_client(SEED, OPERATOR)
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
        token = httpx.post(f"{served.url}{SIGN_IN_PATH}", data=form).raise_for_status().json()["access_token"]
        key = f"Bearer {token}"
    yield httpx.Client(
        base_url=f"{served.url}{recorder.prefix}/api",
        headers={"Authorization": key},
        params=parameters,
        transport=recorder,
    )
