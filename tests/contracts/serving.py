"""The sandbox as a server in a thread of this process: real HTTP on the loopback, its state in reach."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx

from sandbox.app import Sandbox, listen, server_for
from sandbox.store import Store
from sandbox.world import DEFAULT_AS_OF, World, build_world

SEED = 7
ORDERS = 300


@dataclass(frozen=True, slots=True)
class Served:
    """A sandbox that listens at `url`."""

    sandbox: Sandbox
    url: str

    @property
    def store(self) -> Store:
        return self.sandbox.store

    def settings(self, **values: object) -> None:
        """Turn switches of the sandbox."""
        httpx.post(f"{self.url}/_sandbox/settings", json=values).raise_for_status()

    def at(self, moment: datetime) -> None:
        """Let time pass in the sandbox until `moment`."""
        httpx.post(f"{self.url}/_sandbox/clock", json={"at": moment.isoformat()}).raise_for_status()


def world(orders: int = ORDERS, marketplaces: Collection[str] = ("BRICO",)) -> World:
    return build_world(SEED, orders, DEFAULT_AS_OF, marketplaces=marketplaces)


@contextmanager
def serving(generated: World, state: Path | None = None) -> Iterator[Served]:
    """The world served until the block ends; `state` keeps a write journal."""
    sandbox = Sandbox(lambda: Store(generated, seed=SEED, as_of=DEFAULT_AS_OF, state_folder=state))
    listener = listen("127.0.0.1", 0)
    server = server_for(sandbox)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        assert time.monotonic() < deadline, "the sandbox did not start"
        time.sleep(0.005)
    try:
        yield Served(sandbox, f"http://127.0.0.1:{listener.getsockname()[1]}")
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
