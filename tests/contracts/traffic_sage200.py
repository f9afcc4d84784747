"""Everything that the Sage 200 connector can ask and that the sandbox can answer, driven once and recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx

from connectors.auth import MemoryCredentialStore
from connectors.records import Window
from connectors.sage200 import Sage200Connector
from connectors.sage200.decode import FEEDS
from connectors.sage200.endpoints import RESOURCES
from sandbox.sage_company import LISTS_ONLY, NESTED, ONLY_NESTED, SINGLE_OBJECTS
from sandbox.world import DEFAULT_AS_OF
from tests.contracts.exchange import Exchange, Recorder
from tests.contracts.serving import Served, serving, world
from tests.contracts.writing_sage200 import post_by_hand, post_everything

ACCOUNT = "SAGE_UK"
BASE = "/sage200/accounts/v1"
SINCE = DEFAULT_AS_OF - timedelta(days=10)
ORDERS = 250
"""The smallest world that holds every case."""
ROWS = "5"
"""Rows that a list is asked for: the schema of one more says no more."""


def record() -> list[Exchange]:
    with serving(world(orders=ORDERS)) as served, connected(served) as (connector, recorder):
        _read_everything(connector)
        post_everything(connector, served)
        with _raw(served, recorder) as client:
            post_by_hand(client, served)
            _ask_everything(client, served)
            _provoke(client, served, recorder)
        return recorder.exchanges


@contextmanager
def connected(served: Served) -> Iterator[tuple[Sage200Connector, Recorder]]:
    """The connector to the company of `served`, recorded, with a consent of its own."""
    recorder = Recorder("sage200", BASE, below="/")
    site, client = served.store.company.site, served.store.sage_client
    connector = Sage200Connector(
        ACCOUNT,
        f"{served.url}{BASE}",
        f"{served.url}/oauth/token",
        str(site["site_id"]),
        site["company_id"],
        MemoryCredentialStore(served.store.sage_id.consent()),
        client.client_id,
        client.client_secret,
        transport=recorder,
        sleep=lambda _: None,
        clock=lambda: DEFAULT_AS_OF,
        is_paced=False,
    )
    try:
        yield connector, recorder
    finally:
        connector.close()


def _read_everything(connector: Sage200Connector) -> None:
    """Each feed from its beginning, and since a moment or after an id where it can be."""
    failed = [result for result in connector.check() if not result.ok and not result.is_warning]
    assert not failed, failed
    for entity, resource in RESOURCES.items():
        windows = [Window(), *([Window(since=SINCE)] if resource.since else ())]
        if FEEDS[entity].mode == "keyset":
            windows.append(Window(after_id="1"))
        for window in windows:
            list(connector.pages(entity, window))


# --- requests without the connector


@contextmanager
def _raw(served: Served, recorder: Recorder) -> Iterator[httpx.Client]:
    client, site = served.store.sage_client, served.store.company.site
    form = {
        "grant_type": "refresh_token",
        "refresh_token": served.store.sage_id.consent(),
        "client_id": client.client_id,
        "client_secret": client.client_secret,
    }
    token = httpx.post(f"{served.url}/oauth/token", data=form).raise_for_status().json()["access_token"]
    headers = {
        "Authorization": f"Bearer {token}",
        "X-Site": str(site["site_id"]),
        "X-Company": str(site["company_id"]),
    }
    yield httpx.Client(base_url=f"{served.url}{BASE}", headers=headers, transport=recorder)


def _ask_everything(client: httpx.Client, served: Served) -> None:
    """Each resource that is served: its list bare, with each of its children, counted, one record, and below others."""
    company = served.store.company
    for name, table in company.tables.items():
        if name in ONLY_NESTED:
            continue
        if name in SINGLE_OBJECTS:
            client.get(f"/{name}").raise_for_status()
            continue
        client.get(f"/{name}", params={"$top": ROWS}).raise_for_status()
        client.get(f"/{name}", params={"$count": "true"}).raise_for_status()
        children = list(table.shape.children)
        for child in children:
            client.get(f"/{name}", params={"$top": ROWS, "$expand": child}).raise_for_status()
        if table.rows and table.key == "id" and name not in LISTS_ONLY:
            expand = {"$expand": ",".join(children)} if children else {}
            client.get(f"/{name}/{table.rows[0]['id']}", params=expand)
    for (parent, child), column in NESTED.items():
        row = next((row for row in company.tables[child].rows if row.get(column)), None)
        if row is not None:
            client.get(f"/{parent}/{row[column]}/{child}", params={"$top": ROWS}).raise_for_status()


def _provoke(client: httpx.Client, served: Served, recorder: Recorder) -> None:
    """Refusals of every kind that the guides name."""
    recorder.is_provoking = True
    client.get("/customers", headers={"Authorization": "Bearer spent"})
    client.get("/customers", headers={"X-Company": "0"})
    client.get("/customers", headers={"X-Site": "00000000-0000-0000-0000-000000000000"})
    client.get("/customers/0")
    client.get("/customers", params={"$filter": "no_such_field eq 1"})
    client.get("/customers", params={"$skip": "1"})
    client.get("/customers", params={"$top": "5001"})
    client.post("/sales_receipts", json={"customer_id": 1})
    client.post("/sales_receipts", content=b"{", headers={"Content-Type": "application/json"})
    client.post("/product_groups", json={"code": "X"})
    recorder.is_provoking = False
