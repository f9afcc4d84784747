"""One Sage 200 company served over HTTP on the loopback, and the connector as the pipeline builds it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.auth import MemoryCredentialStore
from connectors.sage200 import Sage200Connector
from sandbox.app import Sandbox, listen, server_for
from sandbox.credentials import sage_client
from sandbox.store import Store
from sandbox.world import DEFAULT_AS_OF, World, build_world
from tests.connectors.conftest import contracts, payloads

__all__ = ["contracts", "payloads"]

SEED = 7
CLIENT = sage_client(SEED)
Connect = Callable[..., Sage200Connector]


@dataclass
class Served:
    sandbox: Sandbox
    url: str
    control: httpx.Client

    @property
    def store(self) -> Store:
        return self.sandbox.store

    def site(self, **switches: Any) -> None:
        self.control.post("sage200/site", json=switches).raise_for_status()

    def chaos(self, **rule: Any) -> None:
        self.control.post("chaos", json=rule).raise_for_status()


@pytest.fixture(scope="session")
def _world() -> World:
    return build_world(SEED, 300, DEFAULT_AS_OF, faults=False, marketplaces=("BRICO",))


def _serve(world: World, state: Path | None = None) -> Iterator[Served]:
    sandbox = Sandbox(lambda: Store(world, seed=SEED, as_of=DEFAULT_AS_OF, state_folder=state))
    listener = listen("127.0.0.1", 0)
    server = server_for(sandbox)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        assert time.monotonic() < deadline, "the sandbox did not start"
        time.sleep(0.005)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with httpx.Client(base_url=f"{url}/_sandbox/") as control:
        yield Served(sandbox, url, control)
    server.should_exit = True
    thread.join(10)
    listener.close()


@pytest.fixture(scope="session")
def _running(_world: World) -> Iterator[Served]:
    yield from _serve(_world)


@pytest.fixture
def served(_running: Served) -> Iterator[Served]:
    """The shared sandbox; switches and chaos are put back."""
    before = _running.control.get("sage200/site").json()
    yield _running
    if _running.sandbox.chaos.rules:
        _running.control.delete("chaos").raise_for_status()
    if _running.control.get("sage200/site").json() != before:
        _running.site(**before)


def _connector(served: Served, base: str = "/sage200/accounts/v1", **more: Any) -> Sage200Connector:
    site = served.store.company.site
    options: dict[str, Any] = {
        "site_id": site["site_id"],
        "company_id": site["company_id"],
        "credentials": MemoryCredentialStore(served.store.sage_id.consent()),
        "client_id": CLIENT.client_id,
        "client_secret": CLIENT.client_secret,
        "timeout_seconds": 10.0,
        "sleep": lambda _: None,
        "clock": lambda: DEFAULT_AS_OF,
        **more,
    }
    return Sage200Connector("SAGE_UK", f"{served.url}{base}", f"{served.url}/oauth/token", **options)


@pytest.fixture(scope="session")
def _shared(_running: Served) -> Iterator[Sage200Connector]:
    connector = _connector(_running)
    yield connector
    connector.close()


@pytest.fixture
def sage(served: Served, _shared: Sage200Connector) -> Sage200Connector:
    """A connector of the shared sandbox that only reads."""
    return _shared


@pytest.fixture
def connect(served: Served) -> Iterator[Connect]:
    """Connectors to the sandbox, each with a consent of its own."""
    made: list[Sage200Connector] = []

    def make(base: str = "/sage200/accounts/v1", **more: Any) -> Sage200Connector:
        made.append(_connector(served, base, **more))
        return made[-1]

    yield make
    for connector in made:
        connector.close()
