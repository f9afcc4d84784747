"""The sandbox's NetSuite account on the loopback, and connectors that sign in to it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import uvicorn

from connectors.netsuite import Certificate, NetSuiteConnector, Tokens
from sandbox.clock import SandboxClock
from sandbox.netsuite import NetSuiteApi, NetSuiteClient, NetSuiteSettings, new_certificate
from tests.sandbox_netsuite.company import CUSTOMER_UK, build_company

AS_OF = datetime(2026, 9, 20, 12, 0, tzinfo=UTC)
KEY, CERTIFICATE = new_certificate()
SECRETS = ("key-c", "secret-c", "id-t", "secret-t")
CLIENT = NetSuiteClient("1234567_SB1", "client", "certificate", CERTIFICATE, *SECRETS)
BY_CERTIFICATE = Certificate("client", "certificate", KEY)
BY_TOKENS = Tokens(*SECRETS)
SUBSIDIARY = "2"


@contextmanager
def running() -> Iterator[tuple[NetSuiteApi, str]]:
    """The account, to look inside and to switch, and its address. One open invoice has the external id `INV-1`."""
    world = build_company(AS_OF)
    invoices = [
        row for row in world.tables["transaction"] if row["type"] == "CustInvc" and row["entity"] == CUSTOMER_UK
    ]
    world.tables["transaction"] = [
        {**row, "externalid": "INV-1"} if row is invoices[0] else row for row in world.tables["transaction"]
    ]
    # Sellers of a marketplace: vendors that bear the shop's id.
    world.tables["entity"] = [
        *world.tables.get("entity", ()),
        *({"id": 900 + n, "entityid": f"S{n}", "externalid": f"3000{n}", "isinactive": "F"} for n in (1, 2)),
    ]
    api = NetSuiteApi(world, CLIENT, SandboxClock(AS_OF), NetSuiteSettings())
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(api.app(), log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield api, f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()


def connector(url: str, credentials: Certificate | Tokens = BY_TOKENS, **more: Any) -> NetSuiteConnector:
    options: dict[str, Any] = {"base_url": url, "sleep": lambda _: time.sleep(0.01), "clock": lambda: AS_OF, **more}
    return NetSuiteConnector("NS_UK", "1234567_SB1", credentials, **options)
