"""One small company for all tests of writes, over real HTTP. Each test posts under keys of its own."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import httpx
import pytest

from connectors.auth import MemoryCredentialStore
from connectors.delivery import Action, Delivery, DeliveryResult, Found, Verification
from connectors.sage200 import Sage200Connector
from connectors.sage200.writes import deliveries
from sandbox.app import Sandbox, listen, server_for
from sandbox.credentials import sage_client
from sandbox.store import Store
from sandbox.world import DEFAULT_AS_OF, build_world
from tests.connectors_sage200.payloads import DAY

__all__ = ["DAY"]

SEED = 11
_NUMBERS = itertools.count(1)


@dataclass
class Site:
    """A company that answers, and the deliveries to it."""

    sandbox: Sandbox
    url: str
    connector: Sage200Connector
    deliver: dict[str, Delivery]

    @property
    def store(self) -> Store:
        return self.sandbox.store

    # --- what the sandbox is told

    def switch(self, **values: Any) -> None:
        answer = httpx.post(f"{self.url}/_sandbox/sage200", json=values)
        assert answer.status_code == 200, answer.text

    def disturb(self, resource: str, **rule: Any) -> None:
        body = {"path": f"/sage200/accounts/v1/{resource}", "times": 1, **rule}
        assert httpx.post(f"{self.url}/_sandbox/chaos", json=body).status_code == 200

    def look_again(self) -> None:
        """Forgets what was looked up: a test changed it."""
        self.connector.__dict__.pop("_settings", None)
        self.deliver = deliveries(self.connector)

    def calm(self) -> None:
        httpx.delete(f"{self.url}/_sandbox/chaos")
        self.switch(closed_periods=[], locked_orders={}, call_seconds=0, concurrent_writes=None)

    # --- what is posted

    def send(self, *actions: Action) -> list[DeliveryResult]:
        results = self.deliver[actions[0].kind].send(actions)
        return [results[action.action_key] for action in actions]

    def look_up(self, action: Action) -> Found | None:
        return self.deliver[action.kind].look_up([action])[action.action_key]

    def proof(self, action: Action) -> Verification:
        return self.deliver[action.kind].read_back([action])[action.action_key]

    # --- what the company holds

    def rows(self, resource: str, **wanted: Any) -> list[dict[str, Any]]:
        """As the books have it, not as the API shows it."""
        rows = self.store.company[resource].rows
        return [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]

    def one(self, resource: str, **wanted: Any) -> dict[str, Any]:
        (row,) = self.rows(resource, **wanted)
        return row

    def legs(self, reference: str) -> dict[str, Decimal]:
        """Debit less credit by account."""
        codes = {row["id"]: row["reference"] for row in self.store.company["nominal_codes"].rows}
        moved: dict[str, Decimal] = {}
        for leg in self.rows("nominal_transaction_enquiry_views", reference=reference):
            code = codes[leg["nominal_code_id"]]
            moved[code] = moved.get(code, Decimal(0)) + leg["debit"] - leg["credit"]
        return moved

    def writes(self) -> int:
        """How many writes took effect so far."""
        return sum(self.store.sage_writes.applied.values())


def key() -> str:
    """A wire key that nothing else in the company has."""
    return f"TO{next(_NUMBERS):016X}"


def action(kind: str, **payload: Any) -> Action:
    payload = {"wire_key": key(), "currency_code": "GBP", **payload}
    return Action(f"{kind}|{payload['wire_key']}", payload["wire_key"], kind, "BRICO", "SAGE_UK", payload)


@pytest.fixture(scope="session")
def company() -> Iterator[Site]:
    yield from _company("GBP")


@pytest.fixture(scope="module")
def foreign_site() -> Iterator[Site]:
    """A company whose marketplace trades in euro."""
    yield from _company("EUR")


def _company(currency: Literal["GBP", "EUR"]) -> Iterator[Site]:
    world = build_world(SEED, 250, DEFAULT_AS_OF, marketplaces=("BRICO",), currency=currency)
    sandbox = Sandbox(lambda: Store(world, seed=SEED, as_of=DEFAULT_AS_OF))
    listener = listen("127.0.0.1", 0)
    server = server_for(sandbox)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline, "the sandbox did not start"
        time.sleep(0.005)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    client = sage_client(SEED)
    connector = Sage200Connector(
        "SAGE_UK",
        f"{url}/sage200/accounts/v1",
        f"{url}/oauth/token",
        str(sandbox.store.company.site["site_id"]),
        str(sandbox.store.company.site["company_id"]),
        MemoryCredentialStore(sandbox.store.sage_id.consent()),
        client.client_id,
        client.client_secret,
        sleep=lambda _: None,
    )
    yield Site(sandbox, url, connector, deliveries(connector))
    connector.close()
    server.should_exit = True
    thread.join(10)
    listener.close()


@pytest.fixture
def site(company: Site) -> Iterator[Site]:
    """The company, undisturbed."""
    yield company
    company.calm()
