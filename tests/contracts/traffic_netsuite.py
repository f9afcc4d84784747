"""Everything that the NetSuite connector can ask and that the sandbox can answer, driven once and recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx

from connectors.netsuite import Certificate, NetSuiteConnector, Tokens
from connectors.netsuite.queries import QUERIES
from connectors.records import Window
from sandbox.netsuite import NetSuiteApi
from sandbox.netsuite.contract import LISTS, TRANSACTIONS
from tests.connectors_netsuite.account import AS_OF, BY_CERTIFICATE, BY_TOKENS, SUBSIDIARY, connector, running
from tests.contracts.exchange import Exchange, Recorder
from tests.contracts.writing_netsuite import write_everything

BASE = "/services/rest"
SINCE = AS_OF - timedelta(days=10)


def record() -> list[Exchange]:
    with running() as (api, url):
        with _recorded(url, BY_TOKENS) as (reader, recorder):
            _check(reader)
            exchanges = recorder.exchanges
        with _recorded(url, BY_CERTIFICATE) as (reader, recorder):
            _read_everything(reader)
            write_everything(reader)
            with _raw(reader, url, recorder) as client:
                _ask_everything(client, api)
                _change(client, api)
                _provoke(client, api, recorder)
            return exchanges + recorder.exchanges


@contextmanager
def _recorded(url: str, credentials: Certificate | Tokens) -> Iterator[tuple[NetSuiteConnector, Recorder]]:
    recorder = Recorder("netsuite", BASE, below="/")
    reader = connector(url, credentials, transport=recorder, subsidiary_id=SUBSIDIARY)
    try:
        yield reader, recorder
    finally:
        reader.close()


def _check(reader: NetSuiteConnector) -> None:
    """What doctor asks: every column of every feed, once."""
    failed = [result for result in reader.check() if not result.ok and not result.is_warning]
    assert not failed, failed


def _read_everything(reader: NetSuiteConnector) -> None:
    """Each feed from its beginning, and since a moment where it can be."""
    for entity, query in QUERIES.items():
        for window in (Window(), *([Window(since=SINCE)] if query.changed else ())):
            list(reader.pages(entity, window))


# --- requests without the connector


@contextmanager
def _raw(reader: NetSuiteConnector, url: str, recorder: Recorder) -> Iterator[httpx.Client]:
    """A client with the connector's token."""
    bearer = next(
        one.headers["authorization"] for one in reversed(recorder.exchanges) if "authorization" in one.headers
    )
    yield httpx.Client(
        base_url=f"{url}{BASE}/record/v1", headers={"Authorization": bearer}, transport=recorder, timeout=30
    )


def _ask_everything(client: httpx.Client, api: NetSuiteApi) -> None:
    """Each record that is served: its list, one of it, expanded, and its sublists."""
    for record in (*TRANSACTIONS, *LISTS):
        client.get(f"/{record}", params={"limit": "5"}).raise_for_status()
        table = LISTS.get(record, "transaction")
        where = f"type = '{TRANSACTIONS[record]}'" if record in TRANSACTIONS else "TRUE"
        for row in api.database.rows(table, f"{where} ORDER BY id DESC LIMIT 3"):
            client.get(f"/{record}/{row['id']}").raise_for_status()
            whole = (
                client.get(f"/{record}/{row['id']}", params={"expandSubResources": "true"}).raise_for_status().json()
            )
            for name, value in whole.items():
                if isinstance(value, dict) and "totalResults" in value:
                    client.get(f"/{record}/{row['id']}/{name}").raise_for_status()


def _change(client: httpx.Client, api: NetSuiteApi) -> None:
    """What the connector never does: change, replace and delete by external id."""
    (held,) = api.database.rows("transaction", "externalid = 'JE-CONTRACT1'")
    client.get("/journalEntry/eid:JE-CONTRACT1").raise_for_status()
    client.patch(f"/journalEntry/{held['id']}", json={"memo": "changed"}).raise_for_status()
    body = client.get(f"/journalEntry/{held['id']}", params={"expandSubResources": "true"}).json()
    lines = [
        {name: {"id": line[name]["id"]} if name == "account" else line[name] for name in line if name != "links"}
        for line in body["line"]["items"]
    ]
    whole = {"subsidiary": {"id": body["subsidiary"]["id"]}, "line": {"items": lines}}
    put = client.put("/journalEntry/eid:JE-CONTRACT-PUT", json=whole, params={"replace": "line"}).raise_for_status()
    client.patch("/journalEntry/eid:JE-CONTRACT-PUT", json={"memo": "again"}).raise_for_status()
    client.delete(f"/journalEntry/{put.headers['location'].rpartition('/')[2]}").raise_for_status()


def _provoke(client: httpx.Client, api: NetSuiteApi, recorder: Recorder) -> None:
    """Refusals of every kind that the help lists, or that were seen live."""
    recorder.is_provoking = True
    suiteql = str(client.base_url).rstrip("/").replace("/record/v1", "/query/v1/suiteql")
    transient = {"Prefer": "transient"}
    client.post(suiteql, json={"q": "SELECT id FROM transaction ORDER BY id"})
    client.post(suiteql, json={"q": "SELECT nothing FROM transaction"}, headers=transient)
    client.post(suiteql, json={"q": "SELECT id FROM nothing"}, headers=transient)
    client.post(suiteql, json={"q": "SELECT id FROM transaction"}, headers=transient, params={"limit": "0"})
    client.get("/salesOrder/1", headers={"Authorization": "Bearer spent"})
    client.get("/salesOrder/999999999")
    client.get("/customer/999999999")
    client.get("/nothing/1")
    client.post("/journalEntry", content=b"{")
    client.post("/journalEntry", json={"subsidiary": {"id": "2"}, "line": {"items": []}})
    api.settings.denied_records = {"deposit"}
    for status in (400, 403):
        api.settings.denied_status = status
        client.post("/deposit", json={"account": {"id": "1"}})
    api.settings.denied_records = set()
    api.settings.concurrency_limit, before = 0, api.settings.concurrency_limit
    client.get("/customer", params={"limit": "5"})
    api.settings.concurrency_limit = before
    recorder.is_provoking = False
